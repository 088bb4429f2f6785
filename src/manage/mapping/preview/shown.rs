//! Values as a preview shows them, within bounds: what is longer is cut, and says so.

use std::io;

use serde::Serialize;
use serde_json::Value;

use crate::record::value::weight;

/// Of one value, in bytes of its text.
const LONGEST: usize = 64 * 1024;
/// Of all values and rules of one preview together, in bytes, roughly.
const MOST: usize = 4 * 1024 * 1024;

/// What may still be shown.
#[derive(Debug)]
pub struct Room {
    left: usize,
    /// Something was not shown for want of room.
    pub is_short: bool,
}

/// A value; the beginning of its text where it is too long.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Shown {
    pub value: Value,
    /// The value is the beginning of a longer text.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

impl Room {
    pub fn new() -> Self {
        Self { left: MOST, is_short: false }
    }

    /// Takes some, if there is as much.
    pub fn take(&mut self, bytes: usize) -> bool {
        let enough = bytes <= self.left;
        if enough {
            self.left -= bytes;
        } else {
            self.is_short = true;
        }
        enough
    }

    pub fn show(&mut self, node: &Value) -> Shown {
        let most = LONGEST.min(self.left);
        let weight = weight(node, most);
        if weight <= most {
            self.left -= weight;
            return Shown { value: node.clone(), cut: false };
        }
        let beginning = match node {
            Value::String(text) => text[..text.floor_char_boundary(most)].to_owned(),
            node => beginning(node, most),
        };
        self.is_short |= most < LONGEST;
        self.left -= beginning.len();
        Shown { value: beginning.into(), cut: true }
    }
}

/// Of its JSON, no more of it written than is shown.
fn beginning(node: &Value, most: usize) -> String {
    struct Bounded(Vec<u8>, usize);
    impl io::Write for Bounded {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.1 - self.0.len());
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut written = Bounded(Vec::new(), most);
    // It fails when it is full, which is meant.
    let _ = serde_json::to_writer(&mut written, node);
    let mut text = String::from_utf8_lossy(&written.0).into_owned();
    text.truncate(text.floor_char_boundary(most));
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let mut room = Room::new();
        assert!(!room.show(&json!({ "a": [1, "x"] })).cut);
        for node in [json!("é".repeat(LONGEST)), json!([["é".repeat(LONGEST)]])] {
            let shown = room.show(&node);
            assert!(shown.cut && shown.value.as_str().unwrap().len() <= LONGEST, "{}", shown.value);
        }
        for _ in 0..MOST / LONGEST {
            room.show(&json!("x".repeat(LONGEST)));
        }
        assert!(room.is_short);
        assert_eq!((room.show(&json!("xyz")).cut, room.take(1)), (true, false));
    }
}
