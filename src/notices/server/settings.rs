//! What an account wants to be told, and the page that shows it.

use super::{store, words};
use crate::{
    accounts::Caller,
    activity::server::{Change, record},
    error::{AppError, Fields},
    keys::server::leaks::leak_choice,
    notices::model::{AlertRule, NoticePage, NoticeSettings, ToldNotice},
    platform::{Ctx, LocalTime},
    usage::server::key_choices,
    values::{AlertRuleId, KeyId, permission_names as may},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Lines of what was told last.
const TOLD: i64 = 10;

/// What `/settings/notifications` shows; a new rule is offered for this key, if it is one of the workspace.
pub async fn notice_page(ctx: &Ctx, caller: &Caller, key: Option<&str>) -> Result<NoticePage, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    let key = key.and_then(|text| text.parse::<KeyId>().ok());
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let disables_leaked = leak_choice(ctx, caller).await?;
    let (settings, told, rules, (keys, has_more_keys)) = tokio::try_join!(
        store::settings::find_settings(&ctx.db, caller.account),
        store::settings::list_told(&ctx.db, caller.account, TOLD),
        store::alerts::list_rules(&ctx.db, caller.workspace),
        key_choices(ctx, caller, key),
    )?;
    let rule = |row: store::alerts::RuleRow| AlertRule {
        id: AlertRuleId::new(row.id),
        key: row.key_id.map(KeyId::new),
        words: match row.key_name {
            Some(name) => format!("{}, {name}", words::rule(row.more_than, &row.codes, row.minutes)),
            None => words::rule(row.more_than, &row.codes, row.minutes),
        },
        quiet: format!("silent for {} after a mail", words::lasting(row.quiet_minutes)),
        fired: row.fired_at.map(|at| local.moment(at)),
    };
    Ok(NoticePage {
        settings: settings.unwrap_or_default(),
        email: caller.email.clone(),
        told: told.into_iter().map(|row| said(row, &local)).collect(),
        rules: rules.into_iter().map(rule).collect(),
        disables_leaked,
        key: key.filter(|key| keys.iter().any(|k| k.id == *key)),
        keys,
        has_more_keys,
    })
}

fn said(row: store::settings::ToldRow, local: &LocalTime) -> ToldNotice {
    let words = match (row.threshold, row.allowed, row.window_seconds, row.expires_at) {
        (Some(threshold), Some(allowed), Some(window), _) => {
            format!("{} {}", row.key_name, words::used(threshold, allowed, row.window(window)))
        }
        (.., Some(at)) => format!("{} expires on {}", row.key_name, local.full_day(at)),
        _ => row.key_name,
    };
    ToldNotice { key: row.key_id.map(KeyId::new), words, at: rfc3339(row.at), when: local.moment(row.at) }
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// Saves what the caller wants to be told. Thresholds are kept while notices of limits are off.
pub async fn save_settings(ctx: &Ctx, caller: &Caller, limits: bool, thresholds: &str, expiry: bool) -> Result<NoticeSettings, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let mut fields = Fields::default();
    let thresholds = fields.check("thresholds", NoticeSettings::read_thresholds(thresholds)).unwrap_or_default();
    fields.done()?;
    let wanted = NoticeSettings { limits, thresholds, expiry };
    let mut tx = ctx.db.begin().await?;
    if store::settings::find_settings(&mut *tx, caller.account).await?.unwrap_or_default() == wanted {
        return Ok(wanted);
    }
    store::settings::upsert_settings(&mut tx, caller.account, &wanted, ctx.clock.now()).await?;
    let change = Change {
        kind: "account.notices_changed",
        workspace: Some(caller.workspace),
        actor: caller.actor(),
        actor_name: &caller.name,
        subject: Some(caller.account.uuid()),
        data: serde_json::json!({ "limits": wanted.limits, "thresholds": wanted.thresholds, "expiry": wanted.expiry }),
        ..Change::default()
    };
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    Ok(wanted)
}
