//! `/sign-in/code`: the second factor, after the right password: a code of the app, a passkey (`?use=passkey`) or a recovery code
//! (`?use=recovery`), as far as the account has them; `?next=` says where to go then.

use crate::{
    accounts::{
        api::{SignInCode, pending_sign_in},
        components::{AccountOfPassword, PasskeyField, PasskeyPart, Way, WayOn, ZoneField, chosen_way, loaded},
        model::{PasskeyUse, WaitingSignIn},
    },
    ui::{AuthFrame, Button, Form, Look, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn SignInCodePage() -> impl IntoView {
    let (chosen, next) = use_query_map().with_untracked(|query| (query.get("use"), query.get("next")));
    loaded(pending_sign_in, move |waiting: Option<WaitingSignIn>| match waiting {
        Some(waiting) => form(waiting, chosen.as_deref(), next.clone()),
        None => over(),
    })
}

fn form(waiting: WaitingSignIn, chosen: Option<&str>, next: Option<String>) -> AnyView {
    let offered = [(Way::App, waiting.has_app), (Way::Passkey, waiting.has_passkey), (Way::Recovery, true)];
    let (way, others) = chosen_way(&offered, chosen, "/sign-in/code", next.as_deref().map(|next| ("next", next)));
    let (title, lead) = match way {
        Some(Way::App) => ("Enter your code", "Enter the six digits that your authenticator app shows."),
        Some(Way::Passkey) => ("Use your passkey", "Confirm with a passkey of this account. You need JavaScript and a browser that supports passkeys."),
        _ => ("Enter your code", "Each code works once. Your other codes remain valid."),
    };
    let hidden = next.map(|next| ("next", next)).into_iter().collect::<Vec<_>>();
    let form = view! {
        <Form action=SignInCode::PATH class="stack" hidden=hidden>
            <AccountOfPassword email=waiting.email/>
            <ZoneField/>
            {field(way)}
            <Button look=Look::Primary size=Size::Large block=true>"Sign in"</Button>
        </Form>
    };
    let form = if way == Some(Way::Passkey) { view! { <PasskeyPart>{form}</PasskeyPart> }.into_any() } else { form.into_any() };
    view! {
        <AuthFrame title=title lead=view! { {lead} }.into_any()>
            {form}
            <p class="help">{others}"Lost access to all of them? Ask the operator of this site."</p>
        </AuthFrame>
    }
    .into_any()
}

fn field(way: Option<Way>) -> AnyView {
    match way {
        Some(Way::App) => {
            view! { <TextField label="Code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength=12 required=true large=true autofocus=true/> }.into_any()
        }
        Some(Way::Passkey) => view! { <PasskeyField name="passkey" asks=PasskeyUse::SecondFactor/> }.into_any(),
        _ => {
            view! { <TextField label="Recovery code" name="recovery_code" autocomplete="off" maxlength=40 required=true large=true mono=true autofocus=true/> }.into_any()
        }
    }
}

fn over() -> AnyView {
    let why = "Your sign-in expired after ten minutes, or is already complete.";
    view! { <WayOn title="Sign in again" why next=("Sign in", "/sign-in") refused=SignInCode::PATH/> }.into_any()
}
