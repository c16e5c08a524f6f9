//! Filters above a list: a GET form, so that what is shown has a URL. Without JavaScript the button applies them; with it
//! a changed select applies itself (`data-autosubmit`, see `public/enhance.js`).

use super::{Button, Icon, IconView, field::select_options};
use crate::values::SECRET_SHAPE;
use leptos::prelude::*;

/// The form around the filters. `action` is the page's path; `kept` are parameters that stay (sort, range); `more` are rarer filters, which
/// stand behind the button that applies them.
#[component]
pub fn Filters(
    #[prop(into)] action: String,
    #[prop(into)] label: String,
    #[prop(optional)] kept: Vec<(&'static str, String)>,
    #[prop(optional)] more: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    view! {
        <form class="filters" method="get" action=action role="search" aria-label=label data-autosubmit>
            {kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
            {children()}
            <span data-nojs><Button>"Apply"</Button></span>
            {more}
        </form>
    }
    .into_any()
}

/// What a search field does not take is a whole key, since what is typed goes into the address. Without JavaScript the browser refuses it and
/// says this; `public/enhance.js` takes the pattern away where it hashes.
const NO_WHOLE_KEY: &str = "Do not paste a whole key: this text becomes part of the address. Use “Find by secret” on Keys.";

/// The search field of a list.
#[component]
pub fn SearchField(
    #[prop(into)] placeholder: String,
    #[prop(default = "q")] name: &'static str,
    #[prop(default = "Search")] label: &'static str,
    #[prop(optional, into)] value: Option<String>,
    /// Where keys are found by hash: a whole key that is pasted here is hashed in the browser and sent there (`public/enhance.js`).
    #[prop(optional)]
    hashed: Option<&'static str>,
) -> impl IntoView {
    let pattern = format!("(?!.*{SECRET_SHAPE}).*");
    view! {
        <label class="input-wrap" data-hashed=hashed>
            <span class="visually-hidden">{label}</span>
            <IconView icon=Icon::Search/>
            <input
                class="input"
                type="search"
                name=name
                value=value
                placeholder=placeholder
                pattern=pattern
                title=NO_WHOLE_KEY
                autocomplete="off"
                spellcheck="false"
            />
        </label>
    }
}

/// A select of a filter; the first option says what "no filter" means.
#[component]
pub fn FilterSelect(
    #[prop(into)] label: String,
    name: &'static str,
    options: Vec<(String, String)>,
    #[prop(optional, into)] value: Option<String>,
) -> impl IntoView {
    view! {
        <label>
            <span class="visually-hidden">{label}</span>
            <select class="select" name=name>{select_options(options, value.as_deref())}</select>
        </label>
    }
}

/// Rarer filters of the same form behind "More filters"; open while one of them is set.
#[component]
pub fn MoreFilters(#[prop(optional)] is_set: bool, children: Children) -> impl IntoView {
    view! {
        <details class="more-filters" open=is_set>
            <summary>"More filters"</summary>
            <div class="filters">{children()}</div>
        </details>
    }
    .into_any()
}
