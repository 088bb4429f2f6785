//! The program that speaks for the vendors (`tests/vendors/sign.mjs`): one for all tests of a process.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::Value;

use crate::program::Program;

/// Its answer to a job, which it could do.
#[track_caller]
pub fn ask(job: &Value) -> Value {
    static PROGRAM: OnceLock<Mutex<Program>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        let mut node = Command::new("node");
        node.arg(folder().join("sign.mjs"));
        Mutex::new(Program::start("sign.mjs", node))
    });
    // A test that failed while it asked has left no half of an answer behind: lines come whole.
    program.lock().unwrap_or_else(PoisonError::into_inner).ask(job)
}

/// Where scripts/test has installed the libraries.
pub fn folder() -> PathBuf {
    crate::faults::setting("TIDEGATE_TEST_VENDORS")
        .expect(
            "TIDEGATE_TEST_VENDORS names no folder with the vendors' libraries: run scripts/test, which installs them",
        )
        .into()
}
