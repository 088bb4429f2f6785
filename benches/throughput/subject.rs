//! What is measured: a server in a process of its own, on a database of its own.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use sqlx::{Connection, Executor};
use tempfile::TempDir;

use crate::load::{SECRET, Target};

const SOURCES: usize = 1_000;

pub struct Subject {
    pub target: Arc<Target>,
    server: Child,
    database: Option<(String, String)>,
    _folder: TempDir,
}

impl Subject {
    pub async fn plain(postgres: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = make_database(postgres).await;
        let url = match &database {
            Some((server, name)) => on(server, name),
            None => format!("sqlite:{}", folder.path().join("plain.db").display()),
        };
        let mut server = Command::new(std::env::current_exe().unwrap());
        let mut server = server.args(["plain-server", &url]).stdout(Stdio::piped()).spawn().unwrap();
        let address = first_line(&mut server).trim().to_owned();
        let target = Arc::new(Target { address, paths: vec!["/".to_owned()] });
        Self { target, server, database, _folder: folder }
    }

    pub async fn tidegate(postgres: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = make_database(postgres).await;
        let file = folder.path().join("bench.toml");
        std::fs::write(&file, module_file()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command
            .args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("data"))
            .arg("--apply")
            .arg(&file)
            .env("BENCH_SECRET", SECRET)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        if let Some((server, name)) = &database {
            command.env("TIDEGATE_DATABASE_URL", on(server, name));
        }
        let mut server = command.spawn().unwrap();
        let banner: serde_json::Value = serde_json::from_str(&first_line(&mut server)).expect("the gateway's banner");
        let sources = banner["sources"].as_array().unwrap().iter();
        let paths =
            sources.map(|source| format!("/api/webhooks/bench/{}", source["token"].as_str().unwrap())).collect();
        let target = Arc::new(Target { address: banner["listen"].as_str().unwrap().to_owned(), paths });
        Self { target, server, database, _folder: folder }
    }

    /// User and system time of the server, in seconds.
    pub fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.server.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let field = |place: usize| after_name.split_whitespace().nth(place).and_then(|text| text.parse::<f64>().ok());
        // Linux counts in hundredths of a second.
        (field(11).unwrap_or(0.0) + field(12).unwrap_or(0.0)) / 100.0
    }

    pub fn peak_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1_024.0
    }

    pub async fn stop(mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
        if let Some((server, name)) = &self.database {
            let mut connection = sqlx::PgConnection::connect(server).await.unwrap();
            let text = sqlx::AssertSqlSafe(format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
            connection.execute(text).await.unwrap();
        }
    }
}

async fn make_database(server: Option<&str>) -> Option<(String, String)> {
    let server = server?.to_owned();
    let name = format!("tidegate_bench_{}", std::process::id());
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE \"{name}\""))).await.unwrap();
    Some((server, name))
}

/// The URL of a server's database of this name.
fn on(server: &str, name: &str) -> String {
    let (head, _) = server.rsplit_once('/').unwrap();
    format!("{head}/{name}")
}

fn first_line(server: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line
}

/// One module of six fields, and a thousand sources that map onto it.
fn module_file() -> String {
    let mut text = String::from(
        "[module]\nslug = \"bench\"\nmatch = [\"product_code\"]\n\n[module.fields]\nproduct_code = { type = \"text\", required = true }\n\
         quantity = \"integer\"\nwork_center = \"text\"\nprice = \"decimal\"\nurgent = \"boolean\"\ndue = \"timestamp\"\n",
    );
    for number in 0..SOURCES {
        write!(
            text,
            "\n[[source]]\nslug = \"s{number}\"\nevent_type = \"$.type\"\nevent_id = \"$.id\"\nrate_limit = {{ per_minute = 1000000 }}\n\
             signature = {{ header = \"X-Webhook-Signature\", prefix = \"sha256=\", secret = \"env:BENCH_SECRET\" }}\n"
        )
        .unwrap();
        for (from, to) in [
            ("sku", "product_code"),
            ("qty", "quantity"),
            ("station", "work_center"),
            ("price", "price"),
            ("urgent", "urgent"),
            ("due", "due"),
        ] {
            write!(text, "[[source.rule]]\nfrom = \"$.payload.{from}\"\nto = \"{to}\"\n").unwrap();
        }
    }
    text
}
