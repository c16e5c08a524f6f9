//! Lists of keys: the page with badges and sparklines, and the plain pages of REST.

use super::{
    cursor, grants,
    limits::{Live, live_here, live_of},
    reach::Reach,
    secret::is_well_formed,
    store::{
        self,
        listing::{Listed, Wanted},
        paging,
    },
    why::limits_of_new_keys,
    words::{AtLimit, said, standing},
    workspace_state::workspace_state,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{Api, Key, KeyCount, KeyLimit, KeyList, KeyQuery, KeyRow, KeysShown, NewKeyChoices, NewKeyForm, Review, Standing, StandingKind, Withheld},
    platform::{Ctx, LocalTime, crypto::sha256},
    values::{ApiId, Counts, KeyId, Permission, Slug, permission_names as may},
};
use sqlx::PgConnection;
use std::collections::HashMap;
use time::OffsetDateTime;

/// Rows of a page.
const PAGE: usize = 50;
/// The same where all are read.
const OF_ALL: usize = 5_000;
/// Days of a sparkline.
pub(super) const DAYS: i64 = 30;

/// What `/keys` shows; `chooses`: the dialog for a new key is open, and asks for more than a name.
pub async fn show_keys(ctx: &Ctx, caller: &Caller, query: KeyQuery, chooses: bool) -> Result<KeysShown, AppError> {
    caller.require(&may::KEYS_READ)?;
    let mut conn = ctx.db.acquire().await?;
    let list = read_list(ctx, &mut conn, caller, query).await?;
    let state = workspace_state(ctx, &mut *conn, caller.workspace, &LocalTime::new(&caller.time_zone, ctx.clock.now())).await?;
    // In the place of an empty list stands what the first key will be.
    let choices = match chooses || list.all == 0 {
        true => Some(new_key_choices(ctx, &mut conn, caller).await?),
        false => None,
    };
    let suggested_name = if list.all == 0 { "my first key".to_owned() } else { String::new() };
    Ok(KeysShown { form: NewKeyForm { suggested_name, once: ctx.rng.base62(30), choices }, state, list })
}

/// Whether a list says whose each key is: to those who see the keys and the accounts of everybody.
pub(super) fn sees_people(caller: &Caller) -> bool {
    caller.may(&may::KEYS_MANAGE) && caller.may(&may::ADMIN_READ)
}

/// The list alone.
pub async fn list_keys(ctx: &Ctx, caller: &Caller, query: KeyQuery) -> Result<KeyList, AppError> {
    caller.require(&may::KEYS_READ)?;
    read_list(ctx, &mut *ctx.db.acquire().await?, caller, query).await
}

/// Of one connection all that is read here: each that is taken from the pool is asked first whether it still lives.
async fn read_list(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, query: KeyQuery) -> Result<KeyList, AppError> {
    let reach = Reach::of_list(caller, &query)?;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let mut wanted = wanted(reach, &query)?;
    wanted.most = i64::try_from(PAGE + 1).unwrap_or(51);
    let mut listed = store::listing::list_keys(&mut *conn, &wanted, local.now(), lately(&local)).await?;
    let has_more = listed.len() > PAGE;
    if has_more && wanted.backwards {
        listed.remove(0);
    }
    listed.truncate(PAGE);
    let newer = listed.first().filter(|_| if wanted.backwards { has_more } else { wanted.from.is_some() }).map(|l| cursor::of(&l.key));
    let older = listed.last().filter(|_| wanted.backwards || has_more).map(|l| cursor::of(&l.key));
    let found = listed.first().map_or(0, |l| l.found);
    let (mut ended, mut had_ended) = (None, false);
    if let Some(hashes) = &wanted.hashes {
        match listed.first() {
            Some(of) => ended = store::secrets::find_end(&mut *conn, of.key.id, hashes, local.now()).await?,
            None => had_ended = store::secrets::list_ended(&mut *conn, hashes).await?.iter().any(|ended| reach.has(ended.workspace_id)),
        }
    }
    let mut rows = rows(ctx, conn, listed, &local).await?;
    for row in &mut rows {
        row.person = row.person.take().filter(|_| sees_people(caller));
    }
    let whole = store::listing::summary(&mut *conn, reach.workspace(), local.now(), today(&local)).await?;
    Ok(KeyList {
        rows,
        ended: ended.map(|at| said(at, local.moment(at))),
        had_ended,
        found,
        today: whole.today,
        newer,
        older,
        workspace: caller.workspace_name.clone(),
        all: whole.all,
        review: whole.review,
        tags: whole.tags,
        apis: store::apis::list_names(&mut *conn).await?,
        query,
    })
}

