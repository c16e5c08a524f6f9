//! `/sign-up`: name, address, password, or with `?with=passkey` no password; or why nobody can sign up here.

use crate::{
    accounts::{
        api::{ContinueWith, SignUp, SignUpWithPasskey, before_sign_up},
        components::{FieldInputs, PasskeyField, PasskeyPart, Trap, WithOthers, WorkField, ZoneField, loaded},
        model::{Door, FieldValue, LinkView, ProfileField},
    },
    ui::{AuthFrame, Button, Form, Look, PasswordField, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn SignUpPage() -> impl IntoView {
    let wants_passkey = use_query_map().with_untracked(|query| query.get("with").is_some_and(|word| word == "passkey"));
    loaded(before_sign_up, move |(it, zones): (LinkView, Vec<String>)| match it.door {
        Door::Open | Door::Invited if wants_passkey && it.takes_passkeys => with_passkey(it),
        Door::Open | Door::Invited => form(it, zones),
        Door::InviteNeeded => shut("You need an invitation", "Sign-up is by invitation only. In this browser, open the link you were sent."),
        Door::InviteOver => shut(
            "This invitation works no more",
            "It was used, cancelled, or has expired. If it was used with an address that was never confirmed, it works again within two days. If you got it more than once, open the newest email, or ask for another one.",
        ),
        Door::Closed => shut("Sign-up is closed", "The operator of this site creates new accounts. Ask them for one."),
    })
}

fn empty(asked: Vec<ProfileField>) -> Vec<FieldValue> {
    asked.into_iter().map(|field| FieldValue { field, value: String::new(), is_public: false }).collect()
}

fn form(it: LinkView, zones: Vec<String>) -> AnyView {
    let LinkView { password_advice, password_min, takes_passkeys, sign_up_providers: providers, fields, work, invited, .. } = it;
    let (fields, email) = (empty(fields), invited.clone());
    let other = takes_passkeys.then(|| {
        view! { <PasskeyPart><p class="help"><a href="/sign-up?with=passkey">"Use a passkey instead of a password"</a></p></PasskeyPart> }
    });
    view! {
        <AuthFrame title="Create account" raised=true lead=view! { "Have one already? "<a href="/sign-in">"Sign in"</a> }.into_any()>
            {invited.map(only_for)}
            <Form action=SignUp::PATH class="stack">
                <TextField label="Name" name="name" autocomplete="name" maxlength=80 help="Optional. Defaults to the part of your email before the @." large=true/>
                <TextField label="Email" name="email" kind="email" nostrip:value=email autocomplete="email" maxlength=254 required=true large=true/>
                <PasswordField label="Password" name="password" autocomplete="new-password" help=password_advice strength_from=password_min maxlength=256 required=true large=true/>
                <FieldInputs fields large=true/>
                <Trap/>
                <WorkField asked=work/>
                <ZoneField zones/>
                <Button look=Look::Primary size=Size::Large block=true>"Create account"</Button>
            </Form>
            {other}
            <WithOthers providers action=ContinueWith::PATH/>
        </AuthFrame>
    }
    .into_any()
}

fn with_passkey(it: LinkView) -> AnyView {
    let LinkView { fields, work, invited, .. } = it;
    let (fields, email) = (empty(fields), invited.clone());
    view! {
        <AuthFrame title="Create account" raised=true lead=view! { "With a passkey instead of a password. "<a href="/sign-up">"Use a password"</a> }.into_any()>
            {invited.map(only_for)}
            <Form action=SignUpWithPasskey::PATH class="stack">
                <TextField label="Name" name="name" autocomplete="name" maxlength=80 help="Optional. Defaults to the part of your email before the @." large=true/>
                <TextField label="Email" name="email" kind="email" nostrip:value=email autocomplete="email" maxlength=254 required=true large=true/>
                <FieldInputs fields large=true/>
                <Trap/>
                <WorkField asked=work/>
                <ZoneField/>
                <PasskeyField name="credential" makes=true/>
                <Button look=Look::Primary size=Size::Large block=true>"Create account"</Button>
            </Form>
            <p class="help" data-nojs>"Passkeys need JavaScript."</p>
        </AuthFrame>
    }
    .into_any()
}

fn only_for(email: String) -> AnyView {
    view! { <p class="muted">{format!("Your invitation only works with {email}.")}</p> }.into_any()
}

fn shut(title: &'static str, text: &'static str) -> AnyView {
    view! {
        <AuthFrame title=title lead=view! { "Have an account? "<a href="/sign-in">"Sign in"</a> }.into_any()>
            <p class="muted">{text}</p>
        </AuthFrame>
    }
    .into_any()
}
