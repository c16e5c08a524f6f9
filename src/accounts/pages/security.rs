//! `/settings/security`: the password.

use crate::{
    accounts::{
        api::{ChangePassword, my_security},
        components::{AccountOfPassword, Setting, SettingsFrame, loaded},
        model::Security,
    },
    ui::{Button, Form, LinkButton, Look, PasswordField, Section, number},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn SecurityPage() -> impl IntoView {
    view! { <SettingsFrame page=Setting::Security>{loaded(my_security, sections)}</SettingsFrame> }
}

fn sections(it: Security) -> AnyView {
    let since = it.password_set.map_or_else(|| "No password is set.".to_owned(), |when| format!("Set {when}."));
    let devices = format!("You are signed in on {}.", number::count(it.sessions, "device", "devices"));
    view! {
        <Section id="password" title="Password" lead=format!("{since} A new one signs out every other device.")>
            <Form action=ChangePassword::PATH class="stack form-narrow">
                <AccountOfPassword email=it.email/>
                <PasswordField label="Current password" name="current_password" autocomplete="current-password" required=true/>
                <PasswordField label="New password" name="new_password" autocomplete="new-password" help=it.password_advice maxlength=256 required=true/>
                <div><Button look=Look::Primary>"Set new password"</Button></div>
            </Form>
        </Section>
        <Section id="devices" title="Sessions" lead=devices>
            <div><LinkButton href="/settings/sessions">"See sessions"</LinkButton></div>
        </Section>
    }
    .into_any()
}
