//! `/settings/danger`: all one's data, and leaving. Exporting and deactivating ask first, as states of the page with a URL
//! (`?act=export`); deleting takes three confirmations: a recent proof of who asks, the typed address, and the link that is mailed (R60).

use crate::{
    accounts::{
        api::{AskDeletion, AskExport, Deactivate, my_danger},
        components::{Setting, SettingsFrame, loaded},
        model::{ExportState, Profile},
    },
    ui::{Button, Form, LinkButton, Look, Section, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn DangerPage() -> impl IntoView {
    let act = use_query_map().with_untracked(|query| query.get("act"));
    let show = move |(profile, export)| match act.as_deref() {
        Some("export") => ask_export(),
        Some("deactivate") => deactivate(),
        _ => sections(profile, export),
    };
    view! { <SettingsFrame page=Setting::Danger>{loaded(my_danger, show)}</SettingsFrame> }
}

fn sections(profile: Profile, export: ExportState) -> AnyView {
    let (state, fetch) = match export {
        ExportState::None => (None, None),
        ExportState::Writing => (Some("We're preparing your export. We'll email you when it's ready.".to_owned()), None),
        ExportState::There { until, kilobytes } => {
            let link = view! { <LinkButton href="/api/v1/me/export" look=Look::Primary download=true>"Download"</LinkButton> };
            (Some(format!("Ready until {until}, {kilobytes} kB.")), Some(link))
        }
    };
    let help = match &profile.handle {
        Some(handle) => format!("Type {} or {handle} to confirm.", profile.email),
        None => format!("Type {} to confirm.", profile.email),
    };
    view! {
        <Section id="export" title="All your data" lead="One JSON file with your profile, sessions, keys, calls by month and history. It contains no secrets.">
            {state.map(|state| view! { <p>{state}</p> })}
            <div class="row">{fetch}<LinkButton href="/settings/danger?act=export">"Export"</LinkButton></div>
        </Section>
        <Section id="deactivate" title="Leave for a while" lead="Every device is signed out and your keys stop working. Sign in to restore everything.">
            <div><LinkButton href="/settings/danger?act=deactivate">"Deactivate"</LinkButton></div>
        </Section>
        <Section id="delete" title="Leave for good" lead="We email you a link that deletes your account. You can restore it within 30 days by signing in.">
            <ul class="stack-xs muted">
                <li>"Deleted: your profile, your workspace with its keys and settings, and every session."</li>
                <li>"Kept: call counts until their retention ends, and your history, under a pseudonym."</li>
            </ul>
            <Form action=AskDeletion::PATH class="stack form-narrow">
                <TextField label="Email" name="email" autocomplete="off" maxlength=254 required=true help=help/>
                <div><Button look=Look::Danger>"Delete"</Button></div>
            </Form>
        </Section>
    }
    .into_any()
}

fn deactivate() -> AnyView {
    let lead = "Every device is signed out and your keys are refused with BANNED. Nothing is erased. Sign in to restore everything.";
    let act = view! { <Button look=Look::Danger>"Deactivate"</Button> }.into_any();
    question("deactivate", "Leave for a while", lead, Deactivate::PATH, act)
}

fn ask_export() -> AnyView {
    let lead = "We put everything in one JSON file and email you when it's ready. You can download it for 24 hours.";
    question("export", "All your data", lead, AskExport::PATH, view! { <Button look=Look::Primary>"Export"</Button> }.into_any())
}

/// Before an act: what it does, and the way back.
fn question(id: &'static str, title: &'static str, lead: &'static str, action: &'static str, act: AnyView) -> AnyView {
    view! {
        <Section id title lead>
            <Form action class="stack form-narrow">
                <div class="row">{act}<LinkButton href="/settings/danger">"Cancel"</LinkButton></div>
            </Form>
        </Section>
    }
    .into_any()
}
