//! `/sign-in/code`: the second factor, after the right password: a code of the app, a passkey (`?use=passkey`) or a recovery code
//! (`?use=recovery`), as far as the account has them; `?next=` says where to go then.

use crate::{
    accounts::{
        api::{SignInCode, pending_sign_in},
        components::{AccountOfPassword, PasskeyField, PasskeyPart, WayOn, loaded},
        model::{PasskeyUse, WaitingSignIn},
    },
    ui::{AuthFrame, Button, Form, Look, Size, TextField},
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    App,
    Passkey,
    Recovery,
}

impl Way {
    const ALL: [Self; 3] = [Self::App, Self::Passkey, Self::Recovery];

    const fn word(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Passkey => "passkey",
            Self::Recovery => "recovery",
        }
    }

    /// As a link to it says.
    const fn label(self) -> &'static str {
        match self {
            Self::App => "Use your authenticator app",
            Self::Passkey => "Use a passkey",
            Self::Recovery => "Use a recovery code",
        }
    }

    const fn lead(self) -> &'static str {
        match self {
            Self::App => "Type the six digits that your authenticator app shows now.",
            Self::Passkey => "Confirm with a passkey of this account. It takes JavaScript and a browser that knows passkeys.",
            Self::Recovery => "Each works once. The remaining ones stay good.",
        }
    }

    const fn is_offered(self, it: &WaitingSignIn) -> bool {
        match self {
            Self::App => it.has_app,
            Self::Passkey => it.has_passkey,
            Self::Recovery => true,
        }
    }

    fn field(self) -> AnyView {
        match self {
            Self::App => {
                view! { <TextField label="Code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength=12 required=true large=true autofocus=true/> }.into_any()
            }
            Self::Passkey => view! { <PasskeyField name="passkey" asks=PasskeyUse::SecondFactor/> }.into_any(),
            Self::Recovery => {
                view! { <TextField label="Recovery code" name="recovery_code" autocomplete="off" maxlength=40 required=true large=true mono=true autofocus=true/> }.into_any()
            }
        }
    }
}

#[component]
pub fn SignInCodePage() -> impl IntoView {
    let (chosen, next) = use_query_map().with_untracked(|query| (query.get("use"), query.get("next")));
    loaded(pending_sign_in, move |waiting: Option<WaitingSignIn>| match waiting {
        Some(waiting) => form(waiting, chosen.as_deref(), next.clone()),
        None => over(),
    })
}

fn form(waiting: WaitingSignIn, chosen: Option<&str>, next: Option<String>) -> AnyView {
    let ways: Vec<Way> = Way::ALL.into_iter().filter(|way| way.is_offered(&waiting)).collect();
    let way = ways.iter().copied().find(|way| Some(way.word()) == chosen).or_else(|| ways.first().copied()).unwrap_or(Way::Recovery);
    let others = ways
        .into_iter()
        .filter(|other| *other != way)
        .map(|other| {
            let href = link("/sign-in/code", [("use", other.word())].into_iter().chain(next.as_deref().map(|next| ("next", next))));
            view! { <a href=href>{other.label()}</a>". " }
        })
        .collect_view();
    let hidden = next.clone().map(|next| ("next", next)).into_iter().collect::<Vec<_>>();
    let title = if way == Way::Passkey { "Use your passkey" } else { "Enter your code" };
    let form = view! {
        <Form action=SignInCode::PATH class="stack" hidden=hidden>
            <AccountOfPassword email=waiting.email/>
            {way.field()}
            <Button look=Look::Primary size=Size::Large block=true>"Sign in"</Button>
        </Form>
    };
    let form = if way == Way::Passkey { view! { <PasskeyPart>{form}</PasskeyPart> }.into_any() } else { form.into_any() };
    view! {
        <AuthFrame title=title lead=view! { {way.lead()} }.into_any()>
            {form}
            <p class="help">{others}"Lost all of them? Ask the operator of this site."</p>
        </AuthFrame>
    }
    .into_any()
}

fn over() -> AnyView {
    let why = "No sign-in waits here: it took longer than ten minutes, or is done.";
    view! { <WayOn title="Sign in again" why next=("Sign in", "/sign-in") refused=SignInCode::PATH/> }.into_any()
}
