//! Changing a key: name, expiry, permissions, bundles, addresses, origins, routes, tags, what services are told, limits, plan; any of them at once, all or nothing. What is so
//! already is not written again.

use super::{
    about, apis, bundles,
    change::{self, Changed, Done},
    expiring, grants, key_routes, origins, proof, rules,
    store::{keys, limits},
    wanted_limits::WantedLimits,
};
use crate::{
    accounts::{Caller, server::policies},
    error::{AppError, Fields},
    keys::model::{Act, Api, Key, KeyEdit, KeyLimit, Meta, TypedLimit, limits_changed},
    platform::{Ctx, LocalTime},
    values::{KeyId, Permission, Slug, permission_names as may},
};
use sqlx::PgConnection;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// Changes a key and answers with it as it is then, on every live node. What lets a key for Tollgate itself do more takes a proof; what
/// changes when, where or for what a key of others works asks the admin PIN, if there is one (`proof`).
pub async fn edit_key(ctx: &Ctx, caller: &Caller, id: KeyId, edit: KeyEdit) -> Result<Changed, AppError> {
    if edit.limits.is_some() || edit.limit.is_some() || edit.plan.is_some() {
        caller.require(&may::KEYS_MANAGE)?;
    }
    let wanted_limits = WantedLimits::check(ctx, edit.limits, edit.limit).await?;
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    change::must_live(&key)?;
    let ends = policies::key_ends(ctx, [key.workspace]).await?;
    let api = apis::api_for_key(ctx, Some(key.api.as_str())).await?;
    // The plan that it gets with this edit counts already.
    let plan_after = edit.plan.as_ref().map_or_else(|| key.plan.as_ref().map(Slug::as_str), |plan| plan.as_deref());
    let withheld = grants::withheld(&mut tx, &api, key.workspace, plan_after).await?;

    let mut fields = Fields::default();
    let name = edit.name.and_then(|text| fields.check("name", rules::name(&text)));
    let expires_at = match edit.expires_at {
        Some(Some(at)) if Some(at) != key.expires_at => {
            let at = fields.check("expires_at", rules::expiry(at, ctx.clock.now()));
            match at {
                // Sooner than now is always allowed, even if that is later than a younger rule would have it.
                Some(at) if key.expires_at.is_none_or(|now| at < now) => Some(Some(at)),
                Some(at) => fields.check("expires_at", ends.end(key.workspace, key.created_at, Some(at))),
                None => None,
            }
        }
        Some(None) if key.expires_at.is_some() => fields.check("expires_at", ends.none(key.workspace, key.created_at)),
        Some(_) | None => None,
    };
    let permissions = match (&edit.permissions, edit.preset) {
        (Some(_), Some(_)) => fields.check("preset", Err(rules::EITHER)),
        // What it has already may stay, even if the API has dropped it.
        (Some(texts), None) => kept_or_known(&mut fields, &api, &key, texts),
        (None, Some(preset)) => {
            let grantable = rules::grantable(&mut tx, caller, key.workspace, &api, &withheld).await?;
            Some(api.preset(preset).into_iter().filter(|p| grantable.iter().any(|g| g.permission == *p)).collect())
        }
        (None, None) => None,
    };
    if let Some(after) = &permissions {
        // What it has already may stay, as above.
        fields.check("permissions", grants::must_be_granted(&withheld, after.iter().filter(|p| !key.permissions.contains(p))));
    }
    let wanted_bundles = match &edit.bundles {
        Some(texts) => fields.check("bundles", bundles::chosen(&api, texts)),
        None => None,
    };
    if let Some(after) = &wanted_bundles {
        let added: Vec<Slug> = after.iter().filter(|name| !key.bundles.contains(name)).cloned().collect();
        fields.check("bundles", grants::bundles_must_be_granted(&api, &withheld, &added));
    }
    let addresses = edit.addresses.as_ref().and_then(|texts| rules::list(&mut fields, "addresses", texts, rules::addresses));
    let origins = edit.origins.as_ref().and_then(|texts| rules::list(&mut fields, "origins", texts, origins::origins));
    let routes = edit.routes.as_ref().and_then(|texts| rules::list(&mut fields, "routes", texts, key_routes::key_routes));
    let tags = edit.tags.as_ref().and_then(|texts| rules::list(&mut fields, "tags", texts, rules::tags));
    let external_id = edit.external_id.and_then(|text| fields.check("external_id", about::external_id(&text)));
    let meta = edit.meta.and_then(|meta| fields.check("meta", about::meta(meta)));
    fields.done()?;
    let (name, tags) = (name.filter(|name| *name != key.name), tags.filter(|t| *t != key.tags));
    let (external_id, meta) = (external_id.filter(|id| *id != key.external_id), meta.filter(|meta| *meta != key.meta));
    let (expires_at, permissions) = (expires_at.filter(|at| *at != key.expires_at), permissions.filter(|p| *p != key.permissions));
    let (addresses, origins) = (addresses.filter(|a| *a != key.addresses), origins.filter(|o| *o != key.origins));
    let routes = routes.filter(|r| *r != key.routes);
    let bundles_after = wanted_bundles.filter(|b| *b != key.bundles);
    let sets_calls = expires_at.is_some() || permissions.is_some() || bundles_after.is_some() || addresses.is_some() || origins.is_some() || routes.is_some();
    if sets_calls || name.is_some() || tags.is_some() || external_id.is_some() || meta.is_some() {
        // Only now: a form that is sent twice finds nothing left to write, and did see what it overwrote.
        AppError::unless_seen(edit.seen.as_deref(), &key.version(), "This key")?;
    }
    if sets_calls {
        proof::to_take_from(ctx, caller, &key).await?;
    }
    let adds = permissions.as_ref().is_some_and(|after| after.iter().any(|p| !key.permissions.contains(p)))
        || bundles_after.as_ref().is_some_and(|after| after.iter().any(|b| !key.bundles.contains(b)));
    let lasts_longer = expires_at.is_some_and(|after| proof::lasts_longer(key.expires_at, after));
    let opens = addresses.as_ref().is_some_and(|after| proof::opens_addresses(&key.addresses, after))
        || origins.as_ref().is_some_and(|after| proof::opens_origins(&key.origins, after))
        || routes.as_ref().is_some_and(|after| proof::opens_routes(&key.routes, after));
    if adds || lasts_longer || opens {
        let held = bundles_after.as_ref().unwrap_or(&key.bundles).iter().filter_map(|name| api.bundle(name.as_str()));
        let given: Vec<Permission> = permissions.as_ref().unwrap_or(&key.permissions).iter().chain(held.flat_map(|bundle| &bundle.gives)).cloned().collect();
        proof::to_widen(ctx, caller, &key, &given).await?;
    }

    if let Some(name) = name {
        rename(ctx, &mut tx, caller, &key, &name).await?;
    }
    if let Some(expires_at) = expires_at {
        set_expiry(ctx, &mut tx, caller, &key, expires_at, "").await?;
    }
    if let Some(permissions) = permissions {
        let added: Vec<Permission> = permissions.iter().filter(|p| !key.permissions.contains(p)).cloned().collect();
        rules::must_not_exceed(&mut tx, caller, key.workspace, &api, &added).await?;
        set_permissions(ctx, &mut tx, caller, &key, &permissions).await?;
    }
    if let Some(wanted) = bundles_after {
        bundles::set_bundles(ctx, &mut tx, caller, &key, &api, &wanted).await?;
    }
    if let Some(addresses) = addresses {
        set_addresses(ctx, &mut tx, caller, &key, &addresses).await?;
    }
    if let Some(origins) = origins {
        set_origins(ctx, &mut tx, caller, &key, &origins).await?;
    }
    if let Some(routes) = routes {
        set_routes(ctx, &mut tx, caller, &key, &routes).await?;
    }
    if let Some(tags) = tags {
        set_tags(ctx, &mut tx, caller, &key, &tags, "").await?;
    }
    if external_id.is_some() || meta.is_some() {
        describe(ctx, &mut tx, caller, &key, external_id, meta).await?;
    }
    if let Some(limits) = wanted_limits.after(&key.limits)? {
        set_limits(ctx, &mut tx, caller, &key, &limits).await?;
    }
    if let Some(plan) = edit.plan.filter(|plan| plan.as_deref() != key.plan.as_ref().map(Slug::as_str)) {
        set_plan(ctx, &mut tx, caller, &key, plan.as_deref(), "").await?;
    }
    change::close(ctx, tx, id).await
}

