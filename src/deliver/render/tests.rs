use serde_json::json;

use super::*;
use crate::deliver::profile::{find, profiles};
use crate::id::{EndpointId, ModuleId};
use crate::record::change::moved;
use crate::record::field::{Field, FieldName, ModuleSlug};

const WORKSPACE: &str = "ws_abc123";

fn at() -> Timestamp {
    "2025-01-15T10:30:00.123456Z".parse().unwrap()
}

fn shape() -> Shape {
    let field = |name, kind| Field { name: FieldName::parse(name).unwrap(), kind, required: false };
    let fields = vec![
        field("trade_id", Kind::Text),
        field("amount", Kind::Decimal),
        field("extra", Kind::Json),
        field("auction_id", Kind::Text),
    ];
    let slug = ModuleSlug::parse("trades").unwrap();
    Shape {
        module: ModuleId::floor(at()),
        slug,
        name: "Trades".to_owned(),
        number: 1,
        fields,
        matching: vec![0],
        events: Vec::new(),
    }
}

fn change(before: Option<&Value>, after: Option<&Value>) -> Change {
    let [before, after] = [before, after].map(|row| row.map(|row| row.as_object().unwrap().clone()));
    let moved = moved(before.as_ref(), after.as_ref());
    let op = match (&before, &after) {
        (None, _) => "insert",
        (_, None) => "delete",
        _ => "update",
    };
    Change {
        seq: 33,
        id: "chg_1".to_owned(),
        at: at(),
        module: Some(ModuleId::floor(at())),
        record: "rec_1".to_owned(),
        op: op.to_owned(),
        shape: 1,
        version: 2,
        before,
        after,
        moved,
        event: None,
        actor: "sql".to_owned(),
        hops: 0,
    }
}

fn of_the_gateway() -> Change {
    let told = json!({"endpoint": "whk_1", "amount": "1.50"});
    let change = change(None, Some(&told));
    Change { module: None, record: String::new(), op: "endpoint.disabled".to_owned(), version: 0, ..change }
}

/// Always the same one.
fn delivery() -> DeliveryId {
    DeliveryId::of(at(), "chg_1", EndpointId::floor(at()), 0)
}

fn rendering(profile: &str, of_type: &str, data: Option<&str>) -> Rendering {
    let data = data.map(|text| serde_json::from_str(text).unwrap());
    Rendering::new(find(profile).unwrap(), WORKSPACE, Some(&shape()), of_type, data).unwrap()
}

/// The body, with the ids of the delivery as `DLV`, `EVT` and `UUID`.
fn body(rendering: &Rendering, change: &Change) -> String {
    let text = String::from_utf8(rendering.render(change, delivery()).to_vec()).unwrap();
    let (id, uuid) = (delivery().to_string(), delivery().uuid().to_string());
    text.replace(&id, "DLV").replace(&id.replace("dlv_", "evt_"), "EVT").replace(&uuid, "UUID")
}

fn before() -> Value {
    json!({"amount": "300.00", "auction_id": null, "custom_data": {}, "extra": null, "trade_id": "trd_1"})
}

fn after() -> Value {
    json!({"amount": "299.990", "auction_id": null, "custom_data": {"k": [1]}, "extra": null, "trade_id": "trd_1"})
}

const FIELDS: &str = r#""amount":"299.990","auction_id":null,"extra":null,"trade_id":"trd_1""#;
const CHANGES: &str =
    r#""changes":{"amount":{"from":"300.00","to":"299.990"},"custom_data":{"from":{},"to":{"k":[1]}}}"#;

