//! GitHub's own examples of payloads, each signed by GitHub's own library: all of them become records.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::library::ask;
use super::request::Request;
use super::{PUBLIC_URL, noon, seconds, secret, tell};
use crate::app::{App, Setup, text};
use crate::client::Sender;

both!(every_example_of_github_becomes_a_record);

const MODULE: &str = r#"
[module]
slug = "deliveries"
match = ["delivery"]

[module.fields]
delivery = "text"
event = "text"
payload = "json"

[[source]]
slug = "github"
signature = { preset = "github", secret = "env:GITHUB" }
rate_limit = { per_minute = 1000 }

[[source.rule]]
from = "header:X-GitHub-Delivery"
to = "delivery"

[[source.rule]]
from = "header:X-GitHub-Event"
to = "event"

[[source.rule]]
from = "$"
to = "payload"
"#;

/// As many as the package has at the version of the lock file.
const EXAMPLES: usize = 329;
/// At once.
const POSTS: usize = 16;

#[derive(Clone)]
struct Example {
    event: String,
    delivery: String,
    request: Request,
}

async fn every_example_of_github_becomes_a_record(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let secret = secret("github").pasted;
    let sender = app.senders(MODULE, json!({ "GITHUB": secret })).await.swap_remove(0);
    let examples = examples(&secret);
    assert_eq!(examples.len(), EXAMPLES);
    let mut posts = JoinSet::new();
    for share in examples.chunks(EXAMPLES.div_ceil(POSTS)) {
        posts.spawn(post_all(sender.clone(), share.to_vec()));
    }
    for (example, answer) in posts.join_all().await.into_iter().flatten() {
        is_kept(&app, &example, &answer).await;
    }
    assert_eq!(app.database().count("m_deliveries").await, EXAMPLES);
    tell(&format!("github | {EXAMPLES} example payloads: all 202, none other"));
}

fn examples(secret: &str) -> Vec<Example> {
    let answer = ask(&json!({ "do": "examples" }));
    let example = |(index, example): (usize, &Value)| {
        let (event, delivery) = (text(&example["event"]), format!("72d3162e-cc78-11e3-81ab-4c9367{index:06}"));
        let headers = json!({ "X-GitHub-Event": event, "X-GitHub-Delivery": delivery });
        let job = json!({
            "do": "sign", "preset": "github", "secret": secret, "body": example["body"], "url": PUBLIC_URL,
            "method": "POST", "at": seconds(noon()), "headers": headers,
        });
        Example { event: event.to_owned(), delivery, request: Request::of(&ask(&job)) }
    };
    answer["examples"].as_array().unwrap().iter().enumerate().map(example).collect()
}

/// Each becomes something, and the same delivery once more nothing else.
async fn post_all(sender: Sender, examples: Vec<Example>) -> Vec<(Example, Value)> {
    let mut answers = Vec::new();
    for example in examples {
        let post = async || {
            let sent = sender.request(http::Method::POST, &sender.path()).headers(example.request.headers.clone());
            let answer = sender.send(sent.body(example.request.body.clone())).await;
            assert_eq!(answer.status, 202, "{}: {}", example.event, answer.text());
            answer
        };
        let answer = post().await.accepted("created");
        assert_eq!(post().await.accepted("duplicate")["duplicateOf"], answer["eventId"]);
        answers.push((example, answer));
    }
    answers
}

async fn is_kept(app: &App, example: &Example, answer: &Value) {
    let record = app.record("deliveries", answer).await;
    let payload: Value = serde_json::from_slice(&example.request.body).unwrap();
    assert_eq!(record["fields"]["delivery"], example.delivery.as_str());
    assert_eq!(record["fields"]["event"], example.event.as_str());
    assert_eq!(record["fields"]["payload"], payload, "{}", example.event);
}
