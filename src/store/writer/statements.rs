//! The writer's own statements, made once.

use crate::store::dialect::{Dialect, Type};
use crate::store::edits::Numbering;
use crate::store::rows::Statement;
use crate::store::{changes, events};

#[derive(Debug)]
pub(super) struct Statements {
    pub dialect: Dialect,
    pub shapes: Statement,
    pub claim: Statement,
    pub owners: Statement,
    pub release: Statement,
    pub tombstones: Statement,
    pub bury: Statement,
    pub events: Statement,
    /// Writes nothing while there are edits to be numbered first.
    pub changes: Statement,
    pub edits: Numbering,
}

impl Statements {
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            shapes: shapes(dialect),
            claim: claim(dialect),
            owners: owners(dialect),
            release: release(dialect),
            tombstones: tombstones(dialect),
            bury: bury(dialect),
            events: events::insert_statement(dialect),
            changes: changes::insert_statement(dialect, "NOT EXISTS (SELECT 1 FROM edits)"),
            edits: Numbering::new(dialect),
        }
    }
}

fn shapes(dialect: Dialect) -> Statement {
    Statement::new(dialect, &[("id", Type::Text)], |rows, _| {
        format!("SELECT m.id, m.shape FROM {rows} CROSS JOIN modules m WHERE m.id = r.id")
    })
}

/// Takes the event ids that are free or expired, and returns them.
fn claim(dialect: Dialect) -> Statement {
    let columns =
        [("source_id", Type::Text), ("key", Type::Text), ("event_id", Type::Text), ("expires_at", Type::Integer)];
    Statement::new(dialect, &columns, |rows, now| {
        format!(
            "INSERT INTO dedupe AS d (source_id, key, event_id, expires_at) \
             SELECT r.source_id, r.key, r.event_id, r.expires_at FROM {rows} WHERE true \
             ON CONFLICT (source_id, key) DO UPDATE SET event_id = excluded.event_id, expires_at = excluded.expires_at \
             WHERE d.expires_at <= {now} RETURNING event_id"
        )
    })
}

/// Whose the others are, and which records that event was answered with.
fn owners(dialect: Dialect) -> Statement {
    Statement::new(dialect, &[("source_id", Type::Text), ("key", Type::Text)], |rows, _| {
        format!(
            "SELECT d.source_id, d.key, d.event_id, e.record_ids FROM {rows} \
             CROSS JOIN dedupe d LEFT JOIN events e ON e.id = d.event_id \
             WHERE d.source_id = r.source_id AND d.key = r.key"
        )
    })
}

/// Gives back the event ids of events that were refused after all.
fn release(dialect: Dialect) -> Statement {
    Statement::new(dialect, &[("source_id", Type::Text), ("key", Type::Text)], |rows, _| {
        format!("DELETE FROM dedupe WHERE (source_id, key) IN (SELECT r.source_id, r.key FROM {rows})")
    })
}

/// What deleted records have left, and the slots that would take their place.
fn tombstones(dialect: Dialect) -> Statement {
    Statement::new(dialect, &[("slot", Type::Integer), ("digest", Type::Text)], |rows, now| {
        format!(
            "SELECT r.slot, d.record_id, d.guard FROM {rows} CROSS JOIN tombstones d \
             WHERE d.digest = r.digest AND d.expires_at > {now}"
        )
    })
}

fn bury(dialect: Dialect) -> Statement {
    let columns = [
        ("digest", Type::Text),
        ("module_id", Type::Text),
        ("record_id", Type::Text),
        ("guard", Type::Text),
        ("expires_at", Type::Integer),
    ];
    let names = columns.map(|(name, _)| name).join(", ");
    let sent = columns.map(|(name, kind)| dialect.sent(name, kind)).join(", ");
    Statement::new(dialect, &columns, |rows, _| {
        format!(
            "INSERT INTO tombstones ({names}) SELECT {sent} FROM {rows} WHERE true ON CONFLICT (digest) DO UPDATE SET \
             record_id = excluded.record_id, guard = excluded.guard, expires_at = excluded.expires_at"
        )
    })
}
