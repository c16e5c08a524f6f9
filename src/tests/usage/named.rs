//! A key is found by its name, how its secret begins, or its id, however many there are: on Usage and on Requests, and by operators.

use super::{DEMO, developer, key, operator};
use crate::support::{T0, TestApp};
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    platform::crypto::sha256,
    usage::{
        model::{RefusalList, RefusalQuery, UsageQuery},
        server::{list_all_refusals, list_refusals, report_usage},
    },
    values::KeyId,
};

fn asked(pairs: &[(&str, &str)]) -> RefusalQuery {
    RefusalQuery::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

async fn own(app: &TestApp, owner: &Caller, pairs: &[(&str, &str)]) -> RefusalList {
    list_refusals(&app.ctx, owner, asked(pairs)).await.unwrap()
}

/// A key whose secret begins so, and 600 that were made after it.
async fn old_key(app: &TestApp, owner: &Caller, name: &str, start: &str) -> KeyId {
    let id = key(&app.ctx, owner, name).await;
    sqlx::query("insert into key_secrets (id, key_id, hash, start, created_at) values (gen_random_uuid(), $1, $2, $3, $4)")
        .bind(id.uuid())
        .bind(sha256(name).to_vec())
        .bind(start)
        .bind(T0)
        .execute(&app.ctx.db)
        .await
        .unwrap();
    sqlx::query(
        "insert into keys (id, workspace_id, api_id, name, created_at, updated_at)
         select gen_random_uuid(), $1, $2, 'till ' || n, $3 + make_interval(secs => n), $3 from generate_series(1, 600) n",
    )
    .bind(owner.workspace.uuid())
    .bind(DEMO)
    .bind(T0)
    .execute(&app.ctx.db)
    .await
    .unwrap();
    id
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn requests_find_a_key_that_is_not_offered(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "UTC").await, developer(&app.ctx, "tom", "UTC").await);
    let id = old_key(&app, &mara, "Checkout of old", "demo_live_Ab3d").await;
    let all = own(&app, &mara, &[]).await;
    assert_eq!((all.key_choices.len(), all.has_more_keys, all.key_choices.iter().any(|k| k.id == id)), (500, true, false));
    for typed in ["checkout", "OF OLD", "demo_live_Ab3d", "demo_live_Ab3d…", "demo_live_Ab3dEfGh", "demo_live_A", id.to_string().as_str()] {
        let found = own(&app, &mara, &[("named", typed)]).await;
        assert_eq!((found.query.key, found.query.named), (Some(id.to_string()), None), "{typed}");
        assert!(found.key_choices.iter().any(|k| k.id == id), "{typed}: and it is offered");
        let usage = report_usage(&app.ctx, &mara, UsageQuery { named: Some(typed.to_owned()), ..UsageQuery::default() }).await.unwrap();
        assert_eq!(usage.query.key, Some(id.to_string()), "{typed}");
        assert_eq!(own(&app, &tom, &[("named", typed)]).await.query.key, None, "{typed}: keys of others are not found");
    }
    let several = own(&app, &mara, &[("named", "ill 60"), ("code", "FORBIDDEN")]).await;
    assert_eq!((several.query.key.as_deref(), several.key_choices.len()), (None, 2), "60 and 600: choose one");
    assert_eq!(several.query.export("csv"), "/api/v1/usage/refusals/export?code=FORBIDDEN&format=csv", "looking for a key is no filter of a file");
    assert!(own(&app, &mara, &[("named", "nobody")]).await.key_choices.is_empty());
    assert!(list_refusals(&app.ctx, &mara, asked(&[("named", "a\0")])).await.unwrap_err().field("named").is_some());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_find_anybodys_key(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "UTC").await, developer(&app.ctx, "tom", "UTC").await);
    let id = old_key(&app, &mara, "Checkout of old", "demo_live_Ab3d").await;
    let other = key(&app.ctx, &tom, "checkout").await;
    let boss = operator(&app.ctx).await;
    let of_all = async |pairs: &[(&str, &str)]| list_all_refusals(&app.ctx, &boss, asked(pairs)).await.unwrap();
    for (typed, found) in [("of old", Some(id)), ("demo_live_Ab3d", Some(id)), (id.to_string().as_str(), Some(id)), ("CHECKOUT", Some(other)), ("check", None)]
    {
        let list = of_all(&[("named", typed)]).await;
        assert_eq!(list.query.key, found.map(|key| key.to_string()), "{typed}");
    }
    let chosen = of_all(&[("key", id.to_string().as_str())]).await;
    assert_eq!(chosen.key_choices.iter().map(|k| k.name.as_str()).collect::<Vec<_>>(), ["Checkout of old"], "by its name, though it has no sample");
    let mut offered: Vec<KeyId> = of_all(&[("named", "check")]).await.key_choices.iter().map(|k| k.id).collect();
    offered.sort();
    let mut both = vec![id, other];
    both.sort();
    assert_eq!(offered, both);
    let of_tom = of_all(&[("owner", "tom@example.com"), ("named", "of old")]).await;
    assert_eq!(of_tom.query.key, None, "of one person only theirs");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_pages_have_the_field_where_it_is_of_use(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, olga) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let made = vera.browser.page("/requests?code=FORBIDDEN").await;
    assert!(!made.contains("name=\"named\""), "every key is offered");
    let page = vera.browser.page("/requests?named=nobody").await;
    assert!(page.contains("No key matches “nobody”") && page.contains("value=\"nobody\""), "{page}");
    let page = vera.browser.page("/requests?q=203.0.113.9").await;
    assert!(page.contains("Address 203.0.113.9 ×") && page.contains("name=\"address\" value=\"203.0.113.9\""), "{page}");
    let page = olga.browser.page("/admin/refusals?named=nobody").await;
    assert!(page.contains("name=\"named\"") && page.contains("No key matches “nobody”"), "{page}");
}
