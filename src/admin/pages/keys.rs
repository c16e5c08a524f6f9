//! `/admin/keys`: the keys of every workspace. Limits and revoking stand beside the chosen key (`?key=key_…`); disabling and enabling, also
//! from the menu of the row, ask in a dialog (`&dialog=disable`).

use super::key_panel::KeyPanel;
use crate::{
    accounts::components::loaded_in_frame,
    admin::{
        api::{self, DisableKey, EnableKey},
        components::link,
        model::AllKeys,
    },
    keys::{
        components::{CheckAll, CheckKey, FoundKey, ManyBar, OfWhom, ReviewCard, SaidOrNever, StandingBadge, SwitchDialog, switches},
        model::{KeyDetail, KeyList, KeyQuery, KeyRow, KeyState, StandingKind},
    },
    ui::{
        Badge, Crumb, Empty, ErrorSummary, FilterSelect, Filters, Gate, Icon, LinkButton, Menu, MenuLink, PageHeader, Pagination, SearchField, Table, folded,
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
    let dialog = parameters.with_untracked(|map| map.get("dialog").unwrap_or_default());
    let way = vec![Crumb::link("Admin", "/admin"), Crumb::link("All keys", PATH)];
    let name = |all: &AllKeys| all.chosen.as_ref().map(|chosen| chosen.key.name.clone());
    loaded_in_frame(way, move || api::list_keys(query(), chosen.clone()), name, move |all| page(all, asks, &dialog), ("Go to the keys", PATH))
}

fn page(all: AllKeys, asks: bool, dialog: &str) -> AnyView {
    let AllKeys { list, chosen } = all;
    let today = list.today;
    let lead =
        format!("{} in all workspaces. {} today, {} passed.", count(list.all, "key", "keys"), count(today.total(), "call", "calls"), thousands(today.passed))
            .into_any();
    let back = here(&list.query, None);
    let revoke = chosen.as_ref().map(|c| link(PATH, [("key", Some(c.key.id.to_string().as_str())), ("ask", Some("revoke"))]));
    let name = chosen.as_ref().map(|chosen| chosen.key.name.clone());
    let switch = chosen.clone().filter(|chosen| switches(dialog, chosen.key.state)).map(|detail| switch(detail, &list.query));
    let has_dialog = switch.is_some();
    let panel = chosen.map(|chosen| {
        let kept = kept(&list.query, &chosen.key.id.to_string());
        view! { <KeyPanel chosen back revoke=revoke.unwrap_or_default() kept asks has_dialog/> }
    });
    let unswitched = (!has_dialog).then(|| view! { <ErrorSummary action=DisableKey::PATH/><ErrorSummary action=EnableKey::PATH/> });
    view! {
        <PageHeader title="All keys" chosen=name lead><LinkButton href="/keys/find?among=all" icon=Icon::Search>"Find by secret"</LinkButton></PageHeader>
        {filters(&list)}
        <ReviewCard review=list.review query=list.query.clone() path=PATH/>
        {list.query.hash.is_some().then(|| view! { <FoundKey list=list.clone()/> })}
        {unswitched}
        {match panel {
            Some(panel) => view! { <div class="cols-panel"><div class="stack">{table(list)}</div>{panel}</div> }.into_any(),
            None => table(list),
        }}
        {switch}
    }
    .into_any()
}

/// The question before the chosen key is disabled or enabled, over the list with its filters.
fn switch(detail: KeyDetail, query: &KeyQuery) -> AnyView {
    let id = detail.key.id.to_string();
    let (path, kept) = (here(query, Some(("key", &id))), kept(query, &id));
    let action = if detail.key.state == KeyState::Disabled { EnableKey::PATH } else { DisableKey::PATH };
    view! { <SwitchDialog detail path kept action/> }.into_any()
}

/// The parameters of the list with its filters and the chosen key.
fn kept(query: &KeyQuery, key: &str) -> Vec<(&'static str, String)> {
    let filters = query.filters().into_iter().filter_map(|(name, value)| Some((name, value?.to_owned())));
    filters.chain([("key", key.to_owned())]).collect()
}

/// The list with its filters, and one more parameter.
fn here(query: &KeyQuery, more: Option<(&'static str, &str)>) -> String {
    link(PATH, query.filters().into_iter().chain(more.map(|(name, value)| (name, Some(value)))))
}

fn filters(list: &KeyList) -> AnyView {
    let any = |words: &str| std::iter::once((String::new(), words.to_owned()));
    let apis = any("All APIs").chain(list.apis.iter().map(|(slug, name)| (slug.to_string(), format!("API: {name}")))).collect();
    let statuses = any("All statuses").chain(StandingKind::ALL.map(|(_, word, label)| (word.to_owned(), label.to_owned()))).collect();
    let query = list.query.clone();
    let kept = query.review.clone().map(|review| ("review", review)).into_iter().collect::<Vec<_>>();
    let tags = (!list.tags.is_empty()).then(|| {
        let tags = any("All tags").chain(list.tags.iter().map(|tag| (tag.clone(), format!("Tag: {tag}")))).collect();
        view! { <FilterSelect label="Tag" name="tag" options=tags nostrip:value=query.tag/> }
    });
    view! {
        <Filters action=PATH label="Keys" kept>
            <SearchField placeholder="Name, owner, tag, id or key" nostrip:value=query.q hashed=PATH/>
            <FilterSelect label="API" name="api" options=apis nostrip:value=query.api/>
            <FilterSelect label="Status" name="status" options=statuses nostrip:value=query.status/>
            {tags}
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
        <div class="row"><Pagination summary newer older/><span class="push">{exports}</span></div>
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
    let leaked = k.is_leaked.then(|| view! { " "<Badge gate=Gate::Refused>"Leaked"</Badge> });
    let (name, is_off) = (k.key.name.clone(), k.standing.kind.is_off());
    let asks = |dialog: &str| link(PATH, query.filters().into_iter().chain([("key", Some(id.as_str())), ("dialog", Some(dialog))]));
    let act = match k.key.state {
        KeyState::Active => view! { <MenuLink href=asks("disable") icon=Icon::Lock label="Disable"/> }.into_any(),
        KeyState::Disabled => view! { <MenuLink href=asks("enable") icon=Icon::CheckCircle label="Enable"/> }.into_any(),
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
