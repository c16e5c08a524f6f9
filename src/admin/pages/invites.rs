//! `/admin/invites`: who may sign up where that needs an invitation.

use crate::{
    accounts::components::Framed,
    admin::{
        api::{self, CancelInvite, CreateInvite, ResendInvite},
        components::loaded,
        model::{INVITE_LASTS, InviteList, InviteRow},
    },
    keys::components::SaidTime,
    ui::{
        ACT, ActForm, Button, CodeBlock, Empty, ErrorSummary, FormPanel, Look, PageHeader, Segments, SelectField, Size, Tab, Table, TextField, folded, heads,
        number::count,
    },
    values::by_words,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

const PATH: &str = "/admin/invites";

#[component]
pub fn InvitesPage() -> impl IntoView {
    let over = use_query_map().with_untracked(|q| q.get("over").is_some());
    view! { <Framed crumbs=super::crumbs("Invitations")>{loaded(move || api::list_invites(over), page)}</Framed> }
}

fn page(list: InviteList) -> AnyView {
    let lead = if list.is_needed {
        "Sign-up is by invitation. People without one can't create an account.".into_any()
    } else {
        view! { "Sign-up needs no invitation; "<code>"TOLLGATE_SIGN_UP=invite"</code>" changes that." }.into_any()
    };
    let tabs = vec![Tab::new("Open", PATH, !list.over), Tab::new("Over", format!("{PATH}?over=1"), list.over)];
    let new_link = list.new_link.map(|link| view! { <CodeBlock id="new-link" title="New link, shown for five minutes" code=link wrap=true/> });
    view! {
        <PageHeader title="Invitations" lead/>
        <ErrorSummary action=ResendInvite::PATH/>
        <ErrorSummary action=CancelInvite::PATH/>
        <div class="cols-panel">
            <div class="stack">
                {new_link}
                <div><Segments label="Invitations" tabs/></div>
                {table(list.rows, list.over)}
            </div>
            {new_invite(list.once)}
        </div>
    }
    .into_any()
}

fn table(rows: Vec<InviteRow>, over: bool) -> AnyView {
    if rows.is_empty() {
        return if over {
            view! { <Empty title="No invitation is over" text="Used, cancelled and expired invitations stay here for 30 days."/> }.into_any()
        } else {
            view! { <Empty title="Nobody is invited" text="Email an invitation to one address, or create a link for a number of people."/> }.into_any()
        };
    }
    let caption = format!("{}, the newest first", count(rows.len() as u64, "invitation", "invitations"));
    let lines = rows.into_iter().map(line).collect_view();
    view! {
        <Table caption>
            {heads(&[("For", ""), ("Made", "col-2"), ("Until", ""), ACT])}
            <tbody>{lines}</tbody>
        </Table>
    }
    .into_any()
}

fn line(invite: InviteRow) -> AnyView {
    let (id, whom) = (invite.id.to_string(), invite.whom);
    let (again, back) = (format!("Send the invitation for {whom} again"), format!("Cancel the invitation for {whom}"));
    let came = format!("{} of {} used", invite.used, invite.uses);
    let until = match invite.over {
        Some(over) if over != "expired" => over.into_any(),
        _ => view! { <SaidTime said=invite.until/> }.into_any(),
    };
    let resend = invite.can_resend.then(|| {
        view! {
            <ActForm action=ResendInvite::PATH words="Send again" size=Size::Small label=again hidden=vec![("id", id.clone())]/>
        }
    });
    let cancel = invite.can_cancel.then(|| {
        view! {
            <ActForm action=CancelInvite::PATH words="Cancel" size=Size::Small label=back hidden=vec![("id", id.clone())]/>
        }
    });
    let made = view! { <SaidTime said=invite.at.clone()/>", "{by_words(&invite.by)} }.into_any();
    view! {
        <tr>
            <th scope="row"><span class="cell-2"><span>{whom}</span><span>{came}</span></span>{folded(vec![(2, "Made", made)])}</th>
            <td class="col-2"><span class="cell-2"><SaidTime said=invite.at/><span>{by_words(&invite.by)}</span></span></td>
            <td>{until}</td>
            <td class="cell-more">{resend}{cancel}</td>
        </tr>
    }
    .into_any()
}

fn new_invite(once: String) -> AnyView {
    let lasts = INVITE_LASTS.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    view! {
        <FormPanel title="New invitation" action=CreateInvite::PATH hidden=vec![("once", once)]>
            <TextField label="Email" name="email" kind="email" maxlength=254 autocomplete="off" help="We email the invitation to this person only. Leave empty to get a link to share."/>
            <TextField label="People" name="uses" kind="number" inputmode="numeric" value="1" autocomplete="off" help="How many people can use the link, at most 1,000. An email is for one. People who do not verify their address within a day are not counted."/>
            <SelectField label="How long" name="days" options=lasts value="7"/>
            <div class="form-actions"><Button look=Look::Primary>"Invite"</Button></div>
        </FormPanel>
    }
    .into_any()
}
