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
    let (disable, enable) = (format!("{path}?dialog=disable"), format!("{path}?dialog=enable"));
    assert!(vera.browser.page("/keys").await.contains(&format!("href=\"{disable}\"")), "the menu of the row leads there");
    let page = vera.browser.page(&path).await;
    assert!(page.contains(">Disable<") && page.contains("Disable with a reason") && page.contains(&format!("href=\"{disable}\"")), "at once, or so: {page}");
    let page = vera.browser.page(&disable).await;
    assert!(page.contains("id=\"disable\"") && page.contains(why) && page.contains("No call came today."), "{page}");
    assert!(!vera.browser.page(&enable).await.contains("id=\"enable\""), "it is enabled");
    let long = "x".repeat(201);
    let refused = vera.browser.post::<DisableKey>(&disable, &[("id", &id), ("reason", &long)]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("id=\"disable\""), "the dialog stays open");
    let done = vera.browser.post::<DisableKey>(&disable, &[("id", &id), ("reason", "the season is over")]).await;
    assert_eq!(location(&done), path, "the dialog is closed");
    assert!(vera.browser.page("/keys").await.contains(&format!("href=\"{enable}\"")) && vera.browser.page(&enable).await.contains(why));
    assert_eq!(location(&vera.browser.post::<EnableKey>(&enable, &[("id", &id), ("reason", "it is back")]).await), path);
    let page = vera.browser.page(&path).await;
    assert!(page.contains("the season is over") && page.contains("it is back"), "{page}");

    let beside = format!("/admin/keys?q=check&key={id}");
    let disable = format!("{beside}&dialog=disable");
    let page = ops.browser.page("/admin/keys?q=check").await;
    assert!(page.contains(&disable.replace('&', "&amp;").replace("key_", "key%5F")), "with the filters: {page}");
    let page = ops.browser.page(&disable).await;
    assert!(page.contains("id=\"disable\"") && page.contains(why) && page.contains("name=\"q\" value=\"check\""), "{page}");
    let said = [("id", id.as_str()), ("reason", "calls too often")];
    assert_eq!(location(&ops.browser.post::<tollgate::admin::api::DisableKey>(&disable, &said).await), beside);
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
