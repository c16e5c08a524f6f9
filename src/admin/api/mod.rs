//! Server functions of the admin pages: what they read, and where their forms go. Ids in paths come as texts: a wrong one is a
//! page that does not exist. A function's address has its file in it, and lists name it by that (`accounts::server::PIN_ACTS`).

mod fields;
mod imports;
mod invites;
mod limits;
mod many;
mod parts;

pub use fields::*;
pub use imports::*;
pub use invites::*;
pub use limits::*;
pub use many::*;
pub use parts::*;

use super::model::{
    AccountList, AccountPage, AccountQuery, AllKeys, AllRefusals, ApiList, ApiPage, BanList, JobList, JobQuery, Overview, TemplateList, TemplateQuery,
    TypedApi, TypedTerm,
};
use crate::{
    error::AppError,
    keys::model::KeyQuery,
    usage::model::RefusalQuery,
    values::{AccountId, BanId, JobId, KeyId, SessionId},
};
use leptos::prelude::*;

/// What `/admin` shows.
#[server]
pub async fn read_overview() -> Result<Overview, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::read_overview(&ctx, &caller).await
}

/// What `/admin/accounts` shows.
#[server]
pub async fn list_accounts(#[server(default)] query: AccountQuery) -> Result<AccountList, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_accounts(&ctx, &caller, query).await
}

/// What `/admin/accounts/{id}` shows.
#[server]
pub async fn read_account(id: String) -> Result<AccountPage, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::read_account(&ctx, &caller, id.parse().map_err(|_| AppError::NotFound)?).await
}

/// Keeps an account out; its sessions end, its keys are answered BANNED.
#[server]
pub async fn disable_account(id: AccountId, #[server(default)] reason: String) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply, ui::number::count};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let (ended, spread) = server::disable_account(&ctx, &caller, &Visitor::here(), id, &reason).await?;
    let (sessions, keys) = (count(ended.sessions, "session", "sessions"), count(ended.keys, "key", "keys"));
    let refused = if ended.keys > 0 { format!(" {}", spread.words("Refused")) } else { String::new() };
    reply::toast(&ctx, &format!("The account is disabled. {sessions} ended, {keys} no longer pass.{refused}"));
    reply::redirect(&format!("/admin/accounts/{id}"));
    Ok(())
}

/// Lets an account in again.
#[server]
pub async fn enable_account(id: AccountId) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let spread = server::enable_account(&ctx, &caller, &Visitor::here(), id).await?;
    reply::toast(&ctx, &format!("The account is enabled. Its keys pass again. {}", spread.words("In force")));
    Ok(())
}

/// Bans an account for a while or for good; its sessions end, its keys are answered BANNED.
#[server]
pub async fn ban_account(id: AccountId, #[server(flatten)] typed: TypedTerm) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply, ui::number::count};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let (ended, spread) = server::ban_account(&ctx, &caller, &Visitor::here(), id, &typed).await?;
    let (sessions, keys) = (count(ended.sessions, "session", "sessions"), count(ended.keys, "key", "keys"));
    let refused = if ended.keys > 0 { format!(" {}", spread.words("Refused")) } else { String::new() };
    reply::toast(&ctx, &format!("The account is banned. {sessions} ended, {keys} no longer pass.{refused}"));
    reply::redirect(&format!("/admin/accounts/{id}"));
    Ok(())
}

/// Lifts the ban of an account.
#[server]
pub async fn unban_account(id: AccountId) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let spread = server::unban_account(&ctx, &caller, &Visitor::here(), id).await?;
    reply::toast(&ctx, &format!("The ban is lifted. Its keys pass again. {}", spread.words("In force")));
    Ok(())
}

/// Ends the lock of an account: the next password is tried at once.
#[server]
pub async fn unlock_account(id: AccountId) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::unlock_account(&ctx, &caller, &Visitor::here(), id).await?;
    reply::toast(&ctx, "The account is unlocked.");
    Ok(())
}

/// Takes the picture of an account away.
#[server]
pub async fn take_picture(id: AccountId) -> Result<(), AppError> {
    use crate::{
        accounts::server::{self, Visitor, avatars},
        platform::http::reply,
    };
    let (ctx, caller) = server::caller().await?;
    avatars::remove_avatar_of(&ctx, &caller, &Visitor::here(), id).await?;
    reply::toast(&ctx, "The picture is removed.");
    Ok(())
}

/// What `/admin/bans` shows: the bans in force, or those that are over.
#[server]
pub async fn list_bans(#[server(default)] over: bool) -> Result<BanList, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_bans(&ctx, &caller, over).await
}

/// Bans a mail domain or a network.
#[server]
pub async fn add_ban(#[server(default)] target: String, #[server(flatten)] typed: TypedTerm) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let what = server::add_ban(&ctx, &caller, &Visitor::here(), &target, &typed).await?;
    reply::toast(&ctx, &format!("{what} is banned."));
    reply::redirect("/admin/bans");
    Ok(())
}

/// Lifts a ban.
#[server]
pub async fn lift_ban(id: BanId) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let (ban, spread) = server::lift_ban(&ctx, &caller, &Visitor::here(), id).await?;
    let in_force = spread.map(|spread| format!(" Its keys pass again. {}", spread.words("In force"))).unwrap_or_default();
    reply::toast(&ctx, &format!("The ban of {} is lifted.{in_force}", ban.what()));
    Ok(())
}

