//! What outlives a process, and who may not start.

use serde_json::json;
use tidegate::secret::SealKey;
use tidegate::serve::Running;
use tokio::task::JoinSet;

use crate::app::{App, Setup};
use crate::changes::assert_log_is_truth;
use crate::client::{Answer, http_client};
use crate::database::Engine;
use crate::process::Process;

both!(a_restart_keeps_everything, another_seal_key_is_refused, the_binary_says_where_it_is_and_drains,);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const SIGNED: &str = include_str!("../data/modules/signed.toml");

async fn a_restart_keeps_everything(app: App) {
    let sender = app.sender(ORDERS).await;
    let signed = app.senders(SIGNED, json!({ "ONE": "1", "TWO": "2" })).await.swap_remove(0);
    let event = json!({ "type": "stock", "id": "1", "at": "2026-05-01T00:00:00Z", "code": "A", "quantity": 1 });
    let answer = sender.post(&event).await.accepted("created");
    let seen = [app.record("orders", &answer).await, app.event(&answer).await, app.see("/modules").await];
    let key = app.key.clone();

    let app = app.restart().await;
    assert_eq!(app.key, key, "the first owner's key is made once");
    assert_eq!([app.record("orders", &answer).await, app.event(&answer).await, app.see("/modules").await], seen);
    let sender = sender.at(&app.url);
    sender.post(&event).await.accepted("duplicate");
    let older = json!({ "type": "stock", "at": "2026-04-01T00:00:00Z", "code": "A", "quantity": 2 });
    sender.post(older).await.accepted("stale");
    sender.post(json!({ "type": "stock", "code": "A", "quantity": 3 })).await.accepted("updated");

    let body = r#"{"code":"S"}"#;
    let digest = data_encoding::HEXLOWER.encode(&tidegate::verify::hmac_sha256(b"1", body.as_bytes()));
    let signed = signed.at(&app.url);
    let request = signed.json(body).header("x-webhook-signature", format!("sha256={digest}"));
    signed.send(request).await.accepted("created");
    assert_eq!(app.database().count("gateway").await, 1);
    assert_eq!(app.database().count("api_keys").await, 1);
    assert_eq!(app.database().count("m_signed").await, 1);
    assert_eq!(app.database().count("changes").await, 3);
    assert_eq!(app.list("/modules/orders/records", 10).await.len(), 1);
}

async fn another_seal_key_is_refused(app: App) {
    app.senders(SIGNED, json!({ "ONE": "1", "TWO": "2" })).await;
    let setup = app.stop().await;
    let file = setup.folder().join("seal.key");
    let ours = std::fs::read_to_string(&file).unwrap();

    let mut other = setup.clone();
    other.config.seal_key = Some(SealKey::generate());
    let why = other.refusal().await;
    assert!(why.contains("seal"), "it says why: {why}");
    assert!(!why.contains(ours.trim()), "and not the key");

    std::fs::remove_file(&file).unwrap();
    let why = setup.refusal().await;
    assert!(why.contains("seal"), "a lost key is not replaced by a new one: {why}");
    std::fs::write(&file, &ours).unwrap();
    let app = setup.start().await;
    assert_eq!(app.see("/modules/signed").await["slug"], "signed");
}

async fn the_binary_says_where_it_is_and_drains(setup: Setup) {
    let process = Process::start(&setup).await;
    let url = &process.admin.url;
    assert_eq!(format!("http://{}", process.banner["listen"].as_str().unwrap()), *url, "{}", process.banner);
    assert_eq!(process.banner["dataDir"].as_str(), setup.folder().to_str(), "{}", process.banner);
    assert!(!process.banner.to_string().contains(&process.admin.key), "the banner is not secret");
    let sender = process.admin.sender(ORDERS).await;
    sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    let (status, log) = process.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    // The database is one file again, to be copied as it is.
    assert!(!setup.folder().join("tidegate.db-wal").exists());
    assert_eq!(setup.database().count("replicas").await, 0, "it has taken its leave");
    let app = setup.start().await;
    assert_eq!(app.list("/modules/orders/records", 10).await.len(), 1);
}

/// One process writes the file.
#[tokio::test(flavor = "multi_thread")]
async fn one_file_has_one_gateway() {
    let app = Setup::new(Engine::Sqlite).await.start().await;
    let sender = app.sender(ORDERS).await;
    let why = app.setup.refusal().await;
    assert!(why.contains("in use"), "{why}");
    sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    let app = app.restart().await;
    assert_log_is_truth(&app.admin, app.database(), "orders").await;
}

/// Replicas that start together on an empty database: one migrates it and makes the first owner, and a key that
/// was written down opens.
#[tokio::test(flavor = "multi_thread")]
async fn first_starts_may_be_many() {
    let setup = Setup::on_empty_postgres().await;
    let seal_key = SealKey::generate();
    let mut starts = JoinSet::new();
    for number in 0..4 {
        let mut setup = setup.clone();
        setup.config.data_dir = setup.folder().join(number.to_string());
        setup.config.seal_key = Some(seal_key.clone());
        starts.spawn(async move { Running::start(setup.config, setup.clock).await.map_err(|why| why.to_string()) });
    }
    let running: Vec<_> = starts.join_all().await.into_iter().map(|start| start.expect("each starts")).collect();
    assert_eq!(setup.database().count("api_keys").await, 1);
    let keys: Vec<_> = (0..4).map(|number| setup.folder().join(format!("{number}/admin.key"))).collect();
    let written: Vec<_> = keys.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    assert!(!written.is_empty(), "somebody has the owner's key");
    let http = http_client();
    for key in &written {
        let request = http.get(format!("{}/api/v1/modules", running[0].url())).bearer_auth(key.trim());
        assert_eq!(Answer::to(request).await.status, 200, "a key that was written down opens");
    }
}
