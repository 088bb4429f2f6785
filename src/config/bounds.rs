//! The bounds of a gateway: one table, from which come the type, the defaults, the settings and the page about them.
//! A bound that is not in it does not exist.

use std::time::Duration;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;

/// What the number of a bound counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Count,
    Bytes,
    /// The number is milliseconds.
    Time,
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// As it stands in `[limits]`, behind `--limit`, and in capitals behind `TIDEGATE_LIMIT_`.
    pub name: &'static str,
    pub unit: Unit,
    pub default: u64,
    pub least: u64,
    pub most: u64,
    /// What it bounds. Backticks mean code.
    pub meaning: &'static str,
    /// What happens when it is reached.
    pub reached: &'static str,
    /// Where an operator sees it.
    pub shown: &'static str,
    pub get: fn(&Bounds) -> u64,
    pub set: fn(&mut Bounds, u64),
}

/// A type that a bound may have, to and from the number of the table.
trait Amount {
    fn of(number: u64) -> Self;
    fn number(&self) -> u64;
}

impl Amount for usize {
    fn of(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }

    fn number(&self) -> u64 {
        u64::try_from(*self).unwrap_or(u64::MAX)
    }
}

impl Amount for Duration {
    fn of(number: u64) -> Self {
        Self::from_millis(number)
    }

    fn number(&self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }
}

macro_rules! bounds {
    ($($name:ident: $type:ty = $default:expr, $unit:ident $least:expr => $most:expr,
        $meaning:literal, $reached:literal, $shown:literal;)*) => {
        /// What one gateway lets itself be asked for: each is a promise about memory or waiting.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Bounds {
            $(#[doc = $meaning] pub $name: $type,)*
        }

        impl Default for Bounds {
            fn default() -> Self {
                Self { $($name: Amount::of($default)),* }
            }
        }

        pub const LIMITS: &[Limit] = &[$(Limit {
            name: stringify!($name),
            unit: Unit::$unit,
            default: $default,
            least: $least,
            most: $most,
            meaning: $meaning,
            reached: $reached,
            shown: $shown,
            get: |bounds| bounds.$name.number(),
            set: |bounds, number| bounds.$name = Amount::of(number),
        }),*];
    };
}

bounds! {
    connections: usize = 4_096, Count 1 => 1_000_000,
        "Connections open at once, on each listener. Less where the system allows fewer open files; the log says so at the start.",
        "The connections that have gone longest without a request under way are closed to make room. Where every one has a request under way, the new one is answered 503 `too_many_connections` with `Retry-After`, and closed.",
        "`tidegate_connections`, `tidegate_limit_reached_total`, `tidegate_connections_turned_away_total`";
    header_time: Duration = 10 * SECOND, Time 100 => HOUR,
        "From the opening of a connection, or the first byte of a later request on it, to the end of that request’s head.",
        "The connection is closed.",
        "`tidegate_limit_reached_total`";
    header_bytes: usize = 16 * KIB, Bytes KIB => MIB,
        "The head of a request: its first line and its header fields.",
        "431 `headers_too_large`, and the connection is closed.",
        "`tidegate_limit_reached_total`";
    header_fields: usize = 100, Count 10 => 1_000,
        "Header fields of a request; trailer fields, too.",
        "431 `headers_too_large`, and the connection is closed.",
        "`tidegate_limit_reached_total`";
    idle_time: Duration = 75 * SECOND, Time 100 => HOUR,
        "How long a connection stays open after an answer when no byte of another request comes.",
        "The connection is closed.",
        "`tidegate_limit_reached_total`";
    max_body: usize = MIB, Bytes 1 => GIB,
        "The body of a webhook, unless its source says otherwise by `max_body`.",
        "413 `body_too_large`, as soon as it is announced or reached.",
        "`tidegate_limit_reached_total`";
    max_body_ceiling: usize = 32 * MIB, Bytes KIB => GIB,
        "The most that a source may say by `max_body`. One that was saved with more takes this much.",
        "The module file is refused: 422 `invalid_document`.",
        "the answer to `tidegate apply`";
    progress_bytes: usize = KIB, Bytes 1 => MIB,
        "The bytes that a body must bring, and that a client must take of its answer, in each `progress_time` or `write_time`.",
        "What `progress_time` and `write_time` say.",
        "those of `progress_time` and `write_time`";
    progress_time: Duration = 10 * SECOND, Time 100 => HOUR,
        "How long a body may take for its next `progress_bytes`.",
        "408 `body_timeout`, and the connection is closed.",
        "`tidegate_limit_reached_total`";
    body_time: Duration = 60 * SECOND, Time 100 => HOUR,
        "How long the whole body of a webhook may take.",
        "408 `body_timeout`, and the connection is closed.",
        "`tidegate_limit_reached_total`";
    bodies_bytes: usize = 256 * MIB, Bytes KIB => 64 * GIB,
        "Bodies of webhooks in memory, all requests together, from their first byte to their answer.",
        "503 `queue_full` with `Retry-After`.",
        "`tidegate_bodies_bytes`, `tidegate_limit_reached_total`";
    queue_events: usize = 8_192, Count 1 => 1_000_000,
        "Judged events that wait to be written.",
        "503 `queue_full` with `Retry-After`.",
        "`tidegate_write_queue_depth`, `tidegate_webhooks_total{answered=\"queue_full\"}`";
    queue_bytes: usize = 64 * MIB, Bytes KIB => 64 * GIB,
        "Memory of the events that wait to be written. One that is larger goes alone.",
        "503 `queue_full` with `Retry-After`.",
        "`tidegate_write_queue_bytes`, `tidegate_webhooks_total{answered=\"queue_full\"}`";
    queue_time: Duration = 100, Time 10 => HOUR,
        "How long events wait, for a thread and to be written, going by how fast the last ones were. A burst may make them wait longer, for a moment; and what fits into the next transaction is always taken.",
        "503 `queue_full` with `Retry-After`, before the body is read, until those that wait are written soon enough again.",
        "`tidegate_write_queue_depth`, `tidegate_webhooks_total{answered=\"queue_full\"}`";
    batch: usize = 512, Count 1 => 10_000,
        "Events written in one transaction.",
        "The next ones go into the next transaction.",
        "`tidegate_batch_events`";
    database_deadline: Duration = 10 * SECOND, Time 100 => HOUR,
        "How long the database may take for a transaction, and how long an event may wait for one to begin.",
        "503 `database_unavailable` with `Retry-After`. The event may have been stored all the same.",
        "`tidegate_webhooks_total{answered=\"database_unavailable\"}`";
    api_time: Duration = 30 * SECOND, Time 100 => HOUR,
        "How long a request to `/api/v1` may take, its body and the database included.",
        "503 `database_unavailable` with `Retry-After`. What it asked for may have been done all the same.",
        "`tidegate_limit_reached_total`";
    wrong_keys: usize = 10, Count 1 => 1_000_000,
        "Wrong API keys from one address at once; after that they are looked at evenly spread, so many a minute. 64 bits of an IPv6 address count as one. 16,384 addresses are remembered, and those that were quiet for longest are forgotten. A right key is taken from any address at any time: a key has 192 random bits, and trying finds none.",
        "429 `too_many_wrong_keys` with `Retry-After`.",
        "`tidegate_wrong_keys_total`, `tidegate_limit_reached_total`";
    query_time: Duration = 5 * SECOND, Time 1 => HOUR,
        "How long the database may look for one page of records or events.",
        "400 `too_costly`.",
        "the answer";
    followers: usize = 100, Count 1 => 10_000,
        "Clients that wait for changes at the same time, by `/api/v1/changes?wait=` or its stream.",
        "503 `too_many_followers` with `Retry-After`.",
        "`tidegate_limit_reached_total`";
    attempts: usize = 512, Count 1 => 10_000,
        "Attempts to deliver that are under way at the same time, to all webhooks together. Eight times as many deliveries wait in memory for their turn.",
        "The next ones wait in the database.",
        "`tidegate_deliveries_due`, `tidegate_delivery_oldest_due_seconds`";
    write_time: Duration = 10 * SECOND, Time 100 => HOUR,
        "How long a client may take for the next `progress_bytes` of its answer. The system tells of it in steps of some 50 KiB.",
        "The connection is closed.",
        "`tidegate_limit_reached_total`";
    drain: Duration = 30 * SECOND, Time 0 => HOUR,
        "How long requests that have begun may still take once the gateway is told to stop.",
        "Their connections are closed. Events that were accepted are written all the same.",
        "the log";
}

