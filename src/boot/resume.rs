//! A form that needs a newer proof of who sends it: it waits, its sender goes to `/step-up`, and the page comes back with the form as it
//! was left, less passwords and codes. It waits as a sealed row of the session (`accounts::server::Interrupted`); the browser holds
//! only its id, sealed too, from the proof until the page is opened.

use super::forms::see_other;
use crate::{
    accounts::{
        Caller,
        server::{self as accounts, Interrupted, RESUME},
    },
    error::AppError,
    platform::{Ctx, http::reply},
    ui::FormOutcome,
};
use axum::{
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};

/// Keeps the form and sends its sender to prove who it is.
pub async fn prove_first(ctx: &Ctx, caller: Option<&Caller>, form: Interrupted) -> Response {
    let Some(caller) = caller else { return AppError::Unauthenticated.into_response() };
    match accounts::keep_form(ctx, caller, &form).await {
        Ok(id) => see_other(&format!("/step-up?form={id}")),
        Err(error) => error.into_response(),
    }
}

/// The form that this browser may take up again, if it stands on the page that is asked for and is the caller's own. Handed out once.
pub async fn take(ctx: &Ctx, asked: &Parts) -> Option<FormOutcome> {
    let id = reply::open(ctx, &asked.headers, RESUME)?;
    let caller = asked.extensions.get::<Caller>()?;
    let lost = |error: &AppError| tracing::warn!("a form that waited can't be read: {error}");
    let waiting = accounts::look_at_form(ctx, caller, &id).await.inspect_err(lost).ok()??;
    if waiting.page.split('?').next() != Some(asked.uri.path()) {
        return None;
    }
    let form = accounts::take_form(ctx, caller, &id).await.inspect_err(lost).ok()??;
    Some(FormOutcome { action: form.action, form: form.form, error: None, values: form.values })
}

pub fn forget(ctx: &Ctx, headers: &mut HeaderMap) {
    if let Some(dropped) = reply::sealed_cookie(ctx, RESUME, String::new(), 0) {
        headers.append(header::SET_COOKIE, dropped);
    }
}
