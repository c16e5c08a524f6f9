//! The question before an account is banned: what will happen, in numbers, why, and for how long.

use crate::admin::{
    api::BanAccount,
    components::{BanFields, ShutOutCard},
    model::AccountPage,
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn BanCard(page: AccountPage) -> impl IntoView {
    let more = ". The person is told by email, now and when the ban ends. It ends by itself.".into_any();
    view! { <ShutOutCard page verb="Ban" action=BanAccount::PATH more hint="You can lift it at any time."><BanFields/></ShutOutCard> }.into_any()
}
