//! `tidegate mapping …`: what needs no gateway, as an admin, an editor or a CI job runs it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::app::text;
use crate::process::tidegate;

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const TWO_DOORS: &str = include_str!("../data/modules/two-doors.toml");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("tidegate-it-").tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    tidegate(folder, arguments, &[])
}

fn object(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let (code, stdout) = run(folder, arguments);
    assert_eq!(stdout.trim().lines().count(), 1, "one object and nothing else: {stdout}");
    (code, serde_json::from_str(&stdout).unwrap())
}

#[test]
fn files_are_checked_with_a_line_for_each_problem() {
    let bad = ORDERS.replace("to = \"quantity\"", "to = \"quantiti\"").replace("slug = \"shop\"", "slug = shop");
    let folder = folder(&[("good.toml", ORDERS), ("bad.toml", &bad), ("other.toml", TWO_DOORS)]);
    let folder = folder.path();
    let (code, stdout) = run(folder, &["mapping", "check", "good.toml", "other.toml"]);
    assert_eq!((code, stdout.as_str()), (0, "2 files, 0 problems\n"));

    let (code, stdout) = run(folder, &["mapping", "check", "bad.toml"]);
    let lines = stdout.lines().collect::<Vec<_>>();
    assert_eq!(code, 1, "{stdout}");
    let line = 1 + bad.lines().position(|line| line == "to = \"quantiti\"").unwrap();
    let wanted = format!("bad.toml:{line}: source[1].rule[");
    assert!(lines.iter().any(|line| line.starts_with(&wanted) && line.contains("`quantity`")), "{stdout}");
    assert!(lines.last().unwrap().starts_with("1 file, "), "{stdout}");

    let (code, answer) = object(folder, &["mapping", "check", "--json", "good.toml", "bad.toml"]);
    assert_eq!((code, &answer["files"][0]), (1, &json!({ "file": "good.toml", "ok": true, "errors": [] })));
    let lines = answer["files"][1]["errors"].as_array().unwrap().iter().map(|error| error["line"].as_u64().unwrap());
    let lines = lines.collect::<Vec<_>>();
    assert_eq!((&answer["files"][1]["ok"], lines.last()), (&json!(false), Some(&(line as u64))), "{answer}");
    assert!(lines.is_sorted() && lines.len() == 3, "the file, the source and the rule: {answer}");
}

#[test]
fn two_files_of_one_module_are_a_problem() {
    let folder = folder(&[("a.toml", ORDERS), ("b.toml", ORDERS)]);
    let (code, answer) = object(folder.path(), &["mapping", "check", "--json", "a.toml", "b.toml"]);
    assert_eq!((code, &answer["files"][0]["ok"]), (1, &json!(true)), "{answer}");
    let error = &answer["files"][1]["errors"][0];
    assert_eq!(error["field"], "module.slug", "{answer}");
    assert!(text(&error["detail"]).contains("a.toml"), "{answer}");
}

