//! Samples of refusals: of one's own workspace, page by page, beside exact counts.

use super::{DEMO, developer, key, operator, tally};
use crate::support::{T0, TestApp};
use sqlx::PgPool;
use std::sync::Arc;
use tollgate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::Ground,
        server::meter::{Attempt, Batch, Refusal},
    },
    usage::{
        model::{Gatepost, Question, RefusalQuery, UsageQuery},
        server::{
            Whose, export_all_refusals, export_codes, export_refusals, list_all_refusals, list_refusals, read_refusals, recent_refusals, report_errors,
            unknown_attempts_today, write_batch,
        },
    },
    values::{ApiId, KeyId, Outcome},
};

fn refusal(owner: Option<&Caller>, key: Option<KeyId>, code: Outcome, seconds_ago: i64) -> Refusal {
    Refusal {
        at_micros: (T0.unix_timestamp() - seconds_ago) * 1_000_000,
        key,
        workspace: owner.map(|o| o.workspace),
        api: Some(ApiId::new(DEMO)),
        code,
        ground: Ground::guessed(code),
        limit: String::new(),
        permission: String::new(),
        route: Arc::from("GET /invoices"),
        address: "192.0.2.77".into(),
        request_id: format!("req{seconds_ago}"),
        detail: "<b>needs invoices:read</b>".into(),
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn samples_are_listed_page_by_page(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "Europe/Stockholm").await, developer(&app.ctx, "tom", "UTC").await);
    let k = key(&app.ctx, &mara, "ERP bridge").await;
    let mut samples: Vec<Refusal> =
        (0..120).map(|n| refusal(Some(&mara), Some(k), if n % 3 == 0 { Outcome::RateLimited } else { Outcome::Forbidden }, n / 2)).collect();
    samples.push(refusal(None, None, Outcome::Unknown, 5));
    let batch = Batch {
        counts: vec![
            tally(&mara, k, "GET /invoices", Outcome::Forbidden, T0.unix_timestamp() / 60, 412),
            tally(&mara, k, "GET /", Outcome::Valid, T0.unix_timestamp() / 60, 9),
        ],
        unknown: vec![Attempt { minute: T0.unix_timestamp() / 60, reason: Outcome::Unknown, address: "192.0.2.77".into(), count: 37 }],
        samples,
        ..Batch::default()
    };
    write_batch(&app.ctx, app.ctx.new_id(), &batch).await.unwrap();

    let mut boss = developer(&app.ctx, "boss", "UTC").await;
    boss.permissions.push(tollgate::values::permission_names::ADMIN_READ);
    let of = |pairs: &[(&str, &str)]| RefusalQuery::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()));
    assert_eq!(export_all_refusals(&app.ctx, &boss, &of(&[])).await.unwrap().unwrap().len(), 121, "of everybody, and of no known key");
    assert_eq!(export_all_refusals(&app.ctx, &boss, &of(&[("owner", "mara@example.com")])).await.unwrap().unwrap().len(), 120);
    assert!(matches!(export_all_refusals(&app.ctx, &mara, &of(&[])).await, Err(AppError::Forbidden { .. })));

    let mut seen = Vec::new();
    let mut query = RefusalQuery::default();
    loop {
        let page = list_refusals(&app.ctx, &mara, query.clone()).await.unwrap();
        assert_eq!(page.codes, Some(vec![(Outcome::Forbidden, 412)]), "exact, and only what did not pass");
        seen.extend(page.samples);
        let Some(older) = page.older else { break };
        query.before = Some(older);
    }
    assert_eq!(seen.len(), 120, "each once, the unknown one is nobody's");
    let ids: std::collections::HashSet<_> = seen.iter().map(|s| s.cursor.clone()).collect();
    assert_eq!(ids.len(), 120);
    assert!(seen.windows(2).all(|w| w[0].at >= w[1].at));
    assert_eq!((seen[0].time.as_str(), seen[0].key_name.as_deref()), ("13:00:00", Some("ERP bridge")));

    let limited =
        list_refusals(&app.ctx, &mara, RefusalQuery { code: Some("RATE_LIMITED".into()), key: Some(k.to_string()), ..RefusalQuery::default() }).await.unwrap();
    assert_eq!(limited.samples.len(), 40);
    assert!(list_refusals(&app.ctx, &tom, RefusalQuery::default()).await.unwrap().samples.is_empty());
    assert!(list_refusals(&app.ctx, &tom, RefusalQuery { key: Some(k.to_string()), ..RefusalQuery::default() }).await.unwrap().samples.is_empty());
    // A program that names a key of somebody else hears that there is none, as from the other routes of usage, and not that nothing was refused.
    let of_key = RefusalQuery { key: Some(k.to_string()), ..RefusalQuery::default() };
    assert!(matches!(export_refusals(&app.ctx, &tom, &of_key).await, Err(AppError::NotFound)));
    assert!(matches!(read_refusals(&app.ctx, &tom, &of_key, 10).await, Err(AppError::NotFound)));
    assert!(matches!(export_codes(&app.ctx, &tom, Whose::Own, &of_key).await, Err(AppError::NotFound)));
    assert_eq!(export_refusals(&app.ctx, &boss, &of_key).await.unwrap().unwrap().len(), 120, "operators see it, as on Usage");
    let page = list_refusals(&app.ctx, &boss, of_key.clone()).await.unwrap();
    assert_eq!((page.samples.len(), page.older.is_some(), page.codes), (50, true, Some(vec![(Outcome::Forbidden, 412)])), "and the page that offers the file");
    assert!(list_refusals(&app.ctx, &boss, RefusalQuery::default()).await.unwrap().samples.is_empty(), "their own workspace has none");
    assert_eq!(export_codes(&app.ctx, &mara, Whose::Own, &of_key).await.unwrap().len(), 1);
    for (query, name) in [
        (RefusalQuery { code: Some("NOPE".into()), ..RefusalQuery::default() }, "code"),
        (RefusalQuery { before: Some("1-2".into()), ..RefusalQuery::default() }, "before"),
        (RefusalQuery { key: Some("'".into()), ..RefusalQuery::default() }, "key"),
        (RefusalQuery { range: Some("2d".into()), ..RefusalQuery::default() }, "range"),
        (RefusalQuery { from: Some("soon".into()), ..RefusalQuery::default() }, "from"),
        (RefusalQuery { from: Some("2026-11-20".into()), to: Some("2026-11-01".into()), ..RefusalQuery::default() }, "to"),
        (RefusalQuery { address: Some("a\0b".into()), ..RefusalQuery::default() }, "address"),
    ] {
        assert!(list_refusals(&app.ctx, &mara, query).await.unwrap_err().field(name).is_some());
    }

    let operator = operator(&app.ctx).await;
    let recent = recent_refusals(&app.ctx, &operator, 200).await.unwrap();
    assert_eq!(recent.len(), 121);
    assert!(recent.iter().any(|s| s.key.is_none() && s.code == Outcome::Unknown));
    assert_eq!(unknown_attempts_today(&app.ctx, &operator).await.unwrap(), [(Outcome::Unknown, 37)]);
    assert!(matches!(recent_refusals(&app.ctx, &mara, 10).await, Err(AppError::Forbidden { .. })));
    assert!(matches!(unknown_attempts_today(&app.ctx, &mara).await, Err(AppError::Forbidden { .. })));
}

