//! What stands in the way of an alteration is named, record by record and place by place, and nothing of it is done.

use serde_json::{Value, json};

use super::{ORDERS, dump, fields, log, order, patch, places, trial};
use crate::app::{App, text};

both!(
    records_are_in_the_way,
    mappings_events_and_filters_are_in_the_way,
    duplicates_are_named,
    a_refused_alteration_leaves_everything_as_it_was,
    a_trial_tells_all_that_is_in_the_way,
    new_events_may_come_with_a_renaming,
);

/// The errors of a refusal, by their place.
fn errors(problem: &Value) -> Vec<(&str, &Value)> {
    problem["errors"].as_array().unwrap().iter().map(|error| (text(&error["field"]), error)).collect()
}

async fn records_are_in_the_way(app: App) {
    let sender = app.sender(ORDERS).await;
    let mut ids = Vec::new();
    for number in 0..25 {
        let note = if number == 3 { json!("12") } else { json!(format!("secret-{number}")) };
        let state = if number < 22 { "open" } else { "closed" };
        let answer = order(&sender, &format!("c{number:02}"), json!({ "note": note, "state": state })).await;
        ids.push(text(&answer["recordId"]).to_owned());
    }
    let problem = fields(
        &app,
        json!({
            "note": { "type": "integer" }, "state": { "values": ["closed", "held"] }, "quantity": { "required": true },
            "extra": { "type": "text", "required": true },
        }),
    );
    let problem = problem.await.problem(409, "conflict");
    let found = errors(&problem);
    let told: Vec<_> = found.iter().map(|(at, error)| (*at, error["count"].as_i64().unwrap())).collect();
    let wanted = [
        ("fields.note.type", 24),
        ("fields.extra.required", 25),
        ("fields.quantity.required", 25),
        ("fields.state.values", 22),
    ];
    assert_eq!(told, wanted);
    let named = |place: usize| {
        found[place].1["records"].as_array().unwrap().iter().map(|record| text(&record["id"])).collect::<Vec<_>>()
    };
    let bad = ids
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != 3)
        .map(|(_, id)| id.as_str())
        .take(20)
        .collect::<Vec<_>>();
    assert_eq!(named(0), bad, "the first twenty");
    assert_eq!(named(3), ids[..20]);
    assert_eq!(found[0].1["records"][0]["detail"], "the text is not an integer, such as 42");
    assert!(!problem.to_string().contains("secret-"), "values are not told: {problem}");
    // What is not asked for is in nobody's way.
    fields(&app, json!({ "state": { "values": ["open", "closed", "held"] }, "quantity": "text" })).await.done();
}

async fn mappings_events_and_filters_are_in_the_way(app: App) {
    let named = "\n[[module.event]]\nname = \"order.dear\"\nwhen = \"@.after.price > 10\"\ndata = { was = \"@.before.quantity\" }\n[[source]]";
    let file = ORDERS.replacen("[[source]]", named, 1);
    let second = "\n[[source]]\nslug = \"second\"\nmatch = [\"note\"]\n[[source.rule]]\nfrom = \"$.n\"\nto = \"note\"\n[[source.rule]]\nfrom = \"$.c\"\nto = \"code\"\n";
    app.senders(&format!("{file}{second}"), json!({})).await;
    let hook = json!({ "url": "http://127.0.0.1:9/", "filter": "@.data.quantity > 1 && @.changes.state.to == 'open'" });
    let hook = app.post("/api/v1/webhooks", hook).await.done();
    let problem = fields(&app, json!({ "price": null, "quantity": { "rename": "amount" }, "note": null })).await;
    let problem = problem.problem(409, "conflict");
    let told: Vec<_> =
        errors(&problem).into_iter().map(|(at, error)| format!("{at}: {}", text(&error["detail"]))).collect();
    for wanted in [
        "events[1].when: ",
        "events[1].data.was: ",
        "fields.price: the mapping of the source `shop` uses the field, at rule[4].to",
        "fields.note: the mapping of the source `shop` uses the field, at rule[2].to",
        "fields.note: the mapping of the source `second` uses the field, at match",
        "fields.note: the mapping of the source `second` uses the field, at rule[1].to",
        &format!("fields.quantity.rename: the filter of the webhook {} speaks of the field", text(&hook["id"])),
    ] {
        assert!(told.iter().any(|told| told.starts_with(wanted)), "{wanted}: {told:#?}");
    }
    assert_eq!(told.len(), 7, "{told:#?}");
    let gone = fields(&app, json!({ "code": null })).await.problem(409, "conflict");
    assert!(places(&gone).contains(&"fields.code"), "{gone}");
    // A match that no rule fills.
    let unfilled = patch(&app, "orders", json!({ "fields": { "other": "text" }, "match": ["other"] })).await;
    let unfilled = unfilled.problem(409, "conflict");
    assert!(places(&unfilled)[0].starts_with("sources.shop."), "{unfilled}");
}

