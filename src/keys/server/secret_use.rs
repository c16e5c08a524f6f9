//! What still comes with which secret of a key, so that whoever rotates it knows when the old one may go.
//!
//! Calls are counted by secret while a key has several (`meter::by_secret`). Whether an old one is safe to drop is decided by its last use,
//! which is told to the minute and also of the time before.

use super::{
    detail::find_key,
    store::{self, calls::SecretUserRow, secrets::HeldSecret},
    words::said,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{MissedSecret, SecretCalls, SecretUseView, SecretUser, SecretView},
    platform::{Ctx, LocalTime},
    values::{Counts, KeyId, SecretId},
};
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// An old secret that nobody used for so long may go.
const QUIET: Duration = Duration::hours(3);
const QUARTER: Duration = Duration::minutes(15);
const HOURS: i64 = 24;
/// Addresses that a page shows of a secret, and those of one answer.
const SHOWN: i64 = 20;
const MOST: i64 = 100;

/// What came with one secret of a key.
#[derive(Debug, Clone)]
pub struct SecretReport {
    /// Since when its calls are counted; none: it is the only one, and they are the key's.
    pub since: Option<OffsetDateTime>,
    /// It has an end, and nobody used it for three hours.
    pub is_safe_to_drop: bool,
    pub last_used_at: Option<OffsetDateTime>,
    /// When each hour begins, and its calls, oldest first.
    pub hours: Vec<(OffsetDateTime, Counts)>,
    /// Since when it is known from where: later than `since` of one that was used from very many addresses.
    pub users_since: Option<OffsetDateTime>,
    /// The busiest first, all others at the end.
    pub users: Vec<SecretUserRow>,
}

/// What is counted of several secrets.
struct Rotation {
    /// When the newest was made.
    since: OffsetDateTime,
    /// When each of the last hours begins.
    edges: Vec<OffsetDateTime>,
    hours: HashMap<Uuid, Vec<Counts>>,
    users: HashMap<Uuid, Vec<SecretUserRow>>,
}

impl Rotation {
    /// Of the secrets that are accepted, the newest first; none if there is one.
    async fn of(ctx: &Ctx, held: &[HeldSecret], now: OffsetDateTime, most: i64) -> Result<Option<Self>, AppError> {
        let [newest, _, ..] = held else { return Ok(None) };
        let since = newest.created_at;
        let ids: Vec<Uuid> = held.iter().map(|secret| secret.id).collect();
        let edges: Vec<OffsetDateTime> = (1..=HOURS).rev().map(|hour| quarter(now) - Duration::hours(hour)).collect();
        let hours = store::calls::list_hours_of_secrets(&ctx.db, &ids, &edges).await?;
        let mut users = HashMap::<Uuid, Vec<SecretUserRow>>::new();
        for row in store::calls::list_users_of_secrets(&ctx.db, &ids, quarter(since), most).await? {
            users.entry(row.secret).or_default().push(row);
        }
        Ok(Some(Self { since, edges, hours, users }))
    }

    fn hours(&self, secret: Uuid) -> Vec<Counts> {
        self.hours.get(&secret).cloned().unwrap_or_else(|| vec![Counts::default(); self.edges.len()])
    }

    /// The call that came last with a secret, and from where if that address is told of by itself.
    fn latest(&self, secret: Uuid) -> Option<(OffsetDateTime, String)> {
        let row = self.users.get(&secret)?.iter().max_by_key(|row| row.last)?;
        let route = row.routes.first().filter(|_| row.all_routes == 1);
        Some((row.last, by(Some(row.address.as_str()), route.map(String::as_str))))
    }

    fn view(&mut self, secret: Uuid, local: &LocalTime) -> SecretCalls {
        let user = |row: SecretUserRow| SecretUser {
            calls: row.calls(),
            more_routes: u64::try_from(row.all_routes).unwrap_or(0).saturating_sub(row.routes.len() as u64),
            address: row.address,
            is_rest: row.is_rest,
            routes: row.routes,
            last: said(row.last, local.ago(row.last)),
        };
        let users = self.users.remove(&secret).unwrap_or_default();
        let users_since = users.first().map(|row| row.since).filter(|since| *since > quarter(self.since));
        SecretCalls {
            hours: self.hours(secret),
            users_since: users_since.map(|since| said(since, local.moment(since))),
            users: users.into_iter().map(user).collect(),
        }
    }
}

/// The quarter of an hour of a moment.
fn quarter(at: OffsetDateTime) -> OffsetDateTime {
    let whole = at.replace_nanosecond(0).unwrap_or(at);
    whole - Duration::seconds(whole.unix_timestamp().rem_euclid(QUARTER.whole_seconds()))
}

/// For how long an old secret was not used, counted from the rotation at most; none: not for long, or it is the newest.
fn quiet(secret: &HeldSecret, since: OffsetDateTime, now: OffsetDateTime) -> Option<Duration> {
    let last = secret.last_used_at.map_or(since, |at| at.max(since));
    secret.expires_at.map(|_| now - last).filter(|idle| *idle >= QUIET)
}

