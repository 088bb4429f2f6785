//! The writer's own statements, made once. Each takes one JSON array as `$1`, whatever the batch's size, so that it
//! has one plan.

use sqlx::SqlStr;

use crate::store::dialect::{Dialect, Type, sql};
use crate::store::events;

#[derive(Debug)]
pub(super) struct Statements {
    pub dialect: Dialect,
    pub shapes: SqlStr,
    pub claim: SqlStr,
    pub owners: SqlStr,
    pub release: SqlStr,
    pub tombstones: SqlStr,
    pub bury: SqlStr,
    pub events: SqlStr,
    pub changes: SqlStr,
}

impl Statements {
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            shapes: sql(shapes(dialect)),
            claim: sql(claim(dialect)),
            owners: sql(owners(dialect)),
            release: sql(release(dialect)),
            tombstones: sql(tombstones(dialect)),
            bury: sql(bury(dialect)),
            events: sql(events::insert_text(dialect)),
            changes: sql(changes(dialect)),
        }
    }
}

fn shapes(dialect: Dialect) -> String {
    let rows = dialect.rows(&[("id", Type::Text)]);
    format!("SELECT m.id, m.shape FROM {rows} CROSS JOIN modules m WHERE m.id = r.id")
}

/// Takes the event ids that are free or expired, and returns them.
fn claim(dialect: Dialect) -> String {
    let rows = dialect.rows(&[
        ("source_id", Type::Text),
        ("key", Type::Text),
        ("event_id", Type::Text),
        ("expires_at", Type::Integer),
    ]);
    format!(
        "INSERT INTO dedupe AS d (source_id, key, event_id, expires_at) \
         SELECT r.source_id, r.key, r.event_id, r.expires_at FROM {rows} WHERE true \
         ON CONFLICT (source_id, key) DO UPDATE SET event_id = excluded.event_id, expires_at = excluded.expires_at \
         WHERE d.expires_at <= $2 RETURNING event_id"
    )
}

/// Whose the others are, and which records that event was answered with.
fn owners(dialect: Dialect) -> String {
    let rows = dialect.rows(&[("source_id", Type::Text), ("key", Type::Text)]);
    format!(
        "SELECT d.source_id, d.key, d.event_id, e.record_ids FROM {rows} \
         CROSS JOIN dedupe d LEFT JOIN events e ON e.id = d.event_id \
         WHERE d.source_id = r.source_id AND d.key = r.key"
    )
}

/// Gives back the event ids of events that were refused after all.
fn release(dialect: Dialect) -> String {
    let rows = dialect.rows(&[("source_id", Type::Text), ("key", Type::Text)]);
    format!("DELETE FROM dedupe WHERE (source_id, key) IN (SELECT r.source_id, r.key FROM {rows})")
}

/// What deleted records have left, and the slots that would take their place.
fn tombstones(dialect: Dialect) -> String {
    let rows = dialect.rows(&[("slot", Type::Integer), ("digest", Type::Text)]);
    format!(
        "SELECT CAST(r.slot AS TEXT), d.record_id, d.guard FROM {rows} CROSS JOIN tombstones d \
         WHERE d.digest = r.digest AND d.expires_at > $2"
    )
}

fn bury(dialect: Dialect) -> String {
    let columns = [
        ("digest", Type::Text),
        ("module_id", Type::Text),
        ("record_id", Type::Text),
        ("guard", Type::Text),
        ("expires_at", Type::Integer),
    ];
    let names = columns.map(|(name, _)| name).join(", ");
    let sent = columns.map(|(name, kind)| dialect.sent(name, kind)).join(", ");
    format!(
        "INSERT INTO tombstones ({names}) SELECT {sent} FROM {} WHERE true ON CONFLICT (digest) DO UPDATE SET \
         record_id = excluded.record_id, guard = excluded.guard, expires_at = excluded.expires_at",
        dialect.rows(&columns),
    )
}

fn changes(dialect: Dialect) -> String {
    let columns = [
        ("id", Type::Text),
        ("at", Type::Integer),
        ("module_id", Type::Text),
        ("record_id", Type::Text),
        ("op", Type::Text),
        ("version", Type::Integer),
        ("shape", Type::Integer),
        ("before", Type::Nested),
        ("after", Type::Nested),
        ("event_id", Type::Text),
        ("actor", Type::Text),
        ("hops", Type::Integer),
    ];
    let names = columns.map(|(name, _)| name).join(", ");
    let sent = columns.map(|(name, kind)| dialect.sent(name, kind)).join(", ");
    format!(
        "{}INSERT INTO changes ({names}) SELECT {sent} FROM {}{} WHERE true",
        dialect.feed_lock(),
        dialect.after_feed_lock(),
        dialect.rows(&columns),
    )
}