/// The first page of a list and how many keys it has, without what stands around it on `/keys`.
pub async fn list_rows(ctx: &Ctx, caller: &Caller, query: &KeyQuery) -> Result<(Vec<KeyRow>, u64), AppError> {
    caller.require(&may::KEYS_READ)?;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let mut wanted = wanted(Reach::of_list(caller, query)?, query)?;
    wanted.most = i64::try_from(PAGE).unwrap_or(50);
    let mut conn = ctx.db.acquire().await?;
    let listed = store::listing::list_keys(&mut *conn, &wanted, local.now(), lately(&local)).await?;
    let found = listed.first().map_or(0, |l| l.found);
    Ok((rows(ctx, &mut conn, listed, &local).await?, found))
}

/// How keys of the caller's workspace stand, and how many there are of these kinds: the newest of all if none are said, else those in the order
/// of the kinds.
pub async fn list_standings(ctx: &Ctx, caller: &Caller, kinds: &[StandingKind], most: usize) -> Result<(Vec<(Key, Standing)>, u64), AppError> {
    caller.require(&may::KEYS_READ)?;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let wanted = Wanted { workspace: Some(caller.workspace), kinds: kinds.to_vec(), most: i64::try_from(most).unwrap_or(i64::MAX), ..Wanted::default() };
    let mut conn = ctx.db.acquire().await?;
    let mut listed = store::listing::list_keys(&mut *conn, &wanted, local.now(), lately(&local)).await?;
    read_limits(&mut conn, &mut listed).await?;
    let found = listed.first().map_or(0, |l| l.found);
    let live = held(ctx, &mut conn, &listed).await?;
    let standing = |l: Listed| {
        let standing = badge(&l, live.get(&l.key.id).map_or(&[][..], Vec::as_slice), &local);
        (l.key, standing)
    };
    Ok((listed.into_iter().map(standing).collect(), found))
}

/// Since when calls count for how a key stands: not a person's day, so that its owner and an operator elsewhere see the same.
pub(super) fn lately(local: &LocalTime) -> OffsetDateTime {
    local.now() - time::Duration::DAY
}

/// Where the person's day began.
fn today(local: &LocalTime) -> OffsetDateTime {
    local.day_edges(1).first().copied().unwrap_or(local.now())
}

/// The keys as a list shows them, each with its last 30 days.
async fn rows(ctx: &Ctx, conn: &mut PgConnection, mut listed: Vec<Listed>, local: &LocalTime) -> Result<Vec<KeyRow>, AppError> {
    let edges = local.day_edges(DAYS);
    let ids: Vec<KeyId> = listed.iter().map(|l| l.key.id).collect();
    let mut calls = store::calls::list_calls(&mut *conn, &ids, &edges).await?;
    read_limits(&mut *conn, &mut listed).await?;
    let mut live = held(ctx, conn, &listed).await?;
    let one = |l: Listed| {
        let spark = calls.remove(&l.key.id).unwrap_or_else(|| vec![Counts::default(); edges.len().saturating_sub(1)]);
        let live = live.remove(&l.key.id).unwrap_or_default();
        row(l, &live, spark, local)
    };
    Ok(listed.into_iter().map(one).collect())
}

