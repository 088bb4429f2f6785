use super::*;
use crate::clock::Timestamp;

const MICRO: Duration = Duration::from_micros(1);

fn clock() -> Clock {
    Clock::manual("2026-01-02T03:04:05Z".parse().unwrap())
}

fn quota(per_minute: u32, burst: u32) -> Quota {
    Quota::new(per_minute, Some(burst)).unwrap()
}

fn passed(limiter: &Limiter, tries: usize) -> usize {
    (0..tries).filter(|_| limiter.take().is_ok()).count()
}

#[test]
fn a_burst_passes_then_one_each_interval() {
    for (quota, interval) in [
        (quota(60, 60), Duration::from_secs(1)),
        (quota(60, 5), Duration::from_secs(1)),
        (quota(1, 1), Duration::from_mins(1)),
        (quota(6_000, 600), Duration::from_millis(10)),
    ] {
        let clock = clock();
        let limiter = Limiter::new(quota, clock.clone());
        assert_eq!(passed(&limiter, 2_000), quota.burst() as usize);
        for _ in 0..200 {
            clock.advance(interval - MICRO);
            assert_eq!(passed(&limiter, 3), 0);
            clock.advance(MICRO);
            assert_eq!(passed(&limiter, 3), 1);
        }
        clock.advance(Duration::from_hours(24));
        assert_eq!(passed(&limiter, 2_000), quota.burst() as usize, "a rest fills the burst, no more");
    }
}

#[test]
fn what_is_left_is_what_would_pass() {
    for quota in [quota(60, 10), quota(6_000, 3), quota(1, 1), quota(999_983, 50)] {
        let clock = clock();
        let limiter = Limiter::new(quota, clock.clone());
        assert_eq!(limiter.remaining(), quota.burst());
        for step in [0, 1, 400_000, 999_999, 1, 7_000_000, 60_000_000, 3_600_000_000] {
            clock.advance(Duration::from_micros(step));
            let taken = usize::try_from(step % 5).unwrap();
            passed(&limiter, taken);
            let left = limiter.remaining();
            assert_eq!(limiter.remaining(), left, "looking takes nothing");
            let twin = Limiter::new(quota, clock.clone());
            passed(&twin, (quota.burst() - left) as usize);
            assert_eq!(twin.remaining(), left);
        }
        let left = limiter.remaining();
        assert_eq!(passed(&limiter, 100), left as usize);
        assert_eq!(limiter.remaining(), 0);
    }
}

#[test]
fn retry_after_is_the_true_wait() {
    let clock = clock();
    let limiter = Limiter::new(quota(60, 10), clock.clone());
    assert_eq!(passed(&limiter, 10), 10);
    for elapsed in [0, 1, 250_000, 999_999] {
        clock.advance(Duration::from_micros(elapsed));
        let wait = limiter.take().unwrap_err().retry_after;
        clock.advance(wait - MICRO);
        assert_eq!(limiter.take().unwrap_err().retry_after, MICRO);
        clock.advance(MICRO);
        assert_eq!(limiter.take(), Ok(()));
    }
}

#[test]
fn who_waits_for_retry_after_passes_at_any_rate() {
    for per_minute in [1, 7, 59, 61, 997, 999_983, 1_000_000] {
        let clock = clock();
        let limiter = Limiter::new(quota(per_minute, 1), clock.clone());
        assert_eq!(limiter.take(), Ok(()));
        for _ in 0..50 {
            let wait = limiter.take().unwrap_err().retry_after;
            // The test's clock ticks in microseconds, so the wait is rounded up to them.
            clock.advance(wait + Duration::from_nanos(999));
            assert_eq!(limiter.take(), Ok(()), "{per_minute}");
        }
    }
}

#[test]
fn another_source_does_not_notice() {
    let now = Timestamp::default();
    let (noisy, quiet) = (SourceId::new(now), SourceId::new(now));
    let limiters = Limiters::new(clock()).renew([(noisy, Quota::default()), (quiet, Quota::default())]);
    assert_eq!(passed(limiters.of(noisy).unwrap(), 1_000), 60);
    assert_eq!(passed(limiters.of(quiet).unwrap(), 60), 60);
}

#[test]
fn a_reload_keeps_what_is_used_up_unless_the_quota_changed() {
    let now = Timestamp::default();
    let (same, changed, gone) = (SourceId::new(now), SourceId::new(now), SourceId::new(now));
    let before = Limiters::new(clock()).renew([same, changed, gone].map(|source| (source, quota(60, 3))));
    for source in [same, changed, gone] {
        assert_eq!(passed(before.of(source).unwrap(), 9), 3);
    }
    let after = before.renew([(same, quota(60, 3)), (changed, quota(60, 4))]);
    assert_eq!(passed(after.of(same).unwrap(), 9), 0);
    assert_eq!(passed(after.of(changed).unwrap(), 9), 4);
    assert!(after.of(gone).is_none());
    assert!(Arc::ptr_eq(before.of(same).unwrap(), after.of(same).unwrap()));
}

#[test]
fn a_refusal_tells_limit_and_wait() {
    let over = Over { retry_after: Duration::from_millis(11_001), quota: Quota::default() };
    let problem = Problem::from(over);
    assert_eq!(problem.code(), Code::RateLimited);
    assert_eq!(problem.retry_after(), Some(over.retry_after));
    let headers = over.headers();
    let written: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let expected = [
        ("ratelimit", "\"default\";r=0;t=12"),
        ("ratelimit-policy", "\"default\";q=60;w=60"),
        ("x-ratelimit-limit", "60"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "12"),
    ];
    assert_eq!(written, expected);
}
