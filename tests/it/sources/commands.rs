//! `tidegate source …` and `tidegate token …`, as an operator types them.

use serde_json::{Value, json};

use super::SHOP;
use crate::app::{Setup, text};
use crate::client::Sender;
use crate::process::{Process, tidegate};

both!(sources_are_run_from_the_command_line);

#[expect(clippy::too_many_lines, reason = "one session of an operator, in its order")]
async fn sources_are_run_from_the_command_line(setup: Setup) {
    let process = Process::start(&setup).await;
    let admin = &process.admin;
    let environment = [("TIDEGATE_URL", &*admin.url), ("TIDEGATE_KEY", &admin.key), ("HUB", "hub-secret")];
    let types = |arguments: &[&str]| tidegate(setup.folder(), arguments, &environment);
    let sees = |arguments: &[&str]| {
        let (code, stdout) = types(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stdout}");
        stdout
    };
    let reads =
        |arguments: &[&str]| -> Value { serde_json::from_str(&sees(&[arguments, &["--json"]].concat())).unwrap() };

    assert!(sees(&["source", "list"]).contains("There is no source yet"));
    let web = admin.senders(SHOP, json!({ "ERP": "one" })).await.remove(1);
    web.post(json!({ "id": "1", "other": "B" })).await.accepted("created");
    let listed = sees(&["source", "list", "shop"]);
    assert!(listed.contains("shop/erp  enabled  X-Signature") && listed.contains("19 of 20"), "{listed}");
    assert_eq!(reads(&["source", "list"])["data"].as_array().unwrap().len(), 2);

    let mapping = setup.folder().join("mapping.toml");
    std::fs::write(&mapping, "event_id = \"$.id\"\n[[rule]]\nfrom = \"$.code\"\nto = \"code\"\n").unwrap();
    let mapping = mapping.to_str().unwrap();
    let create = ["source", "create", "shop/hub", "--mapping", mapping, "--preset", "github", "--secret-env", "HUB"];
    let made = sees(&[&create[..], &["--burst", "5", "--per-minute", "50", "--redact", "$.card"]].concat());
    assert!(made.contains("tgt_") && made.contains("redacts    $.card") && !made.contains("hub-secret"), "{made}");
    let set = [
        "source",
        "set",
        "shop/hub",
        "--keep",
        "refused",
        "--keep-for",
        "7d",
        "--clear",
        "redact",
        "--max-body",
        "4096",
    ];
    let hub = reads(&set);
    assert_eq!((&hub["keep"], &hub["redact"]), (&json!({ "payload": "refused", "for": "7d" }), &json!([])));
    assert_eq!((&hub["maxBody"], &hub["rateLimit"]), (&json!(4096), &json!({ "perMinute": 50, "burst": 5 })));
    assert!(sees(&["source", "disable", "shop/hub"]).contains("disabled"));
    assert!(sees(&["source", "enable", "shop/hub"]).contains("enabled"));
    assert!(sees(&["source", "show", "shop/hub"]).contains("signed     github"));

    let rotated = sees(&["source", "rotate-secret", "shop/hub", "--overlap", "1h"]);
    assert!(
        rotated.contains("Shown once:") && rotated.contains("whsec_") && rotated.contains(" counts until "),
        "{rotated}"
    );
    let given = sees(&["source", "rotate-secret", "shop/hub", "--secret-env", "HUB", "--overlap", "0"]);
    assert!(!given.contains("hub-secret"), "{given}");

    let rotated = reads(&["token", "rotate", "shop/web", "--overlap", "30m"]);
    let fresh = Sender::new(admin.http.clone(), &admin.url, "shop", text(&rotated["token"]));
    fresh.post(json!({ "id": "2", "other": "B" })).await.accepted("unchanged");
    web.post(json!({ "id": "3", "other": "B" })).await.accepted("unchanged");
    assert_eq!(reads(&["token", "list", "shop/web"])["data"].as_array().unwrap().len(), 2);
    let shown = sees(&["token", "rotate", "shop/web", "--overlap", "0"]);
    assert!(shown.contains("/api/webhooks/shop/tgt_"), "{shown}");
    fresh.post(json!({ "id": "4", "other": "B" })).await.problem(401, "unauthorized");
    assert!(sees(&["token", "list", "shop/web"]).starts_with("CREATED"));

    assert_eq!(types(&["source", "delete", "shop/hub"]).0, 2, "not without --yes");
    assert!(sees(&["source", "delete", "shop/hub", "--yes"]).contains("shop/hub is deleted"));
    for (code, arguments) in [
        (1, &["source", "show", "shop/hub"][..]),
        (1, &["source", "set", "shop/erp", "--max-body", "1"]),
        (2, &["source", "set", "shop/erp"]),
        (2, &["source", "show", "erp"]),
        (2, &["source", "create", "shop/x", "--mapping", "nowhere.toml"]),
        (2, &["source", "set", "shop/erp", "--secret-env", "HUB"]),
        (1, &["token", "rotate", "shop/none"]),
    ] {
        assert_eq!(types(arguments).0, code, "{arguments:?}");
    }
}
