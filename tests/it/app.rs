//! The real gateway, started on a free port in a folder of its own, and an admin who knows its key.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate::clock::{Clock, Timestamp};
use tidegate::config::{Bounds, Config, Keep, admin_key_file};
use tidegate::serve::Running;

use crate::client::{Answer, Sender, http_client};
use crate::database::{Engine, Place};

/// Settings, folder and database: all that a gateway needs, and all that outlives it.
#[derive(Clone)]
pub struct Setup {
    pub config: Config,
    pub clock: Clock,
    place: Arc<Place>,
    folder: Arc<TempDir>,
}

impl Setup {
    pub async fn new(engine: Engine) -> Self {
        let folder = folder();
        let place = Place::make(engine, folder.path()).await;
        Self::of(folder, place)
    }

    /// Not migrated yet, as a gateway finds it at its first start.
    pub async fn on_empty_postgres() -> Self {
        Self::of(folder(), Place::make_empty_postgres().await)
    }

    /// On a PostgreSQL server of the test's own.
    pub fn on_server(url: String) -> Self {
        Self::of(folder(), Place::OwnPostgres { url })
    }

    fn of(folder: TempDir, place: Place) -> Self {
        let config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            admin_listen: None,
            data_dir: folder.path().to_owned(),
            database: place.setting(),
            public_url: None,
            trusted_proxies: Vec::new(),
            allow_targets: ["127.0.0.0/8", "::1"].map(|range| range.parse().unwrap()).to_vec(),
            egress_proxy: None,
            apply: Vec::new(),
            seal_key: None,
            keep: Keep::default(),
            mail: None,
            // Tests knock with many wrong keys, all from one address.
            bounds: Bounds { wrong_keys: 100_000, ..Bounds::default() },
        };
        Self { config, clock: Clock::system(), place: Arc::new(place), folder: Arc::new(folder) }
    }

    pub fn with_bounds(mut self, change: impl FnOnce(&mut Bounds)) -> Self {
        change(&mut self.config.bounds);
        self
    }

    /// Time passes when the test says so.
    pub fn with_stopped_clock(mut self) -> Self {
        let noon: Timestamp = "2026-03-04T12:00:00Z".parse().unwrap();
        self.clock = Clock::manual(noon);
        self
    }

    /// One more gateway on the same database, with a folder of its own and the same seal key.
    pub fn replica(&self) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let mut replica = self.clone();
        replica.config.data_dir = self.folder().join(format!("replica-{}", MADE.fetch_add(1, Ordering::Relaxed)));
        let seal_key = std::fs::read_to_string(self.folder().join("seal.key")).expect("the first has made a seal key");
        replica.config.seal_key = Some(seal_key.parse().expect("seal.key holds a seal key"));
        replica
    }

    pub fn database(&self) -> &Place {
        &self.place
    }

    /// For tasks of their own.
    pub fn shared_database(&self) -> Arc<Place> {
        Arc::clone(&self.place)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub async fn start(self) -> App {
        let running = Running::start(self.config.clone(), self.clock.clone()).await;
        let running = running.unwrap_or_else(|why| panic!("the gateway starts: {why}"));
        // The first of several replicas has made the key.
        App { admin: Admin::of(running.url(), self.folder()), running, setup: self }
    }

    /// Why the gateway does not start.
    pub async fn refusal(&self) -> String {
        match Running::start(self.config.clone(), self.clock.clone()).await {
            Ok(running) => panic!("the gateway has started at {}", running.url()),
            Err(why) => why.to_string(),
        }
    }
}

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("tidegate-it-").tempdir().unwrap()
}

/// A gateway that runs in this process.
pub struct App {
    pub setup: Setup,
    pub admin: Admin,
    running: Running,
}

impl App {
    pub fn database(&self) -> &Place {
        self.setup.database()
    }

    pub fn gateway(&self) -> &tidegate::gateway::Gateway {
        self.running.gateway()
    }

