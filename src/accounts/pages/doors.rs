//! The pages before signing in, in their plainest form.

use crate::{accounts::api, ui::FormOutcome};
use leptos::{prelude::*, server_fn::ServerFn};

fn form(action: &'static str, button: &'static str, fields: Vec<(&'static str, &'static str, &'static str)>) -> impl IntoView {
    let outcome = use_context::<FormOutcome>();
    view! {
        <form method="post" class="stack">
            {outcome.map(|o| view! { <p role="alert">{o.error.to_string()}</p> })}
            <input type="hidden" name="_fn" value=action/>
            {fields
                .into_iter()
                .map(|(name, label, kind)| view! { <div class="field"><label for=name>{label}</label><input class="input" id=name name=name type=kind/></div> })
                .collect_view()}
            <button class="btn btn-primary">{button}</button>
        </form>
    }
}

#[component]
pub fn SignUpPage() -> impl IntoView {
    let fields = vec![("name", "Name", "text"), ("email", "Email", "email"), ("password", "Password", "password")];
    view! { <main id="main"><h1>"Create account"</h1>{form(api::SignUp::PATH, "Create account", fields)}</main> }
}

#[component]
pub fn VerifyEmailPage() -> impl IntoView {
    view! {
        <main id="main">
            <h1>"Check your inbox"</h1>
            {form(api::VerifyEmail::PATH, "Confirm email", vec![])}
            {form(api::VerifyEmail::PATH, "Confirm email", vec![("code", "Code", "text")])}
        </main>
    }
}

#[component]
pub fn SignInPage() -> impl IntoView {
    let fields = vec![("email", "Email", "email"), ("password", "Password", "password")];
    view! { <main id="main"><h1>"Sign in"</h1>{form(api::SignIn::PATH, "Sign in", fields)}</main> }
}

#[component]
pub fn SignOutPage() -> impl IntoView {
    view! { <main id="main"><h1>"Sign out"</h1>{form(api::SignOut::PATH, "Sign out", vec![])}</main> }
}

#[component]
pub fn ForgotPasswordPage() -> impl IntoView {
    view! { <main id="main"><h1>"Forgot your password?"</h1>{form(api::ForgotPassword::PATH, "Send reset link", vec![("email", "Email", "email")])}</main> }
}

#[component]
pub fn ResetPasswordPage() -> impl IntoView {
    let fields = vec![("new_password", "New password", "password")];
    view! { <main id="main"><h1>"Set a new password"</h1>{form(api::ResetPassword::PATH, "Set new password", fields)}</main> }
}

#[component]
pub fn SessionsPage() -> impl IntoView {
    view! { <main id="main"><h1>"Sessions"</h1></main> }
}
