//! The endpoints in force and what is known of modules, as deliveries are made and sent by them: immutable, replaced
//! whole.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use super::endpoint::Endpoint;
use super::profile::Profile;
use super::render::{BadRendering, Rendering};
use crate::clock::Timestamp;
use crate::id::{EndpointId, ModuleId};
use crate::record::change::Change;
use crate::record::shape::Shape;
use crate::store::shapes::Past;

/// How long after a change its module may not be known here yet.
const GONE_AFTER: Duration = Duration::from_secs(2);

pub struct Book {
    /// Of the endpoints; the database refuses deliveries for those of another.
    pub epoch: i64,
    /// Live replicas; each takes its share of an endpoint's caps.
    pub replicas: u32,
    read_at: Timestamp,
    workspace: String,
    endpoints: Vec<Arc<Endpoint>>,
    by_id: HashMap<EndpointId, usize>,
    modules: Modules,
    renderings: RwLock<HashMap<Way, Arc<Made>>>,
}

/// What is known of modules.
#[derive(Default)]
pub struct Modules {
    pub stand: HashMap<ModuleId, Arc<Shape>>,
    /// What they were before they were altered or deleted.
    pub past: Arc<Past>,
}

/// By what a rendering is found again: profile, module with the number of its shape, and event.
type Way = (&'static str, Option<(ModuleId, i64)>, String);

/// A rendering with its address and its document.
pub struct Made {
    pub id: String,
    pub document: String,
    pub rendering: Arc<Rendering>,
}

impl Book {
    pub fn new(
        (epoch, replicas): (i64, u32),
        read_at: Timestamp,
        workspace: String,
        endpoints: Vec<Arc<Endpoint>>,
        modules: Modules,
    ) -> Self {
        let by_id = endpoints.iter().enumerate().map(|(place, endpoint)| (endpoint.id, place)).collect();
        Self { epoch, replicas, read_at, workspace, endpoints, by_id, modules, renderings: RwLock::default() }
    }

    pub fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.endpoints
    }

    /// Those that anything is sent to.
    pub fn enabled(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.endpoints.iter().filter(|endpoint| endpoint.enabled)
    }

    pub fn endpoint(&self, id: EndpointId) -> Option<&Arc<Endpoint>> {
        self.by_id.get(&id).and_then(|place| self.endpoints.get(*place))
    }

    /// The module of a change as it was when the change was made; what is nearest to it where that is not known.
    pub fn shape_of(&self, change: &Change) -> Option<&Arc<Shape>> {
        let id = change.module?;
        let stands = self.modules.stand.get(&id);
        let is_of_then = |shape: &&Arc<Shape>| shape.number == change.shape;
        stands.filter(is_of_then).or_else(|| self.modules.past.get(&(id, change.shape))).or(stands)
    }

    /// Whether the change's module is known as it was when the change was made, or later. One that is still not known a
    /// while after the change is gone.
    pub fn is_up_to_date(&self, change: &Change) -> bool {
        match self.shape_of(change) {
            Some(shape) => shape.number >= change.shape,
            None => change.module.is_none() || self.read_at.since(change.at) > GONE_AFTER,
        }
    }

    /// How the body of such an event is made from now on.
    ///
    /// # Errors
    /// What the module's event declares cannot be rendered; saving the module has made sure that it can.
    pub fn rendering(
        &self,
        profile: &'static Profile,
        shape: Option<&Shape>,
        event: &str,
    ) -> Result<Arc<Made>, BadRendering> {
        let way = (&*profile.name, shape.map(|shape| (shape.module, shape.number)), event.to_owned());
        if let Some(found) = self.renderings.read().ok().and_then(|made| made.get(&way).cloned()) {
            return Ok(found);
        }
        let data = shape
            .and_then(|shape| shape.events.iter().find(|named| named.name == event))
            .and_then(|named| named.data.clone());
        let rendering = Rendering::new(profile, &self.workspace, shape, event, data)?;
        let (id, document) = (rendering.id(), rendering.document());
        let made = Arc::new(Made { id, document, rendering: Arc::new(rendering) });
        if let Ok(mut all) = self.renderings.write() {
            all.insert(way, Arc::clone(&made));
        }
        Ok(made)
    }
}
