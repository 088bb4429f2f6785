//! A page of the event log, newest first. What it may cost is bounded whatever is asked for: what no index serves is
//! looked for among so many events at most, and the page then says how far it has come.

use std::time::Duration;

use super::bounded::Bounded;
use super::events::{COLUMNS, StoredEvent};
use super::rows::Cell;
use super::{Store, StoreError};
use crate::clock::{Clock, Timestamp};
use crate::id::{EventId, SourceId};
use crate::record::cursor::Cursor;

/// Events that one page looks through: first a few, since mostly these will do.
const WINDOWS: &[i64] = &[1_000, 19_000];
/// The same where their bodies are read, and the bytes of these.
const BODIES: i64 = 2_000;
const MOST_BYTES: i64 = 32 * 1024 * 1024;
/// Changes of a record that one page looks through.
const CHANGES: i64 = 1_000;
/// The same where bodies are read.
const CHANGES_WITH_BODIES: i64 = 100;
/// A module with more sources is looked for in the whole log.
const MOST_SOURCES: usize = 50;
/// Sorts after every id.
const END: &str = "evt_~";
const REFUSED: &str = "refused";
const MILLISECOND: Duration = Duration::from_millis(1);

/// Which events: all that fit everything that is given.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub sources: Option<Vec<SourceId>>,
    pub verdict: Option<String>,
    pub cause: Option<String>,
    pub event_type: Option<String>,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Bytes that stand in the payload.
    pub text: Option<Vec<u8>>,
    pub limit: i64,
}

#[derive(Debug)]
pub struct EventPage {
    pub rows: Vec<StoredEvent>,
    /// Where to go on, if there may be more.
    pub next: Option<String>,
    /// The page ended before the log did: older ones were not looked at.
    pub scanned_to: Option<Timestamp>,
}

/// A text with the values that it binds.
struct Draft<'a> {
    conditions: Vec<String>,
    cells: Vec<Cell<'a>>,
}

impl<'a> Draft<'a> {
    fn bind(&mut self, cell: impl Into<Cell<'a>>) -> String {
        self.cells.push(cell.into());
        format!("${}", self.cells.len())
    }

    /// A condition with one value in the place of `?`.
    fn add(&mut self, condition: &str, cell: impl Into<Cell<'a>>) {
        let place = self.bind(cell);
        self.conditions.push(condition.replace('?', &place));
    }

    fn text(&self) -> String {
        self.conditions.join(" AND ")
    }
}

impl Wanted {
    /// What an index serves: one source's events, refused ones, or all.
    fn path<'a>(&self, source: Option<SourceId>) -> Draft<'a> {
        let mut draft = Draft { conditions: Vec::new(), cells: Vec::new() };
        match source {
            Some(source) => draft.add("source_id = ?", source.to_string()),
            // Said in the text: the index has the refused ones alone.
            None if self.verdict.as_deref() == Some(REFUSED) => {
                draft.conditions.push(format!("verdict = '{REFUSED}'"));
            }
            None => {}
        }
        draft
    }

    /// Ids below one, and those that the times leave.
    fn bounds(&self, draft: &mut Draft<'_>, (from, below): (&str, &str)) {
        draft.add("id < ?", below.to_owned());
        if !from.is_empty() {
            draft.add("id >= ?", from.to_owned());
        }
    }

    /// The rest, which is asked of each event.
    fn filters<'a>(&'a self, store: &Store, draft: &mut Draft<'a>, source: Option<SourceId>) {
        for (column, wanted) in [("verdict", &self.verdict), ("cause", &self.cause), ("event_type", &self.event_type)] {
            if let Some(wanted) = wanted {
                draft.add(&format!("{column} = ?"), wanted.as_str());
            }
        }
        if let (None, Some(sources)) = (source, &self.sources) {
            let places = sources.iter().map(|source| draft.bind(source.to_string())).collect::<Vec<_>>();
            draft.conditions.push(format!("source_id IN ({})", places.join(", ")));
        }
        // An id tells the millisecond.
        if let Some(since) = self.since {
            draft.add("received_at >= ?", since.micros());
        }
        if let Some(until) = self.until {
            draft.add("received_at < ?", until.micros());
        }
        if let Some(text) = &self.text {
            let part = draft.bind(Cell::Bytes(text));
            draft.conditions.push(store.dialect.contains("body", &part));
        }
    }

    /// The first id that the times leave, and the first that they do not.
    fn range(&self, before: Option<EventId>) -> (String, String) {
        let from = self.since.map(|since| EventId::floor(since).to_string()).unwrap_or_default();
        let until = self.until.map(|until| EventId::floor(until.after(MILLISECOND)).to_string());
        let below = before.map(|before| before.to_string()).into_iter().chain(until).min();
        (from, below.unwrap_or_else(|| END.to_owned()))
    }

    /// Whether all of the path are wanted, as far as ids and times say.
    fn is_plain(&self, source: Option<SourceId>) -> bool {
        let by_path = source.is_none() && self.verdict.as_deref() == Some(REFUSED);
        (self.verdict.is_none() || by_path)
            && self.cause.is_none()
            && self.event_type.is_none()
            && self.text.is_none()
            && (self.sources.is_none() || source.is_some())
    }
}

