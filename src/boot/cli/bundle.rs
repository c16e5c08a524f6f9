//! `tollgate bundle …`: named sets of an API's permissions, which keys hold. A change is in force on all of them when it is answered.

use super::{
    Exit, Invocation,
    missing::{OrNo, Thing, missing},
    with_ctx,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Bundle, NewBundle, Spread},
        server as keys,
    },
    platform::Ctx,
    ui::number::count,
    values::Slug,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Display;

#[derive(Subcommand)]
pub(super) enum BundleCommand {
    /// List the bundles of an API
    List {
        /// The API's slug
        api: String,
    },
    /// Show one bundle: what it names itself, what it gives, how many keys hold it
    Show {
        /// The API's slug
        api: String,
        name: String,
    },
    /// Describe a bundle
    Create(New),
    /// Give a bundle another description, more permissions or fewer; what is not said stays. It holds at once for every key that has it
    Edit(Edit),
    /// Delete a bundle that no key holds and no other bundle includes
    Delete {
        /// The API's slug
        api: String,
        name: String,
    },
}

#[derive(Args)]
pub(super) struct New {
    /// The API's slug
    api: String,
    /// Lower-case letters, digits and hyphens; it stays: order-desk
    name: String,
    #[arg(long, value_name = "WORDS", default_value = "")]
    description: String,
    /// What it gives, more than once: orders:read
    #[arg(long, value_name = "PERMISSION")]
    permission: Vec<String>,
    /// Another bundle of the API, whose permissions it gives too, as they are at any time; more than once
    #[arg(long, value_name = "BUNDLE")]
    include: Vec<String>,
}

#[derive(Args)]
pub(super) struct Edit {
    /// The API's slug
    api: String,
    name: String,
    #[arg(long, value_name = "WORDS")]
    description: Option<String>,
    /// What it gives besides, more than once: orders:write
    #[arg(long, value_name = "PERMISSION")]
    permission: Vec<String>,
    /// What it gives no more by itself, more than once
    #[arg(long, value_name = "PERMISSION")]
    without: Vec<String>,
    /// Another bundle of the API that it includes besides, more than once
    #[arg(long, value_name = "BUNDLE")]
    include: Vec<String>,
    /// A bundle that it includes no more, more than once
    #[arg(long, value_name = "BUNDLE")]
    exclude: Vec<String>,
}

impl BundleCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "bundle", async |ctx| match self {
            Self::List { api } => list(ctx, invocation, &api).await,
            Self::Show { api, name } => {
                let (bundle, holders) = known(ctx, &api, &name).await?;
                invocation.answer(&facts(&bundle, Some(holders), None), &shown(&bundle, holders));
                Ok(Exit::Done)
            }
            Self::Create(new) => {
                let New { api, name, description, permission, include } = new;
                let new = NewBundle { name, description, permissions: permission, includes: include, seen: None };
                put(ctx, invocation, &api, new, false).await
            }
            Self::Edit(wanted) => {
                let (bundle, _) = known(ctx, &wanted.api, &wanted.name).await?;
                let api = wanted.api.clone();
                put(ctx, invocation, &api, wanted.of(&bundle)?, true).await
            }
            Self::Delete { api, name } => delete(ctx, invocation, &api, &name).await,
        })
        .await
    }
}

impl Edit {
    /// All that the bundle becomes. Who changed it since it was read is not overwritten.
    fn of(self, bundle: &Bundle) -> Result<NewBundle, AppError> {
        let Self { name, description, permission, without, include, exclude, .. } = self;
        Ok(NewBundle {
            name,
            description: description.unwrap_or_else(|| bundle.description.clone()),
            permissions: changed(&bundle.permissions, permission, &without).map_err(|other| no_part("without", "names no permission", &other))?,
            includes: changed(&bundle.includes, include, &exclude).map_err(|other| no_part("exclude", "includes no bundle", &other))?,
            seen: Some(bundle.version().to_string()),
        })
    }
}

/// Those before and more, and some no more; one of these that is not there is what is wrong.
fn changed(before: &[impl Display], more: Vec<String>, fewer: &[String]) -> Result<Vec<String>, String> {
    let before: Vec<String> = before.iter().map(ToString::to_string).collect();
    match fewer.iter().find(|name| !before.contains(name)) {
        Some(unknown) => Err(unknown.clone()),
        None => Ok(before.into_iter().chain(more).filter(|name| !fewer.contains(name)).collect()),
    }
}

