//! `tollgate plan …`: describe plans, set their limits, assign them, try them on last month's usage.

use super::{
    Exit, Invocation,
    missing::{OrNo, Thing, missing},
    must_be_free,
    trying::{TryPlan, TryWorkspace},
    with_ctx,
};
use crate::{
    accounts::{Caller, server as accounts},
    error::AppError,
    keys::{
        model::{Grant, KeyEdit, KeyLimit, LimitChange, LimitUnit, Over, Window},
        server::{self as keys, http::KeyBody},
    },
    plans::{
        model::{DryRun, GroupEdit, NewPlan, NewPrice, Plan, PlanEdit, PlanEffect, WouldBeLimited, in_place_of},
        server as plans,
    },
    platform::Ctx,
    ui::number::{count, thousands},
    values::{Email, KeyId, Slug, WorkspaceId},
};
use clap::{Args, Subcommand};
use serde_json::json;
use tokio::time::Instant;

#[derive(Subcommand)]
pub(super) enum PlanCommand {
    /// List the plans
    List,
    /// Show one plan
    Show { slug: String },
    /// Describe a plan
    Create(New),
    /// Give a plan another name, description, price or entitlements; what is not said stays
    Edit(Edit),
    /// Set one of a plan's limits; it holds at once for everybody who has the plan
    SetLimit(SetLimit),
    /// Say what a plan grants of what needs a grant, all of it; it holds at once for everybody who has the plan
    SetGrants(SetGrants),
    /// Give a plan to a workspace (all its keys together), to an account's workspace, to a group, or to a key
    Assign(Assign),
    /// Who would have been limited by it since the first of last month, as it is saved or with a limit that is not
    Try(TryPlan),
    /// Whether a workspace would have been limited by limits of its own, all its keys together
    TryWorkspace(TryWorkspace),
    /// Delete a plan that nobody has
    Delete { slug: String },
}

#[derive(Args)]
pub(super) struct New {
    /// What the gate answers as the plan of a key: pro
    #[arg(long)]
    slug: String,
    #[arg(long)]
    name: String,
    #[arg(long, default_value = "")]
    description: String,
    /// Calls in one window; more limits by `plan set-limit`
    #[arg(long, value_name = "UNITS")]
    limit: Option<u64>,
    /// Seconds, or second, minute, hour, day or month; of a time zone: day@Europe/Stockholm, month@Europe/Stockholm; rolling: rolling:hour; credits that come back, or are prepaid: credits:100/hour, credits; calls at the same time, each for 30 seconds at most: concurrent:30
    #[arg(long, default_value = "day", requires = "limit")]
    window: Window,
    /// What the window counts: units, of which a call takes what it costs, or calls, of which it takes one
    #[arg(long, value_name = "calls|units", default_value = "units", requires = "limit")]
    unit: LimitUnit,
    /// What 1,000 units are worth, for an estimate: "0.50 EUR"
    #[arg(long, value_name = "NUMBER CURRENCY")]
    price: Option<String>,
    /// What else it gives, more than once
    #[arg(long, value_name = "WORDS")]
    entitlement: Vec<String>,
    /// A permission that needs a grant, for keys of who has the plan, more than once: orders/reports:export
    #[arg(long, value_name = "API/PERMISSION")]
    grant: Vec<String>,
}

#[derive(Args)]
pub(super) struct Edit {
    slug: String,
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    description: Option<String>,
    /// What 1,000 units are worth, for an estimate: "0.50 EUR"
    #[arg(long, value_name = "NUMBER CURRENCY")]
    price: Option<String>,
    /// Take its price away
    #[arg(long, conflicts_with = "price")]
    no_price: bool,
    /// What else it gives, more than once, all of it
    #[arg(long, value_name = "WORDS")]
    entitlement: Vec<String>,
    /// Take all entitlements away
    #[arg(long, conflicts_with = "entitlement")]
    no_entitlements: bool,
}

#[derive(Args)]
pub(super) struct SetGrants {
    pub slug: String,
    /// A permission that needs a grant, more than once, all of them: orders/reports:export
    #[arg(long, value_name = "API/PERMISSION", required_unless_present = "none")]
    pub grant: Vec<String>,
    /// It grants nothing
    #[arg(long, conflicts_with = "grant")]
    none: bool,
}

