//! A running gateway: its listeners, and how it starts and stops. Owns every task: they end in [`Running::stop`].

mod api;
mod command;
mod deliveries;
mod demo;
mod files;
mod http;
mod limits;
mod line;
mod lines;
mod observe;
mod routes;
mod signatures;
mod stream;

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio_util::task::TaskTracker;

use crate::cli;
use crate::clock::Clock;
use crate::config::Config;
pub use crate::gateway::StartError;
use crate::gateway::{Gateway, admin_key};
use crate::manage::apply::compare::AppliedSource;
use crate::manage::apply::{Input, apply};
use crate::manage::caller::Caller;
use crate::secret::SecretString;
pub use command::{demo, serve};

pub struct Running {
    gateway: Arc<Gateway>,
    listen: SocketAddr,
    url: String,
    admin_url: String,
    made: Vec<AppliedSource>,
    connections: TaskTracker,
}

impl Running {
    /// Listens first, so that a taken port is told before anything is made. Boxed, so that it is compiled once, here,
    /// and not again in every crate that starts a gateway.
    pub fn start(config: Config, clock: Clock) -> Pin<Box<dyn Future<Output = Result<Self, StartError>> + Send>> {
        Box::pin(Self::start_here(config, clock))
    }

    async fn start_here(mut config: Config, clock: Clock) -> Result<Self, StartError> {
        let public = bind(config.listen)?;
        let admin = match config.admin_listen {
            Some(address) => Some(bind(address)?),
            None => None,
        };
        let listen = local(&public, config.listen)?;
        let url = format!("http://{listen}");
        let admin_url = match (&admin, config.admin_listen) {
            (Some(admin), Some(address)) => format!("http://{}", local(admin, address)?),
            _ => url.clone(),
        };
        // No delivery may reach it, whichever port it has got.
        config.admin_listen = admin.as_ref().and_then(|admin| admin.local_addr().ok());
        let gateway = Gateway::start(config, clock).await?;
        gateway.listens_at(url.clone());
        let made = apply_files(&gateway).await?;
        let connections = TaskTracker::new();
        let most = most_connections(&gateway, 1 + usize::from(admin.is_some()));
        let routes = match admin {
            None => routes::everything(&gateway),
            Some(admin) => {
                let routes = routes::administration(&gateway);
                connections.spawn(http::accept(admin, routes, Arc::clone(&gateway), connections.clone(), most));
                routes::webhooks(&gateway)
            }
        };
        connections.spawn(http::accept(public, routes, Arc::clone(&gateway), connections.clone(), most));
        Ok(Self { gateway, listen, url, admin_url, made, connections })
    }

    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Where it listens for webhooks: `http://127.0.0.1:8080`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the API is; the same unless there is a listener of its own for it.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// The key of the first owner, if it was made in this data directory.
    pub fn admin_key(&self) -> Option<SecretString> {
        admin_key(&self.gateway.config)
    }

    /// Sources that `--apply` made at this start, with the tokens that are shown this once.
    pub fn made(&self) -> &[AppliedSource] {
        &self.made
    }

    pub fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    /// Not ready, no new connections, what is in flight finished (up to the drain's bound), queues written, gone.
    pub async fn stop(self) {
        self.gateway.stopping.cancel();
        self.connections.close();
        let bound = self.gateway.config.bounds.drain;
        if tokio::time::timeout(bound, self.connections.wait()).await.is_err() {
            tracing::warn!(?bound, "connections were still open and are cut off");
            self.gateway.cut.cancel();
            if tokio::time::timeout(CUT_WITHIN, self.connections.wait()).await.is_err() {
                tracing::error!("connections that were cut off did not end");
            }
        }
        // What was accepted is written however short the drain is: each batch has its deadline.
        let bound = self.gateway.config.bounds.database_deadline + SIGN_OFF;
        if tokio::time::timeout(bound, self.gateway.stop()).await.is_err() {
            tracing::warn!(?bound, "the database did not let the gateway sign off in time");
        }
    }
}

/// The bound, or what the system lets each of so many listeners have.
fn most_connections(gateway: &Gateway, listeners: usize) -> usize {
    let wanted = gateway.config.bounds.connections;
    let Some(most) = files::connections().map(|all| (all / listeners).max(1)).filter(|most| *most < wanted) else {
        return wanted;
    };
    tracing::warn!(wanted, most, "the system allows too few open files (ulimit -n) for `connections`: fewer are kept");
    most
}

/// How long connections may take to end when they are told to end at once.
const CUT_WITHIN: Duration = Duration::from_secs(5);
/// Beyond the writing of what is left: the tasks that end, the replica that leaves.
const SIGN_OFF: Duration = Duration::from_secs(5);
/// Bytes of answers that the system keeps for a client. Left to itself it keeps megabytes of a large answer, and says
/// nothing until a good part of them is taken: a slow reader would look like one that does not read.
const SEND_BUFFER: u32 = 64 * 1024;
/// Connections that wait to be accepted. Beyond them the system drops some in silence, and their clients wait.
const BACKLOG: u32 = 4_096;

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A gateway that is started anew does not wait for the connections of the one before.
        socket.set_reuseaddr(true)?;
        // Connections have it from their listener.
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|error| StartError::Listen { address, error })
}

fn local(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|error| StartError::Listen { address, error })
}

/// `--apply`: the files are made so before the first request is taken. Returns the sources that were made just now.
async fn apply_files(gateway: &Gateway) -> Result<Vec<AppliedSource>, StartError> {
    let read = |path: &std::path::PathBuf| read_file(path);
    let files = gateway.config.apply.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let secrets = cli::apply::secrets(&files);
    let names = files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let input = Input { files, secrets, dry_run: false };
    let applied = apply(gateway, &Caller::startup(), &input).await;
    let applied = applied.map_err(|problem| StartError::Apply { file: names, detail: told(&problem) })?;
    Ok(applied.sources.into_iter().filter(|source| source.token.is_some()).collect())
}

fn told(problem: &crate::problem::Problem) -> String {
    let errors = problem.errors().iter().map(ToString::to_string);
    std::iter::once(problem.detail().to_owned()).chain(errors).collect::<Vec<_>>().join("\n  ")
}

fn read_file(path: &Path) -> Result<(String, String), StartError> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(StartError::Apply { file: name, detail: error.to_string() }),
    }
}
