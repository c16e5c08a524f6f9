//! Lists: pages by cursor, filters, and how each key stands.

use super::*;
use crate::support::{T0, until};
use time::Duration;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    keys::{
        model::{KeyQuery, KeyRow, StandingKind},
        server,
    },
    values::SessionId,
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_cursor_is_refused_with_other_filters_than_it_came_with(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    for name in ["shop 1", "shop 2", "shop 3"] {
        mara.new_key(&app, name).await;
    }
    let (_, first) = json(mara.get(&app, "/api/v1/keys?q=shop&limit=1").await).await;
    let cursor = text(&first, "next_cursor");
    let (status, rest) = json(mara.get(&app, &format!("/api/v1/keys?limit=5&cursor={cursor}&q=shop")).await).await;
    assert_eq!((status, rest["data"].as_array().unwrap().len()), (200, 2), "as many as one likes: {rest}");
    for other in ["/api/v1/keys?", "/api/v1/keys?q=sho&", "/api/v1/keys?q=shop&tag=prod&", "/api/v1/plans?"] {
        let (status, problem) = json(mara.get(&app, &format!("{other}cursor={cursor}")).await).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some("#/cursor")), "{other}: {problem}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn pages_go_on_where_the_last_one_ended(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    for i in 0..6 {
        app.ctx.clock.advance(Duration::milliseconds((i + 1) % 2)); // some are made in the same instant
        mara.new_key(&app, &format!("k{i}")).await;
    }
    let (mut names, mut path) = (Vec::new(), "/api/v1/keys?limit=3".to_owned());
    loop {
        let answer = mara.get(&app, &path).await;
        let link = answer.headers().get("link").map(|l| l.to_str().unwrap().to_owned());
        let (status, body) = json(answer).await;
        assert_eq!(status, 200, "{body}");
        names.extend(body["data"].as_array().unwrap().iter().map(|k| text(k, "name")));
        if body["has_more"] == false {
            assert!(link.is_none() && body["next_cursor"].is_null());
            break;
        }
        assert_eq!(body["data"].as_array().unwrap().len(), 3);
        assert!(link.as_ref().unwrap().starts_with(&format!("<{}/api/v1/keys?limit=3&cursor={}>", app.base, text(&body, "next_cursor"))), "{link:?}");
        path = format!("/api/v1/keys?limit=3&cursor={}", text(&body, "next_cursor"));
    }
    assert_eq!(names.len(), 7, "six and the REST key, each once: {names:?}");
    assert_eq!(names.last().map(String::as_str), Some("a key"), "newest first");
    for wrong in ["limit=0", "limit=101", "limit=x", "limit=-1", "cursor=nonsense", "status=odd", "page=2"] {
        assert_eq!(mara.get(&app, &format!("/api/v1/keys?{wrong}")).await.status(), 422, "{wrong}");
    }
    for (wrong, detail) in [
        ("status=odd", "Ask for one of passing, held, refused, expiring, new, idle, disabled, expired, revoked."),
        ("review=odd", "Ask for one of leaked, idle-30, idle-90, unused, endless, broad."),
        ("limit=x", "Write a whole number, such as 20."),
    ] {
        let (_, problem) = json(mara.get(&app, &format!("/api/v1/keys?{wrong}")).await).await;
        assert_eq!(problem["errors"][0]["detail"], detail, "{wrong}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn search_finds_names_starts_and_ids(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "Checkout 100%_x").await;
    mara.new_key(&app, "warehouse").await;
    let found = async |query: &str| {
        let (status, body) = json(mara.get(&app, &format!("/api/v1/keys?{query}")).await).await;
        assert_eq!(status, 200, "{body}");
        body["data"].as_array().unwrap().iter().map(|k| text(k, "id")).collect::<Vec<_>>()
    };
    for query in [
        "q=checkout".to_owned(),
        "q=0%25_X".to_owned(),
        format!("q={id}"),
        format!("q={}", id.to_lowercase()),
        format!("q={secret}"),
        format!("q={}", &secret[..13]),
        "q=checkout&api=demo&status=new".to_owned(),
    ] {
        assert_eq!(found(&query).await, std::slice::from_ref(&id), "{query}");
    }
    for query in ["q=%25", "q=%27%20or%20true--", "q=checkout&api=tollgate", "q=checkout&status=idle", "api=nothing"] {
        let hits = found(query).await;
        assert!(!hits.contains(&id) || query == "q=%25", "{query}: {hits:?}");
    }
    assert_eq!(found("api=demo").await.len(), 2);
    assert_eq!(mara.get(&app, &format!("/api/v1/keys?q={}", "x".repeat(201))).await.status(), 422);
}

pub async fn caller(app: &TestApp, person: &Person) -> Caller {
    caller_of_account(&app.ctx, person.owner.account, Via::Session(SessionId::new(uuid::Uuid::from_u128(1)))).await.unwrap().unwrap()
}

/// Counts as the meter would have written them.
pub async fn counted(app: &TestApp, person: &Person, id: &str, outcome: &str, ago: Duration, count: i64) {
    let key = id.parse::<KeyId>().unwrap().uuid();
    let at = app.ctx.clock.now() - ago;
    sqlx::query(
        "insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count)
         select $1, date_bin('15 min', $2, 'epoch'), 'GET /orders', $3, $4, api_id, $5 from keys where id = $1",
    )
    .bind(key)
    .bind(at)
    .bind(outcome)
    .bind(person.owner.workspace.uuid())
    .bind(count)
    .execute(&app.ctx.db)
    .await
    .unwrap();
    sqlx::query("insert into key_activity (key_id, last_used_at) values ($1, $2) on conflict (key_id) do update set last_used_at = greatest(key_activity.last_used_at, excluded.last_used_at)")
        .bind(key)
        .bind(at)
        .execute(&app.ctx.db)
        .await
        .unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_key_stands_somewhere_and_can_be_filtered_by_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    app.ctx.clock.set(T0 - Duration::days(9));
    let (idle, _) = mara.new_key(&app, "idle").await;
    let (never, _) = mara.new_key(&app, "never").await;
    counted(&app, &mara, &idle, "VALID", Duration::ZERO, 3).await;
    app.ctx.clock.set(T0);
    let mut ids = vec![];
    for name in ["passing", "held", "refused", "expiring", "new", "disabled", "expired", "revoked"] {
        ids.push(mara.new_key(&app, name).await.0);
    }
    let [passing, held, refused, expiring, _, disabled, expired, revoked] = &ids[..] else { unreachable!() };
    counted(&app, &mara, passing, "VALID", Duration::hours(1), 5).await;
    counted(&app, &mara, passing, "FORBIDDEN", Duration::hours(30), 2).await;
    counted(&app, &mara, held, "VALID", Duration::hours(1), 100).await;
    counted(&app, &mara, held, "RATE_LIMITED", Duration::hours(1), 3).await;
    counted(&app, &mara, refused, "FORBIDDEN", Duration::hours(1), 4).await;
    counted(&app, &mara, refused, "WRONG_API", Duration::hours(1), 1).await;
    mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{expiring}"), Some(serde_json::json!({ "expires_at": "2026-11-26T12:00:00Z" }))).await;
    mara.post(&app, &format!("/api/v1/keys/{disabled}/disable"), serde_json::json!({ "reason": "tidying" })).await;
    mara.post(&app, &format!("/api/v1/keys/{revoked}/revoke"), serde_json::json!({})).await;
    sqlx::query("update keys set expires_at = $2 where id = $1").bind(expired.parse::<KeyId>().unwrap().uuid()).bind(T0).execute(&db).await.unwrap();

    // What she asks Tollgate's own API counts as well, once it is written.
    const ASKED: i64 = 11;
    let asked = || async {
        let sum = "select coalesce(sum(count), 0)::bigint from usage_quarters where key_id = $1 and quarter >= $2";
        sqlx::query_scalar::<_, i64>(sum).bind(mara.rest_key.uuid()).bind(T0).fetch_one(&db).await.unwrap() == ASKED
    };
    until("her own calls of today are written", asked).await;
    let caller = caller(&app, &mara).await;
    let list = server::list_keys(&app.ctx, &caller, KeyQuery { api: Some("demo".into()), ..KeyQuery::default() }).await.unwrap();
    let badge = |name: &str| list.rows.iter().find(|r| r.key.name == name).map(|r| r.standing.clone()).unwrap();
    for (name, kind, label, why) in [
        ("passing", StandingKind::Passing, "Passing", "Nothing was held or refused in the last 24 hours."),
        ("held", StandingKind::Held, "3 limited in 24 h", "Held 3 of 103 calls in the last 24 hours at 100 units an hour. The next call passes."),
        ("refused", StandingKind::Refused, "5 refused in 24 h", "Mostly FORBIDDEN. This key does not have the permission that the call needs."),
        (
            "expiring",
            StandingKind::Expiring,
            "Expires in 6 days",
            "From 26 Nov, 12:00 on every call is answered EXPIRED. Move the date in time, or create a new key.",
        ),
        ("new", StandingKind::New, "New", "No call yet."),
        ("idle", StandingKind::Idle, "Idle 9 days", "The last call came 11 Nov, 12:00."),
        ("never", StandingKind::Idle, "Never used", "Made 9 days ago, and no call since."),
        (
            "disabled",
            StandingKind::Disabled,
            "Disabled",
            "Disabled by Mara, today, 12:00: “tidying”. Every call is answered DISABLED until somebody enables it.",
        ),
        ("expired", StandingKind::Expired, "Expired", "Since today, 12:00 every call is answered EXPIRED. Move the date, or create a new key."),
        ("revoked", StandingKind::Revoked, "Revoked", "Revoked by Mara, today, 12:00. Every call is answered REVOKED, for good."),
    ] {
        let standing = badge(name);
        assert_eq!((standing.kind, standing.label.as_str(), standing.why.as_str()), (kind, label, why));
    }
    assert_eq!((list.found, list.all), (10, 11));
    assert_eq!((list.today.passed, list.today.limited, list.today.refused), (105 + 11, 3, 5));

    // Whose day has only just begun sees the same badges.
    sqlx::query("update accounts set time_zone = 'Etc/GMT-12' where id = $1").bind(mara.owner.account.uuid()).execute(&db).await.unwrap();
    let there = self::caller(&app, &mara).await;
    let there = server::list_keys(&app.ctx, &there, KeyQuery { api: Some("demo".into()), ..KeyQuery::default() }).await.unwrap();
    let labels = |rows: &[KeyRow]| rows.iter().map(|r| (r.key.name.clone(), r.standing.label.clone())).collect::<Vec<_>>();
    assert_eq!(labels(&there.rows), labels(&list.rows));
    assert_eq!((there.today.passed, there.today.limited), (11, 0), "only what she asked Tollgate since");

    counted(&app, &mara, refused, "DISABLED", Duration::minutes(30), 9).await;
    let enabled = server::list_keys(&app.ctx, &caller, KeyQuery { q: Some("refused".into()), ..KeyQuery::default() }).await.unwrap();
    assert_eq!(enabled.rows[0].standing.why, "Mostly DISABLED, before the key was enabled again.", "it can't be enabled once more");

    let row = list.rows.iter().find(|r| r.key.name == "passing").unwrap();
    assert_eq!((row.calls.passed, row.calls.refused, row.spark.len()), (5, 2, 30));
    assert_eq!((row.spark[29].passed, row.spark[28].refused), (5, 2), "today is last");
    assert_eq!(row.last_used.as_ref().unwrap().words, "1 h ago");

    for (kind, word, _) in StandingKind::ALL {
        let query = KeyQuery { status: Some(word.into()), api: Some("demo".into()), ..KeyQuery::default() };
        let rows = server::list_keys(&app.ctx, &caller, query).await.unwrap().rows;
        assert_eq!(rows.len(), if kind == StandingKind::Idle { 2 } else { 1 }, "{word}");
        assert!(rows.iter().all(|r| r.standing.kind == kind), "{word}");
    }
    assert!(never.starts_with("key_"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_day_that_begins_at_half_past_is_cut_there(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    sqlx::query("update accounts set time_zone = 'Asia/Kolkata' where id = $1").bind(mara.owner.account.uuid()).execute(&db).await.unwrap();
    let (id, _) = mara.new_key(&app, "demo").await;
    // Midnight there was 18:30 UTC, seventeen and a half hours ago.
    counted(&app, &mara, &id, "VALID", Duration::minutes(17 * 60 + 15), 5).await;
    counted(&app, &mara, &id, "VALID", Duration::minutes(17 * 60 + 45), 2).await;
    let list = server::list_keys(&app.ctx, &caller(&app, &mara).await, KeyQuery { q: Some(id), ..KeyQuery::default() }).await.unwrap();
    assert_eq!((list.rows[0].spark[29].passed, list.rows[0].spark[28].passed), (5, 2));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn that_there_are_too_many_keys_is_told_before_they_are_read(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    mara.new_key(&app, "demo").await;
    let caller = caller(&app, &mara).await;
    let every = async |most: usize| server::every_key(&app.ctx, &caller, KeyQuery::default(), most).await;
    assert_eq!(every(2).await.unwrap().map(|keys| keys.len()), Some(2), "hers, and the one that she asks with");
    // Whoever reads keys reads their limits.
    sqlx::query("alter table key_limits rename to key_limits_lost").execute(&db).await.unwrap();
    assert!(every(2).await.is_err());
    assert!(every(1).await.unwrap().is_none());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_new_key_can_be_given_is_read_where_it_is_shown(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let caller = caller(&app, &mara).await;
    let shown = async |chooses: bool| server::show_keys(&app.ctx, &caller, KeyQuery::default(), chooses).await.unwrap();
    let closed = shown(false).await;
    assert_eq!((closed.form.suggested_name.as_str(), closed.form.choices.is_none()), ("", true));
    assert!(closed.list.apis.iter().any(|(slug, _)| slug.as_str() == "demo"), "the filter names the APIs all the same");
    let open = shown(true).await.form.choices.unwrap();
    assert_eq!(open.apis.len(), open.limits.len());
    sqlx::query("delete from keys").execute(&db).await.unwrap();
    let first = shown(false).await.form;
    assert_eq!((first.suggested_name.as_str(), first.choices.is_some()), ("my first key", true), "an empty list says what the first key will be");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_goes_forward_and_back(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let caller = caller(&app, &mara).await;
    sqlx::query(
        "insert into keys (id, workspace_id, api_id, name, created_at, updated_at)
         select gen_random_uuid(), $1, a.id, 'n' || n, $2::timestamptz - n * interval '1 s', $2 from generate_series(1, 119) n, apis a where a.slug = 'demo'",
    )
    .bind(mara.owner.workspace.uuid())
    .bind(T0)
    .execute(&db)
    .await
    .unwrap();
    let page = async |older: Option<String>, newer: Option<String>| {
        server::list_keys(&app.ctx, &caller, KeyQuery { older, newer, ..KeyQuery::default() }).await.unwrap()
    };
    let names = |list: &tollgate::keys::model::KeyList| list.rows.iter().map(|r| r.key.name.clone()).collect::<Vec<_>>();
    let first = page(None, None).await;
    assert_eq!((first.rows.len(), first.found, first.newer.is_some(), first.older.is_some()), (50, 120, false, true));
    let second = page(first.older.clone(), None).await;
    let third = page(second.older.clone(), None).await;
    assert_eq!((third.rows.len(), third.newer.is_some(), third.older.is_some()), (20, true, false));
    let back = page(None, third.newer.clone()).await;
    assert_eq!(names(&back), names(&second));
    assert_eq!((back.newer.is_some(), back.older.is_some()), (true, true));
    let back = page(None, back.newer.clone()).await;
    assert_eq!(names(&back), names(&first));
    assert!(back.newer.is_none() && back.older.is_some());
}
