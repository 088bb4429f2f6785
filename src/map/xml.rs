//! Bodies as XML 1.0, for senders that know nothing else. The document that rules see is an object with the root element
//! by its name. An element is its text when it has neither attributes nor elements inside, an empty text when it has
//! nothing at all; else an object: attributes as `@name`, elements by their names, several of one name as an array, text
//! beside them as `#text`. Names stay as they are written, prefix and all: namespaces are not resolved, and their
//! declarations are attributes like others.
//!
//! There is no document type and so no entity but the five that XML has itself: what a body can be expanded to is the
//! body. `quick_xml` finds where each piece of markup begins and ends, and that tags fit each other; it is made to be
//! lenient inside of them, so each piece is checked here.

mod declaration;
mod text;
mod write;

use quick_xml::Reader;
use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::Event;
use serde_json::{Map, Value};

use super::json::{self, BadBody, Fault, MOST_DEPTH};
pub use write::write;

use text::{Attributes, attribute_value, is_blank, is_legal, is_name, name_length, push_lines, reference};

/// The most attributes of one element.
pub const MOST_ATTRIBUTES: usize = 1_000;

const MARK: &str = "\u{feff}";

/// Reads the one element that fills the body, comments and the like aside.
pub fn parse(bytes: &[u8]) -> Result<Value, BadBody> {
    let whole = json::text(bytes)?;
    let text = whole.strip_prefix(MARK).unwrap_or(whole);
    let mark = whole.len() - text.len();
    read(text).map_err(|(code, what, at)| BadBody::new(code, what, mark + at, bytes))
}

fn fault(what: &'static str, at: usize) -> Fault {
    ("invalid_xml", what, at)
}

fn read(text: &str) -> Result<Value, Fault> {
    if is_blank(text) {
        return Err(("empty_body", "the body is empty", 0));
    }
    if let Some((at, _)) = text.char_indices().find(|(_, char)| !is_legal(*char)) {
        return Err(fault("a character that XML does not know", at));
    }
    if text.starts_with(MARK) {
        return Err(fault("a second byte order mark", 0));
    }
    let document = Tree { text, open: Vec::new(), root: None }.read()?;
    if depth(&document) > MOST_DEPTH {
        let what = "elements are nested and repeated more than 100 objects and arrays deep";
        return Err(("too_deep", what, 0));
    }
    Ok(document)
}

/// The elements that are open, the root first, and the root once it is closed.
struct Tree<'a> {
    text: &'a str,
    open: Vec<Element<'a>>,
    root: Option<(&'a str, Value)>,
}

struct Element<'a> {
    name: &'a str,
    /// Attributes and the elements inside that are closed.
    members: Map<String, Value>,
    /// All of its text so far.
    text: String,
    /// Where in `text` that begins which no element has ended yet.
    run: usize,
}

impl<'a> Tree<'a> {
    fn read(mut self) -> Result<Value, Fault> {
        let mut reader = Reader::from_str(self.text);
        loop {
            let at = place(reader.buffer_position());
            // Before the reader takes the trouble to find its end.
            if self.text[at..].starts_with("<!D") || self.text[at..].starts_with("<!d") {
                return Err(("xml_doctype", "a document type declaration", at));
            }
            let event = reader.read_event();
            let event = event.map_err(|error| fault(what(&error), place(reader.error_position())))?;
            if matches!(event, Event::Eof) {
                return self.end();
            }
            let piece = &self.text[at..place(reader.buffer_position())];
            self.take(&event, piece, at)?;
        }
    }

    fn take(&mut self, event: &Event<'_>, piece: &'a str, at: usize) -> Result<(), Fault> {
        match event {
            Event::Start(_) => self.opened(inside(piece, "<", ">", at)?, at + 1),
            Event::Empty(_) => {
                self.opened(inside(piece, "<", "/>", at)?, at + 1)?;
                self.closed(at)
            }
            Event::End(_) => self.closed(at),
            Event::Text(_) => self.text(piece, at),
            Event::CData(_) => {
                let text = inside(piece, "<![CDATA[", "]]>", at)?;
                push_lines(&mut self.innermost(at)?.text, text);
                Ok(())
            }
            Event::GeneralRef(_) => {
                let char = reference(inside(piece, "&", ";", at)?).map_err(|what| fault(what, at))?;
                self.innermost(at)?.text.push(char);
                Ok(())
            }
            Event::Comment(_) => comment(inside(piece, "<!--", "-->", at)?, at),
            Event::Decl(_) if at == 0 => declaration::check(inside(piece, "<?xml", "?>", at)?, at + "<?xml".len()),
            Event::Decl(_) => Err(fault("an XML declaration that is not at the beginning of the body", at)),
            Event::PI(_) => instruction(inside(piece, "<?", "?>", at)?, at),
            Event::DocType(_) => Err(("xml_doctype", "a document type declaration", at)),
            Event::Eof => Ok(()),
        }
    }

