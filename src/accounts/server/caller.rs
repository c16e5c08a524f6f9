//! Who is calling: read once per request by the `identify` layer, from then on an extension of the request.

use super::{factors::owes_factor, store};
use crate::{
    accounts::model::{Caller, Via},
    error::AppError,
    platform::{Ctx, session},
    values::{AccountId, SessionId},
};
use axum::{
    extract::{Request, State},
    http::request::Parts,
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::prelude::use_context;
use tower_sessions::Session;

/// The context of the running request, inside a server function or a page.
pub fn context() -> Result<Ctx, AppError> {
    use_context::<Ctx>().ok_or_else(|| AppError::internal("no Ctx in the reactive context"))
}

/// The caller has yet to set up the second factor that this site requires of them; an extension of the request.
#[derive(Debug, Clone, Copy)]
pub struct OwesFactor;

/// Who asks, inside a server function or a page; refused when nobody is signed in, or when a second factor is required and missing.
pub async fn caller() -> Result<(Ctx, Caller), AppError> {
    if use_context::<Parts>().is_some_and(|parts| parts.extensions.get::<OwesFactor>().is_some()) {
        return Err(AppError::refused("This site requires a second factor. Set one up first."));
    }
    caller_who_may_owe().await
}

/// The same, for setting up that factor.
pub async fn caller_who_may_owe() -> Result<(Ctx, Caller), AppError> {
    let (ctx, caller) = maybe_caller().await?;
    caller.map(|caller| (ctx, caller)).ok_or(AppError::Unauthenticated)
}

/// Who asks, if somebody is signed in.
pub async fn maybe_caller() -> Result<(Ctx, Option<Caller>), AppError> {
    let ctx = context()?;
    let caller = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Caller>().cloned());
    Ok((ctx, caller))
}

/// The browser's session, inside a server function.
pub fn session() -> Result<Session, AppError> {
    use_context::<Parts>().and_then(|parts| parts.extensions.get::<Session>().cloned()).ok_or_else(|| AppError::internal("no session layer"))
}

/// The layer: session → account, permissions and workspace, in one query. Disabled and deleted accounts have no caller (R28).
pub async fn identify(State(ctx): State<Ctx>, session: Session, mut request: Request, next: Next) -> Response {
    let found = match from_session(&ctx, &session).await {
        Ok(Some(caller)) => owes_factor(&ctx, &caller).await.map(|owes| Some((caller, owes))),
        other => other.map(|_| None),
    };
    match found {
        Ok(Some((caller, owes))) => {
            request.extensions_mut().insert(caller);
            if owes {
                request.extensions_mut().insert(OwesFactor);
            }
            next.run(request).await
        }
        Ok(None) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

async fn from_session(ctx: &Ctx, session: &Session) -> Result<Option<Caller>, AppError> {
    let read = |key: &'static str| async move {
        session.get::<String>(key).await.map_err(|error| {
            tracing::warn!("the session can't be read: {error}");
            AppError::Unavailable { retry_after: 5 }
        })
    };
    let (Some(account), Some(id)) = (read(session::ACCOUNT).await?, read(session::SESSION).await?) else { return Ok(None) };
    let (Ok(account), Ok(id)) = (account.parse::<AccountId>(), id.parse::<SessionId>()) else { return Ok(None) };
    caller_of_account(ctx, account, Via::Session(id)).await
}

/// The caller that this account is, unless it is disabled.
pub async fn caller_of_account(ctx: &Ctx, account: AccountId, via: Via) -> Result<Option<Caller>, AppError> {
    Ok(store::find_caller(&ctx.db, account, via).await?)
}
