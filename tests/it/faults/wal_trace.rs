//! Reads what strace has seen of a gateway on SQLite, and finds the answers that left too early.

use std::collections::HashMap;

/// One call of the system: where in the trace it begins and ends.
struct Call {
    begin: usize,
    end: usize,
    text: String,
    is_done: bool,
}

/// What a trace shows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub answers: usize,
    pub commits: usize,
    pub syncs: usize,
}

/// Holds that every 202 of the trace began to leave after a sync of the log file had ended, which had begun after the
/// last frame of the transaction that first wrote the event's id.
///
/// # Errors
/// The first answer of which that is not so.
pub fn check(trace: &str) -> Result<Seen, String> {
    let calls = calls(trace);
    let frames: Vec<&Call> = calls.iter().filter(|call| call.is("pwrite64") && call.is_of_log()).collect();
    let syncs: Vec<&Call> =
        calls.iter().filter(|call| (call.is("fsync") || call.is("fdatasync")) && call.is_of_log()).collect();
    let answers: Vec<&Call> = calls.iter().filter(|call| call.text.contains("\"HTTP/1.1 202 ")).collect();
    for answer in &answers {
        let event = event(&answer.text).ok_or_else(|| format!("no event id: {}", answer.text))?;
        let holds = frames.iter().position(|frame| frame.text.contains(event));
        let holds = holds.ok_or_else(|| format!("{event} was answered and is in no frame of the log"))?;
        // A frame is its head and then its page; the page that holds the id may be the last one.
        let last = (holds.saturating_sub(1)..frames.len()).find(|place| frames[*place].ends_transaction());
        let page = last.and_then(|place| frames.get(place + 1));
        let page = page.ok_or_else(|| format!("{event} was answered and its transaction has no end in the log"))?;
        let synced = syncs.iter().any(|sync| sync.is_done && sync.begin > page.end && sync.end < answer.begin);
        if !synced {
            return Err(format!("{event} was answered before its transaction was synced"));
        }
    }
    let commits = frames.iter().filter(|frame| frame.ends_transaction()).count();
    Ok(Seen { answers: answers.len(), commits, syncs: syncs.len() })
}

impl Call {
    fn is(&self, name: &str) -> bool {
        self.text.strip_prefix(name).is_some_and(|rest| rest.starts_with('('))
    }

    fn is_of_log(&self) -> bool {
        self.text.split_once('>').is_some_and(|(file, _)| file.ends_with("tidegate.db-wal"))
    }

    /// The head of the last frame of a transaction carries the size of the database, that of the others 0
    /// (SQLite's file format, section 4.1).
    fn ends_transaction(&self) -> bool {
        let Some(head) = self.text.split('"').nth(1).filter(|_| self.text.contains(", 24, ")) else { return false };
        unescaped(head).get(4..8).is_some_and(|size| size != [0; 4])
    }
}

/// The calls in the order in which they ended. With several threads a call may be told in two lines.
fn calls(trace: &str) -> Vec<Call> {
    let (mut calls, mut begun) = (Vec::new(), HashMap::new());
    for (at, line) in trace.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(text) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, (at, text));
        } else if let Some(rest) = rest.strip_prefix("<... ") {
            let Some((begin, text)) = begun.remove(thread) else { continue };
            let rest = rest.split_once(" resumed>").map_or("", |(_, rest)| rest);
            calls.push(call(begin, at, format!("{text}{rest}")));
        } else {
            calls.push(call(at, at, rest.to_owned()));
        }
    }
    calls
}

fn call(begin: usize, end: usize, text: String) -> Call {
    let answer = text.rsplit_once(" = ").and_then(|(_, answer)| answer.split(' ').next()?.parse::<i64>().ok());
    Call { begin, end, is_done: answer.is_some_and(|answer| answer >= 0), text }
}

