//! Answers that somebody forged, copied, mixed up or delayed: none lets anybody in, and none leaves a trace.

use super::{BACK, NOT_BELIEVED, OVER, at_provider, come, count, leave, links, refused, round, start, trusting};
use crate::support::{
    TestApp,
    browser::location,
    provider::{Lie, TestProvider},
};
use futures_util::future::join_all;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{api, server::jobs::ForgetExpired},
    platform::jobs::Job,
};

/// Whoever comes is refused, and no account is made.
async fn lied(app: &TestApp, other: &TestProvider, lie: Lie) {
    other.lie(lie);
    let browser = app.browser();
    let answer = come(app, &browser).await;
    refused(&browser, answer, 403, NOT_BELIEVED).await;
    assert_eq!((count(app, "select count(*) from accounts").await, links(app).await), (0, 0), "{lie:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_a_token_of_another_flow_client_issuer_or_time_is_refused(db: PgPool) {
    let (app, other) = trusting(db).await;
    for lie in [Lie::Nonce, Lie::NoNonce, Lie::Audience, Lie::Audiences, Lie::Party, Lie::Issuer, Lie::Expired, Lie::Future] {
        lied(&app, &other, lie).await;
    }
    other.lie(Lie::None);
    assert_eq!(location(&come(&app, &app.browser()).await), "/home", "the same without a lie");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_unsigned_tokens_shared_secrets_and_strange_keys_are_refused(db: PgPool) {
    let (app, other) = trusting(db).await;
    for lie in [Lie::Unsigned, Lie::ClientSecret, Lie::PublicKey, Lie::Signature, Lie::StrangeKey] {
        lied(&app, &other, lie).await;
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_an_answer_counts_in_the_browser_that_began_it_only(db: PgPool) {
    let (app, _other) = trusting(db).await;
    let (mine, theirs) = (app.browser(), app.browser());
    let back = round(&app, &mine).await;
    refused(&theirs, theirs.get(&back).await, 409, OVER).await;
    // Login CSRF: a browser that has a flow of its own does not end another one's either.
    round(&app, &theirs).await;
    refused(&theirs, theirs.get(&back).await, 409, OVER).await;
    assert_eq!(location(&mine.get(&back).await), "/home", "where it was begun it counts");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_a_wrong_state_or_none_is_refused(db: PgPool) {
    let (app, other) = trusting(db).await;
    let browser = app.browser();
    let back = round(&app, &browser).await;
    let without: String = back.split('&').filter(|pair| !pair.contains("state=")).collect::<Vec<_>>().join("&");
    let without = if without.starts_with(BACK) { without } else { format!("{BACK}?{without}") };
    refused(&browser, browser.get(&without).await, 409, OVER).await;
    let browser = app.browser();
    let back = round(&app, &browser).await;
    refused(&browser, browser.get(&back.replace("state=", "state=x")).await, 409, OVER).await;
    assert_eq!(other.exchanged(), 0, "the provider is not even asked");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_an_answer_counts_once(db: PgPool) {
    let (app, _other) = trusting(db).await;
    let browser = app.browser();
    let back = round(&app, &browser).await;
    assert_eq!(location(&browser.get(&back).await), "/home");
    browser.post::<api::SignOut>("/sign-out", &[]).await;
    refused(&browser, browser.get(&back).await, 409, OVER).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_of_twenty_copies_at_once_one_counts(db: PgPool) {
    let (app, other) = trusting(db).await;
    let browser = app.browser();
    let back = round(&app, &browser).await;
    // All with the cookies of now: the first answer takes them away.
    let answers = join_all((0..20).map(|_| browser.get(&back))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status() == 303).count(), 1);
    assert_eq!((other.exchanged(), links(&app).await), (1, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_a_code_that_was_used_elsewhere_is_refused(db: PgPool) {
    let (app, _other) = trusting(db).await;
    let (mine, thief) = (app.browser(), app.browser());
    let stolen = round(&app, &mine).await;
    let code = stolen.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    // The thief's own flow with the stolen code: the verifier of PKCE is not theirs (RFC 7636 §1).
    let own = round(&app, &thief).await;
    let own_code = own.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    refused(&thief, thief.get(&own.replace(&own_code, &code)).await, 403, NOT_BELIEVED).await;
    refused(&mine, mine.get(&stolen).await, 403, NOT_BELIEVED).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_a_flow_lasts_ten_minutes(db: PgPool) {
    let (app, _other) = trusting(db).await;
    let browser = app.browser();
    let back = round(&app, &browser).await;
    app.ctx.clock.advance(Duration::minutes(10));
    refused(&browser, browser.get(&back).await, 409, OVER).await;
    assert!(browser.page("/sign-in/with/other").await.contains("Your sign-in expired after ten minutes"));
    assert_eq!(count(&app, "select count(*) from sign_in_flows").await, 1);
    app.ctx.clock.advance(Duration::seconds(1));
    ForgetExpired::default().run(&app.ctx).await.unwrap();
    assert_eq!(count(&app, "select count(*) from sign_in_flows").await, 0, "and is forgotten");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_an_answer_of_another_issuer_is_no_answer(db: PgPool) {
    let (app, other) = trusting(db).await;
    for (names, always) in [(Some("https://evil.example.com"), true), (None, true)] {
        other.name_itself(names, always);
        let browser = app.browser();
        let answer = come(&app, &browser).await;
        refused(&browser, answer, 403, NOT_BELIEVED).await;
    }
    assert_eq!(other.exchanged(), 0, "the code is not given away (RFC 9207)");
    // An hour later we know that this one never names itself, which is allowed; another name is not.
    app.ctx.clock.advance(Duration::hours(1));
    other.name_itself(Some("https://evil.example.com"), false);
    let browser = app.browser();
    let answer = come(&app, &browser).await;
    refused(&browser, answer, 403, NOT_BELIEVED).await;
    other.name_itself(None, false);
    assert_eq!(location(&come(&app, &app.browser()).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r72_a_code_of_one_provider_does_not_end_a_flow_of_another(db: PgPool) {
    let (honest, evil) = (TestProvider::start().await, TestProvider::start().await);
    let settings = vec![honest.settings("other"), evil.settings("evil")];
    let app = TestApp::start_with(db, |config| config.sign_in.providers = settings).await;
    let browser = app.browser();
    let back = at_provider(&app, &leave::<api::ContinueWith>(&browser, "/sign-in", &[]).await).await;
    refused(&browser, browser.get(&back.replace("/with/other/", "/with/evil/")).await, 409, OVER).await;
    assert_eq!((honest.exchanged(), evil.exchanged()), (0, 0));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_refusal_of_a_provider_is_said_kindly(db: PgPool) {
    let (app, other) = start(db, |_| {}).await;
    for (error, words) in [
        ("access_denied", "Other did not let you in."),
        ("temporarily_unavailable", "Other has a problem right now"),
        ("login_required", "Other wants you to sign in there first"),
        ("<script>", "Other refused the request"),
    ] {
        other.refuse(error);
        let browser = app.browser();
        let answer = come(&app, &browser).await;
        refused(&browser, answer, 409, words).await;
    }
    assert_eq!(other.exchanged(), 0);
}
