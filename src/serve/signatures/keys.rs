//! The keys of a signature, with an example of each. Every example is read by a test.

use super::Rows;

pub(super) const GROUPS: &[(&str, Rows)] = &[
    ("Who signs", WHO),
    ("Where the signature stands: one of these", PLACE),
    ("How the value there is taken apart", LAYOUT),
    ("What is signed, and how", MADE),
    ("The secret", SECRET),
];

const WHO: Rows = &[(
    "preset",
    "A sender of the list below. Beside it stand `secret`, and where they are needed `url` and `tolerance`; nothing else.",
    "preset = \"github\"",
)];

const PLACE: Rows = &[
    (
        "header",
        "A header, or a list of headers. A name that ends in `-*` stands for those that end in -1, -2 and so on to -100.",
        "header = \"X-Acme-Signature\"",
    ),
    ("json", "A member of the JSON body, as a path.", "json = \"$.signature\""),
    (
        "items",
        "What carries those members, as a path: each one its token, or one alone its signature. Without it, one that lacks \
         its token would ride along.",
        "items = \"$.events[*]\"\njson = \"$.events[*].token\"\nalgorithm = \"token\"",
    ),
    ("form", "A field of the form that is the body.", "form = \"signature\""),
    ("query", "A parameter of the URL.", "query = \"sig\""),
];

const LAYOUT: Rows = &[
    ("list", "The value is a list, with this between its elements. Any of them may be the signature.", "list = \",\""),
    (
        "field",
        "The elements are pairs, and signatures are those with this key; `*` is any key.",
        "field = \"v1\"\nlist = \",\"",
    ),
    ("pair", "What stands between key and value of a pair; `=` unless said.", "pair = \"|\"\nfield = \"*\""),
    ("prefix", "What stands before each signature. A value without it is passed over.", "prefix = \"sha256=\""),
];

const MADE: Rows = &[
    ("algorithm", "One of the words below; `hmac-sha256` unless said.", "algorithm = \"hmac-sha512\""),
    ("encoding", "How the signature is written: one of the words below; `hex` unless said.", "encoding = \"base64\""),
    (
        "message",
        "What is signed: a text with parts in braces, or a list of such texts, which are joined. One that begins with `?` is \
         left out when the request lacks something in it. `{body}` unless said, and `{body}` (or `{form}`, which is all of \
         it, too) must be in it.",
        "message = \"{method}{url}{body}\"",
    ),
    (
        "timestamp",
        "Where the sender writes the time, when it signs one; see below.",
        "timestamp = { header = \"X-Acme-Time\" }\nmessage = \"{timestamp}.{body}\"",
    ),
    (
        "tolerance",
        "How many seconds that time may be off, before or after now: 300 unless said, 86400 at most.",
        "tolerance = 60",
    ),
    (
        "body_hash",
        "Of senders that sign a hash instead of the body: where that stands. It must be what is signed, or in it, and be the \
         SHA-256 of the body in hex.",
        "body_hash = \"{header:X-Acme-Digest}\"\nmessage = \"{header:X-Acme-Digest}\"",
    ),
    (
        "claims",
        "Of a JSON Web Token: what it must say; see below.",
        "claims = { body_hash = \"payload_hash\" }\nalgorithm = \"jwt\"",
    ),
    (
        "url",
        "What `{url}` is, without its query, when the sender was given another address than the gateway’s own public URL.",
        "url = \"https://hooks.example.com/acme\"\nmessage = \"{url}{body}\"",
    ),
];

const SECRET: Rows = &[
    (
        "secret",
        "The environment variable with the secret, or a list of up to five: a signature may fit any of them, so that the old \
         one holds until the new one is in use.",
        "secret = [\"env:ACME_NEW\", \"env:ACME_OLD\"]",
    ),
    (
        "secret_form",
        "What the text of the secret stands for: one of the words below; `utf8` unless said.",
        "secret_form = \"hex\"",
    ),
    (
        "secret_prefix",
        "What is taken off the text before that, where it is there.",
        "secret_prefix = \"whsec_\"\nsecret_form = \"base64\"",
    ),
];

/// Of `timestamp`.
pub(super) const TIMES: Rows = &[
    ("header", "In this header.", "timestamp = { header = \"X-Acme-Time\" }"),
    ("field", "In the signature’s own value, the element with this key.", "timestamp = { field = \"t\" }"),
    ("item", "In the signature’s own value, the element of this number, from 1.", "timestamp = { item = 1 }"),
    (
        "json",
        "In this member of the body, which need not be in the message a second time.",
        "timestamp = { json = \"$.at\" }",
    ),
    (
        "unit",
        "`s` for seconds since 1970 (unless said), `ms` for milliseconds, `rfc3339` for a date and time.",
        "timestamp = { header = \"X-Acme-Time\", unit = \"ms\" }",
    ),
    (
        "enforced",
        "With `false` it is signed over and not judged, for senders that do not say which unit it has.",
        "timestamp = { header = \"X-Acme-Time\", enforced = false }",
    ),
];

/// Of `claims`, below `algorithm = "jwt"`.
pub(super) const CLAIMS: Rows = &[
    ("body_hash", "The claim with the SHA-256 of the body.", "claims = { body_hash = \"payload_hash\" }"),
    ("url_hash", "The claim with the SHA-256 of the URL.", "claims = { body_hash = \"b\", url_hash = \"u\" }"),
    (
        "encoding",
        "How these are written: `hex` (unless said), `base64` or `base64url`.",
        "claims = { body_hash = \"b\", encoding = \"base64\" }",
    ),
    (
        "algorithm",
        "`HS256` (unless said) with a shared secret, `RS256` or `ES256` with the sender’s public key. What the token itself \
         says of it decides nothing.",
        "claims = { body_hash = \"b\", algorithm = \"ES256\" }",
    ),
    ("issuer", "What `iss` must be.", "claims = { body_hash = \"b\", issuer = \"acme\" }"),
    ("audience", "What `aud` must be or contain.", "claims = { body_hash = \"b\", audience = \"us\" }"),
    (
        "timeless",
        "With `true`, a token without `iat` and `exp` is taken.",
        "claims = { body_hash = \"b\", timeless = true }",
    ),
];
