//! Accounts that were made when a domain was compared as it was typed: they are found by today's form of their address (R59).

use super::{count, unproven};
use crate::support::{TestApp, browser::PASSWORD};
use sqlx::PgPool;
use time::Duration;
use tollgate::{accounts::server::NormalizeAddresses, platform::jobs::Job, values::AccountId};

/// As it was made before, a second after the one before it.
async fn made_before(app: &TestApp, email: &str) -> AccountId {
    app.ctx.clock.advance(Duration::seconds(1));
    let account = app.account(email, "Jürgen", "developer").await;
    let key = "update accounts set email_key = $2 where id = $1";
    sqlx::query(key).bind(account.uuid()).bind(email.to_ascii_lowercase()).execute(&app.ctx.db).await.unwrap();
    account
}

async fn normalize(app: &TestApp) {
    NormalizeAddresses::default().run(&app.ctx).await.unwrap();
}

async fn key_of(app: &TestApp, account: AccountId) -> String {
    sqlx::query_scalar("select email_key from accounts where id = $1").bind(account.uuid()).fetch_one(&app.ctx.db).await.unwrap()
}

async fn may_sign_in(app: &TestApp, email: &str) -> bool {
    app.browser().sign_in(email, PASSWORD).await.status() == 303
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r59_an_account_of_before_is_found_however_its_address_is_written(db: PgPool) {
    let app = TestApp::start(db).await;
    let jurgen = made_before(&app, "Jürgen@EXÄMPLE.de").await;
    let composed = made_before(&app, "ju\u{308}lia@example.com").await;
    let plain = made_before(&app, "Mara@Example.com").await;
    assert!(!may_sign_in(&app, "Jürgen@EXÄMPLE.de").await, "not even as it was typed");
    for _ in 0..2 {
        normalize(&app).await;
        assert_eq!(key_of(&app, jurgen).await, "jürgen@xn--exmple-cua.de");
        assert_eq!(key_of(&app, composed).await, "j\u{fc}lia@example.com");
        assert_eq!(key_of(&app, plain).await, "mara@example.com");
    }
    for email in ["Jürgen@EXÄMPLE.de", "jürgen@exämple.de", "jürgen@xn--exmple-cua.de", "j\u{fc}lia@example.com"] {
        assert!(may_sign_in(&app, email).await, "{email}");
    }
    assert_eq!(count(&app, "select count(*) from accounts where email = 'Jürgen@EXÄMPLE.de'").await, 1, "mail goes where it went");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r59_of_two_accounts_with_one_mailbox_both_stay_and_the_first_is_found_by_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let (first, second) = (made_before(&app, "olga@exämple.de").await, made_before(&app, "olga@EXÄMPLE.de").await);
    let old = made_before(&app, "mara@exämple.de").await;
    let new = app.account("mara@xn--exmple-cua.de", "Mara", "developer").await;
    for _ in 0..2 {
        normalize(&app).await;
        assert_eq!(key_of(&app, first).await, "olga@xn--exmple-cua.de");
        assert_eq!(key_of(&app, second).await, "olga@exÄmple.de");
        assert_eq!(key_of(&app, new).await, "mara@xn--exmple-cua.de", "who has it keeps it");
        assert_eq!(key_of(&app, old).await, "mara@exämple.de");
    }
    assert_eq!(count(&app, "select count(*) from accounts").await, 4);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r57_a_sign_up_that_nobody_proved_does_not_keep_the_address_from_its_owner(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = made_before(&app, "jürgen@exämple.de").await;
    unproven(&app, "jürgen@exämple.de").await;
    assert_eq!(count(&app, "select count(*) from accounts").await, 2, "they were not found and signed up again");
    normalize(&app).await;
    assert_eq!(count(&app, "select count(*) from accounts").await, 1);
    assert_eq!(key_of(&app, owner).await, "jürgen@xn--exmple-cua.de");
    assert!(may_sign_in(&app, "jürgen@exämple.de").await);
}
