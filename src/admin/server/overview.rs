//! What `/admin` shows, read at once.

use super::{
    accounts::newest_accounts,
    deeds, health,
    nodes::list_nodes,
    words::{lasting, local},
};
use crate::{
    accounts::{Caller, server as accounts},
    admin::model::{Numbers, Overview},
    error::AppError,
    keys::server as keys,
    platform::Ctx,
    usage::server as usage,
    values::permission_names as may,
};

/// Rows of the short lists.
const FEW: u16 = 6;

/// Numbers of today, the parts of the product, and what happened last.
pub async fn read_overview(ctx: &Ctx, caller: &Caller) -> Result<Overview, AppError> {
    caller.require(&may::ADMIN_READ)?;
    // First, so that what this page reads at once takes no part in it.
    let database = health::database(ctx).await;
    let (people, keys, calls, attempts, refusals, newest, deeds, parts) = tokio::try_join!(
        accounts::count_accounts(ctx, caller),
        keys::count_keys(ctx, caller),
        usage::calls_today(ctx, caller),
        usage::unknown_attempts_today(ctx, caller),
        usage::recent_refusals(ctx, caller, FEW),
        newest_accounts(ctx, caller, FEW.into()),
        deeds::of_operators(ctx, caller, FEW.into()),
        async { Ok::<_, AppError>(health::parts(ctx, database).await) },
    )?;
    let numbers = Numbers {
        accounts: people.all,
        recent_accounts: people.recent,
        keys: keys.all,
        live_keys: keys.live,
        calls,
        attempts: attempts.iter().map(|(_, n)| n).sum(),
    };
    Ok(Overview {
        numbers,
        parts,
        nodes: list_nodes(ctx, caller),
        refusals,
        newest,
        deeds,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        up: lasting(ctx.clock.now() - ctx.started_at),
        zone: local(ctx, caller).zone(),
    })
}
