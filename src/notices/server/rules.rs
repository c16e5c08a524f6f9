//! Adding and removing rules on errors.

use super::{
    store::alerts::{self as store, NewRule},
    words,
};
use crate::{
    accounts::Caller,
    activity::server::{Change, record},
    error::{AppError, Fields},
    notices::model::NewAlertRule,
    platform::Ctx,
    values::{AlertRuleId, KeyId, Outcome, OutcomeGroup, permission_names as may},
};
use sqlx::PgConnection;

/// Rules of one workspace.
const MOST_RULES: i64 = 20;
/// A rule looks back at most so far: a day.
const LONGEST: i32 = 1_440;
/// The longest silence: a week.
const QUIETEST: i32 = 10_080;

/// Adds a rule; the same one twice is one.
pub async fn add_alert_rule(ctx: &Ctx, caller: &Caller, new: NewAlertRule) -> Result<(), AppError> {
    caller.require(&may::USAGE_READ)?;
    caller.require(&may::ACCOUNT_WRITE)?;
    let rule = read(ctx, caller, new)?;
    let mut tx = ctx.db.begin().await?;
    if let Some(key) = rule.key
        && !store::find_key(&mut tx, caller.workspace, key).await?
    {
        return Err(AppError::invalid("key", "There is no such key."));
    }
    let (all, is_there) = store::count_rules(&mut tx, &rule).await?;
    if is_there {
        return Ok(());
    }
    if all >= MOST_RULES {
        return Err(AppError::conflict(format!("There are {MOST_RULES} rules, as many as a workspace may have. Remove one first.")));
    }
    store::insert_rule(&mut tx, &rule, ctx.clock.now()).await?;
    note(ctx, &mut tx, caller, "alert_rule.added", rule.id, &words::rule(rule.more_than, &rule.codes, rule.minutes)).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes a rule; one that is not there is removed already.
pub async fn remove_alert_rule(ctx: &Ctx, caller: &Caller, id: AlertRuleId) -> Result<(), AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let mut tx = ctx.db.begin().await?;
    if store::delete_rule(&mut tx, caller.workspace, id).await? {
        note(ctx, &mut tx, caller, "alert_rule.removed", id, "").await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn note(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, kind: &str, id: AlertRuleId, rule: &str) -> sqlx::Result<()> {
    let change = Change {
        kind,
        workspace: Some(caller.workspace),
        actor: caller.actor(),
        actor_name: &caller.name,
        subject: Some(id.uuid()),
        data: serde_json::json!({ "rule": rule }),
        ..Change::default()
    };
    record(ctx, conn, change).await.map(|_| ())
}

fn read(ctx: &Ctx, caller: &Caller, new: NewAlertRule) -> Result<NewRule, AppError> {
    let mut fields = Fields::default();
    let key = new.key.as_ref().and_then(|text| fields.check("key", text.parse::<KeyId>()));
    let more_than = fields.check("more_than", number(&new.more_than, 0, 1_000_000_000, "Write a whole number, such as 10."));
    let minutes = fields.check("minutes", number(&new.minutes, 1, i64::from(LONGEST), "Write minutes from 1 to 1440."));
    let quiet = fields.check("quiet_minutes", number(&new.quiet_minutes, 1, i64::from(QUIETEST), "Write minutes from 1 to 10080."));
    let codes = fields.check("codes", codes(&new.codes));
    fields.done()?;
    let small = |n: Option<i64>| n.and_then(|n| i32::try_from(n).ok()).unwrap_or_default();
    Ok(NewRule {
        id: ctx.new_id(),
        account: caller.account,
        workspace: caller.workspace,
        key,
        codes: codes.unwrap_or_default(),
        more_than: more_than.unwrap_or_default(),
        minutes: small(minutes),
        quiet_minutes: small(quiet),
    })
}

fn number(text: &str, least: i64, most: i64, words: &'static str) -> Result<i64, &'static str> {
    text.trim().parse::<i64>().ok().filter(|n| (least..=most).contains(n)).ok_or(words)
}

/// Codes of calls that did not pass, each once, in the order of the catalogue.
fn codes(texts: &[String]) -> Result<Vec<String>, &'static str> {
    let wanted = texts.iter().map(|text| text.parse::<Outcome>().ok().filter(|code| code.group() != OutcomeGroup::Passed)).collect::<Option<Vec<_>>>();
    let mut wanted = wanted.ok_or("Choose codes from the list.")?;
    wanted.sort_unstable();
    wanted.dedup();
    Ok(wanted.into_iter().map(|code| code.to_string()).collect())
}
