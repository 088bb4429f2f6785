//! A JWT (RFC 7519) that vouches for a request: a JWS in compact form (RFC 7515, 7.1) with the hash of the body among
//! its claims. Signed by HS256, RS256 or ES256 under the source's own key. Written here over `ring` and not taken from
//! the crate `jsonwebtoken`: that one brings a second set of cryptography (aws-lc or RustCrypto), picks the last of two
//! equal claims, and knows no hash of a body. Deliberately not here: keys fetched from the sender (JWKS, `kid`),
//! encryption (JWE), and a payload that stands outside the token (RFC 7797).
//!
//! Nothing of a token is read before its signature fits: the algorithm is the configured one and comes with the key,
//! so a forger reaches base64 and the signature check, never JSON.

mod key;
mod members;

use std::time::Duration;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::asymmetric::CannotSign;
use crate::clock::Timestamp;

pub use key::{Algorithm, Key, SigningKey};
use members::Members;

/// Honest tokens have a few hundred bytes.
const LONGEST_TOKEN: usize = 8 * 1024;

/// How far ahead an `exp` may lie where no `iat` says how old the token is: beyond that it would be a password.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// `claims = { … }` of a source: what its tokens must say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Claims {
    pub algorithm: Algorithm,
    /// The claim that holds the SHA-256 of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_hash: Option<String>,
    /// The claim that holds the SHA-256 of the URL as the sender was given it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_hash: Option<String>,
    /// Of both hashes.
    pub encoding: Encoding,
    /// What `iss` must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What `aud` must be or contain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The sender (Netlify) puts no time into its tokens. One that is there is judged all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub timeless: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Read in any case.
    #[default]
    Hex,
    /// The standard alphabet, padded.
    Base64,
    /// Not padded.
    Base64url,
}

#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadClaims {
    #[error("`claims.body_hash` names the claim that holds the SHA-256 of the body; without it a token fits any body")]
    NoBodyHash,
    #[error("a token without a time and without the body's hash is a password: drop `claims.timeless`")]
    Eternal,
    #[error("the names and values of `claims` are not empty, and the two hashes are two claims")]
    Name,
}

/// Why a token does not vouch for a request. All after [`Fault::Signature`] is found only in tokens that a holder of
/// the key made, so that saying it helps no forger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not three parts of unpadded base64url, or longer than 8 KiB.
    Malformed,
    Signature,
    /// `alg` is not the configured one, something is marked critical, or the header is not one JSON object.
    Header,
    /// The claims are not one JSON object with each name once, or one of them has the wrong type.
    Claims,
    /// Neither `iat` nor `exp`.
    Untimed,
    /// `iat`, `nbf` or `exp` excludes this moment.
    Time,
    Issuer,
    Audience,
    BodyHash,
    UrlHash,
}

/// What a token vouches for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// As received.
    pub body: &'a [u8],
    pub url: &'a str,
}

impl Claims {
    /// To be asked when a source is saved. `fields_only`: the preset knows that its sender signs without the body.
    ///
    /// # Errors
    /// [`BadClaims`].
    pub fn check(&self, fields_only: bool) -> Result<(), BadClaims> {
        let texts = [&self.body_hash, &self.url_hash, &self.issuer, &self.audience];
        let twice = self.body_hash.is_some() && self.body_hash == self.url_hash;
        match &self.body_hash {
            _ if twice || texts.into_iter().flatten().any(String::is_empty) => Err(BadClaims::Name),
            None if self.timeless => Err(BadClaims::Eternal),
            None if !fields_only => Err(BadClaims::NoBodyHash),
            _ => Ok(()),
        }
    }

    /// Does this token, signed under this key, vouch for this request now? `token` is without `Bearer ` or the like.
    /// Its `iat` lies within `tolerance` of `now`, its `nbf` no further ahead, its `exp` no further behind.
    ///
    /// # Errors
    /// The first [`Fault`] in the order of the variants.
    pub fn verify(
        &self,
        key: &Key,
        token: &[u8],
        request: Request<'_>,
        now: Timestamp,
        tolerance: Duration,
    ) -> Result<(), Fault> {
        let (header, claims) = opened(key, token)?;
        let header = Members::read(&header).ok_or(Fault::Header)?;
        if header.has("crit") || header.text("alg").as_deref() != Some(key.algorithm().name()) {
            return Err(Fault::Header);
        }
        let claims = Members::read(&claims).ok_or(Fault::Claims)?;
        self.timely(&claims, now, tolerance)?;
        if self.issuer.is_some() && claims.text("iss") != self.issuer {
            return Err(Fault::Issuer);
        }
        if self.audience.as_ref().is_some_and(|wanted| !claims.texts("aud").contains(wanted)) {
            return Err(Fault::Audience);
        }
        if !self.hash_fits(&claims, self.body_hash.as_deref(), request.body) {
            return Err(Fault::BodyHash);
        }
        let url_fits = self.hash_fits(&claims, self.url_hash.as_deref(), request.url.as_bytes());
        if url_fits { Ok(()) } else { Err(Fault::UrlHash) }
    }

