//! The log of changes as it is read: who waits for news of it, and pages of it from any point. What is delivered of it
//! will be fanned out here, too.

mod page;
mod tail;

pub use page::{Change, Cursor, Page, Wanted, page};
pub use tail::Tail;
