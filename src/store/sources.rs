//! Sources as they are kept: settings, the mapping in force, tokens as digests, secrets sealed.

use std::collections::HashMap;

use super::endpoints::SealedSecret;
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
    /// Oldest first.
    pub tokens: Vec<StoredToken>,
    /// The one in use first; opened with the gateway's seal key and this source's id.
    pub secrets: Vec<SealedSecret>,
    /// The one secret that there is was brought by the sender's handshake.
    pub kept: Option<Kept>,
    /// What a module file said of the secrets, as marks of them.
    pub applied_secrets: Option<Vec<String>>,
    /// Moves with every change of the source.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct StoredToken {
    /// SHA-256, in hex.
    pub digest: String,
    pub created_at: Timestamp,
    /// From then on it opens nothing.
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
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

impl StoredToken {
    pub fn new(digest: String, created_at: Timestamp) -> Self {
        Self { digest, created_at, expires_at: None, last_used_at: None }
    }

    pub fn opens_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end > now)
    }
}

impl StoredSource {
    /// The secrets whose time is not over.
    pub fn active_secrets(&self, now: Timestamp) -> impl Iterator<Item = &SealedSecret> {
        self.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|end| end > now))
    }
}

#[derive(sqlx::FromRow)]
struct Columns {
    id: String,
    module_id: String,
    slug: String,
    settings: String,
    mapping_version: i64,
    document: String,
    applied_secrets: Option<String>,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

/// Source, digest, and three times.
type TokenColumns = (String, String, i64, Option<i64>, Option<i64>);
type SecretColumns = (String, Vec<u8>, Option<String>, i64, Option<i64>);

impl Store {
    /// Every source with the mapping in force, by module and slug.
    pub async fn sources(&self) -> Result<Vec<StoredSource>, StoreError> {
        let text = "SELECT s.id, s.module_id, s.slug, s.settings, s.mapping_version, m.document, s.applied_secrets, \
            s.version, s.created_at, s.updated_at \
            FROM sources s JOIN mappings m ON m.source_id = s.id AND m.version = s.mapping_version \
            ORDER BY s.module_id, s.slug";
        let rows: Vec<Columns> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        let mut tokens = self.tokens().await?;
        let mut secrets = self.secrets().await?;
        let read = |row: Columns| {
            let slug = row.slug.clone();
            let mut source = row.read().ok_or_else(|| StoreError::Corrupt(format!("the settings of source {slug}")))?;
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

    async fn tokens(&self) -> Result<HashMap<String, Vec<StoredToken>>, StoreError> {
        let text =
            "SELECT source_id, digest, created_at, expires_at, last_used_at FROM tokens ORDER BY created_at, digest";
        let rows: Vec<TokenColumns> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        let read = |(source, digest, created_at, expires_at, last_used_at)| {
            let token = StoredToken {
                digest,
                created_at: Timestamp::from_micros(created_at).unwrap_or_default(),
                expires_at: time(expires_at),
                last_used_at: time(last_used_at),
            };
            (source, token)
        };
        Ok(grouped(rows.into_iter().map(read).collect()))
    }

    async fn secrets(&self) -> Result<HashMap<String, Vec<(SealedSecret, Option<Kept>)>>, StoreError> {
        let text = "SELECT source_id, sealed, kept, created_at, expires_at FROM secrets ORDER BY source_id, place";
        let rows: Vec<SecretColumns> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        let read = |(id, sealed, kept, created_at, expires_at): SecretColumns| {
            let created_at = Timestamp::from_micros(created_at).unwrap_or_default();
            let secret = SealedSecret { sealed, created_at, expires_at: time(expires_at) };
            (id, (secret, kept.as_deref().and_then(Kept::find)))
        };
        Ok(grouped(rows.into_iter().map(read).collect()))
    }
}

fn time(micros: Option<i64>) -> Option<Timestamp> {
    micros.and_then(Timestamp::from_micros)
}

fn grouped<T>(rows: Vec<(String, T)>) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for (key, value) in rows {
        groups.entry(key).or_default().push(value);
    }
    groups
}

impl Columns {
    fn read(self) -> Option<StoredSource> {
        Some(StoredSource {
            id: self.id.parse().ok()?,
            module: self.module_id.parse().ok()?,
            slug: SourceSlug::parse(&self.slug).ok()?,
            settings: serde_json::from_str(&self.settings).ok()?,
            mapping: serde_json::from_str(&self.document).ok()?,
            mapping_version: self.mapping_version,
            tokens: Vec::new(),
            secrets: Vec::new(),
            kept: None,
            applied_secrets: self.applied_secrets.map(|text| serde_json::from_str(&text)).transpose().ok()?,
            version: self.version,
            created_at: Timestamp::from_micros(self.created_at)?,
            updated_at: Timestamp::from_micros(self.updated_at)?,
        })
    }
}
