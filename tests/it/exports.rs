//! Modules as files: what is exported applies to no change, and on another gateway makes the same of every event.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::agree::rng::Rng;
use crate::app::{App, Setup, text};
use crate::client::{Answer, Sender};
use crate::mappings::signer::{Letter, Signer};
use crate::mappings::{Module, modules, signed, told};

both!(
    every_file_is_a_fixed_point,
    an_edited_mapping_maps_alike_on_a_fresh_gateway,
    files_of_tests_are_fixed_points,
    no_secret_is_exported,
    secrets_that_were_given_stay,
    what_no_file_can_say_is_not_saved,
    what_a_preset_knows_is_no_part_of_the_mapping,
    a_dry_run_tells_what_would_change,
);

const SIGNED: &str = include_str!("../data/modules/signed.toml");
const ORDERS: &str = include_str!("../data/modules/orders.toml");
const A_WHILE: std::time::Duration = std::time::Duration::from_secs(5);

/// One module's file.
async fn exported(app: &App, module: &str) -> String {
    let answer = app.get(&format!("/api/v1/export?module={module}")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/toml"), "{}", answer.text());
    String::from_utf8(answer.body).unwrap()
}

#[track_caller]
fn assert_unchanged(applied: &Answer, why: &str) {
    let applied = applied.done();
    let all = ["modules", "sources"].into_iter().flat_map(|part| applied[part].as_array().unwrap());
    for one in all {
        assert_eq!(one["action"], "unchanged", "{why}: {one}");
        assert!(one.get("diff").is_none(), "{why}: {one}");
    }
}

fn parsed(text: &str) -> toml::Table {
    text.parse().unwrap_or_else(|error| panic!("{error}: {text}"))
}

async fn every_file_is_a_fixed_point(app: App) {
    for module in modules() {
        let (_, secrets) = module.signer();
        app.apply(&module.text, secrets.clone()).await.done();
        let text = exported(&app, &module.name).await;
        assert_unchanged(&app.apply(&text, secrets).await, &module.name);
        assert_unchanged(&app.apply(&text, json!({})).await, &module.name);
        assert_eq!(exported(&app, &module.name).await, text);
        assert_eq!(parsed(&text), module.document, "{}: {text}", module.name);
    }
    let all = app.see("/export").await;
    let names: Vec<_> = all["files"].as_array().unwrap().iter().map(|file| text(&file["name"])).collect();
    let wanted: Vec<_> = modules().iter().map(|module| format!("{}.toml", module.name)).collect();
    assert_eq!(names, wanted);
    app.get("/api/v1/export?module=none").await.problem(404, "not_found");
}

/// Texts with quotes, several sources, defaults of all kinds.
async fn files_of_tests_are_fixed_points(app: App) {
    for file in [
        include_str!("../data/modules/rules.toml"),
        include_str!("../data/modules/everything.toml"),
        include_str!("../data/modules/two-doors.toml"),
        include_str!("../data/modules/named.toml"),
        include_str!("../data/modules/bodies.toml"),
        include_str!("../data/modules/canaries.toml"),
        include_str!("../data/modules/shop.toml"),
        SIGNED,
        ODD,
    ] {
        let secrets = json!({ "ONE": "1", "TWO": "2", "PARCELS": "3", "SHOP": "4", "ERP": "5" });
        let slug = text(&app.apply(file, secrets.clone()).await.done()["modules"][0]["slug"]).to_owned();
        let text = exported(&app, &slug).await;
        assert_unchanged(&app.apply(&text, secrets.clone()).await, &text);
        let fresh = Setup::new(app.database().engine()).await.start().await;
        fresh.apply(&text, secrets).await.done();
        assert_eq!(exported(&fresh, &slug).await, text);
    }
}

const ODD: &str = r#"
[module]
slug = "odd"
name = "Odd \"things\" \\ 'here'"
match = ["code"]
[module.fields]
code = "text"
data = "json"
at = "timestamp"
state = { type = "status", values = ["it's", "a \"b\"", "tab\there"] }
[[module.event]]
name = "odd.thing"
when = "@.after.state == \"it's\" || @.after.code == \"\\\\\""
data = { "a b" = "@.after.code", inner = { deep = "const:it's" } }
[[source]]
slug = "one"
enabled = false
max_body = 4096
rate_limit = { per_minute = 7, burst = 3 }
response = { status = 200, content_type = "text/xml", body = "<a b='c'>\n</a>" }
occurred_at = { from = "$.at", timestamp = "unix" }
event_type = "header:X-Type"
only = ["a*", "b"]
delete_when = "@.gone == true"
handshake = [{ when = "@.type == 'hello'", json = { answer = "{json:$.token}", list = [1, true, 1.5] }, headers = { X-A = "b" } }, { method = "GET", query = "challenge", text = "{query:challenge}" }]
[[source.rule]]
from = "$['a.b']"
to = "code"
transform = ["trim", { replace = '\', with = "" }, { map = { "it's" = "x", 1 = 2 }, else = false }]
[[source.rule]]
from = "$.data"
to = "data"
default = { a = [1, 1.5, "x", true], at = 1979-05-27 }
on_missing = "default"
[[source]]
slug = "two"
signature = { header = "X-Time-Sig", message = "{timestamp}.{body}", timestamp = { header = "X-Time", unit = "ms" }, algorithm = "hmac-sha512", secret = ["env:ONE", "env:TWO"] }
[[source.rule]]
from = "$.code"
to = "code"
"#;

async fn no_secret_is_exported(app: App) {
    let body = json!({
        "slug": "given", "signature": { "header": "X-S", "secret": "not-for-files" },
        "mapping": { "rule": [{ "from": "$.code", "to": "code" }] },
    });
    app.apply(SIGNED, json!({ "ONE": "the-first-secret", "TWO": "the-second-secret" })).await.done();
    app.post("/api/v1/modules/signed/sources", body).await.done();
    let file = exported(&app, "signed").await;
    for secret in ["not-for-files", "the-first-secret", "the-second-secret", "tgt_"] {
        assert!(!file.contains(secret), "{file}");
    }
    assert!(file.contains("env:ONE") && file.contains("# Its secrets were given over the API"), "{file}");
}

async fn secrets_that_were_given_stay(app: App) {
    app.apply(ORDERS, json!({})).await.done();
    let body = json!({
        "slug": "given", "signature": { "header": "X-S", "secret": "not-for-files" },
        "mapping": { "rule": [{ "from": "$.code", "to": "code" }] },
    });
    let made = app.post("/api/v1/modules/orders/sources", body).await.done();
    let file = exported(&app, "orders").await;
    assert_unchanged(&app.apply(&file, json!({})).await, &file);
    let sender = Sender::new(app.http.clone(), &app.url, "orders", text(&made["token"]));
    let signed = |secret: &str| {
        let mac = tidegate::verify::hmac_sha256(secret.as_bytes(), b"{\"code\":\"A\"}");
        sender.json("{\"code\":\"A\"}").header("X-S", data_encoding::HEXLOWER.encode(&mac))
    };
    sender.send(signed("not-for-files")).await.accepted("created");
    let moved = file.replace("X-S", "X-T");
    app.apply(&moved, json!({})).await.done();
    sender.send(signed("not-for-files")).await.problem(401, "signature_missing");
    assert_eq!(app.see("/modules/orders/sources/given").await["secrets"].as_array().map(Vec::len), Some(1));
}

/// It is added where it is used; and a source that does without it goes on doing so.
async fn what_a_preset_knows_is_no_part_of_the_mapping(app: App) {
    let source = |slug: &str, keys: &str| {
        format!(
            "[[source]]\nslug = \"{slug}\"\nsignature = {{ preset = \"github\", secret = \"env:ONE\" }}\n{keys}\n\
             [[source.rule]]\nfrom = \"$.code\"\nto = \"code\"\n"
        )
    };
    let module = "[module]\nslug = \"hooks\"\nmatch = [\"code\"]\n[module.fields]\ncode = \"text\"\n";
    let file = [module, &source("with", ""), &source("without", "event_id = \"none\"")].concat();
    app.apply(&file, json!({ "ONE": "1" })).await.done();
    for (slug, written, found) in [("with", Value::Null, json!("d-1")), ("without", json!("none"), Value::Null)] {
        let path = format!("/modules/hooks/sources/{slug}/mapping");
        assert_eq!(app.see(&path).await["mapping"]["event_id"], written, "{slug}");
        let asked = json!({ "payload": { "code": "A" }, "headers": { "X-GitHub-Delivery": "d-1" } });
        let foreseen = app.post(&format!("/api/v1{path}/preview"), asked).await.done();
        assert_eq!(foreseen["event"]["id"]["value"], found, "{slug}: {foreseen}");
    }
    assert_unchanged(&app.apply(&exported(&app, "hooks").await, json!({})).await, "hooks");
}

async fn what_no_file_can_say_is_not_saved(app: App) {
    app.apply(ORDERS, json!({})).await.done();
    for (rule, field) in [
        (
            json!({ "from": "$.code", "to": "code", "transform": [{ "map": { "a": "b" }, "else": null }] }),
            "rule[1].transform",
        ),
        (
            json!({ "from": "$.code", "to": "code", "transform": [{ "map": { "a": serde_json::from_str::<Value>("1.50").unwrap() } }] }),
            "rule[1].transform",
        ),
    ] {
        let mapping = json!({ "mapping": { "rule": [rule] } });
        let answer = app.put("/api/v1/modules/orders/sources/shop/mapping", mapping, None).await;
        assert_eq!(answer.problem(422, "invalid_document")["errors"][0]["field"], field);
        let mut body = answer_of(&rule);
        body["slug"] = json!("another");
        app.post("/api/v1/modules/orders/sources", body).await.problem(422, "invalid_document");
    }
}

fn answer_of(rule: &Value) -> Value {
    json!({ "mapping": { "rule": [rule] } })
}

async fn a_dry_run_tells_what_would_change(app: App) {
    let dry = async |file: &str| {
        let body = json!({ "files": [{ "name": "orders.toml", "text": file }], "secrets": {} });
        app.post("/api/v1/apply?dryRun=true", body).await.done()
    };
    let made = dry(ORDERS).await;
    assert_eq!(
        made["modules"][0]["diff"]["fields"]["added"][0],
        json!({ "name": "code", "type": "text", "required": true })
    );
    assert_eq!(made["sources"][0]["diff"]["mapping"]["rules"]["added"].as_array().unwrap().len(), 6);
    app.apply(ORDERS, json!({})).await.done();
    let moved = ORDERS
        .replace("note = \"text\"", "note = { type = \"text\", required = true }\ncolor = \"text\"")
        .replace("slug = \"orders\"", "slug = \"orders\"\nname = \"All orders\"")
        .replace("per_minute = 1000000", "per_minute = 5")
        .replace("only = [\"order.*\", \"stock\"]\n", "")
        .replace("to = \"custom_data.look.color\"", "to = \"color\"")
        .replace("from = \"$.note\"", "from = \"$.note\"\ntransform = [\"trim\"]");
    let told = dry(&moved).await;
    let module = json!({
        "fields": {
            "added": [{ "name": "color", "type": "text" }], "removed": [],
            "changed": [{ "name": "note", "members": { "required": { "from": null, "to": true } } }],
        },
        "events": { "added": [], "removed": [], "changed": [] },
        "settings": { "name": { "from": "orders", "to": "All orders" } },
    });
    assert_eq!((&told["modules"][0]["action"], &told["modules"][0]["diff"]), (&json!("updated"), &module));
    let source = &told["sources"][0]["diff"];
    let limit = json!({ "rate_limit": { "from": { "per_minute": 1_000_000 }, "to": { "per_minute": 5 } } });
    assert_eq!((&source["settings"], &source["secretsReplaced"]), (&limit, &json!(false)));
    assert_eq!(source["mapping"]["keys"], json!({ "only": { "from": ["order.*", "stock"], "to": null } }));
    let rules = &source["mapping"]["rules"];
    assert_eq!(rules["added"], json!([{ "place": 6, "rule": { "from": "$.color", "to": "color" } }]));
    assert_eq!(
        rules["removed"],
        json!([{ "place": 6, "rule": { "from": "$.color", "to": "custom_data.look.color" } }])
    );
    assert_eq!(rules["changed"][0]["members"], json!({ "transform": { "from": null, "to": ["trim"] } }));
    assert_unchanged(&app.apply(ORDERS, json!({})).await, "a dry run does nothing");
}

/// Senders of several kinds: signed and not, with `each`, with statuses, with transforms.
const SENDERS: [&str; 5] =
    ["work-orders", "github-pull-requests", "stripe-charges", "shopify-order-lines", "jira-issues"];
/// Events of each: 1,000 together.
const EACH: usize = 200;

async fn an_edited_mapping_maps_alike_on_a_fresh_gateway(setup: Setup) {
    let engine = setup.database().engine();
    let first = setup.with_stopped_clock().start().await;
    let mut tally = BTreeMap::new();
    for (place, name) in SENDERS.into_iter().enumerate() {
        let fresh = Setup::new(engine).await.with_stopped_clock().start().await;
        // What time it is, is part of what becomes of an event.
        fresh.setup.clock.advance(first.setup.clock.now().since(fresh.setup.clock.now()));
        let module = modules().into_iter().find(|module| module.name == name).unwrap();
        let pair = Pair::make(&first, &fresh, &module).await;
        pair.play(&mut Rng::new(40 + place as u64), &mut tally).await;
    }
    assert_eq!(tally.values().sum::<usize>(), SENDERS.len() * EACH);
    for outcome in ["created", "updated", "unchanged", "ignored", "422"] {
        assert!(tally.get(outcome).is_some_and(|count| *count > 5), "{tally:?}");
    }
}

/// A module that was edited on one gateway, exported, and applied on another.
struct Pair<'a> {
    apps: [&'a App; 2],
    senders: [Sender; 2],
    signer: Option<Signer>,
    letters: Vec<Letter>,
}

impl<'a> Pair<'a> {
    async fn make(first: &'a App, fresh: &'a App, module: &Module) -> Self {
        let (signer, secrets) = module.signer();
        let (before, rest) = module.text.split_once("rate_limit = { per_minute = ").expect("it has a limit");
        let unlimited = format!("{before}rate_limit = {{ per_minute = 1000000 }}{}", rest.split_once('}').unwrap().1);
        let applied = first.apply(&unlimited, secrets.clone()).await.done();
        let source = text(&applied["sources"][0]["slug"]).to_owned();
        edit(first, &format!("/modules/{}/sources/{source}/mapping", module.name)).await;
        let file = exported(first, &module.name).await;
        let again = fresh.apply(&file, secrets).await.done();
        let sender = |app: &App, applied: &Value| {
            Sender::new(app.http.clone(), &app.url, &module.name, text(&applied["sources"][0]["token"]))
        };
        let letters = module.steps().iter().map(crate::mappings::Step::letter).collect();
        Self { apps: [first, fresh], senders: [sender(first, &applied), sender(fresh, &again)], signer, letters }
    }

    async fn play(&self, rng: &mut Rng, tally: &mut BTreeMap<String, usize>) {
        for number in 0..EACH {
            let letter = varied(rng, &self.letters, number);
            let mut seen = Vec::new();
            for (app, sender) in self.apps.iter().zip(&self.senders) {
                app.setup.clock.advance(A_WHILE);
                let letter = Letter { headers: letter.headers.clone(), body: letter.body.clone() };
                let letter = signed(app, sender, self.signer.as_ref(), letter);
                let content_type = letter.headers["content-type"].to_str().unwrap().to_owned();
                let answer = sender.send(sender.body(&content_type, letter.body).headers(letter.headers)).await;
                seen.push(what_came(app, sender, &answer).await);
            }
            assert_eq!(seen[0], seen[1], "{}: {}", self.senders[0].module, String::from_utf8_lossy(&letter.body));
            *tally.entry(text(&seen[0]["outcome"]).to_owned()).or_insert(0) += 1;
        }
    }
}

/// Another transform, another rule, another condition, by the API.
async fn edit(app: &App, path: &str) {
    let mut mapping = app.see(path).await["mapping"].clone();
    let rules = mapping["rule"].as_array_mut().unwrap();
    rules[1]["transform"] = json!(["trim", { "replace": "a", "with": "'\"\\" }]);
    if rules[1].get("take").is_none() {
        rules[1]["on_empty"] = json!("null");
    }
    rules.push(json!({ "from": "header:X-Round", "to": "custom_data.round", "on_missing": "null" }));
    rules.push(json!({ "from": "const:it's \"edited\"", "to": "custom_data.edited", "when": "@.a != \"b\"" }));
    let mapping = json!({ "mapping": mapping, "note": "by hand" });
    let answer = app.put(&format!("/api/v1{path}"), mapping.clone(), None).await;
    if answer.status != 200 {
        // The second field is no text: it is left as it was.
        let mut mapping = mapping;
        let rule = mapping["mapping"]["rule"][1].as_object_mut().unwrap();
        rule.remove("transform");
        app.put(&format!("/api/v1{path}"), mapping, None).await.done();
    }
}

/// A vendor's payload with some values changed, gone, or of another kind. Some are sent as they are.
fn varied(rng: &mut Rng, letters: &[Letter], number: usize) -> Letter {
    let letter = rng.pick(letters);
    let (mut headers, mut body) = (letter.headers.clone(), letter.body.clone());
    if rng.chance(70) {
        headers.insert("x-round", number.to_string().parse().unwrap());
    }
    if let Ok(mut document) = serde_json::from_slice::<Value>(&body) {
        for _ in 0..rng.below(4) {
            vary(rng, &mut document, number);
        }
        body = document.to_string().into_bytes();
    }
    // Else all but the first would be duplicates.
    for name in ["x-github-delivery", "x-shopify-event-id", "x-shopify-webhook-id", "x-atlassian-webhook-identifier"] {
        if headers.contains_key(name) && rng.chance(90) {
            headers.insert(name, format!("{number}-{name}").parse().unwrap());
        }
    }
    Letter { headers, body }
}

fn vary(rng: &mut Rng, node: &mut Value, number: usize) {
    match node {
        Value::Object(members) if !members.is_empty() => {
            let keys: Vec<_> = members.keys().cloned().collect();
            let key = rng.pick(&keys);
            if key == "id" && rng.chance(80) {
                // Other events and other records come of it.
                members.insert(key.clone(), changed_id(&members[key], number));
            } else if rng.chance(4) {
                members.remove(key);
            } else {
                vary(rng, &mut members[key], number);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let place = rng.below(items.len());
            vary(rng, &mut items[place], number);
        }
        leaf => {
            let others =
                [json!(null), json!(" a "), json!(""), json!(7), json!(true), json!([]), json!("Aa 'quoted' \"text\"")];
            *leaf = match leaf {
                Value::String(text) if rng.chance(70) => json!(format!("{text}{number}")),
                Value::Number(_) if rng.chance(70) => json!(number),
                _ => rng.pick(&others).clone(),
            };
        }
    }
}

fn changed_id(id: &Value, number: usize) -> Value {
    match id {
        Value::String(text) => json!(format!("{text}-{number}")),
        Value::Number(_) => json!(1_000 + number),
        other => other.clone(),
    }
}

/// The outcome and the records as they then stand, without what differs from gateway to gateway.
async fn what_came(app: &App, sender: &Sender, answer: &Answer) -> Value {
    if answer.status >= 400 {
        let problem = answer.json();
        return json!({ "outcome": answer.status.to_string(), "code": problem["code"], "errors": problem["errors"] });
    }
    let told = told(app, sender, answer).await;
    let alone = [json!({ "recordId": told["recordId"], "outcome": told["outcome"] })];
    let mut records = Vec::new();
    for named in told["records"].as_array().map_or(&alone[..], Vec::as_slice) {
        let mut record = json!({ "outcome": named["outcome"] });
        if let Some(id) = named["recordId"].as_str() {
            let stands = app.get(&format!("/api/v1/modules/{}/records/{id}", sender.module)).await.json();
            for member in ["fields", "customData", "version"] {
                record[member] = stands[member].clone();
            }
        }
        records.push(record);
    }
    json!({ "outcome": told["outcome"], "records": records })
}
