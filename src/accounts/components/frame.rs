//! The frame around every signed-in page: sidebar, breadcrumb, account menu. An entry shows only to those who may open it (K32), and while an
//! operator acts as somebody only where it is answered; the server decides all the same.

use super::is_shown;
use crate::{
    accounts::{api::SignOut, model::Caller},
    error::AppError,
    ui::{AppFrame, Crumb, ErrorPage, Frame, Icon, NavEntry, NavGroup, PublicFrame, awaited},
    values::{Permission, permission_names as may},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_location;

/// Where the operator's pages begin.
const ADMIN: &str = "/admin";

/// A signed-in page. `crumbs` follow the workspace's name, but for the operator's pages, which are in no workspace; the last one is the page
/// itself.
#[component]
pub fn Framed(crumbs: Vec<Crumb>, children: Children) -> impl IntoView {
    let Some(caller) = use_context::<Caller>() else {
        return view! { <PublicFrame><ErrorPage error=AppError::Unauthenticated/></PublicFrame> }.into_any();
    };
    let path = use_location().pathname.get_untracked();
    let is_admin = crumbs.first().is_some_and(|crumb| crumb.href.as_deref() == Some(ADMIN));
    let mut all = if is_admin { Vec::new() } else { vec![Crumb::link(caller.workspace_name.clone(), "/home")] };
    all.extend(crumbs);
    let frame = Frame {
        workspace: caller.workspace_name.clone(),
        home: "/home".into(),
        nav: nav(&caller),
        account: account_menu(),
        person: caller.name,
        picture: caller.picture,
        email: caller.email,
        path,
        sign_out: SignOut::PATH.to_owned(),
    };
    view! { <AppFrame frame crumbs=all>{children()}</AppFrame> }.into_any()
}

/// A signed-in page whose crumbs name what was loaded: `way` ends with the list, `name` says which one of it is shown, if one is. An error
/// takes the place of the page, with its status, and `next` (words, href) leads on.
pub fn loaded_in_frame<T, Load>(
    way: Vec<Crumb>,
    load: impl Fn() -> Load + Send + Sync + 'static,
    name: fn(&T) -> Option<String>,
    show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
    next: (&'static str, &'static str),
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
    Load: Future<Output = Result<T, AppError>> + Send + 'static,
{
    awaited(load, move |it| {
        let here = match &it {
            Ok(it) => name(it),
            Err(AppError::NotFound) => Some("Not found".to_owned()),
            Err(_) => None,
        };
        let crumbs = crumbs_to(way.clone(), here);
        let page = match it {
            Ok(it) => show(it),
            Err(error) => view! { <ErrorPage error next=(next.0.to_owned(), next.1.to_owned())/> }.into_any(),
        };
        view! { <Framed crumbs>{page}</Framed> }.into_any()
    })
}

/// The way with what is shown at its end; without that the list is where one is.
fn crumbs_to(mut way: Vec<Crumb>, here: Option<String>) -> Vec<Crumb> {
    if let Some(name) = here {
        way.push(Crumb::here(name));
    } else if let Some(list) = way.last_mut() {
        list.href = None;
    }
    way
}

fn account_menu() -> Vec<NavEntry> {
    let entries = [
        NavEntry::new("Profile", "/settings/profile", Icon::Person),
        NavEntry::new("Security", "/settings/security", Icon::Shield),
        NavEntry::new("Sessions", "/settings/sessions", Icon::Laptop),
        NavEntry::new("Notifications", "/settings/notifications", Icon::Mail),
    ];
    entries.into_iter().filter(|entry| is_shown(&entry.href)).collect()
}

fn nav(caller: &Caller) -> Vec<NavGroup> {
    let may_open = |entry: &(&str, &str, Icon, Option<Permission>)| entry.3.as_ref().is_none_or(|p| caller.may(p)) && is_shown(entry.1);
    let group = |title: Option<&str>, entries: &[(&str, &str, Icon, Option<Permission>)]| NavGroup {
        title: title.map(ToOwned::to_owned),
        entries: entries.iter().filter(|e| may_open(e)).map(|e| NavEntry::new(e.0, e.1, e.2)).collect(),
    };
    let groups = [
        group(None, &[("Home", "/home", Icon::Home, None)]),
        group(
            Some("API"),
            &[
                ("Keys", "/keys", Icon::Key, Some(may::KEYS_READ)),
                ("Usage", "/usage", Icon::Chart, Some(may::USAGE_READ)),
                ("Requests", "/requests", Icon::List, Some(may::USAGE_READ)),
                ("Exports", "/exports", Icon::Download, Some(may::USAGE_READ)),
            ],
        ),
        group(
            Some("System"),
            &[
                ("Health", ADMIN, Icon::Activity, Some(may::ADMIN_READ)),
                ("Jobs", "/admin/jobs", Icon::Rotate, Some(may::ADMIN_READ)),
                ("Channels & templates", "/admin/templates", Icon::Bell, Some(may::ADMIN_READ)),
            ],
        ),
        group(
            Some("People"),
            &[
                ("Accounts", "/admin/accounts", Icon::Person, Some(may::ADMIN_READ)),
                ("Invitations", "/admin/invites", Icon::Mail, Some(may::ADMIN_READ)),
                ("Fields", "/admin/fields", Icon::Form, Some(may::ADMIN_READ)),
                ("Sessions", "/admin/sessions", Icon::Laptop, Some(may::ADMIN_READ)),
                ("Bans", "/admin/bans", Icon::Lock, Some(may::ADMIN_READ)),
            ],
        ),
        group(
            Some("Access"),
            &[
                ("APIs", "/admin/apis", Icon::Server, Some(may::ADMIN_READ)),
                ("All keys", "/admin/keys", Icon::Keys, Some(may::ADMIN_READ)),
                ("Plans", "/admin/plans", Icon::Gauge, Some(may::PLANS_MANAGE)),
                ("Groups", "/admin/groups", Icon::Team, Some(may::PLANS_MANAGE)),
            ],
        ),
        group(
            Some("Gate"),
            &[("Refusals", "/admin/refusals", Icon::Refused, Some(may::ADMIN_READ)), ("Blocks", "/admin/blocks", Icon::Block, Some(may::BLOCKS_MANAGE))],
        ),
        group(None, &[("Docs", "/docs", Icon::Book, None)]),
    ];
    groups.into_iter().filter(|g| !g.entries.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_entries_have_one_icon() {
        let entries: Vec<NavEntry> = nav(&Caller::cli()).into_iter().flat_map(|group| group.entries).collect();
        assert!(entries.len() > 15, "all that there are: {entries:?}");
        for (i, entry) in entries.iter().enumerate() {
            assert!(entries[..i].iter().all(|other| other.icon != entry.icon), "{}", entry.label);
        }
    }

    #[test]
    fn crumbs_end_with_the_name_of_what_is_shown() {
        let way = || vec![Crumb::link("Admin", "/admin"), Crumb::link("Plans", "/admin/plans")];
        let labels = |crumbs: Vec<Crumb>| crumbs.into_iter().map(|crumb| (crumb.label, crumb.href.is_some())).collect::<Vec<_>>();
        let said = |crumbs: &[(&str, bool)]| crumbs.iter().map(|(label, is_link)| ((*label).to_owned(), *is_link)).collect::<Vec<_>>();
        assert_eq!(labels(crumbs_to(way(), Some("Pro".to_owned()))), said(&[("Admin", true), ("Plans", true), ("Pro", false)]));
        assert_eq!(labels(crumbs_to(way(), None)), said(&[("Admin", true), ("Plans", false)]));
    }
}
