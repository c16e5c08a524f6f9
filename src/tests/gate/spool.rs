//! No verification that was answered is lost: neither by `kill -9` under load, nor counted twice by the start after it.

use super::{
    Given, Scene,
    leases::hammer,
    process::{self, Node},
};
use crate::support::{T0, TestApp, folder::Folder, until};
use sqlx::PgPool;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};
use tokio::net::TcpListener;
use tollgate::{
    boot::server::Running,
    keys::server::meter::{Attempt, Meter, Spool, Tally, left_over},
    values::{ApiId, KeyId, Outcome, WorkspaceId},
};
use uuid::Uuid;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn tally(key: u128, route: &str, count: u64) -> Tally {
    Tally {
        key: KeyId::new(id(key)),
        workspace: WorkspaceId::new(id(7)),
        api: ApiId::new(id(8)),
        route: route.into(),
        outcome: Outcome::Valid,
        minute: 29_000_000,
        count,
        cost: count * 3,
    }
}

#[test]
fn what_a_process_did_not_write_is_left_batch_by_batch() {
    let folder = Folder::new();
    let meter = Meter::new(id(100), Some(Spool::open(folder.path(), id(1)).unwrap()));
    for key in 0..50 {
        meter.count(tally(key, "GET /orders", 1));
        meter.count(tally(key, "GET /orders", 2));
        meter.count(tally(key, "POST /örders", 1));
    }
    meter.count_unknown(Attempt { minute: 29_000_000, reason: Outcome::Unknown, address: "192.0.2.7".into(), count: 4 });
    let taken = meter.take(id(200));
    meter.count(tally(1, "GET /orders", 5));
    assert!(left_over(folder.path()).unwrap().is_empty(), "its process lives");
    drop(meter); // lets go of the lock, as the system does when a process ends

    let left = left_over(folder.path()).unwrap();
    assert_eq!(left.len(), 1);
    let batches = &left[0].batches;
    assert_eq!(batches.iter().map(|b| b.id).collect::<Vec<_>>(), [id(100), id(200)]);
    let sorted = |counts: &[Tally]| {
        let mut rows: Vec<_> = counts.iter().map(|t| (t.key, t.route.to_string(), t.count, t.cost)).collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&batches[0].counts), sorted(&taken.counts));
    assert_eq!((batches[0].counts.len(), &batches[0].unknown), (100, &taken.unknown));
    assert_eq!(sorted(&batches[1].counts), sorted(&[tally(1, "GET /orders", 5)]));
    for left in left {
        left.done().unwrap();
    }
    assert!(left_over(folder.path()).unwrap().is_empty());
    assert_eq!(std::fs::read_dir(folder.path().join("spool")).unwrap().count(), 0);
}

/// Three keys of one stripe for three days without a write, with room for 40 counters: 12,960 of them by the minute.
#[test]
fn a_long_outage_takes_bounded_room_and_loses_no_call() {
    const ROOM: usize = 40;
    const MINUTES: i64 = 3 * 1_440;
    for is_spooled in [true, false] {
        let folder = Folder::new();
        let spool = is_spooled.then(|| Spool::open(folder.path(), id(1)).unwrap());
        let meter = Meter::with_room(id(100), spool, (ROOM, ROOM));
        let mut most = 0;
        for minute in 29_000_000..29_000_000 + MINUTES {
            for key in [16, 32, 48] {
                meter.count(Tally { minute, ..tally(key, "GET /orders", 2) });
            }
            for address in ["192.0.2.7", "192.0.2.8"] {
                meter.count_unknown(Attempt { minute, reason: Outcome::Unknown, address: address.into(), count: 4 });
            }
            most = most.max(meter.counters());
        }
        assert!(most <= 4 * ROOM, "{most} counters");
        let batch = if is_spooled {
            let bytes = meter.spool_bytes().unwrap();
            assert!(bytes <= 4 * 65_536, "{bytes} bytes on disk, where by the minute they would be a million");
            // It ends while it writes a file anew: what stands there counts, what is not whole does not.
            std::fs::write(folder.path().join("spool").join(id(1).simple().to_string()).join("new-0"), b"half of it").unwrap();
            drop(meter);
            let mut left = left_over(folder.path()).unwrap();
            let batch = left[0].batches.remove(0);
            batch.spooled.forget();
            left.remove(0).done().unwrap();
            assert_eq!(std::fs::read_dir(folder.path().join("spool")).unwrap().count(), 0);
            batch
        } else {
            meter.take(id(200))
        };
        for key in [16, 32, 48] {
            let of_key: Vec<_> = batch.counts.iter().filter(|t| t.key == KeyId::new(id(key))).collect();
            let sums = (of_key.iter().map(|t| t.count).sum::<u64>(), of_key.iter().map(|t| t.cost).sum::<u64>());
            assert_eq!(sums, (2 * MINUTES.unsigned_abs(), 6 * MINUTES.unsigned_abs()));
            let newest = of_key.iter().filter(|t| t.minute == 29_000_000 + MINUTES - 1).map(|t| t.count).sum::<u64>();
            assert_eq!(newest, 2, "the last minutes stay as they are");
        }
        assert_eq!(batch.unknown.iter().map(|a| a.count).sum::<u64>(), 8 * MINUTES.unsigned_abs());
    }
}

