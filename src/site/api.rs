//! The server functions of the site.

use super::model::{Home, Mailbox, Status};
use crate::error::AppError;
use leptos::prelude::*;

/// What wants a decision, and the calls of the last day. Anybody signed in who may read keys and usage.
#[server]
pub async fn read_home() -> Result<Home, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::read_home(&ctx, &caller).await
}

/// How this site does. Anybody.
#[server]
pub async fn read_status() -> Result<Status, AppError> {
    use super::server;
    let ctx = crate::accounts::server::context()?;
    Ok(server::read_status(&ctx).await)
}

/// The mails that development keeps, one of them opened. Anybody may ask, in development only.
#[server]
pub async fn open_mailbox(mail: Option<String>) -> Result<Mailbox, AppError> {
    use super::server;
    let ctx = crate::accounts::server::context()?;
    server::open_mailbox(&ctx, mail.as_deref()).await
}
