//! `/admin/accounts/{id}`: one account, its sessions, keys and history, and what an operator may do. Disabling,
//! banning, resetting second factors and acting as it ask first, as a state of the page with a URL (`?ask=disable`).

use super::{
    ban::BanCard,
    disable::DisableCard,
    effective::effective,
    reset_factors::{ResetFactorsCard, factors},
};
use crate::{
    accounts::{
        components::{ActAsCard, loaded_in_frame},
        model::{AccountState, Linked, SessionView},
    },
    admin::{
        api::{self, EnableAccount, EndSession, EndSessions, SendResetLink, SetAccountGrants, SetAccountLimit, TakePicture, UnbanAccount, UnlockAccount},
        components::{Deeds, StateBadge},
        model::AccountPage as Page,
    },
    keys::{
        components::{GrantForm, LimitTable, SaidOrNever, SaidTime, StandingBadge, WorkspaceNotes},
        model::{Grant, GrantChoice, KeyLimit, KeyRow},
    },
    ui::{
        ACT, ActForm, Avatar, Button, CopyId, Crumb, ErrorSummary, Fact, Facts, Form, Gate, Look, Note, OutlineBadge, Size, Table, folded, heads,
        number::{count, thousands},
    },
    values::{AccountId, by_words, link},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::{use_params_map, use_query_map};

/// Which question stands on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Disable,
    Ban,
    ResetFactors,
    ActAs,
}

impl Ask {
    const ALL: [Self; 4] = [Self::Disable, Self::Ban, Self::ResetFactors, Self::ActAs];

    const fn word(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Ban => "ban",
            Self::ResetFactors => "reset-factors",
            Self::ActAs => "act-as",
        }
    }

    fn makes_sense(self, page: &Page) -> bool {
        match self {
            Self::Disable => page.disabled.is_none() && !page.is_you,
            Self::Ban => page.banned.is_none() && !page.is_you,
            Self::ResetFactors => page.may_reset_factors(),
            Self::ActAs => page.may_act_as,
        }
    }

    fn card(self, page: &Page) -> AnyView {
        match self {
            Self::Disable => view! { <DisableCard page=page.clone()/> }.into_any(),
            Self::Ban => view! { <BanCard page=page.clone()/> }.into_any(),
            Self::ResetFactors => view! { <ResetFactorsCard account=page.account.clone()/> }.into_any(),
            Self::ActAs => view! { <ActAsCard id=page.account.id name=page.account.name.clone() email=page.account.email.clone()/> }.into_any(),
        }
    }
}

#[component]
pub fn AccountPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|p| p.get("id").unwrap_or_default());
    let asks = use_query_map().with_untracked(|q| q.get("ask")).and_then(|word| Ask::ALL.into_iter().find(|ask| ask.word() == word));
    let way = vec![Crumb::link("Admin", "/admin"), Crumb::link("Accounts", "/admin/accounts")];
    let name = |page: &Page| Some(page.account.name.clone());
    loaded_in_frame(way, move || api::read_account(id.clone()), name, move |page| account(page, asks), ("Go to the accounts", "/admin/accounts"))
}

