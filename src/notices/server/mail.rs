//! When the mails of notices are sent, and of what; what they say stands in `letters`.

use super::{
    letters::{Alert, AlertLine, KeysExpire, LimitsNearlyUsed},
    store::{alerts, expiry, limits, settings::find_reader},
    words,
};
use crate::{
    platform::{
        Ctx,
        jobs::JobError,
        mail::{self, Letter, Reader},
    },
    usage::server::ERRORS,
    values::{AccountId, AlertRuleId, KeyId, link},
};
use time::OffsetDateTime;

const SETTINGS: &str = "/settings/notifications";
/// Lines of keys in a mail on errors.
const MOST_LINES: i64 = 10;

/// Limits that are nearly used up.
pub async fn send_limits(ctx: &Ctx, account: AccountId, at: OffsetDateTime) -> Result<(), JobError> {
    let Some(reader) = reader(ctx, account).await? else { return Ok(()) };
    let notices = limits::list_of_mail(&ctx.db, account, at).await?;
    if notices.is_empty() {
        return Ok(());
    }
    let usage = match notices.iter().map(|n| n.key_id).collect::<Vec<_>>()[..] {
        [Some(key)] => ctx.config.link(&format!("/usage?key={}&range=24h", KeyId::new(key))),
        _ => ctx.config.link("/usage?range=24h"),
    };
    let has_ended = notices.iter().all(|notice| words::has_ended(notice, at));
    send(ctx, &reader, &LimitsNearlyUsed { notices, at, has_ended, usage, settings: ctx.config.link(SETTINGS) }).await
}

/// Keys that will expire.
pub async fn send_expiry(ctx: &Ctx, account: AccountId, at: OffsetDateTime) -> Result<(), JobError> {
    let Some(reader) = reader(ctx, account).await? else { return Ok(()) };
    let notices = expiry::list_of_mail(&ctx.db, account, at).await?;
    let link = match &notices[..] {
        // Revoked or moved meanwhile: there is nothing to tell.
        [] => return Ok(()),
        [one] => ctx.config.link(&format!("/keys/{}", KeyId::new(one.key_id))),
        _ => ctx.config.link("/keys?status=expiring"),
    };
    send(ctx, &reader, &KeysExpire { now: at, notices, link, settings: ctx.config.link(SETTINGS) }).await
}

/// A rule on errors that fired.
pub async fn send_alert(ctx: &Ctx, rule: AlertRuleId, at: OffsetDateTime) -> Result<(), JobError> {
    let Some(row) = alerts::find_rule(&ctx.db, rule).await? else { return Ok(()) };
    let Some(reader) = reader(ctx, AccountId::new(row.account_id)).await? else { return Ok(()) };
    let lines = alerts::list_keys_of_alert(&ctx.db, rule, &ERRORS, at, MOST_LINES).await?;
    let lines = lines.into_iter().map(|(key, code, calls)| AlertLine { key, code, calls: u64::try_from(calls).unwrap_or(0) }).collect();
    let key = row.key_id.map(|key| KeyId::new(key).to_string());
    let filters = [("key", key), ("api", row.api_slug), ("route", row.route.clone())];
    let errors = link("/usage/errors?range=24h", filters.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))));
    let letter = Alert {
        key: row.key_name,
        api: row.api_name,
        route: row.route,
        calls: u64::try_from(row.fired_calls.unwrap_or(0)).unwrap_or(0),
        more_than: row.more_than,
        percent: row.percent,
        codes: row.codes,
        minutes: row.minutes,
        quiet_minutes: row.quiet_minutes,
        at,
        lines,
        errors: ctx.config.link(&errors),
        settings: ctx.config.link(SETTINGS),
    };
    send(ctx, &reader, &letter).await
}

async fn reader(ctx: &Ctx, account: AccountId) -> Result<Option<Reader>, JobError> {
    let row = find_reader(&ctx.db, account).await?;
    row.map(|row| Reader::new(&row.email, &row.name, &row.language, &row.time_zone)).transpose()
}

async fn send(ctx: &Ctx, to: &Reader, letter: &dyn Letter) -> Result<(), JobError> {
    mail::send(ctx, &to.write(letter)).await
}
