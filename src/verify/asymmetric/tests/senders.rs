//! What real senders sign, by their own libraries' tests where they publish any.

use super::*;

/// The test suites of SendGrid's libraries: one event and two, with the CRLF that follows each.
#[test]
fn sendgrid() {
    let one = concat!(
        r#"[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address","#,
        r#""sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA","#,
        r#""sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0","#,
        r#""smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]"#,
        "\r\n"
    );
    let two = concat!(
        r#"[{"email":"invalid@gmail.com","event":"processed","send_at":0,"#,
        r#""sg_event_id":"cHJvY2Vzc2VkLTE5OTQyMTEyLXFOd0JMZ1BRUWpXNkRKdktRd1NBYnctMA","#,
        r#""sg_message_id":"qNwBLgPQQjW6DJvKQwSAbw.filterdrecv-canary-547b64655b-cw6zx-1-6089EA4A-56.0","#,
        r#""smtp-id":"<qNwBLgPQQjW6DJvKQwSAbw@ismtpd0178p1mdw1.sendgrid.net>","timestamp":1619651146},"#,
        "\r\n",
        r#"{"email":"invalid@gmail.com","event":"bounce","ip":"167.89.101.76","#,
        r#""reason":"552 5.2.2 The email account that you tried to reach is over quota and inactive. "#,
        r#"Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm "#,
        r#"c17si1130468pgv.34 - gsmtp","#,
        r#""sg_event_id":"Ym91bmNlLTAtMTk5NDIxMTItcU53QkxnUFFRalc2REp2S1F3U0Fidy0w","#,
        r#""sg_message_id":"qNwBLgPQQjW6DJvKQwSAbw.filterdrecv-canary-547b64655b-cw6zx-1-6089EA4A-56.0","#,
        r#""smtp-id":"<qNwBLgPQQjW6DJvKQwSAbw@ismtpd0178p1mdw1.sendgrid.net>","status":"5.2.2","#,
        r#""timestamp":1619651147,"tls":1,"type":"blocked"}]"#,
        "\r\n"
    );
    let published = [
        (
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
            "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
            "1600112502",
            one,
        ),
        (
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQ4LIFtWztlsF7skFqOncjD1lun4H5w8XOhyOArHW9RcIx/FfEzx6cikC/yPfUvwaX/JScE7Fc9CJD2afQ9Ok3Q==",
            "MEYCIQC/I4o6vCgqRYrTljjoVWB/GRWNtxeePlLMHr3x9ETeRQIhAIpV+03nREPTTHWSW0wIOA0EoMPdcNgXa70yCaqDJlu5",
            "1619651159",
            two,
        ),
        (
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==",
            "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=",
            "1588788367",
            r#"{"category":"example_payload","event":"test_event","message_id":"message_id"}"#,
        ),
    ];
    for (key, signature, timestamp, body) in published {
        let key = PublicKey::read(Algorithm::EcdsaP256, key).unwrap();
        let signature = base64(signature);
        let verifies = |timestamp: &str, body: &str| key.verifies(format!("{timestamp}{body}").as_bytes(), &signature);
        assert!(verifies(timestamp, body));
        assert!(!verifies("timestamp", body));
        assert!(!verifies(timestamp, "payload"));
        assert!(!verifies(timestamp, &format!("{body}\n")));
        assert!(!verifies(timestamp, body.get(..body.len() - 1).unwrap()));
    }
}

/// The test of the Standard Webhooks library for `v1a`, whose private key is the seed alone.
#[test]
fn standard_webhooks() {
    let message = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
    let published = "tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";
    let seed = "VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";
    let public = PublicKey::read(Algorithm::Ed25519, "whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=").unwrap();
    let both = BASE64.encode(&[base64(seed), public.bytes.clone()].concat());
    for text in [seed, &format!("whsk_{seed}"), &both, &format!("whsk_{both}"), &HEXLOWER.encode(&base64(seed))] {
        let private = PrivateKey::read(Algorithm::Ed25519, text).unwrap();
        assert_eq!(private.public_key(), public);
        assert_eq!(BASE64.encode(&private.sign(message).unwrap()), published);
    }
    assert!(public.verifies(message, &base64(published)));
}

/// Discord shows its public key in hexadecimal and signs timestamp and body, glued.
#[test]
fn discord() {
    let application = PrivateKey::read(Algorithm::Ed25519, ED25519_SEED).unwrap();
    let public = PublicKey::read(Algorithm::Ed25519, &ED25519_PUBLIC.to_uppercase()).unwrap();
    let signature = application.sign(br#"1599775296{"type":1}"#).unwrap();
    assert!(public.verifies(br#"1599775296{"type":1}"#, &signature));
    assert!(!public.verifies(br#"1599775297{"type":1}"#, &signature));
    // Its own probes carry signatures that must fail: of another key, and of nothing.
    let other = PrivateKey::read(Algorithm::Ed25519, &ED25519_SEED.replace("c5aa", "c5ab")).unwrap();
    assert!(!public.verifies(br#"1599775296{"type":1}"#, &other.sign(br#"1599775296{"type":1}"#).unwrap()));
    assert!(!public.verifies(br#"1599775296{"type":1}"#, &[0; 64]));
}

/// Telnyx shows its public key in base64 and puts a bar between timestamp and body.
#[test]
fn telnyx() {
    let account = PrivateKey::read(Algorithm::Ed25519, ED25519_SEED).unwrap();
    let public = PublicKey::read(Algorithm::Ed25519, &BASE64.encode(&hex(ED25519_PUBLIC))).unwrap();
    let message = br#"1517610327|{"data":{"event_type":"call_initiated"}}"#;
    let signature = account.sign(message).unwrap();
    assert!(public.verifies(message, &signature));
    assert!(!public.verifies(br#"1517610327{"data":{"event_type":"call_initiated"}}"#, &signature));
}
