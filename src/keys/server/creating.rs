//! Making a key. Its secret is given to the caller once; only the hash is kept.
//!
//! Safe to send twice: a form that names itself (`Once`) makes one key. The second submit of a page gets the same secret again, because
//! that secret is derived from the page's token, which we do not store; so a double click can't lose it. A request of the REST API names
//! itself by another way (`platform::once`).

use super::{
    about, apis, batch, bundles, change,
    change::Done,
    editing, gate, grants, key_routes, origins, proof,
    reach::actor,
    rules, secret,
    store::{keys, limits, secrets},
    wanted_limits::WantedLimits,
};
use crate::{
    accounts::{
        Caller,
        server::{policies, require_recent_proof},
    },
    error::{AppError, Fields},
    keys::model::{Act, Api, Key, KeyLimit, KeyState, Meta, NewKey, Once, Preset, Withheld},
    platform::{Ctx, crypto::sha256, once},
    values::{KeyId, Permission, SecretId, Slug, permission_names as may},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use time::{Duration, OffsetDateTime};

/// A key, and its secret for the one moment that it is shown. Not serialisable on purpose.
#[derive(Debug, Clone)]
pub struct Created {
    pub key: Key,
    /// None: a page was sent again, long after it made the key.
    pub secret: Option<String>,
    /// False: an earlier request made the key.
    pub is_new: bool,
}

/// For so long the second submit of a page shows the secret again.
pub const SHOWN_FOR: Duration = Duration::minutes(10);

/// What operators alone say of a new key. It holds before the key is handed out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// Its own limits; none: those of the next level.
    pub limits: Vec<KeyLimit>,
    /// The slug of its own plan.
    pub plan: Option<String>,
    /// The email of its owner; none: the caller.
    pub account: Option<String>,
}

/// Creates a key in the caller's workspace. Where roles or plans say how long keys live, it gets an end, and no later one.
pub async fn create_key(ctx: &Ctx, caller: &Caller, new: NewKey) -> Result<Created, AppError> {
    create_key_on(ctx, caller, new, Terms::default()).await
}

/// Creates a key on an operator's terms. A form that names itself has none.
pub async fn create_key_on(ctx: &Ctx, caller: &Caller, new: NewKey, terms: Terms) -> Result<Created, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    if terms != Terms::default() {
        caller.require(&may::KEYS_MANAGE)?;
    }
    let Terms { limits: own_limits, plan, account } = terms;
    let api = apis::api_for_key(ctx, new.api.as_deref()).await?;
    must_be_proven(ctx, caller, &api).await?;
    let workspace = match account {
        Some(email) => batch::workspace_of(ctx, caller, &email).await?,
        None => caller.workspace,
    };
    // What its own plan grants counts already.
    let withheld = grants::withheld_from_new(ctx, &api, workspace, plan.as_deref()).await?;
    let own_limits = WantedLimits::check(ctx, Some(own_limits), None).await.and_then(|limits| limits.after(&[]));
    let (mut wanted, own_limits) = both(checked(ctx, caller, &api, &withheld, &new), own_limits)?;
    let request_key = new.once.as_ref().map(|once| request_key(once, &api, &wanted, &new));
    // The second and later ones are of older master keys, for a page that is sent again.
    let derived = match &new.once {
        Some(Once(token)) => secret::derive_each(
            &ctx.vault,
            &[&caller.workspace.to_string(), token, request_key.as_deref().unwrap_or_default()],
            &api.key_prefix,
            new.environment.as_str(),
        ),
        None => Vec::new(),
    };
    let minted = derived.first().cloned().unwrap_or_else(|| secret::mint(&ctx.rng, &api.key_prefix, new.environment.as_str()));

    let now = ctx.clock.now();
    let ends = policies::key_ends(ctx, [workspace]).await?;
    wanted.expires_at = ends.end(workspace, now, wanted.expires_at).map_err(|words| AppError::invalid("expires_at", words))?;
    let id: KeyId = ctx.new_id();
    let mut tx = ctx.db.begin().await?;
    rules::must_not_exceed(&mut tx, caller, workspace, &api, &wanted.permissions).await?;
    let row = keys::NewRow {
        id,
        workspace,
        api: api.id,
        name: &wanted.name,
        environment: new.environment,
        permissions: &wanted.permissions,
        addresses: &wanted.addresses,
        origins: &wanted.origins,
        routes: &wanted.routes,
        tags: &wanted.tags,
        external_id: wanted.external_id.as_deref(),
        meta: about::stored(&wanted.meta),
        expires_at: wanted.expires_at,
        created_by: actor(caller).0,
        request_key: request_key.as_deref(),
    };
    if !keys::insert_key(&mut tx, &row, now).await? {
        drop(tx);
        return made_before(ctx, caller, request_key.as_deref().unwrap_or_default(), &derived).await;
    }
    secrets::insert_secret(&mut tx, ctx.new_id::<SecretId>(), id, &sha256(&minted), secret::start(&minted), now).await?;
    if !wanted.bundles.is_empty() {
        bundles::give(ctx, &mut tx, caller, (id, workspace), &api, &wanted.bundles, &wanted.bundles).await?;
    }
    if let Some(own_limits) = &own_limits {
        limits::replace_limits(&mut tx, id, own_limits).await?;
    }
    if let Some(slug) = &plan {
        let (plan, _) = editing::lock_plan(&mut tx, slug).await?;
        limits::update_plan(&mut tx, id, Some(plan), now).await?;
    }
    let key = keys::find_key(&mut tx, Some(workspace), id).await?.ok_or(AppError::NotFound)?;
    let data = serde_json::json!({
        "name": key.name, "api": key.api, "permissions": key.permissions, "bundles": key.bundles, "routes": key.routes,
        "limits": key.limits, "plan": key.plan, "external_id": key.external_id,
    });
    change::note(ctx, &mut tx, caller, &key, Done { data, ..Done::new(Act::Created, "") }).await?;
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    gate::refreshed(ctx, &[id]).await;
    Ok(Created { key, secret: Some(minted), is_new: true })
}

