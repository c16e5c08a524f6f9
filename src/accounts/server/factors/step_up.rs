//! Proof again before dangerous acts (R50): one that is older than ten minutes does not do. It is given on `/step-up`, by whatever the
//! account has, and gives the session a new cookie; the old one is dead in the same transaction (R23).

use super::{
    PIN_ACTS, SendFactorChanged, Told,
    admin_pin::is_pin_next,
    interrupted::{self, Interrupted},
    passkeys::{self, Purpose},
    pending::Offered,
    recovery, session_of, totp,
};
use crate::{
    accounts::{
        model::{Caller, StepUpView, Via},
        server::{
            Visitor, acting,
            attempts::{self, Attempt},
            openid::linked_providers,
            passwords::{Passwords, Verdict},
            sessions,
            sign_up::about,
            store::{
                accounts::{self, Account},
                factors as store, programs,
            },
        },
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs, session},
    values::{SessionId, permission_names as may},
};
use secrecy::SecretString;
use time::Duration;
use tower_sessions::Session;

/// How old a proof may be.
pub(super) const LASTS: Duration = Duration::minutes(10);

/// Every act that needs a recent proof, by its server function, and how the page says what waits. Their operations call
/// [`require_recent_proof`]. Changing the password is not among them: the present one, typed beside it, is the proof (R8). Making
/// operators is not either: only the command line does. Of acts on keys those that let a key for Tollgate itself do more need it.
pub const ACTS: &[(&str, &str)] = &[
    ("/fn/tollgate/accounts/api/factors/start_totp", "set up an authenticator app"),
    ("/fn/tollgate/accounts/api/factors/remove_totp", "remove your authenticator app"),
    ("/fn/tollgate/accounts/api/factors/make_recovery_codes", "make new recovery codes"),
    ("/fn/tollgate/accounts/api/openid/link_with", "link another way to sign in"),
    ("/fn/tollgate/accounts/api/openid/confirm_link", "link another way to sign in"),
    ("/fn/tollgate/accounts/api/openid/unlink", "unlink a way to sign in"),
    ("/fn/tollgate/accounts/api/passkeys/start_passkey", "add a passkey"),
    ("/fn/tollgate/accounts/api/passkeys/remove_passkey", "remove a passkey"),
    ("/fn/tollgate/accounts/api/sessions/end_session", "sign out another device"),
    ("/fn/tollgate/accounts/api/sessions/end_sessions", "sign out other devices"),
    ("/fn/tollgate/accounts/api/policies/save_policy", "change how long sessions and keys last"),
    ("/fn/tollgate/accounts/api/programs/approve_program", "let a program sign in as you"),
    ("/fn/tollgate/accounts/api/email_change/ask_email_change", "change your email"),
    ("/fn/tollgate/accounts/api/leaving/ask_export", "export all your data"),
    ("/fn/tollgate/accounts/api/leaving/deactivate", "deactivate your account"),
    ("/fn/tollgate/accounts/api/leaving/ask_deletion", "delete your account"),
    ("/fn/tollgate/keys/api/create_key", "create a key for Tollgate itself"),
    ("/fn/tollgate/keys/api/rotate_key", "rotate a key for Tollgate itself"),
    ("/fn/tollgate/keys/api/save_key", "change what a key may do"),
    ("/fn/tollgate/keys/api/enable_key", "enable a key for Tollgate itself"),
    ("/fn/tollgate/keys/api/extend_secret", "change when an old secret ends"),
    ("/fn/tollgate/keys/api/turn_on_signing", "change how calls of a key are signed"),
    ("/fn/tollgate/keys/api/turn_off_signing", "change how calls of a key are signed"),
    ("/fn/tollgate/keys/api/change_many", "change many keys"),
    ("/fn/tollgate/admin/api/enable_key", "enable a key for Tollgate itself"),
    ("/fn/tollgate/admin/api/many/change_many_keys", "change other people's keys"),
    ("/fn/tollgate/accounts/api/acting/act_as", "act as an account"),
    ("/fn/tollgate/admin/api/disable_account", "disable an account"),
    ("/fn/tollgate/admin/api/ban_account", "ban an account"),
    ("/fn/tollgate/admin/api/add_ban", "ban a mail domain or a network"),
    ("/fn/tollgate/admin/api/end_session", "end somebody's session"),
    ("/fn/tollgate/admin/api/end_sessions", "end somebody's sessions"),
    ("/fn/tollgate/admin/api/reset_factors", "reset somebody's second factors"),
    ("/fn/tollgate/admin/api/many/change_many_accounts", "change many accounts"),
    ("/fn/tollgate/admin/api/imports/run_account_import", "import accounts"),
    ("/fn/tollgate/admin/api/fields/delete_field", "delete a profile field"),
];