    /// One round of what the gateway does beside requests.
    pub async fn keep_house(&self) {
        let gateway = self.gateway();
        tidegate::work::housekeeping::tick(&gateway.store, &gateway.clock, &gateway.config.keep).await;
    }

    pub fn store(&self) -> &tidegate::store::Store {
        &self.gateway().store
    }

    /// What the gateway does by itself within a moment: edits by SQL come into the log.
    pub async fn number_edits(&self) {
        let gateway = self.gateway();
        tidegate::feed::mover::tick(&gateway.store, &gateway.clock, &gateway.tail).await.expect("edits are numbered");
    }

    /// One round of the jobs, beside those that the gateway makes by itself.
    pub async fn do_jobs(&self) {
        self.gateway().jobs.tick().await;
    }

    /// Drains, and leaves what can be started again.
    pub async fn stop(self) -> Setup {
        self.running.stop().await;
        self.setup
    }

    pub async fn restart(self) -> Self {
        self.stop().await.start().await
    }
}

impl Deref for App {
    type Target = Admin;

    fn deref(&self) -> &Admin {
        &self.admin
    }
}

/// Someone who knows a gateway's address and its first owner's key.
pub struct Admin {
    pub url: String,
    pub key: String,
    pub http: reqwest::Client,
}

impl Admin {
    /// Finds the key where every client on the same machine finds it.
    pub fn of(url: &str, data_dir: &Path) -> Self {
        let key = std::fs::read_to_string(admin_key_file(data_dir)).expect("admin.key was written");
        Self { url: url.to_owned(), key: key.trim().to_owned(), http: http_client() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path).bearer_auth(&self.key)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).bearer_auth(&self.key);
        Answer::to(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// With an `If-Match` when one is given.
    pub async fn put(&self, path: &str, body: Value, condition: Option<&str>) -> Answer {
        let request = self.request(Method::PUT, path).bearer_auth(&self.key).header("content-type", "application/json");
        let request = match condition {
            Some(condition) => request.header("if-match", condition),
            None => request,
        };
        Answer::to(request.body(body.to_string())).await
    }

    /// What the API shows at a path below `/api/v1`.
    pub async fn see(&self, path: &str) -> Value {
        self.get(&format!("/api/v1{path}")).await.done()
    }

    /// The record that an answer names.
    pub async fn record(&self, module: &str, answer: &Value) -> Value {
        self.see(&format!("/modules/{module}/records/{}", text(&answer["recordId"]))).await
    }

    /// The event that an answer names.
    pub async fn event(&self, answer: &Value) -> Value {
        self.see(&format!("/events/{}", text(&answer["eventId"]))).await
    }

    /// A whole list, page by page.
    pub async fn list(&self, path: &str, limit: usize) -> Vec<Value> {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = self.see(&format!("{path}{join}limit={limit}{cursor}")).await;
            let data = page["data"].as_array().expect("a list has its items in `data`");
            assert!(data.len() <= limit, "a page has at most `limit` items");
            found.extend(data.iter().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }

    pub async fn apply(&self, file: &str, secrets: Value) -> Answer {
        let body = json!({ "files": [{ "name": "test.toml", "text": file }], "secrets": secrets });
        self.post("/api/v1/apply", body).await
    }

    /// Applies a file, and answers a sender for each of its sources that is new, in the file's order.
    pub async fn senders(&self, file: &str, secrets: Value) -> Vec<Sender> {
        let applied = self.apply(file, secrets).await.done();
        let sources = applied["sources"].as_array().expect("apply answers with sources").iter();
        let new = sources.filter(|source| source["action"] == "created");
        let sender =
            |source: &Value| Sender::new(self.http.clone(), &self.url, text(&source["module"]), text(&source["token"]));
        new.map(sender).collect()
    }

    /// The sender of the first source of a file.
    pub async fn sender(&self, file: &str) -> Sender {
        self.senders(file, json!({})).await.swap_remove(0)
    }
}

/// A member that has to be a text.
#[track_caller]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("expected a text, found {value}"))
}