/// Sets one limit of a key, or takes it away; what was done in words beside the key as it is then.
pub async fn set_limit(ctx: &Ctx, caller: &Caller, id: KeyId, typed: &TypedLimit) -> Result<(&'static str, Changed), AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    let change = typed.read()?;
    let words = change.done_words();
    Ok((words, edit_key(ctx, caller, id, KeyEdit { limit: Some(change), ..KeyEdit::default() }).await?))
}

fn kept_or_known(fields: &mut Fields, api: &Api, key: &Key, texts: &[String]) -> Option<Vec<Permission>> {
    let named = texts.iter().enumerate().map(|(place, text)| match key.permissions.iter().find(|p| p.as_str() == text) {
        Some(kept) => Some(kept.clone()),
        None => fields.check(&format!("permissions.{place}"), rules::permission(api, text)),
    });
    let mut permissions = named.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
    permissions.sort();
    permissions.dedup();
    Some(permissions)
}

async fn rename(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, name: &str) -> Result<(), AppError> {
    keys::update_name(conn, key.id, name, ctx.clock.now()).await?;
    let data = serde_json::json!({ "from": key.name, "to": name });
    change::note(ctx, conn, caller, key, Done { data, ..Done::new(Act::Renamed, format!("from “{}” to “{name}”", key.name)) }).await
}

