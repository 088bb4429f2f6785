//! Connections: HTTP/1.1 only, each with a deadline for its head, at most so many at once, ended in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use crate::gateway::Gateway;

/// The head of a request as hyper buffers it. The bound that senders meet, with a problem for an answer, is lower.
const HEAD_BUFFER: usize = 64 * 1024;
/// Fields that hyper reads before it gives up by itself, without a problem; senders meet a lower bound.
const MOST_FIELDS: usize = 1_024;
/// How long accepting rests when the system gives no more sockets.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(50);

/// The address of the other end of the connection, on every request.
#[derive(Clone, Copy, Debug)]
pub struct Remote(pub SocketAddr);

/// Ends when the gateway stops.
pub async fn accept(listener: TcpListener, routes: Router, gateway: Arc<Gateway>, tasks: TaskTracker) {
    let slots = Arc::new(Semaphore::new(gateway.config.bounds.connections));
    loop {
        let accepted = tokio::select! {
            () = gateway.stopping.cancelled() => return,
            accepted = async {
                let slot = Arc::clone(&slots).acquire_owned().await;
                listener.accept().await.map(|accepted| (accepted, slot))
            } => accepted,
        };
        match accepted {
            Ok(((stream, remote), slot)) => {
                let (routes, gateway) = (routes.clone(), Arc::clone(&gateway));
                tasks.spawn(async move {
                    let _slot = slot;
                    gateway.metrics.connections.increment(1);
                    connection(stream, remote, routes, &gateway).await;
                    gateway.metrics.connections.decrement(1);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(OUT_OF_SOCKETS).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, remote: SocketAddr, routes: Router, gateway: &Gateway) {
    // Answers are small and written whole; waiting for more only delays them.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Remote(remote));
        routes.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(gateway.config.bounds.header_time)
        .max_buf_size(HEAD_BUFFER)
        .max_headers(MOST_FIELDS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // What goes wrong on a connection is the other end's; its requests have had their log lines.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = gateway.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                _ = connection => {}
                () = gateway.cut.cancelled() => {}
            }
        }
    }
}
