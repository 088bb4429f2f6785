//! What nobody reads: tokens, keys and secrets are in no table, no file of the database, and no log.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::app::{App, Setup};
use crate::client::Answer;
use crate::database::Engine;
use crate::process::Process;

both!(nothing_is_stored_in_the_clear, nothing_is_logged_that_opens_a_door);

const SIGNED: &str = include_str!("../data/modules/signed.toml");
const SECRET: &str = "Xk4kQv0secret-of-the-shop";

async fn nothing_is_stored_in_the_clear(app: App) {
    let senders = app.senders(SIGNED, json!({ "ONE": SECRET, "TWO": "second-secret-of-the-shop" })).await;
    let body = r#"{"code":"A"}"#;
    let digest = tidegate::verify::hmac_sha256(SECRET.as_bytes(), body.as_bytes());
    let value = format!("sha256={}", data_encoding::HEXLOWER.encode(&digest));
    let request = senders[0].request(http::Method::POST, "/api/webhooks/signed").bearer_auth(&senders[0].token);
    let request = request.header("content-type", "application/json").header("x-webhook-signature", value).body(body);
    senders[0].send(request).await.accepted("created");
    let key = app.key.clone();

    let setup = app.stop().await;
    let seal_key = std::fs::read_to_string(setup.folder().join("seal.key")).unwrap();
    let mut private = vec![SECRET, "second-secret-of-the-shop", key.as_str(), seal_key.trim()];
    private.extend(senders.iter().map(|sender| sender.token.as_str()));
    let dump = setup.database().dump().await;
    assert!(dump.contains("signed") && dump.contains("X-Webhook-Signature"), "the dump shows what is there");
    for text in &private {
        assert!(!dump.contains(text), "{text} is in a table");
        let hexadecimal = data_encoding::HEXLOWER.encode(text.as_bytes());
        assert!(!dump.to_lowercase().contains(&hexadecimal), "the bytes of {text} are in a table");
    }
    if setup.database().engine() == Engine::Sqlite {
        assert_not_in_files(&setup, &private);
    }
    for file in ["seal.key", "admin.key"] {
        let mode = std::fs::metadata(setup.folder().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file} is its owner's alone");
    }
}

/// The file and its log hold pages that no query shows any more.
fn assert_not_in_files(setup: &Setup, private: &[&str]) {
    for entry in std::fs::read_dir(setup.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("tidegate.db") {
            let bytes = std::fs::read(&path).unwrap();
            for text in private {
                let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
                assert!(!found, "{text} is in {}", path.display());
            }
        }
    }
}

/// Each request has one line, under the id that its answer carries; what is private is on no line.
async fn nothing_is_logged_that_opens_a_door(setup: Setup) {
    let process = Process::start(&setup).await;
    let senders = process.admin.senders(SIGNED, json!({ "ONE": SECRET, "TWO": "2" })).await;
    let (hex, bare) = (&senders[0], &senders[2]);
    let body = r#"{"code":"body-of-the-event"}"#;
    let mut answers = vec![hex.post(body).await, bare.post(body).await];
    let digest = tidegate::verify::hmac_sha256(SECRET.as_bytes(), body.as_bytes());
    let value = format!("sha256={}", data_encoding::HEXLOWER.encode(&digest));
    answers.push(hex.send(hex.json(body).header("x-webhook-signature", &value)).await);
    // Wrong turns near the door: the token is in the path all the same.
    for path in [hex.path(), format!("{}/x", hex.path()), format!("/api/webhook/signed/{}", hex.token)] {
        answers.push(hex.send(hex.request(http::Method::GET, &path)).await);
    }
    let wrong = "tgk_almost-right";
    let refused = process.admin.request(http::Method::GET, "/api/v1/presets").bearer_auth(wrong);
    Answer::to(refused).await.problem(401, "key_invalid");
    let (url, key) = (process.admin.url.clone(), process.admin.key.clone());
    let (_, log) = process.terminate();
    assert!(log.contains("an API key that is not valid"), "whoever runs it can see who tries");
    for private in [&hex.token, &bare.token, &key, wrong, SECRET, &value, "body-of-the-event"] {
        assert!(!log.contains(private), "{private} is in the log");
    }
    for answer in &answers {
        let id = answer.header("x-request-id");
        let lines: Vec<_> = log.lines().filter(|line| line.contains(id)).collect();
        let [line] = lines.as_slice() else { panic!("{} has one line in the log of {url}: {lines:?}", answer.text()) };
        let line: Value = serde_json::from_str(line).expect("a line is JSON where there is no terminal");
        assert!(line.to_string().contains(&answer.status.to_string()), "it tells the status: {line}");
    }
}
