//! The mails of notices. Each says what will stop and when, in the reader's time zone, what to do, and where to switch it off.

use super::{
    store::{
        alerts,
        expiry::{self, ExpiryNotice},
        limits::{self, LimitNotice},
        settings::{Reader, find_reader},
        shared,
    },
    words,
};
use crate::{
    accounts::server::in_full,
    platform::{
        Ctx,
        jobs::JobError,
        mail::{self, Mail},
    },
    ui::number::{count, thousands},
    usage::server::ERRORS,
    values::{AccountId, AlertRuleId, Email, KeyId},
};
use time::OffsetDateTime;

const SETTINGS: &str = "/settings/notifications";
/// Lines of keys in a mail on errors.
const MOST_LINES: i64 = 10;

/// Limits that are nearly used up.
pub async fn send_limits(ctx: &Ctx, account: AccountId, at: OffsetDateTime) -> Result<(), JobError> {
    let Some(reader) = find_reader(&ctx.db, account).await? else { return Ok(()) };
    let mut notices = shared::list_shared_of_mail(&ctx.db, account, at).await?;
    notices.extend(limits::list_of_mail(&ctx.db, account, at).await?);
    let Some(first) = notices.first() else { return Ok(()) };
    let is_over = |n: &LimitNotice| n.threshold >= 100;
    let subject = match &notices[..] {
        [one] => words::said(one),
        all if all.iter().all(is_over) => format!("{} limits are used up", all.len()),
        all => format!("{} limits are nearly used up", all.len()),
    };
    let code = codes(&notices);
    let lead = match &notices[..] {
        [one] if is_over(one) && one.key_id.is_none() => format!("Calls of every key that shares this limit are answered {code} until it resets."),
        [one] if is_over(one) => format!("Calls of this key are answered {code} until the limit resets."),
        [_] => format!("When a limit is used up, calls are answered {code} until it resets."),
        all if all.iter().any(|n| n.key_id.is_none()) => {
            format!(
                "{} limits are at or near their end, also what all your keys share. Where one is used up, calls are answered {code} until it resets.",
                all.len()
            )
        }
        all => format!("{} of your keys are at or near a limit. Where it is used up, calls are answered {code} until it resets.", keys(all)),
    };
    let fact = |n: &LimitNotice| {
        let resets = in_full(words::end(n.window_start, n.window()), &reader.time_zone);
        let (used, allowed) = (u64::try_from(n.used).unwrap_or(0), u64::try_from(n.allowed).unwrap_or(0));
        (n.key_name.clone(), format!("{} of {} used, resets {resets}", thousands(used), count(allowed, "call", "calls")))
    };
    let usage = match notices.iter().map(|n| n.key_id).collect::<Vec<_>>()[..] {
        [Some(key)] => ctx.config.link(&format!("/usage?key={}&range=24h", KeyId::new(key))),
        _ => ctx.config.link("/usage?range=24h"),
    };
    let advice = if is_over(first) {
        "If the program is right to call this often, ask for a higher limit."
    } else {
        "If this is more than you expect, see which routes are called."
    };
    let letter = to(&reader, subject)?
        .text(lead)
        .facts(notices.iter().map(fact))
        .link("See usage", usage)
        .text(advice)
        .text(switch_off(ctx))
        .because("a limit of your keys reached a mark that you set");
    mail::send(ctx, &letter).await
}

/// What calls beyond these limits are answered.
fn codes(notices: &[LimitNotice]) -> &'static str {
    let quotas = notices.iter().filter(|n| n.window().is_quota()).count();
    match quotas {
        0 => "RATE_LIMITED",
        n if n == notices.len() => "QUOTA_EXCEEDED",
        _ => "RATE_LIMITED or QUOTA_EXCEEDED",
    }
}

/// How many keys these notices are of.
fn keys(notices: &[LimitNotice]) -> u64 {
    let mut ids: Vec<_> = notices.iter().map(|n| n.key_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len() as u64
}

/// Keys that will expire.
pub async fn send_expiry(ctx: &Ctx, account: AccountId, at: OffsetDateTime) -> Result<(), JobError> {
    let Some(reader) = find_reader(&ctx.db, account).await? else { return Ok(()) };
    let notices = expiry::list_of_mail(&ctx.db, account, at).await?;
    // Revoked or moved meanwhile: there is nothing to tell.
    let Some(first) = notices.first() else { return Ok(()) };
    let (subject, lead, link) = match &notices[..] {
        [one] => (
            format!("{} expires {}", one.key_name, words::in_days(one.expires_at - at)),
            "From then on every call with this key is answered EXPIRED.".to_owned(),
            ("Open the key", ctx.config.link(&format!("/keys/{}", KeyId::new(one.key_id)))),
        ),
        all => (
            format!("{} keys expire soon, the first {}", all.len(), words::in_days(first.expires_at - at)),
            "From then on every call with them is answered EXPIRED.".to_owned(),
            ("See the keys", ctx.config.link("/keys?status=expiring")),
        ),
    };
    let fact = |n: &ExpiryNotice| {
        let used = n.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {}", in_full(at, &reader.time_zone)));
        (n.key_name.clone(), format!("expires {}, {used}", in_full(n.expires_at, &reader.time_zone)))
    };
    let letter = to(&reader, subject)?
        .text(lead)
        .facts(notices.iter().map(fact))
        .link(link.0, link.1)
        .text("To go on with the same secret, set a later day there. If nothing needs the key any more, do nothing.")
        .text(switch_off(ctx))
        .because("a key of yours will expire");
    mail::send(ctx, &letter).await
}

/// A rule on errors that fired.
pub async fn send_alert(ctx: &Ctx, rule: AlertRuleId, at: OffsetDateTime) -> Result<(), JobError> {
    let Some(row) = alerts::find_rule(&ctx.db, rule).await? else { return Ok(()) };
    let Some(reader) = find_reader(&ctx.db, AccountId::new(row.account_id)).await? else { return Ok(()) };
    let calls = u64::try_from(row.fired_calls.unwrap_or(0)).unwrap_or(0);
    let of = row.key_name.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let lines = alerts::list_keys_of_alert(&ctx.db, rule, &ERRORS, at, MOST_LINES).await?;
    let facts = lines.into_iter().map(|(name, code, calls)| (name, format!("{}, {code}", count(u64::try_from(calls).unwrap_or(0), "call", "calls"))));
    let mut errors = "/usage/errors?range=24h".to_owned();
    if let Some(key) = row.key_id {
        errors.push_str(&format!("&key={}", KeyId::new(key)));
    }
    let letter = to(&reader, format!("{}{of} did not pass in {}", count(calls, "call", "calls"), words::lasting(row.minutes)))?
        .text(format!("Your rule: {}{of}. Counted until {}.", words::rule(row.more_than, &row.codes, row.minutes), in_full(at, &reader.time_zone)))
        .facts(facts)
        .link("See the errors", ctx.config.link(&errors))
        .text(format!("The rule is silent for {} now. Change or remove it at {}.", words::lasting(row.quiet_minutes), ctx.config.link(SETTINGS)))
        .because("you set a rule on errors");
    mail::send(ctx, &letter).await
}

fn switch_off(ctx: &Ctx) -> String {
    format!("Which of these mails you get is set at {}.", ctx.config.link(SETTINGS))
}

fn to(reader: &Reader, subject: String) -> Result<Mail, JobError> {
    let email: Email = reader.email.parse().map_err(|e| JobError::Fail(format!("this address can't be written to: {e}")))?;
    Ok(Mail::new(email, subject).name(&reader.name))
}
