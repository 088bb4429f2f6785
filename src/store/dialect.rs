//! What differs between the two databases, and the one place where SQL is built from pieces: the pieces are
//! statements of this crate, checked names, and integers.

use std::time::Duration;

use sqlx::SqlStr;

use crate::record::decimal::MOST_DIGITS;
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

    /// Opens a batch in one round trip: key look-ups only, deadlines, and the modules held against altering. A plan that
    /// PostgreSQL was told to avoid counts as so costly that it would be compiled, which takes longer than all the rest;
    /// so nothing is. The numbers are advisory keys of modules, sorted. Only PostgreSQL is sent it.
    pub fn begin_batch(self, modules: &[i64]) -> SqlStr {
        sql(format!("BEGIN; {}", of_batch(modules)))
    }

    /// The same inside a transaction that has begun: of what is done to one record by hand.
    pub fn begin_hand(self, module: i64) -> SqlStr {
        sql(of_batch(&[module]))
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

    /// Before a partition is made or dropped. That waits for all who read the table, and whoever comes after it waits
    /// behind it: so it gives up soon, and is tried again.
    pub fn for_a_moment(self) -> SqlStr {
        sql("SET LOCAL lock_timeout = 200; SET LOCAL idle_in_transaction_session_timeout = 15000".to_owned())
    }

    /// Opens a transaction of those that make deliveries and claim them. Without `jit`: what a plan that is forbidden
    /// would cost makes PostgreSQL compile for 50 ms what runs for 50 µs. It need not outlive a crash of the database:
    /// what it wrote is made again, under the same ids.
    pub fn begin_movers(self) -> SqlStr {
        sql("BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL statement_timeout = 8000; SET LOCAL lock_timeout = 5000; \
             SET LOCAL idle_in_transaction_session_timeout = 15000; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
            .to_owned())
    }

    /// Opens a transaction that only looks: whoever holds a table that it wants is not waited for without end.
    pub fn begin_look(self) -> SqlStr {
        sql("BEGIN READ ONLY; SET LOCAL statement_timeout = 8000; SET LOCAL lock_timeout = 2000; \
             SET LOCAL idle_in_transaction_session_timeout = 15000; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
            .to_owned())
    }

    /// Opens a transaction that settles deliveries.
    pub fn begin_settle(self) -> SqlStr {
        sql("BEGIN; SET LOCAL statement_timeout = 8000; SET LOCAL lock_timeout = 5000; \
             SET LOCAL idle_in_transaction_session_timeout = 15000; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
            .to_owned())
    }

    /// Settings of a transaction that does a step of a job: it looks rows up by their keys.
    pub fn begin_step(self) -> SqlStr {
        sql("SET LOCAL statement_timeout = 8000; SET LOCAL lock_timeout = 5000; \
             SET LOCAL idle_in_transaction_session_timeout = 15000; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
            .to_owned())
    }

    /// Opens a transaction that removes what was kept for long enough. It need not outlive a crash of the database: what
    /// is there again is removed again.
    pub fn begin_removal(self) -> SqlStr {
        sql("SET LOCAL synchronous_commit = off; SET LOCAL statement_timeout = 8000; SET LOCAL lock_timeout = 1000; \
             SET LOCAL idle_in_transaction_session_timeout = 15000; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"
            .to_owned())
    }

    /// Before a day of events is dropped while events are written: for so short that nobody notices the wait.
    pub fn for_an_instant(self) -> SqlStr {
        sql("SET LOCAL lock_timeout = 50; SET LOCAL idle_in_transaction_session_timeout = 15000".to_owned())
    }

    /// Says whether it was free; held to the end of the transaction. Of PostgreSQL only: replicas take turns.
    pub fn try_removal_lock(self) -> SqlStr {
        let (class, _) = FEED_LOCK;
        sql(format!("SELECT pg_try_advisory_xact_lock({class}, 2)"))
    }

    /// Takes rows that nobody else holds. SQLite has one writer.
    pub fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Locks the rows of one table of a join. SQLite has one writer.
    pub fn for_update_of(self, table: &str) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres => format!(" FOR UPDATE OF {table}"),
        }
    }

    /// Keeps rows of a table from being deleted until the commit. SQLite has one writer.
    pub fn for_key_share_of(self, table: &str) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres => format!(" FOR KEY SHARE OF {table}"),
        }
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

    /// Where the rows of a table partitioned by day lie that have no partition of their own day. SQLite has one table.
    pub fn of_no_day(self, table: &str) -> String {
        match self {
            Self::Sqlite => table.to_owned(),
            Self::Postgres => format!("{table}_other"),
        }
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

    /// Takes the feed lock by a statement of its own, so that the next one sees whatever was committed under it before.
    pub fn take_feed_lock(self) -> Option<SqlStr> {
        let (class, key) = FEED_LOCK;
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(sql(format!("SELECT pg_advisory_xact_lock({class}, {key})"))),
        }
    }

    /// What a system column of a module's table must hold, and what it takes where another SQL client leaves it out.
    pub fn constraint(self, system: &str) -> String {
        match system {
            "_id" => format!(" PRIMARY KEY DEFAULT {}", self.record_id()),
            "_version" => " NOT NULL DEFAULT 0".to_owned(),
            "_guard" | "custom_data" => " NOT NULL DEFAULT '{}'".to_owned(),
            "_created_at" | "_updated_at" => format!(" NOT NULL DEFAULT {}", self.now()),
            _ => String::new(),
        }
    }

    /// The time of a client's statement, as a timestamp column takes it.
    pub fn now(self) -> &'static str {
        match self {
            Self::Sqlite => "(strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))",
            Self::Postgres => "clock_timestamp()",
        }
    }

    /// The same in microseconds.
    pub fn now_micros(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(julianday('now') * 86400000 - 210866760000000 AS INTEGER) * 1000",
            Self::Postgres => "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
        }
    }

    /// The id of a record that another client inserts: a UUIDv7 in Crockford base32. The 48 bits of its milliseconds
    /// fill ten characters; of the others, hexadecimal digits are random enough.
    pub fn record_id(self) -> String {
        if self == Self::Postgres {
            return "tidegate_record_id()".to_owned();
        }
        let millis = "CAST(julianday('now') * 86400000 - 210866760000000 AS INTEGER)";
        let digit = |place: i32| {
            format!("substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + ({millis} >> {} & 31), 1)", 45 - 5 * place)
        };
        let time = (0..10).map(digit).collect::<Vec<_>>().join(" || ");
        format!("('rec_' || {time} || 'e' || lower(hex(randomblob(1))) || '8' || lower(hex(randomblob(6))))")
    }

    /// How many columns of a name, `$2`, a table has, `$1`.
    pub fn has_column(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT CAST(count(*) AS BIGINT) FROM pragma_table_info($1) WHERE name = $2",
            Self::Postgres => {
                "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(quote_ident($1)) AND attname = $2 AND NOT attisdropped"
            }
        }
    }

    /// Opens what is read in one snapshot, for so long at most. SQLite is told the time in another way.
    pub fn begin_bounded(self, most: Duration) -> SqlStr {
        match self {
            Self::Sqlite => sql("BEGIN".to_owned()),
            Self::Postgres => sql(format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL jit = off",
                most.as_millis().max(1)
            )),
        }
    }

    /// A column of `t` in a form that compares and sorts as its values do. SQLite has decimals as texts.
    pub fn comparable(self, name: &str, kind: Type) -> String {
        let column = format!("t.\"{name}\"");
        match (self, kind) {
            (Self::Sqlite, Type::Decimal) => decimal_key(&column),
            _ => column,
        }
    }

    /// A placeholder as it is compared with [`Dialect::comparable`].
    pub fn cast(self, placeholder: &str, kind: Type) -> String {
        match (self, kind) {
            (Self::Postgres, Type::Decimal | Type::Timestamp | Type::Date) => {
                format!("{placeholder}::{}", kind.postgres())
            }
            _ => placeholder.to_owned(),
        }
    }

    /// Whether a text holds another, or bytes others.
    pub fn contains(self, whole: &str, part: &str) -> String {
        match self {
            Self::Sqlite => format!("instr({whole}, {part}) > 0"),
            Self::Postgres => format!("position({part} in {whole}) > 0"),
        }
    }

    /// A text column as its bytes: what another client wrote into SQLite need not be UTF-8.
    pub fn bytes(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("CAST({column} AS BLOB)"),
            Self::Postgres => format!("convert_to({column}, 'UTF8')"),
        }
    }
}

