//! Passkeys that are there: renamed, removed, reset by an operator, exported, and gone with whoever put them there.

use super::{NEW, PASSKEYS, SECURITY, SESSIONS, add, ask, give, key_for, sign_in, start, with_passkey};
use crate::{
    accounts::{count, mail_about},
    support::{
        TestApp,
        browser::{PASSWORD, Person, location},
        mailbox::link,
    },
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{accounts::api, admin::api as admin, values::PasskeyId};

/// The ids of all passkeys, the oldest first.
async fn ids(app: &TestApp) -> Vec<String> {
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar("select id from passkeys order by created_at, id").fetch_all(&app.ctx.db).await.unwrap();
    ids.into_iter().map(|id| PasskeyId::new(id).to_string()).collect()
}

async fn remove(person: &Person, id: &str) -> reqwest::Response {
    person.browser.post::<api::RemovePasskey>(SECURITY, &[("id", id)]).await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_passkey_is_renamed_by_its_owner(db: PgPool) {
    let app = start(db).await;
    let (vera, _) = with_passkey(&app, "developer").await;
    let mallory = app.sign_in_as("developer").await;
    let id = ids(&app).await.remove(0);
    let page = format!("{SECURITY}?rename={id}");
    assert!(vera.browser.page(&page).await.contains("New name"));
    let rename = async |person: &Person, name: &str| person.browser.post::<api::RenamePasskey>(&page, &[("id", &id), ("name", name)]).await;
    let refused = rename(&vera, " ").await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("Enter a name."));
    for _ in 0..2 {
        assert_eq!(location(&rename(&vera, " <Laptop> &  desk ").await), SECURITY);
    }
    assert_eq!(count(&app, "select count(*) from passkeys where name = '<Laptop> & desk'").await, 1);
    assert!(!vera.browser.page(SECURITY).await.contains("<Laptop>"), "escaped");
    assert_eq!(count(&app, "select count(*) from events where kind = 'factor.passkey_renamed'").await, 1, "F07: the same name is no change");
    assert_eq!(rename(&mallory, "mine").await.status(), 404, "R63");
    assert_eq!(vera.browser.post::<api::RenamePasskey>(SECURITY, &[("id", "pk_none"), ("name", "x")]).await.status(), 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r39_removing_needs_a_recent_proof_and_is_told(db: PgPool) {
    let app = start(db).await;
    let (vera, mut key) = with_passkey(&app, "developer").await;
    let (mallory, _) = with_passkey(&app, "developer").await;
    let all = ids(&app).await;
    let owner: uuid::Uuid = vera.account.uuid();
    let own: uuid::Uuid = sqlx::query_scalar("select id from passkeys where account_id = $1").bind(owner).fetch_one(&app.ctx.db).await.unwrap();
    let own = PasskeyId::new(own).to_string();
    assert_eq!(remove(&mallory, &own).await.status(), 404, "R63");
    app.ctx.clock.advance(Duration::minutes(11));
    assert!(location(&remove(&vera, &own).await).starts_with("/step-up?form="));
    assert_eq!(ids(&app).await, all);
    vera.browser.post::<api::StepUp>("/step-up", &[("password", PASSWORD)]).await;
    let waiting = app.browser();
    let answer = key.prove(&ask(&waiting, "sign_in").await);
    assert_eq!(location(&remove(&vera, &own).await), SECURITY);
    assert_eq!(remove(&vera, &own).await.status(), 404, "twice");
    assert_eq!(give(&waiting, &answer).await.status(), 404, "what was asked before does not let it in");
    mail_about(&app, &vera.email, "A passkey was removed").await;
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home", "the password alone again");
    let codes = "select count(*) from recovery_codes where account_id = $1";
    let codes: i64 = sqlx::query_scalar(codes).bind(owner).fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(codes, 0, "they stood in for it");
    assert_eq!(count(&app, PASSKEYS).await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s58_r39_the_last_way_in_stays_even_if_two_go_at_once(db: PgPool) {
    let app = start(db).await;
    let (vera, mut key) = with_passkey(&app, "developer").await;
    app.ctx.clock.advance(Duration::seconds(1));
    add(&vera.browser, &mut key_for(&app)).await;
    sqlx::raw_sql("update accounts set password_hash = null, password_set_at = null").execute(&app.ctx.db).await.unwrap();
    let page = vera.browser.page(SECURITY).await;
    assert!(page.contains("You have no password.") && page.contains("Set one by email") && !page.contains("Current password"), "{page}");
    let all = ids(&app).await;
    let (one, two) = tokio::join!(remove(&vera, &all[0]), remove(&vera, &all[1]));
    let mut statuses = [one.status().as_u16(), two.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    let left = ids(&app).await;
    assert_eq!(left.len(), 1);
    let refused = remove(&vera, &left[0]).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("This passkey is your only way in."));
    if left[0] == all[0] {
        assert_eq!(location(&sign_in(&app.browser(), &mut key).await), "/home");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_account_has_twenty_at_most(db: PgPool) {
    let app = start(db).await;
    let (vera, _) = with_passkey(&app, "developer").await;
    let many = "insert into passkeys (id, account_id, credential_id, credential, aaguid, name, is_synced, created_at)
         select gen_random_uuid(), account_id, decode(lpad(n::text, 8, '0'), 'hex'), credential, aaguid, name, is_synced, created_at
         from passkeys, generate_series(2, 20) n";
    sqlx::raw_sql(many).execute(&app.ctx.db).await.unwrap();
    let refused = vera.browser.post::<api::StartPasskey>(SECURITY, &[]).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("at most 20 passkeys."));
    assert!(vera.browser.page(NEW).await.contains("Choose where to keep it"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r34_an_operators_reset_takes_passkeys_with_the_same_delay(db: PgPool) {
    let app = start(db).await;
    let (vera, mut key) = with_passkey(&app, "developer").await;
    let operator = app.sign_in_as("operator").await;
    let page = format!("/admin/accounts/{}", vera.account);
    assert!(operator.browser.page(&page).await.contains("1 passkey, 10 recovery codes left"));
    let id = vera.account.to_string();
    let ask_page = format!("{page}?ask=reset-factors");
    assert!(operator.browser.page(&ask_page).await.contains("the passkeys"));
    let form = [("id", id.as_str()), ("reason", "lost the laptop")];
    assert_eq!(location(&operator.browser.post::<admin::ResetFactors>(&ask_page, &form).await), page);
    mail_about(&app, &vera.email, "Your second factors will be removed").await;
    assert_eq!(location(&sign_in(&app.browser(), &mut key).await), "/home", "until then it works");
    app.ctx.clock.advance(Duration::hours(24));
    app.run_jobs().await;
    assert_eq!((count(&app, PASSKEYS).await, count(&app, "select count(*) from passkey_users").await), (0, 0));
    assert!(!vera.browser.is_signed_in().await);
    assert_eq!(sign_in(&app.browser(), &mut key).await.status(), 404);
    assert_eq!(location(&app.browser().sign_in(&vera.email, PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r61_the_export_lists_them_without_their_keys(db: PgPool) {
    let app = start(db).await;
    let (vera, key) = with_passkey(&app, "developer").await;
    vera.browser.post::<api::AskExport>("/settings/danger?act=export", &[]).await;
    app.run_jobs().await;
    let text = vera.browser.get("/api/v1/me/export").await.text().await.unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let one = &file["second_factors"]["passkeys"][0];
    assert_eq!(one["name"], "Passkey");
    assert_eq!(one["created_at"], "2026-11-20T12:00:00Z");
    assert!(one["last_used_at"].is_null() && one["is_synced"] == false);
    assert!(!text.contains(&data_encoding::BASE64URL_NOPAD.encode(&key.id)) && !text.contains("cred_id"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_this_was_not_me_takes_the_passkeys_that_came_since(db: PgPool) {
    let app = start(db).await;
    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(Duration::hours(1));
    let mut own = key_for(&app);
    vera.browser.post::<api::StepUp>("/step-up", &[("password", PASSWORD)]).await;
    // The thief came in by the password, before there was a passkey, and adds one.
    let thief = app.browser();
    thief.sign_in(&vera.email, PASSWORD).await;
    let mail = mail_about(&app, &vera.email, "New sign-in to your account").await;
    app.ctx.clock.advance(Duration::seconds(1));
    let mut stolen = key_for(&app);
    assert_eq!(add(&thief, &mut stolen).await.status(), 303);
    let anywhere = app.browser();
    anywhere.get(link(&mail, "/not-me")).await;
    assert_eq!(location(&anywhere.post::<api::NotMe>("/not-me", &[]).await), "/sign-in");
    assert_eq!(count(&app, PASSKEYS).await, 0);
    assert_eq!(sign_in(&thief, &mut stolen).await.status(), 404);
    assert_eq!(count(&app, SESSIONS).await, 0);
    let reset = mail_about(&app, &vera.email, "Set a new password").await;
    let owner = app.browser();
    owner.get(link(&reset, "/reset-password")).await;
    owner.post::<api::ResetPassword>("/reset-password", &[("new_password", PASSWORD)]).await;
    assert_eq!(location(&owner.sign_in(&vera.email, PASSWORD).await), "/home", "nothing of the thief is in the way");
    assert_eq!(add(&owner, &mut own).await.status(), 303);
}
