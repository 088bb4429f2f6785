//! Tidegate: a self-hosted, two-way webhook gateway. ARCHITECTURE.md draws the rooms; `receive.rs` is the story to
//! read first.

pub mod clock;
pub mod id;
pub mod record;
