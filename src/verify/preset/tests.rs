use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::clock::Timestamp;
use crate::verify::{Signed, Verdict, verify};

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
fn the_vendors_vectors_pass_and_a_changed_body_does_not() {
    let mut seen = 0;
    for preset in all() {
        for vector in &preset.vectors {
            let name = format!("{}, {}", preset.name, vector.origin);
            assert_eq!(judge(preset, vector, vector.body.as_bytes()), Verdict::Pass, "{name}");
            let mut changed = vector.body.clone().into_bytes();
            changed.push(b'x');
            assert_ne!(judge(preset, vector, &changed), Verdict::Pass, "{name}, one byte more");
            seen += 1;
        }
    }
    assert!(seen > 0);
}