fn account(page: Page, asks: Option<Ask>) -> AnyView {
    let asks = asks.filter(|ask| ask.makes_sense(&page));
    let second_factor = factors(&page);
    view! {
        {head(&page, asks)}
        <ErrorSummary action=EnableAccount::PATH/>
        <ErrorSummary action=UnbanAccount::PATH/>
        <ErrorSummary action=UnlockAccount::PATH/>
        <ErrorSummary action=TakePicture::PATH/>
        <ErrorSummary action=SendResetLink::PATH/>
        <ErrorSummary action=EndSessions::PATH/>
        <div class="cols-main">
            <div class="stack-xl">
                {asks.map(|ask| ask.card(&page))}
                {kept_out(&page)}
                {sessions(page.account.id, page.sessions)}
                {keys(page.keys, page.key_count)}
                {page.limits.map(|limits| limit(page.account.id, limits))}
                {page.grants.map(|(granted, needing)| grants(page.account.id, granted, needing))}
                {effective(page.permissions)}
                <section aria-labelledby="h-history"><div class="section-head"><h2 id="h-history">"History"</h2></div><Deeds deeds=page.history/></section>
            </div>
            <aside class="stack-lg aside" aria-label="About this account">
                <Facts>
                    <Fact term="Id"><CopyId id="account-id" text=page.account.id.to_string()/></Fact>
                    <Fact term="Role">{page.roles.join(", ")}</Fact>
                    {page.workspace.map(|id| view! { <Fact term="Workspace"><CopyId id="workspace-id" text=id.to_string()/></Fact> })}
                    {page.plan.map(|plan| view! { <Fact term="Plan"><a href=link("/admin/plans", [("edit", plan.as_str())])>{plan.to_string()}</a></Fact> })}
                    {page.group.map(|group| view! { <Fact term="Group"><a href=link("/admin/groups", [("edit", group.as_str())])>{group.to_string()}</a></Fact> })}
                    <Fact term="Email confirmed"><SaidOrNever said=page.account.verified.clone()/></Fact>
                    <Fact term="Last sign-in"><SaidOrNever said=page.account.last_sign_in/></Fact>
                    <Fact term="Second factor">{second_factor}</Fact>
                    <Fact term="Signs in with">{linked(&page.linked)}</Fact>
                    <Fact term="Time zone">{page.time_zone.replace('_', " ")}</Fact>
                    {page.fields.into_iter().map(|it| view! { <Fact term=it.field.label>{it.value}</Fact> }).collect_view()}
                    <Fact term="Sessions end unused">{page.lasting.idle.in_full()}</Fact>
                    <Fact term="Sessions last">{page.lasting.max.in_full()}</Fact>
                    <Fact term="Devices at once">{page.lasting.count.in_full()}</Fact>
                    <Fact term="Keys live at most">{page.lasting.key_max.in_full()}</Fact>
                </Facts>
            </aside>
        </div>
    }
    .into_any()
}

/// Its sign-ins elsewhere, in a fact.
fn linked(linked: &[Linked]) -> String {
    let one = |it: &Linked| format!("{}{} since {}", it.name, it.email.as_ref().map(|email| format!(" ({email})")).unwrap_or_default(), it.since);
    if linked.is_empty() { "nothing else".to_owned() } else { linked.iter().map(one).collect::<Vec<_>>().join("; ") }
}

/// What keeps it out, each thing with who, when and why.
fn kept_out(page: &Page) -> AnyView {
    let disabled = page.disabled.clone().map(|d| {
        let by = d.by.map(|by| format!(" by {by}")).unwrap_or_default();
        view! { <Note gate=Gate::Refused><b class="strong">"Disabled"{by}", "<SaidTime said=d.at/>"."</b>" It can't sign in, and its keys are answered "<code>"BANNED"</code>". Reason: “"{d.reason}"”"</Note> }
    });
    let banned = page.banned.clone().map(|b| {
        let until = match b.until {
            Some(until) => view! { "until "<SaidTime said=until/> }.into_any(),
            None => "until it is lifted".into_any(),
        };
        view! { <Note gate=Gate::Refused><b class="strong">"Banned "{by_words(&b.by)}", "<SaidTime said=b.at/>", "{until}"."</b>" It can't sign in, and its keys are answered "<code>"BANNED"</code>". Reason: “"{b.reason}"”"</Note> }
    });
    let stopped = page.is_password_stopped.then(|| {
        view! { <Note gate=Gate::Limited><b class="strong">"Password stopped."</b>" After 100 wrong tries in a row, it works only in browsers that the account signed in with before, until a new one is set. Passkeys still work."</Note> }
    });
    let locked = page.locked.clone().filter(|_| !page.is_password_stopped).map(|until| {
        view! { <Note gate=Gate::Limited><b class="strong">"Locked until "<SaidTime said=until/>"."</b>" Too many wrong passwords. Until then, passwords work only in browsers that the account signed in with before."</Note> }
    });
    let blocks = page.workspace.filter(|_| page.may_see_blocks && !page.state.holds.is_empty()).map(|workspace| {
        let href = link("/admin/blocks", [("q", workspace.to_string().as_str())]);
        view! { <p><a href=href>"See the block"</a></p> }
    });
    let state = page.state.clone();
    view! { {disabled}{banned}<WorkspaceNotes state whose="All calls of its keys"/>{blocks}{stopped}{locked} }.into_any()
}

