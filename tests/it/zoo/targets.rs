//! Targets that are forbidden, in every spelling and by every way that a URL comes to be dialled: a canary listens on all
//! addresses of this machine, and nobody comes.

use http::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::net::TcpStream;

use super::beast::{Beast, Way};
use super::{ORDERS, WEBHOOKS, make, order, wait_for};
use crate::app::{Admin, App, Setup, text};
use crate::client::Answer;
use crate::process::Process;
use crate::receiver::{Receiver, Reply};
use crate::seeded::{drain, redeliver};

both!(
    no_spelling_of_a_forbidden_target_is_ever_dialled,
    what_hands_out_credentials_stays_shut,
    a_forbidden_port_tells_nothing,
    the_door_of_the_administration_is_no_target,
    neither_a_proxy_of_the_environment_nor_a_redirect_leads_anywhere,
);

/// Addresses that nobody on the internet has.
const ADDRESSES: &str = "0.0.0.0 0.1.2.3 127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 \
    169.254.169.254 100.64.0.1 100.100.100.200 100.127.255.255 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 \
    198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16 [::] \
    [::1] [::7f00:1] [::ffff:127.0.0.1] [::ffff:8.8.8.8] [::ffff:0:7f00:1] [::5efe:7f00:1] [64:ff9b::7f00:1] \
    [64:ff9b::a9fe:a9fe] [64:ff9b:1::1] [100::1] [2002:7f00:1::1] [2002:808:808::1] [2001::1] [2001:db8::1] [3fff::1] \
    [5f00::1] [fc00::1] [fd00:ec2::254] [fe80::1] [fec0::1] [ff02::1]";
/// This machine, as a URL can write it.
const SPELLINGS: &str = "2130706433 0x7f000001 0X7F000001 0x7f.1 017700000001 0177.0.0.1 0177.0.0.01 127.1 127.0.1 \
    0x7f.0x0.0x0.0x1 0 0x0 00000000000 0.0 127.0.0.1. 2130706433. %31%32%37.0.0.1 127%2e0%2e0%2e1 １２７.0.0.1 \
    ①②⑦.⓪.⓪.① 127。0。0。1 127．0．0．1 [0:0:0:0:0:0:0:1] [0000::0001] [::127.0.0.1] [::FFFF:7F00:1] \
    [0:0:0:0:0:ffff:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b:1:7f00:0:100::] [2002:7f00:1::] [2001:0:7f00:1::]";
/// Names of this machine: they are looked up, and judged by what is found.
const NAMES: &str = "localhost LOCALHOST LocalHost loc%61lhost ｌｏｃａｌｈｏｓｔ ⓛocalhost";
/// Where credentials are handed out, in forms that ranges of private addresses might be thought to open.
const CREDENTIALS: &str = "169.254.169.254 169.254.170.2 169.254.169.254. 2852039166 0xa9fea9fe 0251.0376.0251.0376 \
    169.254.43518 169.16689662 １６９.254.169.254 169。254。169。254 168.63.129.16 100.100.100.200 192.0.0.192 \
    [fd00:ec2::254] [FD00:0EC2::0254] [fd20:ce::254] [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] [::a9fe:a9fe] \
    [::ffff:0:a9fe:a9fe] [64:ff9b::a9fe:a9fe] [64:ff9b::169.254.169.254] [64:ff9b:1::a9fe:a9fe] \
    [64:ff9b:1:a9fe:a9:fe00::] [2002:a9fe:a9fe::] [2002:a83f:8110::1] [fe80::5efe:a9fe:a9fe] [2001:0:a9fe:a9fe::] \
    [64:ff9b::6464:64c8]";

