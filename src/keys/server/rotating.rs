//! New secrets for a key. The key stays the same: its id, limits, history and usage; only what a program must send changes.

use super::{
    apis,
    change::{self, Done},
    creating::{Created, SHOWN_FOR},
    secret,
    store::secrets,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::Act,
    platform::{Ctx, crypto::sha256},
    values::{KeyId, SecretId},
};
use time::Duration;

/// The longest that an old secret may live on.
pub const MAX_GRACE: u32 = 30 * 86_400;

/// Adds a secret; the old ones are accepted for `grace` more seconds. `token` of a page makes it safe to send twice.
pub async fn rotate_key(ctx: &Ctx, caller: &Caller, id: KeyId, grace: u32, token: Option<&str>) -> Result<Created, AppError> {
    if grace > MAX_GRACE {
        return Err(AppError::invalid("grace", "The old secret lives on for at most 30 days."));
    }
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    change::must_live(&key)?;
    let api = apis::api_for_key(ctx, Some(key.api.as_str())).await?;
    let environment = key.environment.as_str();
    let minted = match token {
        Some(token) => secret::derive(&ctx.vault, &["rotate", &id.to_string(), token], &api.key_prefix, environment),
        None => secret::mint(&ctx.rng, &api.key_prefix, environment),
    };
    let now = ctx.clock.now();
    if let Some(since) = secrets::find_secret(&mut tx, id, &sha256(&minted)).await? {
        return Ok(Created { key, secret: (now - since < SHOWN_FOR).then_some(minted), is_new: false });
    }
    let grace = i64::from(grace);
    secrets::end_secrets(&mut tx, id, now + Duration::seconds(grace), now).await?;
    secrets::insert_secret(&mut tx, ctx.new_id::<SecretId>(), id, &sha256(&minted), secret::start(&minted), now).await?;
    let detail = if grace == 0 { "the old one ended at once".to_owned() } else { format!("the old one is accepted for {}", span(grace)) };
    change::note(ctx, &mut tx, caller, &key, Done { data: serde_json::json!({ "grace": grace }), ..Done::new(Act::Rotated, detail) }).await?;
    let key = change::close(ctx, tx, id).await?;
    Ok(Created { key, secret: Some(minted), is_new: true })
}

/// Ends an old secret before its time. Without effect when it is gone already; the newest secret can't be dropped.
pub async fn drop_secret(ctx: &Ctx, caller: &Caller, id: KeyId, secret: SecretId) -> Result<(), AppError> {
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    if let Some(start) = secrets::delete_secret(&mut tx, id, secret).await? {
        change::note(ctx, &mut tx, caller, &key, Done::new(Act::Dropped, format!("{start}…"))).await?;
        change::close(ctx, tx, id).await?;
    }
    Ok(())
}

/// "1 hour", "7 days".
fn span(seconds: i64) -> String {
    let (n, unit) = match seconds {
        s if s % 86_400 == 0 => (s / 86_400, "day"),
        s if s % 3_600 == 0 => (s / 3_600, "hour"),
        s if s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") }
}
