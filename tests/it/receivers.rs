//! Receivers in the languages that the documentation of other systems shows (`tests/receivers`), and the libraries of
//! Standard Webhooks, judge what Tidegate signs. scripts/test makes what they need.

mod languages;
mod profiles;

use serde_json::json;
use tidegate::clock::{Clock, Timestamp};
use tidegate::verify::{self, Signed, preset};

use crate::client::{Answer, http_client};
use crate::receiver::{Received, Receiver};
pub use languages::Receivers;
use languages::{Language, Scheme};
use profiles::altered;
pub use profiles::every_delivery_verifies;

/// As Tidegate makes them, and as admins give them.
const SECRETS: [&str; 2] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "It's a secret to everyöne 🔑"];
/// What `JSON.stringify` makes of them is what they are.
const BODIES: [&str; 5] = [
    r#"{"id":"1","event":"trade.completed","type":"trade.completed","data":{"amount":299.99,"note":"ä€🔑\u0001\n\" /"}}"#,
    r#"{"event":"e","type":"e","n":[0,-1.5,9007199254740991,1e+21,1.5e-7,0.000001],"":{"__proto__":null}}"#,
    "{\"event\":\"e\",\"type\":\"e\",\"text\":\"\u{2028}\u{7f}\u{feff}\\u001f\\b\"}",
    r#"{"1":"a","2":"b","event":"e","type":"e"}"#,
    r#"{"type":"e","event":"e"}"#,
];

const STANDARD: &str = "standard-webhooks";

/// `outbound.md` 5, vectors a and b, of the specification's own libraries.
struct Vector {
    secret: &'static str,
    id: &'static str,
    at: i64,
    body: &'static str,
    signature: &'static str,
}

