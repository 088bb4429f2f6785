//! The connection to PostgreSQL breaks at the N-th message of a batch, for every N: before the server has it, and after
//! it has done what the message asks for, but before anybody hears of it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::books::{Heard, post, queued};
use super::each_call::{MODULE, Round, Told, assert_told, settle};
use super::frames::{Frames, says};
use super::{DEADLINE, proxy};
use crate::app::{Admin, Setup};
use crate::client::Sender;
use crate::database::Engine;
use crate::process::Process;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// What happens to the transactions that begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// Nothing.
    Open,
    /// The next one is held.
    Hold,
    Held,
    /// The next one is cut at this message of it.
    Cut(At, Side),
    /// It is on its way.
    Running,
    WasCut,
    /// It has ended and had fewer messages.
    Passed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Message(usize),
    Commit,
}

/// A connection that has run such a batch before sends fewer messages than a new one. N is high enough when so many
/// batches in a row have passed.
const PASSED: usize = 4;
const COMMITS: usize = 3;

struct Cutter {
    plan: Arc<watch::Sender<Plan>>,
    task: JoinHandle<()>,
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Cutter {
    async fn before(setup: &mut Setup) -> Self {
        let (listener, server) = proxy::before(setup).await;
        let plan = Arc::new(watch::Sender::new(Plan::Open));
        let task = tokio::spawn(accept(listener, server, Arc::clone(&plan)));
        Self { plan, task }
    }

    async fn until(&self, is_so: impl FnMut(&Plan) -> bool) -> Plan {
        let mut plan = self.plan.subscribe();
        *timeout(DEADLINE, plan.wait_for(is_so)).await.expect("the plan comes to it").unwrap()
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, plan: Arc<watch::Sender<Plan>>) {
    let mut connections = JoinSet::new();
    while let Ok((gateway, _)) = listener.accept().await {
        connections.spawn(connection(gateway, server, Arc::clone(&plan)));
    }
}

async fn connection(gateway: TcpStream, server: SocketAddr, plan: Arc<watch::Sender<Plan>>) {
    let Ok(postgres) = TcpStream::connect(server).await else { return };
    gateway.set_nodelay(true).unwrap();
    postgres.set_nodelay(true).unwrap();
    let (mut from_gateway, mut to_gateway) = gateway.into_split();
    let (mut from_postgres, mut to_postgres) = postgres.into_split();
    let (mut frames, mut piece, mut count) = (Frames::default(), vec![0; 64 * 1024], None);
    let messages = async {
        while let Ok(length @ 1..) = from_gateway.read(&mut piece).await {
            frames.take(&piece[..length]);
            while let Some(frame) = frames.next() {
                let cut = step(&plan, &mut count, &frame).await;
                if cut == Some(Side::Before) || to_postgres.write_all(&frame).await.is_err() || cut.is_some() {
                    return cut;
                }
            }
        }
        None
    };
    let cut = tokio::select! {
        cut = messages => cut,
        _ = copy(&mut from_postgres, &mut to_gateway) => None,
    };
    if cut.is_some() {
        // PostgreSQL does what it has been asked for, then meets the end of the stream. The gateway hears nothing.
        let _ = to_postgres.shutdown().await;
        let _ = timeout(DEADLINE, copy(&mut from_postgres, &mut sink())).await;
        plan.send_replace(Plan::WasCut);
    }
}

/// One message of the gateway: whether the connection ends here. `count` is its place in the transaction that is to
/// be cut, if this connection carries that.
async fn step(plan: &watch::Sender<Plan>, count: &mut Option<(At, Side, usize)>, frame: &[u8]) -> Option<Side> {
    if says(frame, "BEGIN") {
        let mut hold = false;
        plan.send_modify(|plan| match *plan {
            Plan::Hold => (*plan, hold) = (Plan::Held, true),
            Plan::Cut(at, side) => {
                *count = Some((at, side, 0));
                *plan = Plan::Running;
            }
            _ => {}
        });
        if hold {
            let _ = plan.subscribe().wait_for(|plan| *plan != Plan::Held).await;
        }
    }
    let (at, side, so_far) = count.as_mut()?;
    *so_far += 1;
    let ends = says(frame, "COMMIT");
    if *at == At::Message(*so_far) || (ends && *at == At::Commit) {
        return Some(*side);
    }
    if ends {
        *count = None;
        plan.send_replace(Plan::Passed);
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_before_each_message() {
    every_message(Side::Before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_after_each_message() {
    every_message(Side::After).await;
}

async fn every_message(side: Side) {
    let mut setup = Setup::new(Engine::Postgres).await;
    let cutter = Cutter::before(&mut setup).await;
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(MODULE).await;
    let (mut told, mut passed, mut rounds) = (Told::default(), 0, 0);
    while passed < PASSED {
        rounds += 1;
        let (heard, plan) = round(&process.admin, &sender, &cutter, rounds, (At::Message(rounds), side)).await;
        passed = if plan == Plan::Passed { passed + 1 } else { 0 };
        told.add(settle(&sender, setup.database(), &Round(rounds).batch(), heard).await);
    }
    let messages = rounds - passed;
    assert!(messages > 5, "a batch has several messages: {messages}");
    for _ in 0..COMMITS {
        rounds += 1;
        let (heard, _) = round(&process.admin, &sender, &cutter, rounds, (At::Commit, side)).await;
        let settled = settle(&sender, setup.database(), &Round(rounds).batch(), heard).await;
        // Its two events were written and nobody could know it.
        assert_eq!(settled.written_unsaid, if side == Side::After { 2 } else { 0 }, "COMMIT, {side:?}");
        told.add(settled);
    }
    told.tell(&format!("connection cut {side:?} each of {messages} messages of a batch, and COMMIT"));
    assert_eq!(told.tally.cut_off(), 0, "each is answered");
    assert!(side == Side::After || told.written_unsaid == 0, "what was not committed is not there");
    assert_told(&process.admin, setup.database(), 3 * rounds).await;
}

/// A batch of three events, cut at one of its messages.
async fn round(admin: &Admin, sender: &Sender, cutter: &Cutter, number: usize, cut: (At, Side)) -> (Vec<Heard>, Plan) {
    cutter.plan.send_replace(Plan::Hold);
    let mut clients = Vec::new();
    let mut client = |event| {
        let sender = sender.clone();
        clients.push(tokio::spawn(async move { post(&sender, &event).await }));
    };
    client(Round(number).first());
    cutter.until(|plan| *plan == Plan::Held).await;
    for (place, event) in Round(number).batch().into_iter().enumerate() {
        client(event);
        // One after the other, so that the repetition is the last.
        queued(admin, place + 2).await;
    }
    cutter.plan.send_replace(Plan::Cut(cut.0, cut.1));
    let mut heard = Vec::new();
    for client in clients {
        heard.push(client.await.unwrap());
    }
    let first = heard.remove(0);
    assert!(matches!(first, Heard::Accepted(_)), "{first:?}");
    (heard, cutter.until(|plan| matches!(plan, Plan::WasCut | Plan::Passed)).await)
}
