//! Secrets: the type that keeps them out of logs, what the gateway makes itself, and the seal under which those that
//! must be read again are stored. What only has to be recognised (tokens, API keys) is stored as a digest instead.

use std::fmt;
use std::str::FromStr;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use secrecy::zeroize::{Zeroize, Zeroizing};
pub use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::{clock, id};

/// In front of a source's token.
pub const SOURCE_TOKEN: &str = "tgt_";
/// In front of an API key.
pub const API_KEY: &str = "tgk_";

/// A new token or API key: the prefix and 192 random bits in lower-case Crockford base32, 39 characters.
pub fn generate(prefix: &str) -> SecretString {
    let bytes = Zeroizing::new(clock::random::<24>());
    // At its final size from the start: a text that grows leaves copies behind.
    let mut text = String::with_capacity(prefix.len() + 39);
    text.push_str(prefix);
    let (mut pool, mut held) = (0u32, 0);
    for byte in bytes.iter() {
        pool = (pool << 8 | u32::from(*byte)) & 0xfff;
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(base32(pool >> held));
        }
    }
    // 192 bits are 38 characters and two bits more.
    text.push(base32(pool << (5 - held)));
    text.into()
}

fn base32(bits: u32) -> char {
    char::from(id::ALPHABET[(bits & 31) as usize])
}

