//! A checked scheme: what `signature = { … }` comes to. Unknown or incomplete ones are refused when they are saved, and so
//! is one that would let a signature vouch for a body that is not in it.

use std::sync::Arc;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use http::HeaderName;
use serde::{Deserialize, Serialize};

use super::asymmetric::PublicKey;
use super::digest::Digest;
use super::jwt::{self, Claims};
use super::moment::{From as TimeFrom, Moment};
use super::place::{Layout, Place};
use super::preset::{self, Preset};
use super::raw::{Algorithm, Encoding, KeyForm, OneOrMany, RawSignature};
use super::template::Template;
use crate::condition::path::Path;
use crate::record::nearest::{did_you_mean, nearest};

/// The longest prefix that makes sense is an algorithm's name.
const LONGEST_PREFIX: usize = 64;
/// The most names of headers beside each other.
const MOST_HEADERS: usize = 8;
/// Seconds that a timestamp may be off where neither vendor nor admin says, and at most.
const TOLERANCE: u32 = 300;
const MOST_TOLERANCE: u32 = 86_400;

/// Stored as the JSON of its [`RawSignature`], without secrets. Cheap to clone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawSignature", into = "RawSignature")]
pub struct Scheme {
    raw: RawSignature,
    pub(super) checked: Arc<Checked>,
    preset: Option<&'static Preset>,
}

impl PartialEq for Scheme {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub place: Place,
    pub layout: Layout,
    pub algorithm: Algorithm,
    pub encoding: Encoding,
    pub key: KeyForm,
    pub key_prefix: String,
    pub timestamp: Option<Moment>,
    pub tolerance: u32,
    pub message: Template,
    /// As it was written, for people.
    pub message_text: String,
    pub body_hash: Option<Template>,
    pub body_hash_text: String,
    pub claims: Claims,
    pub items: Option<Path>,
    pub url: Option<String>,
}

/// What is wrong with a scheme, and with which of its keys.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{detail}")]
pub struct BadScheme {
    /// `signature`, or `signature.header` and the like.
    pub key: String,
    pub detail: String,
}

fn bad(key: &str, detail: impl Into<String>) -> BadScheme {
    let key = if key.is_empty() { "signature".to_owned() } else { format!("signature.{key}") };
    BadScheme { key, detail: detail.into() }
}

impl TryFrom<RawSignature> for Scheme {
    type Error = BadScheme;

    fn try_from(raw: RawSignature) -> Result<Self, BadScheme> {
        let raw = RawSignature { secret: None, ..raw };
        let Some(name) = raw.preset.as_deref() else {
            if raw.fields_only {
                return Err(bad("fields_only", "only a preset may say that its vendor signs without the body"));
            }
            let checked = Arc::new(Checked::of(&raw)?);
            // Said or not, it is the same scheme.
            let encoding = Some(checked.encoding).filter(|encoding| *encoding != Encoding::Text);
            return Ok(Self { raw: RawSignature { encoding, ..raw }, checked, preset: None });
        };
        let preset = preset::find(name).ok_or_else(|| {
            let near = nearest(name, preset::all().iter().map(|preset| preset.name.as_str()));
            let hint = did_you_mean(near, |name| format!("\"{name}\""));
            let hint = if near.is_none() { "; `tidegate preset list` shows all" } else { &hint };
            bad("preset", format!("there is no preset \"{name}\"{hint}"))
        })?;
        let scheme = preset.scheme.as_ref().map_err(|refused| bad("preset", refused.clone()))?;
        if !raw.is_bare_preset() {
            let detail = format!(
                "the preset \"{name}\" says all of it: beside it stand `secret`, `url` and `tolerance` alone; for a sender \
                 of your own leave `preset` out"
            );
            return Err(bad("", detail));
        }
        let mut checked = (*scheme.checked).clone();
        checked.tolerance = tolerance(&raw)?.unwrap_or(checked.tolerance);
        checked.url = url(&raw)?;
        Ok(Self { raw, checked: Arc::new(checked), preset: Some(preset) })
    }
}

impl From<Scheme> for RawSignature {
    fn from(scheme: Scheme) -> Self {
        scheme.raw
    }
}

impl Scheme {
    /// Of a preset's own keys.
    pub(super) fn of_preset(raw: RawSignature) -> Result<Self, BadScheme> {
        let checked = Arc::new(Checked::of(&raw)?);
        Ok(Self { raw, checked, preset: None })
    }

