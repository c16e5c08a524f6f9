//! `tollgate key show|history`: one key, and what was done to it. Never what is sent.

use super::{Exit, Invocation, key::known};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::server::{
        self as keys,
        http::{HistoryBody, KeyBody},
    },
    platform::Ctx,
    values::actor_words,
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What it is, what it may and from where, what limits it itself, when it was used.
pub(super) async fn show(ctx: &Ctx, invocation: &Invocation, id: &str) -> Result<Exit, AppError> {
    let key = known(ctx, id).await?;
    let mut limits: Vec<String> = key.limits.iter().map(|limit| format!("{} ({})", limit.words(), limit.name)).collect();
    if limits.is_empty() {
        limits.push("none of its own: the next level that sets any holds it".to_owned());
    }
    let key = KeyBody::of(key, ctx.clock.now());
    let all = |texts: &[String], none: &str| if texts.is_empty() { none.to_owned() } else { texts.join(", ") };
    let lines = [
        format!("{}  {}", key.id, key.name),
        format!("state         {}", key.state),
        format!("API           {}, {}", key.api, key.environment),
        format!("begins with   {}…", key.start),
        format!("permissions   {}", all(&key.effective_permissions, "none")),
        format!("bundles       {}", all(&key.bundles, "none")),
        format!("routes        {}", all(&key.routes, "all that its permissions allow")),
        format!("addresses     {}", all(&key.addresses, "everywhere")),
        format!("origins       {}", all(&key.origins, "every page")),
        format!("limits        {}", limits.join(", ")),
        format!("plan          {}", key.plan.as_deref().unwrap_or("none of its own")),
        format!("tags          {}", all(&key.tags, "none")),
        format!("external id   {}", key.external_id.as_deref().unwrap_or("none")),
        format!("created       {}", instant(Some(key.created_at), "")),
        format!("expires       {}", instant(key.expires_at, "never")),
        format!("last used     {}", instant(key.last_used_at, "never")),
    ];
    invocation.answer(&key, &lines.join("\n"));
    Ok(Exit::Done)
}

/// Its history, newest first: when, what, by whom, and why.
pub(super) async fn history(ctx: &Ctx, invocation: &Invocation, id: &str, most: u16) -> Result<Exit, AppError> {
    let key = known(ctx, id).await?;
    let (entries, next) = keys::key_history(ctx, &Caller::cli(), key.id, None, usize::from(most)).await?;
    let entries: Vec<HistoryBody> = entries.into_iter().map(Into::into).collect();
    let line = |entry: &HistoryBody| {
        let why = if entry.reason.is_empty() { String::new() } else { format!("  “{}”", entry.reason) };
        let by = if entry.is_account { entry.actor.as_str() } else { actor_words(&entry.actor) };
        format!("{}  {:12}  {by}  {}{why}", entry.at, entry.act, entry.detail).trim_end().to_owned()
    };
    let mut lines: Vec<String> = entries.iter().map(line).collect();
    if next.is_some() {
        lines.push("There are older ones: ask for more by --most.".to_owned());
    }
    invocation.answer(&entries, &lines.join("\n"));
    Ok(Exit::Done)
}

fn instant(at: Option<OffsetDateTime>, none: &str) -> String {
    at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_else(|| none.to_owned())
}
