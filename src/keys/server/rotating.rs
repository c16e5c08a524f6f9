//! New secrets for a key, and the end of old ones. The key stays the same: its id, limits, history and usage; only what a program must
//! send changes.
//!
//! An old secret lives on for a time, until a date, or until the newest is first used. That first use is noticed by the gate, which refuses
//! the old ones from that call on, on its own node (`gate::facts::Waits`). It is told with the meter's next batch, two seconds later (ten at
//! most, where very many keys are in use) while there is a database, and a job (`jobs::EndReplaced`) ends them for all nodes: the second end is without effect.

use super::{
    apis,
    change::{self, Changed, Done},
    creating::{Created, SHOWN_FOR, must_be_proven},
    expiring, proof, secret,
    store::secrets,
};
use crate::{
    accounts::{Caller, Via},
    error::AppError,
    keys::model::{Act, Api, Grace, Key, Spread},
    platform::{Ctx, crypto::sha256},
    values::{KeyId, SecretId},
};
use time::{Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A key with its new secret, and on which nodes that is known (and the end of the old one).
#[derive(Debug, Clone)]
pub struct Rotated {
    pub created: Created,
    pub spread: Spread,
}

/// The longest that an old secret may live on when it is said in seconds.
pub const MAX_GRACE: u32 = 30 * 86_400;
/// Said as a date; and the latest end of one that waits for the first use of the newest.
const LATEST: Duration = Duration::days(365);

/// Adds a secret; the old ones are accepted for the `grace`. `token` of a page makes it safe to send twice.
pub async fn rotate_key(ctx: &Ctx, caller: &Caller, id: KeyId, grace: Grace, token: Option<&str>) -> Result<Rotated, AppError> {
    let now = ctx.clock.now();
    let (until, until_first_use) = end(grace, now)?;
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    change::must_live(&key)?;
    let api = apis::api_for_key(ctx, Some(key.api.as_str())).await?;
    may_hand_out(ctx, caller, &key, &api).await?;
    let environment = key.environment.as_str();
    let minted = match token {
        Some(token) => {
            let words: [&str; 3] = ["rotate", &id.to_string(), token];
            for earlier in secret::derive_each(&ctx.vault, &words, &api.key_prefix, environment) {
                if let Some(since) = secrets::find_secret(&mut tx, id, &sha256(&earlier)).await? {
                    let Changed { key, spread, .. } = change::unchanged(ctx, tx, key).await?;
                    return Ok(Rotated { created: Created { key, secret: (now - since < SHOWN_FOR).then_some(earlier), is_new: false }, spread });
                }
            }
            secret::derive(&ctx.vault, &words, &api.key_prefix, environment)
        }
        None => secret::mint(&ctx.rng, &api.key_prefix, environment),
    };
    expiring::note_ended_secrets(ctx, &mut tx, &key).await?;
    secrets::end_secrets(&mut tx, id, until, until_first_use, now).await?;
    secrets::insert_secret(&mut tx, ctx.new_id::<SecretId>(), id, &sha256(&minted), secret::start(&minted), now).await?;
    let detail = match grace {
        Grace::For(0) => "the old one ended at once".to_owned(),
        grace => format!("the old one is accepted {}", words(grace)),
    };
    change::note(ctx, &mut tx, caller, &key, Done { data: facts(grace), ..Done::new(Act::Rotated, detail) }).await?;
    let Changed { key, spread, .. } = change::close(ctx, tx, id).await?;
    Ok(Rotated { created: Created { key, secret: Some(minted), is_new: true }, spread })
}

/// A new secret is a way in. That of a key for Tollgate itself is for the owner alone, who proves it like a new key, and may do what it
/// may; of another key of others the admin PIN is asked, if there is one.
async fn may_hand_out(ctx: &Ctx, caller: &Caller, key: &Key, api: &Api) -> Result<(), AppError> {
    if !api.is_own() {
        return proof::to_take_from(ctx, caller, key).await;
    }
    if key.workspace != caller.workspace && caller.via != Via::Cli {
        return Err(AppError::refused("A key for Tollgate itself is rotated by its owner. Revoke it instead."));
    }
    if let Some(permission) = key.effective.iter().find(|permission| !caller.may(permission)) {
        return Err(AppError::forbidden(permission));
    }
    // Its own new secret has its own list of routes.
    if caller.via == Via::Key(key.id) { Ok(()) } else { must_be_proven(ctx, caller, api).await }
}

/// Moves the end of an old secret, to earlier or later. The newest has no end, so none to move. Of a key for Tollgate itself it takes a
/// proof, of a key of others the admin PIN, if there is one: so does dropping it.
pub async fn extend_secret(ctx: &Ctx, caller: &Caller, id: KeyId, secret: SecretId, grace: Grace) -> Result<Changed, AppError> {
    let now = ctx.clock.now();
    let (until, until_first_use) = end(grace, now)?;
    if until <= now {
        return Err(AppError::invalid("grace", "To end a secret at once, drop it."));
    }
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    change::must_live(&key)?;
    proof::to_widen(ctx, caller, &key, &key.effective).await?;
    proof::to_take_from(ctx, caller, &key).await?;
    let start = secrets::update_end(&mut tx, id, secret, until, until_first_use, now).await?.ok_or(AppError::NotFound)?;
    let detail = format!("{start}…; it is accepted {}", words(grace));
    change::note(ctx, &mut tx, caller, &key, Done { data: facts(grace), ..Done::new(Act::Extended, detail) }).await?;
    change::close(ctx, tx, id).await
}

/// Ends an old secret before its time. Without effect when it is gone already; the newest can't be dropped.
pub async fn drop_secret(ctx: &Ctx, caller: &Caller, id: KeyId, secret: SecretId) -> Result<Spread, AppError> {
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    proof::to_take_from(ctx, caller, &key).await?;
    if let Some(start) = secrets::drop_secret(&mut tx, id, secret, ctx.clock.now()).await? {
        change::note(ctx, &mut tx, caller, &key, Done::new(Act::Dropped, format!("{start}…"))).await?;
        return Ok(change::close(ctx, tx, id).await?.spread);
    }
    if secrets::is_newest(&mut tx, id, secret).await? {
        return Err(AppError::conflict("This is the newest secret of the key. Rotate the key first, or disable it."));
    }
    Ok(change::unchanged(ctx, tx, key).await?.spread)
}

/// A call passed with the newest secret: those that were to live until then end. Without effect when they ended already, or got another
/// end meanwhile. If the key was rotated again since, only those end that the node of the call refuses already.
pub async fn end_replaced(ctx: &Ctx, id: KeyId, by: SecretId, ends: &[SecretId]) -> Result<(), AppError> {
    let Some((mut tx, key)) = change::open_as_system(ctx, id).await? else { return Ok(()) };
    let starts = secrets::end_replaced(&mut tx, id, by, ends, ctx.clock.now()).await?;
    if starts.is_empty() {
        return Ok(());
    }
    for start in starts {
        let done = Done { reason: "the new one is in use", ..Done::new(Act::Dropped, format!("{start}…")) };
        change::note_as_system(ctx, &mut tx, &key, done).await?;
    }
    change::close(ctx, tx, id).await?;
    Ok(())
}

/// So long a secret that has ended is known: its calls are the key's, and not those of somebody who guesses. Then its hash and whose it was are kept.
const KNOWN: Duration = Duration::days(30);
/// Of one statement, whose keys the nodes then read again.
const AT_ONCE: i64 = 500;

/// Forgets those that ended before that; how many they were.
pub async fn forget_ended(ctx: &Ctx) -> Result<u64, AppError> {
    let mut gone = 0;
    loop {
        let now = secrets::delete_ended(&ctx.db, ctx.clock.now() - KNOWN, AT_ONCE).await?;
        gone += now;
        if now < AT_ONCE.unsigned_abs() {
            return Ok(gone);
        }
    }
}

/// When an old secret ends, and whether the first use of the newest ends it before.
fn end(grace: Grace, now: OffsetDateTime) -> Result<(OffsetDateTime, bool), AppError> {
    match grace {
        Grace::For(seconds) if seconds > MAX_GRACE => Err(AppError::invalid("grace", "The old secret lives on for at most 30 days. Later ends are dates.")),
        Grace::For(seconds) => Ok((now + Duration::seconds(i64::from(seconds)), false)),
        Grace::Until(at) if at <= now => Err(AppError::invalid("expires_at", "This has passed already. Choose a later date.")),
        Grace::Until(at) if at > now + LATEST => Err(AppError::invalid("expires_at", "An old secret lives on for at most a year. Choose an earlier date.")),
        Grace::Until(at) => Ok((at, false)),
        Grace::FirstUse => Ok((now + LATEST, true)),
    }
}

/// How long an old secret would live on, in words; an error if it can't.
pub fn check_grace(ctx: &Ctx, grace: Grace) -> Result<String, AppError> {
    end(grace, ctx.clock.now())?;
    Ok(words(grace))
}

/// "for 1 hour", "until 2026-12-01", "until the new one is first used".
fn words(grace: Grace) -> String {
    match grace {
        Grace::For(seconds) => format!("for {}", span(seconds)),
        Grace::Until(at) => {
            let at = at.to_offset(UtcOffset::UTC);
            format!("until {}, {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
        }
        Grace::FirstUse => "until the new one is first used".to_owned(),
    }
}

fn facts(grace: Grace) -> serde_json::Value {
    match grace {
        Grace::For(seconds) => serde_json::json!({ "grace": seconds }),
        Grace::Until(at) => serde_json::json!({ "expires_at": at.format(&Rfc3339).unwrap_or_default() }),
        Grace::FirstUse => serde_json::json!({ "until": "first_use" }),
    }
}

/// "1 hour", "7 days".
fn span(seconds: u32) -> String {
    let (n, unit) = match seconds {
        s if s % 86_400 == 0 => (s / 86_400, "day"),
        s if s % 3_600 == 0 => (s / 3_600, "hour"),
        s if s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}
