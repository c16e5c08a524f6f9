//! Signing a program in by email and password: through the one door, with the second factor, and what its tokens may do.

use super::{TOKEN, Tokens, password_grant, post, program, refusal, signed_in};
use crate::{
    accounts::{
        count,
        factors::{give_code, half_way, with_app},
        mail_about, unproven,
    },
    support::{TestApp, browser::PASSWORD, log::Log},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller,
        server::{Term, Visitor, add_ban, ban_account},
    },
    platform::{config::SecondFactor, crypto::sha256},
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_program_signs_in_and_is_its_account_for_a_quarter_of_an_hour(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let answer = program().post(app.url(TOKEN)).json(&password_grant("mara@example.com", PASSWORD)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["cache-control"].to_str().unwrap()), (200, "no-store"));
    assert!(answer.headers().get("set-cookie").is_none(), "a program gets no cookie");
    let body: Value = answer.json().await.unwrap();
    assert_eq!((body["token_type"].as_str(), body["expires_in"].as_i64(), body.as_object().unwrap().len()), (Some("Bearer"), Some(900), 4));
    let tokens = Tokens::of(&body);
    assert!(tokens.access.starts_with("tga_") && tokens.refresh.starts_with("tgr_"));

    let me: Value = tokens.call(&app, Method::GET, "/api/v1/auth/me").await.json().await.unwrap();
    assert_eq!(me["email"], "mara@example.com");
    assert!(me["permissions"].as_array().unwrap().contains(&json!("keys:write")), "{me}");
    let changed = program().patch(app.url("/api/v1/me")).bearer_auth(&tokens.access).json(&json!({ "name": "Mara L" })).send().await.unwrap();
    assert_eq!(changed.status(), 200, "as the account may");
    assert_eq!(program().get(app.url("/api/v1/me")).header("x-api-key", &tokens.access).send().await.unwrap().status(), 200);
    assert_eq!(program().get(app.url("/api/v1/me")).bearer_auth(&tokens.refresh).send().await.unwrap().status(), 401, "a refresh token calls nothing");

    // A service asks with a key: nobody signs in there.
    for (path, body) in [("/api/v1/keys/verify", json!({ "key": "x" })), ("/api/v1/keys/release", json!({ "hold": "x" }))] {
        let answer = program().post(app.url(path)).bearer_auth(&tokens.access).json(&body).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["www-authenticate"].to_str().unwrap()),
            (401, "Bearer realm=\"tollgate\", error=\"invalid_token\"")
        );
        let problem: Value = answer.json().await.unwrap();
        assert!(problem["detail"].as_str().unwrap().starts_with("This is an access token of an account."), "{problem}");
    }

    app.ctx.clock.advance(Duration::minutes(15) - Duration::seconds(1));
    assert_eq!(tokens.status(&app).await, 200);
    app.ctx.clock.advance(Duration::seconds(1));
    assert_eq!(tokens.status(&app).await, 401);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_r28_the_same_door_as_for_browsers(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = app.account("mara@example.com", "Mara", "developer").await;
    unproven(&app, "new@example.com").await;
    let grant = async |email: &str, password: &str| post(&app, TOKEN, password_grant(email, password)).await;

    let (known, unknown) = (grant("mara@example.com", "not this one at all").await, grant("nobody@example.com", "not this one at all").await);
    assert_eq!(refusal(&known), (422, "invalid_grant"));
    let less_id = |mut body: Value| {
        body["request_id"] = Value::Null;
        body
    };
    assert_eq!(less_id(known.1), less_id(unknown.1), "known and unknown addresses are answered alike");
    assert_eq!(refusal(&grant("new@example.com", PASSWORD).await), (409, "invalid_grant"));

    for _ in 0..8 {
        grant("mara@example.com", "not this one at all").await;
    }
    let locked = grant("mara@example.com", PASSWORD).await;
    assert_eq!(refusal(&locked), (429, "temporarily_unavailable"), "guesses by programs lock as those by browsers do");
    app.ctx.clock.advance(Duration::hours(1));
    let tokens = signed_in(&app, "mara@example.com").await;

    let (cli, from) = (Caller::cli(), Visitor::terminal());
    ban_account(&app.ctx, &cli, &from, mara, Term { reason: "spam", until: None }).await.unwrap();
    let banned = grant("mara@example.com", PASSWORD).await;
    assert_eq!(refusal(&banned), (403, "invalid_grant"));
    assert!(banned.1["detail"].as_str().unwrap().contains("spam"), "{}", banned.1);
    assert_eq!(tokens.status(&app).await, 401);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r28_a_network_or_domain_that_is_banned_stops_tokens_that_were_given_out(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@mail.example.org", "Mara", "developer").await;
    let (cli, from) = (Caller::cli(), Visitor::terminal());
    let tokens = signed_in(&app, "mara@mail.example.org").await;
    add_ban(&app.ctx, &cli, &from, "elsewhere.example", Term { reason: "spam", until: None }).await.unwrap();
    assert_eq!(tokens.status(&app).await, 200, "another domain");
    add_ban(&app.ctx, &cli, &from, "example.org", Term { reason: "spam", until: None }).await.unwrap();
    assert_eq!(tokens.status(&app).await, 401);
    assert_eq!(refusal(&tokens.refresh(&app).await), (400, "invalid_grant"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_second_factor_is_asked_of_programs_too(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, phone) = with_app(&app, "developer").await;
    let with = |name: &str, value: &str| {
        let mut body = password_grant(&person.email, PASSWORD);
        body[name] = value.into();
        body
    };
    let asked = post(&app, TOKEN, password_grant(&person.email, PASSWORD)).await;
    assert_eq!(refusal(&asked), (400, "mfa_required"));
    assert!(asked.1["detail"].as_str().unwrap().contains("code"), "{}", asked.1);
    assert_eq!(refusal(&post(&app, TOKEN, with("code", &phone.wrong(&app))).await), (422, "invalid_grant"));

    let code = phone.code(&app);
    let (status, body) = post(&app, TOKEN, with("code", &code)).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(Tokens::of(&body).status(&app).await, 200);
    assert_eq!(refusal(&post(&app, TOKEN, with("code", &code)).await), (422, "invalid_grant"), "a code is accepted once (R29)");
    let browser = half_way(&app, &person.email).await;
    assert_eq!(give_code(&browser, &code).await.status(), 422, "nor in a browser");

    let (status, body) = post(&app, TOKEN, with("recovery_code", &phone.codes[0])).await;
    assert_eq!(status, 200, "{body}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_owes_a_second_factor_gets_no_tokens(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.auth.second_factor = SecondFactor::Operators).await;
    app.account("vera@example.com", "Vera", "developer").await;
    app.account("otto@example.com", "Otto", "operator").await;
    signed_in(&app, "vera@example.com").await;
    let refused = post(&app, TOKEN, password_grant("otto@example.com", PASSWORD)).await;
    assert_eq!(refusal(&refused), (403, "invalid_grant"));
    assert!(refused.1["detail"].as_str().unwrap().contains("second factor"), "{}", refused.1);
    assert_eq!(count(&app, "select count(*) from token_families").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r50_dangerous_acts_need_credentials_of_the_last_ten_minutes(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let tokens = signed_in(&app, "mara@example.com").await;
    let end_others = async |tokens: &Tokens| tokens.call(&app, Method::DELETE, "/api/v1/me/sessions").await;
    assert_eq!(end_others(&tokens).await.status(), 200);
    app.ctx.clock.advance(Duration::minutes(11));
    let late = end_others(&tokens).await;
    assert_eq!((late.status().as_u16(), late.headers()["content-type"].to_str().unwrap()), (403, "application/problem+json"));
    assert!(late.text().await.unwrap().contains("not older than ten minutes"));
    let refreshed = Tokens::of(&tokens.refresh(&app).await.1);
    assert_eq!(end_others(&refreshed).await.status(), 403, "refreshing proves nothing");
    assert_eq!(end_others(&signed_in(&app, "mara@example.com").await).await.status(), 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r70_the_password_is_never_taken_as_a_form_and_bad_input_is_named(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let form = [("grant_type", "password"), ("email", "mara@example.com"), ("password", PASSWORD)];
    let answer = program().post(app.url(TOKEN)).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"], "invalid_request");

    // What RFC 6749 §6 has is taken as a form.
    let tokens = signed_in(&app, "mara@example.com").await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str()), ("client_id", "nightly backup")];
    assert_eq!(program().post(app.url(TOKEN)).form(&form).send().await.unwrap().status(), 200);

    assert_eq!(refusal(&post(&app, TOKEN, json!({ "grant_type": "client_credentials" })).await), (400, "unsupported_grant_type"));
    for (body, pointer) in [
        (json!({}), "#/grant_type"),
        (json!({ "grant_type": "password" }), "#/email"),
        (json!({ "grant_type": "refresh_token" }), "#/refresh_token"),
        (json!({ "grant_type": "password", "email": "mara@example.com", "password": 7 }), "#/password"),
        (json!({ "grant_type": "password", "email": "mara@example.com", "password": PASSWORD, "client_id": "<b>bank</b>" }), "#/client_id"),
        (json!({ "grant_type": "password", "email": "mara@example.com", "password": PASSWORD, "scope": "all" }), "#/scope"),
    ] {
        let refused = post(&app, TOKEN, body).await;
        assert_eq!(refusal(&refused), (422, "invalid_request"));
        assert_eq!(refused.1["errors"][0]["pointer"], pointer, "{}", refused.1);
    }
    let other_site = program().post(app.url(TOKEN)).header("sec-fetch-site", "cross-site").json(&password_grant("mara@example.com", PASSWORD));
    assert_eq!(other_site.send().await.unwrap().status(), 403, "no page of another site signs anybody in");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r25_the_owner_is_told_of_a_new_program_once(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    signed_in(&app, "mara@example.com").await;
    let mail = mail_about(&app, "mara@example.com", "A program signed in to your account").await;
    for words in ["nightly backup", "backup", "127.0.0.1", "/not-me?token="] {
        assert!(mail.text.contains(words), "{words}: {}", mail.text);
    }
    let before = app.mails().len();
    signed_in(&app, "mara@example.com").await;
    app.run_jobs().await;
    assert_eq!(app.mails().len(), before, "the same program again is no news");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r41_tokens_stand_neither_in_the_log_nor_in_the_database(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let (log, guard) = Log::keep("info,tollgate=trace,sqlx=trace");
    let first = signed_in(&app, "mara@example.com").await;
    let second = Tokens::of(&first.refresh(&app).await.1);
    assert_eq!(second.status(&app).await, 200);
    app.ctx.clock.advance(Duration::minutes(1));
    assert_eq!(first.refresh(&app).await.0, 400);
    app.run_jobs().await;
    drop(guard);

    let log = log.text();
    assert!(log.contains("used again"), "something was logged: {log}");
    for secret in [&first.access, &first.refresh, &second.access, &second.refresh] {
        assert!(!log.contains(&secret[4..20]), "{log}");
    }
    let third = signed_in(&app, "mara@example.com").await;
    let stored: String =
        sqlx::query_scalar("select (select string_agg(t::text, '') from program_tokens t) || (select string_agg(f::text, '') from token_families f)")
            .fetch_one(&app.ctx.db)
            .await
            .unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert!(stored.contains(&hex(&sha256(&third.access))), "{stored}");
    for secret in [&third.access, &third.refresh] {
        assert!(!stored.contains(secret.as_str()) && !stored.contains(&hex(secret.as_bytes())), "{stored}");
    }
}
