//! The line icons, 16 px, drawn with the current colour. An icon never stands without a word: beside it, or as the
//! `label` of the button it is in.

use leptos::prelude::*;

/// One of the icons of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Activity,
    ArrowDown,
    ArrowUp,
    Bell,
    Block,
    Book,
    Boards,
    Chart,
    Check,
    CheckCircle,
    ChevronRight,
    Close,
    Copy,
    Download,
    Eye,
    Form,
    Gauge,
    Gear,
    Home,
    Inbox,
    Info,
    Key,
    Keys,
    Laptop,
    List,
    Lock,
    Mail,
    Menu,
    Moon,
    More,
    Person,
    Plus,
    Refused,
    Rotate,
    Search,
    Server,
    Shield,
    SignOut,
    Sun,
    Switch,
    Team,
    Trash,
}

impl Icon {
    /// What stands inside the `<svg>`; fixed text, so it needs no escaping.
    const fn shapes(self) -> &'static str {
        match self {
            Self::Activity => r#"<path d="M1.5 8.5h3l2-5 3 9 2-4h3"/>"#,
            Self::ArrowDown => r#"<path d="M8 3.5v9M4.5 9 8 12.5 11.5 9"/>"#,
            Self::ArrowUp => r#"<path d="M8 12.5v-9M4.5 7 8 3.5 11.5 7"/>"#,
            Self::Bell => r#"<path d="M8 2.5A3.5 3.5 0 0 0 4.5 6c0 3.5-1.5 4-1.5 5h10c0-1-1.5-1.5-1.5-5A3.5 3.5 0 0 0 8 2.5zM6.75 13.5h2.5"/>"#,
            Self::Block => r#"<circle cx="8" cy="8" r="5.5"/><path d="m4.25 4.25 7.5 7.5"/>"#,
            Self::Book => r#"<path d="M3 3.5c2-.7 3.7-.5 5 .5 1.3-1 3-1.2 5-.5v9c-2-.7-3.7-.5-5 .5-1.3-1-3-1.2-5-.5zM8 4v9"/>"#,
            Self::Boards => {
                r#"<rect x="2.5" y="3" width="3" height="10" rx=".75"/><rect x="6.5" y="3" width="3" height="6" rx=".75"/><rect x="10.5" y="3" width="3" height="8" rx=".75"/>"#
            }
            Self::Chart => r#"<path d="M2.5 13.5h11M4.5 11V7.5M8 11V3.5M11.5 11V6"/>"#,
            Self::Check => r#"<path d="m3.5 8.5 3 3 6-7"/>"#,
            Self::CheckCircle => r#"<circle cx="8" cy="8" r="5.5"/><path d="m5.5 8 2 2 3-3.5"/>"#,
            Self::ChevronRight => r#"<path d="m6 3.5 4.5 4.5L6 12.5"/>"#,
            Self::Close => r#"<path d="m4 4 8 8M12 4l-8 8"/>"#,
            Self::Copy => {
                r#"<rect x="5.5" y="5.5" width="8" height="8" rx="1.5"/><path d="M3.5 10.5h-.25a.75.75 0 0 1-.75-.75v-6.5a.75.75 0 0 1 .75-.75h6.5a.75.75 0 0 1 .75.75v.25"/>"#
            }
            Self::Download => r#"<path d="M8 2.5v7M5 6.5l3 3 3-3M2.5 11v2.5h11V11"/>"#,
            Self::Eye => r#"<path d="M1.75 8S4 3.75 8 3.75 14.25 8 14.25 8 12 12.25 8 12.25 1.75 8 1.75 8z"/><circle cx="8" cy="8" r="1.75"/>"#,
            Self::Form => r#"<rect x="2.5" y="3" width="11" height="10" rx="1.25"/><path d="M5 6.5h6M5 9.5h3.5"/>"#,
            Self::Gauge => r#"<path d="M2.75 11.5a5.5 5.5 0 1 1 10.5 0M8 10l2.5-3.5"/>"#,
            Self::Gear => {
                r#"<circle cx="8" cy="8" r="2"/><path d="M8 2v1.75M8 12.25V14M2 8h1.75M12.25 8H14M3.75 3.75 5 5M11 11l1.25 1.25M12.25 3.75 11 5M5 11l-1.25 1.25"/>"#
            }
            Self::Home => r#"<path d="m2.5 7.5 5.5-5 5.5 5v6h-11z"/><path d="M6.5 13.5v-4h3v4"/>"#,
            Self::Inbox => r#"<path d="M2.5 9.5 4 3.5h8l1.5 6v3h-11z"/><path d="M2.5 9.5h3l1 1.5h3l1-1.5h3"/>"#,
            Self::Info => r#"<circle cx="8" cy="8" r="5.75"/><path d="M8 7.5v3.25M8 5.25h.01"/>"#,
            Self::Key => r#"<circle cx="5.25" cy="10.75" r="2.75"/><path d="m7.25 8.75 6-6M11 5l2 2"/>"#,
            Self::Keys => r#"<circle cx="4.75" cy="4.5" r="2"/><circle cx="4.75" cy="11.5" r="2"/><path d="M6.75 4.5h6.5M11 4.5v2M6.75 11.5h6.5M11 11.5v2"/>"#,
            Self::Laptop => r#"<rect x="3.5" y="3.5" width="9" height="6.5" rx="1"/><path d="M1.5 12.5h13"/>"#,
            Self::List => r#"<path d="M2.5 4h11M2.5 8h11M2.5 12h7"/>"#,
            Self::Lock => r#"<rect x="3.5" y="7" width="9" height="6.5" rx="1.25"/><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2"/>"#,
            Self::Mail => r#"<rect x="2" y="3.5" width="12" height="9" rx="1.25"/><path d="m2.5 4.5 5.5 4.5 5.5-4.5"/>"#,
            Self::Menu => r#"<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11"/>"#,
            Self::Moon => r#"<path d="M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z"/>"#,
            Self::More => r#"<path d="M3.5 8h.01M8 8h.01M12.5 8h.01" stroke-width="2.25"/>"#,
            Self::Person => r#"<circle cx="8" cy="5.25" r="2.5"/><path d="M3.25 13.25c.25-2.6 2-4 4.75-4s4.5 1.4 4.75 4"/>"#,
            Self::Plus => r#"<path d="M8 3.5v9M3.5 8h9"/>"#,
            Self::Refused => r#"<circle cx="8" cy="8" r="5.5"/><path d="m6 6 4 4M10 6l-4 4"/>"#,
            Self::Rotate => r#"<path d="M13 8a5 5 0 1 1-1.5-3.55M13 2.5v2.75h-2.75"/>"#,
            Self::Search => r#"<circle cx="7" cy="7" r="4.25"/><path d="m10.25 10.25 3 3"/>"#,
            Self::Server => {
                r#"<rect x="2.5" y="2.75" width="11" height="4.25" rx="1"/><rect x="2.5" y="9" width="11" height="4.25" rx="1"/><path d="M5 4.9h.01M5 11.1h.01"/>"#
            }
            Self::Shield => r#"<path d="M8 2 3 4v4c0 3 2 5 5 6 3-1 5-3 5-6V4z"/>"#,
            Self::SignOut => r#"<path d="M6.5 2.5h-3a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h3M10.5 5l3 3-3 3M13.5 8h-7"/>"#,
            Self::Sun => {
                r#"<circle cx="8" cy="8" r="2.75"/><path d="M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7"/>"#
            }
            Self::Switch => r#"<path d="m5 6 3-3 3 3M5 10l3 3 3-3"/>"#,
            Self::Team => {
                r#"<circle cx="6" cy="5.5" r="2.25"/><path d="M2 13c.3-2.5 1.8-3.75 4-3.75S9.7 10.5 10 13M10.5 3.5a2.25 2.25 0 0 1 0 4.2M11.5 9.6c1.5.4 2.3 1.6 2.5 3.4"/>"#
            }
            Self::Trash => r#"<path d="M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.5 9h6l.5-9"/>"#,
        }
    }
}

/// Draws an icon; hidden from screen readers, since a word says the same.
#[component]
pub fn IconView(icon: Icon, #[prop(optional)] class: &'static str) -> impl IntoView {
    let class = if class.is_empty() { "icon".to_owned() } else { format!("icon {class}") };
    view! { <svg class=class viewBox="0 0 16 16" aria-hidden="true" inner_html=icon.shapes()></svg> }
}
