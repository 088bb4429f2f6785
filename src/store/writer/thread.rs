//! A thread for each lane. As one task among thousands of requests a lane would stand behind them after every answer
//! of the database, while everybody waits for the commit; the system gives a thread its turn at once.

use std::io;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

/// Runs the lane to its end. `tasks` waits for it.
pub(super) fn spawn(lane: impl Future<Output = ()> + Send + 'static, tasks: &TaskTracker) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (runs, ended) = oneshot::channel::<()>();
    std::thread::Builder::new().name("tidegate-lane".to_owned()).spawn(move || {
        let _runs = runs;
        runtime.block_on(lane);
    })?;
    tasks.spawn(async move {
        // It is dropped when the thread ends, however it ends.
        let _ = ended.await;
    });
    Ok(())
}
