//! `tidegate sql`, on a file that a gateway has open.

use serde_json::{Value, json};

use super::{ORDERS, log, told};
use crate::app::{Setup, text};
use crate::changes::assert_log_is_truth;
use crate::database::Engine;
use crate::process::{Process, tidegate};

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_edits_a_file_in_use() {
    let setup = Setup::new(Engine::Sqlite).await;
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(ORDERS).await;
    sender.post(json!({"id": 1, "type": "order.x", "code": "A", "quantity": 1})).await.accepted("created");
    let folder = setup.folder();
    let here = [("TIDEGATE_DATA_DIR", folder.to_str().unwrap())];
    let run = |arguments: &[&str]| tidegate(folder, &[&["sql"], arguments].concat(), &here);

    let edit = "UPDATE m_orders SET quantity = 2, state = 'open' WHERE code = 'A'; SELECT code, quantity FROM m_orders";
    assert_eq!(run(&[edit]), (0, "1 row changed\ncode  quantity\n----  --------\nA     2\n".to_owned()));
    // What is replaced goes with a change of its own.
    let (code, stdout) = run(&["--json", "INSERT OR REPLACE INTO m_orders (code, quantity) VALUES ('A', 3)"]);
    assert_eq!(code, 0, "{stdout}");
    assert_eq!(stdout.trim(), r#"{"results":[{"changed":1,"columns":[],"rows":[]}]}"#);
    told(setup.database()).await;
    let ops = log(&process.admin).await.into_iter().map(|change| text(&change["op"]).to_owned()).collect::<Vec<_>>();
    assert_eq!(ops, ["insert", "update", "delete", "insert"]);
    assert_log_is_truth(&process.admin, setup.database(), "orders").await;

    let (code, stdout) =
        run(&["--json", "SELECT 1.5 AS r, x'00ff' AS b, NULL AS n; UPDATE m_orders SET state = 'shut'"]);
    let refused: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(code, 1, "{stdout}");
    assert_eq!(refused["error"]["results"][0]["rows"], json!([[1.5, "x'00ff'", null]]));
    assert!(text(&refused["error"]["detail"]).contains("tidegate: state"), "{stdout}");

    let elsewhere = tidegate(folder, &["sql", "--data-dir", "none", "SELECT 1"], &here);
    assert_eq!(elsewhere.0, 2);
    let postgres = [("TIDEGATE_DATABASE_URL", "postgres://localhost/none")];
    assert_eq!(tidegate(folder, &["sql", "SELECT 1"], &postgres).0, 2);
}
