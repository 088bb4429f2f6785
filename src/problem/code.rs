//! The one table of problem codes: what is answered, and what its page says. A code is a promise to callers: its text
//! and status do not change; title and explanations may.

use std::fmt;

use http::StatusCode;

/// What is known of a code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// snake_case; the member `code` and the last segment of `type`.
    pub text: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// What it means; also the `detail` where an occurrence has nothing to add.
    pub meaning: &'static str,
    /// What the sender or caller can do.
    pub advice: &'static str,
}

macro_rules! codes {
    ($($name:ident = $text:literal $status:ident $title:literal $meaning:literal $advice:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($name),* }

        impl Code {
            /// In the order of the table, which is by status.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            pub fn entry(self) -> Entry {
                let (text, status, title, meaning, advice) = match self {
                    $(Self::$name => ($text, StatusCode::$status, $title, $meaning, $advice)),*
                };
                Entry { text, status, title, meaning, advice }
            }
        }
    };
}

impl Code {
    pub fn as_str(self) -> &'static str {
        self.entry().text
    }

    pub fn status(self) -> StatusCode {
        self.entry().status
    }

    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// The signature codes stand apart from `unauthorized` on purpose. They are answered only behind a right token, they
// name nothing but the kind of fault, and that (no header, wrong form, wrong digest) a forger knows already, while the
// developer of an honest sender needs it. No answer ever carries the expected digest.
codes! {
    EmptyBody = "empty_body" BAD_REQUEST "The request has no body"
        "A webhook is its body, and this request came without one."
        "Send the payload as JSON, XML or a form, with a Content-Type that says which.";
    InvalidJson = "invalid_json" BAD_REQUEST "The body is not valid JSON"
        "The content type says JSON, and the body (of NDJSON: one of its lines) does not follow the JSON grammar (RFC 8259) from its first byte to its last."
        "Look at the position that the detail names. Trailing commas, comments, single quotes, NaN and a second document after the first are not JSON. Several documents, each on a line of its own, are `application/x-ndjson`.";
    TooManyLines = "too_many_lines" BAD_REQUEST "The body has too many lines"
        "Of NDJSON each line is a document, and a body may have 1,000 of them; this one has more."
        "Send the documents in several requests.";
    InvalidXml = "invalid_xml" BAD_REQUEST "The body is not valid XML"
        "The content type says XML, and the body is not one well-formed document of XML 1.0, or one of its elements has more than 1,000 attributes."
        "Look at the position that the detail names. Of entities only lt, gt, amp, apos and quot exist; all other characters are sent as they are, or by number as `&#160;`.";
    XmlDoctype = "xml_doctype" BAD_REQUEST "The XML has a document type"
        "A document type declaration can make a small body large, or have the reader look at other files, so a body with one is not read."
        "Leave out `<!DOCTYPE …>`, and send what its entities stand for.";
    XmlEncoding = "xml_encoding" BAD_REQUEST "The XML says that it is not UTF-8"
        "The XML declaration names another encoding than UTF-8, which is the only one that is read."
        "Encode the body as UTF-8, and say so in the XML declaration or leave the encoding out of it.";
    DuplicateKey = "duplicate_key" BAD_REQUEST "An object has the same key twice"
        "Two members of one object have the same name. Readers of JSON disagree on which of them counts, so neither is taken."
        "Send each key once. If both values matter, send an array.";
    LoneSurrogate = "lone_surrogate" BAD_REQUEST "A text holds half of a character"
        "An escape from \\ud800 to \\udfff stands without its other half, so it is no Unicode character."
        "Send characters outside the basic plane as UTF-8, or as both halves of the escape. Cutting a text in the middle of an emoji is the usual cause.";
    TooDeep = "too_deep" BAD_REQUEST "The body is nested too deeply"
        "Arrays and objects, or the elements of XML, may stand in each other up to 100 levels deep; this body goes deeper. Repeated elements of XML are arrays, which count, too."
        "Send a flatter document, or the deep part as one text.";
    NumberTooLong = "number_too_long" BAD_REQUEST "A number has too many digits"
        "A number is kept digit by digit, up to 1,000 characters; one in this body is longer."
        "Send it as a text if it is not meant to be calculated with.";
    ReservedKey = "reserved_key" BAD_REQUEST "An object uses a reserved key"
        "A key begins with `$serde_json::`, a name that the gateway's JSON reader uses for itself."
        "Rename that key in the payload.";
    InvalidUtf8 = "invalid_utf8" BAD_REQUEST "The body is not UTF-8"
        "All bodies are read as UTF-8, and this one has bytes that are not."
        "Encode the body as UTF-8; a charset parameter in Content-Type does not change how it is read.";
    InvalidForm = "invalid_form" BAD_REQUEST "The body is not a valid form"
        "The content type says `application/x-www-form-urlencoded`, and the body does not decode as one."
        "Write pairs as `name=value`, joined by `&`, with every other byte as `%` and two hexadecimal digits.";
    InvalidRequest = "invalid_request" BAD_REQUEST "The request cannot be understood"
        "A parameter, a header or a member of the body has a value that this operation does not take."
        "Mend the part that the detail names, and send again.";
    TooCostly = "too_costly" BAD_REQUEST "Too much would have to be looked at"
        "To answer this page, more records would have to be looked through or sorted than there is time for (`query_time`)."
        "Ask for less: filter by a field that identifies records, by `prefix` and not by `contains`, leave out `sort`, or have the bound `query_time` raised by whoever runs this gateway.";
    Unauthorized = "unauthorized" UNAUTHORIZED "No such webhook address"
        "The module or the token is not known here. Which of the two is not said."
        "Copy the webhook URL again from the people who run this gateway. A token that was replaced stops working.";
    SignatureMissing = "signature_missing" UNAUTHORIZED "The signature is missing"
        "This source takes signed requests only, and the header that carries the signature is not there."
        "Turn on signing at the sender, with the secret and the header name that this source was set up with. A proxy between the two may also have removed the header.";
    SignatureMalformed = "signature_malformed" UNAUTHORIZED "The signature is not in the expected form"
        "The signature's header is there, and its value is not the expected prefix followed by an encoded digest of the right length."
        "Check the prefix (such as `sha256=`) and the encoding: hexadecimal and base64 are both common, and this source takes one of them.";
    SignatureMismatch = "signature_mismatch" UNAUTHORIZED "The signature does not fit the body"
        "The signature was not made over exactly these bytes with a secret of this source."
        "Sign the raw bytes that go over the wire, not a document that is serialised again afterwards. Then compare the secret: a trailing line break or a replaced secret is the usual cause.";
    SignatureUnconfigured = "signature_unconfigured" UNAUTHORIZED "The source has no secret yet"
        "This source takes signed requests only, and no secret is set to check them with, so every request is refused."
        "The sender can do nothing about it: whoever runs this gateway has to set the source's secret.";
    TimestampOutsideTolerance = "timestamp_outside_tolerance" UNAUTHORIZED "The signed timestamp is too far from now"
        "The timestamp that is part of the signature is too old, in the future, or not in the expected form; a request is fresh for a few minutes only."
        "Set the sender's clock by NTP, and sign again when a request is sent again.";
    HandshakeRefused = "handshake_refused" UNAUTHORIZED "The handshake is refused"
        "The request is one that the sender makes before its first webhook, and this source does not grant what it asks: it brings a secret where there is one already, or it does not carry the verify token that it should."
        "As the verify token, give the sender the token of the source's own URL: what stands behind its last slash. To take a new secret, whoever runs this gateway removes the source's secrets first: DELETE /api/v1/modules/{module}/sources/{source}/secrets.";
    KeyInvalid = "key_invalid" UNAUTHORIZED "The API key is not valid"
        "The request has no API key, or one that is unknown, expired or revoked."
        "Send a valid key as `Authorization: Bearer tgk_…`.";
    Forbidden = "forbidden" FORBIDDEN "Your role does not allow this"
        "The key is valid, and its role (owner, editor or viewer) is not one that may do this."
        "Use a key with a wider role, or ask an owner for one.";
    SourceDisabled = "source_disabled" FORBIDDEN "The source is disabled"
        "The address and the token are right, and this source has been switched off; what arrives changes no record."
        "Stop sending, or ask whoever runs this gateway to enable the source and send again.";
    NotFound = "not_found" NOT_FOUND "There is nothing here"
        "No resource has this address, or it has been deleted."
        "Check the path and the id. Lists under /api/v1 say what there is.";
    MethodNotAllowed = "method_not_allowed" METHOD_NOT_ALLOWED "The method is not allowed here"
        "The address exists and does not take this HTTP method."
        "Use a method that the answer's Allow header names; webhooks are sent with POST.";
    BodyTimeout = "body_timeout" REQUEST_TIMEOUT "The body arrived too slowly"
        "The request began, and its body did not arrive in time."
        "Send it again over a new connection. If it happens often, look at the network between the sender and this gateway, or send smaller bodies.";
    Conflict = "conflict" CONFLICT "It conflicts with what is already there"
        "What is asked for cannot stand beside what exists, such as a second one with the same name."
        "Read the current state, then change the request or what is in its way.";
    CursorExpired = "cursor_expired" GONE "The log no longer goes back that far"
        "Changes after this cursor were kept for as long as this gateway keeps them, and are gone: reading on from there would leave them out."
        "Read the records as they stand now, then the log from the cursor that the detail names, which is its oldest, or without a cursor, which is the same. To have longer, ask whoever runs this gateway for a larger `keep_changes`.";
    PayloadGone = "payload_gone" GONE "The payload is not kept any more"
        "The event is still known, so that a duplicate of it is recognised. Its payload and headers were removed when they had been kept for long enough, or when its source had more of them than it may."
        "Ask the sender to send it again. To have payloads for longer, raise `keep` of the source, or have a larger `keep_events` from whoever runs this gateway.";
    PreconditionFailed = "precondition_failed" PRECONDITION_FAILED "It has changed in the meantime"
        "The request was for one version, by its If-Match header, and what it would change stands at another one by now. Nothing was changed."
        "Read the resource again: the ETag of the answer is its version. Then send the change with that as If-Match, if it still makes sense.";
    BodyTooLarge = "body_too_large" PAYLOAD_TOO_LARGE "The body is too large"
        "The body is larger than this address takes: 1 MiB unless its source says otherwise."
        "Send less in one request, or ask for a higher limit for this source.";
    UnsupportedMediaType = "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The content type is not supported"
        "The Content-Type is neither JSON, NDJSON nor XML, nor a form. A request without one is taken for JSON."
        "Send `application/json` (or a type that ends in `+json`), `application/x-ndjson`, `application/xml` (or a type that ends in `+xml`) or `application/x-www-form-urlencoded`. Forms of several parts (`multipart/form-data`) are not read: send their fields as one of these.";
    UnsupportedEncoding = "unsupported_encoding" UNSUPPORTED_MEDIA_TYPE "Compressed bodies are not taken"
        "The request has a Content-Encoding, and the body is only taken as it is."
        "Send the body uncompressed, without a Content-Encoding header.";
    JudgementFailed = "judgement_failed" UNPROCESSABLE_ENTITY "The payload does not fit the mapping"
        "The body was read, and at least one rule of the source could not be met: a required value is missing, a value is not of its field's type, or the value that identifies the record (`match_value`) is missing, null, empty or too long."
        "Each entry of `errors` names a rule, where it looked, the field and what is wrong; all faults are listed. Change the payload or the mapping, then send the event again: a refused event is no duplicate.";
    MatchTaken = "match_taken" UNPROCESSABLE_ENTITY "Another record holds the matching value"
        "The event belongs to one record and gives it a value that must be unique and that another record already holds. Records are never merged."
        "Correct the value in the payload or in the record that holds it, then send the event again.";
    InvalidDocument = "invalid_document" UNPROCESSABLE_ENTITY "The document cannot be applied"
        "The document could be read, and part of it does not make sense: nothing of it was applied."
        "Each entry of `errors` names the place and the fault. Correct them all, then apply the document again.";
    RateLimited = "rate_limited" TOO_MANY_REQUESTS "Too many requests"
        "More requests came than this source takes. A burst up to the limit passes at once, then one at a time, evenly spread over the minute."
        "Wait for as long as Retry-After says and send again; the RateLimit and RateLimit-Policy headers tell the limit. Ask for a higher one if it is too low for honest traffic.";
    TooManyWrongKeys = "too_many_wrong_keys" TOO_MANY_REQUESTS "Too many wrong API keys"
        "Several requests with API keys that are not valid came from this address, and more of them are only looked at now and then. A valid key is taken at any time."
        "Look for what still uses a key that was revoked, has expired or was copied wrong, and give it a valid one. To try another key that may be wrong, wait for as long as Retry-After says.";
    HeadersTooLarge = "headers_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE "The headers are too large"
        "The request's header fields are together larger, or more in number, than the gateway reads."
        "Send fewer or shorter headers; cookies do not belong in a webhook.";
    InternalError = "internal_error" INTERNAL_SERVER_ERROR "The gateway failed"
        "Something went wrong inside the gateway. The cause is in its log, under the request id of the answer."
        "Send the request again later. If it stays, give the request id to whoever runs this gateway.";
    DatabaseUnavailable = "database_unavailable" SERVICE_UNAVAILABLE "The database does not answer"
        "The gateway did not hear from its database in time. The event may have been stored all the same."
        "Send it again after Retry-After, with the same event id: if it was stored, the resend is recognised as a duplicate.";
    TooManyFollowers = "too_many_followers" SERVICE_UNAVAILABLE "Too many clients follow the log"
        "As many clients as this gateway allows already wait for changes."
        "Read without `wait`, come back later, or have the bound `followers` raised by whoever runs this gateway.";
    QueueFull = "queue_full" SERVICE_UNAVAILABLE "Too much is waiting to be written"
        "More events arrive than can be stored at the moment, and the gateway refuses rather than keep them in memory. This one was not stored."
        "Send it again after Retry-After.";
    TooManyConnections = "too_many_connections" SERVICE_UNAVAILABLE "Too many connections"
        "As many connections are open as the gateway keeps at once, and each has a request under way. This request was not read."
        "Send it again after Retry-After. A sender of many events does well to keep one connection and send them one after another.";
    ShuttingDown = "shutting_down" SERVICE_UNAVAILABLE "The gateway is stopping"
        "The gateway finishes what it has begun and takes nothing new. This request was not stored."
        "Send it again after Retry-After; another replica or the restarted gateway takes it.";
    TooManyHops = "too_many_hops" LOOP_DETECTED "The event goes round in a circle"
        "The event has passed through more gateways than is allowed, most likely because two systems send each other every change."
        "Find the webhook that sends back what it received, and exclude there what came from here.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_unique_and_explained() {
        let texts: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        for code in Code::ALL {
            let Entry { text, status, title, meaning, advice } = code.entry();
            assert!(text.bytes().all(|char| matches!(char, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{text}");
            assert!(status.is_client_error() || status.is_server_error(), "{text}");
            assert!(!title.is_empty() && !title.ends_with('.'), "{text}");
            assert!(meaning.ends_with('.') && advice.ends_with('.'), "{text}");
            assert_eq!(Code::find(text), Some(*code));
        }
        assert!(Code::ALL.is_sorted_by_key(|code| code.status()));
    }

    #[test]
    fn every_status_of_the_inbound_contract_has_a_code() {
        let statuses: HashSet<_> = Code::ALL.iter().map(|code| code.status().as_u16()).collect();
        for status in [400, 401, 403, 405, 408, 413, 415, 422, 429, 431, 503, 508] {
            assert!(statuses.contains(&status), "{status}");
        }
    }
}
