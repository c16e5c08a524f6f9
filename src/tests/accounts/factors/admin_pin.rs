//! The admin PIN: nobody learns of it while there is none; then it is one more proof, for operators, for a while, in one session.

use crate::{
    accounts::count,
    keys::{json as answer, person_with},
    support::{
        TestApp,
        browser::{Browser, PASSWORD, Person, location},
    },
};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        server::{HARMLESS, PIN_ACTS, Visitor, clear_admin_pin, prove_pin, set_admin_pin},
    },
    admin::api as admin,
    error::AppError,
};

const PIN: &str = "kranich 77";
const BANS: &str = "/api/v1/bans";

async fn set(app: &TestApp, pin: &str) {
    set_admin_pin(&app.ctx, &Caller::cli(), &pin.into()).await.unwrap();
}

async fn give(browser: &Browser, form: &str, pin: &str) -> reqwest::Response {
    browser.post::<api::StepUp>(&format!("/step-up?form={form}"), &[("pin", pin), ("form", form)]).await
}

/// An operator asks to disable an account; answers the page, and where the browser is sent.
async fn disable(operator: &Person, whose: &str) -> (String, String) {
    let page = format!("/admin/accounts/{whose}?ask=disable");
    let sent = operator.browser.post::<admin::DisableAccount>(&page, &[("id", whose), ("reason", "shared <the> key")]).await;
    let to = location(&sent).to_owned();
    (page, to)
}

