//! `/delete-account`: the last confirmation, behind a mailed link. Opening it changes nothing (R53).

use crate::{
    accounts::{
        api::{ConfirmDeletion, opened_links},
        components::{DeadLink, ONCE_FOR_AN_HOUR, loaded},
        model::MailedLinks,
    },
    ui::{AuthFrame, Button, Form, LinkButton, Look, Size},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn DeleteAccountPage() -> impl IntoView {
    loaded(opened_links, |it: MailedLinks| match it.deletes {
        Some(email) => confirm(email),
        None => view! { <DeadLink why=ONCE_FOR_AN_HOUR next=("Ask again", "/settings/danger")/> }.into_any(),
    })
}

fn confirm(email: String) -> AnyView {
    let lead = view! {
        "The account of "<b class="strong ink">{email}</b>" is closed now: every device is signed out and its keys stop working. You can restore it within 30 days by signing in. After that, everything is erased."
    };
    view! {
        <AuthFrame title="Delete your account" lead=lead.into_any()>
            <Form action=ConfirmDeletion::PATH class="stack-sm">
                <Button look=Look::Danger size=Size::Large block=true>"Delete my account"</Button>
                <LinkButton href="/home" size=Size::Large block=true>"Keep it"</LinkButton>
            </Form>
        </AuthFrame>
    }
    .into_any()
}
