//! Usage by permission: what calls needed, whether their route says it or the asking service.

use super::{DEMO, developer, key, tally};
use crate::{
    gate::{Given, Scene},
    keys::{json as answer, person},
    support::{T0, TestApp, until},
};
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    keys::server::meter::{Batch, ForPermission},
    usage::{
        model::{UsageQuery, UsageReport},
        server::{count_usage_lines, export_usage, forget_old_usage, list_series, page_of_usage, report_usage, write_batch},
    },
    values::{ApiId, Counts, KeyId, Outcome, SessionId},
};

const MINUTE: i64 = T0.unix_timestamp() / 60;

fn needing(owner: &Caller, key: KeyId, permission: &str, outcome: Outcome, count: u64) -> ForPermission {
    ForPermission { key, workspace: owner.workspace, api: ApiId::new(DEMO), permission: permission.into(), outcome, minute: MINUTE, count }
}

/// 115 calls of two keys: 90 needed orders:read, 30 of them orders:audit too.
fn a_day(owner: &Caller, a: KeyId, b: KeyId) -> Batch {
    Batch {
        counts: vec![
            tally(owner, a, "GET /orders", Outcome::Valid, MINUTE, 100),
            tally(owner, a, "GET /orders", Outcome::RateLimited, MINUTE, 10),
            tally(owner, b, "GET /", Outcome::Valid, MINUTE, 5),
        ],
        permissions: vec![
            needing(owner, a, "orders:read", Outcome::Valid, 75),
            needing(owner, a, "orders:read", Outcome::RateLimited, 10),
            needing(owner, a, "orders:audit", Outcome::Valid, 30),
            needing(owner, b, "orders:read", Outcome::Valid, 5),
        ],
        ..Batch::default()
    }
}

