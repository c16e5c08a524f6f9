//! A server that can end by force: it stands in a runtime of its own, and all that runs there ends where it is, as in a process that is killed.

use super::{T0, TestApp};
use sqlx::PgPool;
use std::{fs, time::Duration};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::{
    runtime::{Builder, Runtime},
    task::spawn_blocking,
};
use tollgate::{keys::server::nodes::Nodes, platform::crypto::Vault};

pub struct Mortal {
    pub app: TestApp,
    runtime: Own,
}

/// A runtime must not be dropped where a test runs, also not by a test that fails.
struct Own(Option<Runtime>);

impl Own {
    /// Nothing of it runs any more.
    async fn end(mut self) {
        let runtime = self.0.take();
        spawn_blocking(move || runtime.into_iter().for_each(|runtime| runtime.shutdown_timeout(Duration::from_secs(10)))).await.unwrap();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Mortal {
    pub async fn start(db: &PgPool) -> Self {
        Self::start_in(db, T0, tempfile::tempdir().unwrap()).await
    }

    /// On this data folder, with connections of its own.
    async fn start_in(db: &PgPool, now: OffsetDateTime, data: TempDir) -> Self {
        let options = (*db.connect_options()).clone();
        let start = move || {
            let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let app = runtime.block_on(async move {
                let db = PgPool::connect_with(options).await.unwrap();
                TestApp::start_in(db, now, Vault::new([7; 32]), data, |_| {}).await
            });
            Self { app, runtime: Own(Some(runtime)) }
        };
        spawn_blocking(start).await.unwrap()
    }

    /// Ends as the product ends.
    pub async fn stop(self) {
        self.app.stop().await;
        self.runtime.end().await;
    }

    /// Ends as the product ends, and starts again on its folder at the same time of the clock.
    pub async fn restart(self, db: &PgPool) -> Self {
        let Self { app, runtime } = self;
        let now = app.ctx.clock.now();
        let TestApp { ctx, running, _data: data, .. } = app;
        running.stop().await;
        drop(ctx);
        runtime.end().await;
        Self::start_in(db, now, data).await
    }

    /// Ends by force, and starts again on its folder at the same time of the clock.
    pub async fn kill(self, db: &PgPool) -> Self {
        let Self { app, runtime } = self;
        let (now, node) = (app.ctx.clock.now(), app.ctx.part::<Nodes>().unwrap().id());
        runtime.end().await;
        let TestApp { ctx, running, _data: data, .. } = app;
        drop((ctx, running));
        // A process that is killed leaves its folder also where nothing is in it.
        let folder = data.path().join("spool").join(node.uuid().simple().to_string());
        fs::create_dir_all(&folder).unwrap();
        fs::OpenOptions::new().create(true).append(true).open(folder.join("lock")).unwrap();
        Self::start_in(db, now, data).await
    }
}
