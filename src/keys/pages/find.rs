//! `/keys/find`: whose is this key? The browser hashes it, so that it never leaves the page; without JavaScript the server hashes it at
//! once and keeps nothing.

use crate::{
    accounts::components::Framed,
    keys::api::FindKey,
    ui::{Button, Crumb, Form, LinkButton, Look, PageHeader, PasswordField},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn FindPage() -> impl IntoView {
    let everywhere = use_query_map().with_untracked(|map| map.get("among").is_some_and(|among| among == "all"));
    let list = if everywhere { "/admin/keys" } else { "/keys" };
    let lead = "Paste a whole key to see its owner and status. Only its hash is looked up; the key itself is never stored or logged.".into_any();
    let help = "From the prefix to the last character, such as demo_live_…";
    view! {
        <Framed crumbs=vec![Crumb::link("Keys", list), Crumb::here("Find by secret")]>
            <PageHeader title="Find by secret" lead/>
            <div data-hashed=list>
                <Form action=FindKey::PATH class="stack form-medium" hidden=vec![("everywhere", everywhere.to_string())]>
                    <PasswordField label="Key" name="secret" autocomplete="off" help/>
                    <div class="form-actions"><Button look=Look::Primary>"Find"</Button><LinkButton href=list look=Look::Quiet>"Cancel"</LinkButton></div>
                </Form>
            </div>
        </Framed>
    }
}
