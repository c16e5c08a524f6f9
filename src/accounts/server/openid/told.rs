//! The mails about sign-ins elsewhere: linked, unlinked (R26), or shown by somebody with the address of an account.

use crate::{
    accounts::server::{
        letters::SignInElsewhere,
        mail::{reader, seen},
        store::accounts::find_account,
    },
    platform::{
        Ctx,
        jobs::{Job, JobError},
        mail,
    },
    values::{AccountId, EventId},
};
use serde::{Deserialize, Serialize};

/// What a mail tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    Linked,
    Unlinked,
    /// Somebody came with the address of this account, which its provider's word does not prove.
    Offered,
}

/// Mails it to the address of the account.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendSignInTold {
    pub account: AccountId,
    pub cause: EventId,
    /// As it is called on buttons.
    pub provider: String,
    pub told: Told,
}

impl Job for SendSignInTold {
    const KIND: &'static str = "accounts.send_sign_in_told";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        send(ctx, self).await
    }
}

async fn send(ctx: &Ctx, it: SendSignInTold) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, it.account).await? else { return Ok(()) };
    let link = ctx.config.link(if it.told == Told::Offered { "/settings/security/link" } else { "/forgot-password" });
    let letter = SignInElsewhere { told: it.told, provider: it.provider, link, seen: seen(ctx, it.cause).await? };
    mail::send(ctx, &reader(&account)?.write(&letter)).await
}