/// Who it is, and the acts. Where an act makes no sense it is not offered.
fn head(page: &Page, asks: Option<Ask>) -> AnyView {
    let a = page.account.clone();
    let this = vec![("id", a.id.to_string())];
    let reset = matches!(a.state, AccountState::Active | AccountState::Locked)
        .then(|| view! { <ActForm action=SendResetLink::PATH words="Send reset link" hidden=this.clone()/> });
    let unlock =
        (page.locked.is_some() && !page.is_password_stopped).then(|| view! { <ActForm action=UnlockAccount::PATH words="Unlock" hidden=this.clone()/> });
    let picture = page.picture.is_some().then(|| view! { <ActForm action=TakePicture::PATH words="Remove picture" hidden=this.clone()/> });
    // While it is banned its address answers 404.
    let shown = page.picture.clone().filter(|_| page.banned.is_none());
    let may_ask = asks.is_none() && !page.is_you;
    let act_as = (may_ask && page.may_act_as).then(|| view! { <form method="get"><Button name="ask" value="act-as">"Act as this account"</Button></form> });
    let ban = match page.banned {
        Some(_) => view! { <ActForm action=UnbanAccount::PATH words="Lift ban" hidden=this.clone()/> }.into_any(),
        None if may_ask => view! { <form method="get"><Button look=Look::DangerQuiet name="ask" value="ban">"Ban"</Button></form> }.into_any(),
        None => ().into_any(),
    };
    let door = match (page.disabled.is_some(), may_ask) {
        (true, _) => view! { <ActForm action=EnableAccount::PATH words="Enable" look=Look::Primary hidden=this/> }.into_any(),
        (false, true) => view! { <form method="get"><Button look=Look::DangerQuiet name="ask" value="disable">"Disable"</Button></form> }.into_any(),
        (false, false) => ().into_any(),
    };
    view! {
        <leptos_meta::Title text=a.name.clone()/>
        <div class="page-head">
            <div class="person">
                <Avatar name=a.name.clone() picture=shown large=true/>
                <div>
                    <div class="row">
                        <h1>{a.name}</h1>
                        <StateBadge state=a.state hold=a.hold/>
                        {a.is_operator.then(|| view! { <OutlineBadge>"Operator"</OutlineBadge> })}
                        {page.is_you.then(|| view! { <OutlineBadge>"You"</OutlineBadge> })}
                    </div>
                    <p>{a.email}", since "<SaidTime said=a.since/></p>
                </div>
            </div>
            <div class="row">{act_as}{reset}{unlock}{picture}{ban}{door}</div>
        </div>
    }
    .into_any()
}

