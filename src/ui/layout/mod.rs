//! What stands around a page: the signed-in frame, the narrow frame of signing in and of errors, the public frame of landing
//! and docs, and the head of a page. All of it is driven by plain data; what a person may not see is simply not given.

mod auth_frame;
mod error_page;
mod frame;
mod page_header;
mod public_frame;

pub use auth_frame::{AuthFrame, AuthFrameProps};
pub use error_page::{ErrorPage, ErrorPageProps, RequestId, WayBack};
pub use frame::{AppFrame, AppFrameProps, Crumb, Frame, NavEntry, NavGroup};
pub use page_header::{PageHeader, PageHeaderProps, Section, SectionProps};
pub use public_frame::{PublicFrame, PublicFrameProps, SignUpOpen};

use leptos::prelude::*;

/// The first thing the Tab key reaches.
#[component]
pub(super) fn SkipLink() -> impl IntoView {
    view! { <a class="skip-link" href="#main">"Skip to content"</a> }
}

/// The way out, on pages without the account menu, for who is signed in (R51).
#[component]
pub(super) fn WayOut() -> impl IntoView {
    use_context::<super::MadeFor>().map(|_| view! { <a href="/sign-out">"Sign out"</a> })
}

/// The title of the document, to which `App` adds the product; after a refused form it begins with "Error:", so that a screen reader says so first.
fn document_title(title: &str) -> String {
    let error = if use_context::<super::FormOutcome>().is_some_and(|o| o.error.is_some()) { "Error: " } else { "" };
    format!("{error}{title}")
}
