//! `/settings/profile`: picture, name, time zone and language; the address as a fact, and the way to change it.

use crate::{
    accounts::{
        api::{RemovePicture, UpdateProfile, my_profile},
        components::{FieldInputs, Setting, SettingsFrame, is_shown, loaded},
        model::{Caller, Language, PICTURE_FORM, Profile},
    },
    ui::{ActForm, Avatar, Button, ErrorSummary, FileField, Form, LinkButton, Look, Section, SelectField, TextField},
    values::Picture,
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn ProfilePage() -> impl IntoView {
    let is_acted = use_context::<Caller>().is_some_and(|caller| caller.is_acted());
    view! { <SettingsFrame page=Setting::Profile>{loaded(my_profile, move |(profile, zones)| form(profile, zones, is_acted))}</SettingsFrame> }
}

fn form(profile: Profile, zones: Vec<String>, is_acted: bool) -> AnyView {
    let options = zones.into_iter().map(|zone| (zone.clone(), zone.replace('_', " "))).collect::<Vec<_>>();
    let languages = Language::ALL.map(|one| (one.as_str().to_owned(), one.label().to_owned())).to_vec();
    let seen = match (&profile.handle, profile.published.is_empty()) {
        (Some(handle), false) => format!("Everybody can see what you selected at /u/{handle}."),
        _ => "Nothing yet. Choose a handle and what everybody can see.".to_owned(),
    };
    let waits = profile.pending_email.as_ref().map(|email| format!("{email} is waiting to be confirmed."));
    let version = profile.version();
    // Its form has a file in it, and is its owner's alone.
    let picture = (!is_acted).then(|| picture(profile.name.clone(), profile.picture.clone()));
    view! {
        <Section id="profile" title="Profile" lead=format!("Your name appears next to what you do, in histories and in emails to others. {}", profile.dates)>
            <Form action=UpdateProfile::PATH class="stack form-narrow" version>
                <TextField label="Name" name="name" value=profile.name autocomplete="name" maxlength=80 required=true/>
                <TextField label="Email" name="shown_email" kind="email" value=profile.email readonly=true help="You sign in with it, and we send your emails there."/>
                <SelectField label="Time zone" name="time_zone" options=options value=profile.time_zone help="Used for charts and times."/>
                <SelectField label="Language" name="language" options=languages value=profile.language.as_str() help="Used for your emails. Pages are in English."/>
                <FieldInputs fields=profile.fields/>
                <div><Button look=Look::Primary>"Save"</Button></div>
            </Form>
        </Section>
        {picture}
        <Section id="address" title="Where emails go" lead=waits.unwrap_or_else(|| "A new address takes effect once you confirm it.".to_owned())>
            {is_shown("/settings/email").then(|| view! { <div><LinkButton href="/settings/email">"Change email"</LinkButton></div> })}
        </Section>
        <Section id="others" title="What others see" lead=seen>
            <div><LinkButton href="/settings/public">"Choose what others see"</LinkButton></div>
        </Section>
    }
    .into_any()
}

/// The picture as it is, and the ways to another one and to none.
fn picture(name: String, picture: Option<Picture>) -> AnyView {
    let (words, lead) = match picture {
        Some(_) => ("Change picture", "It appears next to your name."),
        None => ("Set picture", "Your initials appear next to your name until you choose a picture."),
    };
    let remove = picture.is_some().then(|| view! { <ActForm action=RemovePicture::PATH words="Remove picture"/> });
    view! {
        <Section id="your-picture" title="Your picture" lead=lead>
            <ErrorSummary action=RemovePicture::PATH/>
            <Form action=PICTURE_FORM files=true class="stack form-narrow">
                <FileField
                    label="Picture"
                    name="picture"
                    accept="image/png,image/jpeg,image/webp"
                    required=true
                    help="PNG, JPEG or WebP, up to 8 MB. We crop it to a square and remove where and when it was taken."
                />
                <div class="row"><Avatar name picture large=true/><Button>{words}</Button></div>
            </Form>
            {remove}
        </Section>
    }
    .into_any()
}