const VECTORS: [Vector; 2] = [
    Vector {
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        at: 1_614_265_330,
        body: r#"{"test": 2432232314}"#,
        signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    Vector {
        secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        id: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        at: 1_649_367_553,
        body: r#"{"email":"test@example.com","username":"test_user"}"#,
        signature: "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    },
];

fn request(headers: Vec<(String, String)>, body: &str) -> Received {
    let (method, path) = ("POST".to_owned(), "/hook".to_owned());
    Received { method, path, headers, body: body.as_bytes().to_vec(), connection: 0 }
}

fn standard(id: &str, at: &str, signature: &str, body: &str) -> Received {
    let headers = [("Webhook-Id", id), ("webhook-timestamp", at), ("webhook-signature", signature)];
    request(headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(), body)
}

fn second(at: i64) -> Timestamp {
    Timestamp::from_micros(at * 1_000_000).unwrap()
}

#[test]
fn the_vectors_of_standard_webhooks_hold() {
    for vector in &VECTORS {
        let Vector { secret, id, at, body, signature } = *vector;
        let (right, bare) = (standard(id, &at.to_string(), signature, body), secret.trim_start_matches("whsec_"));
        let wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
        let list = |value: &str| standard(id, &at.to_string(), value, body);
        let taken = [
            (secret, right.clone()),
            (bare, right.clone()),
            (secret, list(&format!("v1,{} v2,{} {signature}", &wrong[3..], &signature[3..]))),
        ];
        let without = |name: &str| {
            let mut less = right.clone();
            less.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            less
        };
        let refused = [
            altered(&right),
            standard(&id.to_lowercase(), &at.to_string(), signature, body),
            standard(id, &(at + 1).to_string(), signature, body),
            standard(id, "noon", signature, body),
            list(wrong),
            list(&signature[..20]),
            list(&format!("v2,{}", &signature[3..])),
            without("webhook-id"),
            without("webhook-timestamp"),
            without("webhook-signature"),
        ];
        for language in Scheme::StandardWebhooks.languages() {
            let verdict = |secret, request| {
                Receivers::at(second(at)).verify(*language, Scheme::StandardWebhooks, secret, request)
            };
            for (secret, request) in &taken {
                assert_eq!(verdict(secret, request), Ok(None), "{language:?}: {:?}", request.headers);
            }
            for request in &refused {
                assert!(verdict(secret, request).is_err(), "{language:?}: {:?} {request}", request.headers);
            }
        }
    }
}

/// What a sender of that profile would post, signed by the signer of `tidegate sign`.
fn signed(scheme: Scheme, secret: &str, body: &str, at: Timestamp) -> Received {
    let described = |header: &str, prefix: &str| {
        serde_json::from_value(json!({ "header": header, "prefix": prefix })).expect("the scheme is one")
    };
    let how: verify::Scheme = match scheme {
        Scheme::Collecta | Scheme::AuctionExcellence => described("X-Webhook-Signature", "sha256="),
        Scheme::CollectIq => described("X-CollectIQ-Signature", "sha256="),
        Scheme::Cliq => described("X-Cliq-Signature", ""),
        Scheme::StandardWebhooks => {
            preset::find(STANDARD).unwrap().scheme.as_ref().unwrap_or_else(|why| panic!("{why}")).clone()
        }
    };
    let mut came = request(vec![("Content-Type".to_owned(), "application/json".to_owned())], body);
    if scheme == Scheme::StandardWebhooks {
        came.headers.push(("webhook-id".to_owned(), "dlv_06bxvbsz4xqq7c0xmhs7w3tq0g".to_owned()));
    }
    let headers = came.header_map();
    let what = Signed { method: "POST", url: "", path: "/hook", query: None, headers: &headers, body: body.as_bytes() };
    let signature = verify::sign::sign(&how, secret.as_bytes(), what, at).unwrap();
    came.headers.extend(signature.headers);
    came
}

/// As every delivery will have to: sent over HTTP, kept, judged.
#[tokio::test]
async fn what_tidegate_signs_is_taken_in_every_language() {
    let (receiver, http, now) = (Receiver::start().await, http_client(), Clock::system().now());
    let mut count = 0;
    for scheme in Scheme::ALL {
        let secrets = if scheme == Scheme::StandardWebhooks { &SECRETS[..1] } else { &SECRETS };
        for secret in secrets {
            for body in BODIES {
                let sent = signed(scheme, secret, body, now);
                let post = http.post(receiver.url(&sent.path)).headers(sent.header_map()).body(sent.body);
                assert_eq!(Answer::to(post).await.status, 200);
            }
            let deliveries = receiver.wait_for(count + BODIES.len()).await.split_off(count);
            every_delivery_verifies(Receivers::today(), scheme.name(), secret, &deliveries);
            count += BODIES.len();
        }
    }
}

#[test]
fn an_old_delivery_is_refused_by_standard_webhooks() {
    let now = Clock::system().now();
    for (seconds, is_taken) in [(-600, false), (-240, true), (240, true), (600, false)] {
        let at = Timestamp::from_micros(now.micros() + seconds * 1_000_000).unwrap();
        let sent = signed(Scheme::StandardWebhooks, SECRETS[0], BODIES[0], at);
        for language in Scheme::StandardWebhooks.languages() {
            let verdict = Receivers::today().verify(*language, Scheme::StandardWebhooks, SECRETS[0], &sent);
            assert_eq!(verdict.is_ok(), is_taken, "{language:?}: {seconds} s from now: {verdict:?}");
        }
    }
}

/// Cliq's receivers verify what `JSON.stringify` makes of the parsed body: a body that it would write in another way is
/// refused, however well its bytes are signed.
#[test]
fn a_body_that_javascript_writes_otherwise_is_refused_by_cliq() {
    let (receivers, now) = (Receivers::today(), Clock::system().now());
    let verdict = |scheme, body: &str| {
        receivers.verify(Language::Node, scheme, SECRETS[0], &signed(scheme, SECRETS[0], body, now))
    };
    for body in [
        r#"{ "type":"e","event":"e"}"#,
        r#"{"type":"e","event":"e"} "#,
        r#"{"type":"e","event":"e","n":1.0}"#,
        r#"{"type":"e","event":"e","n":1.50}"#,
        r#"{"type":"e","event":"e","n":1e3}"#,
        r#"{"type":"e","event":"e","n":-0}"#,
        r#"{"type":"e","event":"e","n":9007199254740993}"#,
        r#"{"type":"e","event":"e","n":0.0000001}"#,
        r#"{"type":"e","event":"e","n":100000000000000000000000}"#,
        r#"{"type":"e","event":"e","n":0.1000000000000000055}"#,
        r#"{"type":"e","event":"e","text":"\u00e9"}"#,
        r#"{"type":"e","event":"e","text":"\/"}"#,
        r#"{"type":"e","event":"e","text":"\u000a"}"#,
        r#"{"type":"e","event":"e","text":"\u001F"}"#,
        r#"{"type":"e","event":"e","b":1,"1":2}"#,
        r#"{"2":1,"1":2,"type":"e","event":"e"}"#,
        r#"{"type":"e","event":"e","type":"e"}"#,
    ] {
        assert!(verdict(Scheme::Cliq, body).is_err(), "{body}");
        assert!(verdict(Scheme::Collecta, body).is_ok(), "{body}");
    }
}

/// Signatures are where receivers look for them, in the form in which they take them.
#[test]
fn another_form_of_the_signature_is_refused() {
    let now = Clock::system().now();
    for (from, by, languages) in [
        (Scheme::Collecta, Scheme::CollectIq, &[Language::Node][..]),
        (Scheme::CollectIq, Scheme::Collecta, Scheme::Collecta.languages()),
        (Scheme::CollectIq, Scheme::AuctionExcellence, Scheme::AuctionExcellence.languages()),
        (Scheme::AuctionExcellence, Scheme::Cliq, &[Language::Node]),
        (Scheme::AuctionExcellence, Scheme::StandardWebhooks, Scheme::StandardWebhooks.languages()),
    ] {
        let sent = signed(from, SECRETS[0], BODIES[0], now);
        for language in languages {
            let verdict = Receivers::today().verify(*language, by, SECRETS[0], &sent);
            assert!(verdict.is_err(), "{language:?}: what is signed for {from:?} is taken by {by:?}");
        }
    }
    for scheme in [Scheme::Collecta, Scheme::AuctionExcellence] {
        let mut sent = signed(scheme, SECRETS[0], BODIES[0], now);
        sent.headers.iter_mut().for_each(|(_, value)| *value = value.replace("sha256=", "sha1="));
        for language in scheme.languages() {
            let verdict = Receivers::today().verify(*language, scheme, SECRETS[0], &sent);
            assert!(verdict.is_err(), "{scheme:?} in {language:?}: taken with sha1=");
        }
    }
}
