//! Between the right password and the second factor. What the browser holds then is not a session: it opens nothing but the page that
//! asks for the code, for ten minutes, in this browser, for one sign-in, and only while the password that was right still stands (R24).

use super::{
    SendFactorChanged, Told,
    passkeys::{self, Asserted, Purpose},
    recovery, totp,
};
use crate::{
    accounts::{
        model::WaitingSignIn,
        server::{
            Visitor,
            attempts::{self, Attempt},
            devices, locks,
            policies::ends_of,
            sign_in::{Proven, SignIn, admit, charge, way_in},
            sign_up::about,
            store::{
                accounts::{self, Account},
                departures::lock_account,
                factors::{self as all, pending as store},
            },
        },
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, crypto::sha256, jobs, session},
    values::{DeviceId, Email, SessionId},
};
use time::Duration;

/// How long the second factor may take.
pub const PENDING_LASTS: Duration = Duration::minutes(10);

/// What is offered as a second factor.
#[derive(Debug, Clone)]
pub enum Offered {
    /// A code of the app.
    Code(String),
    Recovery(String),
    /// The answer of an authenticator, as the browser's script sends it.
    Passkey(String),
}

impl Offered {
    fn field(&self) -> &'static str {
        match self {
            Self::Code(_) => "code",
            Self::Recovery(_) => "recovery_code",
            Self::Passkey(_) => "passkey",
        }
    }
}

/// The password was right: answers what the browser keeps until the second factor is given.
pub async fn pend(ctx: &Ctx, account: &Account) -> Result<String, AppError> {
    let token = ctx.rng.base62(43);
    let now = ctx.clock.now();
    store::insert_pending(&ctx.db, &sha256(&token), account.id, account.password_set_at, now, now + PENDING_LASTS).await?;
    Ok(token)
}

/// Whose sign-in waits, and for what; none if it is over. Changes nothing.
pub async fn pending_sign_in(ctx: &Ctx, token: &str) -> Result<Option<WaitingSignIn>, AppError> {
    let Some(id) = store::find_pending(&ctx.db, &sha256(token), ctx.clock.now()).await? else { return Ok(None) };
    let Some(account) = accounts::find_account(&ctx.db, id).await? else { return Ok(None) };
    let facts = all::find_facts(&ctx.db, id).await?;
    let has_passkey = facts.passkeys > 0 && passkeys::are_passkeys_possible(ctx);
    Ok(Some(WaitingSignIn { email: account.email, has_app: facts.totp_since.is_some(), has_passkey }))
}

/// Ends a browser's sign-in with its second factor. If nothing else is in the way (R18), the session has begun and waits for its cookie
/// (`sessions::begin`). `Unauthenticated`: it took too long, was done, or the password was changed.
pub async fn finish_sign_in(ctx: &Ctx, from: &Visitor, token: &str, offered: &Offered) -> Result<SignIn, AppError> {
    finish(ctx, from, token, offered, true).await
}

/// The same for a program, which gets something else than a session.
pub async fn accept_second_factor(ctx: &Ctx, from: &Visitor, token: &str, offered: &Offered) -> Result<SignIn, AppError> {
    finish(ctx, from, token, offered, false).await
}

