//! `/keys`: the keys of the workspace, how each stands, and the form for a new one.

use crate::{
    accounts::components::{Framed, is_shown},
    keys::{
        api::{self, DisableKey, EnableKey},
        components::{
            CheckAll, CheckKey, FirstKey, FoundKey, ManyBar, NewKeyDialog, QuickCreate, ReviewCard, SaidOrNever, SaidTime, StandingBadge, Tags, WorkspaceNotes,
            loaded,
        },
        model::{KeyList, KeyQuery, KeyRow, KeyState, KeysShown, StandingKind},
    },
    ui::{
        Badge, ButtonMenu, Crumb, Empty, FilterSelect, Filters, Gate, Icon, LinkButton, Look, Menu, MenuLink, MenuRule, OutlineBadge, PageHeader, Pagination,
        SearchField, Size, Table,
        chart::Sparkline,
        folded,
        number::{count, thousands},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/keys";
const MANY: &str = "/keys/many";
const FIND: &str = "/keys/find";
const EXPORT: &str = "/api/v1/keys/export";

#[component]
pub fn KeysPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| KeyQuery::read(|name| map.get(name)));
    let has_dialog = parameters.with_untracked(|map| map.get("dialog").is_some_and(|dialog| dialog == "new"));
    view! { <Framed crumbs=vec![Crumb::here("Keys")]>{loaded(move || api::list_keys(query(), has_dialog), move |shown| page(shown, has_dialog), |error| error)}</Framed> }
}

fn page(shown: KeysShown, has_dialog: bool) -> AnyView {
    let KeysShown { list, state, form } = shown;
    let dialog = has_dialog.then(|| view! { <NewKeyDialog form=form.clone()/> });
    if list.all == 0 {
        let lead = "Your programs call an API with a key.".into_any();
        return view! { <PageHeader title="Keys" lead/>{if has_dialog { dialog.into_any() } else { view! { <FirstKey form/> }.into_any() }} }.into_any();
    }
    let today = list.today;
    let lead = match today.total() {
        0 => format!("API keys of {}. No calls today.", list.workspace),
        _ => format!(
            "API keys of {}. Today {} passed, {} did not.",
            list.workspace,
            count(today.passed, "call", "calls"),
            thousands(today.limited + today.refused)
        ),
    };
    // While the dialog is open there is one field Name and one button Create key: its own.
    let quick = (!has_dialog).then(|| view! { <QuickCreate form more=more(&list.query)/> });
    view! {
        <PageHeader title="Keys" lead=lead.into_any()>{quick}</PageHeader>
        <WorkspaceNotes state whose="All calls of your keys"/>
        <div class="stack">{filters(&list)}{list.query.hash.is_some().then(|| view! { <FoundKey list=list.clone()/> })}<ReviewCard review=list.review query=list.query.clone() path=PATH/>{table(list)}</div>
        {dialog}
    }
    .into_any()
}

fn filters(list: &KeyList) -> AnyView {
    let any = |words: &str| std::iter::once((String::new(), words.to_owned()));
    let apis = any("All APIs").chain(list.apis.iter().map(|(slug, name)| (slug.to_string(), format!("API: {name}")))).collect();
    let statuses = any("All statuses").chain(StandingKind::ALL.map(|(_, word, label)| (word.to_owned(), label.to_owned()))).collect();
    let query = list.query.clone();
    // Which keys to review is chosen below the filters, by how many there are.
    let kept = query.review.clone().map(|review| ("review", review)).into_iter().collect::<Vec<_>>();
    let tags = (!list.tags.is_empty()).then(|| {
        let tags = any("All tags").chain(list.tags.iter().map(|tag| (tag.clone(), format!("Tag: {tag}")))).collect();
        view! { <FilterSelect label="Tag" name="tag" options=tags nostrip:value=query.tag/> }
    });
    view! {
        <Filters action=PATH label="Keys" kept>
            <SearchField placeholder="Name, tag, start, id or whole key" nostrip:value=query.q hashed=PATH/>
            <FilterSelect label="API" name="api" options=apis nostrip:value=query.api/>
            <FilterSelect label="Status" name="status" options=statuses nostrip:value=query.status/>
            {tags}
        </Filters>
    }
    .into_any()
}

/// What else there is to do with keys, and the other files of what is listed.
fn more(query: &KeyQuery) -> AnyView {
    let many = is_shown("/keys/import").then(|| {
        view! {
            <MenuLink href="/keys/import" icon=Icon::ArrowUp label="Import keys"/>
            <MenuLink href="/keys/create-many" icon=Icon::Plus label="Create many"/>
        }
    });
    let find = is_shown(FIND).then(|| view! { <MenuLink href=FIND icon=Icon::Search label="Find by secret"/> });
    let json = is_shown(EXPORT).then(|| view! { <MenuLink href=query.link(EXPORT, Some(("format", "json"))) icon=Icon::Download label="Export JSON"/> });
    let rule = (many.is_some() || find.is_some()).then(|| view! { <MenuRule/> });
    let prepare = query.link("/exports?of=keys", None);
    view! {
        <ButtonMenu id="more-keys" words="More" icon=Icon::More look=Look::Quiet size=Size::Small>
            {many}
            {find}
            {rule}
            {json}
            <MenuLink href=prepare icon=Icon::Server label="Prepare a file"/>
        </ButtonMenu>
    }
    .into_any()
}

