//! The overview: its numbers are those of the tables, and its title tells whether somebody is wanted.

use super::{caller, key_of};
use crate::support::{T0, TestApp, until};
use sqlx::PgPool;
use tollgate::{
    admin::{api, model::Health, server},
    keys::server::{
        disable_key,
        gate::{Gate, Question},
        nodes::Nodes,
    },
    platform::clock::Clock,
    usage::server::Backlog,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_numbers_are_those_of_today(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (_, secret) = key_of(&app, &person, "shop").await;
    let (off, stopped) = key_of(&app, &person, "off").await;
    disable_key(&app.ctx, &caller(&app, person.account).await, off, "").await.unwrap();

    let gate = app.ctx.part::<Gate>().unwrap();
    let ask = |secret: &str| {
        let question =
            Question { secret, route: "GET /orders", address: Some("203.0.113.9".parse().unwrap()), request_id: "overview-1", ..Question::default() };
        gate.verify(question).unwrap();
    };
    (0..3).for_each(|_| ask(&secret));
    ask(&stopped);
    ask("nothing at all");
    app.flush().await;

    let overview = server::read_overview(&app.ctx, &caller(&app, operator.account).await).await.unwrap();
    let n = overview.numbers;
    assert_eq!((n.accounts, n.recent_accounts, n.keys, n.live_keys), (2, 2, 2, 1));
    assert_eq!((n.calls.passed, n.calls.refused, n.attempts), (3, 1, 1));
    assert_eq!(overview.title(), "Everything passes.");
    assert!(overview.refusals.iter().any(|r| r.key == Some(off) && r.address == "203.0.113.9"));

    let page = operator.browser.page("/admin").await;
    for words in ["Everything passes.", "Is everything all right?", "Key table", "2 keys", &person.name, "DISABLED", "up 0 seconds"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(page.contains("<title>Health · Admin") && page.contains("class=\"breadcrumb\"><ol><li><a href=\"/admin\">Admin</a>"), "in no workspace: {page}");
    assert!(operator.browser.page("/keys").await.contains("class=\"breadcrumb\"><ol><li><a href=\"/home\">"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_wants_somebody_is_said_first(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    app.run_jobs().await;
    sqlx::query("insert into jobs (id, kind, payload, state, run_at, created_at) values (gen_random_uuid(), 'x', '{}', 'failed', $1, $1)")
        .bind(T0)
        .execute(&app.ctx.db)
        .await
        .unwrap();
    let page = operator.browser.page("/admin").await;
    assert!(page.contains("Everything passes. One thing needs attention.") && page.contains("1 job failed for good"));

    sqlx::query("insert into jobs (id, kind, payload, run_at, created_at) values (gen_random_uuid(), 'x', '{}', $1, $1)")
        .bind(T0 - time::Duration::minutes(3))
        .execute(&app.ctx.db)
        .await
        .unwrap();
    let page = operator.browser.page("/admin").await;
    assert!(page.contains("Something is not working. One thing needs attention.") && page.contains("has been due for 3 minutes"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn counts_that_the_database_does_not_take_are_told(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.account("op@example.com", "Op", "operator").await;
    let operator = caller(&app, operator).await;
    let backlog = app.ctx.part::<Backlog>().unwrap();
    assert_eq!((backlog.waiting(), backlog.failing_since()), (0, None));
    let _ = Clock::frozen(T0);
    let parts = server::read_overview(&app.ctx, &operator).await.unwrap().parts;
    let usage = parts.iter().find(|p| p.name == "Usage").unwrap();
    assert_eq!((usage.health, usage.now.as_str()), (Health::Fine, "0 counts waiting"));
}

/// What one part can't be read from takes none of the others with it.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn parts_of_health_fail_alone(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let operator = app.account("op@example.com", "Op", "operator").await;
    let operator = caller(&app, operator).await;
    sqlx::query("alter table jobs rename to gone").execute(&db).await.unwrap();
    let parts = server::read_overview(&app.ctx, &operator).await.unwrap().parts;
    let of = |name: &str| parts.iter().find(|p| p.name == name).unwrap();
    assert_eq!((of("Jobs").health, of("Jobs").now.as_str()), (Health::Wanting, "not known"));
    assert!(["Key table", "Usage", "Audit log"].into_iter().all(|name| of(name).health == Health::Fine));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_nodes_are_listed_and_a_silent_one_is_named(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (key, _) = key_of(&app, &person, "shop").await;
    let page = operator.browser.page("/admin").await;
    let name = app.ctx.part::<Nodes>().unwrap().name().to_owned();
    for words in [name.as_str(), "this one", "just now", "1 node", "Everything passes."] {
        assert!(page.contains(words), "{words}");
    }

    sqlx::query(
        "insert into nodes (id, name, version, started_at, beat_at, stops_after, seen)
         values (gen_random_uuid(), 'web-2:3000', '0.1.0', now(), clock_timestamp() - interval '40 seconds', 900, pg_current_snapshot())",
    )
    .execute(&db)
    .await
    .unwrap();
    until("it is known", async || app.ctx.part::<Nodes>().unwrap().members().list.len() == 2).await;
    let page = operator.browser.page("/admin").await;
    for words in ["One thing needs attention.", "2 nodes", "web-2:3000 was last heard of 4", "it works from memory for at most 14 minutes"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("each confirms every change of a key"));
    operator.browser.post::<api::DisableKey>("/admin/keys", &[("id", &key.to_string())]).await;
    let page = operator.browser.page("/admin/keys").await;
    for words in ["Refused on 1 of 2 nodes. web-2:3000 has not confirmed for 4", "it stops by itself when it is cut off for 15 minutes."] {
        assert!(page.contains(words), "{words}");
    }

    // One that answers its calls 503 is no matter of course.
    sqlx::query("update nodes set beat_at = clock_timestamp() - interval '965 seconds' where name = 'web-2:3000'").execute(&db).await.unwrap();
    until("it must have stopped", async || operator.browser.page("/admin").await.contains("no longer answers calls")).await;
    let page = operator.browser.page("/admin").await;
    for words in
        ["Something is not working. One thing needs attention.", "1 of 2 nodes", "web-2:3000 was last heard of 17 minutes ago and answers calls no longer"]
    {
        assert!(page.contains(words), "{words}");
    }
}
