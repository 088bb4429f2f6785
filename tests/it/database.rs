//! A database of one test's own, and SQL on it as any other client would speak it.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row, SqlSafeStr, SqliteConnection};
use tidegate::config::Database;
use tidegate::store::{Connect, Store};
use tokio::sync::OnceCell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Where the rows of one test are. Dropping it drops the database.
pub enum Place {
    Sqlite {
        file: PathBuf,
    },
    Postgres {
        name: String,
        url: String,
    },
    /// On a server that goes with the test, and the database with it.
    OwnPostgres {
        url: String,
    },
}

/// A transaction of another client, which holds what it has locked until it is let go.
pub enum Held {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Columns as text; a query casts what is none.
pub type Texts = Vec<Vec<Option<String>>>;

/// Runs the body on a fresh connection of either kind.
macro_rules! connected {
    ($place:expr, $connection:ident => $body:expr) => {
        match $place.connect().await {
            Held::Sqlite(mut $connection) => $body,
            Held::Postgres(mut $connection) => $body,
        }
    };
}

impl Place {
    pub async fn make(engine: Engine, data_dir: &Path) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite { file: data_dir.join("tidegate.db") },
            Engine::Postgres => Self::copy_of(template().await).await,
        }
    }

    pub async fn make_empty_postgres() -> Self {
        Self::copy_of("template0").await
    }

    async fn copy_of(template: &str) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("tidegate_test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        on_server(format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"")).await;
        let url = url_of(&name);
        Self::Postgres { name, url }
    }

    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite { .. } => Engine::Sqlite,
            Self::Postgres { .. } | Self::OwnPostgres { .. } => Engine::Postgres,
        }
    }

    pub fn setting(&self) -> Database {
        match self {
            Self::Sqlite { .. } => Database::Sqlite,
            Self::Postgres { url, .. } | Self::OwnPostgres { url } => {
                Database::Postgres { url: url.clone().into(), direct_url: None }
            }
        }
    }

    async fn connect(&self) -> Held {
        match self {
            Self::Sqlite { file } => {
                Held::Sqlite(SqliteConnectOptions::new().filename(file).connect().await.expect("the file opens"))
            }
            Self::Postgres { url, .. } | Self::OwnPostgres { url } => {
                let options = PgConnectOptions::from_str(url).unwrap().options([("timezone", "UTC")]);
                Held::Postgres(options.connect().await.expect("the database answers"))
            }
        }
    }

    pub async fn rows(&self, sql: impl SqlSafeStr) -> Texts {
        connected!(self, connection => {
            let rows = sqlx::query(sql.into_sql_str()).fetch_all(&mut connection).await.expect("the query runs");
            connection.close().await.unwrap();
            rows.iter().map(|row| (0..row.len()).map(|place| row.get(place)).collect()).collect()
        })
    }

    /// The single text that the query finds.
    pub async fn text(&self, sql: impl SqlSafeStr) -> Option<String> {
        let rows = self.rows(sql).await;
        assert_eq!(rows.len(), 1, "the query finds one row");
        rows[0][0].clone()
    }

    /// The number of rows of a table, or of what else may stand after FROM.
    pub async fn count(&self, from: &str) -> usize {
        let sql = format!("SELECT CAST(count(*) AS text) FROM {from}");
        self.text(AssertSqlSafe(sql)).await.unwrap().parse().unwrap()
    }

    /// Another client does this and is gone.
    pub async fn run(&self, sql: impl SqlSafeStr) {
        self.hold_by(sql).await.let_go().await;
    }

    /// What another client is told that may not do this.
    pub async fn refused(&self, sql: impl SqlSafeStr) -> String {
        let sql = sqlx::raw_sql(sql.into_sql_str());
        let done = connected!(self, connection => {
            let done = sql.execute(&mut connection).await.map(|_| ());
            connection.close().await.unwrap();
            done
        });
        done.expect_err("it is refused").to_string()
    }

    /// Another client takes what the writer needs, and keeps it: the file's write lock, or the module's table.
    pub async fn hold(&self, table: &str) -> Held {
        match self.engine() {
            Engine::Sqlite => self.hold_by("BEGIN IMMEDIATE").await,
            Engine::Postgres => {
                let sql = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
                self.hold_by(AssertSqlSafe(sql)).await
            }
        }
    }

    /// Another client keeps what this SQL has taken.
    pub async fn hold_by(&self, sql: impl SqlSafeStr) -> Held {
        let mut held = self.connect().await;
        let sql = sqlx::raw_sql(sql);
        match &mut held {
            Held::Sqlite(connection) => drop(sql.execute(connection).await.expect("it is free")),
            Held::Postgres(connection) => drop(sql.execute(connection).await.expect("it is free")),
        }
        held
    }

    /// PostgreSQL goes away, as in a restart that takes long: connections break off, and no new one is taken.
    pub async fn close_the_door(&self) {
        let Self::Postgres { name, .. } = self else { panic!("only a database on the shared server has a door") };
        on_server(format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false")).await;
        self.end_connections().await;
    }

    /// All that are open, as a restart or an administrator would; new ones may be made.
    pub async fn end_connections(&self) {
        let Self::Postgres { name, .. } = self else { panic!("only a database on the shared server has connections") };
        on_server(format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"))
            .await;
    }

    pub async fn open_the_door(&self) {
        let Self::Postgres { name, .. } = self else { panic!("only a database on the shared server has a door") };
        on_server(format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true")).await;
    }

    /// Every value of every table as text, bytes as hexadecimal digits.
    pub async fn dump(&self) -> String {
        let tables = match self.engine() {
            Engine::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table'",
            Engine::Postgres => "SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = 'public'",
        };
        let mut all = String::new();
        for table in self.rows(tables).await {
            let table = table[0].clone().unwrap();
            let sql = match self.engine() {
                Engine::Postgres => format!("SELECT CAST(t AS text) FROM \"{table}\" t"),
                Engine::Sqlite => {
                    let sql = format!(
                        "SELECT group_concat('quote(\"' || name || '\")', ' || '' '' || ') FROM pragma_table_info('{table}')"
                    );
                    format!("SELECT {} FROM \"{table}\"", self.text(AssertSqlSafe(sql)).await.unwrap())
                }
            };
            all.extend(self.rows(AssertSqlSafe(sql)).await.into_iter().flatten().flatten().map(|row| row + "\n"));
        }
        all
    }
}

impl Held {
    /// What was begun takes effect.
    pub async fn commit(mut self) {
        match &mut self {
            Self::Sqlite(connection) => drop(sqlx::raw_sql("COMMIT").execute(connection).await.expect("it commits")),
            Self::Postgres(connection) => drop(sqlx::raw_sql("COMMIT").execute(connection).await.expect("it commits")),
        }
        self.let_go().await;
    }

    pub async fn let_go(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}

impl Drop for Place {
    /// A thread and runtime of its own: a test that panics leaves by this way, too. Best effort, since the server is
    /// a throw-away one.
    fn drop(&mut self) {
        let Self::Postgres { name, .. } = self else { return };
        let sql = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
        let done = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(on_server(sql));
        });
        drop(done.join());
    }
}

/// The server that tests may make databases on.
#[expect(clippy::disallowed_methods, reason = "the server is handed over by scripts/test")]
fn server() -> String {
    std::env::var("TIDEGATE_TEST_POSTGRES_URL").expect(
        "TIDEGATE_TEST_POSTGRES_URL names no PostgreSQL server: run scripts/test, which starts one for the tests",
    )
}

fn url_of(database: &str) -> String {
    let mut url = reqwest::Url::parse(&server()).expect("TIDEGATE_TEST_POSTGRES_URL is a URL");
    url.set_path(database);
    url.into()
}

async fn on_server(sql: String) {
    let options = PgConnectOptions::from_str(&server()).expect("TIDEGATE_TEST_POSTGRES_URL is a postgres:// URL");
    let mut connection = options.connect().await.expect("the server of TIDEGATE_TEST_POSTGRES_URL answers");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the server does as it is told");
    connection.close().await.unwrap();
}

/// The database that those of the tests are copies of: migrated once a process, which is what takes time.
async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("tidegate_test_{}", std::process::id());
            on_server(format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)")).await;
            on_server(format!("CREATE DATABASE \"{name}\"")).await;
            let connect = Connect::Postgres { url: url_of(&name).into(), direct: None };
            Store::connect(&connect).await.expect("the migrations run").close().await;
            name
        })
        .await
}
