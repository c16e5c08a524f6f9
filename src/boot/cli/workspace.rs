//! `tollgate workspace …`: what holds a workspace itself, before its plan and its group: its limits, and what it is granted.

use super::{
    Exit, Invocation,
    group::Whom,
    missing::{OrNo, Thing},
    plan::{Wanted, granted, words},
    with_ctx,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{KeyLimit, LimitUnit, Over, Window},
        server as keys,
    },
    plans::{model::WorkspaceHold, server as plans},
    platform::Ctx,
};
use clap::{Args, Subcommand};
use tokio::time::Instant;

#[derive(Subcommand)]
pub(super) enum WorkspaceCommand {
    /// Show what holds a workspace: its plan, its group, its own limits and grants
    Show {
        #[command(flatten)]
        whom: Whom,
    },
    /// Set one limit of its own, which all its keys use together; limits of its own come before those of its group and its plan. The others stay
    SetLimit(SetLimit),
    /// Say what it is granted itself of what needs a grant, all of it, beside what its plan and its group grant
    SetGrants {
        #[command(flatten)]
        whom: Whom,
        /// A permission that needs a grant, more than once, all of them: orders/reports:export
        #[arg(long, value_name = "API/PERMISSION", required_unless_present = "none")]
        grant: Vec<String>,
        /// Nothing
        #[arg(long, conflicts_with = "grant")]
        none: bool,
    },
}

#[derive(Args)]
pub(super) struct SetLimit {
    #[command(flatten)]
    whom: Whom,
    /// Which limit: there may be up to 32
    #[arg(long, default_value = KeyLimit::DEFAULT)]
    name: String,
    #[arg(long, value_name = "UNITS", required_unless_present_any = ["default", "remove"])]
    limit: Option<u64>,
    /// Seconds, or second, minute, hour, day or month (day@Europe/Stockholm: of a time zone, rolling:hour: rolling, credits:100/hour: credits, concurrent:30: at the same time); without it what this limit has, a day for a new one
    #[arg(long)]
    window: Option<Window>,
    /// What a window counts: units, of which a call takes what it costs, or calls, of which it takes one, whatever it costs; without it what this
    /// limit has, units for a new one
    #[arg(long, value_name = "calls|units")]
    unit: Option<LimitUnit>,
    /// What becomes of calls beyond it: refuse, throttle:5 (five pass in each second) or mark; until when: mark@2027-01-31. Without it
    /// what this limit has, refuse for a new one
    #[arg(long)]
    over: Option<Over>,
    /// Take this limit away
    #[arg(long, conflicts_with = "limit")]
    remove: bool,
    /// Take all of them away: what its group or a plan gives holds again
    #[arg(long, conflicts_with_all = ["limit", "remove"])]
    default: bool,
}

impl WorkspaceCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "workspace", async |ctx| match self {
            Self::Show { whom } => {
                let workspace = whom.workspace(ctx).await?;
                let hold = plans::workspace_hold(ctx, &Caller::cli(), workspace).await.or_no(Thing::Workspace, workspace)?;
                invocation.answer(&hold, &shown(&hold));
                Ok(Exit::Done)
            }
            Self::SetLimit(wanted) => set_limit(ctx, invocation, wanted).await,
            Self::SetGrants { whom, grant, .. } => set_grants(ctx, invocation, &whom, &grant).await,
        })
        .await
    }
}

fn shown(hold: &WorkspaceHold) -> String {
    let none = || "none".to_owned();
    let mut lines = vec![
        format!("{}  {}", hold.workspace, hold.name),
        format!("plan       {}", hold.plan.as_ref().map_or_else(none, ToString::to_string)),
        format!("group      {}", hold.group.as_ref().map_or_else(none, ToString::to_string)),
        format!("limits     {}", words(&hold.limits)),
    ];
    lines.extend(hold.grants.iter().map(|grant| format!("grants     {grant}")));
    lines.join("\n")
}

async fn set_limit(ctx: &Ctx, invocation: &Invocation, wanted: SetLimit) -> Result<Exit, AppError> {
    let cli = Caller::cli();
    let SetLimit { whom, name, limit, window, unit, over, default, .. } = wanted;
    let workspace = whom.workspace(ctx).await?;
    let mut hold = plans::workspace_hold(ctx, &cli, workspace).await.or_no(Thing::Workspace, workspace)?;
    let change = if default { None } else { Some(Wanted { name, limit, window, unit, over }.change(&hold.limits, &hold.name, Window::DAY)?) };
    if invocation.dry_run {
        hold.limits = match &change {
            Some(change) => change.of(&hold.limits).map_err(|words| AppError::invalid("name", words))?,
            None => Vec::new(),
        };
        invocation.answer(&hold, &format!("Would be {} for all keys of {} together.", words(&hold.limits), hold.name));
        return Ok(Exit::Done);
    }
    let since = Instant::now();
    let hold = match &change {
        Some(change) => plans::change_workspace_limit(ctx, &cli, workspace, change).await?,
        None => plans::set_workspace_limits(ctx, &cli, workspace, Vec::new()).await?,
    };
    let spread = plans::spread_of(ctx, workspace.uuid(), since).await;
    invocation.answer_spread(&hold, &format!("From now on {} for all keys of {} together.", words(&hold.limits), hold.name), &spread);
    Ok(Exit::Done)
}

async fn set_grants(ctx: &Ctx, invocation: &Invocation, whom: &Whom, grants: &[String]) -> Result<Exit, AppError> {
    let cli = Caller::cli();
    let workspace = whom.workspace(ctx).await?;
    if invocation.dry_run {
        let mut hold = plans::workspace_hold(ctx, &cli, workspace).await.or_no(Thing::Workspace, workspace)?;
        hold.grants = keys::read_grants(ctx, grants).await?;
        invocation.answer(&hold, &format!("{} would be granted {}.", hold.name, granted(&hold.grants)));
        return Ok(Exit::Done);
    }
    let since = Instant::now();
    let hold = plans::set_workspace_grants(ctx, &cli, workspace, grants).await.or_no(Thing::Workspace, workspace)?;
    let spread = plans::spread_of(ctx, workspace.uuid(), since).await;
    invocation.answer_spread(&hold, &format!("From now on {} itself is granted {}.", hold.name, granted(&hold.grants)), &spread);
    Ok(Exit::Done)
}
