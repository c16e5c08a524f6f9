//! `Idempotency-Key`: what the document says takes one is done once for each, and sent again it answers as the first time.

use crate::{
    keys::{OPERATOR, Person, events, json, person, person_with, text},
    support::{TestApp, browser::PASSWORD, locks::Held, until},
};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::BTreeSet;
use time::Duration;
use tollgate::{
    boot::{once::ROUTES, openapi::DOCUMENT},
    platform::once::{self, Answer, Asked, Begun, Kept, MOST_OF_ALL, MOST_OF_ONE},
};

/// Their answers hold a secret, which is stored nowhere.
const SECRET: [&str; 3] = ["/api/v1/keys", "/api/v1/keys/batch", "/api/v1/keys/{id}/rotate"];
/// What makes nothing in one transaction: counts in memory, and keys and accounts by the hundred, each known by its hash or its address.
const UNNOTED: [&str; 3] = ["/api/v1/admin/accounts/import", "/api/v1/keys/import", "/api/v1/usage/latencies"];

async fn send(app: &TestApp, secret: &str, path: &str, name: &str, body: &Value) -> Response {
    app.http.post(app.url(path)).bearer_auth(secret).header("idempotency-key", name).json(body).send().await.unwrap()
}

async fn count(db: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(db).await.unwrap()
}

