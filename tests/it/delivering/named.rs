//! The named events of the seeds as their receivers get them: the envelope that each system prints, member by member, and
//! the data of the event.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Number, Value, json};

use super::{Hook, sorted};
use crate::app::{App, text};
use crate::events::{SYSTEMS, module_file, steps};
use crate::receiver::{Received, Receiver};
use crate::receivers::{Receivers, every_delivery_verifies};

both!(every_named_event_is_delivered_in_its_envelope);

/// As the seeds print them.
fn envelope(system: &str) -> [&'static str; 5] {
    match system {
        "auction-excellence" => ["event", "timestamp", "webhook_id", "auction_id", "data"],
        _ => ["id", "type", "created_at", "workspace_id", "data"],
    }
}

async fn every_named_event_is_delivered_in_its_envelope(app: App) {
    let mut total = 0;
    for (system, promised) in SYSTEMS {
        let (sender, receiver) = (app.sender(&module_file(system)).await, Receiver::start().await);
        let body = json!({ "url": receiver.url("/"), "profile": system, "modules": [system], "events": promised });
        let hook = Hook::make(&app, body).await;
        let (mut seen, mut fired) = (0, BTreeSet::new());
        for step in &steps(system) {
            sender.post(&step["payload"]).await.done();
            let data = step["data"].as_object().unwrap();
            let came = receiver.wait_for(seen + data.len()).await.split_off(seen);
            seen += came.len();
            let types = came.iter().map(|request| told(system, request));
            assert_eq!(sorted(types), data.keys().cloned().collect::<Vec<_>>(), "{system}: {step}");
            for request in &came {
                assert_envelope(system, request, step);
            }
            fired.extend(data.keys().cloned());
        }
        assert_eq!(fired, promised.iter().map(|name| (*name).to_owned()).collect(), "{system}");
        let deliveries = hook.all(seen, "delivered").await;
        assert_eq!((deliveries.len(), receiver.received().len()), (seen, seen), "{system}: each once");
        every_delivery_verifies(Receivers::today(), system, &hook.secret, &receiver.received());
        total += fired.len();
    }
    assert_eq!(total, 53);
}

fn told(system: &str, request: &Received) -> String {
    let name = if system == "auction-excellence" { "event" } else { "type" };
    text(&request.json()[name]).to_owned()
}

#[track_caller]
fn assert_envelope(system: &str, request: &Received, step: &Value) {
    let names: Names = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(names.0, envelope(system), "{system}: {request}");
    let body = request.json();
    let wanted = printed(&step["data"][told(system, request)]);
    assert_eq!(body["data"], wanted, "{system}: {request}");
    let (at, id) = if system == "auction-excellence" { ("timestamp", "webhook_id") } else { ("created_at", "id") };
    let at = text(&body[at]);
    assert!(at.len() == "2025-01-15T10:30:00Z".len() && at.ends_with('Z'), "{system}: {request}");
    let id = text(&body[id]);
    match system {
        "auction-excellence" => {
            assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{request}");
            assert_eq!(body["auction_id"], "auc_1", "{request}");
            let headers =
                ["x-webhook-id", "x-webhook-event", "user-agent", "content-type"].map(|name| request.header(name));
            let wanted = [id, text(&body["event"]), "AuctionExcellence-Webhook/1.0", "application/json"];
            assert_eq!(headers, wanted.map(Some), "{request}");
        }
        _ => assert!(id.starts_with("evt_") && text(&body["workspace_id"]).starts_with("ws_"), "{request}"),
    }
}

/// Numbers as these profiles print them: 1300 for what the file has as 1300.0.
fn printed(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let double: f64 = number.as_str().parse().unwrap();
            Value::Number(Number::from_string_unchecked(double.to_string()))
        }
        Value::Array(values) => values.iter().map(printed).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), printed(value))).collect(),
        other => other.clone(),
    }
}

/// Of an object's members, in their order.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Names;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = members.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
