//! Limits that go on from what was used before they began: after a restart, and where they are new.

use super::{Given, Scene};
use crate::support::{T0, TestApp, until};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyEdit, KeyLimit, Window},
        server::{
            edit_key,
            gate::Gate,
            meter::{Batch, Tally},
        },
    },
    usage::server::write_batch,
    values::{ApiId, KeyId, Outcome},
};

/// The key of the scene has used so much, so long ago.
async fn use_up(scene: &Scene, ago: &[(Duration, u64)]) {
    let app = &scene.app;
    let api: uuid::Uuid = sqlx::query_scalar("select api_id from keys where id = $1").bind(scene.key.uuid()).fetch_one(&app.ctx.db).await.unwrap();
    let tally = |(ago, count): &(Duration, u64)| Tally {
        key: scene.key,
        workspace: scene.owner.workspace,
        api: ApiId::new(api),
        route: "GET /".into(),
        outcome: Outcome::Valid,
        minute: (T0 - *ago).unix_timestamp() / 60,
        count: *count,
        cost: *count,
    };
    let counts = ago.iter().map(tally).collect();
    assert!(write_batch(&app.ctx, app.ctx.new_id(), &Batch { counts, ..Batch::default() }).await.unwrap());
}

async fn limit(app: &TestApp, key: KeyId, limits: Vec<KeyLimit>) {
    edit_key(&app.ctx, &Caller::cli(), key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
}

fn used(app: &TestApp, key: KeyId) -> Vec<u64> {
    app.ctx.part::<Gate>().unwrap().limit_state(key, app.ctx.clock.now_micros()).iter().map(|limit| limit.used).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_can_not_be_read_of_usage_is_added_when_it_can_and_nothing_twice(db: PgPool) {
    let scene = Scene::with(db.clone(), Given::default()).await;
    use_up(&scene, &[(Duration::ZERO, 40)]).await;
    // Days are read, then the minutes of rolling hours, which are away.
    sqlx::query("alter table usage_minutes rename to away").execute(&db).await.unwrap();
    limit(&scene.app, scene.key, vec![KeyLimit::new("day", 1_000, Window::Seconds(86_400)), KeyLimit::new("hour", 1_000, "rolling:hour".parse().unwrap())])
        .await;
    assert_eq!(used(&scene.app, scene.key), [40, 0]);
    sqlx::query("alter table away rename to usage_minutes").execute(&db).await.unwrap();
    until("it is read", async || used(&scene.app, scene.key)[1] == 40).await;
    assert_eq!(used(&scene.app, scene.key), [40, 40]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_long_window_that_begins_at_no_quarter_of_an_hour_is_known_whole_after_minutes_were_forgotten(db: PgPool) {
    const DAY: i64 = 86_400;
    // 13 days and some hours ago, five minutes into a quarter of an hour.
    const WINDOW: u32 = 2_000_000;
    let began = T0.unix_timestamp().rem_euclid(WINDOW.into());
    let scene = Scene::with(db.clone(), Given::default()).await;
    let ago = [(15 * DAY, 1_000), (began + 60, 7), (began - 60, 2), (10 * DAY, 100), (8 * DAY, 30), (3_600, 4), (0, 1)];
    use_up(&scene, &ago.map(|(seconds, units)| (Duration::seconds(seconds), units))).await;
    limit(&scene.app, scene.key, vec![KeyLimit::new("odd", 10_000, Window::Seconds(WINDOW))]).await;
    assert_eq!(used(&scene.app, scene.key), [137]);

    let Scene { app, key, .. } = scene;
    app.stop().await;
    sqlx::query("delete from usage_minutes where minute < $1").bind(T0 - Duration::days(7)).execute(&db).await.unwrap();
    let app = TestApp::start_with(db, |config| config.retention.minutes = std::time::Duration::from_secs(7 * 86_400)).await;
    assert_eq!(used(&app, key), [144], "with all of the quarter of an hour that it begins in, rather than none");
}
