//! Routes of APIs: what operators say that calls need. A change locks the API, is checked as a whole, and the operation waits until every
//! node has it, as for a revocation.

use super::{apis, gate, nodes, store};
use crate::{
    accounts::{Caller, server::must_be_open},
    error::{AppError, Fields},
    keys::model::{Api, ApiRoute, NewRoute, Spread, Unmatched},
    platform::Ctx,
    ui::number::count,
    values::{Area, Permission, Version, permission_names as may},
};
use serde_json::{Value, json};
use tokio::time::Instant;

/// The routes of an API after a change, and on which nodes calls need this.
#[derive(Debug, Clone)]
pub struct ChangedRoutes {
    pub routes: Vec<ApiRoute>,
    pub spread: Spread,
}

/// The routes of an API, by path. Whoever makes keys may read them.
pub async fn list_routes(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<Vec<ApiRoute>, AppError> {
    let api = apis::api_by_slug(ctx, caller, slug).await?;
    let mut conn = ctx.db.acquire().await?;
    Ok(store::routes::list_routes(&mut conn, api.id).await?)
}

/// The routes of an API become these; a wrong one is named `routes.3.path`.
pub async fn replace_routes(ctx: &Ctx, caller: &Caller, slug: &str, new: Vec<NewRoute>) -> Result<ChangedRoutes, AppError> {
    change(ctx, caller, slug, move |_, _| Ok(Wish { routes: new, names: Names::Numbered, replaced: None })).await
}

/// A route that another one takes the place of.
#[derive(Debug, Clone, Copy)]
pub struct Replaced<'a> {
    pub method: &'a str,
    pub pattern: &'a str,
    /// Which state of it was seen (`ApiRoute::version`): another one is not overwritten. None: whatever it is.
    pub seen: Option<&'a str>,
}

impl Replaced<'_> {
    fn is(&self, route: &ApiRoute) -> bool {
        route.method == self.method && route.pattern == self.pattern
    }
}

/// Adds a route, or puts it in the place of another: of one that is not there any more nothing comes, unless this was sent twice. A change in
/// place is one step for the gate: no call passes in between.
pub async fn put_route(ctx: &Ctx, caller: &Caller, slug: &str, new: NewRoute, replaced: Option<Replaced<'_>>) -> Result<ChangedRoutes, AppError> {
    change(ctx, caller, slug, move |api, routes| put(api, routes, new, replaced)).await
}

/// The route as `put_route` would make it, or what is wrong with it. Nothing changes.
pub async fn plan_route(ctx: &Ctx, caller: &Caller, slug: &str, new: NewRoute, replaced: Option<Replaced<'_>>) -> Result<ApiRoute, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    must_not_be_own(slug)?;
    let api = apis::api_by_slug(ctx, caller, slug).await?;
    let routes = list_routes(ctx, caller, slug).await?;
    let wanted = checked(&api, &new).map_err(|wrong| named(wrong, Names::Form, 0))?;
    let wish = put(&api, routes, new, replaced)?;
    all_checked(&api, &wish.routes, wish.names)?;
    Ok(wanted)
}

fn put(api: &Api, routes: Vec<ApiRoute>, new: NewRoute, replaced: Option<Replaced<'_>>) -> Result<Wish, AppError> {
    let wanted = checked(api, &new).map_err(|wrong| named(wrong, Names::Form, 0))?;
    let is_replaced = |route: &ApiRoute| replaced.is_some_and(|replaced| replaced.is(route));
    let before = routes.iter().find(|route| is_replaced(route)).cloned();
    // One that is to become another route that there is, is changed all the same, and refused below.
    if before.as_ref().is_none_or(|before| *before == wanted) && routes.contains(&wanted) {
        return Ok(Wish::kept(routes));
    }
    match (replaced, &before) {
        (Some(replaced), Some(before)) => AppError::unless_seen(replaced.seen, &before.version(), "This route")?,
        (Some(Replaced { method, pattern, .. }), None) => return Err(gone(method, pattern)),
        (None, _) => {}
    }
    let mut wish = Wish::kept(routes.into_iter().filter(|route| !is_replaced(route)));
    wish.routes.push(new);
    wish.replaced = before;
    Ok(wish)
}

/// Somebody renamed or removed the route that was to be changed: added, it would stand beside what they made of it.
fn gone(method: &str, pattern: &str) -> AppError {
    AppError::conflict(format!(
        "{method} {pattern} is not there any more: it was renamed or removed after you opened this page, and nothing is saved. Look at the list; sent again, what you typed becomes a new route."
    ))
}

const LATE: &str =
    "This route was changed after you opened this page, or what its calls match without it. It is not removed yet: read what holds now, and remove it again.";

