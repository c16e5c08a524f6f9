//! Bundles: what operators put together of an API's permissions, and keys hold (`holding`).
//!
//! A bundle may include others, never itself (R66): said here in words, and refused by the database whoever writes. What a bundle gives is
//! settled in the transaction of the change; every node reads the keys that hold it, and the operation waits for them as for a revocation.
//! Nobody describes a bundle of Tollgate's own API that gives more than they may themselves (R65).

mod holding;

pub(super) use holding::{chosen, give, set_bundles};

use super::{
    apis, nodes,
    store::{apis as of_apis, bundles as store},
};
use crate::{
    accounts::{
        Caller,
        server::{must_be_open, require_pin, require_recent_proof},
    },
    error::{AppError, Fields},
    keys::model::{Api, Bundle, NewBundle, Spread, bundle_words},
    platform::Ctx,
    ui::number::count,
    values::{Area, BundleId, Permission, Slug, permission_names as may},
};
use serde_json::json;
use std::collections::HashMap;
use tokio::time::Instant;
use uuid::Uuid;

/// A bundle after a change, and on which nodes its keys have what it gives.
#[derive(Debug, Clone)]
pub struct ChangedBundle {
    pub bundle: Bundle,
    pub spread: Spread,
}

/// The bundles of an API, by name. Whoever makes keys may read them.
pub async fn list_bundles(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<Vec<Bundle>, AppError> {
    Ok(apis::api_by_slug(ctx, caller, slug).await?.bundles)
}

/// How many keys that are not revoked hold each bundle of an API; one that no key holds is left out. Operators only.
pub async fn count_bundle_holders(ctx: &Ctx, caller: &Caller, api: &Api) -> Result<HashMap<String, u64>, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    Ok(store::count_holders_by_bundle(&ctx.db, api.id).await?.into_iter().map(|(name, keys)| (name.into(), keys)).collect())
}

/// The bundle as `put_bundle` would make it, or what is wrong with it. Nothing changes.
pub async fn plan_bundle(ctx: &Ctx, caller: &Caller, slug: &str, new: &NewBundle, may_replace: bool) -> Result<Bundle, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    let api = apis::api_by_slug(ctx, caller, slug).await?;
    let wanted = checked(&api, new)?;
    let before = api.bundle(wanted.name.as_str());
    if before != Some(&wanted) {
        must_fit(&api, before, new, may_replace)?;
        must_be_within(caller, &api, wanted.gives.iter().chain(before.into_iter().flat_map(|bundle| &bundle.gives)))?;
    }
    Ok(wanted)
}

/// Describes a bundle. With `may_replace` one of this name becomes it, on every key that holds it; without, another one is refused.
pub async fn put_bundle(ctx: &Ctx, caller: &Caller, slug: &str, new: NewBundle, may_replace: bool) -> Result<ChangedBundle, AppError> {
    caller.require(&may::APIS_MANAGE)?;
    must_be_open(ctx, caller, Area::Apis)?;
    require_pin(ctx, caller).await?;
    let mut tx = ctx.db.begin().await?;
    let id = of_apis::lock_api(&mut tx, slug).await?.ok_or(AppError::NotFound)?;
    let api = of_apis::find_api(&mut *tx, slug).await?.ok_or(AppError::NotFound)?;
    let wanted = checked(&api, &new)?;
    if api.is_own() {
        // Keys for Tollgate itself may hold it: they may do more then.
        require_recent_proof(ctx, caller).await?;
    }
    let before = api.bundle(wanted.name.as_str());
    if before == Some(&wanted) {
        // Sent twice: whether it has reached every node is worth the same answer.
        let held = store::lock_bundle(&mut tx, id, wanted.name.as_str()).await?;
        tx.rollback().await?;
        let holders: Vec<Uuid> = held.iter().map(|bundle| bundle.uuid()).collect();
        return Ok(ChangedBundle { bundle: wanted, spread: nodes::spread_of_holders(ctx, &holders, Instant::now()).await });
    }
    must_fit(&api, before, &new, may_replace)?;
    must_be_within(caller, &api, wanted.gives.iter().chain(before.into_iter().flat_map(|bundle| &bundle.gives)))?;
    store::put_bundle(&mut tx, ctx.new_id::<BundleId>(), id, &wanted, ctx.clock.now()).await?;
    let (from, to) = (before.map(facts), facts(&wanted));
    apis::note(ctx, &mut tx, caller, "api.bundled", id, json!({ "slug": slug, "bundle": wanted.name, "from": from, "to": to })).await?;
    let holders = store::list_settled(&mut tx).await?;
    let since = Instant::now();
    tx.commit().await?;
    Ok(ChangedBundle { bundle: wanted, spread: nodes::spread_of_holders(ctx, &holders, since).await })
}

