//! Webhooks for people.

use serde_json::Value;

use crate::cli::preset::table;

/// A member as a text; `-` where there is none.
pub fn text(of: &Value, name: &str) -> String {
    match &of[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub fn rows(list: &Value) -> impl Iterator<Item = &Value> {
    list["data"].as_array().into_iter().flatten()
}

/// Members of a list, or what it means that there are none.
fn listed(of: &Value, name: &str, none: &str) -> String {
    let members = of[name].as_array().into_iter().flatten();
    let texts = members.map(|member| member.as_str().map_or_else(|| member.to_string(), str::to_owned));
    let texts = texts.collect::<Vec<_>>().join(", ");
    if texts.is_empty() { none.to_owned() } else { texts }
}

pub fn list(all: &Value) -> String {
    let head = ["ID", "STATE", "PROFILE", "EVENTS", "URL"].map(str::to_owned);
    let row = |one: &Value| {
        [text(one, "id"), state(one), text(one, "profile"), listed(one, "events", "all"), text(one, "url")]
    };
    let rows = rows(all).map(row).collect::<Vec<_>>();
    if rows.is_empty() {
        return "There is no webhook yet; `tidegate webhook create URL` makes one.".to_owned();
    }
    table(&[vec![head], rows].concat())
}

/// Why it is disabled stands with it.
fn state(one: &Value) -> String {
    match one["cause"].as_str() {
        Some(cause) => format!("{} ({cause})", text(one, "state")),
        None => text(one, "state"),
    }
}

pub fn one(one: &Value) -> String {
    let names = one["headers"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    let or = |name: &str, none: &str| if one[name].is_null() { none.to_owned() } else { text(one, name) };
    let profile = "as the profile says";
    let retries = if one["retries"].is_null() { profile.to_owned() } else { listed(one, "retries", "none") };
    let lines = [
        ("id", text(one, "id")),
        ("url", text(one, "url")),
        ("description", text(one, "description")),
        ("state", format!("{} since {}", state(one), text(one, "stateAt"))),
        ("events", listed(one, "events", "all")),
        ("modules", listed(one, "modules", "all")),
        ("filter", text(one, "filter")),
        ("profile", text(one, "profile")),
        ("ordering", text(one, "ordering")),
        ("a minute", or("perMinute", "no limit")),
        ("at once", text(one, "concurrency")),
        ("retries", retries),
        ("timeout", or("timeout", profile)),
        ("on 410", text(one, "onGone")),
        ("headers", if names.is_empty() { "-".to_owned() } else { names.join(", ") }),
        ("secrets", secrets(one)),
        ("failing since", text(one, "failingSince")),
        ("missed", missed(one)),
        ("version", text(one, "version")),
    ];
    table(&lines.map(|(name, value)| [name.to_owned(), value]))
}

fn secrets(one: &Value) -> String {
    let secrets = one["secrets"].as_array().into_iter().flatten();
    let secrets = secrets.map(|secret| match secret["expiresAt"].as_str() {
        Some(end) => format!("one of {} until {end}", text(secret, "createdAt")),
        None => format!("one of {}", text(secret, "createdAt")),
    });
    secrets.collect::<Vec<_>>().join(", ")
}

fn missed(one: &Value) -> String {
    match (&one["missed"], one["state"].as_str()) {
        (Value::Null, _) => "-".to_owned(),
        (missed, Some("disabled")) => format!("all from {} on, while it is disabled", text(missed, "from")),
        (missed, _) => {
            let id = text(one, "id");
            format!("{} to {}; send it: tidegate webhook missed {id}", text(missed, "from"), text(missed, "to"))
        }
    }
}

/// A secret that was given is not told again.
pub fn with_secret(made: &Value, is_given: bool) -> String {
    let shown = one(made);
    if is_given {
        return shown;
    }
    format!("{shown}\n\nIts secret, which is shown once:\n{}", text(made, "secret"))
}

pub fn profiles(all: &Value) -> String {
    let head = ["NAME", "RETRIES AFTER", "SIGNED IN", "WHAT IT IS"].map(str::to_owned);
    let row = |one: &Value| {
        let standard = if one["standardWebhooks"] == Value::Bool(true) { "webhook-signature" } else { "" };
        let signed = [listed(one, "signatures", ""), standard.to_owned()];
        let signed = signed.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
        [text(one, "name"), listed(one, "retries", "never"), signed, text(one, "summary")]
    };
    table(&[vec![head], rows(all).map(row).collect()].concat())
}

/// What a test came to: the answer, or why there is none.
pub fn tested(tested: &Value) -> String {
    let of = match tested["module"].as_str() {
        Some(module) => format!("{} of {module}", text(tested, "type")),
        None => text(tested, "type"),
    };
    let of = match tested["changeId"].as_str() {
        Some(change) => format!("{of}, of the change {change}"),
        None => format!("{of}, made up"),
    };
    let time = text(tested, "timeMs");
    match &tested["error"] {
        Value::Null => {
            let body = tested["body"].as_str().unwrap_or_default();
            format!("{} in {time} ms ({of})\n{body}", text(tested, "status")).trim_end().to_owned()
        }
        error => format!("no answer: {}: {} after {time} ms ({of})", text(error, "class"), text(error, "detail")),
    }
}