/// What is said before a route is removed.
pub struct Removal {
    /// What becomes of its calls: "Calls to GET /orders then need no permission and cost 1 unit."
    pub then: String,
    /// Of the route, and of what becomes of its calls.
    pub version: Version,
}

/// Of a route among those of its API.
pub fn plan_removal(api: &Api, routes: &[ApiRoute], route: &ApiRoute) -> Removal {
    let then = without_route(api, routes, route);
    Removal { version: Version::of(&(route, &then)), then }
}

/// Removes a route; one that is not there is gone already. `seen`: the version of its `Removal` as it was shown.
pub async fn remove_route(ctx: &Ctx, caller: &Caller, slug: &str, method: &str, pattern: &str, seen: Option<&str>) -> Result<ChangedRoutes, AppError> {
    change(ctx, caller, slug, move |api, routes| {
        let is_it = |route: &ApiRoute| route.method.eq_ignore_ascii_case(method) && route.pattern == pattern;
        if let Some(route) = routes.iter().find(|route| is_it(route)) {
            AppError::unless_seen(seen, &plan_removal(api, &routes, route).version, "This route").map_err(|_| AppError::conflict(LATE))?;
        }
        Ok(Wish::kept(routes.into_iter().filter(|route| !is_it(route))))
    })
    .await
}

fn without_route(api: &Api, routes: &[ApiRoute], route: &ApiRoute) -> String {
    let mut fallbacks = gate::route_fallbacks(routes, route);
    // Those of every other method come last, then those of some paths.
    fallbacks.sort_by_key(|fallback| (fallback.is_of_some, fallback.methods.contains(&ApiRoute::ANY)));
    let is_one = fallbacks.iter().filter(|fallback| !fallback.is_of_some).count() == 1;
    let sentence = |fallback: &gate::Fallback<'_>| {
        let calls = match fallback.methods.contains(&ApiRoute::ANY) {
            _ if fallback.is_of_some => "Some of its calls".to_owned(),
            _ if is_one => format!("Calls to {}", route.label()),
            true => "All its other calls".to_owned(),
            false => format!("Calls to {} {}", fallback.methods.join(", "), route.pattern),
        };
        match (fallback.route, api.unmatched) {
            (Some(other), _) => format!("{calls} then match {}: they {}.", other.label(), needs(other)),
            (None, Unmatched::Allow) => format!("{calls} then need no permission and cost 1 unit."),
            (None, Unmatched::Refuse) => format!("{calls} are then answered FORBIDDEN, because no route matches them."),
        }
    };
    let sentences: Vec<String> = fallbacks.iter().map(sentence).collect();
    if sentences.is_empty() { "Other routes match all its calls already.".to_owned() } else { sentences.join(" ") }
}

/// "need orders:read and cost 2 units".
fn needs(route: &ApiRoute) -> String {
    let permission = route.permission.as_ref().map_or("no permission", Permission::as_str);
    let cost = if route.is_counted { format!("cost {}", count(u64::from(route.cost), "unit", "units")) } else { "are charged to no limit".to_owned() };
    format!("need {permission} and {cost}")
}

/// How the field of a wrong route is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// `routes.3.path`
    Numbered,
    /// `path`
    Form,
}

/// What the routes of an API are to become.
struct Wish {
    routes: Vec<NewRoute>,
    names: Names,
    /// The last of them stands in the place of this one.
    replaced: Option<ApiRoute>,
}

impl Wish {
    fn kept(routes: impl IntoIterator<Item = ApiRoute>) -> Self {
        Self { routes: routes.into_iter().map(NewRoute::from).collect(), names: Names::Form, replaced: None }
    }
}

async fn change(ctx: &Ctx, caller: &Caller, slug: &str, make: impl FnOnce(&Api, Vec<ApiRoute>) -> Result<Wish, AppError>) -> Result<ChangedRoutes, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    must_be_open(ctx, caller, Area::Apis)?;
    must_not_be_own(slug)?;
    let mut tx = ctx.db.begin().await?;
    let id = store::apis::lock_api(&mut tx, slug).await?.ok_or(AppError::NotFound)?;
    let api = store::apis::find_api(&mut *tx, slug).await?.ok_or(AppError::NotFound)?;
    let before = store::routes::list_routes(&mut tx, id).await?;
    let wish = make(&api, before.clone())?;
    let routes = all_checked(&api, &wish.routes, wish.names)?;
    if same(&routes, &before) {
        // Sent twice: whether it has reached every node is worth the same answer.
        tx.rollback().await?;
        return Ok(ChangedRoutes { routes: before, spread: nodes::spread_of_api(ctx, id, Instant::now()).await });
    }
    store::routes::replace_routes(&mut tx, id, &routes).await?;
    apis::note(ctx, &mut tx, caller, "api.routed", id, noted(slug, &before, &routes, wish.replaced.as_ref())).await?;
    let routes = store::routes::list_routes(&mut tx, id).await?;
    let since = Instant::now();
    tx.commit().await?;
    Ok(ChangedRoutes { routes, spread: nodes::spread_of_api(ctx, id, since).await })
}

