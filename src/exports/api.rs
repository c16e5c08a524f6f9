//! The server functions of exports.

use super::model::{ExportPage, ExportQuery};
use crate::{error::AppError, values::ExportId};
use leptos::prelude::*;

/// What `/exports` shows: the caller's files, and one that could be prepared. Anybody signed in.
#[server]
pub async fn read_exports(query: ExportQuery) -> Result<ExportPage, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::export_page(&ctx, &caller, query).await
}

/// Has a file prepared; `filters` is a query. Whoever may see what it holds.
#[server]
pub async fn create_export(of: String, format: String, #[server(default)] filters: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::create_export(&ctx, &caller, server::Wanted::of_form(&of, &format, &filters)?).await?;
    reply::toast(&ctx, "The file is being prepared. It stays here for a day.");
    reply::redirect("/exports");
    Ok(())
}

/// Cancels or deletes a file of the caller.
#[server]
pub async fn delete_export(id: ExportId) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::delete_export(&ctx, &caller, id).await?;
    reply::toast(&ctx, "The file is gone.");
    reply::redirect("/exports");
    Ok(())
}
