use super::*;
use crate::verify::asymmetric::BadKey;

mod attacks;
mod keys;
mod senders;
mod times;

const TOLERANCE: Duration = Duration::from_mins(5);
const SECRET: &[u8] = b"a shared secret";
const BODY: &[u8] = br#"{"id":"5ebc34bf","state":"ready"}"#;
const URL: &str = "https://hooks.example.com/api/webhooks/deploys/tgt_1?x=1";
const REQUEST: Request<'_> = Request { body: BODY, url: URL };

/// That of RFC 7515, A.3; its halves as DER.
const EC_PUBLIC: &[u8] = b"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==";
const EC_PRIVATE: &[u8] = b"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";
const RSA_PUBLIC: &[u8] = include_bytes!("rfc7515_rsa_public.pem");
const RSA_PRIVATE: &[u8] = include_bytes!("rfc7515_rsa_private.pem");

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

fn now() -> Timestamp {
    at(1_700_000_000)
}

fn key() -> Key {
    Key::read(Algorithm::Hs256, SECRET).unwrap()
}

fn body_hash(name: &str) -> Claims {
    Claims { body_hash: Some(name.to_owned()), ..Claims::default() }
}

/// Whatever `header` and `claims` are, signed under [`SECRET`].
fn signed(header: &str, claims: &str) -> String {
    let input = format!("{}.{}", part(header), part(claims));
    let signature = SigningKey::read(Algorithm::Hs256, SECRET).unwrap().sign(input.as_bytes()).unwrap();
    format!("{input}.{}", BASE64URL_NOPAD.encode(&signature))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn judge(claims: &Claims, token: &str) -> Result<(), Fault> {
    claims.verify(&key(), token.as_bytes(), REQUEST, now(), TOLERANCE)
}

/// What any claims must say here, without the body.
fn lax() -> Claims {
    Claims { timeless: true, ..Claims::default() }
}

#[test]
fn the_examples_of_rfc_7515_are_verified() {
    let shared = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let shared = BASE64URL_NOPAD.decode(shared.as_bytes()).unwrap();
    let claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let examples = [
        (
            Algorithm::Hs256,
            &shared[..],
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
        (
            Algorithm::Rs256,
            RSA_PUBLIC,
            "eyJhbGciOiJSUzI1NiJ9",
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        ),
        (
            Algorithm::Es256,
            EC_PUBLIC,
            "eyJhbGciOiJFUzI1NiJ9",
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
    ];
    let joe = Claims { issuer: Some("joe".into()), ..Claims::default() };
    for (algorithm, key, header, signature) in examples {
        let token = format!("{header}.{claims}.{signature}");
        let key = Key::read(algorithm, key).unwrap();
        let judge = |at| joe.verify(&key, token.as_bytes(), REQUEST, at, Duration::ZERO);
        assert_eq!(judge(at(1_300_819_379)), Ok(()), "{algorithm:?}");
        assert_eq!(judge(at(1_300_819_380)), Err(Fault::Time), "{algorithm:?}");
        // RFC 7519, 6.1: the same claims, unsecured.
        let unsecured = format!("eyJhbGciOiJub25lIn0.{claims}.");
        let read = joe.verify(&key, unsecured.as_bytes(), REQUEST, at(1_300_819_379), Duration::ZERO);
        assert_eq!(read, Err(Fault::Signature), "{algorithm:?}");
    }
}

#[test]
fn what_is_issued_is_verified() {
    let keys = [
        (Algorithm::Hs256, SECRET, SECRET),
        (Algorithm::Rs256, RSA_PRIVATE, RSA_PUBLIC),
        (Algorithm::Es256, EC_PRIVATE, EC_PUBLIC),
    ];
    for (algorithm, private, public) in keys {
        for (encoding, timeless) in [(Encoding::Hex, false), (Encoding::Base64, true), (Encoding::Base64url, false)] {
            let claims = Claims {
                algorithm,
                body_hash: Some("payload_hash".into()),
                url_hash: Some("url_hash".into()),
                encoding,
                issuer: Some("a \"sender\"".into()),
                audience: Some(URL.into()),
                timeless,
            };
            assert_eq!(claims.check(false), Ok(()));
            let signing = SigningKey::read(algorithm, private).unwrap();
            let token = claims.issue(&signing, REQUEST, now(), TOLERANCE).unwrap();
            let key = Key::read(algorithm, public).unwrap();
            let judge = |request, now| claims.verify(&key, token.as_bytes(), request, now, TOLERANCE);
            assert_eq!(judge(REQUEST, now()), Ok(()), "{token}");
            assert_eq!(judge(Request { body: b"{}", ..REQUEST }, now()), Err(Fault::BodyHash));
            assert_eq!(judge(Request { url: "https://hooks.example.com/", ..REQUEST }, now()), Err(Fault::UrlHash));
            assert_eq!(judge(REQUEST, at(1_700_000_301)), if timeless { Ok(()) } else { Err(Fault::Time) });
        }
    }
}

#[test]
fn each_claim_that_is_asked_for_must_be_there_and_fit() {
    let hash = HEXLOWER.encode(&Sha256::digest(BODY));
    let other = HEXLOWER.encode(&Sha256::digest(b""));
    let claims = Claims { issuer: Some("netlify".into()), ..body_hash("sha256") };
    let claims = Claims { timeless: true, ..claims };
    let judge = |json: &str| judge(&claims, &signed(HEADER, json));
    assert_eq!(judge(&format!(r#"{{"iss":"netlify","sha256":"{hash}"}}"#)), Ok(()));
    assert_eq!(judge(&format!(r#"{{"iss":"netlify","sha256":"{}"}}"#, hash.to_uppercase())), Ok(()));
    for (json, fault) in [
        (format!(r#"{{"iss":"netlify","sha256":"{other}"}}"#), Fault::BodyHash),
        (format!(r#"{{"iss":"netlify","sha256":"{}"}}"#, &hash[..62]), Fault::BodyHash),
        (format!(r#"{{"iss":"netlify","sha256":"{hash}00"}}"#), Fault::BodyHash),
        (r#"{"iss":"netlify","sha256":""}"#.into(), Fault::BodyHash),
        (r#"{"iss":"netlify","sha256":null}"#.into(), Fault::BodyHash),
        (r#"{"iss":"netlify"}"#.into(), Fault::BodyHash),
        (format!(r#"{{"iss":"netlify","sha256":["{hash}"]}}"#), Fault::BodyHash),
        (format!(r#"{{"iss":"netlify","SHA256":"{hash}"}}"#), Fault::BodyHash),
        (format!(r#"{{"iss":"Netlify","sha256":"{hash}"}}"#), Fault::Issuer),
        (format!(r#"{{"iss":["netlify"],"sha256":"{hash}"}}"#), Fault::Issuer),
        (format!(r#"{{"iss":"netlify ","sha256":"{hash}"}}"#), Fault::Issuer),
        (format!(r#"{{"sha256":"{hash}"}}"#), Fault::Issuer),
    ] {
        assert_eq!(judge(&json), Err(fault), "{json}");
    }
}

#[test]
fn an_audience_is_one_or_among_several() {
    let claims = Claims { audience: Some(URL.into()), ..lax() };
    let judge = |json: String| judge(&claims, &signed(HEADER, &json));
    assert_eq!(judge(format!(r#"{{"aud":"{URL}"}}"#)), Ok(()));
    assert_eq!(judge(format!(r#"{{"aud":["https://a.example","{URL}"]}}"#)), Ok(()));
    for aud in [r#""https://a.example""#.into(), "[]".into(), "null".into(), "1".into(), format!(r#"["{URL}",1]"#)] {
        assert_eq!(judge(format!(r#"{{"aud":{aud}}}"#)), Err(Fault::Audience), "{aud}");
    }
    assert_eq!(judge("{}".into()), Err(Fault::Audience));
}

#[test]
fn claims_are_checked_when_they_are_saved() {
    let good = body_hash("sha256");
    assert_eq!(good.check(false), Ok(()));
    assert_eq!(Claims { timeless: true, ..good.clone() }.check(false), Ok(()));
    assert_eq!(Claims::default().check(true), Ok(()));
    assert_eq!(Claims::default().check(false), Err(BadClaims::NoBodyHash));
    assert_eq!(lax().check(false), Err(BadClaims::Eternal));
    assert_eq!(lax().check(true), Err(BadClaims::Eternal));
    assert_eq!(body_hash("").check(false), Err(BadClaims::Name));
    assert_eq!(Claims { issuer: Some(String::new()), ..good.clone() }.check(false), Err(BadClaims::Name));
    assert_eq!(Claims { url_hash: Some("sha256".into()), ..good }.check(false), Err(BadClaims::Name));
}

#[test]
fn claims_are_read_as_an_admin_writes_them() {
    let read = |text: &str| toml::from_str::<Claims>(text);
    assert_eq!(read("").unwrap(), Claims::default());
    let text = "algorithm = \"RS256\"\nbody_hash = \"payload_hash\"\nencoding = \"base64url\"\nissuer = \"Vonage\"\n";
    let claims = read(text).unwrap();
    assert_eq!((claims.algorithm, claims.encoding), (Algorithm::Rs256, Encoding::Base64url));
    assert_eq!(toml::to_string(&claims).unwrap(), text);
    for bad in ["algorithm = \"none\"", "algorithm = \"HS512\"", "algorithm = \"hs256\"", "body = \"x\""] {
        assert!(read(bad).is_err(), "{bad}");
    }
}
