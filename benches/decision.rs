//! The decision alone, in process: no HTTP, no network, one thread. `scripts/bench` runs it before the measurements over HTTP.
//!
//! Aims: at most 2 µs for a valid key with two limits, metering included; at most 200 ns for a malformed one.
//! It needs a Postgres (`DATABASE_URL`), in which it makes a database of its own and drops it at the end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench stops where it can't go on")]

use criterion::{Criterion, Throughput};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use std::{hint::black_box, sync::Arc};
use tollgate::{
    accounts::{
        Via,
        server::{NewAccount, OPERATOR, Passwords, caller_of_account, create_account},
    },
    keys::{
        model::{KeyEdit, KeyLimit, NewKey, Window},
        server::{
            create_key, edit_key,
            gate::{Gate, Question, Sync},
            nodes::Nodes,
        },
    },
    platform::{
        Ctx,
        clock::Clock,
        config::Config,
        crypto::{Rng, Vault},
        db,
        mail::Mailer,
    },
    values::{ApiId, Outcome},
};

/// Keys in the table, of which one is asked for; then all of them in turn.
const KEYS: usize = 1_000;
/// No run comes near it.
const LIMIT: u64 = 4_000_000_000;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL says where a Postgres is; scripts/dev/database prints one");
    let server: PgConnectOptions = url.parse().unwrap();
    let name = format!("tollgate_decision_{}", std::process::id());
    runtime.block_on(sql(&server, &format!("create database {name}")));
    let bench = runtime.block_on(Bench::new(server.clone().database(&name)));

    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, &bench);
    criterion.final_summary();

    runtime.block_on(async {
        bench.sync.stop().await;
        bench.db.close().await;
        sql(&server, &format!("drop database {name} with (force)")).await;
    });
}

fn measure(criterion: &mut Criterion, bench: &Bench) {
    let mut group = criterion.benchmark_group("decision");
    group.throughput(Throughput::Elements(1));
    let (gate, demo) = (&bench.gate, bench.gate.api("demo").unwrap().id);
    let first = bench.secrets.first().unwrap();
    let wrong = mistyped(first);

    assert_eq!(gate.verify(ask(first, demo)).unwrap().outcome, Outcome::Valid);
    group.bench_function("valid, two limits, one key", |b| b.iter(|| gate.verify(ask(black_box(first), demo)).unwrap().outcome));
    let mut turn = bench.secrets.iter().cycle();
    group.bench_function(format!("valid, two limits, {KEYS} keys in turn"), |b| b.iter(|| gate.verify(ask(turn.next().unwrap(), demo)).unwrap().outcome));
    assert_eq!(gate.standing(&wrong, "demo", "orders:read", "GET /orders", None), Outcome::Malformed);
    group.bench_function("malformed, decided", |b| b.iter(|| gate.standing(black_box(&wrong), "demo", "orders:read", "GET /orders", None)));
    group.bench_function("malformed, decided and counted", |b| b.iter(|| gate.verify(ask(black_box(&wrong), demo)).unwrap().outcome));
    group.finish();
}

fn ask(secret: &str, api: ApiId) -> Question<'_> {
    Question { secret, api: Some(api), permission: Some("orders:read"), route: "GET /orders", request_id: "bench", ..Question::default() }
}

/// One character of the secret is another: the checksum says so.
fn mistyped(secret: &str) -> String {
    let last = if secret.ends_with('A') { 'B' } else { 'A' };
    format!("{}{last}", &secret[..secret.len() - 1])
}

/// A gate that has loaded its keys.
struct Bench {
    db: sqlx::PgPool,
    gate: Arc<Gate>,
    sync: Sync,
    secrets: Vec<String>,
}

impl Bench {
    async fn new(database: PgConnectOptions) -> Self {
        let db = db::pool(database, 4);
        db::migrate(&db).await.unwrap();
        let config = Config::development(std::env::temp_dir());
        let ctx = Ctx::new(db.clone(), Clock::system(), Rng::system(), Vault::new([7; 32]), Mailer::default(), Arc::new(config));
        let passwords = Passwords::new(&ctx.config.auth, &ctx.vault, &ctx.rng).unwrap();
        let ctx = ctx.with(Arc::new(passwords));
        let new = NewAccount { email: "bench@example.com".parse().unwrap(), name: "Bench", password: None, roles: &[OPERATOR], is_verified: true, by: "bench" };
        let account = create_account(&ctx, &new).await.unwrap();
        let caller = caller_of_account(&ctx, account, Via::Cli).await.unwrap().unwrap();
        let mut secrets = Vec::with_capacity(KEYS);
        for n in 0..KEYS {
            let new = NewKey { name: format!("key {n}"), api: Some("demo".into()), permissions: Some(vec!["orders:read".into()]), ..NewKey::default() };
            let created = create_key(&ctx, &caller, new).await.unwrap();
            let limit = |name: &str, window| KeyLimit::new(name, LIMIT, window);
            let edit = KeyEdit { limits: Some(vec![limit("hour", Window::HOUR), limit("minute", Window::MINUTE)]), ..KeyEdit::default() };
            edit_key(&ctx, &caller, created.key.id, edit).await.unwrap();
            secrets.extend(created.secret);
        }
        let gate = Gate::new(&ctx, None);
        let nodes = Nodes::new(&ctx, ctx.new_id(), 0);
        let sync = Sync::start(Arc::clone(&gate), nodes, &ctx, &[]).await.unwrap();
        Self { db, gate, sync, secrets }
    }
}

async fn sql(server: &PgConnectOptions, statement: &str) {
    let mut connection: PgConnection = server.connect().await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}
