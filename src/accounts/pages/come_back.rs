//! `/come-back`: the way back to an account that was left, for who just typed its password or opened the link of the mail.

use crate::{
    accounts::{
        api::{ComeBack, opened_links},
        components::{DeadLink, loaded},
        model::{Left, MailedLinks},
    },
    ui::{AuthFrame, Button, Form, Look, Size},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn ComeBackPage() -> impl IntoView {
    loaded(opened_links, |it: MailedLinks| match it.returns {
        Some(left) => back(left),
        None => view! { <DeadLink why="It was already used, it expired, or the account is already back. Sign in to check." next=("Sign in", "/sign-in")/> }
            .into_any(),
    })
}

fn back(left: Left) -> AnyView {
    let (title, lead) = match left.erased {
        Some(when) => ("Your account is deleted", format!("It will be erased on {when}. Until then, you can restore it with all its keys.")),
        None => ("Your account is deactivated", "You can restore it with all its keys.".to_owned()),
    };
    view! {
        <AuthFrame title=title raised=true lead=view! { {lead} }.into_any()>
            <Form action=ComeBack::PATH class="stack">
                <Button look=Look::Primary size=Size::Large block=true>"Bring it back"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}
