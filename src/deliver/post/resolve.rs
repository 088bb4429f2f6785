//! From a name to its addresses.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::lookup_host;
use tokio::sync::Semaphore;

pub type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Looks a name up, afresh each time. Whoever calls it bounds the time.
pub trait Resolve: Send + Sync + 'static {
    fn resolve<'a>(&'a self, host: &'a str) -> Found<'a>;
}

/// The system's look-up takes a thread until it is done, so that names whose servers are dead could take them all.
const AT_ONCE: usize = 64;

/// As the machine resolves names for everybody: its hosts file, search domains, DNS servers.
pub struct System {
    permits: Arc<Semaphore>,
}

impl Default for System {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a str) -> Found<'a> {
        Box::pin(async move {
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(io::Error::other)?;
            let host = host.to_owned();
            // A task of its own, which ends with the look-up: one that nobody waits for any more still has its thread.
            let looking = tokio::spawn(async move {
                let found = lookup_host((host, 0)).await;
                drop(permit);
                found.map(|addresses| addresses.map(|address| address.ip()).collect())
            });
            looking.await.map_err(io::Error::other)?
        })
    }
}
