//! Limits on the usage page of a node that has let nothing pass itself.

use super::{developer, key, tally, write};
use crate::support::{T0, TestApp, until};
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit},
        server::{edit_key, gate::Gate},
    },
    usage::{
        model::UsageQuery,
        server::{export_limits, report_usage},
    },
    values::Outcome,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_node_shows_and_exports_how_near_limits_are(db: PgPool) {
    let (app, other) = (TestApp::start(db.clone()).await, TestApp::start(db).await);
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let (shop, nightly) = (key(&app.ctx, &owner, "shop").await, key(&app.ctx, &owner, "nightly").await);
    for (key, most, window) in [(shop, 1_000, "day"), (nightly, 600, "rolling:day")] {
        let limits = vec![KeyLimit::new("quota", most, window.parse().unwrap())];
        edit_key(&app.ctx, &Caller::cli(), key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
        let gate = other.ctx.part::<Gate>().unwrap();
        until("the other node knows it", async || gate.limit_state(key, 0).first().is_some_and(|limit| limit.limit == most)).await;
    }
    // As a node writes what it has counted: six hours ago, a quarter of the day.
    let counted = |key, calls| tally(&owner, key, "GET /", Outcome::Valid, T0.unix_timestamp() / 60 - 360, calls);
    write(&app, vec![counted(shop, 400), counted(nightly, 600)]).await;
    for node in [&app, &other] {
        let report = report_usage(&node.ctx, &owner, UsageQuery::default()).await.unwrap();
        let nearest: Vec<_> = report.meters.iter().map(|meter| (meter.key, meter.used, meter.remaining)).collect();
        assert_eq!(nearest, [(nightly, 600, 0), (shop, 400, 600)]);
        assert_eq!(
            report.meters[1].forecast.as_ref().map(|forecast| forecast.expected),
            Some(1_200),
            "400 in the last six hours, twice that in the next twelve"
        );
        let lines = export_limits(&node.ctx, &owner, &UsageQuery::default()).await.unwrap();
        assert_eq!(lines.iter().map(|line| (line.used, line.limit)).collect::<Vec<_>>(), [(600, 600), (400, 1_000)]);
    }
}
