//! Many keys from a list: all or none, and one file with their secrets, given once.

use super::*;
use crate::support::browser::{Browser, location};
use serde_json::json;
use time::Duration;
use tollgate::{
    keys::{
        api::CheckBatch,
        server::{forget_batches, read_lines},
    },
    platform::{LocalTime, csv},
};

const BATCH: &str = "/api/v1/keys/batch";
const PAGE: &str = "/keys/create-many";

async fn create(app: &TestApp, person: &Person, key: Option<&str>, accept: &str, keys: &Value) -> Response {
    let request = app.http.post(app.url(BATCH)).bearer_auth(&person.secret).header("accept", accept).json(&json!({ "api": "demo", "keys": keys }));
    key.into_iter().fold(request, |request, key| request.header("idempotency-key", key)).send().await.unwrap()
}

/// The lines of a file of secrets, without its head.
fn secrets(file: &str) -> Vec<(String, String, String)> {
    let mut lines = csv::read(file).into_iter().map(|(_, cells)| cells);
    assert_eq!(lines.next().unwrap(), ["name", "key_id", "secret"]);
    lines.map(|cells| (cells[0].clone(), cells[1].clone(), cells[2].clone())).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn all_are_made_with_a_line_of_history_and_an_event_each(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let eve = person(&app, &db, "eve@example.com", "developer").await;
    let keys = json!([
        { "name": "till 1", "permissions": ["orders:read"], "tags": ["shop"], "expires_at": "2027-01-31T00:00:00Z" },
        { "name": "till 2", "addresses": ["203.0.113.0/24"], "environment": "test" },
    ]);
    let answer = create(&app, &mara, None, "application/json", &keys).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["cache-control"].to_str().unwrap()), (201, "no-store"));
    let body: Value = answer.json().await.unwrap();
    let (first, second) = (&body["data"][0], &body["data"][1]);
    assert_eq!((passes(&app, &text(first, "secret")).await, passes(&app, &text(second, "secret")).await), (200, 403), "bound to addresses");
    assert!(text(second, "secret").starts_with("demo_test_"));
    let (_, till) = json(mara.get(&app, &format!("/api/v1/keys/{}", text(first, "id"))).await).await;
    assert_eq!(
        (&till["permissions"], &till["tags"], text(&till, "expires_at")),
        (&json!(["orders:read"]), &json!(["shop"]), "2027-01-31T00:00:00Z".to_owned())
    );
    assert_eq!(acts(&app, &mara, &text(first, "id")).await, [("created".to_owned(), String::new())]);
    assert_eq!(events(&db, "key.created").await, 2);
    assert_eq!(eve.get(&app, &format!("/api/v1/keys/{}", text(first, "id"))).await.status(), 404);

    let answer = create(&app, &mara, None, "text/csv", &json!([{ "name": "=cmd()" }])).await;
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert!(answer.headers()["content-disposition"].to_str().unwrap().contains("secrets-2026-11-20.csv"));
    let file = answer.text().await.unwrap();
    assert!(file.contains("\"'=cmd()\""), "no formula: {file}");
    assert_eq!(passes(&app, &secrets(&file)[0].2).await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn one_wrong_line_keeps_all_from_being_made(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let keys = json!([
        { "name": "fine" },
        { "name": "" },
        { "name": "fine" },
        { "name": "a", "permissions": ["orders:burn"] },
        { "name": "b", "preset": "basic", "permissions": ["orders:read"] },
        { "name": "c", "expires_at": "2020-01-01T00:00:00Z" },
        { "name": "d", "tags": ["no good!"], "addresses": ["home"] },
        { "name": "e", "limits": [{ "limit": 5, "window": 60 }] },
        { "name": "f", "account": "eve@example.com" },
        { "name": "nul\u{0}" },
    ]);
    let (status, problem) = json(create(&app, &mara, None, "*/*", &keys).await).await;
    let pointers: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    let wanted = [
        "#/keys/1/name",
        "#/keys/2/name",
        "#/keys/3/permissions",
        "#/keys/4/preset",
        "#/keys/5/expires_at",
        "#/keys/6/addresses",
        "#/keys/6/tags",
        "#/keys/7/limits",
        "#/keys/8/account",
        "#/keys/9/name",
    ];
    assert_eq!((status, pointers), (422, wanted.to_vec()), "{problem}");
    let dry = json!({ "api": "demo", "keys": keys, "dry_run": true });
    let (status, report) = json(mara.post(&app, BATCH, dry).await).await;
    assert_eq!((status, report["keys"].as_u64(), report["wrong"].as_u64()), (200, Some(1), Some(9)), "{report}");

    // A key for Tollgate itself never may more than its owner: told by line.
    let beyond = json!({ "api": "tollgate", "keys": [{ "name": "a", "permissions": ["keys:read"] }, { "name": "b", "permissions": ["keys:manage"] }] });
    let (status, problem) = json(mara.post(&app, BATCH, beyond).await).await;
    assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some("#/keys/1/permissions")), "{problem}");
    let post = async |body: Value| mara.post(&app, BATCH, body).await.status().as_u16();
    assert_eq!(post(json!({ "api": "demo", "keys": [] })).await, 422);
    assert_eq!(post(json!({ "api": "nothing", "keys": [{ "name": "a" }] })).await, 422);
    assert_eq!(post(json!({ "api": "demo", "keys": [{ "name": "a", "colour": "red" }] })).await, 422);
    let many: Vec<Value> = (0..1_001).map(|n| json!({ "name": n.to_string() })).collect();
    assert_eq!(post(json!({ "api": "demo", "keys": many })).await, 422);
    assert_eq!(events(&db, "key.created").await, 0);
    let reader = person_with(&app, &db, "nia@example.com", "developer", &["keys:read"]).await;
    assert_eq!(create(&app, &reader, None, "*/*", &json!([{ "name": "a" }])).await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_idempotency_key_makes_them_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let jon = person(&app, &db, "jon@example.com", "developer").await;
    let keys = json!([{ "name": "till 1" }, { "name": "till 2" }]);
    let all = futures_util::future::join_all((0..5).map(|_| create(&app, &mara, Some("once"), "*/*", &keys))).await;
    let mut statuses: Vec<u16> = all.iter().map(|answer| answer.status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!((statuses, events(&db, "key.created").await), (vec![201, 409, 409, 409, 409], 2));
    assert_eq!(create(&app, &jon, Some("once"), "*/*", &keys).await.status(), 201, "and it is mine");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_set_limits_and_name_owners(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let keys = json!([
        { "name": "till", "account": "Mara@example.com", "limits": [{ "limit": 1, "window": 3600 }] },
        { "name": "till" },
    ]);
    let (status, body) = json(create(&app, &olga, None, "*/*", &keys).await).await;
    assert_eq!(status, 201, "the same name of two owners is no harm: {body}");
    let (id, secret) = (text(&body["data"][0], "id"), text(&body["data"][0], "secret"));
    assert_eq!((passes(&app, &secret).await, passes(&app, &secret).await), (200, 429));
    assert_eq!(mara.get(&app, &format!("/api/v1/keys/{id}")).await.status(), 200, "it is hers");
    let (_, problem) = json(create(&app, &olga, None, "*/*", &json!([{ "name": "x", "account": "nobody@example.com" }])).await).await;
    assert_eq!(problem["errors"][0]["pointer"], "#/keys/0/account");
}

/// Pastes a list; where the browser is sent.
async fn paste(browser: &Browser, list: &str) -> String {
    location(&browser.post::<CheckBatch>(PAGE, &[("api", "demo"), ("list", list)]).await).to_owned()
}

/// Presses the button of a page with this token.
async fn press(browser: &Browser, list: &str, once: &str) -> Response {
    let request = browser.http.post(format!("{}{PAGE}/file", browser.base)).header("sec-fetch-site", "same-origin");
    request.form(&[("list", list), ("once", once)]).send().await.unwrap()
}

/// The token of a page's button.
fn token(page: &str) -> String {
    let rest = page.split_once("name=\"once\"").unwrap_or_else(|| panic!("no button: {page}")).1;
    rest.split('"').nth(1).unwrap().to_owned()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_gives_the_file_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (vera, eve) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    assert!(vera.browser.page(PAGE).await.contains("name=\"list\""));
    let to = paste(&vera.browser, "\u{feff}name,permissions,expires\r\n<b>till</b>,orders:read,30d\r\n@sum,,never\r\n").await;
    let id = to.split_once('=').unwrap().1.to_owned();
    let page = vera.browser.page(&to).await;
    assert!(page.contains("Create 2 keys and save the file") && page.contains("&lt;b&gt;till"), "{page}");
    assert_eq!((events(&db, "key.created").await, eve.browser.get(&to).await.status().as_u16()), (0, 404));
    let once = token(&page);
    let stolen = press(&eve.browser, &id, &once).await;
    assert_eq!((stolen.status().as_u16(), events(&db, "key.created").await), (303, 0), "another's list makes nothing");

    let answer = press(&vera.browser, &id, &once).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["cache-control"].to_str().unwrap()), (200, "no-store"));
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let file = answer.text().await.unwrap();
    let made = secrets(&file);
    assert_eq!((made.len(), passes(&app, &made[0].2).await, passes(&app, &made[1].2).await), (2, 200, 200));
    assert_eq!((made[1].0.as_str(), events(&db, "key.created").await), ("'@sum", 2));

    // A double click gets the same file, a page that was loaded again nothing.
    assert_eq!(press(&vera.browser, &id, &once).await.text().await.unwrap(), file);
    let again = vera.browser.page(&to).await;
    assert!(again.contains("The file was already downloaded") && !again.contains("create-many/file"), "{again}");
    assert!(!again.contains(&made[0].2), "the page never holds a secret");
    for other in [once.chars().rev().collect::<String>(), token_of_length(30)] {
        assert_eq!(location(&press(&vera.browser, &id, &other).await), to);
    }
    assert_eq!(press(&vera.browser, &id, "short").await.status(), 422);
    assert_eq!(press(&vera.browser, "nonsense", &once).await.status(), 404);
    app.ctx.clock.advance(Duration::minutes(11));
    assert_eq!(location(&press(&vera.browser, &id, &once).await), to, "not for long");
    assert_eq!(events(&db, "key.created").await, 2);

    for table in ["key_batches", "events", "key_state_changes", "keys", "key_secrets"] {
        let sql = format!("select count(*) from {table} t where strpos(t::text, $1) > 0");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(&made[0].2).fetch_one(&db).await.unwrap();
        assert_eq!(found, 0, "{table}");
    }
    app.ctx.clock.advance(Duration::days(2));
    forget_batches(&app.ctx).await.unwrap();
    assert_eq!(vera.browser.get(&to).await.status(), 404, "lists are forgotten");
}

