//! Describing and assigning: who may, what is refused, what is recorded, and the dry run.

use super::{limit, plan};
use crate::{
    gate::{Scene, owner},
    keys::events,
    support::TestApp,
    usage::{developer, key as usage_key, tally, write},
};
use sqlx::PgPool;
use time::macros::datetime;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    error::AppError,
    keys::{
        model::{KeyLimit, LimitUnit, Window},
        server::edit_key,
    },
    plans::{
        model::{GroupEdit, NewGroup, NewPlan, NewPrice, PlanEdit, Trial, WorkspaceHold},
        server::{
            add_member, assign_plan, create_group, create_plan, delete_plan, dry_run, edit_group, edit_plan, find_plan, forms, list_plans,
            set_workspace_limits, try_api_limits, try_plan, workspace_hold,
        },
    },
    values::Outcome,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_operators_describe_and_assign_plans(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = owner(&app, "dev@example.com", "developer").await;
    let caller = caller_of_account(&app.ctx, person.account, Via::Cli).await.unwrap().unwrap();
    plan(&app.ctx, "pro", vec![]).await;
    let refused = [
        list_plans(&app.ctx, &caller).await.err(),
        create_plan(&app.ctx, &caller, NewPlan::default()).await.err(),
        edit_plan(&app.ctx, &caller, "pro", PlanEdit::default()).await.err(),
        delete_plan(&app.ctx, &caller, "pro").await.err(),
        assign_plan(&app.ctx, &caller, person.workspace, Some("pro")).await.err(),
        set_workspace_limits(&app.ctx, &caller, person.workspace, vec![]).await.err(),
        dry_run(&app.ctx, &caller, "pro", false).await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(AppError::Forbidden { .. })), "{error:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_wrong_with_a_plan_is_named(db: PgPool) {
    let app = TestApp::start(db).await;
    let cli = Caller::cli();
    let price = |per_1000: &str, currency: &str| Some(NewPrice { per_1000: per_1000.into(), currency: currency.into() });
    let wrong = NewPlan {
        slug: "default".into(),
        name: " ".into(),
        description: "x".repeat(401),
        entitlements: vec!["y".repeat(121)],
        price: price("a lot", "EUR"),
        ..NewPlan::default()
    };
    let error = create_plan(&app.ctx, &cli, wrong).await.unwrap_err();
    for field in ["slug", "name", "description", "entitlements", "price.per_1000"] {
        assert!(error.field(field).is_some(), "{field}: {error:?}");
    }
    let fine = NewPlan { slug: "pro".into(), name: "Pro".into(), price: price("0.5", "EUR"), ..NewPlan::default() };
    let made = create_plan(&app.ctx, &cli, fine.clone()).await.unwrap();
    assert_eq!(made.price.unwrap().to_string(), "0.50 EUR for 1,000 units");
    assert!(create_plan(&app.ctx, &cli, fine).await.unwrap_err().field("slug").is_some(), "taken");
    let two = vec![limit("a", 1, Window::DAY), limit("a", 2, Window::HOUR)];
    let edit = PlanEdit { limits: Some(two), ..PlanEdit::default() };
    assert!(edit_plan(&app.ctx, &cli, "pro", edit).await.unwrap_err().field("limits.1.name").is_some());
    assert!(assign_plan(&app.ctx, &cli, app.ctx.new_id(), Some("pro")).await.is_err_and(|e| e == AppError::NotFound));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_plan_that_somebody_has_is_not_deleted_and_twice_is_once(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (ctx, cli, workspace) = (&scene.app.ctx, Caller::cli(), scene.owner.workspace);
    plan(ctx, "pro", vec![limit("day", 5, Window::DAY)]).await;
    for _ in 0..2 {
        assign_plan(ctx, &cli, workspace, Some("pro")).await.unwrap();
        edit_plan(ctx, &cli, "pro", PlanEdit { name: Some("Pro".into()), ..PlanEdit::default() }).await.unwrap();
    }
    assert_eq!((events(&db, "workspace.plan_assigned").await, events(&db, "plan.changed").await), (1, 1));
    let edit = tollgate::keys::model::KeyEdit { plan: Some(Some("pro".into())), ..Default::default() };
    edit_key(ctx, &cli, scene.key, edit).await.unwrap();
    let now = find_plan(ctx, &cli, "pro").await.unwrap();
    assert_eq!((now.workspaces, now.keys), (1, 1));
    let error = delete_plan(ctx, &cli, "pro").await.unwrap_err();
    assert_eq!(error.to_string(), "1 workspace and 1 key have this plan. Assign them another one first.");
    assign_plan(ctx, &cli, workspace, None).await.unwrap();
    scene.execute("update keys set plan_id = null where id = $1").await;
    delete_plan(ctx, &cli, "pro").await.unwrap();
    assert_eq!(delete_plan(ctx, &cli, "pro").await.unwrap_err(), AppError::NotFound);
    let none = tollgate::keys::model::KeyEdit { plan: Some(Some("pro".into())), ..Default::default() };
    assert!(edit_key(ctx, &cli, scene.key, none).await.unwrap_err().field("plan").is_some());
    assert_eq!(workspace_hold(ctx, &cli, workspace).await.unwrap().plan, None);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_plan_that_replaces_another_or_has_no_effect_says_so(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (ctx, cli, workspace, key) = (&scene.app.ctx, Caller::cli(), scene.owner.workspace, scene.key);
    for slug in ["pro", "team"] {
        plan(ctx, slug, vec![limit("day", 5, Window::DAY)]).await;
    }
    plan(ctx, "bare", vec![]).await;
    let limits = |limits: Vec<KeyLimit>| tollgate::keys::model::KeyEdit { limits: Some(limits), ..Default::default() };
    edit_key(ctx, &cli, key, limits(vec![])).await.unwrap();
    let given = async |slug: &str, to: String| forms::assign(ctx, &cli, slug, &to).await.unwrap().words();
    assert!(given("pro", workspace.to_string()).await.ends_with(" now has this plan."));
    assert!(given("pro", workspace.to_string()).await.ends_with(" now has this plan."), "twice is once");
    let team = given("team", workspace.to_string()).await;
    assert!(team.ends_with(" now has this plan, in place of pro."), "{team}");
    let bare = given("bare", workspace.to_string()).await;
    assert!(bare.ends_with(", in place of team. This plan has no limits, so it changes none."), "{bare}");
    edit_key(ctx, &cli, key, limits(vec![limit("day", 9, Window::DAY)])).await.unwrap();
    let own = given("pro", workspace.to_string()).await;
    assert!(own.ends_with("no effect: limits or plans of their own apply to 1 key instead."), "{own}");
    let of_key = given("pro", key.to_string()).await;
    assert!(of_key.ends_with("now has this plan. The plan's limits have no effect: the key has limits of its own, which apply instead."), "{of_key}");

    let group = NewGroup { slug: "partners".into(), name: "Partners".into(), plan: Some("team".into()), ..NewGroup::default() };
    create_group(ctx, &cli, group).await.unwrap();
    assert_eq!(given("pro", "partners".to_owned()).await, "Partners now has this plan, in place of team.");
    edit_group(ctx, &cli, "partners", GroupEdit { limits: Some(vec![limit("day", 3, Window::DAY)]), ..GroupEdit::default() }).await.unwrap();
    add_member(ctx, &cli, "partners", workspace).await.unwrap();
    let of_group = given("pro", "partners".to_owned()).await;
    assert!(of_group.ends_with("the group has limits of its own, which apply instead."), "{of_group}");
    let words = |hold: WorkspaceHold| hold.effect().map(|effect| (effect.effective, effect.words)).unwrap();
    let (effective, said) = words(assign_plan(ctx, &cli, workspace, Some("team")).await.unwrap());
    assert!(!effective && said.contains("those of the workspace's group partners apply instead"), "{said}");
    let (effective, said) = words(set_workspace_limits(ctx, &cli, workspace, vec![limit("day", 2, Window::DAY)]).await.unwrap());
    assert!(!effective && said.contains("the workspace has limits of its own"), "{said}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_dry_run_sums_what_was_asked_window_by_window(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let (ctx, cli) = (&scene.app.ctx, Caller::cli());
    // Two quarters of one hour, one of the next, and one before the first of last month; refusals for other reasons don't count.
    for (at, outcome, count, cost) in [
        ("2026-11-10 09:00Z", "VALID", 60, Some(60)),
        ("2026-11-10 09:45Z", "RATE_LIMITED", 10, Some(70)),
        ("2026-11-10 10:00Z", "VALID", 99, None),
        ("2026-10-01 00:00Z", "VALID", 1, Some(150)),
        ("2026-11-10 10:00Z", "FORBIDDEN", 500, Some(500)),
        ("2026-09-30 23:45Z", "VALID", 900, Some(900)),
    ] {
        sqlx::query("insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count, cost) select id, $2::text::timestamptz, '-', $3, workspace_id, api_id, $4, $5 from keys where id = $1")
            .bind(scene.key.uuid())
            .bind(at)
            .bind(outcome)
            .bind(i64::from(count))
            .bind(cost.map(i64::from))
            .execute(&db)
            .await
            .unwrap();
    }
    plan(ctx, "small", vec![limit("hour", 100, Window::HOUR), limit("month", 200, Window::Month), limit("burst", 1, Window::MINUTE)]).await;
    for by_key in [false, true] {
        let run = dry_run(ctx, &cli, "small", by_key).await.unwrap();
        assert_eq!((run.count, &run.by_minutes), (1, &vec!["burst".to_owned()]), "of which nothing is known by the minute");
        let row = &run.limited[0];
        assert_eq!((row.workspace, row.key), (scene.owner.workspace, by_key.then_some(scene.key)));
        // Hours: 130 of 100 on 10 Nov, 150 of 100 on 1 Oct. What these hold back fills no month.
        assert_eq!((row.windows, row.beyond, row.units), (2, 30 + 50, 379));
    }
    // In any 75 minutes; what is held back fills nothing.
    let rolling = vec![limit("month", 200, Window::Month), limit("shift", 100, Window::Rolling(4_500)), limit("burst", 1, Window::Rolling(1_800))];
    plan(ctx, "rolling", rolling).await;
    for by_key in [false, true] {
        let run = dry_run(ctx, &cli, "rolling", by_key).await.unwrap();
        assert_eq!((run.count, &run.by_quarters, &run.by_minutes), (1, &vec!["shift".to_owned()], &vec!["burst".to_owned()]));
        let row = &run.limited[0];
        assert_eq!((row.workspace, row.key), (scene.owner.workspace, by_key.then_some(scene.key)));
        // At 09:00 all of 60 pass, at 09:45 40 of 70, at 10:00 none of 99, and 100 of 150 on 1 Oct.
        assert_eq!((row.windows, row.beyond, row.units), (3, 30 + 99 + 50, 379));
    }
    plan(ctx, "wide", vec![limit("shift", 150, Window::Rolling(3_600))]).await;
    let run = dry_run(ctx, &cli, "wide", false).await.unwrap();
    assert_eq!((run.limited[0].windows, run.limited[0].beyond), (1, 19), "at 10:00 what was asked at 09:00 is an hour old: 70 and 99 of 150");
    plan(ctx, "large", vec![limit("month", 10_000, Window::Month), limit("day", 229, Window::Rolling(86_400))]).await;
    assert_eq!(dry_run(ctx, &cli, "large", false).await.unwrap().count, 0);
    // In calls, whatever they cost: 70 and 99 of 65 on 10 Nov; of those that cost 150 units on 1 Oct there was one.
    let calls = |limit: KeyLimit| KeyLimit { unit: LimitUnit::Calls, ..limit };
    plan(ctx, "calls", vec![calls(limit("hour", 65, Window::HOUR))]).await;
    let run = dry_run(ctx, &cli, "calls", false).await.unwrap();
    assert_eq!((run.limited[0].windows, run.limited[0].beyond, run.limited[0].units, &run.by_calls), (2, 5 + 34, 170, &vec!["hour".to_owned()]));
    plan(ctx, "both", vec![calls(limit("calls", 65, Window::HOUR)), limit("hour", 100, Window::HOUR), calls(limit("shift", 150, Window::Rolling(4_500)))])
        .await;
    let run = dry_run(ctx, &cli, "both", false).await.unwrap();
    // On 1 Oct 50 of 150 units; at 09:45 there is room for half of the 10 calls, so 35 of 70 pass; at 10:00 for 65 of 99.
    assert_eq!((run.count, run.limited[0].beyond, run.limited[0].units), (1, 50 + 35 + 34, 379));
    assert_eq!((run.by_calls, run.unit), (vec!["calls".to_owned(), "shift".to_owned()], LimitUnit::Units));
    // Two limits that all of it is beyond: each unit counts once.
    plan(ctx, "none", vec![limit("hour", 1, Window::HOUR), limit("month", 1, Window::Month)]).await;
    let row = &dry_run(ctx, &cli, "none", false).await.unwrap().limited[0];
    assert_eq!((row.windows, row.beyond, row.units), (3 + 2, 377, 379), "one unit a month passes");
    let others = vec![limit("bank", 1, "credits:1/day".parse().unwrap()), limit("open", 1, Window::CONCURRENT), limit("burst", 1, Window::Seconds(90))];
    plan(ctx, "others", others).await;
    let run = dry_run(ctx, &cli, "others", false).await.unwrap();
    // A credit comes back a day: one unit passes on 1 Oct and one on 10 Nov.
    assert_eq!((run.count, run.limited[0].windows, run.limited[0].beyond), (1, 4, 377));
    assert_eq!((run.tried.join(" "), run.not_tried.join(" "), run.too_short.join(" ")), ("bank".into(), "burst open".into(), "burst".into()));
    plan(ctx, "drip", vec![limit("bank", 300, "credits:1/hour".parse().unwrap())]).await;
    assert_eq!(dry_run(ctx, &cli, "drip", false).await.unwrap().count, 0, "what was used on 1 Oct came back");
    plan(ctx, "prepaid", vec![limit("pack", 300, "credits".parse().unwrap())]).await;
    assert_eq!(dry_run(ctx, &cli, "prepaid", false).await.unwrap().limited[0].beyond, 79, "they never come back");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_dry_run_says_how_many_keys_limits_of_their_own_hold(db: PgPool) {
    let app = TestApp::start(db).await;
    let (ctx, cli) = (&app.ctx, Caller::cli());
    plan(ctx, "pro", vec![limit("day", 40, Window::DAY)]).await;
    let asha = developer(ctx, "asha", "UTC").await;
    let at = datetime!(2026-11-10 09:00 UTC).unix_timestamp() / 60;
    let mut ids = Vec::new();
    for (name, units) in [("shop", 70), ("till", 30), ("still", 0)] {
        let id = usage_key(ctx, &asha, name).await;
        if units > 0 {
            write(&app, vec![tally(&asha, id, "GET /", Outcome::Valid, at, units)]).await;
        }
        ids.push(id);
    }
    for id in [ids[0], ids[2]] {
        let edit = tollgate::keys::model::KeyEdit { limits: Some(vec![limit("day", 1_000, Window::DAY)]), ..Default::default() };
        edit_key(ctx, &cli, id, edit).await.unwrap();
    }
    let run = dry_run(ctx, &cli, "pro", false).await.unwrap();
    assert_eq!((run.count, run.left_out, run.left_out_units), (0, 1, 70), "a key without usage says nothing");
    let run = dry_run(ctx, &cli, "pro", true).await.unwrap();
    assert_eq!((run.count, run.left_out), (1, 0), "each key alone is tried, whatever holds it");
    assert_eq!(try_api_limits(ctx, &cli, "demo", Some(vec![limit("day", 1, Window::DAY)])).await.unwrap().left_out, 1);
    let edit = tollgate::keys::model::KeyEdit { plan: Some(Some("pro".into())), ..Default::default() };
    edit_key(ctx, &cli, ids[0], edit).await.unwrap();
    let holders = Trial { of_holders: true, ..Trial::default() };
    assert_eq!(try_plan(ctx, &cli, "pro", &holders).await.unwrap().left_out, 1, "it has the plan, which does not hold it");

    let operator = app.sign_in_as("operator").await;
    let page = operator.browser.page("/admin/plans?edit=pro&try=1").await;
    assert!(page.contains("nobody would have been held back. 1 key with limits of its own is left out, with 70 units."), "{page}");
    plan(ctx, "burst", vec![limit("second", 1, Window::SECOND)]).await;
    let page = operator.browser.page("/admin/plans?edit=burst&try=1").await;
    assert!(page.contains("None of these limits can be tried.") && page.contains("be tried: second. Usage is kept"), "{page}");
    assert!(!page.contains("nobody would have been"), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_dry_run_holds_short_windows_against_each_minute(db: PgPool) {
    let app = TestApp::start(db).await;
    let (ctx, cli) = (&app.ctx, Caller::cli());
    let (asha, ben) = (developer(ctx, "asha", "UTC").await, developer(ctx, "ben", "UTC").await);
    let (shop, till, other) = (usage_key(ctx, &asha, "shop").await, usage_key(ctx, &asha, "till").await, usage_key(ctx, &ben, "b").await);
    let at = |minute: i64| datetime!(2026-11-10 09:00 UTC).unix_timestamp() / 60 + minute;
    let counts = vec![
        // Two keys in one minute, then on both sides of a quarter of an hour; and one that is busy all day, but never at once.
        tally(&asha, shop, "GET /", Outcome::Valid, at(3), 8),
        tally(&asha, till, "GET /", Outcome::RateLimited, at(3), 7),
        tally(&asha, shop, "GET /", Outcome::Valid, at(14), 9),
        tally(&asha, shop, "POST /", Outcome::Valid, at(15), 6),
        tally(&asha, shop, "GET /", Outcome::Forbidden, at(15), 50),
        // From before minutes are kept.
        tally(&asha, shop, "GET /", Outcome::Valid, datetime!(2026-10-02 09:00 UTC).unix_timestamp() / 60, 100),
    ];
    let spread = (0..100).map(|minute| tally(&ben, other, "GET /", Outcome::Valid, at(minute), 1));
    write(&app, counts.into_iter().chain(spread).collect()).await;

    plan(ctx, "minute", vec![limit("burst", 10, Window::MINUTE)]).await;
    let run = dry_run(ctx, &cli, "minute", false).await.unwrap();
    assert_eq!((run.by_minutes.join(" "), run.minutes_since), ("burst".to_owned(), Some(datetime!(2026-10-07 00:00 UTC))));
    assert_eq!((run.count, run.keys, run.limited[0].workspace), (1, 0, asha.workspace));
    assert_eq!((run.limited[0].windows, run.limited[0].beyond, run.limited[0].units), (1, 5, 130), "its units are all since the first of last month");
    assert_eq!(dry_run(ctx, &cli, "minute", true).await.unwrap().count, 0, "no key alone");

    // Seven minutes of the clock hold 09:03 alone, and 09:14 with 09:15, where 1 of 6 passes whatever the hour has room for. On 2 Oct, of which only
    // the quarter is known, the hour holds back 80.
    plan(ctx, "seven", vec![limit("burst", 10, Window::Seconds(420)), limit("hour", 20, Window::HOUR)]).await;
    for (by_key, expected) in [(false, (None, 4, 5 + 5 + 80)), (true, (Some(shop), 3, 5 + 80))] {
        let run = dry_run(ctx, &cli, "seven", by_key).await.unwrap();
        let of_asha = run.limited.iter().filter(|held| held.workspace == asha.workspace);
        assert_eq!(of_asha.map(|held| (held.key, held.windows, held.beyond)).collect::<Vec<_>>(), [expected]);
        assert_eq!((run.count, run.keys), (2, if by_key { 2 } else { 0 }));
    }
    plan(ctx, "rolling", vec![limit("burst", 10, Window::Rolling(120))]).await;
    let run = dry_run(ctx, &cli, "rolling", false).await.unwrap();
    assert_eq!((run.count, run.limited[0].windows, run.limited[0].beyond), (1, 2, 5 + 5), "15 of 10 at 09:03, 9 and 6 of 10 around 09:15");
}
