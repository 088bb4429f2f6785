//! A sender as the vendor of a module file is one: it signs by the file's own scheme, or by that of its preset.

use data_encoding::{BASE64, HEXLOWER};
use http::{HeaderMap, HeaderName};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::Value;
use tidegate::clock::Timestamp;
use tidegate::verify::raw::{KeyForm, Unit};
use tidegate::verify::sign::sign;
use tidegate::verify::{Algorithm, RawSignature, Scheme, Signed};

use crate::client::Sender;

const SECRET: &str = "a-secret-of-the-tests--of-nobody";
/// What stands before the point in the SubjectPublicKeyInfo of a key on P-256 (RFC 5480, 2).
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

pub struct Signer {
    scheme: Scheme,
    /// What the scheme says, the preset's if it is one.
    raw: RawSignature,
    /// What the vendor shows, and the admin pastes.
    pub secret: String,
    /// What the vendor signs with: the same, or the private half of it.
    key: String,
}

/// What goes out.
pub struct Letter {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Signer {
    /// By a source's `signature = { … }`.
    pub fn of(signature: &toml::Value) -> Self {
        let raw: RawSignature = signature.clone().try_into().unwrap();
        let scheme = Scheme::try_from(raw).unwrap_or_else(|bad| panic!("{}: {bad}", bad.key));
        let raw = match scheme.preset() {
            Some(preset) => preset.scheme.as_ref().expect("it is not a refused one").raw().clone(),
            None => scheme.raw().clone(),
        };
        let (secret, key) = match raw.algorithm.unwrap_or_default() {
            Algorithm::EcdsaP256 => pair(),
            Algorithm::Ed25519 | Algorithm::Jwt => panic!("no sender of these signs so"),
            _ => {
                let secret = format!("{}{}", raw.secret_prefix, secret_of(raw.secret_form.unwrap_or_default()));
                (secret.clone(), secret)
            }
        };
        Self { scheme, raw, secret, key }
    }

    /// Signs as of now, so that the gateway's clock finds it fresh.
    pub fn signed(&self, sender: &Sender, letter: Letter, now: Timestamp) -> Letter {
        let Letter { mut headers, body } = self.dated(letter, now);
        let path = sender.path();
        let url = format!("{}{path}", sender.base);
        let request = Signed { method: "POST", url: &url, path: &path, query: None, headers: &headers, body: &body };
        let signature = sign(&self.scheme, self.key.as_bytes(), request, now).unwrap();
        for (name, value) in signature.headers {
            headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let body = match &self.raw.json {
            Some(path) => with(&body, path, |_| signature.value.into()),
            None => body,
        };
        Letter { headers, body }
    }

    /// A time that stands in the body is there before anything is signed.
    fn dated(&self, letter: Letter, now: Timestamp) -> Letter {
        let Some((path, unit)) = self.raw.timestamp.as_ref().and_then(|time| Some((time.json.as_ref()?, time.unit)))
        else {
            return letter;
        };
        let count = match unit {
            Unit::S => now.micros() / 1_000_000,
            Unit::Ms => now.micros() / 1_000,
            Unit::Rfc3339 => panic!("no sender of these writes RFC 3339 into the body"),
        };
        // A text stays a text.
        let written = |old: &Value| if old.is_string() { count.to_string().into() } else { count.into() };
        Letter { body: with(&letter.body, path, written), ..letter }
    }
}

fn secret_of(form: KeyForm) -> String {
    match form {
        KeyForm::Utf8 | KeyForm::Sha1 => SECRET.to_owned(),
        KeyForm::Base64 => BASE64.encode(SECRET.as_bytes()),
        KeyForm::Hex => HEXLOWER.encode(SECRET.as_bytes()),
    }
}

/// A public key as vendors show it, and its private one.
fn pair() -> (String, String) {
    let random = SystemRandom::new();
    let private = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, private.as_ref(), &random).unwrap();
    let public = [&P256[..], pair.public_key().as_ref()].concat();
    (BASE64.encode(&public), BASE64.encode(private.as_ref()))
}

/// The JSON with another value at `$.a.b`.
fn with(body: &[u8], path: &str, made: impl FnOnce(&Value) -> Value) -> Vec<u8> {
    let mut document: Value = serde_json::from_slice(body).unwrap();
    let pointer = path.trim_start_matches('$').replace('.', "/");
    let place = document.pointer_mut(&pointer).unwrap_or_else(|| panic!("{path} stands in the payload"));
    *place = made(place);
    serde_json::to_vec(&document).unwrap()
}
