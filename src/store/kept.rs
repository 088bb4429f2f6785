//! Events that were kept for long enough, or of which there are too many: a few at a time, oldest first.
//! An event that is needed to answer a duplicate goes in two steps: first its payload and headers, then its row.

use std::collections::HashMap;

use super::dialect::sql;
use super::{Either, Store, StoreError, Tx, acquire, begin, on};
use crate::clock::Timestamp;
use crate::id::EventId;

/// Payload bytes that one batch removes, at most; a single larger one goes alone.
const BATCH_BYTES: i64 = 4 * 1024 * 1024;
/// Entries of the index that are added up at once.
const COUNTED: i64 = 10_000;
/// Before every id.
const NOTHING: &str = "";
/// The name under which it is noted how far the events of all sources were gone over.
const ALL: &str = "";

/// One batch of removing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Of the last event that it came to; `None` when there was nothing.
    pub last: Option<String>,
    pub bytes: i64,
    pub more: bool,
}

/// How far a source was gone over.
#[derive(Clone, Debug)]
struct Marks {
    gone_to: String,
    counted_to: String,
}

impl Batch {
    const NOTHING: Self = Self { last: None, bytes: 0, more: false };

    /// The first of these rows that fit into a batch, and into `most` bytes.
    fn of(rows: &[(String, i64)], limit: i64, most: i64) -> Self {
        let (mut taken, mut bytes) = (0, 0);
        for (_, size) in rows {
            if taken > 0 && (bytes + size > BATCH_BYTES || bytes >= most) {
                break;
            }
            (taken, bytes) = (taken + 1, bytes + size);
        }
        let last = rows[..taken].last().map(|(id, _)| id.clone());
        let is_full = i64::try_from(rows.len()).unwrap_or(limit) >= limit;
        Self { last, bytes, more: taken < rows.len() || is_full }
    }
}

impl Store {
    /// Every source that events are kept of, also those that are gone, and its oldest event: the index is jumped through.
    pub async fn event_sources(&self) -> Result<Vec<(String, String)>, StoreError> {
        let text = "WITH RECURSIVE s (id) AS (SELECT min(source_id) FROM events UNION ALL \
            SELECT (SELECT min(source_id) FROM events WHERE source_id > s.id) FROM s WHERE s.id IS NOT NULL) \
            SELECT s.id, (SELECT min(e.id) FROM events e WHERE e.source_id = s.id) FROM s WHERE s.id IS NOT NULL";
        // The last of a source may go in between.
        let found: Vec<(String, Option<String>)> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        Ok(found.into_iter().filter_map(|(source, first)| Some((source, first?))).collect())
    }

