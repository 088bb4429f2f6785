//! Which changed requests still say what was signed. This is the whole list; a request that is accepted and not in it
//! is a forgery. It is written from the vendors' documentation and shares no code with `verify`.

use std::collections::BTreeSet;

use serde_json::Value;

/// How a header is read that carries a signature.
#[derive(Clone, Copy)]
pub enum Reading {
    /// One text stands for one signature.
    Exact,
    /// Hexadecimal digits of either case, after this very prefix.
    Hex { prefix: &'static str },
    /// `key=value` elements: one of them the time, any that has the key a signature, others nothing. Space around keys
    /// and values is nothing.
    List { separator: char, time: &'static str, key: &'static str, is_hex: bool },
    /// Elements between spaces; those with the prefix are signatures, others nothing.
    Versions { prefix: &'static str },
}

/// What of the body is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Body {
    Bytes,
    /// Names and values, decoded, sorted and joined without anything between them: Twilio's own way, which takes the
    /// border between name and value for nothing.
    Form,
    /// Eight members of the one item. The signature stands beside them.
    Adyen,
    /// The value of `bt_payload`. The signature is a list in `bt_signature`, each after a key's public name that is not
    /// signed.
    Braintree,
    Unsigned,
}

/// What of the address is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Url {
    Nothing,
    Whole,
    /// Some escapes count as what they stand for.
    Unescaped,
    /// One parameter of the query.
    Parameter(&'static str),
}

/// What a secret's text stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SecretForm {
    Text,
    /// Digits of either case.
    Hex,
    /// Its padding may be left out.
    Base64,
}

impl Reading {
    pub fn is_alike(self, before: &str, after: &[u8]) -> bool {
        let Ok(after) = std::str::from_utf8(after) else { return false };
        match self {
            Self::Exact => after.trim() == before,
            Self::Hex { prefix } => {
                let digits = |text: &str| text.trim().strip_prefix(prefix).map(str::to_ascii_lowercase);
                digits(after) == digits(before)
            }
            Self::List { separator, time, key, is_hex } => {
                let of = |text: &str, wanted: &str| values(text, separator, wanted);
                let lower = |text: String| if is_hex { text.to_ascii_lowercase() } else { text };
                let signatures = |text: &str| of(text, key).into_iter().map(lower).collect::<BTreeSet<_>>();
                of(after, time) == of(before, time) && signatures(after).is_superset(&signatures(before))
            }
            Self::Versions { prefix } => {
                let signed = |text: &str| {
                    text.split(' ')
                        .filter_map(|one| Some(one.trim().strip_prefix(prefix)?.to_owned()))
                        .collect::<BTreeSet<_>>()
                };
                signed(after).is_superset(&signed(before))
            }
        }
    }
}

/// The values that a list has under a key.
fn values(text: &str, separator: char, wanted: &str) -> Vec<String> {
    let element = |element: &str| {
        let (key, value) = element.split_once('=')?;
        (key.trim() == wanted).then(|| value.trim().to_owned())
    };
    text.split(separator).filter_map(element).collect()
}

impl Body {
    pub fn is_alike(self, before: &[u8], after: &[u8]) -> bool {
        match self {
            Self::Bytes => before == after,
            Self::Form => glued(before) == glued(after),
            Self::Adyen => adyen(after).is_some_and(|after| Some(after) == adyen(before)),
            Self::Braintree => braintree(after).is_some_and(|after| Some(after) == braintree(before)),
            Self::Unsigned => true,
        }
    }
}

fn glued(body: &[u8]) -> String {
    let pairs: BTreeSet<_> = form_urlencoded::parse(body).into_owned().collect();
    pairs.into_iter().map(|(name, value)| name + &value).collect()
}

const ADYEN: [&str; 9] = [
    "/pspReference",
    "/originalReference",
    "/merchantAccountCode",
    "/merchantReference",
    "/amount/value",
    "/amount/currency",
    "/eventCode",
    "/success",
    "/additionalData/hmacSignature",
];

/// The texts that are joined. A number and a text of the same digits are joined alike, and what is missing is empty.
/// They stand side by side with colons between, so that a colon may belong to either neighbour: Adyen's own way.
fn adyen(body: &[u8]) -> Option<(String, String)> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let items = document.pointer("/notificationItems")?.as_array()?;
    let [item] = &items[..] else { return None };
    let item = item.pointer("/NotificationRequestItem")?;
    let text = |pointer: &&str| match item.pointer(pointer) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
        Some(_) => None,
        None => Some(String::new()),
    };
    let mut texts: Vec<String> = ADYEN.iter().map(text).collect::<Option<_>>()?;
    let signature = texts.pop()?;
    Some((texts.join(":"), signature))
}

fn braintree(body: &[u8]) -> Option<(String, BTreeSet<String>)> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let only = |wanted: &str| {
        let mut found = pairs.iter().filter(|(name, _)| name == wanted);
        found.next().map(|(_, value)| value).filter(|_| found.next().is_none())
    };
    let digest = |element: &str| Some(element.split_once('|')?.1.trim().to_ascii_lowercase());
    Some((only("bt_payload")?.clone(), only("bt_signature")?.split('&').filter_map(digest).collect()))
}

impl SecretForm {
    pub fn is_alike(self, before: &str, after: &[u8]) -> bool {
        let Ok(after) = std::str::from_utf8(after) else { return false };
        match self {
            Self::Text => before == after,
            Self::Hex => before.eq_ignore_ascii_case(after),
            Self::Base64 => before.trim_end_matches('=') == after.trim_end_matches('='),
        }
    }
}

impl Url {
    pub fn is_alike(self, before: &str, after: &str) -> bool {
        match self {
            Self::Nothing => true,
            Self::Whole => before == after,
            Self::Unescaped => unescaped(before) == unescaped(after),
            Self::Parameter(name) => parameter(before, name) == parameter(after, name),
        }
    }
}

/// What HubSpot's documentation of v3 lists as unescaped before it is signed.
const UNESCAPED: &str = ":/?@!$'()*,;";

fn unescaped(url: &str) -> String {
    UNESCAPED.chars().fold(url.to_owned(), |url, char| {
        let escape = format!("%{:02X}", u32::from(char));
        url.replace(&escape, &char.to_string()).replace(&escape.to_ascii_lowercase(), &char.to_string())
    })
}

fn parameter(url: &str, name: &str) -> Vec<String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned().filter(|pair| pair.0 == name);
    pairs.map(|(_, value)| value).collect()
}