pub(super) async fn set_expiry(
    ctx: &Ctx,
    conn: &mut PgConnection,
    caller: &Caller,
    key: &Key,
    at: Option<OffsetDateTime>,
    reason: &str,
) -> Result<(), AppError> {
    expiring::note_expiry(ctx, conn, key).await?;
    keys::update_expiry(conn, key.id, at, ctx.clock.now()).await?;
    let rfc3339 = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    let data = serde_json::json!({ "from": key.expires_at.map(rfc3339), "to": at.map(rfc3339) });
    // The day that was chosen: midnight there may be the day before in UTC.
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let detail = at.map_or_else(|| "never".to_owned(), |at| local.date(at));
    change::note(ctx, conn, caller, key, Done { reason, data, ..Done::new(Act::Expiry, detail) }).await
}

async fn set_permissions(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, permissions: &[Permission]) -> Result<(), AppError> {
    keys::update_permissions(conn, key.id, permissions, ctx.clock.now()).await?;
    let data = serde_json::json!({ "from": key.permissions, "to": permissions });
    let names: Vec<&str> = permissions.iter().map(Permission::as_str).collect();
    let detail = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    change::note(ctx, conn, caller, key, Done { data, ..Done::new(Act::Permitted, detail) }).await
}

async fn set_addresses(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, addresses: &[String]) -> Result<(), AppError> {
    keys::update_addresses(conn, key.id, addresses, ctx.clock.now()).await?;
    let data = serde_json::json!({ "from": key.addresses, "to": addresses });
    let detail = if addresses.is_empty() { "everywhere".to_owned() } else { addresses.join(", ") };
    change::note(ctx, conn, caller, key, Done { data, ..Done::new(Act::Addressed, detail) }).await
}

