//! APIs: what operators describe and keys are made for.

use super::{
    gate, nodes,
    reach::actor,
    rules,
    store::{apis as store, routes},
};
use crate::{
    accounts::{Caller, server::must_be_open},
    activity::server::{Change, record},
    error::{AppError, Fields},
    keys::model::{Api, ApiEdit, ApiPermission, NewApi, Spread, Unmatched},
    platform::{Ctx, once},
    values::{ApiId, Area, KeyPrefix, Permission, Slug, permission_names as may},
};
use sqlx::PgConnection;
use tokio::time::Instant;

/// An API after a change, and on which nodes it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedApi {
    pub api: Api,
    pub spread: Spread,
}

/// Every API; Tollgate's own last.
pub async fn list_apis(ctx: &Ctx, caller: &Caller) -> Result<Vec<Api>, AppError> {
    caller.require(&may::KEYS_READ)?;
    Ok(store::list_apis(&ctx.db).await?)
}

/// The API of this slug.
pub async fn api_by_slug(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<Api, AppError> {
    caller.require(&may::KEYS_READ)?;
    store::find_api(&ctx.db, slug).await?.ok_or(AppError::NotFound)
}

/// The API that a key is for: the one named, else the first that is not Tollgate's own.
pub(super) async fn api_for_key(ctx: &Ctx, slug: Option<&str>) -> Result<Api, AppError> {
    match slug {
        Some(slug) => store::find_api(&ctx.db, slug).await?.ok_or_else(|| AppError::invalid("api", "There is no API of this name.")),
        None => store::list_apis(&ctx.db).await?.into_iter().next().ok_or_else(|| AppError::conflict("There is no API yet. An operator describes one first.")),
    }
}

/// Describes a new API. Operators only.
pub async fn create_api(ctx: &Ctx, caller: &Caller, new: NewApi) -> Result<Api, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    must_be_open(ctx, caller, Area::Apis)?;
    let mut fields = Fields::default();
    let slug = fields.check("slug", new.slug.trim().parse::<Slug>());
    let name = fields.check("name", rules::plain_name(&new.name));
    let prefix = match new.key_prefix.as_deref().map(str::trim).filter(|p| !p.is_empty()) {
        Some(text) => fields.check("key_prefix", text.parse::<KeyPrefix>()),
        // Of a wrong slug none is made, and nobody typed one: it is not wrong, too.
        None => slug.as_ref().and_then(|slug| fields.check("key_prefix", prefix_of(slug.as_str()))),
    };
    let permissions = fields.check("permissions", described(&new.permissions));
    let permissions = permissions.and_then(|p| fields.check("basic", with_basic(p, &new.basic)));
    let marks: Vec<(String, bool)> = new.needs_grant.into_iter().map(|name| (name, true)).collect();
    let permissions = permissions.and_then(|p| fields.check("needs_grant", marked(p, &[], &marks)));
    fields.done()?;
    let (Some(slug), Some(name), Some(key_prefix), Some(permissions)) = (slug, name, prefix, permissions) else { return Err(AppError::NotFound) };

    let (unmatched, bundles) = (new.unmatched, Vec::new());
    let api = Api { id: ctx.new_id(), slug, name, key_prefix, unmatched, answers_preflights: false, sample_one_in: 0, permissions, bundles };
    let mut tx = ctx.db.begin().await?;
    if !store::insert_api(&mut tx, &api, ctx.clock.now()).await? {
        let taken_slug = store::lock_api(&mut tx, api.slug.as_str()).await?.is_some();
        let (field, words) = if taken_slug { ("slug", "Another API has this slug.") } else { ("key_prefix", "Another API's keys have this prefix.") };
        return Err(AppError::invalid(field, words));
    }
    store::replace_permissions(&mut tx, api.id, &api.permissions).await?;
    note(ctx, &mut tx, caller, "api.created", api.id, serde_json::json!({ "slug": api.slug, "key_prefix": api.key_prefix })).await?;
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    gate::apis_refreshed(ctx).await;
    Ok(api)
}

