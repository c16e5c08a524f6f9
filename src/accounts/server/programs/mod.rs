//! Programs that sign in (`POST /api/v1/auth/token`): by email and password, or let in by a person in a browser (`device`). What they get
//! is an access token for a quarter of an hour and a refresh token, which is another one after each use (`refreshing`, R71).
//!
//! All tokens of one sign-in are a family. It is listed and ended like a session, and by everything that ends sessions: a new password,
//! a ban, leaving, "this wasn't me"; and a policy that lets sessions last for less holds it, too (`store::programs`). Whether its account may come in is asked for every request (`entry`), as for everybody.

mod device;
mod jobs;
mod mail;
mod refreshing;
mod text;

pub mod device_http;
pub mod http;

pub use device::{DeviceCodes, ask_device, decide, look_at_program, poll};
pub use jobs::{SendProgram, register};
pub use refreshing::{GRACE, refresh};
pub use text::is_access_token;

use super::{
    Visitor,
    caller::entering,
    factors::{Offered, accept_second_factor},
    policies::most_of,
    sign_in::{Proven, SignIn, sign_in},
    sign_up::about,
    store::{
        accounts,
        departures::lock_account,
        device_requests,
        programs::{self as store, Access, NewFamily, NewToken},
    },
};
use crate::{
    accounts::model::{Caller, Via},
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, crypto::sha256, jobs::enqueue},
    values::{AccountId, SessionId},
};
pub use mail::Told;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long an access token works.
pub const ACCESS_LIVES: Duration = Duration::minutes(15);
/// What a program is told whose account has yet to set up the second factor that this site requires.
pub const OWES_FACTOR: &str = "This site requires a second factor of this account. Set one up in a browser first.";
/// Use is noted at most once in this time.
const TOUCH_EVERY: Duration = Duration::minutes(1);
/// The longest name of a program, in characters.
const NAME_CHARS: usize = 60;

/// Why there are no tokens. The first six are words of RFC 6749 §5.2 and RFC 8628 §3.5.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("This grant_type is not known here. There are password, refresh_token and urn:ietf:params:oauth:grant-type:device_code.")]
    UnsupportedGrant,
    #[error("This was used already, has ended, or never existed. Sign in again.")]
    InvalidGrant,
    #[error("Nobody has decided yet. Ask again after the interval.")]
    Pending,
    #[error("This is asked too often. From now on wait five seconds more between two questions.")]
    SlowDown,
    #[error("The person said no.")]
    Denied,
    #[error("This took too long. Begin again.")]
    Expired,
    #[error("This account has a second factor. Send the same again with code, the six digits of the app, or with recovery_code.")]
    CodeNeeded,
    /// What was shown proves nothing, or the account may not come in.
    #[error(transparent)]
    Refused(AppError),
    #[error(transparent)]
    Other(#[from] AppError),
}

impl From<sqlx::Error> for TokenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Tokens on their way out: the only place where they stand in clear.
pub struct Issued {
    pub access: SecretString,
    pub refresh: SecretString,
    /// Seconds that the access token has left.
    pub expires_in: i64,
}

/// What a family begins with.
#[derive(Debug, Clone, Copy)]
enum Ground {
    /// Email and password, and the second factor where there is one.
    Credentials { proven: Proven, with_second: bool },
    /// The request that a person approved.
    Approved(Uuid),
}

/// Signs a program in by what its person typed into it, through the same door and the same locks as a browser.
pub async fn sign_in_program(
    ctx: &Ctx,
    from: &Visitor,
    program: &str,
    email: &str,
    password: &SecretString,
    offered: Option<&Offered>,
) -> Result<Issued, TokenError> {
    let program = name(program)?;
    let (outcome, with_second) = match sign_in(ctx, from, email, password).await.map_err(TokenError::Refused)? {
        SignIn::SecondFactor(pending) => {
            let offered = offered.ok_or(TokenError::CodeNeeded)?;
            let finished = accept_second_factor(ctx, from, &pending, offered).await.map_err(|error| match error {
                AppError::Unauthenticated => TokenError::InvalidGrant,
                refused => TokenError::Refused(refused),
            });
            (finished?, true)
        }
        outcome => (outcome, false),
    };
    let refused = |words: &str| Err(TokenError::Refused(AppError::conflict(words)));
    match outcome {
        SignIn::Done(proven) => begin(ctx, from, proven.account, &program, Ground::Credentials { proven, with_second }).await,
        SignIn::Unproven(_) => refused("This email is not confirmed yet. Confirm it, then sign in."),
        SignIn::Departed(_) => refused("This account was left. Sign in in a browser to bring it back."),
        SignIn::SecondFactor(_) => Err(TokenError::CodeNeeded),
    }
}

