//! Tokens that a lax reader takes (RFC 8725, 2).

use super::*;

/// A good token, and the claims that it is judged by.
fn good() -> (Claims, String) {
    let claims = Claims { issuer: Some("netlify".into()), ..body_hash("sha256") };
    let signing = SigningKey::read(Algorithm::Hs256, SECRET).unwrap();
    let token = claims.issue(&signing, REQUEST, now(), TOLERANCE).unwrap();
    (claims, token)
}

/// Every bit of token and body, for each kind of key; and every place where the token may be cut.
#[test]
fn one_changed_bit_is_refused() {
    let keys = [
        (Algorithm::Hs256, SECRET, SECRET),
        (Algorithm::Rs256, RSA_PRIVATE, RSA_PUBLIC),
        (Algorithm::Es256, EC_PRIVATE, EC_PUBLIC),
    ];
    let (mut tried, mut accepted) = (0, 0);
    for (algorithm, private, public) in keys {
        let claims = Claims { algorithm, ..good().0 };
        let signing = SigningKey::read(algorithm, private).unwrap();
        let token = claims.issue(&signing, REQUEST, now(), TOLERANCE).unwrap().into_bytes();
        let key = Key::read(algorithm, public).unwrap();
        let mut judge = |token: &[u8], body: &[u8]| {
            tried += 1;
            let verdict = claims.verify(&key, token, Request { body, ..REQUEST }, now(), TOLERANCE);
            accepted += usize::from(verdict.is_ok());
        };
        for bit in 0..8 * token.len() {
            let mut changed = token.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            judge(&changed, BODY);
        }
        for bit in 0..8 * BODY.len() {
            let mut changed = BODY.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            judge(&token, &changed);
        }
        (0..token.len()).for_each(|length| judge(&token[..length], BODY));
    }
    assert!(tried > 8_000, "{tried}");
    assert_eq!(accepted, 0, "of {tried}");
}