/// Changes the name, the permissions of an API, or what becomes of calls that no route matches. Operators only.
pub async fn edit_api(ctx: &Ctx, caller: &Caller, slug: &str, edit: ApiEdit) -> Result<ChangedApi, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    must_be_open(ctx, caller, Area::Apis)?;
    let mut fields = Fields::default();
    let name = edit.name.and_then(|text| fields.check("name", rules::plain_name(&text)));
    let permissions = edit.permissions.and_then(|lines| fields.check("permissions", described(&lines)));
    if slug == Api::OWN && (permissions.is_some() || edit.basic.is_some() || !edit.needs_grant.is_empty()) {
        fields.add("permissions", "The permissions of Tollgate's own API are fixed.");
    }
    if slug == Api::OWN && edit.unmatched.is_some_and(|u| u != Unmatched::Allow) {
        fields.add("unmatched", "Tollgate's own API has no routes to describe.");
    }
    if slug == Api::OWN && edit.answers_preflights == Some(true) {
        fields.add("answers_preflights", "Tollgate's own API answers preflights for the origins of its keys by itself.");
    }
    if edit.sample_one_in.is_some_and(|one_in| one_in > Api::MAX_ONE_IN) {
        fields.add("sample_one_in", "One call in 1 to 10,000 is kept as a sample, or none: 0.");
    }
    fields.done()?;
    let mut tx = ctx.db.begin().await?;
    let id = store::lock_api(&mut tx, slug).await?.ok_or(AppError::NotFound)?;
    let before = store::find_api(&mut *tx, slug).await?.ok_or(AppError::NotFound)?;
    let permissions = match (permissions, edit.basic) {
        (None, None) if edit.needs_grant.is_empty() => None,
        (permissions, basic) => {
            let known: Vec<String> = before.permissions.iter().map(|p| p.permission.to_string()).collect();
            let basic = basic.unwrap_or_else(|| before.permissions.iter().filter(|p| p.is_basic).map(|p| p.permission.to_string()).collect());
            let permissions = permissions.unwrap_or_else(|| before.permissions.clone());
            // Who takes a permission away takes it out of the preset too.
            let is_left = |name: &String| permissions.iter().any(|p| p.permission.as_str() == name.trim());
            let basic: Vec<String> = basic.into_iter().filter(|name| is_left(name) || !known.contains(name)).collect();
            let permissions = with_basic(permissions, &basic).map_err(|words| AppError::invalid("basic", words))?;
            Some(marked(permissions, &before.permissions, &edit.needs_grant).map_err(|words| AppError::invalid("needs_grant", words))?)
        }
    };
    let after = Api {
        name: name.clone().unwrap_or_else(|| before.name.clone()),
        unmatched: edit.unmatched.unwrap_or(before.unmatched),
        answers_preflights: edit.answers_preflights.unwrap_or(before.answers_preflights),
        sample_one_in: edit.sample_one_in.unwrap_or(before.sample_one_in),
        permissions: permissions.clone().unwrap_or_else(|| before.permissions.clone()),
        ..before.clone()
    };
    // Sent twice it writes nothing new, and did see what it overwrote.
    if after.version() != before.version() {
        AppError::unless_seen(edit.seen.as_deref(), &before.version(), "This API")?;
    }
    if let Some(name) = &name {
        store::update_api_name(&mut tx, id, name).await?;
    }
    if let Some(unmatched) = edit.unmatched {
        store::update_unmatched(&mut tx, id, unmatched).await?;
    }
    if let Some(answers) = edit.answers_preflights {
        store::update_preflights(&mut tx, id, answers).await?;
    }
    if let Some(one_in) = edit.sample_one_in {
        store::update_sampling(&mut tx, id, one_in).await?;
    }
    let mut has_new_marks = false;
    if let Some(permissions) = permissions {
        must_not_be_needed(&mut tx, id, &before, &permissions).await?;
        store::replace_permissions(&mut tx, id, &permissions).await?;
        has_new_marks = needing(&permissions) != needing(&before.permissions);
    }
    let changes = serde_json::json!({
        "slug": slug, "name": name, "unmatched": edit.unmatched, "answers_preflights": edit.answers_preflights, "sample_one_in": edit.sample_one_in,
        "needs_grant": edit.needs_grant.iter().filter(|_| has_new_marks).collect::<Vec<_>>(),
    });
    note(ctx, &mut tx, caller, "api.changed", id, changes).await?;
    let since = Instant::now();
    tx.commit().await?;
    let spread = match has_new_marks {
        true => nodes::spread_of_marks(ctx, id, since).await,
        false => nodes::spread_of_api(ctx, id, since).await,
    };
    Ok(ChangedApi { api: store::find_api(&ctx.db, slug).await?.ok_or(AppError::NotFound)?, spread })
}

/// A permission that a route needs can't be taken away: nobody could make the call any more. Nor one that a bundle names (R66), nor one that needs
/// a grant: it stays with the keys that have it, and what the API does not know any more nobody withholds.
async fn must_not_be_needed(conn: &mut PgConnection, id: ApiId, before: &Api, permissions: &[ApiPermission]) -> Result<(), AppError> {
    let is_kept = |needed: &Permission| permissions.iter().any(|p| p.permission == *needed);
    if let Some(marked) = before.permissions.iter().find(|p| p.needs_grant && !is_kept(&p.permission)) {
        let words = format!("{0} needs a grant; without it here, keys that have {0} would pass without one. Let it need none first.", marked.permission);
        return Err(AppError::invalid("permissions", words));
    }
    let named = before.bundles.iter().find_map(|bundle| Some((bundle, bundle.permissions.iter().find(|p| !is_kept(p))?)));
    if let Some((bundle, needed)) = named {
        return Err(AppError::invalid("permissions", format!("The bundle {} gives {needed}. Change the bundle first.", bundle.name)));
    }
    let needing = routes::list_routes(conn, id).await?.into_iter().find(|route| route.permission.as_ref().is_some_and(|p| !is_kept(p)));
    match needing {
        Some(route) => {
            let needed = route.permission.as_ref().map(ToString::to_string).unwrap_or_default();
            Err(AppError::invalid("permissions", format!("The route {} needs {needed}. Change the route first.", route.label())))
        }
        None => Ok(()),
    }
}

