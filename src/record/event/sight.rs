//! What the conditions and the data of events may look at: `op`, `before`, `after`, `changes`, and in these the fields
//! of the module. A path that finds nothing in any change is a mistake, and would never be noticed.

use crate::record::definition::FieldDefinition;
use crate::record::nearest::{did_you_mean, listed, nearest};

const MEMBERS: [&str; 4] = ["op", "before", "after", "changes"];
const OPS: [&str; 3] = ["insert", "update", "delete"];
const ENDS: [&str; 2] = ["from", "to"];
/// What others call the members.
const OTHERS: [(&str, &[&str]); 4] = [
    ("op", &["operation", "action", "type", "event"]),
    ("before", &["old", "previous", "prior"]),
    ("after", &["new", "record", "current", "data", "fields"]),
    ("changes", &["changed", "change", "diff", "moved"]),
];
const CUSTOM: &str = "custom_data";

/// The fields of a module, as far as they are clear.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    pub fields: &'a [FieldDefinition],
    /// Fields whose names cannot be; nothing is said of these again.
    pub unnamed: &'a [String],
}

impl Sight<'_> {
    /// Whether a path that begins with these names can find something.
    pub fn check(&self, names: &[&str]) -> Result<(), String> {
        match names {
            [] => {
                Err("an event is about `@.op`, `@.before`, `@.after` and `@.changes`; go on with one of these".into())
            }
            ["op"] | ["before" | "after" | "changes"] => Ok(()),
            ["op", ..] => Err("`@.op` is a text: insert, update or delete; nothing stands in it".into()),
            [row @ ("before" | "after"), field, within @ ..] => {
                self.field(row, field)?.hold(&format!("@.{row}.{field}"), within)
            }
            ["changes", field, rest @ ..] => {
                let place = self.field("changes", field)?;
                match rest {
                    [] => Ok(()),
                    [end @ ("from" | "to"), within @ ..] => place.hold(&format!("@.changes.{field}.{end}"), within),
                    [other, ..] => {
                        let near = did_you_mean(nearest(other, ENDS), |end| format!("`{end}`"));
                        Err(format!("a field of `@.changes` has `from` and `to`, not `{other}`{near}"))
                    }
                }
            }
            [other, ..] => Err(self.instead_of(other)),
        }
    }

    /// Whether the path of these names may ever equal the text.
    pub fn check_text(&self, names: &[&str], text: &str) -> Result<(), String> {
        let among = |words: &[&str], what: &str| {
            if words.contains(&text) {
                return Ok(());
            }
            let near = nearest(text, words.iter().copied());
            let hint = near.map_or_else(
                || format!("; there are {}", listed(words.iter().copied())),
                |near| did_you_mean(Some(near), |word| format!("'{word}'")),
            );
            Err(format!("{what} is never '{text}'{hint}"))
        };
        let field = match names {
            ["op"] => return among(&OPS, "`@.op`"),
            ["before" | "after", field] | ["changes", field, "from" | "to"] => field,
            _ => return Ok(()),
        };
        match self.fields.iter().find(|known| known.name.as_str() == *field && known.kind == "status") {
            Some(status) if !status.values.is_empty() => {
                among(&status.values.iter().map(String::as_str).collect::<Vec<_>>(), &format!("the status `{field}`"))
            }
            _ => Ok(()),
        }
    }

    fn field(&self, row: &str, name: &str) -> Result<Place, String> {
        if name == CUSTOM || self.fields.is_empty() || self.unnamed.iter().any(|unnamed| unnamed == name) {
            return Ok(Place::Open);
        }
        if let Some(field) = self.fields.iter().find(|field| field.name.as_str() == name) {
            return Ok(if field.kind == "json" { Place::Open } else { Place::Closed(field.kind.clone()) });
        }
        if name.eq_ignore_ascii_case("customdata") {
            return Err(format!("it is written `@.{row}.{CUSTOM}`"));
        }
        let names = || self.fields.iter().map(|field| field.name.as_str());
        Err(match nearest(name, names()) {
            Some(near) => format!("`{name}` is not a field of the module; did you mean `@.{row}.{near}`?"),
            None => format!("`{name}` is not a field of the module, which has {}, and {CUSTOM}", listed(names())),
        })
    }

    fn instead_of(&self, name: &str) -> String {
        let there_is_no = format!("an event has no `@.{name}`");
        if name == CUSTOM || self.fields.iter().any(|field| field.name.as_str() == name) {
            return format!(
                "{there_is_no}: the record is `@.after`, and `@.before` as it was; write `@.after.{name}`, or \
                 `@.changes.{name}.to` for what it became"
            );
        }
        let other = OTHERS.iter().find(|(_, others)| others.contains(&name)).map(|(member, _)| *member);
        let near = other.or_else(|| nearest(name, MEMBERS)).map(|near| format!("; did you mean `@.{near}`?"));
        near.map_or_else(
            || format!("{there_is_no}; there are `@.op`, `@.before`, `@.after` and `@.changes`"),
            |near| format!("{there_is_no}{near}"),
        )
    }
}

/// Whether something can stand in a field.
enum Place {
    Open,
    /// With the field's type.
    Closed(String),
}

impl Place {
    fn hold(&self, place: &str, within: &[&str]) -> Result<(), String> {
        match (self, within) {
            (Self::Closed(kind), [name, ..]) => {
                Err(format!("there is no `{name}` in a field of type {kind}; end the path at `{place}`"))
            }
            _ => Ok(()),
        }
    }
}
