//! Conditions by example, and what those write who come from other languages.

use super::Row;

/// Conditions, what they say, and whether they hold for [`SAMPLE`].
pub(super) fn conditions() -> Vec<Row> {
    let row = |condition: &str, meaning: &str, holds: bool| Row::new(condition, meaning, holds.to_string());
    vec![
        row("@.status == 'open'", "Equal. A text stands in quotes.", true),
        row("@.status != 'draft'", "Not equal, or not there.", true),
        row(
            "@.total > 100 && @.total <= 200",
            "Both. `<` `<=` `>` `>=` compare numbers by their digits, texts by their characters.",
            false,
        ),
        row("@.status == 'open' || @.status == 'new'", "One of the two.", true),
        row("@.deleted_at", "The member is there, whatever it holds.", true),
        row("!@.refund", "The member is not there.", true),
        row("@.deleted_at == null", "The member is there and null.", true),
        row("!(@.status == 'draft' || @.test == true)", "Brackets group; `!` turns round.", true),
        row("@.customer.country == 'CH'", "A member of a member.", true),
        row("@['ship-to'] == 'store'", "A name with other signs than letters, digits and _.", true),
        row("@.items[?@.qty > 1]", "Some item for which the condition inside holds.", true),
        row(
            "@.lines == null || length(@.lines) == 0",
            "Neither holds when `lines` is not there: that is not null, and it has no length.",
            false,
        ),
    ]
}

pub(super) fn functions() -> Vec<Row> {
    let row = |condition: &str, meaning: &str, holds: bool| Row::new(condition, meaning, holds.to_string());
    vec![
        row("length(@.items) > 1", "Characters of a text, items of a list, members of an object.", true),
        row("count(@.items[?@.qty > 1]) == 1", "How many values a path finds.", true),
        row("value(@.items[?@.qty > 1].sku) == 'B-2'", "The value that a path finds, if it finds exactly one.", true),
        row("match(@.sku, 'A-[0-9]+')", "The whole text fits the pattern.", true),
        row("search(@.email, '@example[.]org')", "Some part of the text fits the pattern.", true),
    ]
}

/// What is refused, and what to write instead.
pub(super) fn dialects() -> Vec<Row> {
    let row = |wrong: &str, instead: &str, right: &str| Row::new(wrong, instead, right);
    vec![
        row("status == 'open'", "`@` is what is judged; its members stand after a dot.", "@.status == 'open'"),
        row("$[?(@.status == 'open')]", "Leave out the brackets of the filter.", "@.status == 'open'"),
        row("{{ status }} == 'open'", "There are no templates.", "@.status == 'open'"),
        row("@.status = 'open'", "Two signs compare.", "@.status == 'open'"),
        row("@.status === 'open'", "Two signs compare.", "@.status == 'open'"),
        row("@.status <> 'open'", "Not equal is `!=`.", "@.status != 'open'"),
        row("@.status == open", "A text stands in quotes.", "@.status == 'open'"),
        row("@.paid and @.total > 5", "And is `&&`, or is `||`.", "@.paid == true && @.total > 5"),
        row("not @.refund", "Not is `!`.", "!@.refund"),
        row("@.status in ['open', 'new']", "Each value is compared.", "@.status == 'open' || @.status == 'new'"),
        row("@.sku =~ /A-.*/", "Patterns have functions, and neither `^` nor `$`.", "match(@.sku, 'A-.*')"),
        row("@.email contains 'example'", "Parts of a text are searched.", "search(@.email, 'example')"),
        row("@.items.length > 0", "A length has a function.", "length(@.items) > 0"),
        row("@.deleted_at is null", "Null is a value.", "@.deleted_at == null"),
    ]
}

pub(super) const SAMPLE: &str = r#"{
  "status": "open",
  "total": 250.00,
  "paid": true,
  "deleted_at": null,
  "sku": "A-17",
  "email": "ada@example.org",
  "customer": { "country": "CH" },
  "ship-to": "store",
  "items": [{ "sku": "A-1", "qty": 1 }, { "sku": "B-2", "qty": 5 }]
}"#;
