use serde_json::json;

use super::*;
use crate::config::Bounds;
use crate::source::document::{CheckedSource, Document};
use crate::verify::{RawSignature, Scheme};

fn read(source: &str) -> CheckedSource {
    let module = "[module]\nslug = \"m\"\nmatch = [\"a\"]\n[module.fields]\na = \"text\"\n";
    let text = format!("{module}{source}\n[[source.rule]]\nfrom = \"$.a\"\nto = \"a\"\n");
    let checked = Document::read("m.toml", &text).check(&Bounds::default());
    checked.unwrap_or_else(|errors| panic!("{errors:?}\n{text}")).sources.remove(0)
}

/// What is shown can be pasted: by name and described it is the same source.
#[test]
fn what_is_shown_is_a_module_file() {
    let mut described = 0;
    for preset in preset::all() {
        let Ok(scheme) = &preset.scheme else { continue };
        let by_preset = read(&source::by_preset(preset));
        assert_eq!(by_preset.settings.preset().unwrap().name, preset.name);
        assert_eq!(source::described(preset).is_none(), scheme.raw().fields_only, "{}", preset.name);
        let Some(text) = source::described(preset) else { continue };
        let whole = read(&text);
        let raw = |scheme: &Scheme| serde_json::to_value(RawSignature::from(scheme.clone())).unwrap();
        let (mut found, mut wanted) = (raw(whole.settings.signature.as_ref().unwrap()), raw(scheme));
        for raw in [&mut found, &mut wanted] {
            raw.as_object_mut().unwrap().entry("encoding").or_insert(json!("hex"));
        }
        assert_eq!(found, wanted, "{text}");
        assert_eq!(whole.settings.secret_names, by_preset.settings.secret_names);
        let handshakes: Vec<_> = preset.handshakes.iter().map(|handshake| handshake.raw.clone()).collect();
        assert_eq!((&whole.settings.handshake, &whole.settings.response), (&handshakes, &preset.response), "{text}");
        described += 1;
    }
    assert!(described > 0);
}

#[test]
fn a_preset_is_shown_with_what_to_paste() {
    let slack = preset::find("slack").unwrap();
    let shown = Shown {
        preset: slack.into(),
        vectors: vec!["vendor docs", "vendor docs"],
        source: Some(source::by_preset(slack)),
        described: source::described(slack),
    };
    let page = page(slack, &shown);
    for part in [
        "Slack\nHMAC-SHA256 in hex, header X-Slack-Signature, with a time\n\nSecret:   ",
        "Vectors:  vendor docs\n",
        "    signature = { preset = \"slack\", secret = \"env:SLACK_SECRET\" }",
        "    [source.signature]\n    header = \"X-Slack-Signature\"\n    prefix = \"v0=\"\n",
        "    timestamp = { header = \"X-Slack-Request-Timestamp\" }\n    message = \"v0:{timestamp}:{body}\"\n",
        "    [[source.handshake]]\n",
        "    text = \"{json:$.challenge}\"",
    ] {
        assert!(page.contains(part), "{part}\n---\n{page}");
    }
}

#[test]
fn a_table_is_as_wide_as_its_cells() {
    let rows = [["A", "B"], ["long", "x"], ["ü", "yy"]].map(|row| row.map(str::to_owned));
    assert_eq!(table(&rows), "A     B\nlong  x\nü     yy");
}

#[test]
fn a_mistyped_name_finds_its_preset() {
    let Err(Failure::Usage(detail)) = show("strip", Output::new(true)) else { panic!("it is shown") };
    assert_eq!(detail, "there is no preset `strip`; did you mean `stripe`?; `tidegate preset list` shows all");
}

#[test]
fn what_is_refused_stands_apart() {
    let refused = [Refused { name: "a", title: "A", reason: "it asks for the moon" }];
    let text = text(&refused);
    assert!(text.ends_with("\n\nRefused:\n  a (A): it asks for the moon"), "{text}");
    assert!(text.starts_with("NAME ") && text.lines().nth(1).is_some_and(|line| line.contains("HMAC")), "{text}");
}
