//! What a sender signs, written as a text with parts in braces: `v0:{timestamp}:{body}`. Compiled when saved: an
//! unknown part or a brace that is not closed must never become a literal, since a message without the body in it
//! would let one captured signature vouch for any payload.

use std::borrow::Cow;

use http::HeaderName;
use serde_json::Value;

use super::request::Request;
use crate::condition::Work;
use crate::condition::path::{Found, Path};

/// The longest template, in bytes.
const LONGEST: usize = 1_024;
/// What reading JSON paths of one template may cost.
const WORK: u64 = 1_000_000;

/// A checked template.
#[derive(Clone, Debug)]
pub struct Template(Vec<Group>);

/// Parts that stand or fall together: one that may be left out does so when something in it is missing.
#[derive(Clone, Debug)]
struct Group {
    may_lack: bool,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    source: Source,
    modifiers: Vec<Modifier>,
    /// As it was written, for messages.
    text: Box<str>,
}

#[derive(Clone, Debug)]
enum Source {
    Literal(Box<str>),
    Body,
    Timestamp,
    Secret,
    Hmac,
    Method,
    Url,
    Path,
    Header(HeaderName),
    Query(Box<str>),
    Form(Box<str>),
    SortedForm,
    Json(Path),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Modifier {
    Lower,
    Decoded,
    /// What is not there, or null, is an empty text.
    Empty,
}

/// One piece of what is signed. The secret is filled in by whoever tries secrets.
pub enum Piece<'a> {
    Bytes(Cow<'a, [u8]>),
    Secret,
}

/// What a template is filled with.
#[derive(Clone, Copy)]
pub struct Filling<'a> {
    pub request: &'a Request<'a>,
    pub timestamp: Option<&'a str>,
    /// Of a handshake's answer.
    pub hmac: Option<&'a str>,
}

/// A part that the request does not have, as the template names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking(pub Box<str>);

impl Template {
    /// # Errors
    /// What is wrong with it, for an admin.
    pub fn compile(texts: &[String]) -> Result<Self, String> {
        if texts.iter().map(String::len).sum::<usize>() > LONGEST {
            return Err(format!("a template has at most {LONGEST} bytes"));
        }
        let group = |text: &String| match text.strip_prefix('?') {
            Some(text) => Ok(Group { may_lack: true, parts: parts(text)? }),
            None => Ok(Group { may_lack: false, parts: parts(text)? }),
        };
        texts.iter().map(group).collect::<Result<_, String>>().map(Self)
    }

    pub fn fill<'a>(&'a self, filling: Filling<'a>) -> Result<Vec<Piece<'a>>, Lacking> {
        let work = Work::new(WORK);
        let mut pieces = Vec::with_capacity(4);
        for group in &self.0 {
            let before = pieces.len();
            for part in &group.parts {
                match part.piece(filling, &work) {
                    Some(piece) => pieces.push(piece),
                    None if group.may_lack => {
                        pieces.truncate(before);
                        break;
                    }
                    None => return Err(Lacking(part.text.clone())),
                }
            }
        }
        Ok(pieces)
    }

    /// Filled, as a text. Nothing where it is not UTF-8, or holds the secret.
    pub fn text(&self, filling: Filling<'_>) -> Result<String, Lacking> {
        let mut text = String::new();
        for piece in self.fill(filling)? {
            let Piece::Bytes(bytes) = piece else { return Err(Lacking("secret".into())) };
            text.push_str(std::str::from_utf8(&bytes).map_err(|_| Lacking("UTF-8".into()))?);
        }
        Ok(text)
    }

    fn has(&self, is_it: impl Fn(&Source) -> bool) -> bool {
        self.0.iter().filter(|group| !group.may_lack).flat_map(|group| &group.parts).any(|part| is_it(&part.source))
    }

    /// Whether all of the body is in it, whatever the request lacks.
    pub fn covers_body(&self) -> bool {
        self.has(|source| matches!(source, Source::Body | Source::SortedForm))
    }

    pub fn has_timestamp(&self) -> bool {
        self.has(|source| matches!(source, Source::Timestamp))
    }

    pub fn has_secret(&self) -> bool {
        self.has(|source| matches!(source, Source::Secret))
    }

    pub fn has_url(&self) -> bool {
        self.has(|source| matches!(source, Source::Url))
    }

    pub fn has_form(&self) -> bool {
        self.has(|source| matches!(source, Source::SortedForm | Source::Form(_)))
    }

