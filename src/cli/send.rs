//! `tidegate send`: posts a file as a webhook sender would, signed when there is a secret.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::output::{Failure, Output, REFUSED};
use super::sign::request::{RequestArgs, SECRET};
use crate::config::env_secret;
use crate::secret::{ExposeSecret, SecretString};
use crate::verify::{Verdict, hmac_sha256, verify};

/// Above the gateway's own patience with a database that does not answer.
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Args, Clone, Debug)]
pub struct SendArgs {
    /// The file to post, byte for byte; `-` is stdin
    pub file: PathBuf,

    /// The inbound URL, as `apply` shows it
    #[arg(long, value_name = "URL")]
    pub to: String,

    /// The environment variable that holds the signing secret [default: TIDEGATE_SECRET, and unsigned without it]
    #[arg(long, value_name = "NAME")]
    pub secret_env: Option<String>,

    /// Sign as this sender does: `tidegate preset list` shows all
    #[arg(long, value_name = "NAME", conflicts_with_all = ["signature_header", "signature_prefix", "encoding"])]
    pub preset: Option<String>,

    /// The header that carries the HMAC-SHA256 of the body
    #[arg(long, value_name = "NAME", default_value = "X-Webhook-Signature")]
    pub signature_header: String,

    /// What stands before the signature
    #[arg(long, value_name = "TEXT", default_value = "sha256=")]
    pub signature_prefix: String,

    /// How the signature is written
    #[arg(long, value_enum, default_value_t = Encoding::Hex)]
    pub encoding: Encoding,

    /// One more header, 'Name: value'; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header)]
    pub headers: Vec<(String, String)>,

    /// [default: by the extension .json, .xml, .ndjson, .txt or .form of the file, else application/json]
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum Encoding {
    Hex,
    Base64,
}

pub(super) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Done when the receiver answers with a 2xx; any other answer is shown just so, with the exit code of a refusal.
pub async fn run(args: SendArgs, output: Output) -> Result<u8, Failure> {
    let body = read(&args.file)?;
    let client = Client::new(&args.to, DEADLINE)?;
    let headers = match &args.preset {
        Some(name) => headers_of_preset(&args, name, &body)?,
        None => headers(&args, secret(args.secret_env.as_deref())?.as_ref(), &body),
    };
    let answer = client.post(&headers, body).await?;
    output.answer(&json!({ "status": answer.status, "body": shown(&answer) }), || {
        format!("{} {}\n{}", answer.status, answer.reason, String::from_utf8_lossy(&answer.body)).trim_end().to_owned()
    })?;
    Ok(if answer.is_success() { 0 } else { REFUSED })
}

/// JSON as JSON, other bodies as text.
fn shown(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| String::from_utf8_lossy(&answer.body).into())
}

fn secret(named: Option<&str>) -> Result<Option<SecretString>, Failure> {
    match named {
        None => Ok(env_secret(SECRET)),
        Some(name) => match env_secret(name) {
            Some(secret) => Ok(Some(secret)),
            None => Err(Failure::Usage(format!("--secret-env: {name} is not set, or empty"))),
        },
    }
}

/// A file's bytes; `-` is stdin.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let read = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    read.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
}

/// Those that were given, and a content type.
fn plain_headers(args: &SendArgs) -> Vec<(String, String)> {
    let mut headers = args.headers.clone();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        let content_type = args.content_type.clone().unwrap_or_else(|| content_type(&args.file).to_owned());
        headers.push(("Content-Type".to_owned(), content_type));
    }
    headers
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("xml") => "application/xml",
        Some("ndjson") => "application/x-ndjson",
        Some("txt") => "text/plain",
        Some("form") => "application/x-www-form-urlencoded",
        _ => "application/json",
    }
}