/// What is offered as proof.
#[derive(Debug, Clone)]
pub enum StepUpProof {
    Password(SecretString),
    Factor(Offered),
    /// They just signed in at a provider that is linked to the account (`openid::finish` has checked it).
    Elsewhere,
}

impl StepUpProof {
    /// Nobody gets it right by trying.
    const fn is_unguessable(&self) -> bool {
        matches!(self, Self::Elsewhere | Self::Factor(Offered::Passkey(_)))
    }
}

/// Refuses a signed-in browser whose last proof, at sign-in or by a step-up, is older than ten minutes, and a program that did not show
/// credentials within them: refreshing proves nothing, nor does a device that a browser approved. Keys and the command line are governed
/// by their permissions.
pub async fn require_recent_proof(ctx: &Ctx, caller: &Caller) -> Result<(), AppError> {
    let since = ctx.clock.now() - LASTS;
    match caller.via {
        Via::Key(_) | Via::Cli => Ok(()),
        // Whose proof would it be? The operator's says nothing of the account.
        Via::Acting(_) => Err(AppError::refused(acting::NOT_NOW)),
        Via::Token(family) if programs::is_proven_since(&ctx.db, caller.account, family, since).await? => Ok(()),
        Via::Token(_) => Err(AppError::refused(
            "This needs a proof of who you are that is not older than ten minutes. Get new tokens by email and password, or do it in a browser.",
        )),
        Via::Session(session) => match store::is_proven_since(&ctx.db, caller.account, session, since).await? {
            true => Ok(()),
            false => Err(AppError::StepUpNeeded),
        },
    }
}

/// Who may begin to set up a factor: in a browser, with a recent proof and a confirmed address.
pub(super) async fn must_be_ready(ctx: &Ctx, caller: &Caller) -> Result<(SessionId, Account), AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let session = session_of(caller)?;
    require_recent_proof(ctx, caller).await?;
    let account = accounts::find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    if account.is_verified { Ok((session, account)) } else { Err(AppError::conflict("Confirm your email first.")) }
}

/// What `/step-up` shows: what waits for the proof, and what the account can prove itself with.
pub async fn step_up_view(ctx: &Ctx, caller: &Caller, form: Option<&str>) -> Result<StepUpView, AppError> {
    let waiting = match form {
        Some(id) => interrupted::look_at_form(ctx, caller, id).await?,
        None => None,
    };
    let account = accounts::find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    let facts = store::find_facts(&ctx.db, caller.account).await?;
    let act = waiting.as_ref().and_then(|form| ACTS.iter().chain(PIN_ACTS).find(|(path, _)| *path == form.action)).map(|(_, words)| (*words).to_owned());
    let asks_pin = is_pin_next(ctx, caller, waiting.as_ref()).await?;
    Ok(StepUpView {
        act,
        back: waiting.map_or_else(|| "/home".to_owned(), |form| form.page),
        email: account.email,
        has_password: account.password_hash.is_some(),
        has_app: facts.totp_since.is_some(),
        has_passkey: facts.passkeys > 0 && passkeys::are_passkeys_possible(ctx),
        codes_left: u64::try_from(facts.codes_left).unwrap_or(0),
        providers: linked_providers(ctx, caller.account).await?,
        asks_pin,
    })
}

