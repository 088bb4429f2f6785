//! The one test binary: everything here goes through the outside, or reads the tree.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

#[macro_use]
mod both;
mod app;
mod changes;
mod client;
mod database;
mod process;
mod wire;

mod admin;
mod apply;
mod binary;
mod body;
mod cli;
mod crowd;
mod door;
mod exact;
mod kill;
mod limits;
mod memory;
mod outage;
mod outcomes;
mod overload;
mod records;
mod refusals;
mod regressions;
mod restart;
mod secrecy;
mod signatures;
mod tidy;
