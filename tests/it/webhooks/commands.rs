//! `tidegate webhook …`, as an operator types it.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::{Setup, text};
use crate::process::{Process, tidegate};
use crate::receiver::{Receiver, Reply};

both!(a_webhook_is_run_from_the_command_line, a_command_says_why_it_did_nothing);

/// The arguments behind `tidegate webhook`, in an environment that knows the gateway.
struct Operator<'a> {
    folder: &'a Path,
    environment: Vec<(&'a str, &'a str)>,
}

impl Operator<'_> {
    fn types(&self, arguments: &[&str]) -> (i32, String) {
        tidegate(self.folder, &[&["webhook"], arguments].concat(), &self.environment)
    }

    #[track_caller]
    fn sees(&self, arguments: &[&str]) -> String {
        let (code, stdout) = self.types(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stdout}");
        stdout
    }

    /// One object on stdout, with the exit code.
    #[track_caller]
    fn reads(&self, arguments: &[&str]) -> (i32, Value) {
        let (code, stdout) = self.types(&[arguments, &["--json"]].concat());
        let value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
        (code, value)
    }
}

async fn a_webhook_is_run_from_the_command_line(setup: Setup) {
    let process = Process::start_with(&setup, &["--allow-target", "127.0.0.0/8"]).await;
    let receiver = Receiver::start().await;
    process.admin.sender(super::ORDERS).await;
    let url = receiver.url("/hooks");
    let environment =
        vec![("TIDEGATE_URL", &*process.admin.url), ("TIDEGATE_KEY", &process.admin.key), ("MINE", "mine")];
    let operator = Operator { folder: setup.folder(), environment };

    let shown = operator.sees(&["create", &url, "--event", "record_created", "-H", "X-Team: a credential"]);
    assert!(shown.contains("whsec_") && shown.contains("X-Team") && !shown.contains("a credential"), "{shown}");
    let given = ["create", "tidegate://inspect", "--secret-env", "MINE", "--retry", "1m,2m", "--profile", "cliq"];
    let (code, other) = operator.reads(&given);
    assert_eq!((code, &other["retries"], &other["secret"]), (0, &json!([60, 120]), &json!("mine")));
    let (_, all) = operator.reads(&["list"]);
    let id = text(&all["data"][0]["id"]);
    let listed = operator.sees(&["list"]);
    assert!(listed.contains(id) && listed.contains(&url) && listed.contains("cliq"), "{listed}");

    let change = ["change", id, "--description", "the shop", "--clear", "event", "-H", "X-Team:", "--timeout", "5s"];
    let (code, changed) = operator.reads(&change);
    let settings = [&changed["description"], &changed["events"], &changed["headers"], &changed["timeout"]];
    assert_eq!((code, settings), (0, [&json!("the shop"), &json!([]), &json!({}), &json!(5)]));
    assert!(operator.sees(&["show", id]).contains("the shop"));
    assert!(operator.sees(&["disable", id]).contains("disabled (admin)"));

    receiver.answer_in_turn([Reply::with(200, &[], "thank you"), Reply::with(500, &[], "oh")]);
    let tested = operator.sees(&["test", id, "--type", "status_change"]);
    assert!(tested.starts_with("200 in ") && tested.contains("thank you"), "{tested}");
    let (code, tested) = operator.reads(&["test", id]);
    assert_eq!((code, &tested["status"], &tested["test"]), (1, &json!(500), &json!(true)));
    assert!(operator.sees(&["enable", id]).contains("enabled since"));

    let rotated = operator.sees(&["rotate-secret", id, "--overlap", "1h"]);
    assert!(rotated.contains("whsec_") && rotated.contains(" until "), "{rotated}");
    let (code, refused) = operator.reads(&["rotate-secret", id]);
    assert_eq!((code, &refused["error"]["code"]), (1, &json!("conflict")));
    assert!(!operator.sees(&["promote-secret", id]).contains(" until "));
    assert!(operator.sees(&["profiles"]).contains("x-cliq-signature"));

    assert_eq!(operator.types(&["delete", id]).0, 2, "not without --yes");
    assert_eq!(operator.reads(&["delete", id, "--yes"]), (0, json!({ "id": id, "deleted": true })));
    assert_eq!(operator.reads(&["show", id]).1["error"]["code"], "not_found");
}

async fn a_command_says_why_it_did_nothing(setup: Setup) {
    let process = Process::start(&setup).await;
    let (address, key) = (process.admin.url.clone(), process.admin.key.clone());
    let operator =
        Operator { folder: setup.folder(), environment: vec![("TIDEGATE_URL", &*address), ("TIDEGATE_KEY", &key)] };
    let (code, refused) = operator.reads(&["create", "http://127.0.0.1/", "--event", "record_craeted"]);
    let fields: Vec<_> = refused["error"]["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!((code, fields), (1, vec![&json!("url"), &json!("events")]), "{refused}");
    for arguments in [
        &["create", "tidegate://inspect", "--secret-env", "NOT_SET"][..],
        &["create"],
        &["change", "whk_1"],
        &["delete", "whk_1"],
        &["redeliver", "--since", "noon"],
    ] {
        assert_eq!(operator.types(arguments).0, 2, "{arguments:?}");
    }
    assert_eq!(operator.types(&["show", "../modules"]).0, 1, "an id is one part of a path");
    process.kill();
    assert_eq!(operator.types(&["list"]).0, 3);
}
