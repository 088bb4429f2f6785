//! A deleted module is gone with its records and sources; what happened stays, and what is due is still sent.

use http::Method;
use serde_json::{Value, json};

use super::{ORDERS, call, order};
use crate::app::{App, Setup, text};
use crate::receiver::{Receiver, Reply};

both!(
    a_module_is_deleted_when_its_slug_is_repeated,
    what_is_due_of_a_deleted_module_is_sent,
    a_module_of_the_same_name_begins_anew,
);

async fn delete(app: &App) {
    let answer = call(app, Method::DELETE, "/modules/orders?confirm=orders", Value::Null).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
}

async fn a_module_is_deleted_when_its_slug_is_repeated(app: App) {
    let sender = app.sender(ORDERS).await;
    let event = order(&sender, "A", json!({ "quantity": 1 })).await;
    app.database().run("UPDATE m_orders SET quantity = 2").await;
    for path in ["/modules/orders", "/modules/orders?confirm=order"] {
        let problem = call(&app, Method::DELETE, path, Value::Null).await.problem(400, "invalid_request");
        assert!(text(&problem["detail"]).contains("?confirm=orders"), "{problem}");
    }
    let tagged = app.request(Method::DELETE, "/api/v1/modules/orders?confirm=orders").header("if-match", "\"7\"");
    crate::client::Answer::to(tagged.bearer_auth(&app.key)).await.problem(412, "precondition_failed");
    delete(&app).await;
    app.get("/api/v1/modules/orders").await.problem(404, "not_found");
    sender.post(json!({ "type": "stock", "code": "B" })).await.problem(401, "unauthorized");
    for table in ["modules", "sources", "tokens", "secrets", "mappings", "dropped_columns", "edits"] {
        assert_eq!(app.database().count(table).await, 0, "{table}");
    }
    app.database().refused("SELECT * FROM m_orders").await;
    assert_eq!(app.event(&event).await["verdict"], "created", "what happened stays");
    let log = app.see("/changes").await["data"].clone();
    let ops: Vec<_> = log.as_array().unwrap().iter().map(|change| text(&change["op"])).collect();
    assert_eq!(ops, ["insert", "update", "module.deleted"], "the edit that waited stands before the end");
    assert_eq!(log[1]["changes"], json!({ "quantity": { "from": 1, "to": 2 } }));
    assert_eq!(log[2]["after"]["fields"]["module"], "orders");
    let app = app.restart().await;
    assert_eq!(app.see("/modules").await["data"], json!([]));
}

async fn what_is_due_of_a_deleted_module_is_sent(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let receiver = Receiver::start().await;
    let sender = app.sender(ORDERS).await;
    app.post("/api/v1/webhooks", json!({ "url": receiver.url("/"), "events": ["record_created", "status_change"] }))
        .await
        .done();
    receiver.answer_in_turn([Reply::status(500)]);
    order(&sender, "A", json!({ "state": "open", "price": "1.0" })).await;
    receiver.wait_for(1).await;
    // Nothing was made of this one yet, perhaps.
    order(&sender, "A", json!({ "state": "closed" })).await;
    delete(&app).await;
    let came = receiver.wait_for(2).await;
    assert_eq!(
        (&came[1].json()["event"], &came[1].json()["data"]["state"]),
        (&json!("status_change"), &json!("closed")),
        "{}",
        came[1]
    );
    crate::hostile::until("the first attempt is written down", async || app.database().count("attempts").await == 2)
        .await;
    app.setup.clock.advance(std::time::Duration::from_secs(61));
    app.gateway().deliveries.nudge();
    let came = receiver.wait_for(3).await;
    assert_eq!(came[2].body, came[0].body, "sent again as it was");
    crate::hostile::until("nothing is due any more", async || app.database().count("due").await == 0).await;
}

async fn a_module_of_the_same_name_begins_anew(app: App) {
    let sender = app.sender(ORDERS).await;
    order(&sender, "A", json!({})).await;
    super::fields(&app, json!({ "code": { "rename": "sku" } })).await.done();
    delete(&app).await;
    let other = app.sender(&ORDERS.replace("quantity", "amount")).await;
    order(&other, "A", json!({ "amount": 1 })).await;
    assert_eq!(app.list("/modules/orders/records", 100).await.len(), 1);
    assert_eq!(app.see("/modules/orders").await["version"], 1);
    sender.post(json!({ "type": "stock", "code": "B" })).await.problem(401, "unauthorized");
    delete(&app).await;
}
