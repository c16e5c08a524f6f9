//! Bans and locks, for operators: views over the operations of the accounts feature.

use super::words::{local, moment};
use crate::{
    accounts::{
        Caller,
        server::{self as accounts, BanFacts, Ended, Term, Visitor},
    },
    admin::model::{BanList, BanRow, TypedTerm},
    error::AppError,
    keys::{model::Spread, server::nodes},
    platform::{Ctx, LocalTime},
    values::{AccountId, BanId, permission_names as may},
};
use time::{Duration, OffsetDateTime};

pub use crate::accounts::server::unlock_account;

/// What `/admin/bans` shows.
pub async fn list_bans(ctx: &Ctx, caller: &Caller, over: bool) -> Result<BanList, AppError> {
    let bans = accounts::list_bans(ctx, caller, over).await?;
    let local = local(ctx, caller);
    Ok(BanList { rows: bans.into_iter().map(|ban| row(ban, &local)).collect(), over, zone: local.zone() })
}

/// Bans an account. Answers when every live node refuses its keys.
pub async fn ban_account(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId, typed: &TypedTerm) -> Result<(Ended, Spread), AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let until = end(&local(ctx, caller), typed)?;
    let ended = accounts::ban_account(ctx, caller, from, id, Term { reason: &typed.reason, until }).await?;
    Ok((ended, nodes::spread_of_account(ctx, id).await))
}

/// Lets a banned account in again; its keys pass as before, on every live node.
pub async fn unban_account(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId) -> Result<Spread, AppError> {
    accounts::unban_account(ctx, caller, from, id).await?;
    Ok(nodes::spread_of_account(ctx, id).await)
}

/// Bans a mail domain or a network.
pub async fn add_ban(ctx: &Ctx, caller: &Caller, from: &Visitor, target: &str, typed: &TypedTerm) -> Result<String, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let until = end(&local(ctx, caller), typed)?;
    Ok(accounts::add_ban(ctx, caller, from, target, Term { reason: &typed.reason, until }).await?.what().to_owned())
}

/// Lifts a ban of whatever kind; says what was banned and, of an account, on which nodes its keys pass again.
pub async fn lift_ban(ctx: &Ctx, caller: &Caller, from: &Visitor, id: BanId) -> Result<(BanFacts, Option<Spread>), AppError> {
    let ban = accounts::lift_ban(ctx, caller, from, id).await?;
    let spread = match ban.account {
        Some(account) => Some(nodes::spread_of_account(ctx, account).await),
        None => None,
    };
    Ok((ban, spread))
}

/// When a ban ends that begins now. A day is over at its end, in the operator's time zone.
pub(super) fn end(local: &LocalTime, typed: &TypedTerm) -> Result<Option<OffsetDateTime>, AppError> {
    let now = local.now();
    let after = |time| Ok(Some(now + time));
    match typed.lasts.as_str() {
        "1h" => after(Duration::hours(1)),
        "1d" => after(Duration::days(1)),
        "7d" => after(Duration::days(7)),
        "30d" => after(Duration::days(30)),
        "365d" => after(Duration::days(365)),
        "always" => Ok(None),
        "date" => match local.start_of(typed.until.trim()) {
            // 26 hours after its midnight it is surely the next day, whatever the clocks did.
            Some(start) => Ok(local.start_of(&local.date(start + Duration::hours(26)))),
            None => Err(AppError::invalid("until", "Choose the last day of the ban.")),
        },
        _ => Err(AppError::invalid("lasts", "Choose how long the ban lasts.")),
    }
}

fn row(ban: BanFacts, local: &LocalTime) -> BanRow {
    BanRow {
        id: ban.id,
        what: ban.what().to_owned(),
        account: ban.account,
        at: moment(local, ban.at),
        until: ban.until.map(|until| moment(local, until)),
        lifted: ban.lifter.zip(ban.lifted_at).map(|(who, at)| (who, moment(local, at))),
        reason: ban.reason,
        by: ban.by,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_ban_until_a_day_holds_that_whole_day_where_the_operator_is() {
        let local = LocalTime::new("Europe/Berlin", datetime!(2026-10-20 12:00 UTC));
        let ends = |lasts: &str, until: &str| end(&local, &TypedTerm { lasts: lasts.to_owned(), until: until.to_owned(), ..TypedTerm::default() });
        assert_eq!(ends("date", "2026-10-25"), Ok(Some(datetime!(2026-10-25 23:00 UTC))), "the day with 25 hours");
        assert_eq!(ends("1h", "ignored"), Ok(Some(datetime!(2026-10-20 13:00 UTC))));
        assert_eq!(ends("always", ""), Ok(None));
        assert!(ends("date", "soon").is_err() && ends("", "").is_err());
    }
}