    /// Adds some of the payloads up to `until` to the sums; says whether there may be more.
    pub async fn count_payloads(&self, source: &str, until: EventId) -> Result<bool, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_removal()).await?;
        if !self.is_alone(&mut tx).await? {
            return Ok(false);
        }
        let marks = marks(&mut tx, source).await?;
        let rows = entries(&mut tx, source, (&marks.counted_to, &until.to_string()), COUNTED).await?;
        let Some((last, _)) = rows.last() else { return Ok(false) };
        for (day, bytes) in by_day(&rows) {
            add(&mut tx, source, day, bytes).await?;
        }
        set_marks(&mut tx, source, &Marks { counted_to: last.clone(), ..marks }).await?;
        super::commit(tx).await?;
        Ok(i64::try_from(rows.len()).unwrap_or(COUNTED) >= COUNTED)
    }

    /// The bytes of a source's payloads, as far as they were counted.
    pub async fn counted_bytes(&self, source: &str) -> Result<i64, StoreError> {
        let text = "SELECT CAST(coalesce(sum(bytes), 0) AS bigint) FROM event_days WHERE source_id = $1";
        Ok(on!(&self.read, pool => sqlx::query_scalar(text).bind(source).fetch_one(pool).await)?)
    }

    /// Takes payload and headers from some of a source's events, oldest first: of those up to `until`, or of counted
    /// ones that come to `most` bytes or just above.
    pub async fn strip_events(
        &self,
        source: &str,
        (until, most): (Option<EventId>, i64),
        limit: i64,
        now: Timestamp,
    ) -> Result<Batch, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_removal()).await?;
        if !self.is_alone(&mut tx).await? {
            return Ok(Batch::NOTHING);
        }
        let marks = marks(&mut tx, source).await?;
        let until = until.map_or_else(|| marks.counted_to.clone(), |until| until.to_string());
        let rows = entries(&mut tx, source, (&marks.gone_to, &until), limit).await?;
        let batch = Batch::of(&rows, limit, most);
        let Some(last) = &batch.last else { return Ok(batch) };
        let text = "UPDATE events SET body = $4, kept_bytes = 0, payload = 'none', headers = '{}', query = NULL, stripped_at = $5 \
            WHERE source_id = $1 AND id > $2 AND id <= $3 AND stripped_at IS NULL";
        on!(&mut tx, tx => sqlx::query(text).bind(source).bind(&marks.gone_to).bind(last).bind(Vec::<u8>::new())
            .bind(now.micros()).execute(&mut **tx).await.map(|_| ()))?;
        let counted = rows.iter().take_while(|(id, _)| id <= last && *id <= marks.counted_to).cloned();
        for (day, bytes) in by_day(&counted.collect::<Vec<_>>()) {
            add(&mut tx, source, day, -bytes).await?;
        }
        // What has no payload any more need not be counted.
        let counted_to = marks.counted_to.max(last.clone());
        set_marks(&mut tx, source, &Marks { gone_to: last.clone(), counted_to }).await?;
        super::commit(tx).await?;
        Ok(batch)
    }

    /// Removes some of a source's events behind `after`, up to `until`.
    pub async fn remove_events(
        &self,
        source: &str,
        (after, until): (&str, &str),
        limit: i64,
    ) -> Result<Batch, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_removal()).await?;
        if !self.is_alone(&mut tx).await? {
            return Ok(Batch::NOTHING);
        }
        let rows = entries(&mut tx, source, (after, until), limit).await?;
        let batch = Batch::of(&rows, limit, i64::MAX);
        let Some(last) = &batch.last else { return Ok(batch) };
        let text = "DELETE FROM events WHERE source_id = $1 AND id > $2 AND id <= $3";
        on!(&mut tx, tx => sqlx::query(text).bind(source).bind(after).bind(last).execute(&mut **tx).await.map(|_| ()))?;
        super::commit(tx).await?;
        Ok(batch)
    }

    /// Removes some of the events up to `until` of all sources but some, in order of their ids: they lie side by side,
    /// which those of one source seldom do.
    pub async fn remove_usual(&self, until: EventId, but: &[String], limit: i64) -> Result<Batch, StoreError> {
        let but = serde_json::to_string(but).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_removal()).await?;
        if !self.is_alone(&mut tx).await? {
            return Ok(Batch::NOTHING);
        }
        let marks = marks(&mut tx, ALL).await?;
        // The row is read: `kept_bytes` stands behind the body there, and the body's length in front of it.
        let text =
            "SELECT id, CAST(length(body) AS bigint) FROM events WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3";
        let rows: Vec<(String, i64)> = on!(&mut tx, tx => sqlx::query_as(text).bind(&marks.gone_to)
            .bind(until.to_string()).bind(limit).fetch_all(&mut **tx).await)?;
        let batch = Batch::of(&rows, limit, i64::MAX);
        let Some(last) = &batch.last else { return Ok(batch) };
        let among = self.dialect.among("source_id");
        let text = sql(format!("DELETE FROM events WHERE NOT ({among}) AND id > $2 AND id <= $3"));
        on!(&mut tx, tx => sqlx::query(text).bind(but).bind(&marks.gone_to).bind(last).execute(&mut **tx).await.map(|_| ()))?;
        set_marks(&mut tx, ALL, &Marks { gone_to: last.clone(), ..marks }).await?;
        super::commit(tx).await?;
        Ok(batch)
    }

    /// Up to which of their events the payloads of sources are gone.
    pub async fn gone_payloads(&self) -> Result<HashMap<String, String>, StoreError> {
        let text = "SELECT source_id, gone_to FROM event_marks";
        let found: Vec<(String, String)> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        Ok(found.into_iter().collect())
    }

    /// The days before this one have no payloads any more.
    pub async fn forget_days(&self, source: &str, before: Timestamp) -> Result<(), StoreError> {
        let text = "DELETE FROM event_days WHERE source_id = $1 AND day < $2";
        let day = EventId::floor(before).day();
        on!(&self.write, pool => sqlx::query(text).bind(source).bind(day).execute(pool).await.map(|_| ()))?;
        Ok(())
    }

    /// Whether no other replica does this at the moment. SQLite has one gateway.
    async fn is_alone(&self, tx: &mut Tx<'_>) -> Result<bool, sqlx::Error> {
        match tx {
            Either::Sqlite(_) => Ok(true),
            Either::Postgres(tx) => sqlx::query_scalar(self.dialect.try_removal_lock()).fetch_one(&mut **tx).await,
        }
    }
}

