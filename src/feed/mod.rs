//! The log of changes as it is read: who waits for news of it, how edits by SQL get into it, and pages of it from any point.
//! What is delivered of it is fanned out by `deliver`.

pub mod mover;
mod page;
mod tail;

pub use page::{Entry, Page, Wanted, page};
pub use tail::Tail;
