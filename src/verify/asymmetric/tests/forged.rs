//! Signatures that a lax reader takes for others (the classes of Project Wycheproof, made here).

use super::*;

/// The order of P-256.
const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/// r and s of a signature of `message` under [`P256_PRIVATE`].
fn fixed(message: &[u8]) -> Vec<u8> {
    PrivateKey::read(Algorithm::Es256, P256_PRIVATE).unwrap().sign(message).unwrap()
}

/// DER of any number: `lead` stands before its bytes.
fn integer(lead: &[u8], number: &[u8]) -> Vec<u8> {
    let content = [lead, number].concat();
    [&[2, u8::try_from(content.len()).unwrap()], &content[..]].concat()
}

/// DER as it should be.
fn minimal(number: &[u8]) -> Vec<u8> {
    let significant = number.iter().position(|byte| *byte != 0).map_or(&[0][..], |first| &number[first..]);
    if significant[0] < 0x80 { integer(&[], significant) } else { integer(&[0], significant) }
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&[0x30, u8::try_from(content.len()).unwrap()], &content[..]].concat()
}

/// big - small, both of 32 bytes.
fn minus(big: &[u8], small: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = (0..32)
        .rev()
        .map(|place| {
            let digit = i16::from(big[place]) - i16::from(small[place]) - borrow;
            borrow = i16::from(digit < 0);
            u8::try_from(digit.rem_euclid(256)).unwrap()
        })
        .collect();
    digits.reverse();
    digits
}

#[test]
fn der_has_one_form() {
    let message = b"1600112502[]";
    let public = PublicKey::read(Algorithm::EcdsaP256, P256_PUBLIC).unwrap();
    let rs = fixed(message);
    let (r, s) = rs.split_at(32);
    let good = sequence(&[&minimal(r), &minimal(s)]);
    assert!(public.verifies(message, &good));
    let (r_der, s_der) = (minimal(r), minimal(s));
    let long = [&[0x30, 0x81, good[1]], &good[2..]].concat();
    let longer = [&[0x30, 0x82, 0, good[1]], &good[2..]].concat();
    let indefinite = [&[0x30, 0x80], &good[2..], &[0, 0]].concat();
    let long_r = [&[2, 0x81, r_der[1]], &r_der[2..]].concat();
    let negative = |number: &[u8]| integer(&[], &[&[number[0] | 0x80], &number[1..]].concat());
    let forged = [
        ("a byte behind", [&good[..], &[0]].concat()),
        ("a byte behind, inside", sequence(&[&r_der, &s_der, &[0]])),
        ("NULL behind, inside", sequence(&[&r_der, &s_der, &[5, 0]])),
        ("a third number", sequence(&[&r_der, &s_der, &s_der])),
        ("one number", sequence(&[&r_der])),
        ("none", sequence(&[])),
        ("empty", vec![]),
        ("length in long form", long),
        ("length in longer form", longer),
        ("indefinite length", indefinite),
        ("length of r in long form", sequence(&[&long_r, &s_der])),
        ("length too small", [&[0x30, good[1] - 1], &good[2..]].concat()),
        ("length too large", [&[0x30, good[1] + 1], &good[2..]].concat()),
        ("a zero before r", sequence(&[&integer(&[0, 0], r), &s_der])),
        ("a zero before s", sequence(&[&r_der, &integer(&[0, 0], s)])),
        ("r negative", sequence(&[&negative(r), &s_der])),
        ("s negative", sequence(&[&r_der, &negative(s)])),
        ("r empty", sequence(&[&[2, 0], &s_der])),
        ("a set", [&[0x31, good[1]], &good[2..]].concat()),
        ("a bit string", sequence(&[&[&[3, r_der[1]], &r_der[2..]].concat(), &s_der])),
        ("swapped", sequence(&[&s_der, &r_der])),
        ("r and s side by side", rs.clone()),
    ];
    for (what, signature) in forged {
        assert!(!public.verifies(message, &signature), "{what}");
    }
}

