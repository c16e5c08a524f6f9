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
    /// Change a route in place: no call passes in between without what it needs. What is not said stays
    Edit(Edit),
    /// List the routes of an API
    List {
        /// The API's slug
        slug: String,
    },
    /// Remove a route; says what its calls need then
    Remove {
        /// The API's slug
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

#[derive(Args)]
pub(super) struct Edit {
    /// The API's slug
    slug: String,
    /// GET, POST … or * for the one of any method
    method: String,
    /// As it was added: /orders/{id}
    path: String,
    /// Another method
    #[arg(long = "method", value_name = "METHOD")]
    to_method: Option<String>,
    /// Another path
    #[arg(long = "path", value_name = "PATH")]
    to_path: Option<String>,
    /// What a key must have
    #[arg(long, conflicts_with = "no_permission")]
    permission: Option<String>,
    /// Every key may call it
    #[arg(long)]
    no_permission: bool,
    /// Cost units of one call, which are charged to limits
    #[arg(long, value_name = "UNITS")]
    cost: Option<u32>,
    /// Charge these calls to no limit
    #[arg(long, conflicts_with = "cost")]
    no_quota: bool,
    #[arg(long, value_name = "WORDS")]
    description: Option<String>,
}

impl Edit {
    /// A blank text, such as an empty variable of a script, would open the route.
    fn check(&self) -> Result<(), AppError> {
        let is_blank = |text: &Option<String>| text.as_deref().is_some_and(|text| text.trim().is_empty());
        if is_blank(&self.to_method) {
            return Err(AppError::invalid("method", "This method is blank. For any method write '*'."));
        }
        if is_blank(&self.permission) {
            return Err(AppError::invalid("permission", "This permission is blank. For none say --no-permission."));
        }
        let is_said = [&self.to_method, &self.to_path, &self.permission, &self.description].into_iter().any(Option::is_some);
        if !is_said && !self.no_permission && self.cost.is_none() && !self.no_quota {
            return Err(AppError::invalid("", "Say what to change: `tollgate api route edit --help` lists it."));
        }
        Ok(())
    }

    fn is_of(&self, route: &ApiRoute) -> bool {
        is_at(route, &self.method, &self.path)
    }

    /// The route is what this makes of it: it was renamed, and that is said again.
    fn is_done(&self, route: &ApiRoute) -> bool {
        let (method, path) = (self.to_method.as_ref().unwrap_or(&self.method), self.to_path.as_ref().unwrap_or(&self.path));
        is_at(route, method.trim(), path.trim()) && self.of(route) == NewRoute::from(route.clone())
    }

    /// All that the route becomes.
    fn of(&self, route: &ApiRoute) -> NewRoute {
        let mut new = NewRoute::from(route.clone());
        if let Some(method) = &self.to_method {
            new.method = method.trim().to_ascii_uppercase();
        }
        if let Some(path) = &self.to_path {
            new.pattern = path.trim().to_owned();
        }
        if self.permission.is_some() || self.no_permission {
            new.permission.clone_from(&self.permission);
        }
        if self.cost.is_some() {
            (new.cost, new.is_free) = (self.cost, false);
        }
        if self.no_quota {
            new.is_free = true;
        }
        if let Some(description) = &self.description {
            new.description.clone_from(description);
        }
        new
    }
}

fn is_at(route: &ApiRoute, method: &str, path: &str) -> bool {
    route.method.eq_ignore_ascii_case(method) && route.pattern == path
}

impl RouteCommand {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        match self {
            Self::Add(new) => add(ctx, invocation, new).await,
            Self::Edit(wanted) => edit(ctx, invocation, &wanted).await,
            Self::List { slug } => list(ctx, invocation, &slug).await,
            Self::Remove { slug, method, path } => remove(ctx, invocation, &slug, &method, &path).await,
        }
    }
}

async fn add(ctx: &Ctx, invocation: &Invocation, new: New) -> Result<Exit, AppError> {
    let label = format!("{} {}", new.method, new.path);
    let New { slug, method, path: pattern, permission, cost, no_quota: is_free, description } = new;
    let new = NewRoute { method, pattern, permission, cost: Some(cost), is_free, description };
    if invocation.dry_run {
        keys::plan_route(ctx, &Caller::cli(), &slug, new, None).await.or_no(Thing::Api, &slug)?;
        invocation.answer(&serde_json::json!({ "would_add": label }), &format!("Would add {label} to {slug}."));
        return Ok(Exit::Done);
    }
    let changed = keys::put_route(ctx, &Caller::cli(), &slug, new, None).await.or_no(Thing::Api, &slug)?;
    invocation.answer(&facts(&changed), &format!("{slug} has {label}. {}", changed.spread.words("In force")));
    Ok(Exit::Done)
}

async fn edit(ctx: &Ctx, invocation: &Invocation, wanted: &Edit) -> Result<Exit, AppError> {
    wanted.check()?;
    let (caller, slug) = (Caller::cli(), wanted.slug.as_str());
    let routes = keys::list_routes(ctx, &caller, slug).await.or_no(Thing::Api, slug)?;
    let of_it = routes.iter().find(|route| wanted.is_of(route));
    let is_renamed = of_it.is_none();
    let found = of_it.or_else(|| routes.iter().find(|route| wanted.is_done(route)));
    let before = found.ok_or_else(|| missing(Thing::Route, format!("{} {} of the API {slug}", wanted.method, wanted.path)))?;
    let (new, label, seen) = (wanted.of(before), before.label(), before.version().to_string());
    // Who changed it since it was read is not overwritten.
    let replaced = Some(keys::Replaced { method: &before.method, pattern: &before.pattern, seen: Some(&seen) });
    if invocation.dry_run {
        let would = keys::plan_route(ctx, &caller, slug, new, replaced).await?;
        invocation.answer(&serde_json::json!({ "would_change": label, "to": would }), &format!("Would change {label} of {slug} to:\n{}", line(&would)));
        return Ok(Exit::Done);
    }
    let changed = keys::put_route(ctx, &caller, slug, new, replaced).await?;
    // Sent again, or never another one: which of both nobody knows.
    let done = if is_renamed { format!("{label} of {slug} is so already.") } else { format!("Changed {label} of {slug}.") };
    invocation.answer(&facts(&changed), &format!("{done} {}", changed.spread.words("In force")));
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
    let caller = Caller::cli();
    let api = keys::api_by_slug(ctx, &caller, slug).await.or_no(Thing::Api, slug)?;
    let routes = keys::list_routes(ctx, &caller, slug).await.or_no(Thing::Api, slug)?;
    let found = routes.iter().find(|route| is_at(route, method, path));
    let route = found.ok_or_else(|| missing(Thing::Route, format!("{method} {path} of the API {slug}")))?;
    let (label, keys::Removal { then, version }) = (route.label(), keys::plan_removal(&api, &routes, route));
    if invocation.dry_run {
        invocation.answer(&serde_json::json!({ "would_remove": label, "then": then }), &format!("Would remove {label} from {slug}. {then}"));
        return Ok(Exit::Done);
    }
    if !invocation.is_agreed(&format!("Remove {label} from {slug}? {then}")) {
        return Err(AppError::conflict("Nothing was done."));
    }
    let changed = keys::remove_route(ctx, &caller, slug, method, path, Some(version.as_str())).await?;
    invocation.answer(&facts(&changed), &format!("{slug} no longer has {label}. {then} {}", changed.spread.words("In force")));
    Ok(Exit::Done)
}

fn facts(changed: &keys::ChangedRoutes) -> serde_json::Value {
    serde_json::json!({ "routes": changed.routes, "spread": changed.spread })
}