    pub fn preset(&self) -> Option<&'static Preset> {
        self.preset
    }

    pub fn raw(&self) -> &RawSignature {
        &self.raw
    }

    /// Whether a header's value is itself what lets requests in.
    pub fn is_credential(&self, name: &HeaderName) -> bool {
        let Place::Headers(names) = &self.checked.place else { return false };
        matches!(self.checked.algorithm, Algorithm::Token | Algorithm::Jwt)
            && names.iter().any(|(known, _)| known == name)
    }

    /// Whether the body is a form, or there is no signature.
    pub fn reads_form(&self) -> bool {
        matches!(self.checked.place, Place::Form(_)) || self.checked.message.has_form()
    }

    /// Whether the text can be a secret of this scheme; if not, what it should be.
    pub fn check_secret(&self, secret: &[u8]) -> Result<(), String> {
        self.checked.check_secret(secret)
    }
}

impl Checked {
    fn of(raw: &RawSignature) -> Result<Self, BadScheme> {
        let algorithm = raw.algorithm.unwrap_or_default();
        let timestamp = raw.timestamp.as_ref().map(Moment::check).transpose();
        let timestamp = timestamp.map_err(|detail| bad("timestamp", detail))?;
        let (message, message_text) = message(raw)?;
        let checked = Self {
            place: place(raw)?,
            layout: layout(raw)?,
            algorithm,
            encoding: encoding(raw, algorithm)?,
            key: raw.secret_form.unwrap_or_default(),
            key_prefix: raw.secret_prefix.clone(),
            timestamp,
            tolerance: tolerance(raw)?.unwrap_or(TOLERANCE),
            body_hash: body_hash(raw, &message)?,
            body_hash_text: raw.body_hash.clone().unwrap_or_default(),
            message,
            message_text,
            items: items(raw)?,
            claims: raw.claims.clone().unwrap_or_default(),
            url: url(raw)?,
        };
        checked.signs_the_body(raw)?;
        checked.signs_the_time()?;
        Ok(checked)
    }

    /// One captured signature must not vouch for another body.
    fn signs_the_body(&self, raw: &RawSignature) -> Result<(), BadScheme> {
        if raw.claims.is_some() != (self.algorithm == Algorithm::Jwt) {
            return Err(bad(
                "claims",
                "`claims` say what a JSON Web Token must hold: they go with algorithm = \"jwt\"",
            ));
        }
        let own_message = raw.message.is_some();
        match self.algorithm {
            Algorithm::Token if own_message => Err(bad("message", "a token signs nothing: leave `message` out")),
            Algorithm::Jwt if own_message => {
                Err(bad("message", "a JSON Web Token holds what is signed: leave `message` out, and say `claims`"))
            }
            Algorithm::Token => Ok(()),
            Algorithm::Jwt => self.claims.check(raw.fields_only).map_err(|error| bad("claims", error.to_string())),
            Algorithm::Sha256 if !self.message.has_secret() => {
                Err(bad("message", "a plain SHA-256 proves nothing without {secret} in the message"))
            }
            Algorithm::Sha256 => self.covered(raw),
            _ if self.message.has_secret() => Err(bad(
                "message",
                "{secret} is part of a message only with algorithm = \"sha256\"; elsewhere it is the key",
            )),
            _ => self.covered(raw),
        }
    }

    fn covered(&self, raw: &RawSignature) -> Result<(), BadScheme> {
        let covered = self.message.covers_body() || self.body_hash.is_some() || raw.fields_only;
        if self.message.has_hmac() {
            return Err(bad("message", "{hmac} is a part of handshakes' answers, not of what is signed"));
        }
        if covered {
            return Ok(());
        }
        let detail = "the message must hold {body}: without it one captured signature would vouch for any payload";
        Err(bad("message", detail))
    }

    fn signs_the_time(&self) -> Result<(), BadScheme> {
        match &self.timestamp {
            None if self.message.has_timestamp() => Err(bad(
                "timestamp",
                "the message holds {timestamp}: say where it stands: timestamp = { header = \"X-Timestamp\" }",
            )),
            Some(moment) if moment.enforced && !self.message.has_timestamp() && !self.time_is_in_body(moment) => {
                let detail = "the message does not hold {timestamp}, so that anyone could set it; put it there, or say \
                              enforced = false";
                Err(bad("timestamp", detail))
            }
            _ => Ok(()),
        }
    }

    fn time_is_in_body(&self, moment: &Moment) -> bool {
        matches!(moment.from, TimeFrom::Json(..)) && self.message.covers_body()
    }

