//! The module files under `mappings/`, each with what its sender would really post: `tests/data/mappings/FILE/` holds
//! numbered steps. `01-opened.expected.json` says what is sent (`01-opened.json`, or what `payload` names), with which
//! headers, and what becomes of it; the signature is made by what the module file says.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER};
use http::HeaderMap;
use serde_json::{Value, json};
use tidegate::verify::hmac_sha256;

use crate::app::{App, Setup, text};
use crate::changes::assert_log_is_truth;
use crate::client::{Answer, Sender};

both!(every_mapping_does_what_its_steps_say);

const SECRET: &str = "a secret of the tests, kept by nobody";

struct Step {
    name: String,
    payload: PathBuf,
    expected: Value,
}

/// The module file, and what it says as a document.
struct Module {
    name: String,
    text: String,
    document: toml::Table,
}

async fn every_mapping_does_what_its_steps_say(setup: Setup) {
    for module in modules() {
        // A database of its own for each, so that its log tells of this module alone.
        let app = Setup::new(setup.database().engine()).await.start().await;
        play(&app, &module).await;
    }
}

async fn play(app: &App, module: &Module) {
    let secrets = module.secrets().map(|name| (name, json!(SECRET))).collect::<serde_json::Map<_, _>>();
    let sender = app.senders(&module.text, secrets.into()).await.swap_remove(0);
    let mut filled = BTreeSet::new();
    for step in module.steps() {
        let why = format!("{}, {}", module.name, step.name);
        let answer = send(&sender, module, &step).await;
        assert_eq!(answer.status, 202, "{why}: {}", answer.text());
        assert_eq!(answer.json()["outcome"], step.expected["outcome"], "{why}: {}", answer.text());
        let answer = answer.accepted(text(&step.expected["outcome"]));
        assert_eq!(app.event(&answer).await["verdict"], step.expected["outcome"], "{why}");
        assert_records(app, &sender, &answer, &step, &mut filled).await;
    }
    let lacking = module.fields().filter(|field| !filled.contains(field)).collect::<Vec<_>>();
    assert!(lacking.is_empty(), "{}: no step fills {lacking:?}", module.name);
    assert_log_is_truth(&app.admin, app.database(), &sender.module).await;
}

async fn send(sender: &Sender, module: &Module, step: &Step) -> Answer {
    let body = fs::read(&step.payload).unwrap_or_else(|error| panic!("{}: {error}", step.payload.display()));
    let headers = step.expected["headers"].as_object().expect("a step has its headers").iter();
    let mut headers: HeaderMap =
        headers.map(|(name, value)| (name.parse().unwrap(), text(value).parse().unwrap())).collect();
    if let Some((header, value)) = module.signature(&body) {
        headers.insert(header.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
    }
    sender.send(sender.json(body).headers(headers)).await
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
        assert_eq!(&record["fields"], fields, "{why}");
        assert_eq!(record["customData"], wanted["customData"], "{why}");
        let fields = record["fields"].as_object().unwrap().iter();
        filled.extend(fields.filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()));
    }
}

impl Module {
    fn source(&self) -> &toml::Table {
        let sources = self.document["source"].as_array().expect("the file has sources");
        assert_eq!(sources.len(), 1, "{}: its steps are sent to one source", self.name);
        sources[0].as_table().unwrap()
    }

    fn fields(&self) -> impl Iterator<Item = String> {
        self.document["module"]["fields"].as_table().unwrap().keys().cloned()
    }

    /// Names of the secrets, as `apply` looks them up.
    fn secrets(&self) -> impl Iterator<Item = String> {
        let name = self.source().get("signature").and_then(|signature| signature["secret"].as_str());
        name.map(|name| name.strip_prefix("env:").unwrap().to_owned()).into_iter()
    }

    /// Header and value, by the scheme that the file names.
    fn signature(&self, body: &[u8]) -> Option<(String, String)> {
        let scheme = self.source().get("signature")?.as_table().unwrap();
        let said = |key: &str| scheme.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        let digest = hmac_sha256(SECRET.as_bytes(), body);
        let written = if said("encoding") == "base64" { BASE64.encode(&digest) } else { HEXLOWER.encode(&digest) };
        Some((said("header").to_owned(), format!("{}{written}", said("prefix"))))
    }

    fn folder(&self) -> PathBuf {
        data().join(&self.name)
    }

    fn steps(&self) -> Vec<Step> {
        let folder = self.folder();
        let mut steps = Vec::new();
        for file in names(&folder) {
            let Some(name) = file.strip_suffix(".expected.json") else { continue };
            let expected: Value = serde_json::from_slice(&fs::read(folder.join(&file)).unwrap())
                .unwrap_or_else(|error| panic!("{}/{file}: {error}", self.name));
            let payload = expected["payload"].as_str().map_or_else(|| format!("{name}.json"), str::to_owned);
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

fn modules() -> Vec<Module> {
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
