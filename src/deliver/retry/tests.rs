use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::{Just, Strategy, any, prop_oneof};

use super::*;
use crate::deliver::profile::profiles;

const STRICT: Jitter = Jitter { most_percent: 0, drawn: 0 };

fn now() -> Timestamp {
    "2026-01-02T03:04:05.000000Z".parse().unwrap()
}

fn reply(status: u16, retry_after: Option<&str>) -> Result<Reply, Failed> {
    let mut headers = HeaderMap::new();
    headers.extend(retry_after.map(|text| (header::RETRY_AFTER, HeaderValue::from_str(text).unwrap())));
    Ok(Reply { status, headers, body: Bytes::new() })
}

fn failed(class: ErrorClass) -> Result<Reply, Failed> {
    Err(Failed { class, detail: String::new() })
}

fn rule(retries: &[u32]) -> Rule<'_> {
    Rule { retries, jitter: STRICT, on_gone: OnGone::Disable, is_literal: false }
}

/// Seconds until the next attempt after one that failed, and for how many the endpoint rests.
fn waits(result: &Result<Reply, Failed>) -> (u64, Option<u64>) {
    match next(result, 1, rule(&[60]), now()) {
        Next::Again { at, slow } => (at.since(now()).as_secs(), slow.map(|slow| slow.as_secs())),
        other => panic!("{other:?}"),
    }
}

/// Seconds from the first attempt to each.
fn course(retries: &[u32]) -> Vec<u64> {
    let (mut at, mut attempt, mut course) = (now(), 1, vec![0]);
    while let Next::Again { at: later, slow } = next(&reply(500, None), attempt, rule(retries), at) {
        assert_eq!(slow, None);
        (at, attempt) = (later, attempt + 1);
        course.push(at.since(now()).as_secs());
    }
    course
}

#[test]
fn attempts_come_when_each_system_says() {
    let table: [(_, &[u64]); 5] = [
        ("collecta", &[0, 60, 180, 420, 900, 1860]),
        ("collectiq", &[0, 60, 360, 2160, 9360]),
        ("auction-excellence", &[0, 60, 360, 2160, 9360, 52560]),
        ("cliq", &[0, 60, 360, 2160, 9360]),
        ("standard-webhooks", &[0, 5, 305, 2105, 9305, 27305, 63305, 113_705, 185_705, 272_105]),
    ];
    for (profile, (name, wanted)) in profiles().iter().zip(table) {
        assert_eq!((profile.name.as_str(), course(&profile.retries).as_slice()), (name, wanted));
    }
    assert_eq!(course(&[]), [0], "no retries, one attempt");
}

#[test]
fn the_status_decides() {
    for status in [200, 201, 202, 204, 299] {
        assert_eq!(next(&reply(status, Some("7")), 1, rule(&[]), now()), Next::Delivered, "{status}");
    }
    for status in [100, 199, 300, 301, 302, 304, 400, 401, 404, 408, 422, 500, 501, 599] {
        assert_eq!(waits(&reply(status, None)), (60, None), "{status}");
    }
    for status in [429, 502, 503, 504] {
        assert_eq!(waits(&reply(status, None)), (60, Some(1)), "{status}");
        let last = next(&reply(status, Some("5")), 2, rule(&[60]), now());
        assert_eq!(last, Next::GivenUp { slow: Some(Duration::from_secs(5)) }, "{status}");
    }
    assert_eq!(next(&reply(410, None), 1, rule(&[60]), now()), Next::Gone);
    let patient = Rule { on_gone: OnGone::Retry, ..rule(&[60]) };
    assert!(matches!(next(&reply(410, None), 1, patient, now()), Next::Again { .. }));
}

