//! The tokens of real senders.

use super::*;

/// Every case of the reference that MessageBird's own libraries are tested with that arrives by POST, or differs only
/// in the method: `iss`, `nbf`, `exp` 60 s later, hashes of URL and payload, HS256.
#[test]
fn messagebird() {
    let secret = b"36efdd1aace2e26cd490f0d951138253bef2f7c6d34d18981da781555cc4cebb";
    let claims =
        Claims { issuer: Some("MessageBird".into()), url_hash: Some("url_hash".into()), ..body_hash("payload_hash") };
    let key = Key::read(Algorithm::Hs256, secret).unwrap();
    let hs256 = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
    let judge = |token: &str, url, body: &str, now| {
        claims.verify(&key, token.as_bytes(), Request { body: body.as_bytes(), url }, now, Duration::from_secs(1))
    };
    let (received, plain, long) = (at(1_625_479_200), "https://example.com/", "https://example.com/path?bar=1&foo=2");
    let hello = format!(
        "{hs256}.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI5M2U1NTAwNi1hMGU4LTQ1MjYtYTE5MC1mYTVmZjAwZWExMTYiLCJ1cmxfaGFzaCI6IjQxZjA1ZjBkZGQwYTIyYWIyMDlhYzQ2ZjQ3YzQ1NzJkOWNlZmEyNTdlZDc0YjI0MDA0YmFlNzUzZWNlNmMyNjAiLCJwYXlsb2FkX2hhc2giOiJkZmZkNjAyMWJiMmJkNWIwYWY2NzYyOTA4MDllYzNhNTMxOTFkZDgxYzdmNzBhNGIyODY4OGEzNjIxODI5ODZmIn0._H--TOuYFLpeEH39-rg5E3IHVkjHozBcaKVWPRC5m9I"
    );
    assert_eq!(judge(&hello, long, "Hello, World!", received), Ok(()));
    assert_eq!(judge(&hello, long, "Hello, World!", at(1_625_479_260)), Ok(()));
    assert_eq!(judge(&hello, long, "Hello, World!", at(1_625_479_261)), Err(Fault::Time));
    assert_eq!(judge(&hello, long, "Hello, World!", at(1_625_479_198)), Err(Fault::Time));
    assert_eq!(judge(&hello, long, "Hello, World?", received), Err(Fault::BodyHash));
    assert_eq!(judge(&hello, long, "", received), Err(Fault::BodyHash));
    assert_eq!(judge(&hello, plain, "Hello, World!", received), Err(Fault::UrlHash));
    let special = format!(
        "{hs256}.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI1OWEyNDRkYy1lOWFkLTRlMjMtOTc3OC0zNzFmYWEyMzhmNzIiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNzc4M2U5ZDciLCJwYXlsb2FkX2hhc2giOiIyNDMxYmQ5Y2NiNDhlZDAxNmZhZDU2N2IwNzcxMjAzOGI1Y2RkOTQ5YWM5ZDQxZmU0NjkzZDVhMzg0NWNmN2U4In0.IQiKzeEPaO3A48lhKmBDSmxZyCESPCGxdSKFdi0dEJs"
    );
    assert_eq!(judge(&special, plain, "Some text containg & < >, & and \\u0026", received), Ok(()));
    // "payload was added in transit": a token that vouches for no body.
    let bodiless = format!(
        "{hs256}.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiI1OWEyNDRkYy1lOWFkLTRlMjMtOTc3OC0zNzFmYWEyMzhmNzIiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNzc4M2U5ZDcifQ.6Fp0rVOsRr1fj9S2GidXAfkmPVofKr8_RTffC6G6r2E"
    );
    assert_eq!(judge(&bodiless, plain, "Hello, World!", received), Err(Fault::BodyHash));
    let early = format!(
        "{hs256}.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ4MjgwMCwiZXhwIjoxNjI1NDgyODYwLCJqdGkiOiJmOWY4YzM4Mi0yNDQ5LTQzMTEtYjcyYi0xZGY3MTY4NzkzMWUiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNzc4M2U5ZDcifQ.ZELgDFNGhjZH9CffQKcq3sytBe2I0KciLxpBhcfstHQ"
    );
    let late = format!(
        "{hs256}.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3NTYwMCwiZXhwIjoxNjI1NDc1NjYwLCJqdGkiOiI1ZjAyZjUyMi02MDMwLTQ2YzgtYjVhMy0wMTI0NjQ3OGQ4YmMiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNzc4M2U5ZDcifQ.45MSST3B_2PsjNUeiuW54_vUQgVw4rBXrdWrOUEz3lM"
    );
    assert_eq!(judge(&early, plain, "", received), Err(Fault::Time));
    assert_eq!(judge(&late, plain, "", received), Err(Fault::Time));
    let foreign = format!(
        "{hs256}.eyJpc3MiOiJNZXNzYWdlQmlyZCIsIm5iZiI6MTYyNTQ3OTIwMCwiZXhwIjoxNjI1NDc5MjYwLCJqdGkiOiIyNDNjMjdhZS0yZjAyLTQ2YTAtODg1Mi1jNjZmMzdlYTlmNDYiLCJ1cmxfaGFzaCI6IjBmMTE1ZGIwNjJiN2MwZGQwMzBiMTY4NzhjOTlkZWE1YzM1NGI0OWRjMzdiMzhlYjg4NDYxNzljNzc4M2U5ZDcifQ.JgSeYyOtlEKAXk8bz30iJI4tXgf4lxknoiezawuVhb4"
    );
    assert_eq!(judge(&foreign, plain, "", received), Err(Fault::Signature));
}

