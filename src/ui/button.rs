//! Buttons, and links that look like them. One primary on a page, named after the act; danger only in the last step of
//! something that cannot be taken back, danger-quiet on the way there.

use super::{Icon, IconView};
use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    Primary,
    #[default]
    Secondary,
    Quiet,
    Danger,
    DangerQuiet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Size {
    Small,
    #[default]
    Medium,
    /// Only signed out and on first visits.
    Large,
}

/// The classes of a button, for the rare element that is none of the components below.
pub fn button_class(look: Look, size: Size, block: bool, icon_only: bool) -> String {
    let mut class = String::from(match look {
        Look::Primary => "btn btn-primary",
        Look::Secondary => "btn btn-secondary",
        Look::Quiet => "btn btn-quiet",
        Look::Danger => "btn btn-danger",
        Look::DangerQuiet => "btn btn-danger-quiet",
    });
    class.push_str(match size {
        Size::Small => " btn-sm",
        Size::Medium => "",
        Size::Large => " btn-lg",
    });
    if block {
        class.push_str(" btn-block");
    }
    if icon_only {
        class.push_str(" btn-icon");
    }
    class
}

/// A button that submits its form, unless `kind="button"`.
#[component]
pub fn Button(
    #[prop(optional)] look: Look,
    #[prop(optional)] size: Size,
    #[prop(optional)] icon: Option<Icon>,
    #[prop(default = "submit")] kind: &'static str,
    /// As wide as what it stands in.
    #[prop(optional)]
    block: bool,
    #[prop(optional)] disabled: bool,
    /// The act is under way: a spinner, and a second press does nothing.
    #[prop(optional)]
    busy: bool,
    /// Sent with the form, to tell several buttons of one form apart.
    #[prop(optional, into)]
    name: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    #[prop(optional)] autofocus: bool,
    /// More than the visible word, for screen readers ("Revoke checkout service"); must contain it.
    #[prop(optional, into)]
    label: Option<String>,
    children: Children,
) -> impl IntoView {
    view! {
        <button
            class=button_class(look, size, block, false)
            type=kind
            name=name
            value=value
            disabled=disabled
            autofocus=autofocus
            aria-busy=busy.then_some("true")
            aria-disabled=busy.then_some("true")
            aria-label=label
        >
            {icon.map(|icon| view! { <IconView icon/> })}
            {children()}
        </button>
    }
}

/// A link that looks like a button: it goes somewhere, or opens a state of the page that has a URL.
#[component]
pub fn LinkButton(
    #[prop(into)] href: String,
    #[prop(optional)] look: Look,
    #[prop(optional)] size: Size,
    #[prop(optional)] icon: Option<Icon>,
    #[prop(optional)] block: bool,
    /// There is nowhere to go: shown, but not a link.
    #[prop(optional)]
    disabled: bool,
    /// The browser saves what it gets; say the file's name in the response.
    #[prop(optional)]
    download: bool,
    #[prop(optional, into)] label: Option<String>,
    children: Children,
) -> impl IntoView {
    view! {
        <a
            class=button_class(look, size, block, false)
            href=(!disabled).then_some(href)
            role=disabled.then_some("link")
            aria-disabled=disabled.then_some("true")
            download=download
            aria-label=label
        >
            {icon.map(|icon| view! { <IconView icon/> })}
            {children()}
        </a>
    }
}

/// A button with an icon only; `label` is its name.
#[component]
pub fn IconButton(
    icon: Icon,
    #[prop(into)] label: String,
    #[prop(default = Look::Quiet)] look: Look,
    #[prop(optional)] size: Size,
    #[prop(default = "button")] kind: &'static str,
    #[prop(optional, into)] name: Option<String>,
    #[prop(optional, into)] value: Option<String>,
    /// The id of the popover it opens.
    #[prop(optional, into)]
    opens: Option<String>,
) -> impl IntoView {
    view! {
        <button class=button_class(look, size, false, true) type=kind name=name value=value popovertarget=opens aria-label=label>
            <IconView icon/>
        </button>
    }
}

/// A link with an icon only: the close of a dialog or panel.
#[component]
pub fn IconLink(icon: Icon, #[prop(into)] label: String, #[prop(into)] href: String, #[prop(optional)] size: Size) -> impl IntoView {
    view! { <a class=button_class(Look::Quiet, size, false, true) href=href aria-label=label><IconView icon/></a> }
}
