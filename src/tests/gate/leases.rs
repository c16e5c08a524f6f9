//! Limits on several nodes: of N exactly N pass, whoever comes, goes or is killed.

use super::{
    Given, Scene,
    process::{self, Node, Way},
};
use crate::support::{TestApp, folder::Folder, until};
use futures_util::future::{join, join_all};
use sqlx::PgPool;
use tollgate::{
    keys::server::gate::{Gate, Question},
    values::Outcome,
};

const DAY: i32 = 86_400;

/// A key with this limit for a day, and the database as if no server had ever run.
pub(super) async fn secret(db: &PgPool, limit: i64) -> String {
    let Scene { app, secret, .. } = Scene::with(db.clone(), Given { limit: Some((limit, DAY)), ..Given::default() }).await;
    app.stop().await;
    secret
}

/// Asks eight at a time, until each has been refused or `most` have passed; how many passed.
pub(super) async fn hammer(node: &Node, secret: &str, most: usize) -> usize {
    let passed = std::sync::atomic::AtomicUsize::new(0);
    let order = std::sync::atomic::Ordering::SeqCst;
    let caller = async || {
        while passed.fetch_add(1, order) < most {
            match node.ask(secret).await {
                200 => continue,
                429 => {}
                503 => {
                    passed.fetch_sub(1, order);
                    continue;
                }
                other => panic!("{other}"),
            }
            passed.fetch_sub(1, order);
            return;
        }
        passed.fetch_sub(1, order);
    };
    join_all((0..8).map(|_| caller())).await;
    passed.load(order)
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn exactly_the_limit_passes_on_two_nodes(db: PgPool) {
    let secret = secret(&db, 500).await;
    let (folders, url) = ([Folder::new(), Folder::new()], process::url(&db));
    let a = process::start(&url, &folders[0], &[]).await;
    let b = process::start(&url, &folders[1], &[]).await;
    // Both hold some of it before one of them can have taken all.
    assert_eq!(join(hammer(&a, &secret, 20), hammer(&b, &secret, 20)).await, (20, 20));
    let (on_a, on_b) = join(hammer(&a, &secret, usize::MAX), hammer(&b, &secret, usize::MAX)).await;
    assert_eq!(40 + on_a + on_b, 500, "{on_a} and {on_b}");
    let statements: i64 = sqlx::query_scalar("select granted from limit_leases").fetch_one(&db).await.unwrap();
    assert_eq!(statements, 500);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_one_node_counted_alone_counts_when_another_joins(db: PgPool) {
    let secret = secret(&db, 300).await;
    let (folders, url) = ([Folder::new(), Folder::new()], process::url(&db));
    let a = process::start(&url, &folders[0], &[]).await;
    let before = hammer(&a, &secret, 100).await;
    let rows = async || sqlx::query_scalar::<_, i64>("select count(*) from limit_leases").fetch_one(&db).await.unwrap();
    assert_eq!((before, rows().await), (100, 0), "alone it asks nobody");

    // It goes on while the other starts.
    let (during, b) = join(hammer(&a, &secret, 60), process::start(&url, &folders[1], &[])).await;
    assert_eq!(rows().await, 1);
    let (on_a, on_b) = join(hammer(&a, &secret, usize::MAX), hammer(&b, &secret, usize::MAX)).await;
    assert_eq!(before + during + on_a + on_b, 300, "{during}, {on_a} and {on_b}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_killed_node_takes_no_more_with_it_than_it_held(db: PgPool) {
    let secret = secret(&db, 400).await;
    let (folders, url) = ([Folder::new(), Folder::new()], process::url(&db));
    let a = process::start(&url, &folders[0], &[]).await;
    let mut b = process::start(&url, &folders[1], &[]).await;
    let (on_a, on_b) = join(hammer(&a, &secret, 50), hammer(&b, &secret, 50)).await;
    assert_eq!((on_a, on_b), (50, 50));
    b.process.kill().await.unwrap();
    let rest = hammer(&a, &secret, usize::MAX).await;
    let passed = on_a + on_b + rest;
    assert!((300..=400).contains(&passed), "a block is an eighth of the limit at most, and half of one may be left: {passed}");

    // Its next start knows what was used, and finds nothing.
    b = process::start(&url, &folders[1], &[]).await;
    assert_eq!(hammer(&b, &secret, usize::MAX).await, 0);
}

/// A deploy: the new server runs beside the old one for a while, then alone, and is killed later.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_node_that_is_alone_again_takes_nothing_with_it_when_it_is_killed(db: PgPool) {
    let secret = secret(&db, 400).await;
    let (folders, url) = ([Folder::new(), Folder::new()], process::url(&db));
    let mut old = process::start(&url, &folders[0], &[]).await;
    let mut new = process::start(&url, &folders[1], &[]).await;
    assert_eq!(join(hammer(&old, &secret, 20), hammer(&new, &secret, 20)).await, (20, 20));
    old.end().await;
    until("it counts alone", async || sqlx::query_scalar("select bool_or(counts_alone) from nodes").fetch_one(&db).await.unwrap()).await;
    assert_eq!(hammer(&new, &secret, 60).await, 60);
    let granted: i64 = sqlx::query_scalar("select granted from limit_leases").fetch_one(&db).await.unwrap();
    assert!((40..100).contains(&granted), "it asks nobody any more, and holds nothing back: {granted}");
    new.process.kill().await.unwrap();

    new = process::start(&url, &folders[1], &[]).await;
    assert_eq!(hammer(&new, &secret, 50).await, 50);
    let other = process::start(&url, &folders[0], &[]).await;
    let (on_new, on_other) = join(hammer(&new, &secret, usize::MAX), hammer(&other, &secret, usize::MAX)).await;
    assert_eq!(100 + 50 + on_new + on_other, 400, "{on_new} and {on_other}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_the_database_what_is_held_goes_on_and_then_it_is_no_refusal(db: PgPool) {
    let secret = secret(&db, 10_000).await;
    let way = Way::to(&db).await;
    let (folders, url) = ([Folder::new(), Folder::new()], process::url(&db));
    let _a = process::start(&url, &folders[0], &[]).await;
    let b = process::start(&way.url, &folders[1], &[]).await;
    assert_eq!(b.ask(&secret).await, 200);
    way.cut();
    assert_eq!(b.ask(&secret).await, 200);
    until("it holds nothing more", async || b.ask(&secret).await != 200).await;
    let answer = b.get("/forward-auth/demo", &secret).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    assert_eq!(answer.headers()["x-auth-code"], "LIMITS_UNKNOWN");
    assert!(answer.text().await.unwrap().contains("share the limits of this key"));
    let answer = b.get("/forward-auth/demo/nginx", &secret).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["x-auth-status"].to_str().unwrap()), (403, "503"));
    way.mend();
    until("it leases again", async || b.ask(&secret).await == 200).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_the_database_what_only_marks_passes_on_several_nodes(db: PgPool) {
    let secret = secret(&db, 10_000).await;
    sqlx::query("update key_limits set over = 'mark' where max_calls = 10000").execute(&db).await.unwrap();
    let way = Way::to(&db).await;
    let (folders, url) = ([Folder::new(), Folder::new()], process::url(&db));
    let a = process::start(&url, &folders[0], &[]).await;
    let b = process::start(&way.url, &folders[1], &[]).await;
    // Whether a call is marked. It always passes.
    let marks = async |node: &Node| {
        let answer = node.get("/forward-auth/demo", &secret).await;
        assert_eq!(answer.status(), 200, "it would have passed in any case");
        answer.headers().get("x-over-limit").map(|limits| limits.to_str().unwrap().to_owned())
    };
    assert_eq!((marks(&a).await, marks(&b).await), (None, None));
    way.cut();
    until("it holds nothing more", async || marks(&b).await.is_some()).await;
    let granted = async || sqlx::query_scalar::<_, i64>("select granted from limit_leases").fetch_one(&db).await.unwrap();
    let before = granted().await;
    for _ in 0..50 {
        assert_eq!(marks(&b).await.as_deref(), Some("\"default\""), "since nobody can tell");
    }
    assert!(granted().await <= before, "nothing was taken of what is left");
    assert_eq!(marks(&a).await, None, "and who can tell does");
    way.mend();
    until("it leases again", async || marks(&b).await.is_none()).await;
}

/// One call on one node of this process.
pub(super) async fn call(app: &TestApp, secret: &str, cost: u32) -> bool {
    let gate = app.ctx.part::<Gate>().unwrap();
    loop {
        if let Ok(answer) = gate.ask(Question { secret, route: "GET /orders", cost: Some(cost), ..Question::default() }).await {
            return answer.outcome == Outcome::Valid;
        }
    }
}

/// Lets all take in turn until none takes any more, although each has forgotten that nothing is left and asked the table again; how often
/// one took.
pub(super) async fn until_none_takes(nodes: &[&TestApp], mut takes: impl AsyncFnMut(&TestApp) -> bool) -> u32 {
    let (mut taken, mut have_forgotten) = (0, false);
    loop {
        let before = taken;
        for &app in nodes {
            taken += u32::from(takes(app).await);
        }
        assert!(taken < 10_000, "no limit of a test is so large");
        if taken > before {
            have_forgotten = false;
        } else if have_forgotten {
            return taken;
        } else {
            nodes.iter().for_each(|app| app.ctx.part::<Gate>().unwrap().forget_what_is_left());
            have_forgotten = true;
        }
    }
}

/// Calls all in turn until none lets a call pass any more; how many passed.
pub(super) async fn exhaust(nodes: &[&TestApp], secret: &str) -> u32 {
    until_none_takes(nodes, async |app: &TestApp| call(app, secret, 1).await).await
}

/// Nodes come, go and charge, in several orders: all of the limit passes, and no more.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nodes_come_and_go_and_the_limit_stays_the_limit(db: PgPool) {
    const MAX: u32 = 400;
    let secret = secret(&db, MAX.into()).await;
    let mut nodes: [Option<TestApp>; 3] = [None, None, None];
    let mut passed = 0;
    // Which node starts or stops, and how much is charged on every running one after.
    let steps = [(0, 30), (1, 7), (2, 20), (0, 11), (1, 25), (0, 3), (2, 16), (0, 9), (1, 30), (2, 5), (1, 8)];
    for (round, (which, calls)) in steps.into_iter().enumerate() {
        match nodes[which].take() {
            Some(app) => app.stop().await,
            None => nodes[which] = Some(TestApp::start(db.clone()).await),
        }
        for app in nodes.iter().flatten() {
            let costs = (0..calls).map(|n| 1 + (n + u32::try_from(round).unwrap()) % 2).collect::<Vec<_>>();
            let answers = join_all(costs.iter().map(|cost| call(app, &secret, *cost))).await;
            passed += answers.iter().zip(&costs).filter(|(passes, _)| **passes).map(|(_, cost)| cost).sum::<u32>();
            assert!(passed <= MAX, "{passed} in round {round}");
        }
    }
    let last = nodes.into_iter().flatten().next().unwrap();
    passed += exhaust(&[&last], &secret).await;
    assert_eq!(passed, MAX, "the others gave back what they held");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_lowered_limit_holds_for_what_was_leased_before(db: PgPool) {
    let secret = secret(&db, 1_000).await;
    let nodes = [TestApp::start(db.clone()).await, TestApp::start(db.clone()).await];
    for _ in 0..20 {
        assert!(call(&nodes[0], &secret, 1).await && call(&nodes[1], &secret, 1).await);
    }
    let key: uuid::Uuid = sqlx::query_scalar("update key_limits set max_calls = 41 where max_calls = 1000 returning key_id").fetch_one(&db).await.unwrap();
    sqlx::query("update keys set changed_in = pg_current_xact_id() where id = $1").bind(key).execute(&db).await.unwrap();
    for app in &nodes {
        let (gate, now) = (app.ctx.part::<Gate>().unwrap(), app.ctx.clock.now_micros());
        until("it is known", async || gate.limit_state(key.into(), now)[0].limit == 41).await;
    }
    assert_eq!(exhaust(&[&nodes[0], &nodes[1]], &secret).await, 1, "40 of 41 were used");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn leases_of_windows_that_are_over_are_forgotten(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let now = app.ctx.clock.now();
    for (name, ended) in [("old", 11), ("new", 9), ("present", -5)] {
        sqlx::query("insert into limit_leases values ($1, $2, 60, 1, 5, $3)")
            .bind(uuid::Uuid::nil())
            .bind(name)
            .bind(now - time::Duration::minutes(ended))
            .execute(&db)
            .await
            .unwrap();
    }
    tollgate::platform::jobs::Job::run(tollgate::keys::server::jobs::ForgetLeases::default(), &app.ctx).await.unwrap();
    let left: Vec<String> = sqlx::query_scalar("select name from limit_leases order by name").fetch_all(&db).await.unwrap();
    assert_eq!(left, ["new", "present"]);
}
