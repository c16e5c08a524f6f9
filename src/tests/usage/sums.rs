//! Sums by code: of everybody, a workspace, an API or a key, for operators and on the command line.

use super::{developer, key, operator, tally, write};
use crate::{
    plans::cli::{json, run},
    support::{T0, TestApp, folder::Folder},
};
use sqlx::PgPool;
use tollgate::{
    error::AppError,
    usage::{
        model::UsageQuery,
        server::{UsageSum, sum_usage},
    },
    values::Outcome,
};

const MINUTE: i64 = T0.unix_timestamp() / 60;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn calls_are_summed_by_what_became_of_them(db: PgPool) {
    let app = TestApp::start(db).await;
    let (ben, eva, olga) = (developer(&app.ctx, "ben", "UTC").await, developer(&app.ctx, "eva", "UTC").await, operator(&app.ctx).await);
    let (till, shop, hers) = (key(&app.ctx, &ben, "till").await, key(&app.ctx, &ben, "shop").await, key(&app.ctx, &eva, "hers").await);
    write(
        &app,
        vec![
            tally(&ben, till, "GET /orders", Outcome::Valid, MINUTE, 100),
            tally(&ben, till, "GET /orders", Outcome::RateLimited, MINUTE - 60, 10),
            tally(&ben, shop, "GET /", Outcome::Forbidden, MINUTE - 26 * 60, 3),
            tally(&eva, hers, "GET /", Outcome::Valid, MINUTE, 7),
        ],
    )
    .await;
    let sum = async |workspace, query: UsageQuery| sum_usage(&app.ctx, &olga, workspace, &query).await;
    let of = |sum: &UsageSum| (sum.passed, sum.limited, sum.refused, sum.units);
    let range = |range: &str| UsageQuery { range: Some(range.to_owned()), ..UsageQuery::default() };

    let all = sum(None, range("7d")).await.unwrap();
    assert_eq!((of(&all), all.total), ((107, 10, 3, 107), 120));
    let codes: Vec<(&str, u64)> = all.by_code.iter().map(|(code, calls)| (code.as_str(), *calls)).collect();
    assert_eq!(codes, [("FORBIDDEN", 3), ("RATE_LIMITED", 10), ("VALID", 107)]);
    assert_eq!(of(&sum(Some(ben.workspace), range("7d")).await.unwrap()), (100, 10, 3, 100));
    assert_eq!(of(&sum(Some(ben.workspace), range("24h")).await.unwrap()), (100, 10, 0, 100), "the other call is of the day before");
    assert_eq!(of(&sum(None, UsageQuery { key: Some(shop.to_string()), ..range("year") }).await.unwrap()), (0, 0, 3, 0));
    assert_eq!(of(&sum(None, UsageQuery { route: Some("GET /".to_owned()), ..range("7d") }).await.unwrap()), (7, 0, 3, 7));
    assert_eq!(of(&sum(None, UsageQuery { api: Some("tollgate".to_owned()), ..range("7d") }).await.unwrap()), (0, 0, 0, 0));
    let day = UsageQuery { from: Some("2026-11-19".to_owned()), to: Some("2026-11-19".to_owned()), ..UsageQuery::default() };
    let day = sum(None, day).await.unwrap();
    assert_eq!((of(&day), day.from.as_str(), day.to.as_str()), ((0, 0, 3, 0), "2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"));
    assert!(sum(None, range("9d")).await.is_err_and(|error| error.field("range").is_some()));
    assert!(matches!(sum_usage(&app.ctx, &ben, None, &range("7d")).await, Err(AppError::Forbidden { .. })), "operators only");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn usage_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    let folder = Folder::new();
    let usage = |arguments: &[&str]| run(&folder, &db, &[&["usage"], arguments].concat());
    let none = json(&usage(&["--account", &person.email, "--api", "demo", "--range", "24h", "--json"]));
    assert_eq!((&none["total"], &none["by_code"], &none["units"]), (&0.into(), &serde_json::json!({}), &0.into()), "{none}");
    assert!(String::from_utf8_lossy(&usage(&["--from", "2026-01-01", "--to", "2026-01-01"]).stdout).contains("from 2026-01-01T00:00:00Z to 2026-01-02"));
    for (code, wrong) in [
        (2, &["--range", "9d"][..]),
        (2, &["--range", "7d", "--from", "2026-01-01"]),
        (2, &["--to", "2026-01-01"]),
        (2, &["--key", "key_x"]),
        (3, &["--api", "nothing"]),
        (3, &["--account", "nobody@example.com"]),
    ] {
        assert_eq!(usage(wrong).status.code(), Some(code), "{wrong:?}");
    }
}
