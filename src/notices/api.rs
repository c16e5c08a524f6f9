//! The server functions of notices.

use super::model::NoticePage;
use crate::{error::AppError, values::AlertRuleId};
use leptos::prelude::*;

/// What `/settings/notifications` shows; a new rule is offered for this key, if one is given.
#[server]
pub async fn my_notices(key: Option<String>) -> Result<NoticePage, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::notice_page(&ctx, &caller, key.as_deref()).await
}

/// Saves what the caller wants to be told.
#[server]
pub async fn save_notices(#[server(default)] limits: bool, #[server(default)] thresholds: String, #[server(default)] expiry: bool) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::save_settings(&ctx, &caller, limits, &thresholds, expiry).await?;
    reply::toast(&ctx, "Saved.");
    Ok(())
}

/// Adds a rule that watches errors.
#[server]
pub async fn add_alert_rule(
    #[server(default)] key: String,
    #[server(default)] codes: Vec<String>,
    #[server(default)] more_than: String,
    #[server(default)] minutes: String,
    #[server(default)] quiet_minutes: String,
) -> Result<(), AppError> {
    use super::{model::NewAlertRule, server};
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let key = Some(key).filter(|key| !key.is_empty());
    server::add_alert_rule(&ctx, &caller, NewAlertRule { key, codes, more_than, minutes, quiet_minutes }).await?;
    reply::toast(&ctx, "The rule is watched from now on.");
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
