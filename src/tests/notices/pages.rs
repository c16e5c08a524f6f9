//! `/settings/notifications` and the lines on `/home`, without JavaScript.

use super::{call, limited};
use crate::support::{TestApp, browser::location};
use sqlx::PgPool;
use tollgate::{
    accounts::{Via, server::caller_of_account},
    notices::{
        api::{AddAlertRule, RemoveAlertRule, SaveNotices},
        server::{jobs::LookAtUsage, tell_of_limits},
    },
    platform::jobs::Job,
    values::{Outcome, SessionId},
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_set_is_kept_and_wrong_input_is_said_beside_its_field(db: PgPool) {
    let app = TestApp::start(db).await;
    assert_eq!(app.get("/settings/notifications").await.status(), 303);
    let person = app.sign_in_as("developer").await;
    let path = "/settings/notifications";
    let page = person.browser.page(path).await;
    assert!(page.contains("value=\"80, 100\"") && page.contains("No rules yet.") && page.contains(&person.email), "{page}");

    let answer = person.browser.post::<SaveNotices>(path, &[("limits", "true"), ("thresholds", "150")]).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert!(page.contains("value=\"150\"") && page.contains("whole numbers from 1 to 100"), "{page}");

    for _ in 0..2 {
        let answer = person.browser.post::<SaveNotices>(path, &[("limits", "true"), ("thresholds", "50 90 %")]).await;
        assert_eq!(location(&answer), path);
    }
    let page = person.browser.page(path).await;
    assert!(page.contains("value=\"50, 90\""), "{page}");
    let events: i64 = sqlx::query_scalar("select count(*) from events where kind = 'account.notices_changed'").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(events, 1, "the second changed nothing");

    let new = [("more_than", "5"), ("minutes", "10"), ("quiet_minutes", "120"), ("codes[]", "FORBIDDEN")];
    assert_eq!(location(&person.browser.post::<AddAlertRule>(path, &new).await), path);
    let page = person.browser.page(path).await;
    assert!(page.contains("More than 5 calls answered FORBIDDEN in 10 minutes") && page.contains("silent for 2 hours after an email; no email yet"), "{page}");
    let id = page.split("value=\"alr_").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_eq!(location(&person.browser.post::<RemoveAlertRule>(path, &[("id", &format!("alr_{id}"))]).await), path);
    assert!(person.browser.page(path).await.contains("No rules yet."));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_rule_made_on_the_page_of_errors_keeps_its_filters(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let errors = person.browser.page("/usage/errors?range=7d&api=demo&route=GET%20%2Forders").await;
    let form = "/settings/notifications?api=demo&amp;route=GET%20%2Forders#rules";
    assert!(errors.contains(form) && !errors.contains("Alert rules filter by"), "{errors}");
    let errors = person.browser.page("/usage/errors?address=203.0.113.7").await;
    assert!(errors.contains("Alert rules filter by key, API, route and code"), "{errors}");
    let errors = person.browser.page("/usage/errors?outcome=FORBIDDEN").await;
    assert!(errors.contains("/settings/notifications?code=FORBIDDEN#rules"), "{errors}");
    let offered = person.browser.page("/settings/notifications?code=FORBIDDEN").await;
    assert!(offered.contains("value=\"FORBIDDEN\" checked"), "{offered}");

    let path = "/settings/notifications?api=demo&route=GET%20%2Forders";
    let page = person.browser.page(path).await;
    assert!(page.contains("value=\"GET /orders\""), "{page}");
    let new = [("api", "demo"), ("route", "GET /orders"), ("more_than", "5"), ("percent", "10"), ("minutes", "10"), ("quiet_minutes", "120")];
    assert_eq!(person.browser.post::<AddAlertRule>(path, &new).await.status(), 303);
    let page = person.browser.page("/settings/notifications").await;
    assert!(page.contains("More than 5 calls that did not pass in 10 minutes, and more than 10 % of all, API ") && page.contains(", GET /orders"), "{page}");
    let wrong = [("route", "GET /orders"), ("more_than", "5"), ("percent", "0"), ("minutes", "10"), ("quiet_minutes", "120"), ("codes[]", "EXPIRED")];
    let answer = person.browser.post::<AddAlertRule>(path, &wrong).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert!(page.contains("value=\"EXPIRED\" checked"), "ticks are kept, too: {page}");
    assert!(page.contains("Enter a whole number from 1 to 99, or leave it empty.") && page.contains("value=\"GET /orders\""), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_home_page_says_it_as_long_as_the_window_lasts(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let owner = caller_of_account(&app.ctx, person.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let checkout = limited(&app, &owner, "<b>checkout</b>", 1_000, 86_400).await;
    call(&app, &owner, checkout, Outcome::Valid, 850).await;
    LookAtUsage {}.run(&app.ctx).await.unwrap();
    assert_eq!(tell_of_limits(&app.ctx).await.unwrap(), 0, "the job has told it");
    let page = person.browser.page("/home").await;
    assert!(page.contains("&lt;b&gt;checkout&lt;/b&gt; has used 80 % of 1,000 units a day") && page.contains("One thing needs your attention"), "{page}");
    let page = person.browser.page("/settings/notifications").await;
    assert!(page.contains("used 80 % of 1,000 units a day"), "{page}");
    app.ctx.clock.advance(time::Duration::days(1));
    let page = person.browser.page("/home").await;
    assert!(!page.contains("has used 80 %"), "{page}");
}
