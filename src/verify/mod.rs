//! Is this request from who it should be from? Pure: a source's checked scheme, its active secrets and the request in, a
//! [`Verdict`] out. The scheme is the source's configured one, never guessed from the headers: several vendors share a
//! header name with different meanings (reference/signatures.md, rule g). How one sender signs is data: `raw.rs` has the
//! words, `presets.toml` the senders. Deliberately not here: where secrets come from and how they are sealed, and what
//! would need a call to the vendor.

mod about;
pub mod asymmetric;
mod digest;
pub mod handshake;
pub mod jwt;
mod moment;
mod place;
pub mod preset;
pub mod raw;
mod request;
pub mod response;
mod scheme;
pub mod sign;
mod template;

use std::time::Duration;

use data_encoding::HEXLOWER_PERMISSIVE;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::clock::Timestamp;
use crate::condition::Work;
use crate::condition::path::MOST_NODES;
use crate::problem::{Code, Problem};
use asymmetric::PublicKey;
use digest::Digest;
pub use digest::{hmac_sha256, hmac_sha256_of};
use place::{MOST_CANDIDATES, Place};
pub use raw::{Algorithm, Encoding, OneOrMany, RawSignature};
pub use request::{FORM, Request, Signed};
use scheme::Checked;
pub use scheme::{BadScheme, Scheme};
use template::{Filling, Piece};

/// Signatures of one request that are tried under a public key or as tokens: each costs some ten microseconds.
const MOST_PAIRED: usize = 4;

/// What counting the items of a body may cost.
const WORK: u64 = 1_000_000;

/// What the check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Refused(Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The signature is not there.
    Missing,
    /// Something else that is signed is not there, as the scheme names it.
    Lacking(Box<str>),
    /// No value has the prefix, the encoding and the length of a signature.
    Malformed,
    /// Too old, too new, or not a time of the declared form.
    Stale,
    /// Well formed, and not made over these bytes with an active secret.
    Mismatch,
    /// The source has no secret that could sign anything: it refuses all (DESIGN 3).
    NoSecret,
}

/// Any signature that the request carries may fit any active secret, so that either side can rotate. An empty secret
/// counts as none.
pub fn verify(scheme: &Scheme, secrets: &[impl AsRef<[u8]>], signed: Signed<'_>, now: Timestamp) -> Verdict {
    match check(&scheme.checked, secrets, signed, now) {
        Ok(()) => Verdict::Pass,
        Err(refusal) => Verdict::Refused(refusal),
    }
}

/// What tells a request that is signed with a time apart from all others: the same again is that request. Nothing where
/// no time is signed, since honest requests may be alike then. To be asked of a request that passed.
pub fn once(scheme: &Scheme, signed: Signed<'_>) -> Option<[u8; 32]> {
    let checked = &scheme.checked;
    let moment = checked.timestamp.as_ref().filter(|_| checked.message.has_timestamp())?;
    let request = Request::new(signed);
    let values = checked.place.values(&request);
    let time = moment.find(&request, values.first()?, &checked.layout)?;
    let filling = Filling { request: &request, timestamp: Some(&time), hmac: None };
    let pieces = checked.message.fill(filling).ok()?;
    Some(digest::sha256(&pieces, &[]))
}

/// A secret's text, and the key that it stands for.
type Key<'a> = (&'a [u8], Vec<u8>);

