//! `tollgate group …`: describe groups, set their limits, put workspaces into them, try them on last month's usage.

use super::{
    Exit, Invocation,
    missing::{OrNo, Thing},
    must_be_free,
    plan::{self, SetGrants, SetLimit},
    trying::TryGroup,
    with_ctx,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{model::Window, server as keys},
    plans::{
        model::{Group, GroupEdit, NewGroup},
        server as plans,
    },
    platform::Ctx,
    ui::number::count,
    values::WorkspaceId,
};
use clap::{Args, Subcommand};
use serde_json::json;
use tokio::time::Instant;

/// Members in one answer; `--after` goes on.
const MOST: usize = 100;

#[derive(Subcommand)]
pub(super) enum GroupCommand {
    /// List the groups
    List,
    /// Show one group
    Show { slug: String },
    /// Describe a group
    Create {
        #[arg(long)]
        slug: String,
        #[arg(long)]
        name: String,
        #[arg(long, default_value = "")]
        description: String,
        /// The plan that each of its workspaces has, unless it has another itself
        #[arg(long)]
        plan: Option<String>,
    },
    /// Give a group another name, description or plan
    Edit {
        slug: String,
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        description: Option<String>,
        #[arg(long)]
        plan: Option<String>,
        /// Take its plan away
        #[arg(long, conflicts_with = "plan")]
        no_plan: bool,
    },
    /// Set one of a group's own limits; it holds at once for each of its workspaces
    SetLimit(SetLimit),
    /// Say what a group grants of what needs a grant, all of it; it holds at once for each of its workspaces
    SetGrants(SetGrants),
    /// Who is in a group
    Members {
        slug: String,
        /// Go on behind this workspace
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
    /// Put a workspace, or an account's workspace, into a group
    Add {
        slug: String,
        #[command(flatten)]
        whom: Whom,
    },
    /// Take a workspace, or an account's workspace, out of a group
    Remove {
        slug: String,
        #[command(flatten)]
        whom: Whom,
    },
    /// Who of its workspaces would have been limited by it since the first of last month, as it is saved or with a limit that is not
    Try(TryGroup),
    /// Delete a group that nobody is in
    Delete { slug: String },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Whom {
    /// A workspace's id
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// The email of the account whose workspace it is
    #[arg(long, value_name = "EMAIL")]
    account: Option<String>,
}

impl GroupCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "group", async |ctx| {
            let cli = Caller::cli();
            match self {
                Self::List => {
                    let found = plans::list_groups(ctx, &cli).await?;
                    let line = |g: &Group| format!("{:16}  {:20}  {:14}  {}", g.slug.as_str(), g.name, members(g), allows(g));
                    let lines: Vec<String> = found.iter().map(line).collect();
                    invocation.answer(&found, &if lines.is_empty() { "No groups.".to_owned() } else { lines.join("\n") });
                }
                Self::Show { slug } => {
                    let group = plans::find_group(ctx, &cli, &slug).await.or_no(Thing::Group, &slug)?;
                    invocation.answer(&group, &shown(&group));
                }
                Self::Create { slug, name, description, plan } => {
                    create(ctx, invocation, NewGroup { slug, name, description, plan, ..NewGroup::default() }).await?
                }
                Self::Edit { slug, name, description, plan, no_plan } => {
                    let plan = if no_plan { Some(None) } else { plan.map(Some) };
                    edit(ctx, invocation, &slug, GroupEdit { name, description, plan, ..GroupEdit::default() }).await?;
                }
                Self::SetLimit(wanted) => {
                    let slug = wanted.slug.clone();
                    let group = plans::find_group(ctx, &cli, &slug).await.or_no(Thing::Group, &slug)?;
                    let change = wanted.wanted().change(&group.limits, &group.name, Window::DAY)?;
                    edit(ctx, invocation, &slug, GroupEdit { limit: Some(change), ..GroupEdit::default() }).await?;
                }
                Self::SetGrants(SetGrants { slug, grant, .. }) => {
                    let mut group = plans::find_group(ctx, &cli, &slug).await.or_no(Thing::Group, &slug)?;
                    if invocation.dry_run {
                        group.grants = keys::read_grants(ctx, &grant).await?;
                        invocation.answer(&group, &format!("{} would grant {}.", group.name, plan::granted(&group.grants)));
                    } else {
                        let since = Instant::now();
                        let group = plans::edit_group(ctx, &cli, &slug, GroupEdit { grants: Some(grant), ..GroupEdit::default() }).await?;
                        let spread = plans::spread_of(ctx, group.id.uuid(), since).await;
                        invocation.answer_spread(&group, &format!("{} grants {}.", group.name, plan::granted(&group.grants)), &spread);
                    }
                }
                Self::Members { slug, after } => list_members(ctx, invocation, &slug, after).await?,
                Self::Add { slug, whom } => {
                    let workspace = whom.workspace(ctx).await?;
                    let group = plans::find_group(ctx, &cli, &slug).await.or_no(Thing::Group, &slug)?;
                    let hold = plans::workspace_hold(ctx, &cli, workspace).await.or_no(Thing::Workspace, workspace)?;
                    if invocation.dry_run {
                        invocation.answer(&hold, &format!("{} would be in {}.", hold.name, group.name));
                    } else {
                        let since = Instant::now();
                        let hold = plans::add_member(ctx, &cli, &slug, workspace).await?;
                        let spread = plans::spread_of(ctx, workspace.uuid(), since).await;
                        invocation.answer_spread(&hold, &format!("{} is in {}.", hold.name, group.name), &spread);
                    }
                }
                Self::Remove { slug, whom } => {
                    let workspace = whom.workspace(ctx).await?;
                    let group = plans::find_group(ctx, &cli, &slug).await.or_no(Thing::Group, &slug)?;
                    let hold = plans::workspace_hold(ctx, &cli, workspace).await.or_no(Thing::Workspace, workspace)?;
                    if invocation.dry_run {
                        invocation.answer(&hold, &format!("{} would not be in {}.", hold.name, group.name));
                    } else {
                        let since = Instant::now();
                        let hold = plans::remove_member(ctx, &cli, &slug, workspace).await?;
                        let spread = plans::spread_of(ctx, workspace.uuid(), since).await;
                        invocation.answer_spread(&hold, &format!("{} is not in {}.", hold.name, group.name), &spread);
                    }
                }
                Self::Try(trying) => return trying.run(ctx, invocation).await,
                Self::Delete { slug } => {
                    let group = plans::find_group(ctx, &cli, &slug).await.or_no(Thing::Group, &slug)?;
                    if !invocation.dry_run {
                        plans::delete_group(ctx, &cli, &slug).await?;
                    }
                    invocation.answer(&group, &format!("{} {}.", if invocation.dry_run { "Would delete" } else { "Deleted" }, group.name));
                }
            }
            Ok(Exit::Done)
        })
        .await
    }
}

