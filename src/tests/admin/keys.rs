//! Keys, APIs and refusals of everybody.

use super::{answer, caller, events, key_of};
use crate::support::{TestApp, browser::location};
use sqlx::PgPool;
use tollgate::{
    admin::{api, server},
    keys::model::KeyQuery,
    usage::model::RefusalQuery,
    values::Outcome,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_sees_and_stops_the_keys_of_everybody(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (key, secret) = key_of(&app, &person, "shop <i>till</i>").await;
    let page = operator.browser.page("/admin/keys").await;
    assert!(page.contains("shop &lt;i&gt;till&lt;/i&gt;") && page.contains(&person.name) && !page.contains(&secret));
    assert!(operator.browser.page("/admin/keys?q=nothing").await.contains("No key matches"));

    let id = key.to_string();
    let stopped = operator.browser.post::<api::DisableKey>("/admin/keys?q=shop", &[("id", &id)]).await;
    assert_eq!(location(&stopped), "/admin/keys?q=shop", "the filters stay");
    assert_eq!(answer(&app, &secret), Outcome::Disabled, "at once on this node");
    operator.browser.post::<api::DisableKey>("/admin/keys", &[("id", &id)]).await;
    assert_eq!(events(&app, "key.disabled").await, 1);
    operator.browser.post::<api::EnableKey>("/admin/keys", &[("id", &id), ("reason", "it was me")]).await;
    assert_eq!(answer(&app, &secret), Outcome::Valid);

    let panel = format!("/admin/keys?key={id}&ask=revoke");
    assert!(operator.browser.page(&panel).await.contains("for good"));
    let mistyped = operator.browser.post::<api::RevokeKey>(&panel, &[("id", &id), ("typed", "shop")]).await;
    assert_eq!(mistyped.status(), 422);
    assert_eq!(answer(&app, &secret), Outcome::Valid);
    let revoked = operator.browser.post::<api::RevokeKey>(&panel, &[("id", &id), ("typed", "shop <i>till</i>"), ("reason", "leaked")]).await;
    assert_eq!(location(&revoked), format!("/admin/keys?key={id}"));
    assert_eq!(answer(&app, &secret), Outcome::Revoked);
    assert!(operator.browser.page(&format!("/admin/accounts/{}", person.account)).await.contains("revoked the key"), "the account's history tells");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_limit_that_an_operator_sets_holds(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (key, _) = key_of(&app, &person, "shop").await;
    let (page, id) = (format!("/admin/keys?key={key}"), key.to_string());
    let limits = || {
        let gate = app.ctx.part::<tollgate::keys::server::gate::Gate>().unwrap();
        gate.limit_state(key, app.ctx.clock.now_micros()).into_iter().map(|l| (l.limit, l.length)).collect::<Vec<_>>()
    };
    assert_eq!(limits(), [(100, 3600)]);
    let set = operator.browser.post::<api::SetLimit>(&page, &[("id", &id), ("_form", "limit"), ("limit", "2,400"), ("window", "60")]).await;
    assert_eq!(location(&set), page);
    assert_eq!(limits(), [(2400, 60)]);
    let wrong =
        operator.browser.post::<api::SetLimit>(&page, &[("id", &id), ("_form", "limit"), ("was", "default"), ("limit", "many"), ("window", "60")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("value=\"many\""), "what was typed stays");
    operator.browser.post::<api::SetLimit>(&page, &[("id", &id), ("was", "default"), ("act", "remove")]).await;
    assert_eq!(limits(), [(100, 3600)], "none: the default again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_limits_an_api_and_a_workspace_on_their_pages(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (key, _) = key_of(&app, &person, "shop").await;
    let (of_demo, account, id) = ("/admin/apis/demo", format!("/admin/accounts/{}", person.account), person.account.to_string());
    let holds = || {
        let gate = app.ctx.part::<tollgate::keys::server::gate::Gate>().unwrap();
        gate.limit_state(key, app.ctx.clock.now_micros()).into_iter().map(|l| (l.limit, l.length, l.over.as_str())).collect::<Vec<_>>()
    };
    let throttle = [("over", "throttle"), ("over_per_second", "5"), ("over_until", "2027-01-31")];
    let of_api = [&[("slug", "demo"), ("_form", "limit"), ("limit", "50"), ("window", "60")], throttle.as_slice()].concat();
    assert_eq!(location(&operator.browser.post::<api::SetApiLimit>(of_demo, &of_api).await), of_demo);
    assert_eq!(holds(), [(50, 60, "throttle")]);
    let page = operator.browser.page(&format!("{of_demo}?set=default")).await;
    assert!(page.contains("value=\"50\"") && page.contains("value=\"2027-01-31\""), "the page shows what is set");

    let of_account = [("id", id.as_str()), ("_form", "limit"), ("limit", "7"), ("window", "month"), ("over", "mark")];
    assert_eq!(location(&operator.browser.post::<api::SetAccountLimit>(&account, &of_account).await), account);
    assert_eq!(holds(), [(7, 30 * 86_400, "mark")], "nearer than the API");
    assert!(operator.browser.page(&account).await.contains("Limits of all keys"));
    let wrong = [("id", id.as_str()), ("_form", "limit"), ("limit", "7"), ("window", "month"), ("over", "throttle"), ("over_per_second", "many")];
    let refused = operator.browser.post::<api::SetAccountLimit>(&account, &wrong).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("value=\"many\""), "what was typed stays");
    let wrong = [("id", id.as_str()), ("_form", "limit"), ("limit", "7"), ("window", "month"), ("refill", "77")];
    let refused = operator.browser.post::<api::SetAccountLimit>(&account, &wrong).await.text().await.unwrap();
    assert!(refused.contains("Only credits come back like this.") && refused.contains("value=\"77\""), "{refused}");

    let more = [("id", id.as_str()), ("_form", "limit"), ("name", "burst"), ("limit", "1"), ("window", "1")];
    operator.browser.post::<api::SetAccountLimit>(&account, &more).await;
    assert_eq!(holds(), [(1, 1, "refuse"), (7, 30 * 86_400, "mark")], "one more, beside the other");
    for name in ["burst", "default"] {
        operator.browser.post::<api::SetAccountLimit>(&account, &[("id", &id), ("was", name), ("act", "remove")]).await;
    }
    operator.browser.post::<api::SetApiLimit>(of_demo, &[("slug", "demo"), ("was", "default"), ("act", "remove")]).await;
    assert_eq!(holds(), [(100, 3_600, "refuse")], "the default again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_api_is_described_and_changed(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let fields = [("name", "Orders"), ("slug", "orders"), ("key_prefix", "ord"), ("permissions", "orders:read Read orders\r\n\r\norders:write\r\n")];
    let made = operator.browser.post::<api::CreateApi>("/admin/apis", &fields).await;
    assert_eq!(location(&made), "/admin/apis");
    assert!(operator.browser.page("/admin/apis").await.contains("ord_live_"), "it is listed with its prefix");

    let twice = operator.browser.post::<api::CreateApi>("/admin/apis", &fields).await;
    assert_eq!(twice.status(), 422);
    let twice = twice.text().await.unwrap();
    assert!(twice.contains("Another API has this slug.") && twice.contains("value=\"Orders\"") && twice.contains("orders:read Read orders"));
    let wrong = operator.browser.post::<api::CreateApi>("/admin/apis", &[("name", ""), ("slug", "A b"), ("permissions", "Read")]).await;
    assert_eq!(wrong.status(), 422);
    let wrong = wrong.text().await.unwrap();
    assert!(["name-error", "slug-error", "permissions-error"].iter().all(|id| wrong.contains(id)), "each field says what is wrong");
    assert_eq!(events(&app, "api.created").await, 1);

    let form = operator.browser.page("/admin/apis/orders").await;
    assert!(form.contains("orders:read Read orders\norders:write"));
    let fields = [("slug", "orders"), ("name", "Orders & more"), ("permissions", "orders:read"), ("unmatched", "refuse")];
    let saved = operator.browser.post::<api::SaveApi>("/admin/apis/orders", &fields).await;
    assert_eq!(location(&saved), "/admin/apis/orders");
    let page = server::read_api(&app.ctx, &caller(&app, operator.account).await, "orders", None, None).await.unwrap();
    assert_eq!((page.api.name.as_str(), page.api.permissions.len(), page.api.unmatched.as_str()), ("Orders & more", 1, "refuse"));
    // A form without the field leaves the permissions; who clears the field takes them all away.
    for (more, left) in [(&[][..], 1), (&[("permissions", "")][..], 0)] {
        let fields: Vec<(&str, &str)> = [("slug", "orders"), ("name", "Orders & more")].into_iter().chain(more.iter().copied()).collect();
        assert_eq!(location(&operator.browser.post::<api::SaveApi>("/admin/apis/orders", &fields).await), "/admin/apis/orders");
        let page = server::read_api(&app.ctx, &caller(&app, operator.account).await, "orders", None, None).await.unwrap();
        assert_eq!((page.api.permissions.len(), page.api.unmatched.as_str()), (left, "refuse"));
    }
    let nothing = [("slug", "orders"), ("name", "Orders & more"), ("unmatched", "")];
    assert_eq!(operator.browser.post::<api::SaveApi>("/admin/apis/orders", &nothing).await.status(), 422, "an empty choice is none");
    assert_eq!(operator.browser.get("/admin/apis/nothing").await.status(), 404);

    // Tollgate's own permissions are what its code asks for; a form can't change them.
    let own = operator.browser.post::<api::SaveApi>("/admin/apis/tollgate", &[("slug", "tollgate"), ("name", "Tollgate"), ("permissions", "x:y")]).await;
    assert_eq!(own.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn refusals_are_everybodys_and_unknown_keys_have_an_address(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (key, _) = key_of(&app, &person, "shop").await;
    let empty = operator.browser.page("/admin/refusals").await;
    assert!(empty.contains("Every call passed") && empty.contains("None today."));
    for (n, code) in [(1, "DISABLED"), (2, "RATE_LIMITED")] {
        sqlx::query("insert into refusal_samples (id, at, key_id, workspace_id, code, route, address) select gen_random_uuid(), $1, k.id, k.workspace_id, $2, 'GET /x', '203.0.113.9' from keys k where k.id = $3")
            .bind(app.ctx.clock.now() - time::Duration::minutes(n))
            .bind(code)
            .bind(key.uuid())
            .execute(&app.ctx.db)
            .await
            .unwrap();
    }
    for (address, count) in [("198.51.100.7", 3_i64), ("198.51.100.8", 1_000)] {
        sqlx::query("insert into unknown_attempts (minute, reason, address, count) values ($1, 'UNKNOWN', $2, $3), ($1 - interval '1 minute', 'UNKNOWN', $2, $3), ($1 - interval '2 days', 'UNKNOWN', $2, 7)")
            .bind(app.ctx.clock.now())
            .bind(address)
            .bind(count)
            .execute(&app.ctx.db)
            .await
            .unwrap();
    }
    let page = operator.browser.page("/admin/refusals").await;
    assert!(page.contains("203.0.113.9") && page.contains("2,000") && page.contains("198.51.100.7"));
    let limited = operator.browser.page("/admin/refusals?code=RATE_LIMITED").await;
    assert_eq!(limited.matches("203.0.113.9").count(), 2, "in its column, and below the key where that leaves");
    assert_eq!(operator.browser.get("/admin/refusals?code=NONE").await.status(), 422);

    let all = server::list_refusals(&app.ctx, &caller(&app, operator.account).await, RefusalQuery::default()).await.unwrap();
    let attempts: Vec<(&str, u64)> = all.attempts.iter().map(|a| (a.address.as_str(), a.calls)).collect();
    assert_eq!(attempts, [("198.51.100.8", 2_000), ("198.51.100.7", 6)], "today's, the most first");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r63_the_list_of_everybody_is_not_for_everybody(db: PgPool) {
    let app = TestApp::start(db).await;
    let (owner, other) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    key_of(&app, &owner, "mine").await;
    let as_other = caller(&app, other.account).await;
    let workspace = caller(&app, owner.account).await.workspace;
    for query in [KeyQuery { everywhere: true, ..KeyQuery::default() }, KeyQuery { workspace: Some(workspace), ..KeyQuery::default() }] {
        let refused = tollgate::keys::server::list_keys(&app.ctx, &as_other, query).await;
        assert_eq!(refused.unwrap_err().status(), 403);
    }
}