    fn timely(&self, claims: &Members<'_>, now: Timestamp, tolerance: Duration) -> Result<(), Fault> {
        let instant = |name| claims.instant(name).map_err(|_| Fault::Claims);
        let (issued, starts, ends) = (instant("iat")?, instant("nbf")?, instant("exp")?);
        if issued.is_none() && ends.is_none() && !self.timeless {
            return Err(Fault::Untimed);
        }
        let fresh = issued.is_none_or(|at| now.since(at).max(at.since(now)) <= tolerance);
        let started = starts.is_none_or(|at| at.since(now) <= tolerance);
        // RFC 7519, 4.1.4: on its `exp` a token is over.
        let running = ends.is_none_or(|at| at.after(tolerance) > now);
        let short = issued.is_some() || ends.is_none_or(|at| at.since(now) <= LONGEST_LIFE);
        if fresh && started && running && short { Ok(()) } else { Err(Fault::Time) }
    }

    /// Whether the claim holds the hash of these bytes, in constant time; true where no claim is named.
    fn hash_fits(&self, claims: &Members<'_>, name: Option<&str>, bytes: &[u8]) -> bool {
        let Some(name) = name else { return true };
        let hash = claims.text(name).and_then(|text| self.encoding.read(&text));
        hash.is_some_and(|hash| hash.ct_eq(Sha256::digest(bytes).as_slice()).into())
    }

    /// A token as the sender of these claims makes it, good until `life` after `now`.
    ///
    /// # Errors
    /// [`CannotSign`].
    pub fn issue(
        &self,
        key: &SigningKey,
        request: Request<'_>,
        now: Timestamp,
        life: Duration,
    ) -> Result<String, CannotSign> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        for (name, text) in [("iss", &self.issuer), ("aud", &self.audience)] {
            text.iter().for_each(|text| drop(put(name, text.as_str().into())));
        }
        if !self.timeless {
            put("iat", seconds(now).into());
            put("exp", seconds(now.after(life)).into());
            // The token's own id (RFC 7519, 4.1.7), which MessageBird's library insists on. Senders draw it; here it is
            // made of the time and the body, because randomness is no argument.
            let of = Sha256::new().chain_update(now.micros().to_be_bytes()).chain_update(request.body).finalize();
            put("jti", HEXLOWER.encode(&of[..16]).into());
        }
        for (name, bytes) in [(&self.body_hash, request.body), (&self.url_hash, request.url.as_bytes())] {
            name.iter().for_each(|name| drop(put(name, self.encoding.write(&Sha256::digest(bytes)).into())));
        }
        let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, key.algorithm().name());
        let signed = format!("{}.{}", part(&header), part(&Value::Object(claims).to_string()));
        let signature = key.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature)))
    }
}

/// Header and claims of a token whose signature fits.
fn opened(key: &Key, token: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    if token.len() > LONGEST_TOKEN {
        return Err(Fault::Malformed);
    }
    let mut parts = token.split(|char| *char == b'.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Fault::Malformed);
    };
    let signed = &token[..header.len() + 1 + claims.len()];
    let decoded = |part| BASE64URL_NOPAD.decode(part).map_err(|_| Fault::Malformed);
    let (header, claims, signature) = (decoded(header)?, decoded(claims)?, decoded(signature)?);
    if key.verifies(signed, &signature) { Ok((header, claims)) } else { Err(Fault::Signature) }
}

fn part(json: &str) -> String {
    BASE64URL_NOPAD.encode(json.as_bytes())
}

fn seconds(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}

impl Encoding {
    fn read(self, text: &str) -> Option<Vec<u8>> {
        let encoding = match self {
            Self::Hex => HEXLOWER_PERMISSIVE,
            Self::Base64 => BASE64,
            Self::Base64url => BASE64URL_NOPAD,
        };
        encoding.decode(text.as_bytes()).ok()
    }

    fn write(self, hash: &[u8]) -> String {
        match self {
            Self::Hex => HEXLOWER.encode(hash),
            Self::Base64 => BASE64.encode(hash),
            Self::Base64url => BASE64URL_NOPAD.encode(hash),
        }
    }
}

#[cfg(test)]
mod tests;
