//! Bans in Admin: by an account's page and by the list, with the keys of the account.

use super::{answer, events, key_of};
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{accounts::api::StepUp, admin::api, values::Outcome};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t01_s90_a_ban_ends_sessions_and_keys_and_lifts_itself_by_the_clock(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (_, secret) = key_of(&app, &person, "shop").await;
    assert_eq!(answer(&app, &secret), Outcome::Valid);
    let (page, id) = (format!("/admin/accounts/{}", person.account), person.account.to_string());
    let question = operator.browser.page(&format!("{page}?ask=ban")).await;
    assert!(question.contains("1 session ends and 1 key is answered"), "the question says numbers");

    // Bad input is told beside its field, and what was typed stays.
    let ask = format!("{page}?ask=ban");
    for (fields, words) in [
        ([("reason", " "), ("lasts", "7d"), ("until", "")], "Say why."),
        ([("reason", "shared <the> key"), ("lasts", "date"), ("until", "")], "Choose the last day of the ban."),
        ([("reason", "shared <the> key"), ("lasts", "date"), ("until", "2026-11-18")], "The end must lie ahead."),
        ([("reason", "shared <the> key"), ("lasts", "never"), ("until", "")], "Choose how long the ban lasts."),
    ] {
        let all: Vec<(&str, &str)> = [("id", id.as_str())].into_iter().chain(fields).collect();
        let refused = operator.browser.post::<api::BanAccount>(&ask, &all).await;
        assert_eq!(refused.status(), 422, "{words}");
        let text = refused.text().await.unwrap();
        assert!(text.contains(words), "{words}: {text}");
        assert!(fields[0].1 == " " || text.contains("shared &lt;the> key"), "{words}: {text}");
    }
    assert!(person.browser.is_signed_in().await);

    let fields = [("id", id.as_str()), ("reason", "shared <the> key"), ("lasts", "1h")];
    for _ in 0..2 {
        assert_eq!(location(&operator.browser.post::<api::BanAccount>(&ask, &fields).await), page);
    }
    assert_eq!(events(&app, "account.banned").await, 1, "sent twice it is done once");
    assert_eq!(answer(&app, &secret), Outcome::Banned, "the answer waited for the gate");
    assert!(!person.browser.is_signed_in().await);
    let shown = operator.browser.page(&page).await;
    assert!(shown.contains("Banned by") && shown.contains("shared &lt;the&gt; key") && shown.contains("Lift ban"), "{shown}");
    assert!(operator.browser.page("/admin/accounts?status=banned").await.contains(&format!("<span>{}", person.email)));
    assert!(operator.browser.page("/admin/bans").await.contains(&person.email));

    // The gate compares with the clock: nothing runs, nothing is told to it.
    app.ctx.clock.advance(Duration::minutes(59));
    assert_eq!(answer(&app, &secret), Outcome::Banned);
    app.ctx.clock.advance(Duration::minutes(1));
    assert_eq!(answer(&app, &secret), Outcome::Valid);
    assert!(operator.browser.page("/admin/bans").await.contains("Nobody is banned"));
    assert!(operator.browser.page("/admin/bans?over=1").await.contains(&person.email));
    assert_eq!(person.browser.sign_in(&person.email, PASSWORD).await.status(), 303);

    // And again, until an operator lifts it. The hour made the operator's proof too old.
    operator.browser.post::<StepUp>("/step-up", &[("password", PASSWORD)]).await;
    let fields = [("id", id.as_str()), ("reason", "again"), ("lasts", "always")];
    operator.browser.post::<api::BanAccount>(&ask, &fields).await;
    assert_eq!(answer(&app, &secret), Outcome::Banned);
    for _ in 0..2 {
        assert_eq!(location(&operator.browser.post::<api::UnbanAccount>(&page, &[("id", &id)]).await), page);
    }
    assert_eq!(events(&app, "account.unbanned").await, 1);
    assert_eq!(answer(&app, &secret), Outcome::Valid);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn domains_and_networks_are_banned_and_lifted_on_their_page(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    assert!(operator.browser.page("/admin/bans").await.contains("Nobody is banned"));
    for target in ["Spam.Example", "203.0.113.7/24"] {
        let fields = [("target", target), ("reason", "throw <b>away</b>"), ("lasts", "30d")];
        assert_eq!(location(&operator.browser.post::<api::AddBan>("/admin/bans", &fields).await), "/admin/bans");
        assert_eq!(operator.browser.post::<api::AddBan>("/admin/bans", &fields).await.status(), 409, "it is banned already");
    }
    let page = operator.browser.page("/admin/bans").await;
    for words in ["spam.example", "203.0.113.0/24", "throw &lt;b&gt;away", "20 Dec"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let own = operator.browser.post::<api::AddBan>("/admin/bans", &[("target", "127.0.0.1"), ("reason", "x"), ("lasts", "1h")]).await;
    assert_eq!(own.status(), 409, "S89: not where one comes from oneself");
    let id: uuid::Uuid = sqlx::query_scalar("select id from bans where domain is not null").fetch_one(&app.ctx.db).await.unwrap();
    let id = tollgate::values::BanId::new(id).to_string();
    for _ in 0..2 {
        assert_eq!(location(&operator.browser.post::<api::LiftBan>("/admin/bans", &[("id", &id)]).await), "/admin/bans");
    }
    assert_eq!(events(&app, "ban.lifted").await, 1);
    assert!(operator.browser.page("/admin/bans?over=1").await.contains("lifted by"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t09_the_list_says_who_confirmed_the_address(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let page = operator.browser.page("/admin/accounts").await;
    assert!(page.contains(">Confirmed</th>"), "{page}");
    let developer = app.sign_in_as("developer").await;
    assert!(!developer.browser.page("/settings/profile").await.contains("verified_at"));
}
