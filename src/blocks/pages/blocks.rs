//! `/admin/blocks`: what is blocked now and was in the last 30 days, a form for a new block, and the rules that make blocks. Filters and
//! the place in the list stand in the URL.

use super::rules;
use crate::{
    accounts::components::Framed,
    blocks::{
        api::{self, AddBlock, LiftBlock},
        model::{BlockAction, BlockPage, BlockQuery, BlockRow, BlockState},
    },
    keys::components::SaidTime,
    ui::{
        ACT, ActForm, Badge, Button, Crumb, Empty, ErrorSummary, FilterSelect, Filters, Gate, LinkButton, Look, NewForm, PageHeader, Pagination, SearchField,
        SelectField, Size, Table, TextField, folded, heads, loaded,
        number::{count, thousands},
    },
    values::{AbuseRule, BlockId, link},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

pub const PATH: &str = "/admin/blocks";

#[component]
pub fn BlocksPage() -> impl IntoView {
    let parameters = use_query_map();
    let query = move || parameters.with_untracked(|map| BlockQuery::read(|name| map.get(name)));
    let crumbs = vec![Crumb::link("Admin", "/admin"), Crumb::here("Blocks")];
    view! { <Framed crumbs>{loaded(move || api::read_blocks(query()), page, ("Go to the blocks", PATH))}</Framed> }
}

fn page(page: BlockPage) -> AnyView {
    let now = match page.active {
        0 => "Nothing is blocked now.".to_owned(),
        n => format!("{} in force.", count(n, "block", "blocks")),
    };
    let lead =
        format!("{now} Within a second on every server, calls of a blocked key or workspace are answered BANNED, and calls from a blocked address IP_DENIED.");
    let (settings, exempt, proxies) = (page.rules, page.exempt, page.proxies);
    view! {
        <PageHeader title="Blocks" lead=lead.into_any()/>
        // Of a row's button, or of Undo, whose block may stand in no list any more.
        <ErrorSummary action=LiftBlock::PATH/>
        {new_block()}
        <div class="stack">
            {filters(&page.query)}
            {table(page.query, page.rows, page.older.map(|id| id.to_string()))}
        </div>
        {rules::section(settings, exempt, proxies)}
    }
    .into_any()
}

fn options(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(value, words)| ((*value).to_owned(), (*words).to_owned())).collect()
}

fn filters(query: &BlockQuery) -> AnyView {
    let states = options(&[("active", "In force"), ("past", "Past"), ("all", "All of 30 days")]);
    let targets = options(&[("", "All targets"), ("address", "Addresses"), ("key", "Keys"), ("workspace", "Workspaces")]);
    let mut makers = options(&[("", "Made by anybody"), ("operator", "Made by operators")]);
    makers.extend(AbuseRule::ALL.map(|rule| (rule.to_string(), format!("Rule: {}", rule.title()))));
    let query = query.clone();
    view! {
        <Filters action=PATH label="Blocks">
            <SearchField placeholder="Address, network or id" nostrip:value=query.q/>
            <FilterSelect label="State" name="state" options=states nostrip:value=query.state/>
            <FilterSelect label="Target" name="of" options=targets nostrip:value=query.of/>
            <FilterSelect label="Made by" name="by" options=makers nostrip:value=query.by/>
        </Filters>
    }
    .into_any()
}

fn table(query: BlockQuery, rows: Vec<BlockRow>, older: Option<String>) -> AnyView {
    if rows.is_empty() {
        return if query.filters().is_empty() {
            let text = "Blocks that you or a rule set appear here, with who set them and why.";
            view! { <Empty title="Nothing is blocked" text><LinkButton href=link(PATH, [("state", "past")])>"Show past blocks"</LinkButton></Empty> }.into_any()
        } else {
            view! { <Empty title="No block matches" text="Try another target, or show the blocks in force."><LinkButton href=PATH>"Show blocks in force"</LinkButton></Empty> }
                .into_any()
        };
    }
    let summary = count(rows.len() as u64, "block", "blocks");
    let older = older.map(|id| link(PATH, query.filters().into_iter().chain([("older", id.as_str())])));
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <Table caption="Blocks, newest first" cards=true>
            {heads(&[("Target", ""), ("Made", "col-2"), ("Since", "col-2"), ("Until", "col-2"), ("Refused calls", "num col-3"), ("State", "cell-status"), ACT])}
            <tbody>{rows}</tbody>
        </Table>
        <Pagination summary newer=None older/>
    }
    .into_any()
}

