//! Mails that anybody can ask for with an address. The answer is the same, and takes as long, whatever is behind the address (R15, R16): the
//! request looks the address up and writes one job. What is done for an account, its event and its mail, is done by that job.

use super::{
    Visitor,
    jobs::{SendAlreadyRegistered, SendReset, SendVerification},
    openid::{SendSignInTold, Told},
    sign_up::about,
    store::accounts::find_account,
};
use crate::{
    activity::server::{Change, record_once},
    platform::{
        Ctx,
        jobs::{self, Job, JobError},
    },
    values::{AccountId, EventId},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use std::net::IpAddr;
use time::OffsetDateTime;

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// To set a new password. An address that is yet to be proven gets its proof in the place of that (R57).
    Reset,
    /// The proof of an address, once more.
    Proof,
    /// An account, with an address that has one.
    SignUp,
    /// The same by a sign-in elsewhere, at a provider that is called so on buttons.
    SignUpWith(String),
}

/// Somebody asked for a mail: written for every address, so that known and unknown ones cost the same.
#[derive(Debug, Serialize, Deserialize)]
pub struct NoteAsked {
    pub wish: Wish,
    /// None: there is nobody to write to, or nobody who may be written to. Then nothing is done.
    pub account: Option<AccountId>,
    /// The event that it becomes, and when it was asked.
    pub cause: EventId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// By whom.
    pub address: IpAddr,
    pub device: String,
}

impl Job for NoteAsked {
    const KIND: &'static str = "accounts.note_asked";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        Ok(note(ctx, self).await?)
    }
}

/// Writes the job in the caller's transaction; answers the event that it becomes, of an address without an account an id that nothing has.
pub(super) async fn ask(ctx: &Ctx, conn: &mut PgConnection, from: &Visitor, wish: Wish, account: Option<AccountId>) -> sqlx::Result<EventId> {
    let cause: EventId = ctx.new_id();
    let asked = NoteAsked { wish, account, cause, at: ctx.clock.now(), address: from.address, device: from.device.clone() };
    jobs::enqueue(ctx, conn, &asked).await?;
    Ok(cause)
}

/// The event and the job of the mail, in one transaction and once, however often this runs.
async fn note(ctx: &Ctx, asked: NoteAsked) -> sqlx::Result<()> {
    let NoteAsked { wish, account, cause, at, address, device } = asked;
    let Some(account) = account else { return Ok(()) };
    let from = Visitor { address, device };
    let mut tx = ctx.db.begin().await?;
    let Some(found) = find_account(&mut *tx, account).await? else { return Ok(()) };
    let (kind, name) = match &wish {
        Wish::Proof if found.is_verified => return Ok(()),
        Wish::Proof => ("account.verification_resent", found.name.as_str()),
        Wish::Reset => ("account.reset_asked", "somebody"),
        Wish::SignUp | Wish::SignUpWith(_) => ("account.sign_up_repeated", "somebody"),
    };
    if !record_once(ctx, &mut tx, cause, at, Change { kind, ..about(account, name, &from) }).await? {
        return Ok(());
    }
    let mail = match wish {
        Wish::Reset if found.is_verified => jobs::enqueue(ctx, &mut tx, &SendReset { account, cause, has_code: true }),
        Wish::Reset | Wish::Proof => jobs::enqueue(ctx, &mut tx, &SendVerification { account, cause }),
        Wish::SignUp => jobs::enqueue(ctx, &mut tx, &SendAlreadyRegistered { account, cause }),
        Wish::SignUpWith(provider) => jobs::enqueue(ctx, &mut tx, &SendSignInTold { account, cause, provider, told: Told::Offered }),
    };
    mail.await?;
    tx.commit().await
}