/// A badge names the limits of a key that one held, where the gate does not know them; nobody asks for those of the others.
async fn read_limits(conn: &mut PgConnection, listed: &mut [Listed]) -> Result<(), AppError> {
    let held: Vec<KeyId> = listed.iter().filter(|l| l.kind == StandingKind::Held).map(|l| l.key.id).collect();
    let mut limits = limits_by_key(conn, &held).await?;
    for l in listed {
        l.key.limits = limits.remove(&l.key.id).unwrap_or_default();
    }
    Ok(())
}

/// Where the limits stand of the keys that one may hold now: on all nodes where one did today, else as this node knows it, since to sum what
/// every key of a page used would take long.
pub(super) async fn held(ctx: &Ctx, conn: &mut PgConnection, listed: &[Listed]) -> Result<HashMap<KeyId, Vec<Live>>, AppError> {
    let (held, others): (Vec<&Listed>, Vec<&Listed>) = listed.iter().filter(|l| may_be_held(l)).partition(|l| l.kind == StandingKind::Held);
    let mut live = live_of(ctx, conn, &held.into_iter().map(|l| &l.key).collect::<Vec<_>>()).await?;
    live.extend(others.into_iter().map(|l| (l.key.id, live_here(ctx, &l.key))));
    Ok(live)
}

/// Another state is said first.
fn may_be_held(listed: &Listed) -> bool {
    !listed.kind.is_off() && listed.kind != StandingKind::Expiring
}

/// A page of plain keys, newest first, behind the cursor `older`, and the cursor of the next page. Nothing is counted for it. Where filters may
/// leave few of many keys, they are looked at some at a time, so that no statement takes long.
pub async fn page_of_keys(ctx: &Ctx, caller: &Caller, query: &KeyQuery, limit: usize) -> Result<(Vec<Key>, Option<String>), AppError> {
    caller.require(&may::KEYS_READ)?;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let mut wanted = wanted(Reach::of_list(caller, query)?, query)?;
    let mut conn = ctx.db.acquire().await?;
    let mut places: Vec<paging::Place> = Vec::new();
    loop {
        wanted.most = i64::try_from(limit + 1 - places.len()).unwrap_or(i64::MAX);
        let until = match wanted.looked_at() {
            Some(keys) => paging::find_place(&mut *conn, wanted.workspace, wanted.from, keys).await?,
            None => None,
        };
        places.extend(paging::list_page(&mut *conn, &wanted, until, local.now(), lately(&local)).await?);
        if until.is_none() || places.len() > limit {
            break;
        }
        wanted.from = until;
    }
    let next = (places.len() > limit).then(|| places.get(limit - 1).copied().map(cursor::at)).flatten();
    places.truncate(limit);
    let ids: Vec<KeyId> = places.into_iter().map(|(_, id)| id).collect();
    let found = store::keys::find_keys(&mut conn, wanted.workspace, &ids).await?;
    let mut keys: HashMap<KeyId, Key> = found.into_iter().map(|key| (key.id, key)).collect();
    Ok((ids.iter().filter_map(|id| keys.remove(id)).collect(), next))
}

/// Whether these filters can be kept: they are right, and hold no secret (a whole key can be searched for, and is looked up at once).
pub fn check_query(caller: &Caller, query: &KeyQuery) -> Result<(), AppError> {
    caller.require(&may::KEYS_READ)?;
    wanted(Reach::of_list(caller, query)?, query)?;
    if query.q.as_deref().is_some_and(is_well_formed) {
        return Err(AppError::invalid("q", "This is a whole key, which is kept nowhere. Search by a part of its name."));
    }
    Ok(())
}

/// How many keys the filters leave.
pub async fn count_found(ctx: &Ctx, caller: &Caller, query: &KeyQuery) -> Result<u64, AppError> {
    count_up_to(ctx, caller, query, None).await
}

async fn count_up_to(ctx: &Ctx, caller: &Caller, query: &KeyQuery, most: Option<usize>) -> Result<u64, AppError> {
    caller.require(&may::KEYS_READ)?;
    let wanted = wanted(Reach::of_list(caller, query)?, query)?;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let most = most.map(|most| i64::try_from(most).unwrap_or(i64::MAX));
    Ok(paging::count_keys(&ctx.db, &wanted, most, local.now(), lately(&local)).await?)
}