/// A wrong code counts with wrong passwords (R19) and leaves the wait open for another; a failure of ours does not count (S53).
async fn finish(ctx: &Ctx, from: &Visitor, token: &str, offered: &Offered, begins_session: bool) -> Result<SignIn, AppError> {
    let hash = sha256(token);
    let id = store::find_pending(&ctx.db, &hash, ctx.clock.now()).await?.ok_or(AppError::Unauthenticated)?;
    let account = accounts::find_account(&ctx.db, id).await?.ok_or(AppError::Unauthenticated)?;
    let email: Email = account.email.parse().map_err(AppError::internal)?;
    let way = way_in(ctx, from, &account).await?;
    let device = devices::known(ctx, Some(account.id)).await?;
    let by_address = Attempt::charge(ctx, &attempts::SIGN_IN_FROM, &attempts::network(from.address)).await?;
    let by_email = match charge(ctx, device, &email).await {
        // What is guessed is tried no more; a passkey is not guessed, and may come after a provider instead of a password.
        Err(AppError::Invalid { .. }) if matches!(offered, Offered::Passkey(_)) => None,
        charged => Some(charged?),
    };
    let waiting = Waiting { token: Some(&hash), account: &account, device, lets_in: way.is_free(), begins_session };
    let accepted = match passkeys::asserted(ctx, from, Purpose::SecondFactor, token, id, offered).await {
        Ok(asserted) => accept(ctx, from, waiting, offered, asserted.as_ref()).await,
        Err(ours) => Err(ours),
    };
    match accepted {
        Ok(Some(proven)) => {
            by_address.refund(ctx).await?;
            if let Some(attempt) = by_email {
                attempt.forgive(ctx).await?;
            }
            way.taken_by(proven)
        }
        Ok(None) => {
            tracing::info!(address = %from.address, "sign-in refused: wrong second factor");
            if device.is_none() {
                locks::note_failure(ctx, from, by_email.as_ref().map_or(0, |attempt| attempt.wait), Some(account.id)).await?;
            }
            Err(wrong(offered, by_email.as_ref()))
        }
        Err(ours) => {
            if let Some(attempt) = by_email {
                attempt.refund(ctx).await?;
            }
            by_address.refund(ctx).await?;
            Err(ours)
        }
    }
}

/// A sign-in whose second factor is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting<'a> {
    /// None: nothing came before, a passkey signs in alone.
    pub token: Option<&'a [u8]>,
    pub account: &'a Account,
    /// The known browser that it comes from.
    pub device: Option<DeviceId>,
    /// False: who proves this is told what keeps the account out, and nothing begins.
    pub lets_in: bool,
    pub begins_session: bool,
}

/// The factor is used, the waiting ends and the session begins in one transaction (R29); None: the factor is wrong. `asserted`: the
/// passkey that was offered, if it is right.
pub(super) async fn accept(
    ctx: &Ctx,
    from: &Visitor,
    waiting: Waiting<'_>,
    offered: &Offered,
    asserted: Option<&Asserted>,
) -> Result<Option<Proven>, AppError> {
    let Waiting { token, account, device, lets_in, begins_session } = waiting;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    // The account first: who ends what waits holds it, too.
    let is_there = lock_account(&mut tx, account.id).await?;
    let still_waits = match token {
        Some(token) => store::use_pending(&mut tx, token, now).await?,
        None => true,
    };
    if !is_there || !still_waits {
        return Err(AppError::Unauthenticated);
    }
    let is_right = match offered {
        Offered::Code(typed) => totp::accept(ctx, &mut tx, account.id, typed).await?,
        Offered::Recovery(typed) => recovery::accept(ctx, &mut tx, account.id, typed).await?,
        Offered::Passkey(_) => match asserted {
            Some(asserted) => passkeys::mark_used(ctx, &mut tx, asserted).await?,
            None => false,
        },
    };
    if !is_right {
        return Ok(None);
    }
    if let Offered::Recovery(_) = offered {
        let cause = record(ctx, &mut tx, Change { kind: "factor.code_used", workspace: account.workspace, ..about(account.id, &account.name, from) }).await?;
        jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: account.id, cause, told: Told::CodeUsed }).await?;
    }
    let session: Option<SessionId> = (begins_session && lets_in).then(|| ctx.new_id());
    if let Some(id) = session {
        let ends = ends_of(ctx, &mut *tx, account.id).await?;
        session::keep(&mut tx, session::Kept { id, account: account.id, device: &from.device, address: from.address, now, ends }).await?;
    }
    if lets_in {
        admit(ctx, &mut tx, account, device, from).await?;
    }
    tx.commit().await?;
    Ok(Some(Proven { account: account.id, password_set_at: account.password_set_at, session }))
}

fn wrong(offered: &Offered, attempt: Option<&Attempt>) -> AppError {
    let what = match offered {
        Offered::Code(_) => "This code is wrong, expired, or was already used. Enter the one that your app shows now.",
        Offered::Recovery(_) => "This recovery code is wrong, or was already used.",
        Offered::Passkey(_) => "This passkey was not accepted, or the request expired after five minutes. Try again.",
    };
    let pause = attempt.map(|attempt| attempt.pause("")).unwrap_or_default();
    AppError::invalid(offered.field(), format!("{what}{pause}"))
}
