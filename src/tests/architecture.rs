//! The rules of the house, checked against the tree: who imports whom, where `cfg(ssr)` stands, where SQL stands, who writes which
//! table, how long files are. When a rule is wrong, change it here, in the open.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Features from left to right: one may know only those before it. `boot` may know all; nobody may know `boot`.
const FEATURES: [&str; 10] = ["activity", "accounts", "keys", "plans", "blocks", "usage", "exports", "notices", "site", "admin"];

/// Who writes a table. Reading another feature's table in a join is fine.
const OWNERS: &[(&str, &[&str])] = &[
    ("activity", &["events", "audit_waiting", "audit_links", "audit_checkpoints", "audit_state"]),
    (
        "accounts",
        &[
            "accounts",
            "account_disablements",
            "actings",
            "account_locks",
            "bans",
            "known_devices",
            "device_alarms",
            "account_departures",
            "account_recoveries",
            "account_export_chunks",
            "account_exports",
            "workspaces",
            "workspace_members",
            "account_roles",
            "auth_tokens",
            "avatars",
            "email_changes",
            "email_undos",
            "handle_holds",
            "imported_hash_kinds",
            "account_imports",
            "invites",
            "invite_uses",
            "linked_sign_ins",
            "sign_in_flows",
            "attempt_counters",
            "totp_factors",
            "totp_enrolments",
            "recovery_codes",
            "passkeys",
            "passkey_users",
            "passkey_challenges",
            "pending_sign_ins",
            "token_families",
            "program_tokens",
            "device_requests",
            "interrupted_forms",
            "admin_pin",
            "admin_pin_proofs",
            "profile_fields",
            "profile_values",
            "factor_resets",
            "session_policies",
            "sign_up_counts",
            "spent_challenges",
        ],
    ),
    (
        "keys",
        &[
            "apis",
            "api_permissions",
            "api_routes",
            "api_bundles",
            "api_bundle_permissions",
            "api_bundle_parts",
            "api_bundle_grants",
            "key_bundles",
            "keys",
            "key_secrets",
            "key_limits",
            "key_state_changes",
            "key_imports",
            "key_leaks",
            "key_batches",
            "leak_signers",
            "leak_choices",
            "key_signings",
            "signing_nonces",
            "ended_secrets",
            "limit_leases",
            "place_leases",
            "credit_buckets",
            "credit_debts",
            "credit_top_ups",
            "nodes",
            "removed_keys",
        ],
    ),
    (
        "plans",
        &[
            "plans",
            "plan_limits",
            "plan_grants",
            "workspace_plans",
            "workspace_limits",
            "workspace_grants",
            "api_limits",
            "groups",
            "group_limits",
            "group_grants",
            "group_members",
        ],
    ),
    ("blocks", &["blocks", "block_rules", "block_exemptions", "block_notices"]),
    (
        "usage",
        &[
            "usage_minutes",
            "usage_quarters",
            "usage_hours",
            "usage_rollups",
            "usage_shared_hours",
            "usage_days",
            "usage_addresses",
            "usage_permissions",
            "usage_secrets",
            "permission_counting",
            "usage_batches",
            "key_activity",
            "key_secret_uses",
            "unknown_attempts",
            "refusal_samples",
            "passed_samples",
            "latency_quarters",
            "latency_days",
        ],
    ),
    ("exports", &["exports", "export_chunks"]),
    ("notices", &["notice_settings", "limit_notices", "shared_limit_notices", "limit_looks", "key_looks", "expiry_notices", "alert_rules"]),
    ("platform/jobs", &["jobs"]),
    ("platform/key_ring", &["master_keys"]),
    ("platform/once", &["sent_requests"]),
    // A feature ends sessions (ban, reset) in its own transaction; only the platform's store makes them.
    ("platform/session", &[]),
];

struct Source {
    /// Below `src/`, with forward slashes.
    path: String,
    text: String,
}

impl Source {
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(i, line)| (i + 1, line))
    }

    /// Code without comments, and without the unit tests at the end of a file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().take_while(|(_, line)| !line.starts_with("#[cfg(test)]")).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn feature(&self) -> Option<&'static str> {
        let first = self.path.split('/').next().unwrap_or_default();
        FEATURES.into_iter().find(|f| *f == first)
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&root).into_iter().filter_map(Result::ok).filter(|e| e.path().extension().is_some_and(|x| x == "rs"));
    files
        .map(|entry| Source {
            path: entry.path().strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/"),
            text: fs::read_to_string(entry.path()).unwrap(),
        })
        .collect()
}

