//! What a source answers to accepted webhooks, and what its secrets and settings look like.

use http::Method;
use serde_json::json;

use super::{SECRET, file, known, signed};
use crate::app::App;
use crate::client::{Answer, Sender};

both!(
    a_source_answers_in_its_own_words,
    a_preset_answers_for_its_sender_unless_told_otherwise,
    what_a_source_says_is_shown_and_stays,
    a_secret_of_another_form_is_refused,
    the_reference_page_shows_what_can_be_applied,
);

const EVENTS: &str = "event_id = \"$.id\"\nonly = [\"a\"]\nevent_type = \"$.type\"";

#[track_caller]
fn words(answer: &Answer, status: u16, content_type: Option<&str>, body: &str) {
    let found = answer.headers.get("content-type").map(|value| value.to_str().unwrap());
    assert_eq!((answer.status, found), (status, content_type), "{}", answer.text());
    assert_eq!(String::from_utf8_lossy(&answer.body), body);
}

/// Whatever came of it, and only if it was accepted.
async fn a_source_answers_in_its_own_words(app: App) {
    let keys = format!("{EVENTS}\nresponse = {{ status = 201, content_type = \"text/plain\", body = \"[accepted]\" }}");
    let sender = app.sender(&file(&keys)).await;
    let first = json!({ "id": 1, "type": "a", "code": "A" });
    for (event, state) in [
        (first.clone(), "created"),
        (first, "duplicate"),
        (json!({ "id": 2, "type": "a", "code": "A" }), "unchanged"),
        (json!({ "id": 3, "type": "b", "code": "A" }), "ignored"),
    ] {
        let answer = sender.post(event).await;
        words(&answer, 201, Some("text/plain"), "[accepted]");
        let event = app.see(&format!("/events/{}", answer.header("x-tidegate-event"))).await;
        assert_eq!(event["verdict"], state, "{event}");
        assert_eq!(event["recordIds"].as_array().unwrap().is_empty(), state == "ignored", "{event}");
    }
    sender.post(json!({ "type": "a" })).await.problem(422, "judgement_failed");
    sender.post("{").await.problem(400, "invalid_json");
}

async fn a_preset_answers_for_its_sender_unless_told_otherwise(app: App) {
    let twilio = known(&app, "twilio").await;
    let form = async |sender: &Sender, code: &str| {
        let url = format!("{}{}code{code}", sender.base, sender.path());
        let mut mac = <hmac::Hmac<sha1::Sha1> as hmac::KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
        hmac::Mac::update(&mut mac, url.as_bytes());
        let signature = data_encoding::BASE64.encode(&hmac::Mac::finalize(mac).into_bytes());
        let request = sender.body("application/x-www-form-urlencoded", format!("code={code}"));
        sender.send(request.header("x-twilio-signature", signature)).await
    };
    words(&form(&twilio, "A").await, 200, Some("text/xml"), "<Response/>");
    let own = |response: &str| {
        let keys = format!("signature = {{ preset = \"twilio\", secret = \"env:S\" }}\nresponse = {response}");
        file(&keys).replace("slug = \"m\"", "slug = \"m-twilio\"")
    };
    app.apply(&own("{ status = 204 }"), json!({})).await.done();
    words(&form(&twilio, "B").await, 204, None, "");
    app.apply(&own("{ body = \"ok\" }"), json!({})).await.done();
    words(&form(&twilio, "C").await, 200, Some("text/plain; charset=utf-8"), "ok");
    app.apply(&own("{ }"), json!({})).await.done();
    let answer = form(&twilio, "D").await;
    answer.accepted("created");
    assert!(!answer.headers.contains_key("x-tidegate-event"), "the body says it");
}

