//! Operators who act as an account: who may, what they see, what they may not do, and when it is over.

mod ending;
mod listed;
mod recorded;

use super::count;
use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD, Person, location},
};
use leptos::server_fn::ServerFn;
use reqwest::Response;
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::{
    Caller, api,
    server::{Visitor, disable_account, set_admin_pin},
};

const REASON: &str = "the export is <empty>";

/// An operator and a developer, each in a browser of their own.
async fn two(db: PgPool) -> (TestApp, Person, Person) {
    let app = TestApp::start(db).await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    (app, operator, vera)
}

/// The operator presses "Act as this account".
async fn ask(operator: &Person, whose: &str, reason: &str, minutes: &str) -> Response {
    let page = format!("/admin/accounts/{whose}?ask=act-as");
    operator.browser.post::<api::ActAs>(&page, &[("id", whose), ("reason", reason), ("minutes", minutes)]).await
}

/// The same, and it happens.
async fn act(operator: &Person, whom: &Person) {
    let begun = ask(operator, &whom.account.to_string(), REASON, "15").await;
    assert_eq!(begun.status(), 303, "{}", begun.text().await.unwrap());
    assert_eq!(location(&begun), "/home");
}

async fn stop(browser: &Browser) -> String {
    location(&browser.post::<api::StopActing>("/acting", &[]).await).to_owned()
}

/// A page, whatever its status.
async fn page(browser: &Browser, path: &str) -> (u16, String) {
    let answer = browser.get(path).await;
    (answer.status().as_u16(), answer.text().await.unwrap().replace("<!>", ""))
}

