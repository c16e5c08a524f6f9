//! What a plan gives beside limits, as services are told it.

use super::{limit, plan};
use crate::gate::Scene;
use serde_json::json;
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, Window},
        server::edit_key,
    },
    plans::{
        model::PlanEdit,
        server::{assign_plan, edit_plan},
    },
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_verification_that_passes_answers_what_the_plan_gives(db: PgPool) {
    let scene = Scene::new(db).await;
    let (ctx, cli) = (&scene.app.ctx, Caller::cli());
    plan(ctx, "pro", vec![]).await;
    assign_plan(ctx, &cli, scene.owner.workspace, Some("pro")).await.unwrap();
    let ask = async || scene.ask(json!({ "key": scene.secret })).await.1;
    assert_eq!(ask().await.get("entitlements"), None, "left out where there are none");
    let lines = ["seats=5", "Answers within a day", "exports", "note=a,b"].map(str::to_owned).to_vec();
    edit_plan(ctx, &cli, "pro", PlanEdit { entitlements: Some(lines), ..PlanEdit::default() }).await.unwrap();
    let told = sqlx::query_scalar::<_, serde_json::Value>("select data from events where kind = 'plan.changed'").fetch_one(&scene.app.ctx.db).await.unwrap();
    assert_eq!((&told["from"]["entitlements"], &told["to"]["entitlements"][0]), (&json!([]), &json!("seats=5")), "the event says what changed");
    let answer = ask().await;
    assert_eq!((&answer["plan"], &answer["entitlements"]), (&json!("pro"), &json!(["seats=5", "exports"])), "at once, without what is for people to read");
    let none = KeyEdit { limits: Some(vec![limit("default", 0, Window::HOUR)]), ..KeyEdit::default() };
    edit_key(ctx, &cli, scene.key, none).await.unwrap();
    let refused = ask().await;
    assert_eq!((&refused["code"], refused.get("entitlements")), (&json!("RATE_LIMITED"), None));
}