/// Every key that the filters leave, newest first. None: there are more than `most`, which is told before they are read. Read in pages, so that
/// no statement takes long.
pub async fn every_key(ctx: &Ctx, caller: &Caller, mut query: KeyQuery, most: usize) -> Result<Option<Vec<Key>>, AppError> {
    let mut all = Vec::new();
    if count_up_to(ctx, caller, &query, Some(most.saturating_add(1))).await? > most as u64 {
        return Ok(None);
    }
    loop {
        let (page, next) = page_of_keys(ctx, caller, &query, OF_ALL).await?;
        all.extend(page);
        if all.len() > most {
            return Ok(None);
        }
        match next {
            Some(cursor) => query.older = Some(cursor),
            None => return Ok(Some(all)),
        }
    }
}

/// A filter that takes these words only.
fn one_of(filter: &str, words: &[&str]) -> AppError {
    AppError::invalid(filter, format!("Ask for one of {}.", words.join(", ")))
}

pub(super) fn wanted(reach: Reach, query: &KeyQuery) -> Result<Wanted<'_>, AppError> {
    let search = query.q.as_deref();
    if search.is_some_and(|q| q.len() > 200) {
        return Err(AppError::invalid("q", "Search for at most 200 characters."));
    }
    if query.owner.as_deref().is_some_and(|owner| owner.len() > 200) {
        return Err(AppError::invalid("owner", "Search for at most 200 characters."));
    }
    let id = search.and_then(|q| q.parse::<KeyId>().ok());
    let kinds = match query.status.as_deref() {
        Some(word) => vec![StandingKind::parse(word).ok_or_else(|| one_of("status", &StandingKind::ALL.map(|(_, word, _)| word)))?],
        None => Vec::new(),
    };
    let review = match query.review.as_deref() {
        Some(word) => Some(Review::parse(word).ok_or_else(|| one_of("review", &Review::ALL.map(|(_, word, _)| word)))?),
        None => None,
    };
    let hashes = match query.hash.as_deref() {
        // A whole key in the search, without the script that hashes it: it is found exactly, not by its start.
        None => search.filter(|q| is_well_formed(q)).map(|q| vec![sha256(q).to_vec()]),
        Some(text) => {
            Some(hashes(text).ok_or_else(|| AppError::invalid("hash", "A SHA-256 has 64 hexadecimal digits, a SHA-512 128; of both, a dot between."))?)
        }
    };
    let from = query.newer.as_deref().or(query.older.as_deref()).map(cursor::read).transpose()?;
    Ok(Wanted {
        workspace: reach.workspace(),
        id,
        ids: None,
        search: search.filter(|q| id.is_none() && !is_well_formed(q)),
        api: query.api.as_deref(),
        kinds,
        review,
        tag: query.tag.as_deref(),
        external_id: query.external_id.as_deref(),
        owner: query.owner.as_deref(),
        hashes,
        from,
        backwards: query.newer.is_some(),
        most: 0,
    })
}

/// One or two hashes of a secret in hexadecimal digits, with a dot between: its SHA-256, its SHA-512.
fn hashes(text: &str) -> Option<Vec<Vec<u8>>> {
    if text.split('.').count() > 2 {
        return None;
    }
    text.split('.').map(hash).collect()
}

