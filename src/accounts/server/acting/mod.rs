//! Operators who act as an account for a while, to see what its owner sees (R67, S91).
//!
//! The account gets no session by it. The browser keeps the operator's own session, and a row says as whom that session acts: so it ends
//! with that session, is none of the account's devices, and can never become a sign-in. Every request asks anew whether it still holds:
//! the time, the operator's permission, the account's door, and that the account is nobody who operates anything. Once it does not, the
//! browser is nobody until the operator went back: a form that was opened as one of them is never sent as the other.
//!
//! What is done meanwhile is listed (`listed`); all else is refused. Its events name both (`activity::server::on_behalf`).

mod listed;
mod told;

pub use listed::{MAY_WHILE_ACTING, NEVER_WHILE_ACTING, NO_PAGES_WHILE_ACTING, PAGES_WHILE_ACTING, is_no_page};
pub use told::SendActedAs;

use super::{
    Visitor,
    administration::{checked_reason, done_to},
    asker::Known,
    caller::{Entered, entering},
    factors::{require_admin_proof, session_of},
    profile::{in_full, when},
    sessions::take_up,
    store::{accounts, acting as store, administration},
};
use crate::{
    accounts::model::{ACTING_MINUTES, Acted, ActingBar, Caller, ShownWhileActing, Via},
    activity::server::{Change, OnBehalf, on_behalf, record},
    error::{AppError, Fields},
    platform::{Ctx, http::request::names_caller, jobs, session::reissue},
    values::{AccountId, ActingId, Permission, SessionId, permission_names as may},
};
use axum::{
    extract::Request,
    http::{HeaderMap, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::prelude::use_context;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::net::IpAddr;
use time::Duration;
use tower_sessions::Session;

/// What is said where an act is its owner's alone.
pub const NOT_NOW: &str = "You can't do this while you act as somebody else. Stop first.";

/// What is said when the time was over.
const OVER: &str = "Your time in this account is over, and nothing was done. Go back to your own account first.";

/// What everybody may who only uses the product. An account that may anything else is an operator's, and nobody acts as it.
const ORDINARY: [Permission; 5] = [may::ACCOUNT_READ, may::ACCOUNT_WRITE, may::KEYS_READ, may::KEYS_WRITE, may::USAGE_READ];

/// Lines of the list on Sessions.
const SHOWN: i64 = 20;

/// The session of this request acts as somebody, or did until its operator goes back; an extension of the request.
#[derive(Debug, Clone)]
pub struct ActsAs {
    session: SessionId,
    operator: AccountId,
    operator_name: String,
    account: AccountId,
    /// Where going back leads.
    back: &'static str,
    pub bar: ActingBar,
}

/// The same, with the account as the caller while it holds.
pub(super) struct Standing {
    acts: ActsAs,
    caller: Option<Caller>,
}

impl Standing {
    /// For a page that refuses.
    pub(super) fn known(&self) -> Known {
        Known { caller: self.caller.clone(), acts: Some(self.acts.clone()) }
    }
}

impl ActsAs {
    /// What the views of such a request lead to.
    pub const SHOWN: ShownWhileActing = ShownWhileActing(listed::is_listed);

    /// Why a page or a server function is not for now, by its path; none if it is.
    pub fn refuses(&self, path: &str) -> Option<AppError> {
        match () {
            () if self.bar.is_over && !listed::is_way_back(path) => Some(AppError::conflict(OVER)),
            () if listed::is_listed(path) => None,
            () => Some(AppError::refused(NOT_NOW)),
        }
    }
}

/// As whom this session acts. Where it must not any more there is no caller.
pub(super) async fn look(ctx: &Ctx, entered: &Entered, address: IpAddr) -> Result<Option<Standing>, AppError> {
    let operator = &entered.caller;
    let (Some(begun), Via::Session(session)) = (&entered.acting, operator.via) else { return Ok(None) };
    let is_open = ctx.clock.now() < begun.until && !entered.owes_factor && operator.may(&may::ACCOUNTS_ACT_AS);
    let mut caller = if is_open { as_account(ctx, begun.account, session, address).await? } else { None };
    if let Some(caller) = &mut caller {
        caller.operator = Some(operator.account);
        // Nobody gains by it what they have not.
        caller.permissions.retain(|permission| operator.may(permission));
    }
    let bar = ActingBar { name: begun.name.clone(), until: in_full(begun.until, &operator.time_zone), is_over: caller.is_none() };
    let back = if operator.may(&may::ADMIN_READ) { "/admin/accounts/" } else { "" };
    let acts = ActsAs { session, operator: operator.account, operator_name: operator.name.clone(), account: begun.account, back, bar };
    Ok(Some(Standing { acts, caller }))
}

/// The account through its own door, if it is nobody's who operates anything.
async fn as_account(ctx: &Ctx, account: AccountId, session: SessionId, address: IpAddr) -> Result<Option<Caller>, AppError> {
    let entered = entering(ctx, account, Via::Acting(session), Some(address)).await?;
    Ok(entered.map(|entered| entered.caller).filter(is_ordinary))
}

fn is_ordinary(caller: &Caller) -> bool {
    caller.permissions.iter().all(|permission| ORDINARY.contains(permission))
}

/// The rest of such a request. What is not listed has no caller, so that whatever answers it knows nobody; REST is answered to keys only.
pub(super) async fn pass(standing: Standing, mut request: Request, next: Next) -> Response {
    let Standing { acts, caller } = standing;
    let path = request.uri().path();
    let is_rest = path.starts_with("/api/");
    if is_rest && path != "/api/v1/openapi.json" && !brings_a_key(request.headers()) {
        return AppError::refused(NOT_NOW).into_response();
    }
    let refused = acts.refuses(path).filter(|_| !is_rest);
    names_caller(request.extensions(), format!("{} as {}", acts.operator, acts.account));
    let who = OnBehalf { operator: acts.operator, operator_name: acts.operator_name.clone(), account: acts.account };
    request.extensions_mut().insert(acts);
    match (refused, caller) {
        (Some(refused), _) => {
            // The page says so, and a form posted to it goes nowhere (forms::post_page).
            request.extensions_mut().insert(refused);
            next.run(request).await
        }
        (None, Some(caller)) if !is_rest => {
            request.extensions_mut().insert(caller);
            on_behalf(who, next.run(request)).await
        }
        (None, _) => next.run(request).await,
    }
}

fn brings_a_key(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key")
}

/// As whom the running request acts, inside a server function.
pub fn acts_here() -> Option<ActsAs> {
    use_context::<Parts>().and_then(|parts| parts.extensions.get::<ActsAs>().cloned())
}

/// Refuses a running server function or page that is not listed: once more where everything asks who calls.
pub(super) fn must_be_listed(parts: &Parts) -> Result<(), AppError> {
    match parts.extensions.get::<ActsAs>().and_then(|acts| acts.refuses(parts.uri.path())) {
        Some(refused) => Err(refused),
        None => Ok(()),
    }
}

/// Begins to act as an account, in this browser: at once, for the chosen minutes. Its owner is told by mail.
pub async fn act_as(ctx: &Ctx, caller: &Caller, from: &Visitor, session: &Session, id: AccountId, reason: &str, minutes: &str) -> Result<ActingBar, AppError> {
    caller.require(&may::ACCOUNTS_ACT_AS)?;
    let own = session_of(caller)?;
    require_admin_proof(ctx, caller).await?;
    let (reason, minutes) = checked(reason, minutes)?;
    if caller.account == id {
        return Err(AppError::conflict("This is your own account."));
    }
    let now = ctx.clock.now();
    let account = administration::find_account(&ctx.db, id, now).await?.ok_or(AppError::NotFound)?;
    let Some(entered) = entering(ctx, id, Via::Acting(own), Some(from.address)).await? else {
        return Err(AppError::conflict("You can't act as this account. It is disabled, banned, closed, or not confirmed yet."));
    };
    if account.is_operator || !is_ordinary(&entered.caller) {
        return Err(AppError::refused("You can't act as an operator."));
    }
    let until = now + Duration::minutes(minutes.into());
    let id: ActingId = ctx.new_id();
    let mut tx = ctx.db.begin().await?;
    let new = store::NewActing { id, session: own, operator: caller.account, account: account.id, reason: &reason, minutes, now, until };
    if !store::insert_acting(&mut tx, new).await? {
        return Err(AppError::conflict("You are already acting as somebody. Stop that first."));
    }
    let change = Change { kind: "acting.started", reason: &reason, ..done_to(&account, caller, from, json!({ "minutes": minutes })) };
    record(ctx, &mut tx, change).await?;
    jobs::enqueue(ctx, &mut tx, &SendActedAs { acting: id }).await?;
    if !reissue(&mut tx, caller.account, own).await? {
        return Err(AppError::Unauthenticated);
    }
    tx.commit().await?;
    take_up(session).await?;
    Ok(ActingBar { name: account.name, until: in_full(until, &caller.time_zone), is_over: false })
}

/// Ends it: the browser is the operator's own again, with another cookie. Answers where that leads. Safe to press twice, in two tabs.
pub async fn stop_acting(ctx: &Ctx, acts: &ActsAs, from: &Visitor, session: &Session) -> Result<String, AppError> {
    let mut tx = ctx.db.begin().await?;
    let has_ended = end(ctx, &mut tx, acts, from).await?;
    let is_there = has_ended && reissue(&mut tx, acts.operator, acts.session).await?;
    tx.commit().await?;
    if is_there {
        take_up(session).await?;
    }
    Ok(if acts.back.is_empty() { "/home".to_owned() } else { format!("{}{}", acts.back, acts.account) })
}

/// Ends it because the operator signs out: the session goes next.
pub async fn leave_acting(ctx: &Ctx, acts: &ActsAs, from: &Visitor) -> Result<(), AppError> {
    let mut tx = ctx.db.begin().await?;
    end(ctx, &mut tx, acts, from).await?;
    Ok(tx.commit().await?)
}

async fn end(ctx: &Ctx, conn: &mut PgConnection, acts: &ActsAs, from: &Visitor) -> Result<bool, AppError> {
    let Some(account) = store::end_acting(conn, acts.session, ctx.clock.now()).await? else { return Ok(false) };
    let mut data = from.facts();
    if let Value::Object(facts) = &mut data {
        facts.insert("on_behalf_of".to_owned(), Value::String(account.uuid().to_string()));
    }
    let change = Change {
        kind: "acting.stopped",
        workspace: accounts::find_account(&mut *conn, account).await?.and_then(|found| found.workspace),
        actor: Some(acts.operator),
        actor_name: &acts.operator_name,
        subject: Some(account.uuid()),
        data,
        ..Change::default()
    };
    record(ctx, conn, change).await?;
    Ok(true)
}

/// When operators were in this account, for its owner; times in this zone.
pub(super) async fn acted(ctx: &Ctx, account: AccountId, zone: &str) -> Result<Vec<Acted>, AppError> {
    let now = ctx.clock.now();
    let view = |it: store::Acting| Acted {
        began: when(it.began_at, now, zone),
        minutes: u16::try_from(it.minutes).unwrap_or(0),
        reason: it.reason,
        is_running: it.is_running,
    };
    Ok(store::list_actings(&ctx.db, account, now, SHOWN).await?.into_iter().map(view).collect())
}

/// Reason and minutes; one answer names both if both are wrong.
fn checked(reason: &str, minutes: &str) -> Result<(String, u16), AppError> {
    let mut fields = Fields::default();
    let reason = checked_reason(reason).and_then(|reason| match reason.is_empty() {
        true => Err(AppError::invalid("reason", "Say why. The account's owner will see it.")),
        false => Ok(reason),
    });
    let minutes = minutes.trim().parse::<u16>().ok().filter(|minutes| ACTING_MINUTES.contains(minutes)).ok_or("Choose 15, 30 or 60 minutes.");
    match (fields.merge(reason), fields.check("minutes", minutes)) {
        (Some(reason), Some(minutes)) => Ok((reason, minutes)),
        _ => Err(fields.done().err().unwrap_or(AppError::NotFound)),
    }
}
