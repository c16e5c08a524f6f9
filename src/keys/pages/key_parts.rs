//! The parts of `/keys/{id}`: settings, limits, facts, history.

use crate::{
    keys::{
        api::{AddCredits, SaveKey, SetLimit},
        components::{EXTERNAL_ID, LimitTable, METADATA, OfWhom, ROUTES, WhyLimit, needing_grant},
        model::{Act, Bundle, HistoryEntry, KeyDetail, Level, LimitView, Meta, Preset, Withheld},
    },
    ui::{
        Button, CheckGroup, Choice, CodeBlock, CopyId, Dot, Fact, Facts, Form, Gate, Icon, LinkButton, Look, MoreFields, RadioGroup, SelectField, Size, Table,
        TextArea, TextField, Timeline, TimelineItem, folded, number::thousands,
    },
    values::Permission,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// Name, tags, who uses it, expiry, permissions, bundles, routes, addresses, origins and metadata.
pub fn settings(detail: &KeyDetail) -> AnyView {
    let hidden = vec![("id", detail.key.id.to_string()), ("chosen", "true".to_owned())];
    let choices: Vec<Choice> =
        detail.permissions.iter().map(|p| Choice::new(p.permission.as_str(), p.permission.to_string()).with_help(p.description.clone())).collect();
    let has_permissions = !choices.is_empty();
    let others: Vec<Withheld> = detail.withheld.iter().filter(|it| !detail.key.permissions.contains(&it.permission)).cloned().collect();
    let held = detail.key.permissions.iter().map(ToString::to_string).collect::<Vec<_>>();
    let names = |permissions: Vec<Permission>| permissions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let preset = |preset: Preset| match names(preset.of(&detail.permissions)) {
        names if names.is_empty() => Choice::new(preset.as_str(), preset.label()).with_help("None here."),
        names => Choice::new(preset.as_str(), preset.label()).with_help(names),
    };
    let presets: Vec<Choice> = Preset::ALL.map(preset).into_iter().chain([Choice::new("chosen", "Single permissions")]).collect();
    let bundles: Vec<Choice> = detail.bundles.iter().map(|b| Choice::new(b.name.as_str(), b.name.to_string()).with_help(said_of(b))).collect();
    let holds: Vec<String> = detail.key.bundles.iter().map(ToString::to_string).collect();
    let help = format!("Calls are answered EXPIRED from the start of this day ({}). Optional.", detail.zone);
    let (name, tags) = (detail.key.name.clone(), detail.key.tags.join(" "));
    let (expires_on, addresses) = (detail.expires_on.clone(), detail.key.addresses.join("\n"));
    let (origins, routes) = (detail.key.origins.join("\n"), detail.key.routes.join("\n"));
    let external_id = detail.key.external_id.clone();
    let meta = typed(&detail.key.meta);
    let is_set = external_id.is_some() || [&routes, &addresses, &origins, &meta].iter().any(|text| !text.is_empty());
    let gives = match held.len() + holds.len() {
        0 => "Permissions: none".to_owned(),
        1..=3 => format!("Permissions: {}", [held.as_slice(), &holds].concat().join(", ")),
        n => format!("{n} permissions and bundles"),
    };
    let touched = [("preset", "chosen"), ("permissions[]", ""), ("bundles[]", ""), ("permissions", ""), ("bundles", "")];
    let touched = touched.map(|(name, begin)| (name.to_owned(), begin)).to_vec();
    let has_bundles = !bundles.is_empty();
    let begins = ["routes", "addresses", "origins", "external_id", "meta"].map(|name| (name.to_owned(), "")).to_vec();
    let pages = "One origin per line, such as https://app.example.com or https://*.example.com. Browsers on other pages are answered FORBIDDEN. Leave empty to allow all.";
    let from = "One network or address per line, such as 203.0.113.0/24 or 2001:db8::7. Calls from elsewhere are answered IP_DENIED. Leave empty to allow all.";
    view! {
        <section class="stack" id="settings" aria-labelledby="settings-title">
            <h2 id="settings-title">"Settings"</h2>
            <Form action=SaveKey::PATH class="stack form-medium" hidden version=detail.key.version()>
                <TextField label="Name" name="name" value=name autocomplete="off" maxlength=80 required=true/>
                <TextField label="Tags" name="tags" value=tags autocomplete="off" maxlength=400 help="Words to find it by, such as team-a or prod. At most 10."/>
                <TextField label="Expires on" name="expires_on" kind="date" nostrip:value=expires_on help/>
                <MoreFields words=gives begins=touched>
                    {has_permissions.then(|| permissions(presets, choices, held))}
                    {needing_grant(others.iter())}
                    {has_bundles.then(|| view! { <CheckGroup label="Bundles" name="bundles[]" choices=bundles values=holds help=BUNDLES/> })}
                </MoreFields>
                <MoreFields words="More: where it may call from and what, external id, metadata" begins is_set>
                    <TextArea label="Routes it may call" name="routes" value=routes help=ROUTES maxlength=6000 mono=true/>
                    <TextArea label="May be used from" name="addresses" value=addresses help=from maxlength=2500 mono=true/>
                    <TextArea label="Web pages that may use it" name="origins" value=origins help=pages maxlength=6000 mono=true/>
                    <TextField label="External id" name="external_id" nostrip:value=external_id autocomplete="off" maxlength=200 help=EXTERNAL_ID/>
                    <TextArea label="Metadata" name="meta" value=meta help=METADATA maxlength=4000 rows=4 mono=true/>
                </MoreFields>
                <div class="form-actions"><Button>"Save"</Button></div>
            </Form>
        </section>
    }
    .into_any()
}

/// Bytes of metadata, with its spaces, that a page shows.
const MOST_SHOWN: usize = 4_000;

/// Metadata on lines of its own; what is nested so deep that the spaces would not fit, without them. Either way it can be sent back.
fn typed(meta: &Meta) -> String {
    let on_lines = serde_json::to_string_pretty(meta).ok().filter(|text| text.len() <= MOST_SHOWN);
    match meta.is_empty() {
        true => String::new(),
        false => on_lines.or_else(|| serde_json::to_string(meta).ok()).unwrap_or_default(),
    }
}

// Fields are made inside of the form, whose answer they show.
fn permissions(presets: Vec<Choice>, choices: Vec<Choice>, held: Vec<String>) -> AnyView {
    view! {
        <RadioGroup label="Permissions" name="preset" choices=presets value="chosen"/>
        <div class="ticks"><CheckGroup label="Single permissions" name="permissions[]" choices values=held/></div>
    }
    .into_any()
}

const BUNDLES: &str = "Sets of permissions that the API's operator maintains. The key always has what they give at the time, on top of its own.";

/// What it is for, and what it gives.
fn said_of(bundle: &Bundle) -> String {
    let gives = bundle.gives.iter().map(Permission::as_str).collect::<Vec<_>>().join(", ");
    let gives = if gives.is_empty() { "Gives nothing now.".to_owned() } else { format!("Gives {gives}.") };
    if bundle.description.is_empty() { gives } else { format!("{} {gives}", bundle.description) }
}

/// What is allowed and what is left, and for operators the form that sets it.
pub fn limits(detail: &KeyDetail) -> AnyView {
    let (levels, form) = (detail.why.clone(), detail.can_set_limits.then(|| own_limits(detail)));
    let top_up = detail.can_set_limits.then(|| credits_form(detail)).flatten();
    let lead = if detail.level().is_shared() { "Counted for all keys of the workspace together." } else { "Counted for this key alone." };
    let rows = detail
        .limits
        .iter()
        .map(|l| {
            let beyond = (l.used > l.limit).then(|| view! { <span class="muted">{format!("{} over", thousands(l.used - l.limit))}</span> });
            view! {
                <tr>
                    <th scope="row"><span class="cell-2"><span class="strong">{l.per.clone()}</span><span>{l.name.clone()}</span></span>{folded(vec![(2, if l.resets == LimitView::UNUSED { "" } else { "Resets" }, l.resets.clone().into_any())])}</th>
                    <td class="num">{thousands(l.limit)}</td>
                    <td class="num"><span class="cell-2"><span>{thousands(l.used)}</span>{beyond}</span></td>
                    <td class="num">{thousands(l.remaining)}</td>
                    <td class="col-2">{l.resets.clone()}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="limits-title">
            <div class="section-head"><h2 id="limits-title">"Limits"</h2><p>{lead}</p></div>
            <div class="stack">
                <Table caption="Limits in force">
                    <thead>
                        <tr><th scope="col">"Limit"</th><th scope="col" class="num">"Allowed"</th><th scope="col" class="num">"Used"</th><th scope="col" class="num">"Left now"</th><th scope="col" class="col-2">"Resets"</th></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </Table>
                <WhyLimit levels/>
                {top_up}
                {form}
            </div>
        </section>
    }
    .into_any()
}

/// Its own limits, which take the place of those in force while there are any.
fn own_limits(detail: &KeyDetail) -> AnyView {
    let is_own = detail.level() == Level::Key;
    let now = if is_own { detail.limits.clone() } else { Vec::new() };
    let (limits, id) = (detail.key.limits.clone(), detail.key.id.to_string());
    let page = format!("/keys/{id}");
    let rule = if is_own { "These apply instead of the limits of any other level." } else { "The first one you add replaces the limits in force above." };
    view! {
        <section class="stack-sm" id="own-limits" aria-labelledby="own-limits-title">
            <div class="section-head"><h3 id="own-limits-title">"Limits of its own"</h3><p>{rule}</p></div>
            <LimitTable action=SetLimit::PATH label="Limits of this key" hidden=vec![("id", id)] limits now page empty="None. The next level that sets a limit applies."/>
        </section>
    }
    .into_any()
}

/// Adding credits to a limit of credits; nothing where there is none.
fn credits_form(detail: &KeyDetail) -> Option<AnyView> {
    let names: Vec<(String, String)> = detail.limits.iter().filter(|l| l.window.is_credits()).map(|l| (l.name.clone(), l.name.clone())).collect();
    let first = names.first()?.0.clone();
    let hidden = vec![("id", detail.key.id.to_string()), ("once", detail.once.clone())];
    let whose = if detail.level().is_shared() { "For all keys of the workspace together." } else { "They last until they are used, even above the limit." };
    let form = view! {
        <Form action=AddCredits::PATH id="credits" class="stack form-medium" label="Add credits" hidden>
            <div class="cols-2">
                <TextField label="Credits to add" name="units" inputmode="numeric" autocomplete="off" maxlength=20 help=whose/>
                <SelectField label="To the limit" name="limit" options=names value=first/>
                <TextField label="Reason" name="reason" maxlength=200 help="Optional. Shown in the key's history."/>
            </div>
            <div class="form-actions"><Button>"Add credits"</Button></div>
        </Form>
    };
    Some(form.into_any())
}

/// Facts, and how to call with it.
pub fn about(detail: &KeyDetail) -> AnyView {
    let key = &detail.key;
    let owner = (!detail.is_own).then(|| {
        let (owner, person) = (detail.owner.clone(), detail.person.clone());
        view! { <Fact term="Owner"><OfWhom owner person/></Fact> }
    });
    let created = format!("{} {}", detail.created.words, detail.created_by.by());
    let usage = format!("/usage?key={}", key.id);
    let (id, api) = (key.id.to_string(), key.api_name.clone());
    let user = key.external_id.clone().map(|id| view! { <Fact term="External id">{id}</Fact> });
    let expires = detail.expires.as_ref().map_or_else(|| "never".to_owned(), |e| e.words.clone());
    let example = detail.example.clone();
    view! {
        <section class="stack" aria-label="Facts">
            <Facts>
                <Fact term="Id"><CopyId id="key-id" text=id/></Fact>
                <Fact term="API">{api}</Fact>
                {owner}
                {user}
                <Fact term="Created">{created}</Fact>
                <Fact term="Expires">{expires}</Fact>
            </Facts>
            <CodeBlock id="call" title="Call with it" code=example/>
            <LinkButton href=usage look=Look::Secondary size=Size::Small icon=Icon::Chart>"Usage of this key"</LinkButton>
        </section>
    }
    .into_any()
}

/// Who changed what, when and why.
pub fn history(detail: &KeyDetail) -> AnyView {
    let items = detail.history.iter().cloned().map(entry).collect_view();
    view! {
        <section aria-labelledby="history-title">
            <div class="section-head"><h2 id="history-title">"History"</h2></div>
            <Timeline>{items}</Timeline>
        </section>
    }
    .into_any()
}

fn entry(entry: HistoryEntry) -> AnyView {
    let dot = match entry.act {
        Act::Created => Dot::Icon(Icon::Key),
        Act::Renamed | Act::Expiry | Act::Tagged | Act::Described => Dot::Icon(Icon::Gear),
        Act::Permitted | Act::Bundled | Act::Addressed | Act::Paged | Act::Routed | Act::Signed | Act::Cleared => Dot::Icon(Icon::Shield),
        Act::Limited | Act::Credited | Act::Planned => Dot::Icon(Icon::Gauge),
        Act::Rotated | Act::Extended => Dot::Icon(Icon::Rotate),
        Act::Dropped => Dot::Icon(Icon::Trash),
        Act::Disabled | Act::Expired | Act::SecretEnded => Dot::Gate(Gate::Idle),
        Act::Enabled | Act::Unbanned | Act::Unblocked => Dot::Gate(Gate::Passed),
        Act::Revoked | Act::Leaked | Act::Banned | Act::Blocked => Dot::Gate(Gate::Refused),
    };
    let why = if entry.reason.is_empty() { String::new() } else { format!(", “{}”", entry.reason) };
    let words = format!("{} {}{why}", entry.actor.words(), entry.act.words(&entry.detail));
    view! { <TimelineItem dot when=entry.at.words iso=entry.at.at>{words}</TimelineItem> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_fits_its_field_however_deep_it_is() {
        assert_eq!(typed(&Meta::new()), "");
        let plain: Meta = serde_json::from_str(r#"{"team": "checkout"}"#).expect("an object");
        assert_eq!(typed(&plain), "{\n  \"team\": \"checkout\"\n}");
        let deep = format!("{{\"a\":{}{}{}}}", "[".repeat(60), ["1"; 400].join(","), "]".repeat(60));
        let meta: Meta = serde_json::from_str(&deep).expect("an object");
        assert_eq!(typed(&meta), deep);
    }
}
