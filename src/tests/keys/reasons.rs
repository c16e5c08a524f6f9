//! Whoever disables or enables a key may say why, wherever it is done.

use super::*;
use crate::support::browser::location;
use tollgate::{
    accounts::Caller,
    keys::{
        api::{CreateKey, DisableKey, EnableKey, HideSecret},
        server::{disable_key, enable_key},
    },
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_page_takes_a_reason(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (vera, ops) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let path = location(&vera.browser.post::<CreateKey>("/keys", &[("name", "checkout")]).await).to_owned();
    let id = path.trim_start_matches("/keys/").to_owned();
    vera.browser.post::<HideSecret>(&path, &[("id", &id), ("stored", "true")]).await;
    let why = "name=\"reason\"";
    let list = vera.browser.page("/keys").await;
    assert!(list.contains(why) && list.contains("Why checkout is disabled"), "{list}");
    assert!(vera.browser.page(&path).await.contains(why));
    assert_eq!(vera.browser.post::<DisableKey>("/keys", &[("id", &id), ("reason", "the season is over")]).await.status(), 303);
    assert!(vera.browser.page("/keys").await.contains("Why checkout is enabled") && vera.browser.page(&path).await.contains(why));
    assert_eq!(vera.browser.post::<EnableKey>(&path, &[("id", &id), ("reason", "it is back")]).await.status(), 303);
    let page = vera.browser.page(&path).await;
    assert!(page.contains("the season is over") && page.contains("it is back"), "{page}");

    assert!(ops.browser.page("/admin/keys").await.contains(why));
    let said = [("id", id.as_str()), ("reason", "calls too often")];
    assert_eq!(ops.browser.post::<tollgate::admin::api::DisableKey>("/admin/keys", &said).await.status(), 303);
    assert!(vera.browser.page(&path).await.contains("calls too often"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_is_called_as_the_command_line_does_not_read_as_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    sqlx::query("update accounts set name = 'cli' where id = $1").bind(vera.account.uuid()).execute(&db).await.unwrap();
    let path = location(&vera.browser.post::<CreateKey>("/keys", &[("name", "checkout")]).await).to_owned();
    let id = path.trim_start_matches("/keys/").to_owned();
    vera.browser.post::<HideSecret>(&path, &[("id", &id), ("stored", "true")]).await;
    vera.browser.post::<DisableKey>(&path, &[("id", &id)]).await;
    let page = vera.browser.page(&path).await;
    for words in ["cli created the key", "cli disabled it", "Disabled by cli,", "by cli<"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("on the command line"), "{page}");

    let key: KeyId = id.parse().unwrap();
    let cli = Caller::cli();
    enable_key(&app.ctx, &cli, key, "").await.unwrap();
    disable_key(&app.ctx, &cli, key, "").await.unwrap();
    let page = vera.browser.page(&path).await;
    for words in ["An operator on the command line enabled it", "Disabled on the command line,", "cli created the key"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let history: Value = vera.browser.get(&format!("/api/v1/keys/{id}/history")).await.json().await.unwrap();
    let who: Vec<(&str, bool)> =
        history["data"].as_array().unwrap().iter().map(|entry| (entry["actor"].as_str().unwrap(), entry["is_account"].as_bool().unwrap())).collect();
    assert_eq!(who, [("cli", false), ("cli", false), ("cli", true), ("cli", true)]);
}
