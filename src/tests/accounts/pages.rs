//! The pages of accounts: names, fields and buttons of the contract, right for password managers, whole without JavaScript.

use crate::support::{TestApp, browser::location};
use leptos_axum::generate_route_list;
use sqlx::PgPool;
use tollgate::{accounts::api, app::App};

/// True if the page has a field with this label.
fn has_field(page: &str, label: &str, attributes: &[&str]) -> bool {
    let Some(found) = page.split("<label").skip(1).find(|rest| rest.split('>').nth(1).is_some_and(|text| text.starts_with(&format!("{label}<")))) else {
        return false;
    };
    let Some(id) = found.split("for=\"").nth(1).and_then(|rest| rest.split('"').next()) else { return false };
    let control = page.split('<').find(|tag| (tag.starts_with("input") || tag.starts_with("select")) && tag.contains(&format!("id=\"{id}\"")));
    control.is_some_and(|tag| attributes.iter().all(|attribute| tag.contains(attribute)))
}

fn has_button(page: &str, name: &str) -> bool {
    page.split("<button").skip(1).any(|rest| rest.split("</button>").next().is_some_and(|inner| inner.ends_with(&format!(">{name}"))))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_pages_before_signing_in_name_everything_as_the_contract_does(db: PgPool) {
    let app = TestApp::start(db).await;
    let visitor = app.browser();
    let page = visitor.page("/sign-up").await;
    assert!(has_field(&page, "Name", &["autocomplete=\"name\""]), "{page}");
    assert!(has_field(&page, "Email", &["autocomplete=\"email\"", "inputmode=\"email\"", "autocapitalize=\"none\"", "spellcheck=\"false\""]), "{page}");
    assert!(has_field(&page, "Password", &["type=\"password\"", "autocomplete=\"new-password\"", "aria-describedby"]), "{page}");
    assert!(has_button(&page, "Create account") && page.contains("At least 15 characters"), "{page}");

    let page = visitor.page("/sign-in").await;
    assert!(has_field(&page, "Email", &["autocomplete=\"username webauthn\"", "inputmode=\"email\"", "autocapitalize=\"none\""]), "{page}");
    assert!(has_field(&page, "Password", &["autocomplete=\"current-password webauthn\""]), "{page}");
    assert!(has_button(&page, "Sign in") && page.contains("href=\"/forgot-password\"") && page.contains("href=\"/sign-up\""), "{page}");

    let page = visitor.page("/forgot-password").await;
    assert!(has_field(&page, "Email", &["autocomplete=\"username\""]) && has_button(&page, "Send reset link"), "{page}");
    let page = visitor.page("/verify-email").await;
    assert!(has_field(&page, "Email", &[]) && has_button(&page, "Send a new email"), "{page}");
    super::unproven(&app, "mara@example.com").await;
    let mara = super::unproven(&app, "mara@example.com").await;
    let page = mara.page("/verify-email").await;
    assert!(has_field(&page, "Code", &["inputmode=\"numeric\"", "autocomplete=\"one-time-code\""]) && has_button(&page, "Send it again"), "{page}");
    for path in ["/sign-up", "/sign-in", "/forgot-password", "/reset-password", "/verify-email", "/sign-out"] {
        let page = visitor.page(path).await;
        assert!(!page.contains("style=\"") && !page.contains(" onclick="), "{path}: the policy allows neither");
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
        assert!(page.contains("· Tollgate</title>") && !page.contains("Tollgate · Tollgate"), "{path}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_settings_show_and_change_the_profile(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let page = vera.browser.page("/settings/profile").await;
    assert!(
        has_field(&page, "Name", &["value=\"Vera 0\""])
            && has_field(&page, "Email", &["readonly", &format!("value=\"{}\"", vera.email)])
            && has_field(&page, "Time zone", &[]),
        "{page}"
    );
    assert!(has_button(&page, "Save") && page.contains("America/New York") && page.contains("aria-current=\"page\""), "{page}");

    let save = async |name: &str, zone: &str| vera.browser.post::<api::UpdateProfile>("/settings/profile", &[("name", name), ("time_zone", zone)]).await;
    assert_eq!(location(&save("  Vera   Holm ", "Europe/Berlin").await), "/settings/profile");
    let page = vera.browser.page("/settings/profile").await;
    assert!(page.contains("value=\"Vera Holm\"") && page.contains("Saved."), "{page}");
    assert!(page.contains("<option value=\"Europe/Berlin\" selected"), "{page}");
    let workspace: String = sqlx::query_scalar("select name from workspaces").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(workspace, "Vera Holm", "the personal workspace takes the name");

    let refused = save("", "Mars/Base").await;
    assert_eq!(refused.status(), 422);
    let page = refused.text().await.unwrap();
    assert!(page.contains("Enter a name.") && page.contains("Choose a time zone from the list."), "{page}");
    assert!(vera.browser.page("/settings/profile").await.contains("value=\"Vera Holm\""));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_security_page_serves_password_managers(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let page = vera.browser.page("/settings/security").await;
    assert!(has_field(&page, "Current password", &["autocomplete=\"current-password\""]), "{page}");
    assert!(has_field(&page, "New password", &["autocomplete=\"new-password\""]) && has_button(&page, "Set new password"), "{page}");
    assert!(page.contains("autocomplete=\"username\"") && page.contains("Set now."), "{page}");
    assert!(page.contains("You are signed in on 1 device."), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_page_of_the_settings_asks_for_sign_in(db: PgPool) {
    let app = TestApp::start(db).await;
    for path in ["/settings/profile", "/settings/security", "/settings/sessions"] {
        assert!(location(&app.browser().get(path).await).starts_with("/sign-in?next=%2Fsettings"), "{path}");
    }
    let posted = app.browser().post::<api::UpdateProfile>("/settings/profile", &[("name", "X"), ("time_zone", "UTC")]).await;
    assert!(location(&posted).starts_with("/sign-in?next="));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r51_whoever_is_signed_in_sees_the_way_out_on_every_page(db: PgPool) {
    let app = TestApp::start(db).await;
    let (stranger, operator) = (app.browser(), app.sign_in_as("operator").await.browser);
    let mut seen = 0;
    for path in generate_route_list(App).iter().map(|route| route.path().to_owned()).filter(|path| !path.contains('{')) {
        let answer = operator.get(&path).await;
        if answer.status() != 200 {
            continue;
        }
        seen += 1;
        assert!(answer.text().await.unwrap().contains("Sign out"), "{path}");
    }
    assert!(seen > 30, "{seen}");
    for path in ["/", "/sign-in", "/docs", "/docs/limits"] {
        assert!(!stranger.page(path).await.contains("href=\"/sign-out\""), "{path}");
    }
}
