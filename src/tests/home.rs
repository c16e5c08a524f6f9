//! `/home`: the way to the first call, then what wants a decision.

use crate::{
    gate::{Given, Owner, key, known},
    support::{TestApp, until},
};
use serde_json::json;
use sqlx::PgPool;
use tollgate::{
    accounts::{Via, server::caller_of_account},
    keys::server::gate::Gate,
    values::SessionId,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_new_account_sees_the_way_to_its_first_call(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    assert_eq!(app.get("/home").await.status(), 303);
    let person = app.sign_in_as("developer").await;
    let page = person.browser.page("/home").await;
    for wanted in ["Three steps to a protected API", "Make a key", "href=\"/keys\"", "href=\"/docs\""] {
        assert!(page.contains(wanted), "{wanted} is missing in {page}");
    }
    assert!(!page.contains("Calls of the last 24 hours") && !page.contains("Needs your attention") && !page.contains("Go to Admin"));
    assert!(app.sign_in_as("operator").await.browser.page("/home").await.contains("Go to Admin"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn keys_that_want_a_decision_come_first(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("operator").await;
    let caller = caller_of_account(&app.ctx, person.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let owner = Owner { account: person.account, workspace: caller.workspace };
    let (service, asking) = key(&db, &app, &owner, Given { api: "tollgate", permissions: &["keys:verify"], limit: None }).await;
    let (held, secret) = key(&db, &app, &owner, Given { limit: Some((2, 3_600)), ..Given::default() }).await;
    let (expiring, _) = key(&db, &app, &owner, Given::default()).await;
    sqlx::query("update keys set name = 'nightly <export>', expires_at = created_at + interval '6 days' where id = $1")
        .bind(expiring.uuid())
        .execute(&db)
        .await
        .unwrap();
    known(&app, service).await;
    known(&app, held).await;
    for _ in 0..3 {
        let question = json!({ "key": secret, "api": "demo", "route": "GET /orders" });
        app.http.post(app.url("/api/v1/keys/verify")).bearer_auth(&asking).json(&question).send().await.unwrap();
    }
    assert_eq!(app.ctx.part::<Gate>().unwrap().limit_state(held, app.ctx.clock.now_micros())[0].remaining, 0);
    let written = || sqlx::query_scalar::<_, Option<i64>>("select sum(count)::bigint from usage_quarters where key_id = $1").bind(held.uuid()).fetch_one(&db);
    until("the calls are written", || async { written().await.unwrap() == Some(3) }).await;

    let page = person.browser.page("/home").await;
    for wanted in [
        "Two things need your attention",
        "nightly &lt;export&gt;",
        " expires in 6 days",
        " has reached its limit",
        &format!("/usage?key={held}"),
        "Calls of the last 24 hours",
        "2 of 2 units an hour",
        "resets at 13:00",
    ] {
        assert!(page.contains(wanted), "{wanted} is missing in {page}");
    }
    assert!(!page.contains("Make a key") && !page.contains("<export>"));
    let list = person.browser.page("/keys").await;
    assert!(list.contains("Held until 13:00") && list.contains("Held 1 of 3 calls in the last 24 hours at 2 units an hour."), "{list}");

    // Calls pass again: from then on the badge speaks of what is past.
    app.ctx.clock.set(app.ctx.clock.now() + time::Duration::HOUR);
    for at in ["/home", "/keys"] {
        let page = person.browser.page(at).await;
        assert!(page.contains("1 limited in 24 h") && !page.contains("reached its limit") && !page.contains("until 13:00"), "{at}: {page}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_limit_that_is_used_up_is_said_before_a_call_meets_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("operator").await;
    let caller = caller_of_account(&app.ctx, person.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let owner = Owner { account: person.account, workspace: caller.workspace };
    let (service, asking) = key(&db, &app, &owner, Given { api: "tollgate", permissions: &["keys:verify"], limit: None }).await;
    let (held, secret) = key(&db, &app, &owner, Given { limit: Some((1, 3_600)), ..Given::default() }).await;
    known(&app, service).await;
    known(&app, held).await;
    let question = json!({ "key": secret, "api": "demo", "route": "GET /orders" });
    app.http.post(app.url("/api/v1/keys/verify")).bearer_auth(&asking).json(&question).send().await.unwrap();
    for at in ["/keys".to_owned(), format!("/keys/{held}"), format!("/admin/keys?key={held}")] {
        let page = person.browser.page(&at).await;
        assert!(page.contains("Held until 13:00"), "{at}: {page}");
        assert!(page.contains("The limit of 1 unit an hour is used up. Calls pass again at 13:00."), "{at}: {page}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_many_keys_those_that_want_a_decision_are_found(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    let caller = caller_of_account(&app.ctx, person.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let owner = Owner { account: person.account, workspace: caller.workspace };
    let named = async |name: &str, days: i32| {
        let (id, _) = key(&db, &app, &owner, Given::default()).await;
        let query = sqlx::query("update keys set name = $2, expires_at = created_at + make_interval(days => $3) where id = $1");
        query.bind(id.uuid()).bind(name).bind(days).execute(&db).await.unwrap();
    };
    named("the expired one", 0).await;
    named("the expiring one", 6).await;
    sqlx::query(
        "insert into keys (id, workspace_id, api_id, name, created_at, updated_at)
         select gen_random_uuid(), $1, a.id, 'n' || n, $2::timestamptz + n * interval '1 ms', $2 from generate_series(1, 60) n, apis a where a.slug = 'demo'",
    )
    .bind(caller.workspace.uuid())
    .bind(app.ctx.clock.now())
    .execute(&db)
    .await
    .unwrap();

    let page = person.browser.page("/home").await;
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words} is missing in {page}"));
    assert!(at("Needs your attention") < at("the expiring one") && at("the expiring one") < at("the expired one"), "the most urgent first");
}
