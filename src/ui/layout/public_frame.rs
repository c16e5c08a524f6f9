//! The frame of landing and docs: the wordmark, a few links, the way in.

use super::{SkipLink, WayOut};
use crate::ui::{LinkButton, Look, ThemeToggle, Toasts, Wordmark};
use leptos::prelude::*;

/// Whether anybody may sign up here; where only some may, or nobody, no page invites everybody to. Provided by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignUpOpen(pub bool);

impl SignUpOpen {
    /// What the server said; open where nothing did.
    pub fn here() -> bool {
        use_context::<Self>().is_none_or(|open| open.0)
    }
}

/// `entered` shows the way to the app instead of signing in and up.
#[component]
pub fn PublicFrame(
    /// Links of the head, (words, href); they leave when it gets narrow.
    #[prop(optional)]
    links: Vec<(String, String)>,
    #[prop(optional)] entered: bool,
    /// The line at the very bottom, and its links.
    #[prop(optional, into)]
    foot: String,
    #[prop(optional)] foot_links: Vec<(String, String)>,
    children: Children,
) -> impl IntoView {
    let links = links.into_iter().map(|(words, href)| view! { <a class="only-wide" href=href>{words}</a> }).collect_view();
    let foot_links = foot_links.into_iter().map(|(words, href)| view! { <a href=href>{words}</a> }).collect_view();
    let door = if entered {
        view! { <LinkButton href="/home" look=Look::Primary>"Home"</LinkButton> }.into_any()
    } else if SignUpOpen::here() {
        view! { <a href="/sign-in">"Sign in"</a><LinkButton href="/sign-up" look=Look::Primary>"Create account"</LinkButton> }.into_any()
    } else {
        view! { <LinkButton href="/sign-in" look=Look::Primary>"Sign in"</LinkButton> }.into_any()
    };
    view! {
        <SkipLink/>
        <header class="site-head">
            <Wordmark/>
            <nav class="push site-nav" aria-label="Main">{links}{door}<WayOut/></nav>
            <ThemeToggle/>
        </header>
        <main id="main" tabindex="-1">{children()}</main>
        <footer class="site-foot"><div><span>{foot}</span><span class="push row">{foot_links}</span></div></footer>
        <Toasts/>
    }
    .into_any()
}
