//! Pictures of people: what may be sent, what is kept of it, where it is shown and when it goes.

use super::count;
use crate::support::{
    TestApp,
    browser::{Browser, Person, location},
};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::io::Cursor;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        server::{Term, Visitor, avatars::Place, ban_account, leaving, unban_account},
    },
    admin::api as admin,
    error::AppError,
};

const PAGE: &str = "/settings/profile";
const FILES: &str = "multipart/form-data; boundary=gate";

/// A picture of one colour.
fn png(colour: [u8; 3]) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(40, 30, image::Rgb(colour)).write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

/// What a browser sends for the form with this file.
fn form(name: &str, file: &[u8]) -> Vec<u8> {
    let head = format!(
        "--gate\r\nContent-Disposition: form-data; name=\"_fn\"\r\n\r\nset_picture\r\n\
         --gate\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\n"
    );
    [head.as_bytes(), file, b"\r\n--gate--\r\n"].concat()
}

async fn post(browser: &Browser, page: &str, site: &str, body: Vec<u8>) -> Response {
    let request = browser.http.post(format!("{}{page}", browser.base)).header("sec-fetch-site", site).header("accept", "text/html");
    request.header("content-type", FILES).body(body).send().await.unwrap()
}

async fn send(person: &Person, name: &str, file: &[u8]) -> Response {
    post(&person.browser, PAGE, "same-origin", form(name, file)).await
}

async fn me(person: &Person) -> Value {
    person.browser.get("/api/v1/me").await.json().await.unwrap()
}

/// The address of somebody's picture, as they see it.
async fn address(person: &Person) -> String {
    me(person).await["picture"].as_str().unwrap().to_owned()
}

