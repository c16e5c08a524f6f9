//! Usage by address: a part of the exact counts, which never adds to them; bounded, forgotten, and nobody else's.

use super::{DEMO, developer, key, tally};
use crate::{
    gate::Scene,
    keys::{json as answer, person},
    support::{T0, TestApp, until},
};
use serde_json::json;
use sqlx::PgPool;
use std::net::IpAddr;
use time::Duration;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    keys::server::meter::{Batch, FromAddress, addresses::folded},
    platform::jobs::Job,
    usage::{
        model::UsageQuery,
        server::{
            ForgetRareAddresses, count_usage_lines, export_usage, forget_old_usage, forget_rare_addresses, list_series, page_of_usage, quarters_over,
            report_errors, report_usage, write_batch,
        },
    },
    values::{ApiId, Counts, KeyId, Outcome, SessionId},
};

const QUARTER: i64 = T0.unix_timestamp() / 900;

fn from(owner: &Caller, key: KeyId, address: &str, outcome: Outcome, quarter: i64, count: u64) -> FromAddress {
    let address: IpAddr = address.parse().unwrap();
    FromAddress { key, workspace: owner.workspace, api: ApiId::new(DEMO), address: folded(address), outcome, quarter, count }
}

/// 115 calls of two keys, of which 100 came from a known address: 75 from 192.0.2.1, 25 from a network of IPv6.
fn a_day(owner: &Caller, a: KeyId, b: KeyId) -> Batch {
    let minute = T0.unix_timestamp() / 60;
    Batch {
        counts: vec![
            tally(owner, a, "GET /orders", Outcome::Valid, minute, 100),
            tally(owner, a, "GET /orders", Outcome::Forbidden, minute, 10),
            tally(owner, b, "GET /", Outcome::Valid, minute, 5),
        ],
        addresses: vec![
            from(owner, a, "192.0.2.1", Outcome::Valid, QUARTER, 60),
            from(owner, a, "192.0.2.1", Outcome::Forbidden, QUARTER, 10),
            from(owner, a, "2001:db8:1:2::9", Outcome::Valid, QUARTER, 25),
            from(owner, b, "192.0.2.1", Outcome::Valid, QUARTER, 5),
        ],
        ..Batch::default()
    }
}

