//! `tollgate key rotate|secrets|extend-secret|drop-secret`: new secrets of a key and the ends of old ones, by the operations of the pages and REST.

use super::{
    Exit, Invocation,
    key::{Why, change, known, must_live},
    missing::{OrNo, Thing},
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Grace, Key},
        server::{self as keys, Changed, HeldSecret, http::SecretBody},
    },
    platform::{Ctx, LocalTime},
    values::{IdError, SecretId},
};
use clap::Args;
use serde_json::json;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

#[derive(Args)]
pub(super) struct Rotate {
    id: String,
    /// How long the old secret is accepted: now (it ends at once), first-use (until a call passes with the new one), 90s, 30m, 24h, 7d, a day
    /// (2027-01-31, with whose beginning in UTC it ends) or a moment (2027-01-31T12:00:00Z)
    #[arg(long, value_name = "TIME", default_value = "24h")]
    old_lives: String,
    /// The same in seconds
    #[arg(long, value_name = "SECONDS", conflicts_with = "old_lives")]
    grace: Option<u32>,
    /// The same as --old-lives first-use
    #[arg(long, conflicts_with_all = ["grace", "old_lives"])]
    until_first_use: bool,
}

#[derive(Args)]
pub(super) struct ExtendSecret {
    id: String,
    /// The id of an old secret, as `key secrets` prints it; not needed where there is one only
    #[arg(value_name = "SECRET_ID")]
    secret: Option<String>,
    /// Counted from now, to earlier or later: first-use, 90s, 30m, 24h, 7d, a day (2027-01-31, with whose beginning in UTC it ends) or a moment
    /// (2027-01-31T12:00:00Z)
    #[arg(long, value_name = "TIME")]
    old_lives: String,
}

#[derive(Args)]
pub(super) struct DropSecret {
    id: String,
    /// The id of an old secret, as `key secrets` prints it; not needed where there is one only
    #[arg(value_name = "SECRET_ID")]
    secret: Option<String>,
}

/// The secrets that are accepted, a line each; never what is sent.
pub(super) async fn list(ctx: &Ctx, invocation: &Invocation, id: &str) -> Result<Exit, AppError> {
    let key = known(ctx, id).await?;
    let held: Vec<SecretBody> = keys::key_secrets(ctx, &Caller::cli(), key.id).await?.into_iter().map(Into::into).collect();
    let words: Vec<String> = held.iter().map(line).collect();
    invocation.answer(&held, &words.join("\n"));
    Ok(Exit::Done)
}

fn line(secret: &SecretBody) -> String {
    let end = match (secret.expires_at, secret.until) {
        (None, _) => "the newest".to_owned(),
        (Some(_), Some(_)) => "until the newest is first used".to_owned(),
        (Some(at), None) => format!("until {}, {:02}:{:02} UTC", at.date(), at.hour(), at.minute()),
    };
    let used = secret.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {}, {:02}:{:02} UTC", at.date(), at.hour(), at.minute()));
    format!("{}  {}…  {end}  {used}", secret.id, secret.start)
}

impl Rotate {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let grace = match (self.until_first_use, self.grace) {
            (true, _) => Grace::FirstUse,
            (false, Some(seconds)) => Grace::For(seconds),
            (false, None) => lives(ctx, &self.old_lives)?,
        };
        let words = checked(ctx, grace)?;
        let key = known(ctx, &self.id).await?;
        let id = key.id;
        if invocation.dry_run {
            must_live(&key)?;
            invocation.answer(&json!({ "would_rotate": id }), &format!("Would rotate {id}; the old secret {words}."));
            return Ok(Exit::Done);
        }
        let rotated = keys::rotate_key(ctx, &Caller::cli(), id, grace, None).await?;
        let secret = rotated.created.secret.unwrap_or_default();
        let spread = rotated.spread.words(if matches!(grace, Grace::For(0)) { "The old one is refused" } else { "Known" });
        invocation.answer(
            &json!({ "id": id, "secret": secret, "spread": rotated.spread }),
            &format!("{id}  {}\nIts new secret, shown this once: {secret}\nThe old one {words}. {spread}", rotated.created.key.name),
        );
        Ok(Exit::Done)
    }
}

