//! The gallery stands for every page: what holds for all components is asserted on it.

use crate::support::TestApp;
use sqlx::PgPool;

async fn gallery(db: PgPool) -> String {
    TestApp::start(db).await.get("/dev/ui").await.text().await.unwrap()
}

#[sqlx::test]
async fn every_component_keeps_the_strict_policy_and_its_ids_apart(db: PgPool) {
    let html = gallery(db).await;
    assert!(!html.contains(" style="), "the CSP forbids style attributes");
    assert!(!html.contains(" onclick=") && !html.contains("javascript:"), "the CSP forbids inline handlers");
    let mut ids: Vec<_> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    let twice: Vec<_> = ids.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert!(all > 30 && twice.is_empty(), "{all} ids, of which stand twice: {twice:?}");
}

#[sqlx::test]
async fn a_refused_form_says_so_beside_the_field_and_keeps_what_was_typed(db: PgPool) {
    let html = gallery(db).await;
    assert!(html.contains(r#"role="alert""#));
    assert!(html.contains(r##"href="#gallery-error-email""##), "the summary links to the field");
    assert!(html.contains(r#"aria-describedby="gallery-error-email-error""#));
    assert!(html.contains(r#"value="mara@nordlicht""#), "what was typed is kept");
    assert!(html.contains("\n&lt;b>second&lt;/b> time"), "a textarea's text is escaped");
    let password = html.split(r#"id="gallery-error-password""#).nth(1).and_then(|rest| rest.split('>').next()).unwrap();
    assert!(!password.contains(" value="), "a password never comes back");
}

#[sqlx::test]
async fn the_theme_is_chosen_without_javascript(db: PgPool) {
    let app = TestApp::start(db).await;
    let dark = app.http.post(app.url("/theme")).header("sec-fetch-site", "same-origin").header("referer", app.url("/dev/ui?x=1")).form(&[("theme", "dark")]);
    let answer = dark.send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "/dev/ui?x=1");
    assert!(app.get("/dev/ui").await.text().await.unwrap().contains(r#"data-theme="dark""#));
}
