//! Versions of mappings. None is ever edited: what changes is which one is in force.

use super::{Store, StoreError, Tx, on};
use crate::clock::Timestamp;
use crate::id::SourceId;
use crate::map::mapping::RawMapping;

/// How a version came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    #[default]
    Api,
    /// By a module file of this name.
    File(String),
}

impl Origin {
    fn columns(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Api => ("api", None),
            Self::File(name) => ("file", Some(name)),
        }
    }

    fn read(word: &str, file: Option<String>) -> Option<Self> {
        match word {
            "api" => Some(Self::Api),
            "file" => Some(Self::File(file.unwrap_or_default())),
            _ => None,
        }
    }
}

/// A version to be.
#[derive(Debug)]
pub struct NewVersion {
    pub version: i64,
    /// The mapping as JSON.
    pub document: String,
    pub author: String,
    pub note: Option<String>,
    pub origin: Origin,
}

/// A version that stands.
#[derive(Clone, Debug)]
pub struct StoredVersion {
    pub version: i64,
    pub mapping: RawMapping,
    pub author: String,
    pub note: Option<String>,
    /// `None` for one that is older than the gateways that remember it.
    pub origin: Option<Origin>,
    pub created_at: Timestamp,
}

type Columns = (i64, String, String, Option<String>, Option<String>, Option<String>, i64);

impl Store {
    /// Newest first, before a version when one is given.
    pub async fn mapping_versions(
        &self,
        source: SourceId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<StoredVersion>, StoreError> {
        let text = "SELECT version, document, author, note, origin, file, created_at FROM mappings \
            WHERE source_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3";
        let before = before.unwrap_or(i64::MAX);
        let rows: Vec<Columns> = on!(&self.read, pool => sqlx::query_as(text).bind(source.to_string()).bind(before)
            .bind(limit).fetch_all(pool).await)?;
        rows.into_iter().map(|row| read(source, row)).collect()
    }

    pub async fn mapping_version(&self, source: SourceId, version: i64) -> Result<Option<StoredVersion>, StoreError> {
        let text = "SELECT version, document, author, note, origin, file, created_at FROM mappings \
            WHERE source_id = $1 AND version = $2";
        let row: Option<Columns> = on!(&self.read, pool => sqlx::query_as(text).bind(source.to_string()).bind(version)
            .fetch_optional(pool).await)?;
        row.map(|row| read(source, row)).transpose()
    }
}

fn read(source: SourceId, row: Columns) -> Result<StoredVersion, StoreError> {
    let (version, document, author, note, origin, file, created_at) = row;
    let corrupt = || StoreError::Corrupt(format!("version {version} of the mapping of source {source}"));
    Ok(StoredVersion {
        version,
        mapping: serde_json::from_str(&document).map_err(|_| corrupt())?,
        author,
        note,
        origin: origin.and_then(|word| Origin::read(&word, file)),
        created_at: Timestamp::from_micros(created_at).ok_or_else(corrupt)?,
    })
}

/// Adds a version and puts it into force.
pub(super) async fn add(tx: &mut Tx<'_>, source: SourceId, new: &NewVersion, now: i64) -> Result<(), StoreError> {
    let text = "INSERT INTO mappings (source_id, version, document, author, note, origin, file, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (origin, file) = new.origin.columns();
    on!(&mut *tx, tx => sqlx::query(text).bind(source.to_string()).bind(new.version).bind(&new.document)
        .bind(&new.author).bind(&new.note).bind(origin).bind(file).bind(now).execute(&mut **tx).await.map(|_| ()))?;
    let text = "UPDATE sources SET mapping_version = $2, updated_at = $3, version = version + 1 WHERE id = $1";
    on!(tx, tx => sqlx::query(text).bind(source.to_string()).bind(new.version).bind(now)
        .execute(&mut **tx).await.map(|_| ()))?;
    Ok(())
}
