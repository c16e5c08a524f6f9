//! "Who would be limited?" by limits that are saved nowhere: over REST and on the command line.

use super::{
    cli::{json, run},
    limit, plan,
};
use crate::{
    keys::{json as answer, person_with},
    support::{TestApp, folder::Folder},
    usage::{developer, key, tally, write},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::macros::datetime;
use tollgate::{
    accounts::Caller,
    keys::model::Window,
    plans::{
        model::NewGroup,
        server::{add_member, assign_plan, create_group, find_plan, set_workspace_limits},
    },
    values::Outcome,
};

fn a_day(limit: u64) -> Value {
    json!([{ "name": "day", "limit": limit, "window": "day" }])
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn limits_are_tried_over_rest_before_they_are_saved(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (ctx, cli) = (&app.ctx, Caller::cli());
    let ops = person_with(&app, &db, "ops@example.com", "operator", &["plans:manage"]).await;
    plan(ctx, "pro", vec![limit("day", 1_000, Window::DAY)]).await;
    let partners = NewGroup { slug: "partners".into(), name: "Partners".into(), plan: Some("pro".into()), ..NewGroup::default() };
    create_group(ctx, &cli, partners).await.unwrap();
    let (asha, ben, cleo) = (developer(ctx, "asha", "UTC").await, developer(ctx, "ben", "UTC").await, developer(ctx, "cleo", "UTC").await);
    let minute = datetime!(2026-11-18 12:00 UTC).unix_timestamp() / 60;
    for (owner, units) in [(&asha, 50), (&ben, 60), (&cleo, 70)] {
        let id = key(ctx, owner, "shop").await;
        write(&app, vec![tally(owner, id, "GET /orders", Outcome::Valid, minute, units)]).await;
    }
    assign_plan(ctx, &cli, asha.workspace, Some("pro")).await.unwrap();
    add_member(ctx, &cli, "partners", ben.workspace).await.unwrap();
    set_workspace_limits(ctx, &cli, cleo.workspace, vec![limit("day", 500, Window::DAY)]).await.unwrap();
    let tried = async |of: &str, body: Value| {
        let (status, body) = answer(ops.post(&app, &format!("/api/v1/{of}/dry-run"), body).await).await;
        let names: Vec<String> =
            body["data"].as_array().map(|rows| rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()).unwrap_or_default();
        (status, names, body)
    };
    let names = async |of: &str, body: Value| {
        let (status, names, body) = tried(of, body).await;
        assert_eq!(status, 200, "{of}: {body}");
        names
    };

    assert!(names("plans/pro", json!({})).await.is_empty(), "as it is saved");
    assert_eq!(names("plans/pro", json!({ "limits": a_day(55) })).await, ["cleo", "ben"]);
    assert_eq!(
        names("plans/pro", json!({ "limits": a_day(40), "of": "holders" })).await,
        ["ben", "asha"],
        "by the group or by itself; limits of her own hold Cleo"
    );
    assert_eq!(names("plans/pro", json!({ "limits": a_day(55), "by": "key" })).await, ["shop", "shop"]);
    assert_eq!(names("groups/partners", json!({ "limits": a_day(40) })).await, ["ben"]);
    assert!(names("groups/partners", json!({ "limits": [] })).await.is_empty(), "then its plan holds");
    assert_eq!(names(&format!("workspaces/{}", cleo.workspace), json!({ "limits": a_day(40) })).await, ["cleo"]);
    assert!(names(&format!("workspaces/{}", cleo.workspace), json!({})).await.is_empty());
    assert!(names("apis/demo", json!({ "limits": a_day(40) })).await.is_empty(), "something nearer holds each of them");
    assign_plan(ctx, &cli, asha.workspace, None).await.unwrap();
    assert_eq!(names("apis/demo", json!({ "limits": a_day(40) })).await, ["shop"]);

    let two = json!([{ "name": "day", "limit": 20, "window": "day" }, { "name": "any", "limit": 30, "window": "rolling:day" }, { "name": "s", "limit": 1, "window": "second" }]);
    let (_, _, body) = tried("groups/partners", json!({ "limits": two })).await;
    let row = &body["data"][0];
    assert_eq!((&row["beyond"], &row["units"], &body["unit"]), (&json!(40), &json!(60), &json!("units")), "a unit counts once: {body}");
    assert_eq!((&body["tried"], &body["not_tried"]), (&json!(["day", "any"]), &json!(["s"])), "{body}");
    assert_eq!(body["left_out"], json!({ "keys": 0, "units": 0 }));

    let (status, _, wrong) = tried("plans/pro", json!({ "limits": [{ "name": "day", "limit": 1, "window": 0 }] })).await;
    assert_eq!((status, &wrong["errors"][0]["pointer"]), (422, &json!("#/limits/0/window")), "{wrong}");
    for (of, body, status) in [("plans/gold", json!({}), 404), ("workspaces/ws_nothing", json!({}), 404), ("plans/pro", json!({ "of": "some" }), 422)] {
        assert_eq!(tried(of, body).await.0, status, "{of}");
    }
    let stranger = person_with(&app, &db, "dev@example.com", "developer", &["keys:read"]).await;
    for of in ["plans/pro", "groups/partners", "apis/demo", &format!("workspaces/{}", stranger.owner.workspace)] {
        assert_eq!(stranger.post(&app, &format!("/api/v1/{of}/dry-run"), json!({})).await.status(), 403, "{of}");
    }
    assert_eq!(find_plan(ctx, &cli, "pro").await.unwrap().limits, [limit("day", 1_000, Window::DAY)], "nothing is saved");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn limits_are_tried_on_the_command_line_before_they_are_saved(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let person = app.sign_in_as("developer").await;
    plan(&app.ctx, "pro", vec![limit("day", 1_000, Window::DAY)]).await;
    let folder = Folder::new();
    let all = [
        &["plan", "try", "pro", "--name", "day", "--limit", "20", "--holders"][..],
        &["plan", "try", "pro", "--name", "day", "--remove", "--by-key"],
        &["plan", "try-workspace", "--account", &person.email, "--limit", "20", "--window", "day"],
        &["api", "try", "demo", "--limit", "20"],
    ];
    for arguments in all {
        let run = run(&folder, &db, &[arguments, &["--json"]].concat());
        assert_eq!(json(&run)["limited"], json!([]), "{arguments:?}");
    }
    for (arguments, code) in [
        (&["plan", "try", "gold"][..], 3),
        (&["plan", "try", "pro", "--remove"], 2),
        (&["plan", "try", "pro", "--window", "day"], 2),
        (&["plan", "try-workspace", "--limit", "1"], 2),
        (&["group", "try", "partners", "--limit", "1"], 3),
    ] {
        assert_eq!(run(&folder, &db, arguments).status.code(), Some(code), "{arguments:?}");
    }
    assert_eq!(find_plan(&app.ctx, &Caller::cli(), "pro").await.unwrap().limits, [limit("day", 1_000, Window::DAY)]);
}
