//! `/settings/profile`: name, time zone and language; the address as a fact, and the way to change it.

use crate::{
    accounts::{
        api::{UpdateProfile, my_profile},
        components::{FieldInputs, Setting, SettingsFrame, loaded},
        model::{Language, Profile},
    },
    ui::{Button, Form, LinkButton, Look, Section, SelectField, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn ProfilePage() -> impl IntoView {
    view! { <SettingsFrame page=Setting::Profile>{loaded(my_profile, |(profile, zones)| form(profile, zones))}</SettingsFrame> }
}

fn form(profile: Profile, zones: Vec<String>) -> AnyView {
    let options = zones.into_iter().map(|zone| (zone.clone(), zone.replace('_', " "))).collect::<Vec<_>>();
    let languages = Language::ALL.map(|one| (one.as_str().to_owned(), one.label().to_owned())).to_vec();
    let seen = match (&profile.handle, profile.published.is_empty()) {
        (Some(handle), false) => format!("Everybody can see what you ticked, at /u/{handle}."),
        _ => "Nothing. You may choose a handle and say what everybody can see.".to_owned(),
    };
    let waits = profile.pending_email.as_ref().map(|email| format!("{email} waits to be confirmed."));
    view! {
        <Section id="profile" title="Profile" lead=format!("Your name stands beside what you do: in histories, and in mails to others. {}", profile.dates)>
            <Form action=UpdateProfile::PATH class="stack form-narrow">
                <TextField label="Name" name="name" value=profile.name autocomplete="name" maxlength=80 required=true/>
                <TextField label="Email" name="shown_email" kind="email" value=profile.email readonly=true help="You sign in with it, and mails go there."/>
                <SelectField label="Time zone" name="time_zone" options=options value=profile.time_zone help="Charts and times are shown in it."/>
                <SelectField label="Language" name="language" options=languages value=profile.language.as_str() help="Your mails come in it. The pages are in English."/>
                <FieldInputs fields=profile.fields/>
                <div><Button look=Look::Primary>"Save"</Button></div>
            </Form>
        </Section>
        <Section id="address" title="Where mails go" lead=waits.unwrap_or_else(|| "A new address counts once it is confirmed.".to_owned())>
            <div><LinkButton href="/settings/email">"Change address"</LinkButton></div>
        </Section>
        <Section id="others" title="What others see" lead=seen>
            <div><LinkButton href="/settings/public">"Choose"</LinkButton></div>
        </Section>
    }
    .into_any()
}
