//! `/step-up`: proof again before a dangerous act. Says why, offers whatever the account has (`?use=`), and leads back to the form that
//! waits (`?form=`).

use crate::{
    accounts::{
        api::{ProveWith, StepUp, my_step_up},
        components::{AccountOfPassword, PasskeyField, Way, WithOthers, chosen_way, loaded},
        model::{PasskeyUse, StepUpView},
    },
    ui::{AuthFrame, Button, Form, LinkButton, Look, PasswordField, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn StepUpPage() -> impl IntoView {
    let (chosen, form) = use_query_map().with_untracked(|query| (query.get("use"), query.get("form")));
    let of = form.clone();
    loaded(move || my_step_up(of.clone()), move |it| page(it, chosen.as_deref(), form.clone()))
}

fn page(it: StepUpView, chosen: Option<&str>, form: Option<String>) -> AnyView {
    if it.asks_pin {
        return pin(it, form);
    }
    let offered = [(Way::Password, it.has_password), (Way::App, it.has_app), (Way::Passkey, it.has_passkey), (Way::Recovery, it.codes_left > 0)];
    let (way, others) = chosen_way(&offered, chosen, "/step-up", form.as_deref().map(|form| ("form", form)));
    let why = match it.act {
        Some(act) => format!("You are about to {act}. Confirm that it's you. We won't ask again for ten minutes."),
        None => "Some actions need you to confirm who you are. We won't ask again for ten minutes.".to_owned(),
    };
    let hidden = form.clone().map(|form| ("form", form)).into_iter().collect::<Vec<_>>();
    let extra = form.clone().map(|form| ("form", form)).into_iter().collect::<Vec<_>>();
    // Who has neither a password nor an app nor a provider gets a password by mail.
    let has_nothing = way.is_none() && it.providers.is_empty();
    let set_one = has_nothing
        .then(|| view! { <LinkButton href="/forgot-password" look=Look::Primary size=Size::Large block=true>"Set a password by email"</LinkButton> });
    let elsewhere = view! { <WithOthers providers=it.providers action=ProveWith::PATH extra/> };
    let Some(way) = way else {
        return view! {
            <AuthFrame title="Is it you?" lead=view! { {why} }.into_any()>
                {set_one}
                {elsewhere}
                <LinkButton href=it.back size=Size::Large block=true>"Cancel"</LinkButton>
            </AuthFrame>
        }
        .into_any();
    };
    view! {
        <AuthFrame title="Is it you?" lead=view! { {why} }.into_any()>
            <Form action=StepUp::PATH class="stack" hidden=hidden>
                <AccountOfPassword email=it.email/>
                {field(way)}
                <Button look=Look::Primary size=Size::Large block=true>"Go on"</Button>
                <LinkButton href=it.back size=Size::Large block=true>"Cancel"</LinkButton>
            </Form>
            {elsewhere}
            <p class="help">{others}</p>
        </AuthFrame>
    }
    .into_any()
}

fn field(way: Way) -> AnyView {
    match way {
        Way::Password => {
            view! { <PasswordField label="Password" name="password" autocomplete="current-password" required=true large=true autofocus=true/> }.into_any()
        }
        Way::App => view! {
            <TextField label="Code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength=12 required=true large=true autofocus=true
                help="The six digits that your authenticator app shows."/>
        }
        .into_any(),
        Way::Passkey => view! {
            <p class="help">"Press Go on, then confirm with your fingerprint, your face or your PIN. You need JavaScript."</p>
            <PasskeyField name="passkey" asks=PasskeyUse::StepUp/>
        }
        .into_any(),
        Way::Recovery => view! {
            <TextField label="Recovery code" name="recovery_code" autocomplete="off" maxlength=40 required=true large=true mono=true autofocus=true
                help="Each code works once."/>
        }
        .into_any(),
    }
}

/// After the proof, where the site has an admin PIN and what waits needs it.
fn pin(it: StepUpView, form: Option<String>) -> AnyView {
    let act = it.act.map_or_else(|| "Actions that can harm others need".to_owned(), |act| format!("You are about to {act}. That needs"));
    let hidden = form.map(|form| ("form", form)).into_iter().collect::<Vec<_>>();
    view! {
        <AuthFrame title="The admin PIN" lead=view! { {act}" the admin PIN of this site, too. We won't ask again for ten minutes." }.into_any()>
            <Form action=StepUp::PATH class="stack" hidden=hidden>
                <PasswordField label="Admin PIN" name="pin" autocomplete="off" maxlength=64 required=true large=true autofocus=true/>
                <Button look=Look::Primary size=Size::Large block=true>"Go on"</Button>
                <LinkButton href=it.back size=Size::Large block=true>"Cancel"</LinkButton>
            </Form>
        </AuthFrame>
    }
    .into_any()
}