/// A family with its first tokens. The account is held meanwhile: a password that was changed, a factor that was set up and an approval
/// that was taken back since the proof begin none.
async fn begin(ctx: &Ctx, from: &Visitor, account: AccountId, program: &str, ground: Ground) -> Result<Issued, TokenError> {
    let family: SessionId = ctx.new_id();
    must_be_let_in(ctx, from, account, family).await?;
    let (now, auth) = (ctx.clock.now(), &ctx.config.auth);
    let mut tx = ctx.db.begin().await?;
    if !lock_account(&mut tx, account).await? {
        return Err(TokenError::InvalidGrant);
    }
    let is_new = match ground {
        Ground::Credentials { proven, with_second } => {
            if !accounts::is_password_of(&mut *tx, account, proven.password_set_at).await? {
                return Err(TokenError::InvalidGrant);
            }
            if !with_second && super::store::factors::has_second(&mut *tx, account).await? {
                return Err(TokenError::CodeNeeded);
            }
            !store::has_family_like(&mut tx, account, program, &from.device, &from.address.to_canonical().to_string()).await?
        }
        Ground::Approved(request) => {
            if !device_requests::take_approved(&mut tx, request, now).await? {
                return Err(TokenError::InvalidGrant);
            }
            true
        }
    };
    let (access, refresh) = (text::mint(&ctx.rng, text::ACCESS), text::mint(&ctx.rng, text::REFRESH));
    let new = NewFamily {
        id: family,
        account,
        program,
        device: &from.device,
        address: from.address,
        repeat: &sealed(ctx, family, &access, &refresh)?,
        now,
        proved_at: matches!(ground, Ground::Credentials { .. }).then_some(now),
        idle_expires_at: now + auth.token_idle,
        absolute_expires_at: now + auth.token_max,
    };
    store::insert_family(&mut tx, new).await?;
    keep(&mut tx, family, 1, (&access, &refresh), now, now + auth.token_max).await?;
    let most = most_of(ctx, &mut *tx, account).await?;
    store::delete_oldest_families(&mut tx, account, most).await?;
    let holder = accounts::find_account(&mut *tx, account).await?.ok_or(TokenError::InvalidGrant)?;
    let cause = record(ctx, &mut tx, about_program("program.signed_in", account, &holder, from, program)).await?;
    if is_new {
        enqueue(ctx, &mut tx, &SendProgram { account, cause, told: Told::SignedIn }).await?;
    }
    tx.commit().await?;
    Ok(Issued { access: access.into(), refresh: refresh.into(), expires_in: ACCESS_LIVES.whole_seconds() })
}

/// The family of an access token, while the token works. Whether its account may come in is another question.
pub(super) async fn look_up(ctx: &Ctx, token: &str) -> Result<Option<Access>, AppError> {
    if !is_access_token(token) {
        return Ok(None);
    }
    Ok(store::find_access(&ctx.db, &sha256(token), ctx.clock.now()).await?)
}

/// Notes that a program is in use.
pub(super) async fn note_use(ctx: &Ctx, access: Access) -> Result<(), AppError> {
    let now = ctx.clock.now();
    if now - access.last_used_at >= TOUCH_EVERY {
        store::update_used(&ctx.db, access.family, now).await?;
    }
    Ok(())
}

/// Ends the family of the calling program, with all its tokens.
pub async fn sign_out_program(ctx: &Ctx, caller: &Caller, from: &Visitor) -> Result<(), AppError> {
    match caller.via {
        Via::Token(family) => end(ctx, from, caller.account, family).await,
        Via::Session(_) | Via::Key(_) | Via::Cli | Via::Acting(_) => Ok(()),
    }
}

