//! `/admin/accounts`: everybody who signed up, newest first.

use crate::{
    accounts::{components::Framed, model::AccountState},
    admin::{
        api,
        components::{AccountTable, ManyAccountsBar, link, loaded},
        model::{AccountList, AccountQuery},
    },
    ui::{
        Empty, FilterSelect, Filters, LinkButton, PageHeader, Pagination, SearchField,
        number::{count, thousands},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/accounts";

#[component]
pub fn AccountsPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| AccountQuery::read(|name| map.get(name)));
    view! { <Framed crumbs=super::crumbs("Accounts")>{loaded(move || api::list_accounts(query()), list)}</Framed> }
}

fn list(list: AccountList) -> AnyView {
    let AccountList { query, rows, found, all, newer, older } = list;
    let lead = format!("{}, newest first.", count(all, "account", "accounts")).into_any();
    let summary = format!("{} of {}", thousands(rows.len() as u64), count(found, "account", "accounts"));
    let to = |name, cursor: Option<String>| {
        let cursor = cursor?;
        Some(link(PATH, [("q", query.q.as_deref()), ("status", query.status.as_deref()), (name, Some(cursor.as_str()))]))
    };
    let (newer, older) = (to("newer", newer.map(|id| id.to_string())), to("older", older.map(|id| id.to_string())));
    let is_filtered = query.is_filtered();
    let of_bar = query.clone();
    view! {
        <PageHeader title="Accounts" lead><LinkButton href="/admin/accounts/import">"Import accounts"</LinkButton></PageHeader>
        <Filters action=PATH label="Accounts">
            <SearchField placeholder="Name, email, id, or team=Blue" nostrip:value=query.q/>
            <FilterSelect label="Status" name="status" options=statuses() nostrip:value=query.status/>
        </Filters>
        {match (rows.is_empty(), is_filtered) {
            (false, _) => view! { <AccountTable rows caption="Accounts, newest first" choosable=true/><Pagination summary newer older/><ManyAccountsBar query=of_bar found/> }.into_any(),
            (true, true) => view! { <Empty title="No account matches" text="Search for less of the name, or show every status."><LinkButton href=PATH>"Show all accounts"</LinkButton></Empty> }.into_any(),
            (true, false) => view! { <Empty title="No accounts here" text="Accounts appear here as soon as somebody signs up."/> }.into_any(),
        }}
    }
    .into_any()
}

fn statuses() -> Vec<(String, String)> {
    let of = AccountState::ALL.into_iter().map(|state| (state.as_str().to_owned(), state.label().to_owned()));
    let any = std::iter::once((String::new(), "All statuses".to_owned()));
    any.chain(of).chain([("operator".to_owned(), "Operators".to_owned())]).collect()
}
