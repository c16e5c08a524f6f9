//! Blocks over REST.

use crate::{
    keys::{json as answer, passes, person_with, text},
    support::TestApp,
};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

const BLOCKS: &str = "/api/v1/blocks";
const RULES: &str = "/api/v1/block-rules";
const EXEMPT: &str = "/api/v1/block-exemptions";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_blocks_lists_and_lifts(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["keys:read", "keys:write", "blocks:manage"]).await;
    let (key, secret) = ops.new_key(&app, "shop").await;
    let wish = json!({ "target": key, "reason": "leaked", "seconds": 3600 });
    let made = ops.post(&app, BLOCKS, wish.clone()).await;
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    let (status, body) = answer(made).await;
    assert_eq!((status, &body["key_id"], &body["until"], &body["network"]), (201, &json!(key), &json!("2026-11-20T13:00:00Z"), &json!(null)));
    assert_eq!((&body["spread"]["nodes"], &body["spread"]["confirmed"], &body["spread"]["missing"]), (&json!(1), &json!(1), &json!([])), "{body}");
    assert_eq!(passes(&app, &secret).await, 403);
    let (status, again) = answer(ops.post(&app, BLOCKS, wish).await).await;
    assert_eq!((status, &again["id"], &again["spread"]["confirmed"]), (200, &body["id"], &json!(1)), "sent twice: {again}");
    assert_eq!(answer(ops.get(&app, &location).await).await.1.get("spread"), None, "only a change spreads");

    app.ctx.clock.advance(time::Duration::SECOND); // ids of one instant are in no order
    let (_, network) = answer(ops.post(&app, BLOCKS, json!({ "target": "203.0.113.9/24", "reason": "tries keys" })).await).await;
    assert_eq!((&network["network"], &network["until"], &network["by"]), (&json!("203.0.113.0/24"), &json!(null), &json!("Mara")));
    let (_, list) = answer(ops.get(&app, &format!("{BLOCKS}?limit=1")).await).await;
    assert_eq!((&list["data"][0]["id"], &list["has_more"]), (&network["id"], &json!(true)));
    let (_, rest) = answer(ops.get(&app, &format!("{BLOCKS}?limit=1&cursor={}", text(&list, "next_cursor"))).await).await;
    assert_eq!((&rest["data"][0]["reason"], &rest["has_more"], &rest["next_cursor"]), (&json!("leaked"), &json!(false), &json!(null)));

    for _ in 0..2 {
        let (status, body) = answer(ops.call(&app, Method::DELETE, &format!("{location}?note=rotated"), None).await).await;
        assert_eq!((status, &body["spread"]["nodes"], &body["spread"]["confirmed"]), (200, &json!(1), &json!(1)), "{body}");
    }
    assert_eq!(passes(&app, &secret).await, 200);
    let (_, lifted) = answer(ops.get(&app, &location).await).await;
    assert_eq!((&lifted["state"], &lifted["lift_note"], &lifted["lifted_by"]), (&json!("lifted"), &json!("rotated"), &json!("Mara")));

    let lift = format!("{BLOCKS}/{}/lift", text(&network, "id"));
    for _ in 0..2 {
        let (status, body) = answer(ops.post(&app, &format!("{lift}?note=over"), json!({})).await).await;
        assert_eq!((status, &body["state"], &body["lift_note"], &body["spread"]["confirmed"]), (200, &json!("lifted"), &json!("over"), &json!(1)), "{body}");
    }
    assert_eq!(ops.post(&app, &format!("{BLOCKS}/blk_nothing/lift"), json!({})).await.status(), 404);

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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_slows_and_sets_rules(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["keys:read", "keys:write", "blocks:manage"]).await;
    let (key, _) = ops.new_key(&app, "shop").await;
    let wish = json!({ "target": key, "reason": "scrapes", "action": "slow", "per_second": 5, "seconds": 60 });
    let (status, body) = answer(ops.post(&app, BLOCKS, wish.clone()).await).await;
    assert_eq!((status, &body["action"], &body["per_second"], &body["key_id"]), (201, &json!("slow"), &json!(5), &json!(key)));
    assert_eq!(ops.post(&app, BLOCKS, wish).await.status(), 200, "sent twice");
    let (status, body) = answer(ops.post(&app, BLOCKS, json!({ "target": key, "reason": "scrapes" })).await).await;
    assert_eq!((status, &body["action"], &body["per_second"]), (201, &json!("refuse"), &json!(null)), "one of each");
    for (more, pointer) in [
        (json!({ "action": "slow" }), "#/per_second"),
        (json!({ "action": "slow", "per_second": 0 }), "#/per_second"),
        (json!({ "per_second": 5 }), "#/per_second"),
        (json!({ "action": "stop" }), "#/action"),
    ] {
        let mut wrong = json!({ "target": "203.0.113.9", "reason": "x" });
        wrong.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, problem) = answer(ops.post(&app, BLOCKS, wrong).await).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
    }

    let (_, rules) = answer(ops.get(&app, RULES).await).await;
    assert_eq!(rules["data"].as_array().map(Vec::len), Some(3));
    let (_, first) = answer(ops.get(&app, &format!("{RULES}?limit=2")).await).await;
    assert_eq!((&first["data"][1], &first["has_more"]), (&rules["data"][1], &json!(true)));
    let (_, rest) = answer(ops.get(&app, &format!("{RULES}?cursor={}", text(&first, "next_cursor"))).await).await;
    assert_eq!((&rest["data"], &rest["next_cursor"]), (&json!([rules["data"][2]]), &json!(null)));
    let refusals = format!("{RULES}/refusals");
    let change = json!({ "on": true, "action": "slow", "per_second": 7, "mails": true });
    for _ in 0..2 {
        let (status, rule) = answer(ops.call(&app, Method::PATCH, &refusals, Some(change.clone())).await).await;
        assert_eq!((status, &rule["action"], &rule["per_second"], &rule["most"], &rule["mails"]), (200, &json!("slow"), &json!(7), &json!(600), &json!(true)));
    }
    assert_eq!(crate::keys::events(&db, "block.rule_changed").await, 1, "sent twice");
    let (_, mut rule) = answer(ops.call(&app, Method::PATCH, &refusals, Some(json!({ "action": "tell" }))).await).await;
    assert_eq!((&rule["action"], &rule["per_second"], &rule["on"]), (&json!("tell"), &json!(null), &json!(true)), "the rest stays");
    let spread = rule.as_object_mut().unwrap().remove("spread").unwrap();
    assert_eq!((&spread["nodes"], &spread["confirmed"]), (&json!(1), &json!(1)), "who counts so");
    assert_eq!(answer(ops.get(&app, &refusals).await).await.1, rule);
    for (wrong, pointer) in [
        (json!({ "per_second": 5 }), "#/action"),
        (json!({ "action": "block" }), "#/action"),
        (json!({ "most": 0 }), "#/most"),
        (json!({ "minutes": 61 }), "#/minutes"),
        (json!({ "seconds": 59 }), "#/seconds"),
        (json!({ "limit": 5 }), "#/limit"),
    ] {
        let (status, problem) = answer(ops.call(&app, Method::PATCH, &refusals, Some(wrong)).await).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{problem}");
    }
    assert_eq!(ops.get(&app, &format!("{RULES}/moon")).await.status(), 404);

    let put = async |networks: serde_json::Value| answer(ops.call(&app, Method::PUT, EXEMPT, Some(json!({ "networks": networks }))).await).await;
    let (status, set) = put(json!(["192.0.2.7/24"])).await;
    assert_eq!((status, &set["networks"], &set["spread"]["confirmed"]), (200, &json!(["192.0.2.0/24"]), &json!(1)), "{set}");
    assert_eq!(put(json!(["moon"])).await.0, 422);
    assert_eq!(answer(ops.get(&app, EXEMPT).await).await.1["networks"], json!(["192.0.2.0/24"]));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn others_do_not_reach_them(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let dev = person_with(&app, &db, "dev@example.com", "developer", &["keys:read", "blocks:manage"]).await;
    let block = super::block(&app.ctx, "203.0.113.7", None).await.unwrap().block;
    let one = format!("{BLOCKS}/{}", block.id);
    let lift = format!("{one}/lift");
    for (method, path, body) in [
        (Method::GET, BLOCKS, None),
        (Method::POST, BLOCKS, Some(json!({ "target": "203.0.113.8", "reason": "x" }))),
        (Method::GET, one.as_str(), None),
        (Method::DELETE, one.as_str(), None),
        (Method::POST, lift.as_str(), None),
        (Method::GET, RULES, None),
        (Method::GET, "/api/v1/block-rules/spread", None),
        (Method::PATCH, "/api/v1/block-rules/spread", Some(json!({ "on": true }))),
        (Method::GET, EXEMPT, None),
        (Method::PUT, EXEMPT, Some(json!({ "networks": [] }))),
    ] {
        assert_eq!(dev.call(&app, method.clone(), path, body).await.status(), 403, "{method} {path}: the owner has not what the key says");
    }
    assert_eq!(super::listed(&app.ctx, "active").await.len(), 1);
}
