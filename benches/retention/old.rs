//! A million events that came days ago, put there by another SQL client.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tidegate::clock::Timestamp;
use tidegate::id::EventId;

use crate::subject::Subject;

const DAY: Duration = Duration::from_secs(86_400);
/// Over so many days they are spread.
const DAYS: u32 = 10;
/// Put there by one statement.
const CHUNK: u64 = 50_000;
const BODY: usize = 1_024;

enum Client {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

pub struct Old {
    client: Client,
    sources: Vec<String>,
    /// Whose events stay.
    other: String,
    /// The one that was there before removing began.
    oldest: Option<String>,
    /// Before the first of them.
    first: String,
    /// Behind the last of them.
    end: String,
}

impl Old {
    pub async fn open(gateway: &Subject) -> Self {
        let client = match gateway.database_url() {
            Some(url) => Client::Postgres(PgConnection::connect(&url).await.unwrap()),
            None => {
                let file = gateway.data_dir().join("tidegate.db");
                let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(60));
                Client::Sqlite(options.connect().await.unwrap())
            }
        };
        let mut old = Self {
            client,
            sources: Vec::new(),
            other: String::new(),
            oldest: None,
            first: String::new(),
            end: String::new(),
        };
        old.sources = old.texts("SELECT id FROM sources ORDER BY id".to_owned()).await;
        old
    }

    /// No source lets anything go.
    pub async fn keep_all(&mut self) {
        self.keep(usize::MAX, Some("400d")).await;
    }

    /// What is usual for all sources, or a week for some.
    pub async fn expire(&mut self, sources: usize) {
        if sources < self.sources.len() {
            self.keep(sources, Some("7d")).await;
        } else {
            self.keep(sources, None).await;
        }
    }

    async fn keep(&mut self, sources: usize, age: Option<&str>) {
        let last = self.sources[sources.min(self.sources.len()) - 1].clone();
        let set = match (&self.client, age) {
            (Client::Sqlite(_), Some(age)) => format!("json_set(settings, '$.keep', json('{{\"for\":\"{age}\"}}'))"),
            (Client::Sqlite(_), None) => "json_remove(settings, '$.keep')".to_owned(),
            (Client::Postgres(_), Some(age)) => {
                format!("(settings::jsonb || '{{\"keep\":{{\"for\":\"{age}\"}}}}')::text")
            }
            (Client::Postgres(_), None) => "(settings::jsonb - 'keep')::text".to_owned(),
        };
        self.run(format!("UPDATE sources SET settings = {set} WHERE id <= '{last}'")).await;
        self.run("UPDATE gateway SET config_version = config_version + 1".to_owned()).await;
    }

    /// So many, in order of time, of so many sources by turns; the youngest is `age` days old.
    pub async fn fill(&mut self, events: u64, sources: usize, age: u32) {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap();
        let end = Timestamp::from_micros(now).unwrap().before(age * DAY).midnight();
        let begin = end.before(DAYS * DAY);
        (self.first, self.end) = (EventId::floor(begin).to_string(), EventId::floor(end).to_string());
        if let Client::Postgres(_) = self.client {
            for day in (0..DAYS).map(|day| begin.after(day * DAY)) {
                let name = day.to_string()[..10].replace('-', "");
                let (from, to) = (EventId::floor(day), EventId::floor(day.after(DAY)));
                self.run(format!(
                    "CREATE TABLE events_{name} PARTITION OF events FOR VALUES FROM ('{from}') TO ('{to}')"
                ))
                .await;
            }
        }
        let names = self.sources.iter().take(sources).cloned().collect::<Vec<_>>();
        let step = begin.after(DAYS * DAY).since(begin) / u32::try_from(events).unwrap();
        for chunk in 0..events.div_ceil(CHUNK) {
            let count = CHUNK.min(events - chunk * CHUNK);
            let ids = (0..count).map(|number| {
                let place = chunk * CHUNK + number;
                let at = begin.after(step * u32::try_from(place).unwrap());
                format!("[\"{}\",\"{}\"]", EventId::new(at), names[usize::try_from(place).unwrap() % names.len()])
            });
            let ids = ids.collect::<Vec<_>>().join(",");
            self.run(self.insert(&format!("[{ids}]"))).await;
        }
        if let Some(other) = self.sources.get(sources).cloned() {
            // One that is still kept lies in each day, so that no day can be dropped as a whole.
            let id = |day: u32| format!("[\"{}\",\"{other}\"]", EventId::new(begin.after(day * DAY + DAY / 2)));
            let ids = (0..DAYS).map(id).collect::<Vec<_>>().join(",");
            self.run(self.insert(&format!("[{ids}]"))).await;
            self.other = other;
        }
        if let Client::Postgres(_) = self.client {
            self.run("VACUUM ANALYZE events".to_owned()).await;
            self.run("CHECKPOINT".to_owned()).await;
        }
    }

    fn insert(&self, ids: &str) -> String {
        let (body, rows) = match self.client {
            Client::Sqlite(_) => (
                format!("randomblob({BODY})"),
                format!("SELECT value ->> 0 AS id, value ->> 1 AS source FROM json_each('{ids}')"),
            ),
            Client::Postgres(_) => (
                format!("decode(repeat('7b', {BODY}), 'hex')"),
                format!("SELECT value ->> 0 AS id, value ->> 1 AS source FROM json_array_elements('{ids}')"),
            ),
        };
        format!(
            "INSERT INTO events (id, received_at, module_id, source_id, request_id, verdict, state, record_ids, headers, \
             body, body_size, kept_bytes, duration_us) SELECT id, 0, 'mod_1', source, 'req_1', 'created', 'done', \
             '[\"rec_00000000000000000000000000\"]', '{{\"content-type\":\"application/json\"}}', {body}, {BODY}, {BODY}, \
             1000 FROM ({rows}) AS rows"
        )
    }

    /// Whether the first of them is gone.
    pub async fn is_going(&mut self) -> bool {
        let oldest = self.oldest().await;
        if self.oldest.is_none() {
            self.oldest.clone_from(&oldest);
        }
        self.oldest != oldest
    }

    /// Whether all of them are.
    pub async fn is_gone(&mut self) -> bool {
        self.oldest().await.is_none()
    }

    async fn oldest(&mut self) -> Option<String> {
        let (first, end) = (&self.first, &self.end);
        let other = &self.other;
        let text = format!(
            "SELECT id FROM events WHERE id >= '{first}' AND id < '{end}' AND source_id <> '{other}' ORDER BY id LIMIT 1"
        );
        self.texts(text).await.pop()
    }

    async fn texts(&mut self, text: String) -> Vec<String> {
        match &mut self.client {
            Client::Sqlite(client) => sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(client).await.unwrap(),
            Client::Postgres(client) => sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(client).await.unwrap(),
        }
    }

    async fn run(&mut self, text: String) {
        match &mut self.client {
            Client::Sqlite(client) => drop(sqlx::raw_sql(AssertSqlSafe(text)).execute(client).await.unwrap()),
            Client::Postgres(client) => drop(sqlx::raw_sql(AssertSqlSafe(text)).execute(client).await.unwrap()),
        }
    }
}
