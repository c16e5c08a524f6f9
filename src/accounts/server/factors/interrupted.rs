//! A form that waits while its sender proves who it is. It is sealed for one session of one account, lives a quarter of an hour, and is
//! handed out once: nobody else's proof and no other session brings it back (S81). What it holds was stripped of passwords and codes.

use super::session_of;
use crate::{
    accounts::{model::Caller, server::store::factors::interrupted as store},
    error::AppError,
    platform::Ctx,
    values::SessionId,
};
use serde::{Deserialize, Serialize};
use time::Duration;
use uuid::Uuid;

/// The cookie that names the form to take up again.
pub const RESUME: &str = "resume";

const LASTS: Duration = Duration::minutes(15);
const SEALED: &str = "interrupted form";

/// A form as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupted {
    /// The path and query of the page that it stands on.
    pub page: String,
    /// The path of its server function.
    pub action: String,
    /// Which of several forms of that action.
    pub form: Option<String>,
    pub values: Vec<(String, String)>,
}

/// Keeps the form of this session; answers the name under which it is found.
pub async fn keep_form(ctx: &Ctx, caller: &Caller, form: &Interrupted) -> Result<Uuid, AppError> {
    let session = session_of(caller)?;
    let id: Uuid = ctx.new_id();
    let now = ctx.clock.now();
    let plain = serde_json::to_vec(form).map_err(AppError::internal)?;
    let sealed = ctx.vault.seal(&ctx.rng, SEALED, &bound_to(id, session, caller), &plain).map_err(AppError::internal)?;
    let new = store::NewForm { id, session, account: caller.account, form: &sealed, now, expires_at: now + LASTS };
    store::insert_form(&ctx.db, new).await?;
    Ok(id)
}

/// The form under this name, if it is the caller's and still waits.
pub async fn look_at_form(ctx: &Ctx, caller: &Caller, id: &str) -> Result<Option<Interrupted>, AppError> {
    let (Ok(id), session) = (id.parse::<Uuid>(), session_of(caller)?) else { return Ok(None) };
    let sealed = store::find_form(&ctx.db, id, session, caller.account, ctx.clock.now()).await?;
    Ok(sealed.and_then(|sealed| opened(ctx, id, session, caller, &sealed)))
}

/// The same, and it waits no longer.
pub async fn take_form(ctx: &Ctx, caller: &Caller, id: &str) -> Result<Option<Interrupted>, AppError> {
    let (Ok(id), session) = (id.parse::<Uuid>(), session_of(caller)?) else { return Ok(None) };
    let sealed = store::take_form(&ctx.db, id, session, caller.account, ctx.clock.now()).await?;
    Ok(sealed.and_then(|sealed| opened(ctx, id, session, caller, &sealed)))
}

fn opened(ctx: &Ctx, id: Uuid, session: SessionId, caller: &Caller, sealed: &[u8]) -> Option<Interrupted> {
    serde_json::from_slice(&ctx.vault.open(SEALED, &bound_to(id, session, caller), sealed)?).ok()
}

fn bound_to(id: Uuid, session: SessionId, caller: &Caller) -> Vec<u8> {
    format!("{id}:{session}:{}", caller.account).into_bytes()
}
