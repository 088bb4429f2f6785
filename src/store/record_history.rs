//! What the log of changes tells of one record, newest first.

use super::changes::StoredChange;
use super::dialect::sql;
use super::{Store, StoreError, on};
use crate::id::{ModuleId, RecordId};
use crate::record::change::Change;

/// A change, and what is known of the event that made it.
#[derive(Debug)]
pub struct Written {
    pub change: Change,
    /// The event's source, while the event is kept.
    pub source: Option<String>,
    pub mapping_version: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Columns {
    #[sqlx(flatten)]
    change: StoredChange,
    source_id: Option<String>,
    mapping_version: Option<i64>,
}

impl Store {
    /// Below a number, in bounded bytes: those that fit, and always the first.
    pub async fn changes_of_record(
        &self,
        (module, record): (ModuleId, RecordId),
        below: i64,
        (most, most_bytes): (i64, i64),
    ) -> Result<Vec<Written>, StoreError> {
        let text = sql(
            "SELECT c.seq, c.id, c.at, c.module_id, c.record_id, c.op, c.version, c.shape, c.before, c.after, c.event_id, c.actor, c.hops, \
             e.source_id, e.mapping_version \
             FROM changes c JOIN (SELECT seq, size, sum(size) OVER (ORDER BY seq DESC) AS held FROM \
             (SELECT seq, coalesce(octet_length(before), 0) + coalesce(octet_length(after), 0) AS size FROM changes \
             WHERE record_id = $1 AND module_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4) sizes) fits ON fits.seq = c.seq \
             LEFT JOIN events e ON e.id = c.event_id WHERE fits.held - fits.size <= $5 ORDER BY c.seq DESC"
                .to_owned(),
        );
        let rows: Vec<Columns> = on!(&self.read, pool => sqlx::query_as(text).bind(record.to_string())
            .bind(module.to_string()).bind(below).bind(most).bind(most_bytes).fetch_all(pool).await)?;
        let read = |Columns { change, source_id, mapping_version }| {
            Ok(Written { change: change.read()?, source: source_id, mapping_version })
        };
        rows.into_iter().map(read).collect()
    }

    /// Whether the log still has the change that made the record; nothing when it has none of the record at all.
    pub async fn knows_beginning(&self, module: ModuleId, record: RecordId) -> Result<Option<bool>, StoreError> {
        let text = "SELECT op FROM changes WHERE record_id = $1 AND module_id = $2 ORDER BY seq LIMIT 1";
        let op: Option<String> = on!(&self.read, pool => sqlx::query_scalar(text).bind(record.to_string())
            .bind(module.to_string()).fetch_optional(pool).await)?;
        Ok(op.map(|op| op == "insert"))
    }
}