/// Fails with every place that breaks a rule, not only the first.
fn none_of(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}\n  {}", found.join("\n  "));
}

/// The modules of this crate that a line names: `crate::keys::model` → `keys`, also inside `use crate::{…}` blocks.
fn crate_paths(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut depth = 0usize; // inside `use crate::{`
    for (n, line) in source.code() {
        for part in line.split("crate::").skip(1) {
            if part.starts_with('{') {
                continue;
            }
            found.push((n, part.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect()));
        }
        let opens_here = line.trim_start().starts_with("use crate::{") || line.trim_start().starts_with("pub use crate::{");
        if opens_here || depth > 0 {
            let inner = if opens_here { line.split_once("crate::{").map_or("", |(_, rest)| rest) } else { line };
            if opens_here {
                depth = 1;
            }
            let mut word = String::new();
            for c in inner.chars().chain([' ']) {
                if c.is_alphanumeric() || c == '_' || c == ':' {
                    word.push(c);
                    continue;
                }
                if depth == 1 && !word.is_empty() {
                    found.push((n, std::mem::take(&mut word)));
                }
                word.clear();
                match c {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
    }
    found
}

fn first(path: &str) -> &str {
    path.split(':').next().unwrap_or_default()
}

#[test]
fn features_know_only_what_stands_left_of_them() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| !s.path.starts_with("tests/")) {
        let folder = source.path.split('/').next().unwrap_or_default();
        for (n, path) in crate_paths(source) {
            let module = first(&path);
            let allowed = match (folder, source.feature()) {
                (_, Some(own)) => match FEATURES.iter().position(|f| *f == module) {
                    Some(other) => other <= FEATURES.iter().position(|f| *f == own).unwrap(),
                    None => module != "boot" && module != "app",
                },
                ("values", _) => module == "values",
                ("ui", _) => matches!(module, "ui" | "values" | "error"),
                ("platform", _) => matches!(module, "platform" | "values" | "error"),
                ("error.rs", _) => matches!(module, "values" | "platform"),
                ("app.rs", _) => module != "boot" && module != "platform" && !path.contains("::server"),
                _ => true,
            };
            if !allowed {
                found.push(format!("{}:{n} knows crate::{path}", source.path));
            }
        }
    }
    none_of(found, "left may not know right, ui and platform know no feature, nobody knows boot:");
}

#[test]
fn views_know_no_operation_and_models_no_database() {
    let found = sources().iter().filter(|s| s.feature().is_some()).flat_map(known_too_much).collect();
    none_of(found, "pages, islands and components call their api; models know only serde and values:");
}

/// The lines of code that name what the role of their file must not know. A word in a text that people read names nothing.
fn known_too_much(source: &Source) -> Vec<String> {
    let path = &source.path;
    let is_view = ["/pages/", "/islands/", "/components/"].iter().any(|p| path.contains(p)) || path.ends_with("/components.rs");
    let is_model = path.ends_with("/model.rs") || path.contains("/model/");
    let is_api = path.ends_with("/api.rs") || path.contains("/api/");
    let bare = Source { path: path.clone(), text: without_literals(&source.text) };
    let mut found = Vec::new();
    for (n, line) in bare.code() {
        let line = line.trim();
        let names = |words: &[&str]| words.iter().any(|word| line.contains(word));
        if is_view && (names(&["sqlx", "axum"]) || line.replace("leptos::server::", "").contains("::server::"))
            || is_model && !line.contains("cfg_attr") && names(&["sqlx", "axum", "view!", "leptos"])
            || is_api && names(&["::store"])
        {
            found.push(format!("{path}:{n} {line}"));
        }
        if line.contains("pub mod store") {
            found.push(format!("{path}:{n} a store is private to its feature"));
        }
    }
    found
}

/// Rust without its comments and what stands in its literals; every line stays where it is.
fn without_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut bare = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        match end_of_literal(&chars, at) {
            Some(end) => {
                bare.push(' ');
                bare.extend(chars[at..end].iter().filter(|c| **c == '\n'));
                at = end;
            }
            None => {
                bare.push(chars[at]);
                at += 1;
            }
        }
    }
    bare
}

