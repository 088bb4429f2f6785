//! The audit log: every write of an admin, a sender's handshake or the gateway itself, newest first.

use serde_json::Value;

use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::page::{Page, cursor, limit};
use crate::problem::Problem;
use crate::store::audit::{AuditRow, Wanted};
use crate::store::keys::Role;

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Audit)]
pub struct AuditView {
    id: i64,
    at: Timestamp,
    /// A key's id; or `startup` (files given at the start), `gateway` (by itself), `handshake` (a sender).
    actor: String,
    /// Of a key.
    actor_name: Option<String>,
    /// A noun and a verb, such as `source.create`.
    action: String,
    target: String,
    /// Null where there was nothing, or nothing that may be shown.
    #[schema(value_type = Option<Object>)]
    before: Value,
    /// Null where nothing is left.
    #[schema(value_type = Option<Object>)]
    after: Value,
    /// The client's address, as far as proxies are trusted.
    address: Option<String>,
}

impl From<AuditRow> for AuditView {
    fn from(row: AuditRow) -> Self {
        let mut detail = match serde_json::from_str(&row.detail) {
            Ok(Value::Object(detail)) => detail,
            _ => serde_json::Map::new(),
        };
        let mut member = |name: &str| detail.remove(name).unwrap_or(Value::Null);
        Self {
            id: row.seq,
            at: Timestamp::from_micros(row.at).unwrap_or_default(),
            before: member("before"),
            after: member("after"),
            actor: row.actor,
            actor_name: row.actor_name,
            action: row.action,
            target: row.target,
            address: row.address,
        }
    }
}

/// The page is a limit and a cursor.
pub async fn list_audit(
    gateway: &Gateway,
    caller: &Caller,
    wanted: &Wanted<'_>,
    page: (Option<i64>, Option<&str>),
) -> Result<Page<AuditView>, Problem> {
    caller.needs(Role::Owner)?;
    let (limit, before) = (limit(page.0)?, cursor(page.1)?);
    let texts = [wanted.actor, wanted.action, wanted.target];
    if texts.into_iter().flatten().any(|text| text.contains('\0')) {
        // No row has it, and not every database takes it.
        return Ok(Page { data: Vec::new(), next_cursor: None });
    }
    let rows = gateway.store.audit(wanted, before, limit + 1).await?;
    Ok(Page::of(rows, limit, |row| row.seq.to_string(), AuditView::from))
}
