//! Adding, changing and removing rules on errors.

use super::{
    store::alerts::{self as store, NewRule},
    words,
};
use crate::{
    accounts::Caller,
    activity::server::{Change, record},
    error::{AppError, Fields},
    notices::model::{AlertRuleEdit, NewAlertRule},
    platform::{Ctx, once},
    values::{AlertRuleId, KeyId, Outcome, OutcomeGroup, Slug, permission_names as may},
};
use sqlx::PgConnection;

pub use super::store::alerts::RuleRow as Rule;

/// Rules of one workspace.
const MOST_RULES: i64 = 20;
/// A rule looks back at most so far: a day.
const LONGEST: i32 = 1_440;
/// The longest silence: a week.
const QUIETEST: i32 = 10_080;
/// The longest route, in bytes: none that is counted is longer.
const LONGEST_ROUTE: usize = 800;

/// A rule that was asked for.
#[derive(Debug)]
pub struct Added {
    pub rule: Rule,
    /// False: it was there already.
    pub is_new: bool,
}

/// The rules of the caller's workspace, oldest first.
pub async fn list_alert_rules(ctx: &Ctx, caller: &Caller) -> Result<Vec<Rule>, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    Ok(store::list_rules(&ctx.db, caller.workspace).await?)
}

/// One of them.
pub async fn find_alert_rule(ctx: &Ctx, caller: &Caller, id: AlertRuleId) -> Result<Rule, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    let found = store::find_rule(&ctx.db, id).await?;
    own(caller, found)
}

/// The rules of others are not there.
fn own(caller: &Caller, found: Option<Rule>) -> Result<Rule, AppError> {
    found.filter(|rule| rule.workspace_id == caller.workspace.uuid()).ok_or(AppError::NotFound)
}

/// Adds a rule; the same one twice is one.
pub async fn add_alert_rule(ctx: &Ctx, caller: &Caller, new: NewAlertRule) -> Result<Added, AppError> {
    caller.require(&may::USAGE_READ)?;
    caller.require(&may::ACCOUNT_WRITE)?;
    let mut tx = ctx.db.begin().await?;
    let rule = read(&mut tx, caller, ctx.new_id(), &new).await?;
    store::lock_rules(&mut tx, caller.workspace).await?;
    let (all, same) = store::count_rules(&mut tx, &rule).await?;
    if let Some(same) = same {
        let found = store::find_rule(&mut *tx, same).await?;
        return Ok(Added { rule: own(caller, found)?, is_new: false });
    }
    if all >= MOST_RULES {
        return Err(AppError::conflict(format!("A workspace can have at most {MOST_RULES} rules. Remove one first.")));
    }
    store::insert_rule(&mut tx, &rule, ctx.clock.now()).await?;
    let found = store::find_rule(&mut *tx, rule.id).await?;
    let added = own(caller, found)?;
    note(ctx, &mut tx, caller, "alert_rule.added", rule.id, &words::whole_rule(&added)).await?;
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    Ok(Added { rule: added, is_new: true })
}

