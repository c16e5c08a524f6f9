//! What the clock and the outbox do for notices. A payload names whom and when; the mail reads what was marked at that instant, so a
//! mail that is sent again says the same.

use super::{alerts, ended, expiry, limits, mail};
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError, Registry},
    },
    values::{AccountId, AlertRuleId},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Each minute: limits that are nearly used up, rules on errors.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LookAtUsage {}

/// Each hour: keys that will expire; what was told or looked at long ago goes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LookAtExpiry {}

/// Limits of one account that passed a threshold at this instant.
#[derive(Debug, Serialize, Deserialize)]
pub struct MailLimits {
    pub account: AccountId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// Keys of one account of whose end it is told at this instant.
#[derive(Debug, Serialize, Deserialize)]
pub struct MailExpiry {
    pub account: AccountId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// A rule that fired.
#[derive(Debug, Serialize, Deserialize)]
pub struct MailAlert {
    pub rule: AlertRuleId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl Job for LookAtUsage {
    const KIND: &'static str = "notices.look_at_usage";
    /// The next minute looks again.
    const MAX_ATTEMPTS: u32 = 2;
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        // One that fails does not keep the other back.
        let told = limits::tell_of_limits(ctx).await;
        let ended = ended::tell_of_ended(ctx).await;
        alerts::watch_errors(ctx).await?;
        told?;
        ended?;
        Ok(())
    }
}

impl Job for LookAtExpiry {
    const KIND: &'static str = "notices.look_at_expiry";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        expiry::tell_of_expiry(ctx).await?;
        while limits::forget_limit_notices(ctx).await? {}
        Ok(())
    }
}

impl Job for MailLimits {
    const KIND: &'static str = "notices.mail_limits";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_limits(ctx, self.account, self.at).await
    }
}

impl Job for MailExpiry {
    const KIND: &'static str = "notices.mail_expiry";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_expiry(ctx, self.account, self.at).await
    }
}

impl Job for MailAlert {
    const KIND: &'static str = "notices.mail_alert";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail::send_alert(ctx, self.rule, self.at).await
    }
}

/// The jobs of notices, for the registry of the process.
#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry.register::<LookAtUsage>().register::<LookAtExpiry>().register::<MailLimits>().register::<MailExpiry>().register::<MailAlert>()
}
