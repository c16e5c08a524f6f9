//! Lists of keys of several owners: operators name each by its email, on the page, over REST and on the command line.

use super::{
    lists_cli::{out, run, run_beside},
    *,
};
use crate::support::{browser::location, folder::Folder};
use serde_json::json;
use sha2::{Digest, Sha256};
use tollgate::keys::api::{CheckImport, RunImport};

const IMPORT: &str = "/api/v1/keys/import";

fn hash(secret: &str) -> String {
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn import(app: &TestApp, person: &Person, body: Value) -> Vec<(String, String)> {
    let (status, body) = json(person.post(app, IMPORT, body).await).await;
    assert_eq!(status, 200, "{body}");
    body["data"].as_array().unwrap().iter().map(|line| (text(line, "outcome"), text(line, "detail"))).collect()
}

/// The names of somebody's keys for the demo API.
async fn names(app: &TestApp, person: &Person) -> Vec<String> {
    let (_, body) = json(person.get(app, "/api/v1/keys?api=demo").await).await;
    let mut names: Vec<String> = body["data"].as_array().unwrap().iter().map(|key| text(key, "name")).collect();
    names.sort();
    names
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_import_keys_for_others_over_rest(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let eve = person(&app, &db, "eve@example.com", "developer").await;
    let keys = json!([
        { "name": "of mara", "hash": hash("secret 1"), "account": "Mara@example.com" },
        { "name": "of olga", "hash": hash("secret 2") },
        { "name": "of nobody", "hash": hash("secret 3"), "account": "nobody@example.com" },
        { "name": "no address", "hash": hash("secret 4"), "account": "mara" },
    ]);
    let lines = import(&app, &olga, json!({ "api": "demo", "keys": keys })).await;
    assert_eq!(lines.iter().map(|(outcome, _)| outcome.as_str()).collect::<Vec<_>>(), ["created", "created", "wrong", "wrong"]);
    assert_eq!(lines[2].1, "There is no account with this address that can sign in.");
    assert_eq!((names(&app, &mara).await, passes(&app, "secret 1").await), (vec!["of mara".to_owned()], 200));
    assert_eq!(acts(&app, &mara, &found(&app, &mara, "of mara").await).await, [("created".to_owned(), String::new())]);

    // A whole list for somebody; what a line says goes before.
    let keys = json!([{ "name": "of eve", "hash": hash("secret 5") }, { "name": "of mara too", "hash": hash("secret 6"), "account": "mara@example.com" }, { "hash": hash("secret 1") }]);
    let lines = import(&app, &olga, json!({ "api": "demo", "account": "eve@example.com", "keys": keys })).await;
    assert_eq!((lines[0].0.as_str(), lines[1].0.as_str()), ("created", "created"));
    assert_eq!(lines[2], ("wrong".to_owned(), "This hash is here already, of a key in another workspace.".to_owned()));
    assert_eq!((names(&app, &eve).await, names(&app, &mara).await), (vec!["of eve".to_owned()], vec!["of mara".to_owned(), "of mara too".to_owned()]));

    // Others name nobody, not even that there is one.
    let lines = import(&app, &eve, json!({ "api": "demo", "keys": [{ "hash": hash("secret 7"), "account": "mara@example.com" }] })).await;
    assert_eq!(lines[0], ("wrong".to_owned(), "Only operators import keys for others. Leave account out.".to_owned()));
    for (asking, account) in [(&eve, "mara@example.com"), (&olga, "nobody@example.com"), (&olga, "mara")] {
        let (status, problem) =
            json(asking.post(&app, IMPORT, json!({ "api": "demo", "account": account, "keys": [{ "hash": hash("secret 7") }] })).await).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some("#/account")), "{problem}");
    }
}

async fn found(app: &TestApp, person: &Person, name: &str) -> String {
    let (_, body) = json(person.get(app, &format!("/api/v1/keys?q={}", name.replace(' ', "%20"))).await).await;
    text(&body["data"][0], "id")
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_import_keys_for_others_on_the_page(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    assert!(operator.browser.page("/keys/import").await.contains("account (the owner\u{2019}s email)"));
    assert!(!vera.browser.page("/keys/import").await.contains("account (the owner"));
    let list = format!("name;hash;account\nof mara;{};mara@example.com\nown;{};\n", hash("secret 1"), hash("secret 2"));
    let path = location(&operator.browser.post::<CheckImport>("/keys/import", &[("api", "demo"), ("list", &list)]).await).to_owned();
    assert!(operator.browser.page(&path).await.contains("Import 2 keys"));
    operator.browser.post::<RunImport>(&path, &[("list", path.split_once('=').unwrap().1)]).await;
    assert_eq!((names(&app, &mara).await, passes(&app, "secret 2").await), (vec!["of mara".to_owned()], 200));
    let path = location(&vera.browser.post::<CheckImport>("/keys/import", &[("api", "demo"), ("list", &list)]).await).to_owned();
    assert!(vera.browser.page(&path).await.contains("Only operators import keys for others."));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_command_line_names_owners_and_says_when_keys_are_in_force(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let eve = person(&app, &db, "eve@example.com", "developer").await;
    let folder = Folder::new();
    let list = format!(
        "name;hash;account;expires_at;permissions;limits\nshop;{};mara@example.com;2031-01-31;orders.read;\nold;{};mara@example.com;2020-01-01;;100/hour\ntill;{};;;documents.read;\n",
        hash("secret 1"),
        hash("secret 2"),
        hash("secret 3")
    );
    std::fs::write(folder.path().join("keys.csv"), list).unwrap();
    let import = async |more: &[&str]| run_beside(&folder, &db, &[&["key", "import", "keys.csv", "--api", "demo"], more].concat()).await;
    let dry = import(&["--dry-run"]).await;
    assert_eq!(dry.status.code(), Some(1), "{dry:?}");
    assert!(out(&dry).contains("Name the owner:") && out(&dry).contains("2 of 3 would be imported.") && !out(&dry).contains("In force"), "{dry:?}");
    let done = import(&[]).await;
    assert!(out(&done).contains("2 of 3 imported. In force") && out(&done).contains("It has expired already."), "{done:?}");
    assert_eq!((names(&app, &mara).await, passes(&app, "secret 1").await), (vec!["old".to_owned(), "shop".to_owned()], 200));
    let (_, key) = json(mara.get(&app, &format!("/api/v1/keys/{}", found(&app, &mara, "shop").await)).await).await;
    assert_eq!((&key["expires_at"], &key["permissions"]), (&json!("2031-01-31T00:00:00Z"), &json!(["orders:read"])), "a day is over when it begins");

    let eve_s = ["--account", "eve@example.com"];
    let refused = import(&eve_s).await;
    assert!(out(&refused).contains("does not have the permission documents.read") && out(&refused).contains("0 of 3 imported."), "{refused:?}");
    let done = import(&[&eve_s[..], &["--without-unknown-permissions"]].concat()).await;
    assert!(done.status.success() && out(&done).contains("1 of 3 imported. In force"), "{done:?}");
    assert_eq!(names(&app, &eve).await, ["till"]);
    let unknown = run(&folder, &db, &["key", "import", "keys.csv", "--api", "demo", "--account", "nobody@example.com"]);
    assert_eq!(unknown.status.code(), Some(3), "{unknown:?}");
}
