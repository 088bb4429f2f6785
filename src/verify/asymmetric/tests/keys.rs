//! Which texts are keys.

use super::*;

const ED25519_PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=\n-----END PUBLIC KEY-----\n";
const ED25519_PRIVATE_PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIFRFU1RTSUdOSU5HS0VZRE9OT1RVU0VUSElTRk9SQU5Z\n-----END PRIVATE KEY-----\n";
const P384_PUBLIC: &str = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEKDwdc2XOR4jyn46/I07f/q1v6Zf76l/6LVjMnfp7HFCLBVJvVbnrsgQPBbSPttDhlHXJkGHkG4i6Uu/bjBaQRxph2GfteZcp2cks0B29IlYw2E7eMqePnmRmTNrFEu+M";
const P384_PRIVATE: &str = "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAehZANiAAQoPB1zZc5HiPKfjr8jTt/+rW/pl/vqX/otWMyd+nscUIsFUm9VueuyBA8FtI+20OGUdcmQYeQbiLpS79uMFpBHGmHYZ+15lynZySzQHb0iVjDYTt4yp4+eZGZM2sUS74w=";
const SECP256K1_PUBLIC: &str = "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEXL3wZG5dtOqjmPNl8up6Dj1Bm34DMOOc6Svd7crE+bxq68pAuiVZYKMXjW2GGlTbqBPQuBP957WlCCYoCHJk2g==";
const P256_COMPRESSED: &str = "A3/Nzidw9sRdQYPL7m/bS3tYBzM1e+nvE7rPbjx70VRF";
const RSA_1024: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDAS+3kaUiDOpNT66u5q2AaDLrDh4a6nSjOpqQgl63hGSopoDKxa0BlYHzhwg7dhIK8SpQLA3ug6a2w8NpZmdQ0LHkgd909qNWs75p1DcnP8hUI5WQmTLmP7AXniiwlPvTBktuT57S4ZAR6OOAt412MxK9eTLkjprb87j2w0niA3QIDAQAB";

fn armoured(label: &str, base64: &str) -> String {
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\r\n{}\r\n-----END {label}-----\r\n", lines.join("\r\n"))
}

