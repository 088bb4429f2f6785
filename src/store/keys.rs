//! API keys, as digests.

use super::{Store, StoreError, on};
use crate::id::KeyId;

/// What a key may do: a viewer reads, an editor also changes modules, sources and records, an owner everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Viewer,
    Editor,
    Owner,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Viewer, Self::Editor, Self::Owner].into_iter().find(|role| role.as_str() == text)
    }
}

impl Store {
    /// The key with this digest, in hex.
    pub async fn key(&self, digest: &str) -> Result<Option<(KeyId, Role)>, StoreError> {
        let text = "SELECT id, role FROM api_keys WHERE digest = $1";
        let row: Option<(String, String)> =
            on!(&self.read, pool => sqlx::query_as(text).bind(digest).fetch_optional(pool).await)?;
        Ok(row.and_then(|(id, role)| Some((id.parse().ok()?, Role::parse(&role)?))))
    }
}
