//! Every content type that is taken, from its bytes to the record; what is refused of each; and signatures over bytes
//! that are no JSON.

use std::fs;

use data_encoding::{HEXLOWER, HEXUPPER};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::app::{App, text};
use crate::client::{Answer, Sender};
use crate::process::tidegate;

both!(
    each_content_type_becomes_records,
    what_is_no_such_body_is_refused,
    a_signature_is_over_the_bytes_as_they_came,
    a_condition_and_the_event_type_look_at_xml,
    large_bodies_of_small_pieces_are_taken,
);

const MODULE: &str = include_str!("../data/modules/bodies.toml");
const SECRET: &str = "whsec_of parcels";

/// By the slugs of their sources.
struct Senders(Vec<(&'static str, Sender)>);

impl Senders {
    async fn of(app: &App) -> Self {
        let slugs = ["one", "many", "xml", "xml-many", "signed", "signed-many"];
        let senders = app.senders(MODULE, json!({ "PARCELS": SECRET })).await;
        assert_eq!(senders.len(), slugs.len());
        Self(slugs.into_iter().zip(senders).collect())
    }

    fn named(&self, slug: &str) -> &Sender {
        &self.0.iter().find(|(name, _)| *name == slug).unwrap_or_else(|| panic!("no source {slug}")).1
    }
}

fn vectors(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../data/bodies.json")).unwrap();
    all[kind].as_array().unwrap().clone()
}

/// `body` or `bodyHex`, then one text several times, then `end`.
fn request(sender: &Sender, vector: &Value) -> RequestBuilder {
    let mut body = match vector["bodyHex"].as_str() {
        Some(hex) => HEXUPPER.decode(hex.as_bytes()).unwrap(),
        None => text(&vector["body"]).as_bytes().to_vec(),
    };
    if let Some([piece, times]) = vector["repeat"].as_array().map(Vec::as_slice) {
        body.extend(text(piece).repeat(usize::try_from(times.as_u64().unwrap()).unwrap()).into_bytes());
    }
    body.extend(vector["end"].as_str().unwrap_or_default().bytes());
    let headers = vector["headers"].as_object().into_iter().flatten();
    let mut request = sender.request(Method::POST, &sender.path());
    if let Some(content_type) = vector["type"].as_str() {
        request = request.header("content-type", content_type);
    }
    headers.fold(request, |request, (name, value)| request.header(name, text(value))).body(body)
}

/// What the answer says of each record; without `each` it is the answer itself.
fn records(answer: &Value) -> Vec<Value> {
    answer["records"].as_array().cloned().unwrap_or_else(|| vec![answer.clone()])
}

async fn each_content_type_becomes_records(app: App) {
    let senders = Senders::of(&app).await;
    for vector in vectors("taken") {
        let (name, sender) = (text(&vector["name"]), senders.named(text(&vector["source"])));
        let answer = sender.send(request(sender, &vector)).await;
        assert_eq!(answer.status, 202, "{name}: {}", answer.text());
        let answer = answer.accepted("created");
        let (made, wanted) = (records(&answer), vector["records"].as_array().unwrap());
        assert_eq!(made.len(), wanted.len(), "{name}: {answer}");
        for (made, wanted) in made.iter().zip(wanted) {
            let record = app.record("parcels", made).await;
            let found = json!({ "fields": record["fields"], "customData": record["customData"] });
            assert_eq!(&found, wanted, "{name}");
        }
        let payload = app.get(&format!("/api/v1/events/{}/payload", text(&answer["eventId"]))).await;
        assert_eq!(payload.body, text(&vector["body"]).as_bytes(), "{name}: it is kept as it came");
    }
}

async fn what_is_no_such_body_is_refused(app: App) {
    let senders = Senders::of(&app).await;
    for vector in vectors("refused") {
        let (name, sender) = (text(&vector["name"]), senders.named(text(&vector["source"])));
        let answer = sender.send(request(sender, &vector)).await;
        let status = u16::try_from(vector["status"].as_u64().unwrap()).unwrap();
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        let problem = answer.problem(status, text(&vector["code"]));
        if let Some(detail) = vector["detail"].as_str() {
            assert_eq!(problem["detail"], detail, "{name}");
        }
    }
    for table in ["m_parcels", "changes", "dedupe"] {
        assert_eq!(app.database().count(table).await, 0, "{table}");
    }
}

/// `body`, with the signature of `of`.
async fn signed(sender: &Sender, content_type: &str, body: &str, of: &str) -> Answer {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(of.as_bytes());
    let signature = format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes()));
    sender.send(sender.body(content_type, body).header("x-signature", signature)).await
}

