//! The mails of a change of address, after the response.

use super::mail;
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry},
    },
    values::{AccountId, EventId},
};
use serde::{Deserialize, Serialize};

/// The link and the code to the new address; or, where it belongs to somebody, a note to its owner. One job for both, so that the
/// answer takes as long (R15).
#[derive(Debug, Serialize, Deserialize)]
pub struct SendEmailChange {
    pub account: AccountId,
    pub cause: EventId,
}

/// The notice to the old address, with the way back.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendEmailChanged {
    pub account: AccountId,
    pub cause: EventId,
}

impl Job for SendEmailChange {
    const KIND: &'static str = "accounts.send_email_change";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_change(ctx, self.account, self.cause).await
    }
}

impl Job for SendEmailChanged {
    const KIND: &'static str = "accounts.send_email_changed";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_changed(ctx, self.account, self.cause).await
    }
}

/// The jobs of a change of address, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry.register::<SendEmailChange>().register::<SendEmailChanged>()
}
