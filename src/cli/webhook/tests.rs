use clap::Parser;
use serde_json::{Value, json};

use super::{WebhookCommand, deliveries, page, settings, span};
use crate::cli::{Cli, ClientCommand, Command};

fn parsed(words: &[&str]) -> WebhookCommand {
    let Cli { command, .. } = Cli::try_parse_from([&["tidegate", "webhook"], words].concat()).unwrap();
    let Command::Client(ClientCommand::Webhook(command)) = command else { panic!("not `webhook`") };
    *command
}

#[test]
fn flags_are_members_of_the_document() {
    let words = "create https://a.test --event a --event b --module m --profile cliq --filter @.a --ordering per_record \
        --description d --per-minute 5 --concurrency 6 --timeout 7 --retry 60,2m --on-gone retry";
    let mut words = words.split_whitespace().collect::<Vec<_>>();
    words.extend(["-H", "X-A: one: two", "-H", "X-B:"]);
    let WebhookCommand::Create(args) = parsed(&words) else { panic!("not `create`") };
    let wanted = json!({
        "events": ["a", "b"], "modules": ["m"], "profile": "cliq", "filter": "@.a", "ordering": "per_record",
        "headers": { "X-A": "one: two", "X-B": null }, "description": "d", "perMinute": 5, "concurrency": 6,
        "timeout": 7, "retries": [60, 120], "onGone": "retry",
    });
    assert_eq!(Value::Object(args.settings.members()), wanted);
    assert!(settings::SettingsArgs::default().members().is_empty(), "what is not given is not said");
    let members = ["filter", "--per-minute", "retry", "perMinute"].map(settings::member);
    assert_eq!(members, ["filter", "perMinute", "retries", "perMinute"]);
}

#[test]
fn spans_are_read_as_people_write_them() {
    for (text, seconds) in [("90", 90), ("30s", 30), ("15m", 900), ("24h", 86_400), ("7d", 604_800), ("0", 0)] {
        assert_eq!(span::seconds(text), Ok(seconds), "{text}");
    }
    for text in ["", "h", "1w", "-1", "1.5h", "1h30m", "99999999999999999d"] {
        assert!(span::seconds(text).is_err(), "{text}");
    }
    let since = |time: &str| match parsed(&["redeliver", "--since", time]) {
        WebhookCommand::Redeliver(args) => args.since.unwrap(),
        _ => panic!("not `redeliver`"),
    };
    assert_eq!(since("2026-01-02T03:04:05Z").to_string(), "2026-01-02T03:04:05.000000Z");
    assert_eq!(since("1d").since(since("2d")).as_secs().div_ceil(60), 24 * 60, "a day apart");
    assert!(Cli::try_parse_from(["tidegate", "webhook", "redeliver", "--since", "noon"]).is_err());
}

#[test]
fn a_delivery_reads_as_a_story() {
    let delivery = json!({
        "id": "dlv_1", "webhook": "whk_1", "state": "pending", "type": "record_created", "module": "orders",
        "recordId": "rec_1", "nextAttemptAt": "2026-01-02T03:06:05.000000Z",
        "attempts": [
            { "number": 1, "at": "2026-01-02T03:04:05.000000Z", "address": null, "response": null,
              "error": { "class": "dns", "detail": "the name has no address" }, "timings": { "dns": 1.5, "total": 2 } },
            { "number": 2, "at": "2026-01-02T03:05:05.000000Z", "address": "192.0.2.1:443", "error": null,
              "response": { "status": 503, "body": { "text": "later\nplease" } },
              "timings": { "connect": 3, "tls": 4.25, "firstByte": 9, "total": 10 } },
        ],
    });
    let wanted = "dlv_1 to whk_1: record_created of orders rec_1, pending\n  \
        1. 2026-01-02T03:04:05.000000Z to -: no answer: dns: the name has no address (in 2 ms, dns 1.5 ms)\n  \
        2. 2026-01-02T03:05:05.000000Z to 192.0.2.1:443: answered 503 \
        (in 10 ms, connect 3 ms, tls 4.25 ms, firstByte 9 ms)\n       later\n       please\n  \
        next try: 2026-01-02T03:06:05.000000Z";
    assert_eq!(deliveries::story(&delivery), wanted);
}

#[test]
fn a_test_says_what_came_back() {
    let answered = json!({
        "type": "record_created", "module": "orders", "changeId": null, "status": 200, "timeMs": 1.25, "body": "ok\n",
        "error": null,
    });
    assert_eq!(page::tested(&answered), "200 in 1.25 ms (record_created of orders, made up)\nok");
    let silent = json!({
        "type": "endpoint.disabled", "module": null, "changeId": "chg_1", "status": null, "timeMs": 7,
        "error": { "class": "connect", "detail": "nobody listens" },
    });
    let wanted = "no answer: connect: nobody listens after 7 ms (endpoint.disabled, of the change chg_1)";
    assert_eq!(page::tested(&silent), wanted);
    assert!(page::list(&json!({ "data": [] })).contains("webhook create"));
}
