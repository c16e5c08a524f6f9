//! `/admin/keys`: the keys of every workspace. Disabling and enabling stand in the menu of the row; limit and revoking beside the chosen key
//! (`?key=key_…`).

use super::key_panel::KeyPanel;
use crate::{
    accounts::components::loaded_in_frame,
    admin::{
        api::{self, DisableKey, EnableKey},
        components::link,
        model::AllKeys,
    },
    keys::{
        components::{CheckAll, CheckKey, FoundKey, ManyBar, OfWhom, SaidOrNever, StandingBadge},
        model::{KeyList, KeyQuery, KeyRow, KeyState, Review, StandingKind},
    },
    ui::{
        Badge, Crumb, Empty, ErrorSummary, FilterSelect, Filters, Gate, Icon, LinkButton, Menu, MenuAct, MenuLink, PageHeader, Pagination, SearchField, Table,
        folded,
        number::{count, thousands},
    },
    usage::components::files,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/keys";

#[component]
pub fn KeysPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| KeyQuery::read(|name| map.get(name)));
    let (chosen, asks) = parameters.with_untracked(|map| (map.get("key"), map.get("ask").is_some_and(|ask| ask == "revoke")));
    let way = vec![Crumb::link("Admin", "/admin"), Crumb::link("All keys", PATH)];
    let name = |all: &AllKeys| all.chosen.as_ref().map(|chosen| chosen.key.name.clone());
    loaded_in_frame(way, move || api::list_keys(query(), chosen.clone()), name, move |all| page(all, asks), ("Go to the keys", PATH))
}

fn page(all: AllKeys, asks: bool) -> AnyView {
    let AllKeys { list, chosen } = all;
    let today = list.today;
    let lead =
        format!("{} in all workspaces. {} today, {} passed.", count(list.all, "key", "keys"), count(today.total(), "call", "calls"), thousands(today.passed))
            .into_any();
    let back = here(&list.query, None);
    let revoke = chosen.as_ref().map(|c| link(PATH, [("key", Some(c.key.id.to_string().as_str())), ("ask", Some("revoke"))]));
    let name = chosen.as_ref().map(|chosen| chosen.key.name.clone());
    let panel = chosen.map(|chosen| view! { <KeyPanel chosen back revoke=revoke.unwrap_or_default() asks/> });
    view! {
        <PageHeader title="All keys" chosen=name lead><LinkButton href="/keys/find?among=all" icon=Icon::Search>"Find by secret"</LinkButton></PageHeader>
        {filters(&list)}
        {list.query.hash.is_some().then(|| view! { <FoundKey list=list.clone()/> })}
        <ErrorSummary action=DisableKey::PATH/>
        <ErrorSummary action=EnableKey::PATH/>
        {match panel {
            Some(panel) => view! { <div class="cols-panel"><div class="stack">{table(list)}</div>{panel}</div> }.into_any(),
            None => table(list),
        }}
    }
    .into_any()
}

