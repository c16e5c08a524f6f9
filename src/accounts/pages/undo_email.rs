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

const WHY_DEAD: &str = "It was used, or is older than seven days. If your account is not yours any more, ask the operator of this site.";

#[component]
pub fn UndoEmailPage() -> impl IntoView {
    loaded(opened_links, |it: MailedLinks| match it.restores {
        Some(email) => undo(email),
        None => view! { <DeadLink why=WHY_DEAD next=("Sign in", "/sign-in")/> }.into_any(),
    })
}

fn undo(email: String) -> AnyView {
    let lead = view! {
        <b class="strong ink">{email}</b>" becomes the address of your account again. Every device is signed out, the password stops working, and a link to set a new one is mailed there."
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
