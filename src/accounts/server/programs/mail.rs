//! The mails about programs: one signed in (R25), one was signed out because an old token of it came back (R71).

use crate::{
    accounts::server::{
        devices::{self, ALARM_LIVES},
        letters::ProgramTold,
        mail::{reader, seen},
        store::{accounts::find_account, devices::insert_alarm},
    },
    activity::server::find_facts,
    platform::{Ctx, crypto::sha256, jobs::JobError, mail},
    values::{AccountId, EventId},
};
use serde::{Deserialize, Serialize};

/// What a mail tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// A program that was not signed in before.
    SignedIn,
    /// A refresh token was used a second time.
    Reused,
}

pub(super) async fn send(ctx: &Ctx, account: AccountId, cause: EventId, told: Told) -> Result<(), JobError> {
    let Some(account) = find_account(&ctx.db, account).await? else { return Ok(()) };
    let token = devices::token(ctx, account.id, cause);
    if !insert_alarm(&ctx.db, cause, account.id, &sha256(&token), ctx.clock.now() + ALARM_LIVES).await? {
        return Ok(());
    }
    let data = find_facts(&ctx.db, cause).await?.map(|(_, data)| data).unwrap_or_default();
    let program = data.get("name").and_then(|name| name.as_str()).map(str::to_owned);
    let letter = ProgramTold { told, program, link: ctx.config.link(&format!("/not-me?token={token}")), seen: seen(ctx, cause).await? };
    mail::send(ctx, &reader(&account)?.write(&letter)).await
}
