//! "Why this limit?": every level with what it would give, nearest first, and which one is in force.

use super::store::limits::{find_holders, list_levels, list_limits_of_new_keys};
use crate::{
    error::AppError,
    keys::model::{Api, Key, KeyLimit, Level, LevelView, Window},
    platform::Ctx,
    values::WorkspaceId,
};
use sqlx::PgConnection;

/// The levels of a key. For a key for Tollgate's own API the workspace's do not count, and are left out; so are those of a group where
/// there is none.
pub async fn why(ctx: &Ctx, key: &Key) -> Result<Vec<LevelView>, AppError> {
    let holders = find_holders(&ctx.db, key.id).await?.ok_or(AppError::NotFound)?;
    let found = list_levels(&ctx.db, key.id).await?;
    let default = default(ctx);
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

/// What will hold a new key of a workspace at each of these APIs, in words: "100 units an hour", "10,000 units a day for all keys together".
pub async fn limits_of_new_keys(ctx: &Ctx, conn: &mut PgConnection, workspace: WorkspaceId, apis: &[Api]) -> Result<Vec<String>, AppError> {
    let found = list_limits_of_new_keys(conn, workspace).await?;
    let words = |api: &Api| {
        let given: Vec<_> = found.iter().filter(|(slug, ..)| slug == api.slug.as_str()).collect();
        let words = given.iter().map(|(.., limit)| limit.words()).collect::<Vec<_>>().join(", ");
        match given.first() {
            None => default(ctx).words(),
            Some((_, level, _)) if Level::numbered(*level).is_shared() => format!("{words} for all keys together"),
            Some(_) => words,
        }
    };
    Ok(apis.iter().map(words).collect())
}

fn default(ctx: &Ctx) -> KeyLimit {
    KeyLimit::new(KeyLimit::DEFAULT, ctx.config.limits.key_calls, Window::Seconds(ctx.config.limits.key_window))
}
