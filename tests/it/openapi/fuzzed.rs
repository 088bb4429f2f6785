//! Schemathesis reads the document and sends what it allows and what it does not: no answer may be one of the
//! gateway's failing, and none other than the document says.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::app::{App, text};
use crate::hostile::until;

const ORDERS: &str = include_str!("../../data/modules/orders.toml");

both!(what_the_document_says_is_what_is_answered);

/// Seconds; far more than it takes.
const DEADLINE: &str = "400";
/// For each route and phase.
const EXAMPLES: &str = "12";

#[expect(clippy::disallowed_methods, reason = "the program is handed over by scripts/test")]
fn schemathesis() -> PathBuf {
    std::env::var_os("TIDEGATE_TEST_SCHEMATHESIS").expect("scripts/test installs Schemathesis").into()
}

/// Something of every kind, so that most routes find what they are asked for.
async fn known(app: &App) -> String {
    let sender = app.sender(ORDERS).await;
    let body = json!({ "url": "tidegate://inspect", "events": ["record_created"] });
    let webhook = app.post("/api/v1/webhooks", body).await.done();
    let made = sender.post(json!({ "type": "stock", "code": "A", "quantity": 3 })).await.accepted("created");
    sender.post(json!({ "type": "stock" })).await.problem(422, "judgement_failed");
    let webhook = text(&webhook["id"]);
    let job = app.post("/api/v1/jobs", json!({ "kind": "redeliver" })).await.done();
    let path = format!("/webhooks/{webhook}/deliveries");
    until("a delivery is made", async || app.see(&path).await["data"][0]["id"].is_string()).await;
    let delivery = app.see(&path).await["data"][0]["id"].clone();
    let of = |noun: &str, id: &Value| {
        format!(
            "[[operations]]\ninclude-path-regex = \"^/{noun}/\"\nexclude-method = \"DELETE\"\nparameters = {{ id = {id} }}\n"
        )
    };
    [
        // An `If-Match` that fits no version is a reason to refuse, too.
        "[checks.negative_data_rejection]\nexpected-statuses = [\"4xx\"]\n".to_owned(),
        "[parameters]\nslug = \"orders\"\nsource = \"shop\"\nn = \"1\"\n".to_owned(),
        format!("record = {}\n", made["recordId"]),
        of("events", &made["eventId"]),
        of("webhooks", &json!(webhook)),
        of("deliveries", &delivery),
        of("jobs", &job["id"]),
        // It has no end.
        "[[operations]]\ninclude-operation-id = \"stream_changes\"\nenabled = false\n".to_owned(),
        // What deletes is asked for nothing, or nothing would be left for the others.
        "[[operations]]\ninclude-method = \"DELETE\"\nparameters = { slug = \"none\", source = \"none\", record = \"none\", id = \"none\" }\n".to_owned(),
    ]
    .concat()
}

#[expect(clippy::print_stdout, reason = "how much was tried is what this test is about")]
async fn what_the_document_says_is_what_is_answered(app: App) {
    let settings = app.setup.folder().join("schemathesis.toml");
    std::fs::write(&settings, known(&app).await).unwrap();
    let mut run = Command::new("timeout");
    run.args(["--kill-after=5", DEADLINE]).arg(schemathesis());
    run.arg("--config-file").arg(&settings).args(["--no-color", "run"]).arg(format!("{}/api/openapi.json", app.url));
    run.args(["--url", &format!("{}/api/v1", app.url), "--header", &format!("Authorization: Bearer {}", app.key)]);
    // A document says of texts what they are and not what they mean: what fits it may be refused all the same.
    run.args(["--exclude-checks", "positive_data_acceptance", "--phases", "examples,coverage,fuzzing"]);
    run.args(["--max-examples", EXAMPLES, "--seed", "1", "--continue-on-failure", "--request-timeout", "20"]);
    run.current_dir(app.setup.folder()).stdin(Stdio::null());
    let done = tokio::task::spawn_blocking(move || run.output()).await.unwrap().expect("it runs");
    let report = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{report}\n{}", String::from_utf8_lossy(&done.stderr));
    let count = report.lines().find(|line| line.contains(" generated, ")).unwrap_or_default();
    println!("{:?}: {count}", app.database().engine());
}