/// The same document in other bytes is not what was signed.
async fn a_signature_is_over_the_bytes_as_they_came(app: App) {
    let senders = Senders::of(&app).await;
    let xml = "\u{feff}<?xml version=\"1.0\"?>\r\n<parcel a='1'>\r\n <code>s&#49;</code></parcel>\r\n";
    let lines = "{\"code\":\"s2\"}\r\n\r\n{ \"code\" : \"s\\u0033\" }";
    for (slug, content_type, body, codes) in
        [("signed", "application/xml", xml, &["s1"][..]), ("signed-many", "application/x-ndjson", lines, &["s2", "s3"])]
    {
        let sender = senders.named(slug);
        for other in [body.replace("\r\n", "\n"), body.trim_start_matches('\u{feff}').replace('\'', "\"") + "\n"] {
            signed(sender, content_type, &other, body).await.problem(401, "signature_mismatch");
            signed(sender, content_type, body, &other).await.problem(401, "signature_mismatch");
        }
        sender.send(sender.body(content_type, body)).await.problem(401, "signature_missing");
        let made = signed(sender, content_type, body, body).await.accepted("created");
        assert_eq!(records(&made).len(), codes.len());
        for (record, code) in records(&made).iter().zip(codes) {
            assert_eq!(app.record("parcels", record).await["fields"]["code"], *code);
        }
        let again = signed(sender, content_type, body, body).await.accepted("duplicate");
        assert_eq!((&again["recordId"], &again["duplicateOf"]), (&made["recordId"], &made["eventId"]));
    }
    assert_eq!(app.database().count("m_parcels").await, 3);
}

async fn a_condition_and_the_event_type_look_at_xml(app: App) {
    let senders = Senders::of(&app).await;
    let sender = senders.named("xml");
    let parcel = |attributes: &str, inner: &str| format!("<p:parcel{attributes}><code>c</code>{inner}</p:parcel>");
    let post = async |body: String| sender.send(sender.body("text/xml", body)).await;
    post(parcel("", "<test>yes</test>")).await.accepted("ignored");
    let answer = post(parcel(" kind='moved'", "<test>no</test>")).await.accepted("created");
    assert_eq!(app.event(&answer).await["eventType"], "moved");
    post(parcel("", "<weight unit='kg'>1.5</weight>")).await.accepted("updated");
    // Without its attribute the element is its text, and the rule finds nothing: the field stays as it is.
    let answer = post(parcel("", "<weight>2.5</weight>")).await.accepted("unchanged");
    assert_eq!(app.record("parcels", &answer).await["fields"]["weight"], "1.5");
}

/// As large as a source takes, of as many pieces as fit.
async fn large_bodies_of_small_pieces_are_taken(app: App) {
    let senders = Senders::of(&app).await;
    let sender = senders.named("xml");
    for (piece, outcome) in
        [("<a/>", "created"), ("<a b=''/>", "unchanged"), ("<a><b/></a>", "unchanged"), ("t<!---->&lt;", "unchanged")]
    {
        let filling = piece.repeat((1024 * 1024 - 100) / piece.len());
        let body = format!("<p:parcel><code>large</code>{filling}</p:parcel>");
        sender.send(sender.body("application/xml", body)).await.accepted(outcome);
    }
}

/// `tidegate mapping test` with these arguments, in a folder with these files.
fn tried(files: &[(&str, &str)], arguments: &[&str]) -> (i32, Value) {
    let folder = tempfile::Builder::new().prefix("tidegate-it-").tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let arguments = [&["mapping", "test", "--json", "parcels.toml", "--source"], arguments].concat();
    let (code, stdout) = tidegate(folder.path(), &arguments, &[]);
    (code, serde_json::from_str(&stdout).unwrap())
}

/// The codes of all records that would be made.
fn codes(answer: &Value) -> String {
    let results = answer["results"].as_array().unwrap().iter();
    let records = results.flat_map(|result| result["records"].as_array().unwrap());
    records.map(|record| text(&record["fields"]["code"])).collect::<Vec<_>>().join(" ")
}

/// `tidegate mapping test` reads a payload by the end of its name, unless it is told.
#[test]
fn payloads_are_tried_by_the_names_of_their_files() {
    let files = [
        ("parcels.toml", MODULE),
        ("a.XML", "<p:parcel><code>x</code></p:parcel>"),
        ("b.ndjson", "{\"code\":\"n1\"}\n{\"code\":\"n2\"}\n"),
        ("c.jsonl", "{\"code\":\"n3\"}\n"),
        ("d.json", "[{\"code\":\"j\"}]"),
        ("e.txt", "code=f"),
        ("f.xml", "<p:parcel><code>x</p:parcel>"),
    ];
    for (arguments, wanted) in [
        (&["xml", "a.XML"][..], "x"),
        (&["many", "b.ndjson", "c.jsonl", "d.json"], "n1 n2 n3 j"),
        (&["one", "e.txt", "--content-type", "application/x-www-form-urlencoded"], "f"),
        (&["one", "e.txt", "-H", "content-type: application/x-www-form-urlencoded"], "f"),
        (&["many", "c.jsonl", "-H", "Content-Type: application/jsonl", "--content-type", "text/xml"], "n3"),
    ] {
        let (code, answer) = tried(&files, arguments);
        assert_eq!((code, codes(&answer).as_str()), (0, wanted), "{arguments:?}: {answer}");
    }
    let (code, answer) = tried(&files, &["xml", "f.xml", "a.XML"]);
    assert_eq!((code, &answer["results"][0]["errors"][0]["code"]), (1, &json!("invalid_xml")), "{answer}");
    assert_eq!(codes(&answer), "x", "the other is tried all the same");
    let (code, answer) = tried(&files, &["xml", "a.XML", "--content-type", "multipart/form-data"]);
    let detail = text(&answer["error"]["detail"]);
    assert!(code == 2 && detail.contains("…+json, application/x-ndjson") && detail.contains("…+xml"), "{answer}");
}
