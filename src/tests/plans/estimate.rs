//! What the units that passed are worth, at the prices of today's plans.

use crate::{
    support::TestApp,
    usage::{developer, key, tally, write},
};
use sqlx::PgPool;
use time::{OffsetDateTime, macros::datetime};
use tollgate::{
    accounts::Caller,
    keys::{model::KeyEdit, server::edit_key},
    plans::{
        model::{NewPlan, NewPrice},
        server::{assign_plan, create_plan},
    },
    usage::{
        model::{Estimate, UsageQuery},
        server::report_usage,
    },
    values::Outcome,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_passed_is_worth_the_price_of_the_plan(db: PgPool) {
    let app = TestApp::start(db).await;
    let (ctx, cli) = (&app.ctx, Caller::cli());
    // Days of this zone begin at 18:30 UTC: the first and the last of these three are cut, the others whole.
    let owner = developer(ctx, "asha", "Asia/Kolkata").await;
    let days = UsageQuery { from: Some("2026-11-17".into()), to: Some("2026-11-19".into()), ..UsageQuery::default() };
    let (a, b) = (key(ctx, &owner, "a").await, key(ctx, &owner, "b").await);
    let price = Some(NewPrice { per_1000: "0.50".into(), currency: "EUR".into() });
    create_plan(ctx, &cli, NewPlan { slug: "pro".into(), name: "Pro".into(), price, ..NewPlan::default() }).await.unwrap();
    create_plan(ctx, &cli, NewPlan { slug: "free".into(), name: "Free".into(), ..NewPlan::default() }).await.unwrap();
    let count = |key, outcome, at: OffsetDateTime, calls| tally(&owner, key, "GET /orders", outcome, at.unix_timestamp() / 60, calls);
    let counts = vec![
        count(a, Outcome::Valid, datetime!(2026-11-16 18:15 UTC), 1_000),
        count(a, Outcome::Valid, datetime!(2026-11-16 18:30 UTC), 100),
        count(a, Outcome::Valid, datetime!(2026-11-18 12:00 UTC), 3_000),
        count(a, Outcome::RateLimited, datetime!(2026-11-18 12:00 UTC), 500),
        count(b, Outcome::Valid, datetime!(2026-11-19 18:15 UTC), 40),
        count(b, Outcome::Valid, datetime!(2026-11-19 18:30 UTC), 7),
    ];
    write(&app, counts).await;
    let estimates = async |query: &UsageQuery| report_usage(ctx, &owner, query.clone()).await.unwrap().estimates;
    let pro = |units, worth: &str| Estimate { plan: "Pro".into(), price: "0.50 EUR for 1,000 units".into(), units, worth: worth.into() };
    assert!(estimates(&days).await.is_empty(), "no plan, no price");

    assign_plan(ctx, &cli, owner.workspace, Some("pro")).await.unwrap();
    assert_eq!(estimates(&days).await, [pro(3_140, "1.57 EUR")]);
    assert_eq!(estimates(&UsageQuery { key: Some(b.to_string()), ..days.clone() }).await, [pro(40, "0.02 EUR")]);
    assert!(estimates(&UsageQuery { outcome: Some("limited".into()), ..days.clone() }).await.is_empty(), "what was held is worth nothing");
    edit_key(ctx, &cli, b, KeyEdit { plan: Some(Some("free".into())), ..KeyEdit::default() }).await.unwrap();
    assert_eq!(estimates(&days).await, [pro(3_100, "1.55 EUR")], "a key's own plan stands before its workspace's");
}
