//! What is done to a source that stands, one verb a file. What a PATCH may say stands in `members.rs`.

mod change;
pub mod delete_source;
mod members;
pub mod patch_source;
pub mod rotate_secret;
pub mod rotate_token;
mod usage;
pub mod view;

pub use change::Of;
