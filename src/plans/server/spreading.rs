//! After a commit: plans, groups, workspaces and APIs give what they give now on every node, before the change is answered.

use super::store;
use crate::{
    error::AppError,
    keys::{model::Spread, server::nodes},
    platform::Ctx,
};
use tokio::time::Instant;
use uuid::Uuid;

/// Waits until every live node has it, at most two seconds after the commit, a moment ago; a node that has not is named in the log and follows
/// by itself.
pub async fn spread(ctx: &Ctx, holder: Uuid) {
    let spread = nodes::spread_of_holders(ctx, &[holder], Instant::now()).await;
    if !spread.is_whole() {
        tracing::warn!("a change of limits: {}", spread.words("In force"));
    }
}

/// On which nodes holds what this plan, group, workspace or API gives: of its last change, of which the operation that began at `since` has
/// waited already. So whoever is missing then is not waited for once more.
pub async fn spread_of(ctx: &Ctx, holder: Uuid, since: Instant) -> Spread {
    nodes::spread_of_holders_again(ctx, &[holder], since).await
}

/// The same of an API by its slug.
pub async fn spread_of_api(ctx: &Ctx, slug: &str, since: Instant) -> Result<Spread, AppError> {
    let id = store::lock_api(&mut *ctx.db.acquire().await?, slug).await?.ok_or(AppError::NotFound)?;
    Ok(spread_of(ctx, id.uuid(), since).await)
}
