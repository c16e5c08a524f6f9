//! The frame of the settings: title, one sentence, tabs.

use super::{Framed, is_shown};
use crate::ui::{Crumb, PageHeader, Tab, Tabs};
use leptos::prelude::*;

/// The pages of the settings, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    Profile,
    Security,
    Sessions,
    /// Of the feature `notices`.
    Notifications,
    Danger,
}

impl Setting {
    const ALL: [Self; 5] = [Self::Profile, Self::Security, Self::Sessions, Self::Notifications, Self::Danger];

    const fn title(self) -> &'static str {
        match self {
            Self::Profile => "Profile",
            Self::Security => "Security",
            Self::Sessions => "Sessions",
            Self::Notifications => "Notifications",
            Self::Danger => "Danger",
        }
    }

    const fn lead(self) -> &'static str {
        match self {
            Self::Profile => "Your name, picture, time zone and language.",
            Self::Security => "How you sign in.",
            Self::Sessions => "Where you are signed in.",
            Self::Notifications => "Get an email before something stops working.",
            Self::Danger => "Export your data, or leave for a while or for good.",
        }
    }

    const fn href(self) -> &'static str {
        match self {
            Self::Profile => "/settings/profile",
            Self::Security => "/settings/security",
            Self::Sessions => "/settings/sessions",
            Self::Notifications => "/settings/notifications",
            Self::Danger => "/settings/danger",
        }
    }
}

#[component]
pub fn SettingsFrame(
    page: Setting,
    /// A page of its own behind that one: "Change email".
    #[prop(optional)]
    detail: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let settings = Crumb::link("Settings", Setting::Profile.href());
    let crumbs = match detail {
        Some(detail) => vec![settings, Crumb::link(page.title(), page.href()), Crumb::here(detail)],
        None => vec![settings, Crumb::here(page.title())],
    };
    let (shown, hidden): (Vec<Setting>, Vec<Setting>) = Setting::ALL.into_iter().partition(|one| is_shown(one.href()));
    let tabs: Vec<Tab> = shown.into_iter().map(|one| Tab::new(one.title(), one.href(), one == page)).collect();
    let why = (!hidden.is_empty()).then(|| {
        let titles = hidden.iter().map(|one| one.title()).collect::<Vec<_>>().join(" and ");
        view! { <p class="help">{format!("Hidden while you act as somebody else: {titles}. Only the owner can see these.")}</p> }
    });
    view! {
        <Framed crumbs>
            <PageHeader title=page.title() chosen=detail.map(str::to_owned) lead=view! { {page.lead()} }.into_any()/>
            <Tabs label="Settings" tabs/>
            {why}
            <div class="settings">{children()}</div>
        </Framed>
    }
    .into_any()
}

/// What a password manager needs to know which entry a new password belongs to. Not sent.
#[component]
pub fn AccountOfPassword(#[prop(into)] email: String) -> impl IntoView {
    view! { <input type="text" class="visually-hidden" autocomplete="username" value=email aria-label="Account" readonly=true tabindex="-1"/> }
}
