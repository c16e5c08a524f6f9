//! Making a key: a name and Enter; everything else on demand.

use super::{ApiChoice, PresetChoice, RarerChoices, dialogs::DecideDialog};
use crate::{
    accounts::components::is_shown,
    keys::{
        api::CreateKey,
        model::{NewKeyChoices, NewKeyForm, Preset},
    },
    ui::{Button, CodeTag, Fact, Facts, Form, LargeMark, Look, SelectField, Size, TextField},
};
use leptos::{prelude::*, server_fn::ServerFn};

/// What is said of the field `routes`, which stands in two forms.
pub const ROUTES: &str = "One method and path per line, such as GET /orders/{id} or * /reports/*. * is any method. The key can then call only these, within its permissions; other calls are answered FORBIDDEN. Leave empty to allow all that its permissions do.";

const MORE: &str = "/keys?dialog=new";

/// The form in the head of the list, with `more` below it.
#[component]
pub fn QuickCreate(form: NewKeyForm, more: AnyView) -> impl IntoView {
    view! {
        <div class="stack-sm">
            <Form action=CreateKey::PATH class="quick-create" label="New key" hidden=vec![("once", form.once)]>
                <TextField label="Name" name="name" label_hidden=true value=form.suggested_name placeholder="Name of the new key" autocomplete="off" maxlength=80 required=true/>
                <Button look=Look::Primary>"Create key"</Button>
            </Form>
            <div class="row"><a class="small" href=MORE>"Choose API, permissions and expiry"</a><span class="push">{more}</span></div>
        </div>
    }
    .into_any()
}

/// The place of the list while there is no key: the form, what the key will be, and what happens next.
#[component]
pub fn FirstKey(form: NewKeyForm) -> impl IntoView {
    let NewKeyChoices { apis, limits, .. } = form.choices.unwrap_or_default();
    let api = apis.into_iter().next();
    let prefix = api.as_ref().map_or_else(String::new, |a| a.key_prefix.to_string());
    let may = api.as_ref().map(|a| a.preset(Preset::Basic).into_iter().map(|p| view! { <CodeTag text=p.to_string()/>" " }).collect_view());
    let name = api.as_ref().map(|a| a.name.clone());
    let limit = limits.into_iter().next();
    view! {
        <section class="empty first" aria-labelledby="first-title">
            <div class="stack-lg">
                <LargeMark/>
                <div class="stack-sm"><h2 id="first-title">"Name your first key"</h2><p>"Name it after the program that uses it, for example “checkout service”. You can change everything later."</p></div>
                <Form action=CreateKey::PATH class="stack form-medium" label="New key" hidden=vec![("once", form.once)]>
                    <div class="quick-create">
                        <TextField label="Name" name="name" label_hidden=true value=form.suggested_name autocomplete="off" maxlength=80 required=true large=true/>
                        <Button look=Look::Primary size=Size::Large>"Create key"</Button>
                    </div>
                    <Facts>
                        <Fact term="API">{name}" "<a href=MORE>"change"</a></Fact>
                        <Fact term="Permissions">{may}<a href=MORE>"choose"</a></Fact>
                        <Fact term="Limit">{limit}</Fact>
                        <Fact term="Expires">"never "<a href=MORE>"change"</a></Fact>
                    </Facts>
                </Form>
                {is_shown("/keys/import").then(|| view! { <p class="small muted">"Coming from another system? "<a href="/keys/import">"Import the keys you have"</a>": their secrets stay as they are."</p> })}
            </div>
            <aside class="first-next" aria-labelledby="next-title">
                <h2 id="next-title">"What happens next"</h2>
                <ol class="stack">
                    <li class="stack-xs"><h3>"You see the key once"</h3><p>"Copy it, or use the ready curl command. Tollgate stores only a hash."</p></li>
                    <li class="stack-xs"><h3>"Your program sends it"</h3><p>"As "<code>{format!("Authorization: Bearer {prefix}_live_…")}</code>", or as "<code>"X-API-Key"</code>"."</p></li>
                    <li class="stack-xs"><h3>"You see every call"</h3><p>"It shows here within seconds: passed, limited or refused, with the reason."</p></li>
                </ol>
            </aside>
        </section>
    }
    .into_any()
}

/// Everything that can be said of a new key, in one dialog.
#[component]
pub fn NewKeyDialog(form: NewKeyForm) -> impl IntoView {
    let NewKeyChoices { apis, withheld, limits } = form.choices.unwrap_or_default();
    let lifetimes = [("never", "Never"), ("7d", "In 7 days"), ("30d", "In 30 days"), ("90d", "In 90 days"), ("1y", "In a year")];
    let lifetimes = lifetimes.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec();
    view! {
        <DecideDialog id="new-key" title="New key" path="/keys" action=CreateKey::PATH hidden=vec![("once", form.once), ("chosen", "true".to_owned())] act="Create key">
            <TextField label="Name" name="name" value=form.suggested_name autocomplete="off" maxlength=80 required=true autofocus=true/>
            <ApiChoice apis limits withheld/>
            <PresetChoice/>
            <SelectField label="Expires" name="expires" options=lifetimes value="never"/>
            <RarerChoices/>
        </DecideDialog>
    }
    .into_any()
}
