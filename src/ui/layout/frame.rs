//! The signed-in frame: sidebar with groups, top bar with the breadcrumb, account menu. Narrow, the sidebar is a popover
//! that opens without JavaScript. An entry is shown only if it is given.

use super::SkipLink;
use crate::{
    ui::{Avatar, Icon, IconButton, IconView, ThemeToggle, Toasts},
    values::Picture,
};
use leptos::prelude::*;

/// What the frame shows; made once per request from who is signed in.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The name at the top of the sidebar, and where it leads.
    pub workspace: String,
    pub home: String,
    pub person: String,
    pub picture: Option<Picture>,
    pub email: String,
    pub nav: Vec<NavGroup>,
    /// The links of the account menu: Profile, Security …
    pub account: Vec<NavEntry>,
    /// The path of the page, to mark the entry it belongs to.
    pub path: String,
    /// The path of the server function that signs out.
    pub sign_out: String,
}

/// Entries under one title; without a title they stand alone.
#[derive(Debug, Clone, PartialEq)]
pub struct NavGroup {
    pub title: Option<String>,
    pub entries: Vec<NavEntry>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NavEntry {
    pub label: String,
    pub href: String,
    pub icon: Icon,
    /// Things that wait behind the entry; nothing is shown for `None`.
    pub count: Option<u64>,
}

impl NavEntry {
    pub fn new(label: impl Into<String>, href: impl Into<String>, icon: Icon) -> Self {
        Self { label: label.into(), href: href.into(), icon, count: None }
    }
}

/// One step of "you are here"; the last one has no link.
#[derive(Debug, Clone, PartialEq)]
pub struct Crumb {
    pub label: String,
    pub href: Option<String>,
}

impl Crumb {
    pub fn link(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: Some(href.into()) }
    }

    pub fn here(label: impl Into<String>) -> Self {
        Self { label: label.into(), href: None }
    }
}

/// The document's body around every signed-in page.
#[component]
pub fn AppFrame(
    frame: Frame,
    crumbs: Vec<Crumb>,
    /// About the whole session, above the page: impersonation, quota.
    #[prop(optional)]
    banner: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    let Frame { workspace, home, person, picture, email, nav, account, path, sign_out } = frame;
    let initial: String = workspace.chars().next().into_iter().flat_map(char::to_uppercase).collect();
    let current = current_entry(&nav, &path).map(str::to_owned);
    let groups = nav.into_iter().enumerate().map(|(i, group)| nav_group(i, group, current.as_deref())).collect_view();
    view! {
        <SkipLink/>
        <div class="app">
            <nav class="sidebar" id="nav" popover="auto" aria-label="Main">
                <a class="switcher" href=home>
                    <span class="avatar avatar-square" aria-hidden="true">{initial}</span>
                    <span class="truncate"><span class="visually-hidden">"Workspace "</span><b class="truncate">{workspace}</b></span>
                </a>
                {groups}
                <div class="sidebar-foot">{account_menu(person, picture, email, account, sign_out)}</div>
            </nav>
            <div class="main">
                <header class="topbar">
                    <span class="only-narrow"><IconButton icon=Icon::Menu label="Menu" opens="nav"/></span>
                    {breadcrumb(crumbs)}
                    <ThemeToggle/>
                </header>
                {banner}
                <main class="page" id="main" tabindex="-1">{children()}</main>
            </div>
        </div>
        <Toasts/>
    }
    .into_any()
}

fn nav_group(index: usize, group: NavGroup, current: Option<&str>) -> AnyView {
    let entries = group
        .entries
        .into_iter()
        .map(|entry| {
            let here = current == Some(entry.href.as_str());
            view! {
                <li>
                    <a class="sidebar-link" href=entry.href aria-current=here.then_some("page")>
                        <IconView icon=entry.icon/>
                        <span>{entry.label}</span>
                        {entry.count.map(|n| view! { <span class="sidebar-count">{crate::ui::number::thousands(n)}</span> })}
                    </a>
                </li>
            }
        })
        .collect_view();
    let list = view! { <ul class="sidebar-group">{entries}</ul> };
    match group.title {
        None => list.into_any(),
        Some(title) => {
            let id = format!("nav-{index}");
            view! { <div role="group" aria-labelledby=id><p class="sidebar-title" id=id.clone()>{title}</p>{list}</div> }.into_any()
        }
    }
}

/// The entry whose path is the longest beginning of the page's path, so that `/keys/key_1` marks Keys and `/admin/accounts`
/// does not mark `/admin`.
fn current_entry<'a>(nav: &'a [NavGroup], path: &str) -> Option<&'a str> {
    nav.iter()
        .flat_map(|group| &group.entries)
        .map(|entry| entry.href.as_str())
        .filter(|href| path.strip_prefix(href).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?'])))
        .max_by_key(|href| href.len())
}

fn account_menu(person: String, picture: Option<Picture>, email: String, links: Vec<NavEntry>, sign_out: String) -> AnyView {
    let links = links.into_iter().map(|entry| view! { <a href=entry.href><IconView icon=entry.icon/>{entry.label}</a> }).collect_view();
    view! {
        <button type="button" class="switcher" popovertarget="account-menu">
            <Avatar name=person.clone() picture/>
            <span class="truncate"><span class="visually-hidden">"Account "</span>{person.clone()}</span>
            <IconView icon=Icon::More/>
        </button>
        <div class="menu menu-up" id="account-menu" popover="auto">
            <div class="menu-head"><p class="strong">{person}</p><p>{email}</p></div>
            <hr/>
            {links}
            <hr/>
            // To a page of its own, so that it works on pages that are refused, too.
            <form method="post" action="/sign-out">
                <input type="hidden" name="_fn" value=sign_out/>
                <button><IconView icon=Icon::SignOut/>"Sign out"</button>
            </form>
        </div>
    }
    .into_any()
}

fn breadcrumb(crumbs: Vec<Crumb>) -> AnyView {
    let steps = crumbs
        .into_iter()
        .map(|crumb| match crumb.href {
            Some(href) => view! { <li><a href=href>{crumb.label}</a></li> }.into_any(),
            None => view! { <li class="truncate"><span class="truncate" aria-current="page">{crumb.label}</span></li> }.into_any(),
        })
        .collect_view();
    view! { <nav class="breadcrumb" aria-label="You are here"><ol>{steps}</ol></nav> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_entry_is_marked() {
        let entries = ["/admin", "/admin/accounts", "/keys"].map(|href| NavEntry::new(href, href, Icon::Key)).to_vec();
        let nav = [NavGroup { title: None, entries }];
        assert_eq!(current_entry(&nav, "/admin/accounts/acc_1"), Some("/admin/accounts"));
        assert_eq!(current_entry(&nav, "/admin"), Some("/admin"));
        assert_eq!(current_entry(&nav, "/keys?status=off"), Some("/keys"));
        assert_eq!(current_entry(&nav, "/keysets"), None);
    }
}
