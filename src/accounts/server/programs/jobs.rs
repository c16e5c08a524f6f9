//! Mails about programs, after the response.

use super::mail::{Told, send};
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry},
    },
    values::{AccountId, EventId},
};
use serde::{Deserialize, Serialize};

/// Tells the owner of an account what a program did.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendProgram {
    pub account: AccountId,
    pub cause: EventId,
    pub told: Told,
}

impl Job for SendProgram {
    const KIND: &'static str = "accounts.send_program";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        send(ctx, self.account, self.cause, self.told).await
    }
}

/// This job, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry.register::<SendProgram>()
}