/// What came with a secret of a key that is accepted.
pub async fn secret_calls(ctx: &Ctx, caller: &Caller, id: KeyId, secret: SecretId) -> Result<SecretReport, AppError> {
    find_key(ctx, caller, id).await?;
    let now = ctx.clock.now();
    let held = store::secrets::list_secrets(&ctx.db, id, now).await?;
    let this = held.iter().find(|held| held.id == secret.uuid()).ok_or(AppError::NotFound)?;
    let last_used_at = this.last_used_at;
    let Some(mut rotation) = Rotation::of(ctx, &held, now, MOST).await? else {
        return Ok(SecretReport { since: None, is_safe_to_drop: false, last_used_at, hours: Vec::new(), users_since: None, users: Vec::new() });
    };
    let hours = rotation.hours(this.id);
    let users = rotation.users.remove(&this.id).unwrap_or_default();
    Ok(SecretReport {
        since: Some(rotation.since),
        is_safe_to_drop: quiet(this, rotation.since, now).is_some(),
        last_used_at,
        users_since: Some(users.first().map_or(rotation.since, |row| row.since.max(rotation.since))),
        users,
        hours: rotation.edges.into_iter().zip(hours).collect(),
    })
}

/// The secrets of a key as its page shows them.
pub(super) async fn secret_views(ctx: &Ctx, id: KeyId, local: &LocalTime) -> Result<Vec<SecretView>, AppError> {
    let held = store::secrets::list_secrets(&ctx.db, id, local.now()).await?;
    let mut rotation = Rotation::of(ctx, &held, local.now(), SHOWN).await?;
    let newest_since = held.first().map(|newest| newest.created_at);
    // The last use is told once a minute, calls by secret as they are written: the later of the two.
    let last_use = |row: &HeldSecret, latest: Option<(OffsetDateTime, String)>| {
        let told = || Some((row.last_used_at?, by(row.address.as_deref(), row.route.as_deref())));
        let (at, by) = latest.filter(|(at, _)| row.last_used_at.is_none_or(|used| *at >= used)).or_else(told)?;
        Some(SecretUseView { at: said(at, local.ago(at)), by })
    };
    let view = |(i, row): (usize, HeldSecret)| SecretView {
        id: row.id.into(),
        since: said(row.created_at, local.moment(row.created_at)),
        until: row.expires_at.map(|at| said(at, local.moment(at))),
        until_first_use: row.until_first_use,
        is_newest: i == 0,
        is_missed: row.last_used_at > newest_since,
        quiet: newest_since.and_then(|since| quiet(&row, since, local.now())).map(idle_words),
        last_use: last_use(&row, rotation.as_ref().and_then(|rotation| rotation.latest(row.id))),
        calls: rotation.as_mut().map(|rotation| rotation.view(row.id, local)),
        start: row.start,
    };
    Ok(held.into_iter().enumerate().map(view).collect())
}

/// The secrets of a key that have ended and are still sent, as its page shows them.
pub(super) async fn missed_secrets(ctx: &Ctx, id: KeyId, local: &LocalTime) -> Result<Vec<MissedSecret>, AppError> {
    let rows = store::secrets::list_missed(&ctx.db, id, local.now(), SHOWN).await?;
    let view = |row: HeldSecret| {
        let (ended, last) = (row.expires_at?, row.last_used_at?);
        let last_use = SecretUseView { at: said(last, local.ago(last)), by: by(row.address.as_deref(), row.route.as_deref()) };
        Some(MissedSecret { start: row.start, ended: said(ended, local.moment(ended)), last_use })
    };
    Ok(rows.into_iter().filter_map(view).collect())
}

/// "5 hours", "2 days".
fn idle_words(idle: Duration) -> String {
    match idle.whole_hours() {
        hours @ ..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

/// "203.0.113.7 (GET /orders)".
fn by(address: Option<&str>, route: Option<&str>) -> String {
    let said = |text: Option<&str>| text.filter(|t| !t.is_empty() && *t != "-").map(str::to_owned);
    match (said(address), said(route)) {
        (Some(address), Some(route)) => format!("{address} ({route})"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn held(ends: bool, last_used_at: Option<OffsetDateTime>) -> HeldSecret {
        let created_at = datetime!(2026-11-01 0:00 UTC);
        let expires_at = ends.then_some(datetime!(2026-12-01 0:00 UTC));
        HeldSecret { id: Uuid::nil(), start: String::new(), created_at, expires_at, until_first_use: false, last_used_at, address: None, route: None }
    }

    #[test]
    fn an_old_secret_is_quiet_after_three_hours_since_the_rotation_or_its_last_use() {
        let rotated = datetime!(2026-11-20 12:00 UTC);
        let at = |hours| rotated + Duration::hours(hours);
        assert_eq!(quiet(&held(true, None), rotated, at(2)), None, "nobody knows yet");
        assert_eq!(quiet(&held(true, None), rotated, at(3)), Some(Duration::hours(3)));
        assert_eq!(quiet(&held(true, Some(at(-9))), rotated, at(2)), None, "what was before says nothing of who changed over");
        assert_eq!(quiet(&held(true, Some(at(4))), rotated, at(6)), None);
        assert_eq!(quiet(&held(true, Some(at(4))), rotated, at(9)), Some(Duration::hours(5)));
        assert_eq!(quiet(&held(false, None), rotated, at(9)), None, "the newest stays");
    }

    #[test]
    fn a_time_without_calls_is_told_in_hours_then_days() {
        assert_eq!([3, 47, 48, 73].map(|hours| idle_words(Duration::hours(hours))), ["3 hours", "47 hours", "2 days", "3 days"]);
        assert_eq!(quarter(datetime!(2026-11-20 12:29:59.5 UTC)), datetime!(2026-11-20 12:15 UTC));
    }
}
