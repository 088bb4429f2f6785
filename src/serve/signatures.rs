//! The page of signatures: how a known sender is taken by name, how an unknown one is described, and who is known. Made
//! of the catalogue itself; what is prose is held to the code by tests. Like the other pages it stands alone.

mod handshakes;
mod keys;
mod words;

use askama::Template;

use crate::map::reference::{self, Prose};
use crate::problem::{self, Code};
use crate::verify::preset::{self, Preset};

/// Where it is served.
pub const PATH: &str = "/reference/signatures";

#[derive(Template)]
#[template(path = "signatures.html")]
struct Page {
    known: &'static str,
    unknown: &'static str,
    groups: Vec<(&'static str, Vec<Row>)>,
    words: Vec<(&'static str, Vec<Row>)>,
    times: Vec<Row>,
    claims: Vec<Row>,
    parts: Vec<Row>,
    modifiers: Vec<Row>,
    handshakes: Vec<Row>,
    hmac: Vec<Row>,
    responses: Vec<Row>,
    senders: Vec<Sender>,
    refused: Vec<Refused>,
    refusals: Vec<(&'static str, Prose)>,
    problems: &'static str,
    reference: &'static str,
}

/// A spelling, what it means, and how it is written.
struct Row {
    term: &'static str,
    meaning: Prose,
    example: &'static str,
}

/// Rows of `(term, meaning, example)`.
type Rows = &'static [(&'static str, &'static str, &'static str)];

fn rows(of: Rows) -> Vec<Row> {
    let row = |(term, meaning, example): &(&'static str, &'static str, &'static str)| Row {
        term,
        meaning: prose(meaning),
        example,
    };
    of.iter().map(row).collect()
}

fn prose(text: &str) -> Prose {
    Prose(text.to_owned())
}

struct Sender {
    name: &'static str,
    title: &'static str,
    signature: String,
    secret: Prose,
    event_type: &'static str,
    event_id: &'static str,
    handshake: bool,
}

struct Refused {
    name: &'static str,
    title: &'static str,
    reason: Prose,
}

/// Or why it is refused.
fn sender(preset: &'static Preset) -> Result<Sender, Refused> {
    let Preset { name, title, secret, .. } = preset;
    match &preset.scheme {
        Ok(scheme) => Ok(Sender {
            name,
            title,
            signature: scheme.in_words(),
            secret: prose(secret),
            event_type: preset.event_type.as_deref().unwrap_or_default(),
            event_id: preset.event_id.as_deref().unwrap_or_default(),
            handshake: !preset.handshakes.is_empty(),
        }),
        Err(reason) => Err(Refused { name, title, reason: prose(reason) }),
    }
}

const REFUSALS: [(Code, &str); 5] = [
    (Code::SignatureMissing, "The signature, or something that it covers, is not in the request."),
    (Code::SignatureMalformed, "What stands there has not the prefix, encoding or length of a signature."),
    (Code::TimestampOutsideTolerance, "The time of the sender is too far from now, or has not its form."),
    (Code::SignatureMismatch, "It was not made over this request with a secret of this source."),
    (Code::SignatureUnconfigured, "The source has no secret that could be one of this sender."),
];

/// The page, as HTML.
pub fn page() -> String {
    let (senders, refused): (Vec<_>, Vec<_>) = preset::all().iter().map(sender).partition(Result::is_ok);
    let page = Page {
        known: words::KNOWN,
        unknown: words::UNKNOWN,
        groups: keys::GROUPS.iter().map(|(name, keys)| (*name, rows(keys))).collect(),
        words: words::WORDS.iter().map(|(key, words)| (*key, rows(words))).collect(),
        times: rows(keys::TIMES),
        claims: rows(keys::CLAIMS),
        parts: rows(words::PARTS),
        modifiers: rows(words::MODIFIERS),
        handshakes: rows(handshakes::KEYS),
        hmac: rows(handshakes::HMAC),
        responses: rows(handshakes::RESPONSE),
        senders: senders.into_iter().filter_map(Result::ok).collect(),
        refused: refused.into_iter().filter_map(Result::err).collect(),
        refusals: REFUSALS.iter().map(|(code, meaning)| (code.as_str(), prose(meaning))).collect(),
        problems: problem::PATH,
        reference: reference::PATH,
    };
    // Rendering into a string only fails when a value's Display does; these are text.
    page.render().unwrap_or_default()
}

#[cfg(test)]
mod tests;