impl Limit {
    pub fn find(name: &str) -> Option<&'static Self> {
        LIMITS.iter().find(|limit| limit.name == name)
    }

    /// The number behind a text such as `10s`, `64MiB` or `4096`.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn read(&self, text: &str) -> Result<u64, String> {
        let number = self.unit.read(text.trim()).ok_or_else(|| format!("`{text}` is not {}", self.unit.wanted()))?;
        if (self.least..=self.most).contains(&number) {
            return Ok(number);
        }
        let [least, most] = [self.least, self.most].map(|end| self.unit.show(end));
        Err(format!("`{text}` is out of bounds: {least} to {most}"))
    }

    pub fn default_text(&self) -> String {
        self.unit.show(self.default)
    }
}

impl Unit {
    /// What is to be written, for people.
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Count => "a whole number, such as 4096",
            Self::Bytes => "a number of bytes, such as 65536, 64KiB, 1MiB or 2GiB",
            Self::Time => "a time with its unit, such as 500ms, 10s, 5m or 1h",
        }
    }

    fn words(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Count => &[("", 1)],
            Self::Bytes => &[("GiB", GIB), ("MiB", MIB), ("KiB", KIB), ("B", 1), ("", 1)],
            Self::Time => &[("h", HOUR), ("ms", 1), ("m", 60 * SECOND), ("s", SECOND)],
        }
    }

    pub fn read(self, text: &str) -> Option<u64> {
        let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
        let (number, word) = (&text[..digits], text[digits..].trim_start());
        let (_, factor) = self.words().iter().find(|(known, _)| known.eq_ignore_ascii_case(word))?;
        number.parse::<u64>().ok()?.checked_mul(*factor)
    }

    /// As it would be written: in the largest unit that leaves a whole number.
    pub fn show(self, number: u64) -> String {
        let fits = |factor: u64| number != 0 && number.is_multiple_of(factor);
        let shown = |(word, factor): &(&str, u64)| fits(*factor).then(|| format!("{}{word}", number / factor));
        let largest_first = match self {
            Self::Time => &[("h", HOUR), ("m", 60 * SECOND), ("s", SECOND), ("ms", 1)][..],
            _ => self.words(),
        };
        largest_first.iter().find_map(shown).unwrap_or_else(|| match self {
            Self::Time => "0s".to_owned(),
            _ => "0".to_owned(),
        })
    }
}
