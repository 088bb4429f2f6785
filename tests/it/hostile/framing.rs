//! Where one request ends and the next begins: a table of what is sent, what comes back, and whether the connection
//! stays. Whatever is sent, the codes `smuggled` and `never` are stored by no row.

use std::time::Duration;

use super::{ORDERS, event, is_served, setup};
use crate::client::Sender;
use crate::wire::Wire;

const OPEN: bool = false;
const CLOSED: bool = true;

/// What is sent, with `PATH`, `HEAD` and `EVENT` to be put in; the statuses that come back; what becomes of the
/// connection; how many records the row adds.
type Row<'a> = (&'a str, String, &'a [u16], bool, usize);

/// Sends all rows, each over a connection of its own, with an honest client after each.
async fn hold(rows: Vec<Row<'_>>) {
    let app = setup().await.with_bounds(|bounds| bounds.progress_time = Duration::from_millis(300)).start().await;
    let sender = app.sender(ORDERS).await;
    is_served(&app, &sender).await;
    let mut stored = 1;
    for (number, (what, bytes, statuses, closes, adds)) in rows.into_iter().enumerate() {
        let got = send(&sender, &bytes, number, statuses.len()).await;
        assert_eq!(got, (statuses.to_vec(), closes), "{what}: the statuses, and whether it closes");
        stored += adds;
        assert_eq!(app.database().count("m_orders").await, stored, "{what}: records");
        is_served(&app, &sender).await;
    }
    let codes = app.list("/modules/orders/records", 100).await;
    let codes = codes.iter().map(|record| record["fields"]["code"].as_str().unwrap()).collect::<Vec<_>>();
    assert!(!codes.contains(&"smuggled") && !codes.contains(&"never"), "{codes:?}");
}

/// The statuses of as many answers, and whether the connection closes behind them.
async fn send(sender: &Sender, template: &str, number: usize, answers: usize) -> (Vec<u16>, bool) {
    let (smuggled, own) = (event("smuggled"), event(&format!("row-{number}")));
    let second = format!(
        "POST {} HTTP/1.1\r\nhost: g\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{smuggled}",
        sender.path(),
        smuggled.len()
    );
    let head = format!("POST {} HTTP/1.1\r\nhost: g\r\ncontent-type: application/json\r\n", sender.path());
    let bytes = template
        .replace("HEAD", &head)
        .replace("SECOND", &second)
        .replace("PATH", &sender.path())
        .replace("LENGTH", &own.len().to_string())
        .replace("HEX", &format!("{:x}", own.len()))
        .replace("EVENT", &own);
    let mut wire = Wire::open(&sender.base).await;
    // The gateway may close while a long one is still being sent.
    let _ = wire.write(bytes.as_bytes()).await;
    let mut statuses = Vec::new();
    while statuses.len() < answers {
        let Some(answer) = wire.next().await else { break };
        if answer.status >= 400 {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.text());
            assert_eq!(answer.json()["requestId"], answer.header("x-request-id"));
        }
        statuses.push(answer.status);
    }
    (statuses, !is_open(&mut wire).await)
}

/// Whether another request is answered on it, and nothing else comes.
async fn is_open(wire: &mut Wire) -> bool {
    let asked = wire.write(b"GET /nowhere HTTP/1.1\r\nhost: g\r\n\r\n").await.is_ok();
    asked && wire.next().await.is_some_and(|answer| answer.status == 404)
}

