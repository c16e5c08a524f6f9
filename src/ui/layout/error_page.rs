//! A page that could not be shown: what happened, and the next step. Sets the HTTP status of the error.

use crate::{
    error::AppError,
    ui::{CopyId, Fact, Facts, LargeMark, LinkButton, Look, status},
};
use leptos::prelude::*;

/// The id of the request that is being answered. Provided by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// The page of ours that a form was sent from, if what was sent never reached it. Provided by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack(pub String);

/// Stands inside any frame; `next` is the primary link (words, href). Names the request, so that an operator finds what happened.
#[component]
pub fn ErrorPage(error: AppError, #[prop(optional)] next: Option<(String, String)>) -> impl IntoView {
    status::set_for(&error);
    let (title, words) = saying(&error);
    let (next_words, next_href) = next.unwrap_or_else(|| match error {
        AppError::Unauthenticated => ("Sign in".into(), "/sign-in".into()),
        _ => ("Go to Home".into(), "/home".into()),
    });
    let request = match &error {
        AppError::Internal { request_id } => Some(request_id.clone()),
        _ => use_context::<RequestId>().map(|id| id.0),
    };
    let back = use_context::<WayBack>().map(|back| back.0);
    let is_back_first = back.is_some();
    let raised = error.status() >= 500;
    let first = back
        .map(|href| view! { <LinkButton href=href look=Look::Primary>"Go back"</LinkButton> }.into_any())
        .or_else(|| raised.then(|| view! { <LinkButton href="" look=Look::Primary>"Try again"</LinkButton> }.into_any()));
    view! {
        <leptos_meta::Title text=title/>
        <section class="stack form-medium" aria-labelledby="error-title">
            <LargeMark raised/>
            <p class="muted">{error.status()}</p>
            <h1 class="error-title" id="error-title">{title}</h1>
            <p class="muted">{words}</p>
            <div class="row">
                {first}
                <LinkButton href=next_href look=if raised || is_back_first { Look::Quiet } else { Look::Primary }>{next_words}</LinkButton>
            </div>
            {request.map(|id| view! { <Facts><Fact term="Request"><CopyId id="request-id" text=id/></Fact></Facts> })}
        </section>
    }
    .into_any()
}

fn saying(error: &AppError) -> (&'static str, String) {
    match error {
        AppError::NotFound => ("No page at this address", "It does not exist, or you do not have access to it.".to_owned()),
        AppError::Refused { .. } | AppError::Blocked { .. } => ("This was refused", error.to_string()),
        AppError::Locked { .. } => ("This is locked", error.to_string()),
        AppError::Forbidden { permission } => ("You may not open this", format!("You need the permission {permission}. Ask an operator for it.")),
        AppError::Unauthenticated => ("Sign in first", "This page needs an account. Your session may have ended.".to_owned()),
        AppError::RateLimited { .. } | AppError::QuotaExceeded { .. } | AppError::TooCostly { .. } => ("Too many tries", error.to_string()),
        AppError::Internal { .. } => (
            "That one is on us",
            "Something went wrong while loading the page. Nothing you sent was done twice. Try again, or give your operator the request id.".to_owned(),
        ),
        AppError::Unavailable { .. } | AppError::NotNow { .. } | AppError::Transport { .. } => ("Not reachable right now", error.to_string()),
        AppError::Http { status: 413, .. } => ("This is too long", error.to_string()),
        AppError::Http { status: 408 | 504, .. } => ("This took too long", error.to_string()),
        AppError::Http { .. } => ("This can't be read", error.to_string()),
        AppError::Invalid { .. } => ("This was not accepted", error.to_string()),
        _ => ("This can't be shown", error.to_string()),
    }
}
