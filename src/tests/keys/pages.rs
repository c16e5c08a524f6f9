//! The pages as a browser without JavaScript uses them.

use super::{lists::counted, passes};
use crate::support::{
    TestApp,
    browser::{PASSWORD, Person, location},
};
use leptos::server_fn::ServerFn;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::api::SignOut,
    keys::api::{CreateKey, DisableKey, DropSecret, EnableKey, FreshSecret, HideSecret, RevokeKey, RotateKey, SaveKey, SetLimit},
    values::KeyId,
};

/// The value of the hidden field `name`, of the first form that has one.
pub fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no hidden {name}"));
    rest.split('"').next().unwrap()
}

fn secret_in(page: &str) -> &str {
    let (_, rest) = page.split_once("data-testid=\"secret\">").expect("a secret on the page");
    rest.split('<').next().unwrap()
}

/// What stands between tags, with entities as they are.
pub fn words(page: &str) -> String {
    let body = page.split_once("<main").map_or(page, |(_, main)| main);
    let mut out = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

/// Makes a key as the page does; its path and secret, "Done" pressed.
pub async fn make(person: &Person, name: &str) -> (String, String) {
    let page = person.browser.page("/keys").await;
    let answer = person.browser.post::<CreateKey>("/keys", &[("name", name), ("once", hidden(&page, "once"))]).await;
    let path = location(&answer).to_owned();
    let page = person.browser.page(&path).await;
    let secret = secret_in(&page).to_owned();
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(location(&person.browser.post::<HideSecret>(&path, &[("id", id), ("stored", "true")]).await), path);
    (path, secret)
}

pub fn id_of(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_name_and_enter_make_a_key(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let page = vera.browser.page("/keys").await;
    assert!(page.contains("Name your first key") && page.contains("value=\"my first key\""), "the first time the form is the page");

    let answer = vera.browser.post::<CreateKey>("/keys", &[("name", "checkout service"), ("once", hidden(&page, "once"))]).await;
    let path = location(&answer).to_owned();
    assert!(path.starts_with("/keys/key_"), "{path}");
    let answer = vera.browser.get(&path).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let page = answer.text().await.unwrap();
    let secret = secret_in(&page).to_owned();
    assert!(tollgate::keys::server::secret::is_well_formed(&secret));
    assert_eq!(page.matches(&secret).count(), 2, "in its place and in the curl line, and nowhere else in the page");
    assert!(page.contains(&format!("{}/forward-auth/demo", app.base)));
    assert_eq!(passes(&app, &secret).await, 200);

    assert_eq!(secret_in(&vera.browser.page(&path).await), secret, "a reload does not lose it");
    let list = vera.browser.page("/keys").await;
    assert!(list.contains("checkout service") && list.contains(&secret[..14]) && !list.contains(&secret));
    assert!(list.contains("placeholder=\"Name of the new key\"") && !list.contains("value=\"my first key\""), "nothing to delete before one types");

    let answer = vera.browser.post::<HideSecret>(&path, &[("id", &id_of(&path))]).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert_eq!(secret_in(&page), secret, "a stray click on Done does not lose it");
    assert!(page.contains("href=\"#stored\"") && page.contains("id=\"stored-error\""), "the box says what to do");
    assert_eq!(secret_in(&vera.browser.page(&path).await), secret);

    vera.browser.post::<HideSecret>(&path, &[("id", &id_of(&path)), ("stored", "true")]).await;
    let page = vera.browser.page(&path).await;
    assert!(!page.contains("data-testid=\"secret\"") && !page.contains(&secret), "after Done it is gone");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_same_form_sent_twice_makes_one_key_and_loses_no_secret(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let page = vera.browser.page("/keys").await;
    let once = hidden(&page, "once").to_owned();
    let fields = [("name", "pressed twice"), ("once", once.as_str())];
    let answers = futures_util::future::join_all((0..4).map(|_| vera.browser.post::<CreateKey>("/keys", &fields))).await;
    let paths: Vec<&str> = answers.iter().map(location).collect();
    assert!(paths.iter().all(|p| *p == paths[0]), "{paths:?}");
    assert!(
        answers.iter().all(|a| a.headers().get_all("set-cookie").iter().any(|c| c.to_str().unwrap().starts_with("reveal-key_"))),
        "whichever answer the browser keeps shows the secret"
    );
    assert_eq!(super::events(&db, "key.created").await, 1);
    assert_eq!(passes(&app, secret_in(&vera.browser.page(paths[0]).await)).await, 200);

    let other = vera.browser.post::<CreateKey>("/keys", &[("name", "typed anew"), ("once", &once)]).await;
    assert_ne!(location(&other), paths[0], "another name is another key");
    app.ctx.clock.advance(Duration::minutes(11));
    let late = vera.browser.post::<CreateKey>("/keys", &fields).await;
    assert_eq!(location(&late), paths[0]);
    assert!(!late.headers().get_all("set-cookie").iter().any(|c| c.to_str().unwrap().starts_with("reveal-")), "after ten minutes it is shown no more");
    let damaged = vera.browser.post::<CreateKey>("/keys", &[("name", "x"), ("once", "short")]).await;
    assert_eq!(damaged.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn two_tabs_lose_neither_of_their_secrets(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let path = async |name: &str| location(&vera.browser.post::<CreateKey>("/keys", &[("name", name)]).await).to_owned();
    let (one, other) = (path("one").await, path("other").await);
    let secret = async |path: &str| secret_in(&vera.browser.page(path).await).to_owned();
    let (first, second) = (secret(&one).await, secret(&other).await);
    assert_eq!((passes(&app, &first).await, passes(&app, &second).await), (200, 200), "each page shows its own");

    let third = path("third").await;
    vera.browser.post::<RotateKey>(&third, &[("id", &id_of(&third)), ("grace", "0")]).await;
    vera.browser.post::<HideSecret>(&other, &[("id", &id_of(&other)), ("stored", "true")]).await;
    assert!(!vera.browser.page(&other).await.contains("data-testid=\"secret\""));
    assert_eq!(secret(&one).await, first, "neither a rotation nor Done of another key loses it");
    assert_eq!(passes(&app, &secret(&third).await).await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_signs_in_next_in_a_browser_is_shown_no_secret_of_another(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let path = location(&vera.browser.post::<CreateKey>("/keys", &[("name", "one")]).await).to_owned();
    let fresh = async || {
        let call = vera.browser.http.post(app.url(FreshSecret::PATH)).header("sec-fetch-site", "same-origin").header("accept", "application/json");
        let answer = call.form(&[("id", id_of(&path))]).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let secret = secret_in(&vera.browser.page(&path).await).to_owned();
    let (status, told) = fresh().await;
    assert!(status == 200 && told.contains(&secret), "{status} {told}");
    vera.browser.post::<SignOut>("/sign-out", &[]).await;
    app.account("nina@example.com", "Nina", "developer").await;
    vera.browser.sign_in("nina@example.com", PASSWORD).await;
    assert_eq!(fresh().await, (200, "null".to_owned()));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn no_more_secrets_are_made_than_a_browser_can_keep(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let make = async |n: usize| vera.browser.post::<CreateKey>("/keys", &[("name", &format!("key {n}"))]).await;
    let first = location(&make(1).await).to_owned();
    for n in 2..=20 {
        assert_eq!(make(n).await.status(), 303, "{n}");
    }
    let refused = make(21).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("wait to be stored"));
    assert_eq!(vera.browser.post::<RotateKey>(&first, &[("id", &id_of(&first)), ("grace", "0")]).await.status(), 409);
    vera.browser.post::<HideSecret>(&first, &[("id", &id_of(&first)), ("stored", "true")]).await;
    assert_eq!(make(21).await.status(), 303, "there is room again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_wrong_form_comes_back_with_what_was_typed(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    make(&vera, "one").await;
    let long = "ä".repeat(81);
    for (name, said) in [("", "Enter a name"), ("   ", "Enter a name"), (long.as_str(), "at most 80 characters")] {
        let answer = vera.browser.post::<CreateKey>("/keys", &[("name", name)]).await;
        assert_eq!(answer.status(), 422);
        let page = answer.text().await.unwrap();
        assert!(page.contains(said), "{said}");
        assert!(name.is_empty() || page.contains(&format!("value=\"{name}\"")));
    }
    let fields = [("name", "x"), ("api", "nothing"), ("expires", "soon"), ("environment", "prod"), ("chosen", "true")];
    let answer = vera.browser.post::<CreateKey>("/keys?dialog=new", &fields).await;
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert!(page.contains("id=\"new-key\"") && page.contains("Write a number and a unit"), "the dialog is open again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn html_in_names_and_reasons_is_text(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let evil = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let (path, _) = make(&vera, evil).await;
    vera.browser.post::<DisableKey>(&path, &[("id", &id_of(&path)), ("reason", evil)]).await;
    for page in [
        vera.browser.page("/keys").await,
        vera.browser.page(&path).await,
        vera.browser.page(&format!("{path}?dialog=revoke")).await,
        vera.browser.page(&format!("/keys?q={evil}")).await,
    ] {
        let text = outside_attributes(&page);
        assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "escaped");
    }
}

/// A page without the values of its attributes, where `<` is only a character.
fn outside_attributes(page: &str) -> String {
    let mut pieces = page.split("=\"");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.filter_map(|piece| piece.split_once('"')).fold(first, |text, (_, rest)| text + rest)
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_dialog_chooses_api_permissions_expiry_and_environment(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let page = vera.browser.page("/keys?dialog=new").await;
    assert!(page.contains("value=\"demo/orders:write\"") && page.contains("value=\"tollgate/keys:read\""));
    assert_eq!(page.matches("Limit: 100 units an hour.").count(), 2, "of each API");
    assert!(!page.contains("tollgate/keys:manage"), "only what the person may give");
    let fields = [
        ("name", "robot"),
        ("once", hidden(&page, "once")),
        ("chosen", "true"),
        ("api", "tollgate"),
        ("permissions[]", "demo/orders:read"),
        ("permissions[]", "tollgate/keys:read"),
        ("permissions[]", "tollgate/usage:read"),
        ("expires", "30d"),
        ("environment", "test"),
    ];
    let path = location(&vera.browser.post::<CreateKey>("/keys?dialog=new", &fields).await).to_owned();
    let page = vera.browser.page(&path).await;
    let secret = secret_in(&page);
    assert!(secret.starts_with("tg_test_"));
    let answer = app.http.get(app.url(&format!("/api/v1{path}"))).bearer_auth(secret).send().await.unwrap();
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["permissions"], serde_json::json!(["keys:read", "usage:read"]));
    assert_eq!(body["expires_at"], "2026-12-20T12:00:00Z");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn settings_are_saved_in_the_zone_of_the_person(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    sqlx::query("update accounts set time_zone = 'Europe/Stockholm'").execute(&db).await.unwrap();
    let (path, _) = make(&vera, "checkout").await;
    let id = id_of(&path);
    let save = async |fields: &[(&str, &str)]| {
        let mut all = vec![("id", id.as_str()), ("chosen", "true")];
        all.extend_from_slice(fields);
        vera.browser.post::<SaveKey>(&path, &all).await
    };
    let answer = save(&[("name", "shop"), ("expires_on", "2026-12-01"), ("permissions[]", "orders:write")]).await;
    assert_eq!(location(&answer), path);
    let page = vera.browser.page(&path).await;
    assert!(page.contains("Saved.") && page.contains("value=\"shop\"") && page.contains("value=\"2026-12-01\""));
    let expires: time::OffsetDateTime = sqlx::query_scalar("select expires_at from keys").fetch_one(&db).await.unwrap();
    assert_eq!(expires, time::macros::datetime!(2026-11-30 23:00 UTC));
    assert!(words(&page).contains("Vera 0 set the permissions to orders:write"));
    assert!(words(&page).contains("Permissions: orders:write"), "what is folded says what it holds: {page}");
    assert!(words(&page).contains("Vera 0 set the expiry to 2026-12-01"), "the day that she chose");

    assert_eq!(save(&[("name", "shop 2"), ("expires_on", "2026-12-01"), ("permissions[]", "orders:write")]).await.status(), 303);
    let same: time::OffsetDateTime = sqlx::query_scalar("select expires_at from keys").fetch_one(&db).await.unwrap();
    assert_eq!(same, expires, "a date that stands as it was changes nothing");
    for (fields, said) in [
        (&[("name", ""), ("expires_on", "")][..], "Enter a name"),
        (&[("name", "x"), ("expires_on", "2020-01-01")][..], "This has passed already"),
        (&[("name", "x"), ("expires_on", "soon")][..], "This is not a date"),
        (&[("name", "x"), ("permissions[]", "orders:burn")][..], "knows no permission"),
        (&[("name", "x"), ("addresses", "10.0.0.0/8\r\nhome")][..], "home is neither an address nor a network"),
    ] {
        let answer = save(fields).await;
        assert_eq!(answer.status(), 422, "{said}");
        assert!(answer.text().await.unwrap().contains(said), "{said}");
    }
    assert_eq!(save(&[("name", "shop 2"), ("addresses", "2001:db8::/32\r\n 10.1.2.3/8 ")]).await.status(), 303);
    let page = vera.browser.page(&path).await;
    assert!(page.contains("\n10.0.0.0/8\n2001:db8::/32</textarea>"), "{page}");
    assert!(words(&page).contains("Vera 0 let it be used from 10.0.0.0/8, 2001:db8::/32"));
    // What a form has no field for stays; what somebody cleared is taken away.
    let kept = [("name", "shop 2"), ("permissions[]", "orders:write")];
    assert_eq!(save(&kept).await.status(), 303);
    let row: (Option<time::OffsetDateTime>, i32) = sqlx::query_as("select expires_at, cardinality(addresses) from keys").fetch_one(&db).await.unwrap();
    assert_eq!(row, (Some(expires), 2));
    assert_eq!(save(&[("name", "shop 2"), ("expires_on", ""), ("addresses", ""), ("origins", ""), ("tags", "")]).await.status(), 303);
    let row: (Option<time::OffsetDateTime>, Vec<String>, Vec<String>) =
        sqlx::query_as("select expires_at, permissions, addresses::text[] from keys").fetch_one(&db).await.unwrap();
    assert_eq!(row, (None, vec![], vec![]), "no date: never; no box: no permission; no address: from everywhere");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn disable_enable_and_revoke_from_the_pages(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let (path, secret) = make(&vera, "checkout").await;
    let id = id_of(&path);
    assert_eq!(location(&vera.browser.post::<DisableKey>("/keys?status=passing", &[("id", &id)]).await), "/keys?status=passing", "back to where one was");
    assert_eq!(passes(&app, &secret).await, 401);
    let page = vera.browser.page(&path).await;
    assert!(page.contains("checkout is disabled") && page.contains(">Enable<") && !page.contains(">Disable<"));
    vera.browser.post::<EnableKey>(&path, &[("id", &id)]).await;
    assert_eq!(passes(&app, &secret).await, 200);

    counted(
        &app,
        &super::Person {
            owner: crate::gate::Owner { account: vera.account, workspace: workspace(&db).await },
            rest_key: KeyId::new(uuid::Uuid::nil()),
            secret: String::new(),
        },
        &id,
        "VALID",
        Duration::hours(1),
        1_234,
    )
    .await;
    let dialog = vera.browser.page(&format!("{path}?dialog=revoke")).await;
    assert!(dialog.contains("1,234 calls used this key in the last 30 days, 1,234 of them today."), "in numbers");
    assert!(dialog.contains("Type checkout to confirm"));
    let wrong = vera.browser.post::<RevokeKey>(&format!("{path}?dialog=revoke"), &[("id", &id), ("typed", "chekout")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("id=\"revoke\""), "the dialog stays open");
    assert_eq!(passes(&app, &secret).await, 200);
    let right = vera.browser.post::<RevokeKey>(&format!("{path}?dialog=revoke"), &[("id", &id), ("typed", " checkout "), ("reason", "leaked")]).await;
    assert_eq!(location(&right), path);
    assert_eq!(passes(&app, &secret).await, 401);
    let page = vera.browser.page(&path).await;
    assert!(page.contains("revoked it for good, “leaked”") && !page.contains(">Save<"), "nothing can be changed any more");
    let answer = vera.browser.post::<SaveKey>(&path, &[("id", &id), ("name", "again")]).await;
    assert_eq!(answer.status(), 409);
}

async fn workspace(db: &PgPool) -> tollgate::values::WorkspaceId {
    tollgate::values::WorkspaceId::new(sqlx::query_scalar("select id from workspaces limit 1").fetch_one(db).await.unwrap())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn rotating_shows_the_new_secret_and_drops_the_old_when_told(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let (path, old) = make(&vera, "checkout").await;
    let id = id_of(&path);
    let dialog = vera.browser.page(&format!("{path}?dialog=rotate")).await;
    let fields = [("id", id.as_str()), ("grace", "86400"), ("once", hidden(&dialog, "once"))];
    for _ in 0..2 {
        assert_eq!(location(&vera.browser.post::<RotateKey>(&format!("{path}?dialog=rotate"), &fields).await), path);
    }
    assert_eq!(super::events(&db, "key.rotated").await, 1, "sent twice, rotated once");
    let page = vera.browser.page(&path).await;
    let new = secret_in(&page).to_owned();
    assert!(new != old && page.contains("checkout has a new secret") && page.contains("Rotation in progress"));
    assert_eq!((passes(&app, &old).await, passes(&app, &new).await), (200, 200));

    let old_one = hidden(&page, "secret");
    assert!(!page.contains(DropSecret::PATH), "it asks first");
    let asks = format!("{path}?dialog=drop&secret={old_one}");
    assert!(page.contains(&asks.replace('&', "&amp;")), "the menu leads there");
    vera.browser.post::<HideSecret>(&path, &[("id", id.as_str()), ("stored", "true")]).await;
    let dialog = vera.browser.page(&asks).await;
    assert!(dialog.contains("id=\"drop\"") && dialog.contains(DropSecret::PATH) && dialog.contains("No call came with it in the last 24 hours."), "{dialog}");
    assert_eq!(location(&vera.browser.post::<DropSecret>(&asks, &[("id", &id), ("secret", old_one)]).await), format!("{path}#secrets"));
    assert_eq!((passes(&app, &old).await, passes(&app, &new).await), (401, 200));
    let newest: uuid::Uuid = sqlx::query_scalar("select id from key_secrets where expires_at is null").fetch_one(&db).await.unwrap();
    let newest = tollgate::values::SecretId::new(newest).to_string();
    let asks = format!("{path}?dialog=drop&secret={newest}");
    assert!(!vera.browser.page(&asks).await.contains("id=\"drop\""), "nor is it asked of the newest");
    let refused = vera.browser.post::<DropSecret>(&asks, &[("id", &id), ("secret", &newest)]).await;
    assert!(refused.status() == 409 && refused.text().await.unwrap().contains("This is the newest secret of the key."), "it is said on the page");
    assert_eq!(passes(&app, &new).await, 200, "the only secret can't be dropped");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_new_secret_says_whether_it_was_used_itself_and_a_revoked_key_rotates_no_more(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let (path, old) = make(&vera, "checkout").await;
    let id = id_of(&path);
    assert_eq!(passes(&app, &old).await, 200);
    app.flush().await;
    app.ctx.clock.advance(Duration::MINUTE);
    let asks = format!("{path}?dialog=rotate");
    let dialog = vera.browser.page(&asks).await;
    vera.browser.post::<RotateKey>(&asks, &[("id", id.as_str()), ("grace", "86400"), ("once", hidden(&dialog, "once"))]).await;
    let page = vera.browser.page(&path).await;
    assert!(page.contains("checkout has a new secret") && !page.contains("It has been used"), "only the old one was: {page}");

    vera.browser.post::<HideSecret>(&path, &[("id", id.as_str()), ("stored", "true")]).await;
    let asks = format!("{path}?dialog=revoke");
    assert_eq!(location(&vera.browser.post::<RevokeKey>(&asks, &[("id", id.as_str()), ("typed", "checkout")]).await), path);
    let page = vera.browser.page(&path).await;
    assert!(page.contains("Revoked by") && !page.contains("Rotation in progress"), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn pages_of_other_peoples_keys_are_not_found(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let eve = app.sign_in_as("developer").await;
    let (path, secret) = make(&vera, "checkout").await;
    let id = id_of(&path);
    for path in [path.as_str(), "/keys/key_0000000000000000000000000A", "/keys/x", "/keys/%3Cscript%3E"] {
        let answer = eve.browser.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(!answer.text().await.unwrap().contains("checkout"));
    }
    let this = [("id", id.as_str()), ("typed", "checkout"), ("name", "mine"), ("grace", "0"), ("limit", "1"), ("window", "60")];
    for status in [
        eve.browser.post::<DisableKey>("/keys", &this).await.status(),
        eve.browser.post::<EnableKey>("/keys", &this).await.status(),
        eve.browser.post::<RevokeKey>("/keys", &this).await.status(),
        eve.browser.post::<RotateKey>("/keys", &this).await.status(),
        eve.browser.post::<SaveKey>("/keys", &this).await.status(),
    ] {
        assert_eq!(status, 404);
    }
    assert_eq!(eve.browser.post::<SetLimit>("/keys", &this).await.status(), 403);
    assert_eq!(passes(&app, &secret).await, 200);
    let answer = eve.browser.post::<HideSecret>("/keys", &[("id", &id), ("stored", "true")]).await;
    assert_eq!(answer.status(), 303, "hiding touches only the own browser");
    let signed_out = app.browser().get(&path).await;
    assert!(location(&signed_out).starts_with("/sign-in?next="));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_list_filters_by_its_url(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let (path, _) = make(&vera, "checkout").await;
    make(&vera, "warehouse").await;
    vera.browser.post::<DisableKey>(&path, &[("id", &id_of(&path))]).await;
    for (query, shown, left_out) in
        [("q=CHECK", "checkout", "warehouse"), ("status=disabled", "checkout", "warehouse"), ("status=new", "warehouse", "checkout")]
    {
        let page = words(&vera.browser.page(&format!("/keys?{query}")).await);
        assert!(page.contains(shown) && !page.contains(left_out), "{query}: {page}");
        assert!(page.contains("1 of 1 key"));
    }
    let page = vera.browser.page("/keys?q=nothing&api=demo").await;
    assert!(page.contains("No key matches") && page.contains("value=\"nothing\""));
    assert_eq!(vera.browser.get("/keys?status=odd").await.status(), 422);
    assert_eq!(vera.browser.get("/keys?older=nonsense").await.status(), 422);
}
