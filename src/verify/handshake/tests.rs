use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;
use crate::verify::Signed;

const TOKEN: &str = "tgt_0123456789";

fn handshake(text: &str) -> Handshake {
    Handshake::try_from(toml::from_str::<RawHandshake>(text).unwrap()).unwrap_or_else(|bad| panic!("{text}: {bad}"))
}

/// A request, as far as handshakes look at it.
#[derive(Default)]
struct Probe {
    headers: HeaderMap,
    query: Option<&'static str>,
    body: Vec<u8>,
}

impl Probe {
    fn query(query: &'static str) -> Self {
        Self { query: Some(query), ..Self::default() }
    }

    fn body(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    fn header(name: &'static str, value: &[u8]) -> Self {
        let mut probe = Self::default();
        probe.headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        probe
    }

    fn request(&self) -> Request<'_> {
        let (headers, body) = (&self.headers, &self.body[..]);
        let url = "https://hooks.example.com/in";
        Request::new(Signed { method: "POST", url, path: "/in", query: self.query, headers, body })
    }

    fn is(&self, handshake: &Handshake) -> bool {
        handshake.is(&self.request())
    }

    fn answer(&self, handshake: &Handshake) -> Result<Answer, Unanswered> {
        let request = self.request();
        assert!(handshake.is(&request), "{handshake:?}");
        handshake.answer(Asked { request: &request, secret: Some(b"key"), token: TOKEN })
    }

    fn json(&self, handshake: &Handshake) -> Value {
        let answer = self.answer(handshake).unwrap();
        assert_eq!(answer.content_type, Some("application/json"));
        serde_json::from_str(&answer.body).unwrap()
    }
}