fn hash(text: &str) -> Option<Vec<u8>> {
    if !matches!(text.len(), 64 | 128) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

async fn limits_by_key(conn: &mut PgConnection, ids: &[KeyId]) -> Result<HashMap<KeyId, Vec<KeyLimit>>, AppError> {
    let mut limits: HashMap<KeyId, Vec<KeyLimit>> = HashMap::new();
    if ids.is_empty() {
        return Ok(limits);
    }
    for (key, limit) in store::limits::limits_of(conn, ids).await? {
        limits.entry(key).or_default().push(limit);
    }
    Ok(limits)
}

pub(super) async fn plans_by_key(conn: &mut PgConnection, ids: &[KeyId]) -> Result<HashMap<KeyId, Slug>, AppError> {
    Ok(store::limits::plans_of(conn, ids).await?.into_iter().collect())
}

/// Each bundle with what it gives.
pub(super) async fn bundles_by_key(conn: &mut PgConnection, ids: &[KeyId]) -> Result<HashMap<KeyId, Vec<(Slug, Vec<Permission>)>>, AppError> {
    let mut bundles: HashMap<KeyId, Vec<(Slug, Vec<Permission>)>> = HashMap::new();
    for (key, bundle, gives) in store::bundles::bundles_of(conn, ids).await? {
        bundles.entry(key).or_default().push((bundle, gives));
    }
    Ok(bundles)
}

/// One row of the list. Where its limits stand is asked only if one held it.
pub(super) fn row(listed: Listed, live: &[Live], spark: Vec<Counts>, local: &LocalTime) -> KeyRow {
    KeyRow {
        standing: badge(&listed, live, local),
        calls: spark.iter().copied().sum(),
        spark,
        last_used: listed.key.last_used_at.map(|at| said(at, local.ago(at))),
        expires: listed.key.expires_at.map(|at| said(at, local.full_day(at))),
        owner: listed.owner,
        person: listed.person,
        is_leaked: listed.is_leaked,
        key: listed.key,
    }
}

/// How it stands. Where its limits stand is looked at also where no call met one yet: a key may then stand as `Held` that the filters, which know
/// what is written, leave elsewhere until a call was held.
pub(super) fn badge(listed: &Listed, states: &[Live], local: &LocalTime) -> Standing {
    if !may_be_held(listed) {
        return standing(listed, None, None, local);
    }
    let words = |s: &Live| s.unit.limit_words(s.limit, s.window);
    let holding = || states.iter().filter(|s| s.holds());
    let at_limit = holding().max_by_key(|s| s.reset_after).map(|last| AtLimit {
        limit: words(last),
        next: holding().all(|s| s.reset_after > 0).then(|| local.ahead(local.now() + std::time::Duration::from_secs(last.reset_after))),
    });
    // Of several nobody can tell by now which one held a call.
    let only = match states {
        [one] => Some(words(one)),
        _ => None,
    };
    standing(listed, at_limit.as_ref(), only.as_deref(), local)
}

/// How many keys everybody has. Operators only.
pub async fn count_keys(ctx: &Ctx, caller: &Caller) -> Result<KeyCount, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    Ok(store::keys::count_keys(&ctx.db, None, ctx.clock.now()).await?)
}

/// How many keys each API has; one without keys is left out. Operators only.
pub async fn count_keys_by_api(ctx: &Ctx, caller: &Caller) -> Result<HashMap<ApiId, u64>, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    Ok(store::keys::count_keys_by_api(&ctx.db).await?.into_iter().collect())
}

/// What the form for a new key offers: of Tollgate's own API only what the caller may give (K03), of others what needs no grant, or has one.
async fn new_key_choices(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller) -> Result<NewKeyChoices, AppError> {
    let mut apis = store::apis::list_apis(&mut *conn).await?;
    for api in apis.iter_mut().filter(|api: &&mut Api| api.is_own()) {
        api.permissions.retain(|p| caller.may(&p.permission));
        api.bundles.retain(|bundle| bundle.gives.iter().all(|p| caller.may(p)));
    }
    let found = grants::withheld_of(conn, &apis, caller.workspace, None).await?;
    let mut withheld = Vec::with_capacity(found.len());
    for api in &mut apis {
        let of_api: Vec<Withheld> = found.iter().filter(|(of, _)| *of == api.id).map(|(_, it)| it.clone()).collect();
        api.permissions.retain(|p| !grants::is_withheld(&of_api, &p.permission));
        api.bundles.retain(|bundle| !bundle.gives.iter().any(|p| grants::is_withheld(&of_api, p)));
        withheld.extend(of_api.into_iter().map(|it| (api.slug.clone(), it)));
    }
    Ok(NewKeyChoices { limits: limits_of_new_keys(ctx, conn, caller.workspace, &apis).await?, apis, withheld })
}
