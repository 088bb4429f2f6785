//! What the keys of a signature take: words, and the parts of what is signed.

use super::Rows;

pub(super) const KNOWN: &str = r#"[[source]]
slug = "stripe"
signature = { preset = "stripe", secret = "env:STRIPE_SECRET" }"#;

/// The sender that it describes is nobody.
pub(super) const UNKNOWN: &str = r#"[source.signature]
header = "X-Acme-Signature"               # t=1767323045,v1=4f1c…
list = ","
field = "v1"
timestamp = { field = "t" }
message = "{timestamp}.{body}"
secret = "env:ACME_SECRET""#;

pub(super) const WORDS: &[(&str, Rows)] =
    &[("algorithm", ALGORITHMS), ("encoding", ENCODINGS), ("secret_form", SECRET_FORMS)];

const ALGORITHMS: Rows = &[
    ("hmac-sha256", "An HMAC under the secret.", ""),
    ("hmac-sha1", "The same with the older hash.", ""),
    ("hmac-sha512", "The same with the longer hash.", ""),
    ("sha256", "A plain hash of a message that holds the secret itself, as `{secret}`.", ""),
    ("ed25519", "A signature under the sender’s private key; the secret is its public key, in hex, base64 or PEM.", ""),
    ("ecdsa-p256", "The same on the curve P-256 with SHA-256, the signature in ASN.1.", ""),
    ("jwt", "A JSON Web Token, which says the hash of the body among its claims.", ""),
    (
        "token",
        "The value is the secret. With `prefix = \"Basic \"` and `encoding = \"base64\"` that is basic authentication, and the \
         secret `user:password`. With `json`, every node that the path selects must be the secret.",
        "",
    ),
];

const ENCODINGS: Rows = &[
    ("hex", "Hexadecimal digits, large or small.", ""),
    ("base64", "The usual alphabet, padded with `=`.", ""),
    ("base64url", "The alphabet for URLs, without padding.", ""),
    ("text", "As it is: of `token` and `jwt`, where it goes without saying.", ""),
];

const SECRET_FORMS: Rows = &[
    ("utf8", "The key is the text itself.", ""),
    ("base64", "The key is what the text is the base64 of.", ""),
    ("hex", "The key is what the hexadecimal digits stand for.", ""),
    ("sha1", "The key is the SHA-1 of the text.", ""),
];

pub(super) const PARTS: Rows = &[
    ("{body}", "The body, byte for byte as it came.", ""),
    ("{timestamp}", "The time, as `timestamp` finds it, in the sender’s own spelling.", ""),
    ("{secret}", "The secret; with `algorithm = \"sha256\"` only.", ""),
    ("{method}", "The method, such as `POST`.", ""),
    ("{url}", "The public URL with its query, as the sender was given it.", ""),
    ("{path}", "Its path alone.", ""),
    ("{header:Name}", "A header that is there once.", ""),
    ("{query:name}", "A parameter of the URL that is there once.", ""),
    ("{form:name}", "A field of the form that is there once.", ""),
    ("{form}", "All fields, sorted by name, each name followed by its value, without anything between.", ""),
    ("{json:$.path}", "The one text, number, true or false that a path selects.", ""),
];

pub(super) const MODIFIERS: Rows = &[
    ("|lower", "In small letters.", "{query:id|lower}"),
    (
        "|decoded",
        "With `%3A %2F %3F %40 %21 %24 %27 %28 %29 %2A %2C %3B` as the characters that they stand for.",
        "{url|decoded}",
    ),
    (
        "|empty",
        "Nothing where it is missing, instead of a refusal. It may stand beside another.",
        "{json:$.id|empty|lower}",
    ),
];
