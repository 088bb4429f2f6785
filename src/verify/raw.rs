//! `signature = { … }` as an admin or a preset writes it. Every key is a fact about how one sender signs; what they
//! mean together is checked in `scheme.rs`. Serialised it has no `secret`: that is how a scheme is stored and exported,
//! while secrets are resolved and sealed elsewhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::jwt::Claims;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSignature {
    /// A sender of the catalogue; then nothing but `secret`, `url` and `tolerance` stands beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// A name that ends in `-*` stands for those that end in -1, -2, … -100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<OneOrMany>,
    /// A JSONPath into the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// A JSONPath to what each carries one of the values that `json` selects; one only, unless the value is a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The value is a list with this between its elements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// What stands between key and value of an element; `=` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
    /// The key of the elements that are signatures; `*` for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_form: Option<KeyForm>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub secret_prefix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<RawTimestamp>,
    /// Seconds by which a timestamp may be off, in either direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<u32>,
    /// What is signed; `{body}` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<OneOrMany>,
    /// The sender signs some fields and not the body. Only a preset may say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fields_only: bool,
    /// A template whose value is the SHA-256 of the body, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
    /// The URL that the sender was given, without its query, where it is not the public URL and the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// References to secrets, such as `env:ERP_SECRET`; their form is checked by whoever resolves them.
    #[serde(default, skip_serializing)]
    pub secret: Option<Secrets>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// RFC 2104 with FIPS 180-4.
    #[default]
    HmacSha256,
    HmacSha1,
    HmacSha512,
    /// Of a message that holds the secret itself.
    Sha256,
    /// RFC 8032.
    Ed25519,
    /// ECDSA on P-256 with SHA-256, in ASN.1.
    EcdsaP256,
    /// RFC 7519.
    Jwt,
    /// The value is the secret.
    Token,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Written in lower case, read in any.
    Hex,
    /// The standard alphabet, padded.
    Base64,
    /// The alphabet for URLs, without padding.
    Base64url,
    /// As it is.
    Text,
}

impl Encoding {
    /// None for bytes that are no text, and are to be written as one.
    pub fn encode(self, bytes: &[u8]) -> Option<String> {
        use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
        match self {
            Self::Hex => Some(HEXLOWER.encode(bytes)),
            Self::Base64 => Some(BASE64.encode(bytes)),
            Self::Base64url => Some(BASE64URL_NOPAD.encode(bytes)),
            Self::Text => std::str::from_utf8(bytes).ok().map(str::to_owned),
        }
    }
}

/// What the text of a secret stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyForm {
    #[default]
    Utf8,
    Base64,
    Hex,
    /// The key is the SHA-1 of the text.
    Sha1,
}

/// Where the sender's time stands: exactly one of the first four.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTimestamp {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Of the elements of the signature's own value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// Place among those elements, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    #[serde(default)]
    pub unit: Unit,
    #[serde(default = "yes")]
    pub enforced: bool,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Unix seconds.
    #[default]
    S,
    /// Unix milliseconds.
    Ms,
    Rfc3339,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Names of secrets, or, where the API creates a source, the secrets themselves.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secrets(OneOrMany);

impl Secrets {
    pub fn as_slice(&self) -> &[String] {
        self.0.as_slice()
    }
}

/// Shows how many, never what: someone may have written a secret where a reference belongs.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} hidden]", self.as_slice().len())
    }
}

impl RawSignature {
    /// All that describes the scheme, and not what an admin adds to a preset.
    pub(super) fn is_bare_preset(&self) -> bool {
        let mut rest = self.clone();
        (rest.preset, rest.secret, rest.url, rest.tolerance) = (None, None, None, None);
        rest == Self::default()
    }
}
