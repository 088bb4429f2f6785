//! One inbound request on its way through the door: what is known of it so far.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use http_body::Body as _;

use super::body::Held;
use super::kept::{Kept, Received};
use super::{body, headers};
use crate::clock::Timestamp;
use crate::gateway::{Door, Gateway, Peer};
use crate::id::{EventId, RequestId};
use crate::intake::{self, Format, Judged};
use crate::problem::{Code, Problem};
use crate::secret::bearer;
use crate::store::refusals::Refusal;
use crate::store::writer::Entry;
use crate::verify::Signed;

/// Bytes of a body that are judged on the thread that read them.
const JUDGED_AT_ONCE: usize = 64 * 1024;
/// The same where a rule may look at many nodes.
const JUDGED_AT_ONCE_IF_WIDE: usize = 2 * 1024;
/// Errors of a refused event that are kept.
const KEPT_ERRORS: usize = 100;

/// Names in the log line of a request; nothing a sender wrote.
#[derive(Clone, Debug, Default)]
pub struct Noted {
    pub module: Option<String>,
    pub source: Option<String>,
    pub event: Option<EventId>,
}

pub struct Arrival {
    pub event: EventId,
    pub received_at: Timestamp,
    pub request: RequestId,
    pub address: Option<String>,
    pub event_type: Option<String>,
    pub noted: Noted,
}

pub struct Inbound {
    pub arrival: Arrival,
    pub headers: HeaderMap,
    pub body: Held,
    method: Method,
    uri: Uri,
    door: Option<Arc<Door>>,
    /// What was signed, where that is all that tells the event from others.
    pub once: OnceLock<[u8; 32]>,
    /// It is a handshake that brings a secret, which is kept nowhere in the clear.
    pub offers_secret: OnceLock<()>,
    /// Version of the configuration that the door belongs to.
    pub judged_by: i64,
    unread: Option<Body>,
}

impl Inbound {
    pub fn new(gateway: &Gateway, request: Request) -> Self {
        let received_at = gateway.clock.now();
        let (parts, body) = request.into_parts();
        let peer = parts.extensions.get::<Peer>();
        let arrival = Arrival {
            event: EventId::new(received_at),
            received_at,
            request: peer.map_or_else(|| RequestId::new(received_at), |peer| peer.request),
            address: peer.map(|peer| peer.address.to_string()),
            event_type: None,
            noted: Noted::default(),
        };
        Self {
            arrival,
            headers: parts.headers,
            body: Held::nothing(),
            method: parts.method,
            uri: parts.uri,
            door: None,
            once: OnceLock::new(),
            offers_secret: OnceLock::new(),
            judged_by: 0,
            unread: Some(body),
        }
    }

    /// By the token in the path, or as a bearer. Whatever is wrong with either, the answer is the same, and so is the
    /// way to it: one hash, one look-up.
    pub fn find_door(&mut self, gateway: &Gateway) -> Result<Arc<Door>, Problem> {
        let door = self.look_up(gateway).ok_or_else(|| Problem::from(Code::Unauthorized))?;
        self.enter(&door);
        Ok(door)
    }

    /// The door as it stands by now, where the configuration has moved since it was found.
    pub fn find_door_again(&mut self, gateway: &Gateway, door: Arc<Door>) -> Result<Arc<Door>, Problem> {
        let snapshot = gateway.snapshot();
        if snapshot.version == self.judged_by {
            return Ok(door);
        }
        let (module, token) = (self.address().0, self.token());
        let door = snapshot.door(module, token, gateway.clock.now()).cloned();
        let door = door.ok_or_else(|| Problem::from(Code::Unauthorized))?;
        if !door.source.settings.enabled {
            return Err(Code::SourceDisabled.into());
        }
        self.judged_by = snapshot.version;
        self.enter(&door);
        Ok(door)
    }

    pub fn look_up(&mut self, gateway: &Gateway) -> Option<Arc<Door>> {
        let snapshot = gateway.snapshot();
        let door = snapshot.door(self.address().0, self.token(), self.arrival.received_at).cloned();
        self.judged_by = snapshot.version;
        door
    }

    /// From here on the request is the source's: its log line and its refusals say so.
    pub fn enter(&mut self, door: &Arc<Door>) {
        self.arrival.noted = Noted {
            module: Some(door.source.shape.slug.to_string()),
            source: Some(door.source.slug.to_string()),
            event: Some(self.arrival.event),
        };
        self.door = Some(Arc::clone(door));
    }

    /// Module and token as they are in the path.
    fn address(&self) -> (&str, Option<&str>) {
        let path = self.uri.path().strip_prefix("/api/webhooks/").unwrap_or_default();
        path.split_once('/').map_or((path, None), |(module, token)| (module, Some(token)))
    }

    pub fn token(&self) -> &str {
        self.address().1.unwrap_or_else(|| bearer(&self.headers).unwrap_or_default())
    }