    /// What a value looks like, for people.
    pub(super) fn expected(&self) -> String {
        let length = self.algorithm.length();
        let form = match (self.encoding, length) {
            (Encoding::Hex, Some(length)) => format!("{} hexadecimal digits", 2 * length),
            (Encoding::Hex, None) => "hexadecimal digits".to_owned(),
            (Encoding::Base64, Some(length)) => format!("{} characters of padded base64", BASE64.encode_len(length)),
            (Encoding::Base64, None) => "padded base64".to_owned(),
            (Encoding::Base64url, _) => "base64 for URLs, without padding".to_owned(),
            (Encoding::Text, _) => format!("a {}", self.algorithm.name()),
        };
        let prefix = &self.layout.prefix;
        let value = if prefix.is_empty() { form } else { format!("`{prefix}` followed by {form}") };
        match &self.layout.field {
            Some(key) if key != "*" => format!("a list with an element `{key}{}…`: {value}", self.layout.pair),
            _ => value,
        }
    }

    /// The signature that a text states, if it has the form. A base64 text whose unused bits are set is refused: one
    /// signature has one text.
    pub(super) fn decode(&self, text: &str) -> Option<Digest> {
        let encoding = match self.encoding {
            Encoding::Hex => HEXLOWER_PERMISSIVE,
            Encoding::Base64 => BASE64,
            Encoding::Base64url => BASE64URL_NOPAD,
            Encoding::Text => return None,
        };
        // Judged by length first, so that a huge value is not decoded.
        let most = self.algorithm.length().unwrap_or(super::digest::LONGEST);
        let fits = text.len() <= encoding.encode_len(most) && !text.is_empty();
        let bytes = fits.then(|| encoding.decode(text.as_bytes()).ok())??;
        let exact = self.algorithm.length().is_none_or(|length| bytes.len() == length);
        exact.then(|| Digest::of(&bytes))?
    }

    /// What a secret's text stands for; none where it has not the form. Public keys and tokens' keys say theirs
    /// themselves.
    pub(super) fn key(&self, secret: &[u8]) -> Option<Vec<u8>> {
        if self.algorithm.pair().is_some() || self.algorithm == Algorithm::Jwt {
            return super::digest::key(KeyForm::Utf8, "", secret);
        }
        super::digest::key(self.key, &self.key_prefix, secret)
    }

    fn check_secret(&self, secret: &[u8]) -> Result<(), String> {
        if secret.ends_with(b"\n") && self.algorithm.pair().is_none() && !secret.starts_with(b"-----") {
            return Err("the secret ends in a line break, which is no part of it".to_owned());
        }
        if self.algorithm == Algorithm::Jwt {
            return jwt::Key::read(self.claims.algorithm, secret).map(drop).map_err(|error| error.to_string());
        }
        if let Some(pair) = self.algorithm.pair() {
            let text = std::str::from_utf8(secret).unwrap_or_default();
            return PublicKey::read(pair, text).map(drop).map_err(|error| error.to_string());
        }
        if super::digest::key(self.key, &self.key_prefix, secret).is_some() {
            return Ok(());
        }
        let form = match self.key {
            KeyForm::Base64 => "base64",
            KeyForm::Hex => "hexadecimal digits",
            KeyForm::Utf8 | KeyForm::Sha1 => return Err("a secret is not empty".to_owned()),
        };
        let prefix = if self.key_prefix.is_empty() { String::new() } else { format!("`{}` and ", self.key_prefix) };
        Err(format!("this sender's secrets are {prefix}{form}, and this one is not"))
    }
}

fn place(raw: &RawSignature) -> Result<Place, BadScheme> {
    let named = [raw.header.is_some(), raw.json.is_some(), raw.form.is_some(), raw.query.is_some()];
    if named.iter().filter(|is| **is).count() > 1 {
        return Err(bad("", "a signature stands in one place: say `header`, `json`, `form` or `query`"));
    }
    if let Some(path) = &raw.json {
        return Path::compile(path).map(Place::Json).map_err(|error| bad("json", error.to_string()));
    }
    if let Some(name) = raw.form.clone().filter(|name| !name.is_empty()) {
        return Ok(Place::Form(name));
    }
    if let Some(name) = raw.query.clone().filter(|name| !name.is_empty()) {
        return Ok(Place::Query(name));
    }
    let names = raw.header.as_ref().map(OneOrMany::as_slice).unwrap_or_default();
    if names.is_empty() || names.iter().all(String::is_empty) {
        return Err(bad("", "say which header carries the signature: header = \"X-Webhook-Signature\""));
    }
    let detail = "`header` is not the name of a header; such are letters, digits and dashes, as in X-Webhook-Signature";
    let place = if names.len() <= MOST_HEADERS { Place::headers(names) } else { None };
    place.ok_or_else(|| bad("header", detail))
}

