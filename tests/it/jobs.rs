//! Long work: counted first, done in steps, rated, ended, and carried on wherever it was.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::app::{App, Setup, text};
use crate::client::Answer;
use crate::database::Engine;
use crate::process::{Process, tidegate};
use crate::seeded::{
    SETTLED_AT, Settled, delete, drain, endpoint, execute, job, key, put_due, redeliver, sent, take_what_is_due, time,
};

both!(
    a_dry_run_counts_and_a_job_sends_just_those,
    what_makes_no_sense_is_no_job,
    a_job_keeps_to_its_rate,
    two_jobs_run_at_once_and_the_others_wait_in_order,
    a_cancelled_job_takes_no_further_step,
    a_job_goes_on_after_a_restart,
    a_job_of_a_process_that_died_goes_on,
    a_step_under_a_lost_claim_does_nothing,
    a_job_that_cannot_go_on_says_so,
    an_unavailable_database_delays_a_job,
    twenty_thousand_deliveries_fit_in_little_memory,
    viewers_read_and_editors_act,
    the_command_line_shows_and_ends_jobs,
);

const SECOND: Duration = Duration::from_secs(1);

async fn a_dry_run_counts_and_a_job_sends_just_those(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let place = app.database();
    let (one, two, off) =
        (endpoint(place, "enabled").await, endpoint(place, "enabled").await, endpoint(place, "disabled").await);
    let deleted = tidegate::id::EndpointId::new(time(SETTLED_AT));
    let failed = Settled::failed(one).put(place, 0, 3).await;
    let delivered = Settled { state: "delivered", ..Settled::failed(one) }.put(place, 10, 2).await;
    let other = Settled { event: "status_change", ..Settled::failed(one) }.put(place, 20, 1).await;
    let later = Settled { at: "2026-03-04T11:30:00Z", ..Settled::failed(two) }.put(place, 30, 2).await;
    Settled::failed(off).put(place, 40, 2).await;
    Settled::failed(deleted).put(place, 50, 1).await;
    let due = Settled::failed(two).put(place, 60, 1).await;
    put_due(place, &due[0], "run_at = 5").await;
    let all = |lists: &[&Vec<String>]| lists.iter().flat_map(|list| list.iter().cloned()).collect::<Vec<_>>();
    for (filter, expected, skipped) in [
        (json!({}), all(&[&failed, &other, &later]), 4),
        (json!({ "state": "all", "endpoint": one }), all(&[&failed, &delivered, &other]), 0),
        (json!({ "state": "delivered" }), delivered.clone(), 0),
        (json!({ "type": "status_change" }), other.clone(), 0),
        (json!({ "from": "2026-03-04T11:30:00Z", "to": "2026-03-04T11:30:00Z" }), later.clone(), 0),
        (json!({ "webhook": one, "to": "2026-03-04T10:59:59.999999Z" }), Vec::new(), 0),
        (json!({ "endpoint": off }), Vec::new(), 2),
    ] {
        let (mut dry, jobs) = (filter.clone(), app.database().count("jobs").await);
        dry["kind"] = json!("redeliver");
        dry["dryRun"] = json!(true);
        let answer = app.post("/api/v1/jobs", dry).await;
        assert_eq!(answer.status, 200);
        let counted = answer.json();
        assert_eq!((&counted["total"], &counted["skipped"]), (&json!(expected.len()), &json!(skipped)), "{filter}");
        assert_eq!((place.count("due").await, place.count("jobs").await), (1, jobs), "a dry run writes nothing");

        let id = redeliver(&app, filter.clone()).await;
        let done = drain(&app, &id).await;
        let told = ["state", "total", "done", "skipped"].map(|name| done[name].clone());
        assert_eq!(told, [json!("done"), json!(expected.len()), json!(expected.len()), json!(skipped)], "{filter}");
        let now = app.setup.clock.now().micros();
        let resent =
            format!("due WHERE lane = 2 AND run_at = {now} AND claim IS NULL AND ordered = 0 AND attempts = 6");
        assert_eq!(place.count(&resent).await, expected.len(), "{filter}");
        let rows = place.rows("SELECT id FROM due WHERE lane = 2 ORDER BY id").await;
        let rows = rows.into_iter().map(|row| row[0].clone().unwrap()).collect::<Vec<_>>();
        assert_eq!(rows, sorted(expected), "{filter}");
        assert_eq!(place.count("due WHERE run_at = 5 AND lane = 1").await, 1, "what is due already is left alone");
        execute(place, "DELETE FROM due WHERE lane = 2").await;
    }
    assert_eq!(place.count("deliveries").await, 12, "what is settled stays");
    assert_eq!(place.count("audit WHERE action = 'job.create'").await, 7);
    assert_eq!(app.list("/jobs", 3).await.len(), 7, "listed page by page");
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

async fn what_makes_no_sense_is_no_job(app: App) {
    for body in [
        json!({}),
        json!({ "kind": "sweep" }),
        json!({ "kind": "redeliver", "state": "lost" }),
        json!({ "kind": "redeliver", "endpoint": "whk_1" }),
        json!({ "kind": "redeliver", "from": "yesterday" }),
        json!({ "kind": "redeliver", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }),
        json!({ "kind": "redeliver", "perMinute": 0 }),
        json!({ "kind": "redeliver", "colour": "red" }),
    ] {
        app.post("/api/v1/jobs", body.clone()).await.problem(400, "invalid_request");
    }
    assert_eq!(app.database().count("jobs").await, 0);
    let none = format!("/jobs/job_{}", "0".repeat(26));
    app.get(&format!("/api/v1{none}")).await.problem(404, "not_found");
    delete(&app, &none).await.problem(404, "not_found");
    delete(&app, "/jobs/x").await.problem(404, "not_found");
}

/// A gateway whose clock stands, an endpoint, and so many failed deliveries to it, which are taken when they are due.
async fn seeded(setup: Setup, count: i64) -> (App, Vec<String>) {
    let app = setup.with_stopped_clock().start().await;
    let one = endpoint(app.database(), "enabled").await;
    take_what_is_due(app.database()).await;
    let ids = Settled::failed(one).put(app.database(), 0, count).await;
    (app, sorted(ids))
}

async fn rounds(app: &App) {
    for _ in 0..3 {
        app.do_jobs().await;
    }
}

async fn a_job_keeps_to_its_rate(setup: Setup) {
    let (app, ids) = seeded(setup, 25).await;
    let id = redeliver(&app, json!({ "perMinute": 600 })).await;
    for expected in [10, 20] {
        rounds(&app).await;
        assert_eq!(sent(app.database()).await, ids[..expected], "ten a second, in order");
        app.setup.clock.advance(SECOND);
    }
    assert_eq!(drain(&app, &id).await["done"], 25);
    assert_eq!(sent(app.database()).await, ids);
    // One a minute, which is longer than a claim is held.
    let id = redeliver(&app, json!({ "perMinute": 1, "type": "record_created" })).await;
    rounds(&app).await;
    app.setup.clock.advance(SECOND * 59);
    rounds(&app).await;
    assert_eq!(job(&app, &id).await["done"], 1);
    app.setup.clock.advance(SECOND);
    rounds(&app).await;
    assert_eq!(job(&app, &id).await["done"], 2);
}

async fn two_jobs_run_at_once_and_the_others_wait_in_order(setup: Setup) {
    let (app, _) = seeded(setup, 20).await;
    let mut jobs = Vec::new();
    for _ in 0..4 {
        // Jobs of one instant have no order.
        app.setup.clock.advance(Duration::from_millis(1));
        jobs.push(redeliver(&app, json!({ "perMinute": 600 })).await);
    }
    rounds(&app).await;
    let states = async || {
        let mut states = Vec::new();
        for id in &jobs {
            states.push(text(&job(&app, id).await["state"]).to_owned());
        }
        states
    };
    assert_eq!(states().await, ["running", "running", "queued", "queued"]);
    delete(&app, &format!("/jobs/{}", jobs[0])).await.done();
    app.setup.clock.advance(SECOND / 2);
    rounds(&app).await;
    assert_eq!(states().await, ["cancelled", "running", "queued", "queued"], "noticed when its step is due");
    app.setup.clock.advance(SECOND / 2);
    rounds(&app).await;
    assert_eq!(states().await, ["cancelled", "done", "running", "running"]);
}

async fn a_cancelled_job_takes_no_further_step(setup: Setup) {
    let (app, ids) = seeded(setup, 30).await;
    let id = redeliver(&app, json!({ "perMinute": 600 })).await;
    rounds(&app).await;
    let cancelled = delete(&app, &format!("/jobs/{id}")).await.done();
    assert_eq!((&cancelled["state"], &cancelled["done"]), (&json!("cancelled"), &json!(10)));
    assert!(cancelled["finishedAt"].is_string(), "{cancelled}");
    app.setup.clock.advance(SECOND * 60);
    rounds(&app).await;
    assert_eq!(job(&app, &id).await, cancelled);
    assert_eq!(sent(app.database()).await, ids[..10]);
    delete(&app, &format!("/jobs/{id}")).await.problem(409, "conflict");
    assert_eq!(app.database().count("audit WHERE action = 'job.cancel'").await, 1);
}

async fn a_job_goes_on_after_a_restart(setup: Setup) {
    let (mut app, ids) = seeded(setup, 35).await;
    let id = redeliver(&app, json!({ "perMinute": 600 })).await;
    for expected in [10, 20, 30] {
        rounds(&app).await;
        assert_eq!(sent(app.database()).await, ids[..expected]);
        app = app.restart().await;
        rounds(&app).await;
        assert_eq!(sent(app.database()).await, ids[..expected], "its rate holds across the restart");
        app.setup.clock.advance(SECOND);
    }
    assert_eq!(drain(&app, &id).await["done"], 35);
    assert_eq!(sent(app.database()).await, ids);
}

/// What a killed process leaves: a claim that nobody gives back.
async fn a_job_of_a_process_that_died_goes_on(setup: Setup) {
    let (app, ids) = seeded(setup, 20).await;
    let id = redeliver(&app, json!({ "perMinute": 600 })).await;
    rounds(&app).await;
    let setup = app.stop().await;
    let (dead, until) = (tidegate::id::ReplicaId::new(setup.clock.now()), setup.clock.now().after(SECOND * 30));
    let sql = format!("UPDATE jobs SET claim = '{dead}/4', lease_until = {}", until.micros());
    execute(setup.database(), &sql).await;
    let app = setup.start().await;
    app.setup.clock.advance(SECOND * 29);
    rounds(&app).await;
    let expected = if app.database().engine() == Engine::Sqlite { 20 } else { 10 };
    assert_eq!(sent(app.database()).await, ids[..expected], "only a lone gateway knows that nobody else lives");
    app.setup.clock.advance(SECOND);
    assert_eq!(drain(&app, &id).await["done"], 20);
    assert_eq!(sent(app.database()).await, ids);
}

async fn a_step_under_a_lost_claim_does_nothing(setup: Setup) {
    let (app, ids) = seeded(setup, 30).await;
    let id = redeliver(&app, json!({ "perMinute": 600 })).await;
    rounds(&app).await;
    let until = app.setup.clock.now().after(SECOND * 30);
    let sql = format!("UPDATE jobs SET claim = 'someone/1', lease_until = {}", until.micros());
    execute(app.database(), &sql).await;
    app.setup.clock.advance(SECOND);
    rounds(&app).await;
    assert_eq!((sent(app.database()).await.len(), &job(&app, &id).await["done"]), (10, &json!(10)));
    app.setup.clock.advance(SECOND * 30);
    for _ in 0..2 {
        rounds(&app).await;
        app.setup.clock.advance(SECOND);
    }
    assert_eq!(sent(app.database()).await, ids, "taken again when the other's lease has ended");
}

async fn a_job_that_cannot_go_on_says_so(setup: Setup) {
    let (app, ids) = seeded(setup, 20).await;
    let id = redeliver(&app, json!({ "perMinute": 600 })).await;
    rounds(&app).await;
    execute(app.database(), "UPDATE jobs SET spec = '{\"state\":\"odd\"}'").await;
    let setup = app.stop().await;
    let app = setup.start().await;
    app.setup.clock.advance(SECOND);
    let failed = drain(&app, &id).await;
    assert_eq!((&failed["state"], &failed["done"]), (&json!("failed"), &json!(10)));
    assert!(text(&failed["error"]).contains("log"), "{failed}");
    assert_eq!(sent(app.database()).await, ids[..10]);
}

async fn an_unavailable_database_delays_a_job(setup: Setup) {
    let (app, ids) = seeded(setup, 20).await;
    let id = redeliver(&app, json!({ "perMinute": 600 })).await;
    rounds(&app).await;
    let held = app.database().hold("due").await;
    app.setup.clock.advance(SECOND);
    app.do_jobs().await;
    held.let_go().await;
    let waiting = job(&app, &id).await;
    assert_eq!((&waiting["state"], &waiting["done"]), (&json!("running"), &json!(10)), "{waiting}");
    app.setup.clock.advance(SECOND * 2);
    assert_eq!(drain(&app, &id).await["state"], "done");
    assert_eq!(sent(app.database()).await, ids);
}

/// Each job does its steps once, though replicas take it from each other at any point.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_take_jobs_from_each_other() {
    let one = Setup::new(Engine::Postgres).await.start().await;
    let two = one.setup.replica().start().await;
    let place = one.database();
    take_what_is_due(place).await;
    let (mut ids, mut jobs) = (Vec::new(), Vec::new());
    for first in 0..4 {
        let endpoint = endpoint(place, "enabled").await;
        ids.extend(Settled::failed(endpoint).put(place, first * 1_000, 1_000).await);
        jobs.push(redeliver(&one, json!({ "endpoint": endpoint })).await);
    }
    while place.count("jobs WHERE state IN ('queued', 'running')").await > 0 {
        tokio::join!(
            one.do_jobs(),
            two.do_jobs(),
            execute(place, "UPDATE jobs SET lease_until = 0 WHERE state = 'running'")
        );
    }
    for id in &jobs {
        let job = job(&two, id).await;
        assert_eq!((&job["state"], &job["done"], &job["skipped"]), (&json!("done"), &json!(1_000), &json!(0)), "{job}");
    }
    assert_eq!(sent(place).await, sorted(ids));
    two.stop().await;
}