/// The URL that is posted to is the one that the sender was given. A signature that stands in the body has to stand
/// there already: what is sent is the file.
fn headers_of_preset(args: &SendArgs, name: &str, body: &[u8]) -> Result<Vec<(String, String)>, Failure> {
    let headers = plain_headers(args);
    let described = RequestArgs {
        preset: Some(name.to_owned()),
        headers: headers.clone(),
        url: Some(args.to.clone()),
        method: "POST".to_owned(),
        ..RequestArgs::default()
    };
    let mut request = described.request(body.to_vec())?;
    let secrets = request.secrets(args.secret_env.as_slice())?;
    let secrets: Vec<&str> = secrets.iter().map(|(_, secret)| secret.expose_secret()).collect();
    if request.scheme.is_in_header() {
        let signature = request.sign(secrets.first().copied().unwrap_or_default().as_bytes())?;
        return Ok([headers, signature.headers].concat());
    }
    match verify(&request.scheme, &secrets, request.signed(), request.now) {
        Verdict::Pass => Ok(headers),
        Verdict::Refused(_) => {
            let (file, place) = (args.file.display(), request.scheme.place());
            let detail =
                format!("{file}: this sender's signature is the value of {place}, and that is missing or wrong");
            Err(Failure::Usage(format!("{detail}; `tidegate sign` tells what belongs there")))
        }
    }
}

fn headers(args: &SendArgs, secret: Option<&SecretString>, body: &[u8]) -> Vec<(String, String)> {
    let mut headers = plain_headers(args);
    if let Some(secret) = secret {
        let mac = hmac_sha256(secret.expose_secret().as_bytes(), body);
        let text = match args.encoding {
            Encoding::Hex => HEXLOWER.encode(&mac),
            Encoding::Base64 => BASE64.encode(&mac),
        };
        headers.push((args.signature_header.clone(), format!("{}{text}", args.signature_prefix)));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(encoding: Encoding, headers: &[&str]) -> SendArgs {
        SendArgs {
            file: "-".into(),
            to: "http://127.0.0.1".into(),
            secret_env: None,
            preset: None,
            signature_header: "X-Sig".into(),
            signature_prefix: "sha256=".into(),
            encoding,
            headers: headers.iter().map(|text| header(text).unwrap()).collect(),
            content_type: None,
        }
    }

    #[test]
    fn a_file_says_by_its_name_what_it_is() {
        for (file, wanted) in [
            ("a.json", "application/json"),
            ("a.xml", "application/xml"),
            ("a.b.ndjson", "application/x-ndjson"),
            ("a.form", "application/x-www-form-urlencoded"),
            ("a.txt", "text/plain"),
            ("-", "application/json"),
        ] {
            let mut args = args(Encoding::Hex, &[]);
            args.file = file.into();
            assert_eq!(plain_headers(&args), [("Content-Type".to_owned(), wanted.to_owned())]);
            args.content_type = Some("a/b".to_owned());
            assert_eq!(plain_headers(&args)[0].1, "a/b");
        }
    }

    #[test]
    fn the_body_is_signed_as_receivers_expect() {
        // RFC 4231, test case 2.
        let (secret, body) = ("Jefe".into(), b"what do ya want for nothing?");
        let sent = headers(&args(Encoding::Hex, &[]), Some(&secret), body);
        let mac = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sent[0], ("Content-Type".into(), "application/json".into()));
        assert_eq!(sent[1], ("X-Sig".into(), mac.into()));
        let sent = headers(&args(Encoding::Base64, &[]), Some(&secret), body);
        assert_eq!(sent[1].1, "sha256=W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
        assert_eq!(headers(&args(Encoding::Hex, &[]), None, body).len(), 1);
    }

    #[test]
    fn a_header_that_is_given_replaces_the_usual_content_type() {
        let sent = headers(&args(Encoding::Hex, &["content-type: text/plain", "X-A: b:c"]), None, b"");
        assert_eq!(sent, [("content-type".into(), "text/plain".into()), ("X-A".into(), "b:c".into())]);
        assert!(header("no colon").is_err());
    }

    #[test]
    fn a_secret_that_is_named_must_be_there() {
        assert!(matches!(secret(Some("TIDEGATE_TEST_OF_NO_SUCH_VARIABLE")), Err(Failure::Usage(_))));
        assert!(secret(Some("PATH")).unwrap().is_some());
    }
}
