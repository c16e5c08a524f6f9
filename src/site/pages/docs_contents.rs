//! The contents of `/docs`, beside it. Narrow, only the parts are left.

use leptos::prelude::*;

/// A part, and its sections: the id of the heading and its words. In the order of the page.
type Part = (&'static str, &'static [(&'static str, &'static str)]);

const PARTS: [Part; 7] = [
    ("Protect an API", &[("proxy", "By a proxy"), ("verify", "By your code"), ("routes", "Routes"), ("codes", "Codes")]),
    (
        "Limits",
        &[
            ("limits", "Limits"),
            ("rolling", "Rolling windows"),
            ("credits", "Credits"),
            ("together", "Calls at the same time"),
            ("over", "Beyond a limit"),
            ("blocks", "Blocks and abuse rules"),
        ],
    ),
    (
        "Keys",
        &[
            ("keys", "Keys"),
            ("about-a-key", "Who uses a key"),
            ("rotation", "Rotation"),
            ("bundles", "Permissions and bundles"),
            ("grants", "Permissions that need a grant"),
            ("origins", "Web pages"),
            ("signed", "Signed requests"),
            ("import", "Keys of another system"),
            ("many-at-once", "Many keys at once"),
            ("create-many", "Many keys from a list"),
            ("leaked", "Leaked keys"),
            ("revoked", "Revoked means revoked"),
        ],
    ),
    (
        "Usage",
        &[
            ("usage", "Usage"),
            ("addresses", "From where calls came"),
            ("permissions-used", "What calls needed"),
            ("latencies", "How long calls took"),
            ("refusals", "Refusals in detail"),
            ("passed", "Calls that passed, in detail"),
            ("exports", "Files"),
            ("notices", "Mails before a limit is used up"),
            ("alerts", "Mails about errors"),
        ],
    ),
    (
        "Accounts",
        &[
            ("passkeys", "Passkeys"),
            ("two-factor", "Two-factor sign-in"),
            ("import-accounts", "Accounts of another system"),
            ("sign-in-with-others", "Sign-in with others"),
            ("programs", "Programs that sign in"),
            ("bans", "Who may come in"),
            ("sessions", "Sessions"),
            ("acting", "Operators in an account"),
            ("invitations", "Invitations"),
            ("account", "Your account"),
        ],
    ),
    ("REST", &[("errors", "Errors"), ("rest", "REST in general")]),
    (
        "Running it",
        &[("speed", "Speed"), ("outages", "Without the database"), ("mails", "Mails"), ("master-key", "The master key"), ("audit", "The audit log")],
    ),
];

pub fn contents() -> AnyView {
    let parts = PARTS.map(part).collect_view();
    view! { <nav class="docs-nav" aria-label="Contents">{parts}</nav> }.into_any()
}

fn part((title, sections): Part) -> AnyView {
    let first = sections.first().map(|(id, _)| format!("#{id}")).unwrap_or_default();
    let links = sections
        .iter()
        .map(|(id, words)| view! { <li><a class="sidebar-link" href=format!("#{id}")><span class="truncate">{*words}</span></a></li> })
        .collect_view();
    view! { <div><p class="sidebar-title"><a href=first>{title}</a></p><ul class="sidebar-group">{links}</ul></div> }.into_any()
}