/// Signed with the real secret, so that only the header is at fault.
#[test]
fn the_header_names_the_configured_algorithm_once() {
    let judge = |header: &str| judge(&lax(), &signed(header, "{}"));
    assert_eq!(judge(HEADER), Ok(()));
    assert_eq!(judge(r#"{"alg":"HS256"}"#), Ok(()));
    assert_eq!(judge(r#"{"\u0061lg":"HS256","kid":"1","x":{"alg":"none"}}"#), Ok(()));
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"nONE"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS256 "}"#,
        r#"{"alg":"ΗS256"}"#, // a Greek letter
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":null}"#,
        r#"{"alg":""}"#,
        r#"{"ALG":"HS256"}"#,
        r#"{"typ":"JWT"}"#,
        r#"{}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"none"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":null}"#,
        r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"HS256"} {}"#,
        r#"{"alg":"HS256",}"#,
        r#"{'alg':'HS256'}"#,
        r#"["alg","HS256"]"#,
        r#""HS256""#,
        "\u{feff}{\"alg\":\"HS256\"}",
        "",
    ] {
        assert_eq!(judge(header), Err(Fault::Header), "{header}");
    }
}

#[test]
fn claims_are_one_object_with_each_name_once() {
    let judge = |claims: &str| judge(&lax(), &signed(HEADER, claims));
    assert_eq!(judge(" {\"a\":{\"b\":1,\"b\":2}}\r\n"), Ok(()), "names inside a claim that nobody reads");
    for claims in [
        r#"{"iss":"a","iss":"b"}"#,
        r#"{"iss":"a","\u0069ss":"a"}"#,
        r#"{"a":1} x"#,
        r#"{"a":1"#,
        r#"{"a":01}"#,
        r#"{"a":"\x"}"#,
        "[]",
        "null",
        "1",
        "",
        "\u{feff}{}",
    ] {
        assert_eq!(judge(claims), Err(Fault::Claims), "{claims}");
    }
    let bytes = [&b"{\"a\":\""[..], &[0xff], b"\"}"].concat();
    let input = format!("{}.{}", part(HEADER), BASE64URL_NOPAD.encode(&bytes));
    let signature = SigningKey::read(Algorithm::Hs256, SECRET).unwrap().sign(input.as_bytes()).unwrap();
    assert_eq!(self::judge(&lax(), &format!("{input}.{}", BASE64URL_NOPAD.encode(&signature))), Err(Fault::Claims));
}

/// The public key as the secret of HS256: the key knows what it is for, and the token is not asked.
#[test]
fn a_public_key_is_never_a_secret() {
    let (claims, _) = good();
    for (algorithm, public) in [(Algorithm::Rs256, RSA_PUBLIC), (Algorithm::Es256, EC_PUBLIC)] {
        let forger = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, public);
        let token = claims.issue(&SigningKey::Hs256(forger), REQUEST, now(), TOLERANCE).unwrap();
        let key = Key::read(algorithm, public).unwrap();
        let verdict = claims.verify(&key, token.as_bytes(), REQUEST, now(), TOLERANCE);
        assert_eq!(verdict, Err(Fault::Signature));
        let unsigned = format!("{}.{}.", part(r#"{"alg":"none"}"#), token.split('.').nth(1).unwrap());
        assert_eq!(claims.verify(&key, unsigned.as_bytes(), REQUEST, now(), TOLERANCE), Err(Fault::Signature));
    }
}

/// A token of one algorithm under the key of another, signed rightly.
#[test]
fn a_token_of_another_algorithm_is_refused() {
    let (claims, _) = good();
    let keys = [
        (Algorithm::Hs256, SECRET, SECRET),
        (Algorithm::Rs256, RSA_PRIVATE, RSA_PUBLIC),
        (Algorithm::Es256, EC_PRIVATE, EC_PUBLIC),
    ];
    for (signed_by, private, _) in keys {
        let signing = SigningKey::read(signed_by, private).unwrap();
        let token = claims.issue(&signing, REQUEST, now(), TOLERANCE).unwrap();
        for (algorithm, _, public) in keys {
            let key = Key::read(algorithm, public).unwrap();
            let verdict = claims.verify(&key, token.as_bytes(), REQUEST, now(), TOLERANCE);
            assert_eq!(verdict, if algorithm == signed_by { Ok(()) } else { Err(Fault::Signature) });
        }
    }
}

#[test]
fn a_token_has_one_form() {
    let (claims, token) = good();
    assert_eq!(judge(&claims, &token), Ok(()));
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("{token}") };
    let malformed = [
        String::new(),
        ".".into(),
        header.into(),
        format!("{header}.{payload}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!(".{token}"),
        format!("{header}..{payload}.{signature}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{token}="),
        format!("{token}=="),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("Bearer {token}"),
        format!("{header}.{payload}.{signature},{token}"),
        format!("{header}.{payload}.{}é", &signature[1..]),
        format!("{header}.{payload}.{}\u{0}", &signature[1..]),
        format!("{header}.{payload}.{}+", &signature[1..]),
        format!("{header}.{payload}.{}/", &signature[1..]),
        format!("{header}.{payload}.{signature}.."),
    ];
    for token in malformed {
        assert_eq!(judge(&claims, &token), Err(Fault::Malformed), "{token}");
    }
    let unfit = [
        "..".into(),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.AAAA"),
        format!("{payload}.{header}.{signature}"),
        format!("{header}..{signature}"),
    ];
    for token in unfit {
        assert_eq!(judge(&claims, &token), Err(Fault::Signature), "{token}");
    }
    // The bits behind the last byte are zero, or two texts would be one signature.
    let last = signature.chars().last().unwrap();
    let twin = char::from(last as u8 + 1);
    let twin = format!("{header}.{payload}.{}{twin}", &signature[..42]);
    assert_eq!(judge(&claims, &twin), Err(Fault::Malformed));
}

#[test]
fn a_long_or_deep_token_costs_little() {
    let filler = |length: usize| signed(HEADER, &format!(r#"{{"iat":1700000000,"a":"{}"}}"#, "x".repeat(length)));
    let fits = (0..LONGEST_TOKEN).rev().find(|length| filler(*length).len() <= LONGEST_TOKEN).unwrap();
    assert_eq!(judge(&Claims::default(), &filler(fits)), Ok(()));
    assert_eq!(judge(&Claims::default(), &filler(fits + 2)), Err(Fault::Malformed));
    let deep = format!(r#"{{"iat":1700000000,"a":{}{}}}"#, "[".repeat(2_500), "]".repeat(2_500));
    assert_eq!(judge(&Claims::default(), &signed(HEADER, &deep)), Ok(()), "skipped without a stack");
    let deep = format!(r#"{{"iat":1700000000,"aud":{}{}}}"#, "[".repeat(2_500), "]".repeat(2_500));
    let asked = Claims { audience: Some("a".into()), ..Claims::default() };
    assert_eq!(judge(&asked, &signed(HEADER, &deep)), Err(Fault::Audience));
}
