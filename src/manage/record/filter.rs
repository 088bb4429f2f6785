//! Which records an admin asks for: `filter[field][op]=value` and `sort`, checked against the module's fields. Values
//! are read as those of events are.

use crate::map::rule::match_text;
use crate::problem::{Code, Problem};
use crate::record::field::Kind;
use crate::record::nearest::{listed, nearest};
use crate::record::shape::Shape;
use crate::record::value::{Value, coerce};
use crate::store::records::filter::{Column, Filter, Test};
use crate::store::records::page::Sort;
use crate::store::table::Table;

/// Filters of one request, and values of one `in`.
const MOST_FILTERS: usize = 20;
const MOST_VALUES: usize = 100;
/// Columns that every record has; a field never begins with `_`.
const SYSTEM: [(&str, Column); 4] = [
    ("_id", Column::Id),
    ("_version", Column::Version),
    ("_created_at", Column::CreatedAt),
    ("_updated_at", Column::UpdatedAt),
];
/// The same as records show them, where no field has the name.
const SHOWN: [(&str, Column); 4] = [
    ("id", Column::Id),
    ("version", Column::Version),
    ("createdAt", Column::CreatedAt),
    ("updatedAt", Column::UpdatedAt),
];

const COMPARED: [&str; 7] = ["eq", "ne", "lt", "lte", "gt", "gte", "in"];

/// The query of a list of records, name by name.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `field`, `op`, value, in order.
    pub filters: Vec<(String, String, String)>,
    pub sort: Option<String>,
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

impl Asked {
    /// Of the pairs of a query.
    pub fn read(pairs: impl Iterator<Item = (String, String)>) -> Result<Self, Problem> {
        let mut asked = Self::default();
        let twice = |name: &str| Problem::new(Code::InvalidRequest, format!("`{name}` is given twice"));
        for (name, value) in pairs {
            let text = match name.as_str() {
                "sort" => &mut asked.sort,
                "cursor" => &mut asked.cursor,
                "limit" => {
                    let limit = value.parse().map_err(|_| Problem::new(Code::InvalidRequest, "`limit` is a number"))?;
                    if asked.limit.replace(limit).is_some() {
                        return Err(twice(&name));
                    }
                    continue;
                }
                _ => {
                    let (field, op) = bracketed(&name).ok_or_else(|| unknown(&name))?;
                    asked.filters.push((field.to_owned(), op.to_owned(), value));
                    continue;
                }
            };
            if text.replace(value).is_some() {
                return Err(twice(&name));
            }
        }
        Ok(asked)
    }
}

/// `filter[field][op]`, or `filter[field]`, which is `eq`.
fn bracketed(name: &str) -> Option<(&str, &str)> {
    let inner = name.strip_prefix("filter[")?.strip_suffix(']')?;
    Some(inner.split_once("][").unwrap_or((inner, "eq")))
}

fn unknown(name: &str) -> Problem {
    let name: String = name.chars().take(80).collect();
    let detail = format!(
        "there is no parameter `{name}`: `filter[field][op]`, `sort`, `limit` and `cursor` are understood, with the \
         brackets as they are or as %5B and %5D"
    );
    Problem::new(Code::InvalidRequest, detail)
}

/// Every filter, or all that is wrong with them.
pub fn filters(table: &Table, asked: &Asked) -> Result<Vec<Filter>, Problem> {
    if asked.filters.len() > MOST_FILTERS {
        return Err(Problem::new(
            Code::InvalidRequest,
            format!("there are at most {MOST_FILTERS} filters in one request"),
        ));
    }
    let (mut filters, mut errors) = (Vec::new(), Vec::new());
    for (field, op, value) in &asked.filters {
        match filter(table, (field, op), value) {
            Ok(filter) => filters.push(filter),
            Err(detail) => {
                let short = |text: &str| text.chars().take(80).collect::<String>();
                let name = format!("filter[{}][{}]", short(field), short(op));
                errors.push(serde_json::json!({ "field": name, "detail": detail }));
            }
        }
    }
    let detail = match &errors[..] {
        [] => return Ok(filters),
        [one] => {
            format!("`{}`: {}", one["field"].as_str().unwrap_or_default(), one["detail"].as_str().unwrap_or_default())
        }
        many => format!("{} filters cannot be understood", many.len()),
    };
    Err(Problem::new(Code::InvalidRequest, detail).with_errors(errors))
}

