//! A connection as hyper gets it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::trace::Dialled;

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Gives up on an answer that is larger than anything that is read of one: hyper bounds each head, but not how many
/// of `100 Continue` come before the last.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    dialled: Dialled,
    /// Requests name the whole URL: a proxy reads them.
    is_proxied: bool,
    most: usize,
    /// Since something was last written.
    read: usize,
}

/// The text says all there is to say.
#[derive(Debug, thiserror::Error)]
#[error("the answer is longer than is read")]
pub(super) struct TooLong;

impl Wire {
    pub fn new(stream: Box<dyn Stream>, dialled: Dialled, most: usize) -> Self {
        Self { stream, dialled, is_proxied: false, most, read: 0 }
    }

    pub fn proxied(mut self) -> Self {
        self.is_proxied = true;
        self
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.is_proxied).extra(self.dialled.clone())
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.read > self.most {
            return Poll::Ready(Err(io::Error::other(TooLong)));
        }
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        self.read += into.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.read = 0;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.read = 0;
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
