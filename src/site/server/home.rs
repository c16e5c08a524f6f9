//! The first page after signing in: keys that want a decision, and the last day.

use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{KeyList, KeyQuery, KeyRow, StandingKind},
        server::list_keys,
    },
    notices::server::present_limit_notices,
    platform::Ctx,
    site::model::{Home, KeyState},
    usage::{model::UsageQuery, server::report_usage},
};

/// Concerns that fit above everything else; the list of keys has the rest.
const MOST: usize = 5;
/// Rows of the busiest keys.
const BUSIEST: usize = 4;

/// What wants a decision in the caller's workspace, and its last 24 hours.
pub async fn read_home(ctx: &Ctx, caller: &Caller) -> Result<Home, AppError> {
    let last_day = UsageQuery { range: Some("24h".to_owned()), ..UsageQuery::default() };
    let (list, mut usage, mut notices) =
        tokio::try_join!(list_keys(ctx, caller, KeyQuery::default()), report_usage(ctx, caller, last_day), present_limit_notices(ctx, caller))?;
    usage.keys.truncate(BUSIEST);
    let busy = usage.keys.iter().filter_map(|k| list.rows.iter().find(|row| row.key.id == k.key)).map(state).collect();
    let keys = list.all;
    let mut rows = concerns(ctx, caller, list).await?;
    rows.sort_by_key(|row| urgency(row.standing.kind));
    rows.truncate(MOST);
    // What is held at its limit is said already.
    notices.retain(|notice| rows.iter().all(|row| Some(row.key.id) != notice.key));
    Ok(Home { keys, concerns: rows.iter().map(state).collect(), notices, usage, busy })
}

/// Of a short list those that want something; a long one is asked for them.
async fn concerns(ctx: &Ctx, caller: &Caller, list: KeyList) -> Result<Vec<KeyRow>, AppError> {
    if list.older.is_none() {
        return Ok(list.rows.into_iter().filter(|row| urgency(row.standing.kind).is_some()).collect());
    }
    let of = |status: &str| list_keys(ctx, caller, KeyQuery { status: Some(status.to_owned()), ..KeyQuery::default() });
    let (expired, expiring, refused, held) = tokio::try_join!(of("expired"), of("expiring"), of("refused"), of("held"))?;
    Ok([expired, expiring, refused, held].into_iter().flat_map(|list| list.rows).collect())
}

/// What comes first; none where nobody need look.
const fn urgency(kind: StandingKind) -> Option<u8> {
    match kind {
        StandingKind::Refused => Some(0),
        StandingKind::Expiring => Some(1),
        StandingKind::Held => Some(2),
        StandingKind::Expired => Some(3),
        _ => None,
    }
}

fn state(row: &KeyRow) -> KeyState {
    KeyState { key: row.key.id, name: row.key.name.clone(), standing: row.standing.clone() }
}
