//! The main job in one command: a gateway in a throw-away folder, one signed webhook sent to it over HTTP, the record
//! that it became, and a command to try it oneself.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Running, StartError};
use crate::cli::client::Client;
use crate::cli::output::{Failure, Output};
use crate::clock::{self, Clock};
use crate::config::{Bounds, Config, Database, Keep, admin_key_file, scratch_dir};
use crate::manage::apply::{Input, apply};
use crate::manage::caller::Caller;
use crate::secret::{ExposeSecret, SecretString, generate_signing};
use crate::verify::hmac_sha256;

const MODULE_FILE: &str = include_str!("../../mappings/work-orders.toml");
const HEADER: &str = "X-Webhook-Signature";
const DEADLINE: Duration = Duration::from_secs(10);

/// A throw-away data directory; removed when the demo ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn make() -> std::io::Result<Self> {
        let name = data_encoding::HEXLOWER.encode(&clock::random::<6>());
        let path = scratch_dir().join(format!("tidegate-demo-{name}"));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// On the address asked for; else on 8080, or on a free port when that is taken.
    pub async fn start(&self, listen: Option<SocketAddr>) -> Result<Running, StartError> {
        let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
        match Running::start(self.config(listen.unwrap_or(usual)), Clock::system()).await {
            Err(StartError::Listen { .. }) if listen.is_none() => {
                Running::start(self.config(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), Clock::system()).await
            }
            started => started,
        }
    }

    fn config(&self, listen: SocketAddr) -> Config {
        Config {
            listen,
            admin_listen: None,
            data_dir: self.0.clone(),
            database: Database::Sqlite,
            public_url: None,
            trusted_proxies: Vec::new(),
            allow_targets: Vec::new(),
            egress_proxy: None,
            apply: Vec::new(),
            seal_key: None,
            keep: Keep::default(),
            mail: None,
            bounds: Bounds::default(),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind in the system's scratch space harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Sends the webhook and tells what came of it.
pub async fn show(running: &Running, output: Output) -> Result<(), Failure> {
    let secret = generate_signing();
    let url = source(running, &secret).await?;
    let body = r#"{"id":"evt-1","type":"order.created","created_at":"2026-01-02T03:04:05Z","payload":{"sku":" ab-1042 ","qty":12,"station":"Press 4"}}"#;
    let signature = signature(&secret, body);
    let headers = [("Content-Type".to_owned(), "application/json".to_owned()), (HEADER.to_owned(), signature.clone())];
    let answer = Client::new(&url, DEADLINE)?.post(&headers, body.as_bytes().to_vec()).await?;
    let accepted: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let record = record(running, accepted["recordId"].as_str().unwrap_or_default()).await?;
    let curl = curl(&url, &secret);
    let object = json!({
        "listen": running.listen().to_string(),
        "url": running.url(),
        "dataDir": running.gateway().config.data_dir,
        "request": { "url": url, "signature": signature, "body": body },
        "status": answer.status,
        "answer": accepted,
        "record": record,
        "curl": curl,
    });
    output.answer(&object, || text(running, &object))
}

/// The module of `mappings/work-orders.toml`, and where its sender posts to.
async fn source(running: &Running, secret: &SecretString) -> Result<String, Failure> {
    let input = Input {
        files: vec![("mappings/work-orders.toml".to_owned(), MODULE_FILE.to_owned())],
        secrets: BTreeMap::from([("ERP_SECRET".to_owned(), secret.clone())]),
        dry_run: false,
    };
    let applied = apply(running.gateway(), &Caller::startup(), &input).await;
    let applied = applied.map_err(|problem| Failure::Refused(json!({ "detail": super::told(&problem) })))?;
    Ok(applied.sources.into_iter().find_map(|source| source.url).unwrap_or_default())
}

fn signature(secret: &SecretString, body: &str) -> String {
    let digest = hmac_sha256(secret.expose_secret().as_bytes(), body.as_bytes());
    format!("sha256={}", data_encoding::HEXLOWER.encode(&digest))
}

/// Read back over the API, as anyone would.
async fn record(running: &Running, id: &str) -> Result<Value, Failure> {
    let key = running.admin_key().unwrap_or_default();
    let client = Client::new(running.admin_url(), DEADLINE)?;
    client.read(&format!("/api/v1/modules/work-orders/records/{id}"), &key).await
}

/// Another order, signed and ready to paste.
fn curl(url: &str, secret: &SecretString) -> String {
    let body = r#"{"id":"evt-2","type":"order.updated","created_at":"2026-01-02T04:00:00Z","payload":{"sku":"AB-1042","qty":20,"station":"Press 7"}}"#;
    let signature = signature(secret, body);
    format!(
        "curl -i '{url}' \\\n  -H 'Content-Type: application/json' \\\n  -H '{HEADER}: {signature}' \\\n  -d '{body}'"
    )
}

fn text(running: &Running, object: &Value) -> String {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let request = |name: &str| object["request"][name].as_str().unwrap_or_default().to_owned();
    let key = admin_key_file(&running.gateway().config.data_dir);
    format!(
        "A gateway at {url}, in a folder that goes away with it: {folder}\n\n\
         A sender posts\n\n  POST {post}\n  {HEADER}: {signature}\n  {body}\n\n\
         and gets {status}:\n\n{answer}\n\n\
         which means that this record is on disk (mappings/work-orders.toml says how it came about):\n\n{record}\n\n\
         Send the next one yourself; the second time it is a duplicate, and changes nothing:\n\n{curl}\n\n\
         And read what is there:\n\n\
         curl -s -H \"Authorization: Bearer $(cat {key})\" {url}/api/v1/modules/work-orders/records\n\n\
         Ctrl-C ends the demo.",
        url = running.url(),
        folder = running.gateway().config.data_dir.display(),
        post = request("url"),
        signature = request("signature"),
        body = request("body"),
        status = object["status"],
        answer = pretty(&object["answer"]),
        record = pretty(&object["record"]),
        curl = object["curl"].as_str().unwrap_or_default(),
        key = key.display(),
    )
}
