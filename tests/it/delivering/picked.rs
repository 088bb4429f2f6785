//! Which events an endpoint is sent, and how many at a time.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Hook, ORDERS, advance, codes, note, one_round, order, seconds, sorted};
use crate::app::{App, Setup, text};
use crate::receiver::{Gate, Received, Receiver, Reply};

both!(each_endpoint_is_sent_what_it_asks_for, a_rate_is_kept_to_by_the_minute, no_more_are_under_way_than_asked_for,);

const TICKETS: &str = include_str!("../../data/modules/tickets.toml");

/// Type, and code of the record.
fn told(came: &[Received]) -> Vec<String> {
    let told = |body: Value| format!("{} {}", text(&body["event"]), body["data"]["code"].as_str().unwrap_or_default());
    sorted(came.iter().map(|request| told(request.json())))
}

/// What each asks for, and what it is sent.
fn wishes() -> Vec<(Value, Vec<&'static str>)> {
    let all = vec![
        "custom_data_updated A",
        "record_created A",
        "record_created B",
        "record_created T",
        "record_deleted T",
        "record_updated A",
        "record_updated T",
        "status_change A",
        "ticket.dearer T",
    ];
    let filter = |filter: &str| json!({ "filter": filter });
    vec![
        (json!({}), all.clone()),
        (json!({ "events": [], "modules": [], "filter": null }), all),
        (json!({ "events": ["record_deleted", "ticket.dearer"] }), vec!["record_deleted T", "ticket.dearer T"]),
        (json!({ "modules": ["orders"], "events": ["record_created"] }), vec!["record_created A", "record_created B"]),
        (filter("@.type == 'status_change'"), vec!["status_change A"]),
        (filter("@.module == 'tickets' && @.op == 'update'"), vec!["record_updated T", "ticket.dearer T"]),
        (filter("@.data.code == 'B'"), vec!["record_created B"]),
        (filter("@.data.amount >= 10.0"), vec!["record_deleted T", "record_updated T", "ticket.dearer T"]),
        (filter("@.data.quantity > 5"), vec!["record_created B"]),
        (
            filter("@.changes.state.from == 'open'"),
            vec!["custom_data_updated A", "record_updated A", "status_change A"],
        ),
        (
            filter("@.version == 2 && @.custom_data.look.color == 'red' && @.type == 'record_updated'"),
            vec!["record_updated A"],
        ),
        (filter("@.before.amount < @.after.amount"), vec!["record_updated T", "ticket.dearer T"]),
        (filter("@.after == null"), vec!["record_deleted T"]),
        (json!({ "modules": ["tickets"], "events": ["record_created"], "filter": "@.data.code != 'T'" }), vec![]),
    ]
}

async fn each_endpoint_is_sent_what_it_asks_for(app: App) {
    let (orders, tickets) = (app.sender(ORDERS).await, app.sender(TICKETS).await);
    let receiver = Receiver::start().await;
    let mut asked = Vec::new();
    for (number, (mut body, wanted)) in wishes().into_iter().enumerate() {
        body["url"] = json!(receiver.url(&format!("/{number}")));
        Hook::make(&app, body.clone()).await;
        asked.push((format!("/{number}"), body, wanted));
    }
    orders.post(json!({ "type": "stock", "code": "A", "state": "open", "quantity": 5 })).await.accepted("created");
    let update = json!({ "type": "stock", "code": "A", "state": "closed", "color": "red" });
    orders.post(update).await.accepted("updated");
    orders.post(json!({ "type": "stock", "code": "B", "quantity": 6 })).await.accepted("created");
    tickets.post(json!({ "code": "T", "amount": "9.99" })).await.accepted("created");
    tickets.post(json!({ "code": "T", "amount": "10.00" })).await.accepted("updated");
    tickets.post(json!({ "code": "T", "gone": true })).await.accepted("deleted");
    receiver.wait_for(asked.iter().map(|(_, _, wanted)| wanted.len()).sum()).await;
    // What would come besides has come when all that is owed is settled.
    one_round(&app).await;
    super::until("nothing is owed", async || (app.database().count("due").await == 0).then_some(())).await;
    for (path, body, wanted) in asked {
        let came: Vec<_> = receiver.received().into_iter().filter(|request| request.path == path).collect();
        assert_eq!(told(&came), wanted, "{body}");
    }
}

async fn a_rate_is_kept_to_by_the_minute(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let body = json!({ "url": receiver.url("/"), "perMinute": 3, "events": ["record_created"] });
    let hook = Hook::make(&app, body).await;
    let wanted = ["A", "B", "C", "D", "E", "F", "G"];
    for code in wanted {
        order(&sender, code).await;
    }
    let delivered = async |count: usize| {
        let are_so = |found: &[Value]| {
            let of = |state: &str| found.iter().filter(|one| one["state"] == state).count();
            (of("delivered"), of("pending")) == (count, wanted.len() - count)
        };
        hook.when(&format!("{count} of all are delivered"), are_so).await;
        one_round(&app).await;
        hook.when("no more are", are_so).await;
        assert_eq!(receiver.received().len(), count);
    };
    delivered(3).await;
    for count in 4..=wanted.len() {
        advance(&app, seconds(19));
        one_round(&app).await;
        assert_eq!(receiver.received().len(), count - 1, "one in twenty seconds");
        advance(&app, seconds(1));
        delivered(count).await;
    }
    assert_eq!(sorted(codes(&receiver.received())), wanted);
}

async fn no_more_are_under_way_than_asked_for(app: App) {
    let (sender, one, other) = (app.sender(ORDERS).await, Receiver::start().await, Receiver::start().await);
    let gate = Gate::default();
    let held = gate.clone();
    one.answer(move |_| Reply::status(200).behind(&held));
    for (receiver, most) in [(&one, 3), (&other, 1)] {
        let body = json!({ "url": receiver.url("/"), "concurrency": most, "events": ["record_created"] });
        Hook::make(&app, body).await;
    }
    for number in 0..20 {
        order(&sender, &number.to_string()).await;
    }
    // One that hangs holds nobody else back.
    other.wait_for(20).await;
    one.wait_for(3).await;
    one_round(&app).await;
    assert_eq!((one.received().len(), one.most_at_once()), (3, 3));
    note(&sender, "0", "still").await;
    gate.open();
    let came = one.wait_for(20).await;
    assert_eq!(codes(&came).into_iter().collect::<BTreeSet<_>>().len(), 20);
    assert_eq!((one.most_at_once(), other.most_at_once()), (3, 1));
}