fn unarmoured(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

#[test]
fn a_public_key_is_read_in_every_form_that_senders_show() {
    let point = BASE64.encode(&base64(P256_PUBLIC)[26..]);
    let same = [
        (Algorithm::Ed25519, vec![ED25519_PEM.into(), unarmoured(ED25519_PEM), unarmoured(ED25519_PEM) + "\n"]),
        (
            Algorithm::EcdsaP256,
            vec![
                P256_PUBLIC.into(),
                armoured("PUBLIC KEY", P256_PUBLIC),
                HEXLOWER.encode(&base64(&point)),
                format!(" {point}\n"),
            ],
        ),
        (Algorithm::Rs256, vec![RSA_PUBLIC.into(), unarmoured(RSA_PUBLIC), RSA_PUBLIC.replace('\n', " ")]),
    ];
    for (algorithm, texts) in same {
        let first = PublicKey::read(algorithm, &texts[0]).unwrap();
        assert_eq!(first.algorithm(), algorithm);
        for text in &texts {
            assert_eq!(PublicKey::read(algorithm, text).as_ref(), Ok(&first), "{text}");
        }
    }
}

#[test]
fn another_key_is_no_key() {
    use Algorithm::{EcdsaP256, Ed25519, Es256, Rs256};
    let refused = [
        (Ed25519, P256_PUBLIC, BadKey::Public(Ed25519.public())),
        (Ed25519, RSA_PUBLIC, BadKey::Public(Ed25519.public())),
        (EcdsaP256, P384_PUBLIC, BadKey::Public(EcdsaP256.public())),
        (EcdsaP256, SECP256K1_PUBLIC, BadKey::Public(EcdsaP256.public())),
        (EcdsaP256, P256_COMPRESSED, BadKey::Public(EcdsaP256.public())),
        (Es256, ED25519_PEM, BadKey::Public(Es256.public())),
        (Rs256, RSA_1024, BadKey::Public(Rs256.public())),
        (Rs256, P256_PUBLIC, BadKey::Public(Rs256.public())),
        (Ed25519, "", BadKey::Public(Ed25519.public())),
        (Ed25519, "whpk_", BadKey::Public(Ed25519.public())),
        (Ed25519, "not a key", BadKey::Encoding),
        (Ed25519, "fc5", BadKey::Encoding),
        (Ed25519, "ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g", BadKey::Encoding), // no padding
        (Ed25519, "ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/h=", BadKey::Encoding), // bits after the last byte
        (Ed25519, ED25519_PRIVATE_PEM, BadKey::Private),
        (Rs256, RSA_PRIVATE, BadKey::Private),
        (EcdsaP256, P256_PRIVATE, BadKey::Public(EcdsaP256.public())),
    ];
    for (algorithm, text, why) in refused {
        assert_eq!(PublicKey::read(algorithm, text), Err(why), "{algorithm:?} {text}");
    }
    let twice = format!("{ED25519_PEM}{ED25519_PEM}");
    let certificate = ED25519_PEM.replace("PUBLIC KEY", "CERTIFICATE");
    for text in [&twice, &certificate, &format!("# a comment\n{ED25519_PEM}"), ED25519_PEM.trim_end_matches("-----\n")]
    {
        assert_eq!(PublicKey::read(Ed25519, text), Err(BadKey::Encoding), "{text}");
    }
}

/// A byte more, a byte less, and every byte of the structure changed: only what is the key's own number may vary.
#[test]
fn a_public_key_has_one_encoding() {
    let keys = [
        (Algorithm::Ed25519, base64(&unarmoured(ED25519_PEM)), 12..44, 12..44),
        (Algorithm::EcdsaP256, base64(P256_PUBLIC), 27..91, 27..91),
        (Algorithm::Rs256, base64(&unarmoured(RSA_PUBLIC)), 32..289, 291..294),
    ];
    for (algorithm, der, number, exponent) in keys {
        let read = |der: &[u8]| PublicKey::read(algorithm, &BASE64.encode(der)).is_ok();
        assert!(read(&der));
        assert!(!read(&[&der[..], &[0]].concat()));
        assert!(!read(&[&[0x30, 0x80], &der[..], &[0, 0]].concat()));
        let cut = (0..der.len()).filter(|length| read(&der[..*length])).collect::<Vec<_>>();
        assert!(cut.is_empty(), "{algorithm:?}: {cut:?}");
        for place in (0..der.len()).filter(|place| !number.contains(place) && !exponent.contains(place)) {
            for bit in 0..8 {
                let mut changed = der.clone();
                changed[place] ^= 1 << bit;
                assert!(!read(&changed), "{algorithm:?}: bit {bit} of byte {place}");
            }
        }
    }
}

#[test]
fn an_rsa_key_is_one_that_can_verify() {
    let der = base64(&unarmoured(RSA_PUBLIC));
    let (modulus, exponent) = (&der[33..289], &der[291..]);
    assert_eq!(exponent, [1, 0, 1]);
    let integer = |number: &[u8]| [&[2, 0x82][..], &(number.len() as u16).to_be_bytes(), number].concat();
    let short = |number: &[u8]| [&[2, number.len() as u8][..], number].concat();
    let read_der = |modulus: &[u8], exponent: &[u8]| {
        let wrap =
            |tag: u8, content: &[u8]| [&[tag, 0x82], &(content.len() as u16).to_be_bytes()[..], content].concat();
        let bits = [&[0][..], &wrap(0x30, &[modulus, exponent].concat())].concat();
        let spki = wrap(0x30, &[&der[4..19], &wrap(3, &bits)].concat());
        PublicKey::read(Algorithm::Rs256, &BASE64.encode(&spki)).is_ok()
    };
    let read = |modulus: &[u8], exponent: &[u8]| read_der(&integer(modulus), &short(exponent));
    let unsigned = [&[0], modulus].concat();
    assert!(read(&unsigned, exponent) && read(&unsigned, &[3]));
    assert!(!read(modulus, exponent), "negative");
    assert!(!read(&[&[0], &unsigned[..]].concat(), exponent), "a zero too many");
    assert!(!read(&[&[0x7f], &modulus[1..]].concat(), exponent), "2047 bits");
    assert!(!read(&[&unsigned[..256], &[0]].concat(), exponent), "even");
    assert!(!read(&[&[0], modulus, &[0xff; 1024 - 256 + 1]].concat(), exponent), "8200 bits");
    for exponent in [&[][..], &[0], &[1], &[2], &[0, 3], &[0x80, 1], &[1; 5]] {
        assert!(!read(&unsigned, exponent), "{exponent:?}");
    }
    let length_too_long = [[&[2, 0x81, 3][..], exponent].concat(), [&[2, 0x82, 0, 3][..], exponent].concat()];
    for exponent in length_too_long {
        assert!(!read_der(&integer(&unsigned), &exponent), "{exponent:?}");
    }
}

#[test]
fn a_key_under_which_anybody_signs_is_refused() {
    for y in SMALL_ORDER {
        for sign in [0, 0x80] {
            let mut key = hex(y);
            key[31] |= sign;
            let read = PublicKey::read(Algorithm::Ed25519, &HEXLOWER.encode(&key));
            assert_eq!(read, Err(BadKey::Weak), "{y} {sign}");
        }
    }
    // Why: under the neutral element S = 0 and R = the same point sign everything.
    let mut neutral = vec![0; 32];
    neutral[0] = 1;
    let signature = [neutral.clone(), vec![0; 32]].concat();
    assert!(PublicKey { algorithm: Algorithm::Ed25519, bytes: neutral }.verifies(b"anything", &signature));
}

#[test]
fn a_private_key_is_read_and_another_is_not() {
    let seed = PrivateKey::read(Algorithm::Ed25519, ED25519_PRIVATE_PEM).unwrap();
    assert_eq!(seed.public_key(), PublicKey::read(Algorithm::Ed25519, ED25519_PEM).unwrap());
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Es256] {
        for text in [P256_PRIVATE, &armoured("PRIVATE KEY", P256_PRIVATE)] {
            let public = PrivateKey::read(algorithm, text).unwrap().public_key();
            assert_eq!(public, PublicKey::read(algorithm, P256_PUBLIC).unwrap());
        }
    }
    let rsa = PrivateKey::read(Algorithm::Rs256, &unarmoured(RSA_PRIVATE)).unwrap();
    assert_eq!(rsa.public_key(), PublicKey::read(Algorithm::Rs256, RSA_PUBLIC).unwrap());
    let foreign_half = format!("{ED25519_SEED}d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    for (algorithm, text) in [
        (Algorithm::Ed25519, P256_PRIVATE),
        (Algorithm::Ed25519, &foreign_half),
        (Algorithm::Ed25519, &ED25519_SEED[2..]),
        (Algorithm::EcdsaP256, P384_PRIVATE),
        (Algorithm::Es256, &unarmoured(RSA_PRIVATE)),
        (Algorithm::Rs256, P256_PRIVATE),
    ] {
        let read = PrivateKey::read(algorithm, text).map(|_| ());
        assert_eq!(read, Err(BadKey::PrivateForm(algorithm.private())), "{algorithm:?} {text}");
    }
    assert_eq!(PrivateKey::read(Algorithm::Ed25519, ED25519_PEM).map(|_| ()), Err(BadKey::Encoding));
}

#[test]
fn no_key_shows_itself() {
    let private = PrivateKey::read(Algorithm::Ed25519, ED25519_SEED).unwrap();
    assert_eq!(format!("{private:?}"), "PrivateKey(Ed25519, hidden)");
    let error = PublicKey::read(Algorithm::Rs256, "hunter2 hunter2").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter"));
}