fn sessions(account: AccountId, sessions: Vec<SessionView>) -> AnyView {
    let words = count(sessions.len() as u64, "session", "sessions");
    let all = (!sessions.is_empty()).then(|| {
        view! { <Form class="push" action=EndSessions::PATH hidden=vec![("id", account.to_string())] quiet=true><Button size=Size::Small>"End all sessions"</Button></Form> }
    });
    let rows = sessions
        .into_iter()
        .map(|s| {
            let this = vec![("id", account.to_string()), ("session", s.id.to_string())];
            let facts = vec![(2, "Last used", s.last_used.clone().into_any()), (3, "Since", s.since.clone().into_any())];
            let address = s.place.map_or_else(|| s.address.clone(), |place| format!("{}, near {place}", s.address));
            view! {
                <tr>
                    <th scope="row"><span class="cell-2"><span class="strong">{s.device.clone()}{s.is_this_one.then_some(", this one")}</span><span>{address}</span></span>{folded(facts)}</th>
                    <td class="col-2 nowrap">{s.last_used}</td>
                    <td class="col-3 nowrap">{s.since}</td>
                    <td class="cell-more"><ActForm action=EndSession::PATH words="End" size=Size::Small label=format!("End the session of {}", s.device) hidden=this/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="h-sessions">
            <div class="section-head"><h2 id="h-sessions">"Sessions"</h2>{all}</div>
            {if words.starts_with("0 ") {
                view! { <p class="muted">"Signed in nowhere."</p> }.into_any()
            } else {
                view! {
                    <Table caption=format!("{words}, the one used last first")>
                        {heads(&[("Device", ""), ("Last used", "col-2"), ("Since", "col-3"), ACT])}
                        <tbody>{rows}</tbody>
                    </Table>
                }
                .into_any()
            }}
        </section>
    }
    .into_any()
}

fn keys(keys: Vec<KeyRow>, all: u64) -> AnyView {
    if keys.is_empty() {
        return view! { <section aria-labelledby="h-keys"><div class="section-head"><h2 id="h-keys">"Keys"</h2></div><p class="muted">"No keys."</p></section> }.into_any();
    }
    let shown = keys.len() as u64;
    let sum: u64 = keys.iter().map(|k| k.calls.total()).sum();
    let rows = keys
        .into_iter()
        .map(|k| {
            let (id, is_off) = (k.key.id, k.standing.kind.is_off());
            let facts = vec![
                (2, "Calls, 30 days", thousands(k.calls.total()).into_any()),
                (2, "Last used", view! { <SaidOrNever said=k.last_used.clone()/> }.into_any()),
            ];
            view! {
                <tr class=is_off.then_some("is-off")>
                    <th scope="row"><span class="cell-2"><a class="row-link" href=format!("/admin/keys?key={id}")>{k.key.name}</a><span>{k.key.api_name}", "<code>{k.key.start}"…"</code></span></span>{folded(facts)}</th>
                    <td class="num col-2">{thousands(k.calls.total())}</td>
                    <td class="col-2"><SaidOrNever said=k.last_used/></td>
                    <td class="cell-status"><StandingBadge id=format!("why-{id}") standing=k.standing end=true/></td>
                </tr>
            }
        })
        .collect_view();
    let total = if shown == all { count(all, "key", "keys") } else { format!("the newest {shown} of {}", count(all, "key", "keys")) };
    view! {
        <section aria-labelledby="h-keys">
            <div class="section-head"><h2 id="h-keys">"Keys"</h2></div>
            <Table caption="Keys, newest first, with the calls of 30 days" small=true>
                {heads(&[("Name", ""), ("Calls, 30 days", "num col-2"), ("Last used", "col-2"), ("Status", "cell-status")])}
                <tbody>{rows}</tbody>
                <tfoot><tr><th scope="row">{total}{folded(vec![(2, "30 days", thousands(sum).into_any())])}</th><td class="num col-2">{thousands(sum)}</td><td class="col-2"></td><td></td></tr></tfoot>
            </Table>
        </section>
    }
    .into_any()
}

/// What all keys of the workspace may together.
fn limit(account: AccountId, limits: Vec<KeyLimit>) -> AnyView {
    view! {
        <section aria-labelledby="h-limit">
            <div class="section-head"><h2 id="h-limit">"Limits"</h2><p>"For all its keys together that have no plan or limit of their own."</p></div>
            <LimitTable action=SetAccountLimit::PATH label="Limits of all keys" hidden=vec![("id", account.to_string())] limits page=format!("/admin/accounts/{account}") empty="None. The limits of its plan apply, otherwise those of its group, the API or the default."/>
        </section>
    }
    .into_any()
}

/// What keys of the workspace may have of what needs a grant.
fn grants(account: AccountId, granted: Vec<Grant>, needing: Vec<GrantChoice>) -> AnyView {
    view! {
        <section aria-labelledby="h-grants">
            <div class="section-head"><h2 id="h-grants">"Grants"</h2><p>"In addition to those of its plan and group."</p></div>
            <GrantForm action=SetAccountGrants::PATH label="What its keys may have" hidden=vec![("id", account.to_string())] needing granted help="For all its keys. What you remove no longer passes, from now on."/>
        </section>
    }
    .into_any()
}
