//! The commands against a server of one canned answer, over a real socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use serde_json::{Value, json};

use super::client::Client;
use super::output::{Failure, Output};
use super::{Cli, ClientCommand, Command, run};
use crate::config::env_secret;
use crate::secret::ExposeSecret;

const DEADLINE: Duration = Duration::from_secs(5);

/// Answers one request with `status` and `body`; gives back what it was sent.
fn server(status: &'static str, body: &'static str) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        while !complete(&seen) {
            let read = stream.read(&mut buffer).unwrap();
            seen.extend_from_slice(&buffer[..read]);
        }
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all((head + body).as_bytes()).unwrap();
        String::from_utf8(seen).unwrap()
    });
    (address, thread)
}

/// Head and, by its Content-Length, body have arrived.
fn complete(seen: &[u8]) -> bool {
    let text = String::from_utf8_lossy(seen).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn command(words: &[&str]) -> ClientCommand {
    let Cli { command, .. } = Cli::try_parse_from([&["tidegate"], words].concat()).unwrap();
    let Command::Client(command) = command else { panic!("not a client's command") };
    command
}

async fn exit(words: &[&str]) -> u8 {
    run(command(words), Output::new(false)).await
}

/// The value of a variable that every process has.
fn path() -> String {
    env_secret("PATH").unwrap().expose_secret().to_owned()
}

/// An address where nothing listens any more.
fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
    let cli = Cli::try_parse_from(["tidegate", "serve", "--json", "--trusted-proxies", "::1,10.0.0.0/8"]).unwrap();
    assert!(cli.json);
    let Command::Serve(raw) = cli.command else { panic!("not serve") };
    assert_eq!(raw.trusted_proxies, ["::1", "10.0.0.0/8"]);
    assert_eq!(Cli::try_parse_from(["tidegate", "apply"]).unwrap_err().exit_code(), 2);
}

#[tokio::test]
async fn a_gateway_that_is_ready_is_healthy() {
    let (address, thread) = server("200 OK", "ready");
    assert_eq!(exit(&["healthcheck", "--url", &format!("http://{address}")]).await, 0);
    assert!(thread.join().unwrap().starts_with("GET /readyz HTTP/1.1\r\n"));
    let (address, _thread) = server("503 Service Unavailable", "draining");
    assert_eq!(exit(&["healthcheck", "--url", &format!("http://{address}")]).await, 1);
    assert_eq!(exit(&["healthcheck", "--url", &format!("http://{}", closed())]).await, 3);
    assert_eq!(exit(&["healthcheck", "--url", "gate"]).await, 2);
}

#[tokio::test]
async fn a_file_is_sent_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("order.json");
    std::fs::write(&file, "{ \"sku\" : 1 }\n").unwrap();
    let file = file.to_str().unwrap();
    let (address, thread) = server("202 Accepted", "{}");
    let to = format!("http://{address}/api/webhooks/a/tgt_x");
    let secret = ["--secret-env", "PATH", "--signature-header", "X-Sig", "-H", "X-A: b"];
    assert_eq!(exit(&[&["send", file, "--to", &to], secret.as_slice()].concat()).await, 0);
    let seen = thread.join().unwrap();
    assert!(seen.starts_with("POST /api/webhooks/a/tgt_x HTTP/1.1\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\n{ \"sku\" : 1 }\n"), "{seen}");
    let mac = crate::verify::hmac_sha256(path().as_bytes(), b"{ \"sku\" : 1 }\n");
    assert!(seen.contains(&format!("x-sig: sha256={}\r\n", data_encoding::HEXLOWER.encode(&mac))), "{seen}");
    assert!(seen.contains("x-a: b\r\n") && seen.contains("content-type: application/json\r\n"), "{seen}");

    let (address, _thread) = server("401 Unauthorized", "no");
    assert_eq!(exit(&["send", file, "--to", &format!("http://{address}/")]).await, 1);
    assert_eq!(exit(&["send", "/nowhere.json", "--to", &to]).await, 2);
    assert_eq!(exit(&["send", file, "--to", &to, "-H", "b\u{e4}d name: x"]).await, 2);
}

#[tokio::test]
async fn files_are_applied_with_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    std::fs::write(&file, "secret = 'env:PATH'").unwrap();
    let file = file.to_str().unwrap();
    let (address, thread) = server("200 OK", r#"{"modules":[],"sources":[]}"#);
    let url = format!("http://{address}");
    assert_eq!(exit(&["apply", file, "--dry-run", "--url", &url, "--key", "tgk_x"]).await, 0);
    let seen = thread.join().unwrap();
    assert!(seen.starts_with("POST /api/v1/apply?dryRun=true HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("authorization: Bearer tgk_x\r\n"), "{seen}");
    let body: Value = serde_json::from_str(seen.split_once("\r\n\r\n").unwrap().1).unwrap();
    let files = json!([{ "name": file, "text": "secret = 'env:PATH'" }]);
    assert_eq!(body, json!({ "files": files, "secrets": { "PATH": path() } }));

    let data_dir = folder.path().to_str().unwrap();
    assert_eq!(exit(&["apply", file, "--url", &url, "--data-dir", data_dir]).await, 2, "there is no key");
    assert_eq!(exit(&["apply", "/nowhere.toml", "--url", &url, "--key", "k"]).await, 2);
    let (address, _thread) = server("422 Unprocessable Entity", r#"{"title":"no","errors":[]}"#);
    assert_eq!(exit(&["apply", file, "--url", &format!("http://{address}"), "--key", "k"]).await, 1);
}

#[tokio::test]
async fn a_problem_is_handed_on_and_another_answer_is_named() {
    let key = "tgk_x".into();
    let (address, _thread) = server("422 Unprocessable Entity", r#"{"title":"Bad","errors":[{"detail":"x"}]}"#);
    let client = Client::new(&format!("http://{address}"), DEADLINE).unwrap();
    let Err(Failure::Refused(problem)) = client.call("/", &key, &json!({})).await else { panic!("not refused") };
    assert_eq!(problem["errors"][0]["detail"], "x");

    let (address, _thread) = server("200 OK", "<html>");
    let client = Client::new(&format!("http://{address}"), DEADLINE).unwrap();
    let Err(Failure::Refused(problem)) = client.call("/", &key, &json!({})).await else { panic!("not refused") };
    assert_eq!(problem["detail"], format!("http://{address} answered 200, not as Tidegate does"));
}

#[tokio::test]
async fn a_failure_never_shows_the_token_in_the_url() {
    let client = Client::new(&format!("http://{}/api/webhooks/a/tgt_secret", closed()), DEADLINE).unwrap();
    let Err(Failure::Unreachable(why)) = client.post(&[], Vec::new()).await else { panic!("it was reached") };
    assert!(why.starts_with("cannot reach http://127.0.0.1:"), "{why}");
    assert!(why.contains("refused") && !why.contains("tgt_secret"), "{why}");
}
