//! How long a page of the event log takes, over HTTP, with few events behind it and with many: the release build, its
//! database and the client share this machine.
//!
//!     cargo bench --bench admin
//!
//! SQLite, and PostgreSQL as for `throughput`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and the environment")]

#[path = "../throughput/cluster.rs"]
#[allow(dead_code, reason = "shared with benches that use all of it")]
mod cluster;
#[path = "../throughput/process.rs"]
#[allow(dead_code, reason = "the other benchmark's figures")]
mod process;

use std::path::Path;
use std::time::{Duration, Instant};

use cluster::Postgres;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor};
use tidegate::clock::{Clock, Timestamp};
use tidegate::config::{Bounds, Config, Database, admin_key_file};
use tidegate::id::EventId;
use tidegate::serve::Running;

const MODULES: [&str; 2] =
    [include_str!("../../tests/data/modules/orders.toml"), include_str!("../../tests/data/modules/two-doors.toml")];
const SIZES: [usize; 2] = [2_000, 200_000];
/// Of each filter; some more before, which are not counted.
const REQUESTS: usize = 300;
const WARM_UP: usize = 30;
/// Events of one statement.
const CHUNK: usize = 1_000;
/// The events were received over so long a time.
const SPAN: Duration = Duration::from_secs(5 * 24 * 3_600);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // It fails when it was done before, and then it need not be done.
        let _ = rustls::crypto::ring::default_provider().install_default();
        println!("Pages of 100 events; p50 / p95 in milliseconds, with so many events in the log.\n");
        println!("SQLite {}", cluster::sqlite_version().await);
        compare(None).await;
        let place = std::env::temp_dir();
        let Some(postgres) = Postgres::find(&place, &[]).await else { return };
        println!("\n{}", postgres.describe().await);
        compare(Some(&postgres)).await;
    });
}

async fn compare(postgres: Option<&Postgres>) {
    let mut columns = Vec::new();
    for size in SIZES {
        columns.push(measured(postgres, size).await);
    }
    println!("{:<28}{:>20}{:>20}{:>12}", "", SIZES[0], SIZES[1], "p95 times");
    for ((name, few), (_, many)) in columns[0].iter().zip(&columns[1]) {
        let shown = |(p50, p95): &(f64, f64)| format!("{p50:.2} / {p95:.2}");
        println!("{name:<28}{:>20}{:>20}{:>12.2}", shown(few), shown(many), many.1 / few.1);
    }
}

/// Each filter's p50 and p95.
async fn measured(postgres: Option<&Postgres>, size: usize) -> Vec<(&'static str, (f64, f64))> {
    let folder = tempfile::tempdir().unwrap();
    let name = match postgres {
        Some(postgres) => Some(postgres.make_database(&format!("admin_{size}")).await),
        None => None,
    };
    let url = name.as_ref().zip(postgres).map(|(name, postgres)| postgres.url(name));
    let database = url.clone().map_or(Database::Sqlite, |url| Database::Postgres { url: url.into(), direct_url: None });
    let running = Running::start(config(folder.path(), database), Clock::system()).await.unwrap();
    let api = Api {
        http: reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap(),
        url: running.url().to_owned(),
        key: std::fs::read_to_string(admin_key_file(folder.path())).unwrap().trim().to_owned(),
    };
    let files = MODULES.map(|text| json!({ "name": "bench.toml", "text": text }));
    api.post("/api/v1/apply", json!({ "files": files })).await;
    let file = folder.path().join("tidegate.db");
    let ids = seed(&api, url.as_deref(), &file, size).await;
    let at = |place: usize| (Clock::system().now().before(SPAN)).after(SPAN.mul_f64(place as f64 / 10.0));
    let (since, until) = (at(4), at(6));
    let deep = &ids[size / 10];
    let filters = [
        ("no filter", String::new()),
        ("module and source", "?module=machines&source=hall".to_owned()),
        ("module", "?module=machines".to_owned()),
        ("verdict=refused", "?verdict=refused".to_owned()),
        ("type", "?type=order.3".to_owned()),
        ("since and until", format!("?since={since}&until={until}")),
        ("deep cursor", format!("?cursor={deep}")),
        ("a type that none has", "?type=none".to_owned()),
        ("a text that none has", "?text=nothing-of-the-kind".to_owned()),
    ];
    let mut found = Vec::new();
    for (name, query) in filters {
        found.push((name, api.times(&format!("/api/v1/events{query}")).await));
    }
    running.stop().await;
    if let Some((name, postgres)) = name.zip(postgres) {
        postgres.drop_database(&name).await;
    }
    found
}

