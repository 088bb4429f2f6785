//! Things as the API shows them: camelCase around, an admin's own names inside.

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::gateway::Snapshot;
use crate::map::mapping::RawMapping;
use crate::record::definition::FieldDefinition;
use crate::record::event::EventDefinition;
use crate::record::field::{FieldName, ModuleSlug};
use crate::record::row::Row;
use crate::record::shape::Shape;
use crate::store::events::StoredEvent;
use crate::store::modules::StoredModule;
use crate::store::sources::StoredSource;
use crate::verify::handshake::RawHandshake;
use crate::verify::response::RawResponse;

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleView {
    id: String,
    slug: String,
    name: String,
    r#match: Vec<FieldName>,
    fields: Vec<FieldDefinition>,
    events: Vec<NamedView>,
    shape: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&StoredModule> for ModuleView {
    fn from(module: &StoredModule) -> Self {
        Self {
            id: module.id().to_string(),
            slug: module.slug().to_string(),
            name: module.definition.name.clone(),
            r#match: module.definition.matching.clone(),
            fields: module.definition.fields.clone(),
            events: module.definition.events.iter().cloned().map(NamedView).collect(),
            shape: module.table.shape.number,
            created_at: module.created_at,
            updated_at: module.updated_at,
        }
    }
}

/// As the module's file has it.
#[derive(Debug)]
struct NamedView(EventDefinition);

impl Serialize for NamedView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("Event", 3)?;
        event.serialize_field("name", &self.0.name)?;
        event.serialize_field("when", &self.0.when)?;
        event.serialize_field("data", &self.0.data.as_ref().map(Members))?;
        event.end()
    }
}

/// The data of an event, its pairs as the members of objects.
struct Members<'a>(&'a Value);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(pairs) = self.0.as_array() else { return self.0.serialize(serializer) };
        let pairs = pairs.iter().filter_map(|pair| Some((pair.get(0)?.as_str()?, Members(pair.get(1)?))));
        serializer.collect_map(pairs)
    }
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceView {
    id: String,
    module: String,
    slug: String,
    enabled: bool,
    signature: Option<crate::verify::Scheme>,
    /// How many secrets are active; never the secrets.
    secrets: usize,
    /// The secret is the one that the sender's handshake brought.
    kept_secret: bool,
    /// To accepted webhooks, where it is not the gateway's own answer; the preset's included.
    response: Option<RawResponse>,
    /// Those of the preset included.
    handshake: Vec<RawHandshake>,
    rate_limit: RateLimitView,
    max_body: usize,
    mapping_version: i64,
    mapping: RawMapping,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct RateLimitView {
    per_minute: u32,
    burst: u32,
}

impl SourceView {
    pub fn new(source: &StoredSource, module: &ModuleSlug, default_body: usize) -> Self {
        let quota = source.settings.rate_limit.unwrap_or_default();
        Self {
            id: source.id.to_string(),
            module: module.to_string(),
            slug: source.slug.to_string(),
            enabled: source.settings.enabled,
            signature: source.settings.signature.clone(),
            secrets: source.secrets.len(),
            kept_secret: source.kept.is_some(),
            response: source.settings.response().cloned(),
            handshake: source.settings.handshakes().cloned().collect(),
            rate_limit: RateLimitView { per_minute: quota.per_minute(), burst: quota.burst() },
            max_body: source.settings.max_body.unwrap_or(default_body),
            mapping_version: source.mapping_version,
            mapping: source.mapping.clone(),
            created_at: source.created_at,
            updated_at: source.updated_at,
        }
    }
}

/// A record: `{"id","module","fields":{…},"customData":{…},"version","createdAt","updatedAt","eventId"}`.
#[derive(Debug)]
pub struct RecordView {
    pub shape: std::sync::Arc<Shape>,
    pub row: Row,
}

impl Serialize for RecordView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Fields<'a>(&'a RecordView);
        impl Serialize for Fields<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.row.fields.len()))?;
                for (field, value) in self.0.shape.fields.iter().zip(&self.0.row.fields) {
                    map.serialize_entry(field.name.as_str(), value)?;
                }
                map.end()
            }
        }
        let row = &self.row;
        let mut record = serializer.serialize_struct("Record", 8)?;
        record.serialize_field("id", &row.id)?;
        record.serialize_field("module", &self.shape.slug)?;
        record.serialize_field("fields", &Fields(self))?;
        record.serialize_field("customData", &row.custom_data)?;
        record.serialize_field("version", &row.version)?;
        record.serialize_field("createdAt", &row.created_at)?;
        record.serialize_field("updatedAt", &row.updated_at)?;
        record.serialize_field("eventId", &row.event)?;
        record.end()
    }
}

#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    id: String,
    received_at: Option<Timestamp>,
    module: String,
    source: String,
    request_id: String,
    verdict: String,
    cause: Option<String>,
    state: String,
    event_type: Option<String>,
    mapping_version: Option<i64>,
    record_ids: Value,
    errors: Option<Value>,
    duplicate_of: Option<String>,
    replay_of: Option<String>,
    address: Option<String>,
    query: Option<String>,
    headers: Value,
    body_size: i64,
    duration_us: i64,
}

impl EventView {
    /// Module and source by slug, or by id when they are gone.
    pub fn new(event: StoredEvent, snapshot: &Snapshot) -> Self {
        let json = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        let module = event.module_id.parse().ok().and_then(|id| snapshot.module_by_id(id));
        let source = event.source_id.parse().ok().and_then(|id| snapshot.source_by_id(id));
        Self {
            received_at: Timestamp::from_micros(event.received_at),
            module: module.map_or_else(|| event.module_id.clone(), |module| module.slug().to_string()),
            source: source.map_or_else(|| event.source_id.clone(), |source| source.slug.to_string()),
            record_ids: json(&event.record_ids),
            errors: event.errors.as_deref().map(json),
            headers: json(&event.headers),
            id: event.id,
            request_id: event.request_id,
            verdict: event.verdict,
            cause: event.cause,
            state: event.state,
            event_type: event.event_type,
            mapping_version: event.mapping_version,
            duplicate_of: event.duplicate_of,
            replay_of: event.replay_of,
            address: event.address,
            query: event.query,
            body_size: event.body_size,
            duration_us: event.duration_us,
        }
    }
}
