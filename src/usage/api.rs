//! The server functions of usage.

use super::model::{ErrorReport, RefusalList, RefusalQuery, UsageQuery, UsageReport};
use crate::error::AppError;
use leptos::prelude::*;

/// Usage over time by outcome, key and route. Anybody signed in who has `usage:read`.
#[server]
pub async fn report_usage(query: UsageQuery) -> Result<UsageReport, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::report_usage(&ctx, &caller, query).await
}

/// What did not pass, by code, key and route. Anybody signed in who has `usage:read`.
#[server]
pub async fn report_errors(query: UsageQuery) -> Result<ErrorReport, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::report_errors(&ctx, &caller, query).await
}

/// Samples of refused calls. Anybody signed in who has `usage:read`.
#[server]
pub async fn list_refusals(query: RefusalQuery) -> Result<RefusalList, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_refusals(&ctx, &caller, query).await
}
