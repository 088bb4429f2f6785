//! The event log, picked: every filter against a plain model, what one page may cost, and payloads that no browser runs.

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::app::{App, text};
use crate::database::Engine;

both!(
    every_filter_picks_what_it_says,
    events_of_a_record_are_those_that_changed_it,
    a_page_looks_through_a_bounded_number_of_events,
    a_text_is_found_byte_by_byte,
    what_cannot_be_understood_is_refused,
    a_payload_is_inert,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const MACHINES: &str = include_str!("../data/modules/two-doors.toml");

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| text(&event["id"])).collect()
}

async fn every_filter_picks_what_it_says(app: App) {
    let machines = app.senders(MACHINES, json!({})).await;
    let orders = app.sender(ORDERS).await;
    for number in 0..6 {
        let kind = ["stock", "order.made", "other"][number % 3];
        orders.post(json!({ "type": kind, "id": number / 2, "code": format!("A{}", number % 2) })).await.done();
        machines[number % 2].post(json!({ "code": "M", "serial": "S", "hours": number })).await;
        let refused = orders.post(json!({ "type": kind, "code": "A", "quantity": "many" })).await;
        assert_eq!(refused.status == 422, kind != "other", "{}", refused.text());
        orders.send(orders.json("{")).await.problem(400, "invalid_json");
    }
    // Refusals are written by a lane of their own.
    let all = loop {
        let all = app.list("/events", 100).await;
        if all.len() == 24 {
            break all;
        }
        tokio::task::yield_now().await;
    };
    let (early, late) = (text(&all[17]["receivedAt"]), text(&all[5]["receivedAt"]));
    type Fits<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let is =
        |name: &'static str, wanted: &'static str| -> Fits<'_> { Box::new(move |event: &Value| event[name] == wanted) };
    let filters: Vec<(String, Fits<'_>)> = vec![
        ("module=orders".into(), is("module", "orders")),
        ("module=machines".into(), is("module", "machines")),
        ("module=machines&source=hall".into(), is("source", "hall")),
        ("verdict=refused".into(), is("verdict", "refused")),
        ("verdict=ignored".into(), is("verdict", "ignored")),
        ("verdict=created".into(), is("verdict", "created")),
        ("cause=judgement_failed".into(), is("cause", "judgement_failed")),
        ("cause=invalid_json".into(), is("cause", "invalid_json")),
        ("cause=only".into(), is("cause", "only")),
        ("type=stock".into(), is("eventType", "stock")),
        (format!("since={early}"), Box::new(|event: &Value| text(&event["receivedAt"]) >= early)),
        (format!("until={late}"), Box::new(|event: &Value| text(&event["receivedAt"]) < late)),
    ];
    for (query, fits) in &filters {
        let wanted = all.iter().filter(|event| fits(event)).map(|event| text(&event["id"])).collect::<Vec<_>>();
        assert!(!wanted.is_empty(), "{query} picks something");
        for limit in [100, 2] {
            assert_eq!(ids(&app.list(&format!("/events?{query}"), limit).await), wanted, "{query}");
        }
        for (other, fits_other) in
            filters.iter().filter(|(other, _)| other.split('=').next() != query.split('=').next())
        {
            let wanted = all
                .iter()
                .filter(|event| fits(event) && fits_other(event))
                .map(|event| text(&event["id"]))
                .collect::<Vec<_>>();
            let found = app.list(&format!("/events?{query}&{other}"), 3).await;
            assert_eq!(ids(&found), wanted, "{query} and {other}");
        }
    }
    assert_eq!(app.list("/events?module=orders&verdict=refused&type=stock&text=many", 1).await.len(), 2);
}

async fn events_of_a_record_are_those_that_changed_it(app: App) {
    let sender = app.sender(ORDERS).await;
    let mut changed = Vec::new();
    let first = sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    changed.push(text(&first["eventId"]).to_owned());
    for number in 0..7 {
        sender.post(json!({ "type": "stock", "code": "B", "quantity": number })).await.done();
        let event = sender.post(json!({ "type": "stock", "code": "A", "quantity": number })).await.accepted("updated");
        changed.push(text(&event["eventId"]).to_owned());
        sender.post(json!({ "type": "stock", "code": "A", "quantity": number })).await.accepted("unchanged");
    }
    changed.reverse();
    let of = format!("/events?record={}", text(&first["recordId"]));
    for limit in [100, 1, 3, 8] {
        assert_eq!(ids(&app.list(&of, limit).await), changed, "{limit} a page");
    }
    assert_eq!(ids(&app.list(&format!("{of}&verdict=created"), 5).await), changed[7..]);
    assert_eq!(ids(&app.list(&format!("{of}&text=%22quantity%22:3"), 5).await), changed[3..4]);
}

