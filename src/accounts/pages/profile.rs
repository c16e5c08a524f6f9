//! `/settings/profile`: name and time zone; the address as a fact.

use crate::{
    accounts::{
        api::{UpdateProfile, my_profile},
        components::{Setting, SettingsFrame, loaded},
        model::Profile,
    },
    ui::{Button, Form, Look, Section, SelectField, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn ProfilePage() -> impl IntoView {
    view! { <SettingsFrame page=Setting::Profile>{loaded(my_profile, |(profile, zones)| form(profile, zones))}</SettingsFrame> }
}

fn form(profile: Profile, zones: Vec<String>) -> AnyView {
    let options = zones.into_iter().map(|zone| (zone.clone(), zone.replace('_', " "))).collect::<Vec<_>>();
    view! {
        <Section id="profile" title="Profile" lead="Your name stands beside what you do: in histories, and in mails to others.">
            <Form action=UpdateProfile::PATH class="stack form-narrow">
                <TextField label="Name" name="name" value=profile.name autocomplete="name" maxlength=80 required=true/>
                <TextField label="Email" name="shown_email" kind="email" value=profile.email readonly=true help="You sign in with it, and mails go there."/>
                <SelectField label="Time zone" name="time_zone" options=options value=profile.time_zone help="Charts and times are shown in it."/>
                <div><Button look=Look::Primary>"Save"</Button></div>
            </Form>
        </Section>
    }
    .into_any()
}
