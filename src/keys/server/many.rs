//! One act on many keys: first a plan that changes nothing, then the same decisions for real.
//!
//! Each key goes through the operation that the single act uses, in a transaction with its line of history and its event. Up to
//! `CHUNK` keys share one transaction, so an act on so many happens whole or not at all; what goes on after a failure in a later chunk
//! is the same request, sent again: a key that changed already is left alone. What changed before the failure holds on every node when it
//! is told.

use super::{
    change, editing, forms, nodes, proof,
    reach::Reach,
    rules, states,
    store::{
        limits,
        listing::{self, Listed, Wanted},
    },
};
use crate::{
    accounts::{
        Caller,
        server::{
            policies::{self, KeyEnds},
            require_pin,
        },
    },
    error::AppError,
    keys::model::{Act, Key, KeyState, Many, ManyAct, ManyPlan, ManyPreview, ManyQuery, ManyRow, NamedKey, Selection, SkippedKeys},
    platform::{Ctx, LocalTime},
    ui::number::count,
    values::{KeyId, Slug, WorkspaceId, permission_names as may},
};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use time::OffsetDateTime;
use tokio::time::Instant;

/// Keys in one transaction.
const CHUNK: usize = 1_000;
/// Keys of one request that selects by filter.
const MOST: usize = 10_000;
/// Keys, and names in a group of skipped ones, that a page shows.
const SHOWN: usize = 50;
const NAMES: usize = 5;

/// What would happen.
pub async fn plan_many(ctx: &Ctx, caller: &Caller, many: &Many) -> Result<ManyPlan, AppError> {
    Ok(looked_at(ctx, caller, many).await?.0)
}

/// What would happen, and the keys that would change as the list knows them.
async fn looked_at(ctx: &Ctx, caller: &Caller, many: &Many) -> Result<(ManyPlan, Vec<Listed>), AppError> {
    let many = checked(ctx, caller, many).await?;
    let (mut listed, mut plan) = chosen(ctx, caller, &many).await?;
    let ends = ends(ctx, &many, listed.iter().map(|l| l.key.workspace).collect()).await?;
    listed.retain(|l| {
        let refused = refusal(&l.key, &many, &ends);
        sort_in(&mut plan, &l.key, refused);
        refused.is_none()
    });
    Ok((plan, listed))
}

/// Does it. Safe to send twice: what is so already is left as it is. Where a person `saw` how many keys would change, nothing happens
/// if by now it is more of them.
pub async fn change_many(ctx: &Ctx, caller: &Caller, many: &Many, saw: Option<u64>) -> Result<ManyPlan, AppError> {
    let many = checked(ctx, caller, many).await?;
    let (listed, mut plan) = chosen(ctx, caller, &many).await?;
    let keys: Vec<Key> = listed.into_iter().map(|l| l.key).collect();
    let ends = ends(ctx, &many, keys.iter().map(|key| key.workspace).collect()).await?;
    if matches!(many.act, ManyAct::Enable | ManyAct::Extend) {
        let widened: Vec<&Key> = keys.iter().filter(|key| refusal(key, &many, &ends).is_none()).collect();
        proof::to_widen_many(ctx, caller, &widened).await?;
    }
    if matches!(many.act, ManyAct::Disable | ManyAct::Revoke | ManyAct::Extend) && keys.iter().any(|key| key.workspace != caller.workspace) {
        require_pin(ctx, caller).await?;
    }
    let now = keys.iter().filter(|key| refusal(key, &many, &ends).is_none()).count() as u64;
    if let Some(saw) = saw.filter(|saw| now > *saw) {
        return Err(AppError::conflict(format!("{} would change now, and you saw {saw}. Look at them again.", count(now, "key", "keys"))));
    }
    let mut ids: Vec<KeyId> = keys.iter().map(|key| key.id).collect();
    // In one order, so that two requests at once wait for each other and don't deadlock.
    ids.sort();
    let (mut since, mut changed) = (Instant::now(), Vec::with_capacity(ids.len()));
    for chunk in ids.chunks(CHUNK) {
        match change_chunk(ctx, caller, chunk, (&many, &ends), &mut plan).await {
            Ok((committed, done)) => {
                since = committed;
                changed.extend(done);
            }
            Err(error) => {
                // The chunks before it are committed: they hold everywhere, too, when this is answered.
                if !changed.is_empty() {
                    let spread = nodes::spread(ctx, &changed, since).await;
                    tracing::warn!("an act on many keys failed after {}: {}", count(changed.len() as u64, "key", "keys"), spread.words("In force"));
                }
                return Err(error);
            }
        }
    }
    plan.spread = Some(nodes::spread(ctx, &changed, since).await);
    Ok(plan)
}