/// Deletes a bundle that no key holds, revoked ones aside, and no other bundle includes. One that is not there is gone already.
pub async fn delete_bundle(ctx: &Ctx, caller: &Caller, slug: &str, name: &str) -> Result<(), AppError> {
    caller.require(&may::APIS_MANAGE)?;
    must_be_open(ctx, caller, Area::Apis)?;
    let mut tx = ctx.db.begin().await?;
    let id = of_apis::lock_api(&mut tx, slug).await?.ok_or(AppError::NotFound)?;
    let api = of_apis::find_api(&mut *tx, slug).await?.ok_or(AppError::NotFound)?;
    let Some(bundle) = api.bundle(name) else { return Ok(()) };
    must_be_within(caller, &api, bundle.gives.iter())?;
    let Some(bundle_id) = store::lock_bundle(&mut tx, id, name).await? else { return Ok(()) };
    must_be_unused(&api, bundle, store::count_holders(&mut tx, bundle_id).await?)?;
    store::delete_bundle(&mut tx, bundle_id).await?;
    apis::note(ctx, &mut tx, caller, "api.unbundled", id, json!({ "slug": slug, "bundle": bundle.name, "from": facts(bundle) })).await?;
    Ok(tx.commit().await?)
}

/// The bundle, if `delete_bundle` would delete it, or why it would not. Nothing changes.
pub async fn deletable_bundle(ctx: &Ctx, caller: &Caller, slug: &str, name: &str) -> Result<Bundle, AppError> {
    let api = apis::api_by_slug(ctx, caller, slug).await?;
    let holders = count_bundle_holders(ctx, caller, &api).await?;
    let bundle = api.bundle(name).ok_or(AppError::NotFound)?;
    must_be_within(caller, &api, bundle.gives.iter())?;
    must_be_unused(&api, bundle, holders.get(name).copied().unwrap_or(0))?;
    Ok(bundle.clone())
}

/// Another bundle's name, one too many, or in place of what somebody stored meanwhile: none of them.
fn must_fit(api: &Api, before: Option<&Bundle>, new: &NewBundle, may_replace: bool) -> Result<(), AppError> {
    match before {
        Some(_) if !may_replace => Err(AppError::invalid("name", "Another bundle of the API has this name.")),
        Some(before) => AppError::unless_seen(new.seen.as_deref(), &before.version(), "This bundle"),
        None if api.bundles.len() >= Bundle::MAX_COUNT => Err(AppError::invalid("name", format!("An API has at most {} bundles.", Bundle::MAX_COUNT))),
        None => Ok(()),
    }
}

/// No other bundle includes it, and no key holds it.
fn must_be_unused(api: &Api, bundle: &Bundle, holders: u64) -> Result<(), AppError> {
    let including: Vec<Slug> = api.bundles.iter().filter(|other| other.includes.contains(&bundle.name)).map(|other| other.name.clone()).collect();
    if !including.is_empty() {
        let verb = if including.len() == 1 { "includes" } else { "include" };
        return Err(AppError::conflict(format!("{} {verb} it. Change that first.", capital(&bundle_words(&including)))));
    }
    match holders {
        0 => Ok(()),
        n => Err(AppError::conflict(format!("{} this bundle. Take it from them first, or let the bundle give nothing.", count(n, "key holds", "keys hold")))),
    }
}

/// A bundle of Tollgate's own API reaches into what operators may: who describes it may all that it gives, and gave (R65).
fn must_be_within<'a>(caller: &Caller, api: &Api, mut given: impl Iterator<Item = &'a Permission>) -> Result<(), AppError> {
    match given.find(|permission| api.is_own() && !caller.may(permission)) {
        Some(beyond) => Err(AppError::forbidden(beyond)),
        None => Ok(()),
    }
}

/// The bundle as it may be described; what is wrong is named by its field.
fn checked(api: &Api, new: &NewBundle) -> Result<Bundle, AppError> {
    let mut fields = Fields::default();
    let name = fields.check("name", new.name.trim().parse::<Slug>());
    let description = new.description.trim();
    if description.chars().count() > 200 || description.chars().any(char::is_control) {
        fields.add("description", "A description has at most 200 characters on one line.");
    }
    let permissions = super::rules::permissions_in(&mut fields, api, &new.permissions);
    let includes = fields.check("includes", chosen(api, &new.includes));
    let leads_back = name.as_ref().zip(includes.as_ref()).and_then(|(name, includes)| circle(api, name, includes));
    if let Some(through) = leads_back {
        fields.add("includes", format!("{through} is this bundle, or includes it: a bundle can't include itself."));
    }
    fields.done()?;
    let (Some(name), Some(permissions), Some(includes)) = (name, permissions, includes) else { return Err(AppError::NotFound) };
    let included = includes.iter().filter_map(|part| api.bundle(part.as_str())).flat_map(|part| &part.gives);
    let mut gives: Vec<Permission> = permissions.iter().chain(included).cloned().collect();
    gives.sort();
    gives.dedup();
    Ok(Bundle { name, description: description.to_owned(), permissions, includes, gives })
}

/// The first of `includes` from which a way leads back to `name`.
fn circle(api: &Api, name: &Slug, includes: &[Slug]) -> Option<Slug> {
    let leads_back = |start: &&Slug| {
        let (mut seen, mut next) = (vec![(*start).clone()], vec![(*start).clone()]);
        while let Some(part) = next.pop() {
            if part == *name {
                return true;
            }
            let below = api.bundle(part.as_str()).map(|bundle| bundle.includes.as_slice()).unwrap_or_default();
            for part in below.iter().filter(|part| !seen.contains(part)).cloned().collect::<Vec<_>>() {
                seen.push(part.clone());
                next.push(part);
            }
        }
        false
    };
    includes.iter().find(leads_back).cloned()
}

fn facts(bundle: &Bundle) -> serde_json::Value {
    json!({ "description": bundle.description, "permissions": bundle.permissions, "includes": bundle.includes, "gives": bundle.gives })
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