fn header(answer: &Response, name: &str) -> Option<String> {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

fn takes_name(operation: &Value) -> bool {
    let parameters = operation["parameters"].as_array();
    parameters.is_some_and(|all| all.iter().any(|parameter| parameter["$ref"] == "#/components/parameters/IdempotencyKey"))
}

#[test]
fn each_post_that_creates_takes_an_idempotency_key() {
    let document = serde_json::to_value(&*DOCUMENT).unwrap();
    assert_eq!(document["components"]["parameters"]["IdempotencyKey"]["in"], "header");
    let mut takers = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let responses = &operation["responses"];
            let creates = method == "post" && operation["security"].is_array() && (responses["201"].is_object() || responses["202"].is_object());
            let takes = takes_name(operation);
            assert!(takes || !creates, "POST {path} creates something: its place is in boot::once::ROUTES");
            assert!(!takes || responses["409"].is_object() && responses["422"].is_object(), "{method} {path}");
            if takes {
                takers.insert(path.as_str());
            }
        }
    }
    assert_eq!(takers, ROUTES.into_iter().collect::<BTreeSet<_>>(), "what the document says (left) is what is done (right)");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_takes_an_idempotency_key_is_done_once_and_answers_the_same(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let more = ["apis:manage", "plans:manage", "blocks:manage", "admin:read", "accounts:manage"];
    let permissions: Vec<&str> = OPERATOR.iter().copied().chain(more).collect();
    let mara = person_with(&app, &db, "mara@example.com", "operator", &permissions).await;
    let vera = app.sign_in_as("developer").await;
    let (status, issued) = json(
        reqwest::Client::new()
            .post(app.url("/api/v1/auth/token"))
            .json(&json!({ "grant_type": "password", "email": vera.email, "password": PASSWORD }))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(status, 200, "{issued}");
    let program = text(&issued, "access_token");
    let (key, _) = mara.new_key(&app, "till").await;
    let credits = json!({ "limits": [{ "name": "desk", "limit": 7, "window": "credits:1/day" }] });
    assert_eq!(mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{key}"), Some(credits)).await.status(), 200);
    assert_eq!(mara.post(&app, "/api/v1/groups", json!({ "slug": "guests", "name": "Guests" })).await.status(), 201);
    let workspace = mara.owner.workspace.to_string();
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    // Where to, as the document has it; what; and something else.
    let wishes = [
        ("/api/v1/admin/accounts/import", json!({ "accounts": [{ "email": "old@example.com" }] }), json!({ "accounts": [{ "email": "older@example.com" }] })),
        ("/api/v1/alert-rules", json!({ "more_than": 10 }), json!({ "more_than": 11 })),
        ("/api/v1/apis", json!({ "slug": "shop", "name": "Shop" }), json!({ "slug": "shop-2", "name": "Shop" })),
        ("/api/v1/bans", json!({ "target": "spam.example", "reason": "throwaways", "seconds": 600 }), json!({ "target": "b.example", "reason": "x" })),
        ("/api/v1/blocks", json!({ "target": "203.0.113.7", "reason": "tries keys", "seconds": 600 }), json!({ "target": "203.0.113.8", "reason": "x" })),
        ("/api/v1/exports", json!({ "of": "usage", "format": "json", "filters": { "range": "7d" } }), json!({ "of": "usage", "format": "csv" })),
        ("/api/v1/groups", json!({ "slug": "partners", "name": "Partners" }), json!({ "slug": "partners-2", "name": "Partners" })),
        ("/api/v1/groups/{slug}/members", json!({ "workspace_id": workspace }), json!({ "account": vera.email })),
        ("/api/v1/keys", json!({ "name": "one" }), json!({ "name": "another" })),
        ("/api/v1/keys/batch", json!({ "api": "demo", "keys": [{ "name": "till 1" }] }), json!({ "api": "demo", "keys": [{ "name": "till 2" }] })),
        ("/api/v1/keys/import", json!({ "api": "demo", "keys": [{ "hash": hash }] }), json!({ "api": "demo", "keys": [] })),
        ("/api/v1/keys/{id}/leaked", json!({ "url": "https://example.com/17" }), json!({ "url": "https://example.com/18" })),
        ("/api/v1/keys/{id}/limits/{name}/credits", json!({ "units": 5 }), json!({ "units": 6 })),
        ("/api/v1/keys/{id}/rotate", json!({ "grace": 60 }), json!({ "grace": 61 })),
        (
            "/api/v1/me/email",
            json!({ "email": "new@example.com", "current_password": PASSWORD }),
            json!({ "email": "new@example.com", "current_password": "x" }),
        ),
        ("/api/v1/me/export", json!({ "current_password": PASSWORD }), json!({ "current_password": "x" })),
        ("/api/v1/plans", json!({ "slug": "pro", "name": "Pro" }), json!({ "slug": "pro-2", "name": "Pro" })),
        (
            "/api/v1/usage/latencies",
            json!({ "latencies": [{ "key_id": key, "route": "GET /orders", "milliseconds": 12.5 }] }),
            json!({ "latencies": [{ "key_id": key, "route": "GET /orders", "milliseconds": 13 }] }),
        ),
    ];
    assert_eq!(
        wishes.iter().map(|(route, ..)| *route).collect::<BTreeSet<_>>(),
        ROUTES.into_iter().collect::<BTreeSet<_>>(),
        "say here what to send to a new one"
    );
    for (route, wish, other) in &wishes {
        let path = route.replace("{slug}", "guests").replace("{id}", &key).replace("{name}", "desk");
        let secret = if route.starts_with("/api/v1/me/") { &program } else { &mara.secret };
        let noted = count(&db, "select count(*) from sent_requests where done_at is not null").await;
        let first = send(&app, secret, &path, "once", wish).await;
        let (status, place, kind) = (first.status().as_u16(), header(&first, "location"), header(&first, "content-type"));
        let said = first.text().await.unwrap();
        assert!((200..300).contains(&status), "{path}: {status} {said}");
        let is_noted = count(&db, "select count(*) from sent_requests where done_at is not null").await - noted;
        assert_eq!(is_noted, i64::from(!UNNOTED.contains(route)), "{path} notes itself where it is made");
        let made = count(&db, "select count(*) from events").await;

        let second = send(&app, secret, &path, "once", wish).await;
        assert_eq!(header(&second, "location"), place, "{path}");
        if SECRET.contains(route) {
            assert_eq!(second.status(), 409, "{path}");
        } else {
            assert_eq!((second.status().as_u16(), header(&second, "content-type")), (status, kind), "{path}");
            assert_eq!(header(&second, "idempotency-replayed").as_deref(), Some("true"), "{path}");
            assert_eq!(second.text().await.unwrap(), said, "{path}");
        }
        assert_eq!(send(&app, secret, &path, "once", other).await.status(), 422, "{path}: it stands for one request");
        assert_eq!(count(&db, "select count(*) from events").await, made, "{path} makes nothing more");
    }
    let kept = count(&db, "select count(*) from sent_requests where answer is not null").await;
    assert_eq!(kept, (ROUTES.len() - SECRET.len()) as i64, "no secret is kept");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn while_the_first_one_runs_the_second_waits_and_takes_over_from_a_server_that_went_down(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let create = async |name: &str| send(&app, &mara.secret, "/api/v1/keys", "once", &json!({ "name": name })).await;
    assert_eq!(create("till").await.status(), 201);
    sqlx::query("update sent_requests set done_at = null, status = null").execute(&db).await.unwrap();
    let told = create("till").await;
    assert_eq!((told.status().as_u16(), header(&told, "retry-after").as_deref()), (409, Some("1")));
    assert_eq!(create("another").await.status(), 422);
    app.ctx.clock.advance(Duration::seconds(79));
    assert_eq!(create("till").await.status(), 409, "a request may take 20 s; a minute more to be sure");
    app.ctx.clock.advance(Duration::seconds(2));
    assert_eq!(create("till").await.status(), 201, "nothing was made: the next one does it");
    assert_eq!(create("till").await.status(), 409, "and it is kept that it did");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_was_done_is_not_done_again_though_its_answer_got_lost(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let wish = json!({ "name": "till" });
    assert_eq!(send(&app, &mara.secret, "/api/v1/keys", "once", &wish).await.status(), 201);
    sqlx::query("update sent_requests set status = null, location = null").execute(&db).await.unwrap();
    app.ctx.clock.advance(Duration::hours(1));
    let (status, problem) = json(send(&app, &mara.secret, "/api/v1/keys", "once", &wish).await).await;
    assert_eq!(status, 409);
    assert!(text(&problem, "detail").contains("Look at what it made"), "{problem}");
    assert_eq!(events(&db, "key.created").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_was_taken_over_can_t_commit(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let asked = Asked { by: mara.rest_key.uuid(), account: mara.owner.account, path: "/api/v1/keys", name: "once", said: b"a key" };
    let Begun::New(first) = once::begin(&app.ctx, &asked).await.unwrap() else { panic!("nobody began it") };
    assert!(matches!(once::begin(&app.ctx, &asked).await.unwrap(), Begun::Running));
    app.ctx.clock.advance(Duration::minutes(2));
    let Begun::New(second) = once::begin(&app.ctx, &asked).await.unwrap() else { panic!("the first one is gone") };
    let note = async || {
        let mut tx = db.begin().await.unwrap();
        let noted = once::done(&app.ctx, &mut tx).await;
        tx.commit().await.unwrap();
        noted.map_err(|error| error.status())
    };
    assert_eq!(first.run(note()).await, Err(409));
    assert_eq!(second.run(note()).await, Ok(()));
    assert_eq!(note().await, Ok(()), "without a name there is nothing to note");
    first.free().await;
    second.free().await;
    assert!(matches!(once::begin(&app.ctx, &asked).await.unwrap(), Begun::Unanswered), "what was done stays known");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_is_done_but_not_answered_yet_still_runs(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let asked = Asked { by: mara.rest_key.uuid(), account: mara.owner.account, path: "/api/v1/keys", name: "once", said: b"a key" };
    let Begun::New(first) = once::begin(&app.ctx, &asked).await.unwrap() else { panic!("nobody began it") };
    let note = async || {
        let mut tx = db.begin().await.unwrap();
        once::done(&app.ctx, &mut tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    first.run(note()).await;
    assert!(matches!(once::begin(&app.ctx, &asked).await.unwrap(), Begun::Running), "other nodes are told first, then it answers");
    drop(first);
    until("nobody answers", || async { matches!(once::begin(&app.ctx, &asked).await.unwrap(), Begun::Unanswered) }).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_hangs_up_before_anything_was_made_leaves_the_name_free(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let asked = Asked { by: mara.rest_key.uuid(), account: mara.owner.account, path: "/api/v1/keys", name: "once", said: b"a key" };
    let Begun::New(first) = once::begin(&app.ctx, &asked).await.unwrap() else { panic!("nobody began it") };
    drop(first);
    until("the name is free", || async { matches!(once::begin(&app.ctx, &asked).await.unwrap(), Begun::New(_)) }).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn credits_are_added_once_for_good_whoever_sends_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "operator").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (key, _) = mara.new_key(&app, "till").await;
    let prepaid = json!({ "limits": [{ "name": "desk", "limit": 7, "window": "credits" }] });
    assert_eq!(mara.call(&app, Method::PATCH, &format!("/api/v1/keys/{key}"), Some(prepaid)).await.status(), 200);
    let path = format!("/api/v1/keys/{key}/limits/desk/credits");
    let (status, added) = json(send(&app, &mara.secret, &path, "invoice-4711", &json!({ "units": 5 })).await).await;
    assert_eq!(status, 200, "{added}");
    app.ctx.clock.advance(Duration::days(3));
    let (status, again) = json(send(&app, &olga.secret, &path, "invoice-4711", &json!({ "units": 5 })).await).await;
    assert_eq!((status, &again["units"], &again["left"]), (200, &added["units"], &added["left"]), "{again}");
    assert_eq!(send(&app, &olga.secret, &path, "invoice-4711", &json!({ "units": 6 })).await.status(), 422);
    assert_eq!(events(&db, "key.credited").await, 1);
}

fn answered(bytes: usize) -> Answer {
    Answer { status: 201, location: Some("/api/v1/exports/1".to_owned()), kind: None, body: Kept::of(&vec![b'x'; bytes]) }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_large_answer_is_not_kept_and_the_second_is_told_so(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person_with(&app, &db, "mara@example.com", "operator", &["plans:manage"]).await;
    for (name, bytes, is_kept) in [("small", MOST_OF_ONE, true), ("large", MOST_OF_ONE + 1, false)] {
        let asked = Asked { by: mara.rest_key.uuid(), account: mara.owner.account, path: "/api/v1/exports", name, said: b"a file" };
        let Begun::New(attempt) = once::begin(&app.ctx, &asked).await.unwrap() else { panic!("nobody began it") };
        attempt.keep(&answered(bytes)).await;
        let Begun::Done(answer) = once::begin(&app.ctx, &asked).await.unwrap() else { panic!("it was done") };
        assert_eq!((matches!(&answer.body, Kept::Whole(body) if body.len() == bytes), matches!(answer.body, Kept::LetGo)), (is_kept, !is_kept), "{name}");
    }

    let wish = json!({ "slug": "partners", "name": "Partners" });
    let first = send(&app, &mara.secret, "/api/v1/groups", "once", &wish).await;
    assert_eq!(first.status(), 201);
    sqlx::query("update sent_requests set answer = null, answer_room = 0, is_let_go = true").execute(&db).await.unwrap();
    let again = send(&app, &mara.secret, "/api/v1/groups", "once", &wish).await;
    assert_eq!(header(&again, "location"), header(&first, "location"));
    let (status, problem) = json(again).await;
    assert_eq!(status, 409);
    assert!(text(&problem, "detail").contains("read what it made"), "{problem}");
    assert_eq!(events(&db, "group.created").await, 1);
}

const ROOM_OF_MARA: &str = "select sum(answer_room)::bigint from sent_requests join accounts on id = account_id where email = 'mara@example.com'";

/// So many answers of 64 kB of this person, one a minute before now.
async fn keep_of(app: &TestApp, owner: &Person, answers: i32) {
    sqlx::query(
        "insert into sent_requests (request, account_id, said, attempt, begun_at, done_at, status, answer, answer_room)
         select sha256(($1::uuid::text || n)::bytea), $1::uuid, sha256('a file'), gen_random_uuid(),
           $3::timestamptz - n * interval '1 minute', $3::timestamptz, 201, 'x', 65536
         from generate_series(1, $2::integer) n",
    )
    .bind(owner.owner.account.uuid())
    .bind(answers)
    .bind(app.ctx.clock.now())
    .execute(&app.ctx.db)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_makes_room_and_what_forgets_wait_for_nobody(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    keep_of(&app, &mara, 256).await;
    let asked = Asked { by: mara.rest_key.uuid(), account: mara.owner.account, path: "/api/v1/exports", name: "one more", said: b"a file" };
    let Begun::New(attempt) = once::begin(&app.ctx, &asked).await.unwrap() else { panic!("nobody began it") };
    // Another one has the oldest row: waiting for each other in another order, both would be thrown out.
    let mut other = Held::by(&db, "select from sent_requests order by begun_at limit 1 for update").await;
    let answer = answered(10);
    tokio::select! {
        () = attempt.keep(&answer) => {}
        () = other.is_waited_for(1) => panic!("it waits"),
    }
    let (kept, one) = (count(&db, ROOM_OF_MARA).await, 65_536);
    assert!(kept <= MOST_OF_ALL * 3 / 4 + one && kept > MOST_OF_ALL * 3 / 4 - one, "all but that one: {kept}");

    app.ctx.clock.advance(Duration::hours(26));
    tokio::select! {
        forgotten = once::forget(&app.ctx) => assert_eq!(forgotten.unwrap(), 256),
        () = other.is_waited_for(1) => panic!("it waits"),
    }
    other.release().await;
    assert_eq!(once::forget(&app.ctx).await.unwrap(), 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_oldest_answers_of_an_account_make_room_for_its_newest(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "developer").await;
    keep_of(&app, &mara, 256).await;
    keep_of(&app, &olga, 1).await;
    let room = async || count(&db, ROOM_OF_MARA).await;
    assert_eq!(room().await, MOST_OF_ALL, "it is full");
    let asked = Asked { by: mara.rest_key.uuid(), account: mara.owner.account, path: "/api/v1/exports", name: "one more", said: b"a file" };
    let Begun::New(attempt) = once::begin(&app.ctx, &asked).await.unwrap() else { panic!("nobody began it") };
    attempt.keep(&answered(10)).await;
    let kept = room().await;
    assert!(kept <= MOST_OF_ALL * 3 / 4 && kept > MOST_OF_ALL * 3 / 4 - 128 * 1024, "so the next ones have room too: {kept}");
    let Begun::Done(answer) = once::begin(&app.ctx, &asked).await.unwrap() else { panic!("it was done") };
    assert!(matches!(answer.body, Kept::Whole(_)), "the newest is kept");
    assert_eq!(count(&db, "select count(*) from sent_requests where status is not null").await, 258, "what was done stays known");
    let newer = "select count(*) from sent_requests gone join sent_requests stays using (account_id)
                 where gone.is_let_go and not stays.is_let_go and stays.begun_at < gone.begun_at";
    assert_eq!(count(&db, newer).await, 0, "the oldest went");
    assert_eq!(count(&db, "select count(*) from sent_requests where not is_let_go and answer is null").await, 0, "and of others nothing went");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_refused_request_leaves_its_name_free(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    assert_eq!(send(&app, &mara.secret, "/api/v1/keys", "once", &json!({ "name": "" })).await.status(), 422);
    assert_eq!(send(&app, &mara.secret, "/api/v1/keys", "once", &json!({ "name": "till" })).await.status(), 201);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_name_stands_for_its_request_for_a_day(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let create = async |name: &str| send(&app, &mara.secret, "/api/v1/keys", "once", &json!({ "name": name })).await.status().as_u16();
    assert_eq!(create("till").await, 201);
    app.ctx.clock.advance(Duration::hours(24));
    assert_eq!(create("till").await, 409);
    app.ctx.clock.advance(Duration::seconds(1));
    assert_eq!(create("another").await, 201);
    assert_eq!(create("another").await, 409);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn eight_at_once_rotate_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (key, _) = mara.new_key(&app, "till").await;
    let (path, wish) = (format!("/api/v1/keys/{key}/rotate"), json!({ "grace": 60 }));
    let all = futures_util::future::join_all((0..8).map(|_| send(&app, &mara.secret, &path, "once", &wish))).await;
    let mut statuses: Vec<u16> = all.iter().map(|answer| answer.status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!((statuses, events(&db, "key.rotated").await), (vec![200, 409, 409, 409, 409, 409, 409, 409], 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn names_of_two_keys_of_one_account_are_two(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let made = mara.post(&app, "/api/v1/keys", json!({ "name": "second", "api": "tollgate", "permissions": ["keys:read", "keys:write"] })).await;
    let (status, body) = json(made).await;
    assert_eq!(status, 201, "{body}");
    let second = text(&body, "secret");
    let wish = json!({ "name": "till" });
    assert_eq!(send(&app, &mara.secret, "/api/v1/keys", "once", &wish).await.status(), 201);
    assert_eq!(send(&app, &second, "/api/v1/keys", "once", &wish).await.status(), 201);
}
