//! `tollgate api route …`: what calls of an API need and cost. A running server hears of it at once.

use super::{
    Exit, Invocation,
    missing::{OrNo, Thing, missing},
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{ApiRoute, NewRoute},
        server as keys,
    },
    platform::Ctx,
};
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(super) enum RouteCommand {
    /// Say what calls of a method and path need
    Add(New),
    /// List the routes of an API
    List {
        /// The API's slug
        slug: String,
    },
    /// Remove a route
    Remove {
        slug: String,
        /// GET, POST … or * for the one of any method
        method: String,
        /// As it was added: /orders/{id}
        path: String,
    },
}

#[derive(Args)]
pub(super) struct New {
    /// The API's slug
    slug: String,
    /// GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, or * for any
    method: String,
    /// /orders, /orders/{id}, /files/{path...}
    path: String,
    /// What a key must have [default: nothing]
    #[arg(long)]
    permission: Option<String>,
    /// Cost units of one call
    #[arg(long, value_name = "UNITS", default_value_t = 1)]
    cost: u32,
    /// Charge these calls to no limit
    #[arg(long, conflicts_with = "cost")]
    no_quota: bool,
    #[arg(long, value_name = "WORDS", default_value = "")]
    description: String,
}

impl RouteCommand {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        match self {
            Self::Add(new) => add(ctx, invocation, new).await,
            Self::List { slug } => list(ctx, invocation, &slug).await,
            Self::Remove { slug, method, path } => remove(ctx, invocation, &slug, &method, &path).await,
        }
    }
}

async fn add(ctx: &Ctx, invocation: &Invocation, new: New) -> Result<Exit, AppError> {
    let label = format!("{} {}", new.method, new.path);
    if invocation.dry_run {
        invocation.answer(&serde_json::json!({ "would_add": label }), &format!("Would add {label} to {}.", new.slug));
        return Ok(Exit::Done);
    }
    let New { slug, method, path: pattern, permission, cost, no_quota: is_free, description } = new;
    let new = NewRoute { method, pattern, permission, cost: Some(cost), is_free, description };
    let changed = keys::put_route(ctx, &Caller::cli(), &slug, new, None).await.or_no(Thing::Api, &slug)?;
    invocation.answer(&facts(&changed), &format!("{slug} has {label}. {}", changed.spread.words("In force")));
    Ok(Exit::Done)
}

async fn list(ctx: &Ctx, invocation: &Invocation, slug: &str) -> Result<Exit, AppError> {
    let routes = keys::list_routes(ctx, &Caller::cli(), slug).await.or_no(Thing::Api, slug)?;
    let lines: Vec<String> = routes.iter().map(line).collect();
    invocation.answer(&routes, &lines.join("\n"));
    Ok(Exit::Done)
}

fn line(route: &ApiRoute) -> String {
    let needs = route.permission.as_ref().map_or("any key", |p| p.as_str());
    let cost = if route.is_counted { format!("costs {}", route.cost) } else { "no quota".to_owned() };
    format!("{:7}  {:40}  {needs:24}  {cost:12}  {}", route.method, route.pattern, route.description).trim_end().to_owned()
}

async fn remove(ctx: &Ctx, invocation: &Invocation, slug: &str, method: &str, path: &str) -> Result<Exit, AppError> {
    let is_it = |r: &ApiRoute| r.method.eq_ignore_ascii_case(method) && r.pattern == path;
    if !keys::list_routes(ctx, &Caller::cli(), slug).await.or_no(Thing::Api, slug)?.iter().any(is_it) {
        return Err(missing(Thing::Route, format!("{method} {path} of the API {slug}")));
    }
    if invocation.dry_run {
        invocation.answer(&serde_json::json!({ "would_remove": format!("{method} {path}") }), &format!("Would remove {method} {path} from {slug}."));
        return Ok(Exit::Done);
    }
    let changed = keys::remove_route(ctx, &Caller::cli(), slug, method, path).await?;
    invocation.answer(&facts(&changed), &format!("{slug} no longer has {method} {path}. {}", changed.spread.words("In force")));
    Ok(Exit::Done)
}

fn facts(changed: &keys::ChangedRoutes) -> serde_json::Value {
    serde_json::json!({ "routes": changed.routes, "spread": changed.spread })
}
