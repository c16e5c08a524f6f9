//! Everything that is kept of an account, as one JSON file for its owner (R61): asked for with a recent proof, written by a job, kept in
//! pieces in the database for 24 hours. No secret is in it: hashes, codes and tokens are not even read.
//!
//! The document: `account`, `second_factors`, `sessions`, `keys`, `usage` (calls by month, key and outcome), `events`; times RFC 3339, UTC.

pub mod http;
pub mod jobs;
mod mail;
mod writing;

pub use writing::write_export;

use super::{
    Visitor,
    attempts::{self, Attempt},
    fresh_proof::fresh_proof,
    sign_up::about,
    store::exports::{self as store, Export},
};
use crate::{
    accounts::model::{Caller, ExportState},
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs as queue, once},
    values::permission_names as may,
};
use jobs::WriteExport;
use secrecy::SecretString;
use time::{Duration, OffsetDateTime};

/// How long an export can be fetched.
pub const LIVES: Duration = Duration::hours(24);

/// Asks for an export in the place of the one before; a mail says when it is there.
pub async fn ask_export(ctx: &Ctx, caller: &Caller, from: &Visitor, current_password: Option<&SecretString>) -> Result<(), AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    fresh_proof(ctx, caller, current_password).await?;
    // By the account, not its address: strangers who ask for mails there do not keep its owner from the data.
    Attempt::charge(ctx, &attempts::MAIL, &caller.account.to_string()).await?;
    let mut tx = ctx.db.begin().await?;
    let change = Change { kind: "account.export_asked", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    let cause = record(ctx, &mut tx, change).await?;
    store::replace_export(&mut tx, caller.account, cause, ctx.clock.now()).await?;
    queue::enqueue(ctx, &mut tx, &WriteExport { account: caller.account, cause }).await?;
    once::done(ctx, &mut tx).await?;
    Ok(tx.commit().await?)
}

/// Whether there is something to fetch.
pub async fn export_state(ctx: &Ctx, caller: &Caller) -> Result<ExportState, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    let now = ctx.clock.now();
    Ok(match store::find_export(&ctx.db, caller.account).await? {
        Some(Export { done_at: None, asked_at, .. }) if now < asked_at + LIVES => ExportState::Writing,
        Some(export) if is_there(&export, now) => ExportState::There {
            until: super::in_full(export.done_at.unwrap_or(now) + LIVES, &caller.time_zone),
            kilobytes: u64::try_from(export.bytes).unwrap_or(0).div_ceil(1000),
        },
        _ => ExportState::None,
    })
}

/// The caller's export, if it can be fetched. A key that may only read the account does not get its whole history.
async fn finished(ctx: &Ctx, caller: &Caller) -> Result<Export, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let found = store::find_export(&ctx.db, caller.account).await?;
    found.filter(|export| is_there(export, ctx.clock.now())).ok_or(AppError::NotFound)
}

fn is_there(export: &Export, now: OffsetDateTime) -> bool {
    export.done_at.is_some_and(|done| now < done + LIVES)
}