/// One transaction. Answers when its commit began, and the keys that changed.
async fn change_chunk(
    ctx: &Ctx,
    caller: &Caller,
    chunk: &[KeyId],
    (many, ends): (&Many, &KeyEnds),
    plan: &mut ManyPlan,
) -> Result<(Instant, Vec<KeyId>), AppError> {
    let (mut tx, found) = change::lock(ctx, Reach::of(caller).workspace(), chunk).await?;
    let mut done = Vec::with_capacity(chunk.len());
    for key in found {
        let refused = refusal(&key, many, ends);
        if refused.is_none() {
            change_one(ctx, &mut tx, caller, &key, many).await?;
            done.push(key.id);
        }
        sort_in(plan, &key, refused);
    }
    let since = Instant::now();
    tx.commit().await?;
    Ok((since, done))
}

/// What the page shows before the act.
///
/// None: nothing was chosen yet.
pub async fn preview_many(ctx: &Ctx, caller: &Caller, query: &ManyQuery) -> Result<Option<ManyPreview>, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    if query.act.is_empty() {
        return Ok(None);
    }
    let act = ManyAct::parse(&query.act).ok_or_else(|| AppError::invalid("act", "Choose what to do."))?;
    let is_complete = match act {
        ManyAct::Extend => query.until.is_some(),
        ManyAct::Tag | ManyAct::Untag | ManyAct::Plan => query.label.is_some(),
        ManyAct::Disable | ManyAct::Enable | ManyAct::Revoke => true,
    };
    let (plan, listed) = match is_complete {
        true => looked_at(ctx, caller, &forms::many(ctx, caller, query, "")?).await?,
        false => (ManyPlan::default(), Vec::new()),
    };
    let plans = match act {
        ManyAct::Plan => {
            caller.require(&may::KEYS_MANAGE)?;
            limits::list_plans(&ctx.db).await?
        }
        _ => Vec::new(),
    };
    let mut skipped: Vec<SkippedKeys> = Vec::new();
    for (key, why) in plan.skipped {
        let group = match skipped.iter().position(|group| group.why == why) {
            Some(known) => &mut skipped[known],
            None => {
                skipped.push(SkippedKeys { why, count: 0, names: Vec::new() });
                let last = skipped.len() - 1;
                &mut skipped[last]
            }
        };
        group.count += 1;
        if group.names.len() < NAMES {
            group.names.push(key.name);
        }
    }
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let (changes, calls) = (listed.len() as u64, listed.iter().map(|l| l.calls).sum());
    let leaked = listed.iter().filter(|l| l.is_leaked).count() as u64;
    let mut shown = listed;
    shown.truncate(SHOWN);
    let live = super::listing::held(ctx, &mut *ctx.db.acquire().await?, &shown).await?;
    let row = |listed: Listed| {
        let standing = super::listing::badge(&listed, live.get(&listed.key.id).map_or(&[][..], Vec::as_slice), &local);
        ManyRow { key: named(&listed.key), owner: listed.owner, standing, calls: listed.calls, is_leaked: listed.is_leaked }
    };
    Ok(Some(ManyPreview {
        act,
        is_complete,
        changes,
        calls,
        leaked,
        has_owners: query.filters.everywhere,
        changed: shown.into_iter().map(row).collect(),
        skipped,
        has_more: plan.has_more,
        zone: local.zone(),
        plans,
    }))
}

/// The wish with everything that its act needs, or what is wrong with it.
async fn checked(ctx: &Ctx, caller: &Caller, many: &Many) -> Result<Many, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    let mut many = many.clone();
    many.reason = change::reason(&many.reason)?;
    let needs = |field: &str, words: &str| AppError::invalid(field, words);
    match many.act {
        ManyAct::Extend => {
            let at = many.expires_at.ok_or_else(|| needs("expires_at", "Say until when the keys shall last."))?;
            many.expires_at = Some(rules::expiry(at, ctx.clock.now()).map_err(|words| needs("expires_at", words))?);
        }
        ManyAct::Tag | ManyAct::Untag => {
            let tag = rules::tags(many.tag.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty())).map_err(|words| needs("tag", &words))?;
            many.tag = Some(tag.into_iter().next().ok_or_else(|| needs("tag", "Say which tag."))?);
        }
        ManyAct::Plan => {
            caller.require(&may::KEYS_MANAGE)?;
            let plan = many.plan.as_ref().ok_or_else(|| needs("plan", "Say which plan, or that they have none of their own."))?;
            if let Some(slug) = plan
                && !limits::has_plan(&ctx.db, slug).await?
            {
                return Err(needs("plan", "There is no plan of this name."));
            }
        }
        ManyAct::Disable | ManyAct::Enable | ManyAct::Revoke => {}
    }
    if let Selection::These(ids) = &many.keys
        && !(1..=CHUNK).contains(&ids.len())
    {
        return Err(needs("ids", "Choose 1 to 1,000 keys."));
    }
    Ok(many)
}