/// The id in the body of an answer.
fn event(text: &str) -> Option<&str> {
    let id = text.split_once(r#"\"eventId\":\""#)?.1;
    id.split_once('\\').map(|(id, _)| id)
}

/// The bytes that strace has written as C would.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let digits = after.iter().take(3).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
        let (byte, used) = match (first, after.first()) {
            (b'\\', Some(_)) if digits > 0 => {
                let value = after[..digits].iter().fold(0u16, |value, digit| value * 8 + u16::from(digit - b'0'));
                (u8::try_from(value).unwrap_or(u8::MAX), 1 + digits)
            }
            (b'\\', Some(escape)) => (control(*escape), 2),
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    bytes
}

fn control(escape: u8) -> u8 {
    match escape {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'v' => 0x0b,
        b'f' => 0x0c,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Seen, check, unescaped};

    /// Two events in one transaction, one sync, two answers; the first head is of a frame in the middle.
    const TRACE: &str = r##"7 pwrite64(13</d/tidegate.db-wal>, "\0\0\0\23\0\0\0\0\360\372]D\2469E\242p\23\243\273\3200\254k", 24, 32) = 24
7 pwrite64(13</d/tidegate.db-wal>, "\r\0evt_01a evt_01b", 4096, 56) = 4096
7 pwrite64(13</d/tidegate.db-wal>, "\0\0\0%\0\0\0%\360\372]D\2469E\242\253?~\236l\323\345\341", 24, 4152) = 24
7 pwrite64(13</d/tidegate.db-wal>, "\n\0\0", 4096, 4176) = 4096
7 fsync(13</d/tidegate.db-wal> <unfinished ...>
8 write(4<anon_inode:[eventfd]>, "\1\0\0\0\0\0\0\0", 8) = 8
7 <... fsync resumed>) = 0
8 writev(19<socket:[1]>, [{iov_base="HTTP/1.1 202 Accepted\r\n\r\n", iov_len=25}, {iov_base="{\"recordId\":\"rec_1\",\"eventId\":\"evt_01a\",\"outcome\":\"created\"}", iov_len=60}], 2) = 85
9 writev(20<socket:[2]>, [{iov_base="HTTP/1.1 202 Accepted\r\n\r\n", iov_len=25}, {iov_base="{\"recordId\":\"rec_2\",\"eventId\":\"evt_01b\",\"outcome\":\"created\"}", iov_len=60}], 2) = 85
"##;

    fn complaint(trace: &str) -> String {
        check(trace).expect_err("this trace shows an answer that left too early")
    }

    #[test]
    fn a_sound_trace_passes() {
        assert_eq!(check(TRACE), Ok(Seen { answers: 2, commits: 1, syncs: 1 }));
    }

    #[test]
    fn doctored_traces_do_not() {
        let lines: Vec<&str> = TRACE.lines().collect();
        let order = |places: &[usize]| places.iter().map(|place| lines[*place]).collect::<Vec<_>>().join("\n");
        assert_eq!(complaint(&order(&[0, 1, 2, 3, 7, 8])), "evt_01a was answered before its transaction was synced");
        let early = order(&[0, 1, 2, 3, 4, 5, 8, 6, 7]);
        assert_eq!(complaint(&early), "evt_01b was answered before its transaction was synced");
        let too_soon = order(&[0, 1, 4, 6, 2, 3, 7]);
        assert_eq!(complaint(&too_soon), "evt_01a was answered before its transaction was synced");
        let failed = TRACE.replace("resumed>) = 0", "resumed>) = -1 EIO (Input/output error)");
        assert_eq!(complaint(&failed), "evt_01a was answered before its transaction was synced");
        let another = TRACE.replace("fsync(13</d/tidegate.db-wal>", "fsync(12</d/tidegate.db>");
        assert_eq!(complaint(&another), "evt_01a was answered before its transaction was synced");
        assert!(complaint(&order(&[0, 1, 4, 6, 7])).contains("no end in the log"));
        assert!(complaint(&order(&[2, 3, 4, 6, 7])).contains("in no frame of the log"));
    }

    #[test]
    fn bytes_are_read_as_strace_writes_them() {
        assert_eq!(unescaped(r#"\0\0\23%\360]D\n\"\\"#), b"\0\0\x13%\xf0]D\n\"\\");
    }
}
