//! HTTP as senders and admins speak it, and what every answer must be like.

use std::time::Duration;

use http::{HeaderMap, Method};
use reqwest::RequestBuilder;
use serde_json::Value;

/// Longer than any test may wait: what hangs fails.
const DEADLINE: Duration = Duration::from_secs(60);
/// The gateway closes a connection that is idle for its `idle_time`; a request must not meet that moment.
const IDLE: Duration = Duration::from_secs(5);

pub fn http_client() -> reqwest::Client {
    // It fails when another test has done it, and then it is done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(DEADLINE);
    let client = client.pool_idle_timeout(IDLE);
    client.tls_certs_only([]).build().unwrap()
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer comes");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.expect("the answer is read to its end").to_vec();
        Self { status, headers, body }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no header {name}: {}", self.text()));
        value.to_str().unwrap()
    }

    #[track_caller]
    pub fn done(&self) -> Value {
        assert!((200..300).contains(&self.status), "{}", self.text());
        self.json()
    }

    /// An accepted event with this outcome.
    #[track_caller]
    pub fn accepted(&self, outcome: &str) -> Value {
        assert_eq!(self.status, 202, "{}", self.text());
        let answer = self.json();
        assert_eq!(answer["outcome"], outcome, "{answer}");
        assert!(answer["eventId"].as_str().is_some_and(|id| id.starts_with("evt_")), "{answer}");
        let has_record = answer["recordId"].as_str().is_some_and(|id| id.starts_with("rec_"));
        assert_eq!(has_record, outcome != "ignored", "{answer}");
        assert!(!self.header("x-request-id").is_empty());
        answer
    }

    /// A refusal as RFC 9457 and DESIGN 3 have it.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "expected {code}: {}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"].as_u64(), Some(status.into()), "{problem}");
        assert_eq!(problem["type"], format!("/problems/{code}"), "{problem}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        assert_eq!(problem["requestId"], self.header("x-request-id"), "{problem}");
        problem
    }

    /// Whole seconds, as HTTP writes them.
    #[track_caller]
    pub fn retry_after(&self) -> Duration {
        let seconds: u64 = self.header("retry-after").parse().expect("Retry-After is a number of seconds");
        assert!(seconds > 0);
        Duration::from_secs(seconds)
    }
}

/// A system that sends webhooks: it knows an address and a token.
#[derive(Clone)]
pub struct Sender {
    http: reqwest::Client,
    /// `http://host:port` of the gateway.
    pub base: String,
    pub module: String,
    pub token: String,
}

impl Sender {
    pub fn new(http: reqwest::Client, base: &str, module: &str, token: &str) -> Self {
        Self { http, base: base.to_owned(), module: module.to_owned(), token: token.to_owned() }
    }

    /// The same sender, once the gateway stands at another address.
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The same once the gateway was started anew, on connections of its own: the new gateway may have the port of an
    /// older one, and the connections to that are dead.
    pub fn anew(&self, base: &str) -> Self {
        Self { http: http_client(), ..self.at(base) }
    }

    pub fn path(&self) -> String {
        format!("/api/webhooks/{}/{}", self.module, self.token)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// A POST with the token in the path.
    pub fn body(&self, content_type: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
        self.request(Method::POST, &self.path()).header("content-type", content_type).body(body.into())
    }

    pub fn json(&self, body: impl Into<Vec<u8>>) -> RequestBuilder {
        self.body("application/json", body)
    }

    /// No answer ever repeats the token.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = Answer::to(request).await;
        let headers = format!("{:?}", answer.headers);
        assert!(!answer.text().contains(&self.token) && !headers.contains(&self.token), "the answer holds the token");
        assert!(answer.headers.contains_key("x-request-id"), "{}", answer.text());
        answer
    }

    pub async fn post(&self, body: impl ToString) -> Answer {
        self.send(self.json(body.to_string())).await
    }
}
