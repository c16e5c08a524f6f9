//! `tollgate api …`: the APIs that keys are made for.

use super::{
    Exit, Invocation, Spreading,
    key::lines,
    missing::{OrNo, Thing},
    must_be_free,
    plan::{Wanted, words},
    route::RouteCommand,
    trying::TryApi,
    with_ctx,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Api, ApiEdit, ApiPermission, KeyLimit, LimitUnit, NewApi, Over, Unmatched, Window},
        server as keys,
    },
    plans::server as plans,
    platform::Ctx,
};
use clap::{Args, Subcommand};
use serde_json::json;
use tokio::time::Instant;

#[derive(Subcommand)]
pub(super) enum ApiCommand {
    /// Describe an API
    Create {
        /// Its name in addresses: orders
        #[arg(long)]
        slug: String,
        #[arg(long)]
        name: String,
        /// What its keys begin with [default: made from the slug]
        #[arg(long)]
        prefix: Option<String>,
        /// What keys may there, more than once: "orders:read Read orders"
        #[arg(long, value_name = "PERMISSION")]
        permission: Vec<String>,
        /// Which of them keys have only where a plan, a group or their workspace grants it, more than once: orders:write
        #[arg(long, value_name = "PERMISSION")]
        needs_grant: Vec<String>,
    },
    /// Give an API another name, more permissions or fewer; what is not said stays
    Edit(Edit),
    /// Say which permissions need a grant, so that keys have them only where a plan, a group or their workspace grants them
    SetGrants {
        slug: String,
        /// It needs a grant from now on; more than once: reports:export
        #[arg(long, value_name = "PERMISSION", required_unless_present = "free")]
        needed: Vec<String>,
        /// It is for everybody's keys from now on, more than once
        #[arg(long, value_name = "PERMISSION")]
        free: Vec<String>,
    },
    /// List the APIs
    List,
    /// Show one API: what its keys begin with, and what they may there
    Show { slug: String },
    /// Say what calls need: method, path, permission, cost
    #[command(subcommand)]
    Route(RouteCommand),
    /// Keep one in so many calls that pass as samples, for the pages Requests and Refusals
    SetSampling {
        slug: String,
        /// 1 (every one) to 10000
        #[arg(long, value_name = "CALLS", required_unless_present = "off")]
        one_in: Option<u32>,
        /// Keep none
        #[arg(long, conflicts_with = "one_in")]
        off: bool,
    },
    /// What each of its keys may that nothing nearer limits
    Limits { slug: String },
    /// Set one limit of each of its keys that nothing nearer limits: no key, plan, workspace or group. The others stay
    SetLimit {
        slug: String,
        /// Which limit: there may be up to 32
        #[arg(long, default_value = KeyLimit::DEFAULT)]
        name: String,
        #[arg(long, value_name = "UNITS", required_unless_present_any = ["default", "remove"])]
        limit: Option<u64>,
        /// Seconds, or second, minute, hour, day or month; of a time zone: day@Europe/Stockholm, month@Europe/Stockholm; rolling: rolling:hour; credits that come back, or are prepaid: credits:100/hour, credits; calls at the same time, each for 30 seconds at most: concurrent:30; without it what this limit has, an hour for a new one
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
        /// Take all of them away: what the configuration gives holds again
        #[arg(long, conflicts_with_all = ["limit", "remove"])]
        default: bool,
    },
    /// Which of its keys that nothing nearer limits would have been limited since the first of last month, by what is saved or a limit that is not
    Try(TryApi),
}

#[derive(Args)]
pub(super) struct Edit {
    slug: String,
    #[arg(long)]
    name: Option<String>,
    /// What keys may there besides, more than once: "orders:refund Pay orders back". One that it knows gets this description
    #[arg(long, value_name = "PERMISSION")]
    permission: Vec<String>,
    /// No key gets it any more, and those that have it keep it; more than once: orders:refund
    #[arg(long, value_name = "PERMISSION")]
    without: Vec<String>,
    /// What becomes of calls that match no route
    #[arg(long, value_parser = ["allow", "refuse"])]
    unmatched: Option<String>,
}

