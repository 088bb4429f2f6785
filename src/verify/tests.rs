use super::sign::Signature;
use super::*;
use data_encoding::{BASE64, HEXLOWER};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

const SECRET: &[u8] = b"It's a Secret to Everybody";
const NONE: &[&[u8]] = &[];

fn scheme(prefix: &str, encoding: &str) -> Scheme {
    serde_json::from_value(json!({"header": "X-Signature", "prefix": prefix, "encoding": encoding})).unwrap()
}

fn headers(values: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append("x-signature", HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

const NOW: i64 = 1_700_000_000_000_000;

fn signed<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Signed<'a> {
    Signed { method: "POST", url: "https://hooks.example.com/in", path: "/in", query: None, headers, body }
}

fn verify(scheme: &Scheme, secrets: &[impl AsRef<[u8]>], headers: &HeaderMap, body: &[u8]) -> Verdict {
    super::verify(scheme, secrets, signed(headers, body), Timestamp::from_micros(NOW).unwrap())
}

fn sign(scheme: &Scheme, secret: &[u8], body: &[u8]) -> String {
    let Signature { value, .. } =
        super::sign::sign(scheme, secret, signed(&HeaderMap::new(), body), Timestamp::from_micros(NOW).unwrap())
            .unwrap();
    value
}

fn verdict(scheme: &Scheme, value: &str, body: &[u8]) -> Verdict {
    verify(scheme, &[SECRET], &headers(&[value.as_bytes()]), body)
}

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../tests/data/signature-vectors.json")).unwrap()
}

fn key(vector: &Value) -> Option<Vec<u8>> {
    let text = |name: &str| vector[name].as_str();
    text("key_utf8")
        .map(|key| key.as_bytes().to_vec())
        .or_else(|| text("key_base64").map(|key| BASE64.decode(key.as_bytes()).unwrap()))
        .or_else(|| text("key_hex").map(|key| data_encoding::HEXUPPER_PERMISSIVE.decode(key.as_bytes()).unwrap()))
}