/// A new signing secret, as Standard Webhooks writes them: `whsec_` and the base64 of 32 random bytes.
pub fn generate_signing() -> SecretString {
    let bytes = Zeroizing::new(clock::random::<32>());
    let mut text = String::with_capacity(6 + 44);
    text.push_str("whsec_");
    BASE64.encode_append(bytes.as_slice(), &mut text);
    text.into()
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(headers: &http::HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// What is stored of a token or an API key. They carry 192 random bits, so a plain SHA-256 cannot be searched back.
pub fn digest(text: &str) -> [u8; 32] {
    digest_bytes(text.as_bytes())
}

pub fn digest_bytes(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A digest as storage writes it: 64 lower-case hex digits.
pub fn hex(digest: &[u8; 32]) -> String {
    data_encoding::HEXLOWER.encode(digest)
}

/// The one layout there is: version, nonce, ciphertext with its tag.
const VERSION: u8 = 1;
const NONCE: usize = 24;

/// The key under which secrets are stored. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; 32]>);

/// The text is not a seal key. It does not say what the text was.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a seal key: expected 32 bytes as 64 hex digits or as base64 (`openssl rand -hex 32` makes one)")]
pub struct BadSealKey;

/// Sealed under another key or for another context, altered, or cut short: which of them cannot be told.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the sealed secret cannot be opened")]
pub struct CannotOpen;

impl SealKey {
    pub fn generate() -> Self {
        Self(Zeroizing::new(clock::random()))
    }

    /// 64 hex digits, to be read back by [`FromStr`].
    pub fn to_text(&self) -> SecretString {
        HEXLOWER.encode(self.0.as_slice()).into()
    }

    /// Names the key without giving it away: 16 hex digits, stored beside what the key sealed.
    pub fn id(&self) -> String {
        let hash = Sha256::new_with_prefix("tidegate seal key id\0").chain_update(self.0.as_slice()).finalize();
        HEXLOWER.encode(&hash[..8])
    }

    /// Tells whether a secret is the same as it was, without keeping it: nobody without the key can try secrets on it.
    pub fn mark(&self, plain: &SecretString, context: &str) -> String {
        let hash = Sha256::new_with_prefix("tidegate secret mark\0").chain_update(self.0.as_slice());
        let hash = hash.chain_update(context).chain_update([0]).chain_update(plain.expose_secret());
        HEXLOWER.encode(&hash.finalize())
    }

    /// Seals `plain` for `context` (say, the id of the source it belongs to): it opens in no other.
    #[expect(clippy::expect_used, reason = "encryption fails only above 256 GiB")]
    pub fn seal(&self, plain: &SecretString, context: &str) -> Vec<u8> {
        let nonce = clock::random::<NONCE>();
        let payload = Payload { msg: plain.expose_secret().as_bytes(), aad: context.as_bytes() };
        let sealed = self.cipher().encrypt(&nonce.into(), payload).expect("a secret is shorter than 256 GiB");
        [&[VERSION], nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`SealKey::seal`] made under the same key for the same context.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn open(&self, sealed: &[u8], context: &str) -> Result<SecretString, CannotOpen> {
        let sealed = sealed.strip_prefix(&[VERSION]).ok_or(CannotOpen)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(CannotOpen)?;
        let payload = Payload { msg: sealed, aad: context.as_bytes() };
        let plain = self.cipher().decrypt(&(*nonce).into(), payload).map_err(|_| CannotOpen)?;
        String::from_utf8(plain).map(SecretString::from).map_err(|_| CannotOpen)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let key: &[u8; 32] = &self.0;
        XChaCha20Poly1305::new(key.into())
    }
}

impl FromStr for SealKey {
    type Err = BadSealKey;

    /// Either form that `openssl rand` prints, with or without the line's end.
    fn from_str(text: &str) -> Result<Self, BadSealKey> {
        let text = text.trim().as_bytes();
        let encoding = if text.len() == 64 { HEXLOWER_PERMISSIVE } else { BASE64 };
        let mut bytes = encoding.decode(text).map_err(|_| BadSealKey)?;
        let key = bytes.as_slice().try_into().map(|key| Self(Zeroizing::new(key))).map_err(|_| BadSealKey);
        bytes.zeroize();
        key
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: &str = "src_00000000000000000000000001";

    fn sealed() -> (SealKey, Vec<u8>) {
        let key = SealKey::generate();
        let sealed = key.seal(&"whsec_ünlocked".into(), CONTEXT);
        (key, sealed)
    }

    #[test]
    fn a_mark_is_of_a_secret_a_source_and_a_key() {
        let (key, _) = sealed();
        let mark = key.mark(&"one".into(), CONTEXT);
        assert_eq!(mark, key.mark(&"one".into(), CONTEXT));
        assert_ne!(mark, key.mark(&"two".into(), CONTEXT));
        assert_ne!(mark, key.mark(&"one".into(), "src_other"));
        assert_ne!(mark, SealKey::generate().mark(&"one".into(), CONTEXT));
    }

    #[test]
    fn a_bearer_is_read_in_any_case_of_its_scheme() {
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", "bearer tgt_1".parse().unwrap());
        assert_eq!(bearer(&headers), Some("tgt_1"));
        headers.insert("authorization", "Basic dGd0".parse().unwrap());
        assert_eq!(bearer(&headers), None);
    }

    #[test]
    fn a_token_is_its_prefix_and_39_characters_of_its_own() {
        let token = generate(SOURCE_TOKEN);
        let text = token.expose_secret();
        assert!(text.starts_with("tgt_"));
        assert_eq!(text.len(), 43);
        assert!(text.bytes().skip(4).all(|char| id::ALPHABET.contains(&char)), "{text}");
        assert_ne!(text, generate(SOURCE_TOKEN).expose_secret());
        assert_ne!(digest(text), digest(generate(SOURCE_TOKEN).expose_secret()));
    }

    #[test]
    fn every_bit_of_a_token_is_random() {
        // One place that never varies would be a lost character: 300 draws miss a given digit of 32 once in 10^4.
        let drawn: Vec<String> = (0..300).map(|_| generate("").expose_secret().to_owned()).collect();
        for place in 0..38 {
            let seen: std::collections::BTreeSet<u8> = drawn.iter().map(|text| text.as_bytes()[place]).collect();
            assert!(seen.len() > 20, "place {place} shows only {} digits", seen.len());
        }
    }

    #[test]
    fn a_signing_secret_is_32_bytes_of_base64() {
        let secret = generate_signing();
        let text = secret.expose_secret().strip_prefix("whsec_").unwrap();
        assert_eq!(BASE64.decode(text.as_bytes()).unwrap().len(), 32);
    }

    #[test]
    fn what_is_sealed_opens_again() {
        let (key, sealed) = sealed();
        assert_eq!(key.open(&sealed, CONTEXT).unwrap().expose_secret(), "whsec_ünlocked");
        let again = key.seal(&"whsec_ünlocked".into(), CONTEXT);
        assert_ne!(sealed, again, "the nonce is fresh each time");
        let empty = key.seal(&"".into(), CONTEXT);
        assert_eq!(key.open(&empty, CONTEXT).unwrap().expose_secret(), "");
    }

    #[test]
    fn another_key_and_another_context_do_not_open_it() {
        let (key, sealed) = sealed();
        assert_eq!(SealKey::generate().open(&sealed, CONTEXT).unwrap_err(), CannotOpen);
        assert_eq!(key.open(&sealed, "src_00000000000000000000000002").unwrap_err(), CannotOpen);
    }

    #[test]
    fn altered_or_cut_it_does_not_open() {
        let (key, sealed) = sealed();
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert_eq!(key.open(&altered, CONTEXT).unwrap_err(), CannotOpen, "byte {place} flipped");
            assert_eq!(key.open(&sealed[..place], CONTEXT).unwrap_err(), CannotOpen, "cut to {place} bytes");
        }
    }

    #[test]
    fn a_seal_key_reads_back_from_hex_and_base64_and_keeps_its_id() {
        let key = SealKey::generate();
        let hex = key.to_text();
        let base64 = BASE64.encode(key.0.as_slice());
        for text in [hex.expose_secret(), &hex.expose_secret().to_uppercase(), &base64, &format!("{base64}\n")] {
            assert_eq!(text.parse::<SealKey>().unwrap().id(), key.id());
        }
        assert_eq!(key.id().len(), 16);
        assert!(!hex.expose_secret().contains(&key.id()));
        assert!(!format!("{key:?}").contains(hex.expose_secret()));
    }

    #[test]
    fn what_is_not_32_bytes_is_no_seal_key() {
        for text in ["", "00", &"0".repeat(63), &"g".repeat(64), &BASE64.encode(&[0; 31]), &BASE64.encode(&[0; 33])] {
            assert_eq!(text.parse::<SealKey>().unwrap_err(), BadSealKey, "{text}");
        }
    }
}
