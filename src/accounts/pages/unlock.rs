//! `/unlock`: behind the link of the mail about wrong passwords. The button ends the wait; opening the page does nothing (R53).

use crate::{
    accounts::api::Unlock,
    ui::{AuthFrame, Button, Form, Look, Size},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn UnlockPage() -> impl IntoView {
    let lead =
        view! { "Somebody tried wrong passwords for your account, so signing in has to wait. If that was you, or you want to sign in now, end the wait." };
    view! {
        <AuthFrame title="End the wait" lead=lead.into_any()>
            <Form action=Unlock::PATH class="stack">
                <Button look=Look::Primary size=Size::Large block=true>"End the wait"</Button>
            </Form>
            <p class="help">"Forgot your password? "<a href="/forgot-password">"Set a new one"</a>"; that ends the wait too."</p>
        </AuthFrame>
    }
    .into_any()
}
