use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::clock::Timestamp;
use crate::verify::{Refusal, Signed, Verdict, verify};

fn headers(of: &BTreeMap<String, String>) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| {
        (HeaderName::try_from(name.as_str()).unwrap(), HeaderValue::try_from(value.as_str()).unwrap())
    };
    of.iter().map(pair).collect()
}

fn judge(preset: &Preset, vector: &Vector, body: &[u8]) -> Verdict {
    let rest = vector.url.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let headers = headers(&vector.headers);
    let at = vector.at.as_ref().map_or(Timestamp::from_micros(0).unwrap(), |at| at.parse().unwrap());
    let signed = Signed { method: &vector.method, url: &vector.url, path, query, headers: &headers, body };
    verify(preset.scheme.as_ref().unwrap(), &[vector.secret.as_bytes()], signed, at)
}

#[test]
fn every_entry_reads_and_says_what_to_paste() {
    for preset in all() {
        assert!(!preset.title.is_empty(), "{}", preset.name);
        match &preset.scheme {
            Ok(_) => assert!(preset.secret.len() > 10, "{} says what to paste", preset.name),
            Err(refused) => assert!(refused.len() > 30, "{} says why", preset.name),
        }
    }
}

#[test]
fn the_file_is_in_alphabetical_order() {
    let names = include_str!("../presets.toml").lines().filter_map(|line| {
        let name = line.strip_prefix('[')?.strip_suffix(']')?;
        (!name.contains(['[', '.'])).then_some(name)
    });
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), all().len());
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn the_vendors_vectors_pass() {
    let vectors = all().iter().flat_map(|preset| preset.vectors.iter().map(move |vector| (preset, vector)));
    let mut seen = 0;
    for (preset, vector) in vectors {
        let verdict = judge(preset, vector, vector.body.as_bytes());
        assert_eq!(verdict, Verdict::Pass, "{}, {}", preset.name, vector.origin);
        seen += 1;
    }
    assert!(seen >= 30, "{seen}");
}

/// Each byte of the body and of the secret, and one byte more.
#[test]
fn a_changed_byte_of_a_vector_never_passes() {
    let mut tried = 0;
    for preset in all() {
        // Of what the vendor leaves unsigned anyone can change anything.
        let fields_only = preset.scheme.as_ref().is_ok_and(|scheme| scheme.raw().fields_only);
        for vector in &preset.vectors {
            let name = format!("{}, {}", preset.name, vector.origin);
            for body in changes(vector.body.as_bytes()).filter(|_| !fields_only) {
                assert_ne!(judge(preset, vector, &body), Verdict::Pass, "{name}: {}", String::from_utf8_lossy(&body));
                tried += 1;
            }
            for secret in changes(vector.secret.as_bytes()).filter_map(|secret| String::from_utf8(secret).ok()) {
                let other = Vector { secret, ..vector.clone() };
                assert_ne!(judge(preset, &other, vector.body.as_bytes()), Verdict::Pass, "{name}: {}", other.secret);
                tried += 1;
            }
        }
    }
    assert!(tried > 5_000, "{tried}");
}

fn changes(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let longer = [bytes, b"x"].concat();
    let changed = (0..bytes.len()).map(|at| {
        let mut other = bytes.to_vec();
        other[at] ^= 1;
        other
    });
    changed.chain([longer])
}

#[test]
fn a_vector_is_stale_years_later() {
    for preset in all() {
        let timestamp = preset.scheme.as_ref().ok().and_then(|scheme| scheme.raw().timestamp.as_ref());
        let enforced = timestamp.is_some_and(|timestamp| timestamp.enforced);
        for vector in preset.vectors.iter().filter(|_| enforced) {
            let later = Vector { at: Some("2126-01-01T00:00:00Z".to_owned()), ..vector.clone() };
            let verdict = judge(preset, &later, vector.body.as_bytes());
            assert_eq!(verdict, Verdict::Refused(Refusal::Stale), "{}", preset.name);
        }
    }
}
