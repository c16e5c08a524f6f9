//! `/settings/security/passkey`: a passkey is made by the browser and gets a name.

use crate::{
    accounts::{
        api::{AddPasskey, StartPasskey, my_new_passkey},
        components::{PasskeyField, loaded},
        model::NewPasskey,
    },
    ui::{AuthFrame, Button, CheckField, ErrorSummary, Form, Look, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn NewPasskeyPage() -> impl IntoView {
    loaded(my_new_passkey, |it: NewPasskey| {
        let (words, href) = if it.is_owed { ("Sign out", "/sign-out") } else { ("Back to Security", "/settings/security") };
        let foot = vec![(words.to_owned(), href.to_owned())];
        match it.options {
            Some(options) => make(options, foot),
            None => start(foot),
        }
    })
}

fn start(foot: Vec<(String, String)>) -> AnyView {
    view! {
        <AuthFrame title="Add a passkey" lead=view! { "Sign in with your fingerprint, your face or a PIN. There is no password to steal." }.into_any() foot=foot>
            <ErrorSummary action=AddPasskey::PATH/> // a question is used up by the try that failed
            <Form action=StartPasskey::PATH class="stack">
                <Button look=Look::Primary size=Size::Large block=true>"Choose where to keep it"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}

fn make(options: String, foot: Vec<(String, String)>) -> AnyView {
    view! {
        <AuthFrame title="Add a passkey" raised=true lead=view! { "Your browser asks where to keep it: on this device, in a password manager, or on a security key." }.into_any() foot=foot>
            <Form action=AddPasskey::PATH class="stack">
                <TextField label="Name" name="name" maxlength=80 autocomplete="off" large=true help="Optional. If empty, it is named after where you keep it."/>
                <CheckField label="Sign out all other devices" name="end_others" help="They signed in without this passkey."/>
                <PasskeyField name="credential" options=options/>
                <Button look=Look::Primary size=Size::Large block=true>"Create passkey"</Button>
            </Form>
            <p class="help" data-nojs>"Passkeys need JavaScript."</p>
        </AuthFrame>
    }
    .into_any()
}
