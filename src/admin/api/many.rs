//! One act on many keys or accounts: looked at first, then done.

use crate::{
    admin::model::{ManyAccountsPreview, ManyAccountsQuery, TypedTerm},
    error::AppError,
    keys::model::{ManyPreview, ManyQuery, TypedMany},
};
use leptos::prelude::*;

/// What `/admin/keys/many` shows; none if nothing was chosen yet.
#[server]
pub async fn preview_many_keys(#[server(default)] query: ManyQuery) -> Result<Option<ManyPreview>, AppError> {
    use crate::admin::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::preview_many_keys(&ctx, &caller, query).await
}

/// Does one act on many keys of everybody; `seen` is how many the operator was told would change.
#[server]
pub async fn change_many_keys(#[server(default)] keys: Vec<String>, seen: u64, #[server(flatten)] form: TypedMany) -> Result<(), AppError> {
    use crate::{admin::server, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let said = server::change_many_keys(&ctx, &caller, form.query(keys), &form.reason, seen, &form.typed).await?;
    reply::toast(&ctx, &said);
    reply::redirect("/admin/keys");
    Ok(())
}

/// What `/admin/accounts/many` shows; none if nothing was chosen yet.
#[server]
pub async fn preview_many_accounts(#[server(default)] query: ManyAccountsQuery) -> Result<Option<ManyAccountsPreview>, AppError> {
    use crate::admin::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::preview_many_accounts(&ctx, &caller, query).await
}

/// Does one act on many accounts; `seen` is how many the operator was told would change.
#[server]
pub async fn change_many_accounts(
    #[server(default)] act: String,
    #[server(default)] accounts: Vec<String>,
    #[server(default)] all: bool,
    q: Option<String>,
    status: Option<String>,
    #[server(default)] seen: u64,
    #[server(flatten)] typed: TypedTerm,
) -> Result<(), AppError> {
    use crate::admin::{model::AccountQuery, server};
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let query = ManyAccountsQuery { act, accounts, all, filters: AccountQuery { q, status, ..AccountQuery::default() } };
    let said = server::change_many_accounts(&ctx, &caller, &Visitor::here(), query, &typed, seen).await?;
    reply::toast(&ctx, &said);
    reply::redirect("/admin/accounts");
    Ok(())
}
