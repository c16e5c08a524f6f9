//! What the sources must not have: SQL made of texts, HTML that is not escaped, secrets in the storage of browsers, tokens that can't be taken
//! back. Read from the tree, as the rules of the house are (`architecture`).

use crate::support::TestApp;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::{fs, path::Path};

/// Every file of the product with one of these endings below `folder`, tests left out: its path and its text.
fn files(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = walkdir::WalkDir::new(root.join(folder)).into_iter().filter_map(Result::ok);
    let named = all.map(|entry| entry.path().to_owned()).filter(|path| path.extension().is_some_and(|x| endings.iter().any(|ending| x == *ending)));
    let found = named.map(|path| (path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()));
    let found: Vec<_> = found.filter(|(path, _)| !path.starts_with("src/tests")).collect();
    assert!(!found.is_empty(), "{folder}");
    found
}

/// Lines of code with one of these words, each with its place.
fn lines_with(files: &[(String, String)], words: &[&str]) -> Vec<String> {
    let lines = files.iter().flat_map(|(path, text)| text.lines().enumerate().map(move |(n, line)| (path, n + 1, line.trim())));
    let code = lines.filter(|(_, _, line)| !line.starts_with("//") && words.iter().any(|word| line.contains(word)));
    code.map(|(path, n, line)| format!("{path}:{n} {line}")).collect()
}

/// sqlx takes a text that is no constant only from who asserts that it is safe; a builder takes any text, so what it is given is looked at.
#[test]
fn r74_sql_is_constant_and_what_people_typed_is_bound_or_escaped() {
    let sources = files("src", &["rs"]);
    assert_eq!(lines_with(&sources, &["AssertSqlSafe"]), [] as [String; 0], "a statement made of texts");
    for (path, text) in &sources {
        for line in text.lines().filter(|line| line.contains("QueryBuilder") && !line.starts_with("use ") && !line.trim_start().starts_with("//")) {
            let name = line.trim_start().strip_prefix("let mut ").and_then(|rest| rest.split([' ', ':']).next());
            let push = format!("{}.push(", name.unwrap_or_else(|| panic!("{path}: what is built here? {line}")));
            assert!(line.contains("new(\"") && text.split(&push).skip(1).all(|rest| rest.starts_with('"')), "{path}: built of something else than constants");
        }
    }
    // Tables and columns can't be bound: no statement is formatted in the first place.
    let formatted: Vec<String> = ["select ", "insert into ", "update ", "delete from ", "with "]
        .iter()
        .flat_map(|verb| lines_with(&sources, &[&format!("format!(\"{verb}"), &format!("format!(r\"{verb}")]))
        .filter(|line| ["select ", " from ", " set ", " into "].iter().filter(|word| line.contains(*word)).count() > 1)
        .collect();
    assert_eq!(formatted, [] as [String; 0]);

    // Three places write HTML as it is: the shapes of our icons, a text area, which escapes its text itself, and the docs, whose Markdown is
    // ours and part of the binary.
    let raw: Vec<String> = lines_with(&sources, &["inner_html", "innerHTML", "set_inner_html"]);
    let known = ["src/ui/field.rs", "src/ui/icon.rs", "src/site/pages/docs/mod.rs"];
    assert!(raw.iter().all(|line| known.iter().any(|path| line.starts_with(path))), "{raw:?}");
    let scripts = files("public", &["js"]);
    assert_eq!(lines_with(&scripts, &["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]), [] as [String; 0]);
}

/// What clippy can't see in what is derived, and what a new dependency brings: the clock of the machine and its randomness.
#[test]
fn time_and_randomness_of_the_machine_are_read_in_platform_alone() {
    let words = ["RandomState", "getrandom", "OsRng", "SystemRandom", "thread_rng", "SystemTime::now", "OffsetDateTime::now", "Utc::now", "Timestamp::now"];
    let found = lines_with(&files("src", &["rs"]), &words);
    assert!(found.iter().any(|line| line.starts_with("src/platform/crypto.rs:")), "the scanner sees the one that is there: {found:?}");
    let elsewhere: Vec<_> = found.iter().filter(|line| !line.starts_with("src/platform/")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

/// The policies that are written; what they are on every page is `headers`.
#[test]
fn one_policy_lets_styles_stand_in_place() {
    let found = lines_with(&files("src", &["rs"]), &["'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'"]);
    assert!(found.len() == 1 && found[0].starts_with("src/admin/server/http/templates.rs:"), "{found:?}");
}

#[test]
fn r84_nothing_is_written_to_the_storage_of_a_browser() {
    let all = [files("src", &["rs"]), files("public", &["js"])].concat();
    let words = ["localStorage", "sessionStorage", "indexedDB", "local_storage", "session_storage", "IdbFactory"];
    assert_eq!(lines_with(&all, &words), [] as [String; 0]);
}

/// Those of providers are checked where people sign in with others (`r72_…`): algorithms, audience, times; our way back is one fixed address.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r73_no_token_of_ours_is_a_jwt_and_the_only_ones_we_read_are_of_providers(db: PgPool) {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    for name in ["jsonwebtoken", "jwt-simple", "josekit", "biscuit", "jwt", "jwt-compact", "frank_jwt", "medallion"] {
        assert!(!lock.contains(&format!("name = \"{name}\"\n")), "{name}");
    }
    let sources = files("src", &["rs"]);
    let readers = lines_with(&sources, &["openidconnect::"]);
    assert!(!readers.is_empty() && readers.iter().all(|line| line.starts_with("src/accounts/server/openid/")), "{readers:?}");

    let app = TestApp::start(db.clone()).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let grant = json!({ "grant_type": "password", "client_id": "a test", "email": "mara@example.com", "password": crate::support::browser::PASSWORD });
    let answer = reqwest::Client::new().post(app.url("/api/v1/auth/token")).json(&grant).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let tokens: Value = answer.json().await.unwrap();
    for name in ["access_token", "refresh_token"] {
        let token = tokens[name].as_str().unwrap();
        assert!(!token.contains('.') && !token.starts_with("eyJ"), "{token}");
    }
}