/// Proves that it is the caller who sits at this session; answers the form that waited for it. Failures count together, whatever is offered, and
/// apart from those of signing in: nobody outside can shut somebody out who is in.
pub async fn step_up(
    ctx: &Ctx,
    caller: &Caller,
    from: &Visitor,
    session: &Session,
    proof: &StepUpProof,
    form: Option<&str>,
) -> Result<Option<Interrupted>, AppError> {
    session_of(caller)?;
    let waiting = match form {
        Some(form) => interrupted::look_at_form(ctx, caller, form).await?,
        None => None,
    };
    let attempt = match Attempt::charge(ctx, &attempts::CURRENT_PASSWORD, &caller.account.to_string()).await {
        // What is guessed is tried no more; this is not guessed.
        Err(AppError::Invalid { .. }) if proof.is_unguessable() => None,
        charged => Some(charged?),
    };
    match (accept(ctx, caller, from, proof).await, attempt) {
        (Ok(true), Some(attempt)) => attempt.forgive(ctx).await?,
        (Ok(true), None) => {}
        (Ok(false), attempt) => return Err(wrong(proof, attempt.as_ref())),
        (Err(ours), attempt) => {
            if let Some(attempt) = attempt {
                attempt.refund(ctx).await?;
            }
            return Err(ours);
        }
    }
    sessions::take_up(session).await?;
    Ok(waiting)
}

async fn accept(ctx: &Ctx, caller: &Caller, from: &Visitor, proof: &StepUpProof) -> Result<bool, AppError> {
    if let StepUpProof::Password(password) = proof {
        let account = accounts::find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
        if Passwords::of(ctx)?.verify(account.password_hash.as_deref(), password).await? == Verdict::Wrong {
            return Ok(false);
        }
    }
    let asserted = match proof {
        StepUpProof::Password(_) | StepUpProof::Elsewhere => None,
        StepUpProof::Factor(offered) => passkeys::asserted(ctx, from, Purpose::StepUp, &session_of(caller)?.to_string(), caller.account, offered).await?,
    };
    let change = |kind| Change { kind, workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    let mut tx = ctx.db.begin().await?;
    let is_right = match proof {
        StepUpProof::Password(_) | StepUpProof::Elsewhere => true,
        StepUpProof::Factor(Offered::Code(typed)) => totp::accept(ctx, &mut tx, caller.account, typed).await?,
        StepUpProof::Factor(Offered::Recovery(typed)) => recovery::accept(ctx, &mut tx, caller.account, typed).await?,
        StepUpProof::Factor(Offered::Passkey(_)) => match &asserted {
            Some(asserted) => passkeys::mark_used(ctx, &mut tx, asserted).await?,
            None => false,
        },
    };
    if !is_right {
        return Ok(false);
    }
    if !session::release(&mut tx, caller.account, session_of(caller)?, ctx.clock.now()).await? {
        return Err(AppError::Unauthenticated);
    }
    record(ctx, &mut tx, change("session.proven")).await?;
    if let StepUpProof::Factor(Offered::Recovery(_)) = proof {
        let cause = record(ctx, &mut tx, change("factor.code_used")).await?;
        jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: caller.account, cause, told: Told::CodeUsed }).await?;
    }
    tx.commit().await?;
    Ok(true)
}

fn wrong(proof: &StepUpProof, attempt: Option<&Attempt>) -> AppError {
    let (field, what) = match proof {
        StepUpProof::Password(_) => ("password", "This is not your password."),
        StepUpProof::Factor(Offered::Code(_)) => ("code", "This code is wrong, expired, or was already used. Enter the one that your app shows now."),
        StepUpProof::Factor(Offered::Recovery(_)) => ("recovery_code", "This recovery code is wrong, or was already used."),
        StepUpProof::Elsewhere => ("", "This proves nothing here."),
        StepUpProof::Factor(Offered::Passkey(_)) => ("passkey", "This passkey was not accepted, or the request expired after five minutes. Try again."),
    };
    let pause = attempt.map(|attempt| attempt.pause("")).unwrap_or_default();
    AppError::invalid(field, format!("{what}{pause}"))
}