/// The same by one of its tokens, whether that still works or not (RFC 7009). An unknown one ends nothing, and is not told so.
pub async fn sign_out_by_token(ctx: &Ctx, from: &Visitor, token: &SecretString) -> Result<(), AppError> {
    let found = store::find_family(&ctx.db, &sha256(token.expose_secret())).await?;
    match found {
        Some((family, account)) => end(ctx, from, account, family).await,
        None => Ok(()),
    }
}

async fn end(ctx: &Ctx, from: &Visitor, account: AccountId, family: SessionId) -> Result<(), AppError> {
    let mut tx = ctx.db.begin().await?;
    // The account first, as everybody does.
    lock_account(&mut tx, account).await?;
    if store::delete_family(&mut tx, account, family).await?
        && let Some(holder) = accounts::find_account(&mut *tx, account).await?
    {
        record(ctx, &mut tx, about_program("program.signed_out", account, &holder, from, "")).await?;
    }
    Ok(tx.commit().await?)
}

/// Refuses tokens to an account that may not come in, or owes a second factor.
async fn must_be_let_in(ctx: &Ctx, from: &Visitor, account: AccountId, family: SessionId) -> Result<(), TokenError> {
    let entered = entering(ctx, account, Via::Token(family), Some(from.address)).await?.ok_or(TokenError::InvalidGrant)?;
    if entered.owes_factor { Err(TokenError::Refused(AppError::refused(OWES_FACTOR))) } else { Ok(()) }
}

/// Writes the hashes of a pair.
async fn keep(
    conn: &mut PgConnection,
    family: SessionId,
    generation: i32,
    (access, refresh): (&str, &str),
    now: OffsetDateTime,
    ends: OffsetDateTime,
) -> sqlx::Result<()> {
    let access_ends = ends.min(now + ACCESS_LIVES);
    store::insert_token(&mut *conn, NewToken { hash: &sha256(access), family, is_refresh: false, generation, expires_at: access_ends }).await?;
    store::insert_token(conn, NewToken { hash: &sha256(refresh), family, is_refresh: true, generation, expires_at: ends }).await
}

const SEALED: &str = "token pair";

/// A pair as it is kept for whoever sends the refresh token before it once more at once.
fn sealed(ctx: &Ctx, family: SessionId, access: &str, refresh: &str) -> Result<Vec<u8>, AppError> {
    ctx.vault.seal(&ctx.rng, SEALED, family.uuid().as_bytes(), format!("{access} {refresh}").as_bytes()).map_err(AppError::internal)
}

fn opened(ctx: &Ctx, family: SessionId, sealed: &[u8]) -> Option<(String, String)> {
    let plain = String::from_utf8(ctx.vault.open(SEALED, family.uuid().as_bytes(), sealed)?).ok()?;
    plain.split_once(' ').map(|(access, refresh)| (access.to_owned(), refresh.to_owned()))
}

/// What a program calls itself: one line of letters, digits and what names are joined with, so that no name pretends to be more.
fn name(text: &str) -> Result<String, AppError> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > NAME_CHARS {
        return Err(AppError::invalid("client_id", format!("The name of a program has at most {NAME_CHARS} characters.")));
    }
    match text.chars().all(|c| c.is_alphanumeric() || " -_.()/+@".contains(c)) {
        true => Ok(text),
        false => Err(AppError::invalid("client_id", "The name of a program has letters, digits, blanks and -_.()/+@ only.")),
    }
}

fn about_program<'a>(kind: &'a str, account: AccountId, holder: &'a accounts::Account, from: &Visitor, program: &str) -> Change<'a> {
    let mut data = from.facts();
    if !program.is_empty() {
        // Under this key it goes when the account is erased.
        data["name"] = json!(program);
    }
    Change { kind, workspace: holder.workspace, data, ..about(account, &holder.name, from) }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn s98_a_program_cannot_call_itself_whatever_it_likes() {
        assert_eq!(name("  Müller   Sync 2.1 (laptop) ").as_deref(), Ok("Müller Sync 2.1 (laptop)"));
        assert_eq!(name("").as_deref(), Ok(""));
        for wrong in ["<b>Tollgate</b>", "evil\u{202e}knab", "a\u{0}b", &"x".repeat(61)] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }
}
