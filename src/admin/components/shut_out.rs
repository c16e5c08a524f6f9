//! The question before an account is shut out: what will happen, in numbers, the fields of how and why, and a way back.

use crate::{
    admin::model::AccountPage,
    ui::{Button, Form, Gate, Icon, IconLink, LinkButton, Look, Note, Size, number::count},
};
use leptos::prelude::*;

/// A card over the account's page; `children` are the fields of its form.
#[component]
pub fn ShutOutCard(
    page: AccountPage,
    /// What it does, as the button says it and the address names it: "Ban".
    verb: &'static str,
    action: &'static str,
    /// What is to know besides the sessions that end and the keys that are answered BANNED.
    more: AnyView,
    /// How it is undone.
    hint: &'static str,
    children: Children,
) -> impl IntoView {
    let account = page.account;
    let back = format!("/admin/accounts/{}", account.id);
    let (id, heading) = (verb.to_lowercase(), format!("h-{}", verb.to_lowercase()));
    let labelled_by = heading.clone();
    let sessions = page.sessions.len() as u64;
    let what = format!(
        "{} {} and {} {} answered ",
        count(sessions, "session", "sessions"),
        if sessions == 1 { "ends" } else { "end" },
        count(page.live_keys, "key", "keys"),
        if page.live_keys == 1 { "is" } else { "are" },
    );
    view! {
        <section class="card danger-card" id=id aria-labelledby=labelled_by>
            <div class="card-head">
                <h2 id=heading>{verb}" "{account.name.clone()}</h2>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=back.clone() size=Size::Small/></span>
            </div>
            <Form action=action class="card-body stack" hidden=vec![("id", account.id.to_string())]>
                <Note gate=Gate::Refused><b class="strong">"Within a second: "</b>{what}<code>"BANNED"</code>{more}</Note>
                {children()}
                <div class="form-actions">
                    <Button look=Look::Danger>{verb}</Button>
                    <LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton>
                    <span class="faint small actions-hint">{hint}</span>
                </div>
            </Form>
        </section>
    }
    .into_any()
}
