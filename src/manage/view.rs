//! Things as the API shows them: camelCase around, an admin's own names inside.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::gateway::Snapshot;
use crate::id::{EventId, RecordId};
use crate::record;
use crate::record::definition::FieldDefinition;
use crate::record::event::EventDefinition;
use crate::record::field::{FieldName, ModuleSlug};
use crate::record::row::{CustomData, Row};
use crate::record::shape::Shape;
use crate::store::events::StoredEvent;
use crate::store::modules::StoredModule;

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Module)]
pub struct ModuleView {
    id: String,
    slug: String,
    name: String,
    /// The fields that identify a record.
    r#match: Vec<FieldName>,
    fields: Vec<FieldDefinition>,
    /// The events that the module names: `{"name", "when", "data"}`.
    #[schema(value_type = Vec<Object>)]
    events: Vec<NamedView>,
    /// The number of its shape, which moves where records are concerned.
    shape: i64,
    /// Moves with every change of the module.
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ModuleView {
    pub fn version(&self) -> i64 {
        self.version
    }
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
            version: module.version,
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

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Record)]
pub struct RecordView {
    id: RecordId,
    module: ModuleSlug,
    /// By name: decimals are texts, integers numbers.
    #[schema(value_type = Object)]
    fields: Fields,
    #[schema(value_type = Object)]
    custom_data: CustomData,
    /// Counts the record's changes, from 1.
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// The event that wrote it last.
    event_id: Option<EventId>,
}

impl RecordView {
    pub fn id(&self) -> RecordId {
        self.id
    }

    pub fn version(&self) -> i64 {
        self.version
    }

    pub fn new(shape: Arc<Shape>, row: Row) -> Self {
        Self {
            id: row.id,
            module: shape.slug.clone(),
            fields: Fields { shape, values: row.fields },
            custom_data: row.custom_data,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            event_id: row.event,
        }
    }
}

/// Values under the names of their fields.
#[derive(Debug)]
struct Fields {
    shape: Arc<Shape>,
    values: Vec<Option<record::value::Value>>,
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = self.shape.fields.iter().map(|field| field.name.as_str());
        serializer.collect_map(names.zip(&self.values))
    }
}

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
pub struct EventView {
    id: String,
    received_at: Option<Timestamp>,
    module: String,
    source: String,
    request_id: String,
    /// What the answer called it, or `refused`.
    verdict: String,
    /// Why: the problem's code of a refusal, the deciding rule of an ignored event.
    cause: Option<String>,
    state: String,
    event_type: Option<String>,
    mapping_version: Option<i64>,
    #[schema(value_type = Vec<RecordId>)]
    record_ids: Value,
    /// As they were answered.
    #[schema(value_type = Option<Vec<Object>>)]
    errors: Option<Value>,
    duplicate_of: Option<String>,
    replay_of: Option<String>,
    address: Option<String>,
    query: Option<String>,
    /// Those that are kept.
    #[schema(value_type = Object)]
    headers: Value,
    /// What is stored of it: `whole`, `redacted`, `cut` (the beginning of the body), or `none` of the body.
    payload: String,
    /// Bytes.
    body_size: i64,
    /// When payload and headers were removed, before the event itself.
    payload_gone_at: Option<Timestamp>,
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
            payload: event.payload,
            body_size: event.body_size,
            payload_gone_at: event.stripped_at.and_then(Timestamp::from_micros),
            duration_us: event.duration_us,
        }
    }
}
