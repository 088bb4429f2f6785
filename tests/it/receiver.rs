//! A subscriber: a small HTTP/1.1 server on a free port of 127.0.0.1 that keeps every request as it came and answers as
//! the test says. It ends, with all its connections, when it is dropped. Deliberately not here: TLS, and bodies without
//! a Content-Length.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

mod message;
mod tests;

pub use message::{End, Gate, Received, Reply};

/// Longer than anything that a test waits for may take.
const DEADLINE: Duration = Duration::from_secs(30);

pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

type Answers = Box<dyn FnMut(&Received) -> Reply + Send>;

struct Shared {
    came: watch::Sender<Vec<Received>>,
    answers: Mutex<Answers>,
    in_hand: AtomicUsize,
    most_in_hand: AtomicUsize,
}

impl Drop for Receiver {
    /// Its connections belong to the task and go with it.
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    /// Answers 200 to everything until it is told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Arc::new(Shared {
            came: watch::Sender::default(),
            answers: Mutex::new(Box::new(|_| Reply::status(200))),
            in_hand: AtomicUsize::new(0),
            most_in_hand: AtomicUsize::new(0),
        });
        let address = listener.local_addr().unwrap();
        Self { address, shared: shared.clone(), server: tokio::spawn(serve(listener, shared)) }
    }

    /// `path` begins with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on, for every request.
    pub fn answer(&self, answers: impl FnMut(&Received) -> Reply + Send + 'static) {
        *self.shared.answers() = Box::new(answers);
    }

    /// From now on these, in this order, and then 200.
    pub fn answer_in_turn(&self, replies: impl IntoIterator<Item = Reply, IntoIter: Send + 'static>) {
        let mut replies = replies.into_iter().fuse();
        self.answer(move |_| replies.next().unwrap_or_else(|| Reply::status(200)));
    }

    /// All that have come so far, in the order of their arrival, answered or not.
    pub fn received(&self) -> Vec<Received> {
        self.shared.came.borrow().clone()
    }

    /// All that have come as soon as there are so many; there may be more.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        self.wait_until(DEADLINE, count).await
    }

    async fn wait_until(&self, deadline: Duration, count: usize) -> Vec<Received> {
        let mut came = self.shared.came.subscribe();
        if let Ok(came) = timeout(deadline, came.wait_for(|came| came.len() >= count)).await {
            return came.expect("the sender lives as long as the receiver").clone();
        }
        let came = self.received();
        let lines: String = came.iter().map(|request| format!("\n  {request}")).collect();
        panic!("{} of {count} requests came within {deadline:?}:{lines}", came.len())
    }

    /// The most requests that ever were with it at the same time: come, and not yet answered to the end.
    pub fn most_at_once(&self) -> usize {
        self.shared.most_in_hand.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// Answered in the order in which they are kept; and before it is known that one came, since a test that has seen it
    /// may change the answers.
    fn take(&self, request: Received) -> Reply {
        let mut answers = self.answers();
        let reply = answers(&request);
        self.came.send_modify(|came| came.push(request));
        reply
    }

    /// A closure that has failed has said so, and there is nothing half done behind it.
    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request that has come and has no answer yet.
struct InHand<'a>(&'a Shared);

impl<'a> InHand<'a> {
    fn new(shared: &'a Shared) -> Self {
        let now = shared.in_hand.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_in_hand.fetch_max(now, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.in_hand.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).unwrap();
        connections.spawn(connection(stream, number, shared.clone()));
        number += 1;
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(mut stream: TcpStream, number: usize, shared: Arc<Shared>) {
    let mut unread = Vec::new();
    while let Some(request) = next(&mut stream, &mut unread, number).await {
        let _in_hand = InHand::new(&shared);
        let reply = shared.take(request);
        if !give(&mut stream, reply).await {
            return;
        }
    }
}

/// Reads one request. None once the client has closed, in its midst or before.
async fn next(stream: &mut TcpStream, unread: &mut Vec<u8>, connection: usize) -> Option<Received> {
    loop {
        if let Some((request, length)) = message::parse(unread, connection) {
            unread.drain(..length);
            return Some(request);
        }
        match stream.read_buf(unread).await {
            Ok(length) if length > 0 => {}
            _ => return None,
        }
    }
}

/// Whether the connection goes on. A client that goes away while it is kept waiting ends it.
async fn give(stream: &mut TcpStream, reply: Reply) -> bool {
    if let Some(gate) = &reply.gate {
        tokio::select! {
            () = gate.opened() => {}
            () = gone(stream) => return false,
        }
    }
    if stream.write_all(&reply.bytes).await.is_err() {
        return false;
    }
    match reply.end {
        End::GoOn => true,
        End::Close => false,
        End::Hang => {
            gone(stream).await;
            false
        }
    }
}

/// Comes to its end when the client has closed. What it sends meanwhile is nobody's.
async fn gone(stream: &mut TcpStream) {
    let mut piece = [0; 4_096];
    while matches!(stream.read(&mut piece).await, Ok(length) if length > 0) {}
}
