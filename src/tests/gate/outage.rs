//! Postgres is away under load: calls go on from memory, nothing is refused that would have passed, and what was answered is what is
//! stored once it is back, also where the process was killed in between.

use super::{
    Given, Scene, leases,
    process::{self, Node, Way},
};
use crate::support::{folder::Folder, until, until_within};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

const CALLERS: i64 = 6;
/// The flusher looks every five seconds whether it is back; this machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Callers that ask one node without a pause, and count what passed. Any other answer is a failure of the test.
struct Load {
    answered: Arc<AtomicI64>,
    is_over: Arc<AtomicBool>,
    callers: Vec<JoinHandle<()>>,
}

impl Load {
    fn on(node: &Node, secret: &str) -> Self {
        let (answered, is_over) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let caller = || {
            let (asked, secret) = (format!("{}/forward-auth/demo", node.base), secret.to_owned());
            let (answered, is_over) = (Arc::clone(&answered), Arc::clone(&is_over));
            tokio::spawn(async move {
                let http = reqwest::Client::new();
                while !is_over.load(Ordering::Relaxed) {
                    match http.get(&asked).bearer_auth(&secret).send().await {
                        Ok(answer) => {
                            assert_eq!(answer.status(), 200, "refused while Postgres is away");
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(_) => break, // the server was killed
                    }
                }
            })
        };
        let callers = (0..CALLERS).map(|_| caller()).collect();
        Self { answered, is_over, callers }
    }

    fn answered(&self) -> i64 {
        self.answered.load(Ordering::Relaxed)
    }

    async fn goes_on(&self, what: &str) {
        let then = self.answered();
        until(what, async || self.answered() > then + 500).await;
    }

    /// Ends it, and says how many calls passed.
    async fn end(self) -> i64 {
        self.is_over.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await.unwrap();
        }
        self.answered.load(Ordering::Relaxed)
    }
}

async fn stored(db: &PgPool) -> i64 {
    sqlx::query_scalar("select coalesce(sum(count), 0)::bigint from usage_minutes where outcome = 'VALID'").fetch_one(db).await.unwrap()
}

/// What `/readyz` answers.
async fn readiness(node: &Node) -> u16 {
    reqwest::get(format!("{}/readyz", node.base)).await.map_or(0, |answer| answer.status().as_u16())
}

