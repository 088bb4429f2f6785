//! The log of changes, read. `seq` is the order of commits: what is visible up to a number is all there ever will be.

use super::dialect::{Dialect, Type, sql};
use super::rows::Statement;
use super::{Store, StoreError, Tx, on};
use crate::clock::Timestamp;
use crate::id::{ChangeId, ModuleId};
use crate::record::change::{Change, Fields, moved};

/// Of the newest of the log, how many are looked at for those of a kind.
const LOOKED_AT: i64 = 20_000;

/// A row of the log. Rows before and after are JSON, as they were written.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct StoredChange {
    seq: i64,
    id: String,
    at: i64,
    module_id: String,
    record_id: String,
    op: String,
    version: i64,
    shape: i64,
    before: Option<String>,
    after: Option<String>,
    event_id: Option<String>,
    actor: String,
    hops: i64,
}

impl StoredChange {
    pub fn read(self) -> Result<Change, StoreError> {
        let corrupt = || StoreError::Corrupt(format!("the change {}", self.id));
        let row = |text: Option<&String>| text.map(|text| serde_json::from_str::<Fields>(text)).transpose();
        let before = row(self.before.as_ref()).map_err(|_| corrupt())?;
        let after = row(self.after.as_ref()).map_err(|_| corrupt())?;
        let module = match &*self.module_id {
            "" => None,
            id => Some(id.parse().map_err(|_| corrupt())?),
        };
        Ok(Change {
            seq: self.seq,
            at: Timestamp::from_micros(self.at).ok_or_else(corrupt)?,
            module,
            moved: moved(before.as_ref(), after.as_ref()),
            before,
            after,
            id: self.id,
            record: self.record_id,
            op: self.op,
            version: self.version,
            shape: self.shape,
            event: self.event_id,
            actor: self.actor,
            hops: self.hops,
        })
    }
}

impl Store {
    /// The number of the newest change, whether or not it is still kept; 0 before the first.
    pub async fn last_change(&self) -> Result<i64, StoreError> {
        let text = "SELECT coalesce(max(seq), (SELECT seq FROM log_start)) FROM changes";
        Ok(on!(&self.read, pool => sqlx::query_scalar(text).fetch_one(pool).await)?)
    }

    /// Where the log begins: changes up to this number are gone; 0 while all are kept. Who asks it after reading from a
    /// number on, and finds no higher one, has read all.
    pub async fn log_start(&self) -> Result<i64, StoreError> {
        let text = "SELECT seq FROM log_start";
        Ok(on!(&self.read, pool => sqlx::query_scalar(text).fetch_one(pool).await)?)
    }

    /// Numbers, and the bytes of the rows before and after: so that nobody reads more than there is room for.
    pub async fn change_sizes(
        &self,
        (after, to): (i64, i64),
        module: Option<ModuleId>,
        limit: i64,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let text = "SELECT seq, CAST(coalesce(octet_length(before), 0) + coalesce(octet_length(after), 0) AS BIGINT) \
            FROM changes WHERE seq > $1 AND seq <= $2 AND ($3 = '' OR module_id = $3) ORDER BY seq LIMIT $4";
        let module = module.map(|module| module.to_string()).unwrap_or_default();
        Ok(on!(&self.read, pool => sqlx::query_as(text)
            .bind(after).bind(to).bind(module).bind(limit).fetch_all(pool).await)?)
    }

    /// In order, above a number, in bounded bytes: those that fit, and always the first.
    pub async fn changes_above(&self, number: i64, most: i64, most_bytes: i64) -> Result<Vec<Change>, StoreError> {
        self.changes_that_fit("$1 = '' AND seq > $3", (String::new(), number), most_bytes, most).await
    }

    /// By their numbers.
    pub async fn changes_of(&self, numbers: &[i64], most_bytes: i64) -> Result<Vec<Change>, StoreError> {
        let among = match self.dialect {
            Dialect::Sqlite => "seq IN (SELECT value FROM json_each($1)) AND $3 = 0",
            Dialect::Postgres => "seq IN (SELECT value::bigint FROM json_array_elements_text($1::json)) AND $3 = 0",
        };
        let most = i64::try_from(numbers.len()).unwrap_or(i64::MAX);
        let numbers = serde_json::to_string(numbers).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        self.changes_that_fit(among, (numbers, 0), most_bytes, most).await
    }

