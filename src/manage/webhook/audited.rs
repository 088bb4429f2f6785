//! A webhook as the audit log tells of it: of its URL no more than host and port, since the path may be a secret, and of
//! custom headers the names. What has changed and is not shown is named.

use serde_json::{Value, json};

use super::draft::origin;
use super::headers::Headers;
use crate::deliver::endpoint::RawEndpoint;

pub fn audited(raw: &RawEndpoint, headers: &Headers) -> Value {
    let mut all = json!(raw);
    all["url"] = origin(&raw.url).into();
    all["headers"] = headers.keys().map(String::as_str).collect();
    all
}

/// What stood and what stands now.
pub fn change(old: (&RawEndpoint, &Headers), new: (&RawEndpoint, &Headers)) -> (Value, Value) {
    let (before, mut after) = (audited(old.0, old.1), audited(new.0, new.1));
    let unseen = [
        ("url", old.0.url != new.0.url && before["url"] == after["url"]),
        ("headers", old.1 != new.1 && before["headers"] == after["headers"]),
    ];
    let unseen = unseen.into_iter().filter(|(_, is_unseen)| *is_unseen).map(|(name, _)| name).collect::<Vec<_>>();
    if !unseen.is_empty() {
        after["changedUnseen"] = json!(unseen);
    }
    (before, after)
}
