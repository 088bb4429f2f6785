//! SIGTERM in the middle of load: what is in flight is answered, and the process ends well.

use super::DEADLINE;
use super::books::Books;
use super::load::Load;
use super::verdict::assert_all_once;
use crate::app::Setup;
use crate::process::Process;

both!(a_stop_under_load_answers_what_it_has_taken);

const ROUNDS: usize = 5;
const ACKNOWLEDGED: usize = 60;

async fn a_stop_under_load_answers_what_it_has_taken(setup: Setup) {
    let mut process = Process::start(&setup).await;
    let mut sender = process.admin.sender(super::LOAD).await;
    let (mut books, mut normal) = (Books::default(), std::time::Duration::ZERO);
    for round in 0..ROUNDS {
        let load = Load::start(&sender, &books);
        load.accepted(ACKNOWLEDGED + round).await;
        process.signal();
        let (status, log) = process.ended(DEADLINE).await;
        assert_eq!(status.code(), Some(0), "{log}");
        load.stop(&mut books).await;
        process = Process::start(&setup).await;
        sender = sender.anew(&process.admin.url);
        let (probe, took) = Books::until_normal(&sender, &process.admin).await;
        books.add(probe);
        // A connection may be closed just when its next request is under way; nothing has been done for that one.
        assert_eq!(books.send_again(&sender).await, 0, "what was written is answered");
        normal = normal.max(took);
    }
    assert_eq!(books.tally.torn, 0, "no answer breaks off");
    let fault = format!("{ROUNDS} × SIGTERM under load, {:?}", setup.database().engine());
    assert_all_once(&fault, &books, (&process.admin, setup.database()), normal).await;
}