    pub fn method(&self) -> &Method {
        &self.method
    }

    /// What came holds a secret, or what may become one: no log keeps it.
    pub fn forget(&mut self) {
        (self.headers, self.body) = (HeaderMap::new(), Held::nothing());
        self.unread = Some(Body::empty());
    }

    /// The source that it came to, where its sender insists on refusals without a body.
    pub fn wants_bare_refusals(&self) -> bool {
        self.door.as_ref().is_some_and(|door| door.source.refuses_bare())
    }

    /// Reads the body once, as raw bytes, limited while it streams.
    pub async fn read_body(&mut self, gateway: &Gateway, most: usize) -> Result<(), Problem> {
        let Some(unread) = self.unread.as_mut() else { return Ok(()) };
        let length = headers::content_length(&self.headers);
        if length.is_some_and(|length| length > most) {
            return Err(body::too_large(gateway, most));
        }
        self.body = body::read(unread, most, gateway).await?;
        self.unread = None;
        Ok(())
    }

    /// The URL as the sender knows it.
    pub fn public_url(&self, gateway: &Gateway) -> String {
        let path = self.uri.path_and_query().map_or("", |path| path.as_str());
        [gateway.url(), path].concat()
    }

    /// What a signature may cover.
    pub fn signed<'a>(&'a self, url: &'a str) -> Signed<'a> {
        let (path, query) = (self.uri.path(), self.uri.query());
        Signed { method: self.method.as_str(), url, path, query, headers: &self.headers, body: &self.body.bytes }
    }

    /// A large document takes long enough to be worth a thread that nobody else waits for.
    pub fn judge(&self, door: &Door, format: Format) -> Judged {
        let (headers, body) = (&self.headers, &*self.body.bytes);
        let (query, received_at, event) = (self.uri.query(), self.arrival.received_at, self.arrival.event);
        let once = self.once.get().copied();
        let request = intake::Request { format, headers, query, body, received_at, event, once };
        let at_once = if door.source.mapping.is_wide() { JUDGED_AT_ONCE_IF_WIDE } else { JUDGED_AT_ONCE };
        if body.len() > at_once {
            return tokio::task::block_in_place(|| intake::judge(&door.source, request));
        }
        intake::judge(&door.source, request)
    }

    /// The row of the event log.
    pub fn accepted(&self, door: &Door) -> Entry {
        self.entry(door, Kept::of_accepted(&self.received(), &door.source))
    }

    fn refused(&self, door: &Door) -> Entry {
        self.entry(door, Kept::of_refused(&self.received(), &door.source))
    }

    fn received(&self) -> Received<'_> {
        let body = self.unread.is_none().then_some(&self.body.bytes);
        Received { headers: &self.headers, query: self.uri.query(), body }
    }

    fn entry(&self, door: &Door, Kept { headers, query, body, payload }: Kept) -> Entry {
        Entry {
            id: self.arrival.event,
            received_at: self.arrival.received_at,
            request: self.arrival.request,
            module: door.source.shape.module,
            source: door.source.id,
            event_type: self.arrival.event_type.clone(),
            mapping_version: door.source.mapping_version,
            address: self.arrival.address.clone(),
            replay_of: None,
            query,
            headers,
            body,
            payload,
            body_size: self.body.bytes.len(),
        }
    }

    /// What it came to, for who looks after the source.
    pub fn count(&self, cause: &'static str) {
        if let Some(door) = &self.door {
            door.tally.count(cause, self.arrival.received_at);
        }
    }

    /// Hands a refused request to the refusals lane, as far as a source is known: a stranger's requests are counted.
    pub fn keep_refusal(&mut self, gateway: &Gateway, problem: &Problem) {
        if problem.code() == Code::HandshakeRefused || self.offers_secret.get().is_some() {
            self.forget();
        }
        let Some(door) = &self.door else { return };
        // What was refused because too much is being written is not to be written, either.
        if problem.code() == Code::QueueFull {
            return gateway.metrics.refusal_dropped();
        }
        if !door.refusals.allows(gateway.clock.monotonic()) {
            return gateway.metrics.refusal_dropped();
        }
        let entry = self.refused(door);
        let errors = problem.errors().iter().take(KEPT_ERRORS).cloned().collect();
        let refusal = Refusal { entry, cause: problem.code().as_str(), errors };
        if !gateway.refusals.keep(refusal) {
            gateway.metrics.refusal_dropped();
        }
    }

    /// Takes in some of what the sender is still sending while the answer is on its way, so that it gets to read it.
    pub fn drain_beside(&mut self, gateway: &Gateway) {
        let expects = self.headers.contains_key(header::EXPECT);
        if let Some(unread) = self.unread.take().filter(|unread| !expects && !unread.is_end_stream()) {
            gateway.run_beside(body::drain(unread));
        }
    }
}

impl Arrival {
    /// Leaves with the response what the request's log line is to say.
    pub fn note(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self.noted);
        response
    }
}