#[derive(Args)]
pub(super) struct SetLimit {
    pub slug: String,
    /// Which limit: there may be up to 32
    #[arg(long, default_value = KeyLimit::DEFAULT)]
    pub name: String,
    #[arg(long, value_name = "UNITS", required_unless_present = "remove")]
    pub limit: Option<u64>,
    /// Seconds, or second, minute, hour, day or month (day@Europe/Stockholm: of a time zone, rolling:hour: rolling, credits:100/hour: credits, concurrent:30: at the same time); without it what this limit has, a day for a new one
    #[arg(long)]
    pub window: Option<Window>,
    /// What a window counts: units, of which a call takes what it costs, or calls, of which it takes one, whatever it costs; without it what this
    /// limit has, units for a new one
    #[arg(long, value_name = "calls|units")]
    pub unit: Option<LimitUnit>,
    /// What becomes of calls beyond it: refuse, throttle:5 (five pass in each second) or mark; until when: mark@2027-01-31. Without it
    /// what this limit has, refuse for a new one
    #[arg(long)]
    pub over: Option<Over>,
    /// Take this limit away
    #[arg(long, conflicts_with = "limit")]
    remove: bool,
}

#[derive(Args)]
pub(super) struct Assign {
    /// The plan
    #[arg(required_unless_present = "none")]
    slug: Option<String>,
    /// Take the plan away
    #[arg(long, conflicts_with = "slug")]
    none: bool,
    #[command(flatten)]
    to: To,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct To {
    /// A workspace's id
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// The email of the account whose workspace it is
    #[arg(long, value_name = "EMAIL")]
    account: Option<String>,
    /// A group's slug: each of its workspaces
    #[arg(long, value_name = "SLUG")]
    group: Option<String>,
    /// A key's id
    #[arg(long, value_name = "ID")]
    key: Option<String>,
}

impl PlanCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "plan", async |ctx| match self {
            Self::List => list(ctx, invocation).await,
            Self::Show { slug } => {
                let plan = plans::find_plan(ctx, &Caller::cli(), &slug).await.or_no(Thing::Plan, &slug)?;
                invocation.answer(&plan, &shown(&plan));
                Ok(Exit::Done)
            }
            Self::Create(new) => create(ctx, invocation, new).await,
            Self::Edit(wanted) => edit(ctx, invocation, wanted).await,
            Self::SetLimit(wanted) => set_limit(ctx, invocation, wanted).await,
            Self::SetGrants(wanted) => set_grants(ctx, invocation, wanted).await,
            Self::Assign(assign) => assign_plan(ctx, invocation, assign).await,
            Self::Try(trying) => trying.run(ctx, invocation).await,
            Self::TryWorkspace(trying) => trying.run(ctx, invocation).await,
            Self::Delete { slug } => {
                let plan = plans::find_plan(ctx, &Caller::cli(), &slug).await.or_no(Thing::Plan, &slug)?;
                if !invocation.dry_run {
                    plans::delete_plan(ctx, &Caller::cli(), &slug).await?;
                }
                invocation.answer(&plan, &format!("{} {}.", if invocation.dry_run { "Would delete" } else { "Deleted" }, plan.name));
                Ok(Exit::Done)
            }
        })
        .await
    }
}

async fn list(ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
    let found = plans::list_plans(ctx, &Caller::cli()).await?;
    let line = |p: &Plan| format!("{:16}  {:20}  {}", p.slug.as_str(), p.name, words(&p.limits));
    let lines: Vec<String> = found.iter().map(line).collect();
    invocation.answer(&found, &if lines.is_empty() { "No plans.".to_owned() } else { lines.join("\n") });
    Ok(Exit::Done)
}

pub(super) fn words(limits: &[KeyLimit]) -> String {
    if limits.is_empty() { "no limit of its own".to_owned() } else { limits.iter().map(KeyLimit::words).collect::<Vec<_>>().join(", ") }
}

fn shown(plan: &Plan) -> String {
    let mut lines = vec![
        format!("{}  {}  ({})", plan.slug, plan.name, plan.id),
        format!("limits     {}", words(&plan.limits)),
        format!("price      {}", plan.price.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)),
        format!("assigned   {}", assigned(plan)),
    ];
    if !plan.description.is_empty() {
        lines.push(format!("for        {}", plan.description));
    }
    lines.extend(plan.entitlements.iter().map(|e| format!("gives      {e}")));
    lines.extend(plan.grants.iter().map(|grant| format!("grants     {grant}")));
    lines.join("\n")
}

fn assigned(plan: &Plan) -> String {
    let (workspaces, keys) = (count(plan.workspaces, "workspace", "workspaces"), count(plan.keys, "key", "keys"));
    if plan.groups > 0 { format!("{}, {workspaces} and {keys}", count(plan.groups, "group", "groups")) } else { format!("{workspaces} and {keys}") }
}

