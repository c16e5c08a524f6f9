//! A Postgres of its own that is slow, then away, then started anew, with callers all the while: no call is refused, what was answered is
//! what is stored, and memory stays bounded. In a moment here; `make soak` takes ten minutes for each (`OUTAGE_SECONDS`), with many keys
//! (`OUTAGE_KEYS`).

use super::{
    Owner, owner,
    process::{self, Node, Way},
};
use crate::support::{TestApp, folder::Folder, until, until_within};
use sqlx::PgPool;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};
use tollgate::{
    keys::server::secret,
    platform::{
        crypto::sha256,
        db,
        postgres::{self, DataLock, Embedded, Holder, Taken},
    },
    values::{KeyId, KeyPrefix, SecretId},
};
use uuid::Uuid;

const CALLERS: usize = 4;
/// What a packet takes, each way: a batch of usage is some ten statements, so it takes seconds.
const SLOW: Duration = Duration::from_millis(60);
/// Of counters and of what else is kept for later, however long it lasts: 320,000 counters stand in some 100 MiB.
const MOST_KIB: u64 = 200 * 1_024;
/// The flusher's pauses grow to half a minute, and the first batch may be a large one.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long each part lasts at least, and with how many keys.
fn scale() -> (Duration, usize) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u32>().unwrap());
    (Duration::from_secs(number("OUTAGE_SECONDS").unwrap_or(0).into()), number("OUTAGE_KEYS").unwrap_or(200).try_into().unwrap())
}

async fn start(folder: &Folder) -> Embedded {
    match DataLock::take(folder.path(), &Holder::me("serve", "127.0.0.1:3000")).unwrap() {
        Taken::Mine(lock) => postgres::start(lock).await.unwrap(),
        Taken::Theirs(holder) => panic!("{holder} has it"),
    }
}

/// So many keys with a limit that nobody reaches; their secrets.
async fn insert_keys(app: &TestApp, owner: &Owner, many: usize) -> Vec<String> {
    let (db, now) = (&app.ctx.db, app.ctx.clock.now());
    let prefix: String = sqlx::query_scalar("select key_prefix from apis where slug = 'demo'").fetch_one(db).await.unwrap();
    let prefix: KeyPrefix = prefix.parse().unwrap();
    let secrets: Vec<String> = (0..many).map(|_| secret::mint(&app.ctx.rng, &prefix, "live")).collect();
    let keys: Vec<Uuid> = secrets.iter().map(|_| app.ctx.new_id::<KeyId>().uuid()).collect();
    let ids: Vec<Uuid> = secrets.iter().map(|_| app.ctx.new_id::<SecretId>().uuid()).collect();
    let hashes: Vec<Vec<u8>> = secrets.iter().map(|secret| sha256(secret).to_vec()).collect();
    sqlx::query(
        "insert into keys (id, workspace_id, api_id, name, permissions, created_at, updated_at)
         select k.id, $2, a.id, 'a key', '{}'::text[], $3, $3 from unnest($1::uuid[]) as k (id) join apis a on a.slug = 'demo'",
    )
    .bind(&keys)
    .bind(owner.workspace.uuid())
    .bind(now)
    .execute(db)
    .await
    .unwrap();
    sqlx::query(
        "insert into key_secrets (id, key_id, hash, start, created_at)
         select s.id, s.key, s.hash, 'demo_live_abcd', $4 from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as s (id, key, hash)",
    )
    .bind(&ids)
    .bind(&keys)
    .bind(&hashes)
    .bind(now)
    .execute(db)
    .await
    .unwrap();
    sqlx::query("insert into key_limits (key_id, name, max_calls, window_seconds) select k, 'default', 1000000000, 2678400 from unnest($1::uuid[]) as k")
        .bind(&keys)
        .execute(db)
        .await
        .unwrap();
    secrets
}

/// Callers that ask with one key after the other, and count what passed. Any other answer is a failure of the test.
struct Load {
    answered: Arc<AtomicI64>,
    is_over: Arc<AtomicBool>,
    callers: Vec<JoinHandle<()>>,
}

impl Load {
    fn on(node: &Node, secrets: &[String]) -> Self {
        let (answered, is_over) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let caller = |secrets: &[String]| {
            let (asked, secrets) = (format!("{}/forward-auth/demo", node.base), secrets.to_vec());
            let (answered, is_over) = (Arc::clone(&answered), Arc::clone(&is_over));
            tokio::spawn(async move {
                let http = reqwest::Client::new();
                for secret in secrets.iter().cycle() {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let answer = http.get(&asked).bearer_auth(secret).send().await.unwrap();
                    assert_eq!(answer.status(), 200, "refused while Postgres is slow or away");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let callers = secrets.chunks(secrets.len().div_ceil(CALLERS)).map(caller).collect();
        Self { answered, is_over, callers }
    }

    /// For so long, and until every key was asked about a few times more.
    async fn goes_on(&self, what: &str, least: Duration, keys: usize) {
        let (begun, then) = (Instant::now(), self.answered.load(Ordering::Relaxed));
        let more = 2 * i64::try_from(keys).unwrap();
        until_within(least + PATIENCE, what, async || begun.elapsed() >= least && self.answered.load(Ordering::Relaxed) > then + more).await;
    }

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

async fn readiness(node: &Node) -> u16 {
    reqwest::get(format!("{}/readyz", node.base)).await.map_or(0, |answer| answer.status().as_u16())
}

/// What the process holds for itself, in KiB: without the program and mapped files, which the system takes back when it needs room.
fn memory(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.process.id().unwrap())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_slow_then_away_then_started_anew_refuses_and_loses_no_call_and_takes_bounded_memory() {
    let (least, keys) = scale();
    let (cluster, folder) = (Folder::new(), Folder::new());
    let own = start(&cluster).await;
    let db = PgPool::connect_with(own.connect_options().host("localhost")).await.unwrap();
    db::migrate(&db).await.unwrap();
    let app = TestApp::start(db.clone()).await;
    let owner = owner(&app, "mara@example.com", "operator").await;
    let secrets = insert_keys(&app, &owner, keys).await;
    app.stop().await;

    let way = Way::to(&db).await;
    let node = process::start(&way.url, &folder, &[]).await;
    let load = Load::on(&node, &secrets);
    until_within(PATIENCE, "a batch was written", async || stored(&db).await > 0).await;
    load.goes_on("every key was asked about", Duration::ZERO, keys).await;
    let before = memory(&node);

    way.slow(SLOW);
    let written = stored(&db).await;
    load.goes_on("calls go on beside a slow Postgres", least, keys).await;
    until_within(PATIENCE, "and batches are written", async || stored(&db).await > written).await;
    way.slow(Duration::ZERO);

    own.stop().await;
    until("the node knows that Postgres is away", async || readiness(&node).await == 503).await;
    load.goes_on("calls go on from memory", least, keys).await;
    let own = start(&cluster).await;
    until_within(PATIENCE, "it is ready again", async || readiness(&node).await == 200).await;
    load.goes_on("and when it has started anew", Duration::ZERO, keys).await;

    let answered = load.end().await;
    let after = memory(&node);
    until_within(PATIENCE, "what was answered is what is stored", async || stored(&db).await == answered).await;
    assert!(after.saturating_sub(before) <= MOST_KIB, "{before} KiB before, {after} KiB after");
    println!("{keys} keys, {answered} calls: {before} KiB before, {after} KiB after");
    drop(node);
    db.close().await;
    own.stop().await;
}
