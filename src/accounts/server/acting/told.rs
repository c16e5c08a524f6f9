//! The mail to whose account an operator went into, after the response.

use super::store;
use crate::{
    accounts::server::{letters::ActedAs, mail::reader, store::accounts::find_account},
    platform::{
        Ctx,
        jobs::{Job, JobError},
        mail,
    },
    values::ActingId,
};
use serde::{Deserialize, Serialize};

/// An operator began to act as an account: its owner is told.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendActedAs {
    pub acting: ActingId,
}

impl Job for SendActedAs {
    const KIND: &'static str = "accounts.send_acted_as";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        let Some(acting) = store::find_acting(&ctx.db, self.acting, ctx.clock.now()).await? else { return Ok(()) };
        let Some(account) = find_account(&ctx.db, acting.account).await?.filter(|a| a.is_verified) else { return Ok(()) };
        let letter = ActedAs {
            reason: acting.reason,
            began: acting.began_at,
            minutes: u64::try_from(acting.minutes).unwrap_or(0),
            sessions: ctx.config.link("/settings/sessions"),
            contact: ctx.config.mail.contact.clone(),
        };
        mail::send(ctx, &reader(&account)?.write(&letter)).await
    }
}
