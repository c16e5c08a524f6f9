//! The device flow (RFC 8628): a program without a browser shows a short code, its person types it on `/device` and says yes or no.
//!
//! Against guessing: eight of twenty letters for ten minutes, wrong ones counted by account and by network. Against phishing (§5.4): the
//! page names address, time and device of who asks, nothing is approved by opening a link, and saying yes needs a recent proof. Such
//! tokens never count as a proof themselves.

use super::{Ground, Issued, TokenError, about_program, begin, device_requests as store, name};
use crate::{
    accounts::{
        model::{Caller, ProgramView},
        server::{
            Visitor,
            attempts::{self, Attempt},
            factors::{require_recent_proof, session_of},
            profile::in_full,
            store::{accounts, departures::lock_account, factors::is_proven_since},
            visitor::device_in_words,
        },
    },
    activity::server::record,
    error::AppError,
    platform::{
        Ctx,
        crypto::{Rng, sha256},
    },
    values::permission_names as may,
};
use secrecy::{ExposeSecret, SecretString};
use time::{Duration, OffsetDateTime};

/// How long a program waits for its person.
pub const LIVES: Duration = Duration::minutes(10);
/// Seconds between two questions, and how many more after one that came too early (§3.5).
pub const INTERVAL: i32 = 5;
/// Letters that are not mistaken for each other and spell no words (§6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const CODE_LETTERS: usize = 8;

/// What a program gets to begin with.
pub struct DeviceCodes {
    /// For the program: it polls with it.
    pub device: SecretString,
    /// For the person: `WXZB-CDFG`.
    pub user: String,
}

/// A program asks to be let in.
pub async fn ask_device(ctx: &Ctx, from: &Visitor, program: &str) -> Result<DeviceCodes, AppError> {
    let program = name(program)?;
    // Never given back: what is asked for and not used fills a table.
    Attempt::charge(ctx, &attempts::PROGRAM_FROM, &attempts::network(from.address)).await?;
    let (device, user) = (ctx.rng.base62(43), letters(&ctx.rng));
    let now = ctx.clock.now();
    let new = store::NewRequest {
        id: ctx.new_id(),
        device_hash: &sha256(&device),
        user_hash: &ctx.vault.keyed_hash(USER_CODE, user.as_bytes()),
        program: &program,
        device: &from.device,
        address: from.address,
        now,
        expires_at: now + LIVES,
        interval: INTERVAL,
    };
    store::insert_request(&ctx.db, new).await?;
    Ok(DeviceCodes { device: device.into(), user: grouped(&user) })
}

/// Who waits under a typed code, for the person at a browser.
pub async fn look_at_program(ctx: &Ctx, caller: &Caller, from: &Visitor, typed: &str) -> Result<ProgramView, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    session_of(caller)?;
    let request = find(ctx, caller, from, typed).await?.ok_or_else(nobody_waits)?;
    if request.decided.is_some() {
        return Err(nobody_waits());
    }
    Ok(ProgramView {
        code: grouped(&plain(typed)),
        program: request.program,
        device: device_in_words(&request.device),
        address: request.address.addr().to_string(),
        asked: in_full(request.created_at, &caller.time_zone),
        own_address: from.address.to_string(),
    })
}

/// Says yes or no. Saying the same twice is saying it once. Answers what the program calls itself.
pub async fn decide(ctx: &Ctx, caller: &Caller, from: &Visitor, typed: &str, is_approved: bool) -> Result<String, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let session = session_of(caller)?;
    if is_approved {
        require_recent_proof(ctx, caller).await?;
    }
    let request = find(ctx, caller, from, typed).await?.ok_or_else(nobody_waits)?;
    if request.decided == Some((caller.account, is_approved)) {
        return Ok(request.program);
    }
    let mut tx = ctx.db.begin().await?;
    // The account first: a new password or "sign out everywhere" ends what was approved before it, and this session.
    lock_account(&mut tx, caller.account).await?;
    if !is_proven_since(&mut *tx, caller.account, session, OffsetDateTime::UNIX_EPOCH).await? {
        return Err(AppError::Unauthenticated);
    }
    if !store::update_decided(&mut tx, request.id, caller.account, is_approved, ctx.clock.now()).await? {
        return Err(nobody_waits());
    }
    let holder = accounts::find_account(&mut *tx, caller.account).await?.ok_or(AppError::NotFound)?;
    let kind = if is_approved { "program.approved" } else { "program.denied" };
    record(ctx, &mut tx, about_program(kind, caller.account, &holder, from, &request.program)).await?;
    tx.commit().await?;
    Ok(request.program)
}

