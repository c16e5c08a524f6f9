//! Every change of a factor is told by mail (R26): what, when, from which device and address, and what to do if it wasn't you.

use super::reset;
use crate::{
    accounts::server::{
        letters::FactorChanged,
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
    TotpAdded,
    TotpReplaced,
    TotpRemoved,
    CodesMade,
    CodeUsed,
    PasskeyAdded,
    PasskeyRemoved,
    /// The counter of a passkey went back: there may be a copy of it.
    PasskeyCopied,
    /// An operator asked to take the factors away, a day from then.
    ResetAsked,
    ResetStopped,
    ResetDone,
    /// What somebody else added to the account was removed (`taking_back`).
    TakenBack,
}

/// Mails it to the address of the account.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendFactorChanged {
    pub account: AccountId,
    pub cause: EventId,
    pub told: Told,
}

impl Job for SendFactorChanged {
    const KIND: &'static str = "accounts.send_factor_changed";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        send(ctx, &self).await
    }
}

impl Told {
    /// The subject, in English.
    pub const fn subject(self) -> &'static str {
        match self {
            Self::TotpAdded => "Two-factor sign-in is on",
            Self::TotpReplaced => "Your authenticator app was replaced",
            Self::TotpRemoved => "Two-factor sign-in is off",
            Self::CodesMade => "You have new recovery codes",
            Self::CodeUsed => "A recovery code was used",
            Self::PasskeyAdded => "A passkey was added",
            Self::PasskeyRemoved => "A passkey was removed",
            Self::PasskeyCopied => "A passkey may have been copied",
            Self::ResetAsked => "Your second factors will be removed",
            Self::ResetStopped => "Your second factors stay",
            Self::ResetDone => "Your second factors were removed",
            Self::TakenBack => "What somebody else added was removed",
        }
    }

    /// The first paragraph, in English.
    pub const fn text(self) -> &'static str {
        match self {
            Self::TotpAdded => "An authenticator app was added to your account. From now on signing in takes a code of it, too.",
            Self::TotpReplaced => "The authenticator app of your account was replaced by another one. Codes of the old one no longer work.",
            Self::TotpRemoved => {
                "The authenticator app of your account was removed. If it was your last second factor, its recovery codes are gone with it and your password alone signs in now."
            }
            Self::CodesMade => "New recovery codes were made for your account. The old ones no longer work.",
            Self::CodeUsed => "One of your recovery codes was used. It does not work again.",
            Self::PasskeyAdded => "A passkey was added to your account. It signs in alone; with your password a second factor is asked for from now on.",
            Self::PasskeyRemoved => {
                "A passkey of your account was removed. It signs in no more. If it was your last second factor, your recovery codes are gone with it and your password alone signs in now."
            }
            Self::PasskeyCopied => {
                "One of your passkeys was used with a counter that went back, as if there were a copy of it. It was refused. Remove that passkey, unless you know why."
            }
            Self::ResetAsked => {
                "An operator of this site asked to remove your authenticator app, your passkeys and your recovery codes. It happens in 24 hours. If you asked for it, do nothing."
            }
            Self::ResetStopped => "The removal of your authenticator app, passkeys and recovery codes was stopped. Nothing has changed.",
            Self::TakenBack => {
                "Authenticator apps, passkeys, recovery codes, sign-ins elsewhere and keys for the API of this site that were added to your account since somebody else came in were removed. What was there before is as it was; what they took away, set up anew."
            }
            Self::ResetDone => {
                "Your authenticator app, your passkeys and your recovery codes were removed by an operator of this site, and every session was ended. Your password alone signs in now. Set up a second factor soon."
            }
        }
    }
}

async fn send(ctx: &Ctx, it: &SendFactorChanged) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, it.account).await? else { return Ok(()) };
    let link = match it.told {
        Told::ResetAsked => ctx.config.link(&format!("/keep-factors?token={}", reset::token(ctx, it.account, it.cause))),
        _ => ctx.config.link("/forgot-password"),
    };
    let letter = FactorChanged { told: it.told, link, seen: seen(ctx, it.cause).await? };
    mail::send(ctx, &reader(&account)?.write(&letter)).await
}
