//! `/confirm-email`: the button behind the link that proves a new address. Opening it changes nothing (R53).

use crate::{
    accounts::{
        api::{ConfirmNewEmail, opened_links},
        components::{DeadLink, ONCE_FOR_AN_HOUR, loaded},
        model::MailedLinks,
    },
    ui::{AuthFrame, Button, Form, Look, Size},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn ConfirmEmailPage() -> impl IntoView {
    loaded(opened_links, |it: MailedLinks| match it.confirms {
        Some(email) => confirm(email),
        None => view! { <DeadLink why=ONCE_FOR_AN_HOUR next=("Ask again", "/settings/email")/> }.into_any(),
    })
}

fn confirm(email: String) -> AnyView {
    let lead = view! { "Press the button to make "<b class="strong ink">{email}</b>" the email of your account. You can no longer sign in with the old one." };
    view! {
        <AuthFrame title="Confirm your new email" raised=true lead=lead.into_any()>
            <Form action=ConfirmNewEmail::PATH class="stack">
                <Button look=Look::Primary size=Size::Large block=true>"Confirm new email"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}
