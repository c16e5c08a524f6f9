//! `/sign-up`: name, address, password; or why nobody can sign up here.

use crate::{
    accounts::{
        api::{SignUp, before_sign_in},
        components::{FieldInputs, loaded},
        model::{Door, FieldValue, LinkView, ProfileField},
    },
    ui::{AuthFrame, Button, Form, Look, PasswordField, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn SignUpPage() -> impl IntoView {
    loaded(before_sign_in, |it: LinkView| match it.door {
        Door::Open | Door::Invited => form(it.password_advice, it.fields),
        Door::InviteNeeded => shut("You need an invitation", "Sign-up here is by invitation. Open the link you were sent, in this browser."),
        Door::Closed => shut("Sign-up is closed", "New accounts are made by the operator of this site. Ask there for one."),
    })
}

fn form(password_advice: String, asked: Vec<ProfileField>) -> AnyView {
    let fields: Vec<FieldValue> = asked.into_iter().map(|field| FieldValue { field, value: String::new(), is_public: false }).collect();
    view! {
        <AuthFrame title="Create account" raised=true lead=view! { "Have one already? "<a href="/sign-in">"Sign in"</a> }.into_any()>
            <Form action=SignUp::PATH class="stack">
                <TextField label="Name" name="name" autocomplete="name" maxlength=80 help="May stay empty: then it is the part of your address before the @." large=true/>
                <TextField label="Email" name="email" kind="email" autocomplete="email" maxlength=254 required=true large=true/>
                <PasswordField label="Password" name="password" autocomplete="new-password" help=password_advice maxlength=256 required=true large=true/>
                <FieldInputs fields large=true/>
                <input type="hidden" name="time_zone" data-time-zone/>
                <Button look=Look::Primary size=Size::Large block=true>"Create account"</Button>
            </Form>
        </AuthFrame>
    }
    .into_any()
}

fn shut(title: &'static str, text: &'static str) -> AnyView {
    view! {
        <AuthFrame title=title lead=view! { "Have an account? "<a href="/sign-in">"Sign in"</a> }.into_any()>
            <p class="muted">{text}</p>
        </AuthFrame>
    }
    .into_any()
}
