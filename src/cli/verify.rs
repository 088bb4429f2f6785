//! `tidegate verify`: judges a signature as a gateway's door would, and helps to find why one does not fit.

mod hints;
mod vectors;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::output::{Failure, Output, REFUSED};
use super::send::read;
use super::sign::request::{Request, RequestArgs};
use crate::secret::{ExposeSecret, SecretString};
use crate::verify::{Refusal, Verdict, verify};

#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// The body, byte for byte as it was received; `-` is stdin
    #[arg(required_unless_present = "self_test")]
    pub file: Option<PathBuf>,

    /// The environment variable that holds a secret; may be repeated [default: TIDEGATE_SECRET]
    #[arg(long, value_name = "NAME")]
    pub secret_env: Vec<String>,

    #[command(flatten)]
    pub request: RequestArgs,

    /// Check every preset by what its vendor has published
    #[arg(long, conflicts_with_all = ["file", "secret_env", "preset", "scheme", "headers", "url", "at"])]
    pub self_test: bool,
}

#[derive(Serialize)]
struct Answer {
    /// `pass` or `refused`.
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// As the door answers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    hints: Vec<String>,
}

pub fn run(args: &VerifyArgs, output: Output) -> Result<u8, Failure> {
    let Some(file) = &args.file else { return vectors::run(output) };
    let request = args.request.request(read(file)?)?;
    let secrets = request.secrets(&args.secret_env)?;
    for (name, secret) in &secrets {
        request
            .scheme
            .check_secret(secret.expose_secret().as_bytes())
            .map_err(|detail| unfit(name, secret, &detail))?;
    }
    let secrets: Vec<&str> = secrets.iter().map(|(_, secret)| secret.expose_secret()).collect();
    let answer = match verify(&request.scheme, &secrets, request.signed(), request.now) {
        Verdict::Pass => Answer { verdict: "pass", code: None, detail: None, hints: Vec::new() },
        Verdict::Refused(refusal) => refused(&request, &secrets, &refusal),
    };
    output.answer(&answer, || text(&request, &answer))?;
    Ok(if answer.code.is_none() { 0 } else { REFUSED })
}

fn unfit(name: &str, secret: &SecretString, detail: &str) -> Failure {
    let secret = secret.expose_secret();
    let hint = if secret.trim() == secret { "" } else { "; there is white space around it" };
    Failure::Usage(format!("{name}: {detail}{hint}"))
}

fn refused(request: &Request, secrets: &[&str], refusal: &Refusal) -> Answer {
    let problem = refusal.problem(&request.scheme);
    Answer {
        verdict: "refused",
        code: Some(problem.code().as_str()),
        detail: Some(problem.detail().to_owned()),
        hints: hints::hints(request, secrets, refusal),
    }
}

fn text(request: &Request, answer: &Answer) -> String {
    let (Some(code), Some(detail)) = (answer.code, &answer.detail) else {
        return format!("The signature fits: {}.", request.scheme.in_words());
    };
    let hints = answer.hints.iter().map(|hint| format!("\n  {hint}"));
    format!("{detail} ({code}){}", hints.collect::<String>())
}