#[test]
fn an_orderly_end_leaves_nothing() {
    let folder = Folder::new();
    let meter = Meter::new(id(100), Some(Spool::open(folder.path(), id(1)).unwrap()));
    meter.count(tally(1, "GET /", 1));
    meter.take(id(200)).spooled.forget();
    drop(meter);
    assert_eq!(std::fs::read_dir(folder.path().join("spool")).unwrap().count(), 0);
}

async fn node(db: &PgPool, folder: &Folder) -> Node {
    process::start(&process::url(db), folder, &[]).await
}

async fn stored(db: &PgPool) -> i64 {
    sqlx::query_scalar("select coalesce(sum(count), 0)::bigint from usage_minutes where outcome = 'VALID'").fetch_one(db).await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn kill_minus_nine_under_load_loses_no_answered_call(db: PgPool) {
    const LIMIT: i64 = 1_000_000_000;
    const CALLERS: i64 = 8;
    let Scene { app, secret, .. } = Scene::with(db.clone(), Given { limit: Some((LIMIT, 2_678_400)), ..Given::default() }).await;
    app.stop().await; // beside it a killed node would lose what it had leased
    let folder = Folder::new();
    let mut first = node(&db, &folder).await;
    let call = {
        let secret = secret.clone();
        move |http: reqwest::Client, base: String| {
            let request = http.get(format!("{base}/forward-auth/demo?cost=3")).bearer_auth(&secret);
            async move { request.send().await }
        }
    };
    let (answered, is_over) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (call, base, answered, is_over) = (call.clone(), first.base.clone(), Arc::clone(&answered), Arc::clone(&is_over));
            tokio::spawn(async move {
                let http = reqwest::Client::new();
                while !is_over.load(Ordering::Relaxed) {
                    match call(http.clone(), base.clone()).await {
                        Ok(answer) if answer.status() == 200 => _ = answered.fetch_add(1, Ordering::Relaxed),
                        Ok(answer) => panic!("{}", answer.status()),
                        Err(_) => break, // the server is gone
                    }
                }
            })
        })
        .collect();
    // One batch is in the database and the next has begun.
    until("a batch was written", async || stored(&db).await > 0).await;
    let then = answered.load(Ordering::Relaxed);
    until("more was answered", async || answered.load(Ordering::Relaxed) > then + 500).await;
    first.process.kill().await.unwrap(); // SIGKILL, and waits for the end
    for caller in callers {
        caller.await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    let answered = answered.load(Ordering::Relaxed);
    assert!(stored(&db).await < answered, "some of it was not in the database yet, or this test shows nothing");

    let mut second = node(&db, &folder).await;
    let counted = stored(&db).await;
    assert!((answered..=answered + CALLERS).contains(&counted), "{counted} stored, {answered} answered, {CALLERS} may have been under way");
    let cost: i64 = sqlx::query_scalar("select sum(cost)::bigint from usage_minutes where outcome = 'VALID'").fetch_one(&db).await.unwrap();
    assert!((3 * answered..=3 * counted).contains(&cost), "{cost} units stored, {answered} calls of 3 answered, {counted} stored");
    let told = call(reqwest::Client::new(), second.base.clone()).await.unwrap();
    let state = told.headers()["ratelimit"].to_str().unwrap().to_owned();
    assert!(state.contains(&format!("r={};", LIMIT - cost - 3)), "the limit went on from there: {state}, {cost} units charged");
    second.process.kill().await.unwrap();

    let _third = node(&db, &folder).await;
    assert_eq!(stored(&db).await, counted + 1, "nothing twice");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_limit_of_less_than_a_minute_goes_on_after_kill_minus_nine(db: PgPool) {
    const WINDOW: i64 = 59;
    let Scene { app, secret, .. } = Scene::with(db.clone(), Given { limit: Some((10, 59)), ..Given::default() }).await;
    app.stop().await;
    let folder = Folder::new();
    let window = async || {
        let seconds: i64 = sqlx::query_scalar("select extract(epoch from clock_timestamp())::bigint").fetch_one(&db).await.unwrap();
        seconds / WINDOW
    };
    let mut server = node(&db, &folder).await;
    let mut passed = 0;
    loop {
        let begun = window().await;
        // Some of it is written when the server ends, and some is not.
        for _ in 0..5 {
            passed += i64::from(server.ask(&secret).await == 200);
        }
        until("these are written", async || stored(&db).await == passed).await;
        while server.ask(&secret).await == 200 {
            passed += 1;
        }
        server.process.kill().await.unwrap();
        server = node(&db, &folder).await;
        let code = server.ask(&secret).await;
        if window().await == begun {
            assert_eq!(code, 429, "ten passed in this window before the end");
            break;
        }
        passed += i64::from(code == 200);
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_orderly_end_tells_the_table_of_leases_and_leaves_nothing_of_the_last_minute(db: PgPool) {
    let Scene { app, secret, .. } = Scene::with(db.clone(), Given { limit: Some((10, 59)), ..Given::default() }).await;
    app.stop().await;
    let folder = Folder::new();
    let mut server = node(&db, &folder).await;
    assert_eq!(server.ask(&secret).await, 200);
    let pid = server.process.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    server.process.wait().await.unwrap();
    assert_eq!(stored(&db).await, 1);
    let left = std::fs::read_dir(folder.path().join(".data").join("spool")).unwrap().flat_map(|process| std::fs::read_dir(process.unwrap().path()).unwrap());
    let recent: Vec<_> = left.map(|file| file.unwrap().file_name()).filter(|name| name.to_string_lossy().starts_with("recent-")).collect();
    assert!(recent.is_empty(), "{recent:?}");
}

/// Who starts elsewhere waits for a node that counted alone and is silent: until then it must be one.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_killed_node_stays_a_node_until_what_it_counted_is_written(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (folder, process) = (Folder::new(), id(7));
    let meter = Meter::new(id(100), Some(Spool::open(folder.path(), process).unwrap()));
    meter.count(Tally { minute: T0.unix_timestamp() / 60, ..tally(1, "GET /orders", 5) });
    drop(meter);
    sqlx::query(
        "insert into nodes (id, name, version, started_at, beat_at, stops_after, keys, seen, counts_alone)
         values ($1, 'killed:1', '1', now(), now(), 900, 0, pg_current_snapshot(), true)",
    )
    .bind(process)
    .execute(&db)
    .await
    .unwrap();
    let mut ctx = app.ctx.clone();
    app.stop().await;
    let mut config = (*ctx.config).clone();
    config.server.data_dir = folder.path().to_owned();
    ctx.config = Arc::new(config);
    let start = async || Running::start(ctx.clone(), TcpListener::bind("127.0.0.1:0").await.unwrap()).await;
    let is_node = async || sqlx::query_scalar::<_, bool>("select exists (select from nodes where id = $1)").bind(process).fetch_one(&db).await.unwrap();

    sqlx::query("alter table usage_minutes rename to away").execute(&db).await.unwrap();
    assert!(start().await.is_err(), "what it counted can't be written");
    assert!(is_node().await);
    sqlx::query("alter table away rename to usage_minutes").execute(&db).await.unwrap();
    let running = start().await.unwrap_or_else(|error| panic!("{error}"));
    assert!(!is_node().await);
    assert_eq!(stored(&db).await, 5);
    running.stop().await;
}

/// It is killed, and started again beside another server with a data folder of its own, before what it counted last is written.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_starts_beside_the_restart_of_a_killed_node_waits_for_what_that_one_counted(db: PgPool) {
    let Scene { app, secret, .. } = Scene::with(db.clone(), Given { limit: Some((20, 2_678_400)), ..Given::default() }).await;
    app.stop().await;
    let (folder, other_folder) = (Folder::new(), Folder::new());
    let mut first = node(&db, &folder).await;
    let mut writing = db.begin().await.unwrap();
    sqlx::query("lock table usage_minutes in share row exclusive mode").execute(&mut *writing).await.unwrap();
    for _ in 0..12 {
        assert_eq!(first.ask(&secret).await, 200);
    }
    let alone: Uuid = sqlx::query_scalar("select id from nodes where counts_alone").fetch_one(&db).await.unwrap();
    first.process.kill().await.unwrap();
    let nodes_beside = async || sqlx::query_scalar::<_, i64>("select count(*) from nodes where id <> $1").bind(alone).fetch_one(&db).await.unwrap();
    let ((again, other), ()) = tokio::join!(async { tokio::join!(node(&db, &folder), node(&db, &other_folder)) }, async {
        until("the other one waits, and the restart can't write yet", async || nodes_beside().await == 1).await;
        writing.commit().await.unwrap();
    });
    assert_eq!(hammer(&again, &secret, usize::MAX).await + hammer(&other, &secret, usize::MAX).await, 8, "twelve of twenty had passed");
}