/// The keys that are meant, and a plan that says which of them are not there.
async fn chosen(ctx: &Ctx, caller: &Caller, many: &Many) -> Result<(Vec<Listed>, ManyPlan), AppError> {
    let selection = &many.keys;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let mut plan = ManyPlan::default();
    let mut wanted = match selection {
        Selection::These(ids) => Wanted { workspace: Reach::of(caller).workspace(), ids: Some(ids), ..Wanted::default() },
        Selection::Matching(query) => super::listing::wanted(Reach::of_list(caller, query)?, query)?,
    };
    (wanted.from, wanted.most) = (None, i64::try_from(MOST + 1).unwrap_or(i64::MAX));
    let mut listed = listing::list_keys(&ctx.db, &wanted, local.now(), super::listing::lately(&local)).await?;
    if let Selection::These(ids) = selection {
        let found: HashSet<KeyId> = listed.iter().map(|l| l.key.id).collect();
        let missing = ids.iter().filter(|id| !found.contains(id));
        plan.skipped.extend(missing.map(|id| (NamedKey { id: *id, name: String::new(), start: String::new() }, "is not there".to_owned())));
    }
    plan.has_more = listed.len() > MOST;
    listed.truncate(MOST);
    // What they may by bundles counts where one must have what one gives.
    let ids: Vec<KeyId> = listed.iter().map(|l| l.key.id).collect();
    let mut conn = ctx.db.acquire().await?;
    let mut bundles = super::listing::bundles_by_key(&mut conn, &ids).await?;
    let mut plans = match many.act {
        ManyAct::Plan => super::listing::plans_by_key(&mut conn, &ids).await?,
        _ => HashMap::new(),
    };
    for key in listed.iter_mut().map(|l| &mut l.key) {
        key.plan = plans.remove(&key.id);
        bundles.remove(&key.id).into_iter().flatten().for_each(|(bundle, gives)| key.hold(bundle, gives));
    }
    Ok((listed, plan))
}

fn named(key: &Key) -> NamedKey {
    NamedKey { id: key.id, name: key.name.clone(), start: key.start.clone() }
}

fn sort_in(plan: &mut ManyPlan, key: &Key, refused: Option<&'static str>) {
    match refused {
        Some(why) => plan.skipped.push((named(key), why.to_owned())),
        None => plan.changed.push(named(key)),
    }
}

/// How long keys of these workspaces may live, where that is asked.
async fn ends(ctx: &Ctx, many: &Many, workspaces: HashSet<WorkspaceId>) -> Result<KeyEnds, AppError> {
    match many.act {
        ManyAct::Extend => policies::key_ends(ctx, workspaces).await,
        _ => Ok(KeyEnds::default()),
    }
}

/// Why this key stays as it is.
fn refusal(key: &Key, many: &Many, ends: &KeyEnds) -> Option<&'static str> {
    let lasts = |until: Option<OffsetDateTime>| match key.expires_at {
        None => Some("never expires"),
        Some(at) if Some(at) >= until => Some("lasts as long already"),
        Some(_) if ends.end(key.workspace, key.created_at, until).is_err() => Some("may not live that long, by a role or plan of its owner"),
        Some(_) => None,
    };
    let has_plan = many.plan.as_ref().is_some_and(|plan| plan.as_deref() == key.plan.as_ref().map(Slug::as_str));
    let has = many.tag.as_ref().is_some_and(|tag| key.tags.contains(tag));
    match (many.act, key.state) {
        (_, KeyState::Revoked) => Some("is revoked, and that is final"),
        (ManyAct::Disable, KeyState::Disabled) => Some("is disabled already"),
        (ManyAct::Enable, KeyState::Active) => Some("is enabled already"),
        (ManyAct::Extend, _) => lasts(many.expires_at),
        (ManyAct::Tag, _) if has => Some("has the tag already"),
        (ManyAct::Tag, _) if key.tags.len() >= rules::MAX_TAGS => Some("has ten tags, and that is the most"),
        (ManyAct::Untag, _) if !has => Some("does not have the tag"),
        (ManyAct::Plan, _) if has_plan => Some(if key.plan.is_some() { "has this plan already" } else { "has no plan of its own" }),
        (ManyAct::Disable | ManyAct::Enable | ManyAct::Revoke | ManyAct::Tag | ManyAct::Untag | ManyAct::Plan, _) => None,
    }
}

async fn change_one(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, many: &Many) -> Result<(), AppError> {
    let put = match many.act {
        ManyAct::Disable => (KeyState::Disabled, Act::Disabled),
        ManyAct::Enable => (KeyState::Active, Act::Enabled),
        ManyAct::Revoke => (KeyState::Revoked, Act::Revoked),
        ManyAct::Extend => return editing::set_expiry(ctx, conn, caller, key, many.expires_at, &many.reason).await,
        ManyAct::Plan => return editing::set_plan(ctx, conn, caller, key, many.plan.as_ref().and_then(Option::as_deref), &many.reason).await,
        ManyAct::Tag | ManyAct::Untag => {
            let mut tags: Vec<String> = key.tags.iter().filter(|tag| Some(*tag) != many.tag.as_ref()).cloned().collect();
            if many.act == ManyAct::Tag {
                tags.extend(many.tag.clone());
                tags.sort();
            }
            return editing::set_tags(ctx, conn, caller, key, &tags, &many.reason).await;
        }
    };
    states::put_in(ctx, conn, caller, key, put, &many.reason).await
}
