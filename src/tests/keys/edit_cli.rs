//! `tollgate key edit`, `key test`, the filters of `key list`, and what `key create` says of limits: beside a server.

use super::{
    lists_cli::{out, run_beside},
    *,
};
use crate::support::folder::Folder;
use serde_json::json;
use std::process::Output;
use tollgate::{
    accounts::Caller,
    keys::{model::NewRoute, server::replace_routes},
};

fn said(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_is_changed_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let folder = Folder::new();
    let (id, secret) = mara.new_key(&app, "till").await;
    let path = format!("/api/v1/keys/{id}");
    let key = async |arguments: &[&str]| run_beside(&folder, &db, &[&["key"], arguments].concat()).await;
    let code = async |arguments: &[&str]| key(arguments).await.status.code();
    let all = [
        &["edit", &id, "--name", "front till", "--permission", "orders:read", "--permission", "orders:write", "--address", "203.0.113.0/24"][..],
        &["--origin", "https://app.example.com", "--route", "GET /orders/{id}", "--tag", "shop", "--external-id", "customer-42"],
        &["--meta", r#"{"team": "a"}"#, "--expires", "2030-01-31T00:00:00Z", "--json"],
    ]
    .concat();
    assert_eq!(code(&[&all[..], &["--dry-run"]].concat()).await, Some(0));
    assert_eq!(acts(&app, &mara, &id).await.len(), 1, "a dry run changes nothing");
    let changed = said(&key(&all[..]).await);
    assert_eq!((&changed["spread"]["confirmed"], &changed["spread"]["missing"]), (&json!(1), &json!([])), "{changed}");
    assert_eq!(changed["workspace_id"], mara.owner.workspace.to_string(), "as over REST: {changed}");
    let (_, body) = json(mara.get(&app, &path).await).await;
    assert_eq!((&body["name"], &body["permissions"]), (&json!("front till"), &json!(["orders:read", "orders:write"])));
    assert_eq!(
        (&body["addresses"], &body["origins"], &body["routes"]),
        (&json!(["203.0.113.0/24"]), &json!(["https://app.example.com"]), &json!(["GET /orders/{id}"]))
    );
    assert_eq!((&body["tags"], &body["external_id"], &body["meta"]), (&json!(["shop"]), &json!("customer-42"), &json!({ "team": "a" })));
    assert_eq!(body["expires_at"], "2030-01-31T00:00:00Z");
    assert_eq!(passes(&app, &secret).await, 403, "it is bound to addresses");

    let none = ["edit", &id, "--no-addresses", "--no-origins", "--no-routes", "--no-external-id", "--meta", "{}", "--expires", "never", "--preset", "basic"];
    assert!(out(&key(&none).await).starts_with("Changed key_"));
    let (_, body) = json(mara.get(&app, &path).await).await;
    assert_eq!((&body["addresses"], &body["origins"], &body["routes"], &body["meta"]), (&json!([]), &json!([]), &json!([]), &json!({})));
    assert_eq!((&body["external_id"], &body["expires_at"], &body["permissions"]), (&Value::Null, &Value::Null, &json!(["orders:read"])));
    assert_eq!((&body["name"], &body["tags"]), (&json!("front till"), &json!(["shop"])), "what is not said stays");
    assert_eq!(passes(&app, &secret).await, 200);

    let nobody = app.ctx.new_id::<KeyId>().to_string();
    for (expected, wrong) in [
        (2, &["edit", &id][..]),
        (2, &["edit", &id, "--permission", "orders:burn"]),
        (2, &["edit", &id, "--permission", "orders:read", "--preset", "basic"]),
        (2, &["edit", &id, "--tag", "a", "--no-tags"]),
        (2, &["edit", &id, "--expires", ""]),
        (2, &["edit", &id, "--meta", ""]),
        (2, &["edit", &id, "--external-id", " "]),
        (3, &["edit", &nobody, "--name", "x"]),
    ] {
        assert_eq!(code(wrong).await, Some(expected), "{wrong:?}");
    }

    // The list takes the filters of bulk.
    let listed = async |filter: &[&str]| said(&key(&[&["list", "--json"], filter].concat()).await).as_array().map(Vec::len);
    for (filter, found) in [
        (&["--tagged", "shop"][..], 1),
        (&["--tagged", "other"], 0),
        (&["--status", "disabled"], 0),
        (&["--owner", "mara@example.com", "--api", "demo"], 1),
        (&["--account", "mara@example.com", "--search", "front"], 1),
        (&["--external-id", "customer-42"], 0),
        (&["--review", "endless", "--tagged", "shop"], 1),
    ] {
        assert_eq!(listed(filter).await, Some(found), "{filter:?}");
    }
    assert_eq!(code(&["list", "--api", "nothing"]).await, Some(3), "it is not there, which is no empty list");
    assert_eq!(code(&["list", "--account", "nobody@example.com"]).await, Some(3));
    assert_eq!(code(&["list", "--status", "sideways"]).await, Some(2));

    // No terminal, no question.
    assert_eq!(code(&["revoke", &id]).await, Some(0));
    assert_eq!(code(&["edit", &id, "--name", "again"]).await, Some(4), "that is final");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_is_made_with_its_limits_and_a_call_is_tried(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let route = |method: &str, pattern: &str, permission: &str| NewRoute {
        method: method.into(),
        pattern: pattern.into(),
        permission: Some(permission.into()),
        cost: Some(1),
        ..NewRoute::default()
    };
    let routes = vec![route("GET", "/orders/{id}", "orders:read"), route("POST", "/orders", "orders:write")];
    replace_routes(&app.ctx, &Caller::cli(), "demo", routes).await.unwrap();
    sqlx::query("insert into plans (id, slug, name, created_at, updated_at) values (gen_random_uuid(), 'gold', 'Gold', now(), now())")
        .execute(&db)
        .await
        .unwrap();
    let folder = Folder::new();
    let key = async |arguments: &[&str]| run_beside(&folder, &db, &[&["key"], arguments].concat()).await;
    let create = ["create", "--account", "mara@example.com", "--name", "till", "--json"];
    for (expected, wrong) in [(2, &["--api", "demo", "--limits", "many"][..]), (3, &["--api", "demo", "--plan", "nothing"]), (3, &["--api", "nothing"])] {
        assert_eq!(key(&[&create[..], wrong].concat()).await.status.code(), Some(expected), "{wrong:?}");
    }
    let made = said(&key(&[&create[..], &["--api", "demo", "--limits", "1/hour", "--plan", "gold"]].concat()).await);
    let id = text(&made, "id");
    let (_, body) = json(mara.get(&app, &format!("/api/v1/keys/{id}")).await).await;
    assert_eq!((&body["plan"], &body["limits"]), (&json!("gold"), &json!([{ "name": "default", "limit": 1, "window": 3600 }])), "{body}");

    let passing = key(&["test", &id, "GET", "/orders/17?page=2"]).await;
    assert_eq!(passing.status.code(), Some(0), "{passing:?}");
    assert!(out(&passing).contains("passes, as long as its limits have room") && out(&passing).contains("GET /orders/{id} matches."), "{passing:?}");
    for (call, refused) in [
        (&["POST", "/orders"][..], "FORBIDDEN"),
        (&["GET", "/orders/17", "--permission", "orders:write"], "FORBIDDEN"),
        (&["GET", "/orders/17", "--cost", "2"], "RATE_LIMITED"),
    ] {
        let output = key(&[&["test", &id], call, &["--json"]].concat()).await;
        let answer = said(&output);
        assert_eq!((output.status.code(), &answer["valid"], &answer["code"]), (Some(4), &json!(false), &json!(refused)), "{call:?}: {answer}");
    }
    let json = said(&key(&["test", &id, "GET", "/orders/17", "--json"]).await);
    assert_eq!((&json["route"], &json["cost"], &json["valid"]), (&json!("GET /orders/{id}"), &json!(1), &json!(true)), "{json}");
    assert!(json["steps"].as_array().unwrap().iter().all(|step| step["check"] != "limit"), "what is used only servers know");
    let nobody = app.ctx.new_id::<KeyId>().to_string();
    for (expected, wrong) in [(2, &["test", &id, "GET", "orders"][..]), (2, &["test", &id, "GET", "/", "--at", "soon"]), (3, &["test", &nobody, "GET", "/"])] {
        assert_eq!(key(wrong).await.status.code(), Some(expected), "{wrong:?}");
    }
    assert_eq!(acts(&app, &mara, &id).await, [("created".to_owned(), String::new())]);
}
