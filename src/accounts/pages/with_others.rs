//! `/sign-in/with/{slug}`: the step out of this site, to a provider. `/sign-in/with/{slug}/callback`: what is said when the way back failed.
//! `/settings/security/link`: the question before a sign-in elsewhere that waits in this browser is linked.

use crate::{
    accounts::{
        api::{ConfirmLink, FinishWith, my_pending_link, my_way_onward},
        components::{WayOn, loaded},
        model::{Onward, PendingLink},
    },
    error::AppError,
    ui::{AuthFrame, Button, ErrorPage, Form, LinkButton, Look, PublicFrame, Size, awaited},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Meta;
use leptos_router::hooks::use_params_map;

#[component]
pub fn OnwardPage() -> impl IntoView {
    let slug = use_params_map().with_untracked(|params| params.get("slug").unwrap_or_default());
    awaited(
        move || my_way_onward(slug.clone()),
        |it: Result<Option<Onward>, AppError>| match it {
            Ok(it) => it.map_or_else(over, leave),
            // There is no such provider: nothing stands around this yet.
            Err(error) => {
                let next = ("Sign in".to_owned(), "/sign-in".to_owned());
                view! { <PublicFrame foot="Tollgate"><div class="site"><ErrorPage error next/></div></PublicFrame> }.into_any()
            }
        },
    )
}

/// At once, and by a link for browsers that don't.
fn leave(it: Onward) -> AnyView {
    view! {
        <Meta http_equiv="refresh" content=format!("0;url={}", it.url)/>
        <AuthFrame title=format!("To {}", it.name) lead=view! { "You sign in there and then come back here." }.into_any()>
            <LinkButton href=it.url look=Look::Primary size=Size::Large block=true>{format!("Continue to {}", it.name)}</LinkButton>
        </AuthFrame>
    }
    .into_any()
}

fn over() -> AnyView {
    let why = "Your sign-in expired after ten minutes, or is already complete.";
    view! { <WayOn title="Sign in again" why next=("Sign in", "/sign-in")/> }.into_any()
}

#[component]
pub fn CameBackPage() -> impl IntoView {
    view! { <WayOn title="That did not work" why="You came back, but nothing was changed." next=("Sign in", "/sign-in") refused=FinishWith::PATH/> }
}

#[component]
pub fn ConfirmLinkPage() -> impl IntoView {
    loaded(my_pending_link, |it: Option<PendingLink>| it.map_or_else(nothing, confirm))
}

fn confirm(it: PendingLink) -> AnyView {
    let who = it.email.map(|email| format!(" ({email} there)")).unwrap_or_default();
    let lead = format!("You can then sign in to your account with {}{who}, too. So can anybody else who can sign in there as you.", it.name);
    view! {
        <AuthFrame title=format!("Link {}?", it.name) raised=true lead=view! { {lead} }.into_any()>
            <Form action=ConfirmLink::PATH class="stack">
                <Button look=Look::Primary size=Size::Large block=true>{format!("Link {}", it.name)}</Button>
                <LinkButton href="/home" size=Size::Large block=true>"Cancel"</LinkButton>
            </Form>
        </AuthFrame>
    }
    .into_any()
}

fn nothing() -> AnyView {
    let why = "It is already linked, or the request expired after an hour. You can start again under Security.";
    view! { <WayOn title="Nothing waits to be linked" why next=("Security", "/settings/security") refused=ConfirmLink::PATH/> }.into_any()
}
