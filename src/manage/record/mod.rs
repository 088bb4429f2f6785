//! Records by hand: picked, made, changed, deleted, and who wrote what.

pub mod change_record;
pub mod create_record;
pub(super) mod cursor;
pub mod delete_record;
pub mod draft;
pub mod filter;
pub mod list_history;
mod write;