/// What is wrong with either is said at once.
fn both<A, B>(a: Result<A, AppError>, b: Result<B, AppError>) -> Result<(A, B), AppError> {
    match (a, b) {
        (Err(AppError::Invalid { mut fields }), Err(AppError::Invalid { fields: more })) => {
            fields.extend(more);
            Err(AppError::Invalid { fields })
        }
        (a, b) => Ok((a?, b?)),
    }
}

/// A key for Tollgate itself is a way in that stays: in a browser it takes a recent proof, and a key that may call certain routes only makes none.
pub(super) async fn must_be_proven(ctx: &Ctx, caller: &Caller, api: &Api) -> Result<(), AppError> {
    if !api.is_own() {
        return Ok(());
    }
    proof::must_call_all(ctx, caller)?;
    require_recent_proof(ctx, caller).await
}

/// A key as it may be made.
pub(super) struct Wanted {
    pub name: String,
    pub permissions: Vec<Permission>,
    pub bundles: Vec<Slug>,
    pub addresses: Vec<String>,
    pub origins: Vec<String>,
    pub routes: Vec<String>,
    pub tags: Vec<String>,
    pub external_id: Option<String>,
    pub meta: Meta,
    pub expires_at: Option<OffsetDateTime>,
}

/// The rules of any new key, of which these are withheld in its workspace; what is wrong is named by its field.
pub(super) fn checked(ctx: &Ctx, caller: &Caller, api: &Api, withheld: &[Withheld], new: &NewKey) -> Result<Wanted, AppError> {
    let mut fields = Fields::default();
    let name = fields.check("name", rules::name(&new.name));
    let permissions = match (&new.permissions, new.preset) {
        (Some(_), Some(_)) => fields.check("preset", Err(rules::EITHER)),
        (Some(texts), None) => {
            let named = rules::permissions_in(&mut fields, api, texts);
            named.filter(|named| fields.check("permissions", grants::must_be_granted(withheld, named.iter())).is_some())
        }
        // Who names bundles says with them what it may.
        (None, None) if !new.bundles.is_empty() => Some(Vec::new()),
        (None, preset) => {
            let can_be_given = |p: &Permission| (!api.is_own() || caller.may(p)) && !grants::is_withheld(withheld, p);
            Some(api.preset(preset.unwrap_or(Preset::Basic)).into_iter().filter(can_be_given).collect())
        }
    };
    let bundles = fields.check("bundles", bundles::chosen(api, &new.bundles)).unwrap_or_default();
    fields.check("bundles", grants::bundles_must_be_granted(api, withheld, &bundles));
    let addresses = rules::list(&mut fields, "addresses", &new.addresses, rules::addresses).unwrap_or_default();
    let origins = rules::list(&mut fields, "origins", &new.origins, origins::origins).unwrap_or_default();
    let routes = rules::list(&mut fields, "routes", &new.routes, key_routes::key_routes).unwrap_or_default();
    let tags = rules::list(&mut fields, "tags", &new.tags, rules::tags).unwrap_or_default();
    let external_id = fields.check("external_id", about::external_id(new.external_id.as_deref().unwrap_or_default())).flatten();
    let meta = fields.check("meta", about::meta(new.meta.clone())).unwrap_or_default();
    let expires_at = new.expires_at.map(|at| fields.check("expires_at", rules::expiry(at, ctx.clock.now())));
    fields.done()?;
    Ok(Wanted {
        name: name.unwrap_or_default(),
        permissions: permissions.unwrap_or_default(),
        bundles,
        addresses,
        origins,
        routes,
        tags,
        external_id,
        meta,
        expires_at: expires_at.flatten(),
    })
}

/// What is stored of the form's own name: never the page's token itself, since the secret is derived from it. A form that was sent with
/// other words is another one.
fn request_key(Once(token): &Once, api: &Api, wanted: &Wanted, new: &NewKey) -> String {
    let Wanted { name, permissions, bundles, routes, external_id, meta, .. } = wanted;
    let said = serde_json::json!(["page", token, api.slug, name, permissions, bundles, routes, new.environment, external_id, meta]);
    URL_SAFE_NO_PAD.encode(sha256(said.to_string()))
}

async fn made_before(ctx: &Ctx, caller: &Caller, request_key: &str, derived: &[String]) -> Result<Created, AppError> {
    let id = keys::find_key_of_request(&ctx.db, caller.workspace, request_key).await?.ok_or(AppError::Unavailable { retry_after: 1 })?;
    let mut conn = ctx.db.acquire().await?;
    let key = keys::find_key(&mut conn, Some(caller.workspace), id).await?.ok_or(AppError::NotFound)?;
    for minted in derived {
        if let Some(since) = secrets::find_secret(&mut conn, id, &sha256(minted)).await? {
            let is_fresh = ctx.clock.now() - since < SHOWN_FOR && key.state != KeyState::Revoked;
            return Ok(Created { key, secret: is_fresh.then(|| minted.clone()), is_new: false });
        }
    }
    Ok(Created { key, secret: None, is_new: false })
}