/// Ends one session of an account.
#[server]
pub async fn end_session(id: AccountId, session: SessionId) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::end_session(&ctx, &caller, &Visitor::here(), id, session).await?;
    reply::toast(&ctx, "That device is signed out.");
    Ok(())
}

/// Ends every session of an account.
#[server]
pub async fn end_sessions(id: AccountId) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply, ui::number::count};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let ended = server::end_sessions(&ctx, &caller, &Visitor::here(), id).await?;
    reply::toast(&ctx, &format!("{} ended.", count(ended, "session", "sessions")));
    Ok(())
}

/// Mails an account a link to set a new password.
#[server]
pub async fn send_reset_link(id: AccountId) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let email = server::send_reset_link(&ctx, &caller, &Visitor::here(), id).await?;
    reply::toast(&ctx, &format!("A link is on its way to {email}. It works once, for 60 minutes."));
    Ok(())
}

/// Removes the second factors of an account a day from now, unless its owner stops it.
#[server]
pub async fn reset_factors(id: AccountId, #[server(default)] reason: String) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::ask_reset(&ctx, &caller, &Visitor::here(), id, &reason).await?;
    reply::toast(&ctx, "Their second factors will be removed in 24 hours. They were told by email and can stop it.");
    reply::redirect(&format!("/admin/accounts/{id}"));
    Ok(())
}

/// What `/admin/keys` shows; `chosen` is the key beside the list.
#[server]
pub async fn list_keys(#[server(default)] query: KeyQuery, chosen: Option<String>) -> Result<AllKeys, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_keys(&ctx, &caller, query, chosen.as_deref()).await
}

/// Calls of this key are answered DISABLED until it is enabled again.
#[server]
pub async fn disable_key(id: KeyId, #[server(default)] reason: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let changed = server::disable_key(&ctx, &caller, id, &reason).await?;
    reply::toast(&ctx, &changed.state_words());
    Ok(())
}

/// Calls of this key may pass again.
#[server]
pub async fn enable_key(id: KeyId, #[server(default)] reason: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let changed = server::enable_key(&ctx, &caller, id, &reason).await?;
    reply::toast(&ctx, &changed.state_words());
    Ok(())
}

/// Ends a key for good; `typed` is its name, typed by the operator.
#[server]
pub async fn revoke_key(id: KeyId, #[server(default)] typed: String, #[server(default)] reason: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let changed = server::revoke_key(&ctx, &caller, id, &typed, &reason).await?;
    reply::toast(&ctx, &changed.state_words());
    reply::redirect(&format!("/admin/keys?key={id}"));
    Ok(())
}

/// What `/admin/apis` shows.
#[server]
pub async fn list_apis() -> Result<ApiList, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_apis(&ctx, &caller).await
}

/// What `/admin/apis/{slug}` shows; `route` is the label of the route that is being changed, `bundle` the name of the bundle, empty for a
/// new one.
#[server]
pub async fn read_api(slug: String, route: Option<String>, bundle: Option<String>) -> Result<ApiPage, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::read_api(&ctx, &caller, &slug, route.as_deref(), bundle.as_deref()).await
}

/// Describes an API.
#[server]
pub async fn create_api(name: String, slug: String, key_prefix: Option<String>, #[server(default)] permissions: String) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let api = server::create_api(&ctx, &caller, name, slug, key_prefix, &permissions).await?;
    reply::toast(&ctx, &format!("{} is added. You can create keys for it.", api.name));
    Ok(())
}

/// Changes an API, unless it is in another state by now than the form showed.
#[server]
pub async fn save_api(
    slug: String,
    #[server(flatten)] typed: TypedApi,
    #[server(default)] basic: Vec<String>,
    #[server(default)] needs_grant: Vec<String>,
) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let saved = server::save_api(&ctx, &caller, &slug, typed, basic, needs_grant).await?;
    reply::toast(&ctx, &format!("Saved. {}", saved.spread.words("In force")));
    reply::redirect(&format!("/admin/apis/{slug}"));
    Ok(())
}

/// What `/admin/refusals` shows.
#[server]
pub async fn list_refusals(#[server(default)] query: RefusalQuery) -> Result<AllRefusals, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_refusals(&ctx, &caller, query).await
}

/// What `/admin/jobs` shows.
#[server]
pub async fn list_jobs(#[server(default)] query: JobQuery) -> Result<JobList, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_jobs(&ctx, &caller, query).await
}

/// Gives a failed job all its tries again.
#[server]
pub async fn retry_job(id: JobId) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let is_again = server::retry_job(&ctx, &caller, &Visitor::here(), id).await?;
    reply::toast(&ctx, if is_again { "The job starts again." } else { "This job is no longer waiting for a retry." });
    Ok(())
}

/// What `/admin/templates` shows.
#[server]
pub async fn list_templates(#[server(default)] query: TemplateQuery) -> Result<TemplateList, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::list_templates(&ctx, &caller, &query).await
}

/// Sends a kind of mail to who asks, with made-up facts.
#[server]
pub async fn send_test_mail(kind: String, #[server(default)] language: Option<String>, #[server(default)] sample: Option<String>) -> Result<(), AppError> {
    use super::server;
    use crate::{accounts::server::Visitor, platform::http::reply};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let email = server::send_test(&ctx, &caller, &Visitor::here(), &TemplateQuery { kind: Some(kind), language, sample }).await?;
    reply::toast(&ctx, &format!("A test is on its way to {email}."));
    Ok(())
}
