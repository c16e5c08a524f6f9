//! Whose a key is.

use crate::keys::model::KeyOwner;
use leptos::prelude::*;

/// The workspace's name; for operators the way to the account, the person's name where it is another one, and their address, unless it is `short`.
#[component]
pub fn OfWhom(owner: String, person: Option<KeyOwner>, #[prop(optional)] short: bool) -> impl IntoView {
    let Some(KeyOwner { account, name, email }) = person else { return owner.into_any() };
    let who = if name == owner { email } else { format!("{name}, {email}") };
    let who = (!short).then(|| format!(" ({who})"));
    view! { <a href=format!("/admin/accounts/{account}")>{owner}</a>{who} }.into_any()
}