/// The program asks whether it was let in; once yes, it gets its tokens, once.
pub async fn poll(ctx: &Ctx, from: &Visitor, device_code: &SecretString, program: Option<&str>) -> Result<Issued, TokenError> {
    let now = ctx.clock.now();
    let polled = store::poll(&ctx.db, &sha256(device_code.expose_secret()), INTERVAL, now).await?.ok_or(TokenError::InvalidGrant)?;
    if program.is_some_and(|program| program != polled.program) {
        return Err(TokenError::InvalidGrant);
    }
    match polled.decided {
        _ if polled.expires_at <= now => Err(TokenError::Expired),
        _ if polled.is_too_fast => Err(TokenError::SlowDown),
        None => Err(TokenError::Pending),
        Some((_, false)) => Err(TokenError::Denied),
        Some((account, true)) => begin(ctx, from, account, &polled.program, Ground::Approved(polled.id)).await,
    }
}

/// Counts the try before it looks, and gives it back if the code is one.
async fn find(ctx: &Ctx, caller: &Caller, from: &Visitor, typed: &str) -> Result<Option<store::Request>, AppError> {
    let code = plain(typed);
    if code.len() != CODE_LETTERS {
        return Err(AppError::invalid("typed", "A code has eight letters, such as WXZB-CDFG."));
    }
    let by_account = Attempt::charge(ctx, &attempts::PROGRAM_CODE, &caller.account.to_string()).await?;
    let by_network = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let found = store::find_request(&ctx.db, &user_hashes(ctx, &code), ctx.clock.now()).await?;
    if found.is_some() {
        by_account.refund(ctx).await?;
        by_network.refund(ctx).await?;
    }
    Ok(found)
}

fn nobody_waits() -> AppError {
    AppError::invalid("typed", "No program is waiting for this code. Check the letters. After ten minutes, the program shows a new code.")
}

/// Few letters are guessed: without the master key their hash tells nothing.
const USER_CODE: &str = "device user code";

fn user_hashes(ctx: &Ctx, code: &str) -> Vec<Vec<u8>> {
    ctx.vault.keyed_hashes(USER_CODE, code.as_bytes()).iter().map(|hash| hash.to_vec()).collect()
}

/// Each letter equally likely: bytes from 240 on are thrown away.
fn letters(rng: &Rng) -> String {
    let mut out = String::with_capacity(CODE_LETTERS);
    while out.len() < CODE_LETTERS {
        for byte in rng.bytes::<16>() {
            if byte < 240 && out.len() < CODE_LETTERS {
                out.push(char::from(LETTERS[usize::from(byte % 20)]));
            }
        }
    }
    out
}

/// `WXZB-CDFG`.
fn grouped(code: &str) -> String {
    let (first, second) = code.split_at(code.len() / 2);
    format!("{first}-{second}")
}

/// As it was made, however it is typed: in small letters, with blanks or without the hyphen.
fn plain(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = letters(&Rng::seeded(7));
        assert!(code.len() == 8 && code.bytes().all(|b| LETTERS.contains(&b)), "{code}");
        let shown = grouped(&code);
        for typed in [shown.clone(), shown.to_lowercase(), code.clone(), format!(" {} ", shown.replace('-', " - "))] {
            assert_eq!(plain(&typed), code, "{typed}");
        }
        assert_eq!(grouped(&plain("wxzbcdfg")), "WXZB-CDFG");
    }
}
