//! Connections: HTTP/1.1 only, at most so many at once, each ended in order or when it is overdue.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::task::TaskTracker;
use tower_service::Service;

use super::line::Order;
use super::lines::{Lines, Opened, Place};
use super::stream::Stream;
use crate::config::Bounds;
use crate::gateway::Gateway;
use crate::id::RequestId;
use crate::problem::{Code, Problem};
use crate::store::RETRY_AFTER;

/// What is read of a body at once, at most. A head is bounded by the settings.
const READ_BUFFER: usize = 64 * 1024;
/// What hyper makes room for without an allocation.
const FIELDS_AT_HAND: usize = 100;
/// How long accepting rests when the system gives no more sockets.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(50);
/// Connections that are being turned away at once; the others are closed without a word.
const TURNED_AWAY: usize = 64;
/// How long one that is turned away may take to read its answer.
const TURNED_AWAY_WITHIN: Duration = Duration::from_secs(1);

/// The address of the other end of the connection, on every request.
#[derive(Clone, Copy, Debug)]
pub struct Remote(pub SocketAddr);

/// A listener and its open connections.
pub struct Listener {
    gateway: Arc<Gateway>,
    routes: Router,
    lines: Arc<Lines>,
    tasks: TaskTracker,
    turning_away: Arc<Semaphore>,
}

/// Ends when the gateway has stopped and the last connection is closed.
pub async fn accept(listener: TcpListener, routes: Router, gateway: Arc<Gateway>, tasks: TaskTracker, most: usize) {
    let lines = Lines::new(most);
    let house = Listener { gateway, routes, lines, tasks, turning_away: Arc::new(Semaphore::new(TURNED_AWAY)) };
    let mut sweeps = interval(Lines::period(&house.gateway.config.bounds));
    sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let began = sweeps.tick().await;
    loop {
        tokio::select! {
            () = house.gateway.stopping.cancelled() => break,
            at = sweeps.tick() => house.sweep(at, began),
            accepted = listener.accept() => match accepted {
                Ok((stream, remote)) => house.take(stream, remote),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    house.lines.make_room();
                    tokio::time::sleep(OUT_OF_SOCKETS).await;
                }
            },
        }
    }
    drop(listener);
    house.lines.tell_all(Order::Finish);
    while !house.lines.is_empty() {
        tokio::select! {
            at = sweeps.tick() => house.sweep(at, began),
            () = house.gateway.cut.cancelled() => break,
        }
    }
    house.lines.tell_all(Order::End);
}

impl Listener {
    fn sweep(&self, at: Instant, began: Instant) {
        self.lines.now.set(at.saturating_duration_since(began));
        self.lines.sweep(&self.gateway.config.bounds);
    }

    fn take(&self, stream: TcpStream, remote: SocketAddr) {
        let metrics = &self.gateway.metrics;
        let place = match self.lines.open() {
            Opened::Free(place) => place,
            Opened::MadeRoom(place) => {
                metrics.reached("connections");
                place
            }
            Opened::Full => {
                metrics.reached("connections");
                metrics.turned_away();
                return self.turn_away(stream);
            }
        };
        let (routes, gateway) = (self.routes.clone(), Arc::clone(&self.gateway));
        self.tasks.spawn(async move {
            gateway.metrics.connections.increment(1);
            connection(stream, remote, routes, &gateway, place).await;
            gateway.metrics.connections.decrement(1);
        });
    }

    /// Tells a client that there is no room, unless very many are being told already.
    fn turn_away(&self, mut stream: TcpStream) {
        let Ok(permit) = Arc::clone(&self.turning_away).try_acquire_owned() else { return };
        let problem = Problem::from(Code::TooManyConnections).with_retry_after(RETRY_AFTER);
        let answer = problem.on_the_wire(RequestId::new(self.gateway.clock.now()));
        self.tasks.spawn(async move {
            let told = async {
                stream.write_all(&answer).await?;
                stream.shutdown().await?;
                // Closing with bytes unread would take the answer away from the client.
                while stream.read(&mut [0; 4_096]).await? > 0 {}
                std::io::Result::Ok(())
            };
            // Whether it has read it is its own affair.
            let _ = tokio::time::timeout(TURNED_AWAY_WITHIN, told).await;
            drop(permit);
        });
    }
}

async fn connection(stream: TcpStream, remote: SocketAddr, routes: Router, gateway: &Arc<Gateway>, place: Place) {
    // Answers are small and written whole; waiting for more only delays them.
    let _ = stream.set_nodelay(true);
    let line = &place.line;
    let service = service_fn(|mut request: Request<Incoming>| {
        line.begins();
        request.extensions_mut().insert(Remote(remote));
        let answer = routes.clone().call(request);
        async {
            let answer = answer.await;
            line.answers();
            answer
        }
    });
    let bounds = &gateway.config.bounds;
    let stream = Stream::new(stream, remote, Arc::clone(line), Arc::clone(gateway));
    let connection = protocol(bounds).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    loop {
        tokio::select! {
            biased;
            // What goes wrong on a connection is the other end's; its requests have had their log lines.
            _ = connection.as_mut() => return,
            () = line.told() => {}
        }
        match line.order() {
            Order::None => {}
            Order::Finish => connection.as_mut().graceful_shutdown(),
            Order::End => return,
            Order::Cut => match line.is_cut(bounds) {
                Some("") => return,
                Some(limit) => return gateway.metrics.reached(limit),
                None => place.stays(),
            },
        }
    }
}

/// Without a timer: the sweep knows the time.
fn protocol(bounds: &Bounds) -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol.header_read_timeout(None).max_buf_size(READ_BUFFER).max_header_size(bounds.header_bytes);
    if bounds.header_fields != FIELDS_AT_HAND {
        protocol.max_headers(bounds.header_fields);
    }
    protocol
}
