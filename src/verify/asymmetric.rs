//! Signatures by a pair of keys: the sender signs with a private key, the source holds the public one and can forge
//! nothing. Pure: keys and bytes in, a yes or no out. Deliberately not here: which header carries the signature, what
//! was signed, and fetching keys from the sender (a source's key is pasted by its admin).

mod der;
mod private;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use secrecy::zeroize::Zeroizing;

pub use private::{CannotSign, PrivateKey};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RFC 8032. A signature is 64 bytes.
    Ed25519,
    /// ECDSA on P-256 over SHA-256. A signature is ASN.1 DER (RFC 3279, 2.2.3): what senders put into headers.
    EcdsaP256,
    /// The same curve and hash, a signature being r and s in 64 bytes (RFC 7518, 3.4). Only in JWTs.
    Es256,
    /// RSASSA-PKCS1-v1_5 over SHA-256 with a modulus of 2048 to 8192 bits (RFC 7518, 3.3). Only in JWTs.
    Rs256,
}

/// Never shows the text: it may be a private key, or a secret in the wrong place.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadKey {
    #[error("a key is written in hexadecimal, in padded base64, or as one PEM block")]
    Encoding,
    #[error("this is a private key; verifying takes the public one, and the private one stays with the sender")]
    Private,
    #[error("this is not {0}")]
    Public(&'static str),
    #[error("this is a key under which anybody can sign")]
    Weak,
    #[error("this is not {0}")]
    PrivateForm(&'static str),
    #[error("the secret is empty")]
    Empty,
    #[error("this is a public key, and with HS256 it would be a secret that everybody knows; set `algorithm`")]
    PublicAsSecret,
}

/// The prefix of a public key in Standard Webhooks.
const STANDARD_WEBHOOKS: &str = "whpk_";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// As `ring` takes it: 32 bytes, an uncompressed point, or an `RSAPublicKey`.
    bytes: Vec<u8>,
}

impl PublicKey {
    /// Reads hexadecimal, base64 or PEM of the raw key (Ed25519: 32 bytes, P-256: the uncompressed point) or of its
    /// SubjectPublicKeyInfo (RFC 5280, 4.1). Which of them it is needs no setting: base64 of DER begins with `M`, and
    /// that of a raw key ends with `=`, neither of which is a hexadecimal digit.
    ///
    /// # Errors
    /// [`BadKey`]: another kind of key, another curve or length, bytes left over. Whether a P-256 point lies on the
    /// curve is seen when it verifies: one that does not verifies nothing.
    pub fn read(algorithm: Algorithm, text: &str) -> Result<Self, BadKey> {
        if text.contains("PRIVATE KEY-----") {
            return Err(BadKey::Private);
        }
        let text = text.trim();
        let decoded = decode(text.strip_prefix(STANDARD_WEBHOOKS).unwrap_or(text), "PUBLIC KEY")?;
        let bytes = match algorithm {
            Algorithm::Ed25519 => der::ed25519(&decoded),
            Algorithm::EcdsaP256 | Algorithm::Es256 => der::p256(&decoded),
            Algorithm::Rs256 => der::rsa(&decoded),
        };
        let bytes = bytes.ok_or(BadKey::Public(algorithm.public()))?.to_vec();
        if algorithm == Algorithm::Ed25519 && is_of_small_order(&bytes) {
            return Err(BadKey::Weak);
        }
        Ok(Self { algorithm, bytes })
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A signature of another length or form, or one whose numbers are out of range, verifies nothing.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm.ring(), &self.bytes).verify(message, signature).is_ok()
    }
}

impl Algorithm {
    fn ring(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Ed25519 => &signature::ED25519,
            Self::EcdsaP256 => &signature::ECDSA_P256_SHA256_ASN1,
            Self::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        }
    }

    fn public(self) -> &'static str {
        match self {
            Self::Ed25519 => "an Ed25519 public key: 32 bytes in hexadecimal or base64, or its PEM",
            Self::EcdsaP256 | Self::Es256 => "a P-256 public key: PEM, or the base64 inside it",
            Self::Rs256 => "an RSA public key of 2048 to 8192 bits: PEM (`BEGIN PUBLIC KEY`), or the base64 inside it",
        }
    }
}

/// The bytes of a key's text; PEM must be one block of this label (RFC 7468).
fn decode(text: &str, label: &str) -> Result<Zeroizing<Vec<u8>>, BadKey> {
    let text = text.trim();
    let decoded = if text.starts_with("-----") {
        let block = text.strip_prefix(&format!("-----BEGIN {label}-----"));
        let block = block.and_then(|rest| rest.strip_suffix(&format!("-----END {label}-----")));
        let base64: Zeroizing<Vec<u8>> =
            Zeroizing::new(block.ok_or(BadKey::Encoding)?.bytes().filter(|char| !char.is_ascii_whitespace()).collect());
        BASE64.decode(&base64)
    } else if text.bytes().all(|char| char.is_ascii_hexdigit()) {
        HEXLOWER_PERMISSIVE.decode(text.as_bytes())
    } else {
        BASE64.decode(text.as_bytes())
    };
    decoded.map(Zeroizing::new).map_err(|_| BadKey::Encoding)
}

/// The y coordinates of Ed25519's eight points of small order, the last two written beyond the field's end. Under such
/// a key (the zeros that a sample configuration may hold are one) a signature is found for any message.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

fn is_of_small_order(key: &[u8]) -> bool {
    let mut y = key.to_vec();
    if let Some(last) = y.last_mut() {
        *last &= 0x7f; // the highest bit is the sign of x
    }
    SMALL_ORDER.contains(&HEXLOWER_PERMISSIVE.encode(&y).as_str())
}

#[cfg(test)]
mod tests;
