//! A proxy between gateway and PostgreSQL that does to a connection what networks do.

use std::net::SocketAddr;
use std::time::Duration;

use tidegate::config::Database;
use tidegate::secret::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::app::Setup;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Every piece is this late, in both directions.
    Late(Duration),
    /// So many bytes every millisecond, in both directions.
    Slow(usize),
    /// Connections are reset, and new ones at once.
    Reset,
    /// The gateway hears the end of the stream; what it says goes on to PostgreSQL.
    EndToGateway,
    /// PostgreSQL hears the end of the stream; the gateway hears what PostgreSQL still says, and then nothing more.
    EndToPostgres,
    /// Nothing comes through, and nobody is told. A connection that was in it stays dead, as behind a router that has
    /// forgotten it.
    BlackHole,
}

pub struct Proxy {
    pub way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    /// Its connections belong to the task and go with it.
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Puts itself before a setup's PostgreSQL.
    pub async fn before(setup: &mut Setup) -> Self {
        let (listener, server) = before(setup).await;
        let way = watch::Sender::new(Way::Open);
        let seen = way.subscribe();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((gateway, _)) = listener.accept().await {
                connections.spawn(connection(gateway, server, seen.clone()));
            }
        });
        Self { way, task }
    }
}

/// Takes a setup's PostgreSQL and puts a new listener there: the listener, and where PostgreSQL is.
pub async fn before(setup: &mut Setup) -> (TcpListener, SocketAddr) {
    let Database::Postgres { url, .. } = &setup.config.database else { panic!("SQLite has no connection to cut") };
    let mut url = reqwest::Url::parse(url.expose_secret()).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let server = tokio::net::lookup_host(server).await.unwrap().next().expect("the server has an address");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    setup.config.database = Database::Postgres { url: String::from(url).into(), direct_url: None };
    (listener, server)
}

/// Both directions, until one of them ends or the way says what else becomes of them.
async fn connection(gateway: TcpStream, server: SocketAddr, way: watch::Receiver<Way>) {
    let Ok(postgres) = TcpStream::connect(server).await else { return };
    // What is late is late on purpose only.
    gateway.set_nodelay(true).unwrap();
    postgres.set_nodelay(true).unwrap();
    let (mut from_gateway, mut to_gateway) = gateway.into_split();
    let (mut from_postgres, mut to_postgres) = postgres.into_split();
    let fault = tokio::select! {
        fault = forward(&mut from_gateway, &mut to_postgres, way.clone()) => fault,
        fault = forward(&mut from_postgres, &mut to_gateway, way) => fault,
    };
    match fault {
        Some(Way::Reset) => {
            let gateway = from_gateway.reunite(to_gateway).unwrap();
            let postgres = from_postgres.reunite(to_postgres).unwrap();
            gateway.set_zero_linger().unwrap();
            postgres.set_zero_linger().unwrap();
        }
        Some(Way::EndToGateway) => {
            // The other end may be gone already.
            let _ = to_gateway.shutdown().await;
            let _ = tokio::io::copy(&mut from_gateway, &mut to_postgres).await;
        }
        Some(Way::EndToPostgres) => {
            let _ = to_postgres.shutdown().await;
            let _ = tokio::io::copy(&mut from_postgres, &mut to_gateway).await;
            std::future::pending::<()>().await;
        }
        Some(Way::BlackHole) => std::future::pending().await,
        Some(Way::Open | Way::Late(_) | Way::Slow(_)) | None => {}
    }
}

/// One direction. What ends it is a fault, or `None` when one of the two has closed.
async fn forward(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, mut way: watch::Receiver<Way>) -> Option<Way> {
    let mut piece = [0; 16 * 1024];
    loop {
        let now = *way.borrow_and_update();
        if !matches!(now, Way::Open | Way::Late(_) | Way::Slow(_)) {
            return Some(now);
        }
        let length = tokio::select! {
            read = from.read(&mut piece) => read.ok().filter(|length| *length > 0)?,
            changed = way.changed() => { changed.ok()?; continue }
        };
        let now = *way.borrow();
        match now {
            Way::Late(by) => tokio::time::sleep(by).await,
            Way::Slow(bytes) => {
                trickle(to, &piece[..length], bytes).await?;
                continue;
            }
            Way::Open => {}
            fault => return Some(fault),
        }
        to.write_all(&piece[..length]).await.ok()?;
    }
}

async fn trickle(to: &mut OwnedWriteHalf, piece: &[u8], bytes: usize) -> Option<()> {
    for drop in piece.chunks(bytes) {
        to.write_all(drop).await.ok()?;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Some(())
}
