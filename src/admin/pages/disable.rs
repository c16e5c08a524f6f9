//! The question before an account is disabled: what will happen, in numbers, and why it is done.

use crate::{
    admin::{api::DisableAccount, components::ShutOutCard, model::AccountPage},
    ui::{
        TextArea,
        number::{count, thousands},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn DisableCard(page: AccountPage) -> impl IntoView {
    let today = match page.passed_today {
        0 => ". They passed no call today.".to_owned(),
        n => format!(". They passed {} today.", count(n, "call", "calls")),
    };
    let stays = if page.key_count == 1 { "key stays" } else { "keys stay" };
    let more = format!("{today} {} {stays} as they are and pass again once you enable the account.", thousands(page.key_count)).into_any();
    view! {
        <ShutOutCard page verb="Disable" action=DisableAccount::PATH more hint="You can enable it again at any time.">
            <TextArea label="Reason" name="reason" help="The person sees it when they try to sign in." maxlength=200 rows=2 required=true/>
        </ShutOutCard>
    }
    .into_any()
}
