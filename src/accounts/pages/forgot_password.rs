//! `/forgot-password`: asks for the address, then says what happens, in the same words for every address, with the field for the code.

use crate::{
    accounts::api::{ForgotPassword, OpenReset},
    ui::{AuthFrame, Button, Form, Look, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    let is_sent = use_query_map().with_untracked(|query| query.get("sent").is_some());
    if is_sent { sent() } else { ask() }
}

fn ask() -> AnyView {
    view! {
        <AuthFrame title="Set a new password" lead=view! { "We email you a link and a code. Remembered it? "<a href="/sign-in">"Sign in"</a> }.into_any()>
            <Form action=ForgotPassword::PATH class="stack">
                <TextField label="Email" name="email" kind="email" autocomplete="username" maxlength=254 required=true large=true/>
                <Button look=Look::Primary size=Size::Large block=true>"Send reset link"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}

fn sent() -> AnyView {
    let lead = view! { "If the address has an account, we sent an email to set a new password. Open its link on any device, or enter its code here." };
    view! {
        <AuthFrame title="Check your inbox" raised=true lead=lead.into_any()>
            <Form action=OpenReset::PATH class="stack">
                <TextField label="Code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength=12 large=true help="Six digits. The code works for 10 minutes, the link for 60."/>
                <Button look=Look::Primary size=Size::Large block=true>"Choose a new password"</Button>
            </Form>
            <p class="help">
                "Nothing after a minute? Check your spam folder, or "<a href="/forgot-password">"try another address"</a>". Your password doesn't change until you set a new one."
            </p>
        </AuthFrame>
    }
    .into_any()
}
