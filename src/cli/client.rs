//! HTTP to a running gateway. No redirects (a key must not follow one), no proxy from the environment, a deadline for
//! the whole call, and an upper bound on what is read back.

use std::error::Error;
use std::time::Duration;

use http::Method;
use reqwest::{RequestBuilder, Url};
use serde_json::{Value, json};

use super::output::Failure;
use crate::config::{ClientArgs, ClientConfig};
use crate::secret::{ExposeSecret, SecretString};

/// More than any answer of a gateway; `send` may be pointed at anything.
const MOST_ANSWERED: usize = 16 * 1024 * 1024;
const NO_CONTENT: u16 = 204;
/// Above what the gateway takes for an answer of its administration.
const DEADLINE: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(5);

pub struct Client {
    http: reqwest::Client,
    /// What paths are appended to; for [`Client::post`] the whole address.
    url: String,
    /// Scheme, host and port, for messages: the path of an inbound URL is a secret.
    origin: String,
}

pub struct Answer {
    pub status: u16,
    /// The status code's name, when it has one.
    pub reason: &'static str,
    pub body: Vec<u8>,
}

impl Client {
    /// # Errors
    /// A URL that is none, or https without certificates to judge it by.
    pub fn new(url: &str, deadline: Duration) -> Result<Self, Failure> {
        let parsed = Url::parse(url).map_err(|error| Failure::Usage(format!("not a URL: {error}")))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(Failure::Usage("a URL here begins with http:// or https://".to_owned()));
        }
        // It fails when it was done before, and then it need not be done.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(deadline);
        if parsed.scheme() == "http" {
            // Small container images hold no certificates, and without this no client could be built there.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| Failure::Usage(cause(&error)))?;
        Ok(Self { http, url: url.to_owned(), origin: parsed.origin().ascii_serialization() })
    }

    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.exchange(self.http.get(format!("{}{path}", self.url))).await
    }

    /// Raw bytes to the very URL that the client was made for.
    pub async fn post(&self, headers: &[(String, String)], body: Vec<u8>) -> Result<Answer, Failure> {
        let request = self.http.post(&self.url).body(body);
        self.exchange(headers.iter().fold(request, |request, (name, value)| request.header(name, value))).await
    }

    /// One call of the administration API.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the gateway's problem for every answer but a 2xx.
    pub async fn call(&self, path: &str, key: &SecretString, body: &Value) -> Result<Value, Failure> {
        self.ask(self.http.post(format!("{}{path}", self.url)).json(body), key).await
    }

    /// One reading call of the administration API; errors as for [`Client::call`].
    pub async fn read(&self, path: &str, key: &SecretString) -> Result<Value, Failure> {
        self.ask(self.http.get(format!("{}{path}", self.url)), key).await
    }

    /// One call that removes or ends something; errors as for [`Client::call`].
    pub async fn delete(&self, path: &str, key: &SecretString) -> Result<Value, Failure> {
        self.ask(self.http.delete(format!("{}{path}", self.url)), key).await
    }

    /// One call that changes what stands, by a merge of its members; errors as for [`Client::call`].
    pub async fn change(&self, path: &str, key: &SecretString, body: &Value) -> Result<Value, Failure> {
        self.ask(self.http.patch(format!("{}{path}", self.url)).json(body), key).await
    }

    /// One call of any method, while what it is about stands at this version; null where the answer is empty. Errors as
    /// for [`Client::call`].
    pub async fn at_version(
        &self,
        (method, path): (Method, &str),
        key: &SecretString,
        (version, body): (Option<i64>, &Value),
    ) -> Result<Value, Failure> {
        let request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(key.expose_secret());
        let request =
            version.into_iter().fold(request, |request, version| request.header("If-Match", format!("\"{version}\"")));
        let answer = self.exchange(request.json(body)).await?;
        if answer.status == NO_CONTENT { Ok(Value::Null) } else { self.told(&answer) }
    }

    /// Bytes as they are kept; errors as for [`Client::call`].
    pub async fn bytes(&self, path: &str, key: &SecretString) -> Result<Vec<u8>, Failure> {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(key.expose_secret());
        let answer = self.exchange(request).await?;
        if answer.is_success() { Ok(answer.body) } else { self.told(&answer).map(|_| Vec::new()) }
    }

    /// One call that takes something away, and answers nothing; errors as for [`Client::call`].
    pub async fn remove(&self, path: &str, key: &SecretString) -> Result<(), Failure> {
        let request = self.http.delete(format!("{}{path}", self.url)).bearer_auth(key.expose_secret());
        let answer = self.exchange(request).await?;
        if answer.status == NO_CONTENT { Ok(()) } else { self.told(&answer).map(|_| ()) }
    }

    /// One call that puts something into the place of what stands, if it is at the version that `condition` names; errors
    /// as for [`Client::call`].
    pub async fn put(
        &self,
        path: &str,
        key: &SecretString,
        (body, condition): (&Value, Option<&str>),
    ) -> Result<Value, Failure> {
        let request = self.http.put(format!("{}{path}", self.url)).json(body);
        let request = condition.into_iter().fold(request, |request, tag| request.header("If-Match", tag));
        self.ask(request, key).await
    }

    /// One reading call whose answer is a text; errors as for [`Client::call`].
    pub async fn text(&self, path: &str, key: &SecretString) -> Result<String, Failure> {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(key.expose_secret());
        let answer = self.exchange(request).await?;
        if answer.is_success() {
            return Ok(String::from_utf8_lossy(&answer.body).into_owned());
        }
        self.told(&answer).map(|_| String::new())
    }

    async fn ask(&self, request: RequestBuilder, key: &SecretString) -> Result<Value, Failure> {
        let answer = self.exchange(request.bearer_auth(key.expose_secret())).await?;
        self.told(&answer)
    }

    /// What an answer says.
    fn told(&self, answer: &Answer) -> Result<Value, Failure> {
        let value = serde_json::from_slice(&answer.body).ok().filter(Value::is_object);
        match value {
            Some(value) if answer.is_success() => Ok(value),
            Some(problem) if problem.get("title").or(problem.get("detail")).is_some() => Err(Failure::Refused(problem)),
            _ => {
                let detail = format!("{} answered {}, not as Tidegate does", self.origin, answer.status);
                Err(Failure::Refused(json!({ "status": answer.status, "detail": detail })))
            }
        }
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let mut response = request.send().await.map_err(|error| self.failure(&error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(&error))? {
            if body.len() + chunk.len() > MOST_ANSWERED {
                return Err(Failure::Unreachable(format!("{} answers without end", self.origin)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: status.as_u16(), reason: status.canonical_reason().unwrap_or_default(), body })
    }

    fn failure(&self, error: &reqwest::Error) -> Failure {
        if error.is_builder() {
            return Failure::Usage(format!("the request cannot be written: {}", cause(error)));
        }
        let why = if error.is_timeout() { "no answer in time".to_owned() } else { cause(error) };
        Failure::Unreachable(format!("cannot reach {}: {why}", self.origin))
    }
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The administration API of a running gateway, with a key for it.
pub struct Api {
    client: Client,
    key: SecretString,
}

impl Api {
    /// # Errors
    /// There is no such URL, or no key.
    pub fn new(args: ClientArgs) -> Result<Self, Failure> {
        let config = ClientConfig::load(args).map_err(|bad| Failure::Usage(bad.to_string()))?;
        let key = config.key.map_err(|none| Failure::Usage(none.to_string()))?;
        Ok(Self { client: Client::new(&config.url, DEADLINE)?, key })
    }

    pub async fn read(&self, path: &str) -> Result<Value, Failure> {
        self.client.read(&format!("/api/v1{path}"), &self.key).await
    }

    pub async fn text(&self, path: &str) -> Result<String, Failure> {
        self.client.text(&format!("/api/v1{path}"), &self.key).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.client.call(&format!("/api/v1{path}"), &self.key, body).await
    }

    pub async fn put(&self, path: &str, body: &Value, condition: Option<&str>) -> Result<Value, Failure> {
        self.client.put(&format!("/api/v1{path}"), &self.key, (body, condition)).await
    }

    /// All pages of a list, as one.
    pub async fn all(&self, path: &str) -> Result<Value, Failure> {
        let (mut data, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.read(&format!("{path}{cursor}")).await?;
            if let Some(Value::Array(rows)) = page.get_mut("data").map(Value::take) {
                data.extend(rows);
            }
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("?cursor={next}"),
                None => return Ok(json!({ "data": data })),
            }
        }
    }
}

/// The innermost cause: "connection refused" is what helps. reqwest's own outer text would show the URL.
fn cause(error: &reqwest::Error) -> String {
    let mut deepest: Option<&dyn Error> = error.source();
    while let Some(inner) = deepest.and_then(Error::source) {
        deepest = Some(inner);
    }
    deepest.map_or_else(|| "the exchange broke off".to_owned(), ToString::to_string)
}
