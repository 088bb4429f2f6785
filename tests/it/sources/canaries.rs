//! Planted values that nobody may find again: not in the log, the metrics, the errors, the audit, an answer or the
//! database. Everything that a gateway does with a source is done to them first.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::{ask, patch, rotate};
use crate::app::{Admin, Setup, text};
use crate::client::{Answer, Sender};
use crate::database::Engine;
use crate::process::{Process, tidegate};

both!(planted_canaries_are_found_nowhere);

const FILE: &str = include_str!("../../data/modules/canaries.toml");
const SOURCE: &str = "/modules/canaries/sources/shop";
/// A card number, a secret of a file, one that is given later, and one that replaces all.
const CARD: &str = "4929123456781234";
const SECRETS: [&str; 3] =
    ["canary-secret-of-the-file-8c1f", "canary-secret-that-is-given-d42a", "canary-secret-of-a-patch-77e0"];
/// A key that is none.
const WRONG_KEY: &str = "tgk_canary00000000000000000000000000000000";

/// What was seen on the way, where nothing private is to be shown.
#[derive(Default)]
struct Seen(Vec<(String, String)>);

impl Seen {
    fn keep(&mut self, what: impl Into<String>, answer: &Answer) {
        self.0.push((what.into(), format!("{:?}\n{}", answer.headers, String::from_utf8_lossy(&answer.body))));
    }
}

async fn planted_canaries_are_found_nowhere(setup: Setup) {
    let process = Process::start(&setup).await;
    let admin = &process.admin;
    let mut seen = Seen::default();
    let mut private: Vec<String> = [CARD, WRONG_KEY].into_iter().chain(SECRETS).map(str::to_owned).collect();
    private.push(admin.key.clone());

    let applied = admin.apply(FILE, json!({ "SHOP": SECRETS[0] })).await;
    assert!(!applied.text().contains(SECRETS[0]));
    let sources = applied.done()["sources"].as_array().unwrap().clone();
    private.extend(sources.iter().map(|source| text(&source["token"]).to_owned()));
    let [mut signed, open] = [0, 1]
        .map(|place: usize| Sender::new(admin.http.clone(), &admin.url, "canaries", text(&sources[place]["token"])));

    send_all(&signed, SECRETS[0], &mut seen).await;
    send_all(&open, "", &mut seen).await;
    // Tokens, secrets, and those that replace them.
    for (what, body) in [
        ("token", json!({})),
        ("secret", json!({ "secret": SECRETS[1] })),
        ("secret", json!({ "overlap": 0 })),
        ("token", json!({ "overlap": 0 })),
    ] {
        let rotated = rotate(admin, SOURCE, what, body).await.done();
        private.push(text(&rotated[what]).to_owned());
        if what == "token" {
            signed = super::with_token(admin, &rotated);
        }
    }
    let signature = json!({ "header": "X-Signature", "prefix": "sha256=", "secret": SECRETS[2] });
    seen.keep("patch", &patch(admin, SOURCE, &json!({ "signature": signature })).await);
    send_all(&signed, SECRETS[2], &mut seen).await;
    mistakes(admin, &mut seen).await;
    commands(&setup, admin, &mut seen);
    webhook(admin, &mut seen).await;
    look_around(admin, &signed, &mut seen).await;
    seen.keep("delete", &ask(admin, Method::DELETE, SOURCE, None, &json!({})).await);
    look_around(admin, &signed, &mut seen).await;

    let (_, log) = process.terminate();
    seen.0.push(("the log".to_owned(), log));
    seen.0.push(("a dump of all tables".to_owned(), setup.database().dump().await));
    assert!(seen.0.iter().any(|(_, text)| text.contains("[redacted]")), "payloads are among what was seen");
    for text in &private {
        for (what, found) in &seen.0 {
            for form in forms(text) {
                assert!(!found.contains(&form), "{form} is in {what}");
            }
        }
        if setup.database().engine() == Engine::Sqlite {
            not_in_files(&setup, text);
        }
    }
}

/// As it is, and as a table of bytes is dumped.
fn forms(text: &str) -> Vec<String> {
    let hexadecimal = data_encoding::HEXLOWER.encode(text.as_bytes());
    vec![text.to_owned(), hexadecimal.to_uppercase(), hexadecimal]
}

/// The file, its log and what else lies in the folder; but for the key that is handed to the operator there.
fn not_in_files(setup: &Setup, text: &str) {
    for entry in std::fs::read_dir(setup.folder()).unwrap().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().unwrap().is_file() && name.starts_with("tidegate.db") {
            let bytes = std::fs::read(entry.path()).unwrap();
            assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text} is in {name}");
        }
    }
}

