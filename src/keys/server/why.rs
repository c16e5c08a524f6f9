//! "Why this limit?": every level with what it would give, nearest first, and which one is in force.

use super::store::limits::{find_holders, list_levels};
use crate::{
    error::AppError,
    keys::model::{Key, KeyLimit, Level, LevelView, Window},
    platform::Ctx,
};

/// The levels of a key. For a key for Tollgate's own API the workspace's do not count, and are left out; so are those of a group where
/// there is none.
pub async fn why(ctx: &Ctx, key: &Key) -> Result<Vec<LevelView>, AppError> {
    let holders = find_holders(&ctx.db, key.id).await?.ok_or(AppError::NotFound)?;
    let found = list_levels(&ctx.db, key.id).await?;
    let default = KeyLimit::new(KeyLimit::DEFAULT, ctx.config.limits.key_calls, Window::Seconds(ctx.config.limits.key_window));
    let in_force = found.first().map_or(Level::Default, |(level, _)| Level::numbered(*level));
    let levels = Level::ALL.into_iter().filter(|level| !(holders.is_own_api && level.is_shared() || level.is_of_group() && holders.group.is_none()));
    Ok(levels
        .map(|level| LevelView {
            level,
            name: match level {
                Level::KeyPlan => holders.key_plan.clone().unwrap_or_default(),
                Level::Workspace => holders.workspace.clone(),
                Level::WorkspacePlan => holders.workspace_plan.clone().unwrap_or_default(),
                Level::Group => holders.group.clone().unwrap_or_default(),
                Level::GroupPlan => holders.group_plan.clone().unwrap_or_default(),
                Level::Api => holders.api.clone(),
                Level::Key | Level::Default => String::new(),
            },
            limits: match level {
                Level::Default => vec![default.clone()],
                level => found.iter().filter(|(number, _)| Level::numbered(*number) == level).map(|(_, limit)| limit.clone()).collect(),
            },
            is_in_force: level == in_force,
        })
        .collect())
}
