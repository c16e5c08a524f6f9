//! `/keep-factors`: the button behind the mailed link that stops an operator's removal of second factors. Opening it changes nothing (R53).

use crate::{
    accounts::{
        api::{KeepFactors, stoppable_reset},
        components::loaded,
    },
    ui::{AuthFrame, Button, ErrorSummary, Form, LinkButton, Look, Size},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn KeepFactorsPage() -> impl IntoView {
    loaded(stoppable_reset, |due: Option<String>| match due {
        Some(due) => keep(&due),
        None => dead(),
    })
}

fn keep(due: &str) -> AnyView {
    let lead =
        format!("An operator of this site asked to remove your authenticator app and your recovery codes. They will be removed on {due} unless you stop it.");
    view! {
        <AuthFrame title="Keep your second factors" lead=view! { {lead} }.into_any()>
            <Form action=KeepFactors::PATH class="stack">
                <Button look=Look::Primary size=Size::Large block=true>"Keep my second factors"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}

fn dead() -> AnyView {
    view! {
        <AuthFrame title="Nothing to stop" lead=view! { "The removal was already stopped or completed, or the link is incomplete." }.into_any()>
            <ErrorSummary action=KeepFactors::PATH/>
            <LinkButton href="/sign-in" size=Size::Large block=true>"Sign in"</LinkButton>
        </AuthFrame>
    }
    .into_any()
}
