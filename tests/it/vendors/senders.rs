//! What each sender signs, in the words of its documentation: the parts whose bytes count, and how its signature is
//! read. From this follows which changes leave a request what it was (`alike.rs`); all others have to be refused.

use http::HeaderMap;
use serde_json::Value;
use tidegate::verify::sign::Signature;

use super::alike::{Body, Reading, SecretForm, Url};
use super::request::Request;

pub struct Sender {
    /// The header with the signature, and how it is read; none where it stands in the body.
    pub signature: Option<(&'static str, Reading)>,
    /// Other headers that are signed, as they are.
    pub headers: &'static [&'static str],
    pub body: Body,
    pub url: Url,
    pub method: bool,
    pub secret: SecretForm,
}

const HEX: Reading = Reading::Hex { prefix: "" };
const SHA256: Reading = Reading::Hex { prefix: "sha256=" };
const STANDARD: [&str; 2] = ["webhook-id", "webhook-timestamp"];
const SVIX: [&str; 2] = ["svix-id", "svix-timestamp"];

const fn list(separator: char, time: &'static str, key: &'static str, is_hex: bool) -> Reading {
    Reading::List { separator, time, key, is_hex }
}

/// Signs its body alone, in one header.
const fn body(header: &'static str, reading: Reading) -> Sender {
    let (headers, url, method) = (&[] as &[&str], Url::Nothing, false);
    Sender { signature: Some((header, reading)), headers, body: Body::Bytes, url, method, secret: SecretForm::Text }
}

const fn standard(header: &'static str, headers: &'static [&'static str]) -> Sender {
    Sender { headers, secret: SecretForm::Base64, ..body(header, Reading::Versions { prefix: "v1," }) }
}

pub fn of(preset: &str) -> Sender {
    let timed = |header, reading, headers| Sender { headers, ..body(header, reading) };
    match preset {
        "adyen" => Sender { signature: None, body: Body::Adyen, secret: SecretForm::Hex, ..body("", Reading::Exact) },
        "adyen-platform" => Sender { secret: SecretForm::Hex, ..body("hmacsignature", Reading::Exact) },
        "braintree" => Sender { signature: None, body: Body::Braintree, ..body("", Reading::Exact) },
        "discord" => {
            Sender { secret: SecretForm::Hex, ..timed("x-signature-ed25519", HEX, &["x-signature-timestamp"]) }
        }
        "github" => body("x-hub-signature-256", SHA256),
        "gocardless" => body("webhook-signature", HEX),
        "hubspot" => {
            let of = timed("x-hubspot-signature-v3", Reading::Exact, &["x-hubspot-request-timestamp"]);
            Sender { url: Url::Unescaped, method: true, ..of }
        }
        "hubspot-v1" => body("x-hubspot-signature", HEX),
        "hubspot-v2" => Sender { url: Url::Whole, method: true, ..body("x-hubspot-signature", HEX) },
        "linear" => body("linear-signature", HEX),
        "mercado-pago" => {
            let of = timed("x-signature", list(',', "ts", "v1", true), &["x-request-id"]);
            Sender { body: Body::Unsigned, url: Url::Parameter("data.id"), ..of }
        }
        "messagebird" => Sender { url: Url::Whole, ..body("messagebird-signature-jwt", Reading::Exact) },
        "notion" => body("x-notion-signature", SHA256),
        "paddle" => body("paddle-signature", list(';', "ts", "h1", true)),
        "razorpay" => body("x-razorpay-signature", HEX),
        "sanity" => body("sanity-webhook-signature", list(',', "t", "v1", false)),
        "sendgrid" => {
            let time = &["x-twilio-email-event-webhook-timestamp"];
            let of = timed("x-twilio-email-event-webhook-signature", Reading::Exact, time);
            Sender { secret: SecretForm::Base64, ..of }
        }
        "shopify" => body("x-shopify-hmac-sha256", Reading::Exact),
        "slack" => timed("x-slack-signature", Reading::Hex { prefix: "v0=" }, &["x-slack-request-timestamp"]),
        "square" => Sender { url: Url::Whole, ..body("x-square-hmacsha256-signature", Reading::Exact) },
        "stripe" => body("stripe-signature", list(',', "t", "v1", true)),
        "clerk" | "resend" | "svix" => standard("svix-signature", &SVIX),
        "gitlab-signed" | "openai" | "render" | "replicate" | "standard-webhooks" => {
            standard("webhook-signature", &STANDARD)
        }
        "telnyx" => {
            let of = timed("telnyx-signature-ed25519", Reading::Exact, &["telnyx-timestamp"]);
            Sender { secret: SecretForm::Base64, ..of }
        }
        "twilio" => Sender { body: Body::Form, url: Url::Whole, ..body("x-twilio-signature", Reading::Exact) },
        "twilio-json" => Sender { url: Url::Whole, ..body("x-twilio-signature", Reading::Exact) },
        "vonage" => body("authorization", Reading::Exact),
        "workos" => body("workos-signature", list(',', "t", "v1", true)),
        _ => panic!("say what {preset} signs"),
    }
}

const ADYEN: &str = "/notificationItems/0/NotificationRequestItem/additionalData/hmacSignature";

impl Sender {
    /// Takes the signature out of a request, wherever it stands.
    pub fn remove_signature(&self, request: &mut Request) {
        match (self.signature, self.body) {
            (Some((header, _)), _) => drop(request.headers.remove(header)),
            (None, body) => request.body = with_signature(body, &request.body, ""),
        }
    }

    pub fn put_signature(&self, request: &mut Request, signature: &Signature) {
        let mut headers = HeaderMap::new();
        for (name, value) in &signature.headers {
            headers.insert(name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
        }
        request.headers.extend(headers);
        if self.signature.is_none() {
            request.body = with_signature(self.body, &request.body, &signature.value);
        }
    }
}

/// The body with another signature in it.
fn with_signature(of: Body, body: &[u8], signature: &str) -> Vec<u8> {
    match of {
        Body::Adyen => {
            let mut document: Value = serde_json::from_slice(body).unwrap();
            *document.pointer_mut(ADYEN).unwrap() = signature.into();
            document.to_string().into_bytes()
        }
        // Its admin knows the key's public name; Tidegate has no use for it.
        Body::Braintree => {
            let digest = signature.rsplit('|').next().unwrap();
            let pair = |(name, value): (String, String)| match name.as_str() {
                "bt_signature" => (name, format!("{}|{digest}", value.split('|').next().unwrap())),
                _ => (name, value),
            };
            let pairs = form_urlencoded::parse(body).into_owned().map(pair);
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
        }
        Body::Bytes | Body::Form | Body::Unsigned => panic!("its signature stands in a header"),
    }
}
