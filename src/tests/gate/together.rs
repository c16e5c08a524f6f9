//! Calls at the same time: places, their holds, and who gives them back.

use super::{Given, Scene, key, known};
use crate::support::{TestApp, model_runner, until};
use futures_util::future::join_all;
use proptest::{prelude::*, sample::Index, strategy::ValueTree};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::sync::atomic::{AtomicUsize, Ordering};
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit, Over, TryCall, Window},
        server::{
            edit_key,
            gate::{Gate, Hold, Question},
            key_detail, try_call,
        },
    },
    values::{KeyId, Outcome},
};

/// So many calls at the same time, each for half a minute at most.
fn open(limit: u64) -> KeyLimit {
    KeyLimit::new("open", limit, Window::CONCURRENT)
}

async fn set(app: &TestApp, key: KeyId, limits: Vec<KeyLimit>) {
    edit_key(&app.ctx, &Caller::cli(), key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
}

/// A scene whose key has this limit.
async fn scene(db: PgPool, limit: u64) -> Scene {
    let scene = Scene::with(db, Given::default()).await;
    set(&scene.app, scene.key, vec![open(limit)]).await;
    scene
}

async fn ask(scene: &Scene) -> Value {
    scene.ask(json!({ "key": scene.secret, "api": "demo" })).await.1
}

/// The hold of a call that passes.
async fn hold(scene: &Scene) -> String {
    let body = ask(scene).await;
    body["hold"]["id"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}

async fn release(app: &TestApp, service: &str, body: Value) -> (u16, Value) {
    let answer = app.http.post(app.url("/api/v1/keys/release")).bearer_auth(service).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// How many are taken, as this node knows.
fn taken(app: &TestApp, key: KeyId) -> u64 {
    app.ctx.part::<Gate>().unwrap().limit_state(key, app.ctx.clock.now_micros())[0].used
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_fifty_calls_at_once_three_pass_and_each_that_ends_lets_the_next_one_pass(db: PgPool) {
    let scene = scene(db, 3).await;
    let answers = join_all((0..50).map(|_| ask(&scene))).await;
    let holds: Vec<String> = answers.iter().filter_map(|body| body["hold"]["id"].as_str().map(str::to_owned)).collect();
    assert_eq!((holds.len(), answers.iter().filter(|body| body["valid"] == true).count()), (3, 3));
    assert_eq!(answers.iter().find(|body| body["valid"] == true).unwrap()["hold"]["expires_at"], "2026-11-20T12:00:30Z");
    let refused = answers.iter().find(|body| body["valid"] == false).unwrap();
    assert_eq!((&refused["code"], &refused["retry_after"], &refused["hold"]), (&json!("RATE_LIMITED"), &json!(30), &Value::Null));
    assert_eq!(refused["limits"], json!([{ "name": "open", "limit": 3, "remaining": 0, "reset_after": 30 }]));

    let back = json!({ "hold": holds[0] });
    let (status, body) = release(&scene.app, &scene.service, back.clone()).await;
    assert_eq!((status, &body), (200, &json!({ "released": true, "data": [{ "hold": holds[0], "released": true, "sent_on": false }] })));
    let (status, body) = release(&scene.app, &scene.service, back).await;
    assert_eq!((status, &body["released"]), (200, &json!(false)), "twice is once");
    let again = join_all((0..5).map(|_| ask(&scene))).await;
    assert_eq!(again.iter().filter(|body| body["valid"] == true).count(), 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_place_that_nobody_gives_back_ends_by_itself(db: PgPool) {
    let scene = scene(db, 1).await;
    let first = hold(&scene).await;
    let clock = &scene.app.ctx.clock;
    clock.advance(Duration::seconds(29));
    let refused = ask(&scene).await;
    assert_eq!((&refused["code"], &refused["retry_after"]), (&json!("RATE_LIMITED"), &json!(1)));
    clock.advance(Duration::SECOND);
    hold(&scene).await;
    let (_, body) = release(&scene.app, &scene.service, json!({ "hold": first })).await;
    assert_eq!((&body["released"], taken(&scene.app, scene.key)), (&json!(false), 1), "it frees nobody else's");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_call_that_another_limit_refuses_takes_no_place_and_the_other_way_round(db: PgPool) {
    let scene = scene(db, 1).await;
    set(&scene.app, scene.key, vec![KeyLimit::new("day", 2, Window::DAY), open(1)]).await;
    let remaining = |body: &Value| [0usize, 1].map(|at| body["limits"][at]["remaining"].as_u64().unwrap());
    let first = hold(&scene).await;
    let refused = ask(&scene).await;
    assert_eq!((&refused["code"], remaining(&refused)), (&json!("RATE_LIMITED"), [1, 0]), "the day is charged for the call that passed only");
    release(&scene.app, &scene.service, json!({ "hold": first })).await;
    let second = hold(&scene).await;
    release(&scene.app, &scene.service, json!({ "hold": second })).await;
    let refused = ask(&scene).await;
    assert_eq!((&refused["code"], remaining(&refused)), (&json!("QUOTA_EXCEEDED"), [0, 1]), "no place is taken");

    // A question that costs nothing takes none either.
    set(&scene.app, scene.key, vec![open(1)]).await;
    let (_, asked) = scene.ask(json!({ "key": scene.secret, "cost": 0 })).await;
    assert_eq!((&asked["valid"], &asked["hold"], taken(&scene.app, scene.key)), (&json!(true), &Value::Null, 0));
    let (_, dear) = scene.ask(json!({ "key": scene.secret, "cost": 5 })).await;
    assert_eq!((&dear["valid"], taken(&scene.app, scene.key)), (&json!(true), 1), "a call is one, whatever it costs");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn proxies_are_told_the_hold_and_the_unit(db: PgPool) {
    let scene = scene(db, 1).await;
    let call = async |path: &str| scene.app.http.get(scene.app.url(path)).bearer_auth(&scene.secret).send().await.unwrap();
    let passed = call("/forward-auth/demo").await;
    let header = |answer: &reqwest::Response, name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((passed.status().as_u16(), header(&passed, "ratelimit")), (200, r#""open";r=0;t=30"#.to_owned()));
    assert_eq!(header(&passed, "ratelimit-policy"), r#""open";q=1;qu="concurrent-requests""#);

    let refused = call("/forward-auth/demo").await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, "30".to_owned()));
    assert!(!refused.headers().contains_key("x-hold"));
    let body: Value = refused.json().await.unwrap();
    assert_eq!((&body["code"], &body["violated-policies"]), (&json!("RATE_LIMITED"), &json!(["open"])));
    assert!(body["detail"].as_str().unwrap().ends_with("when one of them has ended."), "no window ends: {body}");
    let nginx = call("/forward-auth/demo/nginx").await;
    assert_eq!((nginx.status().as_u16(), header(&nginx, "x-auth-status")), (403, "429".to_owned()));

    let (_, released) = release(&scene.app, &scene.service, json!({ "hold": header(&passed, "x-hold") })).await;
    assert_eq!(released["released"], true);
    assert_eq!(call("/forward-auth/demo").await.status(), 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn many_are_given_back_at_once_and_nonsense_is_named(db: PgPool) {
    let scene = scene(db.clone(), 10_000).await;
    let holds = join_all((0..100).map(|_| hold(&scene))).await;
    assert_eq!(taken(&scene.app, scene.key), 100);
    let (status, body) = release(&scene.app, &scene.service, json!({ "holds": holds })).await;
    assert_eq!((status, &body["released"], body["data"].as_array().unwrap().len()), (200, &json!(true), 100));
    assert_eq!(taken(&scene.app, scene.key), 0);

    // Another place of the same key: what nobody was answered frees nothing.
    let other: Hold = hold(&scene).await.parse().unwrap();
    let guessed = other.to_string()[..66].to_owned() + "AAA";
    assert_eq!(release(&scene.app, &scene.service, json!({ "hold": guessed })).await.1["released"], false);
    let many: Vec<String> = vec![other.to_string(); 101];
    for (wrong, pointer) in [
        (json!({}), "#/hold"),
        (json!({ "hold": "nonsense" }), "#/hold"),
        (json!({ "holds": [other.to_string(), "key_1"] }), "#/holds/1"),
        (json!({ "holds": many }), "#/holds"),
    ] {
        let (status, body) = release(&scene.app, &scene.service, wrong.clone()).await;
        assert_eq!((status, &body["errors"][0]["pointer"]), (422, &json!(pointer)), "{wrong}");
    }
    assert_eq!(release(&scene.app, &scene.service, json!({ "key": "x" })).await.0, 422);
    assert_eq!(taken(&scene.app, scene.key), 1, "what was wrong freed nothing");

    let stranger = Given { api: "tollgate", permissions: &["keys:read"], limit: None };
    let (id, stranger) = key(&db, &scene.app, &scene.owner, stranger).await;
    known(&scene.app, id).await;
    assert_eq!(release(&scene.app, &stranger, json!({ "hold": other.to_string() })).await.0, 403);
    assert_eq!(release(&scene.app, "nobody", json!({ "hold": other.to_string() })).await.0, 401);
    assert_eq!(scene.app.get("/api/v1/keys/release").await.status(), 405);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_lowered_limit_ends_no_call_and_another_hold_forgets_none(db: PgPool) {
    let scene = scene(db, 3).await;
    let holds = join_all((0..3).map(|_| hold(&scene))).await;
    set(&scene.app, scene.key, vec![KeyLimit::new("open", 2, Window::Concurrent(60))]).await;
    assert_eq!((taken(&scene.app, scene.key), &ask(&scene).await["code"]), (3, &json!("RATE_LIMITED")));
    for (back, valid) in holds.iter().zip([false, true]) {
        assert_eq!(release(&scene.app, &scene.service, json!({ "hold": back })).await.1["released"], true);
        assert_eq!(ask(&scene).await["valid"], valid, "two of two go on, then one");
    }
    scene.execute("update keys set state = 'revoked' where id = $1").await;
    until("it is revoked", || async { scene.code().await == "REVOKED" }).await;
    assert_eq!(release(&scene.app, &scene.service, json!({ "hold": holds[2] })).await.1["released"], true, "places of a revoked key end as others");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn keys_of_a_workspace_share_its_places(db: PgPool) {
    let scene = Scene::with(db.clone(), Given::default()).await;
    let (second, secret) = key(&db, &scene.app, &scene.owner, Given::default()).await;
    known(&scene.app, second).await;
    tollgate::plans::server::set_workspace_limits(&scene.app.ctx, &Caller::cli(), scene.owner.workspace, vec![open(1)]).await.unwrap();
    let hold = hold(&scene).await;
    let other = json!({ "key": secret, "api": "demo" });
    assert_eq!(scene.ask(other.clone()).await.1["code"], "RATE_LIMITED");
    release(&scene.app, &scene.service, json!({ "hold": hold })).await;
    assert_eq!(scene.ask(other).await.1["valid"], true);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn our_own_api_gives_places_back_by_itself(db: PgPool) {
    let scene = Scene::with(db.clone(), Given::default()).await;
    let (own, secret) = key(&db, &scene.app, &scene.owner, Given { api: "tollgate", permissions: &["keys:read"], limit: None }).await;
    known(&scene.app, own).await;
    set(&scene.app, own, vec![open(1)]).await;
    for _ in 0..3 {
        let answer = scene.app.http.get(scene.app.url("/api/v1/keys")).bearer_auth(&secret).send().await.unwrap();
        let policy = answer.headers()["ratelimit-policy"].to_str().unwrap();
        assert_eq!((answer.status().as_u16(), policy), (200, r#""open";q=1;qu="concurrent-requests""#));
    }
    assert_eq!(taken(&scene.app, own), 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_limit_of_calls_at_the_same_time_may_not_be_is_named(db: PgPool) {
    let scene = Scene::with(db, Given::default()).await;
    let wrong = async |limits: Vec<KeyLimit>, field: &str| {
        let edit = KeyEdit { limits: Some(limits), ..KeyEdit::default() };
        let error = edit_key(&scene.app.ctx, &Caller::cli(), scene.key, edit).await.err().unwrap();
        assert!(error.field(field).is_some(), "{field}: {error:?}");
    };
    wrong(vec![open(10_001)], "limits.0.limit").await;
    wrong(vec![KeyLimit::new("open", 1, Window::Concurrent(3_601))], "limits.0.window").await;
    wrong(vec![open(1), KeyLimit::new("more", 1, Window::Concurrent(60))], "limits.1.window").await;
    wrong(vec![KeyLimit { over: Over::throttle(5).unwrap(), ..open(1) }], "limits.0.over").await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn beyond_a_limit_that_marks_calls_pass_without_a_place(db: PgPool) {
    let scene = Scene::with(db, Given::default()).await;
    set(&scene.app, scene.key, vec![KeyLimit { over: Over::MARK, ..open(1) }, KeyLimit::new("day", 3, Window::DAY)]).await;
    let first = hold(&scene).await;
    let marked = ask(&scene).await;
    assert_eq!((&marked["valid"], &marked["hold"], &marked["over"]), (&json!(true), &Value::Null, &json!(["open"])), "{marked}");
    let states = scene.app.ctx.part::<Gate>().unwrap().limit_state(scene.key, scene.app.ctx.clock.now_micros());
    assert_eq!(states.iter().map(|state| state.used).collect::<Vec<_>>(), [2, 1], "of the day both, of the places one");
    let call = TryCall { method: "GET".into(), path: "/orders".into(), ..TryCall::default() };
    assert_eq!(try_call(&scene.app.ctx, &Caller::cli(), scene.key, call).await.unwrap().outcome, Outcome::Valid);
    release(&scene.app, &scene.service, json!({ "hold": first })).await;
    hold(&scene).await; // a place is free again, and the third call of the day passes
    assert_eq!(ask(&scene).await["code"], "QUOTA_EXCEEDED", "it was charged to the other limit all the same");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_of_a_key_says_how_many_go_on_and_whether_the_next_one_would(db: PgPool) {
    let scene = scene(db, 2).await;
    let ctx = &scene.app.ctx;
    let trial = async || {
        let call = TryCall { method: "GET".into(), path: "/orders".into(), ..TryCall::default() };
        try_call(ctx, &Caller::cli(), scene.key, call).await.unwrap()
    };
    hold(&scene).await;
    assert_eq!(trial().await.outcome, Outcome::Valid);
    hold(&scene).await;
    let detail = key_detail(ctx, &Caller::cli(), scene.key).await.unwrap();
    assert_eq!(detail.limits[0].per, "2 of 2 calls at the same time now");
    assert_eq!(detail.why[0].limits[0].words(), "2 calls at the same time");
    let trial = trial().await;
    assert_eq!((trial.outcome, taken(&scene.app, scene.key)), (Outcome::RateLimited, 2), "trying takes none");
    assert!(trial.steps.iter().any(|step| step.detail.starts_with("open: 2 of 2 at the same time. The first of them ends")));
}

/// One call on a node of this process: its hold, if it may begin.
async fn begin(app: &TestApp, secret: &str) -> Option<Hold> {
    let gate = app.ctx.part::<Gate>().unwrap();
    loop {
        if let Ok(answer) = gate.ask(Question { secret, route: "GET /orders", ..Question::default() }).await {
            return answer.hold.as_deref().copied();
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Begin,
    /// One of the holds that were ever answered, also of calls that have ended.
    GiveBack(Index),
    Wait(i64),
    Limit(u64),
}

/// Calls begin, end, are forgotten and given back twice, while the limit changes: the gate is as a list of the calls that go on.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_life_is_as_the_model_says(db: PgPool) {
    let scene = scene(db, 3).await;
    let step = prop_oneof![
        12 => Just(Step::Begin),
        8 => any::<Index>().prop_map(Step::GiveBack),
        4 => (1i64..20).prop_map(Step::Wait),
        1 => (0u64..6).prop_map(Step::Limit),
    ];
    let steps = proptest::collection::vec(step, 500).new_tree(&mut model_runner()).unwrap().current();
    let (mut most, mut going, mut known) = (3, Vec::<(Hold, i64)>::new(), Vec::<Hold>::new());
    for (n, step) in steps.into_iter().enumerate() {
        let gate = scene.app.ctx.part::<Gate>().unwrap();
        let now = scene.app.ctx.clock.now().unix_timestamp();
        going.retain(|(_, ends)| *ends > now);
        match step {
            Step::Begin => {
                let answer = gate.ask(Question { secret: &scene.secret, route: "GET /orders", ..Question::default() }).await.unwrap();
                let passes = (going.len() as u64) < most;
                assert_eq!((answer.passes(), answer.hold.is_some()), (passes, passes), "step {n}: {going:?}");
                let first = going.iter().map(|(_, ends)| ends - now).min();
                // Where no call may go on at all, none helps by ending.
                assert_eq!(answer.retry_after, (!passes && most > 0).then(|| first.unwrap_or(30).unsigned_abs()), "step {n}");
                if let Some(hold) = answer.hold.as_deref() {
                    going.push((*hold, now + 30));
                    known.push(*hold);
                }
            }
            Step::GiveBack(which) if !known.is_empty() => {
                let hold = *which.get(&known);
                let place = going.iter().position(|(held, _)| *held == hold);
                assert_eq!(gate.release(&hold), place.is_some(), "step {n}: {going:?}");
                if let Some(place) = place {
                    going.remove(place);
                }
            }
            Step::GiveBack(_) => {}
            Step::Wait(seconds) => scene.app.ctx.clock.advance(Duration::seconds(seconds)),
            Step::Limit(limit) => {
                most = limit;
                set(&scene.app, scene.key, vec![open(most)]).await;
            }
        }
    }
    assert!(known.len() > 30, "{}", known.len());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn on_two_nodes_no_more_than_the_limit_goes_on(db: PgPool) {
    let scene = scene(db.clone(), 3).await;
    let other = TestApp::start(db).await;
    let nodes = [&scene.app, &other];
    let held: Vec<Hold> = join_all((0..50).map(|n| begin(nodes[n % 2], &scene.secret))).await.into_iter().flatten().collect();
    assert_eq!(held.len(), 3);
    assert_eq!(begin(&other, &scene.secret).await, None);

    // All are given back at one of them, which tells the other of those that it gave.
    let holds: Vec<String> = held.iter().map(Hold::to_string).collect();
    let (_, body) = release(&other, &scene.service, json!({ "holds": holds })).await;
    assert_eq!(body["released"], true, "{body}");
    for app in nodes {
        until("what was lent and is free goes to who asks", || async {
            match begin(app, &scene.secret).await {
                Some(hold) => app.ctx.part::<Gate>().unwrap().release(&hold),
                None => false,
            }
        })
        .await;
    }

    // Many begin and end on both.
    let (now, most, passed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let caller = async |app: &TestApp| {
        for _ in 0..30 {
            if let Some(hold) = begin(app, &scene.secret).await {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                passed.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                assert!(app.ctx.part::<Gate>().unwrap().release(&hold));
            }
            tokio::task::yield_now().await;
        }
    };
    join_all((0..20).map(|n| caller(nodes[n % 2]))).await;
    assert!(most.load(Ordering::SeqCst) <= 3 && passed.load(Ordering::SeqCst) > 0, "{most:?} of {passed:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn however_many_limits_are_asked_for_at_once_a_transaction_holds_few_locks(db: PgPool) {
    let scene = Scene::with(db.clone(), Given::default()).await;
    let mut secrets = Vec::new();
    for _ in 0..60 {
        let (id, secret) = key(&db, &scene.app, &scene.owner, Given::default()).await;
        known(&scene.app, id).await;
        set(&scene.app, id, vec![open(1)]).await;
        secrets.push(secret);
    }
    let other = TestApp::start(db.clone()).await;
    let notes = "create table locks_seen (locks bigint);
        create function note_locks() returns trigger language plpgsql as $$
        begin
          insert into locks_seen select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid();
          return null;
        end $$;
        create trigger note_locks after insert on place_leases for each statement execute function note_locks()";
    sqlx::raw_sql(notes).execute(&db).await.unwrap();
    for (app, begun) in [(&scene.app, 60), (&other, 0)] {
        let holds = join_all(secrets.iter().map(|secret| begin(app, secret))).await;
        assert_eq!(holds.into_iter().flatten().count(), begun, "each is decided as if it were asked for alone");
    }
    let seen: Vec<i64> = sqlx::query_scalar("select locks from locks_seen").fetch_all(&db).await.unwrap();
    assert!(seen.iter().all(|locks| (1..=50).contains(locks)), "{seen:?}");
    assert!(seen.iter().sum::<i64>() >= 120, "{seen:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_restart_counts_what_goes_on(db: PgPool) {
    let scene = scene(db.clone(), 2).await;
    let first = hold(&scene).await;
    hold(&scene).await;
    let app = scene.app.restart().await;
    assert_eq!(begin(&app, &scene.secret).await, None);
    let (status, body) = release(&app, &scene.service, json!({ "hold": first })).await;
    assert_eq!((status, &body["released"]), (200, &json!(false)), "a place of a process that has ended ends by itself");
    let places: i64 = sqlx::query_scalar("select sum(places)::bigint from place_leases where ends_at > now()").fetch_one(&db).await.unwrap();
    assert_eq!(places, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_lone_node_asks_the_database_nothing(db: PgPool) {
    let scene = scene(db.clone(), 2).await;
    for _ in 0..20 {
        let hold = hold(&scene).await;
        release(&scene.app, &scene.service, json!({ "hold": hold })).await;
    }
    let rows: i64 = sqlx::query_scalar("select count(*) from place_leases").fetch_one(&db).await.unwrap();
    assert_eq!(rows, 0);

    // Only of what lasts long it leaves a note, behind the calls.
    hold(&scene).await;
    scene.app.ctx.clock.advance(Duration::seconds(2));
    until("it is noted", async || sqlx::query_scalar::<_, i64>("select coalesce(sum(places), 0)::bigint from place_leases").fetch_one(&db).await.unwrap() == 1)
        .await;
}
