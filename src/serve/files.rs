//! Open files: each connection is one, and systems allow a process few of them unless it asks for more.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that are no connections: databases, listeners, connections that are being turned away.
const OTHERS: u64 = 256;

/// Asks for all that the system gives, and tells how many connections that is. `None`: as many as one likes.
pub fn connections() -> Option<usize> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let before = limit.current;
        limit.current = limit.maximum;
        // Some systems name a maximum that they do not give; then it stays as it was.
        if setrlimit(Resource::Nofile, limit).is_err() {
            limit.current = before;
        }
    }
    let files = limit.current?;
    usize::try_from(files.saturating_sub(OTHERS).max(files / 2)).ok()
}
