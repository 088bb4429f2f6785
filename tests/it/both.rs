//! Every test of the gateway runs twice, on SQLite and on PostgreSQL.

use crate::app::{App, Setup};
use crate::database::Engine;

/// `both!(name, …)` makes the tests `name::sqlite` and `name::postgres` out of `async fn name(app: App)`, or out of
/// `async fn name(setup: Setup)` where the gateway is to be started in a way of its own.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                $crate::both::run($crate::database::Engine::Sqlite, super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                $crate::both::run($crate::database::Engine::Postgres, super::$name).await;
            }
        }
    )+};
}

/// What a test's body asks for.
pub trait Fixture {
    async fn made_from(setup: Setup) -> Self;
}

impl Fixture for Setup {
    async fn made_from(setup: Setup) -> Self {
        setup
    }
}

impl Fixture for App {
    async fn made_from(setup: Setup) -> Self {
        setup.start().await
    }
}

pub async fn run<F: Fixture>(engine: Engine, body: impl AsyncFnOnce(F)) {
    body(F::made_from(Setup::new(engine).await).await).await;
}