fn config(folder: &Path, database: Database) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        admin_listen: None,
        data_dir: folder.to_owned(),
        database,
        public_url: None,
        trusted_proxies: Vec::new(),
        allow_targets: Vec::new(),
        egress_proxy: None,
        apply: Vec::new(),
        seal_key: None,
        keep: Default::default(),
        mail: None,
        bounds: Bounds::default(),
    }
}

struct Api {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Api {
    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.key).json(&body);
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.key);
        request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap().to_vec()
    }

    /// p50 and p95, in milliseconds.
    async fn times(&self, path: &str) -> (f64, f64) {
        let mut times = Vec::with_capacity(REQUESTS);
        for number in 0..WARM_UP + REQUESTS {
            let begun = Instant::now();
            self.get(path).await;
            if number >= WARM_UP {
                times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        times.sort_by(f64::total_cmp);
        (times[REQUESTS / 2], times[REQUESTS * 95 / 100])
    }
}

/// Three sources, five types, every fiftieth refused. Answers the ids, oldest first.
async fn seed(api: &Api, url: Option<&str>, file: &Path, size: usize) -> Vec<String> {
    let mut sources = Vec::new();
    for module in ["orders", "machines"] {
        let list: Value = serde_json::from_slice(&api.get(&format!("/api/v1/modules/{module}/sources")).await).unwrap();
        sources.extend(list["data"].as_array().unwrap().iter().map(|source| source["id"].as_str().unwrap().to_owned()));
    }
    let first = Clock::system().now().before(SPAN);
    let times = (0..size).map(|place| first.after(SPAN.mul_f64(place as f64 / size as f64))).collect::<Vec<_>>();
    let ids = times.iter().map(|at| EventId::new(*at).to_string()).collect::<Vec<_>>();
    let bytes = if url.is_some() { "convert_to('{}', 'UTF8')" } else { "CAST('{}' AS BLOB)" };
    let row = |place: usize| row(place, (&ids[place], times[place]), &sources, bytes);
    for begin in (0..size).step_by(CHUNK) {
        let rows = (begin..(begin + CHUNK).min(size)).map(row).collect::<Vec<_>>().join(",");
        let text = format!(
            "INSERT INTO events (id, received_at, module_id, source_id, request_id, verdict, cause, state, event_type, \
             mapping_version, record_ids, headers, body, body_size, duration_us) VALUES {rows}"
        );
        run(url, file, text).await;
    }
    run(url, file, "ANALYZE".to_owned()).await;
    ids
}

fn row(place: usize, (id, at): (&str, Timestamp), sources: &[String], bytes: &str) -> String {
    let (verdict, cause) =
        if place.is_multiple_of(50) { ("refused", "'judgement_failed'") } else { ("updated", "NULL") };
    let body = json!({ "type": "order", "number": place, "note": "a payload of a usual size ".repeat(20) }).to_string();
    let (bytes, size) = (bytes.replace("{}", &body), body.len());
    let (source, kind) = (&sources[place % sources.len()], place % 5);
    let headers = json!({ "content-type": "application/json", "user-agent": "bench" });
    format!(
        "('{id}', {}, 'mod_x', '{source}', 'req_x', '{verdict}', {cause}, 'done', 'order.{kind}', 1, \
         '[\"rec_00000000000000000000000000\"]', '{headers}', {bytes}, {size}, 900)",
        at.micros()
    )
}

async fn run(url: Option<&str>, file: &Path, text: String) {
    match url {
        Some(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            connection.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.unwrap();
            connection.close().await.unwrap();
        }
        None => {
            let options =
                sqlx::sqlite::SqliteConnectOptions::new().filename(file).busy_timeout(Duration::from_secs(30));
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
            connection.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}