async fn actings(app: &TestApp) -> i64 {
    count(app, "select count(*) from actings").await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s91_r67_an_operator_sees_what_its_owner_sees_and_goes_back(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    let whose = vera.account.to_string();
    assert!(operator.browser.page(&format!("/admin/accounts/{whose}")).await.contains("value=\"act-as\""));
    let asked = operator.browser.page(&format!("/admin/accounts/{whose}?ask=act-as")).await;
    assert!(asked.contains("is told now, by email") && asked.contains("60 minutes") && asked.contains(&vera.email), "{asked}");
    act(&operator, &vera).await;

    // Above every page, with its end and the way back, in plain HTML: the product's, the public ones, and those that are refused.
    let pages = [("/home", 200), ("/keys", 200), ("/settings/sessions", 200), ("/docs", 200), ("/", 200), ("/admin", 403), ("/sign-in", 403), ("/no", 404)];
    for (path, status) in pages {
        let (got, html) = page(&operator.browser, path).await;
        assert_eq!(got, status, "{path}");
        assert!(html.contains("<title>Acting as Vera 1 · "), "{path}: {html}");
        assert!(html.contains("You act as Vera 1") && html.contains("until 20 Nov 2026, 12:15 UTC"), "{path}: {html}");
        assert!(html.contains("action=\"/acting\"") && html.contains(api::StopActing::PATH), "{path}");
    }
    let profile = operator.browser.page("/settings/profile").await;
    assert!(profile.contains(&vera.email) && !profile.contains(&operator.email), "{profile}");
    assert!(!vera.browser.page("/home").await.contains("You act as"), "its owner sees no bar");

    assert!(operator.browser.page("/acting").await.contains("Go back to your account"));
    assert_eq!(stop(&operator.browser).await, format!("/admin/accounts/{whose}"));
    let own = operator.browser.page("/settings/profile").await;
    assert!(own.contains(&operator.email) && !own.contains("You act as"), "{own}");
    assert!(operator.browser.page(&format!("/admin/accounts/{whose}")).await.contains("value=\"act-as\""));
    assert!(vera.browser.is_signed_in().await);
    assert_eq!(actings(&app).await, 1);
    assert_eq!(stop(&operator.browser).await, "/home", "twice, or in another tab, does nothing");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_nobody_acts_as_an_operator_nor_as_themself_nor_without_the_permission(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    let other = app.sign_in_as("operator").await;
    let status = async |who: &Person, whom: &Person| ask(who, &whom.account.to_string(), REASON, "15").await.status().as_u16();
    assert_eq!(status(&operator, &other).await, 403);
    assert_eq!(status(&operator, &operator).await, 409);
    assert_eq!(status(&vera, &other).await, 403, "who is no operator");
    assert!(!operator.browser.page(&format!("/admin/accounts/{}", other.account)).await.contains("value=\"act-as\""));

    // Whatever its role is called: an account that may more than use the product.
    sqlx::raw_sql("insert into roles (slug, name) values ('auditor', 'Auditor'); insert into role_permissions values ('auditor', 'admin:read')")
        .execute(&app.ctx.db)
        .await
        .unwrap();
    let auditor = app.sign_in_as("auditor").await;
    assert_eq!(status(&operator, &auditor).await, 403);
    assert_eq!(status(&auditor, &vera).await, 403, "to read the admin pages is not enough");

    // It is a permission of its own: without it the other ones do not do.
    sqlx::raw_sql("delete from role_permissions where permission = 'accounts:act-as'").execute(&app.ctx.db).await.unwrap();
    assert_eq!(status(&operator, &vera).await, 403);
    assert!(!operator.browser.page(&format!("/admin/accounts/{}", vera.account)).await.contains("value=\"act-as\""));
    sqlx::raw_sql("insert into role_permissions values ('operator', 'accounts:act-as')").execute(&app.ctx.db).await.unwrap();

    disable_account(&app.ctx, &Caller::cli(), &Visitor::terminal(), vera.account, "a test").await.unwrap();
    assert_eq!(status(&operator, &vera).await, 409, "nobody comes into an account that is kept out");
    let nobody = app.ctx.new_id::<tollgate::values::AccountId>().to_string();
    assert_eq!(ask(&operator, &nobody, REASON, "15").await.status(), 404);
    assert_eq!(actings(&app).await, 0);
    assert_eq!(count(&app, "select count(*) from events where kind like 'acting.%'").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_it_takes_a_reason_a_time_a_recent_proof_and_the_pin(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    let whose = vera.account.to_string();
    for minutes in ["", "0", "14", "61", "90", "1e1", "-15"] {
        let refused = ask(&operator, &whose, REASON, minutes).await;
        assert_eq!(refused.status(), 422, "{minutes}");
        assert!(refused.text().await.unwrap().contains("Choose 15, 30 or 60 minutes."), "{minutes}");
    }
    let both = ask(&operator, &whose, " \n ", "90").await.text().await.unwrap();
    assert!(both.contains("Say why.") && both.contains("2 fields need a change"), "one answer names both: {both}");
    let kept = ask(&operator, &whose, REASON, "90").await.text().await.unwrap();
    assert!(kept.contains("the export is &lt;empty>"), "nothing typed is lost: {kept}");

    app.ctx.clock.advance(Duration::minutes(11));
    let asked = ask(&operator, &whose, REASON, "60").await;
    let to = location(&asked).to_owned();
    assert!(to.starts_with("/step-up?form="), "{to}");
    assert!(operator.browser.page(&to).await.contains("You are about to act as an account."));
    let form = to.strip_prefix("/step-up?form=").unwrap().to_owned();
    operator.browser.post::<api::StepUp>(&to, &[("password", PASSWORD), ("form", &form)]).await;

    set_admin_pin(&app.ctx, &Caller::cli(), &"kranich 77".into()).await.unwrap();
    let asked = ask(&operator, &whose, REASON, "60").await;
    assert!(location(&asked).starts_with("/step-up?form="), "the PIN, too");
    assert_eq!(actings(&app).await, 0);
    operator.browser.post::<api::StepUp>("/step-up", &[("pin", "kranich 77")]).await;
    assert_eq!(location(&ask(&operator, &whose, REASON, "60").await), "/home");
    assert_eq!(count(&app, "select minutes::bigint from actings where until = began_at + interval '60 minutes'").await, 60);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_it_is_begun_once_and_not_nested(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    let mara = app.sign_in_as("developer").await;
    let (veras, maras) = (vera.account.to_string(), mara.account.to_string());
    let (first, second) = tokio::join!(ask(&operator, &veras, REASON, "15"), ask(&operator, &maras, REASON, "15"));
    assert!(first.status() == 303 || second.status() == 303, "{} {}", first.status(), second.status());
    assert_eq!(actings(&app).await, 1, "a session acts as one account");
    assert_eq!(count(&app, "select count(*) from events where kind = 'acting.started'").await, 1);

    // In another browser the same operator is nobody else, until they act there, too.
    let laptop = Person { browser: app.browser(), account: operator.account, email: operator.email.clone(), name: operator.name.clone() };
    assert_eq!(location(&laptop.browser.sign_in(&laptop.email, PASSWORD).await), "/home");
    assert!(!laptop.browser.page("/home").await.contains("You act as"));
    act(&laptop, &vera).await;
    let nested = laptop.browser.post::<api::ActAs>("/home", &[("id", maras.as_str()), ("reason", REASON), ("minutes", "15")]).await;
    assert_eq!(nested.status(), 403);
    assert_eq!(actings(&app).await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r23_r67_the_cookie_changes_at_both_ends_and_the_session_lives_no_longer(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    let bare = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let post = async |sid: &str, page: &str, form: &[(&str, &str)]| {
        let request = bare.post(app.url(page)).header("sec-fetch-site", "same-origin").header("cookie", format!("sid={sid}"));
        let answer = request.form(form).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{page}");
        let cookie = answer.headers().get_all("set-cookie").iter().find_map(|c| c.to_str().unwrap().strip_prefix("sid=").map(str::to_owned));
        cookie.expect("a session cookie").split(';').next().unwrap().to_owned()
    };
    let opens = async |sid: &str| bare.get(app.url("/settings/profile")).header("cookie", format!("sid={sid}")).send().await.unwrap().status() == 200;
    sqlx::raw_sql("delete from sessions").execute(&app.ctx.db).await.unwrap();
    let own = post("none", "/sign-in", &[("_fn", api::SignIn::PATH), ("email", operator.email.as_str()), ("password", PASSWORD)]).await;
    let row = async || -> (uuid::Uuid, time::OffsetDateTime, time::OffsetDateTime, time::OffsetDateTime) {
        sqlx::query_as("select id, created_at, proved_at, absolute_expires_at from sessions").fetch_one(&app.ctx.db).await.unwrap()
    };
    let before = row().await;
    app.ctx.clock.advance(Duration::minutes(5));
    let whose = vera.account.to_string();
    let acting = post(&own, "/admin/accounts", &[("_fn", api::ActAs::PATH), ("id", whose.as_str()), ("reason", REASON), ("minutes", "15")]).await;
    assert!(own != acting && opens(&acting).await && !opens(&own).await, "the old cookie is dead");
    let back = post(&acting, "/acting", &[("_fn", api::StopActing::PATH)]).await;
    assert!(back != acting && opens(&back).await && !opens(&acting).await, "and so is the one that acted");
    assert_eq!(row().await, before, "one session, the operator's, with the same end and no newer proof");
    assert_eq!(count(&app, "select count(*) from sessions where length(id_hash) = 32").await, 1);
}
