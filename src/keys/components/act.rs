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
    children: Children,
) -> impl IntoView {
    let icon = icon.map(|icon| view! { <crate::ui::IconView icon/> });
    view! {
        <form method="get" action=path>
            <input type="hidden" name="dialog" value=dialog/>
            <Button look>{icon}{children()}</Button>
        </form>
    }
}
