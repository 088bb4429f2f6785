//! `tidegate mapping …` and `tidegate export`, as an operator types them.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::{Setup, text};
use crate::process::{Process, tidegate};

both!(a_mapping_is_edited_from_the_command_line, a_payload_is_previewed_from_the_command_line);

const ORDERS: &str = include_str!("../data/modules/orders.toml");

/// Who works in a folder, in an environment that knows the gateway.
struct Operator<'a> {
    folder: &'a Path,
    url: String,
    key: String,
}

impl<'a> Operator<'a> {
    fn of(setup: &'a Setup, process: &Process) -> Self {
        Self { folder: setup.folder(), url: process.admin.url.clone(), key: process.admin.key.clone() }
    }

    fn types(&self, arguments: &[&str]) -> (i32, String) {
        tidegate(self.folder, arguments, &[("TIDEGATE_URL", &self.url), ("TIDEGATE_KEY", &self.key)])
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

    fn writes(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }
}

async fn a_mapping_is_edited_from_the_command_line(setup: Setup) {
    let process = Process::start(&setup).await;
    let operator = Operator::of(&setup, &process);
    operator.writes("orders.toml", ORDERS);
    operator.sees(&["apply", "orders.toml"]);

    let shown = operator.sees(&["mapping", "show", "orders/shop"]);
    assert!(
        shown.starts_with("# orders/shop, version 1, in force\n") && shown.contains("origin: file orders.toml"),
        "{shown}"
    );
    operator.writes("same.toml", &shown);
    assert_eq!(operator.reads(&["mapping", "put", "orders/shop", "same.toml"]).1["version"], 1);
    operator.writes("draft.toml", &shown.replace("from = \"$.note\"", "from = \"$.note\"\ntransform = [\"trim\"]"));
    let put = ["mapping", "put", "orders/shop", "draft.toml", "--note", "no spaces", "--if-version", "1"];
    assert_eq!(operator.sees(&put).trim(), "orders/shop is at version 2: no spaces");
    let (code, refused) = operator.reads(&put);
    assert_eq!((code, &refused["error"]["code"]), (1, &json!("precondition_failed")));
    let diff = operator.sees(&["mapping", "diff", "orders/shop"]);
    assert_eq!(diff.lines().collect::<Vec<_>>()[1..], ["~ rule 2: $.note → note", "    transform: null → [\"trim\"]"]);
    let versions = operator.sees(&["mapping", "versions", "orders/shop"]);
    let rows: Vec<_> = versions.lines().collect();
    assert!(rows[1].starts_with("2 *") && rows[1].ends_with("api               no spaces"), "{versions}");
    let (_, all) = operator.reads(&["mapping", "versions", "orders/shop"]);
    assert_eq!((all["data"].as_array().unwrap().len(), &all["data"][1]["file"]), (2, &json!("orders.toml")));

    let dry = operator.sees(&["apply", "--dry-run", "orders.toml"]);
    assert!(
        dry.contains("source  orders/shop  updated\n    ~ rule 2: $.note → note\n        transform: [\"trim\"] → null"),
        "{dry}"
    );
    let restored = operator.sees(&["mapping", "restore", "orders/shop", "1"]);
    assert_eq!(restored.trim(), "orders/shop is at version 3: restores version 1");
    let exported = operator.sees(&["export", "orders"]);
    operator.writes("exported.toml", &exported);
    assert!(!operator.sees(&["apply", "--dry-run", "exported.toml"]).contains("updated"));
    assert_eq!(operator.sees(&["export", "--to", "files"]).trim(), "files/orders.toml");
    assert_eq!(std::fs::read_to_string(setup.folder().join("files/orders.toml")).unwrap(), exported);
    let (_, file) = operator.reads(&["export"]);
    assert_eq!(file["files"][0]["name"], "orders.toml");

    operator.writes("bad.json", "{ \"rule\": [{ \"form\": \"$.a\" }] }");
    let (code, refused) = operator.reads(&["mapping", "put", "orders/shop", "bad.json"]);
    assert_eq!((code, &refused["error"]["errors"][0]["field"]), (1, &json!("rule[1].form")));
    for arguments in [
        &["mapping", "put", "orders/shop", "orders.toml"][..],
        &["mapping", "put", "orders/shop", "none.toml"],
        &["mapping", "show", "orders"],
        &["mapping", "preview", "orders/shop"],
    ] {
        assert_eq!(operator.types(arguments).0, 2, "{arguments:?}");
    }
    assert_eq!(operator.types(&["mapping", "show", "orders/none"]).0, 1);
    assert_eq!(operator.types(&["export", "none"]).0, 1);
    process.kill();
    assert_eq!(operator.types(&["mapping", "show", "orders/shop"]).0, 3);
}

async fn a_payload_is_previewed_from_the_command_line(setup: Setup) {
    let process = Process::start(&setup).await;
    let operator = Operator::of(&setup, &process);
    let sender = process.admin.sender(ORDERS).await;
    let told = sender.post(json!({ "type": "stock", "id": "1", "code": "A", "note": "n" })).await.accepted("created");
    operator.writes("order.json", r#"{ "type": "stock", "id": "2", "code": "A", "note": " m ", "quantity": 5 }"#);
    operator.writes("bad.json", r#"{ "type": "stock", "code": "A", "quantity": "many" }"#);

    let shown = operator.sees(&["mapping", "preview", "orders/shop", "order.json"]);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], "order.json: updated, event type stock, event id 2");
    assert!(
        lines[1].starts_with("    RULE  FROM") && lines[3].contains("$.note") && lines[3].ends_with("\" m \""),
        "{shown}"
    );
    assert!(shown.contains("    note: \"n\" → \" m \"") && shown.contains(text(&told["recordId"])), "{shown}");
    let (code, both) = operator.reads(&["mapping", "preview", "orders/shop", "order.json", "bad.json"]);
    assert_eq!((code, &both["results"][1]["verdict"]), (1, &json!("refused")));
    let (code, refused) = operator.types(&["mapping", "preview", "orders/shop", "bad.json"]);
    assert!(code == 1 && refused.contains("rule 3, quantity: "), "{refused}");
    let again = operator.sees(&["mapping", "preview", "orders/shop", "--event", text(&told["eventId"])]);
    assert!(again.contains(": unchanged") && again.contains("the answer would be `duplicate`"), "{again}");
    operator.writes(
        "draft.toml",
        "[[rule]]\nfrom = \"$.code\"\nto = \"code\"\n\n[[rule]]\nfrom = \"header:X-Note\"\nto = \"note\"\n",
    );
    let (_, draft) = operator.reads(&[
        "mapping",
        "preview",
        "orders/shop",
        "order.json",
        "--draft",
        "draft.toml",
        "-H",
        "X-Note: by hand",
    ]);
    assert_eq!(draft["results"][0]["records"][0]["changes"]["note"], json!({ "from": "n", "to": "by hand" }));
    process.kill();
}
