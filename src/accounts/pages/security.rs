//! `/settings/security`: passkeys, the password, the second factors, sign-ins elsewhere.

use super::passkeys::passkeys;
use crate::{
    accounts::{
        api::{ChangePassword, MakeRecoveryCodes, RemoveTotp, StartTotp, my_security},
        components::{AccountOfPassword, LinkedSignIns, Setting, SettingsFrame, loaded},
        model::{Factors, Security},
    },
    ui::{ActForm, Button, ErrorSummary, Fact, Facts, Form, Gate, LinkButton, Look, Note, PasswordField, Section, number},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

/// So few are left that new ones are wise.
const FEW_CODES: u64 = 3;

#[component]
pub fn SecurityPage() -> impl IntoView {
    let renames = use_query_map().with_untracked(|query| query.get("rename"));
    view! { <SettingsFrame page=Setting::Security>{loaded(my_security, move |it| sections(it, renames.as_deref()))}</SettingsFrame> }
}

fn sections(it: Security, renames: Option<&str>) -> AnyView {
    let has_password = it.password_set.is_some();
    let since = it.password_set.map_or_else(|| "You have no password.".to_owned(), |when| format!("Set {when}."));
    let devices = format!("You are signed in on {}.", number::count(it.sessions, "device", "devices"));
    let password = if has_password {
        view! {
            <Form action=ChangePassword::PATH class="stack form-narrow">
                <AccountOfPassword email=it.email/>
                <PasswordField label="Current password" name="current_password" autocomplete="current-password" required=true/>
                <PasswordField label="New password" name="new_password" autocomplete="new-password" help=it.password_advice strength_from=it.password_min maxlength=256 required=true/>
                <div><Button look=Look::Primary>"Set new password"</Button></div>
            </Form>
        }
        .into_any()
    } else {
        view! { <div><LinkButton href="/forgot-password">"Set one by email"</LinkButton></div> }.into_any()
    };
    view! {
        {passkeys(it.passkeys, it.takes_passkeys, renames)}
        <Section id="password" title="Password" lead=format!("{since} A new password signs out all other devices.")>{password}</Section>
        {two_factor(it.factors)}
        <LinkedSignIns linked=it.linked providers=it.providers/>
        <Section id="devices" title="Sessions" lead=devices>
            <div><LinkButton href="/settings/sessions">"See sessions"</LinkButton></div>
        </Section>
    }
    .into_any()
}

fn two_factor(it: Factors) -> AnyView {
    if it.app_since.is_none() && it.passkeys == 0 {
        return view! {
            <Section id="two-factor" title="Two-factor sign-in" lead="You sign in with your password only. Add an authenticator app to require a code, too.">
                <Form action=StartTotp::PATH><Button>"Set up an app"</Button></Form>
            </Section>
        }
        .into_any();
    }
    let has_app = it.app_since.is_some();
    let lead = match (has_app, it.passkeys > 0) {
        (true, true) => "With your password, you also need a code from your authenticator app or a passkey.",
        (true, false) => "You sign in with your password and a code from your authenticator app.",
        (false, _) => "With your password, you also need a passkey. Add an authenticator app for when you don't have it with you.",
    };
    let app = it.app_since.map(|since| {
        view! {
            <Fact term="App set up">{since}</Fact>
            <Fact term="Last used">{it.app_used.unwrap_or_default()}</Fact>
        }
    });
    let few =
        (it.codes_left <= FEW_CODES).then(|| view! { <Note gate=Gate::Limited>"You have few recovery codes left. Make new ones before you need them."</Note> });
    let reset = it.reset_due.map(|due| {
        view! { <Note gate=Gate::Refused>"An operator asked to remove all of this: "{due}". To stop it, use the link in our email."</Note> }
    });
    let remove = (has_app && (!it.is_required || it.passkeys > 0)).then(|| {
        view! { <ActForm action=RemoveTotp::PATH words="Remove" look=Look::DangerQuiet label="Remove the authenticator app"/> }
    });
    view! {
        <Section id="two-factor" title="Two-factor sign-in" lead=lead>
            <ErrorSummary action=StartTotp::PATH/>
            <ErrorSummary action=MakeRecoveryCodes::PATH/>
            <ErrorSummary action=RemoveTotp::PATH/>
            {reset}
            {few}
            <Facts>
                {app}
                <Fact term="Recovery codes">{format!("{} left", it.codes_left)}</Fact>
            </Facts>
            <div class="row">
                <ActForm action=MakeRecoveryCodes::PATH words="New recovery codes"/>
                <ActForm action=StartTotp::PATH words={if has_app { "Replace the app" } else { "Set up an app" }}/>
                {remove}
            </div>
        </Section>
    }
    .into_any()
}
