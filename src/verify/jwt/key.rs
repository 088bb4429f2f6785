//! A source's key and the one algorithm it is for. A token cannot choose: what it says is compared with this, after the
//! signature has fitted (RFC 8725, 3.1).

use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::verify::asymmetric::{self, BadKey, CannotSign, PrivateKey, PublicKey};

/// RFC 7518, 3.1. `none` is not one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    #[default]
    Hs256,
    Rs256,
    Es256,
}

impl Algorithm {
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// Shows no secret: `ring` prints only which hash an HMAC key is for.
#[derive(Clone, Debug)]
pub enum Key {
    Hs256(hmac::Key),
    Rs256(PublicKey),
    Es256(PublicKey),
}

impl Key {
    /// For HS256 `secret` is the shared secret itself; for the others the text of the public key.
    ///
    /// # Errors
    /// [`BadKey`]: no such key, or a public key as the secret of HS256, with which anybody could sign.
    pub fn read(algorithm: Algorithm, secret: &[u8]) -> Result<Self, BadKey> {
        match algorithm {
            Algorithm::Hs256 => shared(secret).map(Self::Hs256),
            Algorithm::Rs256 => PublicKey::read(asymmetric::Algorithm::Rs256, text(secret)?).map(Self::Rs256),
            Algorithm::Es256 => PublicKey::read(asymmetric::Algorithm::Es256, text(secret)?).map(Self::Es256),
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::Hs256,
            Self::Rs256(_) => Algorithm::Rs256,
            Self::Es256(_) => Algorithm::Es256,
        }
    }

    /// In constant time where the key is a secret.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Rs256(key) | Self::Es256(key) => key.verifies(message, signature),
        }
    }
}

/// What a sender signs its tokens with.
#[derive(Debug)]
pub enum SigningKey {
    Hs256(hmac::Key),
    Rs256(PrivateKey),
    Es256(PrivateKey),
}

impl SigningKey {
    /// For HS256 `secret` is the shared secret itself; for the others the text of the private key.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn read(algorithm: Algorithm, secret: &[u8]) -> Result<Self, BadKey> {
        match algorithm {
            Algorithm::Hs256 => shared(secret).map(Self::Hs256),
            Algorithm::Rs256 => PrivateKey::read(asymmetric::Algorithm::Rs256, text(secret)?).map(Self::Rs256),
            Algorithm::Es256 => PrivateKey::read(asymmetric::Algorithm::Es256, text(secret)?).map(Self::Es256),
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::Hs256,
            Self::Rs256(_) => Algorithm::Rs256,
            Self::Es256(_) => Algorithm::Es256,
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CannotSign> {
        match self {
            Self::Hs256(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Self::Rs256(key) | Self::Es256(key) => key.sign(message),
        }
    }
}

fn shared(secret: &[u8]) -> Result<hmac::Key, BadKey> {
    if secret.trim_ascii().is_empty() {
        return Err(BadKey::Empty);
    }
    if is_public(secret) {
        return Err(BadKey::PublicAsSecret);
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, secret))
}

/// Whoever changes a source from RS256 and leaves its key, or forgets to say RS256, would accept tokens of anyone who
/// has the public key. A random secret has none of these forms: base64 of DER begins with `M`, a label is readable.
fn is_public(secret: &[u8]) -> bool {
    let Ok(text) = text(secret) else { return false };
    let read = |algorithm| text.trim().starts_with('M') && PublicKey::read(algorithm, text).is_ok();
    ["-----BEGIN ", "ssh-"].iter().any(|label| text.trim().starts_with(label))
        || read(asymmetric::Algorithm::Rs256)
        || read(asymmetric::Algorithm::Es256)
}

fn text(secret: &[u8]) -> Result<&str, BadKey> {
    std::str::from_utf8(secret).map_err(|_| BadKey::Encoding)
}