fn asked(pairs: &[(&str, &str)]) -> RefusalQuery {
    RefusalQuery::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_filter_leaves_what_it_names_and_the_export_is_the_same(db: PgPool) {
    let app = TestApp::start(db).await;
    let mara = developer(&app.ctx, "mara", "UTC").await;
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &mara, "b").await);
    let sample =
        |key, code, ago, route: &str, address: &str| Refusal { route: Arc::from(route), address: address.into(), ..refusal(Some(&mara), Some(key), code, ago) };
    let samples = vec![
        Refusal { permission: "orders:read".into(), ..sample(a, Outcome::Forbidden, 60, "GET /orders", "192.0.2.1") },
        sample(a, Outcome::IpDenied, 2 * 3_600, "GET /orders", "192.0.2.2"),
        sample(b, Outcome::RateLimited, 26 * 3_600, "POST /orders", "192.0.2.1"),
        sample(b, Outcome::Expired, 40 * 86_400, "POST /orders", "192.0.2.1"),
    ];
    let minute = |ago: i64| (T0.unix_timestamp() - ago) / 60;
    let counts = vec![
        tally(&mara, a, "GET /orders", Outcome::Forbidden, minute(60), 7),
        tally(&mara, a, "GET /orders", Outcome::IpDenied, minute(2 * 3_600), 5),
        tally(&mara, b, "POST /orders", Outcome::RateLimited, minute(26 * 3_600), 11),
        tally(&mara, b, "POST /orders", Outcome::Valid, minute(60), 100),
    ];
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { counts, samples, ..Batch::default() }).await.unwrap();
    let (key_a, key_b) = (a.to_string(), b.to_string());
    for (pairs, listed, counted) in [
        (vec![], 3, Some(23)),
        (vec![("range", "1h")], 1, Some(7)),
        (vec![("range", "24h")], 2, Some(12)),
        (vec![("key", key_a.as_str())], 2, Some(12)),
        (vec![("key", key_b.as_str()), ("range", "1h")], 0, Some(0)),
        (vec![("route", "POST /orders")], 1, Some(11)),
        (vec![("address", "192.0.2.1")], 2, None),
        (vec![("address", "192.0.2.1"), ("code", "FORBIDDEN")], 1, None),
        (vec![("permission", "orders:read")], 1, None),
        (vec![("permission", "orders:write")], 0, None),
        (vec![("code", "IP_DENIED")], 1, Some(23)),
        (vec![("from", "2026-11-19T08:00"), ("to", "2026-11-20T10:30")], 2, Some(16)),
        (vec![("route", "' or 1=1 --")], 0, Some(0)),
    ] {
        let list = list_refusals(&app.ctx, &mara, asked(&pairs)).await.unwrap();
        assert_eq!(list.samples.len(), listed, "{pairs:?}");
        assert_eq!(list.codes.as_ref().map(|codes| codes.iter().map(|(_, n)| n).sum::<u64>()), counted, "{pairs:?}");
        assert_eq!(export_refusals(&app.ctx, &mara, &asked(&pairs)).await.unwrap().unwrap(), list.samples, "{pairs:?}");
    }
    let list = list_refusals(&app.ctx, &mara, asked(&[("range", "30d")])).await.unwrap();
    assert_eq!(list.routes, ["GET /orders", "POST /orders"], "those with refusals, the most first");
    assert_eq!(list.period, "Since Thu 22 Oct, 00:00, UTC");
    for range in ["24h", "7d", "30d"] {
        let report = report_errors(&app.ctx, &mara, UsageQuery { range: Some(range.into()), ..UsageQuery::default() }).await.unwrap().report;
        let list = list_refusals(&app.ctx, &mara, asked(&[("range", range)])).await.unwrap();
        assert_eq!(list.local.0, report.local.0, "{range} begins on both pages at the same time");
        assert_eq!(list.codes.unwrap().into_iter().map(|(_, n)| n).sum::<u64>(), report.totals.total(), "{range}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_exact_counts_are_a_file_of_what_stands_beside_the_samples(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "UTC").await, developer(&app.ctx, "tom", "UTC").await);
    let (a, b) = (key(&app.ctx, &mara, "a").await, key(&app.ctx, &tom, "b").await);
    let minute = T0.unix_timestamp() / 60 - 1;
    let counts = vec![
        tally(&mara, a, "GET /orders", Outcome::Forbidden, minute, 412),
        tally(&mara, a, "POST /orders", Outcome::RateLimited, minute, 11),
        tally(&mara, a, "GET /orders", Outcome::Valid, minute, 9_000),
        tally(&tom, b, "GET /orders", Outcome::Forbidden, minute, 3),
    ];
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { counts, ..Batch::default() }).await.unwrap();
    let (mara, operator) = (&mara, &operator(&app.ctx).await);
    let file = async |caller: &Caller, whose: Whose, pairs: &[(&str, &str)]| {
        let lines = export_codes(&app.ctx, caller, whose, &asked(pairs)).await.unwrap();
        lines.into_iter().map(|line| (line.code, line.calls)).collect::<Vec<_>>()
    };
    for pairs in [vec![], vec![("route", "POST /orders")], vec![("code", "VALID")]] {
        let shown = list_refusals(&app.ctx, mara, asked(&pairs)).await.unwrap().codes.unwrap();
        let shown: Vec<(String, u64)> = shown.into_iter().map(|(code, calls)| (code.to_string(), calls)).collect();
        assert_eq!(file(mara, Whose::Own, &pairs).await, shown, "{pairs:?}");
        assert!(!shown.is_empty(), "{pairs:?}");
    }
    assert_eq!(file(mara, Whose::Own, &[("code", "FORBIDDEN")]).await, [("FORBIDDEN".to_owned(), 412)]);
    assert_eq!(file(operator, Whose::All, &[("code", "FORBIDDEN")]).await, [("FORBIDDEN".to_owned(), 415)]);
    assert_eq!(file(operator, Whose::All, &[("owner", "tom@example.com")]).await, [("FORBIDDEN".to_owned(), 3)]);
    assert!(matches!(export_codes(&app.ctx, mara, Whose::All, &asked(&[])).await, Err(AppError::Forbidden { .. })));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn one_that_is_opened_names_the_rule_that_decided(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "Europe/Stockholm").await, developer(&app.ctx, "tom", "UTC").await);
    let k = key(&app.ctx, &mara, "ERP bridge").await;
    let counts = vec![tally(&mara, k, "GET /invoices", Outcome::IpDenied, T0.unix_timestamp() / 60 - 1, 37)];
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { counts, samples: vec![refusal(Some(&mara), Some(k), Outcome::IpDenied, 8)], ..Batch::default() })
        .await
        .unwrap();
    let cursor = list_refusals(&app.ctx, &mara, RefusalQuery::default()).await.unwrap().samples[0].cursor.clone();
    let open = asked(&[("open", cursor.as_str())]);
    let detail = list_refusals(&app.ctx, &mara, open.clone()).await.unwrap().opened.unwrap();
    assert_eq!((detail.moment.as_str(), detail.alike, detail.api.as_deref()), ("20 Nov 2026, 12:59:52.000", Some(37), Some("Demo")));
    assert!(detail.posts.contains(&Gatepost::Decided(Question::Address)) && detail.posts.contains(&Gatepost::NotReached(Question::Limits)));
    assert_eq!(list_refusals(&app.ctx, &tom, open.clone()).await.unwrap().opened, None, "nobody else's");
    assert_eq!(list_refusals(&app.ctx, &mara, asked(&[("open", "nonsense")])).await.unwrap().opened, None);
    let operator = operator(&app.ctx).await;
    assert!(list_all_refusals(&app.ctx, &operator, open).await.unwrap().opened.is_some());
    assert!(matches!(list_all_refusals(&app.ctx, &mara, RefusalQuery::default()).await, Err(AppError::Forbidden { .. })));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn one_field_finds_by_whatever_is_typed_into_it(db: PgPool) {
    let app = TestApp::start(db).await;
    let (mara, tom) = (developer(&app.ctx, "mara", "UTC").await, developer(&app.ctx, "tom", "UTC").await);
    let k = key(&app.ctx, &mara, "ERP bridge").await.to_string();
    let samples = vec![refusal(Some(&mara), k.parse().ok(), Outcome::IpDenied, 8)];
    write_batch(&app.ctx, app.ctx.new_id(), &Batch { samples, ..Batch::default() }).await.unwrap();
    for (typed, found, samples) in [
        ("req8", ("request", "req8"), 1),
        ("192.0.2.77", ("address", "192.0.2.77"), 1),
        ("::ffff:192.0.2.77", ("address", "192.0.2.77"), 1),
        ("erp", ("key", k.as_str()), 1),
        ("mara@example.com", ("named", "mara@example.com"), 1),
    ] {
        let list = list_refusals(&app.ctx, &mara, asked(&[("q", typed)])).await.unwrap();
        assert_eq!((list.query, list.samples.len()), (asked(&[found]), samples), "{typed}");
    }
    let others = list_refusals(&app.ctx, &tom, asked(&[("q", "req8")])).await.unwrap();
    assert_eq!((others.query, others.samples.len()), (asked(&[("named", "req8")]), 0), "nobody else's");
    let filtered = list_refusals(&app.ctx, &mara, asked(&[("q", "req8"), ("range", "24h"), ("code", "FORBIDDEN")])).await.unwrap();
    assert_eq!((filtered.query, filtered.samples.len()), (asked(&[("request", "req8"), ("range", "24h")]), 1), "an id is of one request");
    let operator = operator(&app.ctx).await;
    for (typed, found) in [("mara@example.com", "owner"), ("nobody@example.com", "named"), ("req8", "request")] {
        let all = list_all_refusals(&app.ctx, &operator, asked(&[("q", typed)])).await.unwrap();
        assert_eq!(all.query, asked(&[(found, typed)]));
    }
}
