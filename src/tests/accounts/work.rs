//! Work before signing up: asked only where the site says so, good once, for this act alone; who can't compute waits.

use super::count;
use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD, location},
};
use reqwest::Response;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use time::Duration;
use tollgate::{accounts::api, platform::config::SignUpWork};

async fn start(db: PgPool, work: SignUpWork, rate: u32) -> TestApp {
    TestApp::start_with(db, |config| (config.auth.sign_up_work, config.auth.sign_up_rate) = (work, rate)).await
}

/// The challenge that stands on the page of a browser, if one does.
async fn challenge(browser: &Browser) -> Option<String> {
    let page = browser.page("/sign-up").await;
    let input = page.split("name=\"work[challenge]\"").nth(1)?;
    Some(input.split("value=\"").nth(1)?.split('"').next()?.to_owned())
}

/// What the script of the page does.
fn solved(challenge: &str) -> String {
    let first = &challenge[..32];
    let is_right = |n: &u64| {
        let hash = Sha256::digest(format!("{first}:{n}"));
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]).leading_zeros() >= 18
    };
    (0..).find(is_right).unwrap().to_string()
}

async fn send(browser: &Browser, email: &str, challenge: &str, answer: &str) -> Response {
    let form = [("email", email), ("name", "Nina"), ("password", PASSWORD), ("work[challenge]", challenge), ("work[answer]", answer)];
    browser.post::<api::SignUp>("/sign-up", &form).await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s11_work_that_is_missing_reused_forged_or_old_is_refused(db: PgPool) {
    let app = start(db, SignUpWork::Always, 200).await;
    let browser = app.browser();
    let asked = challenge(&browser).await.unwrap();
    assert!(browser.page("/sign-up").await.contains("Without JavaScript, wait 60 seconds after opening this form before you send it."));
    let missing = send(&browser, "nina@example.com", "", "").await;
    assert_eq!(missing.status(), 422);
    let again = missing.text().await.unwrap();
    assert!(again.contains("has to do some work first") && again.contains("value=\"nina@example.com\""), "nothing typed is lost: {again}");

    // Signed by somebody else, for another act, or changed: longer, easier, of another id.
    let (said, mac) = asked.rsplit_once('.').unwrap();
    let forged = [format!("{said}.{}", "0".repeat(32)), asked.replace(".60.", ".0."), format!("0{}", &asked[1..]), format!("f{}", &asked[1..]), mac.to_owned()];
    for text in forged.iter().filter(|text| **text != asked) {
        let refused = send(&browser, "nina@example.com", text, "1").await;
        assert_eq!(refused.status(), 422, "{text}");
        assert!(refused.text().await.unwrap().contains("ask for."), "{text}");
    }
    let wrong = send(&browser, "nina@example.com", &asked, "1").await;
    assert!(wrong.status() == 422 && wrong.text().await.unwrap().contains("send the form again in"));
    let answer = solved(&asked);
    assert_eq!(location(&send(&browser, "nina@example.com", &asked, &answer).await), "/verify-email");
    let reused = send(&browser, "olga@example.com", &asked, &answer).await;
    assert!(reused.status() == 422 && reused.text().await.unwrap().contains("was already used"));
    // Of many at once with the same work one gets through.
    let asked = challenge(&browser).await.unwrap();
    let answer = solved(&asked);
    let emails: Vec<String> = (0..6).map(|n| format!("many{n}@example.com")).collect();
    let all = futures_util::future::join_all(emails.iter().map(|email| send(&browser, email, &asked, &answer))).await;
    assert_eq!(all.iter().filter(|answer| answer.status() == 303).count(), 1);

    let asked = challenge(&browser).await.unwrap();
    app.ctx.clock.advance(Duration::minutes(30));
    let old = send(&browser, "olga@example.com", &asked, &solved(&asked)).await;
    assert!(old.status() == 422 && old.text().await.unwrap().contains("has expired"));
    assert_eq!(count(&app, "select count(*) from accounts").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s11_who_can_not_compute_waits_and_the_wait_grows(db: PgPool) {
    let app = start(db, SignUpWork::Always, 200).await;
    let browser = app.browser();
    for (email, wait) in [("a@example.com", 60), ("b@example.com", 120), ("c@example.com", 240)] {
        let asked = challenge(&browser).await.unwrap();
        assert!(asked.contains(&format!(".{wait}.")), "{asked}");
        app.ctx.clock.advance(Duration::seconds(wait - 1));
        let early = send(&browser, email, &asked, "").await;
        assert_eq!(early.status(), 422);
        // The page that comes back asks for the same, so that the waiting goes on.
        assert!(early.text().await.unwrap().contains(&asked));
        app.ctx.clock.advance(Duration::seconds(1));
        assert_eq!(location(&send(&browser, email, &asked, "").await), "/verify-email");
        assert_eq!(send(&browser, email, &asked, "").await.status(), 422, "once");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s11_under_attack_only_and_by_network(db: PgPool) {
    let app = start(db, SignUpWork::Attack, 30).await;
    let browser = app.browser();
    for n in 0..3 {
        assert!(challenge(&browser).await.is_none(), "{n}");
        assert_eq!(location(&send(&browser, &format!("n{n}@example.com"), "", "").await), "/verify-email");
    }
    // A tenth of the rate came from this network.
    let asked = challenge(&browser).await.unwrap();
    assert_eq!(send(&browser, "late@example.com", "", "").await.status(), 422);
    assert_eq!(location(&send(&browser, "late@example.com", &asked, &solved(&asked)).await), "/verify-email");
    app.ctx.clock.advance(Duration::hours(1));
    assert!(challenge(&browser).await.is_some(), "a new hour does not end it");
    app.ctx.clock.advance(Duration::hours(1));
    assert!(challenge(&browser).await.is_none());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s11_programs_work_too(db: PgPool) {
    let app = start(db, SignUpWork::Always, 200).await;
    let asked: Value = app.http.get(app.url("/api/v1/auth/register/challenge")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&asked["bits"], &asked["wait_seconds"]), (&json!(18), &json!(60)));
    let challenge = asked["challenge"].as_str().unwrap();
    let register = async |body: Value| app.http.post(app.url("/api/v1/auth/register")).json(&body).send().await.unwrap();
    let refused = register(json!({ "email": "nina@example.com", "password": PASSWORD })).await;
    assert_eq!(refused.json::<Value>().await.unwrap()["errors"][0]["pointer"], "#/work/challenge");
    let work = json!({ "challenge": challenge, "answer": solved(challenge) });
    assert_eq!(register(json!({ "email": "nina@example.com", "password": PASSWORD, "work": work })).await.status(), 202);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nothing_is_asked_where_it_is_off(db: PgPool) {
    let app = TestApp::start(db).await;
    assert!(challenge(&app.browser()).await.is_none());
    let asked: Value = app.http.get(app.url("/api/v1/auth/register/challenge")).send().await.unwrap().json().await.unwrap();
    assert_eq!(asked, json!({ "challenge": null, "bits": null, "wait_seconds": null }));
    assert_eq!(count(&app, "select count(*) from sign_up_counts").await, 0);
}