fn check(scheme: &Checked, secrets: &[impl AsRef<[u8]>], signed: Signed<'_>, now: Timestamp) -> Result<(), Refusal> {
    let secrets = secrets.iter().map(AsRef::as_ref);
    let keys: Vec<Key<'_>> = secrets.filter_map(|secret| Some((secret, scheme.key(secret)?))).collect();
    if keys.is_empty() {
        return Err(Refusal::NoSecret);
    }
    let url = scheme.url.as_ref().map(|url| signed.query.map_or_else(|| url.clone(), |query| format!("{url}?{query}")));
    let signed = Signed { url: url.as_deref().unwrap_or(signed.url), ..signed };
    let request = Request::new(signed);
    let values = scheme.place.values(&request);
    let first = values.first().ok_or(Refusal::Missing)?;
    if let Some(items) = &scheme.items {
        let wanted = if scheme.algorithm == Algorithm::Token { values.len() } else { 1 };
        let found = request.json().and_then(|document| items.count_within(document, &Work::new(WORK)));
        if found != Some(wanted) || values.len() != wanted {
            return Err(Refusal::Malformed);
        }
    }
    let time = match &scheme.timestamp {
        None => None,
        Some(moment) => {
            let found = moment.find(&request, first, &scheme.layout);
            let text = found.ok_or_else(|| Refusal::Lacking(moment.describe().into()))?;
            if !moment.is_fresh(&text, now, scheme.tolerance) {
                return Err(Refusal::Stale);
            }
            Some(text)
        }
    };
    let texts = values.iter().flat_map(|value| scheme.layout.candidates(value)).take(most(&scheme.place));
    let texts: Vec<&str> = texts.collect();
    match scheme.algorithm {
        Algorithm::Token => token(scheme, &keys, &texts, values.len()),
        Algorithm::Jwt => token_of_claims(scheme, &keys, &texts, request.signed, now),
        _ => signature(scheme, &keys, &texts, Filling { request: &request, timestamp: time.as_deref(), hmac: None }),
    }
}

/// Numbered headers carry one signature each.
fn most(place: &Place) -> usize {
    match place {
        Place::Headers(names) => MOST_CANDIDATES.max(names.len()),
        Place::Json(_) => MOST_NODES,
        _ => MOST_CANDIDATES,
    }
}

