//! One key, whole: what its page and its REST resource show.

use super::{
    grants, limits, listing,
    reach::Reach,
    rules,
    secret_use::{missed_secrets, secret_views},
    store::{self, listing::Wanted},
    using::{self, permission_uses},
    why::why,
    words::said,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{
        Act, Api, ApiPermission, ApiRoute, Bundle, DayBar, HistoryEntry, HoldView, Key, KeyDetail, KeyState, LeakView, LevelView, LimitView, PermissionUse,
        SigningView, Unit, Window,
    },
    platform::{Ctx, LocalTime},
    values::{Actor, Counts, KeyId, Permission, Slug, permission_names as may},
};
use time::{Duration, OffsetDateTime};

/// Lines of the history that a page shows.
const HISTORY: i64 = 100;
/// Places of a leak that a page shows.
const LEAKS: i64 = 20;

/// One key.
pub async fn find_key(ctx: &Ctx, caller: &Caller, id: KeyId) -> Result<Key, AppError> {
    caller.require(&may::KEYS_READ)?;
    let mut conn = ctx.db.acquire().await?;
    store::keys::find_key(&mut conn, Reach::of(caller).workspace(), id).await?.ok_or(AppError::NotFound)
}

/// Why a key is disabled or revoked, as the person said it.
pub async fn state_reason(ctx: &Ctx, key: &Key) -> Result<Option<String>, AppError> {
    let act = match key.state {
        KeyState::Active => return Ok(None),
        KeyState::Disabled => Act::Disabled,
        KeyState::Revoked => Act::Revoked,
    };
    Ok(store::changes::find_reason(&ctx.db, key.id, act).await?.filter(|reason| !reason.is_empty()))
}

/// The secrets of a key that are accepted, the newest first.
pub async fn key_secrets(ctx: &Ctx, caller: &Caller, id: KeyId) -> Result<Vec<store::secrets::HeldSecret>, AppError> {
    find_key(ctx, caller, id).await?;
    Ok(store::secrets::list_secrets(&ctx.db, id, ctx.clock.now()).await?)
}

/// Where secrets of a key that are still accepted were found, the newest first.
pub async fn key_leaks(ctx: &Ctx, caller: &Caller, id: KeyId) -> Result<Vec<LeakView>, AppError> {
    find_key(ctx, caller, id).await?;
    leaks(ctx, id, &LocalTime::new(&caller.time_zone, ctx.clock.now())).await
}

/// A place in the history of a key: an instant, and a number among what happened then.
pub type HistoryPlace = (OffsetDateTime, i64);

/// What was done to a key, newest first: at most so many of those before this place, and the place before which others are.
pub async fn key_history(
    ctx: &Ctx,
    caller: &Caller,
    id: KeyId,
    before: Option<HistoryPlace>,
    most: usize,
) -> Result<(Vec<HistoryEntry>, Option<HistoryPlace>), AppError> {
    find_key(ctx, caller, id).await?;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let one_more = i64::try_from(most).unwrap_or(HISTORY) + 1;
    let mut rows = store::changes::list_changes(&ctx.db, id, local.now(), before, one_more, tells_blocks(caller)).await?;
    let has_more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| has_more).map(|row| (row.at, row.number));
    Ok((rows.into_iter().map(|row| entry(row, &local)).collect(), next))
}

/// Each permission that a key has in effect, with the calls of the last 30 days that needed it.
pub async fn key_uses(ctx: &Ctx, caller: &Caller, key: &Key) -> Result<Vec<PermissionUse>, AppError> {
    let api = store::apis::find_api(&ctx.db, key.api.as_str()).await?.ok_or(AppError::NotFound)?;
    let mut conn = ctx.db.acquire().await?;
    let routes = store::routes::list_routes(&mut conn, api.id).await?;
    let withheld = grants::withheld(&mut conn, &api, key.workspace, key.plan.as_ref().map(Slug::as_str)).await?;
    drop(conn);
    permission_uses(ctx, key, &api, &withheld, &routes, &LocalTime::new(&caller.time_zone, ctx.clock.now())).await
}

/// The call to try first with a key, as lines for a shell.
pub async fn example_call(ctx: &Ctx, caller: &Caller, id: KeyId) -> Result<String, AppError> {
    let key = find_key(ctx, caller, id).await?;
    let api = store::apis::find_api(&ctx.db, key.api.as_str()).await?.ok_or(AppError::NotFound)?;
    let mut conn = ctx.db.acquire().await?;
    let routes = store::routes::list_routes(&mut conn, api.id).await?;
    Ok(example(ctx, &key, &routes))
}

