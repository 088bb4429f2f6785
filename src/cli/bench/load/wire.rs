//! One connection: HTTP/1.1 as far as a load needs it.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer to an event is below one; what is longer has its end thrown away as it comes.
const MOST_HEAD: usize = 8 * 1024;

pub(super) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    exchanges: u64,
    /// Bytes of the answer under way.
    filled: usize,
}

pub(super) struct Answer {
    pub status: u16,
    /// There is a `Retry-After`.
    pub says_when: bool,
    /// The connection is of no further use.
    pub closes: bool,
}

#[derive(Default)]
struct Head {
    bytes: usize,
    status: u16,
    length: usize,
    says_when: bool,
    closes: bool,
}

impl Wire {
    pub async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; MOST_HEAD], exchanges: 0, filled: 0 })
    }

    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer, Error> {
        self.filled = 0;
        self.stream.write_all(request).await?;
        let head = self.head().await?;
        let mut body = self.filled - head.bytes;
        while body < head.length {
            body += self.more(0).await?;
        }
        if body > head.length {
            return Err(Error::new(ErrorKind::InvalidData, "more came than was asked for"));
        }
        self.exchanges += 1;
        Ok(Answer { status: head.status, says_when: head.says_when, closes: head.closes })
    }

    /// An exchange just failed on a connection that had served before, with nothing of an answer.
    pub fn may_have_been_idle(&self) -> bool {
        self.exchanges > 0 && self.filled == 0
    }

    async fn head(&mut self) -> Result<Head, Error> {
        loop {
            let from = self.filled;
            if from == self.buffer.len() {
                return Err(Error::new(ErrorKind::InvalidData, "the head of the answer does not end"));
            }
            self.filled += self.more(from).await?;
            if let Some(head) = read_head(&self.buffer[..self.filled]) {
                return head.ok_or_else(|| Error::new(ErrorKind::InvalidData, "not an answer that can be read"));
            }
        }
    }

    async fn more(&mut self, from: usize) -> Result<usize, Error> {
        match self.stream.read(&mut self.buffer[from..]).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            read => Ok(read),
        }
    }
}

/// None until the head has ended; then what it says, if it can be read.
fn read_head(bytes: &[u8]) -> Option<Option<Head>> {
    let (mut head, mut rest, mut is_good) = (Head::default(), bytes, true);
    let status_line = next_line(&mut rest)?;
    head.status = status_line.get(9..12).and_then(number).and_then(|status| status.try_into().ok()).unwrap_or(0);
    loop {
        let line = next_line(&mut rest)?;
        if line.is_empty() {
            head.bytes = bytes.len() - rest.len();
            return Some((is_good && head.status != 0).then_some(head));
        }
        if let Some(value) = value_of(line, b"content-length:") {
            is_good &= number(value).map(|length| head.length = length).is_some();
        } else if value_of(line, b"transfer-encoding:").is_some() {
            // The gateway's answers have a length.
            is_good = false;
        } else if value_of(line, b"retry-after:").is_some() {
            head.says_when = true;
        } else if value_of(line, b"connection:").is_some_and(|value| value.eq_ignore_ascii_case(b"close")) {
            head.closes = true;
        }
    }
}

fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let line = rest[..end].trim_ascii();
    *rest = &rest[end + 1..];
    Some(line)
}

fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-LENGTH: 12\r\nconnection: Close\r\n\r\nbody";
        for cut in 0..text.len() - b"body".len() {
            assert!(read_head(&text[..cut]).is_none(), "cut at {cut}");
        }
        let head = read_head(text).unwrap().unwrap();
        assert_eq!((head.status, head.length, head.bytes), (503, 12, text.len() - 4));
        assert!(head.says_when && head.closes);
    }

    #[test]
    fn what_cannot_be_read_is_no_answer() {
        for text in [
            "x\r\n\r\n",
            "HTTP/1.1 200\r\ncontent-length: x\r\n\r\n",
            "HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n",
        ] {
            assert!(read_head(text.as_bytes()).unwrap().is_none(), "{text:?}");
        }
    }
}
