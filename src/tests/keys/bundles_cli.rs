//! `tollgate bundle …`: the same operations as the page's, beside a server.

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

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_bundle_from_the_command_line(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let folder = Folder::new();
    let bundle = async |arguments: &[&str]| run_beside(&folder, &db, &[&["bundle"], arguments, &["--json"]].concat()).await;
    assert_eq!(said(&bundle(&["list", "demo"]).await), json!([]));

    let dry = said(&bundle(&["create", "demo", "clerk", "--permission", "orders:write", "--dry-run"]).await);
    assert_eq!((&dry["gives"], events(&db, "api.bundled").await), (&json!(["orders:write"]), 0), "{dry}");
    let made = said(&bundle(&["create", "demo", "clerk", "--permission", "orders:write", "--description", "Takes orders"]).await);
    assert_eq!((&made["description"], &made["spread"]["missing"]), (&json!("Takes orders"), &json!([])), "the running server has it: {made}");
    let desk = said(&bundle(&["create", "demo", "desk", "--permission", "orders:read", "--include", "clerk"]).await);
    assert_eq!(desk["gives"], json!(["orders:read", "orders:write"]));

    let (status, key) = json(mara.post(&app, "/api/v1/keys", json!({ "name": "till", "bundles": ["desk"] })).await).await;
    assert_eq!(status, 201, "{key}");
    let shown = said(&bundle(&["show", "demo", "desk"]).await);
    assert_eq!((&shown["includes"], &shown["keys"]), (&json!(["clerk"]), &json!(1)));
    assert!(out(&run_beside(&folder, &db, &["bundle", "show", "demo", "desk"]).await).contains("held by    1 key"));

    // What is not said stays; a dry run changes nothing.
    let would = said(&bundle(&["edit", "demo", "desk", "--exclude", "clerk", "--dry-run"]).await);
    assert_eq!((&would["gives"], &said(&bundle(&["show", "demo", "desk"]).await)["gives"]), (&json!(["orders:read"]), &desk["gives"]));
    let edited = said(&bundle(&["edit", "demo", "clerk", "--permission", "orders:read", "--without", "orders:write"]).await);
    assert_eq!((&edited["description"], &edited["gives"]), (&json!("Takes orders"), &json!(["orders:read"])));
    let edited = said(&bundle(&["edit", "demo", "desk", "--description", "At the desk"]).await);
    assert_eq!((&edited["permissions"], &edited["includes"], &edited["gives"]), (&json!(["orders:read"]), &json!(["clerk"]), &json!(["orders:read"])));

    // A dry run refuses what the act refuses, and by the same code.
    let refused: [(i32, &[&str]); 12] = [
        (2, &["create", "demo", "clerk"]),
        (2, &["create", "demo", "Not a name"]),
        (2, &["create", "demo", "x", "--permission", "orders:burn"]),
        (2, &["edit", "demo", "clerk", "--include", "desk"]),
        (2, &["edit", "demo", "clerk", "--without", "orders:burn"]),
        (2, &["edit", "demo", "clerk", "--exclude", "desk"]),
        (3, &["edit", "demo", "nothing", "--description", "x"]),
        (3, &["show", "demo", "nothing"]),
        (3, &["list", "nothing"]),
        (3, &["delete", "demo", "nothing"]),
        (4, &["delete", "demo", "clerk"]),
        (4, &["delete", "demo", "desk"]),
    ];
    for (code, wrong) in refused {
        for more in [&["--dry-run"][..], &[]] {
            let output = bundle(&[wrong, more].concat()).await;
            assert_eq!(output.status.code(), Some(code), "{wrong:?} {more:?}: {output:?}");
        }
    }

    assert_eq!(mara.call(&app, Method::DELETE, &format!("/api/v1/keys/{}", text(&key, "id")), None).await.status(), 204);
    assert_eq!(out(&run_beside(&folder, &db, &["bundle", "delete", "demo", "desk", "--dry-run"]).await), "Would delete desk of demo.\n");
    for name in ["desk", "clerk"] {
        assert!(bundle(&["delete", "demo", name]).await.status.success(), "{name}");
    }
    assert_eq!((said(&bundle(&["list", "demo"]).await), events(&db, "api.unbundled").await), (json!([]), 2));
}