/// Older than all that a test makes: so many events of the type `seeded`, the oldest of the type `rare`.
async fn seeded(app: &App, count: usize, body: &str) {
    let body = match app.database().engine() {
        Engine::Postgres => format!("convert_to('{body}', 'UTF8')"),
        Engine::Sqlite => format!("CAST('{body}' AS BLOB)"),
    };
    app.database()
        .run(AssertSqlSafe(format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             INSERT INTO events (id, received_at, module_id, source_id, request_id, verdict, state, event_type, record_ids, headers, body, body_size, duration_us) \
             SELECT 'evt_00000000000000000000' || CAST(100000 + i AS text), 1000 * i, 'mod_x', 'src_x', 'req_x', 'created', 'done', \
             CASE i WHEN 1 THEN 'rare' ELSE 'seeded' END, '[]', '{{}}', {body}, {}, 1 FROM n",
            body.len()
        )))
        .await;
}

async fn a_page_looks_through_a_bounded_number_of_events(app: App) {
    let sender = app.sender(ORDERS).await;
    seeded(&app, 45_000, "{}").await;
    sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    let (mut path, mut pages, mut found) = ("/api/v1/events?type=rare".to_owned(), 0, Vec::new());
    loop {
        let page = app.get(&path).await.done();
        pages += 1;
        found.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["nextCursor"].as_str() else { break };
        assert!(page["scannedTo"].is_string(), "{page}");
        path = format!("/api/v1/events?type=rare&cursor={next}");
    }
    assert_eq!((pages, found.len()), (3, 1));
    let page = app.get("/api/v1/events?type=seeded&limit=3").await.done();
    assert_eq!(
        (page["data"].as_array().unwrap().len(), &page["scannedTo"]),
        (3, &Value::Null),
        "a full page was looked for no further"
    );
    assert_eq!(app.list("/events?verdict=refused", 10).await, Vec::<Value>::new());
    assert_eq!(app.list("/events?module=orders", 10).await.len(), 1, "a quiet module's events are found at once");
}

async fn a_text_is_found_byte_by_byte(app: App) {
    let sender = app.sender(ORDERS).await;
    seeded(&app, 2_500, "{\"note\":\"needle\"}").await;
    sender.post(json!({ "type": "stock", "code": "A", "note": "Straße % _ \\ '" })).await.accepted("created");
    sender.send(sender.body("application/json", b"\xff\xfeneedle".to_vec())).await;
    for (wanted, count) in [("Stra%C3%9Fe", 1), ("stra%C3%9Fe", 0), ("%25%20_", 1), ("'", 1), ("%C3", 0), ("%00", 0)] {
        let page = app.get(&format!("/api/v1/events?text={wanted}")).await.done();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{wanted}");
        assert!(page["scannedTo"].is_string(), "2,000 bodies are looked at");
    }
    assert!(app.list("/events?text=needle", 100).await.len() >= 2_500);
    assert_eq!(app.list("/events?text=nothing+of+the+kind", 100).await.len(), 0);
}

async fn what_cannot_be_understood_is_refused(app: App) {
    app.sender(ORDERS).await;
    for (query, part) in [
        ("verdict=refuse", "did you mean `refused`"),
        ("verdict=x", "is one of"),
        ("since=yesterday", "`since`"),
        ("until=2026-01-02", "`until`"),
        ("record=x", "`record`"),
        ("text=", "`text`"),
        ("source=shop", "give `module`"),
        ("kind=x", "unknown field"),
        ("cursor=x", "`cursor`"),
        ("limit=0", "`limit`"),
    ] {
        let problem = app.get(&format!("/api/v1/events?{query}")).await.problem(400, "invalid_request");
        assert!(text(&problem["detail"]).contains(part), "{query}: {problem}");
    }
    app.get("/api/v1/events?module=orders&source=x").await.problem(404, "not_found");
    assert_eq!(app.get("/api/v1/events?type=%00&cause=%00").await.done()["data"], json!([]));
}

async fn a_payload_is_inert(app: App) {
    let sender = app.sender(ORDERS).await;
    let body = r#"{"type":"stock","code":"<script>alert(1)</script>"}"#;
    let answer = sender.send(sender.json(body)).await.accepted("created");
    let payload = app.get(&format!("/api/v1/events/{}/payload", text(&answer["eventId"]))).await;
    assert_eq!((payload.status, &*payload.body), (200, body.as_bytes()));
    assert_eq!(payload.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(payload.header("x-content-type-options"), "nosniff");
    assert_eq!(payload.header("content-security-policy"), "default-src 'none'; sandbox");
    assert!(payload.header("content-disposition").starts_with("attachment"));
}
