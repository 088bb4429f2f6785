//! A module's table and its statements, made once a shape. Each text carries the shape's number, so that a plan
//! cached for one shape never meets another.

use std::sync::Arc;

use sqlx::SqlStr;

use super::StoreError;
use super::dialect::{Dialect, Type, sql};
use super::rows::Statement;
use crate::clock::Timestamp;
use crate::id::ModuleId;
use crate::record::row::Row;
use crate::record::shape::Shape;
use crate::record::value::Value;

/// System columns, in the order in which rows are read and written; `custom_data` and the fields follow.
pub(super) const SYSTEM: [(&str, Type); 7] = [
    ("_id", Type::Text),
    ("_version", Type::Integer),
    ("_event_id", Type::Text),
    ("_guard", Type::Text),
    ("_created_at", Type::Timestamp),
    ("_updated_at", Type::Timestamp),
    ("custom_data", Type::Json),
];

/// One set of fields that identifies records, with the statement that finds and locks them.
#[derive(Debug)]
pub struct Key {
    /// Places of the fields in the shape.
    pub fields: Vec<usize>,
    /// What these fields are known by, whatever their names: see [`Definition::marks`](crate::record::definition::Definition::marks).
    pub(super) marks: Vec<String>,
    pub(super) find: Statement,
    /// The same without locking them.
    pub(super) look: Statement,
}

#[derive(Debug)]
pub struct Table {
    pub shape: Arc<Shape>,
    pub keys: Vec<Key>,
    /// The module's advisory lock on PostgreSQL.
    pub(super) lock: i64,
    pub(super) insert: Statement,
    pub(super) update: Statement,
    /// The same for rows that are found by another value than before.
    pub(super) rewrite: Statement,
    /// Before rows are deleted: moves their version, so that nobody takes it for an edit.
    pub(super) leave: Statement,
    pub(super) delete: Statement,
    pub(super) park: Statement,
    pub(super) get: SqlStr,
    /// All rows, up to a condition that is to follow.
    pub(super) select: String,
}

impl Table {
    /// `keys` are the sets of fields that have a unique index, `marks` what their fields are known by.
    pub(super) fn new(shape: Arc<Shape>, (keys, marks): (&[Vec<usize>], Vec<Vec<String>>), dialect: Dialect) -> Self {
        let texts = Texts { shape: &shape, dialect };
        Self {
            lock: lock_of(shape.module),
            insert: texts.insert(),
            update: texts.update(keys),
            rewrite: texts.update_but(&[]),
            leave: texts.park(&[]),
            delete: texts.delete(),
            park: texts.park(keys),
            get: sql(texts.get()),
            select: texts.select(),
            keys: keys.iter().zip(marks).map(|(fields, marks)| texts.key(fields, marks)).collect(),
            shape,
        }
    }

    /// The same table with one more set of fields that identifies records, for which it has no index yet.
    pub(super) fn with_key(&self, fields: &[usize], dialect: Dialect) -> Self {
        let keys = self.keys.iter().map(|key| key.fields.clone()).chain([fields.to_vec()]).collect::<Vec<_>>();
        let names = self.shape.names(fields).map(ToString::to_string).collect();
        let marks = self.keys.iter().map(|key| key.marks.clone()).chain([names]).collect();
        Self::new(Arc::clone(&self.shape), (&keys, marks), dialect)
    }

    /// The place in `keys` of this set of fields.
    pub fn key(&self, fields: &[usize]) -> Option<usize> {
        self.keys.iter().position(|key| key.fields == fields)
    }

    /// Reads a row from the columns of [`Texts::columns`], as text.
    pub(super) fn read(&self, texts: &[Option<String>]) -> Result<Row, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt(format!("{what} of a record of {}", self.shape.slug));
        let column = |place: usize| texts.get(place).and_then(Option::as_deref);
        let time =
            |place, what| column(place).and_then(|text| text.parse::<Timestamp>().ok()).ok_or_else(|| corrupt(what));
        let fields = self.shape.fields.iter().enumerate().map(|(place, field)| {
            let value = column(SYSTEM.len() + place).map(|text| Value::read(&field.kind, text)).transpose();
            value.map_err(|_| corrupt(field.name.as_str()))
        });
        Ok(Row {
            id: column(0).and_then(|text| text.parse().ok()).ok_or_else(|| corrupt("_id"))?,
            version: column(1).and_then(|text| text.parse().ok()).ok_or_else(|| corrupt("_version"))?,
            event: column(2).and_then(|text| text.parse().ok()),
            guards: column(3).and_then(|text| serde_json::from_str(text).ok()).ok_or_else(|| corrupt("_guard"))?,
            created_at: time(4, "_created_at")?,
            updated_at: time(5, "_updated_at")?,
            custom_data: column(6)
                .and_then(|text| serde_json::from_str(text).ok())
                .ok_or_else(|| corrupt("custom_data"))?,
            fields: fields.collect::<Result<_, _>>()?,
        })
    }
}

/// The key of a module's advisory lock: a hash of its id, the same on every replica.
pub(super) fn lock_of(module: ModuleId) -> i64 {
    module.to_string().bytes().fold(0i64, |hash, byte| hash.wrapping_mul(31).wrapping_add(i64::from(byte)))
}

/// The name of the unique index over the fields that are known so, at most 63 bytes long.
pub(super) fn index_name(table: &str, marks: &[String]) -> String {
    let digest = crate::secret::digest(&format!("{table}:{}", marks.join(",")));
    format!("match_{}", data_encoding::HEXLOWER.encode(&digest[..12]))
}

