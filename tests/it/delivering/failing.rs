//! An endpoint that only fails: disabled in the end, or told of by mail.

use serde_json::{Value, json};
use tokio::sync::mpsc::error::TryRecvError;

use super::{Hook, ORDERS, advance, order, seconds, until};
use crate::app::{App, Setup};
use crate::client::Sender;
use crate::mail;
use crate::receiver::{Receiver, Reply};

both!(
    who_fails_for_days_is_disabled,
    two_lone_failures_disable_nobody,
    a_success_ends_the_failing,
    who_is_disabled_is_told_of_by_mail,
    cliq_is_told_of_once_and_goes_on,
);

const HOUR: u64 = 3_600;

/// Of a receiver that answers as the test says; each delivery is tried once.
async fn hook<'a>(app: &'a App, receiver: &Receiver, profile: &str) -> Hook<'a> {
    let body = json!({
        "url": receiver.url("/a-secret"), "profile": profile, "retries": [], "events": ["record_created"],
    });
    Hook::make(app, body).await
}

/// Hours pass, and the next one is given up.
async fn fail(hook: &Hook<'_>, sender: &Sender, hours: u64, number: usize) {
    advance(hook.app, seconds(hours * HOUR));
    order(sender, &format!("{} {number}", hook.id)).await;
    hook.all(number, "failed").await;
}

async fn who_fails_for_days_is_disabled(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, watcher) = (app.sender(ORDERS).await, Receiver::start().await);
    Hook::make(&app, json!({ "url": watcher.url("/"), "events": ["endpoint.disabled"] })).await;
    for (count, profile) in (1..).zip(["collecta", "collectiq", "auction-excellence", "standard-webhooks"]) {
        let receiver = Receiver::start().await;
        receiver.answer(|_| Reply::close());
        let hook = hook(&app, &receiver, profile).await;
        let since = json!(app.setup.clock.now());
        fail(&hook, &sender, 0, 1).await;
        fail(&hook, &sender, 12, 2).await;
        fail(&hook, &sender, 107, 3).await;
        let seen = hook.see().await;
        assert_eq!((&seen["state"], &seen["failingSince"]), (&json!("enabled"), &since), "{profile}: after 119 hours");
        fail(&hook, &sender, 1, 4).await;
        let told = watcher.wait_for(count).await[count - 1].json();
        assert_eq!((&told["data"]["endpoint"], &told["data"]["cause"]), (&json!(hook.id), &json!("failing")), "{told}");
        assert_eq!(told["data"]["failing_since"], since, "{told}");
        let seen = hook.see().await;
        assert_eq!((&seen["state"], &seen["cause"]), (&json!("disabled"), &json!("failing")), "{profile}: {seen}");
        let on = hook.turn("enable").await;
        assert_eq!((&on["state"], &on["failingSince"]), (&json!("enabled"), &Value::Null), "it begins anew");
        fail(&hook, &sender, 1, 5).await;
        assert_eq!(hook.see().await["state"], "enabled", "{profile}");
        hook.delete().await;
    }
}

async fn two_lone_failures_disable_nobody(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer(|_| Reply::status(500));
    let hook = hook(&app, &receiver, "collecta").await;
    fail(&hook, &sender, 0, 1).await;
    // Not at two moments of it, and not in less than half a day of it.
    fail(&hook, &sender, 11, 2).await;
    fail(&hook, &sender, 200, 3).await;
    assert_eq!(hook.see().await["state"], "enabled", "from the first to the one before the last are 11 hours");
    fail(&hook, &sender, 0, 4).await;
    until("it is disabled", async || (hook.see().await["state"] == "disabled").then_some(())).await;
}

async fn a_success_ends_the_failing(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer_in_turn([Reply::status(500), Reply::status(500), Reply::status(200), Reply::status(500)]);
    let hook = hook(&app, &receiver, "collecta").await;
    fail(&hook, &sender, 0, 1).await;
    fail(&hook, &sender, 60, 2).await;
    advance(&app, seconds(50 * HOUR));
    order(&sender, "well").await;
    hook.when("one is delivered", |found| found.iter().any(|one| one["state"] == "delivered")).await;
    assert_eq!(hook.see().await["failingSince"], Value::Null);
    advance(&app, seconds(20 * HOUR));
    order(&sender, "badly").await;
    hook.when("a third has failed", |found| found.iter().filter(|one| one["state"] == "failed").count() == 3).await;
    let seen = hook.see().await;
    assert_eq!((&seen["state"], &seen["failingSince"]), (&json!("enabled"), &json!(app.setup.clock.now())));
}

/// A gateway that tells one operator by mail.
async fn with_mail(setup: Setup) -> (App, mail::Heard) {
    let (port, heard) = mail::server(|_| mail::Manner::Takes).await;
    let mut setup = setup.with_stopped_clock();
    let mut way = mail::mail(port);
    way.to.truncate(1);
    setup.config.mail = Some(way);
    (setup.start().await, heard)
}

async fn who_is_disabled_is_told_of_by_mail(setup: Setup) {
    let (app, mut heard) = with_mail(setup).await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer(|_| Reply::status(410));
    let hook = hook(&app, &receiver, "collecta").await;
    order(&sender, "A").await;
    let mail = mail::next(&mut heard).await;
    let subject = mail::line(&mail, "Subject");
    assert!(subject.contains("127.0.0.1") && subject.contains("disabled"), "{subject}");
    let all = mail.join("\n");
    assert!(all.contains(&hook.id) && !all.contains("a-secret"), "which one it is, and not its path: {all}");
    app.stop().await;
    assert_eq!(heard.try_recv().unwrap_err(), TryRecvError::Empty, "once");
}

async fn cliq_is_told_of_once_and_goes_on(setup: Setup) {
    let (app, mut heard) = with_mail(setup).await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let replies = [500, 500, 500, 500, 200, 500].map(Reply::status);
    receiver.answer_in_turn(replies);
    let hook = hook(&app, &receiver, "cliq").await;
    let mut subjects = Vec::new();
    for (number, hours) in (1..).zip([0, 1, 80, 80]) {
        fail(&hook, &sender, hours, number).await;
        if number == 1 {
            subjects.push(mail::line(&mail::next(&mut heard).await, "Subject").to_owned());
        }
    }
    assert_eq!(hook.see().await["state"], "enabled", "it fails for days, and is not disabled");
    order(&sender, "well").await;
    hook.when("one is delivered", |found| found.iter().any(|one| one["state"] == "delivered")).await;
    order(&sender, "badly").await;
    subjects.push(mail::line(&mail::next(&mut heard).await, "Subject").to_owned());
    assert!(subjects.iter().all(|subject| subject.contains("127.0.0.1 fails")), "{subjects:?}");
    app.stop().await;
    assert_eq!(heard.try_recv().unwrap_err(), TryRecvError::Empty, "once each time that it begins to fail");
}