/// What it says while the database is away: each part of its own.
async fn told(node: &Node) -> Value {
    let answer = reqwest::get(format!("{}/readyz", node.base)).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    answer.json().await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_outage_of_postgres_under_load_refuses_and_loses_nothing(db: PgPool) {
    let Scene { app, secret, .. } = Scene::with(db.clone(), Given { limit: Some((1_000_000_000, 2_678_400)), ..Given::default() }).await;
    app.stop().await;
    let (folder, way) = (Folder::new(), Way::to(&db).await);
    let metrics = format!("127.0.0.1:{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let mut first = process::start(&way.url, &folder, &[("TOLLGATE_METRICS_ADDR", &metrics)]).await;
    let load = Load::on(&first, &secret);
    until("a batch was written", async || stored(&db).await > 0).await;
    way.cut();
    until("the node knows that Postgres is away", async || readiness(&first).await == 503).await;
    let written = stored(&db).await;
    load.goes_on("calls go on from memory").await;
    assert_eq!(stored(&db).await, written, "or this test shows nothing");
    let parts = &told(&first).await["parts"];
    assert_eq!((&parts["database"]["up"], &parts["keys"]["verified"], &parts["usage"]["spooled"]), (&false.into(), &true.into(), &true.into()), "{parts}");
    assert!(parts["keys"]["verified_for"].as_u64().is_some_and(|seconds| (60..=900).contains(&seconds)), "{parts}");
    assert!(parts["usage"]["waiting"].as_u64().is_some_and(|counters| counters > 0), "{parts}");
    let scraped = reqwest::get(format!("http://{metrics}/metrics")).await.unwrap().text().await.unwrap();
    assert!(scraped.contains("\ntollgate_database_up 0\n") && scraped.contains("\ntollgate_verifications_total{code=\"VALID\"} "), "{scraped}");

    // It is killed in the middle of the outage; the next process finds what it left.
    first.process.kill().await.unwrap();
    let answered = load.end().await;
    assert!(written < answered);
    way.mend();
    let second = process::start(&way.url, &folder, &[]).await;
    let counted = stored(&db).await;
    assert!((answered..=answered + CALLERS).contains(&counted), "{counted} stored, {answered} answered, {CALLERS} may have been under way");

    // Another outage, which the process outlives: then the sums are the same to the call.
    let load = Load::on(&second, &secret);
    until("a batch was written again", async || stored(&db).await > counted).await;
    way.cut();
    until("it knows again", async || readiness(&second).await == 503).await;
    load.goes_on("calls go on again").await;
    way.mend();
    load.goes_on("and when Postgres is back").await;
    let answered = load.end().await;
    until_within(PATIENCE, "what was answered is what is stored", async || stored(&db).await == counted + answered).await;
    until("it is ready again", async || readiness(&second).await == 200).await;
}

/// A key with so many prepaid credits, and the database as if no server had ever run.
async fn prepaid(db: &PgPool, credits: i64) -> String {
    let secret = leases::secret(db, credits).await;
    sqlx::query("update key_limits set kind = 'credits', window_seconds = 0 where max_calls = $1").bind(credits).execute(db).await.unwrap();
    secret
}

/// What the table says was used of the only bucket.
async fn used(db: &PgPool) -> i64 {
    sqlx::query_scalar("select coalesce(sum(used), 0)::bigint from credit_buckets").fetch_one(db).await.unwrap()
}

/// Asks until it is refused, `most` times at most; how many passed. It is never that nobody knows.
async fn passes(node: &Node, secret: &str, most: i64) -> i64 {
    for passed in 0..most {
        match node.ask(secret).await {
            200 => {}
            429 => return passed,
            other => panic!("{other} after {passed}"),
        }
    }
    most
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn credits_of_a_node_that_is_alone_go_on_without_postgres_and_are_settled_to_the_unit(db: PgPool) {
    let secret = prepaid(&db, 400).await;
    let (folders, way) = ([Folder::new(), Folder::new()], Way::to(&db).await);
    let first = process::start(&way.url, &folders[0], &[]).await;
    assert_eq!(passes(&first, &secret, 10).await, 10);
    way.cut();
    assert_eq!(passes(&first, &secret, 200).await, 200, "more than was leased");
    let cut: time::OffsetDateTime = sqlx::query_scalar("select clock_timestamp()").fetch_one(&db).await.unwrap();
    way.mend();
    // A new node waits three seconds for one that was alone and is silent, which need not do where the machine is busy: it is heard of again,
    // and told what passed before that.
    let is_back = async || sqlx::query_scalar::<_, bool>("select bool_and(beat_at > $1) from nodes").bind(cut).fetch_one(&db).await.unwrap();
    until_within(PATIENCE, "the first is back", is_back).await;
    let second = process::start(&process::url(&db), &folders[1], &[]).await;
    let rest = leases::hammer(&second, &secret, usize::MAX).await + leases::hammer(&first, &secret, usize::MAX).await;
    let rest = rest + leases::hammer(&second, &secret, usize::MAX).await;
    assert!(rest <= 190, "{rest}");
    assert!(used(&db).await <= 400);
    assert!(rest > 100, "{rest}: no more is missing than a block");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_postgres_no_more_credits_pass_than_were_left(db: PgPool) {
    let secret = prepaid(&db, 120).await;
    let (folder, way) = (Folder::new(), Way::to(&db).await);
    let node = process::start(&way.url, &folder, &[]).await;
    way.cut();
    assert_eq!(passes(&node, &secret, 500).await, 120, "also of a bucket that was never asked for");
    way.mend();
    until("it is told", async || used(&db).await == 120).await;
    until("it is ready again", async || readiness(&node).await == 200).await;
    assert_eq!(passes(&node, &secret, 5).await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_node_owed_that_was_killed_without_postgres_is_taken_by_its_next_start(db: PgPool) {
    let secret = prepaid(&db, 300).await;
    let (folder, way) = (Folder::new(), Way::to(&db).await);
    let mut node = process::start(&way.url, &folder, &[]).await;
    assert_eq!(passes(&node, &secret, 10).await, 10);
    way.cut();
    assert_eq!(passes(&node, &secret, 200).await, 200);
    node.process.kill().await.unwrap();
    way.mend();
    let next = process::start(&way.url, &folder, &[]).await;
    assert!(used(&db).await >= 210);
    let rest = passes(&next, &secret, 500).await;
    assert!((50..=90).contains(&rest), "{rest}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_postgres_that_takes_seconds_to_answer_refuses_no_credits(db: PgPool) {
    let secret = prepaid(&db, 40).await;
    let folder = Folder::new();
    let node = process::start(&process::url(&db), &folder, &[]).await;
    let mut slow = db.begin().await.unwrap();
    sqlx::query("lock table credit_buckets in access exclusive mode").execute(&mut *slow).await.unwrap();
    assert_eq!(passes(&node, &secret, 20).await, 20);
    slow.commit().await.unwrap();
    assert_eq!(passes(&node, &secret, 40).await, 20);
    until("it is told", async || used(&db).await == 40).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_owed_is_taken_once_and_in_the_order_of_the_refills(db: PgPool) {
    let settle = async |number: i64, seconds: i32, used: Value| {
        let debts = json!([{ "holder": uuid::Uuid::nil(), "name": "c", "seconds": seconds, "refill": 5, "used": used }]);
        let settled = sqlx::query_scalar::<_, bool>("select settle_credits($1, $2, $3)").bind(uuid::Uuid::nil()).bind(number).bind(debts);
        let is_new = settled.fetch_one(&db).await.unwrap();
        let row: (i64, i64, i32) = sqlx::query_as("select number, used, seconds from credit_buckets").fetch_one(&db).await.unwrap();
        (is_new, row)
    };
    assert_eq!(settle(0, 60, json!({ "101": 3, "100": 8 })).await, (true, (101, 6, 60)), "5 of the 8 came back between");
    assert_eq!(settle(0, 60, json!({ "101": 3, "100": 8 })).await, (false, (101, 6, 60)), "once");
    assert_eq!(settle(1, 60, json!({ "100": -2, "103": 1 })).await, (true, (103, 1, 60)), "what was leased before a refill came back by it");
    assert_eq!(settle(2, 60, json!({ "103": -1 })).await, (true, (103, 0, 60)));
    assert_eq!(settle(3, 30, json!({ "500": 4, "501": -9 })).await, (true, (103, 4, 60)), "under another interval what was used stays used");
    // An outage of minutes, with a refill each second: far below what a statement may take.
    let used: serde_json::Map<String, Value> = (1_000..1_064).map(|number| (number.to_string(), json!(3))).collect();
    let debts: Value =
        (0..1_000_u128).map(|n| json!({ "holder": uuid::Uuid::from_u128(n), "name": "d", "seconds": 1, "refill": 2, "used": used.clone() })).collect();
    let many = sqlx::query_scalar::<_, bool>("select settle_credits($1, 4, $2)").bind(uuid::Uuid::nil()).bind(debts).fetch_one(&db);
    assert!(tokio::time::timeout(Duration::from_secs(2), many).await.expect("in time").unwrap());
    let rows: (i64, i64) = sqlx::query_as("select count(*), sum(used)::bigint from credit_buckets where name = 'd'").fetch_one(&db).await.unwrap();
    assert_eq!(rows, (1_000, 66_000), "3 more with each of 64, and 2 back between");
}