/// What [`crate::record::decimal::Decimal::sort_key`] makes of a number, in SQL of SQLite.
fn decimal_key(column: &str) -> String {
    let digits = format!("ltrim({column}, '-')");
    let point = format!("instr({digits}, '.')");
    let whole = format!("CASE {point} WHEN 0 THEN {digits} ELSE substr({digits}, 1, {point} - 1) END");
    let fraction = format!("CASE {point} WHEN 0 THEN '' ELSE rtrim(substr({digits}, {point} + 1), '0') END");
    let padded = format!("substr('{}' || {whole}, -{MOST_DIGITS}) || '.' || {fraction}", "0".repeat(MOST_DIGITS));
    let turned = (0..10).fold(format!("({padded})"), |text, digit| {
        format!("replace({text}, '{digit}', '{}')", char::from(b'j' - digit))
    });
    format!("CASE WHEN {column} LIKE '-%' THEN '-' || {turned} || '~' ELSE '0' || {padded} END")
}

/// Settings and locks of those who write records.
fn of_batch(modules: &[i64]) -> String {
    let mut text = "SET LOCAL statement_timeout = 8000; SET LOCAL lock_timeout = 5000; \
        SET LOCAL idle_in_transaction_session_timeout = 15000; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off; \
        SET LOCAL plan_cache_mode = force_generic_plan"
        .to_owned();
    for module in modules {
        text.push_str(&format!("; SELECT pg_advisory_xact_lock_shared({module})"));
    }
    text
}