/// Vendors' published vectors: the digest of what they sign, in their encoding and with their prefix. What they sign
/// is not always the body alone; composing it belongs to the catalogue of schemes, the digest is checked here.
#[test]
fn vendors_vectors_pass() {
    let mut seen = 0;
    for vector in vectors() {
        let text = |name: &str| vector[name].as_str().unwrap();
        let fits = text("alg") == "hmac-sha256" && matches!(text("enc"), "hex" | "base64");
        let Some(key) = key(&vector).filter(|_| fits) else { continue };
        let scheme = scheme("", text("enc"));
        assert_eq!(sign(&scheme, &key, text("signed").as_bytes()), text("sig"), "{}", text("provider"));
        let found = verify(&scheme, &[key], &headers(&[text("sig").as_bytes()]), text("signed").as_bytes());
        assert_eq!(found, Verdict::Pass, "{}", text("provider"));
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn github_passes_as_github_sends_it() {
    let vector = vectors().into_iter().find(|vector| vector["provider"] == "github").unwrap();
    let scheme: Scheme = serde_json::from_value(json!({"header": "X-Hub-Signature-256", "prefix": "sha256="})).unwrap();
    let mut headers = HeaderMap::new();
    let value = format!("sha256={}", vector["sig"].as_str().unwrap());
    headers.insert("x-hub-signature-256", value.parse().unwrap());
    assert_eq!(verify(&scheme, &[SECRET], &headers, b"Hello, World!"), Verdict::Pass);
    assert_eq!(sign(&scheme, SECRET, b"Hello, World!"), value);
}

/// RFC 4231, test cases 1, 6 (a key longer than a block) and an empty message.
#[test]
fn the_digest_is_the_standards() {
    let hex = |key: &[u8], message: &[u8]| HEXLOWER.encode(&hmac_sha256(key, message));
    assert_eq!(hex(&[0x0b; 20], b"Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_eq!(
        hex(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    );
    assert_eq!(hex(b"", b""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    // Around the block's length the library's own path must agree with ours.
    for length in [1, 63, 64, 65, 128] {
        use ::hmac::{KeyInit, Mac};
        let mut mac = ::hmac::Hmac::<sha2::Sha256>::new_from_slice(&vec![7; length]).unwrap();
        mac.update(b"message");
        assert_eq!(mac.finalize().into_bytes()[..], hmac_sha256(&vec![7; length], b"message"), "{length}");
    }
}

#[test]
fn every_changed_byte_is_refused() {
    for encoding in ["hex", "base64"] {
        let scheme = scheme("sha256=", encoding);
        let body = b"{\"sku\": \"A-1\"}";
        let signature = sign(&scheme, SECRET, body);
        assert_eq!(verdict(&scheme, &signature, body), Verdict::Pass);
        for at in 0..body.len() {
            for flip in 1..=255 {
                let mut forged = *body;
                forged[at] ^= flip;
                assert_eq!(verdict(&scheme, &signature, &forged), Verdict::Refused(Refusal::Mismatch));
            }
        }
        for at in 0..signature.len() {
            for byte in (b' '..=b'~').filter(|byte| !same(encoding, at, signature.as_bytes()[at], *byte)) {
                let mut forged = signature.clone().into_bytes();
                forged[at] = byte;
                let found = verify(&scheme, &[SECRET], &headers(&[&forged]), body);
                assert!(matches!(found, Verdict::Refused(_)), "{}", String::from_utf8_lossy(&forged));
            }
        }
    }
}

/// Past the prefix, hexadecimal digits count in either case.
fn same(encoding: &str, at: usize, one: u8, other: u8) -> bool {
    one == other || (encoding == "hex" && at >= "sha256=".len() && one.eq_ignore_ascii_case(&other))
}

#[test]
fn only_the_stated_form_is_read() {
    let body = b"body";
    let hex = HEXLOWER.encode(&hmac_sha256(SECRET, body));
    let base64 = BASE64.encode(&hmac_sha256(SECRET, body));
    let (in_hex, in_base64) = (scheme("sha256=", "hex"), scheme("sha256=", "base64"));
    for value in [format!("sha256={hex}"), format!("sha256={}", hex.to_uppercase())] {
        assert_eq!(verdict(&in_hex, &value, body), Verdict::Pass, "{value}");
    }
    assert_eq!(verdict(&in_base64, &format!("sha256={base64}"), body), Verdict::Pass);
    let unpadded = base64.trim_end_matches('=');
    for (scheme, value) in [
        (&in_hex, String::new()),
        (&in_hex, "sha256=".to_owned()),
        (&in_hex, hex.clone()),
        (&in_hex, format!("SHA256={hex}")),
        (&in_hex, format!("sha1={hex}")),
        (&in_hex, format!("sha256= {hex}")),
        (&in_hex, format!("sha256={}", &hex[..62])),
        (&in_hex, format!("sha256={}", &hex[..63])),
        (&in_hex, format!("sha256={hex}00")),
        (&in_hex, format!("sha256={hex},sha256={hex}")),
        (&in_hex, format!("sha256={}", "0".repeat(100_000))),
        (&in_hex, format!("sha256={base64}")),
        (&in_base64, format!("sha256={hex}")),
        (&in_base64, format!("sha256={unpadded}")),
        (&in_base64, format!("sha256={unpadded}==")),
    ] {
        assert_eq!(verdict(scheme, &value, body), Verdict::Refused(Refusal::Malformed), "{value:.90}");
    }
}

#[test]
fn any_signature_may_fit_any_secret() {
    let scheme = scheme("", "hex");
    let by_old = sign(&scheme, b"old", b"body");
    let by_foreign = sign(&scheme, b"foreign", b"body");
    let both = headers(&[by_foreign.as_bytes(), b"nonsense", by_old.as_bytes()]);
    assert_eq!(verify(&scheme, &["new", "old"], &both, b"body"), Verdict::Pass);
    assert_eq!(verify(&scheme, &["new"], &both, b"body"), Verdict::Refused(Refusal::Mismatch));
    let mut many = vec![by_foreign.as_bytes(); 8];
    many.push(by_old.as_bytes());
    assert_eq!(verify(&scheme, &["old"], &headers(&many[1..]), b"body"), Verdict::Pass);
    let found = verify(&scheme, &["old"], &headers(&many), b"body");
    assert_eq!(found, Verdict::Refused(Refusal::Mismatch), "the ninth is not looked at");
}

#[test]
fn without_a_secret_or_a_signature_nothing_passes() {
    let scheme = scheme("", "hex");
    let empty = headers(&[HEXLOWER.encode(&hmac_sha256(b"", b"body")).as_bytes()]);
    assert_eq!(verify(&scheme, NONE, &empty, b"body"), Verdict::Refused(Refusal::NoSecret));
    assert_eq!(verify(&scheme, &["", ""], &empty, b"body"), Verdict::Refused(Refusal::NoSecret));
    assert_eq!(verify(&scheme, &["", "real"], &empty, b"body"), Verdict::Refused(Refusal::Mismatch));
    assert_eq!(verify(&scheme, &[SECRET], &HeaderMap::new(), b"body"), Verdict::Refused(Refusal::Missing));
}

#[test]
fn a_refusal_names_the_header_and_no_digest() {
    let scheme = scheme("sha256=", "hex");
    let problem = Refusal::Malformed.problem(&scheme);
    assert_eq!(problem.detail(), "The header X-Signature must be `sha256=` followed by 64 hexadecimal digits.");
    for refusal in [Refusal::Missing, Refusal::Malformed, Refusal::Mismatch, Refusal::NoSecret] {
        assert_eq!(refusal.problem(&scheme).status(), 401);
    }
}

#[test]
fn a_scheme_is_stored_without_its_secret() {
    let text = r#"header = "X-Webhook-Signature"
        prefix = "sha256="
        secret = ["env:NEW", "env:OLD"]"#;
    let raw: RawSignature = toml::from_str(text).unwrap();
    assert_eq!(raw.secret.as_ref().unwrap().as_slice(), ["env:NEW", "env:OLD"]);
    assert!(!format!("{raw:?}").contains("env:NEW"));
    let scheme = Scheme::try_from(raw).unwrap();
    let stored = serde_json::to_string(&scheme).unwrap();
    assert_eq!(stored, r#"{"header":"X-Webhook-Signature","prefix":"sha256=","encoding":"hex"}"#);
    assert_eq!(serde_json::from_str::<Scheme>(&stored).unwrap(), scheme);
    let one: RawSignature = toml::from_str("header = \"H\"\nsecret = \"env:ONE\"").unwrap();
    assert_eq!(one.secret.unwrap().as_slice(), ["env:ONE"]);
}

#[test]
fn a_bad_scheme_says_why() {
    for (text, says) in [
        ("prefix = \"x\"", "say which header carries the signature"),
        ("header = \"\"", "header = \"X-Webhook-Signature\""),
        ("header = \"X Sig\"", "`header` is not the name of a header"),
        ("header = \"H\"\nprefix = \" v\"", "`prefix` is what stands before"),
        ("header = \"H\"\nprefix = \"ü\"", "`prefix` is what stands before"),
        ("header = \"H\"\nencoding = \"hexa\"", "unknown variant `hexa`"),
        ("header = \"H\"\nalgorithm = \"sha1\"", "unknown variant `sha1`"),
        ("header = \"H\"\nsecret = 7", "a text or a list of texts"),
    ] {
        let error = toml::from_str::<Scheme>(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

fn of(text: &str) -> Result<Scheme, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

/// The shape of CVE-2024-21491 is the first of the last group: a signature that is empty or too short.
#[test]
fn lists_keys_and_prefixes_are_taken_apart() {
    let stripe = of(r#"header = "Sig"
        list = ","
        field = "v1"
        timestamp = { field = "t" }
        message = "{timestamp}.{body}""#)
    .unwrap();
    let svix = of(r#"header = "Sig"
        list = " "
        prefix = "v1,"
        encoding = "base64"
        message = "{header:id}.{body}""#)
    .unwrap();
    let body = b"{}";
    let hex = HEXLOWER.encode(&hmac_sha256(SECRET, b"1700000000.{}"));
    let base64 = BASE64.encode(&hmac_sha256(SECRET, b"msg_1.{}"));
    let found = |scheme: &Scheme, value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("sig", value.parse().unwrap());
        headers.insert("id", HeaderValue::from_static("msg_1"));
        verify(scheme, &[SECRET], &headers, body)
    };
    for value in [format!("t=1700000000,v1={hex}"), format!("t=1700000000, v0=x, v1=00, v1={hex}, foo")] {
        assert_eq!(found(&stripe, &value), Verdict::Pass, "{value}");
    }
    for value in [format!("v1,{base64}"), format!("v1a,x v1, v1,{base64} v2,y")] {
        assert_eq!(found(&svix, &value), Verdict::Pass, "{value}");
    }
    for (scheme, value, wanted) in [
        (&svix, "v1,".to_owned(), Refusal::Malformed),
        (&svix, "v1,AA==".to_owned(), Refusal::Malformed),
        (&svix, base64.clone(), Refusal::Malformed),
        (&svix, format!("v1,{}", &base64[..40]), Refusal::Malformed),
        (&stripe, format!("v1={hex}"), Refusal::Lacking("`t` in the signature".into())),
        (&stripe, format!("t=1700000000,t=1700000000,v1={hex}"), Refusal::Lacking("`t` in the signature".into())),
        (&stripe, format!("t=1700000000,v0={hex}"), Refusal::Malformed),
        (&stripe, format!("t=1700000001,v1={hex}"), Refusal::Mismatch),
        (&stripe, format!("t=01700000000,v1={hex}"), Refusal::Mismatch),
        (&stripe, format!("t=1700000301,v1={hex}"), Refusal::Stale),
        (&stripe, format!("t=1699999699,v1={hex}"), Refusal::Stale),
        (&stripe, format!("t=now,v1={hex}"), Refusal::Stale),
    ] {
        assert_eq!(found(scheme, &value), Verdict::Refused(wanted), "{value}");
    }
}

#[test]
fn what_would_vouch_for_any_body_is_refused_when_saved() {
    for (text, says) in [
        ("message = \"{timestamp}\"\ntimestamp = { header = \"T\" }", "the message must hold {body}"),
        ("message = \"constant\"", "the message must hold {body}"),
        ("message = \"{body\"", "is not closed"),
        ("message = \"body}\"", "closes nothing"),
        ("message = \"{{body}}\"", "the message must hold {body}"),
        ("message = [\"v0\", \"?{body}\"]", "the message must hold {body}"),
        ("message = \"{json:$.id}\"", "the message must hold {body}"),
        ("message = \"{bodi}\"", "there is no part `{bodi}`"),
        ("message = \"{body|upper}\"", "there is no modifier `|upper`"),
        ("message = \"{timestamp}{body}\"", "say where it stands"),
        ("timestamp = { header = \"T\" }", "the message does not hold {timestamp}"),
        (
            "timestamp = { header = \"T\", field = \"t\" }\nmessage = \"{timestamp}{body}\"",
            "say where the time stands, once",
        ),
        ("fields_only = true", "only a preset may say"),
        ("algorithm = \"sha256\"", "proves nothing without {secret}"),
        ("message = \"{secret}{body}\"", "only with algorithm = \"sha256\""),
        ("body_hash = \"{query:h}\"\nmessage = \"{method}\"", "`body_hash` names what is signed"),
        ("algorithm = \"jwt\"", "`claims` say what"),
        ("algorithm = \"jwt\"\nclaims = { issuer = \"x\" }", "without it a token fits any body"),
        ("json = \"$.sig\"", "a signature stands in one place"),
        ("encoding = \"text\"", "a signature is bytes"),
        ("tolerance = 0", "from 1 to 86400"),
        ("url = \"hooks.example.com\"", "`url` is the address"),
        ("preset = \"github\"", "the preset \"github\" says all of it"),
    ] {
        let error = of(&format!("header = \"Sig\"\n{text}")).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert!(of("preset = \"githb\"").unwrap_err().contains("did you mean \"github\""));
    assert!(of("preset = \"github\"\ntolerance = 60\nurl = \"https://a.example/b\"").is_ok());
}

/// A token is compared whole; in a body, where one request speaks of several things, each must carry it.
#[test]
fn tokens_are_compared_whole() {
    let header = of("header = \"X-Token\"\nalgorithm = \"token\"").unwrap();
    let basic =
        of("header = \"Authorization\"\nalgorithm = \"token\"\nprefix = \"Basic \"\nencoding = \"base64\"").unwrap();
    let member = of("json = \"$.value[*].clientState\"\nalgorithm = \"token\"").unwrap();
    let with = |name: &'static str, value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    };
    let pass = |scheme: &Scheme, headers: &HeaderMap, body: &str| {
        verify(scheme, &["user:pass"], headers, body.as_bytes()) == Verdict::Pass
    };
    assert!(pass(&header, &with("x-token", "user:pass"), ""));
    for wrong in ["", "user:pas", "user:passs", "User:pass"] {
        assert!(!pass(&header, &with("x-token", wrong), ""), "{wrong}");
    }
    assert!(pass(&basic, &with("authorization", "Basic dXNlcjpwYXNz"), ""));
    assert!(!pass(&basic, &with("authorization", "Basic user:pass"), ""));
    let none = HeaderMap::new();
    assert!(pass(&member, &none, r#"{"value":[{"clientState":"user:pass"},{"clientState":"user:pass"}]}"#));
    for body in [
        r#"{"value":[{"clientState":"user:pass"},{"clientState":"x"}]}"#,
        r#"{"value":[{"clientState":"user:pass"},{"clientState":null}]}"#,
        r#"{"value":[]}"#,
        "no json",
    ] {
        assert!(!pass(&member, &none, body), "{body}");
    }
}
