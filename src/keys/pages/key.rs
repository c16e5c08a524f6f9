//! `/keys/{id}`: one key, whole; and, while it is fresh, its secret.

use super::{
    key_parts::{about, history, limits, settings},
    key_secrets::secrets,
    key_signing::signing,
    key_use::{Tried, trial, used},
};
use crate::{
    accounts::components::Framed,
    error::AppError,
    keys::{
        api::{self, ClearLeaks, DisableKey, DropSecret, EnableKey, ExtendSecret},
        components::{
            DropDialog, HoldNotes, LeakNote, LeakedDialog, NarrowDialog, OpenDialog, Reveal, RevokeDialog, RotateDialog, StandingBadge, SwitchDialog, Tags,
            gate_of, loaded, switches,
        },
        model::{Environment, KeyDetail, KeyState, SecretView, TypedCall},
    },
    ui::{
        ActForm, Crumb, ErrorSummary, Icon, Look, Menu, MenuLink, Note, OutlineBadge, PageHeader,
        chart::{Bucket, Limit, Series, UsageChart},
        number::count,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::{use_params_map, use_query_map};
use serde::{Deserialize, Serialize};

#[component]
pub fn KeyPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|map| map.get("id").unwrap_or_default());
    let asked = use_query_map().with_untracked(|map| Asked { dialog: map.get("dialog").unwrap_or_default(), secret: map.get("secret") });
    let call = use_query_map().with_untracked(|map| TypedCall::read(|name| map.get(name)));
    let load = move || {
        let (id, call) = (id.clone(), call.clone());
        async move {
            let detail = api::key_detail(id).await?;
            let secret = api::fresh_secret(detail.key.id).await?;
            let to_sign_with = api::fresh_signing_secret(detail.key.id).await?;
            let tried = match call {
                Some(call) => match api::try_call(detail.key.id, call.clone()).await {
                    Ok(trial) => Some((call, Ok(trial))),
                    Err(AppError::Invalid { fields }) => Some((call, Err(fields))),
                    Err(error) => return Err(error),
                },
                None => None,
            };
            Ok((detail, Fresh { secret, to_sign_with }, tried))
        }
    };
    loaded(
        load,
        move |(detail, fresh, tried)| framed(detail, fresh, tried, &asked),
        |error| view! { <Framed crumbs=vec![Crumb::link("Keys", "/keys"), Crumb::here("Not found")]>{error}</Framed> }.into_any(),
    )
}

/// Secrets that this browser may see for a while.
#[derive(Clone, Serialize, Deserialize)]
struct Fresh {
    secret: Option<String>,
    to_sign_with: Option<String>,
}

/// The dialog that the address asks for, and for which secret.
#[derive(Clone)]
struct Asked {
    dialog: String,
    secret: Option<String>,
}

impl Asked {
    /// The old secret that is to be dropped.
    fn to_drop(&self, detail: &KeyDetail) -> Option<SecretView> {
        let chosen = self.secret.as_ref().filter(|_| self.dialog == "drop")?;
        detail.secrets.iter().find(|secret| !secret.is_newest && secret.id.to_string() == *chosen).cloned()
    }
}

fn framed(detail: KeyDetail, fresh: Fresh, tried: Option<Tried>, asked: &Asked) -> AnyView {
    let crumbs = vec![Crumb::link("Keys", "/keys"), Crumb::here(detail.key.name.clone())];
    let page = page(detail, fresh, tried, asked);
    view! { <Framed crumbs>{page}</Framed> }.into_any()
}

fn page(detail: KeyDetail, fresh: Fresh, tried: Option<Tried>, asked: &Asked) -> AnyView {
    let Fresh { secret, to_sign_with } = fresh;
    // One secret at a time.
    let to_sign_with = to_sign_with.filter(|_| secret.is_none());
    let path = format!("/keys/{}", detail.key.id);
    let to_drop = asked.to_drop(&detail).filter(|_| secret.is_none() && detail.can_edit);
    // A refusal is said in the dialog while that is open.
    let undropped = to_drop.is_none().then(|| view! { <ErrorSummary action=DropSecret::PATH/> });
    let is_switched = secret.is_none() && detail.can_edit && switches(&asked.dialog, detail.key.state);
    let unswitched = (!is_switched).then(|| view! { <ErrorSummary action=DisableKey::PATH/><ErrorSummary action=EnableKey::PATH/> });
    let over = match (secret, asked.dialog.as_str(), detail.can_edit) {
        (Some(secret), ..) => Some(view! { <Reveal detail=detail.clone() secret/> }.into_any()),
        (None, "revoke", true) => Some(view! { <RevokeDialog detail=detail.clone() path=path.clone()/> }.into_any()),
        (None, "narrow", true) => Some(view! { <NarrowDialog detail=detail.clone() path=path.clone()/> }.into_any()),
        (None, "leaked", _) if detail.can_mark_leaked => Some(view! { <LeakedDialog detail=detail.clone() path=path.clone()/> }.into_any()),
        (None, "drop", true) => to_drop.map(|secret| view! { <DropDialog secret key=detail.key.id.to_string() path=path.clone()/> }.into_any()),
        (None, "disable" | "enable", true) => is_switched.then(|| {
            let action = if asked.dialog == "disable" { DisableKey::PATH } else { EnableKey::PATH };
            view! { <SwitchDialog detail=detail.clone() path=path.clone() action/> }.into_any()
        }),
        (None, "rotate", true) => Some(view! { <RotateDialog detail=detail.clone() path=path.clone()/> }.into_any()),
        _ => None,
    };
    // Under a dialog the acts of the page are out of reach, so that each name stands for one button.
    let acts = (detail.can_edit && over.is_none()).then(|| acts(&detail, path));
    let zoom = format!("/usage?key={}&from={{from}}&to={{to}}", detail.key.id);
    let (kind, why) = (detail.standing.kind, detail.standing.why.clone());
    let off = kind.is_off().then(|| view! { <Note gate=gate_of(kind)>{why}</Note> });
    view! {
        {head(&detail, acts)}
        {off}
        <HoldNotes holds=detail.holds.clone()/>
        <LeakNote detail=detail.clone()/>
        <ErrorSummary action=ClearLeaks::PATH/>
        {unswitched}
        {undropped}
        <ErrorSummary action=ExtendSecret::PATH/>
        <UsageChart series=series(&detail) zoom=zoom small=true/>
        <div class="cols-main">
            <div class="stack-xl">
                {limits(&detail)}
                {secrets(&detail)}
                {used(&detail)}
                {trial(&detail, tried)}
                {detail.can_edit.then(|| settings(&detail))}
                {signing(&detail, to_sign_with)}
            </div>
            <aside class="stack-xl" aria-label="About this key">{about(&detail)}{history(&detail)}</aside>
        </div>
        {over}
    }
    .into_any()
}

