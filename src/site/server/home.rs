//! The first page after signing in: keys that want a decision, and the last day.

use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Key, Standing, StandingKind},
        server::{list_standings, workspace_state},
    },
    notices::server::present_limit_notices,
    platform::{Ctx, LocalTime},
    site::model::{Home, KeyState},
    usage::server::report_day,
};

/// Concerns that fit above everything else; the list of keys has the rest.
const MOST: usize = 5;
/// Rows of the busiest keys.
const BUSIEST: usize = 4;
/// Of the newest keys so many are looked at one by one.
const NEWEST: usize = 50;
/// What wants a decision, and what comes first.
const URGENT: [StandingKind; 4] = [StandingKind::Refused, StandingKind::Expiring, StandingKind::Held, StandingKind::Expired];

/// What wants a decision in the caller's workspace, and its last 24 hours.
pub async fn read_home(ctx: &Ctx, caller: &Caller) -> Result<Home, AppError> {
    let newest = list_standings(ctx, caller, &[], NEWEST);
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let state = workspace_state(ctx, &ctx.db, caller.workspace, &local);
    let ((newest, keys), mut usage, mut notices, held) = tokio::try_join!(newest, report_day(ctx, caller), present_limit_notices(ctx, caller), state)?;
    usage.keys.truncate(BUSIEST);
    let busy = usage.keys.iter().filter_map(|k| newest.iter().find(|(key, _)| key.id == k.key)).map(concern).collect();
    // Of a short list those that want something; a long one is asked for them.
    let mut rows = match newest.len() as u64 == keys {
        true => newest,
        false => list_standings(ctx, caller, &URGENT, MOST).await?.0,
    };
    rows.retain(|(_, standing)| urgency(standing.kind).is_some());
    rows.sort_by_key(|(_, standing)| urgency(standing.kind));
    rows.truncate(MOST);
    // What is held at its limit is said already.
    notices.retain(|notice| rows.iter().all(|(key, _)| Some(key.id) != notice.key));
    Ok(Home { keys, state: held, concerns: rows.iter().map(concern).collect(), notices, usage, busy })
}

/// What comes first; none where nobody need look.
fn urgency(kind: StandingKind) -> Option<usize> {
    URGENT.iter().position(|urgent| *urgent == kind)
}

fn concern((key, standing): &(Key, Standing)) -> KeyState {
    KeyState { key: key.id, name: key.name.clone(), standing: standing.clone() }
}
