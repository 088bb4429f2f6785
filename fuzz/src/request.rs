//! A request as a text that a person can read and a fuzzer can take apart:
//!
//!     [module file, then a line ====]
//!     source?query
//!     Header: value
//!
//!     body

use http::{HeaderMap, HeaderName, HeaderValue};

pub struct Request<'a> {
    /// A module file of the request's own.
    pub module: Option<&'a str>,
    pub source: &'a str,
    pub query: Option<&'a str>,
    pub headers: HeaderMap,
    pub body: &'a [u8],
}

const RULER: &[u8] = b"\n====\n";

impl<'a> Request<'a> {
    /// `None` for what no HTTP server would pass on.
    pub fn read(input: &'a [u8]) -> Option<Self> {
        let (module, rest) = match split(input, RULER) {
            Some((module, rest)) => (Some(std::str::from_utf8(module).ok()?), rest),
            None => (None, input),
        };
        let (head, body) = split(rest, b"\n\n")?;
        let mut lines = head.split(|byte| *byte == b'\n');
        let line = std::str::from_utf8(lines.next()?).ok()?;
        let (source, query) = line.split_once('?').map_or((line, None), |(source, query)| (source, Some(query)));
        let headers = lines.map(header).collect::<Option<HeaderMap>>()?;
        Some(Self { module, source, query, headers, body })
    }
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = split(line, b": ")?;
    Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = bytes.windows(at.len()).position(|part| part == at)?;
    Some((&bytes[..place], &bytes[place + at.len()..]))
}