async fn what_a_source_says_is_shown_and_stays(app: App) {
    let keys = "signature = { preset = \"slack\", secret = \"env:S\" }\nresponse = { status = 200, body = \"ok\" }\n\
                handshake = [{ method = \"GET\", query = \"c\", json = { n = 1.5, c = \"{query:c}\" } }]";
    app.senders(&file(keys), json!({ "S": SECRET })).await;
    let shown = app.see("/modules/m/sources/s").await;
    assert_eq!(shown, app.see("/modules/m/sources").await["data"][0]);
    assert_eq!(shown["signature"], json!({ "preset": "slack" }));
    assert_eq!(shown["response"], json!({ "status": 200, "body": "ok" }));
    let methods: Vec<_> = shown["handshake"].as_array().unwrap().iter().map(|one| one["method"].as_str()).collect();
    assert_eq!(methods, [Some("GET"), None], "its own, and the preset's: {shown}");
    app.get("/api/v1/modules/m/sources/nothing").await.problem(404, "not_found");
    let again = app.apply(&file(keys), json!({})).await.done();
    assert_eq!(again["sources"][0]["action"], "unchanged");

    let twilio = app.senders(&file("signature = { preset = \"twilio\" }"), json!({})).await;
    assert!(twilio.is_empty(), "the source stands");
    let shown = app.see("/modules/m/sources/s").await;
    assert_eq!((&shown["response"]["body"], &shown["handshake"]), (&json!("<Response/>"), &json!([])));
}

/// By apply and by the API, and without repeating it.
async fn a_secret_of_another_form_is_refused(app: App) {
    app.sender(&file("")).await;
    for (preset, secret) in [
        ("standard-webhooks", "whsec_no base64"),
        ("standard-webhooks", ""),
        ("adyen", "no hexadecimal"),
        ("discord", "no public key"),
        ("github", ""),
    ] {
        let keys = format!("signature = {{ preset = \"{preset}\", secret = \"env:S\" }}");
        let applied = app.apply(&file(&keys), json!({ "S": secret })).await;
        let mapping = json!({ "rule": [{ "from": "$.code", "to": "code" }] });
        let source = json!({ "slug": "t", "signature": { "preset": preset, "secret": secret }, "mapping": mapping });
        let made = app.post("/api/v1/modules/m/sources", source).await;
        for answer in [applied, made] {
            let problem = answer.problem(422, "invalid_document");
            let told = problem["errors"].to_string();
            assert!(told.contains("signature.secret"), "{preset}: {problem}");
            assert!(secret.is_empty() || !problem.to_string().contains(secret), "{preset}: {problem}");
        }
    }
    let github = signed(&app, &known(&app, "github").await, "github", SECRET, r#"{"code":"A"}"#);
    Answer::to(github).await.accepted("created");
    for preset in ["asana", "notion"] {
        let mapping = json!({ "rule": [{ "from": "$.code", "to": "code" }] });
        let source = json!({ "slug": preset, "signature": { "preset": preset }, "mapping": mapping });
        assert_eq!(
            app.post("/api/v1/modules/m/sources", source).await.done()["secrets"],
            json!([]),
            "a handshake brings it"
        );
    }
    let sources = app.request(Method::GET, "/api/v1/modules/m/sources").bearer_auth(&app.key);
    assert!(!Answer::to(sources).await.text().contains(SECRET));
}

/// What the page says of answers and handshakes is a file that the gateway takes.
async fn the_reference_page_shows_what_can_be_applied(app: App) {
    let page = app.request(Method::GET, "/reference/signatures").send().await.unwrap().text().await.unwrap();
    let shown = |id: &str| {
        let (_, rest) = page.split_once(&format!("<pre id=\"{id}\"><code>")).unwrap();
        rest.split_once("</code>").unwrap().0.replace("&lt;", "<").replace("&gt;", ">")
    };
    let (response, handshake) = (shown("response"), shown("handshake"));
    let keys = format!("signature = {{ header = \"X-Sig\" }}\n{response}\n{handshake}");
    let sender = app.sender(&file(&keys)).await;
    assert_eq!(handshake.matches("[[source.handshake]]").count(), 3);
    super::answered_in_text(&super::get(&sender, "?challenge=a").await, "a");
    let many = format!("{handshake}\n{handshake}\n{handshake}");
    let refused = app.apply(&file(&many), json!({})).await.problem(422, "invalid_document");
    assert!(refused.to_string().contains("at most 8 handshakes"), "{refused}");
}
