//! For which API a key is, and what it may there. The permissions of an API stand under it and show while it is chosen (CSS); those of
//! the others are sent too and don't count, so it works without JavaScript.

use crate::{
    keys::model::{Api, Preset, Withheld},
    ui::{Choice, FormOutcome, RadioGroup},
    values::{Permission, Slug},
};
use leptos::prelude::*;

/// Field `preset`: a set of permissions by name, or those that are ticked under the API. The ticks hide while a preset is chosen (CSS).
#[component]
pub fn PresetChoice() -> impl IntoView {
    let presets = Preset::ALL.map(|preset| Choice::new(preset.as_str(), preset.label()).with_help(preset.words()));
    let choices = presets.into_iter().chain([Choice::new("chosen", "Single permissions").with_help("Tick them under the API.")]).collect();
    view! { <RadioGroup label="Permissions" name="preset" choices value="basic"/> }
}

/// Fields `api`, `permissions[]` (`api/resource:action`), of which those of the preset Basic are ticked from the start, and `bundles[]`
/// (`api/name`), which count beside a preset too. Each API says what will hold the key there: one of `limits`, in the order of `apis`.
#[component]
pub fn ApiChoice(
    apis: Vec<Api>,
    limits: Vec<String>,
    /** What can't be chosen there for want of a grant. */
    withheld: Vec<(Slug, Withheld)>,
) -> impl IntoView {
    let outcome = use_context::<FormOutcome>();
    let sent = |name: &str, value: &str| outcome.as_ref().map(|o| o.values.iter().any(|(n, v)| n == name && v == value));
    let groups = apis
        .into_iter()
        .zip(limits)
        .enumerate()
        .map(|(i, (api, limit))| {
            let slug = api.slug.to_string();
            let is_chosen = sent("api", &slug).unwrap_or(i == 0);
            let basic = api.preset(Preset::Basic);
            let withheld = needing_grant(withheld.iter().filter(|(of, _)| *of == api.slug).map(|(_, it)| it));
            let permissions = api
                .permissions
                .into_iter()
                .map(|p| {
                    let value = format!("{slug}/{}", p.permission);
                    let checked = sent("permissions[]", &value).unwrap_or_else(|| basic.contains(&p.permission));
                    view! {
                        <label class="choice">
                            <input type="checkbox" class="check" name="permissions[]" value=value checked=checked/>
                            <span><code>{p.permission.to_string()}</code><span class="help">{p.description}</span></span>
                        </label>
                    }
                })
                .collect_view();
            let has_bundles = !api.bundles.is_empty();
            let bundles = api
                .bundles
                .into_iter()
                .map(|bundle| {
                    let value = format!("{slug}/{}", bundle.name);
                    let checked = sent("bundles[]", &value).unwrap_or(false);
                    let help = if bundle.description.is_empty() { names(&bundle.gives) } else { bundle.description };
                    view! {
                        <label class="choice">
                            <input type="checkbox" class="check" name="bundles[]" value=value checked=checked/>
                            <span><code>{bundle.name.to_string()}</code><span class="help">{help}</span></span>
                        </label>
                    }
                })
                .collect_view();
            let bundles =
                has_bundles.then(|| view! { <div class="choices choices-under" role="group" aria-label=format!("Bundles of {}", api.name)>{bundles}</div> });
            view! {
                <div class="choice-group">
                    <label class="choice">
                        <input type="radio" class="radio" name="api" value=slug.clone() checked=is_chosen/>
                        <span>{api.name.clone()}<span class="help">{format!("Its keys begin with {}_live_. Limit: {limit}.", api.key_prefix)}</span></span>
                    </label>
                    <div class="choices choices-under ticks" role="group" aria-label=format!("Permissions at {}", api.name)>{permissions}{withheld}</div>
                    {bundles}
                </div>
            }
        })
        .collect_view();
    view! { <fieldset class="choices"><legend>"API"</legend>{groups}</fieldset> }.into_any()
}

/// What can't be ticked, each with the next step.
pub fn needing_grant<'a>(withheld: impl Iterator<Item = &'a Withheld>) -> AnyView {
    let lines = withheld.map(|it| view! { <p class="help">"Needs a grant: "<code>{it.permission.to_string()}</code>". "{it.next_step()}</p> });
    lines.collect_view().into_any()
}

fn names(permissions: &[Permission]) -> String {
    permissions.iter().map(Permission::as_str).collect::<Vec<_>>().join(", ")
}
