//! The chosen key beside the list: its facts, its limits, and ending it for good.

use crate::{
    admin::api::{RevokeKey, SetLimit},
    keys::{
        components::{LimitTable, OfWhom, OpenDialog, SaidOrNever, SaidTime, WhyLimit, gate_of},
        model::{KeyDetail, KeyState, LimitKind, LimitView},
    },
    ui::{
        Badge, Button, CodeTag, CopyId, Fact, Facts, Form, Gate, Icon, IconLink, LinkButton, Look, Note, Size, TextField,
        number::{count, thousands},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};

/// `back` is the list without the panel, `revoke` the panel with the question; `asks` shows the question. `kept` are the parameters of the
/// list and the panel; under a dialog the panel has no acts.
#[component]
pub fn KeyPanel(
    chosen: KeyDetail,
    #[prop(into)] back: String,
    #[prop(into)] revoke: String,
    kept: Vec<(&'static str, String)>,
    asks: bool,
    has_dialog: bool,
) -> impl IntoView {
    let (limit, acts) = match chosen.key.state {
        KeyState::Revoked => (None, None),
        KeyState::Active | KeyState::Disabled => (Some(limit(&chosen)), (!has_dialog).then(|| acts(&chosen, revoke, kept, asks))),
    };
    let is_leaked = !chosen.leaks.is_empty();
    let (key, standing) = (chosen.key, chosen.standing);
    let leaked = is_leaked.then(|| view! { <Note gate=Gate::Refused>"Leaked: "<a href=format!("/keys/{}", key.id)>"where, and what to do"</a></Note> });
    let report = chosen.can_mark_leaked.then(|| view! { " · "<a href=format!("/keys/{}?dialog=leaked", key.id)>"Report leaked"</a> });
    let permissions = key.effective.iter().map(|p| view! { <CodeTag text=p.to_string()/> }).collect_view();
    view! {
        <aside class="card panel" id="key" aria-labelledby="h-key">
            <div class="card-head">
                <h2 id="h-key">{key.name.clone()}</h2>
                <Badge gate=gate_of(standing.kind)>{standing.label}</Badge>
                <span class="push"><IconLink icon=Icon::Close label="Close" href=back size=Size::Small/></span>
            </div>
            <div class="card-body stack">
                <p class="muted">{standing.why}</p>
                {leaked}
                <Facts>
                    <Fact term="Id"><CopyId id="key-id" text=key.id.to_string()/></Fact>
                    <Fact term="Starts with"><code>{key.start}"…"</code></Fact>
                    <Fact term="Owner"><OfWhom owner=chosen.owner person=chosen.person/></Fact>
                    <Fact term="API">{key.api_name}</Fact>
                    <Fact term="Permissions"><span class="row">{permissions}</span></Fact>
                    <Fact term="Created"><SaidTime said=chosen.created/>" "{chosen.created_by.by()}</Fact>
                    <Fact term="Last used"><SaidOrNever said=chosen.last_used/></Fact>
                    <Fact term="Expires"><SaidOrNever said=chosen.expires/></Fact>
                    <Fact term="Today">{count(chosen.today.total(), "call", "calls")}", "{thousands(chosen.today.passed)}" passed"</Fact>
                </Facts>
                <p><a href=format!("/keys/{}", key.id)>"History, secrets and chart"</a>" · "<a href=format!("/keys/{}#test", key.id)>"Would a call pass?"</a>{report}</p>
                {limit}
                {acts}
            </div>
        </aside>
    }
    .into_any()
}

/// The limits of the key, and where those in force stand.
fn limit(chosen: &KeyDetail) -> AnyView {
    let stands = chosen
        .limits
        .iter()
        .map(|l| match l.window.kind() {
            LimitKind::Credits if l.resets == LimitView::UNUSED => format!("{} left of {}.", thousands(l.remaining), l.unit.limit_words(l.limit, l.window)),
            LimitKind::Credits => format!("{} left of {}: {}.", thousands(l.remaining), l.unit.limit_words(l.limit, l.window), l.resets),
            LimitKind::Concurrent => format!("{}; free again {}.", l.per, l.resets),
            LimitKind::Fixed | LimitKind::Rolling if l.used == 0 => format!("Nothing used of {}.", l.unit.limit_words(l.limit, l.window)),
            LimitKind::Fixed | LimitKind::Rolling => format!("{} of {} {} used, resets {}.", thousands(l.used), thousands(l.limit), l.per, l.resets),
        })
        .collect::<Vec<_>>()
        .join(" ");
    let (limits, levels, id) = (chosen.key.limits.clone(), chosen.why.clone(), chosen.key.id.to_string());
    let page = format!("/admin/keys?key={id}");
    view! {
        <div class="stack">
            <p class="help">{stands}</p>
            <WhyLimit levels/>
            <LimitTable action=SetLimit::PATH label="Limits of this key" hidden=vec![("id", id)] limits page empty="No limits of its own. The next level that sets any applies."/>
        </div>
    }
    .into_any()
}

fn acts(chosen: &KeyDetail, revoke: String, kept: Vec<(&'static str, String)>, asks: bool) -> AnyView {
    let key = &chosen.key;
    if asks {
        let typed = format!("Type {} to go on", key.name);
        let back = format!("/admin/keys?key={}", key.id);
        let question =
            format!("Every call with it will be answered REVOKED. You can't undo this. It passed {} today.", count(chosen.today.passed, "call", "calls"));
        let this = vec![("id", key.id.to_string())];
        return view! {
            <Form action=RevokeKey::PATH id="revoke" class="stack" label="Revoke" hidden=this>
                <Note gate=Gate::Refused>{question}</Note>
                <TextField label="Reason" name="reason" maxlength=200/>
                <TextField label=typed name="typed" autocomplete="off"/>
                <div class="form-actions"><Button look=Look::Danger>"Revoke"</Button><LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton></div>
            </Form>
        }
        .into_any();
    }
    let switch = match key.state {
        KeyState::Disabled => view! { <OpenDialog path="/admin/keys" dialog="enable" kept>"Enable"</OpenDialog> }.into_any(),
        KeyState::Active | KeyState::Revoked => view! { <OpenDialog path="/admin/keys" dialog="disable" kept>"Disable"</OpenDialog> }.into_any(),
    };
    view! { <div class="row">{switch}<LinkButton href=revoke look=Look::DangerQuiet>"Revoke"</LinkButton></div> }.into_any()
}