/// Where a window ends: the oldest event that it holds, and when that came.
type Low = Option<(String, i64)>;

impl Store {
    pub async fn events(
        &self,
        wanted: &Wanted,
        before: Option<EventId>,
        within: (&Clock, Duration),
    ) -> Result<EventPage, StoreError> {
        let mut reading = self.bounded(within.0, within.1).await?;
        let page = match wanted.sources.as_deref() {
            Some([]) => EventPage { rows: Vec::new(), next: None, scanned_to: None },
            Some([one]) => self.of_path(&mut reading, wanted, Some(*one), before).await?,
            Some(several) if several.len() <= MOST_SOURCES && wanted.is_plain(several.first().copied()) => {
                self.of_several(&mut reading, wanted, several, before).await?
            }
            _ => self.of_path(&mut reading, wanted, None, before).await?,
        };
        reading.done().await?;
        Ok(page)
    }

    /// The newest of each source are the newest of all.
    async fn of_several(
        &self,
        reading: &mut Bounded,
        wanted: &Wanted,
        sources: &[SourceId],
        before: Option<EventId>,
    ) -> Result<EventPage, StoreError> {
        let mut rows = Vec::new();
        for source in sources {
            let range = wanted.range(before);
            rows.append(
                &mut self.fitting(reading, wanted, Some(*source), (&range.0, &range.1), wanted.limit + 1).await?,
            );
        }
        rows.sort_by(|one, other| other.id.cmp(&one.id));
        Ok(ended(rows, wanted.limit))
    }

    async fn of_path(
        &self,
        reading: &mut Bounded,
        wanted: &Wanted,
        source: Option<SourceId>,
        before: Option<EventId>,
    ) -> Result<EventPage, StoreError> {
        let (from, mut below) = wanted.range(before);
        if wanted.is_plain(source) {
            let rows = self.fitting(reading, wanted, source, (&from, &below), wanted.limit + 1).await?;
            return Ok(ended(rows, wanted.limit));
        }
        let (mut rows, mut scanned_to) = (Vec::new(), None);
        let windows = if wanted.text.is_some() { &[BODIES][..] } else { WINDOWS };
        for window in windows {
            let low = self.low(reading, wanted, source, (&from, &below), *window).await?;
            let lowest = low.as_ref().map_or(from.as_str(), |(id, _)| id.as_str());
            let missing = wanted.limit + 1 - i64::try_from(rows.len()).unwrap_or(i64::MAX);
            rows.append(&mut self.fitting(reading, wanted, source, (lowest, &below), missing).await?);
            let Some((id, at)) = low else { return Ok(ended(rows, wanted.limit)) };
            let page = ended(rows, wanted.limit);
            if page.next.is_some() {
                return Ok(page);
            }
            (rows, below, scanned_to) = (page.rows, id, Timestamp::from_micros(at));
        }
        Ok(EventPage { rows, next: Some(below), scanned_to })
    }

    /// Those that fit, from an id on and below another.
    async fn fitting(
        &self,
        reading: &mut Bounded,
        wanted: &Wanted,
        source: Option<SourceId>,
        range: (&str, &str),
        limit: i64,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut draft = wanted.path(source);
        wanted.bounds(&mut draft, range);
        wanted.filters(self, &mut draft, source);
        let names = COLUMNS.map(|(name, _)| name).join(", ");
        let text =
            format!("SELECT {names}, stripped_at FROM events WHERE {} ORDER BY id DESC LIMIT {limit}", draft.text());
        let (rows, _) = reading.fetch(&text, &draft.cells, (usize::MAX, |_: &StoredEvent| 0)).await?;
        Ok(rows)
    }