pub(super) async fn note(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, kind: &str, api: ApiId, data: serde_json::Value) -> Result<(), AppError> {
    let (actor_id, actor_name) = actor(caller);
    record(ctx, conn, Change { kind, actor: actor_id, actor_name, subject: Some(api.uuid()), data, ..Change::default() }).await?;
    Ok(())
}

/// Marks those that the preset Basic gives.
fn with_basic(mut permissions: Vec<ApiPermission>, basic: &[String]) -> Result<Vec<ApiPermission>, String> {
    if let Some(unknown) = basic.iter().find(|name| !permissions.iter().any(|p| p.permission.as_str() == name.trim())) {
        return Err(format!("The API knows no permission {}.", unknown.chars().take(64).collect::<String>()));
    }
    for permission in &mut permissions {
        permission.is_basic = basic.iter().any(|name| name.trim() == permission.permission.as_str());
    }
    Ok(permissions)
}

/// Those that need a grant: as they did, but for those that are named.
fn marked(mut permissions: Vec<ApiPermission>, before: &[ApiPermission], named: &[(String, bool)]) -> Result<Vec<ApiPermission>, String> {
    let is_known = |name: &str| permissions.iter().chain(before).any(|p| p.permission.as_str() == name);
    if let Some((unknown, _)) = named.iter().find(|(name, _)| !is_known(name.trim())) {
        return Err(format!("The API knows no permission {}.", unknown.chars().take(64).collect::<String>()));
    }
    for permission in &mut permissions {
        let said = named.iter().find(|(name, _)| name.trim() == permission.permission.as_str()).map(|(_, needs_grant)| *needs_grant);
        permission.needs_grant = said.unwrap_or_else(|| before.iter().any(|p| p.needs_grant && p.permission == permission.permission));
    }
    Ok(permissions)
}

fn needing(permissions: &[ApiPermission]) -> Vec<&Permission> {
    permissions.iter().filter(|p| p.needs_grant).map(|p| &p.permission).collect()
}

/// `price-list` gives `pricelist`: what is allowed in a prefix, at most twelve.
fn prefix_of(slug: &str) -> Result<KeyPrefix, &'static str> {
    slug.chars().filter(char::is_ascii_alphanumeric).take(12).collect::<String>().parse()
}

/// Lines `resource:action description`; empty lines are left out.
fn described(lines: &[String]) -> Result<Vec<ApiPermission>, String> {
    let mut permissions: Vec<ApiPermission> = Vec::new();
    for line in lines.iter().map(|l| l.trim()).filter(|l| !l.is_empty()) {
        let (name, description) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let permission: Permission = name.parse().map_err(|rule| format!("“{}”: {rule}", name.chars().take(64).collect::<String>()))?;
        if description.chars().count() > 200 || description.chars().any(char::is_control) {
            return Err(format!("The description of {permission} has at most 200 characters on one line."));
        }
        if !permissions.iter().any(|p| p.permission == permission) {
            permissions.push(ApiPermission { permission, description: description.trim().to_owned(), is_basic: false, needs_grant: false });
        }
    }
    if permissions.len() > 200 {
        return Err("An API has at most 200 permissions.".to_owned());
    }
    permissions.sort_by(|a, b| a.permission.cmp(&b.permission));
    Ok(permissions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_made_of_the_slug() {
        assert_eq!(prefix_of("price-list").map(|p| p.to_string()), Ok("pricelist".to_owned()));
        assert_eq!(prefix_of("a-very-long-name-of-an-api").map(|p| p.to_string()), Ok("averylongnam".to_owned()));
        assert!(prefix_of("x").is_err());
    }

    #[test]
    fn permissions_are_lines() {
        let lines = ["orders:write Change orders".to_owned(), String::new(), " orders:read ".to_owned(), "orders:read again".to_owned()];
        let described = described(&lines).expect("they are fine");
        assert_eq!(
            described.iter().map(|p| (p.permission.as_str(), p.description.as_str())).collect::<Vec<_>>(),
            [("orders:read", ""), ("orders:write", "Change orders")]
        );
        assert!(super::described(&["Orders".to_owned()]).is_err());
    }
}