/// Its tokens hold `iss` and `sha256` and no time at all.
#[test]
fn netlify() {
    let claims = Claims { issuer: Some("netlify".into()), timeless: true, ..body_hash("sha256") };
    let hash = HEXLOWER.encode(&Sha256::digest(BODY));
    let token = signed(r#"{"typ":"JWT","alg":"HS256"}"#, &format!(r#"{{"iss":"netlify","sha256":"{hash}"}}"#));
    assert_eq!(judge(&claims, &token), Ok(()));
    assert_eq!(judge(&Claims { timeless: false, ..claims.clone() }, &token), Err(Fault::Untimed));
    // The day that it adds one, it counts.
    let timed = signed(HEADER, &format!(r#"{{"iss":"netlify","iat":1699999000,"sha256":"{hash}"}}"#));
    assert_eq!(judge(&claims, &timed), Err(Fault::Time));
}

/// `iat`, `jti`, `iss`, `payload_hash`, `api_key`: no `exp`, so that `iat` bounds the time.
#[test]
fn vonage() {
    let claims = Claims { issuer: Some("Vonage".into()), ..body_hash("payload_hash") };
    let hash = HEXLOWER.encode(&Sha256::digest(BODY));
    let token = |issued: i64| {
        let json = format!(
            r#"{{"iat":{issued},"jti":"c5ba8f24","iss":"Vonage","payload_hash":"{hash}","api_key":"a1b2c3d","application_id":"aaaa"}}"#
        );
        signed(HEADER, &json)
    };
    assert_eq!(judge(&claims, &token(1_700_000_000)), Ok(()));
    assert_eq!(judge(&claims, &token(1_699_999_699)), Err(Fault::Time));
}

/// The origin only: `aud` is the endpoint, `iat` and `exp` five minutes apart, `dat` an object.
#[test]
fn monday() {
    let claims = Claims { audience: Some(URL.into()), ..Claims::default() };
    assert_eq!(claims.check(true), Ok(()));
    let json = format!(
        r#"{{"accountId":1825528,"userId":4012689,"aud":"{URL}","exp":1700000300,"shortLivedToken":"e30","iat":1700000000,"dat":{{"client_id":"b1","app_id":10}}}}"#
    );
    assert_eq!(judge(&claims, &signed(HEADER, &json)), Ok(()));
    assert_eq!(judge(&claims, &signed(HEADER, &json.replace(URL, "https://other.example"))), Err(Fault::Audience));
}
