//! The messages of a PostgreSQL client, one by one (PostgreSQL 15, section 55.7).

/// Takes bytes as they come and gives whole messages.
#[derive(Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// The messages before the session begins have no type.
    has_begun: bool,
}

/// Asks for TLS instead of beginning; the server says no, and the client begins.
const TLS_REQUEST: [u8; 4] = 80_877_103_u32.to_be_bytes();

impl Frames {
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message, with its type and length.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        let start = usize::from(self.has_begun);
        let length: [u8; 4] = self.bytes.get(start..start + 4)?.try_into().unwrap();
        let end = start + u32::from_be_bytes(length) as usize;
        if self.bytes.len() < end {
            return None;
        }
        let frame: Vec<u8> = self.bytes.drain(..end).collect();
        self.has_begun |= frame.get(4..8) != Some(&TLS_REQUEST[..]);
        Some(frame)
    }
}

/// Whether a message holds a statement that begins so.
pub fn says(frame: &[u8], word: &str) -> bool {
    frame.windows(word.len()).any(|part| part == word.as_bytes())
}

#[test]
fn messages_come_whole() {
    let mut frames = Frames::default();
    let mut all = [&8_u32.to_be_bytes(), &TLS_REQUEST[..], &9_u32.to_be_bytes(), b"\0\x03\0\0\0"].concat();
    all.extend_from_slice(b"Q\0\0\0\x0aBEGIN\0S\0\0\0\x04");
    let mut found = Vec::new();
    for byte in all {
        frames.take(&[byte]);
        found.extend(frames.next());
    }
    assert_eq!(found.len(), 4);
    assert_eq!(found[2], b"Q\0\0\0\x0aBEGIN\0");
    assert!(says(&found[2], "BEGIN") && !says(&found[2], "COMMIT"));
    assert_eq!(found[3], b"S\0\0\0\x04");
}
