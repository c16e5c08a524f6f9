//! The whole path as a person walks it, over real HTTP, with the mails that were really written.

use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
    mailbox::{code, link},
};
use sqlx::PgPool;
use tollgate::accounts::api;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s1_sign_up_verify_sign_in_sign_out(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = app.browser();
    let sent = mara.post::<api::SignUp>("/sign-up", &[("email", "Mara@Example.com"), ("name", "Mara Lindqvist"), ("password", PASSWORD)]).await;
    assert_eq!(location(&sent), "/verify-email");
    assert!(mara.page("/verify-email").await.contains("Check your inbox"));

    let mail = app.mail_to("Mara@Example.com").await;
    let opened = mara.get(link(&mail, "/verify-email")).await;
    assert_eq!(location(&opened), "/verify-email", "R54: the token leaves the address at once");
    let early = mara.sign_in("mara@example.com", PASSWORD).await;
    assert_eq!(location(&early), "/verify-email", "opening the link proved nothing yet (R53)");
    let proven = mara.post::<api::VerifyEmail>("/verify-email", &[]).await;
    assert_eq!(location(&proven), "/sign-in");

    let signed_in = mara.post::<api::SignIn>("/sign-in", &[("email", " mara@example.com "), ("password", PASSWORD), ("next", "/keys?api=demo")]).await;
    assert_eq!(location(&signed_in), "/keys?api=demo");
    assert!(mara.is_signed_in().await);

    let out = mara.post::<api::SignOut>("/sign-out", &[]).await;
    assert_eq!(out.headers()["clear-site-data"], "\"cache\", \"storage\"");
    assert_eq!(location(&out), "/sign-in");
    assert!(!mara.is_signed_in().await);
    let left = sqlx::query_scalar!(r#"select count(*) as "n!" from sessions"#).fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(left, 0, "R44: the row is gone");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_typed_code_proves_the_address_too(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = app.browser();
    mara.post::<api::SignUp>("/sign-up", &[("email", "mara@example.com"), ("name", "Mara"), ("password", PASSWORD)]).await;
    let mail = app.mail_to("mara@example.com").await;
    let typed = code(&mail);
    let proven = mara.post::<api::VerifyEmail>("/verify-email", &[("code", &format!(" {} {} ", &typed[..3], &typed[3..]))]).await;
    assert_eq!(location(&proven), "/sign-in");
    assert_eq!(location(&mara.sign_in("mara@example.com", PASSWORD).await), "/home");
}
