//! `tollgate key rotate|secrets|extend-secret|drop-secret`: the same operations beside a server.

use super::{
    lists_cli::{out, run_beside},
    *,
};
use crate::support::folder::Folder;
use std::process::Output;

fn said(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_secrets_of_a_key_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, first) = mara.new_key(&app, "checkout").await;
    let folder = Folder::new();
    let key = async |arguments: &[&str]| run_beside(&folder, &db, &[&["key"], arguments].concat()).await;
    assert_eq!(key(&["drop-secret", &id]).await.status.code(), Some(4), "there is no old one");

    let dry = key(&["rotate", &id, "--old-lives", "30m", "--dry-run"]).await;
    assert!(out(&dry).contains("the old secret is accepted for 30 minutes"), "{dry:?}");
    assert_eq!(events(&db, "key.rotated").await, 0);
    let second = said(&key(&["rotate", &id, "--old-lives", "first-use", "--json"]).await);
    assert_eq!((text(&second, "id"), &second["spread"]["confirmed"]), (id.clone(), &Value::from(1)), "{second}");
    let held = said(&key(&["secrets", &id, "--json"]).await);
    assert_eq!((held.as_array().unwrap().len(), text(&held[1], "until").as_str(), &held[0]["expires_at"]), (2, "first_use", &Value::Null), "{held}");
    assert!(!held.to_string().contains(&first) && !held.to_string().contains(&text(&second, "secret")), "what is sent is shown once");

    let oldest = text(&held[1], "id");
    let moved = said(&key(&["extend-secret", &id, "--old-lives", "2d", "--json"]).await);
    assert_eq!(moved["spread"]["confirmed"], 1, "{moved}");
    let held = said(&key(&["secrets", &id, "--json"]).await);
    assert!(held[1]["until"].is_null() && held[1]["expires_at"].is_string(), "{held}");
    assert_eq!(events(&db, "key.extended").await, 1);

    let third = said(&key(&["rotate", &id, "--json"]).await);
    let unclear = key(&["drop-secret", &id]).await;
    assert_eq!(unclear.status.code(), Some(2), "which of the two? {unclear:?}");
    assert_eq!(key(&["drop-secret", &id, &oldest, "--dry-run"]).await.status.code(), Some(0));
    assert_eq!(events(&db, "key.dropped").await, 0);
    let dropped = key(&["drop-secret", &id, &oldest]).await;
    assert!(out(&dropped).starts_with("The old secret is dropped: key_") && out(&dropped).contains("Refused after"), "{dropped:?}");
    assert_eq!((passes(&app, &first).await, events(&db, "key.dropped").await), (401, 1));
    assert_eq!(key(&["drop-secret", &id, &oldest]).await.status.code(), Some(0), "safe to send twice");
    assert_eq!(events(&db, "key.dropped").await, 1);
    let newest = text(&said(&key(&["secrets", &id, "--json"]).await)[0], "id");
    assert_eq!(key(&["drop-secret", &id, &newest]).await.status.code(), Some(4), "the newest is all it has");
    assert_eq!(key(&["drop-secret", &id, &newest, "--dry-run"]).await.status.code(), Some(4), "a dry run says it, too");

    let fourth = said(&key(&["rotate", &id, "--old-lives", "now", "--json"]).await);
    assert_eq!((passes(&app, &text(&third, "secret")).await, passes(&app, &text(&fourth, "secret")).await), (401, 200));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_life_that_an_old_secret_can_t_have_is_wrong_use(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, _) = mara.new_key(&app, "checkout").await;
    let folder = Folder::new();
    let rotate = async |arguments: &[&str]| run_beside(&folder, &db, &[&["key", "rotate", &id], arguments].concat()).await;
    for wrong in
        [&["--old-lives", "soon"][..], &["--old-lives", "31d"], &["--old-lives", "2020-01-31"], &["--old-lives", "1h", "--grace", "5"], &["--grace", "2592001"]]
    {
        assert_eq!(rotate(wrong).await.status.code(), Some(2), "{wrong:?}");
        assert_eq!(rotate(&[wrong, &["--dry-run"]].concat()).await.status.code(), Some(2), "a dry run says it, too: {wrong:?}");
    }
    assert_eq!(events(&db, "key.rotated").await, 0);
    assert_eq!(rotate(&["--grace", "60"]).await.status.code(), Some(0));
    assert_eq!(run_beside(&folder, &db, &["key", "extend-secret", &id, "--old-lives", "now"]).await.status.code(), Some(2), "that is drop-secret");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn one_key_and_its_history_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    let folder = Folder::new();
    let key = async |arguments: &[&str]| run_beside(&folder, &db, &[&["key"], arguments].concat()).await;
    assert_eq!(key(&["disable", &id, "--reason", "a test"]).await.status.code(), Some(0));
    let shown = said(&key(&["show", &id, "--json"]).await);
    assert_eq!([text(&shown, "id"), text(&shown, "name"), text(&shown, "state")], [id.clone(), "checkout".to_owned(), "disabled".to_owned()]);
    let words = out(&key(&["show", &id]).await);
    assert!(words.contains("state         disabled") && words.contains("addresses     everywhere") && !words.contains(&secret), "{words}");
    let history = said(&key(&["history", &id, "--json"]).await);
    assert_eq!([text(&history[0], "act"), text(&history[0], "actor"), text(&history[0], "reason")], ["disabled", "cli", "a test"].map(ToOwned::to_owned));
    let newest = out(&key(&["history", &id, "--most", "1"]).await);
    assert!(newest.contains("“a test”") && newest.contains("There are older ones"), "{newest}");
    assert_eq!(key(&["revoke", &id]).await.status.code(), Some(0));
    assert_eq!(key(&["revoke", &id, "--dry-run"]).await.status.code(), Some(0));
    for verb in ["enable", "rotate"] {
        assert_eq!(key(&[verb, &id, "--dry-run"]).await.status.code(), Some(4), "a dry run says that it is final: {verb}");
    }
    let create = ["create", "--account", "mara@example.com", "--name", "till", "--dry-run"];
    assert_eq!(key(&[&create[..], &["--api", "demo"]].concat()).await.status.code(), Some(0));
    for (code, wrong) in [(3, &["--api", "nothing"][..]), (2, &["--api", "demo", "--permission", "orders:burn"]), (2, &["--api", "demo", "--address", "home"])]
    {
        assert_eq!(key(&[&create[..], wrong].concat()).await.status.code(), Some(code), "a dry run says it, too: {wrong:?}");
    }
    for wrong in [&["show", "key_nothing"][..], &["history", &id, "--most", "0"]] {
        assert_eq!(key(wrong).await.status.code(), Some(2), "{wrong:?}");
    }
}
