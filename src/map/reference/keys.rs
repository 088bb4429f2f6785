//! The keys of a mapping and of a rule, the words that they take, and where a rule looks.

use super::Row;
use crate::condition::path::MOST_NODES;
use crate::map::rule::DEEPEST_CUSTOM_PATH;
use crate::map::transform::MOST_TRANSFORMS;

const NEEDED: &str = "needed";
const NONE: &str = "none";

pub(super) fn mapping() -> Vec<Row> {
    let each = format!(
        "A path of the document that selects one node for each record, at most {MOST_NODES}. Rules, `occurred_at` and \
         `delete_when` then look at the node; `event_id`, `event_type` and `when` still look at the document."
    );
    vec![
        Row::new("match", "The fields that identify a record, as a list.", "the module's"),
        Row::new("event_type", "Where the event says what it is. Any place that a rule can look at.", NONE),
        Row::new(
            "only",
            "A list of event types; `*` stands for any text, as in `\"order.*\"`. An event of another type is `ignored`.",
            "all",
        ),
        Row::new("when", "A condition. An event for which it does not hold is `ignored`.", "always"),
        Row::new("each", each, "one record"),
        Row::new(
            "event_id",
            "Where the event says its own id, or `\"body\"` for the bytes of the body. An event that was applied before is \
             a `duplicate`.",
            NONE,
        ),
        Row::new(
            "occurred_at",
            "Where the event says when it happened. One that is older than what this source applied to the record is \
             `stale`. It takes RFC 3339; other forms are written as `{ from = \"$.created\", timestamp = \"unix\" }`, \
             as the transform of that name takes them.",
            NONE,
        ),
        Row::new("delete_when", "A condition. When it holds, the record is deleted.", "never"),
        Row::new("rule", "The rules, each below its own `[[source.rule]]`.", NEEDED),
    ]
}

pub(super) fn rule() -> Vec<Row> {
    let to = format!(
        "The field that the rule fills, or a place in the record's free-form data, such as `custom_data.shop.name`, at \
         most {DEEPEST_CUSTOM_PATH} names deep."
    );
    let transform = format!("A list of transforms, applied in this order, at most {MOST_TRANSFORMS}.");
    vec![
        Row::new("from", "Where the value stands, in one of the forms below.", NEEDED),
        Row::new("to", to, NEEDED),
        Row::new(
            "required",
            "With `true`, an event that creates a record must give this field a value; afterwards the field cannot be \
             emptied. A field can also be required for all sources, in `[module.fields]`.",
            "false",
        ),
        Row::new(
            "default",
            "What a new record gets when nothing else fills the field. `on_missing` and `on_null` can ask for it at other \
             times.",
            NONE,
        ),
        Row::new("on_missing", "What it means that nothing stands at the place.", "keep"),
        Row::new("on_null", "What a null means, after the transforms.", "null"),
        Row::new("on_empty", "What an empty text means, after the transforms.", "text"),
        Row::new("take", "What becomes of a path that can find several values.", "one"),
        Row::new("transform", transform, NONE),
        Row::new(
            "when",
            "A condition. A rule whose condition does not hold is as if it were not there. Several rules may fill one \
             field when all but the last of them have a condition: the first that holds counts.",
            "always",
        ),
    ]
}

/// By key.
pub(super) fn words() -> Vec<(&'static str, Vec<Row>)> {
    let word = |word: &str, meaning: &str| Row::new(word, meaning, "");
    vec![
        (
            "on_missing",
            vec![
                word("keep", "The field stays as it is; a new record gets `default`."),
                word("default", "The field gets `default`, also in a record that is there already."),
                word("null", "The field is emptied."),
                word("error", "The event is refused (`missing`)."),
            ],
        ),
        (
            "on_null",
            vec![
                word("null", "The field is emptied."),
                word("keep", "The field stays as it is; a new record gets `default`."),
                word("default", "The field gets `default`."),
                word("error", "The event is refused (`null`)."),
            ],
        ),
        (
            "on_empty",
            vec![
                word("text", "It is a text like any other. Only text and json fields can hold it."),
                word("null", "The field is emptied."),
                word("keep", "The field stays as it is; a new record gets `default`."),
                word("error", "The event is refused (`empty`)."),
            ],
        ),
        (
            "take",
            vec![
                word("one", "There must not be several (`several_nodes`). Never silently the first."),
                word("first", "The first in the order of the payload."),
                word("last", "The last."),
                word("join", "Their texts, joined by commas; nulls are left out."),
                word("count", "How many there are."),
                word("json", "The array of all, for a json field."),
            ],
        ),
    ]
}

pub(super) fn inputs() -> Vec<Row> {
    vec![
        Row::new("$.order.total", "A path of the payload; with `each`, of the node.", ""),
        Row::new("root:$.currency", "A path of the whole payload, with `each` too.", ""),
        Row::new("header:X-Shop-Domain", "A header of the request, as a text.", ""),
        Row::new(
            "query:shop",
            "A parameter of the URL that the request came to, as a text. One that is repeated counts as several values.",
            "",
        ),
        Row::new("const:EUR", "Always this text: all that stands after the colon.", ""),
        Row::new("received_at", "When the request came in, as a timestamp.", ""),
    ]
}

/// Paths, and what they find in [`SAMPLE`].
pub(super) fn paths() -> Vec<Row> {
    vec![
        Row::new("$.customer.name", "A member of a member.", r#""Ada""#),
        Row::new(
            "$['ship-to'].city",
            "A name with other signs than letters, digits and _ stands in quotes.",
            r#""Bern""#,
        ),
        Row::new("$.items[0].sku", "The first item of a list.", r#""A-1""#),
        Row::new("$.items[-1].sku", "The last one.", r#""B-2""#),
        Row::new("$.items[*].sku", "Every item: several values.", r#""A-1", "B-2""#),
        Row::new("$.items[?@.qty > 1].sku", "Every item for which a condition holds.", r#""B-2""#),
        Row::new("$..qty", "Wherever the name stands, however deep.", "1, 5"),
    ]
}

pub(super) const SAMPLE: &str = r#"{
  "customer": { "name": "Ada" },
  "ship-to": { "city": "Bern" },
  "items": [{ "sku": "A-1", "qty": 1 }, { "sku": "B-2", "qty": 5 }]
}"#;
