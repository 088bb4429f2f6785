//! `tidegate healthcheck`: is the gateway ready? For container health checks, where no curl is.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::client::Client;
use super::output::{Failure, Output};
use crate::config::{ClientArgs, ClientConfig};

const DEADLINE: Duration = Duration::from_secs(5);

#[derive(Args, Clone, Debug)]
pub struct HealthcheckArgs {
    /// Where the gateway is [TIDEGATE_URL] [default: where `serve` would listen here, http://127.0.0.1:8080]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

pub async fn run(args: HealthcheckArgs, output: Output) -> Result<(), Failure> {
    let args = ClientArgs { url: args.url, ..ClientArgs::default() };
    let config = ClientConfig::load(args).map_err(|bad| Failure::Usage(bad.to_string()))?;
    let answer = Client::new(&config.url, DEADLINE)?.get("/readyz").await?;
    if answer.status != 200 {
        let detail = format!("{} is not ready: /readyz answers {}", config.url, answer.status);
        return Err(Failure::Refused(json!({ "status": answer.status, "code": "not_ready", "detail": detail })));
    }
    output.answer(&json!({ "ready": true, "url": config.url }), || format!("{} is ready", config.url))
}