    /// `tag` is what stands between the brackets.
    fn opened(&mut self, tag: &'a str, at: usize) -> Result<(), Fault> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(fault("a second element beside the root", at - 1));
        }
        if self.open.len() == MOST_DEPTH {
            return Err(("too_deep", "elements are nested more than 100 deep", at - 1));
        }
        let (name, rest) = tag.split_at(name_length(tag));
        if !is_name(name) {
            return Err(fault("expected the name of an element", at));
        }
        let members = members(Attributes::new(rest, at + name.len()))?;
        if let Some(around) = self.open.last_mut() {
            around.end_run();
        }
        self.open.push(Element { name, members, text: String::new(), run: 0 });
        Ok(())
    }

    fn closed(&mut self, at: usize) -> Result<(), Fault> {
        let element = self.open.pop().ok_or_else(|| fault("an end tag that ends nothing", at))?;
        let (name, value) = (element.name, element.value());
        match self.open.last_mut() {
            Some(around) => add(&mut around.members, name, value),
            None => self.root = Some((name, value)),
        }
        Ok(())
    }

    fn text(&mut self, piece: &str, at: usize) -> Result<(), Fault> {
        if self.open.is_empty() && is_blank(piece) {
            return Ok(());
        }
        if let Some(place) = piece.find("]]>") {
            return Err(fault("`]]>` stands in text; its last character is written `&gt;` there", at + place));
        }
        push_lines(&mut self.innermost(at)?.text, piece);
        Ok(())
    }

    fn innermost(&mut self, at: usize) -> Result<&mut Element<'a>, Fault> {
        self.open.last_mut().ok_or_else(|| fault("text outside of the root element", at))
    }

    fn end(self) -> Result<Value, Fault> {
        let at = self.text.len();
        match self.root {
            Some((name, value)) if self.open.is_empty() => {
                Ok(Value::Object(Map::from_iter([(name.to_owned(), value)])))
            }
            None if self.open.is_empty() => Err(fault("the body ends without an element", at)),
            _ => Err(fault("the body ends inside an element", at)),
        }
    }
}

impl Element<'_> {
    /// White space that only keeps elements apart is no text.
    fn end_run(&mut self) {
        if is_blank(&self.text[self.run..]) {
            self.text.truncate(self.run);
        }
        self.run = self.text.len();
    }

    fn value(mut self) -> Value {
        if self.members.is_empty() {
            return Value::String(self.text);
        }
        self.end_run();
        if !self.text.is_empty() {
            self.members.insert("#text".to_owned(), Value::String(self.text));
        }
        Value::Object(self.members)
    }
}

/// Under a name that stands already it becomes one more of an array. A value on its own is never an array.
fn add(members: &mut Map<String, Value>, name: &str, value: Value) {
    match members.get_mut(name) {
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None => drop(members.insert(name.to_owned(), value)),
    }
}

fn members(attributes: Attributes<'_>) -> Result<Map<String, Value>, Fault> {
    let mut members = Map::new();
    for attribute in attributes {
        let attribute = attribute?;
        if members.len() == MOST_ATTRIBUTES {
            return Err(fault("an element has more than 1,000 attributes", attribute.at));
        }
        let value = attribute_value(attribute.value, attribute.value_at)?;
        if members.insert(format!("@{}", attribute.name), Value::String(value)).is_some() {
            return Err(fault("the element has this attribute twice", attribute.at));
        }
    }
    Ok(members)
}

fn comment(text: &str, at: usize) -> Result<(), Fault> {
    // With its end that would make `--->`.
    let holds_end = text.contains("--") || text.ends_with('-');
    if holds_end { Err(fault("a comment holds `--`", at)) } else { Ok(()) }
}

fn instruction(text: &str, at: usize) -> Result<(), Fault> {
    let (target, rest) = text.split_at(name_length(text));
    let is_apart = rest.is_empty() || rest.starts_with(text::BLANKS);
    if !is_name(target) || !is_apart || target.eq_ignore_ascii_case("xml") {
        return Err(fault("a processing instruction without a right name", at));
    }
    Ok(())
}

fn inside<'a>(piece: &'a str, open: &str, close: &str, at: usize) -> Result<&'a str, Fault> {
    let inside = piece.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    inside.ok_or_else(|| fault("markup that cannot be read", at))
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// The crate's own messages repeat names of the body.
fn what(error: &Error) -> &'static str {
    match error {
        Error::Syntax(SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl) => {
            "markup that begins here with `<?` has no end"
        }
        Error::Syntax(SyntaxError::UnclosedComment) => "a comment that begins here has no end",
        Error::Syntax(SyntaxError::UnclosedCData) => "a CDATA section that begins here has no end",
        Error::Syntax(SyntaxError::UnclosedTag) => "a tag that begins here has no end",
        Error::Syntax(
            SyntaxError::UnclosedSingleQuotedAttributeValue | SyntaxError::UnclosedDoubleQuotedAttributeValue,
        ) => "the tag that begins here has an attribute without its closing quote",
        Error::Syntax(_) => "no markup begins so",
        Error::IllFormed(IllFormedError::UnmatchedEndTag(_)) => "an end tag that ends nothing",
        Error::IllFormed(IllFormedError::MismatchedEndTag { .. }) => {
            "the end tag is not that of the element that is open"
        }
        Error::IllFormed(IllFormedError::UnclosedReference) => {
            "`&` begins a reference that has no `;`; alone it is written `&amp;`"
        }
        _ => "the body is not XML",
    }
}

/// Objects and arrays around the innermost value. An element gives no more than two, and elements are bounded.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