fn literals(port: u16) -> Vec<String> {
    let hosts = ADDRESSES.split_whitespace().chain(SPELLINGS.split_whitespace());
    let mut urls: Vec<_> = hosts.map(|host| format!("http://{host}:{port}/")).collect();
    urls.extend([
        format!("http:127.0.0.1:{port}/"),
        format!("http:/127.0.0.1:{port}/"),
        format!("http:////127.0.0.1:{port}/"),
        format!(r"http:\\127.0.0.1:{port}\"),
        format!("HTTP://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://example.com@127.0.0.1:{port}/"),
        format!("http://example.com:80@127.0.0.1:{port}/"),
        format!("http://:a@127.0.0.1:{port}/"),
        format!("http://localhost@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/#@example.com/"),
        format!("http://localhost:{port}#x"),
        format!("ws://127.0.0.1:{port}/"),
        format!("ftp://127.0.0.1:{port}/"),
    ]);
    urls
}

fn names(port: u16) -> Vec<String> {
    let named = |host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:{port}/"));
    NAMES.split_whitespace().flat_map(named).collect()
}

/// On all addresses of the machine; the same for both kinds where there are both.
async fn canary() -> Beast {
    let has_both = tokio::net::TcpListener::bind("[::]:0").await.is_ok();
    Beast::at(if has_both { "[::]:0" } else { "0.0.0.0:0" }, Way::Holds(Vec::new())).await
}

/// How many came before one that is known to come.
async fn strangers(canary: &Beast) -> usize {
    let known = TcpStream::connect(("127.0.0.1", canary.address.port())).await.expect("it listens");
    drop(known);
    canary.wait_for_ended(1).await;
    canary.connections() - 1
}

async fn call(app: &App, method: Method, path: &str, body: Value) -> Answer {
    Answer::to(app.request(method, path).bearer_auth(&app.key).body(body.to_string())).await
}

#[track_caller]
fn assert_refused(answer: &Answer, url: &str) {
    assert_eq!(answer.status, 422, "{url}: {}", answer.text());
    let errors = &answer.json()["errors"];
    assert_eq!((errors[0]["field"].as_str(), errors[1].is_null()), (Some("url"), true), "{url}: {errors}");
}

#[track_caller]
fn assert_kept_away(exchange: &Value, url: &str) {
    let told = (&exchange["error"]["class"], &exchange["address"]);
    assert_eq!(told, (&json!("target_not_allowed"), &Value::Null), "{url}: {exchange}");
}

/// Endpoints with URLs as if they had been saved before they were forbidden; their ids, in order.
async fn save(app: App, urls: &[String]) -> (App, Vec<String>) {
    let (mut ids, mut sql) = (Vec::new(), String::new());
    for url in urls {
        let settings = json!({ "url": "tidegate://inspect", "events": ["record_created"], "retries": [] });
        let id = make(&app, settings).await;
        let url = json!(url).to_string().replace('\'', "''");
        sql += &format!(
            "UPDATE endpoints SET settings = replace(settings, '\"tidegate://inspect\"', '{url}') WHERE id = '{id}';"
        );
        ids.push(id);
    }
    let setup = app.stop().await;
    setup.database().run(AssertSqlSafe(sql)).await;
    (setup.start().await, ids)
}

/// Delivered to, one by one again, and by a job: each time all of them are kept away. Says how often that was.
async fn deliver(app: &App, saved: &[(String, String)]) -> usize {
    let sender = app.senders(ORDERS, json!({})).await.swap_remove(0);
    let kept_away = async |attempts: usize| {
        let failed = format!("deliveries WHERE state = 'failed' AND attempts = {attempts}");
        wait_for(app, &failed, |count| count == saved.len()).await;
    };
    order(&sender, "A").await;
    kept_away(1).await;
    for (_, id) in saved {
        let due = app.list(&format!("/webhooks/{id}/deliveries"), 10).await;
        let path = format!("/api/v1/deliveries/{}/retry", text(&due[0]["id"]));
        assert_eq!(app.post(&path, json!({})).await.status, 202);
    }
    kept_away(2).await;
    let job = redeliver(app, json!({})).await;
    assert_eq!(drain(app, &job).await["done"], saved.len());
    kept_away(3).await;
    let mut tried = 0;
    for (url, id) in saved {
        let delivery = super::delivery(app, id).await;
        let attempts = delivery["attempts"].as_array().unwrap();
        assert_eq!((&delivery["state"], attempts.len()), (&json!("failed"), 3), "{url}: {delivery}");
        attempts.iter().for_each(|attempt| assert_kept_away(attempt, url));
        tried += attempts.len();
    }
    tried
}

#[expect(clippy::print_stdout, reason = "how much was tried is what this test is about")]
fn tell(what: &str, tried: usize) {
    println!("{what}: 0 of {tried} tries reached anybody");
}

async fn no_spelling_of_a_forbidden_target_is_ever_dialled(mut setup: Setup) {
    setup.config.allow_targets.clear();
    let (app, canary) = (setup.start().await, canary().await);
    let (literals, names) = (literals(canary.address.port()), names(canary.address.port()));
    let patched = make(&app, json!({ "url": "tidegate://inspect", "events": ["record_created"] })).await;
    let mut tried = 0;
    for url in &literals {
        assert_refused(&app.post(WEBHOOKS, json!({ "url": url })).await, url);
        assert_refused(&call(&app, Method::PATCH, &format!("{WEBHOOKS}/{patched}"), json!({ "url": url })).await, url);
        tried += 2;
    }
    for url in &names {
        let id = make(&app, json!({ "url": url, "events": ["record_deleted"] })).await;
        let path = format!("{WEBHOOKS}/{id}");
        assert_eq!(call(&app, Method::PATCH, &path, json!({ "url": url, "description": "d" })).await.status, 200);
        tried += 2;
    }
    let all = [literals.clone(), names].concat();
    let (app, ids) = save(app, &all).await;
    let saved: Vec<_> = all.into_iter().zip(ids).collect();
    for (place, (url, id)) in saved.iter().enumerate() {
        let tested = app.post(&format!("{WEBHOOKS}/{id}/test"), json!({ "type": "endpoint.disabled" })).await;
        if place < literals.len() {
            assert_refused(&tested, url);
        } else {
            assert_kept_away(&tested.done(), url);
        }
        tried += 1;
    }
    tried += deliver(&app, &saved).await;
    assert_eq!(strangers(&canary).await, 0, "of {tried}");
    assert_eq!(tried, saved.len() * 6, "each URL by each way");
    tell("forbidden targets", tried);
}

async fn what_hands_out_credentials_stays_shut(mut setup: Setup) {
    setup.config.allow_targets = ["0.0.0.0/0", "::/0"].map(|range| range.parse().unwrap()).to_vec();
    let app = setup.start().await;
    let urls: Vec<_> = CREDENTIALS.split_whitespace().map(|host| format!("http://{host}/latest/meta-data/")).collect();
    let patched = make(&app, json!({ "url": "tidegate://inspect", "events": ["record_deleted"] })).await;
    for url in &urls {
        assert_refused(&app.post(WEBHOOKS, json!({ "url": url })).await, url);
        assert_refused(&call(&app, Method::PATCH, &format!("{WEBHOOKS}/{patched}"), json!({ "url": url })).await, url);
    }
    let (app, ids) = save(app, &urls).await;
    let saved: Vec<_> = urls.into_iter().zip(ids).collect();
    for (url, id) in &saved {
        assert_refused(&app.post(&format!("{WEBHOOKS}/{id}/test"), json!({ "type": "endpoint.disabled" })).await, url);
    }
    let tried = deliver(&app, &saved).await + saved.len() * 3;
    tell("addresses of credentials, with every range opened", tried);
}

async fn a_forbidden_port_tells_nothing(mut setup: Setup) {
    setup.config.allow_targets.clear();
    let (app, open, shut) = (setup.start().await, canary().await, Beast::new(Way::Absent).await);
    let ports = [open.address.port(), shut.address.port()];
    let mut told = Vec::new();
    for port in ports {
        let refused = app.post(WEBHOOKS, json!({ "url": format!("http://127.0.0.1:{port}/") })).await;
        let id = make(&app, json!({ "url": format!("http://localhost:{port}/"), "events": ["record_deleted"] })).await;
        let tested = app.post(&format!("{WEBHOOKS}/{id}/test"), json!({ "type": "endpoint.disabled" })).await.done();
        let timings = (&tested["status"], &tested["address"], &tested["headers"], &tested["body"]);
        assert_eq!(timings, (&Value::Null, &Value::Null, &Value::Null, &Value::Null), "{tested}");
        told.push((refused.json()["errors"].clone(), tested["error"].clone()));
    }
    assert_eq!(told[0], told[1], "an open port looks as a closed one");
    assert_eq!(strangers(&open).await, 0);
}

async fn the_door_of_the_administration_is_no_target(mut setup: Setup) {
    setup.config.admin_listen = Some(setup.config.listen);
    let app = setup.start().await;
    let door = app.gateway().config.admin_listen.expect("where it listens");
    let admin = Admin::of(&format!("http://{door}"), app.setup.folder());
    let url = format!("http://{door}/api/v1/webhooks");
    assert_refused(&admin.post(WEBHOOKS, json!({ "url": url })).await, &url);
    let id = make(&admin, json!({ "url": format!("http://localhost:{}/", door.port()) })).await;
    let tested = admin.post(&format!("{WEBHOOKS}/{id}/test"), json!({ "type": "endpoint.disabled" })).await.done();
    assert_kept_away(&tested, "by a name");
}

async fn neither_a_proxy_of_the_environment_nor_a_redirect_leads_anywhere(setup: Setup) {
    let (receiver, canary) = (Receiver::start().await, canary().await);
    let elsewhere = format!("http://127.0.0.1:{}/", canary.address.port());
    let location = elsewhere.clone();
    receiver.answer(move |_| Reply::with(307, &[("Location", &location)], ""));
    let proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let proxies = proxies.map(|name| format!("{name}={elsewhere}"));
    let mut command = vec!["env", "TIDEGATE_ALLOW_TARGETS=127.0.0.0/8,::1"];
    command.extend(proxies.iter().map(String::as_str));
    let process = Process::start_by(&setup, &command).await;
    let sender = process.admin.sender(ORDERS).await;
    for url in [receiver.url("/"), receiver.url("/").replace("127.0.0.1", "localhost")] {
        let made = process.admin.post(WEBHOOKS, json!({ "url": url, "events": ["record_created"] })).await.done();
        let path = format!("{WEBHOOKS}/{}/test", text(&made["id"]));
        let tested = process.admin.post(&path, json!({})).await.done();
        assert_eq!((&tested["status"], &tested["isSuccess"]), (&json!(307), &json!(false)), "{tested}");
    }
    order(&sender, "A").await;
    let came = receiver.wait_for(4).await;
    assert!(came.iter().all(|request| request.path == "/"), "as to a receiver, and not as to a proxy");
    assert_eq!(strangers(&canary).await, 0);
}
