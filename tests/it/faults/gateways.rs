//! One gateway or several on the same database, each the real binary; any of them is killed and started again.

use std::sync::Arc;

use tokio::sync::watch;

use super::books::Books;
use super::load::Load;
use super::replicas::replica;
use crate::app::{Admin, Setup};
use crate::client::Sender;
use crate::process::Process;

/// Deliveries go to receivers of the test.
const ARGUMENTS: [&str; 2] = ["--allow-target", "127.0.0.0/8"];

pub struct Gateways {
    setups: Vec<Setup>,
    running: Vec<Process>,
    /// Of the module that they all have.
    pub sender: Sender,
    urls: Arc<watch::Sender<Vec<String>>>,
}

impl Gateways {
    /// With the module that most events are posted to.
    pub async fn start(setup: &Setup, count: usize) -> Self {
        let first = Process::start_with(setup, &ARGUMENTS).await;
        let sender = first.admin.sender(super::LOAD).await;
        let mut gateways = Self { setups: vec![setup.clone()], running: vec![first], sender, urls: Arc::default() };
        for _ in 1..count {
            let setup = replica(setup);
            gateways.running.push(Process::start_with(&setup, &ARGUMENTS).await);
            gateways.setups.push(setup);
        }
        gateways.tell_urls();
        gateways
    }

    /// Any of them: they answer alike.
    pub fn admin(&self) -> &Admin {
        &self.running[0].admin
    }

    /// Where they stand now.
    pub fn urls(&self) -> watch::Receiver<Vec<String>> {
        self.urls.subscribe()
    }

    /// Clients post the same events to all of them until each has accepted so many; one is killed in the midst of it, or
    /// none. In the end every event is accepted and all gateways run.
    pub async fn round(&mut self, books: &mut Books, accepted: usize, killed: Option<usize>) {
        let senders = self.running.iter().map(|process| self.sender.anew(&process.admin.url));
        let loads: Vec<_> = senders.map(|sender| Load::start(&sender, books)).collect();
        for load in &loads {
            load.accepted(accepted).await;
        }
        if let Some(place) = killed {
            self.running.remove(place).kill();
        }
        for load in loads {
            load.stop(books).await;
        }
        if let Some(place) = killed {
            self.running.insert(place, Process::start_with(&self.setups[place], &ARGUMENTS).await);
            self.tell_urls();
        }
        books.send_again(&self.sender.anew(&self.admin().url)).await;
    }

    fn tell_urls(&self) {
        self.urls.send_replace(self.running.iter().map(|process| process.admin.url.clone()).collect());
    }
}
