//! The admin PIN: one more proof before an operator does what hurts others. It is set in the server's own shell only, and while there is
//! none, nothing of the product tells that there could be one: no field, no hint, no error.
//!
//! It comes after the step-up and never in its place. A browser gives it once in ten minutes, for its session; a program sends it beside
//! every request, for whoever finds a key has no PIN by it. Guesses are slow, for each operator, those by keys apart from those in a
//! browser: who found a key keeps nobody waiting who is signed in.

use super::{Interrupted, PIN_ACTS, look_at_form, require_recent_proof, session_of, step_up::LASTS};
use crate::{
    accounts::{
        model::{Caller, Via},
        server::{
            Visitor,
            attempts::{self, Attempt},
            passwords::{Passwords, Verdict},
            sign_up::about,
            store::{attempts as buckets, factors as proofs, factors::admin_pin as store},
        },
    },
    activity::server::{Change, record},
    error::{AppError, wait_in_words},
    platform::Ctx,
    values::permission_names as may,
};
use secrecy::{ExposeSecret, SecretString};

/// What a step-up without a proof is answered, and one with a PIN where there is none.
pub const NO_PROOF: &str = "Send one proof: password, code, recovery_code or passkey.";

/// In characters. Short ones are guessed, in spite of the waits.
const LENGTH: std::ops::RangeInclusive<usize> = 6..=64;

/// Sets the PIN, or another one; every proof by the old one is void.
pub async fn set_admin_pin(ctx: &Ctx, caller: &Caller, pin: &SecretString) -> Result<(), AppError> {
    must_be_in_the_shell(caller)?;
    check(pin)?;
    let hash = Passwords::of(ctx)?.hash(&ctx.rng, pin).await?;
    let mut tx = ctx.db.begin().await?;
    store::replace_pin(&mut tx, &hash, ctx.clock.now()).await?;
    record(ctx, &mut tx, Change { kind: "admin_pin.set", actor_name: &caller.name, ..Change::default() }).await?;
    Ok(tx.commit().await?)
}

/// Takes the PIN away; false if there was none.
pub async fn clear_admin_pin(ctx: &Ctx, caller: &Caller) -> Result<bool, AppError> {
    must_be_in_the_shell(caller)?;
    let mut tx = ctx.db.begin().await?;
    let had = store::delete_pin(&mut tx).await?;
    if had {
        record(ctx, &mut tx, Change { kind: "admin_pin.cleared", actor_name: &caller.name, ..Change::default() }).await?;
    }
    tx.commit().await?;
    Ok(had)
}

/// What an operator needs before an act that hurts others: a recent proof, and the PIN if there is one.
pub async fn require_admin_proof(ctx: &Ctx, caller: &Caller) -> Result<(), AppError> {
    require_recent_proof(ctx, caller).await?;
    require_pin(ctx, caller).await
}

/// The PIN, if there is one, and then a recent proof before it. Nothing at all if there is none.
pub async fn require_pin(ctx: &Ctx, caller: &Caller) -> Result<(), AppError> {
    if caller.via == Via::Cli || caller.gave_pin || store::find_pin(&ctx.db).await?.is_none() {
        return Ok(());
    }
    let Via::Session(session) = caller.via else {
        return Err(AppError::refused("This needs the admin PIN, too. Send it in the header Admin-Pin."));
    };
    require_recent_proof(ctx, caller).await?;
    match store::is_pin_proven_since(&ctx.db, session, ctx.clock.now() - LASTS).await? {
        true => Ok(()),
        false => Err(AppError::StepUpNeeded),
    }
}

/// True if `/step-up` asks for the PIN now: this operator's session has a recent proof, and what waits for it (if anything does) is one
/// of [`PIN_ACTS`].
pub async fn is_pin_next(ctx: &Ctx, caller: &Caller, waiting: Option<&Interrupted>) -> Result<bool, AppError> {
    let Via::Session(session) = caller.via else { return Ok(false) };
    let waits_for_it = waiting.is_none_or(|form| PIN_ACTS.iter().any(|(path, _)| *path == form.action));
    if !is_operator(caller) || !waits_for_it || store::find_pin(&ctx.db).await?.is_none() {
        return Ok(false);
    }
    let since = ctx.clock.now() - LASTS;
    Ok(proofs::is_proven_since(&ctx.db, caller.account, session, since).await? && !store::is_pin_proven_since(&ctx.db, session, since).await?)
}

