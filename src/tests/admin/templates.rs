//! `/admin/templates`: every kind looked at, with usual and hostile facts, and sent to oneself; without JavaScript.

use super::events;
use crate::support::{TestApp, browser::location};
use sqlx::PgPool;
use tollgate::{
    admin::{
        api,
        model::TemplateTheme,
        server::{mail_kinds, send_test},
    },
    platform::mail::Nature,
    values::Language,
};

const PATH: &str = "/admin/templates";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_kind_can_be_looked_at_in_every_language_with_every_sample(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let list = operator.browser.page(PATH).await;
    let headings: Vec<usize> = TemplateTheme::ALL.iter().filter_map(|theme| list.find(&format!("id=\"h-{theme:?}\""))).collect();
    assert!(headings.len() == TemplateTheme::ALL.len() && headings.is_sorted(), "every theme has kinds, in their order: {headings:?}");
    for kind in mail_kinds() {
        assert!(list.contains(kind.name), "{} is not listed", kind.name);
        for language in Language::ALL {
            // One hostile sample of each kind; that every one is harmless is tested without a server, in mail::letters.
            let query = format!("?kind={}&language={}&sample=markup", kind.name, language.as_str());
            let page = operator.browser.page(&format!("{PATH}{query}")).await;
            assert!(page.contains("sandbox") && page.contains("Text version") && !page.contains("<script>alert"), "{query}");
            let preview = operator.browser.page(&format!("{PATH}/preview{query}")).await;
            assert!(preview.contains(&format!("<html lang=\"{}\">", language.as_str())) && !preview.contains("<script"), "{query}");
        }
    }
    let natures = operator.browser.page(&format!("{PATH}?kind=accounts.confirm_email")).await;
    assert!(Nature::ALL.iter().all(|nature| natures.contains(nature.label())), "{natures}");
    for unknown in ["?kind=accounts.nothing", "?kind=accounts.confirm_email&language=fr", "?kind=accounts.confirm_email&sample=none"] {
        assert_eq!(operator.browser.get(&format!("{PATH}{unknown}")).await.status(), 404, "{unknown}");
        assert_eq!(operator.browser.get(&format!("{PATH}/preview{unknown}")).await.status(), 404, "{unknown}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn in_a_preview_nothing_runs_and_only_operators_see_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let (developer, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let path = "/admin/templates/preview?kind=accounts.banned&sample=markup";
    let answer = operator.browser.get(path).await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none';") && policy.contains("sandbox;") && policy.contains("frame-ancestors 'self'"), "{policy}");
    assert!(!policy.contains("script-src") && !policy.contains("img-src"), "{policy}");
    assert_eq!(answer.headers()["x-frame-options"], "SAMEORIGIN");
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(developer.browser.get(path).await.status(), 403);
    assert_eq!(location(&app.browser().get(path).await), "/sign-in?next=%2Fadmin%2Ftemplates%2Fpreview%3Fkind%3Daccounts.banned%26sample%3Dmarkup");
    let page = operator.browser.get("/admin/templates").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let other = operator.browser.get("/admin/jobs").await;
    assert!(!other.headers()["content-security-policy"].to_str().unwrap().contains("frame-src"), "no other page frames anything");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_test_goes_to_the_operators_own_address_marked_as_one(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let page = "/admin/templates?kind=accounts.new_device&language=de";
    let fields = [("kind", "accounts.new_device"), ("language", "de"), ("sample", "lines")];
    let answer = operator.browser.post::<api::SendTestMail>(page, &fields).await;
    assert_eq!(location(&answer), page);
    assert!(operator.browser.page(page).await.contains(&format!("A test is on its way to {}.", operator.email)));
    assert_eq!(app.mails().len(), 0, "by the queue");
    let mail = app.mail_to(&operator.email).await;
    assert_eq!((app.mails().len(), mail.subject.as_str()), (1, "[Test] Neue Anmeldung bei Ihrem Konto"));
    assert!(mail.text.contains("Dies ist der Test einer Mail, mit erfundenen Angaben.") && mail.text.contains("/not-me?token=sample"), "{}", mail.text);
    assert_eq!(events(&app, "mail.tested").await, 1);
    // The job a second time: the same mail again, for a job runs at least once.
    sqlx::raw_sql("update jobs set state = 'waiting', finished_at = null").execute(&app.ctx.db).await.unwrap();
    app.run_jobs().await;
    assert_eq!(app.mails().iter().map(|mail| mail.id.clone()).collect::<std::collections::BTreeSet<_>>().len(), 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn tests_are_not_many_and_not_to_an_address_that_nobody_confirmed(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let fields = [("kind", "accounts.banned")];
    let mut last = 303;
    for _ in 0..40 {
        last = operator.browser.post::<api::SendTestMail>("/admin/templates", &fields).await.status().as_u16();
        if last != 303 {
            break;
        }
    }
    assert_eq!(last, 429);
    app.run_jobs().await;
    assert!((10..40).contains(&app.mails().len()), "{}", app.mails().len());
    let unknown = operator.browser.post::<api::SendTestMail>("/admin/templates", &[("kind", "accounts.nothing")]).await;
    assert_eq!(unknown.status(), 404);

    let other = app.sign_in_as("operator").await;
    let caller = app.caller_in_a_browser(other.account).await;
    sqlx::query("update accounts set verified_at = null where id = $1").bind(other.account.uuid()).execute(&app.ctx.db).await.unwrap();
    let from = tollgate::accounts::server::Visitor::terminal();
    let query = tollgate::admin::model::TemplateQuery { kind: Some("accounts.banned".to_owned()), ..Default::default() };
    assert_eq!(send_test(&app.ctx, &caller, &from, &query).await.unwrap_err().status(), 409);
}