#[test]
fn the_shipped_mappings_have_no_problems() {
    let names = fs::read_dir(root().join("mappings")).unwrap().map(|entry| entry.unwrap().path());
    let names = names.map(|path| path.display().to_string()).collect::<Vec<_>>();
    let arguments = [&["mapping", "check"], &names.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat();
    let (code, stdout) = run(root(), &arguments);
    assert_eq!(code, 0, "{stdout}");
}

/// The first payload of each shipped mapping becomes what a gateway makes of it.
#[test]
fn a_payload_is_tried_as_a_gateway_would_take_it() {
    let mut tried = 0;
    for entry in fs::read_dir(root().join("tests/data/mappings")).unwrap() {
        let folder = entry.unwrap().path();
        let step = first_step(&folder);
        let expected: Value = serde_json::from_str(&fs::read_to_string(&step).unwrap()).unwrap();
        let payload = expected["payload"].as_str().map_or_else(|| own_payload(&step), |name| folder.join(name));
        let module = format!("mappings/{}.toml", folder.file_name().unwrap().to_str().unwrap());
        let headers = expected["headers"].as_object().unwrap().iter();
        let headers = headers.map(|(name, value)| format!("{name}: {}", text(value))).collect::<Vec<_>>();
        let mut arguments = vec!["mapping", "test", "--json", &module, payload.to_str().unwrap()];
        headers.iter().for_each(|header| arguments.extend(["-H", header]));
        let (code, answer) = object(root(), &arguments);
        let result = &answer["results"][0];
        assert_eq!((code, &result["verdict"]), (0, &json!("accepted")), "{module}: {answer}");
        let mut wanted = expected["records"].as_array().unwrap().clone();
        for record in result["records"].as_array().unwrap() {
            wanted.iter_mut().for_each(|wanted| settle(wanted, record));
            let same =
                |wanted: &&Value| wanted["fields"] == record["fields"] && wanted["customData"] == record["customData"];
            assert!(wanted.iter().any(|wanted| same(&wanted)), "{module}: {record}");
        }
        let standing = wanted.iter().map(|wanted| wanted["fields"].to_string()).collect::<BTreeSet<_>>();
        assert_eq!(result["records"].as_array().unwrap().len(), standing.len(), "{module}: {answer}");
        tried += 1;
    }
    assert!(tried >= 5, "{tried} mappings have steps");
}

/// The time of the test is whatever it was.
fn settle(wanted: &mut Value, record: &Value) {
    for (name, value) in wanted["fields"].as_object_mut().unwrap() {
        if *value == "just now" {
            *value = record["fields"][name].clone();
        }
    }
}

/// What is sent, whatever it is: the other file of that name.
fn own_payload(step: &Path) -> PathBuf {
    let name = step.to_str().unwrap().replace("expected.json", "");
    let found = |end: &&str| Path::new(&format!("{name}{end}")).exists();
    let end = ["json", "form", "ndjson", "xml"].into_iter().find(|end| found(end)).expect("a payload beside the step");
    PathBuf::from(format!("{name}{end}"))
}

/// The first that creates something.
fn first_step(folder: &Path) -> PathBuf {
    let mut steps = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    steps.sort();
    let creates = |path: &PathBuf| {
        path.to_str().unwrap().ends_with(".expected.json")
            && fs::read_to_string(path).unwrap().contains("\"outcome\": \"created\"")
    };
    steps.into_iter().find(creates).expect("a step that creates a record")
}

const LINES: &str = r#"
[module]
slug = "lines"
match = ["sku"]
[module.fields]
sku = { type = "text", required = true }
quantity = { type = "integer", required = true }
seen = "timestamp"
channel = "text"
[[source]]
slug = "shop"
event_type = "header:X-Topic"
only = ["order.*"]
when = "@.test != true"
each = "$.items[*]"
delete_when = "@.gone == true"
[[source.rule]]
from = "$.sku"
to = "sku"
[[source.rule]]
from = "$.qty"
to = "quantity"
[[source.rule]]
from = "received_at"
to = "seen"
[[source.rule]]
from = "query:channel"
to = "channel"
[[source.rule]]
from = "$.note"
to = "custom_data.note"
"#;

fn tried(folder: &Path, payloads: &[(&str, &Value)]) -> (i32, Value) {
    let mut arguments = vec!["mapping", "test", "--json", "lines.toml"];
    for (name, payload) in payloads {
        fs::write(folder.join(name), payload.to_string()).unwrap();
        arguments.push(name);
    }
    let request = ["-H", "X-Topic: order.made", "--query", "channel=web", "--received-at", "2026-01-02T03:04:05Z"];
    object(folder, &[&arguments, &request[..]].concat())
}

#[test]
fn several_payloads_have_a_verdict_each() {
    let folder = folder(&[("lines.toml", LINES)]);
    let item = |sku: &str, quantity: Value| json!({ "sku": sku, "qty": quantity });
    let good =
        json!({ "items": [item("A", json!(1)), { "sku": "B", "gone": true }, { "sku": "A", "qty": 2, "note": "x" }] });
    let bad = json!({ "items": [item("A", json!(1)), item("", json!("many")), { "sku": "C" }] });
    let (code, answer) = tried(
        folder.path(),
        &[
            ("good.json", &good),
            ("bad.json", &bad),
            ("empty.json", &json!({})),
            ("test.json", &json!({ "test": true })),
        ],
    );
    let results = answer["results"].as_array().unwrap();
    let verdicts = results.iter().map(|result| (text(&result["verdict"]), &result["cause"])).collect::<Vec<_>>();
    let (none, each, when) = (json!(null), json!("each"), json!("when"));
    let wanted = [("accepted", &none), ("refused", &none), ("ignored", &each), ("ignored", &when)];
    assert_eq!((code, verdicts.as_slice()), (1, &wanted[..]), "{answer}");
    assert!(results.iter().all(|result| result["eventType"] == "order.made" && result["source"] == "shop"), "{answer}");

    let records = &results[0]["records"];
    assert_eq!(records[0]["match"], json!({ "sku": "A" }));
    let fields = json!({ "sku": "A", "quantity": 2, "seen": "2026-01-02T03:04:05.000000Z", "channel": "web" });
    assert_eq!(
        (&records[0]["outcome"], &records[0]["fields"]),
        (&json!("created"), &fields),
        "two nodes of one record"
    );
    assert_eq!(records[0]["customData"], json!({ "note": "x" }));
    assert_eq!(records[1], json!({ "outcome": "deleted", "match": { "sku": "B" } }));
    assert_eq!(records.as_array().unwrap().len(), 2, "{answer}");

    let errors = results[1]["errors"].as_array().unwrap();
    let told = errors.iter().map(|error| (error["index"].as_i64(), text(&error["to"]), text(&error["code"])));
    let told = told.collect::<Vec<_>>();
    assert_eq!(told, [(Some(1), "sku", "match_value"), (Some(1), "quantity", "not_a_number")], "{answer}");
    assert_eq!(results[1]["records"], json!([]), "all of an event or nothing");
}

#[test]
fn what_a_record_lacks_is_told_by_rule() {
    let folder = folder(&[("lines.toml", LINES)]);
    let (code, answer) = tried(folder.path(), &[("a.json", &json!({ "items": [{ "sku": "A" }] }))]);
    let error = &answer["results"][0]["errors"][0];
    let wanted = json!({ "index": 0, "rule": 2, "from": "$.qty", "to": "quantity", "code": "required", "detail": error["detail"] });
    assert_eq!((code, error), (1, &wanted), "{answer}");
}

#[test]
fn people_read_what_would_become_of_a_payload() {
    let folder = folder(&[
        ("lines.toml", LINES),
        ("a.json", r#"{"items":[{"sku":"A","qty":1,"note":"x"},{"sku":"B","gone":true}]}"#),
    ]);
    let arguments = [
        "mapping",
        "test",
        "lines.toml",
        "a.json",
        "-H",
        "X-Topic: order.made",
        "--received-at",
        "2026-01-02T03:04:05Z",
    ];
    let (code, stdout) = run(folder.path(), &arguments);
    let wanted = "a.json: accepted, event type order.made
  sku = \"A\": would be created
    sku          \"A\"
    quantity     1
    seen         \"2026-01-02T03:04:05.000000Z\"
    channel      null
    custom_data  {\"note\":\"x\"}
  sku = \"B\": would be deleted

1 payload: 1 accepted, 0 ignored, 0 refused
";
    assert_eq!((code, stdout.as_str()), (0, wanted));
    let (code, stdout) = run(folder.path(), &["mapping", "test", "lines.toml", "a.json"]);
    assert_eq!((code, stdout.lines().next().unwrap()), (0, "a.json: ignored; `only` does not list it"));
}

#[test]
fn a_source_is_chosen_when_there_are_several() {
    let folder = folder(&[("doors.toml", TWO_DOORS), ("a.json", r#"{"code": "M1", "serial": "S", "hours": 1}"#)]);
    let (code, answer) = object(folder.path(), &["mapping", "test", "--json", "doors.toml", "a.json"]);
    assert_eq!((code, &answer["error"]["code"]), (2, &json!("usage")));
    let detail = text(&answer["error"]["detail"]);
    assert!(detail.contains("--source") && detail.contains("office, hall"), "{answer}");
    let chosen = ["mapping", "test", "--json", "doors.toml", "a.json", "--source", "hall"];
    let (code, answer) = object(folder.path(), &chosen);
    assert_eq!((code, &answer["results"][0]["records"][0]["match"]), (0, &json!({ "serial": "S" })), "{answer}");
    assert_eq!(run(folder.path(), &["mapping", "test", "doors.toml", "a.json", "--source", "nowhere"]).0, 2);
}

#[test]
fn what_cannot_be_used_has_its_own_exit_code() {
    let bad = ORDERS.replace("to = \"quantity\"", "to = \"quantiti\"");
    let folder = folder(&[("bad.toml", &bad), ("good.toml", ORDERS), ("a.json", "{}"), ("latin.toml", "")]);
    fs::write(folder.path().join("latin.toml"), b"[module]\nname = \"\xe4\"\n").unwrap();
    let run = |arguments: &[&str]| run(folder.path(), &[&["mapping"], arguments].concat()).0;
    assert_eq!(run(&["check", "nowhere.toml"]), 2);
    assert_eq!(run(&["check", "latin.toml"]), 2);
    assert_eq!(run(&["check"]), 2);
    assert_eq!(run(&["test", "good.toml"]), 2);
    assert_eq!(run(&["test", "good.toml", "nowhere.json"]), 2);
    assert_eq!(run(&["test", "good.toml", "a.json", "--content-type", "text/plain"]), 2);
    assert_eq!(run(&["test", "good.toml", "a.json", "--received-at", "noon"]), 2);
    assert_eq!(run(&["test", "good.toml", "a.json", "-H", "no colon"]), 2);
    let (code, answer) = object(folder.path(), &["mapping", "test", "--json", "bad.toml", "a.json"]);
    assert_eq!(code, 1);
    assert!(answer["error"]["errors"][0]["line"].is_u64(), "the problems of the file come first: {answer}");
}

#[test]
fn stdin_is_read_where_a_dash_stands() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(["mapping", "check", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).env_clear();
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(ORDERS.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"1 file, 0 problems\n"[..]));
}