    pub fn has_hmac(&self) -> bool {
        self.has(|source| matches!(source, Source::Hmac))
    }

    /// Whether the URL is in it, or a part of it.
    pub fn looks_at_url(&self) -> bool {
        let parts = self.0.iter().flat_map(|group| &group.parts);
        parts.into_iter().any(|part| matches!(part.source, Source::Url | Source::Path | Source::Query(_)))
    }

    /// The headers that are always signed.
    pub fn headers(&self) -> impl Iterator<Item = &HeaderName> {
        self.0.iter().filter(|group| !group.may_lack).flat_map(|group| &group.parts).filter_map(|part| {
            match &part.source {
                Source::Header(name) => Some(name),
                _ => None,
            }
        })
    }
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find(['{', '}']) {
        let (before, found) = rest.split_at(at);
        literal.push_str(before);
        if let Some(after) = found.strip_prefix("{{").or_else(|| found.strip_prefix("}}")) {
            literal.push_str(&found[..1]);
            rest = after;
            continue;
        }
        let Some(inner) = found.strip_prefix('{') else {
            return Err(format!("`{text}` has a `}}` that closes nothing; write `}}}}` for the character itself"));
        };
        let end = closing(inner)
            .ok_or_else(|| format!("`{text}` has a `{{` that is not closed; write `{{{{` for the character itself"))?;
        parts.extend(of_literal(&mut literal));
        parts.push(Part::compile(&inner[..end])?);
        rest = &inner[end + 1..];
    }
    literal.push_str(rest);
    parts.extend(of_literal(&mut literal));
    Ok(parts)
}

/// The brace that ends a part; those in quotes, as paths have them, do not.
fn closing(inner: &str) -> Option<usize> {
    let mut quote = None;
    for (at, char) in inner.char_indices() {
        match (quote, char) {
            (None, '\'' | '"') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            (None, '}') => return Some(at),
            (None, '{') => return None,
            _ => {}
        }
    }
    None
}

fn of_literal(literal: &mut String) -> Option<Part> {
    let text: Box<str> = std::mem::take(literal).into();
    (!text.is_empty()).then(|| Part { source: Source::Literal(text.clone()), modifiers: Vec::new(), text })
}

const PARTS: &str = "{body}, {timestamp}, {secret}, {method}, {url}, {path}, {header:Name}, {query:name}, {form:name}, \
                     {form} and {json:$.path}";

impl Part {
    fn compile(text: &str) -> Result<Self, String> {
        let (source, modifiers) = split_modifiers(text);
        let modifiers = modifiers.into_iter().map(Modifier::read).collect::<Result<_, _>>()?;
        Ok(Self { source: Source::compile(source)?, modifiers, text: text.into() })
    }

    fn piece<'a>(&'a self, filling: Filling<'a>, work: &Work) -> Option<Piece<'a>> {
        if matches!(self.source, Source::Secret) {
            return Some(Piece::Secret);
        }
        let found = match self.source.find(filling, work) {
            None if self.modifiers.contains(&Modifier::Empty) && self.source.is_absent(filling, work) => {
                Cow::Borrowed(&b""[..])
            }
            found => found?,
        };
        let changed = self.modifiers.iter().try_fold(found, |bytes, modifier| modifier.apply(bytes))?;
        Some(Piece::Bytes(changed))
    }
}

/// A `|` that a path has in brackets or quotes is its own.
fn split_modifiers(text: &str) -> (&str, Vec<&str>) {
    let mut end = text.len();
    let mut modifiers = Vec::new();
    while let Some(at) = text[..end].rfind('|') {
        let word = &text[at + 1..end];
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            break;
        }
        modifiers.push(word);
        end = at;
    }
    modifiers.reverse();
    (&text[..end], modifiers)
}

impl Source {
    fn compile(text: &str) -> Result<Self, String> {
        let unknown = || format!("there is no part `{{{text}}}`; there are {PARTS}");
        match text.split_once(':') {
            None => match text {
                "body" => Ok(Self::Body),
                "timestamp" => Ok(Self::Timestamp),
                "secret" => Ok(Self::Secret),
                "hmac" => Ok(Self::Hmac),
                "method" => Ok(Self::Method),
                "url" => Ok(Self::Url),
                "path" => Ok(Self::Path),
                "form" => Ok(Self::SortedForm),
                _ => Err(unknown()),
            },
            Some((_, "")) => Err(unknown()),
            Some(("header", name)) => {
                let name = HeaderName::from_bytes(name.as_bytes());
                name.map(Self::Header).map_err(|_| format!("`{{{text}}}` does not name a header"))
            }
            Some(("query", name)) => Ok(Self::Query(name.into())),
            Some(("form", name)) => Ok(Self::Form(name.into())),
            Some(("json", path)) => Path::compile(path).map(Self::Json).map_err(|error| error.to_string()),
            Some(_) => Err(unknown()),
        }
    }

