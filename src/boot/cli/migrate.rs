//! `tollgate migrate`: brings the schema up to date. `--dry-run` lists what it would apply.

use super::{Exit, Invocation, complain};
use crate::platform::{
    config::Config,
    db::{self, Schema},
    postgres::{self, Purpose},
};
use sqlx::PgPool;
use std::sync::Arc;

pub(super) async fn run(invocation: &Invocation) -> Exit {
    let config: &Arc<Config> = &invocation.config;
    let database = match postgres::open(config, Purpose::Command("migrate")).await {
        Ok(database) => database,
        Err(error) => {
            complain(error);
            return Exit::Failed;
        }
    };
    let pool = database.pool(config);
    let exit = migrate(invocation, &pool).await.unwrap_or_else(|error| {
        complain(error);
        Exit::Failed
    });
    pool.close().await;
    database.close().await;
    exit
}

async fn migrate(invocation: &Invocation, pool: &PgPool) -> Result<Exit, Box<dyn std::error::Error>> {
    let pending = match db::schema(pool).await? {
        Schema::Current => Vec::new(),
        Schema::Behind(pending) => pending,
        other => {
            complain(other);
            return Ok(Exit::Refused);
        }
    };
    if !invocation.dry_run {
        db::migrate(pool).await?;
    }
    let words = match (pending.as_slice(), invocation.dry_run) {
        ([], _) => "The schema is up to date.".to_owned(),
        (some, true) => format!("Would apply:\n  {}", some.join("\n  ")),
        (some, false) => format!("Applied:\n  {}", some.join("\n  ")),
    };
    let key = if invocation.dry_run { "pending" } else { "applied" };
    invocation.answer(&serde_json::json!({ key: pending }), &words);
    Ok(Exit::Done)
}
