//! HMAC-SHA256 (RFC 2104, FIPS 180-4) of the raw body, in one header.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::Refusal;
use super::scheme::{DIGEST, Scheme};

/// SHA-256's block; a longer key is hashed first (RFC 2104, 2).
const BLOCK: usize = 64;

/// The most signatures of one request that are looked at; honest senders repeat the header once a rotated secret.
const MOST_CANDIDATES: usize = 8;

pub(super) fn check(
    scheme: &Scheme,
    secrets: &[impl AsRef<[u8]>],
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Refusal> {
    let mut secrets = secrets.iter().map(AsRef::as_ref).filter(|secret| !secret.is_empty()).peekable();
    if secrets.peek().is_none() {
        return Err(Refusal::NoSecret);
    }
    if !headers.contains_key(scheme.header()) {
        return Err(Refusal::Missing);
    }
    let values = headers.get_all(scheme.header()).into_iter().take(MOST_CANDIDATES);
    let candidates: Vec<_> = values.filter_map(|value| scheme.read(value.as_bytes())).collect();
    if candidates.is_empty() {
        // Without a hash: what has no form costs nothing.
        return Err(Refusal::Malformed);
    }
    let fits = any_fits(secrets, &candidates, body);
    if bool::from(fits) { Ok(()) } else { Err(Refusal::Mismatch) }
}

/// Every candidate meets every secret, also after one has fitted: the time taken tells how many there are, not which.
fn any_fits<'a>(secrets: impl Iterator<Item = &'a [u8]>, candidates: &[[u8; DIGEST]], body: &[u8]) -> Choice {
    secrets.fold(Choice::from(0), |fits, secret| {
        let digest = hmac_sha256(secret, body);
        candidates.iter().fold(fits, |fits, candidate| fits | candidate.ct_eq(&digest))
    })
}

pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..DIGEST].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    // Padded to a block here, because `new_from_slice` has an error that HMAC cannot have and that no one could handle.
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}
