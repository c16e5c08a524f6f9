//! What happens after the response: the mails of accounts. A payload names the account and the event that caused the mail; the
//! proof in it counts from when the job runs, so a mail that was late is still good, and the last one mailed wins.

pub use super::mail_asked::{NoteAsked, Wish};

use super::{
    acting::SendActedAs,
    email_change, export,
    factors::{ResealSeeds, ResetFactors, SendFactorChanged},
    invites::SendInvitation,
    leaving, mail,
    openid::SendSignInTold,
    programs,
    store::{
        expired::{Gone, UNPROVEN_INVITED, delete_expired},
        imports::delete_kinds,
        invites::give_back_uses,
    },
    taking_back::EndKeysAdded,
};
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry, say},
        once,
    },
    values::{AccountId, EventId},
};
use serde::{Deserialize, Serialize};

/// The link and the code that prove an address.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendVerification {
    pub account: AccountId,
    pub cause: EventId,
}

/// Somebody signed up with the address of an account: its owner is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendAlreadyRegistered {
    pub account: AccountId,
    pub cause: EventId,
}

/// The link to set a new password.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendReset {
    pub account: AccountId,
    pub cause: EventId,
    /// With the code, which only the browser can use that asked for the mail; who got it unasked has no use for one.
    #[serde(default)]
    pub has_code: bool,
}

/// The password is another one now (R26).
#[derive(Debug, Serialize, Deserialize)]
pub struct SendPasswordChanged {
    pub account: AccountId,
    pub cause: EventId,
}

/// There is nobody to tell of a wrong password, or of a change of address. The job exists so that the answer takes as long as where there is
/// somebody (R15).
#[derive(Debug, Serialize, Deserialize)]
pub struct SendNothing {}

/// Nightly: proofs, counters and invitations that are too old, answers of named requests, and sign-ups that nobody proved, go; what
/// these used of invitations comes back.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetExpired {}

impl Job for SendVerification {
    const KIND: &'static str = "accounts.send_verification";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_verification(ctx, self.account, self.cause).await
    }
}

impl Job for SendAlreadyRegistered {
    const KIND: &'static str = "accounts.send_already_registered";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_already_registered(ctx, self.account, self.cause).await
    }
}

impl Job for SendReset {
    const KIND: &'static str = "accounts.send_reset";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_reset(ctx, self.account, self.cause, self.has_code).await
    }
}

impl Job for SendPasswordChanged {
    const KIND: &'static str = "accounts.send_password_changed";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_password_changed(ctx, self.account, self.cause).await
    }
}

impl Job for SendNothing {
    const KIND: &'static str = "accounts.send_nothing";
    async fn run(self, _: &Ctx) -> Result<(), JobError> {
        Ok(())
    }
}

impl Job for ForgetExpired {
    const KIND: &'static str = "accounts.forget_expired";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let gone = delete_expired(&ctx.db, ctx.clock.now()).await?;
        let accounts = leaving::erase_all_unproven(ctx).await?;
        let now = ctx.clock.now();
        let freed = give_back_uses(&ctx.db, now - UNPROVEN_INVITED, now).await?;
        let kinds = delete_kinds(&ctx.db, now).await?;
        let requests = once::forget(ctx).await?;
        tracing::info!(?gone, accounts, freed, kinds, requests, "forgot what has expired");
        let Gone { proofs, undos, attempts, invites, devices, programs } = gone;
        say(format!(
            "Removed proofs: {proofs}, ways back to an address: {undos}, counters of attempts: {attempts}, invitations: {invites}, devices: {devices}, programs: {programs}, sign-ups that nobody proved: {accounts}, invitations free again: {freed}, kinds of imported hashes: {kinds}, answers kept for requests that are sent again: {requests}."
        ));
        Ok(())
    }
}

/// The jobs of accounts, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    programs::register(super::warnings::register(export::jobs::register(leaving::jobs::register(email_change::jobs::register(registry)))))
        .register::<NoteAsked>()
        .register::<SendVerification>()
        .register::<SendAlreadyRegistered>()
        .register::<SendInvitation>()
        .register::<SendReset>()
        .register::<SendPasswordChanged>()
        .register::<SendFactorChanged>()
        .register::<SendSignInTold>()
        .register::<ResealSeeds>()
        .register::<ResetFactors>()
        .register::<EndKeysAdded>()
        .register::<SendActedAs>()
        .register::<SendNothing>()
        .register::<ForgetExpired>()
        .register::<super::NormalizeAddresses>()
}
