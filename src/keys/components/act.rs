//! Buttons that go somewhere without changing anything: plain GET forms, so that they are buttons by name and need no script.

use crate::ui::{Button, Icon, Look};
use leptos::prelude::*;

/// Opens a dialog of the page: its URL with `?dialog=…`.
#[component]
pub fn OpenDialog(
    #[prop(into)] path: String,
    dialog: &'static str,
    #[prop(optional)] look: Look,
    #[prop(optional)] icon: Option<Icon>,
    /** Other parameters of the page, which stay. */
    #[prop(optional)]
    kept: Vec<(&'static str, String)>,
    children: Children,
) -> impl IntoView {
    let icon = icon.map(|icon| view! { <crate::ui::IconView icon/> });
    let kept = kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    view! {
        <form method="get" action=path>
            {kept}
            <input type="hidden" name="dialog" value=dialog/>
            <Button look>{icon}{children()}</Button>
        </form>
    }
}
