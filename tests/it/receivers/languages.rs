//! Receivers in four languages: the programs of `tests/receivers`, one of each for all tests of a process, and the crate
//! `standardwebhooks` in this one.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use data_encoding::BASE64;
use http::HeaderMap;
use serde_json::{Value, json};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use tidegate::clock::Timestamp;

use crate::program::Program;
use crate::receiver::Received;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Node,
    Python,
    Go,
    Rust,
}

/// How a receiver finds out who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Collecta,
    CollectIq,
    AuctionExcellence,
    Cliq,
    StandardWebhooks,
}

impl Scheme {
    pub const ALL: [Self; 5] =
        [Self::Collecta, Self::CollectIq, Self::AuctionExcellence, Self::Cliq, Self::StandardWebhooks];

    /// As the programs call it, and Tidegate the profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Collecta => "collecta",
            Self::CollectIq => "collectiq",
            Self::AuctionExcellence => "auction-excellence",
            Self::Cliq => "cliq",
            Self::StandardWebhooks => "standard-webhooks",
        }
    }

    /// In which there is a receiver of it: those that its documentation prints, or that have a library. Collecta prints
    /// none, and says what to compute.
    pub fn languages(self) -> &'static [Language] {
        match self {
            Self::Collecta | Self::AuctionExcellence => &[Language::Node, Language::Python, Language::Go],
            Self::CollectIq | Self::Cliq => &[Language::Node],
            Self::StandardWebhooks => &[Language::Node, Language::Python, Language::Rust],
        }
    }
}

/// The type of the event that a receiver's handler sees, if it is where it looks for it; or why it refuses the request.
pub type Verdict = Result<Option<String>, String>;

/// Receivers that see one time.
#[derive(Clone, Copy, Debug)]
pub struct Receivers {
    at: Option<Timestamp>,
}

impl Receivers {
    /// They see the system's time.
    pub fn today() -> Self {
        Self { at: None }
    }

    /// They see this time, which stands still.
    pub fn at(at: Timestamp) -> Self {
        Self { at: Some(at) }
    }

    /// Blocks until the receiver has answered, which takes milliseconds once it runs.
    #[track_caller]
    pub fn verify(self, language: Language, scheme: Scheme, secret: &str, request: &Received) -> Verdict {
        let at = self.at.map(|at| at.micros() / 1_000_000);
        if language == Language::Rust {
            assert_eq!(scheme, Scheme::StandardWebhooks, "nobody receives {scheme:?} in Rust");
            return in_rust(at, secret, &request.header_map(), &request.body);
        }
        let mut job = json!({
            "scheme": scheme.name(), "secret": secret, "headers": request.headers,
            "bodyBase64": BASE64.encode(&request.body),
        });
        job.as_object_mut().unwrap().extend(at.map(|at| ("at".to_owned(), json!(at))));
        let answer = ask(language, &job);
        match &answer["ok"] {
            Value::Bool(true) => Ok(answer["event"].as_str().map(str::to_owned)),
            Value::Bool(false) => Err(answer["why"].as_str().expect("a refusal says why").to_owned()),
            _ => panic!("no verdict: {answer}"),
        }
    }
}

#[track_caller]
fn ask(language: Language, job: &Value) -> Value {
    static PROGRAMS: [OnceLock<Mutex<Program>>; 3] = [const { OnceLock::new() }; 3];
    let (place, start): (usize, fn() -> Program) = match language {
        Language::Node => (0, node),
        Language::Python => (1, python),
        Language::Go => (2, go),
        Language::Rust => panic!("Rust needs no program"),
    };
    let program = PROGRAMS[place].get_or_init(|| Mutex::new(start()));
    // A test that failed while it asked has left no half of an answer behind: lines come whole.
    program.lock().unwrap_or_else(PoisonError::into_inner).ask(job)
}

fn node() -> Program {
    let mut command = Command::new("node");
    command.arg(source("receive.mjs")).arg(crate::vendors::folder());
    Program::start("receive.mjs", command)
}

fn python() -> Program {
    let mut command = Command::new(made("TIDEGATE_TEST_PYTHON", "Python with the receiver's library"));
    command.arg(source("receive.py"));
    Program::start("receive.py", command)
}

fn go() -> Program {
    Program::start(
        "receive.go",
        Command::new(made("TIDEGATE_TEST_GO_RECEIVER", "receiver that was built of receive.go")),
    )
}

fn source(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receivers").join(name)
}

fn made(variable: &str, what: &str) -> String {
    let found = crate::faults::setting(variable);
    found.unwrap_or_else(|| panic!("{variable} names no {what}: run scripts/test, which makes it"))
}

/// The crate reads the system's clock alone. At another time it signs, and the signature has to be among those sent.
fn in_rust(at: Option<i64>, secret: &str, headers: &HeaderMap, body: &[u8]) -> Verdict {
    let judge = || -> Result<(), String> {
        let webhook = Webhook::new(secret).map_err(|error| error.to_string())?;
        let Some(at) = at else { return webhook.verify(body, headers).map_err(|error| error.to_string()) };
        let text = |name: &'static str| {
            headers.get(name).and_then(|value| value.to_str().ok()).ok_or_else(|| format!("no {name}"))
        };
        let sent: i64 = text(HEADER_WEBHOOK_TIMESTAMP)?.parse().map_err(|_| "no number of seconds")?;
        if (at - sent).abs() > 300 {
            return Err("sent at another time".to_owned());
        }
        let right = webhook.sign(text(HEADER_WEBHOOK_ID)?, sent, body).map_err(|error| error.to_string())?;
        let found = text(HEADER_WEBHOOK_SIGNATURE)?.split(' ').any(|signature| signature == right);
        found.then_some(()).ok_or_else(|| "signature invalid".to_owned())
    };
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    judge().map(|()| document["type"].as_str().map(str::to_owned))
}