fn form_of(to: &str) -> String {
    to.strip_prefix("/step-up?form=").unwrap_or_else(|| panic!("to {to}")).to_owned()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f28_nothing_tells_of_a_pin_while_there_is_none(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let page = operator.browser.page("/step-up").await.to_lowercase();
    assert!(!page.contains("asks_pin") && !page.contains("admin pin") && !page.contains("name=\"pin\""), "{page}");
    for browser in [&operator.browser, &vera.browser] {
        let odd = browser.post::<api::StepUp>("/step-up", &[("pin", PIN)]).await;
        let none = browser.post::<api::StepUp>("/step-up", &[("colour", "blue")]).await;
        assert_eq!((odd.status(), none.status()), (reqwest::StatusCode::UNPROCESSABLE_ENTITY, reqwest::StatusCode::UNPROCESSABLE_ENTITY));
        let (odd, none) = (odd.text().await.unwrap(), none.text().await.unwrap());
        assert!(odd.contains("Send one proof: password, code, recovery_code or passkey.") && none.contains("Send one proof"), "{odd}");
    }
    let (page, to) = disable(&operator, &vera.account.to_string()).await;
    assert!(page.starts_with(&to), "done at once: {to}");

    let ops = person_with(&app, &db, "ops@example.com", "operator", &["admin:read", "accounts:manage"]).await;
    let ban = app.http.post(app.url(BANS)).bearer_auth(&ops.secret).header("Admin-Pin", "anything");
    assert_eq!(ban.json(&json!({ "target": "spam.example", "reason": "x" })).send().await.unwrap().status(), 201);
    let document = app.get("/api/v1/openapi.json").await.text().await.unwrap().to_lowercase();
    assert!(!document.contains("admin pin") && !document.contains("admin-pin") && !document.contains("\"pin\""));
    assert_eq!(count(&app, "select count(*) from events where kind like 'admin_pin%'").await, 0);
    assert_eq!(count(&app, "select count(*) from attempt_counters where bucket like 'admin_pin%'").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f28_the_pin_comes_after_the_step_up_and_the_form_comes_back(db: PgPool) {
    let app = TestApp::start(db).await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let whose = vera.account.to_string();
    set(&app, PIN).await;

    // The sign-in was a moment ago, so the PIN is all that is asked.
    let (page, to) = disable(&operator, &whose).await;
    let form = form_of(&to);
    let asked = operator.browser.page(&to).await;
    assert!(asked.contains("You are about to disable an account. That needs the admin PIN") && asked.contains("name=\"pin\""), "{asked}");
    assert!(!asked.contains("current-password") && asked.contains(&page.replace('&', "&amp;")), "one thing at a time, and a way back");
    let wrong = give(&operator.browser, &form, "kranich 78").await;
    assert_eq!(wrong.status(), 422);
    let wrong = wrong.text().await.unwrap();
    assert!(wrong.contains("This is not the admin PIN.") && !wrong.contains("kranich"), "{wrong}");
    assert_eq!(location(&give(&operator.browser, &form, PIN).await), page);
    assert!(operator.browser.page(&page).await.contains("shared &lt;the> key"), "the form is as it was left");
    assert_eq!(count(&app, "select count(*) from account_disablements").await, 0);
    let (_, to) = disable(&operator, &whose).await;
    assert!(page.starts_with(&to), "{to}");
    assert_eq!(count(&app, "select count(*) from account_disablements").await, 1);

    // Ten minutes later both are asked again, one after the other.
    app.ctx.clock.advance(Duration::minutes(11));
    let ban = [("target", "spam.example"), ("reason", "spam"), ("lasts", "1d")];
    let to = location(&operator.browser.post::<admin::AddBan>("/admin/bans", &ban).await).to_owned();
    let form = form_of(&to);
    assert!(operator.browser.page(&to).await.contains("current-password"));
    assert_eq!(give(&operator.browser, &form, PIN).await.status(), 409, "it never comes in the place of the proof");
    let proven = operator.browser.post::<api::StepUp>(&to, &[("password", PASSWORD), ("form", &form)]).await;
    assert_eq!(location(&proven), to);
    assert!(operator.browser.page(&to).await.contains("name=\"pin\""));
    assert_eq!(location(&give(&operator.browser, &form, PIN).await), "/admin/bans");
    assert!(operator.browser.page("/admin/bans").await.contains("spam.example"));
    assert_eq!(location(&operator.browser.post::<admin::AddBan>("/admin/bans", &ban).await), "/admin/bans");
    assert_eq!(count(&app, "select count(*) from events where kind = 'admin_pin.proven'").await, 2);
    assert_eq!(count(&app, "select count(*) from events where kind = 'admin_pin.refused'").await, 1);
    assert_eq!(count(&app, "select count(*) from events where data::text like '%kranich%'").await, 0, "what was typed is nowhere");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f28_a_proof_by_pin_is_of_one_session_and_of_one_pin(db: PgPool) {
    let app = TestApp::start(db).await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let whose = vera.account.to_string();
    set(&app, PIN).await;
    let (_, to) = disable(&operator, &whose).await;
    give(&operator.browser, &form_of(&to), PIN).await;

    let laptop = app.browser();
    laptop.sign_in(&operator.email, PASSWORD).await;
    let ban = [("target", "spam.example"), ("reason", "spam"), ("lasts", "1d")];
    assert!(location(&laptop.post::<admin::AddBan>("/admin/bans", &ban).await).starts_with("/step-up?form="), "another session");
    set(&app, "kranich 78").await;
    assert!(location(&operator.browser.post::<admin::AddBan>("/admin/bans", &ban).await).starts_with("/step-up?form="), "another PIN");
    assert!(clear_admin_pin(&app.ctx, &Caller::cli()).await.unwrap());
    assert!(!clear_admin_pin(&app.ctx, &Caller::cli()).await.unwrap());
    assert_eq!(location(&operator.browser.post::<admin::AddBan>("/admin/bans", &ban).await), "/admin/bans", "none is asked any more");
    assert_eq!(count(&app, "select count(*) from admin_pin_proofs").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f28_guesses_wait_and_keep_nobody_else_waiting(db: PgPool) {
    let app = TestApp::start(db).await;
    let (operator, other) = (app.sign_in_as("operator").await, app.sign_in_as("operator").await);
    set(&app, PIN).await;
    let guess = async |who: &Person, pin: &str| who.browser.post::<api::StepUp>("/step-up", &[("pin", pin)]).await;
    for n in 0..4 {
        assert_eq!(guess(&operator, &format!("wrong {n}")).await.status(), 422);
    }
    assert!(guess(&operator, "wrong 4").await.text().await.unwrap().contains("Wait 30 seconds"));
    assert_eq!(guess(&operator, PIN).await.status(), 429);
    assert_eq!(location(&guess(&other, PIN).await), "/home");
    app.ctx.clock.advance(Duration::seconds(30));
    assert_eq!(location(&guess(&operator, PIN).await), "/home");
    assert_eq!(count(&app, "select count(*) from events where kind = 'admin_pin.refused'").await, 5);
    let vera = app.sign_in_as("developer").await;
    assert!(guess(&vera, PIN).await.text().await.unwrap().contains("Send one proof"), "who is no operator learns nothing");
    assert!(!vera.browser.page("/step-up").await.contains("asks_pin"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f28_a_program_sends_it_beside_every_request(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    set(&app, PIN).await;
    let permissions = ["admin:read", "accounts:manage", "keys:read", "keys:write", "keys:manage"];
    let ops = person_with(&app, &db, "ops@example.com", "operator", &permissions).await;
    let dev = person_with(&app, &db, "dev@example.com", "developer", &["keys:read", "keys:write"]).await;
    let send = async |secret: &str, method: Method, path: &str, pin: Option<&str>, body: serde_json::Value| {
        let request = app.http.request(method, app.url(path)).bearer_auth(secret).json(&body);
        answer(pin.into_iter().fold(request, |request, pin| request.header("Admin-Pin", pin)).send().await.unwrap()).await
    };
    let ban = json!({ "target": "spam.example", "reason": "spam" });
    let (status, problem) = send(&ops.secret, Method::POST, BANS, None, ban.clone()).await;
    assert_eq!((status, &problem["detail"]), (403, &json!("This needs the admin PIN, too. Send it in the header Admin-Pin.")));
    let (status, problem) = send(&ops.secret, Method::POST, BANS, Some("kranich 78"), ban.clone()).await;
    assert_eq!((status, &problem["detail"]), (403, &json!("This is not the admin PIN.")));
    assert_eq!(send(&ops.secret, Method::POST, BANS, Some(PIN), ban.clone()).await.0, 201);
    let again = json!({ "target": "junk.example", "reason": "spam" });
    assert_eq!(send(&ops.secret, Method::POST, BANS, None, again).await.0, 403, "each time anew");
    assert_eq!(send(&ops.secret, Method::GET, BANS, None, json!({})).await.0, 200, "to look needs none");

    // Keys of others too, one's own not.
    let (theirs, own) = (dev.new_key(&app, "shop").await.0, ops.new_key(&app, "till").await.0);
    let revoke = |id: &str| format!("/api/v1/keys/{id}/revoke");
    assert_eq!(send(&ops.secret, Method::POST, &revoke(&theirs), None, json!({})).await.0, 403);
    let bulk = json!({ "act": "disable", "ids": [theirs, own] });
    assert_eq!(send(&ops.secret, Method::POST, "/api/v1/keys/bulk", None, bulk).await.0, 403);
    assert_eq!(send(&ops.secret, Method::POST, &revoke(&own), None, json!({})).await.0, 200);
    assert_eq!(send(&ops.secret, Method::POST, &revoke(&theirs), Some(PIN), json!({})).await.0, 200);
    let (status, _) = send(&dev.secret, Method::GET, "/api/v1/keys", Some("anything"), json!({})).await;
    assert_eq!(status, 200, "of who is no operator it is not looked at");

    // Who guesses by a key keeps nobody waiting who is signed in.
    for _ in 0..4 {
        send(&ops.secret, Method::GET, BANS, Some("wrong 0"), json!({})).await;
    }
    assert_eq!(send(&ops.secret, Method::GET, BANS, Some(PIN), json!({})).await.0, 429);
    let caller = app.caller_in_a_browser(ops.owner.account).await;
    let here = Visitor::terminal();
    prove_pin(&app.ctx, &caller, &here, &PIN.into(), None).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f28_it_is_set_in_the_shell_only(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.account("op@example.com", "Op", "operator").await;
    let caller = app.caller_in_a_browser(operator).await;
    assert_eq!(set_admin_pin(&app.ctx, &caller, &PIN.into()).await, Err(AppError::NotFound));
    assert_eq!(clear_admin_pin(&app.ctx, &caller).await, Err(AppError::NotFound));
    for bad in ["", "12345", "aaaaaaaa", " kranich", "kranich\u{7}x", &"k1".repeat(33)] {
        let refused = set_admin_pin(&app.ctx, &Caller::cli(), &bad.into()).await;
        assert!(refused.is_err_and(|error| error.field("pin").is_some()), "{bad:?}");
    }
    assert_eq!(count(&app, "select count(*) from admin_pin").await, 0);
    set(&app, PIN).await;
    set(&app, "kranich 78").await;
    let hash: String = sqlx::query_scalar("select hash from admin_pin").fetch_one(&app.ctx.db).await.unwrap();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f28_what_takes_something_from_keys_of_others_asks_for_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    set(&app, PIN).await;
    let permissions = ["keys:read", "keys:write", "keys:manage", "blocks:manage"];
    let ops = person_with(&app, &db, "ops@example.com", "operator", &permissions).await;
    let dev = person_with(&app, &db, "dev@example.com", "developer", &["keys:read", "keys:write"]).await;
    let send = async |pin: Option<&str>, method: Method, path: &str, body: serde_json::Value| {
        let request = app.http.request(method, app.url(path)).bearer_auth(&ops.secret).json(&body);
        pin.into_iter().fold(request, |request, pin| request.header("Admin-Pin", pin)).send().await.unwrap().status().as_u16()
    };
    let (theirs, own) = (dev.new_key(&app, "shop").await.0, ops.new_key(&app, "till").await.0);
    let rotated = dev.post(&app, &format!("/api/v1/keys/{theirs}/rotate"), json!({ "grace": 3600 })).await;
    assert_eq!(rotated.status(), 200);
    let old: uuid::Uuid =
        sqlx::query_scalar("select s.id from key_secrets s join keys k on k.id = s.key_id where k.name = 'shop' and s.expires_at is not null")
            .fetch_one(&db)
            .await
            .unwrap();
    let old = tollgate::values::SecretId::new(old);
    let key = |id: &str, rest: &str| format!("/api/v1/keys/{id}{rest}");
    let soon = json!({ "expires_at": "2026-11-21T12:00:00Z" });
    let acts = [
        (Method::PATCH, key(&theirs, ""), soon.clone()),
        (Method::PATCH, key(&theirs, ""), json!({ "permissions": [] })),
        (Method::PATCH, key(&theirs, ""), json!({ "addresses": ["192.0.2.1"] })),
        (Method::POST, "/api/v1/keys/bulk".to_owned(), json!({ "act": "extend", "ids": [theirs], "expires_at": "2027-11-21T12:00:00Z" })),
        (Method::PATCH, key(&theirs, &format!("/secrets/{old}")), json!({ "grace": 60 })),
        (Method::PUT, key(&theirs, "/signing"), json!({ "algorithm": "hmac-sha256" })),
        (Method::POST, key(&theirs, "/leaked"), json!({ "url": "https://example.com/paste" })),
        (Method::DELETE, key(&theirs, &format!("/secrets/{old}")), json!({})),
        (Method::POST, "/api/v1/blocks".to_owned(), json!({ "target": theirs, "reason": "scrapes", "seconds": 60 })),
        (Method::PATCH, "/api/v1/block-rules/unknown-keys".to_owned(), json!({ "most": 7 })),
    ];
    for (method, path, body) in &acts {
        assert_eq!(send(None, method.clone(), path, body.clone()).await, 403, "{method} {path} {body}");
    }
    for (method, path, body) in &acts {
        let status = send(Some(PIN), method.clone(), path, body.clone()).await;
        assert!((200..300).contains(&status), "{method} {path} {body}: {status}");
    }
    // What gives back, names or sorts asks for none, nor does one's own key.
    assert_eq!(send(None, Method::PATCH, &key(&theirs, ""), json!({ "name": "shop 2", "tags": ["seen"] })).await, 200);
    assert_eq!(send(None, Method::PATCH, &key(&own, ""), soon).await, 200);
}

/// Every act of operators is in one of the two lists: nobody adds one without a thought.
#[test]
fn every_operation_of_operators_asks_for_the_pin_or_says_why_not() {
    let known: Vec<&str> = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    let harmless: Vec<String> = HARMLESS.iter().flat_map(|(_, names)| names.iter().map(|name| format!("/fn/tollgate/{name}"))).collect();
    for path in PIN_ACTS.iter().map(|(path, _)| *path).chain(harmless.iter().map(String::as_str)) {
        assert!(known.contains(&path), "{path} is no act of the product");
        let times = PIN_ACTS.iter().filter(|(act, _)| *act == path).count() + harmless.iter().filter(|act| *act == path).count();
        assert_eq!(times, 1, "{path} is listed once");
    }
    let of_operators = ["admin", "blocks", "keys", "plans", "accounts/api/acting", "accounts/api/policies"].map(|feature| format!("/fn/tollgate/{feature}/"));
    for path in known.iter().filter(|path| of_operators.iter().any(|feature| path.starts_with(feature))) {
        let asks = PIN_ACTS.iter().any(|(act, _)| act == path);
        assert!(asks || harmless.iter().any(|act| act == path), "{path}: put it into PIN_ACTS, or into HARMLESS with its reason");
    }
}
