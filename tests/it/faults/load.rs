//! Clients that post one event after the other until they are told to stop, whatever they meet.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::DEADLINE;
use super::books::{Books, CLIENTS, Heard, Tally, attempt};
use crate::app::Admin;
use crate::client::Sender;

/// How long a client that was refused or cut off waits before its next event.
const PAUSE: Duration = Duration::from_millis(100);

/// Running clients.
pub struct Load {
    clients: JoinSet<Books>,
    tally: Arc<watch::Sender<Tally>>,
    stop: watch::Sender<bool>,
}

impl Load {
    /// Clients that go on where these books end.
    pub fn start(sender: &Sender, books: &Books) -> Self {
        let next = Arc::new(AtomicUsize::new(books.next()));
        let tally = Arc::new(watch::Sender::new(Tally::default()));
        let stop = watch::Sender::new(false);
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(client(sender.clone(), Arc::clone(&next), Arc::clone(&tally), stop.subscribe()));
        }
        Self { clients, tally, stop }
    }

    /// Waits until the clients have met as much.
    pub async fn until(&self, enough: impl FnMut(&Tally) -> bool) -> Tally {
        let mut tally = self.tally.subscribe();
        let met = timeout(DEADLINE, tally.wait_for(enough)).await;
        *met.unwrap_or_else(|_| panic!("the clients meet what they should: {:?}", self.so_far())).unwrap()
    }

    /// So many more are accepted.
    pub async fn accepted(&self, more: usize) -> Tally {
        let wanted = self.so_far().accepted + more;
        self.until(|tally| tally.accepted >= wanted).await
    }

    /// So many more are refused or cut off.
    pub async fn failed(&self, more: usize) -> Tally {
        let wanted = self.so_far().failed() + more;
        self.until(|tally| tally.failed() >= wanted).await
    }

    pub fn so_far(&self) -> Tally {
        *self.tally.borrow()
    }

    /// The fault is over: how long until the gateway is normal, while each client hears of its last event and stops.
    /// What has no 202 in the end is sent again.
    pub async fn recover(self, sender: &Sender, admin: &Admin, books: &mut Books) -> Duration {
        let ((probe, took), ()) = tokio::join!(Books::until_normal(sender, admin), self.stop(books));
        books.add(probe);
        books.send_again(sender).await;
        took
    }

    /// Each client hears of its last event, and stops.
    pub async fn stop(self, books: &mut Books) {
        self.stop.send_replace(true);
        let clients = timeout(DEADLINE, self.clients.join_all()).await.expect("every POST has an end");
        clients.into_iter().for_each(|client| books.add(client));
    }
}

async fn client(
    sender: Sender,
    next: Arc<AtomicUsize>,
    tally: Arc<watch::Sender<Tally>>,
    mut stop: watch::Receiver<bool>,
) -> Books {
    let mut books = Books::default();
    while !*stop.borrow() {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let heard = attempt(&sender, number).await;
        tally.send_modify(|tally| tally.count(&heard));
        let is_well = matches!(heard, Heard::Accepted(_));
        books.note(number, heard);
        if !is_well {
            // It ends early when the client is told to stop.
            let _ = timeout(PAUSE, stop.wait_for(|stop| *stop)).await;
        }
    }
    books
}