fn asked(pairs: &[(&str, &str)]) -> UsageQuery {
    UsageQuery::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn addresses_stand_beside_exact_counts_and_filter_them(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "Europe/Stockholm").await, developer(&app.ctx, "tom", "UTC").await);
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    let (id, batch) = (app.ctx.new_id(), a_day(&mara, a, b));
    assert!(write_batch(&app.ctx, id, &batch).await.unwrap());
    assert!(!write_batch(&app.ctx, id, &batch).await.unwrap(), "once");
    let report = async |pairs: &[(&str, &str)]| report_usage(&app.ctx, &mara, asked(pairs)).await.unwrap();
    let of = |report: &tollgate::usage::model::UsageReport| report.addresses.iter().map(|a| (a.address.clone(), a.counts)).collect::<Vec<_>>();
    let (v4, v6) = ("192.0.2.1".to_owned(), "2001:db8:1:2::/64".to_owned());
    let counts = |passed, refused| Counts { passed, refused, ..Counts::default() };

    let all = report(&[]).await;
    assert_eq!((all.totals.total(), of(&all)), (115, vec![(v4.clone(), counts(65, 10)), (v6.clone(), counts(25, 0))]));
    let one = report(&[("address", "192.0.2.1")]).await;
    assert_eq!((one.totals, of(&one)), (counts(65, 10), vec![(v4.clone(), counts(65, 10))]));
    assert_eq!(one.buckets.iter().map(|b| b.counts.total()).sum::<u64>(), 75);
    assert_eq!(one.keys.iter().map(|k| (k.key, k.counts.total())).collect::<Vec<_>>(), [(a, 70), (b, 5)]);
    assert_eq!((one.codes, one.routes.len(), one.address_choices), (vec![(Outcome::Valid, 65), (Outcome::Forbidden, 10)], 0, vec![v4, v6.clone()]));
    assert_eq!(report(&[("address", "2001:db8:1:2:3::4")]).await.totals.total(), 25, "a whole address of IPv6 means its network");
    assert_eq!(report(&[("address", v6.as_str())]).await.totals.total(), 25);
    assert_eq!(report(&[("address", "192.0.2.9")]).await.totals.total(), 0);
    assert_eq!(of(&report(&[("key", b.to_string().as_str())]).await), [("192.0.2.1".to_owned(), counts(5, 0))]);
    assert_eq!(of(&report(&[("outcome", "errors")]).await), [("192.0.2.1".to_owned(), counts(0, 10))]);
    assert!(report(&[("route", "GET /orders")]).await.addresses.is_empty(), "by route or by address");
    let errors = report_errors(&app.ctx, &mara, asked(&[("address", "192.0.2.1")])).await.unwrap();
    assert_eq!((errors.report.totals.total(), errors.calls), (10, 75));
    let series = list_series(&app.ctx, &mara, &asked(&[("address", "192.0.2.1"), ("bucket", "hour")])).await.unwrap();
    assert_eq!(series.points.iter().map(|p| p.total).sum::<u64>(), 75);

    for (pairs, field) in
        [(&[("address", "192.0.2.1"), ("route", "GET /orders")][..], "address"), (&[("address", "192.0.2.0/24")][..], "address"), (&[("by", "moon")][..], "by")]
    {
        assert!(report_usage(&app.ctx, &mara, asked(pairs)).await.unwrap_err().field(field).is_some(), "{pairs:?}");
    }
    let minutes = list_series(&app.ctx, &mara, &asked(&[("address", "192.0.2.1"), ("bucket", "minute")])).await.unwrap_err();
    assert!(minutes.field("bucket").is_some());
    let theirs = report_usage(&app.ctx, &tom, asked(&[("address", "192.0.2.1")])).await.unwrap();
    assert_eq!((theirs.totals.total(), theirs.address_choices), (0, vec!["192.0.2.1".to_owned()]), "another workspace");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_file_by_address_adds_up_to_all_calls(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = developer(&app.ctx, "mara", "UTC").await;
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    write_batch(&app.ctx, app.ctx.new_id(), &a_day(&mara, a, b)).await.unwrap();
    let by_address = asked(&[("by", "address")]);
    let lines = export_usage(&app.ctx, &mara, &by_address).await.unwrap().unwrap();
    let mut told: Vec<_> = lines.iter().map(|l| (l.key.as_str(), l.address.as_str(), l.code.as_str(), l.calls)).collect();
    told.sort_unstable(); // keys of one instant have no order
    assert_eq!(
        told,
        [
            ("a", "192.0.2.1", "FORBIDDEN", 10),
            ("a", "192.0.2.1", "VALID", 60),
            ("a", "2001:db8:1:2::/64", "VALID", 25),
            ("a", "Others or unknown", "VALID", 15),
            ("b", "192.0.2.1", "VALID", 5)
        ]
    );
    assert!(lines.iter().all(|l| l.route.is_empty() && l.units.is_none() && l.estimated_cost.is_none()));
    let now = app.ctx.clock.now();
    assert_eq!(page_of_usage(&app.ctx, &mara, &by_address, now, None).await.unwrap(), (lines, None), "a job writes the same");
    assert_eq!(count_usage_lines(&app.ctx, &mara, &by_address, now).await.unwrap(), 5);
    let of_one = export_usage(&app.ctx, &mara, &asked(&[("address", "2001:db8:1:2::/64")])).await.unwrap().unwrap();
    assert_eq!(of_one.iter().map(|l| l.calls).sum::<u64>(), 25);
    let plain = export_usage(&app.ctx, &mara, &asked(&[])).await.unwrap().unwrap();
    assert!(plain.iter().all(|l| l.address.is_empty() && !l.route.is_empty()));
    assert_eq!(plain.iter().map(|l| l.calls).sum::<u64>(), 115);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_busiest_addresses_stay_and_all_are_forgotten_after_a_month(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = developer(&app.ctx, "mara", "UTC").await;
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    let of = |key, quarter, n: u8| from(&mara, key, &format!("192.0.2.{n}"), Outcome::Valid, quarter, u64::from(n) + 1);
    let addresses = (0..130).flat_map(|n| [of(a, QUARTER - 4, n), of(a, QUARTER, n)]).chain([of(b, QUARTER - 4, 7)]).collect();
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { addresses, ..Batch::default() }).await.unwrap();
    ForgetRareAddresses {}.run(&app.ctx).await.unwrap();
    let kept: Vec<(i64, i64)> =
        sqlx::query_as("select count(*), min(count) from usage_addresses group by key_id, quarter order by 1").fetch_all(&db).await.unwrap();
    assert_eq!(kept, [(1, 8), (100, 31), (130, 1)], "a quarter of an hour that is not over waits");
    app.ctx.clock.advance(Duration::days(31));
    while forget_old_usage(&app.ctx).await.unwrap() {}
    assert_eq!(sqlx::query_scalar::<_, i64>("select count(*) from usage_addresses").fetch_one(&db).await.unwrap(), 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn rare_addresses_are_ranked_one_quarter_of_an_hour_at_a_time(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = developer(&app.ctx, "mara", "UTC").await;
    let a = key(&app.ctx, &mara, "a").await;
    let of = |quarter, n: u8| from(&mara, a, &format!("192.0.2.{n}"), Outcome::Valid, quarter, u64::from(n) + 1);
    let addresses = (0..110).flat_map(|n| [of(QUARTER - 6, n), of(QUARTER - 5, n)]).collect();
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { addresses, ..Batch::default() }).await.unwrap();
    let kept =
        async || -> Vec<i64> { sqlx::query_scalar("select count(*) from usage_addresses group by quarter order by quarter").fetch_all(&db).await.unwrap() };
    let quarters = quarters_over(&app.ctx);
    assert!(quarters.windows(2).all(|two| two[1] - two[0] == Duration::minutes(15)) && quarters.len() <= 24, "{quarters:?}");
    let older = quarters.iter().find(|quarter| quarter.unix_timestamp() / 900 == QUARTER - 6).expect("it is over");
    assert!(forget_rare_addresses(&app.ctx, *older).await.unwrap());
    assert_eq!(kept().await, [100, 110], "the other quarter was not looked at");
    assert!(!forget_rare_addresses(&app.ctx, *older).await.unwrap(), "and nothing is left of this one");
    ForgetRareAddresses {}.run(&app.ctx).await.unwrap();
    assert_eq!(kept().await, [100, 100]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_gate_tells_from_where_a_call_came(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    for (ip, calls) in [(Some("203.0.113.7"), 3), (Some("2001:db8:1:2:3:4:5:6"), 2), (None, 4)] {
        for _ in 0..calls {
            scene.ask(json!({ "key": scene.secret, "ip": ip })).await;
        }
    }
    until("the calls are written", || async {
        sqlx::query_scalar::<_, i64>("select coalesce(sum(count), 0)::bigint from usage_by_day('-infinity', 'infinity') where key_id = $1")
            .bind(scene.key.uuid())
            .fetch_one(&db)
            .await
            .unwrap()
            == 9
    })
    .await;
    let known: Vec<(String, i64)> = sqlx::query_as("select address, sum(count)::bigint from usage_addresses where key_id = $1 group by 1 order by 2 desc")
        .bind(scene.key.uuid())
        .fetch_all(&db)
        .await
        .unwrap();
    assert_eq!(known, [("203.0.113.7".to_owned(), 3), ("2001:db8:1:2::/64".to_owned(), 2)]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn addresses_over_rest_and_on_the_page(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let dev = person(&app, &db, "dev@example.com", "developer").await;
    let via = Via::Session(app.ctx.new_id::<SessionId>());
    let owner = caller_of_account(&app.ctx, dev.owner.account, via).await.unwrap().unwrap();
    let (a, b) = (key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await);
    write_batch(&app.ctx, app.ctx.new_id(), &a_day(&owner, a, b)).await.unwrap();
    let (status, body) = answer(dev.get(&app, &format!("/api/v1/usage/addresses?key={a}")).await).await;
    assert_eq!((status, &body["total"], &body["others"]), (200, &json!(110), &json!(15)));
    assert_eq!(body["data"][0], json!({ "address": "192.0.2.1", "total": 70, "passed": 60, "limited": 0, "refused": 10 }));
    assert_eq!(dev.get(&app, "/api/v1/usage/addresses?route=x").await.status(), 422);

    let signed_in = app.sign_in_as("developer").await;
    let owner = caller_of_account(&app.ctx, signed_in.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let (a, b) = (key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await);
    write_batch(&app.ctx, app.ctx.new_id(), &a_day(&owner, a, b)).await.unwrap();
    let page = signed_in.browser.page("/usage").await;
    for wanted in ["By address", "192.0.2.1", "2001:db8:1:2::/64", "Others or unknown", "All addresses", "href=\"/exports\""] {
        assert!(page.contains(wanted), "{wanted}");
    }
    let one = signed_in.browser.page("/usage?address=192.0.2.1").await;
    assert!(one.contains("Calls from one address") && !one.contains("Others or unknown") && !one.contains("By route"));
    assert!(signed_in.browser.page("/usage/errors").await.contains("Samples from 192.0.2.1"));
    assert_eq!(signed_in.browser.get("/usage?address=home").await.status(), 422);
}
