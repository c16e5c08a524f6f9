//! `/not-me`: behind the link of the mail about a new device. One button shuts everybody out; opening the page does nothing (R53), and
//! nobody need be signed in.

use crate::{
    accounts::api::NotMe,
    ui::{AuthFrame, Button, Form, Look, Size},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn NotMePage() -> impl IntoView {
    let lead = view! { "Did somebody else sign in to your account? You can lock them out." };
    view! {
        <AuthFrame title="This wasn't me" lead=lead.into_any()>
            <div class="prose">
                <ul>
                    <li>"Every device is signed out, including yours."</li>
                    <li>"Your password stops working. We email you a link to set a new one."</li>
                    <li>"Your keys keep working. Review them once you are back in."</li>
                </ul>
            </div>
            <Form action=NotMe::PATH class="stack">
                <Button look=Look::Danger size=Size::Large block=true>"This wasn't me"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}
