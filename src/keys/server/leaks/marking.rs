//! Leaks that an operator was told of, and the end of a mark that means no harm.

use super::{By, Find, Marked, mark};
use crate::{
    accounts::Caller,
    error::{AppError, Fields},
    keys::{
        model::Act,
        server::{
            change::{self, Changed, Done},
            proof, secret,
            store::leaks as store,
        },
    },
    platform::Ctx,
    values::{KeyId, permission_names as may},
};

/// What an operator's report is called in lists.
const SOURCE: &str = "an operator";

/// Marks the newest secret of a key as found at `url`. Operators only, with the admin PIN for a key of others; said twice it is written once.
pub async fn mark_leaked(ctx: &Ctx, caller: &Caller, id: KeyId, url: &str, reason: &str) -> Result<Changed, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    let mut fields = Fields::default();
    let url = fields.check("url", address(url)).unwrap_or_default();
    fields.done()?;
    let reason = change::reason(reason)?;
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    change::must_live(&key)?;
    proof::to_take_from(ctx, caller, &key).await?;
    let (secret, start) = store::find_newest(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let find = Find { secret, start: &start, url: &url, source: SOURCE, reason: &reason };
    match mark(ctx, &mut tx, &key, &find, By::Person(caller)).await? {
        Marked::Known => change::unchanged(ctx, tx, key).await,
        Marked::New | Marked::Disabled => change::close(ctx, tx, id).await,
    }
}

/// The mark means no harm: a false alarm, or a place that nobody could read. Operators only; whoever owns the key rotates it instead.
pub async fn clear_leaks(ctx: &Ctx, caller: &Caller, id: KeyId, reason: &str) -> Result<Changed, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    let reason = change::reason(reason)?;
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    if store::clear_leaks(&mut tx, id, ctx.clock.now()).await? == 0 {
        return change::unchanged(ctx, tx, key).await;
    }
    let data = serde_json::json!({ "name": key.name });
    change::note(ctx, &mut tx, caller, &key, Done { reason: &reason, data, ..Done::new(Act::Cleared, "") }).await?;
    change::close(ctx, tx, id).await
}

/// Where something was found: an address on the web.
fn address(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let is_web = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    match text.chars().count() {
        0 => Err("Say where it was found: an address such as https://example.com/page."),
        2001.. => Err("An address has at most 2,000 characters here."),
        _ if holds_secret(text) => Err("Leave the key itself out."),
        _ if !is_web || text.chars().any(char::is_control) => Err("Write a whole address, beginning with https:// or http://."),
        _ => Ok(text.to_owned()),
    }
}

/// Whether a whole secret stands in it, also behind other words and a `_`.
fn holds_secret(text: &str) -> bool {
    let mut runs = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    runs.any(|run| std::iter::successors(Some(run), |run| run.split_once('_').map(|(_, rest)| rest)).any(secret::is_well_formed))
}
