//! A field that no person sees, reads or reaches by the keyboard: programs that fill in whatever they find give themselves away (S10).

use leptos::prelude::*;

#[component]
pub fn Trap() -> impl IntoView {
    view! {
        <div class="visually-hidden" aria-hidden="true">
            <label>"Leave this empty"<input type="text" name="homepage" tabindex="-1" autocomplete="off"/></label>
        </div>
    }
}
