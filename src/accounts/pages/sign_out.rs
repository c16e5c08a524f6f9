//! `/sign-out`: the button, for who comes here by a link. Opening it ends nothing (R44).

use crate::{
    accounts::api::SignOut,
    ui::{AuthFrame, Button, Form, LinkButton, Look, Size},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn SignOutPage() -> impl IntoView {
    view! {
        <AuthFrame title="Sign out" lead=view! { "This ends your session in this browser. Other devices stay signed in." }.into_any()>
            <Form action=SignOut::PATH class="stack-sm">
                <Button look=Look::Primary size=Size::Large block=true>"Sign out"</Button>
                <LinkButton href="/home" size=Size::Large block=true>"Stay signed in"</LinkButton>
            </Form>
        </AuthFrame>
    }
}