/// The list with its filters, and one more parameter.
fn here(query: &KeyQuery, more: Option<(&'static str, &str)>) -> String {
    link(PATH, query.filters().into_iter().chain(more.map(|(name, value)| (name, Some(value)))))
}

fn filters(list: &KeyList) -> AnyView {
    let any = |words: &str| std::iter::once((String::new(), words.to_owned()));
    let apis = any("Every API").chain(list.apis.iter().map(|(slug, name)| (slug.to_string(), name.clone()))).collect();
    let statuses = any("Every status").chain(StandingKind::ALL.map(|(_, word, label)| (word.to_owned(), label.to_owned()))).collect();
    let reviews = any("Any review").chain(Review::ALL.map(|(_, word, label)| (word.to_owned(), label.to_owned()))).collect();
    let tags = any("Every tag").chain(list.tags.iter().map(|tag| (tag.clone(), format!("Tag: {tag}")))).collect();
    let query = list.query.clone();
    view! {
        <Filters action=PATH label="Keys">
            <SearchField placeholder="Name, owner, tag, id or key" nostrip:value=query.q hashed=PATH/>
            <FilterSelect label="API" name="api" options=apis nostrip:value=query.api/>
            <FilterSelect label="Status" name="status" options=statuses nostrip:value=query.status/>
            <FilterSelect label="Review" name="review" options=reviews nostrip:value=query.review/>
            <FilterSelect label="Tag" name="tag" options=tags nostrip:value=query.tag/>
        </Filters>
    }
    .into_any()
}

fn table(list: KeyList) -> AnyView {
    if list.rows.is_empty() {
        return if list.query.is_filtered() {
            view! { <Empty title="No key matches" text="Search for less of the name, or show every API and status."><LinkButton href=PATH>"Show all keys"</LinkButton></Empty> }.into_any()
        } else {
            view! { <Empty title="No keys yet" text="Keys appear here as soon as somebody creates one."/> }.into_any()
        };
    }
    let summary = format!("{} of {}", thousands(list.rows.len() as u64), count(list.found, "key", "keys"));
    let newer = list.newer.as_deref().map(|cursor| here(&list.query, Some(("newer", cursor))));
    let older = list.older.as_deref().map(|cursor| here(&list.query, Some(("older", cursor))));
    let (query, found) = (list.query, list.found);
    let exports = exports(&query);
    let rows = list.rows.into_iter().map(|k| row(k, &query)).collect_view();
    view! {
        <Table caption="Keys of every workspace, newest first" cards=true>
            <thead>
                <tr>
                    <CheckAll/>
                    <th scope="col">"Name"</th>
                    <th scope="col" class="col-2">"Owner"</th>
                    <th scope="col" class="col-3">"API"</th>
                    <th scope="col" class="num col-3">"Calls, 30 days"</th>
                    <th scope="col" class="col-3">"Last used"</th>
                    <th scope="col" class="cell-status">"Status"</th>
                    <td class="cell-more"><span class="visually-hidden">"More"</span></td>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
        <Pagination summary newer older/>
        {exports}
        <ManyBar query found path="/admin/keys/many"/>
    }
    .into_any()
}

/// What is shown, as a file: at once, or by a job where it is long.
fn exports(query: &KeyQuery) -> AnyView {
    let all = KeyQuery { everywhere: true, ..query.clone() };
    let file = |format| all.request("/api/v1/keys/export", Some(("format", format)));
    files("keys", file("csv"), file("json"), Some(all.request("/exports?of=keys", None)))
}

fn row(k: KeyRow, query: &KeyQuery) -> AnyView {
    let id = k.key.id.to_string();
    let this = vec![("id", id.clone())];
    let leaked = k.is_leaked.then(|| view! { " "<Badge gate=Gate::Refused>"Leaked"</Badge> });
    let (name, is_off) = (k.key.name.clone(), k.standing.kind.is_off());
    let act = match k.key.state {
        KeyState::Active => {
            view! { <MenuAct action=DisableKey::PATH fields=this icon=Icon::Lock label="Disable" asks=format!("Why {name} is disabled")/> }.into_any()
        }
        KeyState::Disabled => {
            view! { <MenuAct action=EnableKey::PATH fields=this icon=Icon::CheckCircle label="Enable" asks=format!("Why {name} is enabled")/> }.into_any()
        }
        KeyState::Revoked => ().into_any(),
    };
    let history = format!("/keys/{id}#history-title");
    let menu = view! {
        <Menu id=format!("menu-{id}") label=format!("More for {name}")>
            {act}
            <MenuLink href=history icon=Icon::Activity label="History"/>
        </Menu>
    };
    // On a phone the panel is below the list.
    let opened = format!("{}#key", here(query, Some(("key", &id))));
    let facts = vec![
        (2, "Owner", view! { <OfWhom owner=k.owner.clone() person=k.person.clone() short=true/> }.into_any()),
        (3, "API", k.key.api_name.clone().into_any()),
        (3, "Calls, 30 days", thousands(k.calls.total()).into_any()),
        (3, "Last used", view! { <SaidOrNever said=k.last_used.clone()/> }.into_any()),
    ];
    view! {
        <tr class=is_off.then_some("is-off")>
            <CheckKey id=id.clone() name=k.key.name.clone()/>
            <th scope="row"><span class="cell-2"><a class="row-link" href=opened>{k.key.name}</a><span><code>{k.key.start}"…"</code>{leaked}</span></span>{folded(facts)}</th>
            <td class="col-2"><OfWhom owner=k.owner person=k.person short=true/></td>
            <td class="col-3 muted">{k.key.api_name}</td>
            <td class="num col-3">{thousands(k.calls.total())}</td>
            <td class="col-3"><SaidOrNever said=k.last_used/></td>
            <td class="cell-status"><StandingBadge id=format!("why-{id}") standing=k.standing end=true/></td>
            <td class="cell-more">{menu}</td>
        </tr>
    }
    .into_any()
}