fn head(detail: &KeyDetail, acts: Option<AnyView>) -> AnyView {
    let owner = if detail.is_own { "your workspace".to_owned() } else { detail.owner.clone() };
    let last = detail.last_used.as_ref().map_or_else(|| "No call yet.".to_owned(), |said| format!("Last call {}.", said.words));
    let lead = format!("Calls {} for {owner}. {last}", detail.key.api_name).into_any();
    let test = (detail.key.environment == Environment::Test).then(|| view! { <OutlineBadge>"Test"</OutlineBadge> });
    let rotating = (detail.secrets.len() > 1 && detail.key.state != KeyState::Revoked).then(|| view! { <OutlineBadge>"Rotation in progress"</OutlineBadge> });
    let endless = (detail.key.expires_at.is_none() && !detail.standing.kind.is_off()).then(|| view! { <OutlineBadge>"Never expires"</OutlineBadge> });
    let badges = view! { <StandingBadge id="why" standing=detail.standing.clone()/>{test}{rotating}{endless}<Tags tags=detail.key.tags.clone()/> }.into_any();
    view! { <PageHeader title=detail.key.name.clone() lead badges>{acts}</PageHeader> }.into_any()
}

fn acts(detail: &KeyDetail, path: String) -> AnyView {
    let report = detail.can_mark_leaked.then(|| view! { <OpenDialog path=path.clone() dialog="leaked">"Report leaked"</OpenDialog> });
    let hidden = vec![("id", detail.key.id.to_string())];
    // It acts at once, and its toast takes it back; who wants to say why finds that in the menu. Enabling a leaked key is asked about first.
    let (switch, with_reason) = match detail.key.state {
        KeyState::Disabled if !detail.leaks.is_empty() => {
            (view! { <OpenDialog path=path.clone() dialog="enable" look=Look::Primary>"Enable"</OpenDialog> }.into_any(), ("enable", "Enable with a reason"))
        }
        KeyState::Disabled => {
            (view! { <ActForm action=EnableKey::PATH words="Enable" look=Look::Primary hidden/> }.into_any(), ("enable", "Enable with a reason"))
        }
        KeyState::Active | KeyState::Revoked => {
            (view! { <ActForm action=DisableKey::PATH words="Disable" hidden/> }.into_any(), ("disable", "Disable with a reason"))
        }
    };
    let with_reason = view! { <MenuLink href=format!("{path}?dialog={}", with_reason.0) icon=Icon::Lock label=with_reason.1/> };
    view! {
        <div class="row">
            <OpenDialog path=path.clone() dialog="rotate" icon=Icon::Rotate>"Rotate"</OpenDialog>
            {switch}
            {report}
            <OpenDialog path dialog="revoke" look=Look::DangerQuiet>"Revoke"</OpenDialog>
            <Menu id="key-more" label="More for this key">{with_reason}</Menu>
        </div>
    }
    .into_any()
}

fn series(detail: &KeyDetail) -> Series {
    let buckets = detail.days.iter().map(|day| Bucket {
        label: day.day.clone(),
        long_label: day.day.clone(),
        iso: day.at.clone(),
        passed: day.calls.passed,
        limited: day.calls.limited,
        refused: day.calls.refused,
        href: None,
    });
    Series {
        id: "calls".to_owned(),
        title: "Last 30 days".to_owned(),
        note: format!("By day, {}; {} today", detail.zone, count(detail.today.total(), "call", "calls")),
        unit: "Day".to_owned(),
        buckets: buckets.collect(),
        end: detail.days_end.clone(),
        limit: detail.day_limit.as_ref().map(|l| Limit { value: l.limit, label: l.unit.limit_words(l.limit, l.window) }),
        ..Series::default()
    }
}
