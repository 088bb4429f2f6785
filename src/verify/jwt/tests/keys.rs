//! Which texts are keys for tokens.

use super::*;

#[track_caller]
fn read(algorithm: Algorithm, secret: &[u8]) -> Result<(), BadKey> {
    Key::read(algorithm, secret).map(|key| assert_eq!(key.algorithm(), algorithm))
}

#[test]
fn a_secret_is_any_bytes_but_a_public_key() {
    for fine in [SECRET, &[0xff, 0xfe], b"M", b"MzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMw==", b" spaces count "] {
        assert_eq!(read(Algorithm::Hs256, fine), Ok(()));
    }
    for empty in [&b""[..], b" ", b"\n\t"] {
        assert_eq!(read(Algorithm::Hs256, empty), Err(BadKey::Empty));
    }
    let rsa_der = String::from_utf8(RSA_PUBLIC.to_vec()).unwrap();
    let rsa_der: String = rsa_der.lines().filter(|line| !line.starts_with("-----")).collect();
    let certificate = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    for public in
        [RSA_PUBLIC, EC_PUBLIC, rsa_der.as_bytes(), certificate, RSA_PRIVATE, b"ssh-ed25519 AAAA", b" ssh-rsa AA"]
    {
        assert_eq!(read(Algorithm::Hs256, public), Err(BadKey::PublicAsSecret));
        assert!(SigningKey::read(Algorithm::Hs256, public).is_err());
    }
}

#[test]
fn a_public_key_is_that_of_the_algorithm() {
    assert_eq!(read(Algorithm::Rs256, RSA_PUBLIC), Ok(()));
    assert_eq!(read(Algorithm::Es256, EC_PUBLIC), Ok(()));
    for (algorithm, other) in [
        (Algorithm::Rs256, EC_PUBLIC),
        (Algorithm::Es256, RSA_PUBLIC),
        (Algorithm::Rs256, SECRET),
        (Algorithm::Es256, SECRET),
        (Algorithm::Rs256, RSA_PRIVATE),
        (Algorithm::Es256, EC_PRIVATE),
        (Algorithm::Rs256, b""),
        (Algorithm::Es256, b"\xff"),
    ] {
        assert!(read(algorithm, other).is_err(), "{algorithm:?}");
    }
}

#[test]
fn no_key_shows_itself() {
    let secret = format!("{:?} {:?}", key(), SigningKey::read(Algorithm::Hs256, SECRET).unwrap());
    assert!(!secret.contains("shared secret") && !secret.contains(&format!("{SECRET:?}")), "{secret}");
    let private = format!("{:?}", SigningKey::read(Algorithm::Es256, EC_PRIVATE).unwrap());
    assert_eq!(private, "Es256(PrivateKey(Es256, hidden))");
}
