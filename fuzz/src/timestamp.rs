//! Timestamps of signatures: the unit, then the text. A text that is signed as it stands passes when, and only when, it
//! is a time of the declared form within the tolerance.

use http::{HeaderMap, HeaderValue};
use tidegate::clock::Timestamp;
use tidegate::verify::{Scheme, Signed, Verdict, hmac_sha256, verify};

const NOW: i128 = 1_700_000_000;
const TOLERANCE: i128 = 300;
const SECRET: &[u8] = b"secret";

pub fn run(input: &[u8]) {
    let Some((unit, text)) = input.split_first() else { return };
    let (unit, name) = match unit % 3 {
        0 => (1, "s"),
        1 => (1_000, "ms"),
        _ => (0, "rfc3339"),
    };
    let Ok(value) = HeaderValue::from_bytes(text) else { return };
    let scheme = format!(
        "header = \"Sig\"\nmessage = \"{{timestamp}}.{{body}}\"\ntimestamp = {{ header = \"Ts\", unit = \"{name}\" }}"
    );
    let scheme: Scheme = toml::from_str(&scheme).expect("a scheme");
    let digest = hmac_sha256(SECRET, &[text, b".body"].concat());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut headers = HeaderMap::new();
    headers.insert("sig", HeaderValue::from_str(&hex).expect("hexadecimal"));
    headers.insert("ts", value);
    let signed = Signed { method: "POST", url: "", path: "", query: None, headers: &headers, body: b"body" };
    let now = Timestamp::from_micros(1_700_000_000_000_000).expect("a time");
    let passed = verify(&scheme, &[SECRET], signed, now) == Verdict::Pass;
    assert_eq!(passed, is_fresh(unit, text), "{:?}", String::from_utf8_lossy(text));
}

/// Told in another way than the gateway tells it.
fn is_fresh(unit: i128, text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    if unit == 0 {
        let at: Option<jiff::Timestamp> = text.parse().ok();
        let near =
            |at: jiff::Timestamp| (i128::from(at.as_microsecond()) - NOW * 1_000_000).abs() <= TOLERANCE * 1_000_000;
        return at.is_some_and(near) && is_plain(text.as_bytes());
    }
    let digits = !text.is_empty() && text.len() <= 40 && text.chars().all(|char| char.is_ascii_digit());
    digits && text.parse::<i128>().is_ok_and(|at| (at - NOW * unit).abs() <= TOLERANCE * unit)
}

/// RFC 3339, 5.6, where the parser takes more: seconds are there, the offset is whole, and nothing else stands beside it.
fn is_plain(text: &[u8]) -> bool {
    let known = |char: &u8| char.is_ascii_digit() || b"TtZz:.+-".contains(char);
    let zoned = matches!(text, [.., b'Z' | b'z'] | [.., b'+' | b'-', _, _, b':', _, _]);
    let at = |place: usize, chars: &[u8]| text.get(place).is_some_and(|char| chars.contains(char));
    text.len() <= 40 && zoned && text.iter().all(known) && at(10, b"Tt") && at(4, b"-") && at(16, b":")
}
