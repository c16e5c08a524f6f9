//! Leaked keys: a secret that was found where anybody can read it. GitHub's secret scanning reports it (`scanning`, signed by one of the
//! `signers`), or an operator does (`marking`); both end in `mark`: the place is kept with the secret's start, never the secret; history
//! and event say so; the owner gets one mail for each secret, and one whenever a report disables the key, as a workspace may want: that
//! counts on every node.
//!
//! The mark stands while the secret is accepted: rotating ends it, and an operator can clear it.

mod choice;
mod letter;
mod mail;
mod marking;
mod scanning;
mod signers;

pub use choice::{leak_choice, leak_choice_of, save_leak_choice, save_leak_choice_of};
pub use letter::KINDS as MAIL_KINDS;
pub use mail::send_leak;
pub use marking::{clear_leaks, mark_leaked};
pub use scanning::{FoundToken, Verdict, report_found};
pub use signers::{Signature, check_signature, list_signers, set_signers};

use super::{
    change::{self, Done},
    jobs::MailLeak,
    reach::actor,
    store::{keys, leaks as store},
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::{Act, Key, KeyState},
    platform::{Ctx, crypto::sha256, jobs::enqueue},
    values::SecretId,
};
use serde_json::json;
use sqlx::PgConnection;

/// How secret scanning is called in histories.
pub const SCANNER: &str = "secret scanning";

/// Who says that a secret was found.
#[derive(Clone, Copy)]
enum By<'a> {
    Scanner,
    Person(&'a Caller),
}

/// A secret, and where it was found.
struct Find<'a> {
    secret: SecretId,
    /// How it begins.
    start: &'a str,
    /// At most 2,000 characters on one line.
    url: &'a str,
    /// What kind of place: at most 100 characters.
    source: &'a str,
    reason: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marked {
    /// It was said before: nothing is written.
    Known,
    New,
    /// New, and the key is disabled since.
    Disabled,
}

/// Writes down where a secret was found, in a transaction that holds its key. The mail is for its first place, and for one that disables
/// the key; further ones stand in the history.
async fn mark(ctx: &Ctx, conn: &mut PgConnection, key: &Key, find: &Find<'_>, by: By<'_>) -> Result<Marked, AppError> {
    let now = ctx.clock.now();
    let was_leaked = store::is_leaked(conn, find.secret).await?;
    let ((reporter, reported_by), reopens) = match by {
        By::Scanner => ((None, SCANNER), false),
        By::Person(caller) => (actor(caller), true),
    };
    let leak = store::NewLeak {
        id: ctx.new_id(),
        key: key.id,
        secret: find.secret,
        place: sha256(find.url),
        url: find.url,
        source: find.source,
        reporter,
        reported_by,
        reopens,
    };
    if !store::insert_leak(conn, &leak, now).await? {
        return Ok(Marked::Known);
    }
    let place = if find.url.is_empty() { "a place that was not named" } else { find.url };
    let detail = format!("{}… at {place}", find.start);
    let data = json!({ "name": key.name, "start": find.start, "url": find.url, "source": find.source });
    note(ctx, conn, by, key, Done { act: Act::Leaked, reason: find.reason, detail, data }).await?;
    let disables = key.state == KeyState::Active && store::find_choice(&mut *conn, key.workspace).await?;
    if !was_leaked || disables {
        enqueue(ctx, conn, &MailLeak { key: key.id, at: now }).await?;
    }
    if !disables {
        return Ok(Marked::New);
    }
    keys::update_state(conn, key.id, KeyState::Disabled, now).await?;
    let data = json!({ "name": key.name, "from": key.state.as_str() });
    note(ctx, conn, by, key, Done { act: Act::Disabled, reason: "its secret was found in the open", detail: String::new(), data }).await?;
    Ok(Marked::Disabled)
}

async fn note(ctx: &Ctx, conn: &mut PgConnection, by: By<'_>, key: &Key, done: Done<'_>) -> Result<(), AppError> {
    match by {
        By::Scanner => change::note_as(ctx, conn, SCANNER, key, done).await,
        By::Person(caller) => change::note(ctx, conn, caller, key, done).await,
    }
}