async fn set_origins(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, origins: &[String]) -> Result<(), AppError> {
    keys::update_origins(conn, key.id, origins, ctx.clock.now()).await?;
    let data = serde_json::json!({ "from": key.origins, "to": origins });
    let detail = if origins.is_empty() { "every site".to_owned() } else { origins.join(", ") };
    change::note(ctx, conn, caller, key, Done { data, ..Done::new(Act::Paged, detail) }).await
}

async fn set_routes(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, routes: &[String]) -> Result<(), AppError> {
    keys::update_routes(conn, key.id, routes, ctx.clock.now()).await?;
    let data = serde_json::json!({ "from": key.routes, "to": routes });
    let detail = if routes.is_empty() { "every route".to_owned() } else { routes.join(", ") };
    change::note(ctx, conn, caller, key, Done { data, ..Done::new(Act::Routed, detail) }).await
}

pub(super) async fn set_tags(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, tags: &[String], reason: &str) -> Result<(), AppError> {
    keys::update_tags(conn, key.id, tags, ctx.clock.now()).await?;
    let data = serde_json::json!({ "from": key.tags, "to": tags });
    let detail = if tags.is_empty() { "none".to_owned() } else { tags.join(", ") };
    change::note(ctx, conn, caller, key, Done { reason, data, ..Done::new(Act::Tagged, detail) }).await
}

/// What services are told; none stays as it is.
async fn describe(
    ctx: &Ctx,
    conn: &mut PgConnection,
    caller: &Caller,
    key: &Key,
    external_id: Option<Option<String>>,
    meta: Option<Meta>,
) -> Result<(), AppError> {
    let said = [
        external_id.as_ref().map(|id| id.as_ref().map_or_else(|| "no external id".to_owned(), |id| format!("the external id {id}"))),
        meta.as_ref().map(|meta| (if meta.is_empty() { "no metadata" } else { "other metadata" }).to_owned()),
    ];
    let detail = said.into_iter().flatten().collect::<Vec<_>>().join(" and ");
    // Metadata is no part of the event: it may be long, and hold what is nobody's business in a log.
    let has_other_meta = meta.is_some();
    let (external_id, meta) = (external_id.unwrap_or_else(|| key.external_id.clone()), meta.unwrap_or_else(|| key.meta.clone()));
    keys::update_about(conn, key.id, external_id.as_deref(), about::stored(&meta).as_deref(), ctx.clock.now()).await?;
    let data = serde_json::json!({ "from": key.external_id, "to": external_id, "meta": has_other_meta });
    change::note(ctx, conn, caller, key, Done { data, ..Done::new(Act::Described, detail) }).await
}

async fn set_limits(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, wanted: &[KeyLimit]) -> Result<(), AppError> {
    limits::replace_limits(conn, key.id, wanted).await?;
    let detail = limits_changed(&key.limits, wanted);
    change::note(ctx, conn, caller, key, Done { data: serde_json::json!({ "from": key.limits, "to": wanted }), ..Done::new(Act::Limited, detail) }).await
}

pub(super) async fn set_plan(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, slug: Option<&str>, reason: &str) -> Result<(), AppError> {
    let plan = match slug {
        Some(slug) => Some(lock_plan(conn, slug).await?),
        None => None,
    };
    limits::update_plan(conn, key.id, plan.as_ref().map(|(id, _)| *id), ctx.clock.now()).await?;
    let data = serde_json::json!({ "from": key.plan, "to": slug });
    let detail = plan.map_or_else(|| "none".to_owned(), |(_, name)| name);
    change::note(ctx, conn, caller, key, Done { reason, data, ..Done::new(Act::Planned, detail) }).await
}

/// Id and name of a plan, which stays while the transaction lasts.
pub(super) async fn lock_plan(conn: &mut PgConnection, slug: &str) -> Result<(Uuid, String), AppError> {
    limits::lock_plan(conn, slug).await?.ok_or_else(|| AppError::invalid("plan", "There is no plan of this name."))
}
