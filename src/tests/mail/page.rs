//! `/dev/mailbox`, and that production has none.

use super::{SendWords, words};
use crate::support::{
    TestApp,
    mailbox::{code, link},
};
use sqlx::PgPool;
use tollgate::platform::{
    config::Env,
    jobs::{self, Registry},
    mail::send,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_mailbox_page_shows_mails_with_their_links(db: PgPool) {
    let app = TestApp::start(db).await;
    let empty = app.get("/dev/mailbox").await;
    assert_eq!(empty.status(), 200);
    assert!(empty.text().await.unwrap().contains("No email yet"));

    for (to, subject) in [("mara@example.com", "First"), ("ole@example.com", "<b>Second</b> & last")] {
        let mut conn = app.ctx.db.acquire().await.unwrap();
        jobs::enqueue(&app.ctx, &mut conn, &SendWords { to: to.to_owned(), subject: subject.to_owned() }).await.unwrap();
        app.ctx.clock.advance(time::Duration::SECOND);
    }
    jobs::run_due(&app.ctx, &Registry::new().register::<SendWords>()).await.unwrap();
    let list = app.get("/dev/mailbox").await.text().await.unwrap();
    assert!(!list.contains("<b>Second"), "{list}");
    let (second, first) = (list.find("&lt;b&gt;Second").expect("the second"), list.find(">First<").expect("the first"));
    assert!(second < first, "the newest first");

    let mail = app.mails().into_iter().next().unwrap();
    assert_eq!((link(&mail, "/verify-email").starts_with("/verify-email?token=tok_"), code(&mail)), (true, "482913"));
    let page = app.get(&format!("/dev/mailbox?mail={}", mail.id)).await.text().await.unwrap();
    assert!(page.contains("Confirm that this is your address."), "{page}");
    assert!(page.contains("/verify-email?token=tok_0123456789&amp;mail=mara%2Bx%40example.com\""), "the link is one to click: {page}");
    assert_eq!(app.get("/dev/mailbox?mail=../../secret").await.status(), 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_mailbox_leads_who_is_signed_in_back_and_does_not_invite_them(db: PgPool) {
    let app = TestApp::start(db).await;
    let invited = app.get("/dev/mailbox").await.text().await.unwrap();
    assert!(invited.contains("href=\"/sign-in\"") && !invited.contains("href=\"/home\""), "{invited}");
    let signed_in = app.sign_in_as("developer").await;
    let page = signed_in.browser.page("/dev/mailbox").await;
    assert!(page.contains("href=\"/home\"") && page.contains("href=\"/sign-out\""), "{page}");
    assert!(!page.contains("href=\"/sign-in\""), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn production_has_no_pages_for_developers(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.env = Env::Production).await;
    send(&app.ctx, &words(&app.ctx, "mara@example.com", "A secret link")).await.unwrap();
    for path in ["/dev/mailbox", "/dev/mailbox/", "/dev/ui", "/dev", "/dev/anything"] {
        let answer = app.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(!answer.text().await.unwrap().contains("A secret link"), "{path}");
    }
    let function = app.http.post(app.url("/fn/tollgate/site/api/open_mailbox")).header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert_eq!(function.status(), 404);
    assert!(!function.text().await.unwrap().contains("A secret link"));
}
