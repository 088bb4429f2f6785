//! The module files under `mappings/`, each with what its sender would really post: `tests/data/mappings/FILE/` holds
//! numbered steps. `01-opened.expected.json` says what is sent (the other file of that name, or what `payload` names), with
//! which headers, and what becomes of it; a field that reads `just now` is the time of the test. `signer.rs` signs.

pub mod signer;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate::clock::Timestamp;
use tidegate::verify::preset;

use crate::app::{App, Setup, text};
use crate::changes::assert_log_is_truth;
use crate::client::{Answer, Sender};
use signer::{Letter, Signer};

both!(every_mapping_does_what_its_steps_say);

/// How far the clock may have moved since a step was sent.
const JUST_NOW: Duration = Duration::from_secs(60);
/// What a payload is, by the end of its file's name.
const CONTENT_TYPES: [(&str, &str); 4] = [
    ("json", "application/json"),
    ("form", "application/x-www-form-urlencoded"),
    ("ndjson", "application/x-ndjson"),
    ("xml", "application/xml; charset=utf-8"),
];

pub struct Step {
    pub name: String,
    pub payload: PathBuf,
    expected: Value,
}

/// The module file, and what it says as a document.
pub struct Module {
    pub name: String,
    pub text: String,
    pub document: toml::Table,
}

async fn every_mapping_does_what_its_steps_say(setup: Setup) {
    for module in modules() {
        // A database of its own for each, so that its log tells of this module alone.
        let app = Setup::new(setup.database().engine()).await.start().await;
        play(&app, &module).await;
    }
}

async fn play(app: &App, module: &Module) {
    let (signer, secrets) = module.signer();
    let sender = app.senders(&module.text, secrets).await.swap_remove(0);
    let mut filled = BTreeSet::new();
    for step in module.steps() {
        let why = format!("{}, {}", module.name, step.name);
        let answer = send(app, &sender, signer.as_ref(), &step).await;
        assert_eq!(answer.status, module.status(), "{why}: {}", answer.text());
        let told = told(app, &sender, &answer).await;
        assert_eq!(told["outcome"], step.expected["outcome"], "{why}: {told}");
        assert_eq!(app.event(&told).await["verdict"], step.expected["outcome"], "{why}");
        assert_records(app, &sender, &told, &step, &mut filled).await;
    }
    if signer.is_some() {
        let answer = send(app, &sender, None, &module.steps()[0]).await;
        assert_eq!(answer.status, 401, "{}, not signed: {}", module.name, answer.text());
    }
    let lacking = module.fields().filter(|field| !filled.contains(field)).collect::<Vec<_>>();
    assert!(lacking.is_empty(), "{}: no step fills {lacking:?}", module.name);
    assert_log_is_truth(&app.admin, app.database(), &sender.module).await;
}

async fn send(app: &App, sender: &Sender, signer: Option<&Signer>, step: &Step) -> Answer {
    let letter = signed(app, sender, signer, step.letter());
    sender.send(sender.body(step.content_type(), letter.body).headers(letter.headers)).await
}

/// As of now, where it is signed at all.
pub fn signed(app: &App, sender: &Sender, signer: Option<&Signer>, letter: Letter) -> Letter {
    match signer {
        Some(signer) => signer.signed(sender, letter, app.setup.clock.now()),
        None => letter,
    }
}

/// What the answer says, or the log of events, where the sender is answered in its own way.
pub async fn told(app: &App, sender: &Sender, answer: &Answer) -> Value {
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(told) if told["eventId"].is_string() => told,
        _ => {
            let newest = app.see(&format!("/events?module={}&limit=1", sender.module)).await["data"][0].clone();
            json!({ "eventId": newest["id"], "outcome": newest["verdict"], "recordId": newest["recordIds"][0] })
        }
    }
}

