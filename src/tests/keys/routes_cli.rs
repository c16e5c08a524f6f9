//! `tollgate api route …`: the same operations as the page's, beside a server.

use super::{
    lists_cli::{out, run_beside},
    *,
};
use crate::support::folder::Folder;
use serde_json::json;
use std::process::Output;

fn said(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn facts(method: &str, pattern: &str, permission: Option<&str>, cost: u32, is_counted: bool, description: &str) -> Value {
    json!({ "method": method, "pattern": pattern, "permission": permission, "cost": cost, "is_counted": is_counted, "description": description })
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_route_from_the_command_line(db: PgPool) {
    // Says by `spread` that the running server has it.
    let _app = TestApp::start(db.clone()).await;
    let folder = Folder::new();
    let route = async |arguments: &[&str]| run_beside(&folder, &db, &[&["api", "route"], arguments, &["--json"]].concat()).await;
    let added = said(&route(&["add", "demo", "POST", "/orders", "--permission", "orders:write", "--cost", "5", "--description", "New orders"]).await);
    assert_eq!((&added["spread"]["confirmed"], &added["spread"]["missing"]), (&json!(1), &json!([])), "{added}");
    said(&route(&["add", "demo", "GET", "/orders", "--permission", "orders:read"]).await);

    // What is not said stays; a dry run changes nothing.
    let listed = said(&route(&["list", "demo"]).await);
    let would = said(&route(&["edit", "demo", "post", "/orders", "--no-permission", "--dry-run"]).await);
    assert_eq!(would, json!({ "would_change": "POST /orders", "to": facts("POST", "/orders", None, 5, true, "New orders") }));
    assert_eq!(said(&route(&["list", "demo"]).await), listed);
    for (change, expected) in [
        (&["--no-permission"][..], facts("POST", "/orders", None, 5, true, "New orders")),
        (&["--permission", "orders:write", "--no-quota"], facts("POST", "/orders", Some("orders:write"), 5, false, "New orders")),
        (&["--description", ""], facts("POST", "/orders", Some("orders:write"), 5, false, "")),
        (&["--cost", "2"], facts("POST", "/orders", Some("orders:write"), 2, true, "")),
    ] {
        let changed = said(&route(&[&["edit", "demo", "POST", "/orders"], change].concat()).await);
        assert_eq!(changed["routes"].as_array().unwrap().iter().find(|it| it["method"] == "POST"), Some(&expected), "{change:?}");
    }
    let renamed = facts("PUT", "/orders/{id}", Some("orders:write"), 2, true, "");
    for _ in 0..2 {
        let changed = said(&route(&["edit", "demo", "POST", "/orders", "--method", "put", "--path", "/orders/{id}"]).await);
        assert_eq!((changed["routes"].as_array().unwrap().len(), &changed["routes"][1]), (2, &renamed), "said twice it is so once");
        assert_eq!(changed["spread"]["missing"], json!([]));
    }
    assert_eq!(events(&db, "api.routed").await, 7, "two were added, one changed five times");

    // A dry run refuses what the act refuses, and by the same code.
    let refused: [(i32, &[&str]); 12] = [
        (2, &["edit", "demo", "GET", "/orders"]),
        (2, &["edit", "demo", "GET", "/orders", "--permission", ""]),
        (2, &["edit", "demo", "GET", "/orders", "--permission", "orders:burn"]),
        (2, &["edit", "demo", "GET", "/orders", "--permission", "orders:read", "--no-permission"]),
        (2, &["edit", "demo", "GET", "/orders", "--method", " "]),
        (2, &["edit", "demo", "GET", "/orders", "--path", "orders"]),
        (2, &["edit", "demo", "GET", "/orders", "--cost", "0"]),
        (2, &["edit", "demo", "GET", "/orders", "--method", "PUT", "--path", "/orders/{key}"]),
        (2, &["add", "demo", "PUT", "/orders/{key}"]),
        (3, &["edit", "demo", "POST", "/orders", "--cost", "3"]),
        (3, &["edit", "nothing", "GET", "/orders", "--cost", "3"]),
        (3, &["remove", "demo", "POST", "/orders"]),
    ];
    for (code, wrong) in refused {
        for more in [&["--dry-run"][..], &[]] {
            let output = route(&[wrong, more].concat()).await;
            assert_eq!(output.status.code(), Some(code), "{wrong:?} {more:?}: {output:?}");
        }
    }

    // No terminal, no question: what opens is said all the same.
    let then = "Calls to PUT /orders/{id} then need no permission and cost 1 unit.";
    let remove = ["api", "route", "remove", "demo", "PUT", "/orders/{id}"];
    assert_eq!(out(&run_beside(&folder, &db, &[&remove[..], &["--dry-run"]].concat()).await), format!("Would remove PUT /orders/{{id}} from demo. {then}\n"));
    assert!(out(&run_beside(&folder, &db, &remove).await).starts_with(&format!("demo no longer has PUT /orders/{{id}}. {then} In force ")));
    assert_eq!(said(&route(&["list", "demo"]).await), json!([facts("GET", "/orders", Some("orders:read"), 1, true, "")]));
}
