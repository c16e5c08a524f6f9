//! `tollgate plan|group|api try …`: who would have been limited since the first of last month, by what is saved or by a limit that is not.

use super::{
    Exit, Invocation,
    group::Whom,
    missing::{OrNo, Thing},
    plan::{Wanted, tried},
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{KeyLimit, LimitUnit, Window},
    plans::{
        model::DryRun,
        server::{self as plans, PlanTry},
    },
    platform::Ctx,
};
use clap::Args;

/// One limit that is saved nowhere, tried beside the others that are.
#[derive(Args)]
pub(super) struct Unsaved {
    /// Try so many calls, in place of what is saved or beside it
    #[arg(long, value_name = "CALLS")]
    limit: Option<u64>,
    /// Which limit it would be
    #[arg(long, default_value = KeyLimit::DEFAULT)]
    name: String,
    /// Its window, written as in set-limit; without it what this limit has
    #[arg(long, requires = "limit")]
    window: Option<Window>,
    /// What it counts, units or calls; without it what this limit has
    #[arg(long, value_name = "calls|units", requires = "limit")]
    unit: Option<LimitUnit>,
    /// Try it without this limit
    #[arg(long, conflicts_with = "limit")]
    remove: bool,
}

impl Unsaved {
    /// All limits as they would be; none: as they are saved. A new one has this window, unless another is named.
    fn limits(self, saved: &[KeyLimit], whose: &str, window: Window) -> Result<Option<Vec<KeyLimit>>, AppError> {
        if self.limit.is_none() && !self.remove {
            return Ok(None);
        }
        let change = Wanted { name: self.name, limit: self.limit, window: self.window, unit: self.unit, over: None }.change(saved, whose, window)?;
        change.of(saved).map(Some).map_err(|words| AppError::invalid("name", words))
    }
}

#[derive(Args)]
pub(super) struct TryPlan {
    slug: String,
    /// Each key alone, not all keys of a workspace together
    #[arg(long)]
    by_key: bool,
    /// Only those who have it, not everybody
    #[arg(long)]
    holders: bool,
    #[command(flatten)]
    unsaved: Unsaved,
}

impl TryPlan {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let plan = plans::find_plan(ctx, &Caller::cli(), &self.slug).await.or_no(Thing::Plan, &self.slug)?;
        let limits = self.unsaved.limits(&plan.limits, &plan.name, Window::DAY)?;
        let wanted = PlanTry { limits, of_holders: self.holders, by_key: self.by_key };
        Ok(said(invocation, &plans::try_plan_limits(ctx, &Caller::cli(), &self.slug, wanted).await?))
    }
}

#[derive(Args)]
pub(super) struct TryGroup {
    slug: String,
    #[command(flatten)]
    unsaved: Unsaved,
}

impl TryGroup {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let group = plans::find_group(ctx, &Caller::cli(), &self.slug).await.or_no(Thing::Group, &self.slug)?;
        let limits = self.unsaved.limits(&group.limits, &group.name, Window::DAY)?;
        Ok(said(invocation, &plans::try_group_limits(ctx, &Caller::cli(), &self.slug, limits).await?))
    }
}

#[derive(Args)]
pub(super) struct TryApi {
    slug: String,
    #[command(flatten)]
    unsaved: Unsaved,
}

impl TryApi {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let saved = plans::api_limits(ctx, &Caller::cli(), &self.slug).await.or_no(Thing::Api, &self.slug)?;
        let limits = self.unsaved.limits(&saved, &self.slug, Window::HOUR)?;
        Ok(said(invocation, &plans::try_api_limits(ctx, &Caller::cli(), &self.slug, limits).await?))
    }
}

#[derive(Args)]
pub(super) struct TryWorkspace {
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    unsaved: Unsaved,
}

impl TryWorkspace {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let workspace = self.whom.workspace(ctx).await?;
        let hold = plans::workspace_hold(ctx, &Caller::cli(), workspace).await.or_no(Thing::Workspace, workspace)?;
        let limits = self.unsaved.limits(&hold.limits, &hold.name, Window::DAY)?;
        Ok(said(invocation, &plans::try_workspace_limits(ctx, &Caller::cli(), workspace, limits).await?))
    }
}

fn said(invocation: &Invocation, run: &DryRun) -> Exit {
    invocation.answer(run, &tried(run));
    Exit::Done
}
