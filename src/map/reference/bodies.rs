//! Bodies: what each content type becomes for the rules, by example.

use super::{Prose, Row};
use crate::map::body::{CONTENT_TYPES, Format, shown};
use crate::map::form;
use crate::map::lines::MOST_LINES;

/// A body, and the document that it is read as, in JSON.
pub(super) struct Sample {
    pub format: Format,
    pub title: &'static str,
    pub sent: &'static str,
    pub document: &'static str,
}

impl Sample {
    /// The first of its format.
    pub fn content_type(&self) -> &'static str {
        let named = CONTENT_TYPES.iter().find(|(format, _)| *format == self.format);
        named.and_then(|(_, names)| names.first()).copied().unwrap_or_default()
    }
}

/// By content type.
pub(super) fn formats() -> Vec<(String, Prose)> {
    CONTENT_TYPES.iter().map(|(format, names)| (shown(names), Prose(meaning(*format)))).collect()
}

fn meaning(format: Format) -> String {
    match format {
        Format::Json => {
            "The document as it was sent. Of a JSON array, `each = \"$[*]\"` makes a record of each item.".to_owned()
        }
        Format::Lines => format!(
            "NDJSON: each line is a JSON document, and what rules see is the array of them, at most {MOST_LINES}; \
             `each = \"$[*]\"` makes a record of each line. Blank lines count for nothing."
        ),
        Format::Xml => "An object with the root element by its name; see below.".to_owned(),
        Format::Form => format!(
            "An object of texts, at most {} pairs. A name that is repeated is an array of texts. A single field \
             `payload` is read as the JSON that it holds.",
            form::MOST_PAIRS
        ),
    }
}

pub(super) fn samples() -> [Sample; 4] {
    [
        Sample {
            format: Format::Form,
            title: "A form",
            sent: "name=Ada+Lovelace&tag=new&tag=b2b&total=12.50",
            document: r#"{ "name": "Ada Lovelace", "tag": ["new", "b2b"], "total": "12.50" }"#,
        },
        Sample {
            format: Format::Form,
            title: "A form around JSON",
            sent: "payload=%7B%22number%22%3A1001%7D",
            document: r#"{ "number": 1001 }"#,
        },
        Sample {
            format: Format::Lines,
            title: "NDJSON",
            sent: "{ \"sku\": \"A-1\", \"qty\": 2 }\n{ \"sku\": \"B-2\", \"qty\": 5 }\n",
            document: r#"[{ "sku": "A-1", "qty": 2 }, { "sku": "B-2", "qty": 5 }]"#,
        },
        Sample { format: Format::Xml, title: "XML", sent: XML, document: DOCUMENT },
    ]
}

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<shop:order xmlns:shop="urn:example:shop" number="1001">
  <buyer>Ada &amp; Co</buyer>
  <line sku="A-1">2</line>
  <line sku="B-2">5</line>
  <total currency="EUR">12.50</total>
  <gift/>
  <note><![CDATA[Ring <twice>]]></note>
</shop:order>
"#;

const DOCUMENT: &str = r##"{
  "shop:order": {
    "@xmlns:shop": "urn:example:shop",
    "@number": "1001",
    "buyer": "Ada & Co",
    "line": [
      { "@sku": "A-1", "#text": "2" },
      { "@sku": "B-2", "#text": "5" }
    ],
    "total": { "@currency": "EUR", "#text": "12.50" },
    "gift": "",
    "note": "Ring <twice>"
  }
}"##;

/// What stands in XML, and what becomes of it.
pub(super) fn xml() -> Vec<Row> {
    let row = |part: &str, meaning: &str| Row::new(part, meaning, "");
    vec![
        row("<a>text</a>", "The text, as it stands, white space included (`trim` takes that off)."),
        row("<a/>", "An empty text; `on_empty` says what that means. `<a></a>` is the same."),
        row("<a b=\"1\">", "An object; each attribute is a text under `@` and its name."),
        row("<a><b/></a>", "An object; each element inside stands under its name."),
        row("<a><b/><b/></a>", "Elements of one name are an array, in their order. One alone is none."),
        row(
            "<a b=\"1\">text</a>",
            "Text beside attributes or elements stands under `#text`; white space that only sets elements apart is \
             left out.",
        ),
        row("<shop:a>", "Names keep their prefix as it is written; `xmlns` is an attribute like others."),
        row("<![CDATA[…]]>", "Text."),
        row("<!-- … -->", "Nothing; nor are processing instructions anything."),
        row("<!DOCTYPE …>", "Is refused (400), and so is every entity but lt, gt, amp, apos and quot."),
    ]
}

/// Paths, and what they find in the sample of XML.
pub(super) fn paths() -> Vec<Row> {
    vec![
        Row::new("$['shop:order'].buyer", "An element.", r#""Ada & Co""#),
        Row::new("$['shop:order']['@number']", "An attribute.", r#""1001""#),
        Row::new("$['shop:order'].total['#text']", "The text of an element that has attributes, too.", r#""12.50""#),
        Row::new("$['shop:order'].line[*]['#text']", "The text of each element of an array.", r#""2", "5""#),
        Row::new(
            "$['shop:order']..[?@['@sku']]['@sku']",
            "Of each element that has a `sku`, also when it is the only one: then `line` is no array, and `line[*]` would \
             find what is inside of it. Take `each` so, too: `$['shop:order']..[?@['@sku']]`.",
            r#""A-1", "B-2""#,
        ),
    ]
}
