//! The frame of signing in and up, of links from mails, and of errors: one column, nothing else to do.

use super::{SkipLink, WayOut};
use crate::ui::{LargeMark, ThemeToggle, Toasts, Wordmark};
use leptos::prelude::*;

/// `title` is also the document's title. `lead` stands below it: "New here? Create an account".
#[component]
pub fn AuthFrame(
    #[prop(into)] title: String,
    #[prop(optional)] lead: Option<AnyView>,
    /// The large mark has its bar up: sign-up and after.
    #[prop(optional)]
    raised: bool,
    /// Links at the bottom, (words, href).
    #[prop(optional)]
    foot: Vec<(String, String)>,
    children: Children,
) -> impl IntoView {
    let document_title = super::document_title(&title);
    view! {
        <leptos_meta::Title text=document_title/>
        <SkipLink/>
        <div class="auth">
            <header class="site-head"><Wordmark/><span class="push row"><WayOut/><ThemeToggle/></span></header>
            <main id="main" tabindex="-1">
                <div class="auth-box">
                    <LargeMark raised/>
                    <div class="stack-xs"><h1>{title}</h1>{lead.map(|lead| view! { <p class="muted">{lead}</p> })}</div>
                    {children()}
                </div>
            </main>
            <footer class="auth-foot">
                {foot.into_iter().map(|(words, href)| view! { <a href=href>{words}</a> }).collect_view()}
            </footer>
        </div>
        <Toasts/>
    }
    .into_any()
}
