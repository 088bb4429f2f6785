//! The answer to what was accepted, for senders that insist on one. It says the same to every webhook: what came of one
//! is in its event.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

/// Of the body, in bytes.
const LONGEST: usize = 4_096;

/// As it is written. One that says nothing is the gateway's own answer: so a source has it back from its preset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawResponse {
    /// 200 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

/// A checked one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: StatusCode,
    pub content_type: Option<HeaderValue>,
    pub body: Bytes,
}

/// What is wrong with a response, and with which of its keys.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{detail}")]
pub struct BadResponse {
    pub key: &'static str,
    pub detail: String,
}

impl RawResponse {
    pub fn says_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub fn check(&self) -> Result<Response, BadResponse> {
        let bad = |key, detail: String| BadResponse { key, detail };
        let status = StatusCode::from_u16(self.status.unwrap_or(200)).ok().filter(StatusCode::is_success);
        let status = status.ok_or_else(|| {
            bad("status", "`status` of a response is from 200 to 299: it answers what was accepted".to_owned())
        })?;
        let has_content = !self.body.is_empty() || self.content_type.is_some();
        if matches!(status.as_u16(), 204 | 205) && has_content {
            let detail = format!("an answer with the status {} has no body: leave the rest out", status.as_u16());
            return Err(bad("status", detail));
        }
        if self.body.len() > LONGEST {
            return Err(bad("body", format!("`body` of a response has at most {LONGEST} bytes")));
        }
        let content_type = self.content_type.as_ref().map(|text| {
            let value = HeaderValue::from_str(text).ok().filter(|_| text.contains('/') && text.trim() == text);
            value.ok_or_else(|| bad("content_type", "`content_type` is one such as \"text/xml\"".to_owned()))
        });
        let plain = (!self.body.is_empty()).then(|| HeaderValue::from_static("text/plain; charset=utf-8"));
        let content_type = content_type.transpose()?.or(plain);
        Ok(Response { status, content_type, body: self.body.clone().into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> RawResponse {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_response_is_what_it_says() {
        let twiml = raw("content_type = \"text/xml\"\nbody = \"<Response/>\"").check().unwrap();
        assert_eq!((twiml.status.as_u16(), twiml.body.as_ref()), (200, &b"<Response/>"[..]));
        assert_eq!(twiml.content_type.unwrap(), "text/xml");
        assert_eq!(raw("body = \"ok\"").check().unwrap().content_type.unwrap(), "text/plain; charset=utf-8");
        let bare = raw("status = 204").check().unwrap();
        assert_eq!((bare.status.as_u16(), bare.content_type), (204, None));
        assert!(raw("").says_nothing() && !raw("status = 202").says_nothing());
    }

    #[test]
    fn what_could_not_be_answered_is_refused() {
        for (text, key) in [
            ("status = 199", "status"),
            ("status = 302", "status"),
            ("status = 0", "status"),
            ("status = 204\nbody = \"x\"", "status"),
            ("status = 205\ncontent_type = \"text/xml\"", "status"),
            ("content_type = \"xml\"", "content_type"),
            ("content_type = \"text/xml\\r\\nx: y\"", "content_type"),
            ("content_type = \" text/xml\"", "content_type"),
        ] {
            assert_eq!(raw(text).check().unwrap_err().key, key, "{text}");
        }
        let long = RawResponse { body: "x".repeat(LONGEST + 1), ..RawResponse::default() };
        assert_eq!(long.check().unwrap_err().key, "body");
    }
}
