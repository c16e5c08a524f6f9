//! `/sign-in/code`: the second factor, after the right password. `?use=recovery` asks for a recovery code instead; `?next=` says where
//! to go then.

use crate::{
    accounts::{
        api::{SignInCode, pending_sign_in},
        components::{AccountOfPassword, loaded},
    },
    ui::{AuthFrame, Button, ErrorSummary, Form, LinkButton, Look, Size, TextField},
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn SignInCodePage() -> impl IntoView {
    let (recovery, next) = use_query_map().with_untracked(|query| (query.get("use").is_some_and(|word| word == "recovery"), query.get("next")));
    loaded(pending_sign_in, move |email: Option<String>| match email {
        Some(email) => form(email, recovery, next.clone()),
        None => over(),
    })
}

fn form(email: String, recovery: bool, next: Option<String>) -> AnyView {
    let here = |word: Option<&'static str>| {
        let pairs = word.map(|word| ("use", word)).into_iter().chain(next.as_deref().map(|next| ("next", next)));
        link("/sign-in/code", pairs)
    };
    let (lead, field, other) = if recovery {
        let field =
            view! { <TextField label="Recovery code" name="recovery_code" autocomplete="off" maxlength=40 required=true large=true mono=true autofocus=true/> };
        ("Each works once. The remaining ones stay good.", field.into_any(), (here(None), "Use your authenticator app"))
    } else {
        let field = view! { <TextField label="Code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength=12 required=true large=true autofocus=true/> };
        ("Type the six digits that your authenticator app shows now.", field.into_any(), (here(Some("recovery")), "Use a recovery code"))
    };
    let hidden = next.clone().map(|next| ("next", next)).into_iter().collect::<Vec<_>>();
    view! {
        <AuthFrame title="Enter your code" lead=view! { {lead} }.into_any()>
            <Form action=SignInCode::PATH class="stack" hidden=hidden>
                <AccountOfPassword email/>
                {field}
                <Button look=Look::Primary size=Size::Large block=true>"Sign in"</Button>
            </Form>
            <p class="help"><a href=other.0>{other.1}</a>". Lost both? Ask the operator of this site."</p>
        </AuthFrame>
    }
    .into_any()
}

fn over() -> AnyView {
    view! {
        <AuthFrame title="Sign in again" lead=view! { "No sign-in waits here: it took longer than ten minutes, or is done." }.into_any()>
            <ErrorSummary action=SignInCode::PATH/>
            <LinkButton href="/sign-in" look=Look::Primary size=Size::Large block=true>"Sign in"</LinkButton>
        </AuthFrame>
    }
    .into_any()
}