    /// The oldest of the next so many of the path, if there are more than that.
    async fn low(
        &self,
        reading: &mut Bounded,
        wanted: &Wanted,
        source: Option<SourceId>,
        range: (&str, &str),
        window: i64,
    ) -> Result<Low, StoreError> {
        let mut draft = wanted.path(source);
        wanted.bounds(&mut draft, range);
        let path = draft.text();
        if wanted.text.is_none() {
            let skipped = window - 1;
            let text = format!(
                "SELECT e.id, e.received_at FROM (SELECT id FROM events WHERE {path} ORDER BY id DESC LIMIT 1 OFFSET {skipped}) w \
                 JOIN events e ON e.id = w.id"
            );
            let (rows, _) = reading.fetch(&text, &draft.cells, (usize::MAX, |_: &(String, i64)| 0)).await?;
            return Ok(rows.into_iter().next());
        }
        let text =
            format!("SELECT id, received_at, body_size FROM events WHERE {path} ORDER BY id DESC LIMIT {window}");
        let all = (usize::MAX, |_: &(String, i64, i64)| 0);
        let (rows, _) = reading.fetch(&text, &draft.cells, all).await?;
        let (count, mut held) = (rows.len(), 0);
        let mut low = None;
        for (place, (id, at, size)) in rows.into_iter().enumerate() {
            held += size;
            if place > 0 && held > MOST_BYTES {
                return Ok(low);
            }
            low = Some((id, at));
        }
        Ok(low.filter(|_| i64::try_from(count).is_ok_and(|count| count == window)))
    }

    /// Events that changed a record, in the order in which they did, newest first.
    pub async fn events_of_record(
        &self,
        (wanted, record): (&Wanted, &str),
        before: Option<Cursor>,
        within: (&Clock, Duration),
    ) -> Result<EventPage, StoreError> {
        let mut reading = self.bounded(within.0, within.1).await?;
        let window = if wanted.text.is_some() { CHANGES_WITH_BODIES } else { CHANGES };
        // The event of the change at which the page before ended is not shown again.
        let text = format!(
            "SELECT seq, event_id FROM changes WHERE record_id = $1 AND event_id IS NOT NULL AND seq <= $2 \
             ORDER BY seq DESC LIMIT {window}"
        );
        let from = before.map_or(i64::MAX, |before| before.0);
        let cells = [Cell::from(record), from.into()];
        let (changes, _) = reading.fetch(&text, &cells, (usize::MAX, |_: &(i64, String)| 0)).await?;
        let is_full = i64::try_from(changes.len()).is_ok_and(|count| count == window);
        let seen = changes
            .first()
            .filter(|(seq, _)| before.is_some_and(|before| before.0 == *seq))
            .map(|(_, event)| event.clone());
        let fresh = changes.iter().filter(|(_, event)| Some(event) != seen.as_ref()).collect::<Vec<_>>();
        let mut found = self.by_ids(&mut reading, wanted, fresh.iter().map(|(_, event)| event.as_str())).await?;
        reading.done().await?;
        let mut page = EventPage { rows: Vec::new(), next: None, scanned_to: None };
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        for (seq, event) in fresh {
            let Some(place) = found.iter().position(|row| row.id == *event) else { continue };
            page.rows.push(found.swap_remove(place));
            if page.rows.len() == limit && !found.is_empty() {
                page.next = Some(Cursor(*seq).to_string());
                return Ok(page);
            }
        }
        if let Some((seq, _)) = changes.last().filter(|_| is_full) {
            page.next = Some(Cursor(*seq).to_string());
        }
        Ok(page)
    }

    /// Of these events the ones that fit.
    async fn by_ids<'a>(
        &self,
        reading: &mut Bounded,
        wanted: &Wanted,
        ids: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let ids = ids.collect::<std::collections::BTreeSet<_>>();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = serde_json::to_string(&ids).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let mut draft = Draft { conditions: Vec::new(), cells: Vec::new() };
        draft.cells.push(ids.into());
        draft.conditions.push(self.dialect.among("id"));
        wanted.filters(self, &mut draft, None);
        let names = COLUMNS.map(|(name, _)| name).join(", ");
        let text = format!("SELECT {names}, stripped_at FROM events WHERE {}", draft.text());
        let (rows, _) = reading.fetch(&text, &draft.cells, (usize::MAX, |_: &StoredEvent| 0)).await?;
        Ok(rows)
    }
}

/// One more than `limit` was asked for, and says that more follow.
fn ended(mut rows: Vec<StoredEvent>, limit: i64) -> EventPage {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.id.clone());
    EventPage { rows, next, scanned_to: None }
}
