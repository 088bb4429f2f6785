//! The one test binary: everything here goes through the outside, or reads the tree.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

#[macro_use]
mod both;
mod app;
mod changes;
mod client;
mod database;
mod process;
mod program;
mod receiver;
mod wire;

mod admin;
mod agree;
mod apply;
mod bench;
mod binary;
mod bodies;
mod body;
mod cli;
mod crowd;
mod deletes;
mod door;
mod each;
mod edits;
mod events;
mod exact;
mod faults;
mod feed;
mod forgeries;
mod handshakes;
mod hostile;
mod json_cases;
mod limits;
mod mail;
mod mappings;
mod memory;
mod mistakes;
mod naughty;
mod offline;
mod outage;
mod outcomes;
mod overload;
mod receivers;
mod records;
mod refusals;
mod regressions;
mod restart;
mod retention;
mod secrecy;
mod signatures;
mod signing;
mod tidy;
mod vendors;
