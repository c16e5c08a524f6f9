//! `/reset-password`: a new password, for who opened a mailed link, or the first one of an operator.

use crate::{
    accounts::{
        api::{ResetPassword, before_sign_in},
        components::{AccountOfPassword, DeadLink, ONCE_FOR_AN_HOUR, ZoneField, loaded},
        model::{LinkView, ResetLink},
    },
    ui::{AuthFrame, Button, Form, Look, PasswordField, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    loaded(before_sign_in, |it: LinkView| match it.reset {
        Some(link) => form(link, it.password_advice, it.password_min),
        None => view! { <DeadLink why=ONCE_FOR_AN_HOUR next=("Get a new link", "/forgot-password")/> }.into_any(),
    })
}

fn form(link: ResetLink, advice: String, min: usize) -> AnyView {
    let lead = match link.asks_email {
        true => "You are the first operator of this site. Choose how you sign in.".to_owned(),
        false => format!("For {}. All other devices will be signed out.", link.email),
    };
    let whose = move || match link.asks_email {
        true => view! { <TextField label="Email" name="email" kind="email" autocomplete="username" maxlength=254 required=true large=true/> }.into_any(),
        false => view! { <AccountOfPassword email=link.email/> }.into_any(),
    };
    view! {
        <AuthFrame title="Set a new password" raised=true lead=view! { {lead} }.into_any()>
            <Form action=ResetPassword::PATH class="stack">
                {whose()}
                <PasswordField label="New password" name="new_password" autocomplete="new-password" help=advice strength_from=min maxlength=256 required=true large=true/>
                <ZoneField/>
                <Button look=Look::Primary size=Size::Large block=true>"Set new password"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}