#[test]
fn the_numbers_of_ecdsa_have_a_range() {
    let message = b"1600112502[]";
    let der = PublicKey::read(Algorithm::EcdsaP256, P256_PUBLIC).unwrap();
    let raw = PublicKey::read(Algorithm::Es256, P256_PUBLIC).unwrap();
    let rs = fixed(message);
    let (r, s) = rs.split_at(32);
    let (n, zero, one, most) = (hex(N), vec![0; 32], [vec![0; 31], vec![1]].concat(), vec![0xff; 32]);
    let less = minus(&n, &one);
    for bad in [&zero, &one, &n, &less, &most] {
        for (r, s) in [(r, &bad[..]), (bad, s), (bad, bad)] {
            assert!(!raw.verifies(message, &[r, s].concat()), "{r:?} {s:?}");
            assert!(!der.verifies(message, &sequence(&[&minimal(r), &minimal(s)])), "{r:?} {s:?}");
        }
    }
    // n - s fits too: ECDSA knows no single form, which is why nothing is remembered by its signature.
    let twin = minus(&n, s);
    assert!(raw.verifies(message, &[r, &twin].concat()));
}

#[test]
fn a_side_by_side_signature_is_64_bytes() {
    let message = b"eyJhbGciOiJFUzI1NiJ9.e30";
    let public = PublicKey::read(Algorithm::Es256, P256_PUBLIC).unwrap();
    let rs = fixed(message);
    assert!(public.verifies(message, &rs));
    let der = sequence(&[&minimal(&rs[..32]), &minimal(&rs[32..])]);
    let padded = [&[0], &rs[..32], &[0], &rs[32..]].concat();
    for signature in [&rs[..63], &[&rs[..], &[0]].concat(), &[&[0], &rs[..]].concat(), &der, &padded, &[], &[0; 64]] {
        assert!(!public.verifies(message, signature), "{signature:?}");
    }
}

#[test]
fn a_point_that_is_not_on_the_curve_verifies_nothing() {
    let message = b"1600112502[]";
    let signature = PrivateKey::read(Algorithm::EcdsaP256, P256_PRIVATE).unwrap().sign(message).unwrap();
    let mut point = base64(P256_PUBLIC).split_off(26);
    *point.last_mut().unwrap() ^= 1;
    let off = PublicKey::read(Algorithm::EcdsaP256, &BASE64.encode(&point)).unwrap();
    assert!(!off.verifies(message, &signature));
    let origin = PublicKey::read(Algorithm::EcdsaP256, &BASE64.encode(&[vec![4], vec![0; 64]].concat())).unwrap();
    assert!(!origin.verifies(message, &signature));
}

/// RFC 8032, 5.1.7: S is below the group's order, so that a signature has one form.
#[test]
fn an_ed25519_signature_has_one_form() {
    let private = PrivateKey::read(Algorithm::Ed25519, ED25519_SEED).unwrap();
    let public = private.public_key();
    let message = br#"1599775296{"type":1}"#;
    let good = private.sign(message).unwrap();
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut lifted = good.clone();
    let mut carry = 0;
    for (digit, added) in lifted[32..].iter_mut().zip(order) {
        let sum = u16::from(*digit) + u16::from(added) + carry;
        (*digit, carry) = ((sum & 0xff) as u8, sum >> 8);
    }
    assert_eq!(carry, 0);
    let high_bits = [&good[..63], &[good[63] | 0xe0]].concat();
    let swapped = [&good[32..], &good[..32]].concat();
    let forged = [
        lifted,
        high_bits,
        swapped,
        good[..63].to_vec(),
        [&good[..], &[0]].concat(),
        vec![],
        vec![0; 64],
        vec![0xff; 64],
        [&good[..32], &[0; 32]].concat(),
        [&[0; 32], &good[32..]].concat(),
        HEXLOWER.encode(&good).into_bytes(),
    ];
    assert!(public.verifies(message, &good));
    for signature in forged {
        assert!(!public.verifies(message, &signature), "{signature:02x?}");
    }
}

/// RFC 8017, 8.2.2: as long as the modulus, and below it.
#[test]
fn an_rsa_signature_is_as_long_as_its_modulus() {
    let private = PrivateKey::read(Algorithm::Rs256, RSA_PRIVATE).unwrap();
    let public = private.public_key();
    let good = private.sign(b"message").unwrap();
    assert_eq!(good.len(), 256);
    assert!(public.verifies(b"message", &good));
    for bad in [&good[1..], &[&[0], &good[..]].concat(), &[0; 256], &[0xff; 256], &[], &[&[0; 255][..], &[1]].concat()]
    {
        assert!(!public.verifies(b"message", bad), "{bad:02x?}");
    }
}