#[test]
fn what_the_receiver_asks_for_is_honoured_within_bounds() {
    for (asked, wanted) in [
        ("120", (120, Some(120))),
        ("59", (60, Some(59))),
        ("0", (60, Some(1))),
        (" 90 ", (90, Some(90))),
        ("99999", (86_400, Some(86_400))),
        ("99999999999999999999999", (86_400, Some(86_400))),
        ("Fri, 02 Jan 2026 03:06:05 GMT", (120, Some(120))),
        ("Friday, 02-Jan-26 03:06:05 GMT", (120, Some(120))),
        ("Thu, 01 Jan 2026 03:06:05 GMT", (60, Some(1))),
        ("Fri, 31 Dec 9999 23:59:59 GMT", (86_400, Some(86_400))),
        ("1e30", (60, Some(1))),
        ("-5", (60, Some(1))),
        ("+120", (60, Some(1))),
        ("1.5", (60, Some(1))),
        ("", (60, Some(1))),
        ("soon", (60, Some(1))),
        ("120, 240", (60, Some(1))),
    ] {
        assert_eq!(waits(&reply(503, Some(asked))), wanted, "{asked}");
    }
    assert_eq!(waits(&reply(500, Some("120"))), (120, None), "asked for one delivery, not for all");
}

#[test]
fn without_an_answer_it_is_tried_again_where_that_can_help() {
    use ErrorClass::{Connect, Dns, Protocol, TargetNotAllowed, Timeout, Tls, Unsendable};
    for class in [Dns, Connect, Tls, Timeout, Protocol, TargetNotAllowed] {
        assert_eq!(waits(&failed(class)), (60, None), "{class:?}");
    }
    let literal = Rule { is_literal: true, ..rule(&[60]) };
    assert_eq!(next(&failed(TargetNotAllowed), 1, literal, now()), Next::GivenUp { slow: None });
    assert_eq!(next(&failed(Unsendable), 1, rule(&[60]), now()), Next::GivenUp { slow: None });
    assert!(matches!(next(&failed(Connect), 1, literal, now()), Next::Again { .. }));
}

#[test]
fn chance_only_lengthens_a_wait() {
    let wait = |drawn| Jitter { most_percent: 10, drawn }.stretch(Duration::from_secs(1_000)).as_millis();
    assert_eq!([wait(0), wait(1 << 15), wait(u16::MAX)], [1_000_000, 1_050_000, 1_099_998]);
}

fn results() -> impl Strategy<Value = Result<Reply, Failed>> {
    let text = prop_oneof![Just(None), "[0-9]{1,25}".prop_map(Some), "[ -~]{0,30}".prop_map(Some)];
    let classes = [ErrorClass::Dns, ErrorClass::TargetNotAllowed, ErrorClass::Timeout, ErrorClass::Unsendable];
    prop_oneof![
        (100_u16..=599, text).prop_map(|(status, text)| reply(status, text.as_deref())),
        (0..classes.len()).prop_map(move |place| failed(classes[place])),
    ]
}

proptest::proptest! {
    #[test]
    fn the_next_attempt_is_never_in_the_past_and_there_is_an_end(
        result in results(),
        retries in proptest::collection::vec(any::<u32>(), 0..8),
        attempt in 0_u32..12,
        drawn in any::<u16>(),
        micros in 0_i64..4_102_444_800_000_000,
        is_literal in any::<bool>(),
    ) {
        let now = Timestamp::from_micros(micros).unwrap();
        let jitter = Jitter { most_percent: 100, drawn };
        let rule = Rule { retries: &retries, jitter, on_gone: OnGone::Retry, is_literal };
        let next = next(&result, attempt, rule, now);
        if let Next::Again { at, .. } = next {
            let planned = u64::from(retries[usize::try_from(attempt.max(1) - 1).unwrap()]);
            let most = Duration::from_secs(2 * planned).max(LONGEST_WAIT);
            proptest::prop_assert!(at.since(now) >= Duration::from_secs(planned) && at.since(now) <= most);
        }
        if let Next::Again { slow: Some(slow), .. } | Next::GivenUp { slow: Some(slow) } = next {
            proptest::prop_assert!(slow >= SHORT_REST && slow <= LONGEST_WAIT);
        }
        if usize::try_from(attempt).unwrap() > retries.len() {
            let is_again = matches!(next, Next::Again { .. });
            proptest::prop_assert!(!is_again);
        }
    }
}
