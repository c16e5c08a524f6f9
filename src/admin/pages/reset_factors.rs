//! The second factors of an account, and the question before they are taken away: what will happen and when, and why it is done.

use crate::{
    admin::{
        api::ResetFactors,
        model::{AccountPage, AccountRow},
    },
    ui::{Button, Form, Gate, Icon, IconLink, LinkButton, Look, Note, Size, TextArea, number::count},
    values::link,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// What there is, in a fact; with the way to the question.
pub fn factors(page: &AccountPage) -> AnyView {
    let f = &page.factors;
    let app = f.app_since.as_ref().map(|since| format!("app since {since}"));
    let passkeys = (f.passkeys > 0).then(|| count(f.passkeys, "passkey", "passkeys"));
    let there: Vec<String> = app.into_iter().chain(passkeys).collect();
    let words = match (there.is_empty(), &f.reset_due) {
        (true, _) => "none".to_owned(),
        (false, None) => format!("{}, {} recovery codes left", there.join(", "), f.codes_left),
        (false, Some(due)) => format!("{}; removed {due}, unless its owner stops it", there.join(", ")),
    };
    let id = page.account.id.to_string();
    let ask = page.may_reset_factors().then(|| view! { ". "<a href=link(&format!("/admin/accounts/{id}"), [("ask", "reset-factors")])>"Reset"</a> });
    view! { {words}{ask} }.into_any()
}

#[component]
pub fn ResetFactorsCard(account: AccountRow) -> impl IntoView {
    let back = format!("/admin/accounts/{}", account.id);
    view! {
        <section class="card danger-card" id="reset-factors" aria-labelledby="h-reset-factors">
            <div class="card-head">
                <h2 id="h-reset-factors">"Reset the second factors of "{account.name}</h2>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=back.clone() size=Size::Small/></span>
            </div>
            <Form action=ResetFactors::PATH class="card-body stack" hidden=vec![("id", account.id.to_string())]>
                <Note gate=Gate::Refused>
                    <b class="strong">"In 24 hours: "</b>"the authenticator app, the passkeys and the recovery codes are removed, every session ends, and the password alone is enough to sign in. "
                    {account.email}" is told now and can stop it until then."
                </Note>
                <TextArea label="Reason" name="reason" help="Why, and how you know that it is really them." maxlength=200 rows=2 required=true/>
                <div class="form-actions">
                    <Button look=Look::Danger>"Reset second factors"</Button>
                    <LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton>
                </div>
            </Form>
        </section>
    }
    .into_any()
}
