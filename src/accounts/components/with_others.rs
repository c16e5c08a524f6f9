//! The buttons that lead to providers: "Continue with NAME".

use super::ZoneField;
use crate::{
    accounts::model::ProviderButton,
    ui::{Button, Form, Size},
};
use leptos::prelude::*;

/// One form each; `extra` are fields that all of them send. Nothing where no provider is set up.
#[component]
pub fn WithOthers(
    providers: Vec<ProviderButton>,
    /// The path of the server function that takes `provider`.
    #[prop(into)]
    action: String,
    #[prop(optional)] extra: Vec<(&'static str, String)>,
) -> impl IntoView {
    if providers.is_empty() {
        return ().into_any();
    }
    let forms = providers
        .into_iter()
        .map(|provider| {
            let slug = provider.slug.to_string();
            let hidden = [("provider", slug.clone())].into_iter().chain(extra.clone()).collect::<Vec<_>>();
            view! {
                <Form action=action.clone() id=format!("with-{slug}") hidden=hidden>
                    <ZoneField/>
                    <Button size=Size::Large block=true>{format!("Continue with {}", provider.name)}</Button>
                </Form>
            }
        })
        .collect_view();
    view! { <div class="stack">{forms}</div> }.into_any()
}
