//! `/admin/accounts/many`: what one act on many accounts will do, and the button that does it.

use crate::{
    accounts::{components::Framed, model::AccountAct},
    admin::{
        api::{self, ChangeManyAccounts},
        components::{AccountTable, BanFields, link, loaded},
        model::{AccountQuery, ManyAccountsPreview, ManyAccountsQuery, SkippedAccounts},
    },
    ui::{
        Button, Empty, Form, Gate, LinkButton, Look, Note, PageHeader, TextArea,
        number::{count, thousands},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const BACK: &str = "/admin/accounts";

#[component]
pub fn ManyAccountsPage() -> impl IntoView {
    let asked = use_query_map().with_untracked(|map| ManyAccountsQuery::read(|name| map.get(name), map.get_all("account").unwrap_or_default()));
    let query = StoredValue::new(asked.clone());
    let page = move |preview: Option<ManyAccountsPreview>| page(preview, query.get_value());
    view! { <Framed crumbs=super::crumbs("Many accounts")>{loaded(move || api::preview_many_accounts(asked.clone()), page)}</Framed> }
}

fn page(preview: Option<ManyAccountsPreview>, query: ManyAccountsQuery) -> AnyView {
    let back = back(&query.filters);
    let Some(preview) = preview else {
        let text = "Check accounts in the list and choose what to do. You can review it here first.";
        return view! {
            <PageHeader title="Many accounts at once"/>
            <Empty title="No account is chosen" text=text><LinkButton href=back>"Choose accounts"</LinkButton></Empty>
        }
        .into_any();
    };
    let title = title(preview.act, preview.changes);
    let skipped = skipped(&preview);
    if preview.changes == 0 {
        return view! {
            <PageHeader title="Many accounts at once"/>
            {skipped}
            <Empty title="Nothing would change" text="Each chosen account is in that state already, or can't be changed."><LinkButton href=back>"Back to the accounts"</LinkButton></Empty>
        }
        .into_any();
    }
    let lead = effect(&preview).into_any();
    let more = preview.has_more.then(|| view! { <Note>"At most 1,000 accounts change at once. These are the newest; repeat it for the rest."</Note> });
    let rest = preview.changes.saturating_sub(preview.changed.len() as u64);
    let rest = (rest > 0).then(|| view! { <p class="muted">{format!("and {} more", thousands(rest))}</p> });
    let form = confirm(&preview, query, back, &title);
    view! {
        <PageHeader title lead/>
        <div class="stack-lg form-medium">{more}{skipped}<AccountTable rows=preview.changed caption="Accounts that change" short=true/>{rest}{form}</div>
    }
    .into_any()
}

fn back(filters: &AccountQuery) -> String {
    link(BACK, [("q", filters.q.as_deref()), ("status", filters.status.as_deref())])
}

/// "Disable 12 accounts".
fn title(act: AccountAct, n: u64) -> String {
    let accounts = count(n, "account", "accounts");
    match act {
        AccountAct::Disable => format!("Disable {accounts}"),
        AccountAct::Enable => format!("Enable {accounts}"),
        AccountAct::Ban => format!("Ban {accounts}"),
        AccountAct::LiftBan => format!("Lift the bans of {accounts}"),
        AccountAct::EndSessions => format!("End all sessions of {accounts}"),
        AccountAct::SendReset => format!("Send a reset link to {accounts}"),
    }
}

fn effect(preview: &ManyAccountsPreview) -> String {
    let (sessions, keys) = (count(preview.sessions, "session", "sessions"), count(preview.keys, "key", "keys"));
    let verb = |n: u64| if n == 1 { ("ends", "is") } else { ("end", "are") };
    let ends = format!("{sessions} {}", verb(preview.sessions).0);
    match preview.act {
        AccountAct::Disable => format!("{ends} and {keys} {} answered BANNED, until somebody enables the accounts.", verb(preview.keys).1),
        AccountAct::Ban => format!("{ends} and {keys} {} answered BANNED. Each person is told by email.", verb(preview.keys).1),
        AccountAct::Enable | AccountAct::LiftBan => "They can sign in again, and their keys pass as before.".to_owned(),
        AccountAct::EndSessions => format!("{ends}. They can sign in again."),
        AccountAct::SendReset => "Each gets a link by email to set a new password. The current one works until the link is used.".to_owned(),
    }
}

fn skipped(preview: &ManyAccountsPreview) -> Option<AnyView> {
    let missing = (preview.missing > 0).then(|| view! { <li>{format!("{} not there", chosen_are(preview.missing))}</li> });
    let groups = preview.skipped.iter().map(|group| view! { <li>{of_group(group)}</li> }).collect_view();
    let is_any = preview.missing > 0 || !preview.skipped.is_empty();
    is_any.then(|| view! { <Note gate=Gate::Idle><p>"Not changed:"</p><ul>{groups}{missing}</ul></Note> }.into_any())
}

fn chosen_are(n: u64) -> String {
    format!("{} {}", count(n, "account", "accounts"), if n == 1 { "is" } else { "are" })
}

/// "2 accounts are disabled already: a@example.com, b@example.com".
fn of_group(group: &SkippedAccounts) -> String {
    let rest = group.count - group.emails.len() as u64;
    let more = if rest > 0 { format!(" and {}", thousands(rest)) } else { String::new() };
    let why = match (group.count, group.why.split_once(' ')) {
        (1, _) | (_, None) => group.why.clone(),
        (_, Some(("has", what))) => format!("have {what}"),
        (_, Some((_, what))) => format!("are {what}"),
    };
    format!("{} {why}: {}{more}", count(group.count, "account", "accounts"), group.emails.join(", "))
}

fn confirm(preview: &ManyAccountsPreview, query: ManyAccountsQuery, back: String, title: &str) -> AnyView {
    let mut hidden = vec![("act", preview.act.word().to_owned()), ("seen", preview.changes.to_string())];
    if query.all {
        hidden.push(("all", "true".to_owned()));
    } else {
        hidden.extend(query.accounts.into_iter().map(|id| ("accounts[]", id)));
    }
    hidden.extend(query.filters.q.map(|q| ("q", q)));
    hidden.extend(query.filters.status.map(|status| ("status", status)));
    let shuts_out = matches!(preview.act, AccountAct::Disable | AccountAct::Ban);
    let (act, zone) = (preview.act, preview.zone.clone());
    let (look, title) = (if shuts_out { Look::Danger } else { Look::Primary }, title.to_owned());
    view! {
        <Form action=ChangeManyAccounts::PATH class="stack" hidden>
            {reasons(act, zone)}
            <div class="form-actions"><Button look>{title}</Button><LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton></div>
        </Form>
    }
    .into_any()
}

// Fields are made inside of the form, whose answer they show.
fn reasons(act: AccountAct, zone: String) -> AnyView {
    match act {
        AccountAct::Ban => view! { <BanFields/><p class="help">{format!("Days are those of {zone}.")}</p> }.into_any(),
        AccountAct::Disable => {
            view! { <TextArea label="Reason" name="reason" help="Each person sees it when they try to sign in." maxlength=300 rows=2 required=true/> }
                .into_any()
        }
        _ => view! { <TextArea label="Reason" name="reason" help="Shown in the history of each account." maxlength=300 rows=2 required=true/> }.into_any(),
    }
}
