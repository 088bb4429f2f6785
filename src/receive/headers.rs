//! What the door reads from headers, and which of them the event log keeps.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, header};

/// Headers kept of one event, and bytes of one of them.
const MOST_KEPT: usize = 64;
const LONGEST_KEPT: usize = 1_024;
/// A header whose name holds one of these may be a credential, and is not kept.
const CREDENTIALS: [&str; 9] =
    ["auth", "cookie", "token", "secret", "password", "passwd", "api-key", "apikey", "credential"];

/// What every token of a source begins with.
const TOKEN_MARK: &str = crate::secret::SOURCE_TOKEN;

pub fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// What the event log keeps: everything but what may be a credential, in bounds. Several values are joined by commas.
pub fn kept(headers: &HeaderMap, is_credential: impl Fn(&HeaderName) -> bool) -> BTreeMap<&str, String> {
    let mut kept: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers {
        if is_credential(name) {
            continue;
        }
        let name = name.as_str();
        if CREDENTIALS.iter().any(|part| name.contains(part)) || (kept.len() >= MOST_KEPT && !kept.contains_key(name)) {
            continue;
        }
        let text = String::from_utf8_lossy(value.as_bytes());
        // Proxies pass the path on in headers of many names, and the path holds the token.
        if text.contains(TOKEN_MARK) {
            continue;
        }
        let joined = kept.entry(name).or_default();
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.extend(text.chars().take(LONGEST_KEPT.saturating_sub(joined.len())));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_kept() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "cookie",
            "x-gitlab-token",
            "x-shop",
            "x-api-key",
            "x-secret",
            "content-type",
            "x-signature",
        ] {
            headers.append(name, "value".parse().unwrap());
        }
        headers.append("content-type", "twice".parse().unwrap());
        headers.append("x-original-uri", "/api/webhooks/m/tgt_0123".parse().unwrap());
        let kept = kept(&headers, |name| name == "x-shop");
        assert_eq!(kept.keys().copied().collect::<Vec<_>>(), ["content-type", "x-signature"]);
        assert_eq!(kept["content-type"], "value, twice");
    }
}
