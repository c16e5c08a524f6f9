//! Light or dark. The choice is the cookie `theme`; the server writes it as `data-theme` on `<html>`, so nothing flashes, and
//! without one the system decides. The button is a form that posts `theme` to `/theme`, which sets the cookie and goes back;
//! with JavaScript the page changes at once and stays (`public/enhance.js`).

use super::{Icon, IconView};
use leptos::prelude::*;

/// The person's theme from the cookie: `light`, `dark` or none (the system decides). Provided by the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThemeChoice(pub Option<String>);

/// A theme chosen by the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// The name of the cookie, of the form's field and, with `data-`, of the attribute.
    pub const COOKIE: &'static str = "theme";
    /// Where the form posts to; answers 303 to the page it came from.
    pub const PATH: &'static str = "/theme";

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }
}

/// Two buttons, of which the one that would change something shows: only CSS knows what the system has chosen.
#[component]
pub fn ThemeToggle() -> impl IntoView {
    view! {
        <form class="theme-toggle" method="post" action=Theme::PATH data-theme-form>
            <button class="btn btn-quiet btn-icon btn-sm to-dark" name=Theme::COOKIE value="dark" aria-label="Dark theme"><IconView icon=Icon::Sun/></button>
            <button class="btn btn-quiet btn-icon btn-sm to-light" name=Theme::COOKIE value="light" aria-label="Light theme"><IconView icon=Icon::Moon/></button>
        </form>
    }
}
