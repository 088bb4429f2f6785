//! Tidegate: a self-hosted, two-way webhook gateway. ARCHITECTURE.md draws the rooms; `receive.rs` is the story to
//! read first.

pub mod admin;
pub mod cli;
pub mod clock;
pub mod condition;
pub mod config;
pub mod deliver;
pub mod feed;
pub mod gateway;
pub mod id;
pub mod intake;
pub mod limit;
pub mod manage;
pub mod map;
pub mod problem;
pub mod receive;
pub mod record;
pub mod secret;
pub mod serve;
pub mod source;
pub mod store;
pub mod verify;
pub mod work;
