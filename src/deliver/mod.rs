//! What flows out: each event of a change that an endpoint asks for is rendered, signed, sent, and tried again until it
//! is delivered or given up.
//!
//! One task makes deliveries of the log and claims what may be sent; each attempt is a task; one task settles what came
//! of them, in batches. What is owed lives in the database: whoever dies, another goes on when the lease has run out.

pub mod attempt;
pub mod book;
pub mod endpoint;
mod engine;
pub mod exchange;
mod failing;
mod fanout;
pub mod missed;
pub mod post;
pub mod profile;
pub mod render;
pub mod retry;
mod settler;
pub mod sign;
mod slots;
pub mod target;
mod template;

pub use engine::{Bounds, Deliveries, Watch};
pub use failing::Notice;
