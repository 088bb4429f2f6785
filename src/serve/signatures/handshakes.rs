//! The keys of handshakes and of a response of one's own, with an example of each.

use super::Rows;

pub(super) const KEYS: Rows = &[
    (
        "method",
        "`POST` unless said, `GET` or `HEAD`. A source answers GET and HEAD only where it has a handshake of that method.",
        "method = \"GET\"",
    ),
    ("when", "A condition that holds for its JSON body.", "when = \"@.type == 'verify'\""),
    ("query", "A parameter of the URL that is there.", "query = \"challenge\""),
    ("header", "A header that is there.", "header = \"X-Acme-Challenge\""),
    (
        "signed",
        "Whether it is signed as any other request: `true` unless said, but for GET and HEAD, which never are.",
        "signed = false",
    ),
    (
        "token",
        "What must be the token of the source’s own URL, for senders that ask for a verify token.",
        "token = \"{query:verify_token}\"",
    ),
    (
        "hmac",
        "What `{hmac}` is in the answer, under the first secret; see below.",
        "hmac = { of = \"{query:challenge}\" }\ntext = \"{hmac}\"",
    ),
    ("status", "200 unless said, 299 at most.", "status = 204"),
    ("text", "The answer as plain text, with the parts that messages have.", "text = \"{json:$.challenge}\""),
    (
        "json",
        "The answer as JSON: texts in it may have parts, anything else stays as it is.",
        "json = { challenge = \"{json:$.challenge}\" }",
    ),
    ("headers", "Headers of the answer.", "headers = { X-Acme-Challenge = \"{header:X-Acme-Challenge}\" }"),
    (
        "keep",
        "What becomes the source’s secret, while it has none. A source that has one refuses such a handshake.",
        "keep = \"{header:X-Acme-Secret}\"\nsigned = false",
    ),
];

/// Of `hmac`.
pub(super) const HMAC: Rows = &[
    ("of", "What is signed.", "hmac = { of = \"{query:challenge}\" }\ntext = \"{hmac}\""),
    (
        "algorithm",
        "`hmac-sha256` unless said.",
        "hmac = { of = \"{query:c}\", algorithm = \"hmac-sha512\" }\ntext = \"{hmac}\"",
    ),
    ("encoding", "`hex` unless said.", "hmac = { of = \"{query:c}\", encoding = \"base64\" }\ntext = \"{hmac}\""),
];

/// Of `response`.
pub(super) const RESPONSE: Rows = &[
    ("status", "From 200 to 299; 200 unless said.", "response = { status = 204 }"),
    (
        "content_type",
        "What the body is; plain text unless said.",
        "response = { content_type = \"text/xml\", body = \"<Response/>\" }",
    ),
    ("body", "As it is sent.", "response = { body = \"[accepted]\", content_type = \"text/plain\" }"),
];