impl Edit {
    /// All permissions as lines, if they are to be others.
    fn permissions(&self, known: &[ApiPermission]) -> Result<Option<Vec<String>>, AppError> {
        if self.permission.is_empty() && self.without.is_empty() {
            return Ok(None);
        }
        if let Some(unknown) = self.without.iter().find(|name| known.iter().all(|p| p.permission.as_str() != name.as_str())) {
            return Err(AppError::invalid("without", format!("The API knows no permission {unknown}.")));
        }
        let said: Vec<&str> = self.permission.iter().filter_map(|line| line.split_whitespace().next()).chain(self.without.iter().map(String::as_str)).collect();
        let stay = known.iter().filter(|p| !said.contains(&p.permission.as_str())).map(|p| format!("{} {}", p.permission, p.description));
        Ok(Some(stay.chain(self.permission.iter().cloned()).collect()))
    }
}

async fn edit(ctx: &Ctx, invocation: &Invocation, wanted: Edit) -> Result<Exit, AppError> {
    let before = keys::api_by_slug(ctx, &Caller::cli(), &wanted.slug).await.or_no(Thing::Api, &wanted.slug)?;
    let permissions = wanted.permissions(&before.permissions)?;
    let unmatched = wanted.unmatched.as_deref().map(|word| if word == "refuse" { Unmatched::Refuse } else { Unmatched::Allow });
    if invocation.dry_run {
        invocation.answer(&before, &format!("Would change {}.", before.slug));
        return Ok(Exit::Done);
    }
    // The permissions are all that were read, less and more: who changed them meanwhile is not overwritten.
    let seen = permissions.is_some().then(|| before.version().to_string());
    let edit = ApiEdit { name: wanted.name, permissions, unmatched, seen, ..ApiEdit::default() };
    let changed = keys::edit_api(ctx, &Caller::cli(), &wanted.slug, edit).await.or_no(Thing::Api, &wanted.slug)?;
    invocation.answer(&Spreading { what: &changed.api, spread: &changed.spread }, &format!("{}\n{}", shown(&changed.api), changed.spread.words("In force")));
    Ok(Exit::Done)
}

fn shown(api: &Api) -> String {
    let matched = if api.unmatched == Unmatched::Refuse { "refused" } else { "allowed" };
    let permissions = api.permissions.iter().map(|p| format!("permission    {}  {}", p.permission, p.description).trim_end().to_owned());
    let head = [format!("{}  {}", api.slug, api.name), format!("keys begin    {}_", api.key_prefix), format!("no route      {matched}")];
    head.into_iter().chain(permissions).collect::<Vec<_>>().join("\n")
}

