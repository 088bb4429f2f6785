//! The other half: what a sender signs with. For `tidegate sign` and the tests; a gateway that receives has none.

use std::fmt;

use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256,
};

use super::{Algorithm, BadKey, PublicKey, decode};

/// The prefix of a private key in Standard Webhooks.
const STANDARD_WEBHOOKS: &str = "whsk_";

pub struct PrivateKey {
    algorithm: Algorithm,
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Rsa(Box<rsa::KeyPair>),
}

/// The system gave no random bytes, or the RSA key's numbers contradict one another.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("signing failed")]
pub struct CannotSign;

impl PrivateKey {
    /// Reads PKCS#8 (RFC 5208) as PEM or base64; an Ed25519 key also as its seed of 32 bytes, or as seed and public
    /// key in 64, in hexadecimal or base64.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn read(algorithm: Algorithm, text: &str) -> Result<Self, BadKey> {
        let text = text.trim();
        let bytes = decode(text.strip_prefix(STANDARD_WEBHOOKS).unwrap_or(text), "PRIVATE KEY")?;
        let ecdsa = |form| EcdsaKeyPair::from_pkcs8(form, &bytes, &SystemRandom::new()).map(Pair::Ecdsa);
        let pair = match algorithm {
            Algorithm::Ed25519 => ed25519(&bytes).map(Pair::Ed25519),
            Algorithm::EcdsaP256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
            Algorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Rs256 => rsa::KeyPair::from_pkcs8(&bytes).map(|pair| Pair::Rsa(Box::new(pair))),
        };
        let pair = pair.map_err(|_| BadKey::PrivateForm(algorithm.private()))?;
        Ok(Self { algorithm, pair })
    }

    /// The signature in the form of the key's algorithm.
    ///
    /// # Errors
    /// [`CannotSign`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CannotSign> {
        // Not `clock::random`: `ring` takes nonces and blinding from its own source only (the trait is sealed). They
        // decide nothing that a test would have to repeat, and a weak nonce would give the key away.
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Ecdsa(pair) => {
                pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()).map_err(|_| CannotSign)
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(|_| CannotSign)?;
                Ok(signature)
            }
        }
    }

    pub fn public_key(&self) -> PublicKey {
        let bytes = match &self.pair {
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
            Pair::Ecdsa(pair) => pair.public_key().as_ref(),
            Pair::Rsa(pair) => pair.public_key().as_ref(),
        };
        PublicKey { algorithm: self.algorithm, bytes: bytes.to_vec() }
    }
}

fn ed25519(bytes: &[u8]) -> Result<Ed25519KeyPair, ring::error::KeyRejected> {
    match bytes.len() {
        32 => Ed25519KeyPair::from_seed_unchecked(bytes),
        64 => Ed25519KeyPair::from_seed_and_public_key(&bytes[..32], &bytes[32..]),
        // OpenSSL writes no public key into PKCS#8; where one is, it is compared.
        _ => Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes),
    }
}

impl Algorithm {
    pub(super) fn private(self) -> &'static str {
        match self {
            Self::Ed25519 => "an Ed25519 private key: a seed of 32 bytes, seed and public key in 64, or PKCS#8",
            Self::EcdsaP256 | Self::Es256 => "a P-256 private key in PKCS#8: PEM, or the base64 inside it",
            Self::Rs256 => "an RSA private key of at least 2048 bits in PKCS#8: PEM, or the base64 inside it",
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?}, hidden)", self.algorithm)
    }
}
