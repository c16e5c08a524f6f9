//! What `/admin/plans` shows.

use super::{describing, dry_run, store};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{KeyLimit, Window},
        server::list_needing_grant,
    },
    plans::model::{ChosenPlan, PlanPage, Trial},
    platform::Ctx,
};

/// Holders beside the list.
const MOST: i64 = 50;

/// Every plan, and the chosen one with those who have it; with a `trial`, who would have been limited by it.
pub async fn plan_page(ctx: &Ctx, caller: &Caller, chosen: Option<&str>, trial: Option<&Trial>) -> Result<PlanPage, AppError> {
    let plans = describing::list_plans(ctx, caller).await?;
    let chosen = match chosen {
        Some(slug) => {
            let plan = plans.iter().find(|p| p.slug.as_str() == slug).cloned().ok_or(AppError::NotFound)?;
            let run = match trial {
                Some(trial) => Some(dry_run::try_plan(ctx, caller, slug, trial).await?),
                None => None,
            };
            Some(ChosenPlan { holders: store::list_holders(&ctx.db, plan.id, MOST).await?, plan, run })
        }
        None => None,
    };
    let limits = &ctx.config.limits;
    let default = KeyLimit::new("", limits.key_calls, Window::Seconds(limits.key_window));
    Ok(PlanPage { plans, chosen, default_limit: default.words(), needing: list_needing_grant(ctx).await? })
}
