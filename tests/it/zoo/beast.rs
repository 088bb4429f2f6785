//! Receivers that do not behave: each a socket on loopback, until it is dropped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// Longer than anything that a test waits for may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// What it does with each connection, once something of the request has come.
#[derive(Clone, Debug)]
pub enum Way {
    /// Says this, and nothing more is to come.
    Says(Vec<u8>),
    /// Says this, and never another word.
    Holds(Vec<u8>),
    /// Says the first, and then the second again and again, for as long as anyone takes it.
    Endless(Vec<u8>, Vec<u8>),
    /// Says the first, and then one byte of the second each second, over and over.
    Drips(Vec<u8>, Vec<u8>),
    /// Breaks the connection off as a program does that crashes.
    Resets,
    /// Takes the connection, and nothing from it.
    NeverReads,
    /// Its port is taken, and nobody listens there.
    Absent,
}

pub struct Beast {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    ended: watch::Sender<usize>,
    lair: Lair,
}

enum Lair {
    Open(JoinHandle<()>),
    Shut { _bound: TcpSocket },
}

impl Drop for Beast {
    fn drop(&mut self) {
        if let Lair::Open(task) = &self.lair {
            task.abort();
        }
    }
}

impl Beast {
    pub async fn new(way: Way) -> Self {
        Self::at("127.0.0.1:0", way).await
    }

    pub async fn at(address: &str, way: Way) -> Self {
        let (connections, ended) = (Arc::new(AtomicUsize::new(0)), watch::Sender::new(0));
        let address: SocketAddr = address.parse().unwrap();
        let (address, lair) = if matches!(way, Way::Absent) {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(address).unwrap();
            (socket.local_addr().unwrap(), Lair::Shut { _bound: socket })
        } else {
            let listener = TcpListener::bind(address).await.unwrap();
            let address = listener.local_addr().unwrap();
            let task = tokio::spawn(live(listener, way, (Arc::clone(&connections), ended.clone())));
            (address, Lair::Open(task))
        };
        Self { address, connections, ended, lair }
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// So many connections were made and are over.
    pub async fn wait_for_ended(&self, count: usize) {
        let mut ended = self.ended.subscribe();
        let waited = timeout(DEADLINE, ended.wait_for(|ended| *ended >= count)).await.map(drop);
        assert!(waited.is_ok(), "{} of {count} connections ended, of {}", *self.ended.borrow(), self.connections());
    }
}

async fn live(listener: TcpListener, way: Way, (connections, ended): (Arc<AtomicUsize>, watch::Sender<usize>)) {
    let mut served = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::SeqCst);
        let (way, ended) = (way.clone(), ended.clone());
        served.spawn(async move {
            serve(stream, way).await;
            ended.send_modify(|ended| *ended += 1);
        });
        while served.try_join_next().is_some() {}
    }
}

async fn serve(mut stream: TcpStream, way: Way) {
    if matches!(way, Way::NeverReads) {
        return std::future::pending().await;
    }
    let _ = stream.read(&mut [0; 4_096]).await;
    match way {
        Way::Says(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            // Closed with something unread, it would take back what was said.
            gone(&mut stream).await;
        }
        Way::Holds(bytes) => {
            let _ = stream.write_all(&bytes).await;
            gone(&mut stream).await;
        }
        Way::Endless(start, more) => {
            let _ = stream.write_all(&start).await;
            while stream.write_all(&more).await.is_ok() {}
        }
        Way::Drips(start, more) => {
            let _ = stream.write_all(&start).await;
            let mut drip = tokio::time::interval(Duration::from_secs(1));
            for byte in more.iter().cycle() {
                drip.tick().await;
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
            }
        }
        Way::Resets => stream.set_zero_linger().unwrap(),
        Way::NeverReads | Way::Absent => {}
    }
}

/// Comes to its end when the other side has closed.
async fn gone(stream: &mut TcpStream) {
    while stream.read(&mut [0; 4_096]).await.is_ok_and(|read| read > 0) {}
}
