//! The exact counts by code that stand beside samples, as a file: one's own, and (for operators) everybody's.

use super::{
    calendar::{Calendar, timestamp},
    lines::CodeLine,
    refusals::{Asked, counts},
    store::reading,
    whose::Whose,
};
use crate::{accounts::Caller, error::AppError, platform::Ctx, usage::model::RefusalQuery};

/// Calls by code of what did not pass, or (code VALID) of what passed, by key, API, route and time; of one code if one is asked for.
pub async fn export_codes(ctx: &Ctx, caller: &Caller, whose: Whose, query: &RefusalQuery) -> Result<Vec<CodeLine>, AppError> {
    let workspace = whose.workspace(ctx, caller, query).await?;
    let asked = Asked::read(ctx, &query.filters(), &Calendar::of(&caller.time_zone), timestamp(ctx.clock.now())).await?;
    let (from, to) = asked.times();
    let rows = reading::list_codes(&ctx.db, &asked.counted(workspace), from, to).await?;
    let lines = counts(rows).into_iter().map(|(code, calls)| CodeLine { code: code.to_string(), calls });
    Ok(lines.filter(|line| query.code.as_ref().is_none_or(|code| *code == line.code)).collect())
}