/// Behind the comment or the literal that begins there, if one does.
fn end_of_literal(chars: &[char], at: usize) -> Option<usize> {
    let behind = |close: &[char], from: usize| {
        let rest = chars.get(from..).unwrap_or_default();
        rest.windows(close.len()).position(|window| window == close).map_or(chars.len(), |n| from + n + close.len())
    };
    match &chars[at..] {
        // Its end of line stays.
        ['/', '/', rest @ ..] => Some(at + 2 + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())),
        ['/', '*', ..] => Some(behind(&['*', '/'], at + 2)),
        ['"', ..] => {
            let mut end = at + 1;
            while end < chars.len() && chars[end] != '"' {
                end += if chars[end] == '\\' { 2 } else { 1 };
            }
            Some((end + 1).min(chars.len()))
        }
        ['r', rest @ ..] => {
            let hashes = rest.iter().take_while(|c| **c == '#').count();
            let close: Vec<char> = ['"'].into_iter().chain(std::iter::repeat_n('#', hashes)).collect();
            (rest.get(hashes) == Some(&'"')).then(|| behind(&close, at + hashes + 2))
        }
        // A lifetime has no second mark.
        ['\'', '\\', ..] => Some(behind(&['\''], at + 3)),
        ['\'', _, '\'', ..] => Some(at + 3),
        _ => None,
    }
}

#[test]
fn sql_stands_in_stores() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| s.feature().is_some()) {
        // Events are one table with one insert: the server of `activity` is its store.
        let is_store = source.path.rsplit('/').next().is_some_and(|f| f.starts_with("store"))
            || source.path.contains("/store/")
            || source.path.starts_with("activity/server/");
        for (n, line) in source.code().filter(|_| !is_store) {
            if ["query!(", "query_as!(", "query_scalar!(", "sqlx::query(", "QueryBuilder"].iter().any(|q| line.contains(q)) {
                found.push(format!("{}:{n} {}", source.path, line.trim()));
            }
        }
    }
    none_of(found, "SQL of a feature stands in its store:");
}

#[test]
fn only_the_owner_writes_a_table() {
    let owner_of: BTreeMap<&str, &str> = OWNERS.iter().flat_map(|(owner, tables)| tables.iter().map(move |t| (*t, *owner))).collect();
    let verbs = ["insert into ", "update ", "delete from "];
    let (mut found, mut by_macros) = (Vec::new(), BTreeSet::new());
    for source in sources().iter().filter(|s| !s.path.starts_with("tests/") && !s.path.starts_with("boot/demo")) {
        let is_of = |owner: &str| source.path.starts_with(owner);
        // A macro writes the tables whose names it is handed.
        let has_macro = source.code().any(|(_, line)| verbs.iter().any(|verb| line.contains(&format!("{verb}\" + $"))));
        for (n, line) in source.code() {
            let lower = line.to_lowercase();
            for verb in verbs {
                for rest in lower.split(verb).skip(1) {
                    let table: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    if let Some(owner) = owner_of.get(table.as_str())
                        && !is_of(owner)
                        && line.contains(&format!("{verb}{table}"))
                    {
                        found.push(format!("{}:{n} writes {table}, which belongs to {owner}", source.path));
                    }
                }
            }
            for table in line.split('"').skip(1).step_by(2).filter(|_| has_macro) {
                let Some(owner) = owner_of.get(table) else { continue };
                by_macros.insert(table.to_owned());
                if !is_of(owner) {
                    found.push(format!("{}:{n} writes {table}, which belongs to {owner}", source.path));
                }
            }
        }
    }
    assert!(by_macros.contains("plan_limits") && by_macros.contains("workspace_grants"), "the scanner sees what macros write: {by_macros:?}");
    none_of(found, "only the owner of a table writes it:");
}

/// What opens a connection to another server; accepting one is `boot::listen`'s. Not by clippy, because tests open some.
const CLIENTS: [&str; 8] =
    ["hyper::client", "hyper_util::client", "handshake(", "reqwest::", "lettre::", "TcpStream::connect", "UnixStream::connect", "UdpSocket"];

/// The lines of code that could talk to another server.
fn talks_to_others(source: &Source) -> Vec<String> {
    let bare = Source { path: source.path.clone(), text: without_literals(&source.text) };
    let talks = bare.code().filter(|(_, line)| CLIENTS.iter().any(|client| line.contains(client)));
    talks.map(|(n, line)| format!("{}:{n} {}", bare.path, line.trim())).collect()
}

#[test]
fn only_platform_talks_to_other_servers() {
    let (platform, others): (Vec<_>, Vec<_>) = sources().into_iter().filter(|s| !s.path.starts_with("tests/")).partition(|s| s.path.starts_with("platform/"));
    none_of(others.iter().flat_map(talks_to_others).collect(), "connections are opened in platform (`fetch`, `mail`), where they have their limits:");
    assert!(platform.iter().flat_map(talks_to_others).any(|line| line.starts_with("platform/fetch.rs:")), "the scanner sees the one that is there");
}

