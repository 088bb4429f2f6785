use standardwebhooks::Webhook;

use super::*;
use crate::clock::Clock;
use crate::deliver::profile::{find, profiles};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const BODY: &[u8] = br#"{"event":"record_created"}"#;

/// The library takes only what was signed in the last minutes.
fn now() -> Timestamp {
    Clock::system().now()
}

fn texts(secrets: &[&str]) -> Vec<SecretString> {
    secrets.iter().map(|text| SecretString::from(*text)).collect()
}

fn made(profile: &str, secrets: &[&str], custom: &HeaderMap) -> Result<HeaderMap, CannotSign> {
    headers(Envelope {
        profile: find(profile).unwrap(),
        delivery: DeliveryId::floor(Timestamp::default()),
        of_type: "trade.completed",
        sent_at: now(),
        hops: 2,
        test: false,
        custom,
        secrets: &texts(secrets),
        body: BODY,
    })
}

fn signed(profile: &str, secrets: &[&str]) -> HeaderMap {
    made(profile, secrets, &HeaderMap::new()).unwrap()
}

/// The HMAC by another crate's code.
fn hex(secret: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    HEXLOWER.encode(ring::hmac::sign(&key, BODY).as_ref())
}

#[test]
fn the_published_vectors_hold() {
    for (secret, id, sent, body, wanted) in [
        (
            SECRET,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            OTHER,
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
    ] {
        for text in [secret, secret.strip_prefix(PREFIX).unwrap()] {
            assert_eq!(standard(&key(&text.into()).unwrap(), id, sent, body.as_bytes()), wanted);
        }
    }
}

#[test]
fn the_library_verifies_and_takes_either_secret_of_a_rotation() {
    for profile in ["collecta", "standard-webhooks"] {
        let headers = signed(profile, &[SECRET, OTHER]);
        for secret in [SECRET, OTHER] {
            let library = Webhook::new(secret).unwrap();
            library.verify(BODY, &headers).unwrap();
            assert!(library.verify(b"{}", &headers).is_err());
        }
        assert!(Webhook::new("AAAA").unwrap().verify(BODY, &headers).is_err());
        assert_eq!(headers["webhook-id"], "dlv_00000000000000000000000000");
    }
}

#[test]
fn each_profile_signs_in_its_own_header_with_the_text_of_the_first_secret() {
    let hex = hex("plain text");
    for (profile, header, wanted) in [
        ("collecta", "x-webhook-signature", format!("sha256={hex}")),
        ("collectiq", "x-collectiq-signature", format!("sha256={hex}")),
        ("auction-excellence", "x-webhook-signature", format!("sha256={hex}")),
        ("cliq", "x-cliq-signature", hex.clone()),
    ] {
        let headers = signed(profile, &["plain text", SECRET]);
        assert_eq!(headers.get_all(header).iter().collect::<Vec<_>>(), [&wanted], "{profile}");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["x-tidegate-hops"], "3");
        assert!(!headers.contains_key(TEST));
        assert_eq!(headers.contains_key("webhook-signature"), profile == "collecta");
    }
}

#[test]
fn the_headers_beside_the_signature_are_the_systems() {
    let headers = signed("auction-excellence", &["s"]);
    assert_eq!(headers["user-agent"], "AuctionExcellence-Webhook/1.0");
    assert_eq!(headers["x-webhook-id"], "00000000-0000-0000-0000-000000000000");
    assert_eq!(headers["x-webhook-event"], "trade.completed");
    let sent: i64 = headers["x-webhook-timestamp"].to_str().unwrap().parse().unwrap();
    assert!((unix(now()) - sent).abs() < 60);
    let headers = signed("collecta", &["s"]);
    assert_eq!(headers["user-agent"], concat!("Tidegate/", env!("CARGO_PKG_VERSION")));
    assert_eq!(headers["x-webhook-id"], "dlv_00000000000000000000000000");
}

#[test]
fn a_secret_that_is_no_base64_makes_no_standard_signature() {
    for secret in ["no base64!", "", "whsec_", "whsec_%"] {
        let headers = signed("collecta", &[secret]);
        assert!(headers.contains_key("x-webhook-signature"));
        assert!(STANDARD.iter().all(|name| !headers.contains_key(*name)), "{secret}");
        let none = HeaderMap::new();
        assert_eq!(made("standard-webhooks", &[secret], &none), Err(CannotSign::NotBase64), "{secret}");
    }
    let one = signed("collecta", &["no base64!", OTHER]);
    Webhook::new(OTHER).unwrap().verify(BODY, &one).unwrap();
}

#[test]
fn without_a_secret_nothing_goes_out() {
    for profile in profiles() {
        assert_eq!(made(&profile.name, &[], &HeaderMap::new()), Err(CannotSign::NoSecret));
    }
}

#[test]
fn own_headers_go_along_and_never_replace_ours() {
    let mut custom = HeaderMap::new();
    for name in ["authorization", "x-own", "x-own"] {
        custom.append(name, HeaderValue::from_static("own"));
    }
    let plain = made("collecta", &["no base64!"], &custom).unwrap();
    assert_eq!((plain.get_all("x-own").iter().count(), &plain["authorization"]), (2, &HeaderValue::from_static("own")));
    let reserved = ["host", "content-length", "transfer-encoding", "content-encoding", TEST, "webhook-signature"];
    for name in plain.keys().map(HeaderName::as_str).filter(|name| *name != "authorization").chain(reserved) {
        custom.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_static("forged"));
    }
    custom.remove("x-own");
    let headers = made("collecta", &["no base64!"], &custom).unwrap();
    assert!(headers.values().all(|value| value != "forged"), "{headers:?}");
    assert!(!headers.contains_key("host"));
}

#[test]
fn a_test_is_marked() {
    let (profile, secrets) = (find("cliq").unwrap(), texts(&["s"]));
    let envelope = Envelope {
        profile,
        delivery: DeliveryId::floor(Timestamp::default()),
        of_type: "issue.created",
        sent_at: Timestamp::default(),
        hops: -1,
        test: true,
        custom: &HeaderMap::new(),
        secrets: &secrets,
        body: BODY,
    };
    let made = headers(envelope).unwrap();
    assert_eq!((&made[TEST], &made[HOPS]), (&HeaderValue::from_static("true"), &HeaderValue::from_static("1")));
    let collecta = find("collecta").unwrap();
    let bad = Envelope { profile: collecta, of_type: "a\nb", ..envelope };
    assert_eq!(headers(bad), Err(CannotSign::BadHeader(HeaderName::from_static("x-webhook-event"))));
}
