//! `/unlock`: behind the link of the mail about wrong passwords. The button ends the wait; opening the page does nothing (R53).

use crate::{
    accounts::api::Unlock,
    ui::{AuthFrame, Button, Form, Look, Size},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn UnlockPage() -> impl IntoView {
    let lead = view! { "Somebody entered wrong passwords for your account, so you have to wait before signing in. End the wait to sign in now." };
    view! {
        <AuthFrame title="End the wait" lead=lead.into_any()>
            <Form action=Unlock::PATH class="stack">
                <Button look=Look::Primary size=Size::Large block=true>"End the wait"</Button>
            </Form>
            <p class="help">"Forgot your password? "<a href="/forgot-password">"Set a new one"</a>". That ends the wait, too."</p>
        </AuthFrame>
    }
    .into_any()
}
