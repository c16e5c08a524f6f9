//! Choosing many accounts in the list. The boxes belong to the form of the bar, wherever they stand, so it works without JavaScript; the
//! bar shows as soon as a box is checked (CSS), as on the list of keys.

use crate::{
    accounts::model::AccountAct,
    admin::model::AccountQuery,
    ui::{Button, FilterSelect, Icon, IconButton, Size, number::count},
};
use leptos::prelude::*;

/// The form that the boxes belong to.
const FORM: &str = "many";

/// The box of a row.
#[component]
pub fn CheckAccount(#[prop(into)] id: String, #[prop(into)] name: String) -> impl IntoView {
    view! { <td class="cell-check"><input class="check row-check" type="checkbox" name="account" value=id form=FORM aria-label=format!("Select {name}")/></td> }
}

/// What to do with the checked accounts, or with all `found` ones; it is looked at first.
#[component]
pub fn ManyAccountsBar(query: AccountQuery, found: u64) -> impl IntoView {
    let acts = AccountAct::ALL.map(|(_, word, label)| (word.to_owned(), label.to_owned())).to_vec();
    let all = format!("all {} that match", count(found, "account", "accounts"));
    view! {
        <form id=FORM class="bulk-bar" method="get" action="/admin/accounts/many" aria-label="With the selected accounts">
            {query.q.map(|q| view! { <input type="hidden" name="q" value=q/> })}
            {query.status.map(|status| view! { <input type="hidden" name="status" value=status/> })}
            <b data-checked>"Selected accounts"</b>
            <label class="row"><input class="check" type="checkbox" name="all" value="true"/>{all}</label>
            <span class="rule"></span>
            <FilterSelect label="What to do with them" name="act" options=acts/>
            <Button size=Size::Small>"Preview"</Button>
            <IconButton icon=Icon::Close label="Clear the selection" kind="reset" size=Size::Small/>
        </form>
    }
    .into_any()
}
