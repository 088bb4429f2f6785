//! `tidegate source …` and `tidegate token …`, as an operator types them.

use std::path::Path;

use serde_json::{Value, json};

use super::SHOP;
use crate::app::{Setup, text};
use crate::client::Sender;
use crate::process::{Process, tidegate};

both!(
    sources_are_run_from_the_command_line,
    secrets_and_tokens_are_replaced_from_the_command_line,
    a_command_says_why_it_did_nothing,
);

const SECRET: &str = "hub-secret";

/// Someone who types, in an environment that knows the gateway.
struct Operator<'a> {
    folder: &'a Path,
    environment: [(&'a str, &'a str); 3],
}

impl<'a> Operator<'a> {
    fn of(setup: &'a Setup, process: &'a Process) -> Self {
        let admin = &process.admin;
        let environment = [("TIDEGATE_URL", &*admin.url), ("TIDEGATE_KEY", &*admin.key), ("HUB", SECRET)];
        Self { folder: setup.folder(), environment }
    }

    fn types(&self, arguments: &[&str]) -> (i32, String) {
        tidegate(self.folder, arguments, &self.environment)
    }

    #[track_caller]
    fn sees(&self, line: &str) -> String {
        let arguments = line.split(' ').collect::<Vec<_>>();
        let (code, stdout) = self.types(&arguments);
        assert_eq!(code, 0, "{line}: {stdout}");
        stdout
    }

    #[track_caller]
    fn reads(&self, line: &str) -> Value {
        serde_json::from_str(&self.sees(&format!("{line} --json"))).unwrap()
    }
}

async fn sources_are_run_from_the_command_line(setup: Setup) {
    let process = Process::start(&setup).await;
    let operator = Operator::of(&setup, &process);
    assert!(operator.sees("source list").contains("There is no source yet"));
    let web = process.admin.senders(SHOP, json!({ "ERP": "one" })).await.remove(1);
    web.post(json!({ "id": "1", "other": "B" })).await.accepted("created");
    let listed = operator.sees("source list shop");
    assert!(listed.contains("shop/erp  enabled  X-Signature") && listed.contains("19 of 20"), "{listed}");
    assert_eq!(operator.reads("source list")["data"].as_array().unwrap().len(), 2);

    let mapping = "event_id = \"$.id\"\n[[rule]]\nfrom = \"$.code\"\nto = \"code\"\n";
    std::fs::write(setup.folder().join("mapping.toml"), mapping).unwrap();
    let create = "source create shop/hub --mapping mapping.toml --preset github --secret-env HUB";
    let made = operator.sees(&format!("{create} --burst 5 --per-minute 50 --redact $.card"));
    assert!(made.contains("tgt_") && made.contains("redacts    $.card") && !made.contains(SECRET), "{made}");
    let hub = operator.reads("source set shop/hub --keep refused --keep-for 7d --clear redact --max-body 4096");
    assert_eq!((&hub["keep"], &hub["redact"]), (&json!({ "payload": "refused", "for": "7d" }), &json!([])));
    assert_eq!((&hub["maxBody"], &hub["rateLimit"]), (&json!(4096), &json!({ "perMinute": 50, "burst": 5 })));
    assert!(operator.sees("source disable shop/hub").contains("disabled"));
    assert!(operator.sees("source enable shop/hub").contains("enabled"));
    assert!(operator.sees("source show shop/hub").contains("signed     github"));
    assert_eq!(operator.types(&["source", "delete", "shop/hub"]).0, 2, "not without --yes");
    assert!(operator.sees("source delete shop/hub --yes").contains("shop/hub is deleted"));
    assert_eq!(operator.types(&["source", "show", "shop/hub"]).0, 1);
}

async fn secrets_and_tokens_are_replaced_from_the_command_line(setup: Setup) {
    let process = Process::start(&setup).await;
    let (operator, admin) = (Operator::of(&setup, &process), &process.admin);
    let web = admin.senders(SHOP, json!({ "ERP": "one" })).await.remove(1);
    let rotated = operator.sees("source rotate-secret shop/erp --overlap 1h");
    assert!(rotated.contains("Shown once:") && rotated.contains("whsec_"), "{rotated}");
    assert!(rotated.contains(" counts until "), "{rotated}");
    let given = operator.sees("source rotate-secret shop/erp --secret-env HUB --overlap 0");
    assert!(!given.contains(SECRET), "{given}");

    let rotated = operator.reads("token rotate shop/web --overlap 30m");
    let fresh = Sender::new(admin.http.clone(), &admin.url, "shop", text(&rotated["token"]));
    fresh.post(json!({ "id": "2", "other": "B" })).await.accepted("created");
    web.post(json!({ "id": "3", "other": "B" })).await.accepted("unchanged");
    assert_eq!(operator.reads("token list shop/web")["data"].as_array().unwrap().len(), 2);
    let shown = operator.sees("token rotate shop/web --overlap 0");
    assert!(shown.contains("/api/webhooks/shop/tgt_"), "{shown}");
    fresh.post(json!({ "id": "4", "other": "B" })).await.problem(401, "unauthorized");
    assert!(operator.sees("token list shop/web").starts_with("CREATED"));
}

async fn a_command_says_why_it_did_nothing(setup: Setup) {
    let process = Process::start(&setup).await;
    let operator = Operator::of(&setup, &process);
    process.admin.senders(SHOP, json!({ "ERP": "one" })).await;
    for (code, line) in [
        (1, "source show shop/none"),
        (1, "source set shop/erp --max-body 1"),
        (2, "source set shop/erp"),
        (2, "source show erp"),
        (2, "source create shop/x --mapping nowhere.toml"),
        (2, "source set shop/erp --secret-env HUB"),
        (1, "token rotate shop/none"),
    ] {
        let (found, stdout) = operator.types(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(found, code, "{line}: {stdout}");
    }
}