async fn pictures(app: &TestApp) -> i64 {
    count(app, "select count(*) from avatars").await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r79_a_picture_is_drawn_anew_and_served_at_a_path_of_its_own(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    assert_eq!(me(&vera).await["picture"], Value::Null);
    assert!(vera.browser.page(PAGE).await.contains("Your initials appear next to your name"));
    let sent = png([200, 20, 20]);
    assert_eq!(location(&send(&vera, "me.png", &sent).await), PAGE);

    let large = address(&vera).await;
    let small = large.replace("/256", "/64");
    let page = vera.browser.page("/home").await;
    assert!(page.contains(&format!("src=\"{small}\"")), "it stands in the menu");
    for (path, side) in [(&large, 256), (&small, 64)] {
        let answer = app.browser().get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let head = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        assert_eq!((head("content-type").as_str(), head("x-content-type-options").as_str()), ("image/jpeg", "nosniff"));
        assert_eq!(head("content-disposition"), "inline; filename=\"picture.jpg\"");
        assert_eq!(head("cache-control"), "public, max-age=31536000, immutable");
        assert!(head("content-security-policy").starts_with("default-src 'none'; sandbox;"));
        assert_eq!((head("cross-origin-resource-policy").as_str(), head("set-cookie").as_str()), ("same-origin", ""));
        let bytes = answer.bytes().await.unwrap();
        assert_ne!(bytes, sent);
        let picture = image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg).unwrap();
        assert_eq!((picture.width(), picture.height()), (side, side));
    }
    let hash = large.split('/').nth(2).unwrap();
    for nothing in
        [format!("/avatars/{}/64", "1".repeat(64)), format!("/avatars/{hash}/128"), format!("/avatars/{}/64", hash.to_uppercase()), "/avatars/x/64".to_owned()]
    {
        let answer = app.browser().get(&nothing).await;
        assert_eq!((answer.status().as_u16(), answer.headers()["cache-control"].to_str().unwrap()), (404, "no-store"), "{nothing}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f07_the_same_picture_is_no_change_and_another_takes_its_place(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let changes = async || count(&app, "select count(*) from events where kind = 'account.picture_set'").await;
    for _ in 0..2 {
        assert_eq!(send(&vera, "me.png", &png([200, 20, 20])).await.status(), 303);
        assert_eq!((pictures(&app).await, changes().await), (1, 1));
    }
    let first = address(&vera).await;
    assert_eq!(send(&vera, "other.png", &png([20, 20, 200])).await.status(), 303);
    let second = address(&vera).await;
    assert_ne!(first, second);
    assert_eq!((app.browser().get(&first).await.status().as_u16(), app.browser().get(&second).await.status().as_u16()), (404, 200));

    // The same file of somebody else is another picture: nobody takes it away from her.
    let nina = app.sign_in_as("developer").await;
    send(&nina, "other.png", &png([20, 20, 200])).await;
    assert_ne!(address(&nina).await, second);
    for _ in 0..2 {
        assert_eq!(location(&nina.browser.post::<api::RemovePicture>(PAGE, &[]).await), PAGE);
    }
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.picture_removed'").await, 1);
    assert_eq!((me(&nina).await["picture"].clone(), app.browser().get(&second).await.status().as_u16()), (Value::Null, 200));

    let (red, blue) = (png([250, 0, 0]), png([0, 0, 250]));
    let (a, b) = tokio::join!(send(&nina, "a.png", &red), send(&nina, "b.png", &blue));
    assert_eq!((a.status().as_u16(), b.status().as_u16(), pictures(&app).await), (303, 303, 2), "of two at once the later one stays");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r79_what_is_no_picture_is_refused_beside_the_field_and_changes_nothing(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    send(&vera, "me.png", &png([200, 20, 20])).await;
    let before = address(&vera).await;
    let cut = png([1, 2, 3])[..40].to_vec();
    for (name, file, said) in [
        ("me.svg", b"<svg onload=alert(1)></svg>".to_vec(), "read this file"),
        ("me.png", b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), "read this file"),
        ("me.gif", b"GIF89a\x01\0\x01\0".to_vec(), "read this file"),
        ("me.jpg", png([1, 2, 3]), "file is a PNG"),
        ("me.png", cut, "broken or incomplete"),
        ("", Vec::new(), "Choose a picture."),
        ("long.png", vec![0x89; 8 * 1024 * 1024 + 1], "at most 8 MB"),
    ] {
        let answer = send(&vera, name, &file).await;
        assert_eq!(answer.status(), 422, "{name} {said}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(said) && page.contains("id=\"picture-error\"") && page.contains("href=\"#picture\""), "{name} {said}");
        assert!(!page.contains("alert(1)"));
    }
    for half in [b"--gate\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\r\nabc".to_vec(), b"no form at all".to_vec()] {
        let answer = post(&vera.browser, PAGE, "same-origin", half).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().await.unwrap().contains("did not arrive whole"));
    }
    assert_eq!(post(&vera.browser, PAGE, "same-origin", b"--gate--\r\n".to_vec()).await.status(), 422, "a form without a file");
    assert_eq!(address(&vera).await, before);

    // A fault in the middle leaves the old one.
    let fault = "create function fail() returns trigger language plpgsql as $$ begin raise exception 'a fault'; end $$;
         create trigger fail before insert on events for each row when (new.kind = 'account.picture_set') execute function fail()";
    sqlx::raw_sql(fault).execute(&app.ctx.db).await.unwrap();
    assert_eq!(send(&vera, "other.png", &png([9, 9, 9])).await.status(), 500);
    assert_eq!(address(&vera).await, before);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r79_files_come_from_our_page_to_our_page_by_who_is_signed_in(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let file = form("me.png", &png([200, 20, 20]));
    for site in ["cross-site", "same-site"] {
        assert_eq!(post(&vera.browser, PAGE, site, file.clone()).await.status(), 403, "{site}");
    }
    for elsewhere in ["/settings/public", "/keys", "/fn/tollgate/accounts/api/profile/remove_picture", "/api/v1/me"] {
        assert_eq!(post(&vera.browser, elsewhere, "same-origin", file.clone()).await.status(), 403, "{elsewhere}");
    }
    let stranger = post(&app.browser(), PAGE, "same-origin", file.clone()).await;
    assert!(location(&stranger).starts_with("/sign-in?next="));
    assert_eq!(pictures(&app).await, 0);
    assert_eq!(location(&post(&vera.browser, PAGE, "same-origin", file).await), PAGE);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r79_a_full_queue_says_to_come_again_and_so_do_many_pictures_of_one(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let mut places: Vec<Place> = Vec::new();
    while let Ok(place) = Place::take(&app.ctx, app.ctx.new_id()) {
        places.push(place);
        assert!(places.len() < 100, "there is an end of places");
    }
    let refused = send(&vera, "me.png", &png([200, 20, 20])).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "3"));
    assert!(refused.text().await.unwrap().contains("This is busy right now"));
    drop(places);
    for shade in 0..20 {
        assert_eq!(send(&vera, "me.png", &png([shade, 20, 20])).await.status(), 303, "{shade}");
    }
    let refused = send(&vera, "me.png", &png([200, 20, 20])).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(send(&vera, "me.png", &png([200, 20, 20])).await.status(), 303);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r79_one_account_never_takes_the_places_of_all(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, nina) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let mut places = [Place::take(&app.ctx, vera.account).unwrap(), Place::take(&app.ctx, vera.account).unwrap()].into_iter();
    assert!(matches!(Place::take(&app.ctx, vera.account), Err(AppError::RateLimited { retry_after: 3 })));
    let refused = send(&vera, "me.png", &png([200, 20, 20])).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "3"));
    assert_eq!(send(&nina, "me.png", &png([200, 20, 20])).await.status(), 303, "there is room for others");
    drop(places.next());
    assert_eq!(send(&vera, "me.png", &png([200, 20, 20])).await.status(), 303);
    assert_eq!(send(&vera, "me.png", &png([20, 20, 20])).await.status(), 303, "its own place is free again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_picture_of_a_banned_account_is_not_there_while_it_is_banned(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, olga) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    send(&vera, "me.png", &png([200, 20, 20])).await;
    let picture = address(&vera).await;
    let small = picture.replace("/256", "/64");
    let seen = async || [app.browser().get(&picture).await.status().as_u16(), app.browser().get(&small).await.status().as_u16()];
    assert_eq!(seen().await, [200, 200]);
    let from = Visitor { address: "192.0.2.1".parse().unwrap(), device: "test".to_owned() };
    let page = format!("/admin/accounts/{}", vera.account);
    let until = Some(app.ctx.clock.now() + Duration::days(1));
    ban_account(&app.ctx, &Caller::cli(), &from, vera.account, Term { reason: "spam", until }).await.unwrap();
    assert_eq!(seen().await, [404, 404]);
    let shown = olga.browser.page(&page).await;
    assert!(!shown.contains("/avatars/") && shown.contains("Remove picture"), "initials stand there, and it can still be removed");
    unban_account(&app.ctx, &Caller::cli(), &from, vera.account).await.unwrap();
    assert_eq!(seen().await, [200, 200], "a ban that is lifted");

    ban_account(&app.ctx, &Caller::cli(), &from, vera.account, Term { reason: "again", until }).await.unwrap();
    assert_eq!(seen().await, [404, 404]);
    app.ctx.clock.advance(Duration::days(1));
    assert_eq!(seen().await, [200, 200], "nothing had to run for it to end");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t11_strangers_see_it_only_if_its_owner_says_so_and_operators_always(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    send(&vera, "me.png", &png([200, 20, 20])).await;
    let picture = address(&vera).await;
    let publish = async |what: &[&str]| {
        let body = json!({ "handle": "vera-h", "published": what });
        let request = vera.browser.http.request(Method::PATCH, app.url("/api/v1/me")).header("sec-fetch-site", "same-origin");
        assert_eq!(request.json(&body).send().await.unwrap().status(), 200);
    };
    publish(&["name"]).await;
    let stranger = app.browser();
    let seen: Value = stranger.get("/api/v1/users/vera-h").await.json().await.unwrap();
    assert_eq!(seen, json!({ "handle": "vera-h", "name": vera.name }));
    assert!(!stranger.page("/u/vera-h").await.contains("/avatars/"));
    publish(&["picture"]).await;
    let seen: Value = stranger.get("/api/v1/users/vera-h").await.json().await.unwrap();
    assert_eq!(seen, json!({ "handle": "vera-h", "picture": picture }));
    assert!(stranger.page("/u/vera-h").await.contains(&format!("src=\"{picture}\"")));
    assert!(vera.browser.page("/u/vera-h").await.contains(&format!("src=\"{picture}\"")), "she sees what they see");

    let olga = app.sign_in_as("operator").await;
    let page = olga.browser.page(&format!("/admin/accounts/{}", vera.account)).await;
    assert!(page.contains(&format!("src=\"{picture}\"")) && page.contains("changed the picture"));
    let path = format!("/admin/accounts/{}", vera.account);
    for _ in 0..2 {
        let taken = olga.browser.post::<admin::TakePicture>(&path, &[("id", &vera.account.to_string())]).await;
        assert_eq!(location(&taken), path);
    }
    assert_eq!((pictures(&app).await, count(&app, "select count(*) from events where kind = 'account.picture_removed'").await), (0, 1));
    let page = olga.browser.page(&path).await;
    assert!(!page.contains("/avatars/") && page.contains("took the picture away"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f26_it_is_part_of_the_export_and_goes_with_the_account(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    send(&vera, "me.png", &png([200, 20, 20])).await;
    let picture = address(&vera).await;
    vera.browser.post::<api::AskExport>("/settings/danger?act=export", &[]).await;
    app.run_jobs().await;
    let file: Value = vera.browser.get("/api/v1/me/export").await.json().await.unwrap();
    let kept = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, file["picture"]["jpeg"].as_str().unwrap()).unwrap();
    assert_eq!(kept, app.browser().get(&picture).await.bytes().await.unwrap());
    assert_eq!(file["picture"]["set_at"], "2026-11-20T12:00:00Z");

    // A deactivated account keeps it.
    vera.browser.post::<api::Deactivate>("/settings/danger", &[]).await;
    assert_eq!(pictures(&app).await, 1);
    sqlx::raw_sql("update account_departures set erase_at = at + interval '30 days'").execute(&app.ctx.db).await.unwrap();
    app.ctx.clock.advance(Duration::days(30));
    assert_eq!(leaving::erase_departed(&app.ctx).await, Ok(1));
    assert_eq!((pictures(&app).await, app.browser().get(&picture).await.status().as_u16()), (0, 404));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_the_form_of_a_picture_is_not_sent_as_another_account(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, other) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let page = vera.browser.page(PAGE).await;
    let forms = page.matches("multipart/form-data").count();
    assert!(forms == 1 && page.contains(&format!("name=\"_for\" value=\"{}\"", vera.account)), "{page}");
    let field = |account: &str| format!("--gate\r\nContent-Disposition: form-data; name=\"_for\"\r\n\r\n{account}\r\n").into_bytes();
    let file = png([1, 2, 3]);
    let (own, theirs) = (vera.account.to_string(), other.account.to_string());
    // Before the file, as a browser sends it, or behind it; and nothing that could be an id.
    let behind = |account: &str| {
        let whole = form("me.png", &file);
        [&whole[..whole.len() - b"--gate--\r\n".len()], &field(account), b"--gate--\r\n"].concat()
    };
    let long = "x".repeat(5_000);
    for body in [[field(&theirs), form("me.png", &file)].concat(), behind(&theirs), [field(&long), form("me.png", &file)].concat()] {
        let answer = post(&vera.browser, PAGE, "same-origin", body).await;
        assert_eq!(answer.status(), 409);
        assert!(answer.text().await.unwrap().contains("This page was opened as another account"));
    }
    assert_eq!(pictures(&app).await, 0);
    let answer = post(&vera.browser, PAGE, "same-origin", [field(&own), form("me.png", &file)].concat()).await;
    assert_eq!((location(&answer), pictures(&app).await), (PAGE, 1));
}
