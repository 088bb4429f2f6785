//! A module altered under load: no event is lost, none is mapped by half of each shape, and nothing is answered but 202
//! and, with Retry-After, 503.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::follow::assert_log_can_be_followed;
use super::patch;
use crate::app::{App, text};
use crate::client::Sender;
use crate::database::Engine;

both!(a_module_is_altered_under_load);

const CLIENTS: usize = 6;
const ROUNDS: usize = 4;

/// What the load is mapped by: `count` has whatever name it has by now.
fn file(count: &str, extra: &str) -> String {
    let extra_field = if extra.is_empty() { String::new() } else { format!("{extra} = \"integer\"\n") };
    let rule = |from: &str, to: &str| format!("[[source.rule]]\nfrom = \"$.{from}\"\nto = \"{to}\"\n");
    let extra_rule = if extra.is_empty() { String::new() } else { rule("n", extra) };
    format!(
        "[module]\nslug = \"load\"\nmatch = [\"MATCH\"]\n[module.fields]\ncode = \"text\"\ntwin = \"text\"\n{count} = \"integer\"\n\
         note = \"text\"\n{extra_field}[[source]]\nslug = \"main\"\nevent_id = \"$.id\"\nrate_limit = {{ per_minute = 1000000 }}\n{}{}{}{}{extra_rule}",
        rule("code", "code"),
        rule("twin", "twin"),
        rule("n", count),
        rule("note", "note"),
    )
}

/// What was acknowledged: the number that each record was last given.
type Books = BTreeMap<String, usize>;

async fn post_until(stop: CancellationToken, sender: Sender, client: usize, heard: Arc<AtomicUsize>) -> (Books, usize) {
    let (mut books, mut accepted) = (Books::new(), 0);
    for number in 0.. {
        if stop.is_cancelled() {
            break;
        }
        // Every third event is of a record of its own, the others of one that they share.
        let code = if number % 3 == 0 { format!("own-{client}-{number}") } else { format!("shared-{client}") };
        let event = json!({ "id": format!("{client}-{number}"), "code": code, "twin": format!("t-{code}"),
            "n": number, "note": format!("n{number}") });
        loop {
            let answer = sender.post(event.clone()).await;
            match answer.status {
                202 => break,
                503 => drop(answer.retry_after()),
                _ => panic!("{}", answer.text()),
            }
        }
        accepted += 1;
        heard.fetch_add(1, Ordering::Relaxed);
        books.insert(code, number);
    }
    (books, accepted)
}

/// Lets some events through.
async fn go_on(heard: &AtomicUsize) {
    let from = heard.load(Ordering::Relaxed);
    crate::hostile::until("events go on", async || heard.load(Ordering::Relaxed) > from + 2 * CLIENTS).await;
}

async fn a_module_is_altered_under_load(app: App) {
    let sender = app.sender(&file("count", "").replace("MATCH", "code")).await;
    let (stop, heard) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
    // Half of the events come in by another gateway, which hears of an alteration when it meets it.
    let replica = match app.database().engine() {
        Engine::Postgres => Some(app.setup.replica().start().await),
        Engine::Sqlite => None,
    };
    let doors = [sender.clone(), replica.as_ref().map_or_else(|| sender.clone(), |replica| sender.at(&replica.url))];
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(post_until(stop.clone(), doors[client % 2].clone(), client, Arc::clone(&heard)));
    }
    let mut reads = JoinSet::new();
    reads.spawn(read_until(stop.clone(), app.http.clone(), app.url.clone(), app.key.clone()));
    let (mut count, mut matching) = ("count".to_owned(), "code");
    for round in 0..ROUNDS {
        go_on(&heard).await;
        alter(&app, json!({ "fields": { "extra": "integer" } })).await;
        app.apply(&file(&count, "extra").replace("MATCH", matching), json!({})).await.done();
        go_on(&heard).await;
        let name = format!("count_{round}");
        alter(&app, json!({ "fields": { &count: { "rename": name }, "extra": { "type": "decimal" } } })).await;
        count = name;
        go_on(&heard).await;
        matching = if matching == "code" { "twin" } else { "code" };
        alter(&app, json!({ "match": [matching] })).await;
        go_on(&heard).await;
        let file =
            file(&count, "extra").replace("MATCH", matching).replace("extra = \"integer\"", "extra = \"decimal\"");
        app.apply(&file.replace("[[source.rule]]\nfrom = \"$.n\"\nto = \"extra\"\n", ""), json!({})).await.done();
        alter(&app, json!({ "fields": { "extra": null } })).await;
        app.keep_house().await;
    }
    go_on(&heard).await;
    stop.cancel();
    let (mut books, mut accepted) = (Books::new(), 0);
    for (own, count) in clients.join_all().await {
        books.extend(own);
        accepted += count;
    }
    assert!(reads.join_all().await.into_iter().sum::<usize>() > 0);

    let records = app.list("/modules/load/records", 100).await;
    assert_eq!(records.len(), books.len(), "every record that was acknowledged is there, once");
    for record in &records {
        let fields = &record["fields"];
        let number = books[text(&fields["code"])];
        let wanted = json!({ "code": fields["code"], "twin": format!("t-{}", text(&fields["code"])), &count: number,
            "note": format!("n{number}") });
        assert_eq!(*fields, wanted, "mapped by one shape, and as the last event says");
    }
    let applied = app.database().count("events WHERE verdict IN ('created', 'updated', 'unchanged')").await;
    assert_eq!(applied, accepted, "each event is kept once");
    let changes = app.database().count("changes WHERE record_id <> ''").await;
    let unchanged = app.database().count("events WHERE verdict = 'unchanged'").await;
    assert_eq!(changes + unchanged, accepted, "each changed its record once");
    assert_halves(&app).await;
    assert_log_can_be_followed(&app, "load").await;
}

async fn alter(app: &App, body: Value) {
    patch(app, "load", body).await.done();
}

/// In no row of the log the number and its text are of different events.
async fn assert_halves(app: &App) {
    for row in app.database().rows("SELECT after FROM changes WHERE record_id <> '' ORDER BY seq").await {
        let after: Value = serde_json::from_str(row[0].as_deref().unwrap()).unwrap();
        let number = text(&after["note"]).trim_start_matches('n').to_owned();
        let counts = after.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("count"));
        let counts = counts.map(|(_, count)| count.to_string()).collect::<Vec<_>>();
        assert_eq!(counts, [number], "{after}");
    }
}

/// Someone who reads meanwhile meets one shape or the other.
async fn read_until(stop: CancellationToken, http: reqwest::Client, url: String, key: String) -> usize {
    let mut count = 0;
    while !stop.is_cancelled() {
        let request = http.get(format!("{url}/api/v1/modules/load/records?limit=50")).bearer_auth(&key);
        let answer = crate::client::Answer::to(request).await;
        match answer.status {
            200 => {
                for record in answer.json()["data"].as_array().unwrap() {
                    let counts = record["fields"].as_object().unwrap().keys().filter(|name| name.starts_with("count"));
                    assert_eq!(counts.count(), 1, "{record}");
                }
                count += 1;
            }
            503 => drop(answer.retry_after()),
            _ => panic!("{}", answer.text()),
        }
    }
    count
}
