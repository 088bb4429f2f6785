//! The source that a run goes through: made for it, and disabled when it is over. A token is shown once, so that a run
//! cannot go through the source of an earlier one.

use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::{Value, json};

use super::load::module_file;
use crate::cli::client::Client;
use crate::cli::output::Failure;
use crate::clock::random;
use crate::secret::SecretString;

const MODULE: &str = "tidegate-bench";
/// Stands for the secret in the module file; it is sent beside it.
const SECRET: &str = "TIDEGATE_BENCH_SECRET";

pub struct Door {
    source: String,
    token: String,
}

#[derive(Deserialize)]
struct Applied {
    sources: Vec<Made>,
}

#[derive(Deserialize)]
struct Made {
    token: Option<String>,
}

impl Door {
    /// # Errors
    /// The gateway refuses to make it, or cannot be reached.
    pub async fn open(client: &Client, key: &SecretString, secret: &str) -> Result<Self, Failure> {
        let source = format!("run-{}", HEXLOWER.encode(&random::<4>()));
        let file = module_file(MODULE, std::slice::from_ref(&source), SECRET);
        let answer = client.call("/api/v1/apply", key, &request(&file, json!({ SECRET: secret }))).await?;
        let made = Applied::deserialize(&answer).ok().and_then(|mut applied| applied.sources.pop()?.token);
        match made {
            Some(token) => Ok(Self { source, token }),
            None => Err(Failure::Refused(json!({ "detail": "the gateway made no token for a new source" }))),
        }
    }

    pub fn name(&self) -> String {
        format!("{MODULE}/{}", self.source)
    }

    pub fn path(&self) -> String {
        format!("/api/webhooks/{MODULE}/{}", self.token)
    }

    /// Nothing more comes through it.
    ///
    /// # Errors
    /// The gateway could not be told: the source stands open, though nobody has its token and its secret.
    pub async fn close(&self, client: &Client, key: &SecretString) -> Result<(), Failure> {
        let open = module_file(MODULE, std::slice::from_ref(&self.source), SECRET);
        let shut = open.replace("[[source]]\n", "[[source]]\nenabled = false\n");
        client.call("/api/v1/apply", key, &request(&shut, json!({}))).await.map(|_| ())
    }
}

fn request(file: &str, secrets: Value) -> Value {
    json!({ "files": [{ "name": "tidegate bench", "text": file }], "secrets": secrets })
}