/// Takes the PIN for this session of an operator; answers the form that waited for it. Whoever is none, and everybody where there is no
/// PIN, is answered as if there were no such field.
pub async fn prove_pin(ctx: &Ctx, caller: &Caller, from: &Visitor, typed: &SecretString, form: Option<&str>) -> Result<Option<Interrupted>, AppError> {
    let session = session_of(caller)?;
    let Some(hash) = store::find_pin(&ctx.db).await?.filter(|_| is_operator(caller)) else { return Err(AppError::invalid("", NO_PROOF)) };
    if !proofs::is_proven_since(&ctx.db, caller.account, session, ctx.clock.now() - LASTS).await? {
        return Err(AppError::conflict("More than ten minutes have passed. Confirm that it's you again, then enter the PIN."));
    }
    let who = caller.account.to_string();
    try_pin(ctx, caller, from, typed, &hash, &who).await?.map_err(|words| AppError::invalid("pin", words))?;
    let mut tx = ctx.db.begin().await?;
    if !store::upsert_proof(&mut tx, session, &hash, ctx.clock.now()).await? {
        return Err(AppError::invalid("pin", "The admin PIN was just changed. Enter the new one."));
    }
    record(ctx, &mut tx, change("admin_pin.proven", caller, from)).await?;
    tx.commit().await?;
    buckets::delete_buckets(&ctx.db, &attempts::ADMIN_PIN.buckets(ctx, &who)).await?;
    match form {
        Some(form) => look_at_form(ctx, caller, form).await,
        None => Ok(None),
    }
}

/// The caller of a request by key that has a PIN beside it: refused if it is wrong. It is not looked at where there is none, nor from
/// whoever could do nothing with it.
pub async fn with_pin(ctx: &Ctx, caller: Caller, from: &Visitor, given: &SecretString) -> Result<Caller, AppError> {
    if !is_operator(&caller) {
        return Ok(caller);
    }
    let Some(hash) = store::find_pin(&ctx.db).await? else { return Ok(caller) };
    let who = format!("keys:{}", caller.account);
    try_pin(ctx, &caller, from, given, &hash, &who).await?.map_err(AppError::refused)?;
    Ok(Caller { gave_pin: true, ..caller })
}

/// One guess: counted before it is looked at, given back if it is right or if the failure is ours. `Err` inside: the words about a wrong
/// one.
async fn try_pin(ctx: &Ctx, caller: &Caller, from: &Visitor, typed: &SecretString, hash: &str, who: &str) -> Result<Result<(), String>, AppError> {
    let attempt = Attempt::charge(ctx, &attempts::ADMIN_PIN, who).await?;
    match Passwords::of(ctx)?.verify(Some(hash), typed).await {
        Ok(Verdict::Right | Verdict::RightButOld) => {
            attempt.refund(ctx).await?;
            Ok(Ok(()))
        }
        Ok(Verdict::Wrong) => {
            let mut tx = ctx.db.begin().await?;
            record(ctx, &mut tx, change("admin_pin.refused", caller, from)).await?;
            tx.commit().await?;
            let pause = match attempt.wait {
                0 => String::new(),
                seconds => format!(" Wait {} before the next try.", wait_in_words(seconds)),
            };
            Ok(Err(format!("This is not the admin PIN.{pause}")))
        }
        Err(ours) => {
            attempt.refund(ctx).await?;
            Err(ours)
        }
    }
}

fn change<'a>(kind: &'a str, caller: &'a Caller, from: &Visitor) -> Change<'a> {
    Change { kind, workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) }
}

/// Whoever may do something that asks for the PIN.
fn is_operator(caller: &Caller) -> bool {
    [may::ACCOUNTS_MANAGE, may::ACCOUNTS_ACT_AS, may::KEYS_MANAGE, may::BLOCKS_MANAGE].iter().any(|permission| caller.may(permission))
}

fn must_be_in_the_shell(caller: &Caller) -> Result<(), AppError> {
    match caller.via {
        Via::Cli => Ok(()),
        _ => Err(AppError::NotFound),
    }
}

fn check(pin: &SecretString) -> Result<(), AppError> {
    let pin = pin.expose_secret();
    let first = pin.chars().next();
    match pin.chars().count() {
        n if !LENGTH.contains(&n) => Err(AppError::invalid("pin", "The PIN has 6 to 64 characters.")),
        _ if pin.chars().any(char::is_control) || pin.trim() != pin => {
            Err(AppError::invalid("pin", "The PIN has no control characters, and no space at either end."))
        }
        _ if pin.chars().all(|c| Some(c) == first) => Err(AppError::invalid("pin", "The PIN has more than one kind of character.")),
        _ => Ok(()),
    }
}