fn table(list: KeyList) -> AnyView {
    if list.rows.is_empty() {
        return view! {
            <Empty title="No key matches" text="Try a shorter search, or clear the filters.">
                <LinkButton href=PATH>"Show all keys"</LinkButton>
            </Empty>
        }
        .into_any();
    }
    let summary = format!("{} of {}", thousands(list.rows.len() as u64), count(list.found, "key", "keys"));
    let newer = list.newer.as_deref().map(|cursor| list.query.link(PATH, Some(("newer", cursor))));
    let older = list.older.as_deref().map(|cursor| list.query.link(PATH, Some(("older", cursor))));
    let (query, found) = (list.query, list.found);
    let can_choose = is_shown(MANY);
    let file = query.link(EXPORT, None);
    let export = is_shown(EXPORT)
        .then(|| view! { <span class="push"><LinkButton href=file size=Size::Small look=Look::Quiet icon=Icon::Download>"Export CSV"</LinkButton></span> });
    let rows = list.rows.into_iter().map(|one| row(one, can_choose)).collect_view();
    view! {
        <Table caption="Keys, newest first" cards=true>
            <thead>
                <tr>
                    {can_choose.then(|| view! { <CheckAll/> })}
                    <th scope="col">"Name"</th>
                    <th scope="col" class="col-2">"Last 30 days"</th>
                    <th scope="col" class="num col-2">"Calls"</th>
                    <th scope="col" class="col-2">"Last used"</th>
                    <th scope="col" class="col-3">"Expires"</th>
                    <th scope="col" class="cell-status">"Status"</th>
                    <td class="cell-more"><span class="visually-hidden">"More"</span></td>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </Table>
        <div class="row"><Pagination summary newer older/>{export}</div>
        {can_choose.then(|| view! { <ManyBar query found path=MANY/> })}
    }
    .into_any()
}

fn row(row: KeyRow, can_choose: bool) -> AnyView {
    let id = row.key.id.to_string();
    let points: Vec<_> = row.spark.iter().map(|day| (day.passed, day.limited, day.refused)).collect();
    let is_off = row.standing.kind.is_off();
    let menu = menu(&row);
    let check = can_choose.then(|| view! { <CheckKey id=id.clone() name=row.key.name.clone()/> });
    let leaked = row.is_leaked.then(|| view! { " "<Badge gate=Gate::Refused>"Leaked"</Badge> });
    let expires = || match row.expires.clone() {
        Some(said) => view! { <SaidTime said/> }.into_any(),
        None if is_off => view! { <span class="faint">"never"</span> }.into_any(),
        None => view! { <OutlineBadge>"never"</OutlineBadge> }.into_any(),
    };
    let facts = vec![
        (2, "Last used", view! { <SaidOrNever said=row.last_used.clone()/> }.into_any()),
        (2, "Calls", thousands(row.calls.total()).into_any()),
        (3, "Expires", expires()),
    ];
    view! {
        <tr class=is_off.then_some("is-off")>
            {check}
            <th scope="row"><span class="cell-2"><a class="row-link" href=format!("/keys/{id}")>{row.key.name.clone()}</a><span><code>{row.key.start}"…"</code>{leaked}<Tags tags=row.key.tags/></span></span>{folded(facts)}</th>
            <td class="col-2"><Sparkline name=row.key.name points/></td>
            <td class="num col-2">{thousands(row.calls.total())}</td>
            <td class="col-2"><SaidOrNever said=row.last_used/></td>
            <td class="col-3">{expires()}</td>
            <td class="cell-status"><StandingBadge id=format!("why-{id}") standing=row.standing end=true/></td>
            <td class="cell-more">{menu}</td>
        </tr>
    }
    .into_any()
}

/// What its owner does; of a revoked key, and while an operator acts as its owner, only looking is left.
fn menu(row: &KeyRow) -> AnyView {
    let id = row.key.id.to_string();
    let path = format!("/keys/{id}");
    let switch = match row.key.state {
        KeyState::Active if is_shown(DisableKey::PATH) => {
            view! { <MenuLink href=format!("{path}?dialog=disable") icon=Icon::Lock label="Disable"/> }.into_any()
        }
        KeyState::Disabled if is_shown(EnableKey::PATH) => {
            view! { <MenuLink href=format!("{path}?dialog=enable") icon=Icon::CheckCircle label="Enable"/> }.into_any()
        }
        _ => return view! { <Menu id=format!("menu-{id}") label=format!("More for {}", row.key.name)><MenuLink href=path icon=Icon::Activity label="History"/></Menu> }.into_any(),
    };
    view! {
        <Menu id=format!("menu-{id}") label=format!("More for {}", row.key.name)>
            <MenuLink href=format!("{path}#settings") icon=Icon::Gear label="Rename"/>
            <MenuLink href=format!("{path}?dialog=rotate") icon=Icon::Rotate label="Rotate"/>
            {switch}
            <MenuRule/>
            <MenuLink href=format!("{path}?dialog=revoke") icon=Icon::Trash label="Revoke" danger=true/>
        </Menu>
    }
    .into_any()
}
