//! The question before an account is disabled: what will happen, in numbers, and why it is done.

use crate::{
    admin::{api::DisableAccount, model::AccountPage},
    ui::{
        Button, Form, Gate, Icon, IconLink, LinkButton, Look, Note, Size, TextArea,
        number::{count, thousands},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn DisableCard(page: AccountPage) -> impl IntoView {
    let account = page.account;
    let back = format!("/admin/accounts/{}", account.id);
    let sessions = page.sessions.len() as u64;
    let what = format!(
        "{} {} and {} {} answered ",
        count(sessions, "session", "sessions"),
        if sessions == 1 { "ends" } else { "end" },
        count(page.live_keys, "key", "keys"),
        if page.live_keys == 1 { "is" } else { "are" },
    );
    let today = format!(". They passed {} today.", count(page.passed_today, "call", "calls"));
    view! {
        <section class="card danger-card" id="disable" aria-labelledby="h-disable">
            <div class="card-head">
                <h2 id="h-disable">"Disable "{account.name.clone()}</h2>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=back.clone() size=Size::Small/></span>
            </div>
            <Form action=DisableAccount::PATH class="card-body stack" hidden=vec![("id", account.id.to_string())]>
                <Note gate=Gate::Refused>
                    <b class="strong">"Within a second: "</b>{what}<code>"BANNED"</code>{if page.passed_today > 0 { today } else { ". They passed no call today.".to_owned() }}
                    " "{thousands(page.key_count)}" "{if page.key_count == 1 { "key stays" } else { "keys stay" }}" as they are and pass again once you enable the account."
                </Note>
                <TextArea label="Reason" name="reason" help="The person reads it when they try to come in." maxlength=200 rows=2 required=true/>
                <div class="form-actions">
                    <Button look=Look::Danger>"Disable"</Button>
                    <LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton>
                    <span class="faint small actions-hint">"You can enable it again at any time."</span>
                </div>
            </Form>
        </section>
    }
    .into_any()
}