/// Changes what is given of a rule; its silence goes on.
pub async fn change_alert_rule(ctx: &Ctx, caller: &Caller, id: AlertRuleId, edit: AlertRuleEdit) -> Result<Rule, AppError> {
    caller.require(&may::USAGE_READ)?;
    caller.require(&may::ACCOUNT_WRITE)?;
    let mut tx = ctx.db.begin().await?;
    store::lock_rules(&mut tx, caller.workspace).await?;
    let found = store::find_rule(&mut *tx, id).await?;
    let rule = read(&mut tx, caller, id, &edited(own(caller, found)?, edit)).await?;
    if store::count_rules(&mut tx, &rule).await?.1.is_some() {
        return Err(AppError::conflict("Another rule is identical. Change or remove that one."));
    }
    let is_changed = store::update_rule(&mut tx, &rule).await?;
    let found = store::find_rule(&mut *tx, id).await?;
    let changed = own(caller, found)?;
    if is_changed {
        note(ctx, &mut tx, caller, "alert_rule.changed", id, &words::whole_rule(&changed)).await?;
        tx.commit().await?;
    }
    Ok(changed)
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

/// The rule as it would be, whole.
fn edited(rule: Rule, edit: AlertRuleEdit) -> NewAlertRule {
    NewAlertRule {
        key: edit.key.unwrap_or_else(|| rule.key_id.map(|key| KeyId::new(key).to_string())),
        api: edit.api.unwrap_or(rule.api_slug),
        route: edit.route.unwrap_or(rule.route),
        codes: edit.codes.unwrap_or(rule.codes),
        more_than: edit.more_than.unwrap_or_else(|| rule.more_than.to_string()),
        percent: edit.percent.unwrap_or_else(|| rule.percent.map(|percent| percent.to_string())),
        minutes: edit.minutes.unwrap_or_else(|| rule.minutes.to_string()),
        quiet_minutes: edit.quiet_minutes.unwrap_or_else(|| rule.quiet_minutes.to_string()),
    }
}

/// Reads what was asked for; the key and the API that it names must be there.
async fn read(conn: &mut PgConnection, caller: &Caller, id: AlertRuleId, new: &NewAlertRule) -> Result<NewRule, AppError> {
    let mut fields = Fields::default();
    let key = new.key.as_ref().and_then(|text| fields.check("key", text.parse::<KeyId>()));
    let slug = new.api.as_ref().and_then(|text| fields.check("api", text.parse::<Slug>()));
    let route = new.route.as_ref().and_then(|text| fields.check("route", route(text)));
    let more_than = fields.check("more_than", number(&new.more_than, 0, 1_000_000_000, "Enter a whole number, such as 10."));
    let percent = new.percent.as_ref().and_then(|text| fields.check("percent", number(text, 1, 99, "Enter a whole number from 1 to 99, or leave it empty.")));
    let minutes = fields.check("minutes", number(&new.minutes, 1, i64::from(LONGEST), "Enter 1 to 1440 minutes."));
    let quiet = fields.check("quiet_minutes", number(&new.quiet_minutes, 1, i64::from(QUIETEST), "Enter 1 to 10080 minutes."));
    let codes = fields.check("codes", codes(&new.codes));
    let api = match slug {
        Some(slug) => fields.check("api", store::find_api(&mut *conn, slug.as_str()).await?.ok_or("There is no such API.")),
        None => None,
    };
    let of_key = match key {
        Some(key) => fields.check("key", store::find_api_of_key(&mut *conn, caller.workspace, key).await?.ok_or("There is no such key.")),
        None => None,
    };
    if api.zip(of_key).is_some_and(|(api, of_key)| api != of_key) {
        fields.add("api", "This key belongs to another API. Choose only one of the two.");
    }
    fields.done()?;
    let small = |n: Option<i64>| n.and_then(|n| i32::try_from(n).ok()).unwrap_or_default();
    Ok(NewRule {
        id,
        account: caller.account,
        workspace: caller.workspace,
        key,
        api,
        route,
        codes: codes.unwrap_or_default(),
        more_than: more_than.unwrap_or_default(),
        percent: percent.and_then(|n| i16::try_from(n).ok()),
        minutes: small(minutes),
        quiet_minutes: small(quiet),
    })
}

fn number(text: &str, least: i64, most: i64, words: &'static str) -> Result<i64, &'static str> {
    text.trim().parse::<i64>().ok().filter(|n| (least..=most).contains(n)).ok_or(words)
}

/// A route as usage counts it; one that was never called may be.
fn route(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let is_one = !text.is_empty() && text.len() <= LONGEST_ROUTE && !text.contains(char::is_control);
    is_one.then(|| text.to_owned()).ok_or("Enter a route as shown on Usage, such as GET /orders.")
}

/// Codes of calls that did not pass, each once, in the order of the catalogue.
fn codes(texts: &[String]) -> Result<Vec<String>, &'static str> {
    let wanted = texts.iter().map(|text| text.parse::<Outcome>().ok().filter(|code| code.group() != OutcomeGroup::Passed)).collect::<Option<Vec<_>>>();
    let mut wanted = wanted.ok_or("Choose codes from the list.")?;
    wanted.sort_unstable();
    wanted.dedup();
    Ok(wanted.into_iter().map(|code| code.to_string()).collect())
}