fn row(block: BlockRow) -> AnyView {
    let name = match block.href {
        Some(href) => view! { <a class="row-link" href=href>{block.target.clone()}</a> }.into_any(),
        None => view! { <code>{block.target.clone()}</code> }.into_any(),
    };
    let until = || match block.until.clone() {
        Some(said) => view! { <SaidTime said/> }.into_any(),
        None => view! { <span class="faint">"Until lifted"</span> }.into_any(),
    };
    let (gate, state) = match (block.state, block.action) {
        (BlockState::Active, BlockAction::Refuse) => (Gate::Refused, "Blocked".to_owned()),
        (BlockState::Active, BlockAction::Slow { per_second }) => (Gate::Limited, format!("{} a second", thousands(per_second.into()))),
        (BlockState::Ended, _) => (Gate::Idle, "Ended".to_owned()),
        (BlockState::Lifted, _) => (Gate::Passed, "Lifted".to_owned()),
        (BlockState::Notice, _) => (Gate::Limited, "Only told".to_owned()),
    };
    let is_active = block.state == BlockState::Active;
    let lift = is_active.then(|| lift(block.id, &block.target));
    let is_off = (!is_active).then_some("is-off");
    let held = block.action.per_second().map(|n| format!(", {} a second", thousands(n.into()))).filter(|_| !is_active).unwrap_or_default();
    let by = format!("{}{held}", block.by);
    let made = format!("{by}{}", block.lifted.as_ref().map(|words| format!(". {words}")).unwrap_or_default());
    let lifted = block.lifted.map(|words| view! { <span>{words}</span> });
    let refused = block.refused.map_or_else(|| "–".to_owned(), thousands);
    let facts = vec![
        (2, "Made", made.into_any()),
        (2, "Since", view! { <SaidTime said=block.since.clone()/> }.into_any()),
        (2, if block.until.is_some() { "Until" } else { "" }, until()),
        (3, "Refused calls", refused.clone().into_any()),
    ];
    view! {
        <tr class=is_off>
            <th scope="row"><span class="cell-2"><span>{name}</span><span>{block.reason}</span></span>{folded(facts)}</th>
            <td class="col-2"><span class="cell-2"><span>{by}</span>{lifted}</span></td>
            <td class="col-2"><SaidTime said=block.since/></td>
            <td class="col-2">{until()}</td>
            <td class="num col-3">{refused}</td>
            <td class="cell-status"><Badge gate>{state}</Badge></td>
            <td class="cell-more">{lift}</td>
        </tr>
    }
    .into_any()
}

fn lift(id: BlockId, target: &str) -> AnyView {
    view! { <ActForm action=LiftBlock::PATH words="Lift" size=Size::Small label=format!("Lift the block of {target}") hidden=vec![("id", id.to_string())]/> }
        .into_any()
}

fn new_block() -> AnyView {
    let mut lasts = options(&rules::LASTS);
    lasts.extend(options(&[("never", "Until I lift it")]));
    let actions = options(&[("refuse", "Refuse all calls"), ("slow", "Slow down")]);
    let help = "An address or network (203.0.113.0/24), an account's email, or the id of a key, a workspace or an account. An IPv6 address blocks its /64.";
    let pace = "1 to 10,000, across all servers. Faster calls are answered RATE_LIMITED.";
    view! {
        <NewForm title="New block" action=AddBlock::PATH>
            <div class="cols-2">
                <TextField label="Target" name="target" mono=true autocomplete="off" maxlength=254 required=true help=help/>
                <TextField label="Reason" name="reason" autocomplete="off" maxlength=200 required=true help="Only operators see it. The caller learns only when the block ends."/>
                <SelectField label="Action" name="action" options=actions value="refuse"/>
                <div class="when-slow"><TextField label="Calls a second" name="per_second" value="5" inputmode="numeric" autocomplete="off" maxlength=6 help=pace/></div>
                <SelectField label="Lasts" name="lasts" options=lasts value="1h"/>
            </div>
            <div class="form-actions"><Button look=Look::Danger>"Block"</Button></div>
        </NewForm>
    }
    .into_any()
}