    fn find<'a>(&'a self, filling: Filling<'a>, work: &Work) -> Option<Cow<'a, [u8]>> {
        let request = filling.request;
        let borrowed = |text: &'a str| Some(Cow::Borrowed(text.as_bytes()));
        match self {
            Self::Literal(text) => borrowed(text),
            Self::Body => Some(Cow::Borrowed(request.signed.body)),
            Self::Timestamp => borrowed(filling.timestamp?),
            Self::Hmac => borrowed(filling.hmac?),
            Self::Method => borrowed(request.signed.method),
            Self::Url => borrowed(request.signed.url),
            Self::Path => borrowed(request.signed.path),
            Self::Header(name) => request.header(name).map(Cow::Borrowed),
            Self::Query(name) => request.query(name).map(owned),
            Self::Form(name) => request.form(name).map(owned),
            Self::SortedForm => Some(Cow::Owned(request.sorted_form()?.into_bytes())),
            Self::Json(path) => scalar(path, request.json()?, work),
            Self::Secret => None,
        }
    }
}

impl Source {
    /// Nothing stands there at all: several are not nothing.
    fn is_absent(&self, filling: Filling<'_>, work: &Work) -> bool {
        let request = filling.request;
        match self {
            Self::Header(name) => !request.signed.headers.contains_key(name),
            Self::Query(name) => !request.has_query(name),
            Self::Form(name) => !request.has_form(name),
            Self::Json(path) => request.json().is_some_and(|document| match path.find_within(document, work) {
                Ok(Found::Missing | Found::One(Value::Null)) => true,
                Ok(Found::Many(nodes)) => nodes.is_empty() || matches!(nodes[..], [Value::Null]),
                _ => false,
            }),
            _ => false,
        }
    }
}

fn owned(text: &str) -> Cow<'_, [u8]> {
    Cow::Borrowed(text.as_bytes())
}

/// The one scalar that a path selects. Several are none: what is signed must be one thing.
fn scalar<'a>(path: &Path, document: &'a Value, work: &Work) -> Option<Cow<'a, [u8]>> {
    let node = match path.find_within(document, work).ok()? {
        Found::One(node) => node,
        Found::Many(nodes) => match nodes[..] {
            [node] => node,
            _ => return None,
        },
        Found::Missing => return None,
    };
    match node {
        Value::String(text) => Some(Cow::Borrowed(text.as_bytes())),
        Value::Number(number) => Some(Cow::Owned(number.as_str().as_bytes().to_vec())),
        Value::Bool(true) => Some(Cow::Borrowed(b"true")),
        Value::Bool(false) => Some(Cow::Borrowed(b"false")),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The characters that HubSpot's v3 signature has unescaped in the URL (its documentation lists them).
const DECODED: [(&str, &str); 11] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
];

impl Modifier {
    fn read(word: &str) -> Result<Self, String> {
        match word {
            "lower" => Ok(Self::Lower),
            "decoded" => Ok(Self::Decoded),
            "empty" => Ok(Self::Empty),
            _ => Err(format!("there is no modifier `|{word}`; there are |lower, |decoded and |empty")),
        }
    }

    /// Only a text can be changed.
    fn apply<'a>(self, bytes: Cow<'a, [u8]>) -> Option<Cow<'a, [u8]>> {
        if self == Self::Empty {
            return Some(bytes);
        }
        let text = std::str::from_utf8(&bytes).ok()?;
        let changed = match self {
            Self::Lower => text.to_lowercase(),
            Self::Decoded => decoded(text),
            Self::Empty => return Some(bytes),
        };
        Some(Cow::Owned(changed.into_bytes()))
    }
}

fn decoded(text: &str) -> String {
    let mut whole = text.to_owned();
    for (escape, char) in DECODED.iter().chain(&[("%3B", ";")]) {
        whole = whole.replace(escape, char).replace(&escape.to_ascii_lowercase(), char);
    }
    whole
}

#[cfg(test)]
mod tests;
