//! The way back to an account that was left: by the password, proven at the sign-in a moment ago, or by the link of the mail.
//!
//! Nobody is signed in by it: the sign-in comes after, with everything that it asks for.

use super::{
    jobs::SendReturned,
    store::{self, Departure},
};
use crate::{
    accounts::{
        model::Left,
        server::{
            Visitor,
            attempts::{self, Attempt},
            profile::in_full,
            sign_up::about,
            store::{accounts, sessions, tokens as token_store},
            tokens::{self, Purpose},
        },
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs as queue},
    values::AccountId,
};
use time::Duration;

/// How long a proven password is believed.
const TICKET_LIVES: Duration = Duration::minutes(10);
const DEAD: &str = "This expired, or the account is already back. Sign in to check.";

/// That somebody proved the password of an account that was left. It travels sealed in a cookie of that browser and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    account: AccountId,
    /// Unix seconds.
    until: i64,
}

/// What brings an account back.
#[derive(Debug, Clone)]
pub enum Return {
    Password(Ticket),
    /// The token of the link.
    Link(String),
}

impl Return {
    /// From what a browser holds: a password that was proven a moment ago, else a link that it opened.
    pub fn of(ticket: Option<&str>, link: Option<String>) -> Self {
        ticket.and_then(Ticket::unseal).map_or_else(|| Self::Link(link.unwrap_or_default()), Self::Password)
    }
}

impl Ticket {
    pub fn seal(self) -> String {
        format!("{}:{}", self.account, self.until)
    }

    /// From what a sealed cookie held.
    pub fn unseal(text: &str) -> Option<Self> {
        let (account, until) = text.split_once(':')?;
        Some(Self { account: account.parse().ok()?, until: until.parse().ok()? })
    }

    fn is_good(&self, ctx: &Ctx) -> bool {
        ctx.clock.now().unix_timestamp() < self.until
    }
}

/// For who just typed the right password (`SignIn::Departed`).
pub fn return_ticket(ctx: &Ctx, account: AccountId) -> Ticket {
    Ticket { account, until: (ctx.clock.now() + TICKET_LIVES).unix_timestamp() }
}

/// What would be brought back, if it can be. Changes nothing.
pub async fn returning(ctx: &Ctx, by: &Return) -> Result<Option<Left>, AppError> {
    let account = match by {
        Return::Password(ticket) => ticket.is_good(ctx).then_some(ticket.account),
        Return::Link(token) => tokens::check_link(ctx, token, Purpose::KeepAccount).await?.map(|right| right.account),
    };
    let Some(account) = account else { return Ok(None) };
    let Some(Departure { erase_at, .. }) = store::find_departure(&ctx.db, account).await? else { return Ok(None) };
    let zone = accounts::find_account(&ctx.db, account).await?.map(|account| account.time_zone).unwrap_or_default();
    Ok(Some(Left { erased: erase_at.map(|at| in_full(at, &zone)) }))
}

/// Brings the account back; its keys pass as before. Of several at once, one does it.
pub async fn come_back(ctx: &Ctx, from: &Visitor, by: &Return) -> Result<(), AppError> {
    let attempt = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let dead = || AppError::invalid("", DEAD);
    let (id, link) = match by {
        Return::Password(ticket) if ticket.is_good(ctx) => (ticket.account, None),
        Return::Password(_) => return Err(dead()),
        Return::Link(token) => {
            let right = tokens::check_link(ctx, token, Purpose::KeepAccount).await?.ok_or_else(dead)?;
            (right.account, Some(right))
        }
    };
    let mut tx = ctx.db.begin().await?;
    if !store::lock_account(&mut tx, id).await? || !store::delete_departure(&mut tx, id, ctx.clock.now()).await? {
        return Err(dead());
    }
    if let Some(right) = link
        && !right.consume(ctx, &mut tx).await?
    {
        return Err(dead());
    }
    let account = accounts::find_account(&mut *tx, id).await?.ok_or_else(dead)?;
    // One that was begun in the very moment of leaving must not come back to life.
    sessions::delete_sessions(&mut *tx, id, None).await?;
    token_store::delete_tokens(&mut tx, id, &[Purpose::KeepAccount.as_str()]).await?;
    let change = Change { kind: "account.returned", workspace: account.workspace, ..about(id, &account.name, from) };
    let cause = record(ctx, &mut tx, change).await?;
    queue::enqueue(ctx, &mut tx, &SendReturned { account: id, cause }).await?;
    tx.commit().await?;
    attempt.refund(ctx).await
}
