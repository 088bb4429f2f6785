//! Lists of records: every test on every kind of field, against a plain model of what the words mean; sorted, page by
//! page, alike on both databases.

use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::agree::rng::Rng;
use crate::app::{App, Setup, text};

both!(
    every_test_of_every_kind_means_what_it_says,
    a_list_is_sorted_and_whole_page_by_page,
    a_cursor_is_bound_to_its_list,
    what_cannot_be_understood_is_named,
    a_page_that_takes_too_long_is_refused,
);

const EVERYTHING: &str = include_str!("../data/modules/everything.toml");
const RECORDS: &str = "/api/v1/modules/everything/records";
const KINDS: [(&str, &str); 9] = [
    ("code", "text"),
    ("words", "text"),
    ("amount", "decimal"),
    ("count", "integer"),
    ("done", "boolean"),
    ("moment", "timestamp"),
    ("day", "date"),
    ("state", "status"),
    ("document", "json"),
];

/// Values that are close to each other, and hard to sort: by bytes, by digits, by instants.
fn values(kind: &str) -> Vec<Value> {
    let texts: &[&str] = match kind {
        "text" => &[
            "",
            "a",
            "A",
            "ab",
            "a%",
            "a_",
            "b",
            "é",
            "z",
            "\u{e000}",
            "😀",
            "\u{fffd}",
            "10",
            "9",
            "a b",
            "'\"",
            "\\",
            "a\u{7f}",
            "a\u{d7ff}",
        ],
        "decimal" => &[
            "0",
            "0.00",
            "-0.5",
            "0.5",
            "0.05",
            "12.5",
            "12.50",
            "-12.5",
            "-12.51",
            "9",
            "10",
            "100",
            "-100",
            "-9",
            "99999999999999999999.1",
            "-99999999999999999999.1",
            "0.000000000000000000001",
            "1e50",
            "-1e-30",
        ],
        "timestamp" => &[
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:05.000001Z",
            "2026-01-02T04:04:05+01:00",
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999Z",
            "9999-12-30T00:00:00Z",
        ],
        "date" => &["2026-01-02", "0001-01-01", "1969-12-31", "9999-12-31", "2024-02-29"],
        "status" => &["open", "in progress", "geschlossen"],
        "boolean" => return vec![json!(true), json!(false)],
        "integer" => return [0, -1, 1, 5, 10, 9, i64::MAX, i64::MIN, 1_000_000].map(Value::from).to_vec(),
        _ => return vec![json!({ "a": 1 }), json!([1]), json!("x")],
    };
    texts.iter().map(|text| Value::from(*text)).collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// How two values of a kind stand to each other; decimals by an arithmetic of its own.
fn compared(kind: &str, one: &str, other: &str) -> Ordering {
    match kind {
        "integer" => one.parse::<i64>().unwrap().cmp(&other.parse().unwrap()),
        "boolean" => (one == "true").cmp(&(other == "true")),
        "decimal" => scaled(one).cmp(&scaled(other)),
        "timestamp" => {
            let at = |text: &str| text.parse::<tidegate::clock::Timestamp>().unwrap();
            at(one).cmp(&at(other))
        }
        _ => one.as_bytes().cmp(other.as_bytes()),
    }
}

/// Sign, then digits before the point without leading zeros by their count, then all digits: as negative numbers turned.
fn scaled(text: &str) -> (i8, Vec<i64>) {
    let plain = tidegate::record::decimal::Decimal::parse(text).unwrap().to_string();
    let (sign, digits) = plain.strip_prefix('-').map_or((1, &*plain), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut all = vec![i64::try_from(whole.trim_start_matches('0').len()).unwrap()];
    all.extend(
        whole
            .trim_start_matches('0')
            .chars()
            .chain(fraction.trim_end_matches('0').chars())
            .map(|digit| i64::from(digit.to_digit(10).unwrap())),
    );
    if all == [0] {
        return (0, Vec::new());
    }
    all.resize(130, 0);
    (sign, all.into_iter().map(|digit| digit * i64::from(sign)).collect())
}

fn fits(kind: &str, value: &Value, op: &str, wanted: &str) -> bool {
    if value.is_null() {
        return op == "ne" || (op == "null" && wanted == "true");
    }
    let value = plain(value);
    let stands = |wanted: &str| compared(kind, &value, wanted);
    match op {
        "eq" => stands(wanted).is_eq(),
        "ne" => stands(wanted).is_ne(),
        "lt" => stands(wanted).is_lt(),
        "lte" => stands(wanted).is_le(),
        "gt" => stands(wanted).is_gt(),
        "gte" => stands(wanted).is_ge(),
        "in" => wanted.split(',').any(|wanted| stands(wanted).is_eq()),
        "prefix" => value.starts_with(wanted),
        "contains" => value.contains(wanted),
        _ => wanted == "false",
    }
}

fn ops(kind: &str) -> &'static [&'static str] {
    match kind {
        "text" | "status" => &["eq", "ne", "lt", "lte", "gt", "gte", "in", "prefix", "contains", "null"],
        "boolean" => &["eq", "ne", "in", "null"],
        "json" => &["null"],
        _ => &["eq", "ne", "lt", "lte", "gt", "gte", "in", "null"],
    }
}

async fn filled(app: &App, rng: &mut Rng, count: usize) -> Vec<Value> {
    app.sender(EVERYTHING).await;
    for number in 0..count {
        let mut fields = json!({ "code": format!("{number:03}") });
        for (name, kind) in KINDS.iter().skip(1) {
            if rng.below(5) > 0 {
                fields[*name] = rng.pick(&values(kind)).clone();
            }
        }
        app.post(RECORDS, json!({ "fields": fields })).await.done();
    }
    app.list(&RECORDS["/api/v1".len()..], 100).await
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn codes(records: &[Value]) -> Vec<String> {
    records.iter().map(|record| text(&record["fields"]["code"]).to_owned()).collect()
}

async fn every_test_of_every_kind_means_what_it_says(app: App) {
    let mut rng = Rng::new(7);
    let all = filled(&app, &mut rng, 60).await;
    for (name, kind) in KINDS {
        for op in ops(kind) {
            for _ in 0..8 {
                let wanted = match *op {
                    "null" => (*rng.pick(&["true", "false"])).to_owned(),
                    "in" => [(); 3].map(|()| plain(rng.pick(&values(kind)))).join(","),
                    _ => plain(rng.pick(&values(kind))),
                };
                let query = format!("?filter[{name}][{op}]={}", encoded(&wanted));
                let found = app.list(&format!("{}{query}", &RECORDS["/api/v1".len()..]), 100).await;
                let fitting = all.iter().filter(|record| fits(kind, &record["fields"][name], op, &wanted)).cloned();
                assert_eq!(codes(&found), codes(&fitting.collect::<Vec<_>>()), "{query} ({kind})");
            }
        }
    }
    for _ in 0..40 {
        let mut query = Vec::new();
        let mut wanted = all.clone();
        for _ in 0..2 {
            let (name, kind) = KINDS[rng.below(KINDS.len() - 1)];
            let op =
                ["ne", "lte", "gt", "null"].into_iter().filter(|op| ops(kind).contains(op)).nth(rng.below(2)).unwrap();
            let value = if op == "null" { "false".to_owned() } else { plain(rng.pick(&values(kind))) };
            query.push(format!("filter[{name}][{op}]={}", encoded(&value)));
            wanted.retain(|record| fits(kind, &record["fields"][name], op, &value));
        }
        let found = app.list(&format!("{}?{}", &RECORDS["/api/v1".len()..], query.join("&")), 7).await;
        assert_eq!(codes(&found), codes(&wanted), "{query:?}");
    }
}

async fn a_list_is_sorted_and_whole_page_by_page(app: App) {
    let mut rng = Rng::new(11);
    let all = filled(&app, &mut rng, 45).await;
    for (name, kind) in KINDS.iter().take(8) {
        for descending in [false, true] {
            let mut wanted = all.clone();
            wanted.sort_by(|one, other| {
                let (id, other_id) = (text(&one["id"]), text(&other["id"]));
                let (one, other) = (&one["fields"][*name], &other["fields"][*name]);
                let order = match (one.is_null(), other.is_null()) {
                    (false, false) => compared(kind, &plain(one), &plain(other)).then(id.cmp(other_id)),
                    (true, true) => id.cmp(other_id),
                    (one, other) => return one.cmp(&other),
                };
                if descending { order.reverse() } else { order }
            });
            let sign = if descending { "-" } else { "" };
            let found = app.list(&format!("{}?sort={sign}{name}", &RECORDS["/api/v1".len()..]), 4).await;
            assert_eq!(codes(&found), codes(&wanted), "{sign}{name}");
        }
    }
    for (sort, backwards) in
        [("_id", false), ("-_id", true), ("_created_at", false), ("-createdAt", true), ("-id", true)]
    {
        let mut wanted = all.clone();
        if backwards {
            wanted.reverse();
        }
        let found = app.list(&format!("{}?sort={sort}", &RECORDS["/api/v1".len()..]), 7).await;
        assert_eq!(codes(&found), codes(&wanted), "{sort}");
    }
    let id = text(&all[3]["id"]);
    let one = app
        .get(&format!(
            "{RECORDS}?filter[_id]={id}&filter[_version][gte]=1&filter[_updated_at][lt]=9999-01-01T00:00:00Z"
        ))
        .await
        .done();
    assert_eq!(codes(one["data"].as_array().unwrap()), codes(&all[3..4]));
}

async fn a_cursor_is_bound_to_its_list(app: App) {
    let mut rng = Rng::new(3);
    filled(&app, &mut rng, 6).await;
    let page = app.get(&format!("{RECORDS}?limit=2&sort=-count&filter[done][null]=false")).await.done();
    let page = if page["nextCursor"].is_null() {
        app.get(&format!("{RECORDS}?limit=2&sort=-count")).await.done()
    } else {
        page
    };
    let cursor = text(&page["nextCursor"]);
    for query in ["", "&sort=count", "&sort=-count&filter[code]=1"] {
        let problem = app.get(&format!("{RECORDS}?cursor={cursor}{query}")).await.problem(400, "invalid_request");
        assert!(text(&problem["detail"]).contains("other filters"), "{problem}");
    }
    for bad in ["x", "%00", "e30", ""] {
        app.get(&format!("{RECORDS}?cursor={bad}")).await.problem(400, "invalid_request");
    }
}

async fn what_cannot_be_understood_is_named(app: App) {
    app.sender(EVERYTHING).await;
    for (query, part) in [
        ("filter[count][gte]=many", "filter[count][gte]"),
        ("filter[cont][gte]=1", "did you mean `count`"),
        ("filter[count][gtee]=1", "did you mean"),
        ("filter[count][contains]=1", "tested by"),
        ("filter[done][lt]=true", "tested by"),
        ("filter[document][eq]=1", "tested by"),
        ("filter[state]=opn", "none of the field's values"),
        ("filter[moment][lt]=yesterday", "RFC 3339"),
        ("filter[amount]=1,5", "decimal"),
        ("filter[words][null]=maybe", "`true`"),
        ("filter[words]=%00", "U+0000"),
        ("filter=x", "no parameter `filter`"),
        ("fields=x", "no parameter `fields`"),
        ("sort=cont", "did you mean `count`"),
        ("sort=document", "no order"),
        ("sort=count&sort=code", "given twice"),
        ("limit=0", "1 to 100"),
        ("limit=x", "number"),
    ] {
        let problem = app.get(&format!("{RECORDS}?{query}")).await.problem(400, "invalid_request");
        assert!(text(&problem["detail"]).contains(part), "{query}: {problem}");
    }
    let problem = app.get(&format!("{RECORDS}?filter[count]=a&filter[amount]=b")).await.problem(400, "invalid_request");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "all at once");
    let injected = encoded("x' OR '1'='1");
    let found = app.get(&format!("{RECORDS}?filter[words]={injected}")).await.done();
    assert_eq!(found["data"], json!([]));
    app.get(&format!("{RECORDS}?filter[code%22%20OR%201=1][eq]=x")).await.problem(400, "invalid_request");
}

async fn a_page_that_takes_too_long_is_refused(setup: Setup) {
    let app = setup.with_bounds(|bounds| bounds.query_time = std::time::Duration::from_millis(1)).start().await;
    app.sender(EVERYTHING).await;
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)";
    let id = "'rec_' || substr('00000000000000000000000000' || i, -26)";
    let id = if app.database().engine() == crate::database::Engine::Postgres {
        "'rec_' || lpad(CAST(i AS text), 26, '0')"
    } else {
        id
    };
    let words = format!(
        "{numbers} INSERT INTO m_everything (_id, _version, code, words, amount) SELECT {id}, 1, CAST(i AS text), 'some words of no meaning at all', i FROM n"
    );
    let words = if app.database().engine() == crate::database::Engine::Sqlite {
        words.replace("meaning at all', i FROM", "meaning at all', CAST(i AS text) FROM")
    } else {
        words
    };
    app.database().run(sqlx::AssertSqlSafe(words)).await;
    let slow = format!("{RECORDS}?filter[words][contains]=nothing&sort=-amount");
    app.get(&slow).await.problem(400, "too_costly");
    app.get(&slow).await.problem(400, "too_costly");
    let record = app.get(&format!("{RECORDS}/rec_{}1", "0".repeat(25))).await;
    assert_eq!(record.status, 200, "others are served as ever");
}
