//! What is posted. One plain event each, and what could be read in two ways: bytes that a parser would not give back,
//! escapes in addresses, names that stand twice, and separators within values.

/// The first of a preset is also the one of which every byte is changed in every way.
#[derive(Debug)]
pub struct Case {
    pub preset: &'static str,
    /// Beside the address, with its `?`.
    pub query: &'static str,
    pub body: &'static str,
}

pub fn of(preset: &str) -> impl Iterator<Item = &'static Case> {
    CASES.iter().filter(move |case| case.preset == preset)
}

const fn case(preset: &'static str, query: &'static str, body: &'static str) -> Case {
    Case { preset, query, body }
}

/// As `JSON.stringify` writes it, which is what some libraries sign.
const PLAIN: &str = r#"{"id":"evt_1","type":"order.paid","data":{"total":"12.50","note":"Größe \"XL\" 🔑"}}"#;
/// No library that parses before it signs gives this back.
const RAW: &str = "[ {\"id\" : 1.50, \"type\":\"a\\/b\\u00fc\", \"n\":1e2} ]\r\n";

/// Of Adyen, up to what its library adds. Nothing is escaped that stands between the colons.
const ADYEN: &str = r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"pspReference":"7914073381342284","merchantAccountCode":"Test","merchantReference":"order-1","amount":{"value":1130,"currency":"EUR"},"eventCode":"AUTHORISATION","success":"true"}}]}"#;
const ADYEN_COLONS: &str = r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"pspReference":"853597395210930A","originalReference":"8535","merchantAccountCode":"Test:SE","merchantReference":"14-08-2020-09:53:00\\1","amount":{"value":7500,"currency":"SEK"},"eventCode":"CAPTURE","success":"false","reason":"none"}}]}"#;

const TWILIO: &str = "To=%2B18005551212&From=%2B14158675310&Body=1+2%263&CallSid=CA1&Digits=";
const TWILIO_TWICE: &str = "Media=b&Media=a&Media=a&to=x&To=%C3%BC%F0%9F%94%91&Z%2D=%20";

pub const CASES: &[Case] = &[
    case("adyen", "", ADYEN),
    case("adyen", "", ADYEN_COLONS),
    case("adyen-platform", "", PLAIN),
    case("adyen-platform", "", RAW),
    case("braintree", "", "subscription_1"),
    case("clerk", "", PLAIN),
    case("clerk", "", RAW),
    case("discord", "", PLAIN),
    case("discord", "", RAW),
    case("github", "", PLAIN),
    case("github", "", RAW),
    case("gitlab-signed", "", PLAIN),
    case("gocardless", "", PLAIN),
    case("gocardless", "", RAW),
    case("hubspot", "", PLAIN),
    case("hubspot", "?a=%3a%2F&b=c%20d%26", RAW),
    case("hubspot-v1", "", PLAIN),
    case("hubspot-v1", "?a=%3A", RAW),
    case("hubspot-v2", "", PLAIN),
    case("hubspot-v2", "?a=%3A%2F&b=c%20d", RAW),
    case("linear", "", PLAIN),
    case("mercado-pago", "?data.id=123456&type=payment", PLAIN),
    case("mercado-pago", "?type=order&data.id=ORDTST01M2V0", RAW),
    case("messagebird", "", PLAIN),
    case("messagebird", "?a=%3A&b=c%20d", RAW),
    case("notion", "", PLAIN),
    case("notion", "", RAW),
    case("openai", "", PLAIN),
    case("openai", "", RAW),
    case("paddle", "", PLAIN),
    case("paddle", "", RAW),
    case("razorpay", "", PLAIN),
    case("razorpay", "", RAW),
    case("render", "", PLAIN),
    case("replicate", "", PLAIN),
    case("replicate", "", RAW),
    case("resend", "", PLAIN),
    case("resend", "", RAW),
    case("sanity", "", PLAIN),
    case("sanity", "", RAW),
    case("sendgrid", "", PLAIN),
    case("sendgrid", "", RAW),
    case("shopify", "", PLAIN),
    case("shopify", "", RAW),
    case("slack", "", PLAIN),
    case("slack", "", RAW),
    case("square", "", PLAIN),
    case("square", "?a=%3A&b=c%20d", RAW),
    case("standard-webhooks", "", PLAIN),
    case("standard-webhooks", "", RAW),
    case("stripe", "", PLAIN),
    case("stripe", "", RAW),
    case("svix", "", PLAIN),
    case("svix", "", RAW),
    case("telnyx", "", PLAIN),
    case("telnyx", "", RAW),
    case("twilio", "", TWILIO),
    case("twilio", "?foo=1&bar=%3A2", TWILIO_TWICE),
    case("twilio-json", "", PLAIN),
    case("twilio-json", "?foo=1", RAW),
    case("vonage", "", PLAIN),
    case("vonage", "", RAW),
    case("workos", "", PLAIN),
];
