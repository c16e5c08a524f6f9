//! What proves who somebody is besides the password, and when it must be proven again: an authenticator app (`totp`), recovery codes
//! (`recovery`), `passkeys`, the moment between the right password and the session (`pending`), proof again before dangerous acts
//! (`step_up`) and the forms that wait for it (`interrupted`), one more proof for operators (`admin_pin`), and how a lost factor is
//! taken away (`reset`).
//!
//! Failures of every factor are counted together, at sign-in with the passwords (R19). A mail is no second factor (R27).

mod admin_pin;
mod code;
mod interrupted;
mod passkeys;
mod pending;
mod pin_acts;
mod recovery;
mod resealing;
mod reset;
mod step_up;
mod told;
mod totp;

pub use admin_pin::{NO_PROOF, clear_admin_pin, is_pin_next, prove_pin, require_admin_proof, require_pin, set_admin_pin, with_pin};
pub use interrupted::{Interrupted, RESUME, keep_form, look_at_form, take_form};
pub(super) use passkeys::{FirstPasskey, checked_passkey, insert_first};
pub use passkeys::{
    add_passkey, are_passkeys_possible, ask_passkey, ask_passkey_of_sign_up, browser_of, list_passkeys, new_passkey, remove_passkey, rename_passkey,
    sign_in_with_passkey, start_passkey,
};
pub use pending::{Offered, PENDING_LASTS, accept_second_factor, finish_sign_in, pend, pending_sign_in};
pub use pin_acts::{HARMLESS, PIN_ACTS};
pub use recovery::make_recovery_codes;
pub use resealing::{CODES, PASSWORDS, PIN, ResealSeeds, SEEDS, held_by_master_keys, reseal_seeds};
pub use reset::{ResetFactors, ask_reset, reset_factors_now, stop_reset, waiting_reset};
pub use step_up::{ACTS, StepUpProof, require_recent_proof, step_up, step_up_view};
pub use told::{SendFactorChanged, Told};
pub use totp::{confirm_totp, remove_totp, start_totp, totp_setup};

use super::{acting, profile::when, store::factors as store};
use crate::{
    accounts::model::{Caller, Factors, Via},
    error::AppError,
    platform::{Ctx, config::SecondFactor},
    values::{AccountId, SessionId, permission_names as may},
};

/// True if a password is not enough for this account to come in.
pub async fn has_second_factor(ctx: &Ctx, account: AccountId) -> Result<bool, AppError> {
    Ok(store::has_second(&ctx.db, account).await?)
}

/// What the caller has besides the password.
pub async fn factors(ctx: &Ctx, caller: &Caller) -> Result<Factors, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    view(ctx, caller, caller.account, is_required_of(ctx, caller)).await
}

/// The same of any account, for operators; times in their zone.
pub async fn factors_of(ctx: &Ctx, caller: &Caller, account: AccountId) -> Result<Factors, AppError> {
    caller.require(&may::ADMIN_READ)?;
    view(ctx, caller, account, false).await
}

/// True if this site requires a second factor of the caller (`auth.second_factor`) and there is none: until there is, nothing else can
/// be done in a browser, nor by a program that signed in.
pub fn owes_factor(ctx: &Ctx, caller: &Caller, has_second: bool) -> bool {
    matches!(caller.via, Via::Session(_) | Via::Token(_)) && is_required_of(ctx, caller) && !has_second
}

/// The same, asked of the database.
pub async fn is_factor_owed(ctx: &Ctx, caller: &Caller) -> Result<bool, AppError> {
    Ok(owes_factor(ctx, caller, has_second_factor(ctx, caller.account).await?))
}

fn is_required_of(ctx: &Ctx, caller: &Caller) -> bool {
    match ctx.config.auth.second_factor {
        SecondFactor::Optional => false,
        SecondFactor::Operators => caller.may(&may::ADMIN_READ),
        SecondFactor::All => true,
    }
}

async fn view(ctx: &Ctx, reader: &Caller, account: AccountId, is_required: bool) -> Result<Factors, AppError> {
    let facts = store::find_facts(&ctx.db, account).await?;
    let now = ctx.clock.now();
    let words = |at| when(at, now, &reader.time_zone);
    Ok(Factors {
        app_since: facts.totp_since.map(words),
        app_used: facts.totp_used.map(words),
        codes_left: u64::try_from(facts.codes_left).unwrap_or(0),
        passkeys: u64::try_from(facts.passkeys).unwrap_or(0),
        reset_due: facts.reset_due.map(words),
        is_required,
    })
}

/// The browser session that asks; factors are set up nowhere else.
pub(super) fn session_of(caller: &Caller) -> Result<SessionId, AppError> {
    match caller.via {
        Via::Session(id) => Ok(id),
        Via::Key(_) | Via::Token(_) | Via::Cli => Err(AppError::refused("This is done in a signed-in browser only.")),
        Via::Acting(_) => Err(AppError::refused(acting::NOT_NOW)),
    }
}
