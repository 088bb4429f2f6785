//! Events that a module names: keys, what their conditions look at, and an example. Tests hold each to the code.

use super::Row;
use crate::record::event::{LONGEST_NAME, MOST_EVENTS};

pub(super) fn keys() -> Vec<Row> {
    let name = format!(
        "Words of lower-case letters, digits and underscores, joined by dots, at most {LONGEST_NAME} bytes. Not one of the \
         five types that every module has, and none that begins with `endpoint.`: these are the gateway's own. A module \
         names at most {MOST_EVENTS} events."
    );
    vec![
        Row::new("name", name, "needed"),
        Row::new(
            "when",
            "A condition. `@` and `$` both are the change: `op`, `before`, `after` and `changes`. Each change for which it \
             holds is such an event, beside what else it is.",
            "needed",
        ),
        Row::new(
            "data",
            "What is told of the change: a table of paths into it, such as `\"@.after.amount\"`, that select one value, of \
             fixed texts, such as `\"const:EUR\"`, or of further tables.",
            "the record's fields",
        ),
    ]
}

/// Conditions, what they say, and whether they hold for [`SAMPLE`].
pub(super) fn conditions() -> Vec<Row> {
    let row = |condition: &str, meaning: &str, holds: bool| Row::new(condition, meaning, holds.to_string());
    vec![
        row("@.op == 'insert'", "The record is new. `op` is `insert`, `update` or `delete`.", false),
        row("@.changes.status.to == 'paid'", "The field became this, from whatever it was.", true),
        row(
            "@.changes.status.from == 'open' && @.changes.status.to == 'paid'",
            "It became this from that. `changes` is empty when a record is new or deleted.",
            true,
        ),
        row("@.changes.amount", "The field moved, from whatever to whatever.", true),
        row(
            "@.changes.amount.to > @.changes.amount.from",
            "It grew. Decimals are numbers here, with all digits.",
            true,
        ),
        row(
            "@.after.status == 'paid' && @.before.status != 'paid'",
            "Also of a record that is new and paid at once.",
            true,
        ),
        row(
            "@.op == 'delete' && @.before.status == 'open'",
            "After a deletion, `after` is null; before a record is, `before`.",
            false,
        ),
        row("@.after.custom_data.rush == true", "Free-form data stands beside the fields.", false),
    ]
}

pub(super) const SAMPLE: &str = r#"{
  "op": "update",
  "before": { "number": "A-7", "status": "open", "amount": 90.50, "custom_data": {} },
  "after": { "number": "A-7", "status": "paid", "amount": 100.00, "custom_data": {} },
  "changes": {
    "status": { "from": "open", "to": "paid" },
    "amount": { "from": 90.50, "to": 100.00 }
  }
}"#;

/// Below a module of these fields, and what its event comes to with [`SAMPLE`].
pub(super) const EXAMPLE: &str = r#"[module]
slug = "invoices"
name = "Invoices"
match = ["number"]

[module.fields]
number = { type = "text", required = true }
amount = "decimal"
status = { type = "status", values = ["open", "paid"] }

[[module.event]]
name = "invoice.paid"
when = "@.changes.status.to == 'paid'"

[module.event.data]
number = "@.after.number"
amount = { value = "@.after.amount", before = "@.before.amount", currency = "const:EUR" }
"#;
