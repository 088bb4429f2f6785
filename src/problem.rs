//! What every refusal looks like, on every door: RFC 9457 `application/problem+json` with a stable [`Code`] and a
//! `type` that the gateway serves itself as a page. A problem says what the caller can do; it never carries a cause
//! from below, a token or a secret: causes are logged where they are handled.

mod code;
mod page;

use std::fmt;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;

pub use code::{Code, Entry};
pub use page::{index_page, page};

use crate::id::RequestId;

/// Where the pages of the `type` members are served: `/problems` lists them, `/problems/{code}` explains one.
pub const PATH: &str = "/problems";

/// One refusal. Its parts live behind one pointer, so that a `Result<T, Problem>` stays as small as its `T`.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    detail: String,
    errors: Vec<Value>,
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
    request: Option<RequestId>,
    bare: bool,
}

/// What serde says of a document without the value that it stumbled over, which may be a secret that stands where
/// something else belongs.
pub fn without_values(message: &str) -> String {
    let Some((what, expected)) = message.rsplit_once(", expected ").filter(|_| message.starts_with("invalid ")) else {
        return message.to_owned();
    };
    let kind = what.find(['"', '`']).map_or(what, |value| what[..value].trim_end());
    format!("{kind}, expected {expected}")
}

impl Problem {
    /// `detail` is about this occurrence and is shown to the caller: no secret, token or foreign text belongs in it.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            headers: Vec::new(),
            request: None,
            bare: false,
        }))
    }

    /// The member `errors`, one object each; left out when empty.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Value>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Answered as `Retry-After`, in whole seconds rounded up, at least 1: a caller that obeys is never early.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Answered without a body, for senders that insist on it.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.0.bare = true;
        self
    }

    /// The request that is being answered; the door knows it, the rooms below need not.
    #[must_use]
    pub fn with_request(mut self, request: RequestId) -> Self {
        self.0.request = Some(request);
        self
    }

    pub fn code(&self) -> Code {
        self.0.code
    }

    pub fn status(&self) -> StatusCode {
        self.0.code.status()
    }

    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    pub fn errors(&self) -> &[Value] {
        &self.0.errors
    }

    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The whole answer as it goes over a connection that is closed behind it: for what is refused before there is a
    /// request.
    pub fn on_the_wire(self, request: RequestId) -> Vec<u8> {
        let problem = self.with_request(request);
        let (status, body) = (problem.status(), problem.body());
        let reason = status.canonical_reason().unwrap_or_default();
        let mut head = format!("HTTP/1.1 {} {reason}\r\ncontent-type: application/problem+json\r\n", status.as_u16());
        if let Some(wait) = problem.0.retry_after {
            head.push_str(&format!("retry-after: {}\r\n", whole_seconds(wait)));
        }
        let length = body.len();
        head.push_str(&format!(
            "x-request-id: {request}\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n"
        ));
        head.push_str(&format!("content-length: {length}\r\nconnection: close\r\n\r\n"));
        [head.into_bytes(), body].concat()
    }

    /// The members of RFC 9457, 3.1, and Tidegate's own `code`, `errors`, `requestId`.
    fn body(&self) -> Vec<u8> {
        let Parts { code, detail, errors, request, .. } = &*self.0;
        let entry = code.entry();
        let body = Body {
            r#type: format!("{PATH}/{code}"),
            title: entry.title,
            status: entry.status.as_u16(),
            detail,
            code: entry.text,
            errors,
            request_id: *request,
        };
        // Strings and JSON values always serialise.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    errors: &'a [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<RequestId>,
}

/// The code's own explanation as detail, where there is nothing to add or nothing that may be added.
impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code, code.entry().meaning)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.detail)
    }
}

impl std::error::Error for Problem {}

/// The response carries its problem as an extension: the log line names its code, and whoever knows the request's id
/// writes it anew with that.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if !self.0.bare {
            *response.body_mut() = self.body().into();
            let content_type = HeaderValue::from_static("application/problem+json");
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status() == StatusCode::UNAUTHORIZED {
            // RFC 9110, 15.5.2: a 401 names a scheme. Tokens and API keys are both taken as a bearer.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tidegate\""));
        }
        if let Some(wait) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        headers.extend(self.0.headers.clone());
        response.extensions_mut().insert(self);
        response
    }
}

/// A wait as HTTP says it: seconds rounded up, at least 1, so that whoever waits that long is not refused again.
pub fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use serde_json::json;

    async fn answered(problem: Problem) -> (http::response::Parts, Value) {
        let (parts, body) = problem.into_response().into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn a_problem_is_answered_with_all_that_the_caller_needs() {
        let request = RequestId::new(Timestamp::default());
        let problem = Problem::new(Code::JudgementFailed, "2 rules failed.")
            .with_errors(vec![json!({"rule": 1}), json!({"rule": 2})])
            .with_header(HeaderName::from_static("x-test"), HeaderValue::from_static("1"))
            .with_request(request);
        assert_eq!(problem.to_string(), "judgement_failed: 2 rules failed.");
        let (parts, body) = answered(problem).await;
        assert_eq!(parts.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        assert_eq!(parts.headers["x-test"], "1");
        assert_eq!(parts.extensions.get().map(Problem::code), Some(Code::JudgementFailed));
        assert_eq!(
            body,
            json!({
                "type": "/problems/judgement_failed",
                "title": Code::JudgementFailed.entry().title,
                "status": 422,
                "detail": "2 rules failed.",
                "code": "judgement_failed",
                "errors": [{"rule": 1}, {"rule": 2}],
                "requestId": request.to_string(),
            })
        );
    }

    #[tokio::test]
    async fn what_does_not_apply_is_left_out() {
        let (parts, body) = answered(Code::Unauthorized.into()).await;
        assert_eq!(parts.headers["www-authenticate"], "Bearer realm=\"tidegate\"");
        assert!(!parts.headers.contains_key("retry-after"));
        assert!(body.get("errors").is_none() && body.get("requestId").is_none());
    }

    #[tokio::test]
    async fn a_bare_problem_has_no_body_and_is_known_all_the_same() {
        let (parts, body) = Problem::from(Code::SignatureMismatch).bare().into_response().into_parts();
        assert_eq!((parts.status, parts.headers.get("content-type")), (StatusCode::UNAUTHORIZED, None));
        assert!(axum::body::to_bytes(body, usize::MAX).await.unwrap().is_empty());
        assert_eq!(parts.extensions.get().map(Problem::code), Some(Code::SignatureMismatch));
    }

    #[tokio::test]
    async fn retry_after_is_rounded_up() {
        for (millis, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (59_999, "60")] {
            let problem = Problem::from(Code::RateLimited).with_retry_after(Duration::from_millis(millis));
            assert_eq!(answered(problem).await.0.headers["retry-after"], seconds);
        }
        assert_eq!(whole_seconds(Duration::from_nanos(1_000_000_001)), 2);
    }
}