#[test]
fn a_handshake_is_told_from_a_webhook() {
    let by_body = handshake("when = \"@.type == 'url_verification'\"\ntext = \"{json:$.challenge}\"");
    assert!(by_body.is_signed && by_body.method == Method::Post && !by_body.keeps());
    assert!(Probe::body(r#"{"type":"url_verification"}"#).is(&by_body));
    for body in [r#"{"type":"event"}"#, "{", "", "type=url_verification"] {
        assert!(!Probe::body(body).is(&by_body), "{body}");
    }
    let by_query = handshake("method = \"GET\"\nquery = \"hub.challenge\"");
    assert!(Probe::query("hub.challenge=1").is(&by_query) && Probe::query("x&hub.challenge=").is(&by_query));
    assert!(!Probe::query("challenge=1").is(&by_query) && !Probe::default().is(&by_query));
    assert!(!Probe::query("hub.challenge=1&hub.challenge=2").is(&by_query), "one challenge is answered, not two");
    let by_header = handshake("header = \"X-Hook-Secret\"\nsigned = false");
    assert!(Probe::header("x-hook-secret", b"").is(&by_header) && !Probe::default().is(&by_header));
    assert!(Probe::default().is(&handshake("method = \"HEAD\"")), "some probe with nothing at all");
}

/// An event that is large is read once.
#[test]
fn a_large_body_is_no_probe() {
    let by_body = handshake("when = \"@.challenge\"");
    let sized = |size: usize| format!("{{\"challenge\":\"{}\"}}", "x".repeat(size - 16));
    assert!(Probe::body(sized(LONGEST_PROBE)).is(&by_body));
    assert!(!Probe::body(sized(LONGEST_PROBE + 1)).is(&by_body));
}

#[test]
fn an_answer_repeats_what_it_was_asked() {
    let slack = handshake("when = \"@.challenge\"\ntext = \"{json:$.challenge}\"");
    let answer = Probe::body(r#"{"challenge":"3eZbrw1a\n<b>\u00fc"}"#).answer(&slack).unwrap();
    let plain = "text/plain; charset=utf-8";
    assert_eq!((answer.status, answer.content_type), (200, Some(plain)));
    assert_eq!((answer.body.as_str(), answer.keep), ("3eZbrw1a\n<b>ü", None));

    let okta = "method = \"GET\"\nheader = \"X-Okta\"\njson = { verification = \"{header:X-Okta}\", n = [1, \"{header:X-Okta}\"] }";
    let injected = Probe::header("x-okta", br#"","admin":{"a":"b"#).json(&handshake(okta));
    assert_eq!(injected, json!({ "verification": r#"","admin":{"a":"b"#, "n": [1, r#"","admin":{"a":"b"#] }));

    let asana = "header = \"X-Hook-Secret\"\nsigned = false\nstatus = 204\nkeep = \"{header:X-Hook-Secret}\"\n\
                 headers = { X-Hook-Secret = \"{header:X-Hook-Secret}\" }";
    let answer = Probe::header("x-hook-secret", b"b537").answer(&handshake(asana)).unwrap();
    assert_eq!((answer.status, answer.content_type, answer.body.as_str()), (204, None, ""));
    assert_eq!(answer.headers, [(HeaderName::from_static("x-hook-secret"), HeaderValue::from_static("b537"))]);
    assert_eq!(answer.keep.as_deref(), Some("b537"));
}

#[test]
fn what_cannot_be_repeated_is_not_answered() {
    let text = handshake("when = \"@.c\"\ntext = \"{json:$.c}\"");
    for body in [r#"{"c":{}}"#, r#"{"c":[1]}"#] {
        assert_eq!(Probe::body(body).answer(&text), Err(Unanswered::Malformed), "{body}");
    }
    let header = handshake("query = \"c\"\nheaders = { X-C = \"{query:c}\" }");
    for query in ["c=a%0d%0aSet-Cookie:%20a", "c=%0a", "c=%00", "c=%7f"] {
        assert_eq!(Probe::query(query).answer(&header), Err(Unanswered::Malformed), "{query}");
    }
    let bytes = handshake("method = \"GET\"\nheader = \"x-c\"\ntext = \"{header:x-c}\"");
    assert_eq!(Probe::header("x-c", b"\xff\xfe").answer(&bytes), Err(Unanswered::Malformed), "no UTF-8");
    let keep = handshake("header = \"x-c\"\nsigned = false\nkeep = \"{header:x-c}\"");
    for value in ["", "  ", &"x".repeat(1_025)] {
        assert_eq!(Probe::header("x-c", value.as_bytes()).answer(&keep), Err(Unanswered::Malformed), "{value}");
    }
}

#[test]
fn an_answer_is_bounded_all_in_all() {
    let five = "query = \"c\"\njson = { a = \"{body}\", b = \"{body}{body}\", c = [\"{body}\"] }\nheaders = { X-C = \"{body}\" }";
    let answer = |size: usize| Probe { query: Some("c"), ..Probe::body("x".repeat(size)) }.answer(&handshake(five));
    assert!(answer(16 * 1024 / 5).is_ok());
    assert_eq!(answer(16 * 1024 / 5 + 1), Err(Unanswered::Malformed));
}

#[test]
fn a_verify_token_is_the_token_of_the_url() {
    let meta = handshake(
        "method = \"GET\"\nquery = \"hub.challenge\"\ntoken = \"{query:hub.verify_token}\"\ntext = \"{query:hub.challenge}\"",
    );
    let right = Probe::query("hub.mode=subscribe&hub.verify_token=tgt_0123456789&hub.challenge=1158201444");
    assert_eq!(right.answer(&meta).unwrap().body, "1158201444");
    for query in [
        "hub.challenge=1",
        "hub.challenge=1&hub.verify_token=",
        "hub.challenge=1&hub.verify_token=tgt_012345678",
        "hub.challenge=1&hub.verify_token=tgt_0123456789&hub.verify_token=x",
        "hub.challenge=1&hub.verify_token=TGT_0123456789",
    ] {
        assert_eq!(Probe::query(query).answer(&meta), Err(Unanswered::WrongToken), "{query}");
    }
}

const CRC: &str = "method = \"GET\"\nquery = \"crc_token\"\njson = { response_token = \"sha256={hmac}\" }\n\
                   hmac = { of = \"{query:crc_token}\", encoding = \"base64\" }";

#[test]
fn a_proof_is_made_with_the_first_secret() {
    let made = Probe::query("crc_token=Y2hhbGxlbmdl").json(&handshake(CRC));
    let digest = crate::verify::hmac_sha256(b"key", b"Y2hhbGxlbmdl");
    assert_eq!(made, json!({ "response_token": format!("sha256={}", data_encoding::BASE64.encode(&digest)) }));
    let probe = Probe::query("crc_token=a");
    for secret in [None, Some(&b""[..])] {
        let asked = Asked { request: &probe.request(), secret, token: TOKEN };
        assert_eq!(handshake(CRC).answer(asked), Err(Unanswered::NoSecret));
    }
}

/// The proof of an unsigned challenge is made with the key that webhooks are signed with: it must be good for none.
#[test]
fn nothing_is_signed_that_could_be_a_webhook() {
    let crc = handshake(CRC);
    for query in ["crc_token=abc-_%2B%2F==", "crc_token=0f8fad5b-d9cb-469f-a165-70867728950e"] {
        assert!(Probe::query(query).answer(&crc).is_ok(), "{query}");
    }
    for query in [
        "crc_token={\"code\":\"A\"}",
        "crc_token=[]",
        "crc_token=\"a\"",
        "crc_token=code%3DA",
        "crc_token=hmacsha256%3D1",
        "crc_token=v0:1700000000:1",
        "crc_token=1700000000.1",
        "crc_token=a%0a",
        "crc_token=",
        "crc_token==",
    ] {
        assert_eq!(Probe::query(query).answer(&crc), Err(Unanswered::Malformed), "{query}");
    }
    let zoom = handshake(
        "when = \"@.plainToken\"\njson = { encryptedToken = \"{hmac}\" }\nhmac = { of = \"{json:$.plainToken}\" }",
    );
    assert!(Probe::body(r#"{"plainToken":"v0:1:{}"}"#).answer(&zoom).is_ok(), "whoever could sign it asked for it");
    let long = format!("{{\"plainToken\":\"{}\"}}", "x".repeat(257));
    assert_eq!(Probe::body(long).answer(&zoom), Err(Unanswered::Malformed));
}

#[test]
fn a_handshake_that_makes_no_sense_is_refused() {
    for (text, key) in [
        ("text = \"x\"", ""),
        ("method = \"PUT\"\nquery = \"a\"", "method"),
        ("method = \"GET\"\nwhen = \"@.a\"", "when"),
        ("method = \"GET\"\nquery = \"a\"\nsigned = true", "signed"),
        ("when = \"@.a ==\"", "when"),
        ("header = \"no header\"", "header"),
        ("query = \"a\"\nstatus = 302", "status"),
        ("query = \"a\"\nstatus = 204\ntext = \"x\"", "status"),
        ("query = \"a\"\ntext = \"x\"\njson = {}", ""),
        ("query = \"a\"\ntext = \"{query:a\"", "text"),
        ("query = \"a\"\ntext = \"{secret}\"", "text"),
        ("query = \"a\"\ntext = \"{timestamp}\"", "text"),
        ("query = \"a\"\njson = { b = [\"{secret}\"] }", "json"),
        ("query = \"a\"\njson = { b = 2026-01-02 }", "json"),
        ("query = \"a\"\nheaders = { Set-Cookie = \"a\" }", "headers"),
        ("query = \"a\"\nheaders = { content-type = \"text/html\" }", "headers"),
        ("query = \"a\"\nheaders = { \"a b\" = \"a\" }", "headers"),
        ("query = \"a\"\ntext = \"{hmac}\"", "hmac"),
        ("query = \"a\"\nhmac = { of = \"{query:a}\" }", "hmac"),
        ("query = \"a\"\ntext = \"{hmac}\"\nhmac = { of = \"{hmac}\" }", "hmac"),
        ("query = \"a\"\ntext = \"{hmac}\"\nhmac = { of = \"{query:a}\", algorithm = \"sha256\" }", "hmac"),
        ("query = \"a\"\ntext = \"{hmac}\"\nhmac = { of = \"{query:a}\", encoding = \"text\" }", "hmac"),
        ("query = \"a\"\nkeep = \"{query:a}\"", "keep"),
        ("method = \"GET\"\nquery = \"a\"\nkeep = \"{query:a}\"", "keep"),
    ] {
        let raw: RawHandshake = toml::from_str(text).unwrap();
        assert_eq!(Handshake::try_from(raw).unwrap_err().key, key, "{text}");
    }
    let large =
        RawHandshake { query: Some("a".into()), json: Some(json!("x".repeat(5_000))), ..RawHandshake::default() };
    assert_eq!(Handshake::try_from(large).unwrap_err().key, "json");
}

#[test]
fn handshakes_are_sorted_by_when_they_are_looked_for() {
    let all = [
        "method = \"GET\"\nquery = \"a\"",
        "method = \"HEAD\"",
        "query = \"b\"\nsigned = false",
        "query = \"c\"",
        "method = \"GET\"",
    ];
    let sorted: Handshakes = all.map(handshake).into_iter().collect();
    let lengths = [&sorted.get, &sorted.head, &sorted.unsigned, &sorted.signed].map(Vec::len);
    assert_eq!(lengths, [2, 1, 1, 1]);
    assert!(sorted.has_post() && !Handshakes::default().has_post());
}