fn lengths(values: &[&'static str]) -> Vec<Row<'static>> {
    let row = |value: &&'static str| -> Row<'static> {
        (*value, format!("HEADContent-Length: {value}\r\n\r\nEVENT"), &[400], CLOSED, 0)
    };
    values.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lengths_are_digits_and_one() {
    let mut rows = lengths(&["+5", "-1", " 5 ,5", "5, 5", "0x1b", "5.0", "", "1e1", "18446744073709551616", "5 5"]);
    rows.extend::<[Row<'_>; 4]>([
        ("two that differ", "HEADContent-Length: LENGTH\r\nContent-Length: 5\r\n\r\nEVENT".into(), &[400], CLOSED, 0),
        ("two alike", "HEADContent-Length: LENGTH\r\nContent-Length: LENGTH\r\n\r\nEVENT".into(), &[202], OPEN, 1),
        ("a blank around it", "HEADContent-Length:  LENGTH \r\n\r\nEVENT".into(), &[202], OPEN, 1),
        ("a blank before the colon", "HEADContent-Length : LENGTH\r\n\r\nEVENT".into(), &[400], CLOSED, 0),
    ]);
    hold(rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_and_chunks_are_never_two_requests() {
    let chunks = "HEX\r\nEVENT\r\n0\r\n\r\n";
    hold(vec![
        (
            "both",
            format!("HEADContent-Length: LENGTH\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
            &[202],
            CLOSED,
            1,
        ),
        (
            "both, turned",
            format!("HEADTransfer-Encoding: chunked\r\nContent-Length: LENGTH\r\n\r\n{chunks}"),
            &[202],
            CLOSED,
            1,
        ),
        (
            "a length that ends first",
            format!("HEADContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}SECOND"),
            &[202],
            CLOSED,
            1,
        ),
        (
            "a length that ends last",
            "HEADTransfer-Encoding: chunked\r\nContent-Length: 900\r\n\r\n0\r\n\r\nSECOND".into(),
            &[400],
            CLOSED,
            0,
        ),
        (
            "a length that is none",
            format!("HEADTransfer-Encoding: chunked\r\nContent-Length: x\r\n\r\n{chunks}SECOND"),
            &[202],
            CLOSED,
            1,
        ),
        (
            "a blank before the colon",
            format!("HEADContent-Length: LENGTH\r\nTransfer-Encoding : chunked\r\n\r\n{chunks}"),
            &[400],
            CLOSED,
            0,
        ),
        (
            "chunks by HTTP/1.0",
            format!("POST PATH HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
            &[400],
            CLOSED,
            0,
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_codings_than_chunked_are_refused() {
    let codings = [
        "gzip, chunked",
        "chunked, chunked",
        "xchunked",
        "chunked, identity",
        "identity",
        "gzip",
        "",
        "chunked;q=1",
        "\"chunked\"",
        "chunked,",
        "\u{b}chunked",
        "chunked\r\nTransfer-Encoding: chunked",
        "chunked\r\nTransfer-Encoding: x",
        "x\r\nTransfer-Encoding: chunked",
    ];
    let rows = codings.iter().map(|coding| -> Row<'_> {
        (*coding, format!("HEADTransfer-Encoding: {coding}\r\n\r\nHEX\r\nEVENT\r\n0\r\n\r\n"), &[400], CLOSED, 0)
    });
    let mut rows = rows.collect::<Vec<_>>();
    rows.push((
        "in capitals",
        "HEADTransfer-Encoding: \tCHUNKED \r\n\r\nHEX\r\nEVENT\r\n0\r\n\r\n".into(),
        &[202],
        OPEN,
        1,
    ));
    hold(rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_are_what_they_say() {
    let chunked = |chunks: &str| format!("HEADTransfer-Encoding: chunked\r\n\r\n{chunks}");
    let many = "x-trailer: 1\r\n".repeat(200);
    hold(vec![
        ("a size that overflows", chunked("fffffffffffffffff\r\nEVENT"), &[400], CLOSED, 0),
        ("the largest size", chunked("ffffffffffffffff\r\nEVENT\r\n0\r\n\r\nSECOND"), &[408], CLOSED, 0),
        ("a negative size", chunked("-1\r\nEVENT\r\n0\r\n\r\nSECOND"), &[400], CLOSED, 0),
        ("a size with a prefix", chunked("0x10\r\nEVENT\r\n0\r\n\r\nSECOND"), &[400], CLOSED, 0),
        ("no size", chunked("\r\nEVENT\r\n0\r\n\r\nSECOND"), &[400], CLOSED, 0),
        ("a size that is too small", chunked("5\r\nEVENT\r\n0\r\n\r\nSECOND"), &[400], CLOSED, 0),
        ("a bare line feed behind the size", chunked("HEX\nEVENT\r\n0\r\n\r\nSECOND"), &[400], CLOSED, 0),
        ("a bare line feed behind the chunk", chunked("HEX\r\nEVENT\n0\r\n\r\nSECOND"), &[400], CLOSED, 0),
        ("an extension", chunked("HEX;a=\"b\"\r\nEVENT\r\n0;c\r\n\r\n"), &[202], OPEN, 1),
        ("a line feed in an extension", chunked("HEX;a\nb\r\nEVENT\r\n0\r\n\r\nSECOND"), &[400], CLOSED, 0),
        (
            "a huge extension",
            chunked(&format!("HEX;{}\r\nEVENT\r\n0\r\n\r\nSECOND", "a".repeat(20_000))),
            &[400],
            CLOSED,
            0,
        ),
        ("trailers", chunked("HEX\r\nEVENT\r\n0\r\ncontent-length: 5\r\nx-a: b\r\n\r\n"), &[202], OPEN, 1),
        (
            "a trailer that is too large",
            chunked(&format!("HEX\r\nEVENT\r\n0\r\nx: {}\r\n\r\nSECOND", "a".repeat(20_000))),
            &[400],
            CLOSED,
            0,
        ),
        ("too many trailers", chunked(&format!("HEX\r\nEVENT\r\n0\r\n{many}\r\nSECOND")), &[400], CLOSED, 0),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_read_by_the_grammar() {
    let rest = "Content-Length: LENGTH\r\n\r\nEVENT";
    let post = "POST PATH HTTP/1.1\r\nhost: g\r\ncontent-type: application/json\r\n";
    hold(vec![
        (
            "bare line feeds",
            format!("{post}Content-Length: LENGTH\r\n\r\n").replace("\r\n", "\n") + "EVENT",
            &[202],
            OPEN,
            1,
        ),
        ("a bare carriage return", format!("HEADX-A: b\rX-C: d\r\n{rest}"), &[400], CLOSED, 0),
        ("a field that is folded", format!("HEADX-A: b\r\n c\r\n{rest}"), &[400], CLOSED, 0),
        ("a NUL in a value", format!("HEADX-A: b\0c\r\n{rest}"), &[400], CLOSED, 0),
        ("a NUL in a name", format!("HEADX\0A: b\r\n{rest}"), &[400], CLOSED, 0),
        ("a blank in a name", format!("HEADX A: b\r\n{rest}"), &[400], CLOSED, 0),
        ("no colon", format!("HEADnothing\r\n{rest}"), &[400], CLOSED, 0),
        ("no name", format!("HEAD: b\r\n{rest}"), &[400], CLOSED, 0),
        ("empty lines before it", format!("\r\n\r\nHEAD{rest}"), &[202], OPEN, 1),
        ("blanks before it", format!("  HEAD{rest}"), &[400], CLOSED, 0),
        ("no Host", format!("POST PATH HTTP/1.1\r\ncontent-type: application/json\r\n{rest}"), &[400], CLOSED, 0),
        ("two Hosts", format!("HEADHost: other\r\n{rest}"), &[400], CLOSED, 0),
        ("a whole URL", format!("POST http://elsewherePATH HTTP/1.1\r\nhost: g\r\n{rest}"), &[202], OPEN, 1),
        ("a blank in the target", format!("POST PATH x HTTP/1.1\r\nhost: g\r\n{rest}"), &[400], CLOSED, 0),
        ("HTTP/1.0", format!("POST PATH HTTP/1.0\r\n{rest}"), &[202], CLOSED, 1),
        ("HTTP/1.0 that stays", format!("POST PATH HTTP/1.0\r\nConnection: keep-alive\r\n{rest}"), &[202], OPEN, 1),
        ("HTTP/2.0", format!("POST PATH HTTP/2.0\r\nhost: g\r\n{rest}"), &[400], CLOSED, 0),
        ("HTTP/1.2", format!("POST PATH HTTP/1.2\r\nhost: g\r\n{rest}"), &[400], CLOSED, 0),
        ("HTTP/0.9", "GET PATH\r\n".into(), &[400], CLOSED, 0),
        ("no words at all", "\0\0\0\0\r\n\r\n".into(), &[400], CLOSED, 0),
        ("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0".into(), &[], CLOSED, 0),
        ("the hello of TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}".into(), &[400], CLOSED, 0),
        (
            "an offer of h2c",
            format!("HEADConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n{rest}"),
            &[202],
            OPEN,
            1,
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_have_a_size() {
    let fields = |count: usize| (0..count).map(|number| format!("x-{number}: 1\r\n")).collect::<String>();
    let post = "POST PATH HTTP/1.1\r\nhost: g\r\nContent-Length: LENGTH\r\n";
    hold(vec![
        ("100 fields", format!("{post}{}\r\nEVENT", fields(98)), &[202], OPEN, 1),
        ("101 fields", format!("{post}{}\r\nEVENT", fields(99)), &[431], CLOSED, 0),
        ("10,000 fields", format!("{post}{}\r\nEVENT", fields(10_000)), &[431], CLOSED, 0),
        (
            "a first line of 15 KB",
            format!("POST PATH?x={} HTTP/1.1\r\nhost: g\r\nContent-Length: LENGTH\r\n\r\nEVENT", "x".repeat(15_000)),
            &[202],
            OPEN,
            1,
        ),
        ("a first line of 1 MB", format!("POST PATH?x={} HTTP/1.1\r\n\r\n", "x".repeat(1_000_000)), &[431], CLOSED, 0),
        ("a method of 1 MB", "P".repeat(1_000_000), &[431], CLOSED, 0),
        ("a field of 1 MB", format!("{post}x-a: {}\r\n\r\nEVENT", "x".repeat(1_000_000)), &[431], CLOSED, 0),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_end_where_they_say() {
    let one = "HEADContent-Length: LENGTH\r\n\r\nEVENT";
    hold(vec![
        ("longer than it says", format!("{one}and more\r\n\r\n"), &[202, 400], CLOSED, 1),
        ("a line feed more than it says", format!("{one}\r\n"), &[202], OPEN, 1),
        (
            "less than it says, and the next request in it",
            "HEADContent-Length: 1000\r\n\r\nEVENT".to_owned() + &"SECOND".repeat(9),
            &[400, 400],
            CLOSED,
            0,
        ),
        (
            "a body where none is read",
            "GET /livez HTTP/1.1\r\nhost: g\r\nContent-Length: 5\r\n\r\nSECOND".into(),
            &[200, 400],
            CLOSED,
            0,
        ),
        ("no length, and a body", "HEAD\r\nEVENT\r\n\r\n".into(), &[400, 400], CLOSED, 0),
        (
            "an unknown expectation",
            format!("HEADExpect: wonders\r\n{}", "Content-Length: LENGTH\r\n\r\nEVENT"),
            &[202],
            OPEN,
            1,
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_one_write_are_answered_in_order_each_once() {
    let app = setup().await.start().await;
    let sender = app.sender(ORDERS).await;
    let request = |number: usize| {
        let event = event(&format!("c-{number}"));
        let head = format!("POST {} HTTP/1.1\r\nhost: g\r\ncontent-length: {}", sender.path(), event.len());
        format!("{head}\r\n\r\n{event}")
    };
    let mut wire = Wire::open(&app.url).await;
    wire.write((0..50).map(request).collect::<String>().as_bytes()).await.unwrap();
    for number in 0..50 {
        let answer = wire.answer().await.accepted("created");
        assert_eq!(app.record("orders", &answer).await["fields"]["code"], format!("c-{number}"));
    }
    assert!(is_open(&mut wire).await);
    assert_eq!((app.database().count("m_orders").await, app.database().count("events").await), (50, 50));
}

/// Half of a body, and the other half never: neither silence nor an end makes it an event.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_is_no_event() {
    let app = setup().await.start().await;
    let sender = app.sender(ORDERS).await;
    for (head, sent) in
        [("content-length: 100", event("never")), ("transfer-encoding: chunked", format!("64\r\n{}", event("never")))]
    {
        let mut wire = Wire::post(&sender, head).await;
        wire.write(sent.as_bytes()).await.unwrap();
        wire.finish().await;
        wire.answer().await.problem(400, "invalid_request");
        assert!(wire.is_closed().await);
        // Gone without a word.
        let mut wire = Wire::post(&sender, head).await;
        wire.write(sent.as_bytes()).await.unwrap();
        drop(wire);
        is_served(&app, &sender).await;
    }
    assert_eq!(app.database().count("m_orders").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_first_is_told_to_go_on_or_not() {
    let app = setup().await.start().await;
    let sender = app.sender(ORDERS).await;
    let mut wire = Wire::post(&sender, &format!("expect: 100-continue\r\ncontent-length: {}", event("A").len())).await;
    assert_eq!(wire.answer().await.status, 100);
    wire.write(event("A").as_bytes()).await.unwrap();
    wire.answer().await.accepted("created");
    assert!(is_open(&mut wire).await);

    let mut wire = Wire::post(&sender, "expect: 100-continue\r\ncontent-length: 99999999").await;
    wire.answer().await.problem(413, "body_too_large");
    assert!(wire.is_closed().await, "what was not asked for is not waited for");
}