fn signature(scheme: &Checked, keys: &[Key<'_>], texts: &[&str], filling: Filling<'_>) -> Result<(), Refusal> {
    let candidates: Vec<Digest> = texts.iter().filter_map(|text| scheme.decode(text)).collect();
    if candidates.is_empty() {
        // Without a hash: what has no form costs nothing.
        return Err(Refusal::Malformed);
    }
    let pieces = scheme.message.fill(filling).map_err(|template::Lacking(part)| Refusal::Lacking(part))?;
    if let Some(hash) = &scheme.body_hash {
        let stated = hash.text(filling).map_err(|template::Lacking(part)| Refusal::Lacking(part))?;
        let stated = HEXLOWER_PERMISSIVE.decode(stated.as_bytes()).map_err(|_| Refusal::Malformed)?;
        if !bool::from(stated.ct_eq(Sha256::digest(filling.request.signed.body).as_slice())) {
            return Err(Refusal::Mismatch);
        }
    }
    let fits = match scheme.algorithm.pair() {
        Some(pair) => any_verifies(pair, keys, &candidates, &pieces),
        None => any_fits(scheme.algorithm, keys, &candidates, &pieces).into(),
    };
    if fits { Ok(()) } else { Err(Refusal::Mismatch) }
}

/// Under a public key there is no secret that the time taken could tell.
fn any_verifies(pair: asymmetric::Algorithm, keys: &[Key<'_>], candidates: &[Digest], pieces: &[Piece<'_>]) -> bool {
    let message = digest::whole(pieces, &[]);
    let keys = keys.iter().filter_map(|(_, key)| PublicKey::read(pair, std::str::from_utf8(key).ok()?).ok());
    let candidates = &candidates[..candidates.len().min(MOST_PAIRED)];
    keys.into_iter().any(|key| candidates.iter().any(|candidate| key.verifies(&message, candidate.as_slice())))
}

/// What the token is missing is told to nobody but in the log of refusals: it is signed, or it is not.
fn token_of_claims(
    scheme: &Checked,
    keys: &[Key<'_>],
    texts: &[&str],
    signed: Signed<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let request = jwt::Request { body: signed.body, url: signed.url };
    let tolerance = Duration::from_secs(scheme.tolerance.into());
    let keys: Vec<_> = keys.iter().filter_map(|(_, key)| jwt::Key::read(scheme.claims.algorithm, key).ok()).collect();
    let judge = |text: &&str| {
        let by = |key| scheme.claims.verify(key, text.as_bytes(), request, now, tolerance);
        keys.iter().map(by).reduce(Result::or).unwrap_or(Err(jwt::Fault::Signature))
    };
    match texts.iter().take(MOST_PAIRED).map(judge).reduce(Result::or) {
        Some(Ok(())) => Ok(()),
        Some(Err(jwt::Fault::Time | jwt::Fault::Untimed)) => Err(Refusal::Stale),
        Some(Err(jwt::Fault::Malformed)) | None => Err(Refusal::Malformed),
        Some(Err(_)) => Err(Refusal::Mismatch),
    }
}

/// Every candidate meets every secret, also after one has fitted: the time taken tells how many there are, not which.
fn any_fits(algorithm: Algorithm, keys: &[Key<'_>], candidates: &[Digest], pieces: &[Piece<'_>]) -> Choice {
    keys.iter().fold(Choice::from(0), |fits, (secret, key)| {
        let Some(digest) = digest::digest(algorithm, (secret, key), pieces) else { return fits };
        candidates.iter().fold(fits, |fits, candidate| fits | candidate.as_slice().ct_eq(digest.as_slice()))
    })
}

/// Compared as digests, so that lengths do not show. In a body, where one sender speaks of several things at once, each
/// of them must carry the token.
fn token(scheme: &Checked, keys: &[Key<'_>], texts: &[&str], places: usize) -> Result<(), Refusal> {
    let read = |text: &&str| match scheme.encoding {
        Encoding::Text => Some(Sha256::digest(text.as_bytes())),
        Encoding::Base64 => Some(Sha256::digest(data_encoding::BASE64.decode(text.as_bytes()).ok()?)),
        _ => None,
    };
    let candidates: Vec<_> = texts.iter().filter_map(read).collect();
    if candidates.is_empty() {
        return Err(Refusal::Malformed);
    }
    let keys: Vec<_> = keys.iter().map(|(_, key)| Sha256::digest(key)).collect();
    let fits = |candidate: &[u8]| keys.iter().fold(Choice::from(0), |fits, key| fits | key.as_slice().ct_eq(candidate));
    let fitting = candidates.iter().map(|candidate| usize::from(fits(candidate).unwrap_u8())).sum::<usize>();
    let wanted = if matches!(scheme.place, Place::Json(_)) { places } else { 1 };
    if fitting >= wanted { Ok(()) } else { Err(Refusal::Mismatch) }
}

impl Refusal {
    pub fn code(&self) -> Code {
        match self {
            Self::Missing | Self::Lacking(_) => Code::SignatureMissing,
            Self::Malformed => Code::SignatureMalformed,
            Self::Stale => Code::TimestampOutsideTolerance,
            Self::Mismatch => Code::SignatureMismatch,
            Self::NoSecret => Code::SignatureUnconfigured,
        }
    }

    /// The answer: it tells the sender's developer what was looked for where, and never a digest (rule i).
    pub fn problem(&self, scheme: &Scheme) -> Problem {
        let scheme = &scheme.checked;
        let place = scheme.place.describe();
        let upper = |text: &str| text[..1].to_uppercase() + &text[1..];
        let detail = match self {
            Self::Missing => format!("{} is missing.", upper(&place)),
            Self::Lacking(part) => {
                format!("What the signature covers is not all there: {part} is missing, or there more than once.")
            }
            Self::Malformed => format!("{} must be {}.", upper(&place), scheme.expected()),
            Self::Stale => {
                let at = scheme.timestamp.as_ref().map_or_else(|| "the token".to_owned(), moment::Moment::describe);
                format!("The time in {at} is not within {} seconds of now, or not in its form.", scheme.tolerance)
            }
            Self::Mismatch => scheme.mismatch(),
            Self::NoSecret => return self.code().into(),
        };
        Problem::new(self.code(), detail)
    }
}

impl Checked {
    fn mismatch(&self) -> String {
        let (place, name) = (self.place.describe(), self.algorithm.name());
        let of = match self.message_text.as_str() {
            "{body}" => "the raw body".to_owned(),
            text => format!("`{text}`"),
        };
        match self.algorithm {
            Algorithm::Token => format!("The value of {place} is not a secret of this source."),
            Algorithm::Jwt => {
                format!("The token in {place} does not vouch for this body under a secret of this source.")
            }
            _ => format!("The value of {place} is not the {name} of {of} under a secret of this source."),
        }
    }
}

#[cfg(test)]
mod tests;