/// Each record that the answer names reads as the step says: every field, and nothing else.
async fn assert_records(app: &App, sender: &Sender, answer: &Value, step: &Step, filled: &mut BTreeSet<String>) {
    let wanted = step.expected["records"].as_array().map_or(&[][..], Vec::as_slice);
    let alone = [json!({ "recordId": answer["recordId"], "outcome": answer["outcome"] })];
    let named = match answer.get("records") {
        Some(records) => records.as_array().expect("`records` is a list"),
        None if wanted.is_empty() => &[][..],
        None => &alone,
    };
    assert_eq!(named.len(), wanted.len(), "{}: {answer}", step.name);
    for (place, (named, wanted)) in named.iter().zip(wanted).enumerate() {
        let why = format!("{}, record {place} of {answer}", step.name);
        assert_eq!(named["outcome"], wanted["outcome"], "{why}");
        if wanted["outcome"] == "ignored" {
            assert_eq!(named["recordId"], Value::Null, "{why}");
            continue;
        }
        let path = format!("/api/v1/modules/{}/records/{}", sender.module, text(&named["recordId"]));
        let Some(fields) = wanted.get("fields") else {
            app.get(&path).await.problem(404, "not_found");
            continue;
        };
        let record = app.get(&path).await.done();
        let fields = dated(fields, &record["fields"], app.setup.clock.now());
        assert_eq!(record["fields"], fields, "{why}");
        assert_eq!(record["customData"], wanted["customData"], "{why}");
        let fields = record["fields"].as_object().unwrap().iter();
        filled.extend(fields.filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()));
    }
}

/// The fields that are wanted, with the record's own time where they say `just now`, if it is that.
fn dated(wanted: &Value, found: &Value, now: Timestamp) -> Value {
    let mut wanted = wanted.clone();
    for (name, value) in wanted.as_object_mut().expect("fields have names") {
        if value == "just now" {
            let at: Timestamp = text(&found[name]).parse().unwrap();
            assert!(at <= now && now.since(at) < JUST_NOW, "{name} is {at}, and it is {now}");
            *value = found[name].clone();
        }
    }
    wanted
}

impl Step {
    /// What the vendor would send, not signed yet.
    pub fn letter(&self) -> Letter {
        let body = fs::read(&self.payload).unwrap_or_else(|error| panic!("{}: {error}", self.payload.display()));
        let headers = self.expected["headers"].as_object().expect("a step has its headers").iter();
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), text(value).parse().unwrap())).collect();
        let mut letter = Letter { headers, body };
        letter.headers.insert("content-type", self.content_type().parse().unwrap());
        letter
    }

    pub fn content_type(&self) -> &'static str {
        let end = self.payload.extension().and_then(|end| end.to_str()).unwrap_or_default();
        let known = CONTENT_TYPES.iter().find(|(known, _)| *known == end);
        known.unwrap_or_else(|| panic!("{}: what is it?", self.payload.display())).1
    }
}

impl Module {
    /// Signs as the sender does, and what the file's secret is then.
    pub fn signer(&self) -> (Option<Signer>, Value) {
        let signer = self.source().get("signature").map(Signer::of);
        let secrets = self.secret().zip(signer.as_ref()).map(|(name, signer)| (name, json!(signer.secret)));
        (signer, secrets.into_iter().collect::<serde_json::Map<_, _>>().into())
    }

    fn source(&self) -> &toml::Table {
        let sources = self.document["source"].as_array().expect("the file has sources");
        assert_eq!(sources.len(), 1, "{}: its steps are sent to one source", self.name);
        sources[0].as_table().unwrap()
    }

    fn fields(&self) -> impl Iterator<Item = String> {
        self.document["module"]["fields"].as_table().unwrap().keys().cloned()
    }

    /// The name of the secret, as `apply` looks it up.
    fn secret(&self) -> Option<String> {
        let signature = self.source().get("signature")?;
        Some(signature["secret"].as_str()?.strip_prefix("env:").expect("it names a variable").to_owned())
    }

    /// Of the answer to what was accepted: some senders insist on another.
    fn status(&self) -> u16 {
        let own = self.source().get("response").and_then(|response| response.get("status")?.as_integer());
        let preset =
            self.source().get("signature").and_then(|signature| preset::find(signature.get("preset")?.as_str()?));
        let usual = || preset?.response.as_ref()?.status;
        own.map(|status| u16::try_from(status).unwrap()).or_else(usual).unwrap_or(202)
    }

