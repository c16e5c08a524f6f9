//! `/admin/bans`: who and what may not come in. Accounts are banned on their own page; domains and networks here.

use crate::{
    accounts::components::Framed,
    admin::{
        api::{self, AddBan, LiftBan},
        components::{BanFields, loaded},
        model::{BanList, BanRow},
    },
    keys::components::SaidTime,
    ui::{ACT, ActForm, Button, Empty, ErrorSummary, FormPanel, Look, PageHeader, Segments, Size, Tab, Table, TextField, folded, heads, number::count},
    values::by_words,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/bans";

#[component]
pub fn BansPage() -> impl IntoView {
    let over = use_query_map().with_untracked(|q| q.get("over").is_some());
    view! { <Framed crumbs=super::crumbs("Bans")>{loaded(move || api::list_bans(over), page)}</Framed> }
}

fn page(list: BanList) -> AnyView {
    let lead = view! { "Accounts, email domains and networks that are kept out. You ban accounts on "<a href="/admin/accounts">"their own page"</a>"." };
    let tabs = vec![Tab::new("In force", PATH, !list.over), Tab::new("Over", format!("{PATH}?over=1"), list.over)];
    view! {
        <PageHeader title="Bans" lead=lead.into_any()/>
        <ErrorSummary action=LiftBan::PATH/>
        <div class="cols-panel">
            <div class="stack">
                <div><Segments label="Bans" tabs/></div>
                {table(list.rows, list.over)}
            </div>
            {new_ban(list.zone)}
        </div>
    }
    .into_any()
}

fn table(rows: Vec<BanRow>, over: bool) -> AnyView {
    if rows.is_empty() {
        return if over {
            view! { <Empty title="No ban is over" text="Bans appear here once they are lifted or have ended."/> }.into_any()
        } else {
            view! { <Empty title="Nobody is banned" text="A ban keeps out an account, an email domain or a network, for a while or until you lift it."/> }
                .into_any()
        };
    }
    let caption = format!("{}, the newest first", count(rows.len() as u64, "ban", "bans"));
    let lines = rows.into_iter().map(line).collect_view();
    view! {
        <Table caption>
            {heads(&[("Who or what", ""), ("Since", "col-2"), ("Until", ""), ACT])}
            <tbody>{lines}</tbody>
        </Table>
    }
    .into_any()
}

fn line(ban: BanRow) -> AnyView {
    let who = match ban.account {
        Some(account) => view! { <a class="row-link" href=format!("/admin/accounts/{account}")>{ban.what.clone()}</a> }.into_any(),
        None => view! { <code>{ban.what.clone()}</code> }.into_any(),
    };
    let is_over = ban.lifted.is_some();
    let until = match (ban.lifted, ban.until) {
        (Some((who, at)), _) => view! { "lifted "{by_words(&who)}", "<SaidTime said=at/> }.into_any(),
        (None, Some(until)) => view! { <SaidTime said=until/> }.into_any(),
        (None, None) => view! { <span class="faint">"Until lifted"</span> }.into_any(),
    };
    let lift = (!is_over).then(|| {
        view! {
            <ActForm action=LiftBan::PATH words="Lift" size=Size::Small label=format!("Lift the ban of {}", ban.what) hidden=vec![("id", ban.id.to_string())]/>
        }
    });
    let since = view! { <SaidTime said=ban.at.clone()/>", "{by_words(&ban.by)} }.into_any();
    view! {
        <tr>
            <th scope="row"><span class="cell-2"><span>{who}</span><span>{ban.reason}</span></span>{folded(vec![(2, "Since", since)])}</th>
            <td class="col-2"><span class="cell-2"><SaidTime said=ban.at/><span>{by_words(&ban.by)}</span></span></td>
            <td>{until}</td>
            <td class="cell-more">{lift}</td>
        </tr>
    }
    .into_any()
}

fn new_ban(zone: String) -> AnyView {
    let what = "An email domain such as spam.example (with all below it), an address, or a network such as 203.0.113.0/24.";
    view! {
        <FormPanel title="New ban" action=AddBan::PATH>
            <TextField label="Domain or network" name="target" mono=true maxlength=253 required=true autocomplete="off" help=what/>
            <BanFields/>
            <p class="help">{format!("Days are those of {zone}. Nobody there can sign up, sign in or use an account. Calls with keys are not affected.")}</p>
            <div class="form-actions"><Button look=Look::Danger>"Ban"</Button></div>
        </FormPanel>
    }
    .into_any()
}
