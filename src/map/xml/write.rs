//! A document as XML: what reading made of it, the other way round. The order of elements of different names is not in
//! the document, and neither are comments and the declaration.

use serde_json::{Map, Value};

/// None for what was not read from XML.
pub fn write(document: &Value) -> Option<String> {
    let mut text = String::new();
    let mut elements = document.as_object()?.iter();
    match (elements.next(), elements.next()) {
        (Some((name, root)), None) if !root.is_array() => element(name, root, &mut text)?,
        _ => return None,
    }
    Some(text)
}

fn element(name: &str, value: &Value, text: &mut String) -> Option<()> {
    match value {
        Value::Array(all) => all.iter().try_for_each(|one| element(name, one, text)),
        Value::Object(members) => {
            opened(name, members, text)?;
            if let Some(own) = members.get("#text") {
                escape(own.as_str()?, text);
            }
            let inside = members.iter().filter(|(name, _)| !name.starts_with(['@', '#']));
            inside.into_iter().try_for_each(|(name, value)| element(name, value, text))?;
            closed(name, text);
            Some(())
        }
        scalar => {
            opened(name, &Map::new(), text)?;
            escape(scalar.as_str()?, text);
            closed(name, text);
            Some(())
        }
    }
}

fn opened(name: &str, members: &Map<String, Value>, text: &mut String) -> Option<()> {
    text.push('<');
    text.push_str(name);
    for (name, value) in members.iter().filter_map(|(name, value)| Some((name.strip_prefix('@')?, value))) {
        text.extend([" ", name, "=\""]);
        escape(value.as_str()?, text);
        text.push('"');
    }
    text.push('>');
    Some(())
}

fn closed(name: &str, text: &mut String) {
    text.extend(["</", name, ">"]);
}

/// So that it means itself in an element and in an attribute, where white space is not kept.
fn escape(plain: &str, text: &mut String) {
    for char in plain.chars() {
        match char {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\t' => text.push_str("&#9;"),
            '\n' => text.push_str("&#10;"),
            '\r' => text.push_str("&#13;"),
            char => text.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::xml::parse;

    #[test]
    fn what_is_written_reads_as_it_was() {
        for body in [
            "<a/>",
            "<a>x</a>",
            "<a b=\"1 &#10; 2\" c='&apos;&quot;'>x &lt;&amp;&gt; <d/>y<d e=\"\"/> z</a>",
            "<ns:a xmlns:ns=\"urn:x\"><ns:b>1</ns:b><c>2</c><ns:b><d>&#13;</d></ns:b></ns:a>",
            "<a>\n  <b> kept </b>\n</a>",
            "<a><![CDATA[<b>]]]]><![CDATA[>]]></a>",
        ] {
            let document = parse(body.as_bytes()).unwrap();
            let written = write(&document).unwrap();
            assert_eq!(parse(written.as_bytes()).unwrap(), document, "{body}: {written}");
        }
    }

    #[test]
    fn what_was_never_xml_has_no_words() {
        for text in ["1", "{}", r#"{"a":"","b":""}"#, r#"{"a":[]}"#, r#"{"a":1}"#, r#"{"a":{"@b":[]}}"#] {
            assert_eq!(write(&serde_json::from_str(text).unwrap()), None, "{text}");
        }
    }
}
