//! What writes down the edits of other SQL clients: triggers on every module's table. Tidegate's own writes always move
//! `_version`, and are told apart by that: inserts write 1 or more where the column's default is 0, deletes negate it
//! first. A trigger acts only where it did not move and something else did: it refuses what no field could hold, in the
//! client's own statement, writes the row before and after to `edits`, in the client's own transaction, and moves
//! `_version`, so that the row is a record like any other.

mod postgres;
mod sqlite;

use super::dialect::{Dialect, Type};
use super::layout::{self, execute};
use super::table::lock_of;
use super::{Store, StoreError, Tx, acquire, begin, on};
use crate::id::ModuleId;
use crate::record::decimal::MOST_DIGITS;
use crate::record::definition::Definition;
use crate::record::field::{Field, Kind, ModuleSlug};
use crate::record::shape::Shape;

/// Moves when triggers are made otherwise: those of the tables that stand are then made anew at the next start.
pub(super) const VERSION: i64 = 2;

/// Before columns are altered.
pub(super) async fn remove(tx: &mut Tx<'_>, dialect: Dialect, shape: &Shape) -> Result<(), sqlx::Error> {
    let texts = match dialect {
        Dialect::Sqlite => sqlite::drops(shape),
        Dialect::Postgres => postgres::drops(shape),
    };
    for text in texts {
        execute(tx, text).await?;
    }
    Ok(())
}

/// What is left of them when their table is gone.
pub(super) fn remains(dialect: Dialect, shape: &Shape) -> Vec<String> {
    match dialect {
        Dialect::Sqlite => Vec::new(),
        Dialect::Postgres => vec![format!("DROP FUNCTION IF EXISTS \"edit_{}\"()", shape.table())],
    }
}

pub(super) async fn make(tx: &mut Tx<'_>, dialect: Dialect, shape: &Shape) -> Result<(), sqlx::Error> {
    let texts = match dialect {
        Dialect::Sqlite => sqlite::texts(shape),
        Dialect::Postgres => postgres::texts(shape),
    };
    for text in texts {
        execute(tx, text).await?;
    }
    Ok(())
}

impl Store {
    /// Makes the triggers on tables that have none yet, or those of another version. Where they stand, as at almost every
    /// start, nothing is locked.
    pub async fn watch_tables(&self) -> Result<(), StoreError> {
        let text = "SELECT id FROM modules WHERE triggers <> $1 ORDER BY id";
        let modules: Vec<String> =
            on!(&self.read, pool => sqlx::query_scalar(text).bind(VERSION).fetch_all(pool).await)?;
        for module in modules {
            let id = module.parse().map_err(|_| StoreError::Corrupt(format!("the module {module}")))?;
            self.watch_table(id).await?;
        }
        Ok(())
    }

    async fn watch_table(&self, id: ModuleId) -> Result<(), StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_plan(&[lock_of(id)])).await?;
        // Under the lock: another replica may have been first, or have altered the module.
        let text =
            "UPDATE modules SET triggers = $2 WHERE id = $1 AND triggers <> $2 RETURNING slug, shape, definition";
        let found: Option<(String, i64, String)> = on!(&mut tx, tx => sqlx::query_as(text).bind(id.to_string())
            .bind(VERSION).fetch_optional(&mut **tx).await)?;
        let Some((slug, number, definition)) = found else { return Ok(()) };
        let shape = || {
            let definition: Definition = serde_json::from_str(&definition).ok()?;
            definition.shape(id, ModuleSlug::parse(&slug).ok()?, number)
        };
        let (shape, _) = shape().ok_or_else(|| StoreError::Corrupt(format!("the definition of module {slug}")))?;
        remove(&mut tx, self.dialect, &shape).await?;
        layout::renew(&mut tx, self.dialect, &shape).await?;
        make(&mut tx, self.dialect, &shape).await?;
        Ok(super::commit(tx).await?)
    }
}

/// Columns that an edit is about.
fn edited(shape: &Shape) -> impl Iterator<Item = (&str, Type)> {
    let fields = shape.fields.iter().map(|field| (field.name.as_str(), Type::from(&field.kind)));
    fields.chain([("custom_data", Type::Json)])
}

/// A reason to refuse a row: when it holds, and what the client is told.
struct Refusal {
    when: String,
    why: String,
}

/// What the new row must not hold. `moved` says when a column has another value than before; `bad` when a value that is not
/// null cannot be one of this kind, as far as the column takes it at all.
fn refusals(
    shape: &Shape,
    moved: impl Fn(&str, Type) -> String,
    bad: impl Fn(&str, Type) -> Option<String>,
    listed: impl Fn(&str) -> String,
) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut refuse = |name: &str, kind, when: String, why: &str| {
        let when = format!("{} AND {when}", moved(name, kind));
        refusals.push(Refusal { when, why: format!("tidegate: {name}: {why}") });
    };
    for Field { name, kind, required } in &shape.fields {
        let (name, column) = (name.as_str(), Type::from(kind));
        if *required {
            refuse(name, column, format!("NEW.\"{name}\" IS NULL"), "a required field needs a value");
        }
        if let Kind::Status(_) = kind {
            let when = format!("NEW.\"{name}\" IS NOT NULL AND NOT {}", listed(name));
            refuse(name, column, when, "none of the values of this field");
        }
        if let Some(bad) = bad(name, column) {
            refuse(name, column, format!("NEW.\"{name}\" IS NOT NULL AND ({bad})"), expected(column));
        }
    }
    refusals
}

fn expected(kind: Type) -> &'static str {
    match kind {
        Type::Decimal => "not a decimal number of at most 100 digits, such as -12.50",
        Type::Timestamp => "not a time between the years 1 and 9999, such as 2026-01-02T03:04:05.000000Z",
        Type::Date => "not a date between the years 1 and 9999, such as 2026-01-02",
        _ => "not a value of this field",
    }
}

/// The same arithmetic on both: digits that count, of a number in plain notation.
fn too_long(text: &str) -> String {
    format!("length(replace(ltrim(ltrim({text}, '-'), '0'), '.', '')) > {MOST_DIGITS}")
}