    async fn changes_that_fit(
        &self,
        which: &str,
        (texts, number): (String, i64),
        most_bytes: i64,
        most: i64,
    ) -> Result<Vec<Change>, StoreError> {
        // Sizes are summed up before the rows are read: a page of large ones is cut short.
        let text = sql(format!(
            "SELECT c.seq, c.id, c.at, c.module_id, c.record_id, c.op, c.version, c.shape, c.before, c.after, c.event_id, c.actor, c.hops \
             FROM changes c JOIN (SELECT seq, size, sum(size) OVER (ORDER BY seq) AS held FROM \
             (SELECT seq, coalesce(octet_length(before), 0) + coalesce(octet_length(after), 0) AS size FROM changes \
             WHERE {which} ORDER BY seq LIMIT $4) sizes) fits ON fits.seq = c.seq \
             WHERE fits.held - fits.size <= $2 ORDER BY c.seq"
        ));
        let rows: Vec<StoredChange> = on!(&self.read, pool => sqlx::query_as(text)
            .bind(texts).bind(most_bytes).bind(number).bind(most).fetch_all(pool).await)?;
        rows.into_iter().map(StoredChange::read).collect()
    }

    /// Of one module, or of the gateway itself, the newest first: as many as there are among the newest of the log, fit
    /// into so many bytes, and have this `op`, or any where it is empty.
    pub async fn newest_changes(
        &self,
        module: Option<ModuleId>,
        op: &str,
        (most, most_bytes): (i64, i64),
    ) -> Result<Vec<Change>, StoreError> {
        let text = sql(format!(
            "SELECT c.seq, c.id, c.at, c.module_id, c.record_id, c.op, c.version, c.shape, c.before, c.after, c.event_id, c.actor, c.hops \
             FROM changes c JOIN (SELECT seq, size, sum(size) OVER (ORDER BY seq DESC) AS held FROM \
             (SELECT seq, coalesce(octet_length(before), 0) + coalesce(octet_length(after), 0) AS size FROM changes \
             WHERE seq > (SELECT coalesce(max(seq), 0) - {LOOKED_AT} FROM changes) AND module_id = $1 AND ($2 = '' OR op = $2) \
             ORDER BY seq DESC LIMIT $4) sizes) fits ON fits.seq = c.seq \
             WHERE fits.held - fits.size <= $3 ORDER BY c.seq DESC"
        ));
        let module = module.map(|module| module.to_string()).unwrap_or_default();
        let rows: Vec<StoredChange> = on!(&self.read, pool => sqlx::query_as(text)
            .bind(module).bind(op).bind(most_bytes).bind(most).fetch_all(pool).await)?;
        rows.into_iter().map(StoredChange::read).collect()
    }

    /// In order, after one number and up to another, of one module when it is named.
    pub async fn changes(&self, (after, to): (i64, i64), module: Option<ModuleId>) -> Result<Vec<Change>, StoreError> {
        let text = "SELECT seq, id, at, module_id, record_id, op, version, shape, before, after, event_id, actor, hops \
            FROM changes WHERE seq > $1 AND seq <= $2 AND ($3 = '' OR module_id = $3) ORDER BY seq";
        let module = module.map(|module| module.to_string()).unwrap_or_default();
        let rows: Vec<StoredChange> =
            on!(&self.read, pool => sqlx::query_as(text).bind(after).bind(to).bind(module).fetch_all(pool).await)?;
        rows.into_iter().map(StoredChange::read).collect()
    }
}

/// Numbered as any change is, without module and record.
pub(super) async fn log_system_event(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    (name, data, actor): (&str, &str, &str),
    now: i64,
) -> Result<(), StoreError> {
    let text = sql(format!(
        "{}INSERT INTO changes (id, at, module_id, record_id, op, version, shape, after, actor, hops) \
         SELECT v.id, $2, '', '', $3, 0, 0, $4, $5, 0 FROM {}(SELECT $1 AS id) v",
        dialect.feed_lock(),
        dialect.after_feed_lock(),
    ));
    let id = ChangeId::new(Timestamp::from_micros(now).unwrap_or_default()).to_string();
    on!(tx, tx => sqlx::query(text).bind(id).bind(now).bind(name).bind(data).bind(actor)
        .execute(&mut **tx).await.map(|_| ()))?;
    Ok(())
}

/// Columns of a new change, in the order of its values.
pub(super) const COLUMNS: [(&str, Type); 12] = [
    ("id", Type::Text),
    ("at", Type::Integer),
    ("module_id", Type::Text),
    ("record_id", Type::Text),
    ("op", Type::Text),
    ("version", Type::Integer),
    ("shape", Type::Integer),
    ("before", Type::Text),
    ("after", Type::Text),
    ("event_id", Type::Text),
    ("actor", Type::Text),
    ("hops", Type::Integer),
];

/// Numbers and writes changes where the condition holds: all of them, or none.
pub(super) fn insert_statement(dialect: Dialect, condition: &str) -> Statement {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let sent = COLUMNS.map(|(name, kind)| dialect.sent(name, kind)).join(", ");
    Statement::new(dialect, &COLUMNS, |rows, _| {
        format!(
            "{}INSERT INTO changes ({names}) SELECT {sent} FROM {}{rows} WHERE {condition}",
            dialect.feed_lock(),
            dialect.after_feed_lock(),
        )
    })
}
