//! What differs between the two databases, and the one place where SQL is built from pieces: the pieces are
//! statements of this crate, checked names, and integers.

use sqlx::SqlStr;

use crate::record::field::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

/// What a column holds, as far as storage is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    Integer,
    Decimal,
    Boolean,
    Timestamp,
    Date,
    /// A json field: travels as its canonical text, so that a scalar keeps its form.
    Json,
    /// A body, as it was received.
    Bytes,
}

impl Type {
    fn postgres(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Decimal => "numeric",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamptz",
            Self::Date => "date",
            Self::Json => "json",
            Self::Bytes => "bytea",
        }
    }

    /// How PostgreSQL is sent a column of it; what has no binary form of ours travels as text.
    pub fn array(self) -> &'static str {
        match self {
            Self::Integer => "bigint[]",
            Self::Boolean => "boolean[]",
            Self::Bytes => "bytea[]",
            Self::Text | Self::Decimal | Self::Timestamp | Self::Date | Self::Json => "text[]",
        }
    }
}

impl From<&Kind> for Type {
    fn from(kind: &Kind) -> Self {
        match kind {
            Kind::Text | Kind::Status(_) => Self::Text,
            Kind::Integer => Self::Integer,
            Kind::Decimal => Self::Decimal,
            Kind::Boolean => Self::Boolean,
            Kind::Timestamp => Self::Timestamp,
            Kind::Date => Self::Date,
            Kind::Json => Self::Json,
        }
    }
}

/// Two numbers name an advisory lock of the gateway itself; modules use the space of single 64-bit numbers.
pub const FEED_LOCK: (i32, i32) = (0x7469_6465, 1);

/// A statement made of checked pieces.
pub fn sql(text: String) -> SqlStr {
    sqlx::SqlSafeStr::into_sql_str(sqlx::AssertSqlSafe(text))
}

impl Dialect {
    /// Whether the column is one of the texts of `$1`, a JSON array.
    pub fn among(self, column: &str) -> String {
        match self {
            Self::Postgres => format!("{column} IN (SELECT json_array_elements_text($1::json))"),
            Self::Sqlite => format!("{column} IN (SELECT value FROM json_each($1))"),
        }
    }

    /// The member `name` of a row that is sent, as its column takes it.
    pub fn sent(self, name: &str, kind: Type) -> String {
        match (self, kind) {
            (Self::Postgres, Type::Decimal | Type::Timestamp | Type::Date | Type::Json) => {
                format!("r.\"{name}\"::{}", kind.postgres())
            }
            _ => format!("r.\"{name}\""),
        }
    }

    /// The type of a column, for CREATE TABLE and ADD COLUMN. The checks are for other SQL clients.
    pub fn column(self, name: &str, kind: Type) -> String {
        match (self, kind) {
            (Self::Postgres, Type::Text) => "text COLLATE \"C\"".to_owned(),
            (Self::Postgres, kind) => kind.postgres().to_owned(),
            (Self::Sqlite, Type::Integer) => "INTEGER".to_owned(),
            (Self::Sqlite, Type::Boolean) => format!("INTEGER CHECK (\"{name}\" IN (0, 1))"),
            (Self::Sqlite, Type::Json) => format!("TEXT CHECK (json_valid(\"{name}\"))"),
            (Self::Sqlite, _) => "TEXT".to_owned(),
        }
    }

    /// A column of `t` as the text that `Value::read` takes, the same on both databases.
    pub fn read(self, name: &str, kind: Type) -> String {
        match (self, kind) {
            (Self::Postgres, Type::Timestamp) => {
                format!("to_char(t.\"{name}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            }
            (Self::Postgres, Type::Date) => format!("to_char(t.\"{name}\", 'YYYY-MM-DD')"),
            (_, Type::Text) => format!("t.\"{name}\""),
            _ => format!("CAST(t.\"{name}\" AS TEXT)"),
        }
    }

    /// Locks the rows of `t` that a SELECT returns, in the order of their ids. SQLite has one writer.
    pub fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " ORDER BY t.\"_id\" FOR UPDATE OF t",
        }
    }

    /// What follows a column list in CREATE TABLE. Rows are updated in place, so pages keep some room (HOT updates).
    pub fn table_options(self) -> &'static str {
        match self {
            Self::Sqlite => " STRICT",
            Self::Postgres => " WITH (fillfactor = 85)",
        }
    }

    /// Opens a batch in one round trip: key look-ups only, deadlines, and the modules held against altering. The
    /// numbers are advisory keys of modules, sorted. Only PostgreSQL is sent it.
    pub fn begin_batch(self, modules: &[i64]) -> SqlStr {
        let mut text = "BEGIN; SET LOCAL statement_timeout = 8000; SET LOCAL lock_timeout = 5000; \
            SET LOCAL idle_in_transaction_session_timeout = 15000; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
            SET LOCAL plan_cache_mode = force_generic_plan"
            .to_owned();
        for module in modules {
            text.push_str(&format!("; SELECT pg_advisory_xact_lock_shared({module})"));
        }
        sql(text)
    }

    /// Opens a change of configuration, holding the batches of these modules off; gives up rather than stall them.
    pub fn begin_plan(self, modules: &[i64]) -> SqlStr {
        let mut text =
            "SET LOCAL lock_timeout = 5000; SET LOCAL idle_in_transaction_session_timeout = 15000".to_owned();
        for module in modules {
            text.push_str(&format!("; SELECT pg_advisory_xact_lock({module})"));
        }
        sql(text)
    }

    /// Opens a transaction of those that make deliveries and claim them. It need not outlive a crash of the database:
    /// what it wrote is made again, under the same ids.
    pub fn begin_movers(self) -> SqlStr {
        sql("BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL statement_timeout = 8000; SET LOCAL lock_timeout = 5000; \
             SET LOCAL idle_in_transaction_session_timeout = 15000; SET LOCAL enable_seqscan = off"
            .to_owned())
    }

    /// Opens a transaction that settles deliveries.
    pub fn begin_settle(self) -> SqlStr {
        sql("BEGIN; SET LOCAL statement_timeout = 8000; SET LOCAL lock_timeout = 5000; \
             SET LOCAL idle_in_transaction_session_timeout = 15000; SET LOCAL enable_seqscan = off"
            .to_owned())
    }

    /// Keeps rows of a table from being settled until the commit. SQLite has one writer.
    pub fn for_share_of(self, table: &str) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres => format!(" FOR SHARE OF {table}"),
        }
    }

    /// Whether one statement claims of many endpoints, each up to its number. SQLite would look at every row.
    pub fn claims_in_one(self) -> bool {
        self == Self::Postgres
    }

    /// Before the rows of `changes` are numbered: PostgreSQL takes the feed lock and holds it to the commit.
    pub fn feed_lock(self) -> String {
        let (class, key) = FEED_LOCK;
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres => {
                format!("WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock({class}, {key}) AS held) ")
            }
        }
    }

    pub fn after_feed_lock(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "locked CROSS JOIN ",
        }
    }
}
