//! APIs: operators describe them, developers make keys for them.

use super::{lists::caller, *};
use serde_json::json;
use tollgate::{
    error::AppError,
    keys::{
        model::{ApiEdit, NewApi},
        server,
    },
};

fn orders() -> NewApi {
    NewApi {
        slug: "orders".into(),
        name: "Orders".into(),
        key_prefix: Some("ord".into()),
        permissions: vec!["orders:read Read orders".into(), "orders:write".into()],
        ..NewApi::default()
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_describes_an_api_and_a_developer_uses_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (mara_calls, olga_calls) = (caller(&app, &mara).await, caller(&app, &olga).await);

    assert!(matches!(server::create_api(&app.ctx, &mara_calls, orders()).await, Err(AppError::Forbidden { .. })));
    let api = server::create_api(&app.ctx, &olga_calls, orders()).await.unwrap();
    assert_eq!(api.key_prefix.as_str(), "ord");
    assert_eq!(events(&db, "api.created").await, 1);
    let slugs: Vec<String> = server::list_apis(&app.ctx, &mara_calls).await.unwrap().iter().map(|a| a.slug.to_string()).collect();
    assert_eq!(slugs, ["demo", "orders", "tollgate"], "Tollgate's own last");

    let (status, body) =
        json(mara.post(&app, "/api/v1/keys", json!({ "name": "x", "api": "orders", "permissions": ["orders:write"], "environment": "test" })).await).await;
    assert_eq!(status, 201, "{body}");
    let secret = text(&body, "secret");
    assert!(secret.starts_with("ord_test_"));
    let url = app.url("/forward-auth/orders?permission=orders:write");
    crate::support::until("the gate knows the API", async || app.http.get(&url).bearer_auth(&secret).send().await.unwrap().status() == 200).await;
    assert_eq!(passes(&app, &secret).await, 401, "not a key of the demo API");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn slugs_and_prefixes_are_unique_and_well_formed(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let olga = caller(&app, &olga).await;
    server::create_api(&app.ctx, &olga, orders()).await.unwrap();
    let wrong = async |change: fn(&mut NewApi)| {
        let mut new = NewApi { slug: "fresh".into(), name: "Fresh".into(), ..NewApi::default() };
        change(&mut new);
        match server::create_api(&app.ctx, &olga, new).await {
            Err(AppError::Invalid { fields }) => fields[0].field.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(wrong(|a| a.slug = "orders".into()).await, "slug");
    assert_eq!(wrong(|a| a.key_prefix = Some("ord".into())).await, "key_prefix");
    assert_eq!(wrong(|a| a.slug = "Or ders".into()).await, "slug");
    let misspelled = NewApi { slug: "Or ders".into(), name: "Fresh".into(), ..NewApi::default() };
    let Err(AppError::Invalid { fields }) = server::create_api(&app.ctx, &olga, misspelled).await else { panic!("it was taken") };
    assert_eq!(fields.len(), 1, "a prefix that nobody typed is not wrong, too: {fields:?}");
    assert_eq!(wrong(|a| a.name = String::new()).await, "name");
    assert_eq!(wrong(|a| a.key_prefix = Some("O_".into())).await, "key_prefix");
    assert_eq!(wrong(|a| a.permissions = vec!["everything".into()]).await, "permissions");

    let edited = server::edit_api(
        &app.ctx,
        &olga,
        "orders",
        ApiEdit { name: Some("Orders 2".into()), permissions: Some(vec!["orders:read again".into()]), ..ApiEdit::default() },
    )
    .await
    .unwrap();
    assert!(edited.spread.is_whole());
    let edited = edited.api;
    assert_eq!((edited.name.as_str(), edited.permissions.len(), edited.permissions[0].description.as_str()), ("Orders 2", 1, "again"));
    assert!(server::edit_api(&app.ctx, &olga, "tollgate", ApiEdit { permissions: Some(vec![]), ..ApiEdit::default() }).await.is_err());
    assert_eq!(server::edit_api(&app.ctx, &olga, "nothing", ApiEdit::default()).await, Err(AppError::NotFound));
}
