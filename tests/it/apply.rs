//! Module files: what applying them does, what it answers, and that a file is made so whole or not at all.

use serde_json::{Value, json};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Setup, text};
use crate::client::Sender;
use crate::database::Engine;

both!(
    applying_twice_changes_nothing,
    a_new_field_is_a_new_column,
    a_file_is_applied_whole_or_not_at_all,
    a_fault_is_named_by_file_line_and_field,
    a_dry_run_does_nothing,
    a_mapping_gets_a_new_version,
    a_match_that_records_contradict_is_refused,
    a_match_over_texts_that_identify_nothing_is_refused,
    secrets_are_kept_until_others_come,
    a_shape_changes_under_load,
    files_are_applied_at_start,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const SIGNED: &str = include_str!("../data/modules/signed.toml");
const TWO_DOORS: &str = include_str!("../data/modules/two-doors.toml");

/// The orders with one more field, and a rule for it.
fn with_field(name: &str) -> String {
    let rule = format!("[[source.rule]]\nfrom = \"$.{name}\"\nto = \"{name}\"\n");
    format!("{}\n{rule}", ORDERS.replace("note = \"text\"", &format!("note = \"text\"\n{name} = \"decimal\"")))
}

/// What was done, a word for each thing.
fn actions(applied: &Value) -> Vec<&str> {
    let parts = ["modules", "sources"].into_iter().flat_map(|part| applied[part].as_array().unwrap());
    parts.map(|part| text(&part["action"])).collect()
}

async fn applying_twice_changes_nothing(app: App) {
    let secrets = json!({ "ONE": "1", "TWO": "2" });
    let first = app.apply(SIGNED, secrets.clone()).await.done();
    assert_eq!(actions(&first), ["created"; 5]);
    for source in first["sources"].as_array().unwrap() {
        assert_eq!(source["module"], "signed");
        let (token, url) = (text(&source["token"]), text(&source["url"]));
        assert!(token.starts_with("tgt_"));
        assert_eq!(url, format!("{}/api/webhooks/signed/{token}", app.url));
    }
    let version = "SELECT CAST(config_version AS text) FROM gateway";
    let before = app.database().text(version).await;
    let answer = app.apply(SIGNED, secrets).await;
    let second = answer.done();
    assert_eq!(actions(&second), ["unchanged"; 5]);
    assert!(!answer.text().contains("tgt_"), "a token is shown once");
    assert_eq!(app.database().text(version).await, before, "no replica has to read anything");
    let moved =
        SIGNED.replace("burst = 2", "burst = 3").replace("match = [\"code\"]", "name = \"Signed\"\nmatch = [\"code\"]");
    let third = app.apply(&moved, json!({ "ONE": "1", "TWO": "2" })).await.done();
    assert_eq!(actions(&third), ["updated", "updated", "unchanged", "unchanged", "unchanged"]);
}

async fn a_new_field_is_a_new_column(app: App) {
    let sender = app.sender(ORDERS).await;
    let old = sender.post(json!({ "type": "stock", "id": "1", "code": "A", "note": "old" })).await.accepted("created");
    let applied = app.apply(&with_field("weight"), json!({})).await.done();
    assert_eq!(actions(&applied), ["updated", "updated"]);

    let record = app.record("orders", &old).await;
    assert_eq!((&record["fields"]["weight"], &record["fields"]["note"]), (&Value::Null, &json!("old")));
    assert_eq!(app.event(&old).await["verdict"], "created");
    sender.post(json!({ "type": "stock", "id": "1", "code": "A" })).await.accepted("duplicate");
    let new =
        sender.post(json!({ "type": "stock", "id": "2", "code": "A", "weight": "1.50" })).await.accepted("updated");
    assert_eq!(app.record("orders", &new).await["fields"]["weight"], "1.50");
    let sql = "SELECT CAST(weight AS text) FROM m_orders";
    assert_eq!(app.database().text(sql).await.as_deref(), Some("1.50"));
    let app = app.restart().await;
    assert_eq!(app.record("orders", &new).await["fields"]["weight"], "1.50");
}

async fn a_file_is_applied_whole_or_not_at_all(app: App) {
    let bad = TWO_DOORS.replace("from = \"$.hours\"", "from = \"$.hours[\"");
    app.apply(&bad, json!({})).await.problem(422, "invalid_document");
    app.get("/api/v1/modules/machines").await.problem(404, "not_found");
    for table in ["modules", "sources", "tokens", "mappings"] {
        assert_eq!(app.database().count(table).await, 0, "{table}");
    }
    let sender = app.sender(ORDERS).await;
    let shown = app.see("/modules/orders").await;
    let bad = with_field("weight").replace("to = \"state\"", "to = \"nothing\"");
    app.apply(&bad, json!({})).await.problem(422, "invalid_document");
    assert_eq!(app.see("/modules/orders").await, shown);
    let event = json!({ "type": "stock", "code": "A", "state": "open" });
    let answer = sender.post(event).await.accepted("created");
    assert_eq!(app.record("orders", &answer).await["fields"]["state"], "open");
}

async fn a_fault_is_named_by_file_line_and_field(app: App) {
    let errors = async |file: String| {
        let problem = app.apply(&file, json!({})).await.problem(422, "invalid_document");
        let errors = problem["errors"].as_array().unwrap().clone();
        assert!(!errors.is_empty(), "{problem}");
        for error in &errors {
            assert_eq!(error["file"], "test.toml", "{problem}");
            assert!(!text(&error["detail"]).is_empty(), "{problem}");
        }
        errors
    };
    let line_of = |part: &str| ORDERS.lines().position(|line| line.contains(part)).unwrap() + 1;

    let syntax = errors(ORDERS.replace("event_id = \"$.id\"", "event_id = \"$.id")).await;
    assert_eq!(syntax[0]["line"], line_of("event_id"), "{syntax:?}");
    let unknown_key = errors(ORDERS.replace("event_id =", "event_ids =")).await;
    assert_eq!(unknown_key[0]["line"], line_of("event_id"), "{unknown_key:?}");
    let wrong_type = errors(ORDERS.replace("to = \"quantity\"", "to = 7")).await;
    assert_eq!(wrong_type[0]["line"], line_of("to = \"quantity\""), "{wrong_type:?}");

    let three = ORDERS.replace("\"integer\"", "\"int\"").replace("match = [\"code\"]", "match = [\"codes\"]");
    let three = errors(three.replace("slug = \"orders\"", "slug = \"Orders\"")).await;
    assert_eq!(three.len(), 3, "all at once: {three:?}");
    let fields: Vec<_> = three.iter().map(|error| text(&error["field"])).collect();
    for wanted in ["module.slug", "module.match", "module.fields.quantity"] {
        assert!(fields.contains(&wanted), "{wanted}: {fields:?}");
    }
    let mapping =
        errors(ORDERS.replace("\"$.price\"", "\"$.price[\"").replace("to = \"note\"", "to = \"notes\"")).await;
    let fields: Vec<_> = mapping.iter().map(|error| text(&error["field"])).collect();
    assert_eq!(fields.len(), 2, "{mapping:?}");
    for wanted in ["rule[2].to", "rule[4].from"] {
        assert!(fields.iter().any(|field| field.ends_with(wanted)), "{wanted}: {fields:?}");
    }
    let unnamed_secret =
        ORDERS.replace("slug = \"shop\"", "slug = \"shop\"\nsignature = { header = \"x\", secret = \"s3cr3t\" }");
    let answer = app.apply(&unnamed_secret, json!({})).await;
    answer.problem(422, "invalid_document");
    assert!(!answer.text().contains("s3cr3t"), "a secret that stands in a file is not repeated");
}

async fn a_dry_run_does_nothing(app: App) {
    let body = json!({ "files": [{ "name": "test.toml", "text": ORDERS }], "secrets": {} });
    let answer = app.post("/api/v1/apply?dryRun=true", body.clone()).await;
    assert_eq!(actions(&answer.done()), ["created"; 2]);
    assert!(!answer.text().contains("tgt_"), "no token was made");
    assert_eq!(app.database().count("modules").await, 0);
    assert_eq!(actions(&app.post("/api/v1/apply", body).await.done()), ["created"; 2]);
}

async fn a_mapping_gets_a_new_version(app: App) {
    let sender = app.sender(ORDERS).await;
    let event = json!({ "type": "stock", "code": "A", "quantity": 1, "pieces": 5 });
    let first = sender.post(&event).await.accepted("created");
    app.apply(&ORDERS.replace("$.quantity", "$.pieces"), json!({})).await.done();
    let second = sender.post(&event).await.accepted("updated");
    assert_eq!(app.event(&first).await["mappingVersion"], 1);
    assert_eq!(app.event(&second).await["mappingVersion"], 2);
    assert_eq!(app.record("orders", &second).await["fields"]["quantity"], 5);
    assert_eq!(app.database().count("mappings").await, 2, "the first is kept as it was");
}

async fn a_match_that_records_contradict_is_refused(app: App) {
    let senders = app.senders(TWO_DOORS, json!({})).await;
    for code in ["M1", "M2"] {
        senders[0].post(json!({ "code": code, "place": "north" })).await.accepted("created");
    }
    let bad = TWO_DOORS.replace("match = [\"serial\"]", "match = [\"place\"]");
    let refused = app.apply(&bad, json!({})).await;
    assert!(matches!(refused.status, 409 | 422), "two records are in one place: {}", refused.text());
    refused.problem(refused.status, if refused.status == 409 { "conflict" } else { "invalid_document" });
    senders[1].post(json!({ "serial": "S", "hours": 1 })).await.accepted("created");
    senders[0].post(json!({ "code": "M2", "place": "south" })).await.accepted("updated");
    app.apply(&bad, json!({})).await.done();
    senders[1].post(json!({ "place": "south", "hours": 2 })).await.accepted("updated");
}

/// Two spellings of one text would be two records, and an empty one would be met by nothing.
async fn a_match_over_texts_that_identify_nothing_is_refused(app: App) {
    let office = app.sender(TWO_DOORS).await;
    let by_place = TWO_DOORS.replace("match = [\"serial\"]", "match = [\"place\"]");
    let long = "x".repeat(513);
    for place in ["Cafe\u{301}", "", long.as_str()] {
        office.post(json!({ "code": "M1", "place": place })).await.json();
        let refused = app.apply(&by_place, json!({})).await.problem(409, "conflict");
        assert!(refused["detail"].as_str().unwrap().contains("NFC"), "{refused}");
    }
    for (code, place) in [("M1", "Caf\u{e9}"), ("M2", "north")] {
        office.post(json!({ "code": code, "place": place })).await.json();
    }
    app.apply(&by_place, json!({})).await.done();
}

/// An operator who applies a file again need not know its secrets.
async fn secrets_are_kept_until_others_come(app: App) {
    let problem = app.apply(SIGNED, json!({ "ONE": "1" })).await.problem(422, "invalid_document");
    assert!(problem["errors"].to_string().contains("TWO"), "it says which is missing: {problem}");
    let sender = app.senders(SIGNED, json!({ "ONE": "1", "TWO": "2" })).await.swap_remove(0);
    assert_eq!(actions(&app.apply(SIGNED, json!({})).await.done()), ["unchanged"; 5]);
    assert_eq!(signed(&sender, "1").await, 202);
    let rotated = app.apply(SIGNED, json!({ "ONE": "one", "TWO": "2" })).await.done();
    assert_eq!(actions(&rotated), ["unchanged", "updated", "updated", "unchanged", "unchanged"]);
    assert_eq!(signed(&sender, "1").await, 401);
    assert_eq!(signed(&sender, "one").await, 202);
}

async fn signed(sender: &Sender, secret: &str) -> u16 {
    let body = r#"{"code":"A"}"#;
    let digest = tidegate::verify::hmac_sha256(secret.as_bytes(), body.as_bytes());
    let value = format!("sha256={}", data_encoding::HEXLOWER.encode(&digest));
    sender.send(sender.json(body).header("x-webhook-signature", value)).await.status
}

const CLIENTS: usize = 8;

/// Events that are under way meet the old configuration or the new one, and none of them is turned away. Changes come
/// in pairs, one right behind the other; then every client goes on, so that no event meets more than two.
async fn a_shape_changes_under_load(app: App) {
    let sender = app.sender(ORDERS).await;
    let stop = CancellationToken::new();
    let (answered, mut heard) = mpsc::unbounded_channel();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(post_until(stop.clone(), sender.clone(), client, answered.clone()));
    }
    let mut fields = String::new();
    for number in 1..=8 {
        fields.push_str(&format!("f{number} = \"integer\"\n"));
        let file = ORDERS.replace("note = \"text\"\n", &format!("note = \"text\"\n{fields}"));
        let rule = format!("[[source.rule]]\nfrom = \"$.number\"\nto = \"f{number}\"\n");
        app.apply(&format!("{file}\n{rule}"), json!({})).await.done();
        if number % 2 == 0 {
            every_client_goes_on(&mut heard, &mut clients).await;
        }
    }
    stop.cancel();
    let posted: usize = clients.join_all().await.into_iter().sum();
    assert_eq!(app.database().count("changes WHERE record_id <> ''").await, posted, "each event changed its record");
    assert_eq!(app.database().count("m_orders").await, CLIENTS);
    for number in [2, 4, 6, 8] {
        let filled = app.database().count(&format!("m_orders WHERE f{number} IS NOT NULL")).await;
        assert_eq!(filled, CLIENTS, "f{number} was filled while a rule said so");
    }
}

