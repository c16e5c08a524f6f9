//! What every test stands on: a server of its own on a database of its own, with a frozen clock and a mailbox.

#![allow(dead_code, reason = "one test binary; not every part is used by every file")]

pub mod browser;
pub mod folder;
pub mod locks;
pub mod log;
pub mod mailbox;
pub mod mortal;
pub mod places;
pub mod provider;
pub mod smtp;

use leptos_axum::generate_route_list;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use sqlx::PgPool;
use std::{collections::BTreeSet, sync::Arc};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tollgate::{
    accounts::server::Passwords,
    app::App,
    boot::server::Running,
    keys::server::gate::Gate,
    platform::{
        Ctx,
        clock::Clock,
        config::Config,
        crypto::{Rng, Vault},
        mail::Mailer,
    },
    usage::server::{Backlog, write_batch},
};

/// A running Tollgate over real HTTP. The clock stands at `T0` until the test moves it.
pub struct TestApp {
    pub ctx: Ctx,
    pub base: String,
    pub http: reqwest::Client,
    running: Running,
    _data: TempDir,
}

/// Friday, 20 November 2026, 12:00 UTC.
pub const T0: time::OffsetDateTime = time::macros::datetime!(2026-11-20 12:00 UTC);

/// Every path of the product's pages, as the router has them.
pub fn routes() -> BTreeSet<String> {
    generate_route_list(App).iter().map(|route| route.path().to_owned()).collect()
}

impl TestApp {
    pub async fn start(db: PgPool) -> Self {
        Self::start_with(db, |_| {}).await
    }

    /// With a changed configuration.
    pub async fn start_with(db: PgPool, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_at(db, T0, Vault::new([7; 32]), change).await
    }

    /// Ends the server as the product ends, and starts another one on its database at the same time of the clock.
    pub async fn restart(self) -> Self {
        self.restart_with(Vault::new([7; 32])).await
    }

    /// The same with other master keys.
    pub async fn restart_with(self, vault: Vault) -> Self {
        let (db, now) = (self.ctx.db.clone(), self.ctx.clock.now());
        self.stop().await;
        Self::start_at(db, now, vault, |_| {}).await
    }

    async fn start_at(db: PgPool, now: time::OffsetDateTime, vault: Vault, change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(db, now, vault, tempfile::tempdir().unwrap(), change).await
    }

    /// On this data folder.
    async fn start_in(db: PgPool, now: time::OffsetDateTime, vault: Vault, data: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let mut config = Config::development(data.path().to_owned());
        config.server.public_url = base.parse().unwrap();
        config.auth.argon2_memory_kib = 64; // a test is not a place to spend memory; the real cost has tests of its own
        config.auth.argon2_passes = 1;
        (config.limits.account_rate, config.limits.address_rate) = (0, 0); // all tests come from one address, and no time passes
        config.jobs.in_serve = false; // a test says when jobs run: `run_jobs`
        change(&mut config);
        let ctx = Ctx::new(db, Clock::frozen(now), Rng::system(), vault, Mailer::default(), Arc::new(config));
        let passwords = Passwords::new(&ctx.config.auth, &ctx.vault, &ctx.rng).unwrap();
        let ctx = ctx.with(Arc::new(passwords));
        let running = Running::start(ctx, listener).await.unwrap();
        let ctx = running.ctx.clone();
        let http = reqwest::Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { ctx, base, http, running, _data: data }
    }

    /// Ends the server as the product ends.
    pub async fn stop(self) {
        self.running.stop().await;
    }

    /// What the meter holds goes to the database, as every two seconds. What the flusher of the server took just before arrives first.
    pub async fn flush(&self) {
        let batch = self.ctx.part::<Gate>().unwrap().meter().take(self.ctx.new_id());
        write_batch(&self.ctx, self.ctx.new_id(), &batch).await.unwrap();
        let backlog = self.ctx.part::<Backlog>().unwrap();
        until("the flusher has written what it took", async || backlog.waiting() == 0).await;
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.url(path)).header("accept", "text/html").send().await.unwrap()
    }

    /// Posts a form to its page as a browser would.
    pub async fn post_form(&self, path: &str, function: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        let mut all = vec![("_fn", function)];
        all.extend_from_slice(fields);
        self.http.post(self.url(path)).header("sec-fetch-site", "same-origin").header("accept", "text/html").form(&all).send().await.unwrap()
    }
}

/// The source of what a property test does: the same each time, unless `MODEL_SEED` is a number. `make soak` runs many seeds.
pub fn model_runner() -> TestRunner {
    let Some(seed) = model_seed() else { return TestRunner::deterministic() };
    println!("the same again: MODEL_SEED={seed}"); // shown where the test fails
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(proptest::test_runner::Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

pub fn model_seed() -> Option<u64> {
    std::env::var("MODEL_SEED").ok().map(|seed| seed.parse().unwrap())
}

/// Waits for a condition that another task will make true; at most ten seconds of the test's own time.
pub async fn until<F: Future<Output = bool>>(what: &str, condition: impl FnMut() -> F) {
    until_within(std::time::Duration::from_secs(10), what, condition).await;
}

/// The same, for what the product itself takes its time with.
pub async fn until_within<F: Future<Output = bool>>(most: std::time::Duration, what: &str, mut condition: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + most;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "still not: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
