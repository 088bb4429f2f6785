//! The one test binary: everything here goes through the outside, or reads the tree.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

mod tidy;
