//! `tidegate module …`, as an operator types it.

use serde_json::{Value, json};

use crate::app::Setup;
use crate::process::{Process, tidegate};

both!(a_module_is_run_from_the_command_line);

async fn a_module_is_run_from_the_command_line(setup: Setup) {
    let process = Process::start(&setup).await;
    let environment = [("TIDEGATE_URL", &*process.admin.url), ("TIDEGATE_KEY", &*process.admin.key)];
    let types = |line: &str| {
        let arguments = line.split(' ').collect::<Vec<_>>();
        tidegate(setup.folder(), &[&["module"], &arguments[..]].concat(), &environment)
    };
    let sees = |line: &str| {
        let (code, stdout) = types(line);
        assert_eq!(code, 0, "{line}: {stdout}");
        stdout
    };
    let reads = |line: &str| {
        let (code, stdout) = types(&format!("{line} --json"));
        let value: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
        (code, value)
    };
    assert_eq!(sees("list"), "there are no modules\n");
    let made = sees(
        "create orders --field sku=text --field qty=integer --field state=status:open,closed --require sku --match sku",
    );
    assert!(made.contains("sku    text     required") && made.contains("open, closed"), "{made}");
    process.admin.see("/modules/orders").await;
    assert!(sees("list").contains("orders  orders  3       sku    1"), "{}", sees("list"));
    let insert = "INSERT INTO m_orders (sku, state) VALUES ('A', 'open')";
    setup.database().run(insert).await;

    let (code, module) = reads("alter orders --add note=text --type qty=decimal --optional sku --name Orders");
    assert_eq!((code, &module["version"], &module["name"]), (0, &json!(2), &json!("Orders")));
    let trial = sees("alter orders --values state=closed --require note --dry-run");
    assert!(
        trial.contains("in the way (2):") && trial.contains("fields.state.values") && trial.contains("rec_"),
        "{trial}"
    );
    let (code, refused) = reads("alter orders --values state=closed");
    assert_eq!((code, &refused["error"]["code"]), (1, &json!("conflict")));
    assert!(sees("rename-field orders qty quantity").contains("quantity"), "{}", sees("show orders"));
    assert!(!sees("drop-field orders note").contains("note"));
    assert_eq!(types("alter orders").0, 2);
    assert_eq!(types("show nothing").0, 1);
    assert_eq!(types("delete orders --confirm order").0, 2);
    assert_eq!(reads("delete orders --confirm orders"), (0, json!({ "module": "orders", "deleted": true })));
    assert_eq!(sees("list"), "there are no modules\n");
}
