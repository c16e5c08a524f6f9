//! Bans over REST.

use super::events;
use crate::{
    keys::{json as answer, passes, person_with, text},
    support::TestApp,
};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;

const BANS: &str = "/api/v1/bans";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_bans_lists_and_lifts(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["admin:read", "accounts:manage"]).await;
    let dev = person_with(&app, &db, "dev@else.example", "developer", &["keys:read", "keys:write"]).await;
    let secret = dev.new_key(&app, "shop").await.1;
    let account = dev.owner.account.to_string();

    let wish = json!({ "target": account, "reason": "sends spam", "seconds": 3600 });
    let made = ops.post(&app, BANS, wish.clone()).await;
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    let (status, body) = answer(made).await;
    assert_eq!((status, &body["account_id"], &body["email"], &body["domain"]), (201, &json!(account), &json!("dev@else.example"), &json!(null)));
    assert_eq!((&body["state"], &body["until"], &body["reason"]), (&json!("active"), &json!("2026-11-20T13:00:00Z"), &json!("sends spam")));
    assert_eq!((&body["spread"]["nodes"], &body["spread"]["confirmed"]), (&json!(1), &json!(1)), "{body}");
    assert_eq!(passes(&app, &secret).await, 403, "the answer waited for the gate");
    assert_eq!(ops.post(&app, BANS, wish).await.status(), 200, "sent twice");
    assert_eq!(ops.post(&app, BANS, json!({ "target": account, "reason": "another" })).await.status(), 409);
    assert_eq!(events(&app, "account.banned").await, 1);

    app.ctx.clock.advance(Duration::SECOND); // ids of one instant are in no order
    let (status, domain) = answer(ops.post(&app, BANS, json!({ "target": "*.Spam.Example", "reason": "throwaways" })).await).await;
    assert_eq!((status, &domain["domain"], &domain["until"], &domain["by"]), (201, &json!("spam.example"), &json!(null), &json!("Mara")));
    assert_eq!(domain["spread"], json!(null), "no key belongs to a domain");
    let (_, list) = answer(ops.get(&app, &format!("{BANS}?limit=1")).await).await;
    assert_eq!((&list["data"][0]["id"], &list["has_more"]), (&domain["id"], &json!(true)));
    let (_, rest) = answer(ops.get(&app, &format!("{BANS}?limit=1&cursor={}", text(&list, "next_cursor"))).await).await;
    assert_eq!((&rest["data"][0]["id"], &rest["has_more"], &rest["next_cursor"]), (&body["id"], &json!(false), &json!(null)));

    let (status, body) = answer(ops.post(&app, &format!("{location}/lift"), json!({})).await).await;
    assert_eq!((status, &body["state"], &body["spread"]["confirmed"]), (200, &json!("lifted"), &json!(1)), "{body}");
    assert_eq!(ops.call(&app, Method::DELETE, &location, None).await.status(), 204, "it is lifted already");
    assert_eq!(events(&app, "account.unbanned").await, 1);
    assert_eq!(passes(&app, &secret).await, 200);
    let (_, lifted) = answer(ops.get(&app, &location).await).await;
    assert_eq!((&lifted["state"], &lifted["lifted_by"]), (&json!("lifted"), &json!("Mara")));
    let (_, past) = answer(ops.get(&app, &format!("{BANS}?state=past")).await).await;
    assert_eq!((past["data"].as_array().unwrap().len(), &past["data"][0]["id"]), (1, &body["id"]));
    assert_eq!(answer(ops.get(&app, &format!("{BANS}/ban_nothing")).await).await.0, 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_wrong_with_a_ban_is_told_beside_its_field(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["admin:read", "accounts:manage"]).await;
    for (wrong, pointer) in [
        (json!({ "target": "0.0.0.0/0", "reason": "x" }), "#/target"),
        (json!({ "target": "", "reason": "x" }), "#/target"),
        (json!({ "target": "spam.example", "reason": " " }), "#/reason"),
        (json!({ "target": "spam.example" }), "#/reason"),
        (json!({ "target": "spam.example", "reason": "x", "seconds": 0 }), "#/seconds"),
        (json!({ "target": "spam.example", "reason": "x", "until": "never" }), "#/until"),
    ] {
        let (status, problem) = answer(ops.post(&app, BANS, wrong).await).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
    }
    let own = ops.owner.account.to_string();
    assert_eq!(ops.post(&app, BANS, json!({ "target": own, "reason": "x" })).await.status(), 409, "S89: nobody bans themself");
    assert_eq!(ops.post(&app, BANS, json!({ "target": "127.0.0.1", "reason": "x" })).await.status(), 409);
    let nobody = app.ctx.new_id::<tollgate::values::AccountId>().to_string();
    assert_eq!(ops.post(&app, BANS, json!({ "target": nobody, "reason": "x" })).await.status(), 404);
    for query in ["?limit=0", "?state=maybe", "?cursor=x", "?colour=blue"] {
        assert_eq!(ops.get(&app, &format!("{BANS}{query}")).await.status(), 422, "{query}");
    }
    assert_eq!(events(&app, "ban.added").await + events(&app, "account.banned").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn others_do_not_reach_bans(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let dev = person_with(&app, &db, "dev@example.com", "developer", &["keys:read", "admin:read", "accounts:manage"]).await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["admin:read"]).await;
    let wish = || Some(json!({ "target": "spam.example", "reason": "x" }));
    for (method, path, body) in [
        (Method::GET, BANS, None),
        (Method::POST, BANS, wish()),
        (Method::GET, "/api/v1/bans/ban_00000000000000000000000000", None),
        (Method::DELETE, "/api/v1/bans/ban_00000000000000000000000000", None),
        (Method::POST, "/api/v1/bans/ban_00000000000000000000000000/lift", None),
    ] {
        assert_eq!(dev.call(&app, method.clone(), path, body).await.status(), 403, "{method} {path}: the owner has not what the key says");
    }
    assert_eq!(ops.get(&app, BANS).await.status(), 200);
    assert_eq!(ops.call(&app, Method::POST, BANS, wish()).await.status(), 403, "to look is not to ban");
    assert_eq!(app.http.get(app.url(BANS)).send().await.unwrap().status(), 401);
}