impl ApiCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "api", async |ctx| match self {
            Self::Create { slug, name, prefix, permission, needs_grant } => {
                if invocation.dry_run {
                    must_be_free(&slug, keys::api_by_slug(ctx, &Caller::cli(), &slug).await.map(drop), "Another API")?;
                    invocation.answer(&serde_json::json!({ "would_create": slug }), &format!("Would create the API {slug}."));
                    return Ok(Exit::Done);
                }
                let new = NewApi { slug, name, key_prefix: prefix, permissions: permission, needs_grant, ..NewApi::default() };
                let api = keys::create_api(ctx, &Caller::cli(), new).await?;
                invocation.answer(&api, &format!("Created {} ({}). Its keys begin with {}_.", api.slug, api.id, api.key_prefix));
                Ok(Exit::Done)
            }
            Self::Show { slug } => {
                let api = keys::api_by_slug(ctx, &Caller::cli(), &slug).await.or_no(Thing::Api, &slug)?;
                invocation.answer(&api, &shown(&api));
                Ok(Exit::Done)
            }
            Self::Edit(wanted) => edit(ctx, invocation, wanted).await,
            Self::SetGrants { slug, needed, free } => {
                let named = |names: Vec<String>, needs_grant: bool| names.into_iter().map(move |name| (name, needs_grant));
                let needs_grant: Vec<(String, bool)> = named(needed, true).chain(named(free, false)).collect();
                if invocation.dry_run {
                    let api = keys::api_by_slug(ctx, &Caller::cli(), &slug).await.or_no(Thing::Api, &slug)?;
                    let lines = needs_grant.iter().map(|(name, needs)| format!("{name} would need {} grant.", if *needs { "a" } else { "no" }));
                    invocation.answer(&api, &lines.collect::<Vec<_>>().join("\n"));
                    return Ok(Exit::Done);
                }
                let changed = keys::edit_api(ctx, &Caller::cli(), &slug, ApiEdit { needs_grant, ..ApiEdit::default() }).await.or_no(Thing::Api, &slug)?;
                let marked: Vec<String> = changed.api.permissions.iter().filter(|p| p.needs_grant).map(|p| p.permission.to_string()).collect();
                let words = if marked.is_empty() { "nothing".to_owned() } else { marked.join(", ") };
                invocation.answer(
                    &Spreading { what: &changed.api, spread: &changed.spread },
                    &format!("From now on {words} of {slug} needs a grant. {}", changed.spread.words("In force")),
                );
                Ok(Exit::Done)
            }
            Self::Route(command) => command.run(ctx, invocation).await,
            Self::List => {
                let apis = keys::list_apis(ctx, &Caller::cli()).await?;
                let lines: Vec<String> = apis.iter().map(|a| format!("{:20}  {:12}  {}", a.slug, format!("{}_", a.key_prefix), a.name)).collect();
                invocation.answer(&apis, &lines.join("\n"));
                Ok(Exit::Done)
            }
            Self::SetSampling { slug, one_in, .. } => {
                let one_in = one_in.unwrap_or(0);
                let words = match one_in {
                    0 => "no call that passes".to_owned(),
                    1 => "every call that passes".to_owned(),
                    n => format!("one in {n} calls that pass"),
                };
                if invocation.dry_run {
                    let api = keys::api_by_slug(ctx, &Caller::cli(), &slug).await.or_no(Thing::Api, &slug)?;
                    invocation.answer(&api, &format!("Would keep {words} of {} as a sample.", api.slug));
                    return Ok(Exit::Done);
                }
                let edit = ApiEdit { sample_one_in: Some(one_in), ..ApiEdit::default() };
                let changed = keys::edit_api(ctx, &Caller::cli(), &slug, edit).await.or_no(Thing::Api, &slug)?;
                invocation.answer(
                    &Spreading { what: &changed.api, spread: &changed.spread },
                    &format!("From now on {words} of {slug} is kept as a sample. {}", changed.spread.words("In force")),
                );
                Ok(Exit::Done)
            }
            Self::Try(trying) => trying.run(ctx, invocation).await,
            Self::Limits { slug } => {
                let limits = plans::api_limits(ctx, &Caller::cli(), &slug).await.or_no(Thing::Api, &slug)?;
                invocation.answer(&limits, &lines(&limits, "None: the default of the configuration holds."));
                Ok(Exit::Done)
            }
            Self::SetLimit { slug, name, limit, window, unit, over, default, .. } => {
                let cli = Caller::cli();
                let before = plans::api_limits(ctx, &cli, &slug).await.or_no(Thing::Api, &slug)?;
                let change = if default { None } else { Some(Wanted { name, limit, window, unit, over }.change(&before, &slug, Window::HOUR)?) };
                let after = match &change {
                    Some(change) => change.of(&before).map_err(|words| AppError::invalid("name", words))?,
                    None => Vec::new(),
                };
                let words = if after.is_empty() { "the default limit".to_owned() } else { words(&after) };
                if invocation.dry_run {
                    invocation.answer(&json!({ "limits": after }), &format!("Would be {words} for each key of {slug}."));
                    return Ok(Exit::Done);
                }
                let since = Instant::now();
                let limits = match &change {
                    Some(change) => plans::change_api_limit(ctx, &cli, &slug, change).await?,
                    None => plans::set_api_limits(ctx, &cli, &slug, Vec::new()).await?,
                };
                let spread = plans::spread_of_api(ctx, &slug, since).await?;
                let words = format!("From now on {words} for each key of {slug} that nothing nearer limits.");
                invocation.answer_spread(&json!({ "limits": limits }), &words, &spread);
                Ok(Exit::Done)
            }
        })
        .await
    }
}