    fn folder(&self) -> PathBuf {
        data().join(&self.name)
    }

    pub fn steps(&self) -> Vec<Step> {
        let folder = self.folder();
        let mut steps = Vec::new();
        for file in names(&folder) {
            let Some(name) = file.strip_suffix(".expected.json") else { continue };
            let expected: Value = serde_json::from_slice(&fs::read(folder.join(&file)).unwrap())
                .unwrap_or_else(|error| panic!("{}/{file}: {error}", self.name));
            let own = || {
                let ends = CONTENT_TYPES.iter().map(|(end, _)| format!("{name}.{end}"));
                ends.into_iter().find(|file| folder.join(file).exists()).unwrap_or_else(|| format!("{name}.json"))
            };
            let payload = expected["payload"].as_str().map_or_else(own, str::to_owned);
            steps.push(Step { name: name.to_owned(), payload: folder.join(payload), expected });
        }
        assert!(!steps.is_empty(), "mappings/{}.toml has steps in {}", self.name, folder.display());
        steps
    }
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mappings")
}

/// What is in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn modules() -> Vec<Module> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let module = |file: String| {
        let name = file.strip_suffix(".toml").expect("mappings/ holds module files").to_owned();
        let text = fs::read_to_string(folder.join(&file)).unwrap();
        let document = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
        Module { name, text, document }
    };
    let modules: Vec<_> = names(&folder).into_iter().map(module).collect();
    assert!(!modules.is_empty());
    modules
}

#[test]
fn every_file_is_about_something_that_is_there() {
    let modules = modules();
    let mut used = BTreeSet::new();
    for module in &modules {
        assert!(module.text.starts_with("# "), "{}: a comment on top says what it is for", module.name);
        assert_eq!(
            module.document["module"]["slug"].as_str(),
            Some(module.name.as_str()),
            "the file is named after it"
        );
        used.extend(module.steps().into_iter().map(|step| step.payload.canonicalize().expect("its payload is there")));
    }
    let known: BTreeSet<_> = modules.iter().map(|module| module.name.clone()).collect();
    for folder in names(&data()) {
        assert!(known.contains(&folder), "tests/data/mappings/{folder} has no module file");
        for file in names(&data().join(&folder)).iter().filter(|file| !file.ends_with(".expected.json")) {
            let path = data().join(&folder).join(file).canonicalize().unwrap();
            assert!(used.contains(&path), "{}: no step sends it", path.display());
        }
    }
}

/// Payloads are made up: whoever reads or sends them reaches nobody, and no scanner for leaked secrets finds one.
#[test]
fn payloads_name_no_one_and_hold_no_secret() {
    let marks = ["sk_live", "rk_live", "pk_live", "sk_test", "whsec_", "ghp_", "gho_", "github_pat_", "shpat_", "tgt_"];
    for folder in names(&data()) {
        for file in names(&data().join(&folder)) {
            let text = fs::read_to_string(data().join(&folder).join(&file)).unwrap();
            let found = marks.iter().filter(|mark| text.contains(**mark)).collect::<Vec<_>>();
            assert!(found.is_empty(), "{folder}/{file} holds what looks like a secret: {found:?}");
            let urls = ["http://", "https://", "git://"].iter().flat_map(|scheme| text.split(scheme).skip(1));
            for host in urls.map(host) {
                let example = host == "example.com" || host.ends_with(".example.com");
                assert!(example, "{folder}/{file}: `{host}` may be somebody's; example.com is nobody's");
            }
            for address in text.split('@').skip(1).map(host).filter(|host| host.contains('.')) {
                let example = address.to_ascii_lowercase().ends_with("example.com");
                assert!(example, "{folder}/{file}: an address at `{address}` may be somebody's");
            }
        }
    }
}

/// The beginning of a text, as far as it may be a host's name.
fn host(text: &str) -> &str {
    let end =
        text.find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '.' | '-'))).unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}
