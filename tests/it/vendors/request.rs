//! A signed request, as the vendors' libraries and Tidegate hand it to one another.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tidegate::verify::Signed;

use crate::app::text;

#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Request {
    pub fn of(answer: &Value) -> Self {
        let header = |(name, value): (&String, &Value)| {
            (name.parse::<HeaderName>().unwrap(), text(value).parse::<HeaderValue>().unwrap())
        };
        Self {
            method: text(&answer["method"]).to_owned(),
            url: text(&answer["url"]).to_owned(),
            headers: answer["headers"].as_object().unwrap().iter().map(header).collect(),
            body: text(&answer["body"]).as_bytes().to_vec(),
        }
    }

    pub fn job(&self) -> Value {
        let header = |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), json!(value.to_str().unwrap()));
        let headers: Value = self.headers.iter().map(header).collect::<serde_json::Map<_, _>>().into();
        let body = std::str::from_utf8(&self.body).unwrap();
        json!({ "method": self.method, "url": self.url, "headers": headers, "body": body })
    }

    pub fn signed(&self) -> Signed<'_> {
        let from_path = self.url.splitn(4, '/').nth(3).map_or("/", |rest| &self.url[self.url.len() - rest.len() - 1..]);
        let (path, query) = from_path.split_once('?').map_or((from_path, None), |(path, query)| (path, Some(query)));
        let (method, url) = (self.method.as_str(), self.url.as_str());
        Signed { method, url, path, query, headers: &self.headers, body: &self.body }
    }

    pub fn with_body(&self, body: Vec<u8>) -> Self {
        Self { body, ..self.clone() }
    }

    /// None where no HTTP message can carry such a value.
    pub fn with_header(&self, name: &str, value: &[u8]) -> Option<Self> {
        let mut changed = self.clone();
        changed.headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value).ok()?);
        Some(changed)
    }

    /// None for what is no URL.
    pub fn with_url(&self, url: &[u8]) -> Option<Self> {
        let url = std::str::from_utf8(url).ok().filter(|url| url.bytes().all(|byte| byte.is_ascii_graphic()))?;
        Some(Self { url: url.to_owned(), ..self.clone() })
    }

    /// None for what is no method.
    pub fn with_method(&self, method: &[u8]) -> Option<Self> {
        let method = http::Method::from_bytes(method).ok()?;
        Some(Self { method: method.to_string(), ..self.clone() })
    }
}
