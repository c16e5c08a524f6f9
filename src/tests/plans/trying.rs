//! "Who would be limited?", before a limit is saved.

use super::{limit, plan};
use crate::{
    support::{TestApp, browser::location},
    usage::{developer, key, tally, write},
};
use sqlx::PgPool;
use time::macros::datetime;
use tollgate::{
    accounts::Caller,
    keys::model::{TypedLimit, Window},
    plans::{
        api,
        model::Trial,
        server::{assign_plan, find_plan, set_workspace_limits, try_plan},
    },
    values::Outcome,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_limit_is_tried_as_it_is_typed_for_everybody_or_for_those_who_have_the_plan(db: PgPool) {
    let app = TestApp::start(db).await;
    let (ctx, cli) = (&app.ctx, Caller::cli());
    plan(ctx, "pro", vec![limit("day", 1_000, Window::DAY)]).await;
    let (asha, ben) = (developer(ctx, "asha", "UTC").await, developer(ctx, "ben", "UTC").await);
    for owner in [&asha, &ben] {
        let key = key(ctx, owner, "a").await;
        let minute = datetime!(2026-11-18 12:00 UTC).unix_timestamp() / 60;
        write(&app, vec![tally(owner, key, "GET /orders", Outcome::Valid, minute, 50)]).await;
    }
    assign_plan(ctx, &cli, asha.workspace, Some("pro")).await.unwrap();
    let typed = TypedLimit { was: "day".into(), name: "day".into(), limit: "20".into(), window: "86400".into(), ..TypedLimit::default() };
    let tried = async |of_holders, typed: Option<&TypedLimit>| {
        try_plan(ctx, &cli, "pro", &Trial { of_holders, typed: typed.cloned(), ..Trial::default() }).await.unwrap()
    };
    assert_eq!((tried(false, None).await.count, tried(true, None).await.count), (0, 0), "as it is");
    assert_eq!(tried(false, Some(&typed)).await.count, 2);
    let held = tried(true, Some(&typed)).await;
    assert_eq!((held.count, held.limited[0].workspace, held.limited[0].beyond), (1, asha.workspace, 30));
    let nowhere = TypedLimit { window: "day@Middle/Earth".into(), ..typed };
    let wrong = try_plan(ctx, &cli, "pro", &Trial { typed: Some(nowhere), ..Trial::default() }).await;
    assert!(wrong.is_err_and(|error| error.field("window").is_some()));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn those_who_have_a_plan_are_workspaces_and_keys_each_alone(db: PgPool) {
    let app = TestApp::start(db).await;
    let (ctx, cli) = (&app.ctx, Caller::cli());
    plan(ctx, "pro", vec![limit("day", 40, Window::DAY)]).await;
    let (asha, ben, cleo) = (developer(ctx, "asha", "UTC").await, developer(ctx, "ben", "UTC").await, developer(ctx, "cleo", "UTC").await);
    let minute = datetime!(2026-11-18 12:00 UTC).unix_timestamp() / 60;
    let mut keys = Vec::new();
    for (owner, name, units) in [(&asha, "a", 30), (&asha, "b", 30), (&ben, "shop", 50), (&ben, "till", 60), (&cleo, "c", 90)] {
        let id = key(ctx, owner, name).await;
        write(&app, vec![tally(owner, id, "GET /orders", Outcome::Valid, minute, units)]).await;
        keys.push(id);
    }
    assign_plan(ctx, &cli, asha.workspace, Some("pro")).await.unwrap();
    assign_plan(ctx, &cli, cleo.workspace, Some("pro")).await.unwrap();
    set_workspace_limits(ctx, &cli, cleo.workspace, vec![limit("day", 1_000, Window::DAY)]).await.unwrap();
    sqlx::query("update keys set plan_id = (select id from plans where slug = 'pro') where id = $1").bind(keys[2].uuid()).execute(&ctx.db).await.unwrap();

    let tried = async |of_holders, by_key| {
        let run = try_plan(ctx, &cli, "pro", &Trial { of_holders, by_key, typed: None }).await.unwrap();
        let rows: Vec<_> = run.limited.iter().map(|held| (held.name.clone(), held.key, held.beyond)).collect();
        ((run.count, run.keys), rows)
    };
    let shop = ("shop".to_owned(), Some(keys[2]), 10);
    let of_asha = ("asha".to_owned(), None, 20);
    assert_eq!(tried(true, false).await, ((2, 1), vec![of_asha.clone(), shop.clone()]), "her keys together, his key alone; limits of her own hold Cleo");
    assert_eq!(tried(true, true).await, ((1, 1), vec![shop.clone()]), "none of her keys alone");
    let (of_ben, of_cleo) = (("ben".to_owned(), None, 20), ("cleo".to_owned(), None, 50));
    let (counts, mut rows) = tried(false, false).await;
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!((counts, rows), ((3, 0), vec![of_asha, of_ben, of_cleo]));
    let each = [("c".to_owned(), Some(keys[4]), 50), ("till".to_owned(), Some(keys[3]), 20), shop];
    assert_eq!(tried(false, true).await, ((3, 3), each.to_vec()));

    let operator = app.sign_in_as("operator").await;
    let page = operator.browser.page("/admin/plans?edit=pro&try=1&of=holders").await;
    assert!(page.contains("held back 1 workspace and 1 key.") && page.contains(&format!("href=\"/keys/{}\"", keys[2])), "{page}");
    assert!(page.contains("Each key alone") && page.contains("Try it for everybody"), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_form_of_a_limit_tries_what_was_typed_and_saves_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    plan(&app.ctx, "pro", vec![limit("day", 1_000, Window::DAY)]).await;
    let page = "/admin/plans?edit=pro&set=day";
    let sent = |limit: &'static str| {
        [("slug", "pro"), ("_form", "limit"), ("was", "day"), ("name", "day"), ("limit", limit), ("window", "86400"), ("over", "mark"), ("act", "try")]
    };
    let wrong = operator.browser.post::<api::SetPlanLimit>(page, &sent("many")).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("value=\"many\""), "beside its field, and what was typed stays");
    let sent = operator.browser.post::<api::SetPlanLimit>(page, &sent("20")).await;
    let tried = location(&sent);
    assert!(tried.starts_with("/admin/plans?edit=pro&try=typed&"), "{tried}");
    let shown = operator.browser.page(tried).await;
    assert!(shown.contains("Nothing is saved.") && shown.contains("nobody would have been held back"), "{shown}");
    assert!(shown.contains("name=\"limit\" value=\"20\"") && shown.contains("Only for those who have it"), "{shown}");
    assert_eq!(find_plan(&app.ctx, &Caller::cli(), "pro").await.unwrap().limits, [limit("day", 1_000, Window::DAY)]);
}
