//! Work on keys that nobody waits for.

use super::{
    batch::forget_batches,
    expiring::note_expiries,
    gate::forget_old_leases,
    importing::forget_lists,
    leaks::send_leak,
    resealing::ResealSecrets,
    rotating::{end_replaced, forget_ended},
    signing::forget_nonces,
};
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry, say},
    },
    values::{KeyId, SecretId},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A call passed with the newest secret of a key: the old ones that were to live until then end.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndReplaced {
    pub key: KeyId,
    pub by: SecretId,
    /// Those that ended where the call passed: for good, also if the key was rotated again meanwhile.
    #[serde(default)]
    pub ends: Vec<SecretId>,
}

impl Job for EndReplaced {
    const KIND: &'static str = "keys.end_replaced";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        Ok(end_replaced(ctx, self.key, self.by, &self.ends).await?)
    }
}

/// Nightly: lists of keys that were pasted, to import them or to make them, and are a day old.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetLists {}

impl Job for ForgetLists {
    const KIND: &'static str = "keys.forget_lists";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let gone = forget_lists(ctx).await? + forget_batches(ctx).await?;
        tracing::info!(gone, "forgot lists of keys that waited to be imported or made");
        say(format!("Lists of keys removed: {gone}."));
        Ok(())
    }
}

/// Nightly: secrets that ended a month ago.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetSecrets {}

impl Job for ForgetSecrets {
    const KIND: &'static str = "keys.forget_secrets";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let gone = forget_ended(ctx).await?;
        tracing::info!(gone, "forgot secrets that ended");
        say(format!("Ended secrets removed: {gone}."));
        Ok(())
    }
}

/// A secret of a key was found in the open at this instant.
#[derive(Debug, Serialize, Deserialize)]
pub struct MailLeak {
    pub key: KeyId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl Job for MailLeak {
    const KIND: &'static str = "keys.mail_leak";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        send_leak(ctx, self.key, self.at).await
    }
}

/// Every minute: leases of windows that ended ten minutes ago. The clocks of nodes may differ by five.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetLeases {}

impl Job for ForgetLeases {
    const KIND: &'static str = "keys.forget_leases";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let gone = forget_old_leases(&ctx.db, ctx.clock.now() - time::Duration::minutes(10)).await?;
        tracing::debug!(gone, "forgot leases of windows that are over");
        Ok(())
    }
}

/// Every few minutes: nonces of signatures that count no more.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ForgetNonces {}

impl Job for ForgetNonces {
    const KIND: &'static str = "keys.forget_nonces";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        forget_nonces(ctx).await?;
        Ok(())
    }
}

/// Every minute: what expired since the last look.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct NoteExpiries {}

impl Job for NoteExpiries {
    const KIND: &'static str = "keys.note_expiries";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let keys = note_expiries(ctx).await?;
        tracing::debug!(keys, "told of keys that expired and old secrets that ended");
        Ok(())
    }
}

/// The jobs of keys, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry
        .register::<EndReplaced>()
        .register::<ForgetLeases>()
        .register::<ForgetLists>()
        .register::<ForgetNonces>()
        .register::<ForgetSecrets>()
        .register::<MailLeak>()
        .register::<NoteExpiries>()
        .register::<ResealSecrets>()
}
