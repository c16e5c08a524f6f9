//! Blocks over REST.

use crate::{
    keys::{json as answer, passes, person_with, text},
    support::TestApp,
};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

const BLOCKS: &str = "/api/v1/blocks";

#[sqlx::test]
async fn an_operator_blocks_lists_and_lifts(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["keys:read", "keys:write", "blocks:manage"]).await;
    let (key, secret) = ops.new_key(&app, "shop").await;
    let wish = json!({ "target": key, "reason": "leaked", "seconds": 3600 });
    let made = ops.post(&app, BLOCKS, wish.clone()).await;
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    let (status, body) = answer(made).await;
    assert_eq!((status, &body["key_id"], &body["until"], &body["network"]), (201, &json!(key), &json!("2026-11-20T13:00:00Z"), &json!(null)));
    assert_eq!(passes(&app, &secret).await, 403);
    assert_eq!(ops.post(&app, BLOCKS, wish).await.status(), 200, "sent twice");

    app.ctx.clock.advance(time::Duration::SECOND); // ids of one instant are in no order
    let (_, network) = answer(ops.post(&app, BLOCKS, json!({ "target": "203.0.113.9/24", "reason": "tries keys" })).await).await;
    assert_eq!((&network["network"], &network["until"], &network["by"]), (&json!("203.0.113.0/24"), &json!(null), &json!("Mara")));
    let (_, list) = answer(ops.get(&app, &format!("{BLOCKS}?limit=1")).await).await;
    assert_eq!((&list["data"][0]["id"], &list["has_more"]), (&network["id"], &json!(true)));
    let (_, rest) = answer(ops.get(&app, &format!("{BLOCKS}?limit=1&cursor={}", text(&list, "next_cursor"))).await).await;
    assert_eq!((&rest["data"][0]["reason"], &rest["has_more"], &rest["next_cursor"]), (&json!("leaked"), &json!(false), &json!(null)));

    for _ in 0..2 {
        assert_eq!(ops.call(&app, Method::DELETE, &format!("{location}?note=rotated"), None).await.status(), 204);
    }
    assert_eq!(passes(&app, &secret).await, 200);
    let (_, lifted) = answer(ops.get(&app, &location).await).await;
    assert_eq!((&lifted["state"], &lifted["lift_note"], &lifted["lifted_by"]), (&json!("lifted"), &json!("rotated"), &json!("Mara")));

    for (wrong, pointer) in [
        (json!({ "target": "0.0.0.0/0", "reason": "x" }), "#/target"),
        (json!({ "target": ops.rest_key, "reason": "x" }), "#/target"),
        (json!({ "target": "203.0.113.9", "reason": " " }), "#/reason"),
        (json!({ "target": "203.0.113.9", "reason": "x", "seconds": 0 }), "#/seconds"),
        (json!({ "target": "203.0.113.9", "reason": "x", "until": 1 }), "#/until"),
    ] {
        let (status, problem) = answer(ops.post(&app, BLOCKS, wrong).await).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
    }
}

#[sqlx::test]
async fn others_do_not_reach_them(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let dev = person_with(&app, &db, "dev@example.com", "developer", &["keys:read", "blocks:manage"]).await;
    let block = super::block(&app.ctx, "203.0.113.7", None).await.unwrap().block;
    let one = format!("{BLOCKS}/{}", block.id);
    for (method, path, body) in [
        (Method::GET, BLOCKS, None),
        (Method::POST, BLOCKS, Some(json!({ "target": "203.0.113.8", "reason": "x" }))),
        (Method::GET, one.as_str(), None),
        (Method::DELETE, one.as_str(), None),
    ] {
        assert_eq!(dev.call(&app, method.clone(), path, body).await.status(), 403, "{method} {path}: the owner has not what the key says");
    }
    assert_eq!(super::listed(&app.ctx, "active").await.len(), 1);
}
