//! The question before an account is banned: what will happen, in numbers, why, and for how long.

use crate::{
    admin::{api::BanAccount, components::BanFields, model::AccountPage},
    ui::{Button, Form, Gate, Icon, IconLink, LinkButton, Look, Note, Size, number::count},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn BanCard(page: AccountPage) -> impl IntoView {
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
    view! {
        <section class="card danger-card" id="ban" aria-labelledby="h-ban">
            <div class="card-head">
                <h2 id="h-ban">"Ban "{account.name.clone()}</h2>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=back.clone() size=Size::Small/></span>
            </div>
            <Form action=BanAccount::PATH class="card-body stack" hidden=vec![("id", account.id.to_string())]>
                <Note gate=Gate::Refused>
                    <b class="strong">"Within a second: "</b>{what}<code>"BANNED"</code>". The person is told by mail, now and when the ban ends. It ends by itself."
                </Note>
                <BanFields/>
                <div class="form-actions">
                    <Button look=Look::Danger>"Ban"</Button>
                    <LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton>
                    <span class="faint small actions-hint">"You can lift it at any time."</span>
                </div>
            </Form>
        </section>
    }
    .into_any()
}
