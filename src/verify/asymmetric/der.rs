//! Public keys out of SubjectPublicKeyInfo (RFC 5280, 4.1), in strict DER. Two of the three have one form only, which
//! is compared byte by byte.

/// id-Ed25519 and the head of 32 bytes (RFC 8410, 4).
const ED25519: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// id-ecPublicKey with secp256r1 and the head of 65 bytes (RFC 5480, 2).
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// rsaEncryption and its NULL (RFC 3279, 2.3.1).
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// The uncompressed form's first byte (SEC 1, 2.3.3).
const UNCOMPRESSED: u8 = 0x04;

pub(super) fn ed25519(key: &[u8]) -> Option<&[u8]> {
    let raw = key.strip_prefix(ED25519).unwrap_or(key);
    (raw.len() == 32).then_some(raw)
}

pub(super) fn p256(key: &[u8]) -> Option<&[u8]> {
    let point = key.strip_prefix(P256).unwrap_or(key);
    (point.len() == 65 && point.first() == Some(&UNCOMPRESSED)).then_some(point)
}

/// The `RSAPublicKey` inside (RFC 8017, A.1.1), with a modulus and an exponent that `ring` will take.
pub(super) fn rsa(key: &[u8]) -> Option<&[u8]> {
    let (algorithm, rest) = element(SEQUENCE, only(SEQUENCE, key)?)?;
    let inner = only(BIT_STRING, rest)?.strip_prefix(&[0])?;
    let (modulus, rest) = element(INTEGER, only(SEQUENCE, inner)?)?;
    let (modulus, exponent) = (positive(modulus)?, positive(only(INTEGER, rest)?)?);
    let bits = modulus.len() * 8 - modulus.first()?.leading_zeros() as usize;
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    let exponent_fits = odd(exponent) && exponent != [1] && exponent.len() <= 4;
    (algorithm == RSA && (2048..=8192).contains(&bits) && odd(modulus) && exponent_fits).then_some(inner)
}

/// The bytes of a number above zero, without the zero that keeps it from being read as negative.
fn positive(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, 0x80..=0xff, ..] => Some(&integer[1..]),
        [1..=0x7f, ..] => Some(integer),
        _ => None,
    }
}

/// The content of the one element that `input` is.
fn only(tag: u8, input: &[u8]) -> Option<&[u8]> {
    element(tag, input).and_then(|(content, rest)| rest.is_empty().then_some(content))
}

/// The content of the first element, and what follows it. A length is written in its shortest form.
fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match input.strip_prefix(&[tag])? {
        [short @ ..=0x7f, rest @ ..] => (usize::from(*short), rest),
        [0x81, long @ 0x80..=0xff, rest @ ..] => (usize::from(*long), rest),
        [0x82, high @ 1..=0xff, low, rest @ ..] => (usize::from(*high) << 8 | usize::from(*low), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}
