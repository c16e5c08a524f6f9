//! The database for a command: the running server's, the one of `DATABASE_URL`, or the embedded one for as long as it takes.

use super::{Exit, complain};
use crate::{
    boot::context::{context, context_of_keys_here},
    error::AppError,
    platform::{
        Ctx,
        config::Config,
        db::{self, Schema},
        postgres::{self, Purpose},
    },
};
use std::sync::Arc;

/// Runs `work` with a context. Refuses on a schema that this binary does not know: `name` is what is shown to whoever waits.
pub async fn with_ctx(config: &Arc<Config>, name: &'static str, work: impl AsyncFnOnce(&Ctx) -> Result<Exit, AppError>) -> Exit {
    with(config, name, true, work).await
}

/// The same where a master key may be missing that the database knows.
pub async fn with_keys_here(config: &Arc<Config>, name: &'static str, work: impl AsyncFnOnce(&Ctx) -> Result<Exit, AppError>) -> Exit {
    with(config, name, false, work).await
}

async fn with(config: &Arc<Config>, name: &'static str, needs_all_keys: bool, work: impl AsyncFnOnce(&Ctx) -> Result<Exit, AppError>) -> Exit {
    let database = match postgres::open(config, Purpose::Command(name)).await {
        Ok(database) => database,
        Err(error) => {
            complain(error);
            return Exit::Failed;
        }
    };
    let pool = database.pool(config);
    let exit = match ready(config, &pool, needs_all_keys).await {
        Ok(ctx) => work(&ctx).await.unwrap_or_else(|error| Exit::because(&error)),
        Err(exit) => exit,
    };
    pool.close().await;
    database.close().await;
    exit
}

async fn ready(config: &Arc<Config>, pool: &sqlx::PgPool, needs_all_keys: bool) -> Result<Ctx, Exit> {
    match db::schema(pool).await {
        Ok(Schema::Current) => {}
        Ok(other) => {
            complain(other);
            return Err(Exit::Refused);
        }
        Err(error) => {
            complain(format!("the database failed: {error}."));
            return Err(Exit::Failed);
        }
    }
    let (config, pool) = (Arc::clone(config), pool.clone());
    let context = if needs_all_keys { context(config, pool).await } else { context_of_keys_here(config, pool) };
    context.map_err(|error| {
        complain(error);
        Exit::Failed
    })
}
