//! What an admin gets wrong in a module file, and what is answered. The snapshot is there to be read: does each message
//! name the line, the rule, and what to write instead?

use std::fmt::Write;

use serde::Deserialize;
use tidegate::config::Bounds;
use tidegate::source::document::{Document, FileError};

const DATA: &str = include_str!("../data/mistakes.toml");
const FILE: &str = "work-orders.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistakes {
    base: String,
    mistake: Vec<Mistake>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    did: String,
    #[serde(default)]
    legal: bool,
    replace: Option<String>,
    with: Option<String>,
    text: Option<String>,
}

impl Mistake {
    fn text(&self, base: &str) -> String {
        match (&self.replace, &self.with, &self.text) {
            (Some(old), Some(new), None) => {
                assert!(base.contains(old.as_str()), "{}: the good file has no {old:?}", self.did);
                base.replacen(old.as_str(), new, 1)
            }
            (None, None, Some(text)) => text.trim_start().to_owned(),
            _ => panic!("{}: `replace` and `with`, or `text`", self.did),
        }
    }
}

fn mistakes() -> Mistakes {
    toml::from_str(DATA).unwrap()
}

fn errors(text: &str) -> Vec<FileError> {
    Document::read(FILE, text).check(&Bounds::default()).err().unwrap_or_default()
}

#[test]
fn every_mistake_is_told_with_a_way_out() {
    let Mistakes { base, mistake: mistakes } = mistakes();
    let base = base.trim_start();
    assert_eq!(errors(base), [], "the file that is edited is good");
    assert!(mistakes.len() >= 60);
    let (mut told, mut untold) = (String::new(), Vec::new());
    for mistake in &mistakes {
        let text = mistake.text(base);
        let errors = errors(&text);
        if errors.is_empty() != mistake.legal {
            untold.push(&mistake.did);
        }
        writeln!(told, "# {}", mistake.did).unwrap();
        for error in errors {
            let line = error.line.unwrap_or_else(|| panic!("{}: no line: {}", mistake.did, error.detail));
            let there = text.lines().nth(line - 1).unwrap_or_default();
            writeln!(told, "    {line} | {there}").unwrap();
            let field = error.field.map(|field| format!("{field}: ")).unwrap_or_default();
            writeln!(told, "  {field}{}", error.detail).unwrap();
        }
        told.push('\n');
    }
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("mistakes", told);
    });
    assert!(untold.is_empty(), "these pass, or fail against what they say: {untold:#?}");
}

/// Nothing that is answered may repeat what someone wrote as a secret.
#[test]
fn no_message_repeats_a_secret() {
    let Mistakes { base, .. } = mistakes();
    for with in [
        "secret = \"hunter2\"",
        "secret = hunter2",
        "secret = [\"hunter2\"]",
        "secret = { value = \"hunter2\" }",
        "secrit = \"hunter2\"",
        "secret = \"hunter2",
        "secret: \"hunter2\"",
        "key = \"hunter2\"",
    ] {
        let told = format!("{:?}", errors(&base.replacen("secret = \"env:ERP_SECRET\"", with, 1)));
        assert!(told.contains("line") && !told.contains("hunter2"), "{with}: {told}");
    }
    let lone = base.replacen("signature = {", "secret = \"hunter2\"\nsignature = {", 1);
    assert!(!format!("{:?}", errors(&lone)).contains("hunter2"));
}