struct Texts<'a> {
    shape: &'a Shape,
    dialect: Dialect,
}

impl Texts<'_> {
    fn columns(&self) -> Vec<(&str, Type)> {
        let fields = self.shape.fields.iter().map(|field| (field.name.as_str(), Type::from(&field.kind)));
        SYSTEM.into_iter().chain(fields).collect()
    }

    fn each(&self, separator: &str, text: impl Fn(&str, Type) -> String) -> String {
        let texts = self.columns().into_iter().map(|(name, kind)| text(name, kind));
        texts.collect::<Vec<_>>().join(separator)
    }

    fn read(&self) -> String {
        self.each(", ", |name, kind| self.dialect.read(name, kind))
    }

    fn insert(&self) -> Statement {
        Statement::new(self.dialect, &self.columns(), |rows, _| {
            format!(
                "/* shape {} */ INSERT INTO \"{}\" ({}) SELECT {} FROM {rows} WHERE true ON CONFLICT DO NOTHING RETURNING \"_id\"",
                self.shape.number,
                self.shape.table(),
                self.each(", ", |name, _| format!("\"{name}\"")),
                self.each(", ", |name, kind| self.dialect.sent(name, kind)),
            )
        })
    }

    /// Leaves out what identifies the row: SQLite writes the index of every column that an UPDATE names, moved or not.
    fn update(&self, keys: &[Vec<usize>]) -> Statement {
        let identify = keys.iter().flat_map(|key| self.shape.names(key)).map(|name| name.as_str()).collect::<Vec<_>>();
        self.update_but(&identify)
    }

    /// `but` columns stay as they are.
    fn update_but(&self, but: &[&str]) -> Statement {
        Statement::new(self.dialect, &self.columns(), |rows, _| {
            let set = self.columns().into_iter();
            let set = set.filter(|(name, _)| !["_id", "_created_at"].contains(name) && !but.contains(name));
            let set = set.map(|(name, kind)| format!("\"{name}\" = {}", self.set(name, kind)));
            format!(
                "/* shape {} */ UPDATE \"{}\" AS t SET {} FROM {rows} WHERE t.\"_id\" = r.\"_id\"",
                self.shape.number,
                self.shape.table(),
                set.collect::<Vec<_>>().join(", "),
            )
        })
    }

    /// Where only the guard moves, `custom_data` stays as another client wrote it: in our form of the same it would be an edit.
    fn set(&self, name: &str, kind: Type) -> String {
        let sent = self.dialect.sent(name, kind);
        match name {
            "custom_data" => format!("CASE WHEN t.\"_version\" = r.\"_version\" THEN t.\"{name}\" ELSE {sent} END"),
            _ => sent,
        }
    }

    fn delete(&self) -> Statement {
        Statement::new(self.dialect, &[("_id", Type::Text)], |rows, _| {
            format!(
                "/* shape {} */ DELETE FROM \"{}\" WHERE \"_id\" IN (SELECT r.\"_id\" FROM {rows})",
                self.shape.number,
                self.shape.table(),
            )
        })
    }

    /// Lets go of what rows are found by, before other rows take it over. The update that follows writes the whole row;
    /// the version is moved so that nobody takes this for an edit.
    fn park(&self, keys: &[Vec<usize>]) -> Statement {
        let mut places = keys.iter().flatten().copied().collect::<Vec<_>>();
        places.sort_unstable();
        places.dedup();
        let emptied = self.shape.names(&places).map(|name| format!(", \"{name}\" = NULL")).collect::<String>();
        Statement::new(self.dialect, &[("_id", Type::Text)], |rows, _| {
            format!(
                "/* shape {} */ UPDATE \"{}\" SET \"_version\" = -\"_version\"{emptied} WHERE \"_id\" IN (SELECT r.\"_id\" FROM {rows})",
                self.shape.number,
                self.shape.table(),
            )
        })
    }

    fn key(&self, fields: &[usize], marks: Vec<String>) -> Key {
        let look = self.find(fields, "");
        Key { fields: fields.to_vec(), marks, find: self.find(fields, self.dialect.for_update()), look }
    }

    /// `ord` says which of the rows sent was found.
    fn find(&self, key: &[usize], lock: &str) -> Statement {
        let key = key.iter().filter_map(|place| self.shape.fields.get(*place)).collect::<Vec<_>>();
        let kinds = key.iter().map(|field| (field.name.as_str(), Type::from(&field.kind)));
        let sent = std::iter::once(("_ord", Type::Integer)).chain(kinds).collect::<Vec<_>>();
        let equal =
            sent.iter().skip(1).map(|(name, kind)| format!("t.\"{name}\" = {}", self.dialect.sent(name, *kind)));
        let equal = equal.collect::<Vec<_>>().join(" AND ");
        Statement::new(self.dialect, &sent, |rows, _| {
            format!(
                "/* shape {} */ SELECT {}, CAST(r.\"_ord\" AS TEXT) FROM {rows} CROSS JOIN \"{}\" t WHERE {equal}{lock}",
                self.shape.number,
                self.read(),
                self.shape.table(),
            )
        })
    }

    fn get(&self) -> String {
        format!("{} WHERE t.\"_id\" = $1", self.select())
    }

    fn select(&self) -> String {
        format!("/* shape {} */ SELECT {} FROM \"{}\" t", self.shape.number, self.read(), self.shape.table())
    }
}
