//! A version of a mapping, as the API shows it.

use crate::clock::Timestamp;
use crate::map::mapping::RawMapping;
use crate::store::mappings::{Origin, StoredVersion};
use crate::store::modules::StoredModule;
use crate::store::sources::StoredSource;

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Mapping)]
pub struct MappingView {
    module: String,
    source: String,
    version: i64,
    /// Whether it is the one in force.
    in_force: bool,
    /// With the keys of a module file.
    #[schema(value_type = Object)]
    mapping: RawMapping,
    /// A key's id, or `startup`.
    author: String,
    note: Option<String>,
    /// `api` or `file`; null for a version that is older than the gateways that remember it.
    origin: Option<&'static str>,
    /// The name of that file.
    file: Option<String>,
    created_at: Timestamp,
}

impl MappingView {
    pub fn new(version: StoredVersion, module: &StoredModule, source: &StoredSource) -> Self {
        let (origin, file) = match version.origin {
            None => (None, None),
            Some(Origin::Api) => (Some("api"), None),
            Some(Origin::File(name)) => (Some("file"), Some(name)),
        };
        Self {
            module: module.slug().to_string(),
            source: source.slug.to_string(),
            version: version.version,
            in_force: version.version == source.mapping_version,
            mapping: version.mapping,
            author: version.author,
            note: version.note,
            origin,
            file,
            created_at: version.created_at,
        }
    }

    pub fn version(&self) -> i64 {
        self.version
    }
}