async fn marks(tx: &mut Tx<'_>, source: &str) -> Result<Marks, sqlx::Error> {
    let text = "SELECT gone_to, counted_to FROM event_marks WHERE source_id = $1";
    let found: Option<(String, String)> =
        on!(tx, tx => sqlx::query_as(text).bind(source).fetch_optional(&mut **tx).await)?;
    let (gone_to, counted_to) = found.unwrap_or_else(|| (NOTHING.to_owned(), NOTHING.to_owned()));
    Ok(Marks { gone_to, counted_to })
}

async fn set_marks(tx: &mut Tx<'_>, source: &str, marks: &Marks) -> Result<(), sqlx::Error> {
    let text = "INSERT INTO event_marks (source_id, gone_to, counted_to) VALUES ($1, $2, $3) \
        ON CONFLICT (source_id) DO UPDATE SET gone_to = excluded.gone_to, counted_to = excluded.counted_to";
    on!(tx, tx => sqlx::query(text).bind(source).bind(&marks.gone_to).bind(&marks.counted_to)
        .execute(&mut **tx).await.map(|_| ()))
}

/// Ids and kept bytes of a source's events, from the index.
async fn entries(
    tx: &mut Tx<'_>,
    source: &str,
    (after, until): (&str, &str),
    limit: i64,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let text = "SELECT id, kept_bytes FROM events WHERE source_id = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4";
    on!(tx, tx => sqlx::query_as(text).bind(source).bind(after).bind(until).bind(limit).fetch_all(&mut **tx).await)
}

fn by_day(rows: &[(String, i64)]) -> HashMap<i64, i64> {
    let mut days = HashMap::new();
    for (id, bytes) in rows {
        let day = id.parse::<EventId>().map_or(0, EventId::day);
        *days.entry(day).or_insert(0) += bytes;
    }
    days
}

/// Never below nothing: an event that was written late may be stripped without having been counted.
async fn add(tx: &mut Tx<'_>, source: &str, day: i64, bytes: i64) -> Result<(), sqlx::Error> {
    let text = "INSERT INTO event_days AS d (source_id, day, bytes) VALUES ($1, $2, CASE WHEN $3 > 0 THEN $3 ELSE 0 END) \
        ON CONFLICT (source_id, day) DO UPDATE SET bytes = CASE WHEN d.bytes + $3 > 0 THEN d.bytes + $3 ELSE 0 END";
    on!(tx, tx => sqlx::query(text).bind(source).bind(day).bind(bytes).execute(&mut **tx).await.map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_small_in_rows_and_in_bytes() {
        let rows = |sizes: &[i64]| {
            let id = |(place, size): (usize, &i64)| (place.to_string(), *size);
            sizes.iter().enumerate().map(id).collect::<Vec<_>>()
        };
        let batch = |sizes: &[i64], limit, most| {
            let Batch { last, bytes, more } = Batch::of(&rows(sizes), limit, most);
            (last.map(|last| last.parse::<usize>().unwrap()), bytes, more)
        };
        assert_eq!(batch(&[], 3, i64::MAX), (None, 0, false));
        assert_eq!(batch(&[1, 2], 3, i64::MAX), (Some(1), 3, false));
        assert_eq!(batch(&[1, 2, 3], 3, i64::MAX), (Some(2), 6, true));
        assert_eq!(batch(&[1, BATCH_BYTES, 3], 9, i64::MAX), (Some(0), 1, true));
        assert_eq!(
            batch(&[2 * BATCH_BYTES, 3], 9, i64::MAX),
            (Some(0), 2 * BATCH_BYTES, true),
            "a large one goes alone"
        );
        assert_eq!(batch(&[10, 10, 10, 10], 9, 15), (Some(1), 20, true), "just enough");
    }
}