async fn duplicates_are_named(app: App) {
    let sender = app.sender(ORDERS).await;
    let mut ids = Vec::new();
    for (code, note) in [("1", "x"), ("2", "y"), ("3", "x"), ("4", ""), ("5.0", "z"), ("5", "w")] {
        ids.push(order(&sender, code, json!({ "note": note })).await["recordId"].clone());
    }
    order(&sender, "6", json!({})).await;
    let problem = patch(&app, "orders", json!({ "match": ["note"] })).await.problem(409, "conflict");
    let found = errors(&problem);
    assert_eq!(places(&problem), ["match", "match"]);
    assert_eq!(found[0].1["records"], json!([{ "id": ids[3] }]), "an empty text identifies nothing");
    assert_eq!(found[1].1["groups"], json!([[ids[0], ids[2]]]));
    // What is the same only when it is converted.
    let problem = fields(&app, json!({ "code": { "type": "integer" } })).await.problem(409, "conflict");
    assert_eq!(errors(&problem)[0].1["groups"], json!([[ids[4], ids[5]]]));
}

async fn a_refused_alteration_leaves_everything_as_it_was(app: App) {
    let sender = app.sender(ORDERS).await;
    order(&sender, "A", json!({ "note": "x", "quantity": 1 })).await;
    order(&sender, "B", json!({ "note": "x", "quantity": 1 })).await;
    let before = dump(&app).await;
    for body in [
        json!({ "name": "Other", "fields": { "note": { "rename": "text" }, "quantity": null } }),
        json!({ "fields": { "note": { "rename": "text" }, "new": "json" }, "match": ["text"] }),
        json!({ "fields": { "code": { "type": "decimal" } } }),
        json!({ "fields": { "price": { "rename": "cost" }, "code": { "type": "integer" } } }),
    ] {
        patch(&app, "orders", body.clone()).await.problem(409, "conflict");
        assert_eq!(dump(&app).await, before, "{body}");
    }
    patch(&app, "orders", json!({ "fields": { "note": { "rename": "code" } } })).await.problem(422, "invalid_document");
    assert_eq!(dump(&app).await, before);
    assert_eq!(order(&sender, "A", json!({ "note": "y" })).await["outcome"], "updated");
}

async fn a_trial_tells_all_that_is_in_the_way(app: App) {
    let sender = app.sender(ORDERS).await;
    order(&sender, "A", json!({ "note": "x" })).await;
    let before = dump(&app).await;
    let asked =
        json!({ "fields": { "note": "integer", "price": null, "quantity": { "rename": "amount" }, "new": "text" } });
    let would = trial(&app, asked).await;
    assert_eq!((&would["dryRun"], &would["version"]), (&json!(true), &json!(1)));
    assert_eq!(would["does"]["converted"], json!([{ "field": "note", "from": "text", "to": "integer" }]));
    let places: Vec<_> = would["inTheWay"].as_array().unwrap().iter().map(|found| text(&found["field"])).collect();
    assert_eq!(places, ["fields.price", "fields.note.type"], "{would}");
    assert_eq!(dump(&app).await, before);
}

async fn new_events_may_come_with_a_renaming(app: App) {
    let named = "\n[[module.event]]\nname = \"order.large\"\nwhen = \"@.after.quantity > 10\"\n[[source]]";
    let sender = app.sender(&ORDERS.replacen("[[source]]", named, 1)).await;
    order(&sender, "A", json!({ "quantity": 11 })).await;
    let renamed = json!({ "quantity": { "rename": "amount" } });
    fields(&app, renamed.clone()).await.problem(409, "conflict");
    let events = json!([{ "name": "order.large", "when": "@.after.amount > 10" }]);
    patch(&app, "orders", json!({ "fields": renamed, "events": events })).await.done();
    order(&sender, "B", json!({ "quantity": 12 })).await;
    assert_eq!(log(&app, "order.large").await.len(), 2, "before and after");
}