impl Whom {
    pub(super) async fn workspace(&self, ctx: &Ctx) -> Result<WorkspaceId, AppError> {
        match (&self.workspace, &self.account) {
            (Some(id), _) => id.parse::<WorkspaceId>().map_err(|error| AppError::invalid("workspace", error.to_string())),
            (None, Some(email)) => plan::workspace_of(ctx, email).await,
            (None, None) => Err(AppError::NotFound),
        }
    }
}

fn members(group: &Group) -> String {
    count(group.members, "workspace", "workspaces")
}

fn allows(group: &Group) -> String {
    match (&group.plan, group.limits.is_empty()) {
        (Some(plan), true) => format!("what the plan {} allows", plan.slug),
        _ => plan::words(&group.limits),
    }
}

fn shown(group: &Group) -> String {
    let mut lines = vec![
        format!("{}  {}  ({})", group.slug, group.name, group.id),
        format!("limits     {}", plan::words(&group.limits)),
        format!("plan       {}", group.plan.as_ref().map_or_else(|| "none".to_owned(), |p| p.slug.to_string())),
        format!("members    {}, each held by itself", members(group)),
    ];
    lines.extend(group.grants.iter().map(|grant| format!("grants     {grant}")));
    if !group.description.is_empty() {
        lines.push(format!("for        {}", group.description));
    }
    lines.join("\n")
}

async fn create(ctx: &Ctx, invocation: &Invocation, new: NewGroup) -> Result<(), AppError> {
    if invocation.dry_run {
        must_be_free(&new.slug, plans::find_group(ctx, &Caller::cli(), &new.slug).await.map(drop), "Another group")?;
        invocation.answer(&json!({ "would_create": new.slug }), &format!("Would create the group {}.", new.slug));
        return Ok(());
    }
    let group = plans::create_group(ctx, &Caller::cli(), new).await?;
    invocation.answer(&group, &format!("Created {} ({}): {}.", group.slug, group.id, allows(&group)));
    Ok(())
}

async fn edit(ctx: &Ctx, invocation: &Invocation, slug: &str, edit: GroupEdit) -> Result<(), AppError> {
    let mut group = plans::find_group(ctx, &Caller::cli(), slug).await.or_no(Thing::Group, slug)?;
    if invocation.dry_run {
        if let Some(change) = &edit.limit {
            group.limits = change.of(&group.limits).map_err(|words| AppError::invalid("name", words))?;
        }
        invocation.answer(&group, &format!("Would change {}.", group.name));
        return Ok(());
    }
    let since = Instant::now();
    let group = plans::edit_group(ctx, &Caller::cli(), slug, edit).await?;
    let spread = plans::spread_of(ctx, group.id.uuid(), since).await;
    invocation.answer_spread(&group, &format!("From now on {} for each of {} in {}.", allows(&group), members(&group), group.name), &spread);
    Ok(())
}

async fn list_members(ctx: &Ctx, invocation: &Invocation, slug: &str, after: Option<String>) -> Result<(), AppError> {
    let after = after.map(|id| id.parse::<WorkspaceId>().map_err(|error| AppError::invalid("after", error.to_string()))).transpose()?;
    let members = plans::list_members(ctx, &Caller::cli(), slug, after, MOST).await.or_no(Thing::Group, slug)?;
    let mut lines: Vec<String> = members.rows.iter().map(|m| format!("{}  {}", m.workspace, m.name)).collect();
    if lines.is_empty() {
        lines.push("Nobody.".to_owned());
    }
    lines.extend(members.next.map(|id| format!("More: --after {id}")));
    invocation.answer(&members, &lines.join("\n"));
    Ok(())
}
