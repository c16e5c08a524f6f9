//! `/exports` without JavaScript: offered, asked for, seen, downloaded, deleted.

use crate::support::{TestApp, browser::location};
use sqlx::PgPool;
use tollgate::exports::api::{CreateExport, DeleteExport};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_file_is_asked_for_seen_and_deleted(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let page = vera.browser.page("/exports").await;
    assert!(page.contains("No files") && !page.contains("Prepare the file"), "{page}");

    let page = vera.browser.page("/exports?of=usage&range=7d&route=GET%20%2F").await;
    assert!(page.contains("Prepare the file") && page.contains("route GET /") && page.contains("value=\"?range=7d&amp;route=GET%20%2F\""), "{page}");
    assert_eq!(vera.browser.get("/exports?of=people").await.status(), 422);
    assert_eq!(vera.browser.get("/exports?of=usage&range=8d").await.status(), 422);

    let form = [("of", "usage"), ("format", "csv"), ("filters", "?range=7d&route=GET%20%2F")];
    for _ in 0..2 {
        let answer = vera.browser.post::<CreateExport>("/exports", &form).await;
        assert_eq!(location(&answer), "/exports");
    }
    let page = vera.browser.page("/exports").await;
    assert_eq!((page.matches("Waiting").count(), page.contains("Refresh")), (1, true), "{page}");
    app.run_jobs().await;
    let page = vera.browser.page("/exports").await;
    assert!(page.contains("Done") && page.contains("0 lines, until ") && !page.contains("Refresh"), "{page}");
    let path = page.split("href=\"").find(|part| part.starts_with("/api/v1/exports/")).and_then(|part| part.split('"').next()).unwrap().to_owned();
    let answer = vera.browser.get(&path).await;
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"usage-2026-11-20.csv\"");
    assert_eq!(answer.text().await.unwrap().lines().count(), 1, "a head");

    let id = path.split('/').nth(4).unwrap();
    let other = app.sign_in_as("developer").await;
    assert_eq!(other.browser.get(&path).await.status(), 404);
    assert_eq!(other.browser.post::<DeleteExport>("/exports", &[("id", id)]).await.status(), 404);
    assert_eq!(location(&vera.browser.post::<DeleteExport>("/exports", &[("id", id)]).await), "/exports");
    assert!(vera.browser.page("/exports").await.contains("No files"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_view_leads_there_with_its_filters(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("operator").await;
    for (page, link) in [
        ("/usage?range=7d&compare=before", "/exports?of=usage&amp;range=7d&amp;compare=before\""),
        ("/usage/errors?range=7d", "/exports?of=usage&amp;range=7d&amp;outcome=errors\""),
        ("/requests?code=FORBIDDEN", "/exports?of=refusals&amp;code=FORBIDDEN\""),
        ("/admin/refusals?code=FORBIDDEN", "/exports?of=all-refusals&amp;code=FORBIDDEN\""),
    ] {
        let text = vera.browser.page(page).await;
        assert!(text.contains(link), "{page}: {text}");
    }
}
