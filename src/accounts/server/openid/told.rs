//! The mails about sign-ins elsewhere: linked, unlinked (R26), or shown by somebody with the address of an account.

use crate::{
    accounts::server::{
        mail::{facts, to},
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
        send(ctx, &self).await
    }
}

async fn send(ctx: &Ctx, it: &SendSignInTold) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, it.account).await? else { return Ok(()) };
    let facts = facts(ctx, &account, it.cause).await?;
    let name = &it.provider;
    let letter = match it.told {
        Told::Linked => to(&account, &format!("You can sign in with {name} now"))?
            .text(format!("A sign-in at {name} was linked to your account. Whoever signs in with it there comes in here."))
            .facts(facts)
            .text("If it wasn't you, set a new password now: that ends every session. Then unlink it on Security.")
            .link("Set a new password", ctx.config.link("/forgot-password"))
            .because("a sign-in was linked to your account"),
        Told::Unlinked => to(&account, &format!("{name} no longer signs you in"))?
            .text(format!("The sign-in at {name} was unlinked from your account. It does not let anybody in any more."))
            .facts(facts)
            .text("If it wasn't you, set a new password now: that ends every session.")
            .link("Set a new password", ctx.config.link("/forgot-password"))
            .because("a sign-in was unlinked from your account"),
        Told::Offered => to(&account, "You already have an account")?
            .text(format!("Somebody came from {name} with this address. It has an account already, so nothing was created or changed."))
            .text(format!("If it was you, sign in as usual in the same browser within the hour, and confirm that {name} may sign you in."))
            .link("Sign in and confirm", ctx.config.link("/settings/security/link"))
            .facts(facts)
            .text("If it wasn't you, do nothing: whoever it was saw only that a mail was sent.")
            .because("somebody came with the address of your account"),
    };
    mail::send(ctx, &letter).await
}
