//! `/dev/ui`: every component of the design system in all its states, in the real frame. What looks wrong here is wrong
//! everywhere; axe and the screenshots run over this page in both themes. `src/tests/gallery.rs` finds a component that is not here.

mod controls;
mod data;
mod figures;
mod frames;
mod messages;
mod samples;

use crate::ui::{AppFrame, Crumb, Frame, Icon, NavEntry, NavGroup, PageHeader};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn GalleryPage() -> impl IntoView {
    if let Some(framed) = use_query_map().with_untracked(|map| map.get("frame")).and_then(|name| frames::framed(&name)) {
        return framed;
    }
    let lead = view! { "Each one once, in all its states. The names are those of " <code>"ui"</code> "." }.into_any();
    view! {
        <AppFrame frame=frame() crumbs=vec![Crumb::link("Development", "/dev/ui"), Crumb::here("Components")]>
            <PageHeader title="Components" lead/>
            <div class="settings specs">
                <controls::Controls/>
                <data::Data/>
                <messages::Messages/>
                <frames::Frames/>
                <figures::ChartsAndFigures/>
                <figures::Colours/>
            </div>
        </AppFrame>
    }
    .into_any()
}

fn frame() -> Frame {
    let group = |title: Option<&str>, entries: Vec<NavEntry>| NavGroup { title: title.map(str::to_owned), entries };
    Frame {
        workspace: "Nordlicht Shop".into(),
        home: "/home".into(),
        person: "Mara Lindqvist".into(),
        picture: None,
        email: "mara@nordlicht.example".into(),
        nav: vec![
            group(None, vec![NavEntry::new("Home", "/home", Icon::Home), NavEntry { count: Some(3), ..NavEntry::new("Inbox", "/inbox", Icon::Inbox) }]),
            group(
                Some("API"),
                vec![
                    NavEntry::new("Keys", "/keys", Icon::Key),
                    NavEntry::new("Usage", "/usage", Icon::Chart),
                    NavEntry::new("Requests", "/requests", Icon::List),
                ],
            ),
            group(
                Some("Workspace"),
                vec![
                    NavEntry::new("Members", "/workspace/members", Icon::Team),
                    NavEntry::new("Plan & limits", "/workspace/plan", Icon::Gauge),
                    NavEntry::new("Activity", "/workspace/activity", Icon::Activity),
                    NavEntry::new("Settings", "/settings/profile", Icon::Gear),
                ],
            ),
            group(Some("Development"), vec![NavEntry::new("Components", "/dev/ui", Icon::Boards), NavEntry::new("Mailbox", "/dev/mailbox", Icon::Mail)]),
            group(None, vec![NavEntry::new("Docs", "/docs", Icon::Book)]),
        ],
        account: vec![NavEntry::new("Profile", "/settings/profile", Icon::Person), NavEntry::new("Security", "/settings/security", Icon::Lock)],
        path: "/dev/ui".into(),
        sign_out: "/fn/accounts/sign_out".into(),
    }
}
