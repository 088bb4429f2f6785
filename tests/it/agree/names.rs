//! Ids are random, so two gateways cannot give the same ones. Each id gets a name by the place of its first appearance;
//! then what one gateway says can be compared with what the other says.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::changes::Change;
use crate::client::Answer;

#[derive(Default)]
pub struct Names {
    known: HashMap<String, String>,
}

/// What belongs to one request of one gateway, and says nothing about the event.
const OWN: [&str; 5] = ["requestId", "durationUs", "address", "receivedAt", "host"];

impl Names {
    /// Status and body.
    pub fn answer(&mut self, answer: &Answer) -> Value {
        let mut body = answer.json();
        self.rename(&mut body);
        body["status"] = json!(answer.status);
        body
    }

    /// Records, or the events that were accepted: refused ones are kept as far as there is time.
    pub fn list(&mut self, items: Vec<Value>) -> Vec<Value> {
        let mut items: Vec<_> = items.into_iter().filter(|item| item["verdict"] != "refused").collect();
        // No list has anything that the answers did not name, so the order in which they are renamed tells nothing.
        items.iter_mut().for_each(|item| self.rename(item));
        items.sort_by_key(|item| item["id"].to_string());
        items
    }

    /// The changes of records that are known here.
    pub fn log(&self, changes: &[Change]) -> Vec<Value> {
        let known = |id: &Option<String>| id.as_ref().map(|id| self.known.get(id).cloned());
        let change = |change: &Change| {
            let record = self.known.get(&change.record)?;
            let Change { op, version, before, after, .. } = change;
            Some(json!([record, known(&change.event), op, version, before, after]))
        };
        changes.iter().filter_map(change).collect()
    }

    fn rename(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some((kind, _)) = text.split_once('_').filter(|_| is_id(text)) {
                    let fresh = format!("{kind} {:05}", self.known.len());
                    *text = self.known.entry(text.clone()).or_insert(fresh).clone();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.rename(item)),
            Value::Object(members) => {
                OWN.iter().for_each(|own| drop(members.remove(*own)));
                // Sorted, so that both gateways come by in the same order.
                members.iter_mut().for_each(|(_, member)| self.rename(member));
            }
            _ => {}
        }
    }
}

fn is_id(text: &str) -> bool {
    let kinds = ["evt", "rec", "src", "mod"];
    text.split_once('_').is_some_and(|(kind, rest)| kinds.contains(&kind) && rest.len() == 26)
}
