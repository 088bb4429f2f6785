//! Which records: conditions on their columns, as text and values that both databases understand alike. Every value is
//! bound; names are those of the shape.

use crate::record::field::Kind;
use crate::record::shape::Shape;
use crate::record::value::Value;
use crate::store::dialect::{Dialect, Type};
use crate::store::rows::Cell;

/// A column that records are picked or sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// By place in the shape.
    Field(usize),
    Id,
    Version,
    CreatedAt,
    UpdatedAt,
}

impl Column {
    /// As the database has it.
    pub fn name(self, shape: &Shape) -> &str {
        match self {
            Self::Field(place) => shape.fields[place].name.as_str(),
            Self::Id => "_id",
            Self::Version => "_version",
            Self::CreatedAt => "_created_at",
            Self::UpdatedAt => "_updated_at",
        }
    }

    pub fn kind(self, shape: &Shape) -> Kind {
        match self {
            Self::Field(place) => shape.fields[place].kind.clone(),
            Self::Id => Kind::Text,
            Self::Version => Kind::Integer,
            Self::CreatedAt | Self::UpdatedAt => Kind::Timestamp,
        }
    }
}

/// What is asked of a column. A record without a value fits `NotEqual` and `Null(true)`, and nothing else.
#[derive(Clone, Debug)]
pub enum Test {
    Equal(Value),
    NotEqual(Value),
    Less(Value),
    AtMost(Value),
    Greater(Value),
    AtLeast(Value),
    In(Vec<Value>),
    Prefix(String),
    Contains(String),
    Null(bool),
}

#[derive(Clone, Debug)]
pub struct Filter {
    pub column: Column,
    pub test: Test,
}

/// The text of a statement as it comes together, with the values that it binds.
pub(super) struct Draft<'a> {
    pub dialect: Dialect,
    pub shape: &'a Shape,
    pub cells: Vec<Cell<'static>>,
}

impl Draft<'_> {
    /// A placeholder for one more value.
    pub fn bind(&mut self, cell: Cell<'static>) -> String {
        self.cells.push(cell);
        format!("${}", self.cells.len())
    }

    /// A placeholder for a value of a column, as it is compared with [`Draft::column`].
    pub fn value(&mut self, kind: &Kind, value: &Value) -> String {
        let dialect = self.dialect;
        let cell = match (value, dialect) {
            (Value::Integer(number), _) => Cell::Integer(*number),
            (Value::Boolean(truth), _) => Cell::Boolean(*truth),
            (Value::Decimal(number), Dialect::Sqlite) => number.sort_key().into(),
            (other, _) => other.text().into_owned().into(),
        };
        let placeholder = self.bind(cell);
        dialect.cast(&placeholder, Type::from(kind))
    }

    /// A column in the form that sorts and compares as its values do: texts by their bytes, decimals as numbers, times as
    /// instants.
    pub fn column(&self, column: Column) -> String {
        self.dialect.comparable(column.name(self.shape), Type::from(&column.kind(self.shape)))
    }

    pub fn condition(&mut self, filter: &Filter) -> String {
        let kind = filter.column.kind(self.shape);
        let column = self.column(filter.column);
        let mut compared = |sign: &str, value: &Value| format!("{column} {sign} {}", self.value(&kind, value));
        match &filter.test {
            Test::Equal(value) => compared("=", value),
            Test::NotEqual(value) => {
                let differs = compared("<>", value);
                format!("({column} IS NULL OR {differs})")
            }
            Test::Less(value) => compared("<", value),
            Test::AtMost(value) => compared("<=", value),
            Test::Greater(value) => compared(">", value),
            Test::AtLeast(value) => compared(">=", value),
            Test::In(values) => {
                let values = values.iter().map(|value| self.value(&kind, value)).collect::<Vec<_>>();
                format!("{column} IN ({})", values.join(", "))
            }
            Test::Prefix(text) => self.begins_with(&column, text),
            Test::Contains(text) => {
                let part = self.bind(text.clone().into());
                self.dialect.contains(&column, &part)
            }
            Test::Null(true) => format!("{column} IS NULL"),
            Test::Null(false) => format!("{column} IS NOT NULL"),
        }
    }

    /// A range, which an index serves.
    fn begins_with(&mut self, column: &str, text: &str) -> String {
        let from = self.bind(text.to_owned().into());
        match after_all_with(text) {
            Some(end) => format!("{column} >= {from} AND {column} < {}", self.bind(end.into())),
            None => format!("{column} >= {from}"),
        }
    }
}

/// The first text that sorts after all that begin with this one. Texts sort by their bytes, which is the order of their
/// characters.
fn after_all_with(text: &str) -> Option<String> {
    let mut chars = text.chars().collect::<Vec<_>>();
    while let Some(last) = chars.pop() {
        // From the last character before the surrogates to the first behind them.
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::after_all_with;

    #[test]
    fn what_follows_a_prefix() {
        for (text, wanted) in [
            ("a", Some("b")),
            ("az", Some("a{")),
            ("", None),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}\u{10ffff}", None),
        ] {
            assert_eq!(after_all_with(text).as_deref(), wanted, "{text:?}");
        }
    }
}
