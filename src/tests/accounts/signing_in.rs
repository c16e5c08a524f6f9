//! Signing in: one sentence and one hash for every refusal, waits that grow, a new session id each time.

use super::{count, seen, unproven};
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
};
use sqlx::PgPool;
use std::sync::Arc;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        server::{NewAccount, Passwords, Visitor, create_account, disable_account},
    },
    platform::config::Config,
};

const WRONG: &str = "not the right one at all";

fn runs(app: &TestApp) -> u64 {
    Passwords::of(&app.ctx).unwrap().runs()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r15_s29_known_and_unknown_addresses_get_the_same_bytes(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    unproven(&app, "unproven@example.com").await;
    let no_password =
        NewAccount { email: "bare@example.com".parse().unwrap(), name: "Bea", password: None, roles: &["developer"], is_verified: true, by: "test" };
    create_account(&app.ctx, &no_password).await.unwrap();
    let mut answers = Vec::new();
    for email in ["known@example.com", "nobody@example.com", "unproven@example.com", "bare@example.com"] {
        // Until it locks, and while it is locked.
        let mut all = String::new();
        for _ in 0..5 {
            all += &seen(app.browser().sign_in(email, WRONG).await, email).await;
        }
        answers.push(all);
    }
    assert!(answers[0].contains("Email and password do not match."), "{}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r16_unknown_account_takes_one_hash(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    let no_password =
        NewAccount { email: "bare@example.com".parse().unwrap(), name: "Bea", password: None, roles: &["developer"], is_verified: true, by: "test" };
    create_account(&app.ctx, &no_password).await.unwrap();
    for (case, email, password) in [
        ("right", "known@example.com", PASSWORD),
        ("wrong", "known@example.com", WRONG),
        ("unknown", "nobody@example.com", WRONG),
        ("no password set (S31)", "bare@example.com", WRONG),
        ("empty password (S30)", "known@example.com", ""),
        ("empty password, unknown", "nobody@example.com", ""),
    ] {
        let before = runs(&app);
        app.browser().sign_in(email, password).await;
        assert_eq!(runs(&app) - before, 1, "{case}");
    }
    for _ in 0..4 {
        app.browser().sign_in("locked@example.com", WRONG).await;
    }
    let before = runs(&app);
    assert_eq!(app.browser().sign_in("locked@example.com", WRONG).await.status(), 429);
    assert_eq!(runs(&app) - before, 1, "locked");
    // Sign-up costs one hash too, whoever has the address.
    for email in ["known@example.com", "fresh@example.com"] {
        let before = runs(&app);
        super::sign_up(&app.browser(), email, "Vera", PASSWORD).await;
        assert_eq!(runs(&app) - before, 1, "sign-up of {email}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s32_the_address_is_found_however_it_is_written(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("Mara@Example.com", "Mara", "developer").await;
    for email in ["mara@example.com", "  MARA@EXAMPLE.COM\t"] {
        assert_eq!(location(&app.browser().sign_in(email, PASSWORD).await), "/home", "{email}");
    }
    assert_eq!(app.browser().sign_in("", PASSWORD).await.status(), 422);
    assert_eq!(app.browser().sign_in("mara", PASSWORD).await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s33_r18_a_disabled_account_is_told_so_after_the_right_password_only(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let from = Visitor { address: "127.0.0.1".parse().unwrap(), device: String::new() };
    disable_account(&app.ctx, &Caller::cli(), &from, vera.account, "Sent spam").await.unwrap();
    assert!(!vera.browser.is_signed_in().await, "R45: the session ended with it");
    let wrong = app.browser().sign_in(&vera.email, WRONG).await.text().await.unwrap();
    assert!(wrong.contains("do not match") && !wrong.contains("is disabled") && !wrong.contains("Sent spam"));
    let right = app.browser().sign_in(&vera.email, PASSWORD).await;
    assert_eq!(right.status(), 409);
    assert!(right.text().await.unwrap().contains("This account is disabled: Sent spam."));
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s37_r19_waits_grow_are_told_and_end(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let try_it = |password: &'static str| {
        let browser = app.browser();
        async move { browser.sign_in("mara@example.com", password).await }
    };
    for _ in 0..2 {
        assert_eq!(try_it(WRONG).await.status(), 422);
    }
    for wait in [1, 2, 4, 8, 16] {
        let refused = try_it(WRONG).await;
        assert_eq!(refused.status(), 422);
        let said = refused.text().await.unwrap();
        assert!(said.contains(&format!("Wait {wait} second")), "{wait}: {said}");
        let locked = try_it(PASSWORD).await;
        assert_eq!(locked.status(), 429, "R18: the right password is not even looked at");
        assert_eq!(locked.headers()["retry-after"], wait.to_string());
        app.ctx.clock.advance(Duration::seconds(wait));
    }
    for _ in 0..10 {
        try_it(WRONG).await;
        app.ctx.clock.advance(Duration::minutes(15));
    }
    assert_eq!(try_it(WRONG).await.status(), 422, "never longer than a quarter of an hour");
    app.ctx.clock.advance(Duration::minutes(15));
    assert_eq!(location(&try_it(PASSWORD).await), "/home");
    assert_eq!(count(&app, "select count(*) from attempt_counters where bucket like 'sign_in:id:%'").await, 0, "reset on success");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r17_unknown_addresses_are_counted_by_what_was_typed(db: PgPool) {
    let app = TestApp::start(db).await;
    for _ in 0..3 {
        app.browser().sign_in("nobody@example.com", WRONG).await;
    }
    assert_eq!(app.browser().sign_in("Nobody@Example.com", WRONG).await.status(), 429);
    assert_eq!(app.browser().sign_in("somebody@example.com", WRONG).await.status(), 422);
    assert_eq!(count(&app, "select count(*) from attempt_counters where bucket like '%example%'").await, 0, "the table names nobody");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r21_one_network_address_cannot_try_for_ever(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    for n in 0..30 {
        assert_eq!(app.browser().sign_in(&format!("guess{n}@example.com"), WRONG).await.status(), 422, "{n}");
    }
    let before = runs(&app);
    let refused = app.browser().sign_in("mara@example.com", PASSWORD).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(runs(&app), before, "R21: before any hashing");
    app.ctx.clock.advance(Duration::seconds(1));
    assert_eq!(location(&app.browser().sign_in("mara@example.com", PASSWORD).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s38_exactly_three_of_many_parallel_guesses_are_looked_at(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let tries: Vec<_> = (0..12)
        .map(|_| {
            let browser = app.browser();
            async move { browser.sign_in("mara@example.com", WRONG).await.status().as_u16() }
        })
        .collect();
    let statuses = futures_util::future::join_all(tries).await;
    assert_eq!(statuses.iter().filter(|s| **s == 422).count(), 3, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|s| **s == 429).count(), 9, "{statuses:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s34_s35_next_leads_to_a_path_of_this_site_and_nowhere_else(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    for (next, to) in [
        ("/keys?api=demo&page=2", "/keys?api=demo&page=2"),
        ("/settings/security#password", "/settings/security#password"),
        ("", "/home"),
        ("https://evil.example/", "/home"),
        ("//evil.example/", "/home"),
        ("/\\evil.example", "/home"),
        ("\\\\evil.example", "/home"),
        ("/\t/evil.example", "/home"),
        ("/\n/evil.example", "/home"),
        ("javascript:alert(1)", "/home"),
        ("/..//evil.example", "/home"),
        ("@evil.example", "/home"),
        ("/sign-out", "/home"),
        ("/keys\r\nSet-Cookie: x=y", "/home"),
    ] {
        let answer = app.browser().post::<api::SignIn>("/sign-in", &[("email", "mara@example.com"), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!(location(&answer), to, "{next:?}");
    }
    // A refusal keeps the way.
    let browser = app.browser();
    let path = location(&browser.get("/keys?api=demo").await).to_owned();
    let refused = browser.post::<api::SignIn>(&path, &[("email", "mara@example.com"), ("password", WRONG), ("next", "/keys?api=demo")]).await;
    let page = refused.text().await.unwrap();
    assert!(page.contains("name=\"next\" value=\"/keys?api=demo\"") || page.contains("value=\"/keys?api=demo\""), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s42_who_is_signed_in_is_not_asked_again(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    for path in ["/sign-in", "/sign-up", "/"] {
        assert_eq!(location(&vera.browser.get(path).await), "/home", "{path}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s43_r11_an_old_hash_is_renewed_and_a_failing_renewal_keeps_nobody_out(db: PgPool) {
    let app = TestApp::start(db).await;
    let id = app.account("mara@example.com", "Mara", "developer").await;
    let mut older = Config::development(std::path::PathBuf::new()).auth;
    (older.argon2_memory_kib, older.argon2_passes) = (128, 2);
    let older = Arc::new(Passwords::new(&older, &app.ctx.vault, &app.ctx.rng).unwrap());
    let old = older.hash(&app.ctx.rng, &PASSWORD.into()).await.unwrap();
    let set = |hash: String| sqlx::query("update accounts set password_hash = $1 where id = $2").bind(hash).bind(id.uuid()).execute(&app.ctx.db);
    let hash = || sqlx::query_scalar::<_, String>("select password_hash from accounts where email = 'mara@example.com'").fetch_one(&app.ctx.db);

    set(old.clone()).await.unwrap();
    assert_eq!(location(&app.browser().sign_in("mara@example.com", PASSWORD).await), "/home");
    let renewed = hash().await.unwrap();
    assert!(renewed.contains("m=64,t=1") && renewed != old, "{renewed}");
    assert_eq!(location(&app.browser().sign_in("mara@example.com", PASSWORD).await), "/home");
    assert_eq!(hash().await.unwrap(), renewed, "once is enough");

    set(old.clone()).await.unwrap();
    sqlx::raw_sql(
        "create function no() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
        create trigger no before update of password_hash on accounts for each row execute function no()",
    )
    .execute(&app.ctx.db)
    .await
    .unwrap();
    assert_eq!(location(&app.browser().sign_in("mara@example.com", PASSWORD).await), "/home");
    assert_eq!(hash().await.unwrap(), old);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s45_r23_the_session_id_is_new_each_time_and_a_planted_one_is_refused(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let sid = |answer: &reqwest::Response| {
        let cookie = answer.headers().get_all("set-cookie").iter().find_map(|c| c.to_str().unwrap().strip_prefix("sid=").map(str::to_owned));
        cookie.expect("a session cookie")
    };
    let form = [("_fn", "/fn/tollgate/accounts/api/signing_in/sign_in"), ("email", "mara@example.com"), ("password", PASSWORD)];
    let bare = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let post = |cookie: &str| bare.post(app.url("/sign-in")).header("sec-fetch-site", "same-origin").header("cookie", cookie.to_owned()).form(&form).send();

    let planted = "sid=AAAAAAAAAAAAAAAAAAAAAA";
    let first = sid(&post(planted).await.unwrap());
    let value = |cookie: &str| cookie.split(';').next().unwrap().to_owned();
    assert_ne!(value(&first), "AAAAAAAAAAAAAAAAAAAAAA");
    assert!(first.contains("HttpOnly") && first.contains("SameSite=Lax") && first.contains("Path=/") && first.contains("Max-Age="), "{first}");
    let second = sid(&post(&format!("sid={}", value(&first))).await.unwrap());
    assert_ne!(value(&second), value(&first));
    let opens = async |sid: &str| {
        let answer = bare.get(app.url("/settings/profile")).header("cookie", format!("sid={sid}")).send().await.unwrap();
        answer.status() == 200
    };
    assert!(opens(&value(&second)).await);
    assert!(!opens(&value(&first)).await, "the old id is dead");
    assert!(!opens("AAAAAAAAAAAAAAAAAAAAAA").await);
    assert_eq!(count(&app, "select count(*) from sessions").await, 1);
    assert_eq!(count(&app, "select count(*) from sessions where length(id_hash) = 32").await, 1, "R41: hashed");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s36_s47_a_form_of_another_site_signs_nobody_in(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let form = [("_fn", "/fn/tollgate/accounts/api/signing_in/sign_in"), ("email", "mara@example.com"), ("password", PASSWORD)];
    for (name, value) in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example"), ("origin", "null")] {
        for path in ["/sign-in", "/fn/tollgate/accounts/api/signing_in/sign_in"] {
            let answer = app.http.post(app.url(path)).header(name, value).form(&form).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{name}: {value} {path}");
            assert!(!answer.headers().contains_key("set-cookie"));
        }
    }
    // Every browser says where a form comes from.
    let silent = app.http.post(app.url("/sign-in")).form(&form).send().await.unwrap();
    assert_eq!(silent.status(), 403);
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn pressing_twice_signs_in_and_loses_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let mara = app.browser();
    let (a, b) = tokio::join!(mara.sign_in("mara@example.com", PASSWORD), mara.sign_in("mara@example.com", PASSWORD));
    assert_eq!((location(&a), location(&b)), ("/home", "/home"));
    assert!(mara.is_signed_in().await);
}
