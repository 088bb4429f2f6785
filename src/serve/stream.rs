//! The stream under hyper: tells its [`Line`] what goes over it, and gives what hyper refuses by itself the same form
//! as every other refusal.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::line::Line;
use crate::gateway::Gateway;
use crate::id::RequestId;
use crate::problem::{Code, Problem};

/// What a refused client may still send, so that it gets to read the answer.
const LINGER_BYTES: usize = 256 * 1024;

pub struct Stream {
    inner: TcpStream,
    remote: SocketAddr,
    line: Arc<Line>,
    gateway: Arc<Gateway>,
    /// Bytes since the last answer began.
    heard: usize,
    /// Bytes taken by the client since it last took enough.
    taken: usize,
    refusal: Option<Refusal>,
}

/// An answer of ours that is written instead of one of hyper's.
struct Refusal {
    bytes: Vec<u8>,
    written: usize,
    /// The length of hyper's.
    instead_of: usize,
}

impl Stream {
    pub fn new(inner: TcpStream, remote: SocketAddr, line: Arc<Line>, gateway: Arc<Gateway>) -> Self {
        Self { inner, remote, line, gateway, heard: 0, taken: 0, refusal: None }
    }

    /// Hyper answers what it cannot read as a request by itself, with a status and nothing else. There is no request
    /// under way then, and all earlier answers are written: what begins now with a 4xx is such an answer.
    fn refuse_instead(&mut self, hypers: &[u8]) {
        if !self.line.phase().is_between_requests() || !hypers.ends_with(b"\r\n\r\n") {
            return;
        }
        let Some(status) = hypers.strip_prefix(b"HTTP/1.1 ").or_else(|| hypers.strip_prefix(b"HTTP/1.0 ")) else {
            return;
        };
        let problem = match status.get(..3) {
            Some(b"400") => {
                Problem::new(Code::InvalidRequest, "the head of the request breaks the grammar of HTTP/1.1")
            }
            Some(b"414" | b"431") => self.too_large(),
            _ => return,
        };
        let request = RequestId::new(self.gateway.clock.now());
        let (status, code, address) = (problem.status().as_u16(), problem.code().as_str(), self.remote.ip());
        tracing::info!(%request, route = "none", status, code, %address, "request");
        self.refusal = Some(Refusal { bytes: problem.on_the_wire(request), written: 0, instead_of: hypers.len() });
    }

    fn too_large(&self) -> Problem {
        let by_size = self.heard >= self.gateway.config.bounds.header_bytes;
        self.gateway.metrics.reached(if by_size { "header_bytes" } else { "header_fields" });
        Code::HeadersTooLarge.into()
    }

    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<usize>>> {
        let Some(refusal) = &mut self.refusal else { return Poll::Ready(None) };
        while refusal.written < refusal.bytes.len() {
            let polled = Pin::new(&mut self.inner).poll_write(cx, &refusal.bytes[refusal.written..]);
            match polled {
                Poll::Ready(Ok(written)) => refusal.written += written,
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                Poll::Pending => {
                    self.line.is_unread();
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Some(Ok(refusal.instead_of)))
    }

    /// What became of a write of so many bytes.
    fn noted(&mut self, polled: Poll<io::Result<usize>>, whole: usize) -> Poll<io::Result<usize>> {
        match &polled {
            Poll::Pending if self.line.is_unread() => self.taken = 0,
            Poll::Ready(Ok(written)) if self.line.waits_for_reader() => {
                self.taken += written;
                if *written == whole {
                    self.line.took_all();
                } else if self.taken >= self.gateway.config.bounds.progress_bytes {
                    self.taken = 0;
                    self.line.took_enough();
                }
            }
            _ => {}
        }
        polled
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let heard = buffer.filled().len() - before;
        if heard > 0 {
            self.heard += heard;
            self.line.heard();
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.refusal.is_none() {
            self.refuse_instead(bytes);
        }
        if let Some(written) = ready!(self.poll_refusal(cx)) {
            return Poll::Ready(written);
        }
        self.heard = 0;
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.noted(polled, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = pieces {
            return self.poll_write(cx, only);
        }
        self.heard = 0;
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, pieces);
        self.noted(polled, pieces.iter().map(|piece| piece.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        self.line.flushed();
        Poll::Ready(Ok(()))
    }

    /// Behind a refusal, what the client still sends is taken in for a while: closing with bytes unread would take the
    /// answer away from it. The sweep ends it in time.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
        if self.refusal.is_none() {
            return Poll::Ready(Ok(()));
        }
        if self.line.phase() != super::line::Phase::Closing {
            self.line.closes();
            self.heard = 0;
        }
        while self.heard < LINGER_BYTES {
            let mut space = [0; 4_096];
            let mut buffer = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            self.heard += buffer.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}