#[test]
fn cfg_ssr_stands_only_at_the_doors() {
    let mut found = Vec::new();
    for source in sources() {
        let file = source.path.rsplit('/').next().unwrap_or_default();
        for (n, line) in source.lines().filter(|(_, l)| l.contains("feature = \"ssr\"") && !l.trim_start().starts_with("//")) {
            let is_type = line.contains("cfg_attr(feature = \"ssr\"");
            let allowed = match source.path.as_str() {
                "lib.rs" | "error.rs" | "ui/status.rs" => true,
                path if path.starts_with("tests/") => true,
                path if file == "model.rs" || path.ends_with("/model/mod.rs") => is_type,
                _ => false,
            };
            if !allowed {
                found.push(format!("{}:{n} {}", source.path, line.trim()));
            }
        }
    }
    none_of(found, "cfg(ssr) stands in lib.rs (a feature is left out whole), error.rs, ui/status.rs, and on derives of models:");
}

#[test]
fn tests_share_one_copy_of_the_migrations() {
    let mut found = Vec::new();
    for source in sources() {
        for (n, _) in source.lines().filter(|(_, line)| line.trim() == "#[sqlx::test]") {
            found.push(format!("{}:{n}", source.path));
        }
    }
    // Alone, the attribute writes all of them into the test, their sums byte by byte: four thousand expressions to compile, a thousand times.
    none_of(found, "write #[sqlx::test(migrator = \"tollgate::platform::db::MIGRATIONS\")], inside the library with crate:: instead:");
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut found = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        let most = match source.path.as_str() {
            "app.rs" | "boot/router.rs" | "boot/worker.rs" => 200,
            _ => 500,
        };
        if lines > most {
            found.push(format!("{} has {lines} lines, {most} is the most", source.path));
        }
        if !source.text.starts_with("//!") {
            found.push(format!("{} does not begin with what it is (//!)", source.path));
        }
    }
    none_of(found, "split by idea, not by size:");
}

#[test]
fn the_dependency_scanner_sees_what_it_should() {
    let source = Source { path: "x.rs".into(), text: "use crate::{\n    a::b,\n    c::{d, e::f},\n};\nlet x = crate::g::h();\nuse crate::{i, j};\n".into() };
    let seen: Vec<String> = crate_paths(&source).into_iter().map(|(_, p)| first(&p).to_owned()).collect();
    assert_eq!(seen, ["a", "c", "g", "i", "j"]);
}

#[test]
fn the_scanner_of_views_reads_code_and_no_texts() {
    let found = |path: &str, text: &str| known_too_much(&Source { path: path.to_owned(), text: text.to_owned() });
    for innocent in [
        "view! { <p>\"A bare axum server; use axum, sqlx::query and crate::keys::server::find_key.\"</p> }",
        "let text = r#\"say \"use axum\":\nuse sqlx::PgPool;\"#;",
        "let text = \"two lines\nuse axum::Json;\";",
        "let mark = '\"'; // axum::Json\nlet word: &'a str = \"axum::\";",
        "/* use axum::Json; */ use leptos::server::Resource;",
    ] {
        assert_eq!(found("site/pages/docs.rs", innocent), Vec::<String>::new(), "{innocent}");
    }
    for (violating, line) in [
        ("use axum::Json;", 1),
        ("use axum;", 1),
        ("let text = \"a page\";\nlet it = axum::Json(text);", 2),
        ("let mark = '\"'; let row = sqlx::query(\"select 1\");", 1),
        ("let text = \"a \\\" mark\"; sqlx::query(text);", 1),
        ("let text = r\"\\\"; axum::Json(text);", 1),
        ("let text = \"one\ntwo\"; axum::Json(text);", 2),
        ("let it = crate::keys::server::find_key(\"key\");", 1),
        ("let it = (leptos::server::codec, crate::keys::server::find_key());", 1),
    ] {
        let seen = found("site/pages/docs.rs", violating);
        assert!(seen.len() == 1 && seen[0].starts_with(&format!("site/pages/docs.rs:{line} ")), "{violating}: {seen:?}");
    }
    assert_eq!(found("keys/model/key.rs", "#[cfg_attr(feature = \"ssr\", derive(sqlx::Type))]\nlet text = \"leptos\";"), Vec::<String>::new());
    assert_eq!(found("keys/model/key.rs", "use sqlx::Type;").len(), 1);
    assert_eq!(found("keys/api.rs", "use super::server::store::find;").len(), 1);
}
