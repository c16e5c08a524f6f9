//! What an account wants to be told, and the page that shows it.

use super::{store, words};
use crate::{
    accounts::Caller,
    activity::server::{Change, record},
    error::{AppError, Fields},
    keys::server::leaks::leak_choice,
    notices::model::{AlertRule, NoticeEdit, NoticePage, NoticeSettings, RuleOffer, ToldNotice},
    platform::{Ctx, LocalTime},
    usage::server::key_choices,
    values::{AlertRuleId, KeyId, permission_names as may},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Lines of what was told last.
const TOLD: i64 = 10;

/// What `/settings/notifications` shows; a new rule is offered for this key, if it is one of the workspace, API and route.
pub async fn notice_page(ctx: &Ctx, caller: &Caller, offer: RuleOffer) -> Result<NoticePage, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    let key = offer.key.as_ref().and_then(|text| text.parse::<KeyId>().ok());
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
        words: words::whole_rule(&row),
        quiet: format!("silent for {} after an email", words::lasting(row.quiet_minutes)),
        fired: row.fired_at.map(|at| local.moment(at)),
    };
    Ok(NoticePage {
        settings: settings.unwrap_or_default(),
        email: caller.email.clone(),
        told: told.into_iter().map(|row| said(row, &local)).collect(),
        rules: rules.into_iter().map(rule).collect(),
        disables_leaked,
        offer: RuleOffer { key: key.filter(|key| keys.iter().any(|k| k.id == *key)).map(|key| key.to_string()), ..offer },
        keys,
        has_more_keys,
    })
}

fn said(row: store::settings::ToldRow, local: &LocalTime) -> ToldNotice {
    let words = match (row.threshold, row.allowed, row.window_seconds, row.expires_at) {
        (Some(threshold), Some(allowed), Some(window), _) => {
            format!("{} {}", row.key_name, words::told(threshold, row.used.unwrap_or(allowed), allowed, row.unit(), row.window(window)))
        }
        (.., Some(at)) => format!("{} expires on {}", row.key_name, local.full_day(at)),
        _ if row.has_leaked => format!("{} has leaked", row.key_name),
        _ => row.key_name,
    };
    ToldNotice { key: row.key_id.map(KeyId::new), words, at: rfc3339(row.at), when: local.moment(row.at) }
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// What the caller wants to be told.
pub async fn read_settings(ctx: &Ctx, caller: &Caller) -> Result<NoticeSettings, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    Ok(store::settings::find_settings(&ctx.db, caller.account).await?.unwrap_or_default())
}

/// Saves what the caller wants to be told, as a form gives it whole; `seen` is the state that it showed.
pub async fn save_settings(ctx: &Ctx, caller: &Caller, limits: bool, thresholds: &str, expiry: bool, seen: Option<String>) -> Result<NoticeSettings, AppError> {
    edit_settings(ctx, caller, NoticeEdit { limits: Some(limits), thresholds: Some(thresholds.to_owned()), expiry: Some(expiry), seen }).await
}

/// Changes what the caller wants to be told. Thresholds are kept while notices of limits are off.
pub async fn edit_settings(ctx: &Ctx, caller: &Caller, edit: NoticeEdit) -> Result<NoticeSettings, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let mut fields = Fields::default();
    let thresholds = edit.thresholds.as_ref().and_then(|text| fields.check("thresholds", NoticeSettings::read_thresholds(text)));
    fields.done()?;
    let mut tx = ctx.db.begin().await?;
    store::settings::lock_settings(&mut tx, caller.account).await?;
    let present = store::settings::find_settings(&mut *tx, caller.account).await?.unwrap_or_default();
    let wanted = NoticeSettings {
        limits: edit.limits.unwrap_or(present.limits),
        thresholds: thresholds.unwrap_or_else(|| present.thresholds.clone()),
        expiry: edit.expiry.unwrap_or(present.expiry),
    };
    if present == wanted {
        return Ok(wanted);
    }
    AppError::unless_seen(edit.seen.as_deref(), &present.version(), "Your choice of emails")?;
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
