//! Is this request from who it should be from? Pure: a source's checked scheme, its active secrets, headers and the
//! raw body in, a [`Verdict`] out. The scheme is the source's configured one, never guessed from the headers: several
//! vendors share a header name with different meanings (reference/signatures.md, rule g). Built so far is the one
//! scheme of DESIGN 4, HMAC-SHA256 of the raw body; presets, timestamps and handshakes join here. Deliberately not
//! here: where secrets come from and how they are sealed.

mod hmac;
mod scheme;

use http::HeaderMap;

pub use hmac::hmac_sha256;
pub use scheme::{BadScheme, Encoding, OneOrMany, RawSignature, Scheme};

use crate::problem::{Code, Problem};

/// What the check found. A handshake that is answered at once will be a variant of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The signature's header is not there.
    Missing,
    /// No value of the header has the prefix, the encoding and the length of a signature.
    Malformed,
    /// Well formed, and not made over these bytes with an active secret.
    Mismatch,
    /// The source has no secret that could sign anything: it refuses all (DESIGN 3).
    NoSecret,
}

/// Any signature that the request carries may fit any active secret, so that either side can rotate.
/// `body` is the raw bytes as they came. An empty secret counts as none.
pub fn verify(scheme: &Scheme, secrets: &[impl AsRef<[u8]>], headers: &HeaderMap, body: &[u8]) -> Verdict {
    match hmac::check(scheme, secrets, headers, body) {
        Ok(()) => Verdict::Pass,
        Err(refusal) => Verdict::Refused(refusal),
    }
}

/// The header value that a sender of this scheme writes.
pub fn sign(scheme: &Scheme, secret: &[u8], body: &[u8]) -> String {
    scheme.write(&hmac_sha256(secret, body))
}

impl Refusal {
    pub fn code(self) -> Code {
        match self {
            Self::Missing => Code::SignatureMissing,
            Self::Malformed => Code::SignatureMalformed,
            Self::Mismatch => Code::SignatureMismatch,
            Self::NoSecret => Code::SignatureUnconfigured,
        }
    }

    /// The answer: it tells the sender's developer what was expected where, and never a digest (rule i).
    pub fn problem(self, scheme: &Scheme) -> Problem {
        let header = scheme.header_text();
        let detail = match self {
            Self::Missing => format!("The header {header} is missing."),
            Self::Malformed => format!("The header {header} must be {}.", scheme.expected()),
            Self::Mismatch => {
                format!("The value of {header} is not the HMAC-SHA256 of the raw body under a secret of this source.")
            }
            Self::NoSecret => return self.code().into(),
        };
        Problem::new(self.code(), detail)
    }
}

#[cfg(test)]
mod tests;
