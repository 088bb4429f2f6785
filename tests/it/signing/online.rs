//! Against a running gateway.

use super::*;

/// A module with a source for each preset, in their order, and what its sources know.
fn module() -> (String, Value) {
    let mut file = "[module]\nslug = \"all\"\nmatch = [\"a\"]\n[module.fields]\na = \"text\"\n".to_owned();
    let mut known = serde_json::Map::new();
    for (number, (preset, scheme)) in presets().enumerate() {
        let name = &preset.name;
        file += &format!(
            "[[source]]\nslug = \"{name}\"\nsignature = {{ preset = \"{name}\", secret = \"env:S{number}\" }}\n"
        );
        file += &format!("[[source.rule]]\nfrom = \"const:{name}\"\nto = \"a\"\n");
        known.insert(format!("S{number}"), secrets(scheme, 1).verifies.into());
    }
    (file, known.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_send_signs_by_a_preset_is_accepted() {
    let app = Setup::new(Engine::Sqlite).await.start().await;
    let (file, known) = module();
    let applied = app.apply(&file, known).await.done();
    let urls = applied["sources"].as_array().unwrap().iter().map(|source| text(&source["url"]).to_owned());
    let mut sent = 0;
    for ((preset, scheme), url) in presets().zip(urls) {
        let answer = tokio::task::spawn_blocking(move || send(preset, scheme, &url)).await.unwrap();
        assert_eq!(answer.0, 0, "{}: {}", preset.name, answer.1);
        sent += 1;
    }
    assert_eq!(app.database().count("m_all").await, sent);
}

fn send(preset: &Preset, scheme: &Scheme, url: &str) -> (i32, Value) {
    let folder = folder();
    let secret = secrets(scheme, 1).signs;
    let (body, extension) = body(preset, scheme, Clock::system().now());
    let (url, file) = (url_of(scheme, url, &body), format!("body.{extension}"));
    std::fs::write(folder.path().join(&file), &body).unwrap();
    let send = ["send", &file, "--preset", &preset.name, "--to", &url];
    if String::from_utf8_lossy(&body).contains(HOLE) {
        // What is in the file is what is sent, so a signature that stands there is put there first.
        let (code, refused) = run(folder.path(), &send, &secret);
        assert!(code == 2 && text(&refused["error"]["detail"]).contains("tidegate sign"), "{refused}");
        let (_, signed) = run(folder.path(), &["sign", &file, "--preset", &preset.name, "--url", &url], &secret);
        std::fs::write(folder.path().join(&file), filled(body, text(&signed["value"]))).unwrap();
    }
    run(folder.path(), &send, &secret)
}

/// `verify` and the door say the same of a request, for every kind of refusal.
#[tokio::test(flavor = "multi_thread")]
async fn verify_speaks_as_the_door_does() {
    let app = Setup::new(Engine::Sqlite).await.start().await;
    let file = "[module]\nslug = \"one\"\nmatch = [\"a\"]\n[module.fields]\na = \"text\"\n[[source]]\nslug = \"one\"\n\
        signature = { preset = \"stripe\", secret = \"env:S\" }\n[[source.rule]]\nfrom = \"$.a\"\nto = \"a\"\n";
    let sender = app.senders(file, json!({ "S": "whsec_one" })).await.remove(0);
    let folder = folder();
    std::fs::write(folder.path().join("body"), "{}").unwrap();
    let (_, signed) = run(folder.path(), &["sign", "body", "--preset", "stripe"], "whsec_another");
    for (value, code) in [
        (None, "signature_missing"),
        (Some("v1=00"), "signature_missing"),
        (Some("t=1,v1=00"), "timestamp_outside_tolerance"),
        (Some(text(&signed["value"]).split_once("v1=").unwrap().0), "signature_malformed"),
        (Some(text(&signed["value"])), "signature_mismatch"),
    ] {
        let header = value.map(|value| format!("Stripe-Signature: {value}"));
        let given: Vec<&str> = header.iter().flat_map(|header| ["-H", header]).collect();
        let verify = [&["verify", "body", "--preset", "stripe"], &given[..]].concat();
        let (exit, verdict) = run(folder.path(), &verify, "whsec_one");
        let request =
            value.into_iter().fold(sender.json("{}"), |request, value| request.header("stripe-signature", value));
        let refused = sender.send(request).await.problem(401, code);
        assert_eq!((exit, &verdict["code"]), (1, &json!(code)), "{verdict}");
        assert_eq!(verdict["detail"], refused["detail"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_lists_what_can_be_chosen() {
    let app = Setup::new(Engine::Sqlite).await.start().await;
    let listed = app.see("/presets").await;
    let listed = listed["data"].as_array().unwrap();
    assert_eq!(listed.len(), preset::all().len());
    for (shown, preset) in listed.iter().zip(preset::all()) {
        assert_eq!(shown["name"], preset.name.as_str());
        assert_eq!(shown["refused"].is_string(), preset.scheme.is_err(), "{shown}");
        assert_eq!(shown["signature"].is_object(), preset.scheme.is_ok(), "{shown}");
        assert!(shown.get("vectors").is_none() && shown["handshakes"].is_array(), "{shown}");
    }
    let slack = listed.iter().find(|preset| preset["name"] == "slack").unwrap();
    assert_eq!(slack["eventId"], "$.event_id");
    assert_eq!(slack["signature"]["header"], "X-Slack-Signature");
    Answer::to(app.request(http::Method::GET, "/api/v1/presets")).await.problem(401, "key_invalid");

    let page = Answer::to(app.request(http::Method::GET, "/reference/signatures")).await;
    assert!(page.status == 200 && page.text().contains("sender-slack"));
}
