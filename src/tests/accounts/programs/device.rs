//! The device flow: who asks is shown, nothing is decided by opening a page, and a code works once, for who typed it, for ten minutes.

use super::{DEVICE_GRANT, TOKEN, Tokens, post, program, refusal};
use crate::{
    accounts::{count, mail_about},
    support::{
        TestApp,
        browser::{Browser, PASSWORD, location},
    },
};
use futures_util::future::join_all;
use reqwest::Response;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;

const INTERVAL: Duration = Duration::seconds(5);

/// A program that waits for its person.
struct Asking {
    device: String,
    user: String,
}

impl Asking {
    async fn begin(app: &TestApp) -> Self {
        let (status, body) = post(app, "/api/v1/auth/device", json!({ "client_id": "nightly backup" })).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!((body["interval"].as_i64(), body["expires_in"].as_i64()), (Some(5), Some(600)));
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        assert_eq!(text("verification_uri"), app.url("/device"));
        assert_eq!(text("verification_uri_complete"), app.url(&format!("/device?user_code={}", text("user_code"))));
        Self { device: text("device_code"), user: text("user_code") }
    }

    /// Asks when its time has come.
    async fn poll(&self, app: &TestApp) -> (u16, Value) {
        app.ctx.clock.advance(INTERVAL);
        self.poll_at_once(app).await
    }

    async fn poll_at_once(&self, app: &TestApp) -> (u16, Value) {
        post(app, TOKEN, json!({ "grant_type": DEVICE_GRANT, "device_code": self.device, "client_id": "nightly backup" })).await
    }

    fn page(&self) -> String {
        format!("/device?user_code={}", self.user)
    }

    async fn approve(&self, browser: &Browser) -> Response {
        browser.post::<api::ApproveProgram>(&self.page(), &[("typed", &self.user)]).await
    }

