//! What operators do while they act as an account, and what not, each with its reason. What stands in neither list is refused, too; whoever
//! adds a page or a server function puts it into one of them: a test knows them all (R67).

use crate::accounts::server::entry::WAYS_IN;

/// Server functions, below `/fn/tollgate/`, that are called while acting.
pub const MAY_WHILE_ACTING: &[(&str, &[&str])] = &[
    ("ends it", &["accounts/api/acting/stop_acting", "accounts/api/signing_in/sign_out"]),
    (
        "only reads what the pages show",
        &[
            "accounts/api/profile/my_account",
            "accounts/api/profile/my_profile",
            "accounts/api/profile/user",
            "accounts/api/sessions/my_sessions",
            "exports/api/read_exports",
            "keys/api/key_detail",
            "keys/api/list_keys",
            "notices/api/my_notices",
            "site/api/read_home",
            "site/api/read_status",
            "usage/api/list_refusals",
            "usage/api/report_errors",
            "usage/api/report_usage",
        ],
    ),
    ("name, time zone, language and fields: its owner reads who it was, and changes it back", &["accounts/api/profile/update_profile"]),
];

/// Those that are not; a name with a slash at its end stands for all below it.
pub const NEVER_WHILE_ACTING: &[(&str, &[&str])] = &[
    ("acting is not nested, nor begun by who acts", &["accounts/api/acting/act_as"]),
    (
        "what proves who somebody is: passwords, factors, passkeys, sign-ins elsewhere",
        &[
            "accounts/api/factors/",
            "accounts/api/openid/",
            "accounts/api/passkeys/",
            "accounts/api/passwords/",
            "accounts/api/sessions/my_security",
            "accounts/api/signing_in/my_step_up",
            "accounts/api/signing_in/pending_sign_in",
            "accounts/api/signing_in/sign_in",
            "accounts/api/signing_in/sign_in_code",
            "accounts/api/signing_in/step_up",
        ],
    ),
    (
        "who comes in, and where the account is signed in",
        &["accounts/api/programs/", "accounts/api/sessions/end_session", "accounts/api/sessions/end_sessions"],
    ),
    ("another address, leaving, all its data", &["accounts/api/email_change/", "accounts/api/leaving/"]),
    ("belongs to who is not signed in", &["accounts/api/joining/"]),
    ("what everybody sees of a person is theirs to say", &["accounts/api/profile/publish_profile", "accounts/api/profile/remove_picture"]),
    (
        "secrets of keys, and whether calls pass",
        &[
            "keys/api/add_credits",
            "keys/api/change_many",
            "keys/api/check_batch",
            "keys/api/check_import",
            "keys/api/clear_leaks",
            "keys/api/create_key",
            "keys/api/disable_key",
            "keys/api/drop_secret",
            "keys/api/enable_key",
            "keys/api/extend_secret",
            "keys/api/find_key",
            "keys/api/fresh_secret",
            "keys/api/fresh_signing_secret",
            "keys/api/hide_secret",
            "keys/api/hide_signing_secret",
            "keys/api/mark_leaked",
            "keys/api/narrow_key",
            "keys/api/preview_many",
            "keys/api/read_batch",
            "keys/api/read_import",
            "keys/api/revoke_key",
            "keys/api/rotate_key",
            "keys/api/run_import",
            "keys/api/save_key",
            "keys/api/save_leak_choice",
            "keys/api/set_limit",
            "keys/api/sign_call",
            "keys/api/try_call",
            "keys/api/turn_off_signing",
            "keys/api/turn_on_signing",
        ],
    ),
    (
        "what its owner is warned of, and files of its data",
        &["exports/api/create_export", "exports/api/delete_export", "notices/api/add_alert_rule", "notices/api/remove_alert_rule", "notices/api/save_notices"],
    ),
    ("mails of others, in development", &["site/api/open_mailbox"]),
    ("is for operators, and nobody acts as one", &["accounts/api/policies/", "admin/", "blocks/", "plans/"]),
];

/// Pages that are looked at while acting, as the router has them.
pub const PAGES_WHILE_ACTING: &[&str] = &[
    "/",
    "/acting",
    "/dev/ui",
    "/docs",
    "/docs/api",
    "/docs/{slug}",
    "/exports",
    "/home",
    "/keys",
    "/keys/{id}",
    "/requests",
    "/settings/notifications",
    "/settings/profile",
    "/settings/public",
    "/settings/sessions",
    "/sign-out",
    "/status",
    "/u/{handle}",
    "/usage",
    "/usage/errors",
];

/// Those that are not, besides the ways in: there is nothing on them but what is refused, or it is nobody's business; a slash at the end
/// as above. Of its factors the account's page in Admin tells what an operator needs to know.
pub const NO_PAGES_WHILE_ACTING: &[&str] = &[
    "/admin",
    "/admin/",
    "/dev/mailbox",
    "/device",
    "/keys/create-many",
    "/keys/find",
    "/keys/import",
    "/keys/many",
    "/keys/{id}/sign",
    "/settings/danger",
    "/settings/email",
    "/settings/security",
    "/settings/security/",
    "/sign-in/with/",
    "/step-up",
];

/// Where functions are.
const FUNCTIONS: &str = "/fn/tollgate/";

/// What ends it, once nothing else is answered.
const WAYS_BACK: [&str; 4] = ["/acting", "/sign-out", "/fn/tollgate/accounts/api/acting/stop_acting", "/fn/tollgate/accounts/api/signing_in/sign_out"];

/// Whether a page, or a server function, is for whoever acts; by its path.
pub(super) fn is_listed(path: &str) -> bool {
    if path.starts_with("/fn/") {
        return path.strip_prefix(FUNCTIONS).is_some_and(|name| MAY_WHILE_ACTING.iter().any(|(_, names)| names.contains(&name)));
    }
    PAGES_WHILE_ACTING.iter().any(|page| is_at(page, path)) && !is_no_page(path)
}

/// Whether a page is one of those that are not.
pub fn is_no_page(path: &str) -> bool {
    WAYS_IN.contains(&path) || NO_PAGES_WHILE_ACTING.iter().any(|page| is_at(page, path) || (page.ends_with('/') && path.starts_with(page)))
}

pub(super) fn is_way_back(path: &str) -> bool {
    WAYS_BACK.contains(&path)
}

/// Whether the router's pattern stands for this path.
fn is_at(page: &str, path: &str) -> bool {
    let (mut page, mut path) = (page.split('/'), path.split('/'));
    loop {
        match (page.next(), path.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part == given || (part.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_is_refused() {
        for listed in ["/home", "/keys/key_1", "/u/mara", "/acting", "/fn/tollgate/accounts/api/profile/update_profile"] {
            assert!(is_listed(listed), "{listed}");
        }
        for path in [
            "",
            "/keys/",
            "/keys/find",
            "/keys/key_1/sign",
            "/keys/create-many/file",
            "/settings/security",
            "/settings/new-page",
            "/admin",
            "//home",
            "/home/",
            "/fn/tollgate/accounts/api/profile/publish_profile",
            "/fn/tollgate/accounts/api/profile/update_profile/",
            "/fn/tollgate/accounts/api/profile/update_profile?x",
            "/fn/tollgate/new/api/thing",
        ] {
            assert!(!is_listed(path), "{path}");
        }
        assert!(is_way_back("/acting") && !is_way_back("/home") && is_listed("/sign-out"));
    }
}