async fn create(ctx: &Ctx, invocation: &Invocation, new: New) -> Result<Exit, AppError> {
    let price = new.price.as_deref().map(price);
    let limits = new.limit.map(|limit| KeyLimit { unit: new.unit, ..KeyLimit::new(KeyLimit::DEFAULT, limit, new.window) }).into_iter().collect();
    let wanted = NewPlan { slug: new.slug, name: new.name, description: new.description, entitlements: new.entitlement, grants: new.grant, price, limits };
    if invocation.dry_run {
        must_be_free(&wanted.slug, plans::find_plan(ctx, &Caller::cli(), &wanted.slug).await.map(drop), "Another plan")?;
        invocation.answer(&json!({ "would_create": wanted.slug }), &format!("Would create the plan {}.", wanted.slug));
        return Ok(Exit::Done);
    }
    let plan = plans::create_plan(ctx, &Caller::cli(), wanted).await?;
    invocation.answer(&plan, &format!("Created {} ({}): {}.", plan.slug, plan.id, words(&plan.limits)));
    Ok(Exit::Done)
}

/// "0.50 EUR".
fn price(text: &str) -> NewPrice {
    let (per_1000, currency) = text.trim().split_once(char::is_whitespace).unwrap_or((text, ""));
    NewPrice { per_1000: per_1000.to_owned(), currency: currency.to_owned() }
}

async fn edit(ctx: &Ctx, invocation: &Invocation, wanted: Edit) -> Result<Exit, AppError> {
    let Edit { slug, name, description, price: worth, no_price, entitlement, no_entitlements } = wanted;
    let plan = plans::find_plan(ctx, &Caller::cli(), &slug).await.or_no(Thing::Plan, &slug)?;
    if invocation.dry_run {
        invocation.answer(&plan, &format!("Would change {}.", plan.name));
        return Ok(Exit::Done);
    }
    let price = if no_price { Some(None) } else { worth.as_deref().map(|text| Some(price(text))) };
    let entitlements = (no_entitlements || !entitlement.is_empty()).then_some(entitlement);
    let plan = plans::edit_plan(ctx, &Caller::cli(), &slug, PlanEdit { name, description, price, entitlements, ..PlanEdit::default() }).await?;
    invocation.answer(&plan, &shown(&plan));
    Ok(Exit::Done)
}

impl SetLimit {
    pub(super) fn wanted(self) -> Wanted {
        Wanted { name: self.name, limit: self.limit, window: self.window, unit: self.unit, over: self.over }
    }
}

impl Wanted {
    /// Of one limit among these; a new one has this window, unless another is named.
    pub(super) fn change(self, before: &[KeyLimit], whose: &str, window: Window) -> Result<LimitChange, AppError> {
        let Self { name, limit, window: wanted, unit, over } = self;
        let known = before.iter().find(|l| l.name == name);
        let Some(limit) = limit else {
            return match known {
                Some(_) => Ok(LimitChange { was: Some(name), now: None, seen: None }),
                None => Err(AppError::invalid("name", format!("{whose} has no limit {name}."))),
            };
        };
        let window = wanted.or(known.map(|l| l.window)).unwrap_or(window);
        // What has no window says nothing of it, unless it is asked for; then the rules say why not.
        let unit = unit.or(known.map(|l| l.unit).filter(|unit| unit.suits(window))).unwrap_or_default();
        let over = over.or(known.map(|l| l.over)).unwrap_or_default();
        // Who changed it since it was read is not overwritten.
        let seen = known.map(|known| KeyLimit::version_of(Some(known)).to_string());
        Ok(LimitChange { seen, ..LimitChange::set(before, KeyLimit { unit, over, ..KeyLimit::new(name, limit, window) }) })
    }
}

/// A limit as the command line describes it; no number takes it away.
pub(super) struct Wanted {
    pub name: String,
    pub limit: Option<u64>,
    pub window: Option<Window>,
    pub unit: Option<LimitUnit>,
    pub over: Option<Over>,
}

