//! What a URL asks for is what is shown: with more keys than are offered at once, beside an earlier time, with what calls cost.

use super::{DEMO, developer, key, tally, write};
use crate::support::{T0, TestApp};
use sqlx::PgPool;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    keys::{
        model::{KeyEdit, KeyLimit, Window},
        server::{edit_key, meter::Tally},
    },
    notices::{model::RuleOffer, server::notice_page},
    plans::server::set_workspace_limits,
    usage::{
        model::{UsageQuery, UsageReport},
        server::{count_usage_lines, export_usage, list_series, page_of_usage, report_errors, report_usage},
    },
    values::{KeyId, Outcome, SessionId},
};

fn asked(pairs: &[(&str, &str)]) -> UsageQuery {
    UsageQuery::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

async fn shown(app: &TestApp, owner: &Caller, pairs: &[(&str, &str)]) -> UsageReport {
    report_usage(&app.ctx, owner, asked(pairs)).await.unwrap()
}

/// Keys that were made a second after each other, beginning now.
async fn many(app: &TestApp, owner: &Caller, keys: i32) {
    sqlx::query(
        "insert into keys (id, workspace_id, api_id, name, created_at, updated_at)
         select gen_random_uuid(), $1, $2, 'till ' || n, $3 + make_interval(secs => n), $3 from generate_series(1, $4) n",
    )
    .bind(owner.workspace.uuid())
    .bind(DEMO)
    .bind(app.ctx.clock.now())
    .bind(keys)
    .execute(&app.ctx.db)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_chosen_key_is_offered_however_many_there_are(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let (old, used) = (key(&app.ctx, &owner, "old").await, key(&app.ctx, &owner, "used").await);
    let few = shown(&app, &owner, &[]).await;
    assert_eq!((few.key_choices.len(), few.has_more_keys), (2, false));
    many(&app, &owner, 600).await;
    app.ctx.clock.advance(time::Duration::hours(1));
    write(&app, vec![tally(&owner, used, "GET /", Outcome::Forbidden, T0.unix_timestamp() / 60 + 60, 4)]).await;

    let offered = |report: &UsageReport, key: KeyId| report.key_choices.iter().any(|k| k.id == key);
    let all = shown(&app, &owner, &[]).await;
    assert_eq!((all.key_choices.len(), all.has_more_keys), (500, true));
    assert!(offered(&all, used) && !offered(&all, old), "what was used last is offered, what is old and idle is not");
    assert!(all.keys.iter().all(|k| k.is_there));
    let one = shown(&app, &owner, &[("key", &old.to_string())]).await;
    assert_eq!((one.chosen_key().map(|k| k.name.as_str()), one.key_choices.len()), (Some("old"), 500));
    let offer = RuleOffer { key: Some(old.to_string()), ..RuleOffer::default() };
    let page = notice_page(&app.ctx, &with_account(&owner), offer.clone()).await.unwrap();
    assert_eq!((&page.offer, page.keys.iter().any(|k| k.id == old), page.has_more_keys), (&offer, true, true));
    let stranger = developer(&app.ctx, "tom", "UTC").await;
    let page = notice_page(&app.ctx, &with_account(&stranger), offer).await.unwrap();
    assert_eq!((page.offer.key, page.keys.len()), (None, 0), "a key of others is not there");
}

/// The same caller who may also look at the account.
fn with_account(caller: &Caller) -> Caller {
    let mut caller = caller.clone();
    caller.permissions.push(tollgate::values::permission_names::ACCOUNT_READ);
    caller
}

/// Sets the limits of a key and waits until its gate knows them.
async fn limit(app: &TestApp, key: KeyId, limits: &[(&str, u64, &str)]) {
    let limits = limits.iter().map(|(name, calls, window)| KeyLimit::new(*name, *calls, window.parse().unwrap())).collect();
    edit_key(&app.ctx, &Caller::cli(), key, KeyEdit { limits: Some(limits), ..KeyEdit::default() }).await.unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_line_of_a_limit_is_there_or_it_is_said_where(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "Europe/Stockholm").await;
    let shop = key(&app.ctx, &owner, "shop").await;
    write(&app, vec![tally(&owner, shop, "GET /", Outcome::Valid, T0.unix_timestamp() / 60, 4)]).await;
    limit(&app, shop, &[("hour", 100, "hour"), ("day", 900, "day@Europe/Stockholm"), ("month", 9_000, "month"), ("ten", 50, "600")]).await;
    let line = |report: &UsageReport| report.limit.as_ref().map(|line| (line.calls, line.is_shared));
    let hour = shown(&app, &owner, &[("range", "24h")]).await;
    assert_eq!((line(&hour), hour.limit_hint), (Some((100, false)), None), "the only key need not be chosen");
    assert_eq!(line(&shown(&app, &owner, &[]).await), Some((900, false)), "a day of a time zone");
    assert_eq!(line(&shown(&app, &owner, &[("range", "year"), ("bucket", "month")]).await), None, "a month of UTC begins at another hour");
    for narrowed in [("route", "GET /"), ("outcome", "passed")] {
        let some = shown(&app, &owner, &[("range", "24h"), narrowed]).await;
        assert_eq!((line(&some), some.limit_hint), (None, None), "of some of the calls a line says nothing");
    }
    let week = shown(&app, &owner, &[("range", "year")]).await;
    let hint = week.limit_hint.unwrap();
    assert_eq!((hint.limit.as_str(), hint.key), ("100 units an hour", None));

    limit(&app, shop, &[("ten", 50, "600")]).await;
    let none = shown(&app, &owner, &[]).await.limit_hint.unwrap();
    assert_eq!((none.limit.as_str(), none.view), ("50 units in 10 minutes", None));

    let other = key(&app.ctx, &owner, "other").await;
    limit(&app, other, &[("day", 700, "day@Europe/Stockholm")]).await;
    limit(&app, shop, &[("day", 800, "day@Europe/Stockholm")]).await;
    let both = shown(&app, &owner, &[]).await;
    let hint = both.limit_hint.unwrap();
    assert_eq!((both.limit, hint.key.as_deref(), hint.limit.as_str()), (None, Some("shop"), "800 units a day (Europe/Stockholm)"), "each has its own");
    assert_eq!(hint.view.map(|(_, query)| query.key), Some(Some(shop.to_string())));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_line_of_what_keys_share_says_so(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let (a, b) = (key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await);
    set_workspace_limits(&app.ctx, &Caller::cli(), owner.workspace, vec![KeyLimit::new("day", 1_000, Window::DAY)]).await.unwrap();
    for key in [a, b] {
        crate::gate::known(&app, key).await;
    }
    write(&app, vec![tally(&owner, a, "GET /", Outcome::Valid, T0.unix_timestamp() / 60, 4)]).await;
    for pairs in [&[][..], &[("key", a.to_string().as_str())][..]] {
        let line = shown(&app, &owner, pairs).await.limit.unwrap();
        assert_eq!((line.calls, line.is_shared), (1_000, true));
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_is_found_by_its_name(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let (old, used) = (key(&app.ctx, &owner, "Checkout").await, key(&app.ctx, &owner, "checkout service").await);
    write(&app, vec![tally(&owner, used, "GET /", Outcome::Forbidden, T0.unix_timestamp() / 60, 4)]).await;
    many(&app, &owner, 600).await;
    for (name, found) in [("SERVICE", Some(used)), ("checkout", Some(old)), ("check", None), ("nobody", None)] {
        let report = shown(&app, &owner, &[("named", name)]).await;
        assert_eq!(report.query.key, found.map(|key| key.to_string()), "{name}");
        assert_eq!(report.query.named.is_none(), found.is_some(), "{name}: what was found is no longer looked for");
    }
    let several = shown(&app, &owner, &[("named", "check")]).await;
    assert_eq!((several.key_choices.len(), several.totals.total()), (2, 4), "two to choose from, and no filter yet");
    assert!(shown(&app, &owner, &[("named", "nobody")]).await.key_choices.is_empty());
    // The chosen one stays while it has the text in its name; else what is typed decides.
    let kept = shown(&app, &owner, &[("named", "check"), ("key", &used.to_string())]).await;
    assert_eq!(kept.query.key, Some(used.to_string()));
    let other = shown(&app, &owner, &[("named", "till 600"), ("key", &used.to_string())]).await;
    assert_eq!(other.chosen_key().map(|k| k.name.as_str()), Some("till 600"));
    let errors = report_errors(&app.ctx, &owner, asked(&[("named", "service")])).await.unwrap();
    assert_eq!((errors.calls, errors.report.totals.total()), (4, 4));
    assert!(report_usage(&app.ctx, &owner, asked(&[("named", "a\0")])).await.unwrap_err().field("named").is_some());
    let stranger = developer(&app.ctx, "tom", "UTC").await;
    assert!(shown(&app, &stranger, &[("named", "service")]).await.query.key.is_none(), "keys of others have no names");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn units_are_told_where_they_are_not_calls(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let (a, b) = (key(&app.ctx, &owner, "a").await, key(&app.ctx, &owner, "b").await);
    let m = T0.unix_timestamp() / 60;
    write(&app, vec![tally(&owner, b, "GET /", Outcome::Valid, m - 1440, 10)]).await;
    assert_eq!(shown(&app, &owner, &[]).await.units, None, "each cost one");
    let dear = Tally { cost: 35, ..tally(&owner, a, "POST /report", Outcome::Valid, m - 3 * 1440, 7) };
    write(&app, vec![dear, tally(&owner, a, "POST /report", Outcome::QuotaExceeded, m, 2)]).await;
    for range in ["30d", "7d", "year"] {
        let report = shown(&app, &owner, &[("range", range)]).await;
        assert_eq!(report.units, Some(45), "{range}");
        let by_key: Vec<(KeyId, u64)> = report.keys.iter().map(|k| (k.key, k.units)).collect();
        assert!(by_key.contains(&(a, 35)) && by_key.contains(&(b, 10)), "{range}: {by_key:?}");
        assert_eq!(report.routes.iter().map(|r| (r.route.as_str(), r.units)).collect::<Vec<_>>(), [("GET /", 10), ("POST /report", 35)], "{range}");
    }
    assert_eq!(shown(&app, &owner, &[("route", "POST /report")]).await.units, Some(35));
    assert_eq!(shown(&app, &owner, &[("key", &b.to_string())]).await.units, None);
    assert_eq!(report_errors(&app.ctx, &owner, UsageQuery::default()).await.unwrap().report.units, None, "what did not pass cost nothing");
    for bucket in ["hour", "day", "minute"] {
        let from = if bucket == "minute" { "2026-11-17T11:00:00Z" } else { "2026-11-14T00:00:00Z" };
        let to = if bucket == "minute" { "2026-11-17T13:00:00Z" } else { "2026-11-20T12:00:00Z" };
        let points = list_series(&app.ctx, &owner, &asked(&[("bucket", bucket), ("from", from), ("to", to)])).await.unwrap().points;
        let wanted = if bucket == "minute" { 35 } else { 45 };
        assert_eq!(points.iter().filter_map(|p| p.units).sum::<u64>(), wanted, "{bucket}");
    }
    let points = list_series(&app.ctx, &owner, &asked(&[("permission", "orders:read")])).await.unwrap().points;
    assert!(points.iter().all(|p| p.units.is_none()), "of a permission no cost is kept");
}

/// A chart has at most 750 bars; a file that a job writes has as many buckets as two years have hours.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_file_of_a_job_has_more_buckets_than_a_chart(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "Europe/Stockholm").await;
    let k = key(&app.ctx, &owner, "k").await;
    let now = app.ctx.clock.now();
    let hour = |ago: i64, calls| tally(&owner, k, "GET /", Outcome::Valid, (T0.unix_timestamp() - ago * 3_600) / 60, calls);
    write(&app, vec![hour(0, 1), hour(1, 10), hour(700, 100), hour(5_000, 1_000), hour(8_000, 10_000)]).await;
    let query = asked(&[("range", "year"), ("bucket", "hour")]);
    assert!(export_usage(&app.ctx, &owner, &query).await.unwrap_err().field("bucket").is_some(), "at once only what a chart shows");
    let (lines, next) = page_of_usage(&app.ctx, &owner, &query, now, None).await.unwrap();
    assert_eq!(lines.iter().map(|line| (line.at.as_str(), line.calls)).collect::<Vec<_>>()[3..], [("2026-11-20T11:00:00Z", 10), ("2026-11-20T12:00:00Z", 1)]);
    assert_eq!((lines.iter().map(|line| line.calls).sum::<u64>(), next), (11_111, None));
    assert_eq!(count_usage_lines(&app.ctx, &owner, &query, now).await.unwrap(), 5);
    let minutes = asked(&[("range", "year"), ("bucket", "minute")]);
    let error = count_usage_lines(&app.ctx, &owner, &minutes, now).await.unwrap_err();
    assert!(error.field("bucket").is_some_and(|words| words.contains("more than 100,000 buckets")), "{error:?}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_year_ago_and_a_day_of_ones_own_are_compared_and_stand_in_the_file(db: PgPool) {
    let app = TestApp::start(db).await;
    let owner = developer(&app.ctx, "mara", "UTC").await;
    let k = key(&app.ctx, &owner, "k").await;
    let m = T0.unix_timestamp() / 60;
    let calls = [(0, 8), (7, 4), (365, 2), (100, 1)].map(|(days, calls)| tally(&owner, k, "GET /", Outcome::Valid, m - days * 1440, calls));
    write(&app, calls.to_vec()).await;
    for (compare, calls, period) in [("before", 4, "7 Nov to 13 Nov"), ("year", 2, "14 Nov 2025 to 20 Nov 2025"), ("2026-08-08", 1, "8 Aug to 14 Aug")] {
        let query = asked(&[("range", "7d"), ("compare", compare)]);
        let report = report_usage(&app.ctx, &owner, query.clone()).await.unwrap();
        let before = report.before.unwrap();
        assert_eq!((before.totals.total(), before.period.as_str(), before.buckets.len()), (calls, period, report.buckets.len()), "{compare}");
        let lines = export_usage(&app.ctx, &owner, &query).await.unwrap().unwrap();
        let of = |period: &str| lines.iter().filter(|l| l.period == period).map(|l| l.calls).sum::<u64>();
        assert_eq!((of("shown"), of("compared"), lines.len()), (8, calls, 2), "{compare}");
    }
    let plain = export_usage(&app.ctx, &owner, &asked(&[("range", "7d")])).await.unwrap().unwrap();
    assert_eq!((plain.len(), plain[0].period.as_str()), (1, "shown"));
    for wrong in ["twice", "2026-11-20", "2027-01-01", "1999-01-01"] {
        let error = report_usage(&app.ctx, &owner, asked(&[("range", "7d"), ("compare", wrong)])).await.unwrap_err();
        assert!(error.field("compare").is_some(), "{wrong}: {error:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_pages_say_so_and_errors_lead_to_a_rule_for_the_same_key(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let owner = caller_of_account(&app.ctx, person.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let old = key(&app.ctx, &owner, "old one").await;
    many(&app, &owner, 600).await;
    let m = T0.unix_timestamp() / 60;
    write(&app, vec![Tally { cost: 9, ..tally(&owner, old, "GET /", Outcome::Valid, m, 3) }]).await;
    let page = person.browser.page("/usage").await;
    for wanted in
        ["name=\"named\"", "the 500 keys that were used or created last", "9 units for 3 calls that passed", ">Units<", "value=\"year\"", "type=\"date\""]
    {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let page = person.browser.page("/usage?named=nobody").await;
    assert!(page.contains("No key matches “nobody”.") && page.contains("value=\"nobody\""), "{page}");
    let page = person.browser.page(&format!("/usage?key={old}&compare=2026-08-08")).await;
    assert!(page.contains("Calls of old one by day") && page.contains("selected>Compare: from 2026-08-08"), "{page}");
    let page = person.browser.page(&format!("/usage/errors?key={old}")).await;
    assert!(page.contains(&format!("/settings/notifications?key={old}#rules")), "{page}");
    let page = person.browser.page(&format!("/settings/notifications?key={old}")).await;
    assert!(page.contains(&format!("<option value=\"{old}\" selected")) && page.contains("and press New alert rule."), "{page}");
}
