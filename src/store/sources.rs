//! Sources as they are kept: settings, the mapping in force, tokens as digests, secrets sealed.

use std::collections::HashMap;

use super::{Store, StoreError, on};
use crate::clock::Timestamp;
use crate::id::{ModuleId, SourceId};
use crate::map::mapping::RawMapping;
use crate::record::field::SourceSlug;
use crate::source::Settings;

#[derive(Clone, Debug)]
pub struct StoredSource {
    pub id: SourceId,
    pub module: ModuleId,
    pub slug: SourceSlug,
    pub settings: Settings,
    pub mapping: RawMapping,
    pub mapping_version: i64,
    /// SHA-256 of each token, in hex.
    pub tokens: Vec<String>,
    /// In the order in which they were given; opened with the gateway's seal key and this source's id.
    pub secrets: Vec<Vec<u8>>,
    /// The one secret that there is was brought by the sender's handshake.
    pub kept: Option<Kept>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whether an admin was shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Unseen,
    Seen,
}

impl Kept {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Seen => "seen",
        }
    }

    fn find(text: &str) -> Option<Self> {
        [Self::Unseen, Self::Seen].into_iter().find(|kept| kept.as_str() == text)
    }
}

type Columns = (String, String, String, String, i64, String, i64, i64);

impl Store {
    /// Every source with the mapping in force, by module and slug.
    pub async fn sources(&self) -> Result<Vec<StoredSource>, StoreError> {
        let text = "SELECT s.id, s.module_id, s.slug, s.settings, s.mapping_version, m.document, s.created_at, s.updated_at \
            FROM sources s JOIN mappings m ON m.source_id = s.id AND m.version = s.mapping_version \
            ORDER BY s.module_id, s.slug";
        let rows: Vec<Columns> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        let mut tokens = self.tokens().await?;
        let mut secrets = self.secrets().await?;
        let read = |row: Columns| {
            let slug = row.2.clone();
            let mut source = read(row).ok_or_else(|| StoreError::Corrupt(format!("the settings of source {slug}")))?;
            let id = source.id.to_string();
            source.tokens = tokens.remove(&id).unwrap_or_default();
            for (sealed, kept) in secrets.remove(&id).unwrap_or_default() {
                source.secrets.push(sealed);
                source.kept = source.kept.or(kept);
            }
            Ok(source)
        };
        rows.into_iter().map(read).collect()
    }

    async fn tokens(&self) -> Result<HashMap<String, Vec<String>>, StoreError> {
        let text = "SELECT source_id, digest FROM tokens ORDER BY created_at";
        let rows: Vec<(String, String)> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        Ok(grouped(rows))
    }

    async fn secrets(&self) -> Result<HashMap<String, Vec<(Vec<u8>, Option<Kept>)>>, StoreError> {
        let text = "SELECT source_id, sealed, kept FROM secrets ORDER BY source_id, place";
        let rows: Vec<(String, Vec<u8>, Option<String>)> =
            on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        let read = |(id, sealed, kept): (_, _, Option<String>)| (id, (sealed, kept.as_deref().and_then(Kept::find)));
        Ok(grouped(rows.into_iter().map(read).collect()))
    }
}

fn grouped<T>(rows: Vec<(String, T)>) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for (key, value) in rows {
        groups.entry(key).or_default().push(value);
    }
    groups
}

fn read(row: Columns) -> Option<StoredSource> {
    let (id, module, slug, settings, mapping_version, document, created_at, updated_at) = row;
    Some(StoredSource {
        id: id.parse().ok()?,
        module: module.parse().ok()?,
        slug: SourceSlug::parse(&slug).ok()?,
        settings: serde_json::from_str(&settings).ok()?,
        mapping: serde_json::from_str(&document).ok()?,
        mapping_version,
        tokens: Vec::new(),
        secrets: Vec::new(),
        kept: None,
        created_at: Timestamp::from_micros(created_at)?,
        updated_at: Timestamp::from_micros(updated_at)?,
    })
}
