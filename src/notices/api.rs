//! The server functions of notices.

use super::model::{NoticePage, RuleOffer};
use crate::{error::AppError, values::AlertRuleId};
use leptos::prelude::*;

/// What `/settings/notifications` shows; a new rule is offered for this key, API and route, if they are given.
#[server]
pub async fn my_notices(#[server(default)] offer: RuleOffer) -> Result<NoticePage, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::notice_page(&ctx, &caller, offer).await
}

/// Saves what the caller wants to be told.
#[server]
pub async fn save_notices(
    #[server(default)] limits: bool,
    #[server(default)] thresholds: String,
    #[server(default)] expiry: bool,
    version: Option<String>,
) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::save_settings(&ctx, &caller, limits, &thresholds, expiry, version).await?;
    reply::toast(&ctx, "Saved.");
    Ok(())
}

/// Adds a rule that watches errors.
#[server]
pub async fn add_alert_rule(
    #[server(default)] key: String,
    #[server(default)] api: String,
    #[server(default)] route: String,
    #[server(default)] codes: Vec<String>,
    #[server(default)] more_than: String,
    #[server(default)] percent: String,
    #[server(default)] minutes: String,
    #[server(default)] quiet_minutes: String,
) -> Result<(), AppError> {
    use super::{model::NewAlertRule, server};
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    // An empty field is none, as forms send it.
    let given = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let rule = NewAlertRule { key: given(key), api: given(api), route: given(route), codes, more_than, percent: given(percent), minutes, quiet_minutes };
    server::add_alert_rule(&ctx, &caller, rule).await?;
    reply::toast(&ctx, "The rule is now active.");
    Ok(())
}

/// Removes a rule.
#[server]
pub async fn remove_alert_rule(id: AlertRuleId) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::remove_alert_rule(&ctx, &caller, id).await?;
    reply::toast(&ctx, "The rule is removed.");
    Ok(())
}
