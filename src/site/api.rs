//! The server functions of the site.

use super::model::Mailbox;
use crate::error::AppError;
use leptos::prelude::*;

/// The mails that development keeps, one of them opened. Anybody may ask, in development only.
#[server]
pub async fn open_mailbox(mail: Option<String>) -> Result<Mailbox, AppError> {
    use super::server;
    let ctx = crate::accounts::server::context()?;
    server::open_mailbox(&ctx, mail.as_deref()).await
}
