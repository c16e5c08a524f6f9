//! Proof again before dangerous acts: which they are, what proves, and that the interrupted form comes back to whom it belongs.

use super::{give_code, half_way, with_app};
use crate::{
    accounts::count,
    support::{
        TestApp,
        browser::{Browser, PASSWORD, Person, location},
    },
};
use sqlx::PgPool;
use std::collections::BTreeSet;
use time::Duration;
use tollgate::{
    accounts::{
        Via, api,
        server::{ACTS, caller_of_account},
    },
    admin::api as admin,
    keys::{
        model::NewKey,
        server::{
            create_key, disable_key,
            signing::{NewSigning, turn_on_signing},
        },
    },
    values::{SecretId, SessionId},
};

/// Longer than a proof lasts.
const LATE: Duration = Duration::minutes(11);

/// The form that waits, from where the browser was sent.
fn form_of(to: &str) -> &str {
    to.strip_prefix("/step-up?form=").unwrap_or_else(|| panic!("to {to}"))
}

async fn prove(browser: &Browser, page: &str, form: Option<&str>, proof: (&str, &str)) -> reqwest::Response {
    let mut fields = vec![proof];
    fields.extend(form.map(|form| ("form", form)));
    browser.post::<api::StepUp>(page, &fields).await
}

/// An operator who typed a reason for disabling an account and is asked to prove who it is; answers page and form.
async fn interrupted(app: &TestApp, operator: &Person, whose: &str) -> (String, String) {
    let page = format!("/admin/accounts/{whose}?ask=disable");
    app.ctx.clock.advance(LATE);
    let asked = operator.browser.post::<admin::DisableAccount>(&page, &[("id", whose), ("reason", "shared <the> key")]).await;
    (page, form_of(location(&asked)).to_owned())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r50_every_act_of_the_list_needs_a_proof_of_ten_minutes_at_most(db: PgPool) {
    let app = TestApp::start(db).await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let (account, session) = (vera.account.to_string(), app.ctx.new_id::<SessionId>().to_string());
    let caller = caller_of_account(&app.ctx, operator.account, Via::Cli).await.unwrap().unwrap();
    let addresses = vec!["192.0.2.0/24".to_owned()];
    let new = NewKey { name: "their own".to_owned(), api: Some("tollgate".to_owned()), addresses, ..NewKey::default() };
    let key = create_key(&app.ctx, &caller, new).await.unwrap().key.id;
    turn_on_signing(&app.ctx, &caller, key, NewSigning::HmacSha256 { once: None }).await.unwrap();
    disable_key(&app.ctx, &caller, key, "").await.unwrap();
    let (key, secret) = (key.to_string(), app.ctx.new_id::<SecretId>().to_string());
    let call = async |path: &str| {
        let is_of_key = path.starts_with("/fn/tollgate/keys/") || path.ends_with("_key") || path.ends_with("_keys");
        let id = match path {
            "/fn/tollgate/accounts/api/sessions/end_session" => &session,
            _ if is_of_key => &key,
            _ => &account,
        };
        let mut form =
            vec![("id", id.as_str()), ("session", &session), ("reason", "a test"), ("lasts", "1d"), ("name", "a test"), ("api", "tollgate"), ("grace", "60")];
        if is_of_key {
            // Each of these lets the key do more: it is disabled, signed and held to a network.
            form.extend([
                ("chosen", "true"),
                ("addresses", ""),
                ("secret", secret.as_str()),
                ("algorithm", "hmac-sha256"),
                ("act", "enable"),
                ("keys[]", key.as_str()),
                ("seen", "1"),
            ]);
        }
        if path.ends_with("run_account_import") {
            form.push(("list", "imp_01K3V7QDE4S8T1N5W9Y2B6C0XZ"));
        }
        if path.ends_with("save_policy") {
            form.extend([("policy[of]", "role:operator"), ("policy[max]", "8h")]);
        }
        let request = operator.browser.http.post(app.url(path)).header("sec-fetch-site", "same-origin").header("accept", "application/json");
        let answer = request.form(&form).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    app.ctx.clock.advance(Duration::minutes(10));
    let before = count(&app, "select count(*) from events").await;
    for (path, _) in ACTS.iter().filter(|(path, _)| path.ends_with("end_session")) {
        let (status, body) = call(path).await;
        assert!(status != 401 && !body.contains("step_up_needed"), "{path} after ten minutes: {status} {body}");
    }
    app.ctx.clock.advance(Duration::seconds(1));
    for (path, words) in ACTS {
        let (status, body) = call(path).await;
        assert!(status == 401 && body.contains("step_up_needed"), "{words}: {status} {body}");
    }
    assert_eq!(count(&app, "select count(*) from events").await, before, "nothing was done");
    let known: BTreeSet<&str> = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    assert!(ACTS.iter().all(|(path, _)| known.contains(path)), "every act is a function of the product");

    let rest = operator.browser.http.delete(app.url("/api/v1/me/sessions")).header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert_eq!((rest.status().as_u16(), rest.headers()["content-type"].to_str().unwrap()), (401, "application/problem+json"), "REST with a session too");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_interrupted_form_comes_back_with_its_data_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let (page, form) = interrupted(&app, &operator, &vera.account.to_string()).await;
    let why = operator.browser.page(&format!("/step-up?form={form}")).await;
    assert!(why.contains("You are about to disable an account.") && why.contains("current-password") && why.contains(&page.replace('&', "&amp;")), "{why}");
    assert!(!why.contains("Use your authenticator app"), "what is not enrolled is not offered");

    let wrong = prove(&operator.browser, &format!("/step-up?form={form}"), Some(&form), ("password", "the wrong lighthouse keeper")).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("This is not your password."));
    let proven = prove(&operator.browser, &format!("/step-up?form={form}"), Some(&form), ("password", PASSWORD)).await;
    assert_eq!(location(&proven), page);
    let back = operator.browser.page(&page).await;
    assert!(back.contains("shared &lt;the> key") && back.contains("Your form is as you left it"), "{back}");
    assert!(!back.contains("Error: ") && !back.contains("error-summary"), "nothing is wrong with it");
    assert!(!operator.browser.page(&page).await.contains("shared &lt;the> key"), "once");
    let sent = operator.browser.post::<admin::DisableAccount>(&page, &[("id", &vera.account.to_string()), ("reason", "shared <the> key")]).await;
    assert_eq!(sent.status(), 303);
    assert_eq!(count(&app, "select count(*) from account_disablements").await, 1);
    assert_eq!(count(&app, "select count(*) from interrupted_forms").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_waits_is_sealed_and_forgets_passwords(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let vera = app.sign_in_as("developer").await;
    interrupted(&app, &operator, &vera.account.to_string()).await;
    let stored: Vec<u8> = sqlx::query_scalar("select form from interrupted_forms").fetch_one(&app.ctx.db).await.unwrap();
    assert!(!stored.windows(6).any(|part| part == b"shared"));
    for _ in 0..7 {
        operator.browser.post::<admin::DisableAccount>("/admin/accounts", &[("id", &vera.account.to_string()), ("reason", "again")]).await;
    }
    assert_eq!(count(&app, "select count(*) from interrupted_forms").await, 5, "a session keeps a few");
    operator.browser.post::<api::SignOut>("/sign-out", &[]).await;
    assert_eq!(count(&app, "select count(*) from interrupted_forms").await, 0, "they end with it");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s81_nobody_else_proves_for_me_nor_takes_my_form_up(db: PgPool) {
    let app = TestApp::start(db).await;
    let (operator, mallory) = (app.sign_in_as("operator").await, app.sign_in_as("operator").await);
    let vera = app.sign_in_as("developer").await;
    let (page, form) = interrupted(&app, &operator, &vera.account.to_string()).await;
    let at = format!("/step-up?form={form}");

    // Another person sees neither what waits nor gets it, though the id is known.
    let theirs = mallory.browser.page(&at).await;
    assert!(!theirs.contains("disable an account") && !theirs.contains(&page.replace('&', "&amp;")));
    assert_eq!(location(&prove(&mallory.browser, &at, Some(&form), ("password", PASSWORD)).await), "/home");
    assert!(!mallory.browser.page(&page).await.contains("shared"));
    // Nor another session of the same person.
    let phone = app.browser();
    phone.sign_in(&operator.email, PASSWORD).await;
    assert_eq!(location(&prove(&phone, &at, Some(&form), ("password", PASSWORD)).await), "/home");
    // Mallory's proof did not prove the operator.
    let again = operator.browser.post::<admin::DisableAccount>(&page, &[("id", &vera.account.to_string()), ("reason", "x")]).await;
    assert!(location(&again).starts_with("/step-up"));
    // And an app proves for its own account only.
    let app_of_mallory = super::set_up(&app, &mallory.browser).await;
    assert_eq!(prove(&operator.browser, &at, Some(&form), ("code", &app_of_mallory.code(&app))).await.status(), 422);
    assert_eq!(location(&prove(&operator.browser, &at, Some(&form), ("password", PASSWORD)).await), page, "it waited for its own");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r23_a_proof_gives_the_session_a_new_cookie_and_no_longer_life(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let bare = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let post = async |sid: &str, page: &str, form: &[(&str, &str)]| {
        let request = bare.post(app.url(page)).header("sec-fetch-site", "same-origin").header("cookie", format!("sid={sid}"));
        let answer = request.form(form).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{page}");
        let cookie = answer.headers().get_all("set-cookie").iter().find_map(|c| c.to_str().unwrap().strip_prefix("sid=").map(str::to_owned));
        cookie.expect("a session cookie").split(';').next().unwrap().to_owned()
    };
    let sign_in = [("_fn", "/fn/tollgate/accounts/api/signing_in/sign_in"), ("email", "mara@example.com"), ("password", PASSWORD)];
    let first = post("none", "/sign-in", &sign_in).await;
    let row = async || -> (uuid::Uuid, time::OffsetDateTime, time::OffsetDateTime) {
        sqlx::query_as("select id, created_at, absolute_expires_at from sessions").fetch_one(&app.ctx.db).await.unwrap()
    };
    let before = row().await;
    app.ctx.clock.advance(LATE);
    let second = post(&first, "/step-up", &[("_fn", "/fn/tollgate/accounts/api/signing_in/step_up"), ("password", PASSWORD)]).await;
    assert_ne!(first, second);
    let opens = async |sid: &str| bare.get(app.url("/settings/profile")).header("cookie", format!("sid={sid}")).send().await.unwrap().status() == 200;
    assert!(opens(&second).await && !opens(&first).await, "the old id is dead");
    assert_eq!(row().await, before, "the same session, with the same end");
    assert_eq!(count(&app, "select count(*) from sessions where length(id_hash) = 32").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r19_wrong_proofs_of_every_kind_are_slowed_down_together(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, phone) = with_app(&app, "developer").await;
    // A form without a proof is refused and is no guess: it does not count.
    let tries = [("password", "wrong"), ("code", "000"), ("recovery_code", "AAAA"), ("password", ""), ("code", "000 000 0")];
    for proof in tries {
        let refused = prove(&vera.browser, "/step-up", None, proof).await;
        assert_eq!(refused.status(), 422, "{proof:?}");
        assert!(!refused.text().await.unwrap().contains("before the next try"), "{proof:?}");
    }
    assert!(prove(&vera.browser, "/step-up", None, ("password", "wrong")).await.text().await.unwrap().contains("Wait 30 seconds"));
    let right = phone.code(&app);
    assert_eq!(prove(&vera.browser, "/step-up", None, ("code", &right)).await.status(), 429);
    // Who is out is not kept out by it.
    assert_eq!(location(&give_code(&half_way(&app, &vera.email).await, &right).await), "/home");
    app.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(location(&prove(&vera.browser, "/step-up", None, ("code", &phone.code(&app))).await), "/home");
    app.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(prove(&vera.browser, "/step-up", None, ("code", &phone.code_at(&app, -1))).await.status(), 422, "R29: that step proved already");
    assert_eq!(prove(&vera.browser, "/step-up", None, ("colour", "blue")).await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r47_ending_other_sessions_needs_a_proof_and_ending_ones_own_does_not(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let own: uuid::Uuid = sqlx::query_scalar("select id from sessions").fetch_one(&app.ctx.db).await.unwrap();
    let phone = app.browser();
    phone.sign_in(&vera.email, PASSWORD).await;
    let other: uuid::Uuid = sqlx::query_scalar("select id from sessions where id <> $1").bind(own).fetch_one(&app.ctx.db).await.unwrap();
    app.ctx.clock.advance(LATE);
    let end = async |id: uuid::Uuid| vera.browser.post::<api::EndSession>("/settings/sessions", &[("id", &SessionId::new(id).to_string())]).await;
    assert!(location(&end(other).await).starts_with("/step-up?form="));
    assert!(location(&vera.browser.post::<api::EndSessions>("/settings/sessions", &[]).await).starts_with("/step-up?form="));
    assert!(phone.is_signed_in().await);
    assert_eq!(location(&end(own).await), "/sign-in");
    assert!(!vera.browser.is_signed_in().await && phone.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r50_a_key_for_tollgate_itself_takes_a_recent_proof_in_a_browser(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    app.ctx.clock.advance(LATE);
    let post = async |path: &str, body: serde_json::Value| {
        let request = vera.browser.http.post(app.url(path)).header("sec-fetch-site", "same-origin");
        request.json(&body).send().await.unwrap().status().as_u16()
    };
    let one = |api: &str| serde_json::json!({ "name": "robot", "api": api });
    let many = serde_json::json!({ "api": "tollgate", "keys": [{ "name": "a", "permissions": ["keys:read"] }] });
    assert_eq!(post("/api/v1/keys", one("tollgate")).await, 401);
    assert_eq!(post("/api/v1/keys/batch", many.clone()).await, 401);
    assert_eq!(count(&app, "select count(*) from keys").await, 0);
    assert_eq!(post("/api/v1/keys", one("demo")).await, 201, "a key for another API lets nobody in here");
    let form = [("name", "robot"), ("api", "tollgate")];
    let asked = vera.browser.post::<tollgate::keys::api::CreateKey>("/keys?dialog=new", &form).await;
    let form = form_of(location(&asked)).to_owned();
    assert!(vera.browser.page(&format!("/step-up?form={form}")).await.contains("create a key for Tollgate itself"));
    assert_eq!(location(&prove(&vera.browser, "/step-up", Some(&form), ("password", PASSWORD)).await), "/keys?dialog=new");
    assert_eq!(post("/api/v1/keys", one("tollgate")).await, 201);
    assert!((200..300).contains(&post("/api/v1/keys/batch", many).await));
}