/// 1,000 keys with all that each may have are longer than a form.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_long_list_comes_as_a_file(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let line = |n: usize| format!("store number {n} till,orders:read,30d,\"shop,berlin\"\r\n");
    let list = format!("name,permissions,expires,tags\r\n{}", (0..1_000).map(line).collect::<String>());
    assert!(list.len() > 40_000, "{}", list.len());
    let to = location(&vera.browser.post_file::<CheckBatch>(PAGE, &[("api", "demo"), ("list", "")], list.as_bytes()).await).to_owned();
    let page = vera.browser.page(&to).await;
    assert!(page.contains("Create 1,000 keys and save the file"), "{page}");
    let id = to.split_once('=').unwrap().1;
    assert_eq!(secrets(&press(&vera.browser, id, &token(&page)).await.text().await.unwrap()).len(), 1_000);

    let to = location(&vera.browser.post_file::<CheckBatch>(PAGE, &[("api", "demo")], list.replace("orders:read", "orders:burn").as_bytes()).await).to_owned();
    let page = vera.browser.page(&to).await;
    assert!(page.contains("1,000 lines are wrong") && page.contains("choose it again below") && page.contains("type=\"file\""), "{page}");
    for (fields, field) in [([("api", "demo"), ("list", "name\na")], "list"), ([("api", "demo"), ("list", "")], "file")] {
        let refused = vera.browser.post_file::<CheckBatch>(PAGE, &fields, b"nom\nx").await;
        assert_eq!(refused.status(), 422);
        assert!(refused.text().await.unwrap().contains(&format!("id=\"{field}-error\"")), "{field}");
    }
}

