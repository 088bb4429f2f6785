//! The commands that talk to a running gateway, as an operator types them.

use serde_json::{Value, json};

use crate::app::{Setup, text};
use crate::process::{Process, tidegate};

both!(apply_and_send_need_no_key_beside_the_gateway, a_command_says_by_its_exit_code_what_became_of_it);

const SIGNED: &str = include_str!("../data/modules/signed.toml");

fn object(stdout: &str) -> Value {
    assert_eq!(stdout.trim().lines().count(), 1, "one object and nothing else: {stdout}");
    serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

async fn apply_and_send_need_no_key_beside_the_gateway(setup: Setup) {
    let process = Process::start(&setup).await;
    let folder = setup.folder();
    std::fs::write(folder.join("signed.toml"), SIGNED).unwrap();
    std::fs::write(folder.join("event.json"), r#"{"code": "A", "x": 1.50}"#).unwrap();
    let beside = [
        ("TIDEGATE_URL", process.admin.url.as_str()),
        ("TIDEGATE_DATA_DIR", folder.to_str().unwrap()),
        ("ONE", "it's a secret"),
        ("TWO", "another"),
    ];
    let (code, stdout) = tidegate(folder, &["apply", "--json", "signed.toml"], &beside);
    assert_eq!(code, 0, "{stdout}");
    let applied = object(&stdout);
    let module = &applied["modules"][0];
    assert_eq!((&module["slug"], &module["action"]), (&json!("signed"), &json!("created")), "{applied}");
    let url = text(&applied["sources"][0]["url"]);

    let send = ["send", "--json", "event.json", "--to", url, "--secret-env", "ONE"];
    let (code, stdout) = tidegate(folder, &send, &beside);
    let answer = object(&stdout);
    assert_eq!((code, &answer["status"], &answer["body"]["outcome"]), (0, &json!(202), &json!("created")), "{answer}");
    let event = process.admin.event(&answer["body"]).await;
    assert_eq!(event["bodySize"], 24, "byte for byte: {event}");

    let (code, stdout) = tidegate(folder, &["apply", "signed.toml"], &beside);
    assert_eq!(code, 0, "{stdout}");
    assert!(stdout.contains("unchanged") && !stdout.contains("tgt_"), "for people: {stdout}");
}

async fn a_command_says_by_its_exit_code_what_became_of_it(setup: Setup) {
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(include_str!("../data/modules/orders.toml")).await;
    let folder = setup.folder();
    std::fs::write(folder.join("bad.toml"), SIGNED.replace("to = \"code\"", "to = \"nothing\"")).unwrap();
    std::fs::write(folder.join("event.json"), "{").unwrap();
    let (address, key) = (process.admin.url.clone(), process.admin.key.clone());
    let url = format!("{address}{}", sender.path());
    let run = |arguments: &[&str]| tidegate(folder, arguments, &[("TIDEGATE_URL", &address), ("TIDEGATE_KEY", &key)]);

    let (code, stdout) = run(&["apply", "--json", "bad.toml"]);
    let error = &object(&stdout)["error"];
    assert_eq!((code, &error["code"]), (1, &json!("invalid_document")), "{stdout}");
    assert_eq!(error["errors"][0]["file"], "bad.toml", "{stdout}");
    let (code, stdout) = run(&["send", "--json", "event.json", "--to", &url]);
    assert_eq!((code, &object(&stdout)["status"]), (1, &json!(400)), "{stdout}");
    assert_eq!(run(&["apply", "no-such-file.toml"]).0, 2);
    assert_eq!(run(&["apply", "--no-such-flag"]).0, 2);
    assert_eq!(run(&["healthcheck"]).0, 0);
    let (code, stdout) = run(&["version", "--json"]);
    assert_eq!((code, &object(&stdout)["version"]), (0, &json!(env!("CARGO_PKG_VERSION"))));
    process.kill();
    assert_eq!(run(&["healthcheck"]).0, 3);
    assert_eq!(run(&["send", "event.json", "--to", &url]).0, 3);
}
