//! HMAC (RFC 2104) and plain SHA-256 over pieces, so that nothing is copied to be signed.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::asymmetric;
use super::raw::{Algorithm, KeyForm};
use super::template::Piece;

/// Of an ECDSA signature on P-256 in ASN.1; the longest digest is shorter.
pub const LONGEST: usize = 72;

/// A digest or a signature.
#[derive(Clone, Copy, Debug)]
pub struct Digest {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Digest {
    /// None where it is longer than any.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut whole = [0; LONGEST];
        whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self { bytes: whole, length: bytes.len() })
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// A block of SHA-1 and SHA-256, and of SHA-512; a longer key is hashed first (RFC 2104, 2).
const BLOCK: usize = 64;
const LONG_BLOCK: usize = 128;

/// The key padded to a block here, because `new_from_slice` has an error that HMAC cannot have and that no one could
/// handle.
macro_rules! hmac_over {
    ($hash:ty, $block:ident, $key:expr, $update:expr) => {{
        let mut block = [0; $block];
        if $key.len() > $block {
            let hashed = <$hash>::digest($key);
            block[..hashed.len()].copy_from_slice(&hashed);
        } else {
            block[..$key.len()].copy_from_slice($key);
        }
        let mut mac = Hmac::<$hash>::new(&block.into());
        $update(&mut mac);
        mac.finalize().into_bytes()
    }};
}

pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    hmac_sha256_of(key, &[message])
}

/// Of the pieces one after another.
pub fn hmac_sha256_of(key: &[u8], pieces: &[&[u8]]) -> [u8; 32] {
    let over = |mac: &mut Hmac<Sha256>| pieces.iter().for_each(|piece| mac.update(piece));
    hmac_over!(Sha256, BLOCK, key, over).into()
}

/// `secret` is the text itself, `key` what it stands for. None for what is no digest.
pub fn digest(algorithm: Algorithm, (secret, key): (&[u8], &[u8]), pieces: &[Piece<'_>]) -> Option<Digest> {
    macro_rules! hmac {
        ($hash:ty, $block:ident) => {{
            let over = |mac: &mut Hmac<$hash>| pieces.iter().for_each(|piece| mac.update(bytes(piece, secret)));
            Digest::of(&hmac_over!($hash, $block, key, over))
        }};
    }
    match algorithm {
        Algorithm::HmacSha256 => hmac!(Sha256, BLOCK),
        Algorithm::HmacSha1 => hmac!(Sha1, BLOCK),
        Algorithm::HmacSha512 => hmac!(Sha512, LONG_BLOCK),
        Algorithm::Sha256 => Digest::of(&sha256(pieces, secret)),
        Algorithm::Ed25519 | Algorithm::EcdsaP256 | Algorithm::Jwt | Algorithm::Token => None,
    }
}

pub fn bytes<'a>(piece: &'a Piece<'a>, secret: &'a [u8]) -> &'a [u8] {
    match piece {
        Piece::Bytes(bytes) => bytes,
        Piece::Secret => secret,
    }
}

/// SHA-256 of what is signed.
pub fn sha256(pieces: &[Piece<'_>], secret: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    pieces.iter().for_each(|piece| hash.update(bytes(piece, secret)));
    hash.finalize().into()
}

/// What is signed, in one piece, for what cannot be fed in several.
pub fn whole(pieces: &[Piece<'_>], secret: &[u8]) -> Vec<u8> {
    pieces.iter().flat_map(|piece| bytes(piece, secret)).copied().collect()
}

/// The key that a secret's text stands for; none where it is not of that form.
pub fn key(form: KeyForm, prefix: &str, secret: &[u8]) -> Option<Vec<u8>> {
    use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};
    let text = secret.strip_prefix(prefix.as_bytes()).unwrap_or(secret);
    let key = match form {
        KeyForm::Utf8 => text.to_vec(),
        KeyForm::Base64 => BASE64.decode(text).or_else(|_| BASE64_NOPAD.decode(text)).ok()?,
        KeyForm::Hex => HEXLOWER_PERMISSIVE.decode(text).ok()?,
        KeyForm::Sha1 => Sha1::digest(text).to_vec(),
    };
    // An empty key signs nothing: anyone has it.
    (!key.is_empty() && !text.is_empty()).then_some(key)
}

impl Algorithm {
    /// Bytes of a signature, where they are fixed.
    pub fn length(self) -> Option<usize> {
        match self {
            Self::HmacSha256 | Self::Sha256 => Some(32),
            Self::HmacSha1 => Some(20),
            Self::HmacSha512 | Self::Ed25519 => Some(64),
            Self::EcdsaP256 | Self::Jwt | Self::Token => None,
        }
    }

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "HMAC-SHA256",
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha512 => "HMAC-SHA512",
            Self::Sha256 => "SHA-256",
            Self::Ed25519 => "Ed25519 signature",
            Self::EcdsaP256 => "ECDSA signature",
            Self::Jwt => "JSON Web Token",
            Self::Token => "token",
        }
    }

    /// Of those whose secret is a public key.
    pub fn pair(self) -> Option<asymmetric::Algorithm> {
        match self {
            Self::Ed25519 => Some(asymmetric::Algorithm::Ed25519),
            Self::EcdsaP256 => Some(asymmetric::Algorithm::EcdsaP256),
            _ => None,
        }
    }
}