impl ExtendSecret {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let grace = lives(ctx, &self.old_lives)?;
        let words = checked(ctx, grace)?;
        let key = known(ctx, &self.id).await?;
        let secret = old_secret(ctx, &key, self.secret.as_deref()).await?;
        let why = Why::of(self.id);
        change(ctx, invocation, &why, (&format!("The old secret {words}:"), "In force"), async |id| {
            keys::extend_secret(ctx, &Caller::cli(), id, secret, grace).await.or_no(Thing::Secret, secret)
        })
        .await
    }
}

impl DropSecret {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let key = known(ctx, &self.id).await?;
        let secret = old_secret(ctx, &key, self.secret.as_deref()).await?;
        let why = Why::of(self.id);
        change(ctx, invocation, &why, ("The old secret is dropped:", "Refused"), async |id| {
            let spread = keys::drop_secret(ctx, &Caller::cli(), id, secret).await.or_no(Thing::Secret, secret)?;
            Ok::<_, AppError>(Changed { key: keys::find_key(ctx, &Caller::cli(), id).await?, spread, is_new: true })
        })
        .await
    }
}

/// The one that is named, or the only old one. What the operation would refuse is said here already, for a dry run.
async fn old_secret(ctx: &Ctx, key: &Key, named: Option<&str>) -> Result<SecretId, AppError> {
    let held = keys::key_secrets(ctx, &Caller::cli(), key.id).await?;
    if let Some(text) = named {
        let id = text.parse::<SecretId>().map_err(|error: IdError| AppError::invalid("secret", error.to_string()))?;
        if held.iter().any(|secret| secret.id == id.uuid() && secret.expires_at.is_none()) {
            return Err(AppError::conflict("This is the newest secret of the key. Rotate the key first, or disable it."));
        }
        return Ok(id);
    }
    let old: Vec<&HeldSecret> = held.iter().filter(|secret| secret.expires_at.is_some()).collect();
    match old.as_slice() {
        [one] => Ok(SecretId::new(one.id)),
        [] => Err(AppError::conflict("This key has no old secret. Rotate it first, or disable it.")),
        _ => Err(AppError::invalid("secret", format!("It has {} old secrets. Name one by its id: tollgate key secrets {}", old.len(), key.id))),
    }
}

/// How long an old secret lives on, as the command line has it.
fn lives(ctx: &Ctx, text: &str) -> Result<Grace, AppError> {
    read_lives(text, &LocalTime::new("UTC", ctx.clock.now())).ok_or_else(|| {
        AppError::invalid(
            "old-lives",
            "Write now, first-use, how long (90s, 30m, 24h, 7d, 2w), a day (2027-01-31, with whose beginning it ends) or a moment (2027-01-31T12:00:00Z).",
        )
    })
}

/// The words for it, if the operation takes it: what is written wrong is said by a dry run, too.
fn checked(ctx: &Ctx, grace: Grace) -> Result<String, AppError> {
    let words = keys::check_grace(ctx, grace)?;
    Ok(if matches!(grace, Grace::For(0)) { "ends at once".to_owned() } else { format!("is accepted {words}") })
}

fn read_lives(text: &str, local: &LocalTime) -> Option<Grace> {
    const UNITS: [(char, u32); 5] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];
    let span = |(unit, seconds): (char, u32)| text.strip_suffix(unit)?.parse::<u32>().ok()?.checked_mul(seconds);
    match text {
        "now" => Some(Grace::For(0)),
        "first-use" => Some(Grace::FirstUse),
        _ => match UNITS.into_iter().find_map(span) {
            Some(seconds) => Some(Grace::For(seconds)),
            None => OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| local.start_of(text)).map(|at| Grace::Until(at.to_offset(UtcOffset::UTC))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_life_of_an_old_secret_is_read() {
        let local = LocalTime::new("UTC", datetime!(2026-11-20 12:00 UTC));
        for (text, expected) in [
            ("now", Some(Grace::For(0))),
            ("first-use", Some(Grace::FirstUse)),
            ("90s", Some(Grace::For(90))),
            ("30m", Some(Grace::For(1_800))),
            ("24h", Some(Grace::For(86_400))),
            ("2w", Some(Grace::For(1_209_600))),
            ("2027-01-31", Some(Grace::Until(datetime!(2027-01-31 00:00 UTC)))),
            ("2027-01-31T12:00:00+01:00", Some(Grace::Until(datetime!(2027-01-31 11:00 UTC)))),
            ("", None),
            ("h", None),
            ("-1h", None),
            ("9999999w", None),
            ("tomorrow", None),
        ] {
            assert_eq!(read_lives(text, &local), expected, "{text}");
        }
    }
}