/// Accepted, refused by each of the rules that look at the card, unreadable, too large, forged, in the wrong place.
async fn send_all(sender: &Sender, secret: &str, seen: &mut Seen) {
    let mut bodies = vec![
        ("application/json", json!({ "code": "A", "card": { "number": CARD } }).to_string()),
        ("application/json", format!("{{\"code\":\"A\",\"card\":{{\"number\":{CARD}}}")),
        ("application/json", format!("{{\"code\":\"A\",\"code\":\"{CARD}\"}}")),
        (
            "application/json",
            json!({ "code": "A", "card": { "number": format!("{CARD}x") }, "filler": "f".repeat(100_000), "to": "integer" })
                .to_string(),
        ),
        (
            "application/json",
            json!({ "code": "A", "card": { "number": CARD }, "filler": "f".repeat(220_000) }).to_string(),
        ),
        ("application/x-www-form-urlencoded", format!("code=A&card={CARD}&card[number]={CARD}")),
        ("application/xml", format!("<order><code>A</code><card><number>{CARD}</number></card></order>")),
        ("text/plain", CARD.to_owned()),
        ("application/json", json!([{ "card": { "number": CARD } }]).to_string()),
    ];
    for to in ["integer", "decimal", "boolean", "date", "timestamp", "status", "number", "map", "scale", "split", "one"]
    {
        let body = json!({ "code": to, "to": to, "card": { "number": format!("{CARD}x"), "all": [CARD, CARD] } });
        bodies.push(("application/json", body.to_string()));
    }
    for (content_type, body) in bodies {
        let digest = tidegate::verify::hmac_sha256(secret.as_bytes(), body.as_bytes());
        let value = format!("sha256={}", data_encoding::HEXLOWER.encode(&digest));
        let path = format!("{}?card={CARD}", sender.path());
        let request = |method| {
            let request = sender.request(method, &path).header("content-type", content_type);
            request.header("x-card", CARD).header("x-other-token", CARD).body(body.clone())
        };
        seen.keep("an answer", &sender.send(request(Method::POST).header("x-signature", &value)).await);
        seen.keep(
            "an answer to a forgery",
            &sender.send(request(Method::POST).header("x-signature", "sha256=00")).await,
        );
        if body.len() < 1_000 {
            seen.keep("an answer to PUT", &sender.send(request(Method::PUT)).await);
        }
    }
    for path in [format!("{}/x", sender.path()), format!("/api/webhook/canaries/{}", sender.token), format!("/{CARD}")]
    {
        seen.keep("a wrong turn", &sender.send(sender.request(Method::GET, &path)).await);
    }
}

/// Private values where others belong: no refusal repeats them.
async fn mistakes(admin: &Admin, seen: &mut Seen) {
    let secret = SECRETS[2];
    for body in [
        json!({ "signature": secret }),
        json!({ "signature": { "header": "X-S", "secret": { "value": secret } } }),
        json!({ "signature": { "header": 5, "secret": [secret, ""] } }),
        json!({ "enabled": secret, "maxBody": secret, "keep": secret, "redact": secret, "rateLimit": secret }),
        json!({ "secret": secret, "tokens": [secret] }),
    ] {
        let refused = patch(admin, SOURCE, &body).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        seen.keep("a refused PATCH", &refused);
        let mut made = body.clone();
        made["slug"] = json!("another");
        made["mapping"] = json!({});
        seen.keep("a source that is not made", &admin.post("/api/v1/modules/canaries/sources", made).await);
    }
    let deep = json!({ "secret": [secret] });
    seen.keep("a refused rotation", &rotate(admin, SOURCE, "secret", deep).await);
    seen.keep("a refused rotation", &rotate(admin, SOURCE, "token", json!({ "overlap": secret })).await);
    seen.keep("a refused file", &admin.apply(&FILE.replace("env:SHOP", secret), json!({})).await);
    seen.keep(
        "a file without its secret",
        &admin.apply(&FILE.replace("env:SHOP", "env:OTHER"), json!({ "SHOP": secret })).await,
    );
    let request = admin.request(Method::GET, "/api/v1/modules").bearer_auth(WRONG_KEY);
    seen.keep("a wrong key", &Answer::to(request).await);
}

fn commands(setup: &Setup, admin: &Admin, seen: &mut Seen) {
    let environment = [("TIDEGATE_URL", &*admin.url), ("TIDEGATE_KEY", &admin.key), ("HUB", SECRETS[1])];
    for arguments in [
        &["source", "list"][..],
        &["source", "show", "canaries/shop"],
        &["token", "list", "canaries/shop"],
        &["source", "rotate-secret", "canaries/shop", "--secret-env", "HUB"],
        &["source", "set", "canaries/open", "--preset", "svix", "--secret-env", "HUB"],
    ] {
        seen.0.push((arguments.join(" "), tidegate(setup.folder(), arguments, &environment).1));
    }
}

/// One that is sent what the events made.
async fn webhook(admin: &Admin, seen: &mut Seen) {
    let made =
        admin.post("/api/v1/webhooks", json!({ "url": "tidegate://inspect", "secret": SECRETS[0] })).await.done();
    let id = text(&made["id"]).to_owned();
    seen.keep("a tested webhook", &admin.post(&format!("/api/v1/webhooks/{id}/test"), json!({})).await);
    seen.keep("a webhook", &admin.get(&format!("/api/v1/webhooks/{id}")).await);
}

/// All that the API shows to those who read.
async fn look_around(admin: &Admin, sender: &Sender, seen: &mut Seen) {
    let mut paths: Vec<String> = [
        "/modules",
        "/modules/canaries",
        "/modules/canaries/sources",
        "/modules/canaries/records",
        "/events",
        "/changes",
        "/webhooks",
        "/jobs",
        "/presets",
        "/modules/canaries/sources/shop",
        "/audit",
        "/keys",
        "/export",
        "/modules/canaries/sources/shop/mapping",
        "/modules/canaries/sources/shop/mapping/versions",
    ]
    .iter()
    .map(|path| format!("/api/v1{path}"))
    .collect();
    paths.extend(["/metrics", "/livez", "/readyz", "/reference/limits"].map(str::to_owned));
    let events: BTreeMap<String, Value> =
        admin.list("/events", 100).await.into_iter().map(|event| (text(&event["id"]).to_owned(), event)).collect();
    for id in events.keys() {
        paths.push(format!("/api/v1/events/{id}"));
        paths.push(format!("/api/v1/events/{id}/payload"));
    }
    for path in paths {
        seen.keep(path.clone(), &admin.get(&path).await);
    }
    seen.keep("an unknown path", &sender.send(sender.request(Method::GET, "/api/v1/nothing")).await);
}