fn items(raw: &RawSignature) -> Result<Option<Path>, BadScheme> {
    if raw.items.is_some() && raw.json.is_none() {
        return Err(bad("items", "`items` goes with `json`: each of them carries one of its values"));
    }
    raw.items.as_deref().map(Path::compile).transpose().map_err(|error| bad("items", error.to_string()))
}

fn layout(raw: &RawSignature) -> Result<Layout, BadScheme> {
    // HTTP strips the space before a value, so such a prefix could never be met.
    let printable = raw.prefix.bytes().all(|char| matches!(char, b' '..=b'~'));
    if raw.prefix.len() > LONGEST_PREFIX || !printable || raw.prefix.starts_with(' ') {
        let detail = format!(
            "`prefix` is what stands before the signature, such as \"sha256=\": at most {LONGEST_PREFIX} printable ASCII \
             characters, the first no space"
        );
        return Err(bad("prefix", detail));
    }
    for (key, separator) in [("list", &raw.list), ("pair", &raw.pair)] {
        if separator.as_ref().is_some_and(|text| text.is_empty() || text.len() > 4) {
            return Err(bad(key, format!("`{key}` is a separator of one to four characters, such as \",\"")));
        }
    }
    if raw.field.as_ref().is_some_and(String::is_empty) {
        return Err(bad("field", "`field` is the key of an element, such as \"v1\", or \"*\" for any"));
    }
    let pair = raw.pair.clone().unwrap_or_else(|| "=".to_owned());
    Ok(Layout { list: raw.list.clone(), pair, field: raw.field.clone(), prefix: raw.prefix.clone() })
}

fn encoding(raw: &RawSignature, algorithm: Algorithm) -> Result<Encoding, BadScheme> {
    let is_text = matches!(algorithm, Algorithm::Token | Algorithm::Jwt);
    let default = if is_text { Encoding::Text } else { Encoding::Hex };
    let encoding = raw.encoding.unwrap_or(default);
    match (algorithm, encoding) {
        (Algorithm::Jwt, Encoding::Text) | (Algorithm::Token, Encoding::Text | Encoding::Base64) => Ok(encoding),
        (Algorithm::Token, _) => Err(bad("encoding", "a token is \"text\", or \"base64\" as in basic authentication")),
        (Algorithm::Jwt, _) => {
            Err(bad("encoding", "a JSON Web Token has an encoding of its own: leave `encoding` out"))
        }
        (_, Encoding::Text) => Err(bad("encoding", "a signature is bytes: \"hex\", \"base64\" or \"base64url\"")),
        _ => Ok(encoding),
    }
}

fn message(raw: &RawSignature) -> Result<(Template, String), BadScheme> {
    let texts = raw.message.as_ref().map_or_else(|| vec!["{body}".to_owned()], |texts| texts.as_slice().to_vec());
    let message = Template::compile(&texts).map_err(|detail| bad("message", detail))?;
    Ok((message, texts.concat()))
}

/// Only what is signed itself can vouch for the body.
fn body_hash(raw: &RawSignature, message: &Template) -> Result<Option<Template>, BadScheme> {
    let Some(text) = &raw.body_hash else { return Ok(None) };
    let template = Template::compile(std::slice::from_ref(text)).map_err(|detail| bad("body_hash", detail))?;
    let whole = text.starts_with('{') && text.find('}') == Some(text.len() - 1);
    let header = template.headers().next().filter(|name| message.headers().any(|signed| signed == name));
    if whole && (text.starts_with("{query:") && message.has_url() || header.is_some()) {
        return Ok(Some(template));
    }
    let detail = "`body_hash` names what is signed and holds the SHA-256 of the body: \"{query:name}\" with {url} in the \
                  message, or \"{header:Name}\" with that header in it";
    Err(bad("body_hash", detail))
}

fn tolerance(raw: &RawSignature) -> Result<Option<u32>, BadScheme> {
    if raw.tolerance.is_some_and(|seconds| !(1..=MOST_TOLERANCE).contains(&seconds)) {
        return Err(bad("tolerance", format!("`tolerance` is a number of seconds from 1 to {MOST_TOLERANCE}")));
    }
    Ok(raw.tolerance)
}

fn url(raw: &RawSignature) -> Result<Option<String>, BadScheme> {
    let Some(url) = &raw.url else { return Ok(None) };
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let good = host.is_some_and(|host| !host.is_empty() && !host.contains(['?', '#', ' ']));
    let detail =
        "`url` is the address that the sender was given, without a query: \"https://hooks.example.com/api/webhooks/…\"";
    if good { Ok(Some(url.clone())) } else { Err(bad("url", detail)) }
}
