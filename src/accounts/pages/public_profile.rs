//! `/settings/public`: the handle, and a tick for each field that everybody may see.

use crate::{
    accounts::{
        api::{PublishProfile, my_account},
        components::{Setting, SettingsFrame, loaded},
        model::{Profile, Published},
    },
    ui::{Button, CheckGroup, Choice, Form, LinkButton, Look, Section, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn PublicProfilePage() -> impl IntoView {
    view! { <SettingsFrame page=Setting::Profile detail="What others see">{loaded(my_account, form)}</SettingsFrame> }
}

fn form(profile: Profile) -> AnyView {
    let choices = Published::ALL.map(|one| Choice::new(one.as_str(), one.label())).to_vec();
    let ticked = profile.published.iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>();
    let more: Vec<Choice> = profile.fields.iter().filter(|it| it.field.may_be_public).map(|it| Choice::new(&it.field.slug, &it.field.label)).collect();
    let shown: Vec<String> = profile.fields.iter().filter(|it| it.is_public).map(|it| it.field.slug.clone()).collect();
    // Made inside of the form, whose answer it shows.
    let more = move || (!more.is_empty()).then(|| view! { <CheckGroup label="And, if you filled it in" name="public_fields[]" choices=more values=shown/> });
    let look = profile.handle.as_ref().filter(|_| !ticked.is_empty() || profile.fields.iter().any(|it| it.is_public)).map(|handle| {
        let href = format!("/u/{handle}");
        view! { <LinkButton href>"See it"</LinkButton> }
    });
    let version = profile.public_version();
    view! {
        <Section id="public" title="What others see" lead="Shown at /u/ and your handle. If you select nothing, the page answers as if the handle didn't exist.">
            <Form action=PublishProfile::PATH class="stack form-narrow" version>
                <TextField label="Handle" name="handle" value=profile.handle.clone().unwrap_or_default() autocomplete="off" maxlength=30 mono=true help="3 to 30 letters, digits or hyphens. You can change it once every 30 days."/>
                <CheckGroup label="Everybody may see" name="published[]" choices=choices values=ticked/>
                {more()}
                <div class="row"><Button look=Look::Primary>"Save"</Button>{look}</div>
            </Form>
        </Section>
    }
    .into_any()
}