async fn set_limit(ctx: &Ctx, invocation: &Invocation, wanted: SetLimit) -> Result<Exit, AppError> {
    let slug = wanted.slug.clone();
    let mut plan = plans::find_plan(ctx, &Caller::cli(), &slug).await.or_no(Thing::Plan, &slug)?;
    let change = wanted.wanted().change(&plan.limits, &plan.name, Window::DAY)?;
    if invocation.dry_run {
        plan.limits = change.of(&plan.limits).map_err(|words| AppError::invalid("name", words))?;
        invocation.answer(&plan, &format!("Would set the limits of {} to {}.", plan.name, words(&plan.limits)));
        return Ok(Exit::Done);
    }
    let edit = PlanEdit { limit: Some(change), ..PlanEdit::default() };
    let since = Instant::now();
    let plan = plans::edit_plan(ctx, &Caller::cli(), &slug, edit).await?;
    let spread = plans::spread_of(ctx, plan.id.uuid(), since).await;
    invocation.answer_spread(&plan, &format!("From now on {} for {} with {}.", words(&plan.limits), assigned(&plan), plan.name), &spread);
    Ok(Exit::Done)
}

async fn set_grants(ctx: &Ctx, invocation: &Invocation, SetGrants { slug, grant, .. }: SetGrants) -> Result<Exit, AppError> {
    let cli = Caller::cli();
    let mut plan = plans::find_plan(ctx, &cli, &slug).await.or_no(Thing::Plan, &slug)?;
    if invocation.dry_run {
        plan.grants = keys::read_grants(ctx, &grant).await?;
        invocation.answer(&plan, &format!("{} would grant {}.", plan.name, granted(&plan.grants)));
        return Ok(Exit::Done);
    }
    let since = Instant::now();
    let plan = plans::edit_plan(ctx, &cli, &slug, PlanEdit { grants: Some(grant), ..PlanEdit::default() }).await?;
    let spread = plans::spread_of(ctx, plan.id.uuid(), since).await;
    invocation.answer_spread(&plan, &format!("From now on {} grants {}.", plan.name, granted(&plan.grants)), &spread);
    Ok(Exit::Done)
}

/// "orders/reports:export", or that it is nothing.
pub(super) fn granted(grants: &[Grant]) -> String {
    if grants.is_empty() { "nothing".to_owned() } else { grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") }
}

async fn assign_plan(ctx: &Ctx, invocation: &Invocation, Assign { slug, to, .. }: Assign) -> Result<Exit, AppError> {
    let caller = Caller::cli();
    let wanted = match &slug {
        Some(slug) => Some(plans::find_plan(ctx, &caller, slug).await.or_no(Thing::Plan, slug)?),
        None => None,
    };
    let has_limits = wanted.as_ref().is_some_and(|plan| !plan.limits.is_empty());
    // Whom it is for, in place of what, and what applies in place of its limits.
    let said = |whom: String, before: Option<&Slug>, effect: PlanEffect| {
        let plan = slug.as_deref().unwrap_or("no plan");
        let replaced = in_place_of(before.filter(|before| Some(before.as_str()) != slug.as_deref()));
        let effect = if slug.is_some() { effect.words } else { String::new() };
        format!("{} {plan} for {whom}{replaced}. {effect}", done(invocation)).trim_end().to_owned()
    };
    if let Some(key) = to.key {
        let id: KeyId = key.parse().map_err(|error: crate::values::IdError| AppError::invalid("key", error.to_string()))?;
        let mut key = keys::find_key(ctx, &caller, id).await.or_no(Thing::Key, id)?;
        let (before, mut spread) = (key.plan.clone(), None);
        if !invocation.dry_run {
            let changed = keys::edit_key(ctx, &caller, id, KeyEdit { plan: Some(slug.clone()), ..KeyEdit::default() }).await?;
            (key, spread) = (changed.key, Some(changed.spread));
        }
        let effect = PlanEffect::of_key(has_limits, !key.limits.is_empty());
        let words = said(format!("the key {}", key.name), before.as_ref(), effect);
        let body = KeyBody::of(key, ctx.clock.now());
        match spread {
            Some(spread) => invocation.answer_spread(&body, &words, &spread),
            None => invocation.answer(&body, &words),
        }
        return Ok(Exit::Done);
    }
    if let Some(group) = to.group {
        let mut group = plans::find_group(ctx, &caller, &group).await.or_no(Thing::Group, &group)?;
        let (before, since) = (group.plan.as_ref().map(|plan| plan.slug.clone()), Instant::now());
        if !invocation.dry_run {
            group = plans::edit_group(ctx, &caller, group.slug.as_str(), GroupEdit { plan: Some(slug.clone()), ..GroupEdit::default() }).await?;
        }
        let effect = PlanEffect::of_group(has_limits, !group.limits.is_empty());
        let words = said(format!("each workspace of the group {}", group.name), before.as_ref(), effect);
        if invocation.dry_run {
            invocation.answer(&group, &words);
        } else {
            invocation.answer_spread(&group, &words, &plans::spread_of(ctx, group.id.uuid(), since).await);
        }
        return Ok(Exit::Done);
    }
    let workspace = match (to.workspace, to.account) {
        (Some(id), _) => id.parse::<WorkspaceId>().map_err(|error| AppError::invalid("workspace", error.to_string()))?,
        (None, Some(email)) => workspace_of(ctx, &email).await?,
        (None, None) => return Err(AppError::NotFound),
    };
    let mut hold = plans::workspace_hold(ctx, &caller, workspace).await.or_no(Thing::Workspace, workspace)?;
    let (before, since) = (hold.plan.clone(), Instant::now());
    if !invocation.dry_run {
        hold = plans::assign_plan(ctx, &caller, workspace, slug.as_deref()).await?;
    }
    let effect = PlanEffect::of_workspace(has_limits, &hold);
    let words = said(format!("the workspace {}, all its keys together", hold.name), before.as_ref(), effect);
    if invocation.dry_run {
        invocation.answer(&hold, &words);
    } else {
        invocation.answer_spread(&hold, &words, &plans::spread_of(ctx, workspace.uuid(), since).await);
    }
    Ok(Exit::Done)
}

fn done(invocation: &Invocation) -> &'static str {
    if invocation.dry_run { "Would be:" } else { "From now on" }
}

