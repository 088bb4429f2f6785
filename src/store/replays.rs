//! What is kept of a replay beside the event that the writer writes: who asked for it, and a refusal.

use super::plan::Step;
use super::refusals::{self, Refusal};
use super::{Store, StoreError, acquire, begin, events};
use crate::clock::{Clock, Timestamp};

impl Store {
    /// The row of the audit log, before anything is done.
    pub async fn note_replay(&self, audit: &Step, now: Timestamp) -> Result<(), StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_step()).await?;
        self.step(&mut tx, audit, now.micros()).await?;
        Ok(super::commit(tx).await?)
    }

    /// By itself and at once: whoever asked for the replay finds it in the event log.
    pub async fn keep_refusal(&self, refusal: &Refusal, clock: &Clock) -> Result<(), StoreError> {
        let insert = events::insert_statement(self.dialect);
        refusals::write(self, &insert, clock, std::slice::from_ref(refusal)).await
    }
}
