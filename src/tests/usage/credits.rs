//! How long credits last, on the usage page and in its file.

use super::{developer, key, tally, write};
use crate::support::{T0, TestApp};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    keys::{
        model::{KeyEdit, KeyLimit, Over},
        server::edit_key,
    },
    plans::server::set_workspace_limits,
    usage::{
        model::{Lasts, UsageQuery},
        server::{export_limits, report_usage},
    },
    values::{Outcome, SessionId},
};

fn until(at: &str) -> Option<Lasts> {
    Some(Lasts { used_up: Some(at.to_owned()), is_soon: true })
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn they_last_as_the_pace_of_the_last_days_and_what_comes_back_let_them(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let shop = key(&app.ctx, &owner, "shop").await;
    let ago = |hours: i64, calls| tally(&owner, shop, "GET /", Outcome::Valid, (T0 - Duration::hours(hours)).unix_timestamp() / 60, calls);
    // Ten an hour in the last two days; what was before the last seven is not looked at.
    write(&app, vec![ago(8 * 24, 50_000), ago(48, 400), ago(1, 80)]).await;
    let limits = [("burst", 60, "credits:1/second"), ("daily", 500, "credits:300/day"), ("pack", 1_000, "credits")];
    let limits = limits.map(|(name, credits, window)| KeyLimit::new(name, credits, window.parse().unwrap())).to_vec();
    edit_key(&app.ctx, &Caller::cli(), shop, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();

    let query = UsageQuery { key: Some(shop.to_string()), range: Some("7d".into()), ..UsageQuery::default() };
    let report = report_usage(&app.ctx, &owner, query.clone()).await.unwrap();
    let lasts = |limit: u64| report.meters.iter().find(|meter| meter.limit == limit).unwrap().lasts.clone();
    assert_eq!(lasts(1_000), until("Tue 24 Nov, 16:00"), "a hundred hours");
    assert_eq!(lasts(500), Some(Lasts { used_up: None, is_soon: false }), "more comes back than is used");
    assert_eq!(lasts(60), None, "within a minute it is full again");
    let lines = export_limits(&app.ctx, &owner, &query).await.unwrap();
    let told: Vec<_> = lines.iter().map(|line| (line.name.as_str(), line.limit, line.expected, line.used_up.as_deref())).collect();
    assert!(told.contains(&("pack", 1_000, None, Some("Tue 24 Nov, 16:00"))) && told.contains(&("daily", 500, None, None)), "{told:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_keys_share_lasts_as_long_as_all_of_them_let_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let (a, b) = (key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await);
    for key in [a, b] {
        crate::gate::known(&app, key).await;
    }
    let limits = vec![KeyLimit::new("pack", 1_000, "credits".parse().unwrap())];
    set_workspace_limits(&app.ctx, &Caller::cli(), owner.workspace, limits).await.unwrap();
    let ago = |key, hours: i64, calls| tally(&owner, key, "GET /", Outcome::Valid, (T0 - Duration::hours(hours)).unix_timestamp() / 60, calls);
    write(&app, vec![ago(a, 24, 120), ago(b, 12, 120)]).await;
    let query = UsageQuery { key: Some(a.to_string()), range: Some("7d".into()), ..UsageQuery::default() };
    let report = report_usage(&app.ctx, &owner, query).await.unwrap();
    let [pack] = &report.meters[..] else { panic!("{:?}", report.meters) };
    assert_eq!((pack.is_shared, pack.remaining, &pack.lasts), (true, 1_000, &until("Tue 24 Nov, 16:00")));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_says_when_they_are_used_up_and_what_passes_without_any(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let owner = caller_of_account(&app.ctx, person.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let shop = key(&app.ctx, &owner, "shop").await;
    write(&app, vec![tally(&owner, shop, "GET /", Outcome::Valid, (T0 - Duration::hours(48)).unix_timestamp() / 60, 480)]).await;
    for (credits, words) in [
        (1_000, "At the pace of the last seven days, they are used up at "),
        (1_000_000, "At the pace of the last seven days, they last for more than half a year."),
        (0, "Used up, prepaid; an operator can add more. 0 units passed without credits, marked. Calls keep passing."),
    ] {
        let limits = vec![KeyLimit { over: Over::MARK, ..KeyLimit::new("pack", credits, "credits".parse().unwrap()) }];
        edit_key(&app.ctx, &Caller::cli(), shop, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
        let page = person.browser.page(&format!("/usage?key={shop}&range=7d")).await;
        assert!(page.replace("<!>", "").contains(words), "{words}: {page}");
        assert!(page.contains("Limit of shop: pack"), "{page}");
    }
}