pub(super) async fn workspace_of(ctx: &Ctx, email: &str) -> Result<WorkspaceId, AppError> {
    let email: Email = email.parse().map_err(|words: &str| AppError::invalid("account", words))?;
    let account = accounts::find_account_by_email(ctx, &Caller::cli(), &email).await.or_no(Thing::Account, &email)?;
    account.workspace.ok_or_else(|| missing(Thing::Workspace, format!("of {email}")))
}

/// Who would have been limited, a line each; what can't be tried first, since nothing is said of it.
pub(super) fn tried(run: &DryRun) -> String {
    let mut lines = Vec::new();
    if !run.not_tried.is_empty() {
        lines.push(format!(
            "Can't be tried: {}. Usage is kept by the minute, which does not show limits per second, calls at the same time, and credits that come back \
             more often than every hour.",
            run.not_tried.join(", ")
        ));
    }
    let unit = run.unit.as_str();
    let said = |r: &WouldBeLimited| {
        format!("{}  {} of {} {unit} beyond, in {}", r.name, thousands(r.beyond), thousands(r.units), count(r.windows, "window", "windows"))
    };
    lines.extend(run.limited.iter().map(said));
    if run.limited.is_empty() && (run.not_tried.is_empty() || !run.tried.is_empty()) {
        let by = if run.not_tried.is_empty() { "" } else { " by the other limits" };
        lines.push(format!("Nobody would have been limited{by} since the first of last month."));
    }
    if run.left_out > 0 {
        lines.push(format!(
            "Left out, since limits of their own or nearer ones hold them: {} with {}.",
            count(run.left_out, "key", "keys"),
            count(run.left_out_units, "unit", "units")
        ));
    }
    if !run.by_calls.is_empty() && run.unit.is_units() {
        lines.push(format!("These count calls, which are beyond with their share of the units: {}.", run.by_calls.join(", ")));
    }
    if !run.by_quarters.is_empty() {
        lines.push(format!("To a quarter of an hour, as usage is kept, since they roll or are credits (full at first): {}.", run.by_quarters.join(", ")));
    }
    if let Some(since) = run.minutes_since {
        lines.push(format!("By the minute, as usage is kept since {}: {}.", since.date(), run.by_minutes.join(", ")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_tried_is_said_first_and_nobody_only_of_the_rest() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let held = WouldBeLimited { workspace: WorkspaceId::new(uuid::Uuid::nil()), name: "Nia".to_owned(), key: None, windows: 8, beyond: 120, units: 155 };
        let run = DryRun { limited: vec![held], count: 1, tried: names(&["day"]), ..DryRun::default() };
        assert_eq!(tried(&run), "Nia  120 of 155 units beyond, in 8 windows");
        let run = DryRun { not_tried: names(&["burst"]), ..DryRun::default() };
        assert!(tried(&run).starts_with("Can't be tried: burst.") && !tried(&run).contains("Nobody"), "{}", tried(&run));
        let run = DryRun { tried: names(&["day"]), left_out: 8, left_out_units: 3_012, ..run };
        let said = tried(&run);
        assert!(said.starts_with("Can't be tried: burst.") && said.contains("\nNobody would have been limited by the other limits since"), "{said}");
        assert!(said.ends_with("hold them: 8 keys with 3,012 units."), "{said}");
    }
}
