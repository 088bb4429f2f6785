//! Edits by other SQL clients, from where triggers write them to their place in the log.

use std::collections::{BTreeSet, HashMap};

use super::changes::{self, COLUMNS};
use super::dialect::{Dialect, Type, sql};
use super::rows::{Rows, Statement};
use super::{Store, StoreError, Tx, acquire, begin, on};
use crate::clock::Timestamp;
use crate::id::{ChangeId, RecordId};
use crate::record::definition::Definition;
use crate::record::edit::snapshot;
use crate::record::field::{Field, ModuleSlug};

/// Who is told to have made the change.
const ACTOR: &str = "sql";
/// Edits that are numbered in one go, and their bytes: somebody may have edited a whole table.
const PAGE: usize = 500;
const MOST_BYTES: usize = 16 * 1024 * 1024;

#[derive(Debug, sqlx::FromRow)]
struct Edit {
    number: i64,
    at: i64,
    module_id: String,
    record_id: String,
    op: String,
    version: i64,
    shape: i64,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

/// The statements that number edits.
#[derive(Debug)]
pub(super) struct Numbering {
    dialect: Dialect,
    take: Statement,
    /// Writes changes whatever else waits.
    pub changes: Statement,
}

impl Numbering {
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, take: take(dialect), changes: changes::insert_statement(dialect, "true") }
    }

    /// Moves the oldest edits, and all there are of these records, into the log; says how many. On PostgreSQL the feed lock
    /// is held from here to the commit, so that nobody else numbers them. Taken and written in one transaction, each is
    /// numbered once, whatever is killed.
    pub async fn number(&self, tx: &mut Tx<'_>, records: &[RecordId], now: Timestamp) -> Result<usize, sqlx::Error> {
        if let (Some(lock), Tx::Postgres(tx)) = (self.dialect.take_feed_lock(), &mut *tx) {
            sqlx::query(lock).execute(&mut **tx).await?;
        }
        let mut wanted = Rows::new(1, records.len() + 1);
        // The first of no record: without any row there would be no statement.
        wanted.push(["".into()]);
        records.iter().for_each(|record| wanted.push([record.to_string().into()]));
        let mut edits: Vec<Edit> = self.take.fetch(tx, &wanted, None).await?;
        if edits.is_empty() {
            return Ok(0);
        }
        edits.sort_unstable_by_key(|edit| edit.number);
        let fields = self.fields(tx, &edits).await?;
        let mut rows = Rows::new(COLUMNS.len(), edits.len());
        for edit in &edits {
            let fields = fields.get(&edit.module_id).map(Vec::as_slice).unwrap_or_default();
            let written = |row: &Option<Vec<u8>>| row.as_deref().map(|row| snapshot(fields, row));
            rows.push([
                ChangeId::new(now).to_string().into(),
                edit.at.into(),
                edit.module_id.as_str().into(),
                edit.record_id.as_str().into(),
                edit.op.as_str().into(),
                edit.version.into(),
                edit.shape.into(),
                written(&edit.before).into(),
                written(&edit.after).into(),
                None::<&str>.into(),
                ACTOR.into(),
                0.into(),
            ]);
        }
        self.changes.execute(tx, &rows).await?;
        Ok(edits.len())
    }

    /// The fields of the modules that were edited, by module.
    async fn fields(&self, tx: &mut Tx<'_>, edits: &[Edit]) -> Result<HashMap<String, Vec<Field>>, sqlx::Error> {
        let ids = edits.iter().map(|edit| edit.module_id.as_str()).collect::<BTreeSet<_>>();
        let ids = serde_json::to_string(&ids).unwrap_or_default();
        let text = sql(format!("SELECT id, slug, definition FROM modules WHERE {}", self.dialect.among("id")));
        let modules: Vec<(String, String, String)> =
            on!(tx, tx => sqlx::query_as(text).bind(ids).fetch_all(&mut **tx).await?);
        let fields = |(id, slug, definition): (String, String, String)| {
            let definition: Definition = serde_json::from_str(&definition).ok()?;
            let (shape, _) = definition.shape(id.parse().ok()?, ModuleSlug::parse(&slug).ok()?, 0)?;
            Some((id, shape.fields))
        };
        Ok(modules.into_iter().filter_map(fields).collect())
    }
}

/// By two ways that each have an index: one condition with OR would read the whole table.
fn take(dialect: Dialect) -> Statement {
    let bytes = |row: &str| format!("coalesce(octet_length({row}), 0)");
    let size = format!("{} + {}", bytes("before"), bytes("after"));
    Statement::new(dialect, &[("record_id", Type::Text)], |rows, _| {
        format!(
            "DELETE FROM edits WHERE number IN (SELECT e.number FROM {rows} CROSS JOIN edits e WHERE e.record_id = r.record_id \
             UNION SELECT s.number FROM (SELECT f.number, sum(f.size) OVER (ORDER BY f.number) - f.size AS sum FROM \
             (SELECT number, {size} AS size FROM edits ORDER BY number LIMIT {PAGE}) AS f) AS s WHERE s.sum < {MOST_BYTES}) \
             RETURNING number, at, module_id, record_id, op, version, shape, {} AS before, {} AS after",
            dialect.bytes("before"),
            dialect.bytes("after"),
        )
    })
}

impl Store {
    /// One look without a lock, and one transaction if there is something. Says how many edits it has numbered; there
    /// may be more.
    pub async fn number_edits(&self, now: Timestamp) -> Result<usize, StoreError> {
        let text = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM edits LIMIT 1) AS e";
        let found: i64 = on!(&self.read, pool => sqlx::query_scalar(text).fetch_one(pool).await)?;
        if found == 0 {
            return Ok(0);
        }
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_plan(&[])).await?;
        let numbered = Numbering::new(self.dialect).number(&mut tx, &[], now).await?;
        super::commit(tx).await?;
        self.checkpoints.iter().for_each(|log| log.committed());
        Ok(numbered)
    }
}