fn must_not_be_own(slug: &str) -> Result<(), AppError> {
    if slug == Api::OWN {
        return Err(AppError::conflict("Tollgate's own API has no routes to describe: its operations say what they need."));
    }
    Ok(())
}

/// What the event keeps: the labels of new and removed routes, and each that was changed as it was and as it is. The last one of `after` stands
/// in the place of `replaced`.
fn noted(slug: &str, before: &[ApiRoute], after: &[ApiRoute], replaced: Option<&ApiRoute>) -> Value {
    let find = |routes: &[ApiRoute], it: &ApiRoute| routes.iter().position(|route| route.method == it.method && route.pattern == it.pattern);
    let (mut removed, mut changed, mut is_renamed) = (Vec::new(), Vec::new(), false);
    for was in before {
        let is = match find(after, was) {
            None if replaced == Some(was) => {
                is_renamed = true;
                after.last()
            }
            found => found.and_then(|at| after.get(at)),
        };
        match is {
            None => removed.push(was.label()),
            Some(is) if is != was => changed.push(json!({ "from": was, "to": is })),
            Some(_) => {}
        }
    }
    let kept = after.len() - usize::from(is_renamed);
    let added: Vec<String> = after.iter().take(kept).filter(|is| find(before, is).is_none()).map(ApiRoute::label).collect();
    json!({ "slug": slug, "added": added, "removed": removed, "changed": changed, "routes": after.len() })
}

fn same(some: &[ApiRoute], others: &[ApiRoute]) -> bool {
    some.len() == others.len() && some.iter().all(|r| others.contains(r))
}

fn all_checked(api: &Api, new: &[NewRoute], names: Names) -> Result<Vec<ApiRoute>, AppError> {
    if new.len() > ApiRoute::MAX_COUNT {
        return Err(AppError::invalid("routes", format!("An API has at most {} routes.", ApiRoute::MAX_COUNT)));
    }
    let routes = new.iter().enumerate().map(|(n, route)| checked(api, route).map_err(|wrong| named(wrong, names, n))).collect::<Result<Vec<_>, _>>()?;
    gate::check_routes(&routes).map_err(|(n, words)| named(vec![("path", words)], names, n))?;
    Ok(routes)
}

/// The fields of one route that are wrong.
type Wrong = Vec<(&'static str, String)>;

fn named(wrong: Wrong, names: Names, n: usize) -> AppError {
    let mut fields = Fields::default();
    for (field, words) in wrong {
        match names {
            Names::Numbered => fields.add(&format!("routes.{n}.{field}"), words),
            Names::Form => fields.add(field, words),
        }
    }
    fields.done().err().unwrap_or(AppError::NotFound)
}

fn checked(api: &Api, new: &NewRoute) -> Result<ApiRoute, Wrong> {
    let mut wrong: Wrong = Vec::new();
    let method = new.method.trim().to_ascii_uppercase();
    let method = if method.is_empty() { ApiRoute::ANY.to_owned() } else { method };
    if !ApiRoute::METHODS.contains(&method.as_str()) {
        wrong.push(("method", format!("A method is one of {}; * is any.", ApiRoute::METHODS[1..].join(", "))));
    }
    let typed = new.pattern.trim();
    let pattern = if typed.len() > 1 { typed.strip_suffix('/').unwrap_or(typed) } else { typed }.to_owned();
    let permission = new.permission.as_deref().map(str::trim).filter(|p| !p.is_empty());
    let known: Option<&Permission> = permission.and_then(|text| api.permissions.iter().map(|p| &p.permission).find(|p| p.as_str() == text));
    if let (Some(text), None) = (permission, known) {
        wrong.push(("permission", format!("The API {} knows no permission {}.", api.slug, text.chars().take(64).collect::<String>())));
    }
    let cost = new.cost.unwrap_or(1);
    if !(1..=ApiRoute::MAX_COST).contains(&cost) {
        wrong.push(("cost", "A call costs 1 to 1,000,000 units. For calls that cost nothing take away the quota.".to_owned()));
    }
    let description = new.description.trim();
    if description.chars().count() > 200 || description.chars().any(char::is_control) {
        wrong.push(("description", "A description has at most 200 characters on one line.".to_owned()));
    }
    let route = ApiRoute { method, pattern, permission: known.cloned(), cost, is_counted: !new.is_free, description: description.to_owned() };
    if let Err((_, words)) = gate::check_routes(std::slice::from_ref(&route)) {
        wrong.push(("path", words));
    }
    if wrong.is_empty() { Ok(route) } else { Err(wrong) }
}