/// What each has sent since was answered, and so was an event after it.
async fn every_client_goes_on(heard: &mut UnboundedReceiver<usize>, clients: &mut JoinSet<usize>) {
    while heard.try_recv().is_ok() {}
    let mut answers = [0; CLIENTS];
    while answers.iter().any(|answers| *answers < 2) {
        tokio::select! {
            client = heard.recv() => answers[client.expect("clients go on")] += 1,
            ended = clients.join_next() => panic!("a client has ended: {ended:?}"),
        }
    }
}

/// How many events there were; each changes the one record of this client.
async fn post_until(stop: CancellationToken, sender: Sender, client: usize, answered: UnboundedSender<usize>) -> usize {
    let mut number = 0;
    while !stop.is_cancelled() {
        let code = format!("c-{client}");
        let answer = sender.post(json!({ "type": "stock", "code": code, "quantity": number, "number": number })).await;
        assert_eq!(answer.status, 202, "event {number} of client {client}: {}", answer.text());
        number += 1;
        // Nobody listens any more once the stop has come.
        let _ = answered.send(client);
    }
    number
}

async fn files_are_applied_at_start(mut setup: Setup) {
    let file = setup.folder().join("orders.toml");
    std::fs::write(&file, ORDERS).unwrap();
    setup.config.apply = vec![file.clone()];
    let app = setup.start().await;
    assert_eq!(app.see("/modules/orders").await["slug"], "orders");
    let app = app.restart().await;
    assert_eq!(app.database().count("mappings").await, 1, "applied again, it is unchanged");
    let setup = app.stop().await;
    std::fs::write(&file, "[module").unwrap();
    let refused = setup.refusal().await;
    assert!(refused.contains("orders.toml"), "{refused}");
}

