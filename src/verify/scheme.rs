//! How a source's requests are signed: as an admin writes it, and checked.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use http::HeaderName;
use serde::{Deserialize, Serialize};

/// The longest prefix that makes sense is an algorithm's name.
const LONGEST_PREFIX: usize = 64;

pub(super) const DIGEST: usize = 32;

/// `signature = { header, prefix, encoding, secret }` as it is written. Serialised it has no `secret`: that is how the
/// scheme is stored and exported, while secrets are resolved and sealed elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSignature {
    #[serde(default)]
    pub header: String,
    #[serde(default)]
    pub prefix: String,
    #[serde(default)]
    pub encoding: Encoding,
    /// References to secrets, such as `env:ERP_SECRET`; their form is checked by whoever resolves them.
    #[serde(default, skip_serializing)]
    pub secret: Option<OneOrMany>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Written in lower case, read in any.
    #[default]
    Hex,
    /// The standard alphabet, padded.
    Base64,
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Shows how many, never what: someone may have written a secret where a reference belongs.
impl fmt::Debug for OneOrMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} hidden]", self.as_slice().len())
    }
}

/// A checked scheme. Stored as the JSON of its [`RawSignature`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawSignature", into = "RawSignature")]
pub struct Scheme {
    header: HeaderName,
    /// The name as the admin wrote it; `HeaderName` is in lower case.
    header_text: String,
    prefix: String,
    encoding: Encoding,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadScheme {
    #[error("say which header carries the signature: header = \"X-Webhook-Signature\"")]
    NoHeader,
    #[error("`header` is not the name of a header; such are letters, digits and dashes, as in X-Webhook-Signature")]
    Header,
    #[error(
        "`prefix` is what stands before the signature, such as \"sha256=\": at most {LONGEST_PREFIX} printable ASCII characters, the first no space"
    )]
    Prefix,
}

impl BadScheme {
    /// The key of a source that is at fault.
    pub fn key(&self) -> &'static str {
        match self {
            Self::NoHeader => "signature",
            Self::Header => "signature.header",
            Self::Prefix => "signature.prefix",
        }
    }
}

impl TryFrom<RawSignature> for Scheme {
    type Error = BadScheme;

    fn try_from(raw: RawSignature) -> Result<Self, BadScheme> {
        if raw.header.is_empty() {
            return Err(BadScheme::NoHeader);
        }
        let header = HeaderName::try_from(raw.header.as_str()).map_err(|_| BadScheme::Header)?;
        // HTTP strips the space before a value, so such a prefix could never be met.
        let printable = raw.prefix.bytes().all(|char| matches!(char, b' '..=b'~'));
        if raw.prefix.len() > LONGEST_PREFIX || !printable || raw.prefix.starts_with(' ') {
            return Err(BadScheme::Prefix);
        }
        Ok(Self { header, header_text: raw.header, prefix: raw.prefix, encoding: raw.encoding })
    }
}

impl From<Scheme> for RawSignature {
    fn from(scheme: Scheme) -> Self {
        Self { header: scheme.header_text, prefix: scheme.prefix, encoding: scheme.encoding, secret: None }
    }
}

impl Scheme {
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    pub fn header_text(&self) -> &str {
        &self.header_text
    }

    /// What a value looks like, for people.
    pub(super) fn expected(&self) -> String {
        let form = match self.encoding {
            Encoding::Hex => "64 hexadecimal digits",
            Encoding::Base64 => "44 characters of padded base64",
        };
        if self.prefix.is_empty() { form.to_owned() } else { format!("`{}` followed by {form}", self.prefix) }
    }

    pub(super) fn write(&self, digest: &[u8; DIGEST]) -> String {
        let digest = match self.encoding {
            Encoding::Hex => HEXLOWER.encode(digest),
            Encoding::Base64 => BASE64.encode(digest),
        };
        format!("{}{digest}", self.prefix)
    }

    /// The digest that a header's value states, if it has the form. A base64 text whose unused bits are set is
    /// refused: one digest has one text.
    pub(super) fn read(&self, value: &[u8]) -> Option<[u8; DIGEST]> {
        let text = value.strip_prefix(self.prefix.as_bytes())?;
        let encoding = match self.encoding {
            Encoding::Hex => HEXLOWER_PERMISSIVE,
            Encoding::Base64 => BASE64,
        };
        // Judged by length first, so that a huge value is not decoded.
        let fits = text.len() == encoding.encode_len(DIGEST);
        fits.then(|| encoding.decode(text).ok())?.and_then(|bytes| bytes.try_into().ok())
    }
}