    async fn deny(&self, browser: &Browser) -> Response {
        browser.post::<api::DenyProgram>(&self.page(), &[("typed", &self.user)]).await
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_person_lets_a_program_in_without_javascript(db: PgPool) {
    let app = TestApp::start(db).await;
    let asking = Asking::begin(&app).await;
    assert_eq!(refusal(&asking.poll(&app).await), (400, "authorization_pending"));
    assert!(location(&app.browser().get(&asking.page()).await).starts_with("/sign-in?next=%2Fdevice%3Fuser_code"), "only for who is signed in");

    let vera = app.sign_in_as("developer").await;
    assert!(vera.browser.page("/device").await.contains(">Go on"));
    let typed = asking.user.replace('-', " ").to_lowercase();
    assert_eq!(location(&vera.browser.post::<api::FindProgram>("/device", &[("typed", &typed)]).await), asking.page());
    let page = vera.browser.page(&asking.page()).await;
    for words in ["nightly backup", "127.0.0.1", "20 Nov 2026, 12:00", &asking.user, ">Approve", ">Deny"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(refusal(&asking.poll(&app).await), (400, "authorization_pending"), "looking decides nothing");

    assert_eq!(location(&asking.approve(&vera.browser).await), "/settings/sessions");
    assert_eq!(location(&asking.approve(&vera.browser).await), "/settings/sessions", "sent twice");
    assert_eq!(count(&app, "select count(*) from events where kind = 'program.approved'").await, 1);
    let (status, body) = asking.poll(&app).await;
    assert_eq!(status, 200, "{body}");
    let tokens = Tokens::of(&body);
    assert_eq!((tokens.status(&app).await, tokens.refresh(&app).await.0), (200, 200));
    assert!(vera.browser.page("/settings/sessions").await.contains("nightly backup"));
    let mail = mail_about(&app, &vera.email, "A program signed in to your account").await;
    assert!(mail.text.contains("nightly backup"), "{}", mail.text);

    assert_eq!(refusal(&asking.poll(&app).await), (400, "invalid_grant"), "a code brings tokens once");
    assert_eq!(asking.approve(&vera.browser).await.status(), 422, "and is nobody's any more");
    // It never showed credentials.
    let ended = tokens.call(&app, reqwest::Method::DELETE, "/api/v1/me/sessions").await;
    assert_eq!(ended.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_twenty_polls_at_once_one_brings_tokens(db: PgPool) {
    let app = TestApp::start(db).await;
    let (asking, vera) = (Asking::begin(&app).await, app.sign_in_as("developer").await);
    asking.approve(&vera.browser).await;
    let answers = join_all((0..20).map(|_| asking.poll_at_once(&app))).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer.0 == 200 || matches!(refusal(answer).1, "slow_down" | "invalid_grant")), "{answers:?}");
    assert_eq!(count(&app, "select count(*) from token_families").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_polls_too_fast_waits_longer_and_late_is_too_late(db: PgPool) {
    let app = TestApp::start(db).await;
    let asking = Asking::begin(&app).await;
    assert_eq!(refusal(&asking.poll_at_once(&app).await), (400, "authorization_pending"));
    assert_eq!(refusal(&asking.poll_at_once(&app).await), (400, "slow_down"));
    assert_eq!(refusal(&asking.poll(&app).await), (400, "slow_down"), "ten seconds now");
    app.ctx.clock.advance(Duration::seconds(10));
    assert_eq!(refusal(&asking.poll(&app).await), (400, "authorization_pending"), "after fifteen");

    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(Duration::minutes(10));
    assert_eq!(refusal(&asking.poll(&app).await), (400, "expired_token"));
    assert!(vera.browser.page(&asking.page()).await.contains("No program is waiting for this code"));
    let other = program().post(app.url(TOKEN)).json(&json!({ "grant_type": DEVICE_GRANT, "device_code": "guessed" })).send().await.unwrap();
    assert_eq!(other.status(), 400);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn no_is_no_and_the_first_who_decides_decides(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, mallory) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let asking = Asking::begin(&app).await;
    assert_eq!(location(&asking.deny(&vera.browser).await), "/home");
    assert_eq!(location(&asking.deny(&vera.browser).await), "/home", "sent twice");
    assert_eq!(asking.approve(&vera.browser).await.status(), 422);
    assert_eq!(asking.approve(&mallory.browser).await.status(), 422, "nor by somebody else");
    assert_eq!(refusal(&asking.poll(&app).await), (400, "access_denied"));
    assert_eq!(count(&app, "select count(*) from token_families").await, 0);

    // Two at once: one account it is.
    let asking = Asking::begin(&app).await;
    let (one, two) = tokio::join!(asking.approve(&vera.browser), asking.approve(&mallory.browser));
    let mut both = [one.status().as_u16(), two.status().as_u16()];
    both.sort_unstable();
    assert_eq!(both, [303, 422]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r50_saying_yes_needs_a_recent_proof_and_saying_no_none(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(Duration::minutes(11));
    let asking = Asking::begin(&app).await;
    let asked = asking.approve(&vera.browser).await;
    let to = location(&asked).to_owned();
    assert!(to.starts_with("/step-up?form="), "{to}");
    assert!(vera.browser.page(&to).await.contains("let a program sign in as you"));
    let form = to.split("form=").nth(1).unwrap();
    let proven = vera.browser.post::<api::StepUp>(&to, &[("password", PASSWORD), ("form", form)]).await;
    assert_eq!(location(&proven), asking.page(), "the page comes back with its code");
    assert_eq!(location(&asking.approve(&vera.browser).await), "/settings/sessions");
    assert_eq!(asking.poll(&app).await.0, 200);

    app.ctx.clock.advance(Duration::minutes(11));
    let other = Asking::begin(&app).await;
    assert_eq!(location(&other.deny(&vera.browser).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn guessing_codes_is_slow(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let asking = Asking::begin(&app).await;
    let guess = async |code: &str| vera.browser.post::<api::FindProgram>("/device", &[("typed", code)]).await;
    let short = guess("BCD").await;
    assert_eq!(short.status(), 422);
    let page = short.text().await.unwrap();
    assert!(page.contains("eight letters") && page.contains("value=\"BCD\""), "nothing typed is lost: {page}");
    for _ in 0..5 {
        assert_eq!(guess("BBBB-BBBB").await.status(), 422);
    }
    assert_eq!(guess("BBBB-BBBB").await.status(), 429);
    assert_eq!(guess(&asking.user).await.status(), 429, "the right one too, for that time");
    assert_eq!(vera.browser.get(&asking.page()).await.status(), 429, "and by following a link");
    app.ctx.clock.advance(Duration::minutes(1));
    assert_eq!(location(&guess(&asking.user).await), asking.page());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn asking_for_codes_is_limited_by_network(db: PgPool) {
    let app = TestApp::start(db).await;
    let mut last = (200, Value::Null);
    for _ in 0..25 {
        last = post(&app, "/api/v1/auth/device", json!({})).await;
    }
    assert_eq!(refusal(&last), (429, "temporarily_unavailable"));
    assert!(count(&app, "select count(*) from device_requests").await <= 20);
    assert_eq!(post(&app, "/api/v1/auth/device", json!({ "client_id": "<i>" })).await.0, 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r46_an_approval_ends_with_the_password_it_was_given_under(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let asking = Asking::begin(&app).await;
    asking.approve(&vera.browser).await;
    let form = [("current_password", PASSWORD), ("new_password", "gate keeper sings at noon")];
    assert_eq!(vera.browser.post::<api::ChangePassword>("/settings/security", &form).await.status(), 303);
    assert_eq!(refusal(&asking.poll(&app).await), (400, "invalid_grant"));
    assert_eq!(count(&app, "select count(*) from token_families").await, 0);
}