fn filter(table: &Table, (field, op): (&str, &str), text: &str) -> Result<Filter, String> {
    let shape = &table.shape;
    let column = column(shape, field)?;
    let kind = column.kind(shape);
    let value = |text: &str| value(table, column, &kind, text);
    let ops = ops(&kind);
    if !ops.contains(&op) {
        return Err(match nearest(op, ops.iter().copied()) {
            Some(near) => format!("there is no such test; did you mean `{near}`?"),
            None => format!("a {} field is tested by {}", kind.name(), listed(ops)),
        });
    }
    let test = match op {
        "eq" => Test::Equal(value(text)?),
        "ne" => Test::NotEqual(value(text)?),
        "lt" => Test::Less(value(text)?),
        "lte" => Test::AtMost(value(text)?),
        "gt" => Test::Greater(value(text)?),
        "gte" => Test::AtLeast(value(text)?),
        "in" => {
            let values = text.split(',').map(value).collect::<Result<Vec<_>, _>>()?;
            if values.len() > MOST_VALUES {
                return Err(format!("it has {} values, and {MOST_VALUES} are the most", values.len()));
            }
            Test::In(values)
        }
        "prefix" => Test::Prefix(plain(text)?),
        "contains" => Test::Contains(plain(text)?),
        _ => Test::Null(match text {
            "true" => true,
            "false" => false,
            _ => return Err("it is `true` for records without a value, or `false` for those with one".to_owned()),
        }),
    };
    Ok(Filter { column, test })
}

/// The tests of a kind of field.
fn ops(kind: &Kind) -> Vec<&'static str> {
    match kind {
        Kind::Text | Kind::Status(_) => [&COMPARED[..], &["prefix", "contains", "null"]].concat(),
        Kind::Integer | Kind::Decimal | Kind::Timestamp | Kind::Date => [&COMPARED[..], &["null"]].concat(),
        Kind::Boolean => vec!["eq", "ne", "in", "null"],
        Kind::Json => vec!["null"],
    }
}

fn column(shape: &Shape, name: &str) -> Result<Column, String> {
    let of = |all: &[(&str, Column)]| all.iter().find(|(known, _)| *known == name).map(|(_, column)| *column);
    if let Some(column) = of(&SYSTEM).or_else(|| shape.place(name).map(Column::Field)).or_else(|| of(&SHOWN)) {
        return Ok(column);
    }
    let names = shape.fields.iter().map(|field| field.name.as_str()).chain(SYSTEM.map(|(name, _)| name));
    Err(match nearest(name, names.clone()) {
        Some(near) => format!("the module has no such field; did you mean `{near}`?"),
        None => format!("the module has no such field; it has {}", listed(names.take(20).collect::<Vec<_>>())),
    })
}

/// As an event's value is read; a text that identifies records in the form in which it is stored.
fn value(table: &Table, column: Column, kind: &Kind, text: &str) -> Result<Value, String> {
    let node = plain(text)?.into();
    let read = coerce(kind, &node).map_err(|bad| bad.detail)?;
    let identifies = matches!(column, Column::Field(place) if table.keys.iter().any(|key| key.fields.contains(&place)));
    match read {
        Value::Text(text) if identifies => Ok(Value::Text(match_text(&text).unwrap_or(text))),
        other => Ok(other),
    }
}

fn plain(text: &str) -> Result<String, String> {
    if text.contains('\0') { Err("no text holds the character U+0000".to_owned()) } else { Ok(text.to_owned()) }
}

/// `field`, or `-field` for the largest first; the oldest record first where nothing is said.
pub fn sort(shape: &Shape, asked: Option<&str>) -> Result<Sort, Problem> {
    let Some(text) = asked else { return Ok(Sort { column: Column::Id, descending: false }) };
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let bad = |detail: String| Problem::new(Code::InvalidRequest, format!("`sort`: {detail}"));
    let column = column(shape, name).map_err(bad)?;
    if column.kind(shape) == Kind::Json {
        return Err(bad(format!("`{name}` is a json field, which has no order")));
    }
    Ok(Sort { column, descending })
}
