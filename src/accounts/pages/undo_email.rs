//! `/undo-email`: the button behind the link in the notice to the old address. Opening it changes nothing (R53).

use crate::{
    accounts::{
        api::{UndoEmailChange, opened_links},
        components::{DeadLink, loaded},
        model::MailedLinks,
    },
    ui::{AuthFrame, Button, Form, Look, Size},
};
use leptos::{prelude::*, server_fn::ServerFn};

const WHY_DEAD: &str = "It was already used, or is older than seven days. If you lost access to your account, ask the operator of this site.";

#[component]
pub fn UndoEmailPage() -> impl IntoView {
    loaded(opened_links, |it: MailedLinks| match it.restores {
        Some(email) => undo(email),
        None => view! { <DeadLink why=WHY_DEAD next=("Sign in", "/sign-in")/> }.into_any(),
    })
}

fn undo(email: String) -> AnyView {
    let lead = view! {
        <b class="strong ink">{email}</b>" becomes the email of your account again. Every device is signed out, your password stops working, and we email you a link there to set a new one."
    };
    view! {
        <AuthFrame title="Take the change back" lead=lead.into_any()>
            <Form action=UndoEmailChange::PATH class="stack">
                <Button look=Look::Primary size=Size::Large block=true>"Take the change back"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}