async fn twenty_thousand_deliveries_fit_in_little_memory(setup: Setup) {
    let process = Process::start(&setup).await;
    let place = setup.database();
    let one = endpoint(place, "enabled").await;
    take_what_is_due(place).await;
    for first in 0..10 {
        Settled::failed(one).put(place, first * 2_000, 2_000).await;
    }
    let before = process.memory();
    let id = redeliver(&process.admin, json!({})).await;
    let (mut seen, mut last) = (Vec::new(), Value::Null);
    while last["state"] != "done" {
        last = job(&process.admin, &id).await;
        seen.push(last["done"].as_u64().unwrap());
    }
    assert_eq!((&last["total"], &last["done"]), (&json!(20_000), &json!(20_000)));
    assert!(seen.iter().all(|done| done % 250 == 0), "steps of 250: {seen:?}");
    assert_eq!(sent(place).await.len(), 20_000);
    let grown = process.peak_memory().saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes for 20,000 deliveries");
}

async fn viewers_read_and_editors_act(app: App) {
    let (viewer, editor) = (key(&app, "viewer").await, key(&app, "editor").await);
    let endpoint = endpoint(app.database(), "enabled").await;
    let ids = Settled::failed(endpoint).put(app.database(), 0, 1).await;
    let made = redeliver(&app, json!({ "type": "nothing" })).await;
    let call = async |method: &Method, path: &str, key: &str| {
        let request = app.request(method.clone(), &format!("/api/v1{path}")).bearer_auth(key);
        Answer::to(request.header("content-type", "application/json").body(r#"{"kind":"redeliver","type":"x"}"#)).await
    };
    for (method, path, status) in [
        (Method::POST, "/jobs".to_owned(), 201),
        (Method::DELETE, format!("/jobs/{made}"), 409),
        (Method::POST, format!("/deliveries/{}/retry", ids[0]), 202),
    ] {
        drain(&app, &made).await;
        call(&method, &path, &app.key[..20]).await.problem(401, "key_invalid");
        call(&method, &path, &viewer).await.problem(403, "forbidden");
        assert_eq!(call(&method, &path, &editor).await.status, status, "{path}");
    }
    for path in [
        "/jobs".to_owned(),
        format!("/jobs/{made}"),
        format!("/webhooks/{endpoint}/deliveries"),
        format!("/deliveries/{}", ids[0]),
    ] {
        call(&Method::GET, &path, "tgk_nobody").await.problem(401, "key_invalid");
        assert_eq!(call(&Method::GET, &path, &viewer).await.status, 200, "{path}");
    }
}

async fn the_command_line_shows_and_ends_jobs(setup: Setup) {
    let process = Process::start(&setup).await;
    let one = endpoint(setup.database(), "enabled").await;
    Settled::failed(one).put(setup.database(), 0, 500).await;
    let (address, admin_key) = (process.admin.url.clone(), process.admin.key.clone());
    let run = |arguments: &[&str]| {
        tidegate(setup.folder(), arguments, &[("TIDEGATE_URL", &address), ("TIDEGATE_KEY", &admin_key)])
    };
    let quick = redeliver(&process.admin, json!({})).await;
    let (code, stdout) = run(&["job", "show", "--follow", "--json", &quick]);
    let done: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &done["state"], &done["done"]), (0, &json!("done"), &json!(500)), "{stdout}");
    execute(setup.database(), "DELETE FROM due").await;
    let slow = redeliver(&process.admin, json!({ "perMinute": 1 })).await;
    let (code, stdout) = run(&["job", "cancel", &slow]);
    assert!(code == 0 && stdout.contains("cancelled"), "{stdout}");
    assert_eq!(run(&["job", "cancel", &slow]).0, 1);
    assert_eq!(run(&["job", "show", "--follow", &slow]).0, 1);
    let (code, stdout) = run(&["job", "list"]);
    let lines = stdout.lines().collect::<Vec<_>>();
    assert!(code == 0 && lines.len() == 3 && lines[1].contains(&slow) && lines[2].contains("500 of 500"), "{stdout}");
}
