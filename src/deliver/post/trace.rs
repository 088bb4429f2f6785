//! What one request sees of its connection: the address, and how long each step to it took.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Extensions, Request};
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};

/// Shared by a request and the connection that is dialled for it. hyper-util gives the connector nothing of the request
/// but its origin, and tells what was dialled only in the end; so the steps reach [`Trace::current`] as they are made,
/// and a request that times out knows how far it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace(Arc<Mutex<Steps>>);

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    pub address: Option<SocketAddr>,
    pub dns: Option<Duration>,
    pub connect: Option<Duration>,
    pub tls: Option<Duration>,
}

/// What a connection carries for as long as it lives.
#[derive(Clone, Debug)]
pub(super) struct Dialled {
    pub address: SocketAddr,
    /// By the clock that durations are measured by.
    pub at: Duration,
    /// Of the request that it was dialled for.
    pub by: Trace,
}

tokio::task_local! {
    static CURRENT: Trace;
}

impl Trace {
    pub fn steps(&self) -> Steps {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn note(&self, step: impl FnOnce(&mut Steps)) {
        step(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What is dialled while `request` is polled is noted here.
    pub async fn follow<T>(&self, request: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), request).await
    }

    /// That of the request which is polled.
    pub fn current() -> Self {
        CURRENT.try_with(Self::clone).unwrap_or_default()
    }

    /// The connection that the request was given may be another than the one it began to dial: none of those steps are
    /// its own then.
    pub fn settle(&self, used: &Used) {
        if let Some(dialled) = used.dialled().filter(|dialled| !Arc::ptr_eq(&dialled.by.0, &self.0)) {
            self.note(|steps| *steps = Steps { address: Some(dialled.address), ..Steps::default() });
        }
    }
}

/// The connection that a request was given, once there is one.
#[derive(Default)]
pub(super) struct Used(Option<CaptureConnection>);

impl Used {
    pub fn watch<T>(&mut self, mut request: Request<T>) -> Request<T> {
        self.0 = Some(capture_connection(&mut request));
        request
    }

    /// It takes no further request if it was dialled by then.
    pub fn retire(&self, dialled_by: Duration) {
        let is_old = self.dialled().is_some_and(|dialled| dialled.at <= dialled_by);
        if let Some(captured) = self.0.as_ref().filter(|_| is_old)
            && let Some(connection) = captured.connection_metadata().as_ref()
        {
            connection.poison();
        }
    }

    fn dialled(&self) -> Option<Dialled> {
        let mut extras = Extensions::new();
        self.0.as_ref()?.connection_metadata().as_ref()?.get_extras(&mut extras);
        extras.remove()
    }
}
