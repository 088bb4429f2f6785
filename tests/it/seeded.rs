//! Endpoints and deliveries as rows, put there by another SQL client: what is to be shown of them does not depend on who
//! sends them.

use std::fmt::Write as _;

use http::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tidegate::clock::Timestamp;
use tidegate::id::{DeliveryId, EndpointId};

use crate::app::{Admin, App, text};
use crate::client::Answer;
use crate::database::{Engine, Place};

/// When what is settled was settled, unless a test says otherwise.
pub const SETTLED_AT: &str = "2026-03-04T11:00:00Z";

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Settled deliveries, alike but for their ids.
#[derive(Clone, Copy)]
pub struct Settled<'a> {
    pub endpoint: EndpointId,
    pub state: &'a str,
    pub event: &'a str,
    pub at: &'a str,
}

impl Settled<'_> {
    pub fn failed(endpoint: EndpointId) -> Self {
        Self { endpoint, state: "failed", event: "record_created", at: SETTLED_AT }
    }

    /// Their ids, in order. `first` is the number of the first one's change.
    pub async fn put(&self, place: &Place, first: i64, count: i64) -> Vec<String> {
        let settled_at = time(self.at).micros();
        let mut ids = Vec::new();
        let mut rows = String::new();
        for seq in first..first + count {
            // Changes of a while before that, a millisecond apart.
            let at = Timestamp::from_micros(time(SETTLED_AT).micros() - 3_600_000_000 + seq * 1_000).unwrap();
            let id = DeliveryId::of(at, &seq.to_string(), self.endpoint, 0).to_string();
            let (endpoint, state, event) = (self.endpoint, self.state, self.event);
            let join = if rows.is_empty() { "" } else { "," };
            write!(
                rows,
                "{join}('{id}', '{endpoint}', {seq}, 0, '{event}', '', '', 'r', '{state}', 6, 500, NULL, {}, {settled_at})",
                at.micros()
            )
            .unwrap();
            ids.push(id);
        }
        execute(place, &format!("INSERT INTO deliveries VALUES {rows}")).await;
        ids
    }
}

pub async fn execute(place: &Place, sql: &str) {
    place.hold_by(AssertSqlSafe(sql.to_owned())).await.let_go().await;
}

/// One that the gateway knows by its row alone: its settings are none that deliveries could be sent by.
pub async fn endpoint(place: &Place, state: &str) -> EndpointId {
    let id = EndpointId::new(time(SETTLED_AT));
    let sql = format!(
        "INSERT INTO endpoints (id, settings, state, state_at, since, version, created_at, updated_at) \
         VALUES ('{id}', '{{}}', '{state}', 0, 0, 1, 0, 0)"
    );
    execute(place, &sql).await;
    id
}

/// What was settled is due again.
pub async fn put_due(place: &Place, id: &str, set: &str) {
    let columns = "id, endpoint_id, seq, part, type, module_id, record_id, rendering";
    let sql = format!(
        "INSERT INTO due ({columns}, ordered, lane, attempts, run_at, claim, created_at) \
         SELECT {columns}, 1, 1, attempts, NULL, NULL, created_at FROM deliveries WHERE id = '{id}'; \
         UPDATE due SET {set} WHERE id = '{id}'"
    );
    execute(place, &sql).await;
}

/// From now on what becomes due is taken at once, and written down: what is made twice is seen twice.
pub async fn take_what_is_due(place: &Place) {
    let sql = match place.engine() {
        Engine::Sqlite => {
            "CREATE TABLE sent (id TEXT, lane INTEGER); CREATE TRIGGER taken AFTER INSERT ON due BEGIN \
             INSERT INTO sent VALUES (new.id, new.lane); DELETE FROM due WHERE id = new.id; END"
        }
        Engine::Postgres => {
            "CREATE TABLE sent (id TEXT, lane BIGINT); CREATE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN INSERT INTO sent VALUES (new.id, new.lane); DELETE FROM due WHERE id = new.id; RETURN NULL; END $$; \
             CREATE TRIGGER taken AFTER INSERT ON due FOR EACH ROW EXECUTE FUNCTION taken()"
        }
    };
    execute(place, sql).await;
}

/// Sorted, as often as they were sent.
pub async fn sent(place: &Place) -> Vec<String> {
    let rows = place.rows("SELECT id FROM sent ORDER BY id").await;
    rows.into_iter().map(|row| row[0].clone().unwrap()).collect()
}

/// A job that redelivers by this filter.
pub async fn redeliver(admin: &Admin, filter: Value) -> String {
    let mut body = filter;
    body["kind"] = json!("redeliver");
    let answer = admin.post("/api/v1/jobs", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    text(&answer.json()["id"]).to_owned()
}

pub async fn job(admin: &Admin, id: &str) -> Value {
    admin.see(&format!("/jobs/{id}")).await
}

/// Rounds until the job has ended; how it stands then. A job that waits for time to pass waits for ever where none does.
pub async fn drain(app: &App, id: &str) -> Value {
    const MOST_ROUNDS: usize = 3_000;
    for _ in 0..MOST_ROUNDS {
        app.do_jobs().await;
        let job = job(app, id).await;
        if !["queued", "running"].contains(&text(&job["state"])) {
            return job;
        }
    }
    panic!("the job does not end: {}", job(app, id).await);
}

pub async fn delete(app: &App, path: &str) -> Answer {
    Answer::to(app.request(Method::DELETE, &format!("/api/v1{path}")).bearer_auth(&app.key)).await
}

/// A key of another role.
pub async fn key(app: &Admin, role: &str) -> String {
    let made = app.post("/api/v1/keys", json!({ "name": format!("the {role}"), "role": role })).await.done();
    text(&made["key"]).to_owned()
}