fn no_part(field: &str, what: &str, name: &str) -> AppError {
    AppError::invalid(field, format!("The bundle itself {what} {name}."))
}

async fn list(ctx: &Ctx, invocation: &Invocation, api: &str) -> Result<Exit, AppError> {
    let bundles = keys::list_bundles(ctx, &Caller::cli(), api).await.or_no(Thing::Api, api)?;
    let line = |bundle: &Bundle| format!("{:20}  {}  {}", bundle.name.as_str(), gives(bundle), bundle.description).trim_end().to_owned();
    let lines: Vec<String> = bundles.iter().map(line).collect();
    invocation.answer(&bundles, &if lines.is_empty() { "No bundles.".to_owned() } else { lines.join("\n") });
    Ok(Exit::Done)
}

async fn put(ctx: &Ctx, invocation: &Invocation, api: &str, new: NewBundle, may_replace: bool) -> Result<Exit, AppError> {
    let caller = Caller::cli();
    if invocation.dry_run {
        let bundle = keys::plan_bundle(ctx, &caller, api, &new, may_replace).await.or_no(Thing::Api, api)?;
        invocation.answer(&facts(&bundle, None, None), &format!("{} of {api} would give {}.", bundle.name, gives(&bundle)));
        return Ok(Exit::Done);
    }
    let keys::ChangedBundle { bundle, spread } = keys::put_bundle(ctx, &caller, api, new, may_replace).await.or_no(Thing::Api, api)?;
    let words = format!("{} of {api} gives {}. {}", bundle.name, gives(&bundle), spread.words("In force"));
    invocation.answer(&facts(&bundle, None, Some(&spread)), &words);
    Ok(Exit::Done)
}

async fn delete(ctx: &Ctx, invocation: &Invocation, api: &str, name: &str) -> Result<Exit, AppError> {
    let caller = Caller::cli();
    known(ctx, api, name).await?;
    let bundle = keys::deletable_bundle(ctx, &caller, api, name).await?;
    if !invocation.dry_run {
        keys::delete_bundle(ctx, &caller, api, name).await?;
    }
    invocation.answer(&bundle, &format!("{} {name} of {api}.", if invocation.dry_run { "Would delete" } else { "Deleted" }));
    Ok(Exit::Done)
}

/// A bundle, and how many keys hold it.
async fn known(ctx: &Ctx, slug: &str, name: &str) -> Result<(Bundle, u64), AppError> {
    let caller = Caller::cli();
    let api = keys::api_by_slug(ctx, &caller, slug).await.or_no(Thing::Api, slug)?;
    let bundle = api.bundle(name).cloned().ok_or_else(|| missing(Thing::Bundle, format!("{name} of the API {slug}")))?;
    let holders = keys::count_bundle_holders(ctx, &caller, &api).await?;
    Ok((bundle, holders.get(name).copied().unwrap_or(0)))
}

fn facts(bundle: &Bundle, holders: Option<u64>, spread: Option<&Spread>) -> Value {
    let mut facts = json!(bundle);
    if let Some(holders) = holders {
        facts["keys"] = json!(holders);
    }
    if let Some(spread) = spread {
        facts["spread"] = json!(spread);
    }
    facts
}

/// "orders:read, orders:write", or that it is nothing.
fn gives(bundle: &Bundle) -> String {
    if bundle.gives.is_empty() { "nothing".to_owned() } else { bundle.gives.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") }
}

fn shown(bundle: &Bundle, holders: u64) -> String {
    let names = |slugs: &[Slug]| slugs.iter().map(Slug::as_str).collect::<Vec<_>>().join(", ");
    let mut lines = vec![format!("{}  {}", bundle.name, bundle.description).trim_end().to_owned()];
    lines.push(format!("gives      {}", gives(bundle)));
    if !bundle.includes.is_empty() {
        lines.push(format!("includes   {}", names(&bundle.includes)));
        let own: Vec<String> = bundle.permissions.iter().map(ToString::to_string).collect();
        lines.push(format!("itself     {}", if own.is_empty() { "nothing".to_owned() } else { own.join(", ") }));
    }
    lines.push(format!("held by    {}", count(holders, "key", "keys")));
    lines.join("\n")
}
