//! Nothing here yet: what the place is for, and the next step right there. Bones while a part of a page waits (never under
//! 200 ms).

use leptos::prelude::*;

/// `children` is the next step: a link, or the form itself.
#[component]
pub fn Empty(#[prop(into)] title: String, #[prop(into)] text: String, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    view! {
        <section class="empty">
            <div class="stack-sm"><h2>{title}</h2><p>{text}</p></div>
            {children.map(|next| next())}
        </section>
    }
    .into_any()
}

/// Lines of bones; `label` is what a screen reader hears.
#[component]
pub fn Skeleton(#[prop(default = 3)] lines: usize, #[prop(default = "Loading")] label: &'static str) -> impl IntoView {
    const WIDTHS: [&str; 3] = ["skeleton half", "skeleton most", "skeleton little"];
    view! {
        <div class="stack-sm" aria-busy="true">
            <span class="visually-hidden">{label}</span>
            {(0..lines).map(|i| view! { <span class=WIDTHS[i % 3] aria-hidden="true"></span> }).collect_view()}
        </div>
    }
}
