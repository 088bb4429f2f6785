//! Presets against the vendors' own client libraries, which `tests/vendors` speaks for: what they sign is accepted, what
//! Tidegate signs they accept, and one changed byte is refused. `--nocapture` shows the counts, line by line
//! `vendors: …`; scripts/test installs the libraries.

mod alike;
mod cases;
mod forgery;
mod github;
mod library;
mod request;
mod senders;

use serde_json::{Value, json};
use tidegate::clock::Timestamp;
use tidegate::verify::preset;
use tidegate::verify::{Scheme, sign::sign};

use crate::app::{App, Setup, text};
use crate::client::{Answer, Sender};
use cases::Case;
use library::ask;
pub use library::folder;
use request::Request;

both!(what_the_vendors_sign_is_accepted);

/// When all of it happens: libraries and gateway see the same time.
const NOON: &str = "2026-03-04T12:00:00Z";
/// Behind which the gateway stands, for senders that sign the address.
const PUBLIC_URL: &str = "https://hooks.example.com";

fn noon() -> Timestamp {
    NOON.parse().unwrap()
}

/// A line for whoever runs the tests.
fn tell(line: &str) {
    crate::faults::tell(&format!("vendors: {line}"));
}

fn scheme(name: &str) -> &'static Scheme {
    let preset = preset::find(name).unwrap_or_else(|| panic!("there is no preset {name}"));
    preset.scheme.as_ref().unwrap_or_else(|why| panic!("the preset {name} is refused: {why}"))
}

/// A sender's secret as its admin would paste it; for one with a private key, that too.
struct Secret {
    pasted: String,
    private: String,
}

fn secret(preset: &str) -> Secret {
    let answer = ask(&json!({ "do": "secret", "preset": preset }));
    let pasted = text(&answer["secret"]).to_owned();
    let private = answer["private"].as_str().unwrap_or(&pasted).to_owned();
    Secret { pasted, private }
}

/// The case as its sender would post it to that address.
fn signed(case: &Case, secret: &str, url: &str, at: Timestamp) -> Request {
    let url = format!("{url}{}", case.query);
    let job = json!({
        "do": "sign", "preset": case.preset, "secret": secret, "body": case.body, "url": url, "method": "POST",
        "at": seconds(at),
    });
    Request::of(&ask(&job))
}

fn seconds(at: Timestamp) -> i64 {
    at.micros() / 1_000_000
}

/// What the vendor's library says of a request: `{ok}` or `{ok, why}`.
fn judged(case: &Case, secret: &str, request: &Request, at: Timestamp) -> Value {
    let mut job = request.job();
    let more = json!({ "do": "verify", "preset": case.preset, "secret": secret, "at": seconds(at) });
    job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ask(&job)
}

#[test]
fn every_library_has_cases_and_a_preset() {
    let answer = ask(&json!({ "do": "presets" }));
    let known = answer["presets"].as_array().unwrap();
    for library in known {
        let name = text(&library["preset"]);
        scheme(name);
        assert!(cases::CASES.iter().any(|case| case.preset == name), "{name} has a library, and no case");
        let work = if library["signs"] == true { "signs and verifies" } else { "verifies" };
        tell(&format!("{name} | {} {} {work}", text(&library["library"]), text(&library["version"])));
    }
    let stray = cases::CASES.iter().find(|case| !known.iter().any(|library| library["preset"] == case.preset));
    assert!(stray.is_none(), "no library signs {stray:?}");
}

/// What they sign passes; one changed byte of what is signed does not, and is answered with 401.
async fn what_the_vendors_sign_is_accepted(setup: Setup) {
    let mut setup = setup.with_stopped_clock();
    setup.config.public_url = Some(PUBLIC_URL.to_owned());
    let app = setup.start().await;
    let mut presets: Vec<&str> = cases::CASES.iter().map(|case| case.preset).collect();
    presets.dedup();
    let senders = senders(&app, &presets).await;
    for (preset, sender) in presets.iter().zip(&senders) {
        let secret = secret(preset).pasted;
        for case in cases::of(preset) {
            let url = format!("{PUBLIC_URL}{}", sender.path());
            let request = signed(case, &secret, &url, noon());
            let answer = post(sender, &request).await;
            // Some senders insist on another answer than 202, and their presets give it.
            assert!((200..300).contains(&answer.status), "{case:?}: {}", answer.text());
            let answer = post(sender, &forgery::forged(case, &request)).await;
            assert_eq!(answer.status, 401, "{case:?}: {}", answer.text());
        }
    }
    assert_eq!(app.database().count("m_vendors").await, presets.len(), "one record a sender");
    tell(&format!("{} requests of {} senders accepted over HTTP", cases::CASES.len(), presets.len()));
}

/// A source for each preset; each makes one record.
async fn senders(app: &App, presets: &[&str]) -> Vec<Sender> {
    let name = |preset: &str| preset.to_uppercase().replace('-', "_");
    let source = |preset: &&str| {
        format!(
            "[[source]]\nslug = \"{preset}\"\nsignature = {{ preset = \"{preset}\", secret = \"env:{}\" }}\n\
             [[source.rule]]\nfrom = \"const:{preset}\"\nto = \"sender\"\n",
            name(preset)
        )
    };
    let module = "[module]\nslug = \"vendors\"\nmatch = [\"sender\"]\n[module.fields]\nsender = \"text\"\n";
    let file = std::iter::once(module.to_owned()).chain(presets.iter().map(source)).collect::<String>();
    let secrets = presets.iter().map(|preset| (name(preset), json!(secret(preset).pasted)));
    let senders = app.senders(&file, secrets.collect::<serde_json::Map<_, _>>().into()).await;
    assert_eq!(senders.len(), presets.len());
    senders
}

async fn post(sender: &Sender, request: &Request) -> Answer {
    let path = request.url.strip_prefix(PUBLIC_URL).expect("a library does not change the address");
    let sent = sender.request(request.method.parse().unwrap(), path).headers(request.headers.clone());
    sender.send(sent.body(request.body.clone())).await
}

/// Some seconds later than what the vendor has signed, so that no part of that can stand in.
#[test]
fn what_tidegate_signs_is_accepted_by_the_vendors() {
    for case in cases::CASES {
        let (secret, url) = (secret(case.preset), format!("{PUBLIC_URL}/api/webhooks/vendors/tgt_1"));
        let later = Timestamp::from_micros(noon().micros() + 7_000_000).unwrap();
        let mut request = signed(case, &secret.pasted, &url, later);
        let at = Timestamp::from_micros(later.micros() + 1_000_000).unwrap();
        let of = senders::of(case.preset);
        of.remove_signature(&mut request);
        let said = judged(case, &secret.pasted, &request, at);
        assert_eq!(said["ok"], false, "without its signature: {case:?}");
        let signature = sign(scheme(case.preset), secret.private.as_bytes(), request.signed(), at);
        of.put_signature(&mut request, &signature.unwrap_or_else(|why| panic!("{case:?}: {why}")));
        let said = judged(case, &secret.pasted, &request, at);
        assert_eq!(said, json!({ "ok": true }), "{case:?}: {request:?}");
    }
    tell(&format!("{} requests that Tidegate signed are accepted by the vendors' libraries", cases::CASES.len()));
}
