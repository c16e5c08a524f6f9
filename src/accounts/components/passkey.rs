//! What asks for a passkey. A form with a [`PasskeyField`] is a form like any other, but for its one hidden field: pressing its button
//! asks the authenticator first (`public/passkeys.js`), then sends what it answered. Without JavaScript, or in a browser that knows no
//! passkeys, a [`PasskeyPart`] is not seen.

use crate::{
    accounts::{
        api::{AskPasskey, AskPasskeyOfSignUp},
        model::PasskeyUse,
    },
    error::AppError,
    ui::FormOutcome,
};
use leptos::{nonce::use_nonce, prelude::*, server_fn::ServerFn};

/// Seen where passkeys can be used.
#[component]
pub fn PasskeyPart(children: Children) -> impl IntoView {
    view! {
        <div class="stack" hidden=true data-passkey-part>{children()}</div>
        <PasskeyScript/>
    }
    .into_any()
}

/// The hidden field for the answer of the authenticator, and the line that says why there is none. A proof (`asks`), or a new passkey:
/// `options` says what the browser is asked, or (`makes`) the server is asked by the form's address and name.
#[component]
pub fn PasskeyField(
    name: &'static str,
    #[prop(optional)] asks: Option<PasskeyUse>,
    /// The browser offers passkeys where the address is typed, before anything is pressed.
    #[prop(optional)]
    suggests: bool,
    #[prop(optional)] makes: bool,
    #[prop(optional, into)] options: Option<String>,
) -> impl IntoView {
    let kind = if asks.is_some() { "get" } else { "create" };
    let ask = match asks {
        Some(_) => Some(AskPasskey::PATH),
        None => makes.then_some(AskPasskeyOfSignUp::PATH),
    };
    let unknown = suggests.then(|| unknown(name)).flatten();
    let said = unknown.as_ref().map(|_| "This site doesn't recognize that passkey. It may have been removed. Use another one, or your password.");
    view! {
        <input
            type="hidden"
            name=name
            data-passkey=kind
            data-ask=ask
            data-purpose=asks.map(PasskeyUse::as_str)
            data-suggests=suggests.then_some("")
            data-options=options
            data-unknown=unknown
        />
        <p class="help" role=if said.is_some() { "alert" } else { "status" } hidden=said.is_none() data-passkey-said>{said}</p>
        <PasskeyScript/>
    }
    .into_any()
}

/// The answer that was sent, if the site does not know its passkey: the script lets the authenticator forget it.
fn unknown(name: &str) -> Option<String> {
    let outcome = use_context::<FormOutcome>().filter(|outcome| outcome.error == Some(AppError::NotFound))?;
    outcome.values.into_iter().find(|(field, _)| field == name).map(|(_, answer)| answer)
}

/// The second of two does nothing.
#[component]
fn PasskeyScript() -> impl IntoView {
    view! { <script src="/passkeys.js" nonce=use_nonce() defer></script> }
}
