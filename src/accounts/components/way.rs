//! The ways in which somebody proves who they are, as far as an account has them (`?use=`).

use crate::values::link;
use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Password,
    App,
    Passkey,
    Recovery,
}

impl Way {
    /// In addresses, and as a link to it says.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Password => ("password", "Use your password"),
            Self::App => ("app", "Use your authenticator app"),
            Self::Passkey => ("passkey", "Use a passkey"),
            Self::Recovery => ("recovery", "Use a recovery code"),
        }
    }
}

/// The chosen one of those that are offered, else the first of them, and links to the others on this page, whose address keeps `kept`.
pub fn chosen_way(offered: &[(Way, bool)], chosen: Option<&str>, page: &str, kept: Option<(&str, &str)>) -> (Option<Way>, AnyView) {
    let ways: Vec<Way> = offered.iter().filter(|(_, is_offered)| *is_offered).map(|(way, _)| *way).collect();
    let way = ways.iter().copied().find(|way| Some(way.words().0) == chosen).or_else(|| ways.first().copied());
    let others = ways.into_iter().filter(|other| Some(*other) != way).map(|other| {
        let (word, label) = other.words();
        view! { <a href=link(page, kept.into_iter().chain([("use", word)]))>{label}</a>". " }
    });
    (way, others.collect_view().into_any())
}
