//! What flows out: each event of a change that an endpoint asks for is rendered, signed, sent, and tried again until it
//! is delivered or given up.

pub mod exchange;
pub mod post;
pub mod profile;
pub mod render;
pub mod retry;
pub mod sign;
pub mod target;
mod template;
