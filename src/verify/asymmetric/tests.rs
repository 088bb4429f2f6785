use data_encoding::{BASE64, HEXLOWER};

use super::*;

mod forged;
mod keys;
mod senders;

/// The key pair of RFC 7515, A.3.
const P256_PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==";
const P256_PRIVATE: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";
/// That of RFC 7515, A.2.
const RSA_PUBLIC: &str = include_str!("../jwt/rfc7515_rsa_public.pem");
const RSA_PRIVATE: &str = include_str!("../jwt/rfc7515_rsa_private.pem");
/// Secret and public key of RFC 8032, 7.1, test 3.
const ED25519_SEED: &str = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
const ED25519_PUBLIC: &str = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn base64(text: &str) -> Vec<u8> {
    BASE64.decode(text.as_bytes()).unwrap()
}

#[test]
fn the_vectors_of_rfc_8032_sign_and_verify() {
    // Seed, public key, message, signature; the last message is SHA-512 of "abc".
    let vectors = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            ED25519_SEED,
            ED25519_PUBLIC,
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ];
    for (seed, public, message, signature) in vectors {
        let private = PrivateKey::read(Algorithm::Ed25519, seed).unwrap();
        let public = PublicKey::read(Algorithm::Ed25519, public).unwrap();
        assert_eq!(private.public_key(), public);
        assert_eq!(private.sign(&hex(message)).unwrap(), hex(signature));
        assert!(public.verifies(&hex(message), &hex(signature)));
    }
}

/// Every byte of message and signature, one bit flipped, for each kind of key.
#[test]
fn one_changed_bit_is_refused() {
    let pairs = [
        (Algorithm::Ed25519, ED25519_SEED),
        (Algorithm::EcdsaP256, P256_PRIVATE),
        (Algorithm::Es256, P256_PRIVATE),
        (Algorithm::Rs256, RSA_PRIVATE),
    ];
    let message = br#"1614265330.{"type":"invoice.paid","amount":100}"#;
    let (mut tried, mut accepted) = (0, 0);
    for (algorithm, private) in pairs {
        let private = PrivateKey::read(algorithm, private).unwrap();
        let (public, signature) = (private.public_key(), private.sign(message).unwrap());
        assert!(public.verifies(message, &signature), "{algorithm:?}");
        for bit in 0..8 * message.len() {
            let mut changed = *message;
            changed[bit / 8] ^= 1 << (bit % 8);
            tried += 1;
            accepted += usize::from(public.verifies(&changed, &signature));
        }
        for bit in 0..8 * signature.len() {
            let mut changed = signature.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            tried += 1;
            accepted += usize::from(public.verifies(message, &changed));
        }
        for length in 0..signature.len() {
            tried += 1;
            accepted += usize::from(public.verifies(message, &signature[..length]));
        }
    }
    assert!(tried > 5_000, "{tried}");
    assert_eq!(accepted, 0, "of {tried}");
}