/// What `/keys/{id}` shows.
pub async fn key_detail(ctx: &Ctx, caller: &Caller, id: KeyId) -> Result<KeyDetail, AppError> {
    let key = find_key(ctx, caller, id).await?;
    let reach = Reach::of(caller).workspace();
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let edges = local.day_edges(listing::DAYS);
    let wanted = Wanted { workspace: reach, id: Some(id), most: 1, ..Wanted::default() };
    let mut listed = store::listing::list_keys(&ctx.db, &wanted, local.now(), listing::lately(&local)).await?.pop().ok_or(AppError::NotFound)?;
    listed.key = key;
    let spark = store::calls::list_calls(&ctx.db, &[id], &edges).await?.remove(&id).unwrap_or_else(|| vec![Counts::default(); edges.len().saturating_sub(1)]);
    let day = |at, calls| {
        let said = said(at, local.day(at));
        DayBar { at: said.at, day: said.words, calls }
    };
    let days = edges.iter().zip(&spark).map(|(at, calls)| day(*at, *calls)).collect();
    let provenance = store::keys::find_provenance(&ctx.db, reach, id).await?.ok_or(AppError::NotFound)?;
    let live = limits::live(ctx, &listed.key).await?;
    let row = listing::row(listed, &live, spark, &local);
    let key = row.key;
    let api = store::apis::find_api(&ctx.db, key.api.as_str()).await?.ok_or(AppError::NotFound)?;
    let mut conn = ctx.db.acquire().await?;
    let routes = store::routes::list_routes(&mut conn, api.id).await?;
    let withheld = grants::withheld(&mut conn, &api, key.workspace, key.plan.as_ref().map(Slug::as_str)).await?;
    let grantable = rules::grantable(&mut conn, caller, key.workspace, &api, &withheld).await?;
    drop(conn);
    let limits = limits::views(live, &local);
    let why = why(ctx, &key).await?;
    let counted_since = key.created_at.max(local.now() - Duration::days(using::DAYS));

    Ok(KeyDetail {
        owner: provenance.owner,
        person: row.person.filter(|_| listing::sees_people(caller)),
        is_own: key.workspace == caller.workspace,
        created_by: Actor { name: provenance.created_by.unwrap_or_default(), is_account: provenance.is_account },
        created: said(key.created_at, local.moment(key.created_at)),
        standing: row.standing,
        last_used: row.last_used,
        expires: key.expires_at.map(|at| said(at, local.moment(at))),
        expires_on: key.expires_at.map(|at| local.date(at)),
        zone: local.zone(),
        calls: row.calls,
        today: row.spark.last().copied().unwrap_or_default(),
        days,
        days_end: edges.last().map(|at| said(*at, String::new()).at).unwrap_or_default(),
        secrets: secret_views(ctx, id, &local).await?,
        missed: missed_secrets(ctx, id, &local).await?,
        bundles: bundles(&key, &api, &grantable),
        permissions: permissions(&key, &api, grantable),
        uses: permission_uses(ctx, &key, &api, &withheld, &routes, &local).await?,
        counted_since: said(counted_since, local.moment(counted_since)),
        is_a_day_old: local.now() - key.created_at >= Duration::DAY,
        withheld,
        day_limit: day_limit(&limits, &why, &routes, &local),
        limits,
        why,
        history: history(ctx, caller, id, &local).await?,
        holds: holds(ctx, &key, &local).await?,
        leaks: leaks(ctx, id, &local).await?,
        can_mark_leaked: key.state != KeyState::Revoked && caller.may(&may::KEYS_MANAGE),
        signing: super::signing::find_signing(ctx, caller, id).await?.map(|signing| SigningView {
            algorithm: signing.algorithm,
            fingerprint: signing.fingerprint,
            since: said(signing.since, local.moment(signing.since)),
        }),
        can_edit: key.state != KeyState::Revoked && caller.may(&may::KEYS_WRITE),
        can_set_limits: key.state != KeyState::Revoked && caller.may(&may::KEYS_MANAGE),
        example: example(ctx, &key, &routes),
        once: ctx.rng.base62(30),
        key,
    })
}

