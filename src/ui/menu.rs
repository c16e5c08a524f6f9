//! A menu of a row or a page: a popover below its button, so it opens, closes on Escape and on a click elsewhere without
//! JavaScript. It is a plain list of links and of forms with one button: `<a>`, `<Form quiet=true …><button>…</button></Form>`.

use super::{Form, Icon, IconButton, IconView, Look, Size, button_class};
use leptos::prelude::*;

/// `id` must be unique on the page; `label` names what it is for ("More for checkout service").
#[component]
pub fn Menu(#[prop(into)] id: String, #[prop(into)] label: String, children: Children) -> impl IntoView {
    view! {
        <IconButton icon=Icon::More label=label.clone() size=Size::Small opens=id.clone()/>
        <div class="menu" id=id popover="auto" role="group" aria-label=label>{children()}</div>
    }
    .into_any()
}

/// The same behind a button that says what is in it: the files of a part of a page.
#[component]
pub fn ButtonMenu(
    #[prop(into)] id: String,
    #[prop(into)] words: String,
    icon: Icon,
    #[prop(optional)] look: Look,
    #[prop(optional)] size: Size,
    children: Children,
) -> impl IntoView {
    view! {
        <button class=button_class(look, size, false, false) type="button" popovertarget=id.clone()><IconView icon/>{words.clone()}</button>
        <div class="menu menu-start" id=id popover="auto" role="group" aria-label=words>{children()}</div>
    }
    .into_any()
}

/// A way to somewhere.
#[component]
pub fn MenuLink(
    #[prop(into)] href: String,
    icon: Icon,
    #[prop(into)] label: String,
    #[prop(optional)] danger: bool,
    /// More than the visible word, for screen readers; must contain it.
    #[prop(optional, into)]
    name: Option<String>,
) -> impl IntoView {
    view! { <a href=href class=danger.then_some("is-danger") aria-label=name><IconView icon/>{label}</a> }
}

/// An act: a form with one button. `fields` are the arguments of the server function. What takes words is asked in a dialog (`MenuLink`).
#[component]
pub fn MenuAct(
    #[prop(into)] action: String,
    #[prop(optional)] fields: Vec<(&'static str, String)>,
    icon: Icon,
    #[prop(into)] label: String,
    #[prop(optional)] danger: bool,
) -> impl IntoView {
    view! {
        <Form action=action hidden=fields quiet=true>
            <button class=danger.then_some("is-danger")><IconView icon/>{label}</button>
        </Form>
    }
}

/// A line between what is harmless and what is not.
#[component]
pub fn MenuRule() -> impl IntoView {
    view! { <hr/> }
}
