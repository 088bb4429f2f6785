//! Signed sources: what passes, what does not, and what a forgery costs an honest sender (nothing).

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::app::{App, Setup};
use crate::client::{Answer, Sender};

both!(
    a_signature_covers_the_bytes,
    either_secret_of_a_rotation_passes,
    a_source_without_a_secret_refuses_all,
    a_forgery_takes_nothing_from_the_limit,
);

const SIGNED: &str = include_str!("../data/modules/signed.toml");
const BODY: &str = r#"{ "code" : "A\u0042" , "x":1.50}"#;

/// The sources `hex`, `base64` and `bare`; the fourth is off.
async fn senders(app: &App) -> [Sender; 3] {
    let secrets = json!({ "ONE": "It's a secret", "TWO": "zwei 🔑" });
    let [hex, base64, bare, _] = <[Sender; 4]>::try_from(app.senders(SIGNED, secrets).await).ok().unwrap();
    [hex, base64, bare]
}

fn mac(secret: &str, body: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

async fn signed(sender: &Sender, header: &str, value: &str, body: &str) -> Answer {
    sender.send(sender.json(body).header(header, value)).await
}

async fn a_signature_covers_the_bytes(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let [hex, ..] = senders(&app).await;
    let name = "x-webhook-signature";
    let right = HEXLOWER.encode(&mac("It's a secret", BODY));
    hex.post(BODY).await.problem(401, "signature_missing");
    for value in ["", "sha256=", &right, &format!("sha1={right}"), &format!("sha256={}", &right[..62]), "sha256=zz"] {
        signed(&hex, name, value, BODY).await.problem(401, "signature_malformed");
    }
    for (value, body) in [
        (right.clone(), "{\"code\":\"AB\",\"x\":1.50}"),
        (right.clone(), format!("{BODY} ").as_str()),
        (HEXLOWER.encode(&mac("It's a secret\n", BODY)), BODY),
        (HEXLOWER.encode(&mac("zwei 🔑", BODY)), BODY),
        (HEXLOWER.encode(&mac("", BODY)), BODY),
        ("0".repeat(64), BODY),
    ] {
        let answer = signed(&hex, name, &format!("sha256={value}"), body).await;
        answer.problem(401, "signature_mismatch");
        assert!(!answer.text().contains(&HEXLOWER.encode(&mac("It's a secret", body))), "no answer tells the digest");
    }
    assert_eq!(app.database().count("m_signed").await, 0);
    signed(&hex, name, &format!("sha256={right}"), BODY).await.accepted("created");
    let upper = HEXUPPER.encode(&mac("It's a secret", BODY));
    signed(&hex, name, &format!("sha256={upper}"), BODY).await.accepted("unchanged");
}

async fn either_secret_of_a_rotation_passes(app: App) {
    let [_, base64, _] = senders(&app).await;
    for (secret, outcome) in [("It's a secret", "created"), ("zwei 🔑", "unchanged")] {
        signed(&base64, "x-hmac", &BASE64.encode(&mac(secret, BODY)), BODY).await.accepted(outcome);
    }
    let hex = HEXLOWER.encode(&mac("It's a secret", BODY));
    signed(&base64, "x-hmac", &hex, BODY).await.problem(401, "signature_malformed");
    // A sender in the middle of a rotation sends both, one of them unknown here.
    let both = base64.json(BODY).header("x-hmac", BASE64.encode(&mac("new", BODY)));
    let both = both.header("x-hmac", BASE64.encode(&mac("zwei 🔑", BODY)));
    base64.send(both).await.accepted("unchanged");
}

async fn a_source_without_a_secret_refuses_all(app: App) {
    let [_, _, bare] = senders(&app).await;
    bare.post(BODY).await.problem(401, "signature_unconfigured");
    for key in ["", "It's a secret"] {
        let value = HEXLOWER.encode(&mac(key, BODY));
        signed(&bare, "x-webhook-signature", &value, BODY).await.problem(401, "signature_unconfigured");
    }
    assert_eq!(app.database().count("m_signed").await, 0);
}

/// The source takes two at once: forgeries before and between change nothing about that.
async fn a_forgery_takes_nothing_from_the_limit(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let [hex, ..] = senders(&app).await;
    let name = "x-webhook-signature";
    let right = format!("sha256={}", HEXLOWER.encode(&mac("It's a secret", BODY)));
    let wrong = format!("sha256={}", "0".repeat(64));
    for _ in 0..5 {
        signed(&hex, name, &wrong, BODY).await.problem(401, "signature_mismatch");
        hex.post(BODY).await.problem(401, "signature_missing");
    }
    signed(&hex, name, &right, BODY).await.accepted("created");
    signed(&hex, name, &wrong, BODY).await.problem(401, "signature_mismatch");
    signed(&hex, name, &right, BODY).await.accepted("unchanged");
    signed(&hex, name, &right, BODY).await.problem(429, "rate_limited");
    signed(&hex, name, &wrong, BODY).await.problem(401, "signature_mismatch");

    let answer = hex.post(BODY).await.problem(401, "signature_missing");
    assert_ne!(answer["detail"], Value::Null);
}
