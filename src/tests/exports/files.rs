//! What files hold, whose they are, and until when.

use super::{ask, file, key_with_routes, state, status, usage};
use crate::{
    keys::{json, person, person_with},
    support::TestApp,
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    exports::server::{forget_exports, jobs::ForgetExports},
    keys::model::KeyEdit,
    plans::{
        model::{NewPlan, NewPrice},
        server::create_plan,
    },
    platform::jobs::enqueue,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_file_of_others_is_not_there(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let tom = person(&app, &db, "tom@example.com", "operator").await;
    key_with_routes(&app, &mara, "hers", 3).await;
    let id = usage(&app, &mara).await;
    app.run_jobs().await;
    for (method, path) in [(Method::GET, ""), (Method::GET, "/file"), (Method::DELETE, "")] {
        assert_eq!(status(&app, &tom, method, &format!("/api/v1/exports/{id}{path}")).await, 404, "{path}");
    }
    assert_eq!(json(tom.get(&app, "/api/v1/exports").await).await.1["data"], json!([]));
    assert_eq!(app.http.get(app.url("/api/v1/exports")).send().await.unwrap().status(), 401);
    // A key of the same person that may not read usage sees nothing of it either.
    let narrow = person_with(&app, &db, "narrow@example.com", "developer", &["keys:read"]).await;
    sqlx::query("update exports set account_id = $1, workspace_id = $2")
        .bind(narrow.owner.account.uuid())
        .bind(narrow.owner.workspace.uuid())
        .execute(&db)
        .await
        .unwrap();
    assert_eq!(json(narrow.get(&app, "/api/v1/exports").await).await.1["data"], json!([]));
    assert_eq!(status(&app, &narrow, Method::GET, &format!("/api/v1/exports/{id}/file")).await, 403);
    assert_eq!(narrow.post(&app, "/api/v1/exports", json!({ "of": "usage" })).await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_list_of_files_comes_in_pages(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let older = usage(&app, &mara).await;
    app.ctx.clock.advance(Duration::seconds(1));
    let newer = ask(&app, &mara, json!({ "of": "keys" })).await;
    let (_, first) = json(mara.get(&app, "/api/v1/exports?limit=1").await).await;
    assert_eq!((&first["data"][0]["id"], &first["has_more"]), (&json!(newer.to_string()), &json!(true)), "the newest first");
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, second) = json(mara.get(&app, &format!("/api/v1/exports?limit=1&cursor={cursor}")).await).await;
    assert_eq!((&second["data"][0]["id"], &second["next_cursor"]), (&json!(older.to_string()), &Value::Null));
    assert_eq!(mara.get(&app, "/api/v1/exports?page=2").await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_file_is_there_for_a_day(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    key_with_routes(&app, &mara, "k", 3).await;
    let id = usage(&app, &mara).await;
    app.ctx.clock.advance(Duration::hours(1));
    app.run_jobs().await;
    assert_eq!(state(&app, &mara, id).await["expires_at"], "2026-11-21T13:00:00Z", "a day after it was done");
    app.ctx.clock.advance(Duration::hours(23));
    assert!(!forget_exports(&app.ctx).await.unwrap());
    assert_eq!(file(&app, &mara, id).await.lines().count(), 4);
    app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(status(&app, &mara, Method::GET, &format!("/api/v1/exports/{id}/file")).await, 404);
    let mut conn = db.acquire().await.unwrap();
    enqueue(&app.ctx, &mut conn, &ForgetExports::default()).await.unwrap();
    app.run_jobs().await;
    let left: (i64, i64) = sqlx::query_as("select (select count(*) from exports), (select count(*) from export_chunks)").fetch_one(&db).await.unwrap();
    assert_eq!(left, (0, 0));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn asked_for_twice_it_is_one_and_ten_are_enough(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let body = |range: &str| json!({ "of": "usage", "filters": { "range": range } });
    let (a, b) = tokio::join!(ask(&app, &mara, body("7d")), ask(&app, &mara, body("7d")));
    assert_eq!(a, b);
    app.run_jobs().await;
    assert_eq!(ask(&app, &mara, body("7d")).await, a, "within a minute the same is meant");
    app.ctx.clock.advance(Duration::minutes(2));
    assert_ne!(ask(&app, &mara, body("7d")).await, a, "later there may be more in it");
    for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        ask(&app, &mara, json!({ "of": "keys", "filters": { "q": key } })).await;
    }
    let (status, problem) = json(mara.post(&app, "/api/v1/exports", body("24h")).await).await;
    assert!(status == 409 && problem["detail"].as_str().unwrap().contains("ten files"), "{problem}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn wrong_wishes_are_named_and_a_secret_is_kept_nowhere(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (_, secret) = mara.new_key(&app, "till").await;
    for (body, pointer) in [
        (json!({}), "#/of"),
        (json!({ "of": "people" }), "#/of"),
        (json!({ "of": "usage", "format": "xls" }), "#/format"),
        (json!({ "of": "usage", "filters": { "colour": "red" } }), "#/filters/colour"),
        (json!({ "of": "usage", "filters": { "range": "8d" } }), "#/filters/range"),
        (json!({ "of": "refusals", "filters": { "code": "NOPE" } }), "#/filters/code"),
        (json!({ "of": "refusals", "filters": { "permission": "everything" } }), "#/filters/permission"),
        (json!({ "of": "keys", "filters": { "status": "odd" } }), "#/filters/status"),
        (json!({ "of": "keys", "filters": { "q": secret } }), "#/filters/q"),
    ] {
        let (status, problem) = json(mara.post(&app, "/api/v1/exports", body.clone()).await).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{body}: {problem}");
    }
    let kept: i64 = sqlx::query_scalar("select count(*) from exports").fetch_one(&db).await.unwrap();
    assert_eq!(kept, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn everybodys_refusals_are_a_file_for_operators_however_many(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person_with(&app, &db, "olga@example.com", "operator", &["usage:read", "admin:read"]).await;
    let refused = async |workspace: Option<uuid::Uuid>, count: i32| {
        sqlx::query(
            "insert into refusal_samples (id, at, workspace_id, code, route)
             select gen_random_uuid(), $1::timestamptz - make_interval(secs => n / 100.0), $2, 'FORBIDDEN', 'GET /' || n from generate_series(1, $3) n",
        )
        .bind(app.ctx.clock.now())
        .bind(workspace)
        .bind(count)
        .execute(&db)
        .await
        .unwrap();
    };
    refused(Some(mara.owner.workspace.uuid()), 50_001).await;
    refused(None, 3).await;
    let direct = "/api/v1/usage/refusals/all/export?range=24h";
    let answer = olga.get(&app, direct).await;
    assert_eq!(answer.status(), 409);
    assert!(answer.text().await.unwrap().contains("POST /api/v1/exports"));
    let browser = app.http.get(app.url(direct)).bearer_auth(&olga.secret).header("accept", "text/html").send().await.unwrap();
    assert_eq!((browser.status().as_u16(), browser.headers()["location"].to_str().unwrap()), (303, "/exports?of=all-refusals&format=csv&range=24h"));

    let all = ask(&app, &olga, json!({ "of": "all-refusals", "filters": { "range": "24h" } })).await;
    let hers = ask(&app, &olga, json!({ "of": "all-refusals", "format": "json", "filters": { "range": "24h", "owner": "mara@example.com" } })).await;
    app.run_jobs().await;
    let (of_all, of_one) = (state(&app, &olga, all).await, state(&app, &olga, hers).await);
    assert_eq!((&of_all["state"], &of_all["rows_written"], &of_all["rows_expected"]), (&json!("done"), &json!(50_004), &json!(50_004)), "{of_all}");
    assert_eq!((&of_one["state"], &of_one["rows_written"]), (&json!("done"), &json!(50_001)), "{of_one}");
    assert!(
        of_all["description"].as_str().unwrap().starts_with("Everybody's refusals")
            && of_one["description"].as_str().unwrap().ends_with("owner mara@example.com")
    );
    assert_eq!(file(&app, &olga, all).await.lines().count(), 50_005, "a head, and each once");

    assert_eq!(mara.post(&app, "/api/v1/exports", json!({ "of": "all-refusals" })).await.status(), 403);
    let nobody = json!({ "of": "all-refusals", "filters": { "owner": "nobody@example.com" } });
    let (status, problem) = json(olga.post(&app, "/api/v1/exports", nobody).await).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("#/filters/owner")));
    sqlx::query("update account_roles set role = 'developer' where account_id = $1").bind(olga.owner.account.uuid()).execute(&db).await.unwrap();
    assert_eq!(olga.get(&app, &format!("/api/v1/exports/{all}/file")).await.status(), 403, "who lost the role keeps nothing of it");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn usage_has_an_estimate_by_line_and_keys_no_secret(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (priced, free) = (key_with_routes(&app, &mara, "=priced", 3).await, key_with_routes(&app, &mara, "free", 2).await);
    let price = Some(NewPrice { per_1000: "0.5".into(), currency: "EUR".into() });
    create_plan(&app.ctx, &Caller::cli(), NewPlan { slug: "pro".into(), name: "Pro".into(), price, ..NewPlan::default() }).await.unwrap();
    let edit = KeyEdit { plan: Some(Some("pro".into())), ..KeyEdit::default() };
    tollgate::keys::server::edit_key(&app.ctx, &Caller::cli(), priced, edit).await.unwrap();

    let csv = usage(&app, &mara).await;
    let as_json = ask(&app, &mara, json!({ "of": "usage", "format": "json", "filters": { "range": "24h", "key": free.to_string() } })).await;
    let keys = ask(&app, &mara, json!({ "of": "keys", "format": "json" })).await;
    let refusals = ask(&app, &mara, json!({ "of": "refusals", "format": "json" })).await;
    app.run_jobs().await;
    let text = file(&app, &mara, csv).await;
    assert_eq!(text.lines().filter(|l| l.ends_with(",1,2,0.001000,EUR,,,shown") && l.contains(",\"'=priced\",demo,")).count(), 3, "{text}");
    assert_eq!(text.lines().filter(|l| l.ends_with(",1,2,,,,,shown")).count(), 2, "{text}");
    let direct = mara.get(&app, "/api/v1/usage/export?range=24h&api=demo").await.text().await.unwrap();
    assert_eq!(direct, text, "at once or by a job, it is the same");

    let body: Value = serde_json::from_str(&file(&app, &mara, as_json).await).unwrap();
    assert_eq!(body["data"].as_array().unwrap().len(), 2);
    assert_eq!((&body["data"][0]["key"], &body["data"][0]["estimated_cost"]), (&json!("free"), &Value::Null));
    let text = file(&app, &mara, keys).await;
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["data"].as_array().unwrap().len(), 3, "with the one for REST");
    assert!(!text.contains(&mara.secret));
    let body: Value = serde_json::from_str(&file(&app, &mara, refusals).await).unwrap();
    assert_eq!(body, json!({ "data": [] }));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_lost_a_role_keeps_no_file_and_no_name_that_it_gave(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person_with(&app, &db, "olga@example.com", "operator", &["usage:read", "admin:read"]).await;
    let key = key_with_routes(&app, &mara, "secret project", 3).await;
    let id = ask(&app, &olga, json!({ "of": "usage", "filters": { "range": "24h", "key": key.to_string() } })).await;
    app.run_jobs().await;
    assert_eq!(file(&app, &olga, id).await.lines().count(), 4);
    assert!(state(&app, &olga, id).await["description"].as_str().unwrap().contains("secret project"));

    let account = olga.owner.account.uuid();
    sqlx::query("update account_roles set role = 'developer' where account_id = $1").bind(account).execute(&db).await.unwrap();
    let path = format!("/api/v1/exports/{id}");
    assert_eq!(status(&app, &olga, Method::GET, &format!("{path}/file")).await, 404);
    for seen in ["/api/v1/exports", path.as_str()] {
        let (status, body) = json(olga.get(&app, seen).await).await;
        let text = body.to_string();
        assert!(status == 200 && text.contains(&id.to_string()) && !text.contains("secret project"), "{text}");
    }
    assert_eq!(status(&app, &olga, Method::DELETE, &path).await, 204);
}
