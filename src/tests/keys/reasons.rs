//! Whoever disables or enables a key may say why, wherever it is done.

use super::*;
use crate::support::browser::location;
use tollgate::keys::api::{CreateKey, DisableKey, EnableKey, HideSecret};

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
