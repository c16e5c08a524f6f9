//! `/sign-in`: address and password, or a passkey; `?next=` says where to go then.

use crate::{
    accounts::{
        api::{ContinueWith, SignIn, SignInWithPasskey, before_sign_in},
        components::{PasskeyField, PasskeyPart, WithOthers, ZoneField, loaded},
        model::{Door, LinkView, PasskeyUse},
    },
    error::AppError,
    ui::{AuthFrame, Button, Form, FormOutcome, Look, PasswordField, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn SignInPage() -> impl IntoView {
    let next = use_query_map().with_untracked(|query| query.get("next"));
    loaded(before_sign_in, move |it: LinkView| form(it, next.clone()))
}

fn form(it: LinkView, next: Option<String>) -> AnyView {
    let hidden = next.map(|next| ("next", next)).into_iter().collect::<Vec<_>>();
    let forgot = view! { <a href="/forgot-password">"Forgot it?"</a> }.into_any();
    let fields = view! {
        <Form action=SignIn::PATH class="stack" hidden=hidden.clone()>
            <TextField label="Email" name="email" kind="email" autocomplete="username webauthn" maxlength=254 required=true large=true/>
            <PasswordField label="Password" name="password" autocomplete="current-password webauthn" aside=forgot required=true large=true/>
            <ZoneField/>
            <Button look=Look::Primary size=Size::Large block=true>"Sign in"</Button>
        </Form>
        {it.takes_passkeys.then(|| with_passkey(hidden.clone()))}
        <WithOthers providers=it.providers action=ContinueWith::PATH extra=hidden/>
    };
    match it.door {
        Door::Closed | Door::InviteNeeded | Door::InviteOver => view! { <AuthFrame title="Sign in">{fields}</AuthFrame> }.into_any(),
        Door::Open | Door::Invited => {
            view! { <AuthFrame title="Sign in" lead=view! { "New here? "<a href="/sign-up">"Create an account"</a> }.into_any()>{fields}</AuthFrame> }
                .into_any()
        }
    }
}

/// A form of its own; the browser offers passkeys in the field of the address, too.
fn with_passkey(hidden: Vec<(&'static str, String)>) -> AnyView {
    // Of a passkey that this site does not know, the field has words of its own; that there is no such page would be the wrong ones.
    let is_unknown = use_context::<FormOutcome>().is_some_and(|sent| sent.action == SignInWithPasskey::PATH && sent.error == Some(AppError::NotFound));
    view! {
        <PasskeyPart>
            <Form action=SignInWithPasskey::PATH class="stack" hidden=hidden quiet=is_unknown>
                <PasskeyField name="credential" asks=PasskeyUse::SignIn suggests=true/>
                <ZoneField/>
                <Button size=Size::Large block=true>"Sign in with a passkey"</Button>
            </Form>
        </PasskeyPart>
    }
    .into_any()
}
