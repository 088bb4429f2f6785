//! `tidegate sign`, `verify`, `preset` and `send --preset`, as people run them, with every preset that there is.

use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tidegate::clock::{Clock, Timestamp};
use tidegate::verify::preset::{self, Preset};
use tidegate::verify::raw::KeyForm;
use tidegate::verify::{Algorithm, Scheme, jwt};

use crate::app::{Setup, text};
use crate::client::Answer;
use crate::database::Engine;
use crate::process::tidegate;

mod offline;
mod online;

const NOW: &str = "2026-01-02T03:04:05Z";
const URL: &str = "https://hooks.example.com/in?data.id=A7";
/// Where a body holds its own signature, and none is there yet.
const HOLE: &str = "@@";

/// Those that can be signed for, with their schemes.
fn presets() -> impl Iterator<Item = (&'static Preset, &'static Scheme)> {
    preset::all().iter().filter_map(|preset| Some((preset, preset.scheme.as_ref().ok()?)))
}

/// What a sender signs with, and what its source knows.
struct Secrets {
    signs: String,
    verifies: String,
}

/// Of the form that the scheme takes; another number is another secret.
fn secrets(scheme: &Scheme, number: u8) -> Secrets {
    let raw = scheme.raw();
    let both = |text: String| Secrets { signs: text.clone(), verifies: text };
    match raw.algorithm.unwrap_or_default() {
        Algorithm::Ed25519 => ed25519(number),
        Algorithm::EcdsaP256 => p256(number),
        Algorithm::Jwt => {
            assert_eq!(raw.claims.as_ref().unwrap().algorithm, jwt::Algorithm::Hs256, "give it a pair of keys here");
            both(format!("a secret of a token, number {number}"))
        }
        _ => both(match raw.secret_form.unwrap_or_default() {
            KeyForm::Utf8 | KeyForm::Sha1 => format!("user:a secret, number {number}"),
            KeyForm::Base64 => raw.secret_prefix.clone() + &BASE64.encode(&[number; 24]),
            KeyForm::Hex => raw.secret_prefix.clone() + &HEXLOWER.encode(&[number; 32]),
        }),
    }
}

/// RFC 8032, 7.1, tests 1 and 2.
fn ed25519(number: u8) -> Secrets {
    let (seed, public) = match number {
        1 => (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        ),
        _ => (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        ),
    };
    Secrets { signs: seed.to_owned(), verifies: public.to_owned() }
}

/// RFC 7515, A.3; the other public key is the one in RFC 5903, 8.1.
fn p256(number: u8) -> Secrets {
    let public = match number {
        1 => {
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ=="
                .to_owned()
        }
        _ => {
            let x = "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180";
            let y = "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3";
            format!("04{x}{y}")
        }
    };
    let private = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";
    Secrets { signs: private.to_owned(), verifies: public }
}

/// A body of that sender as far as its signature asks for one, and the extension of a file of it.
fn body(preset: &Preset, scheme: &Scheme, now: Timestamp) -> (Vec<u8>, &'static str) {
    let raw = scheme.raw();
    let (seconds, millis) = (now.micros() / 1_000_000, now.micros() / 1_000);
    let message = format!("{:?}", raw.message);
    let json = |value: Value| (value.to_string().into_bytes(), "json");
    match preset.name.as_str() {
        "adyen" => json(json!({ "notificationItems": [{ "NotificationRequestItem": {
            "pspReference": "8", "eventCode": "CAPTURE", "success": "true", "merchantAccountCode": "M",
            "amount": { "value": 100, "currency": "EUR" }, "additionalData": { "hmacSignature": HOLE },
        } }] })),
        "mailgun" => {
            json(json!({ "signature": { "timestamp": seconds.to_string(), "token": "t", "signature": HOLE } }))
        }
        "microsoft-graph" => json(json!({ "value": [{ "clientState": HOLE }, { "clientState": HOLE }] })),
        "braintree" => (format!("bt_payload=PHg%2BPC94Pg&bt_signature={HOLE}").into_bytes(), "form"),
        name => {
            assert!(raw.json.is_none() && raw.form.is_none() && raw.query.is_none(), "say what a body of {name} is");
            if message.contains("{form}") {
                return (b"From=%2B15550001&Body=a+b".to_vec(), "form");
            }
            json(json!({ "code": "A", "webhookTimestamp": millis }))
        }
    }
}

/// With the signature in its place, as whoever builds the body would put it there.
fn filled(body: Vec<u8>, value: &str) -> Vec<u8> {
    let escaped = value.replace('%', "%25").replace('+', "%2B").replace('|', "%7C");
    let text = String::from_utf8(body).unwrap();
    let value = if text.contains("bt_payload") { escaped } else { value.to_owned() };
    text.replace(HOLE, &value).into_bytes()
}

/// With the hash that the URL of some senders carries.
fn url_of(scheme: &Scheme, url: &str, body: &[u8]) -> String {
    let hash = HEXLOWER.encode(&Sha256::digest(body));
    let Some(parameter) = &scheme.raw().body_hash else { return url.to_owned() };
    let name = parameter.trim_start_matches("{query:").trim_end_matches('}');
    format!("{url}{}{name}={hash}", if url.contains('?') { "&" } else { "?" })
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("tidegate-it-").tempdir().unwrap()
}

/// A command's exit code and its one object.
fn run(folder: &std::path::Path, arguments: &[&str], secret: &str) -> (i32, Value) {
    let arguments = [arguments, &["--json"]].concat();
    let (code, stdout) = tidegate(folder, &arguments, &[("TIDEGATE_SECRET", secret)]);
    assert_eq!(stdout.trim().lines().count(), 1, "one object and nothing else: {arguments:?}: {stdout}");
    (code, serde_json::from_str(&stdout).unwrap())
}