fn token_of_length(length: usize) -> String {
    "x".repeat(length)
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_list_that_is_pressed_by_many_at_once_makes_its_keys_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let to = paste(&vera.browser, "name\ntill 1\ntill 2\n").await;
    let id = to.split_once('=').unwrap().1.to_owned();
    let once = token(&vera.browser.page(&to).await);
    let files = futures_util::future::join_all((0..4).map(|_| async { press(&vera.browser, &id, &once).await.text().await.unwrap() })).await;
    assert!(files.iter().all(|file| *file == files[0] && secrets(file).len() == 2), "{}", files.len());
    assert_eq!(events(&db, "key.created").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn hostile_lists_are_refused_in_words(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    for wrong in ["", "\r\n", "permissions\norders:read", "name,secret\na,b", "name,name\na,b", "name\na\0b", "name\n"] {
        let refused = vera.browser.post::<CheckBatch>(PAGE, &[("api", "demo"), ("list", wrong)]).await;
        assert_eq!(refused.status(), 422, "{wrong:?}");
    }
    let long = format!("name\n{}", "x".repeat(41_000));
    let refused = vera.browser.post::<CheckBatch>(PAGE, &[("api", "demo"), ("list", &long)]).await;
    assert_eq!(refused.status(), 422);
    let huge = "name\n".repeat(2_000_000);
    assert!(read_lines(&huge, &LocalTime::new("UTC", app.ctx.clock.now())).is_err(), "10 MB");

    let to = paste(&vera.browser, "name,permissions,preset\ntill,,\ntill,,\nburn,orders:burn,\nodd,,all\nlong,,,more\n").await;
    let page = vera.browser.page(&to).await;
    assert!(page.contains("4 lines are wrong, so no keys can be created. Correct the list below.") && !page.contains("create-many/file"), "{page}");
    for words in ["permissions: ", "name: Line 2 has this name", "preset: ", "more cells than the first", "\nodd,,all\n"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let escapes = paste(&vera.browser, "name,permissions\n</textarea><b>bold,orders:burn\n").await;
    let shown = vera.browser.page(&escapes).await;
    assert!(shown.contains("\n&lt;/textarea>&lt;b>bold,orders:burn") && !shown.contains("<b>bold"), "the list is there to be mended: {shown}");
    let id = to.split_once('=').unwrap().1;
    assert_eq!(location(&press(&vera.browser, id, &token_of_length(30)).await), to);
    assert_eq!(events(&db, "key.created").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_of_a_list_has_the_fields_of_one_that_is_made_alone(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let document: Value = app.get("/api/v1/openapi.json").await.json().await.unwrap();
    let fields = |body: &str| {
        let properties = document["components"]["schemas"][body]["properties"].as_object().unwrap();
        properties.keys().cloned().collect::<std::collections::BTreeSet<String>>()
    };
    let mut alone = fields("NewKeyBody");
    assert!(alone.remove("api") && alone.remove("plan"), "a list has one API for all, and no plan");
    assert_eq!(fields("BatchKeyBody"), alone);

    let mara = person(&app, &db, "mara@example.com", "developer").await;
    for field in ["api", "plan"] {
        let (status, problem) = json(create(&app, &mara, None, "application/json", &json!([{ "name": "till", field: "demo" }])).await).await;
        assert_eq!((status, text(&problem["errors"][0], "pointer")), (422, format!("#/keys/0/{field}")));
        assert!(text(&problem["errors"][0], "detail").starts_with(&format!("Unknown field `{field}`")), "{problem}");
    }
}
