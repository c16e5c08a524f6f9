//! Server functions of accounts that another system knew: a list is looked at first, then imported.

use crate::{accounts::model::AccountImport, error::AppError, values::ImportId};
use leptos::prelude::*;

/// Keeps a list of accounts, pasted or from a file, and goes to the page that says what would become of each line.
#[server]
pub async fn check_account_import(#[server(default)] list: String, #[server(default)] file: String) -> Result<(), AppError> {
    use crate::{accounts::server, platform::http::reply};
    let (ctx, caller) = server::caller().await?;
    let id = server::keep_account_list(&ctx, &caller, &list, &file).await?;
    reply::redirect(&format!("/admin/accounts/import?list={id}"));
    Ok(())
}

/// What `/admin/accounts/import` shows: the list that waits, if one is named.
#[server]
pub async fn read_account_import(list: Option<String>) -> Result<Option<AccountImport>, AppError> {
    use crate::accounts::server;
    let (ctx, caller) = server::caller().await?;
    server::preview_account_list(&ctx, &caller, list.as_deref()).await
}

/// Imports the list that was looked at.
#[server]
pub async fn run_account_import(list: ImportId) -> Result<(), AppError> {
    use crate::{
        accounts::{model::ImportedAs, server},
        platform::http::reply,
        ui::number::count,
    };
    let (ctx, caller) = server::caller().await?;
    let words = match server::run_account_list(&ctx, &caller, list).await? {
        Some(lines) => {
            let of = |outcome: ImportedAs| lines.iter().filter(|line| line.outcome == outcome).count() as u64;
            let (imported, later) = (count(of(ImportedAs::Created), "account is", "accounts are"), of(ImportedAs::Later));
            if later > 0 {
                reply::toast(&ctx, &format!("{imported} imported, {}. Press again to continue.", count(later, "line is left", "lines are left")));
                reply::redirect(&format!("/admin/accounts/import?list={list}"));
                return Ok(());
            }
            format!("{imported} imported. Nobody was mailed.")
        }
        None => "This list is gone: it was imported already, or is older than a day.".to_owned(),
    };
    reply::toast(&ctx, &words);
    reply::redirect("/admin/accounts");
    Ok(())
}
