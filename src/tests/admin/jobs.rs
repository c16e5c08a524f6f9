//! The job queue: dead letters are seen with their error, and run again when an operator says so.

use super::events;
use crate::support::{TestApp, browser::location};
use sqlx::PgPool;
use tollgate::{
    accounts::server::{Visitor, forgot_password},
    admin::api,
    platform::jobs::{self, CleanUp},
    values::JobId,
};
use uuid::Uuid;

/// A job that failed for good, as the runner leaves it.
async fn dead_letter(app: &TestApp, email: &str) -> JobId {
    let from = Visitor { address: "192.0.2.1".parse().unwrap(), device: "test".to_owned() };
    forgot_password(&app.ctx, &from, email).await.unwrap();
    let id: Uuid = sqlx::query_scalar(
        "update jobs set state = 'failed', attempts = 10, last_error = 'the mail server: <451> later', finished_at = $1 where state = 'waiting' returning id",
    )
    .bind(app.ctx.clock.now())
    .fetch_one(&app.ctx.db)
    .await
    .unwrap();
    JobId::new(id)
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_failed_job_is_retried_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    app.run_jobs().await;
    let before = app.mails().len();
    let id = dead_letter(&app, &person.email).await.to_string();

    let page = operator.browser.page("/admin/jobs").await;
    assert!(page.contains("the mail server: &lt;451&gt; later") && page.contains("accounts.note_asked"), "the failed ones come first");
    let again = operator.browser.post::<api::RetryJob>("/admin/jobs?state=failed", &[("id", &id)]).await;
    assert_eq!(location(&again), "/admin/jobs?state=failed");
    let second = operator.browser.post::<api::RetryJob>("/admin/jobs?state=failed", &[("id", &id)]).await;
    assert_eq!(second.status(), 303);
    assert_eq!(events(&app, "job.retried").await, 1);
    assert!(operator.browser.page("/admin/jobs?state=waiting").await.contains("accounts.note_asked"));

    app.run_jobs().await;
    assert_eq!(app.mails().len(), before + 1, "the mail went out, once");
    assert!(operator.browser.page("/admin/jobs?state=failed").await.contains("No job failed"));
    assert_eq!(operator.browser.get("/admin/jobs?state=lost").await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_job_did_is_its_result(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let mut conn = app.ctx.db.acquire().await.unwrap();
    jobs::enqueue(&app.ctx, &mut conn, &CleanUp::default()).await.unwrap();
    drop(conn);
    app.run_jobs().await;
    let page = operator.browser.page("/admin/jobs?state=done").await;
    assert!(page.contains("Ended sessions removed: 0. Done jobs removed: 0.") && page.contains("Result") && !page.contains("Last error"), "{page}");
}