/// A client that asks too much of PostgreSQL's identifiers or SQLite's words gets a table all the same.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_sql_uses_itself_are_names() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let app = Setup::new(engine).await.start().await;
        let longest = "x".repeat(48);
        let file = format!(
            "[module]\nslug = \"{longest}\"\nmatch = [\"select\", \"order\"]\n[module.fields]\nselect = \"text\"\norder = \"date\"\n\
             user = \"text\"\nrowid = \"integer\"\noid = \"integer\"\nvalue = \"text\"\n{0} = \"text\"\n\
             [[source]]\nslug = \"s\"\n[[source.rule]]\nfrom = \"$.a\"\nto = \"select\"\n[[source.rule]]\nfrom = \"$.b\"\nto = \"order\"\n\
             [[source.rule]]\nfrom = \"$.c\"\nto = \"rowid\"\n[[source.rule]]\nfrom = \"$.d\"\nto = \"{0}\"\n",
            "y".repeat(51)
        );
        let sender = app.sender(&file).await;
        let event = json!({ "a": "from", "b": "2026-01-02", "c": 5, "d": "long" });
        let answer = sender.post(&event).await.accepted("created");
        sender.post(&event).await.accepted("unchanged");
        let record = app.record(&longest, &answer).await;
        assert_eq!((&record["fields"]["rowid"], &record["fields"]["select"]), (&json!(5), &json!("from")), "{record}");
    }
}

/// A column that PostgreSQL keeps for itself: a table with it, or a clear no, and the same on both.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_system_columns_are_no_accident() {
    let mut statuses = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let app = Setup::new(engine).await.start().await;
        for name in ["xmin", "ctid", "tableoid"] {
            let file = ORDERS.replace("\"orders\"", &format!("\"{name}-orders\"")).replace("note", name);
            let answer = app.apply(&file, json!({})).await;
            assert!(matches!(answer.status, 200 | 422), "{name} on {engine:?}: {}", answer.text());
            statuses.push(answer.status);
        }
    }
    let (sqlite, postgres) = statuses.split_at(3);
    assert_eq!(sqlite, postgres, "the two databases agree");
}
