//! The rules that watch for abuse, and the networks that no block holds.

use super::{rules, store};
use crate::{
    accounts::{
        Caller,
        server::{must_be_open, require_pin},
    },
    activity::server::{Change, record},
    blocks::model::{RuleChange, RuleSetting, exempt_version},
    error::{AppError, Fields},
    keys::{
        model::Spread,
        server::{actor, nodes::spread_of_blocks},
    },
    platform::Ctx,
    values::{AbuseRule, Area, permission_names as may},
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::time::Instant;

/// Every rule as it is set, and the networks that no block holds.
pub async fn rule_settings(ctx: &Ctx, caller: &Caller) -> Result<(Vec<RuleSetting>, Vec<String>), AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    let mut conn = ctx.db.acquire().await?;
    let exempt = store::list_exempt(&mut conn).await?;
    Ok((store::list_rules(&mut conn).await?, exempt.iter().map(ToString::to_string).collect()))
}

/// One rule as it is set.
pub async fn find_rule(ctx: &Ctx, caller: &Caller, rule: AbuseRule) -> Result<RuleSetting, AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    store::find_rule(&mut *ctx.db.acquire().await?, rule).await?.ok_or(AppError::NotFound)
}

/// Sets a rule whole, unless it is in another state than the one `seen` (`RuleSetting::version`).
pub async fn set_rule(ctx: &Ctx, caller: &Caller, wanted: RuleSetting, seen: Option<&str>) -> Result<Spread, AppError> {
    let RuleSetting { rule, is_on, most, minutes, then, seconds, mails } = wanted;
    let change = RuleChange { is_on: Some(is_on), most: Some(most), minutes: Some(minutes), then: Some(then), seconds: Some(seconds), mails: Some(mails) };
    Ok(change_seen(ctx, caller, rule, change, seen).await?.1)
}

/// Changes a rule. It counts from the present window on. A rule blocks whoever it meets: it asks the admin PIN, if there is one.
pub async fn change_rule(ctx: &Ctx, caller: &Caller, rule: AbuseRule, change: RuleChange) -> Result<(RuleSetting, Spread), AppError> {
    change_seen(ctx, caller, rule, change, None).await
}

async fn change_seen(ctx: &Ctx, caller: &Caller, rule: AbuseRule, change: RuleChange, seen: Option<&str>) -> Result<(RuleSetting, Spread), AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    must_be_open(ctx, caller, Area::Rules)?;
    let mut tx = ctx.db.begin().await?;
    let before = store::lock_rule(&mut tx, rule).await?.ok_or(AppError::NotFound)?;
    let wanted = checked(change.of(before))?;
    if before != wanted {
        AppError::unless_seen(seen, &before.version(), "This rule")?;
        require_pin(ctx, caller).await?;
    }
    let since = Instant::now();
    if before != wanted {
        store::update_rule(&mut tx, &wanted).await?;
        note(ctx, &mut tx, caller, "block.rule_changed", json!({ "name": rule.title(), "from": before, "to": wanted })).await?;
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }
    Ok((wanted, spread_of_blocks(ctx, since).await))
}

fn checked(wanted: RuleSetting) -> Result<RuleSetting, AppError> {
    let mut fields = Fields::default();
    let highest = wanted.rule.highest();
    if !(1..=highest).contains(&wanted.most) {
        fields.add("most", format!("Enter a whole number from 1 to {}.", crate::ui::number::thousands(highest.into())));
    }
    if !(1..=60).contains(&wanted.minutes) {
        fields.add("minutes", "Enter a whole number from 1 to 60.");
    }
    if !(60..=366 * 86_400).contains(&wanted.seconds) {
        fields.add("seconds", "A rule blocks for a minute to 366 days: 10m, 24h, 7d.");
    }
    fields.check("per_second", rules::action(wanted.then.unwrap_or_default()));
    fields.done().map(|()| wanted)
}

/// The networks that no block holds become these, unless they are others than those `seen` (`exempt_version`). Blocks of them stay in the
/// list, and refuse nothing.
pub async fn set_exemptions(ctx: &Ctx, caller: &Caller, typed: &str, seen: Option<&str>) -> Result<Spread, AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    must_be_open(ctx, caller, Area::Rules)?;
    let wanted = rules::networks(typed.lines()).map_err(|words| AppError::invalid("networks", words))?;
    let mut tx = ctx.db.begin().await?;
    // Of two saves at once the second sees what the first has stored.
    let before = store::lock_exempt(&mut tx).await?;
    let since = Instant::now();
    if before != wanted {
        let words = |networks: &[ipnet::IpNet]| networks.iter().map(ToString::to_string).collect::<Vec<_>>();
        AppError::unless_seen(seen, &exempt_version(&words(&before)), "This list")?;
        store::replace_exempt(&mut tx, &wanted).await?;
        note(ctx, &mut tx, caller, "block.exempted", json!({ "from": words(&before), "to": words(&wanted) })).await?;
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }
    Ok(spread_of_blocks(ctx, since).await)
}

async fn note(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, kind: &str, data: Value) -> Result<(), AppError> {
    let (actor, actor_name) = actor(caller);
    record(ctx, conn, Change { kind, actor, actor_name, data, ..Change::default() }).await?;
    Ok(())
}
