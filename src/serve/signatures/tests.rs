use std::collections::BTreeSet;

use regex::Regex;
use serde::Deserialize;

use super::*;
use crate::config::Bounds;
use crate::source::document::Document;
use crate::verify::handshake::{Handshake, RawHandshake, RawHmac};
use crate::verify::raw::{KeyForm, RawTimestamp};
use crate::verify::response::RawResponse;
use crate::verify::{Algorithm, Encoding, RawSignature, Scheme, jwt};

fn set<'a>(words: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    words.into_iter().map(str::to_owned).collect()
}

fn terms(rows: Rows) -> BTreeSet<String> {
    set(rows.iter().map(|row| row.0))
}

/// The words or keys that serde lists for one that is not among them.
fn known<T: for<'de> Deserialize<'de>>(json: &str) -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>(json) else { panic!("{json} is taken") };
    set(error.to_string().split('`').skip(3).step_by(2))
}

#[test]
fn keys_and_words_are_those_of_the_code() {
    let keys: BTreeSet<String> = keys::GROUPS.iter().flat_map(|(_, rows)| terms(rows)).collect();
    let mut wanted = known::<RawSignature>(r#"{"?": 1}"#);
    assert!(wanted.remove("fields_only"), "which only presets may say");
    assert_eq!(keys, wanted);
    assert_eq!(terms(keys::TIMES), known::<RawTimestamp>(r#"{"?": 1}"#));
    assert_eq!(terms(keys::CLAIMS), known::<jwt::Claims>(r#"{"?": 1}"#));
    assert_eq!(terms(handshakes::KEYS), known::<RawHandshake>(r#"{"?": 1}"#));
    assert_eq!(terms(handshakes::HMAC), known::<RawHmac>(r#"{"?": 1}"#));
    assert_eq!(terms(handshakes::RESPONSE), known::<RawResponse>(r#"{"?": 1}"#));
    let [algorithms, encodings, forms] = words::WORDS else { panic!("three keys take words") };
    assert_eq!(terms(algorithms.1), known::<Algorithm>("\"?\""));
    assert_eq!(terms(encodings.1), known::<Encoding>("\"?\""));
    assert_eq!(terms(forms.1), known::<KeyForm>("\"?\""));
}

fn scheme(text: &str) -> Scheme {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A place is written beside those that are not about it.
#[test]
fn every_example_of_a_signature_is_taken() {
    let places = ["header = \"X-Sig\"\n", ""];
    for (group, rows) in keys::GROUPS {
        let place = if group.starts_with("Where") || group.starts_with("Who") { places[1] } else { places[0] };
        for (key, _, example) in *rows {
            assert!(example.starts_with(&format!("{key} = ")), "{example}");
            scheme(&format!("{place}{example}"));
        }
    }
    for (key, _, example) in keys::TIMES {
        assert!(example.contains(key), "{example}");
        let list = "list = \",\"\nfield = \"v1\"";
        scheme(&format!("{}{list}\n{example}\nmessage = \"{{timestamp}}{{body}}\"", places[0]));
    }
    for (key, _, example) in keys::CLAIMS {
        assert!(example.contains(key), "{example}");
        scheme(&format!("{}algorithm = \"jwt\"\n{example}", places[0]));
    }
}

#[test]
fn every_part_and_ending_is_taken_and_there_are_no_others() {
    let with = |part: &str| {
        let time = if part == "{timestamp}" { "timestamp = { header = \"T\" }\n" } else { "" };
        let algorithm = if part == "{secret}" { "algorithm = \"sha256\"\n" } else { "" };
        format!("header = \"X-Sig\"\n{time}{algorithm}message = ['{part}', '{{body}}']")
    };
    for (part, ..) in words::PARTS {
        scheme(&with(part));
    }
    for (ending, _, example) in words::MODIFIERS {
        assert!(example.contains(ending), "{example}");
        scheme(&with(example));
    }
    let named = |part: &str, pattern: &str| {
        let error = toml::from_str::<Scheme>(&with(part)).unwrap_err().to_string();
        let list = error.split("there are ").nth(1).unwrap().to_owned();
        Regex::new(pattern).unwrap().find_iter(&list).map(|found| found.as_str().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(named("{bodi}", r"\{[^}]+\}"), terms(words::PARTS));
    assert_eq!(named("{body|upper}", r"\|[a-z]+"), terms(words::MODIFIERS));
}

#[test]
fn every_handshake_and_response_is_taken() {
    #[derive(Deserialize)]
    struct Written {
        #[serde(flatten)]
        handshake: RawHandshake,
        response: Option<RawResponse>,
    }
    for (key, _, example) in [handshakes::KEYS, handshakes::HMAC].concat() {
        assert!(example.contains(key), "{example}");
        let query = if example.starts_with("query") { "" } else { "query = \"q\"\n" };
        let made = example.contains("hmac") && !example.contains("{hmac}");
        let used = if made { "\ntext = \"{hmac}\"" } else { "" };
        let written: RawHandshake = toml::from_str(&format!("{query}{example}{used}")).unwrap();
        if let Err(error) = Handshake::try_from(written) {
            panic!("{example}: {error}");
        }
    }
    for (key, _, example) in handshakes::RESPONSE {
        assert!(example.contains(key), "{example}");
        let written: Written = toml::from_str(example).unwrap();
        assert_eq!(written.handshake, RawHandshake::default());
        assert!(written.response.unwrap().check().is_ok(), "{example}");
    }
}

/// As they stand, in a module file. Those of handshakes and answers are applied in tests/it/handshakes.
#[test]
fn the_first_examples_are_a_source() {
    let module = "[module]\nslug = \"m\"\nmatch = [\"a\"]\n[module.fields]\na = \"text\"\n";
    let rule = "\n[[source.rule]]\nfrom = \"$.a\"\nto = \"a\"\n";
    let own = format!("[[source]]\nslug = \"acme\"\n{}", words::UNKNOWN);
    for source in [words::KNOWN, &own] {
        let text = format!("{module}{source}{rule}");
        let checked = Document::read("m.toml", &text).check(&Bounds::default());
        let checked = checked.unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
        assert!(checked.sources[0].settings.signature.is_some());
    }
}

#[test]
fn everyone_is_on_the_page() {
    let page = page();
    for preset in preset::all() {
        assert!(page.contains(&format!("<code>{}</code>", preset.name)), "{}", preset.name);
    }
    let refused = preset::all().iter().filter(|preset| preset.scheme.is_err()).count();
    assert_eq!(page.matches("<td id=\"sender-").count() + refused, preset::all().len());
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    for outside in ["<script", "<link", "src=", "url(", "onclick", "href=\"http", "<code></code>"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn every_place_of_the_contents_is_there() {
    let page = page();
    let ids = Regex::new("id=\"([^\"]+)\"").unwrap();
    let ids: Vec<_> = ids.captures_iter(&page).map(|found| found[1].to_owned()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id stands twice");
    for link in Regex::new("href=\"#([^\"]+)\"").unwrap().captures_iter(&page) {
        assert!(ids.contains(&link[1].to_owned()), "{}", &link[1]);
    }
}

#[test]
fn every_refusal_has_a_line() {
    let codes: BTreeSet<_> = REFUSALS.iter().map(|(code, _)| code.as_str()).collect();
    for refusal in [
        crate::verify::Refusal::Missing,
        crate::verify::Refusal::Lacking("x".into()),
        crate::verify::Refusal::Malformed,
        crate::verify::Refusal::Stale,
        crate::verify::Refusal::Mismatch,
        crate::verify::Refusal::NoSecret,
    ] {
        assert!(codes.contains(refusal.code().as_str()));
    }
}
