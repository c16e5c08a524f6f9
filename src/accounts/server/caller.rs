//! Who is calling: read once per request by the `identify` layer, from then on an extension of the request.

use super::{
    acting,
    asker::{Asker, Known},
    entry::{may_stay, turn_away},
    factors::owes_factor,
    programs,
    store::{self, Begun, Found},
};
use crate::{
    accounts::model::{Caller, Via},
    error::AppError,
    platform::{
        Ctx,
        http::{RequestInfo, request::names_caller},
        session,
    },
    values::{AccountId, NotNow, SessionId},
};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::request::Parts,
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::prelude::use_context;
use std::net::{IpAddr, Ipv4Addr};
use tower_sessions::Session;

/// The context of the running request, inside a server function or a page.
pub fn context() -> Result<Ctx, AppError> {
    use_context::<Ctx>().ok_or_else(|| AppError::internal("no Ctx in the reactive context"))
}

/// The caller has yet to set up the second factor that this site requires of them; an extension of the request.
#[derive(Debug, Clone, Copy)]
pub struct OwesFactor;

/// Whoever calls a REST route, signed in or with a key; 401 when there is nobody.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AppError> {
        parts.extensions.get::<Self>().cloned().ok_or(AppError::Unauthenticated)
    }
}

/// Who asks, inside a server function or a page; refused when nobody is signed in, or when a second factor is required and missing.
pub async fn caller() -> Result<(Ctx, Caller), AppError> {
    if let Some(parts) = use_context::<Parts>() {
        if parts.extensions.get::<OwesFactor>().is_some() {
            return Err(AppError::refused("This site requires a second factor. Set one up first."));
        }
        acting::must_be_listed(&parts)?;
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

/// The layer: session → account, permissions and workspace, and through the door (`entry`): who is disabled, banned or deleted has no
/// caller (R28). A banned address sees no way in. An operator's session that acts as somebody goes on as them (`acting`).
pub async fn identify(State(ctx): State<Ctx>, session: Session, mut request: Request, next: Next) -> Response {
    let address = request.extensions().get::<RequestInfo>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.address);
    let caller = match from_session(&ctx, &session, address).await {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    match turn_away(&ctx, request.method(), request.uri().path(), address, caller.is_some()).await {
        Ok(None) => {}
        Ok(Some(refused)) if !request.uri().path().starts_with("/fn/") && !request.uri().path().starts_with("/api/") => {
            // The page says so, and a form posted to it goes nowhere (forms::post_page).
            request.extensions_mut().insert(refused);
        }
        Ok(Some(error)) | Err(error) => return error.into_response(),
    }
    if let Some(entered) = caller {
        match acting::look(&ctx, &entered, address).await {
            Ok(None) => {}
            Ok(Some(standing)) => {
                Asker::note(request.extensions(), || standing.known());
                return acting::pass(standing, request, next).await;
            }
            Err(error) => return error.into_response(),
        }
        let Entered { caller, owes_factor, .. } = entered;
        if owes_factor {
            request.extensions_mut().insert(OwesFactor);
        }
        names_caller(request.extensions(), caller.account);
        Asker::note(request.extensions(), || Known { caller: Some(caller.clone()), acts: None });
        request.extensions_mut().insert(caller);
    } else {
        Asker::note(request.extensions(), Known::default);
    }
    next.run(request).await
}

async fn from_session(ctx: &Ctx, session: &Session, address: IpAddr) -> Result<Option<Entered>, AppError> {
    let read = |key: &'static str| async move {
        session.get::<String>(key).await.map_err(|error| {
            tracing::warn!("the session can't be read: {error}");
            AppError::not_now(NotNow::DatabaseAway, 5)
        })
    };
    let (Some(account), Some(id)) = (read(session::ACCOUNT).await?, read(session::SESSION).await?) else { return Ok(None) };
    let (Ok(account), Ok(id)) = (account.parse::<AccountId>(), id.parse::<SessionId>()) else { return Ok(None) };
    entering(ctx, account, Via::Session(id), Some(address)).await
}

/// The caller that this account is, if it may come in.
pub async fn caller_of_account(ctx: &Ctx, account: AccountId, via: Via) -> Result<Option<Caller>, AppError> {
    Ok(entering(ctx, account, via, None).await?.map(|entered| entered.caller))
}

/// The caller behind an access token of a program; refused where it does not work (any more).
pub async fn caller_of_token(ctx: &Ctx, token: &str, address: Option<IpAddr>) -> Result<Caller, AppError> {
    let access = programs::look_up(ctx, token).await?.ok_or(AppError::Unauthenticated)?;
    let entered = entering(ctx, access.account, Via::Token(access.family), address).await?.ok_or(AppError::Unauthenticated)?;
    if entered.owes_factor {
        return Err(AppError::refused(programs::OWES_FACTOR));
    }
    programs::note_use(ctx, access).await?;
    Ok(entered.caller)
}

/// Who came through the door.
pub(super) struct Entered {
    pub caller: Caller,
    pub owes_factor: bool,
    /// This session of theirs acts as somebody else.
    pub acting: Option<Begun>,
}

/// Through the door, if the account may pass it.
pub(super) async fn entering(ctx: &Ctx, account: AccountId, via: Via, address: Option<IpAddr>) -> Result<Option<Entered>, AppError> {
    let address = address.map(|address| address.to_canonical().to_string());
    let Some(found) = store::find_caller(&ctx.db, account, via, address.as_deref(), ctx.clock.now()).await? else { return Ok(None) };
    if !may_stay(ctx, &found).await? {
        return Ok(None);
    }
    let Found { caller, has_second, acting, .. } = found;
    Ok(Some(Entered { owes_factor: owes_factor(ctx, &caller, has_second), caller, acting }))
}
