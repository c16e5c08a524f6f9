//! The place of an address, where the operator gives a database of them (Z07, Z23, R47).

use super::support::{
    TestApp,
    browser::{Browser, PASSWORD},
    folder::Folder,
    places::{write_flat_places, write_places},
};
use reqwest::{
    header::{HeaderMap, HeaderValue},
    redirect::Policy,
};
use serde_json::Value;
use sqlx::PgPool;
use std::{path::PathBuf, sync::Arc};
use time::Duration;
use tokio::net::TcpListener;
use tollgate::{
    accounts::api,
    boot::server::Running,
    platform::{mail::SentMail, places::Places},
};

fn database(folder: &Folder) -> PathBuf {
    let path = folder.path().join("places.mmdb");
    let networks = [
        ("203.0.113.0/24", Some("Stockholm"), Some("Sweden")),
        ("198.51.100.0/25", None, Some("Sweden")),
        ("198.51.100.128/25", None, None),
        ("192.0.2.0/24", Some("Singapore"), Some("Singapore")),
        ("10.0.0.0/8", Some("Stockholm"), Some("Sweden")),
        ("2001:db8::/32", Some("Lisbon"), Some("Portugal")),
    ];
    write_places(&path, &networks);
    path
}

/// Behind a proxy, so that a test says where somebody is.
async fn app_with(db: PgPool, places: Option<PathBuf>) -> TestApp {
    TestApp::start_with(db, |config| {
        config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.auth.places_file = places;
    })
    .await
}

fn browser_at(app: &TestApp, address: &'static str) -> Browser {
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", HeaderValue::from_static(address));
    let http = reqwest::Client::builder().cookie_store(true).redirect(Policy::none()).default_headers(headers).build().unwrap();
    Browser { http, base: app.base.clone() }
}

/// What REST says of the place of the session that asks.
async fn own_place(browser: &Browser) -> Value {
    let list: Value = browser.get("/api/v1/me/sessions").await.json().await.unwrap();
    let own = list["data"].as_array().unwrap().iter().find(|session| session["current"] == true).unwrap();
    own.as_object().unwrap()["place"].clone()
}

fn has_line(mail: &SentMail, end: &str) -> bool {
    mail.text.lines().any(|line| line.ends_with(end))
}

#[test]
fn an_address_has_the_place_of_its_network() {
    let folder = Folder::new();
    let places = Places::open(&database(&folder)).unwrap_or_else(|error| panic!("{error}"));
    for (address, place) in [
        ("203.0.113.9", Some("Stockholm, Sweden")),
        ("::ffff:203.0.113.9", Some("Stockholm, Sweden")),
        ("198.51.100.7", Some("Sweden")),
        ("198.51.100.200", None),
        ("192.0.2.1", Some("Singapore")),
        ("2001:db8::9", Some("Lisbon, Portugal")),
        ("2001:db9::9", None),
        ("8.8.8.8", None),
        ("10.0.0.1", None),
        ("127.0.0.1", None),
        ("::1", None),
    ] {
        assert_eq!(places.of(address.parse().unwrap()).as_deref(), place, "{address}");
    }
}

#[test]
fn the_flat_fields_of_smaller_databases_are_read_and_one_without_places_is_refused() {
    let folder = Folder::new();
    let path = folder.path().join("flat.mmdb");
    let networks = [("203.0.113.0/24", Some("Stockholm"), Some("SE")), ("198.51.100.0/24", None, Some("SE"))];
    for fields in [["city", "country_code"], ["city", "country"], ["city", "country_name"]] {
        write_flat_places(&path, &networks, fields);
        let places = Places::open(&path).unwrap_or_else(|error| panic!("{error}"));
        let at = |address: &str| places.of(address.parse().unwrap());
        assert_eq!((at("203.0.113.9").as_deref(), at("198.51.100.9").as_deref()), (Some("Stockholm, SE"), Some("SE")), "{fields:?}");
    }
    write_flat_places(&path, &networks, ["autonomous_system", "organisation"]);
    let refused = Places::open(&path).err().unwrap().to_string();
    assert!(refused.contains("names no city and no country"), "{refused}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn z07_z23_r47_sessions_and_mails_name_the_place_of_an_address(db: PgPool) {
    let folder = Folder::new();
    let app = app_with(db, Some(database(&folder))).await;
    let operator = app.sign_in_as("operator").await;
    assert_eq!(own_place(&operator.browser).await, Value::Null, "a private address is nowhere");

    let account = app.account("mara@example.com", "Mara", "developer").await;
    let mara = browser_at(&app, "203.0.113.9");
    assert_eq!(mara.sign_in("mara@example.com", PASSWORD).await.status(), 303);
    let page = mara.page("/settings/sessions").await;
    assert!(page.matches("Stockholm, Sweden").count() >= 2, "in its column, and where that is folded: {page}");
    assert_eq!(own_place(&mara).await, "Stockholm, Sweden");
    let page = operator.browser.page(&format!("/admin/accounts/{account}")).await;
    assert!(page.contains("203.0.113.9, near Stockholm, Sweden"), "{page}");

    app.ctx.clock.advance(Duration::hours(1));
    assert_eq!(browser_at(&app, "198.51.100.7").sign_in("mara@example.com", PASSWORD).await.status(), 303);
    let mail = app.mail_to("mara@example.com").await;
    assert_eq!(mail.subject, "New sign-in to your account");
    assert!(has_line(&mail, "198.51.100.7, near Sweden"), "{}", mail.text);
    browser_at(&app, "2001:db8::9").post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    let mail = app.mail_to("mara@example.com").await;
    assert_eq!(mail.subject, "Set a new password");
    assert!(has_line(&mail, "2001:db8::9, near Lisbon, Portugal"), "{}", mail.text);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_a_database_no_place_is_named(db: PgPool) {
    let app = app_with(db, None).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let mara = browser_at(&app, "203.0.113.9");
    assert_eq!(mara.sign_in("mara@example.com", PASSWORD).await.status(), 303);
    let page = mara.page("/settings/sessions").await;
    assert!(page.contains("203.0.113.9") && !page.contains("Place "), "{page}");
    assert_eq!(own_place(&mara).await, Value::Null);
    browser_at(&app, "203.0.113.9").post::<api::ForgotPassword>("/forgot-password", &[("email", "mara@example.com")]).await;
    let mail = app.mail_to("mara@example.com").await;
    assert!(has_line(&mail, " 203.0.113.9"), "{}", mail.text);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_database_that_cannot_be_read_refuses_the_start_by_the_name_of_its_setting(db: PgPool) {
    let app = TestApp::start(db).await;
    let folder = Folder::new();
    let (missing, broken) = (folder.path().join("missing.mmdb"), folder.path().join("broken.mmdb"));
    std::fs::write(&broken, "no database").unwrap();
    for path in [missing, broken] {
        let mut ctx = app.ctx.clone();
        let mut config = (*ctx.config).clone();
        config.auth.places_file = Some(path.clone());
        ctx.config = Arc::new(config);
        let refused = Running::start(ctx, TcpListener::bind("127.0.0.1:0").await.unwrap()).await.err().unwrap().to_string();
        assert!(refused.contains("TOLLGATE_PLACES_FILE") && refused.contains(&path.display().to_string()), "{refused}");
    }
}
