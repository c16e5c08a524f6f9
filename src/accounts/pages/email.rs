//! `/settings/email`: another address. It counts once it is confirmed, by the mailed link or by the code, typed here.

use crate::{
    accounts::{
        api::{AskEmailChange, CancelEmailChange, ConfirmNewEmail, my_account},
        components::{Setting, SettingsFrame, loaded},
        model::Profile,
    },
    ui::{Button, Form, Look, Section, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn EmailPage() -> impl IntoView {
    view! { <SettingsFrame page=Setting::Profile detail="Change email">{loaded(my_account, sections)}</SettingsFrame> }
}

fn sections(profile: Profile) -> AnyView {
    let waiting = profile.pending_email.map(waiting);
    let lead = format!("Your email is {}. We notify the old address, and you can undo the change from there for 7 days.", profile.email);
    view! {
        {waiting}
        <Section id="change" title="Another address" lead=lead>
            <Form action=AskEmailChange::PATH class="stack form-narrow">
                <TextField label="New email" name="email" kind="email" autocomplete="email" maxlength=254 required=true help="We send a link and a code there. Nothing changes until you confirm."/>
                <div><Button look=Look::Primary>"Send confirmation"</Button></div>
            </Form>
        </Section>
    }
    .into_any()
}

fn waiting(email: String) -> AnyView {
    view! {
        <Section id="waiting" title="Confirm it" lead=format!("We sent an email to {email}. Open its link on any device, or enter its code here.")>
            <Form action=ConfirmNewEmail::PATH class="stack form-narrow">
                <TextField label="Code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength=12 required=true help="Six digits. The code works for 10 minutes, the link for 60."/>
                <div><Button>"Confirm new email"</Button></div>
            </Form>
            <Form action=CancelEmailChange::PATH><Button look=Look::Quiet label="Cancel the change">"Cancel"</Button></Form>
        </Section>
    }
    .into_any()
}
