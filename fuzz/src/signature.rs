//! Signatures. `preset`, the signature's value, the timestamp's, then the body, a line each: whatever is sent, what does
//! not come from a holder of the secret does not pass, and what a holder of the secret signs does.

use http::{HeaderMap, HeaderName, HeaderValue};
use tidegate::clock::Timestamp;
use tidegate::verify::raw::{Algorithm, RawSignature};
use tidegate::verify::sign::sign;
use tidegate::verify::{Scheme, Signed, Verdict, preset, verify};

const NOW: i64 = 1_700_000_000_000_000;
const URL: &str = "https://hooks.example.com/in?sku=7";
/// Hexadecimal and base64 at once, for those whose secrets have a form.
const SECRET: &[u8] = b"00112233445566778899aabbccddeeff";
const OTHER: &[u8] = b"00112233445566778899aabbccddeef0";

pub fn run(input: &[u8]) {
    let mut lines = input.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (name, value, time, body) = (line(), line(), line(), line());
    let Some(scheme) = std::str::from_utf8(name).ok().and_then(scheme) else { return };
    let raw = described(&scheme);
    let is_token = raw.algorithm == Some(Algorithm::Token);
    let mut headers = HeaderMap::new();
    let header = raw.header.as_ref().map(|names| names.as_slice()[0].replace("-*", "-1"));
    if let Some(header) = &header {
        put(&mut headers, header, value);
    }
    if let Some(header) = raw.timestamp.as_ref().and_then(|timestamp| timestamp.header.as_ref()) {
        put(&mut headers, header, time);
    }
    put(&mut headers, "webhook-id", b"msg_1");
    if passes(&scheme, SECRET, &headers, body) {
        assert!(!passes(&scheme, OTHER, &headers, body), "another secret signs the same");
        assert!(raw.fields_only || is_token || !passes(&scheme, SECRET, &headers, &[body, b"x"].concat()));
    }
    honest(&scheme, &raw, body);
}

fn scheme(name: &str) -> Option<Scheme> {
    preset::find(name)?.scheme.clone().ok()
}

fn described(scheme: &Scheme) -> RawSignature {
    scheme.raw().clone()
}

/// What a holder of the secret signs passes, and does not with another body.
fn honest(scheme: &Scheme, raw: &RawSignature, body: &[u8]) {
    let mut headers = HeaderMap::new();
    put(&mut headers, "webhook-id", b"msg_1");
    let now = Timestamp::from_micros(NOW).expect("a time");
    let Ok(signature) = sign(scheme, SECRET, signed(&headers, body), now) else { return };
    for (name, value) in &signature.headers {
        put(&mut headers, &name.replace("-*", "-1"), value.as_bytes());
    }
    if raw.header.is_none() || raw.timestamp.as_ref().is_some_and(|timestamp| timestamp.json.is_some()) {
        return; // the signature or its time stands in the body, and the body is foreign
    }
    assert!(passes(scheme, SECRET, &headers, body), "{signature:?}");
    let covers = !raw.fields_only && raw.algorithm != Some(Algorithm::Token);
    assert!(!covers || !passes(scheme, SECRET, &headers, &[body, b"x"].concat()));
}

fn put(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    let name = HeaderName::try_from(name).expect("a header");
    if let Ok(value) = HeaderValue::from_bytes(value) {
        headers.insert(name, value);
    }
}

fn signed<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Signed<'a> {
    Signed { method: "POST", url: URL, path: "/in", query: Some("sku=7"), headers, body }
}

fn passes(scheme: &Scheme, secret: &[u8], headers: &HeaderMap, body: &[u8]) -> bool {
    let now = Timestamp::from_micros(NOW).expect("a time");
    verify(scheme, &[secret], signed(headers, body), now) == Verdict::Pass
}
