//! The pages: what is counted is on the page, without JavaScript; filters stand in the URL; nothing typed becomes HTML.

use super::{DEMO, tally};
use crate::support::{T0, TestApp, browser::Person};
use sqlx::PgPool;
use std::sync::Arc;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    keys::{
        model::Ground,
        server::meter::{Batch, Refusal, Tally},
    },
    usage::server::write_batch,
    values::{ApiId, Outcome, SessionId},
};

async fn caller(app: &TestApp, person: &Person) -> Caller {
    caller_of_account(&app.ctx, person.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap()
}

async fn write(app: &TestApp, counts: Vec<Tally>, samples: Vec<Refusal>) {
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { counts, samples, ..Batch::default() }).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_next_step_is_a_key_then_a_call(db: PgPool) {
    let app = TestApp::start(db).await;
    assert_eq!(app.get("/usage").await.headers()["location"], "/sign-in?next=%2Fusage");
    let person = app.sign_in_as("developer").await;
    let page = person.browser.page("/usage").await;
    assert!(page.contains("No calls yet") && page.contains("href=\"/keys\""), "{page}");
    super::key(&app.ctx, &caller(&app, &person).await, "first").await;
    let page = person.browser.page("/usage").await;
    assert!(page.contains("/forward-auth/demo") && !page.contains("href=\"/keys\" class=\"btn"), "{page}");
    let route = "insert into api_routes (api_id, method, pattern) select id, 'GET', '/health' from apis where slug = 'demo'";
    sqlx::query(route).execute(&app.ctx.db).await.unwrap();
    assert!(person.browser.page("/usage").await.contains("X-Forwarded-Uri: /health"), "where routes count, the call names one that it may");
    assert!(person.browser.page("/requests").await.contains("Every call passed"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_was_counted_is_on_the_page(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let owner = caller(&app, &person).await;
    let (k, other) = (super::key(&app.ctx, &owner, "<b>checkout</b> & co").await, super::key(&app.ctx, &owner, "other").await);
    let m = T0.unix_timestamp() / 60;
    write(
        &app,
        vec![
            tally(&owner, k, "GET /<script>alert(1)</script>", Outcome::Valid, m, 1_234),
            tally(&owner, k, "POST /orders", Outcome::RateLimited, m - 1440, 77),
            tally(&owner, other, "POST /orders", Outcome::Forbidden, m - 1440, 5),
        ],
        Vec::new(),
    )
    .await;
    let page = person.browser.page("/usage").await;
    for wanted in [
        "1,316",
        "1,234",
        "77 on 19 Nov",
        "0.38 %, from 1 key",
        "Calls by day",
        "&lt;b&gt;checkout&lt;/b&gt; &amp; co",
        "GET /&lt;script&gt;",
        "All keys",
        "/api/v1/usage/export?format=csv",
        "/api/v1/usage/export?format=json",
        "By outcome",
    ] {
        assert!(page.contains(wanted), "{wanted} is missing in {page}");
    }
    assert!(!page.contains("<b>checkout") && !page.contains("<script>alert"));

    let page = person.browser.page(&format!("/usage?key={other}&range=7d")).await;
    assert!(page.contains("Calls of other by day") && !page.contains("1,316"), "{page}");
    assert!(page.contains(&format!("/api/v1/usage/export?range=7d&amp;key={other}&amp;format=csv")), "{page}");

    let answer = person.browser.get(&format!("/api/v1/usage/export?range=7d&key={other}&format=csv")).await;
    assert_eq!(answer.status(), 200, "the button's link works with the session alone");
    let text = answer.text().await.unwrap();
    assert!(text.ends_with(",other,demo,POST /orders,FORBIDDEN,5,0,,,,,shown\r\n") && text.lines().count() == 2, "{text}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_wrong_address_says_so_and_others_keys_are_not_there(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let k = super::key(&app.ctx, &caller(&app, &mara).await, "hers").await;
    assert_eq!(mara.browser.get(&format!("/usage?key={k}")).await.status(), 200);
    assert_eq!(tom.browser.get(&format!("/usage?key={k}")).await.status(), 404);
    for path in ["/usage?range=9d", "/usage?from=%27;drop%20table", "/usage?key=%3Cscript%3E", "/requests?code=NOPE", "/requests?before=x"] {
        let answer = mara.browser.get(path).await;
        assert_eq!(answer.status(), 422, "{path}");
        let page = answer.text().await.unwrap();
        assert!(!page.contains("\"<script>") && !page.contains("“<script>"), "{path}: {page}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_wrong_time_keeps_its_form_and_the_other_filters(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = app.sign_in_as("developer").await;
    for (path, wanted) in [
        (
            "/usage?from=2026-11-19T10:00&to=2026-11-18T10:00&api=demo",
            &["value=\"2026-11-19T10:00\"", "to-error", "The end lies before the beginning.", "value=\"demo\""][..],
        ),
        ("/usage/errors?from=2026-12-01T10:00&outcome=limited", &["from-error", "This lies in the future.", "value=\"limited\""]),
        ("/usage?range=7d&compare=2026-11-25", &["compare-error", "Take an earlier day.", "value=\"2026-11-25\"", "name=\"range\""]),
        ("/requests?from=2026-11-19T10:00&to=2026-11-18T10:00&code=FORBIDDEN", &["to-error", "The end lies before the beginning.", "value=\"FORBIDDEN\""]),
    ] {
        let answer = mara.browser.get(path).await;
        assert_eq!(answer.status(), 422, "{path}");
        let page = answer.text().await.unwrap();
        for wanted in wanted {
            assert!(page.contains(wanted), "{path} has no {wanted}: {page}");
        }
        assert!(page.contains("aria-invalid=\"true\"") && !page.contains("This was not accepted"), "{path}: {page}");
    }
    assert!(mara.browser.get("/usage?range=9d").await.text().await.unwrap().contains("This was not accepted"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn refusals_are_listed_with_their_rule(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let owner = caller(&app, &person).await;
    let k = super::key(&app.ctx, &owner, "ERP bridge").await;
    let refusal = |code, n: i64| Refusal {
        at_micros: (T0.unix_timestamp() - n) * 1_000_000,
        key: Some(k),
        workspace: Some(owner.workspace),
        api: Some(ApiId::new(DEMO)),
        code,
        ground: Ground::guessed(code),
        limit: String::new(),
        permission: String::new(),
        route: Arc::from("GET /invoices"),
        address: "192.0.2.77".into(),
        request_id: format!("req-{n}"),
        detail: String::new(),
    };
    let samples = (0..60).map(|n| refusal(if n == 0 { Outcome::RateLimited } else { Outcome::Forbidden }, n)).collect();
    let m = T0.unix_timestamp() / 60;
    write(&app, vec![tally(&owner, k, "GET /invoices", Outcome::Forbidden, m, 412), tally(&owner, k, "GET /invoices", Outcome::RateLimited, m, 1)], samples)
        .await;
    let page = person.browser.page("/requests").await;
    assert!(
        page.contains(": 413 calls. Below are samples") && page.contains(Outcome::Forbidden.sentence()) && page.contains("req-49") && !page.contains("req-50"),
        "{page}"
    );
    let older = page.split("href=\"").find(|part| part.starts_with("/requests?before=")).and_then(|part| part.split('"').next()).unwrap().replace("&amp;", "&");
    let page = person.browser.page(&older).await;
    assert!(page.contains("req-50") && page.contains("req-59") && !page.contains("req-49\""), "{page}");
    let page = person.browser.page("/requests?code=RATE_LIMITED").await;
    assert!(page.contains("req-0") && !page.contains("req-1<"), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_refusal_opens_beside_the_list_with_the_next_step(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let owner = caller(&app, &person).await;
    let k = super::key(&app.ctx, &owner, "ERP bridge").await;
    let sample = Refusal {
        at_micros: T0.unix_timestamp() * 1_000_000,
        key: Some(k),
        workspace: Some(owner.workspace),
        api: Some(ApiId::new(DEMO)),
        code: Outcome::IpDenied,
        ground: Ground::Address,
        limit: String::new(),
        permission: String::new(),
        route: Arc::from("GET /<b>"),
        address: "192.0.2.77".into(),
        request_id: "req-1".into(),
        detail: "It came from 192.0.2.77, which is not among the key's addresses.".into(),
    };
    write(&app, vec![tally(&owner, k, "GET /<b>", Outcome::IpDenied, T0.unix_timestamp() / 60, 3)], vec![sample]).await;
    for (browser, path) in [(&person.browser, "/requests"), (&operator.browser, "/admin/refusals")] {
        let page = browser.page(path).await;
        let open = page.split("href=\"").find(|part| part.contains("open=")).and_then(|part| part.split(['"', '#']).next()).unwrap().replace("&amp;", "&");
        let page = browser.page(&open).await;
        for wanted in [
            "What the gate checked",
            "192.0.2.77 not listed",
            "6 checks passed before it",
            "8 checks not reached",
            "What the program was told",
            "403 Forbidden\nX-Auth-Code: IP_DENIED",
            "If this address is yours",
            "One of 3 calls like it",
            "req-1",
            "GET /&lt;b&gt;",
        ] {
            assert!(page.contains(wanted), "{wanted} is missing on {path}: {page}");
        }
        assert!(!page.contains("GET /<b>"));
    }
    let page = person.browser.page("/requests").await;
    assert!(page.contains("/api/v1/usage/refusals/export?format=csv"), "{page}");
    let answer = person.browser.get("/api/v1/usage/refusals/export?format=csv&code=IP_DENIED").await;
    let text = answer.text().await.unwrap();
    assert!(text.starts_with("at,code,detail,key_id,key,route,address,request_id,rule,limit,cost,one_in,left\r\n") && text.lines().count() == 2, "{text}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn errors_are_counted_by_code_route_and_key_and_lead_to_their_samples(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let owner = caller(&app, &person).await;
    let page = person.browser.page("/usage/errors").await;
    assert!(page.contains("No errors") && page.contains("0 calls in this time"), "{page}");
    let k = super::key(&app.ctx, &owner, "checkout").await;
    let m = T0.unix_timestamp() / 60;
    write(
        &app,
        vec![
            tally(&owner, k, "GET /orders", Outcome::Valid, m, 980),
            tally(&owner, k, "GET /orders", Outcome::RateLimited, m, 15),
            tally(&owner, k, "POST /orders", Outcome::Forbidden, m, 5),
        ],
        Vec::new(),
    )
    .await;
    let page = person.browser.page("/usage/errors?range=24h").await;
    for wanted in [
        "2.0 % of all calls",
        "RATE_LIMITED",
        "/requests?code=FORBIDDEN&amp;from=",
        "/requests?route=POST%20%2Forders&amp;from=",
        "outcome=errors&amp;format=json",
    ] {
        assert!(page.contains(wanted), "{wanted} is missing in {page}");
    }
    assert!(!page.contains(">Passed<"), "what passed is not on this page");
    let page = person.browser.page("/usage/errors?range=24h&api=demo").await;
    for wanted in ["/requests?code=FORBIDDEN&amp;api=demo&amp;from=", "/requests?route=POST%20%2Forders&amp;api=demo&amp;from="] {
        assert!(page.contains(wanted), "samples of the same API: {wanted} is missing in {page}");
    }
    let export = person.browser.get("/api/v1/usage/export?range=24h&outcome=errors&format=csv").await.text().await.unwrap();
    assert!(export.lines().count() == 3 && !export.contains("VALID"), "{export}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_time_before_is_compared_on_demand(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let owner = caller(&app, &person).await;
    let k = super::key(&app.ctx, &owner, "checkout").await;
    let m = T0.unix_timestamp() / 60;
    write(&app, vec![tally(&owner, k, "GET /", Outcome::Valid, m, 150), tally(&owner, k, "GET /", Outcome::Valid, m - 7 * 1440, 100)], Vec::new()).await;
    let page = person.browser.page("/usage?range=7d").await;
    assert!(page.contains("value=\"before\"") && !page.contains("before-mark"), "{page}");
    let page = person.browser.page("/usage?range=7d&compare=before").await;
    assert!(page.contains("+50.0 %, from 100") && page.contains("before-mark") && page.contains("Compared with 7 Nov to 13 Nov"), "{page}");
    // What came after this hour of last Friday is not compared: this Friday has not got there.
    write(&app, vec![tally(&owner, k, "GET /", Outcome::Valid, m - 7 * 1440 + 60, 900)], Vec::new()).await;
    assert!(person.browser.page("/usage?range=7d&compare=before").await.contains("+50.0 %, from 100"));
    write(&app, vec![tally(&owner, k, "GET /", Outcome::Forbidden, m - 7 * 1440, 25), tally(&owner, k, "GET /", Outcome::Forbidden, m, 30)], Vec::new()).await;
    let page = person.browser.page("/usage/errors?range=7d&compare=before").await;
    assert!(page.contains("+44.0 %, from 125; of these, 20.0 % were errors"), "all calls are compared, too: {page}");
    assert_eq!(person.browser.get("/usage?compare=twice").await.status(), 422);
}
