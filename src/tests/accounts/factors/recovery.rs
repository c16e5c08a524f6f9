//! Recovery codes: shown once, each good once, replaced as a whole.

use super::{codes_on, give_recovery_code, half_way, with_app};
use crate::{
    accounts::count,
    support::{
        TestApp,
        browser::{PASSWORD, location},
    },
};
use sqlx::PgPool;
use std::collections::BTreeSet;
use time::Duration;
use tollgate::accounts::api;

const PAGE: &str = "/settings/security/recovery-codes";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r33_ten_codes_of_80_bits_are_shown_until_they_are_saved_and_kept_as_hashes(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    assert_eq!(phone.codes.iter().collect::<BTreeSet<_>>().len(), 10);
    assert!(phone.codes.iter().all(|code| code.len() == 19 && code.replace('-', "").bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b))));
    assert_eq!(count(&app, "select count(*) from recovery_codes where length(hash) = 32").await, 10);

    let page = vera.browser.page(PAGE).await;
    assert_eq!(codes_on(&page), phone.codes, "a reload loses nothing");
    assert!(page.contains("download=\"tollgate-recovery-codes.txt\"") && page.contains(&format!("{}%0A{}", phone.codes[0], phone.codes[1])), "{page}");
    let refused = vera.browser.post::<api::FinishRecoveryCodes>(PAGE, &[]).await;
    assert_eq!(refused.status(), 422);
    assert_eq!(codes_on(&refused.text().await.unwrap().replace("<!>", "")), phone.codes);
    assert_eq!(location(&vera.browser.post::<api::FinishRecoveryCodes>(PAGE, &[("saved", "true")]).await), "/settings/security");
    assert!(codes_on(&vera.browser.page(PAGE).await).is_empty(), "shown once");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn codes_are_not_shown_to_who_signs_in_next_in_the_same_browser(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, _) = with_app(&app, "developer").await;
    let mara = app.account("mara@example.com", "Mara", "developer").await;
    vera.browser.post::<api::SignOut>("/sign-out", &[]).await;
    vera.browser.sign_in("mara@example.com", PASSWORD).await;
    assert!(codes_on(&vera.browser.page(PAGE).await).is_empty(), "{mara}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s56_of_twenty_uses_at_once_one_wins(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    let mut browsers = Vec::new();
    for _ in 0..20 {
        browsers.push(half_way(&app, &vera.email).await);
    }
    let tries = browsers.iter().map(|browser| give_recovery_code(browser, &phone.codes[3]));
    let statuses: Vec<u16> = futures_util::future::join_all(tries).await.iter().map(|answer| answer.status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|s| **s == 303).count(), 1, "{statuses:?}");
    assert_eq!(count(&app, "select count(*) from sessions").await, 2);
    assert_eq!(count(&app, "select count(*) from recovery_codes where used_at is not null").await, 1);

    app.ctx.clock.advance(Duration::minutes(16));
    let again = give_recovery_code(&half_way(&app, &vera.email).await, &phone.codes[3]).await;
    assert_eq!(again.status(), 422, "twice");
    assert!(vera.browser.page("/settings/security").await.contains("9 left"));
    app.ctx.clock.advance(Duration::minutes(16)); // whatever the losers' failures cost
    let typed = phone.codes[4].to_lowercase().replace('-', " ");
    assert_eq!(location(&give_recovery_code(&half_way(&app, &vera.email).await, &typed).await), "/home", "however it is typed");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s57_new_codes_kill_the_old_ones_and_need_a_recent_proof(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    app.ctx.clock.advance(Duration::minutes(11));
    let asked = vera.browser.post::<api::MakeRecoveryCodes>("/settings/security", &[]).await;
    assert!(location(&asked).starts_with("/step-up?form="));
    let proven = vera.browser.post::<api::StepUp>("/step-up", &[("recovery_code", &phone.codes[0])]).await;
    assert_eq!(location(&proven), "/home", "a code proves, and is used up");
    assert_eq!(location(&vera.browser.post::<api::MakeRecoveryCodes>("/settings/security", &[]).await), PAGE);
    let new = codes_on(&vera.browser.page(PAGE).await);
    assert!(new.len() == 10 && new.iter().all(|code| !phone.codes.contains(code)));
    assert_eq!(give_recovery_code(&half_way(&app, &vera.email).await, &phone.codes[1]).await.status(), 422);
    assert_eq!(location(&give_recovery_code(&half_way(&app, &vera.email).await, &new[0]).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_has_no_app_gets_no_codes(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    assert_eq!(vera.browser.post::<api::MakeRecoveryCodes>("/settings/security", &[]).await.status(), 409);
    assert_eq!(count(&app, "select count(*) from recovery_codes").await, 0);
}
