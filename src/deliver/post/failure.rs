//! Why there is no answer, from what hyper and the connector say.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use hyper_util::client::legacy::Error;

use super::{tls, wire};
use crate::deliver::exchange::{ErrorClass, Failed};

/// What the connector gives up with; it reaches [`of`] through hyper-util's own error.
#[derive(Debug)]
pub(super) struct Broken(Failed);

impl Broken {
    pub fn new(class: ErrorClass, detail: impl fmt::Display) -> Self {
        Self(Failed { class, detail: detail.to_string() })
    }

    /// The system's words for what happened, without those of whoever reported it.
    pub fn io(class: ErrorClass, what: &str, error: &io::Error) -> Self {
        Self::new(class, format_args!("{what}: {}", error.kind()))
    }

    pub fn tls(error: &rustls::Error) -> Self {
        Self::new(ErrorClass::Tls, tls::words(error))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl StdError for Broken {}

/// hyper says that it has written nothing of the request, or never had a connection to write it to.
pub(super) fn never_left(error: &Error) -> bool {
    let was_unsent = |error: &hyper::Error| error.is_canceled();
    find::<Broken>(error).is_none() && (error.is_connect() || find(error).is_some_and(was_unsent))
}

pub(super) fn late(within: Duration) -> Failed {
    Failed { class: ErrorClass::Timeout, detail: format!("no answer within {within:?}") }
}

pub(super) fn of(error: &Error) -> Failed {
    if let Some(Broken(failed)) = find(error) {
        return failed.clone();
    }
    if let Some(error) = find::<rustls::Error>(error) {
        return Failed { class: ErrorClass::Tls, detail: tls::words(error).to_owned() };
    }
    let detail = match (find::<wire::TooLong>(error), find::<hyper::Error>(error)) {
        (Some(too_long), _) => too_long.to_string(),
        (_, Some(error)) if error.is_parse_too_large() => "the answer's head is longer than is read".to_owned(),
        (_, Some(error)) if error.is_parse() => "what came is not an answer of HTTP/1.1".to_owned(),
        (_, Some(error)) if error.is_incomplete_message() => "the connection was closed without an answer".to_owned(),
        _ => match find::<io::Error>(error) {
            Some(error) => format!("the connection broke off before an answer: {}", error.kind()),
            None => "the connection broke off before an answer".to_owned(),
        },
    };
    Failed { class: ErrorClass::Protocol, detail }
}

/// The nearest cause of this type. What an `io::Error` wraps is not among its sources.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.filter_map(|cause| cause.downcast_ref().or_else(|| wrapped(cause))).next()
}

fn wrapped<'a, T: StdError + 'static>(cause: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let inner: &(dyn StdError + 'static) = cause.downcast_ref::<io::Error>()?.get_ref()?;
    inner.downcast_ref().or_else(|| wrapped(inner))
}
