//! A page of the log: from a cursor on, in bounded bytes, of a module or a type when these are named.

use std::sync::Arc;

use crate::id::ModuleId;
use crate::record::change::Change;
use crate::record::cursor::Cursor;
use crate::record::shape::Shape;
use crate::store::{Store, StoreError};

/// Rows before and after that one page may hold, in bytes; a single larger change goes alone.
const MOST_BYTES: i64 = 4 * 1024 * 1024;
/// Rows that are read at once where it is not known how many will do.
const MOST_AT_ONCE: usize = 500;
/// Numbers that one page looks through for a module or a type; what follows is for the next page.
const WINDOW: i64 = 20_000;

/// What is asked of the log.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub module: Option<ModuleId>,
    pub of_type: Option<String>,
}

/// One change, with the types of the events that it is.
#[derive(Debug)]
pub struct Entry {
    pub change: Change,
    pub types: Vec<String>,
}

#[derive(Debug)]
pub struct Page {
    pub changes: Vec<Entry>,
    /// Where to go on, whether or not anything was found.
    pub next: Cursor,
    /// Whether there was more to read when this was.
    pub more: bool,
}

/// From a cursor on, at most so many. `shape` finds what a change's module was when the change was made.
pub async fn page(
    store: &Store,
    after: Cursor,
    wanted: &Wanted,
    limit: usize,
    shape: impl Fn(&Change) -> Option<Arc<Shape>>,
) -> Result<Page, StoreError> {
    let last = store.last_change().await?;
    let end = last.min(after.0.saturating_add(WINDOW));
    let (mut page, mut held) = (Page { changes: Vec::new(), next: after, more: false }, 0);
    while page.next.0 < end && page.changes.len() < limit && held < MOST_BYTES {
        let at_once = if wanted.of_type.is_none() { limit - page.changes.len() } else { MOST_AT_ONCE };
        let most = i64::try_from(at_once).unwrap_or(i64::MAX);
        let sizes = store.change_sizes((page.next.0, end), wanted.module, most).await?;
        let mut fits = |(_, size): &&(i64, i64)| {
            let first = held == 0;
            held += size + 1;
            first || held <= MOST_BYTES
        };
        let fitting = sizes.iter().take_while(|size| fits(size)).count();
        let Some((to, _)) = fitting.checked_sub(1).and_then(|last| sizes.get(last)) else {
            page.next = if sizes.is_empty() { Cursor(end) } else { page.next };
            break;
        };
        for change in store.changes((page.next.0, *to), wanted.module).await? {
            page.next = Cursor(change.seq);
            let types = change.types(shape(&change).as_deref());
            let is_wanted = wanted.of_type.as_ref().is_none_or(|wanted| types.contains(wanted));
            page.changes.extend(is_wanted.then_some(Entry { change, types }));
            if page.changes.len() >= limit {
                break;
            }
        }
        if fitting == sizes.len() && sizes.len() < at_once && page.changes.len() < limit {
            page.next = Cursor(end);
        }
    }
    page.more = page.next.0 < last;
    Ok(page)
}
