//! What the signature of a body of 1 KiB costs to verify by common presets, beside the bare HMAC over the same bytes.
//!
//!     cargo bench --bench verify [-- FILTER]
//!
//! Times are those of one machine in one run, and noisy. The bare digest is what nothing can go below.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::LazyLock;

use divan::black_box;
use http::{HeaderMap, HeaderName, HeaderValue};
use tidegate::clock::Timestamp;
use tidegate::verify::preset::{self, Preset};
use tidegate::verify::sign::{make_headers, sign};
use tidegate::verify::{Signed, Verdict, hmac_sha256, verify};

/// Base64 behind a prefix, which the others take as it is.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PRESETS: [&str; 5] = ["github", "stripe", "slack", "shopify", "standard-webhooks"];

static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| PRESETS.into_iter().map(Subject::of).collect());

/// A request as the sender signed it.
struct Subject {
    preset: &'static Preset,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.preset.name)
    }
}

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// JSON of 1 KiB.
fn body() -> Vec<u8> {
    format!("{{\"id\":\"evt_1\",\"note\":\"{}\"}}", "x".repeat(1_000)).into_bytes()
}

impl Subject {
    fn of(name: &str) -> Self {
        let preset = preset::find(name).unwrap();
        let scheme = preset.scheme.as_ref().unwrap();
        let mut subject = Self { preset, headers: usual_headers(), body: body() };
        assert_eq!(subject.body.len(), 1_024);
        let made = make_headers(scheme, subject.signed(), "msg_1", now());
        subject.headers.extend(made.into_iter().map(header));
        let signature = sign(scheme, SECRET.as_bytes(), subject.signed(), now()).unwrap();
        subject.headers.extend(signature.headers.into_iter().map(header));
        assert_eq!(subject.verify(), Verdict::Pass, "{name}");
        subject
    }

    fn signed(&self) -> Signed<'_> {
        let (url, path) = ("https://hooks.example.com/api/webhooks/m/tgt_1", "/api/webhooks/m/tgt_1");
        Signed { method: "POST", url, path, query: None, headers: &self.headers, body: &self.body }
    }

    fn verify(&self) -> Verdict {
        verify(self.preset.scheme.as_ref().unwrap(), &[SECRET], black_box(self.signed()), now())
    }
}

/// What comes with every request.
fn usual_headers() -> HeaderMap {
    let pairs = [
        ("host", "hooks.example.com"),
        ("user-agent", "sender/1.0"),
        ("accept", "*/*"),
        ("content-type", "application/json"),
        ("content-length", "1024"),
    ];
    pairs.into_iter().map(|(name, value)| header((name.to_owned(), value.to_owned()))).collect()
}

fn header((name, value): (String, String)) -> (HeaderName, HeaderValue) {
    (HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap())
}

fn main() {
    divan::main();
}

#[divan::bench(args = SUBJECTS.iter())]
fn verified(bencher: divan::Bencher, subject: &Subject) {
    bencher.bench(|| subject.verify());
}

#[divan::bench]
fn bare_hmac_sha256(bencher: divan::Bencher) {
    let body = body();
    bencher.bench(|| hmac_sha256(SECRET.as_bytes(), black_box(&body)));
}
