//! Each profile's receivers take what they are sent: programs of four languages judge every delivery.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Hook;
use crate::app::{App, text};
use crate::client::Sender;
use crate::receiver::{Received, Receiver};
use crate::receivers::{Receivers, every_delivery_verifies};

both!(every_profile_is_taken_by_its_receivers);

const FILE: &str = r#"
[module]
slug = "things"
match = ["code"]

[module.fields]
code = { type = "text", required = true }
note = "text"
count = "integer"
price = "decimal"
state = { type = "status", values = ["open", "closed"] }
seen = "timestamp"
more = "json"
auction_id = "text"

[[source]]
slug = "shop"
rate_limit = { per_minute = 1000000 }
delete_when = "@.gone == true"

[[source.rule]]
from = "$.code"
to = "code"

[[source.rule]]
from = "$.note"
to = "note"

[[source.rule]]
from = "$.count"
to = "count"

[[source.rule]]
from = "$.price"
to = "price"

[[source.rule]]
from = "$.state"
to = "state"

[[source.rule]]
from = "$.seen"
to = "seen"

[[source.rule]]
from = "$.more"
to = "more"

[[source.rule]]
from = "$.auction_id"
to = "auction_id"

[[source.rule]]
from = "$.extra"
to = "custom_data.extra"
"#;

/// Records made, changed in all ways that are told of, and deleted. Bodies as texts: their numbers are to be as written.
const SENT: [(&str, &str); 10] = [
    (
        r#"{"code":"größe 🔑","note":"\u0001 \" \\ / \u2028 \u007f </script>","state":"open","price":"299.990"}"#,
        "created",
    ),
    (
        r#"{"code":"größe 🔑","count":9007199254740993,"price":12345678901234567890.123456789,"seen":"2025-01-15T10:30:00.5+01:00"}"#,
        "updated",
    ),
    (r#"{"code":"größe 🔑","state":"closed","price":"-0.00"}"#, "updated"),
    (r#"{"code":"größe 🔑","more":{"b":1.50,"10":"x","9":[1e3,0.1,9007199254740993,-0],"a":null,"":true}}"#, "updated"),
    (r#"{"code":"größe 🔑","extra":{"z":1.0,"2":"b","1":{"10":2,"09":3,"é":"👩‍🚀"}}}"#, "updated"),
    (r#"{"code":"größe 🔑","extra":{"1":9007199254740993,"__proto__":"p","constructor":1e-7}}"#, "updated"),
    (r#"{"code":"größe 🔑","note":"","count":-9223372036854775808,"price":0.1}"#, "updated"),
    (r#"{"code":"größe 🔑","gone":true}"#, "deleted"),
    (r#"{"code":"2","auction_id":"auc_1","count":0,"price":100}"#, "created"),
    (r#"{"code":"2","gone":true}"#, "deleted"),
];

async fn send(sender: &Sender) {
    for (body, outcome) in SENT {
        sender.post(body).await.accepted(outcome);
    }
}

async fn every_profile_is_taken_by_its_receivers(app: App) {
    let (sender, mut all) = (app.sender(FILE).await, Vec::new());
    for profile in ["collecta", "collectiq", "auction-excellence", "cliq", "standard-webhooks"] {
        let receiver = Receiver::start().await;
        let body = json!({ "url": receiver.url("/"), "profile": profile, "headers": { "X-Team": "team 1" } });
        all.push((profile, receiver, Hook::make(&app, body).await));
    }
    send(&sender).await;
    let changes = app.see("/changes?limit=100").await;
    let types = changes["data"].as_array().unwrap().iter().flat_map(|change| change["types"].as_array().unwrap());
    let types: Vec<_> = types.map(|of_type| text(of_type).to_owned()).collect();
    assert_eq!(types.iter().collect::<BTreeSet<_>>().len(), 5, "every built-in event is among them: {types:?}");
    for (profile, receiver, hook) in &all {
        receiver.wait_for(types.len()).await;
        hook.all(types.len(), "delivered").await;
        let came = receiver.received();
        assert_eq!(came.len(), types.len(), "{profile}: each once");
        every_delivery_verifies(Receivers::today(), profile, &hook.secret, &came);
        assert_kept(profile, &came);
        assert!(came.iter().all(|request| request.header("x-team") == Some("team 1")), "{profile}");
    }
}

/// What each profile makes of numbers that JavaScript does not hold, and that no digit is lost where it does not need to.
#[track_caller]
fn assert_kept(profile: &str, came: &[Received]) {
    let bodies: String =
        came.iter().map(|request| String::from_utf8_lossy(&request.body).into_owned() + "\n").collect();
    let (count, price, exact) = match profile {
        "collecta" | "standard-webhooks" => ("9007199254740993,", r#""price":"299.990""#, r#""1":9007199254740993"#),
        "cliq" => (r#""9007199254740993""#, r#""price":299.99"#, r#""1":"9007199254740993""#),
        _ => ("9007199254740993,", r#""price":299.99"#, r#""1":9007199254740993"#),
    };
    let large = r#""price":"12345678901234567890.123456789""#;
    for part in [&format!(r#""count":{count}"#), price, exact, large, "größe 🔑", "👩‍🚀"] {
        assert!(bodies.contains(part), "{profile}: no {part} in\n{bodies}");
    }
    let deleted = came.iter().map(Received::json).filter(|body| told(body) == "record_deleted");
    let named = deleted.map(|body| body["data"].to_string()).collect::<String>();
    assert!(named.contains("größe 🔑"), "{profile}: a deleted record is told as it was: {named}");
}

fn told(body: &Value) -> &str {
    text(body.get("event").unwrap_or(&body["type"]))
}