/// The limit as a line across bars of days and of calls, by the rule of `/usage` (`usage::server::limit_lines`): where all keys share it, where
/// its day begins elsewhere, or where a call may cost other than one unit, the line would not be where calls are refused.
fn day_limit(limits: &[LimitView], why: &[LevelView], routes: &[ApiRoute], local: &LocalTime) -> Option<LimitView> {
    let is_shared = why.iter().any(|l| l.is_in_force && l.level.is_shared());
    if is_shared || routes.iter().any(|route| route.cost != 1 || !route.is_counted) {
        return None;
    }
    let is_bar = |window: Window| match window {
        Window::Rolling(86_400) => true,
        Window::Seconds(86_400) => local.is_of("UTC"),
        Window::Local(Unit::Day, zone) => local.is_of(zone.as_str()),
        _ => false,
    };
    limits.iter().filter(|limit| is_bar(limit.window)).min_by_key(|limit| limit.limit).cloned()
}

/// A call that answers at once: Tollgate's own API, or what a proxy before the protected API asks; where routes matter, for a path that
/// needs nothing that the key has not.
fn example(ctx: &Ctx, key: &Key, routes: &[ApiRoute]) -> String {
    let path = if key.api.as_str() == Api::OWN { "/api/v1/keys".to_owned() } else { format!("/forward-auth/{}", key.api) };
    let is_plain = |r: &&ApiRoute| matches!(r.method.as_str(), "GET" | ApiRoute::ANY) && !r.pattern.contains(['{', '*']);
    let may = |r: &&ApiRoute| r.permission.as_ref().is_none_or(|p| key.effective.contains(p));
    let route = routes.iter().filter(is_plain).find(may);
    let told = if routes.is_empty() { String::new() } else { format!(" \\\n  -H \"X-Forwarded-Uri: {}\"", route.map_or("/", |r| &r.pattern)) };
    format!("curl -i {} \\\n  -H \"Authorization: Bearer $KEY\"{told}", ctx.config.link(&path))
}

async fn holds(ctx: &Ctx, key: &Key, local: &LocalTime) -> Result<Vec<HoldView>, AppError> {
    let rows = store::holds::list_holds(&ctx.db, key.id, key.workspace, local.now()).await?;
    Ok(rows.into_iter().map(|row| super::workspace_state::view(row, local)).collect())
}

async fn leaks(ctx: &Ctx, id: KeyId, local: &LocalTime) -> Result<Vec<LeakView>, AppError> {
    let rows = store::leaks::list_open(&ctx.db, id, local.now(), LEAKS).await?;
    let view = |r: store::leaks::LeakRow| LeakView { start: r.start, url: r.url, source: r.source, by: r.reported_by, at: said(r.at, local.moment(r.at)) };
    Ok(rows.into_iter().map(view).collect())
}

/// Who blocked and why is for those who block (docs/blocks.md).
fn tells_blocks(caller: &Caller) -> bool {
    caller.may(&may::BLOCKS_MANAGE)
}

async fn history(ctx: &Ctx, caller: &Caller, id: KeyId, local: &LocalTime) -> Result<Vec<HistoryEntry>, AppError> {
    let rows = store::changes::list_changes(&ctx.db, id, ctx.clock.now(), None, HISTORY, tells_blocks(caller)).await?;
    Ok(rows.into_iter().map(|row| entry(row, local)).collect())
}

fn entry(row: store::changes::ChangeRow, local: &LocalTime) -> HistoryEntry {
    let actor = Actor { name: row.actor, is_account: row.is_account };
    HistoryEntry { act: row.act, actor, at: said(row.at, local.moment(row.at)), reason: row.reason, detail: row.detail }
}

/// The bundles that it could be given, since all that they give could be, and those that it holds.
fn bundles(key: &Key, api: &Api, grantable: &[ApiPermission]) -> Vec<Bundle> {
    let can_be_given = |bundle: &Bundle| bundle.gives.iter().all(|p| grantable.iter().any(|g| g.permission == *p));
    api.bundles.iter().filter(|bundle| key.bundles.contains(&bundle.name) || can_be_given(bundle)).cloned().collect()
}

/// What the key has, and what it could be given: for Tollgate's own API only what its owner and the caller may, of another what is not withheld.
fn permissions(key: &Key, api: &Api, grantable: Vec<ApiPermission>) -> Vec<ApiPermission> {
    let gone = key.permissions.iter().filter(|p| !grantable.iter().any(|g| g.permission == **p));
    // In no preset: it could not be given again.
    let kept = |permission: &Permission| {
        let known = api.permissions.iter().find(|p| p.permission == *permission);
        let (description, needs_grant) = known.map(|p| (p.description.clone(), p.needs_grant)).unwrap_or_default();
        ApiPermission { permission: permission.clone(), description, is_basic: false, needs_grant }
    };
    let gone: Vec<ApiPermission> = gone.map(kept).collect();
    grantable.into_iter().chain(gone).collect()
}
