//! Proof again by a provider, for who has nothing else or likes it better.

use super::{at_provider, come, leave, links, trusting};
use crate::support::{TestApp, browser::location, provider::TestProvider};
use sqlx::PgPool;
use time::Duration;
use tollgate::{accounts::api, platform::config::SecondFactor};

const AUTHENTICATOR: &str = "/settings/security/authenticator";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r50_who_has_no_password_proves_it_where_they_sign_in(db: PgPool) {
    let (app, other) = trusting(db).await;
    let browser = app.browser();
    come(&app, &browser).await;
    app.ctx.clock.advance(Duration::minutes(11));
    let asked = browser.post::<api::StartTotp>(AUTHENTICATOR, &[]).await;
    let page = location(&asked).to_owned();
    let form = page.strip_prefix("/step-up?form=").unwrap().to_owned();
    let text = browser.page(&page).await;
    assert!(text.contains("Continue with Other") && !text.contains("current-password"), "{text}");

    // A provider that only remembers somebody proves nothing.
    other.remember_user_for(3600);
    let url = leave::<api::ProveWith>(&browser, &page, &[("form", &form)]).await;
    assert!(url.contains("max_age=0"), "{url}");
    let answer = browser.get(&at_provider(&app, &url).await).await;
    assert_eq!(answer.status(), 409);
    assert!(answer.text().await.unwrap().contains("did not just ask who you are"));

    // Nor does somebody else.
    other.remember_user_for(0);
    other.user(|user| user.sub = "somebody else".to_owned());
    let back = at_provider(&app, &leave::<api::ProveWith>(&browser, &page, &[("form", &form)]).await).await;
    let answer = browser.get(&back).await;
    assert_eq!((answer.status().as_u16(), links(&app).await), (409, 1));
    assert!(browser.post::<api::StartTotp>(AUTHENTICATOR, &[]).await.headers()["location"].to_str().unwrap().starts_with("/step-up"));

    other.user(|user| user.sub = "user-1".to_owned());
    let back = at_provider(&app, &leave::<api::ProveWith>(&browser, &page, &[("form", &form)]).await).await;
    assert_eq!(location(&browser.get(&back).await), AUTHENTICATOR, "back to the form that waited");
    assert!(browser.is_signed_in().await);
    assert_eq!(location(&browser.post::<api::StartTotp>(AUTHENTICATOR, &[]).await), AUTHENTICATOR);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_owes_a_second_factor_may_go_and_prove_it(db: PgPool) {
    let other = TestProvider::start().await;
    let mut settings = other.settings("other");
    settings.trusts_email = true;
    let app = TestApp::start_with(db, |config| (config.auth.second_factor, config.sign_in.providers) = (SecondFactor::All, vec![settings])).await;
    other.follow(&app.ctx.clock);
    let browser = app.browser();
    come(&app, &browser).await;
    assert_eq!(location(&browser.get("/home").await), AUTHENTICATOR);
    app.ctx.clock.advance(Duration::minutes(11));
    let asked = browser.post::<api::StartTotp>(AUTHENTICATOR, &[]).await;
    let page = location(&asked).to_owned();
    let form = page.strip_prefix("/step-up?form=").unwrap().to_owned();
    let back = at_provider(&app, &leave::<api::ProveWith>(&browser, &page, &[("form", &form)]).await).await;
    assert_eq!(location(&browser.get(&back).await), AUTHENTICATOR);
}