fn asked(pairs: &[(&str, &str)]) -> UsageQuery {
    UsageQuery::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn permissions_stand_beside_exact_counts_and_filter_them(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "Europe/Stockholm").await, developer(&app.ctx, "tom", "UTC").await);
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    let (id, batch) = (app.ctx.new_id(), a_day(&mara, a, b));
    assert!(write_batch(&app.ctx, id, &batch).await.unwrap());
    assert!(!write_batch(&app.ctx, id, &batch).await.unwrap(), "once");
    let report = async |pairs: &[(&str, &str)]| report_usage(&app.ctx, &mara, asked(pairs)).await.unwrap();
    let of = |report: &UsageReport| report.permissions.iter().map(|p| (p.permission.clone(), p.counts)).collect::<Vec<_>>();
    let counts = |passed, limited| Counts { passed, limited, ..Counts::default() };
    let (read, audit) = ("orders:read".to_owned(), "orders:audit".to_owned());

    let all = report(&[]).await;
    assert_eq!((all.totals.total(), of(&all)), (115, vec![(read.clone(), counts(80, 10)), (audit.clone(), counts(30, 0))]));
    let one = report(&[("permission", "orders:read")]).await;
    assert_eq!((one.totals, of(&one), one.routes.len()), (counts(80, 10), vec![(read.clone(), counts(80, 10))], 0));
    assert_eq!(one.keys.iter().map(|k| (k.key, k.counts.total())).collect::<Vec<_>>(), [(a, 85), (b, 5)]);
    assert_eq!(one.permission_choices, [read.clone(), audit]);
    assert_eq!(of(&report(&[("key", b.to_string().as_str())]).await), [(read, counts(5, 0))]);
    assert!(report(&[("route", "GET /orders")]).await.permissions.is_empty() && report(&[("address", "192.0.2.1")]).await.permissions.is_empty());
    let series = list_series(&app.ctx, &mara, &asked(&[("permission", "orders:audit"), ("bucket", "hour")])).await.unwrap();
    assert_eq!(series.points.iter().map(|p| p.total).sum::<u64>(), 30);
    for (pairs, field) in [
        (&[("permission", "orders:read"), ("route", "GET /orders")][..], "permission"),
        (&[("permission", "orders:read"), ("address", "192.0.2.1")][..], "permission"),
        (&[("permission", "orders:read"), ("by", "address")][..], "by"),
        (&[("permission", "everything")][..], "permission"),
    ] {
        assert!(report_usage(&app.ctx, &mara, asked(pairs)).await.unwrap_err().field(field).is_some(), "{pairs:?}");
    }
    assert!(report_usage(&app.ctx, &tom, asked(&[])).await.unwrap().permissions.is_empty(), "another workspace");

    let now = app.ctx.clock.now();
    let by_permission = asked(&[("by", "permission")]);
    let lines = export_usage(&app.ctx, &mara, &by_permission).await.unwrap().unwrap();
    let mut told: Vec<_> = lines.iter().map(|l| (l.key.as_str(), l.permission.as_str(), l.code.as_str(), l.calls)).collect();
    told.sort_unstable(); // keys of one instant have no order
    assert_eq!(
        told,
        [("a", "orders:audit", "VALID", 30), ("a", "orders:read", "RATE_LIMITED", 10), ("a", "orders:read", "VALID", 75), ("b", "orders:read", "VALID", 5)]
    );
    assert!(lines.iter().all(|l| l.route.is_empty() && l.address.is_empty() && l.units.is_none()));
    assert_eq!(page_of_usage(&app.ctx, &mara, &by_permission, now, None).await.unwrap(), (lines, None), "a job writes the same");
    assert_eq!(count_usage_lines(&app.ctx, &mara, &by_permission, now).await.unwrap(), 4);
    let of_one = export_usage(&app.ctx, &mara, &asked(&[("permission", "orders:audit")])).await.unwrap().unwrap();
    assert_eq!(of_one.iter().map(|l| (l.permission.as_str(), l.calls)).collect::<Vec<_>>(), [("orders:audit", 30)]);

    app.ctx.clock.advance(Duration::days(31));
    while forget_old_usage(&app.ctx).await.unwrap() {}
    assert_eq!(sqlx::query_scalar::<_, i64>("select count(*) from usage_permissions").fetch_one(&db).await.unwrap(), 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_gate_tells_what_calls_needed_that_got_as_far_as_the_limits(db: PgPool) {
    let scene = Scene::with(db.clone(), Given { permissions: &["orders:read", "orders:audit"], limit: Some((3, 3_600)), ..Given::default() }).await;
    for permission in [Some("orders:read"), Some("orders:audit"), Some("orders:read"), Some("orders:read"), Some("orders:write"), None] {
        scene.ask(json!({ "key": scene.secret, "permission": permission })).await;
    }
    until("the calls are written", || async {
        sqlx::query_scalar::<_, i64>("select coalesce(sum(count), 0)::bigint from usage_quarters where key_id = $1")
            .bind(scene.key.uuid())
            .fetch_one(&db)
            .await
            .unwrap()
            == 6
    })
    .await;
    let needed: Vec<(String, String, i64)> =
        sqlx::query_as("select permission, outcome, sum(count)::bigint from usage_permissions where key_id = $1 group by 1, 2 order by 1, 2 desc")
            .bind(scene.key.uuid())
            .fetch_all(&db)
            .await
            .unwrap();
    let row = |permission: &str, outcome: &str, calls| (permission.to_owned(), outcome.to_owned(), calls);
    let expected = [row("orders:audit", "VALID", 1), row("orders:read", "VALID", 2), row("orders:read", "RATE_LIMITED", 1)];
    assert_eq!(needed, expected, "orders:write was refused, and is no use");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn permissions_over_rest_and_on_the_page(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let dev = person(&app, &db, "dev@example.com", "developer").await;
    let owner = caller_of_account(&app.ctx, dev.owner.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let (a, b) = (key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await);
    write_batch(&app.ctx, app.ctx.new_id(), &a_day(&owner, a, b)).await.unwrap();
    let (status, body) = answer(dev.get(&app, &format!("/api/v1/usage/permissions?key={a}")).await).await;
    assert_eq!(status, 200);
    assert_eq!(body["data"][0], json!({ "permission": "orders:read", "total": 85, "passed": 75, "limited": 10 }));
    assert_eq!(dev.get(&app, "/api/v1/usage/permissions?route=x").await.status(), 422);

    let signed_in = app.sign_in_as("developer").await;
    let owner = caller_of_account(&app.ctx, signed_in.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let (a, b) = (key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await);
    write_batch(&app.ctx, app.ctx.new_id(), &a_day(&owner, a, b)).await.unwrap();
    let page = signed_in.browser.page("/usage").await;
    for wanted in ["By permission", "orders:audit", "By permission, CSV", "All permissions"] {
        assert!(page.contains(wanted), "{wanted}");
    }
    let table = page.split("h-bypermission").last().unwrap().split("</table>").next().unwrap();
    assert!(table.contains("Limited") && !table.contains("Refused"), "what was refused is not in it: {table}");
    let one = signed_in.browser.page("/usage?permission=orders%3Aaudit").await;
    assert!(one.contains("Calls that needed one permission") && !one.contains("By route"));
}