#[test]
fn an_update_in_each_profile() {
    let change = change(Some(&before()), Some(&after()));
    let numbers = |text: &str| text.replace("\"299.990\"", "299.99").replace("\"300.00\"", "300");
    let (fields, changes) = (numbers(FIELDS), numbers(CHANGES));
    let flat = format!(r#"{{"id":"rec_1",{fields},"custom_data":{{"k":[1]}},{changes}}}"#);
    let seed = format!(
        r#"{{"id":"EVT","type":"record_updated","created_at":"2025-01-15T10:30:00Z","workspace_id":"ws_abc123","data":{flat}}}"#
    );
    for (profile, wanted) in [
        (
            "collecta",
            format!(
                r#"{{"event":"record_updated","id":"DLV","timestamp":"2025-01-15T10:30:00.123456Z","module":"trades","record_id":"rec_1","version":2,"cursor":"cur_0000000000011","data":{{{FIELDS}}},"custom_data":{{"k":[1]}},{CHANGES}}}"#
            ),
        ),
        ("collectiq", seed.clone()),
        ("cliq", seed),
        (
            "auction-excellence",
            format!(
                r#"{{"event":"record_updated","timestamp":"2025-01-15T10:30:00Z","webhook_id":"UUID","auction_id":null,"data":{flat}}}"#
            ),
        ),
        (
            "standard-webhooks",
            format!(
                r#"{{"type":"record_updated","timestamp":"2025-01-15T10:30:00.123456Z","data":{{"id":"rec_1","module":"trades","version":2,"cursor":"cur_0000000000011","fields":{{{FIELDS}}},"custom_data":{{"k":[1]}},{CHANGES}}}}}"#
            ),
        ),
    ] {
        assert_eq!(body(&rendering(profile, "record_updated", None), &change), wanted, "{profile}");
    }
}

#[test]
fn the_default_begins_as_its_seed_shows_it() {
    let text = body(&rendering("collecta", "record_created", None), &change(None, Some(&after())));
    assert!(text.starts_with(r#"{"event":"record_created","#), "{text}");
    assert!(!text.contains("changes"), "{text}");
}

#[test]
fn a_deleted_record_is_as_it_was() {
    let text = body(&rendering("auction-excellence", "record_deleted", None), &change(Some(&before()), None));
    assert!(
        text.ends_with(r#","data":{"id":"rec_1","amount":300,"auction_id":null,"extra":null,"trade_id":"trd_1"}}"#)
    );
}

#[test]
fn a_field_of_the_record_stands_in_the_envelope() {
    let change = change(None, Some(&json!({"auction_id": "auction-uuid", "id": "own", "changes": 7})));
    let text = body(&rendering("auction-excellence", "submission.created", None), &change);
    let wanted = r#""auction_id":"auction-uuid","data":{"auction_id":"auction-uuid","changes":7,"id":"own"}}"#;
    assert!(text.ends_with(wanted), "{text}");
}

/// As the seed of CollectIQ prints it, and what else a leaf may be.
#[test]
fn declared_data_keeps_its_order_and_its_decimals() {
    let data = r#"[["trade_id","@.after.trade_id"],["amount","@['after'][\"amount\"]"],["was","@.changes.amount.from"],
        ["status","const:completed"],["prepared_by",[["id","@.after.extra.users[0].id"],["none","@.after.nothing"]]],
        ["op","@.op"],["row","@.before"],["empty",[]]]"#;
    let after = json!({"amount": "299.99", "extra": {"users": [{"id": "u", "amount": "1.0"}]}, "trade_id": "trd_1"});
    let change = change(Some(&json!({"amount": "1.10", "note": "1.10"})), Some(&after));
    let wanted = |amount: &str, was: &str| {
        format!(
            r#""data":{{"trade_id":"trd_1","amount":{amount},"was":{was},"status":"completed","prepared_by":{{"id":"u","none":null}},"op":"update","row":{{"amount":{was},"note":"1.10"}},"empty":{{}}}}"#
        )
    };
    let text = body(&rendering("collectiq", "trade.completed", Some(data)), &change);
    assert!(text.contains(&wanted("299.99", "1.1")), "{text}");
    let text = body(&rendering("collecta", "trade.completed", Some(data)), &change);
    assert!(text.contains(&wanted("\"299.99\"", "\"1.10\"")), "{text}");
    assert!(text.contains(r#","changes":{"amount":{"from":"1.10","#), "the envelope tells of every update: {text}");
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    for (data, why) in [
        (r#""@.after""#, "no table"),
        (r#"{"a":"@.after"}"#, "no table"),
        (r#"[["a","$.after"]]"#, "`$.after` is no singular path"),
        (r#"[["a","@.after[*]"]]"#, "no singular path"),
        (r#"[["a","@.after["]]"#, "no singular path"),
        (r#"[["a","after"]]"#, "no singular path"),
        (r#"[["a",7]]"#, "a leaf is a text"),
        (r#"["a"]"#, "a name and what it holds"),
        (r#"[["a","const:1","const:2"]]"#, "a name and what it holds"),
        (r#"[["a",[["b","const:"],["b","const:"]]]]"#, "`b` stands there twice"),
    ] {
        let data = Some(serde_json::from_str(data).unwrap());
        let error = Rendering::new(find("cliq").unwrap(), WORKSPACE, Some(&shape()), "a.b", data).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn events_of_the_gateway_go_out_in_every_profile() {
    for profile in profiles() {
        let rendering = Rendering::new(profile, WORKSPACE, None, "endpoint.disabled", None).unwrap();
        let text = body(&rendering, &of_the_gateway());
        assert!(text.contains(r#""endpoint.disabled""#), "{text}");
        assert!(text.contains(r#""data":{"amount":"1.50","endpoint":"whk_1"}"#), "{text}");
        if profile.name == "collecta" {
            assert!(text.contains(r#""module":null,"record_id":null,"version":null,"cursor":"#), "{text}");
            assert!(!text.contains("custom_data"), "{text}");
        }
    }
}

/// Each pair was held against `JSON.stringify(JSON.parse(…))` of Node 20.
#[test]
fn cliq_sends_what_javascript_prints_again() {
    let row = r#"{"amount":"1e-7","custom_data":{"10":1.0,"9":[-0,1e3,1E-7],"b":12345678901234567890,"a":0.10,"01":null},
        "extra":"\u0000\u001f\u007f\u2028\b\f\n\r\t\"\\/é😀","trade_id":"1.0"}"#;
    let change = change(None, Some(&serde_json::from_str(row).unwrap()));
    let text = body(&rendering("cliq", "record_created", None), &change);
    let data = concat!(
        r#""data":{"id":"rec_1","amount":1e-7,"extra":"\u0000\u001f"#,
        "\u{7f}\u{2028}",
        r#"\b\f\n\r\t\"\\/é😀","trade_id":"1.0","custom_data":{"9":[0,1000,1e-7],"10":1,"01":null,"a":0.1,"b":"12345678901234567890"}}}"#
    );
    assert!(text.ends_with(data), "{text}");
    let text = body(&rendering("collectiq", "record_created", None), &change);
    assert!(text.contains(r#"{"01":null,"10":1.0,"9":[-0,1e+3,1e-7],"a":0.10,"b":12345678901234567890}"#), "{text}");
}

#[test]
fn a_decimal_that_no_double_holds_stays_a_text() {
    let change = change(None, Some(&json!({"amount": "12345678901234567.89"})));
    let text = body(&rendering("auction-excellence", "a.b", None), &change);
    assert!(text.contains(r#""amount":"12345678901234567.89""#), "{text}");
}

#[test]
fn a_rendering_reads_back_and_renders_the_same_bytes() {
    let data = r#"[["b","@.after.amount"],["a",[["c","const:x"]]]]"#;
    let change = change(Some(&before()), Some(&after()));
    for profile in profiles() {
        let made = rendering(&profile.name, "trade.paid", Some(data));
        let read = Rendering::read(&made.document()).unwrap();
        assert_eq!((&read, read.id(), read.document()), (&made, made.id(), made.document()));
        assert_eq!(read.render(&change, delivery()), made.render(&change, delivery()));
        assert_eq!(made.id().len(), 32);
        assert_ne!(made.id(), rendering(&profile.name, "trade.paid", None).id());
    }
    assert!(Rendering::read("{}").is_err());
}

/// Deliveries of older gateways are sent again by the documents that these wrote.
#[test]
fn the_stored_document_stays_as_it_is() {
    let document = rendering("auction-excellence", "trade.paid", Some(r#"[["a","@.op"]]"#)).document();
    let wanted = concat!(
        r#"{"body":["event = type","timestamp = occurred","webhook_id = uuid","auction_id = field auction_id","data"],"#,
        r#""decimals":"number","javascript":false,"workspace":"ws_abc123","module":"trades","type":"trade.paid","#,
        r#""data":[["a","@.op"]],"decimal_fields":["amount"]}"#
    );
    assert_eq!(document, wanted);
}
