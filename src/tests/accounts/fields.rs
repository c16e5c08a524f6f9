//! Fields of profiles that operators make: checked by kind wherever a value comes from, and shown where both sides said so.

use super::count;
use crate::support::{
    TestApp,
    browser::{PASSWORD, Person, location},
    locks::Held,
};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller, api,
        model::FieldForm,
        server::{Visitor, change_field, create_field, delete_field},
    },
    admin::api as admin,
    error::AppError,
};

fn form(slug: &str, kind: &str) -> FieldForm {
    FieldForm { slug: slug.to_owned(), label: slug.to_uppercase(), kind: kind.to_owned(), choices: "Blue\nRed".to_owned(), ..FieldForm::default() }
}

async fn make(app: &TestApp, form: FieldForm) {
    create_field(&app.ctx, &Caller::cli(), &Visitor::terminal(), &form).await.unwrap();
}

async fn patch(app: &TestApp, person: &Person, body: Value) -> Response {
    person.browser.http.request(Method::PATCH, app.url("/api/v1/me")).header("sec-fetch-site", "same-origin").json(&body).send().await.unwrap()
}

async fn me(person: &Person) -> Value {
    person.browser.get("/api/v1/me").await.json().await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn f38_z27_a_field_of_every_kind_reads_back_and_the_others_stay(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    for kind in ["text", "number", "date", "choice", "checkbox", "url"] {
        make(&app, FieldForm { may_be_public: true, ..form(&format!("a_{kind}"), kind) }).await;
    }
    let mut expected = json!({});
    for (slug, value) in [
        ("a_text", "Gate <keeper>"),
        ("a_number", "12.5"),
        ("a_date", "2026-11-20"),
        ("a_choice", "Red"),
        ("a_checkbox", "true"),
        ("a_url", "https://example.com/"),
    ] {
        let answer = patch(&app, &vera, json!({ "fields": { slug: value } })).await;
        assert_eq!(answer.status(), 200, "{slug}");
        expected[slug] = json!(value);
        assert_eq!(answer.json::<Value>().await.unwrap()["fields"], expected, "{slug}");
        assert_eq!(me(&vera).await["fields"], expected, "{slug}");
    }
    let before = count(&app, "select count(*) from events where kind = 'account.profile_changed'").await;
    patch(&app, &vera, json!({ "fields": expected })).await;
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.profile_changed'").await, before, "F07: no change is none");
    for (slug, bad) in [("a_number", "many"), ("a_date", "soon"), ("a_choice", "Green"), ("a_checkbox", "on"), ("a_url", "javascript:alert(1)"), ("b", "x")] {
        let answer = patch(&app, &vera, json!({ "fields": { slug: bad } })).await;
        assert_eq!(answer.json::<Value>().await.unwrap()["errors"][0]["pointer"], format!("#/fields/{slug}"), "{bad}");
    }
    let page = vera.browser.page("/settings/profile").await;
    assert!(page.contains("name=\"fields[a_text]\"") && page.contains("Gate &lt;keeper") && page.contains("A_CHOICE"), "{page}");
    assert_eq!(patch(&app, &vera, json!({ "fields": { "a_text": "", "a_checkbox": "false" } })).await.status(), 200);
    let left = me(&vera).await;
    assert!(left["fields"].get("a_text").is_none() && left["fields"].get("a_checkbox").is_none() && left["fields"]["a_number"] == "12.5");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn z27_the_profile_page_asks_what_is_required_and_unticks_boxes(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    make(&app, FieldForm { is_required: true, ..form("team", "choice") }).await;
    make(&app, form("news", "checkbox")).await;
    let save = async |more: &[(&str, &str)]| {
        let mut fields = vec![("name", "Vera Holm"), ("time_zone", "UTC"), ("language", "en")];
        fields.extend_from_slice(more);
        vera.browser.post::<api::UpdateProfile>("/settings/profile", &fields).await
    };
    let refused = save(&[("fields[team]", ""), ("fields[news]", "true")]).await;
    assert_eq!(refused.status(), 422);
    let refused = refused.text().await.unwrap();
    assert!(refused.contains("Fill this in.") && refused.contains("Vera Holm"), "beside its field, and nothing is lost: {refused}");
    assert_eq!(save(&[]).await.status(), 422, "left away it is not filled in either");
    assert_eq!(location(&save(&[("fields[team]", "Blue"), ("fields[news]", "true")]).await), "/settings/profile");
    assert_eq!(me(&vera).await["fields"], json!({ "team": "Blue", "news": "true" }));
    assert_eq!(location(&save(&[("fields[team]", "Blue")]).await), "/settings/profile");
    assert_eq!(me(&vera).await["fields"], json!({ "team": "Blue" }), "a box that is not ticked is not sent");
    assert_eq!(patch(&app, &vera, json!({ "name": "V" })).await.status(), 200, "over REST only what is sent is looked at");
    assert_eq!(patch(&app, &vera, json!({ "fields": { "team": "" } })).await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn z27_what_is_asked_on_signing_up_is_kept(db: PgPool) {
    let app = TestApp::start(db).await;
    make(&app, FieldForm { is_required: true, at_sign_up: true, ..form("company", "text") }).await;
    make(&app, form("later", "text")).await;
    let browser = app.browser();
    let page = browser.page("/sign-up").await;
    assert!(page.contains("name=\"fields[company]\"") && !page.contains("fields[later]"), "{page}");
    let send = async |email: &str, more: &[(&str, &str)]| {
        let mut fields = vec![("email", email), ("name", "Nina"), ("password", PASSWORD)];
        fields.extend_from_slice(more);
        browser.post::<api::SignUp>("/sign-up", &fields).await
    };
    let refused = send("nina@example.com", &[("fields[company]", " ")]).await;
    assert!(refused.status() == 422 && refused.text().await.unwrap().contains("Fill this in."));
    assert_eq!(send("nina@example.com", &[("fields[company]", "Gate & Co"), ("fields[later]", "x")]).await.status(), 422, "it is not asked here");
    assert_eq!(location(&send("nina@example.com", &[("fields[company]", "Gate & Co")]).await), "/verify-email");
    assert_eq!(count(&app, "select count(*) from profile_values where value = 'Gate & Co'").await, 1);
    // Over REST the same, and a sign-up that was never proven is overwritten (R57).
    let body = json!({ "email": "nina@example.com", "password": PASSWORD, "fields": { "company": "Else" } });
    assert_eq!(app.http.post(app.url("/api/v1/auth/register")).json(&body).send().await.unwrap().status(), 202);
    assert_eq!(count(&app, "select count(*) from profile_values where value = 'Else'").await, 1);
    assert_eq!(count(&app, "select count(*) from profile_values").await, 1);
    let body = json!({ "email": "olga@example.com", "password": PASSWORD });
    let missing: Value = app.http.post(app.url("/api/v1/auth/register")).json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(missing["errors"][0]["pointer"], "#/fields/company");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn z27_t11_strangers_see_what_operator_and_owner_both_let_them(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    make(&app, FieldForm { may_be_public: true, ..form("site", "url") }).await;
    make(&app, form("phone", "text")).await;
    patch(&app, &vera, json!({ "handle": "vera-h", "fields": { "site": "https://vera.example", "phone": "12345" } })).await;
    let user = async || app.browser().get("/api/v1/users/vera-h").await;
    assert_eq!(user().await.status(), 404, "nothing is public by itself");
    let refused = patch(&app, &vera, json!({ "public_fields": ["phone"] })).await;
    assert_eq!(refused.json::<Value>().await.unwrap()["errors"][0]["pointer"], "#/public_fields");
    let form = [("handle", "vera-h"), ("public_fields[]", "site")];
    assert_eq!(location(&vera.browser.post::<api::PublishProfile>("/settings/public", &form).await), "/settings/public");
    assert_eq!(me(&vera).await["public_fields"], json!(["site"]));
    assert_eq!(user().await.json::<Value>().await.unwrap(), json!({ "handle": "vera-h", "fields": { "site": "https://vera.example/" } }));
    let page = app.browser().page("/u/vera-h").await;
    assert!(page.contains("href=\"https://vera.example/\"") && page.contains("nofollow noopener ugc") && !page.contains("12345"), "{page}");
    // Saving the profile page leaves the tick.
    let save = [("name", "Vera"), ("time_zone", "UTC"), ("fields[site]", "https://vera.example/"), ("fields[phone]", "12345")];
    vera.browser.post::<api::UpdateProfile>("/settings/profile", &save).await;
    assert_eq!(me(&vera).await["public_fields"], json!(["site"]));
    // And an operator sees it all.
    let operator = app.sign_in_as("operator").await;
    let shown = operator.browser.page(&format!("/admin/accounts/{}", vera.account)).await;
    assert!(shown.contains("PHONE") && shown.contains("12345"), "{shown}");
    for (query, found) in [("phone%3D12345", true), ("phone%3D1234", false), ("site%3D12345", false)] {
        assert_eq!(operator.browser.page(&format!("/admin/accounts?q={query}")).await.contains(&vera.email), found, "{query}: the whole value, of this field");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn z27_operators_make_change_and_delete_fields(db: PgPool) {
    let app = TestApp::start(db).await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    assert!(operator.browser.page("/admin/fields").await.contains("No fields yet"));
    let team = [("field[slug]", "team"), ("field[label]", "Your <team>"), ("field[kind]", "choice"), ("field[choices]", "Blue\r\n Red \r\nBlue\r\n")];
    assert_eq!(location(&operator.browser.post::<admin::CreateField>("/admin/fields", &team).await), "/admin/fields");
    assert_eq!(operator.browser.post::<admin::CreateField>("/admin/fields", &team).await.status(), 422, "there is one of this name");
    assert_eq!(count(&app, "select cardinality(choices)::bigint from profile_fields").await, 2);
    for bad in [("field[slug]", "Team"), ("field[label]", ""), ("field[kind]", "colour"), ("field[position]", "-1"), ("field[choices]", "")] {
        let mut form: Vec<(&str, &str)> = team.iter().filter(|(name, _)| *name != bad.0).copied().collect();
        form.extend([bad]);
        if bad.0 != "field[slug]" {
            form.retain(|(name, _)| *name != "field[slug]");
            form.push(("field[slug]", "other"));
        }
        assert_eq!(operator.browser.post::<admin::CreateField>("/admin/fields", &form).await.status(), 422, "{bad:?}");
    }
    patch(&app, &vera, json!({ "fields": { "team": "Red" } })).await;
    let page = operator.browser.page("/admin/fields?edit=team").await;
    assert!(page.contains("Your &lt;team>") || page.contains("Your &lt;team&gt;"), "{page}");
    let change = [("field[slug]", "team"), ("field[label]", "Team"), ("field[kind]", "number"), ("field[choices]", "Green"), ("field[is_required]", "true")];
    assert_eq!(location(&operator.browser.post::<admin::ChangeField>("/admin/fields?edit=team", &change).await), "/admin/fields");
    let kind: String = sqlx::query_scalar("select kind from profile_fields").fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(kind, "choice", "what it holds stays");
    assert_eq!(me(&vera).await["fields"], json!({ "team": "Red" }), "what was chosen stays");
    assert!(vera.browser.page("/settings/profile").await.contains("Red"), "until another one is");

    // Deleting says how many, and does nothing if it is more by then.
    assert!(operator.browser.page("/admin/fields?delete=team").await.contains("1 person has filled it in."));
    let delete = async |seen: &str| operator.browser.post::<admin::DeleteField>("/admin/fields?delete=team", &[("slug", "team"), ("seen", seen)]).await;
    assert_eq!(delete("0").await.status(), 409);
    app.ctx.clock.advance(Duration::minutes(11));
    assert!(location(&delete("1").await).starts_with("/step-up?form="));
    operator.browser.post::<api::StepUp>("/step-up", &[("password", PASSWORD)]).await;
    for _ in 0..2 {
        assert_eq!(location(&delete("1").await), "/admin/fields");
    }
    assert_eq!(me(&vera).await["fields"], json!({}));
    assert_eq!(count(&app, "select count(*) from events where kind like 'field.%'").await, 3);
    let refused = delete_field(&app.ctx, &app.caller_in_a_browser(vera.account).await, &Visitor::terminal(), "team", 0).await;
    assert!(matches!(refused, Err(AppError::Forbidden { .. })));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn of_two_changes_of_a_field_at_once_the_second_is_told(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let field = create_field(&app.ctx, &Caller::cli(), &Visitor::terminal(), &form("team", "text")).await.unwrap();
    let seen = field.version();
    let save = async |label: &str| {
        let form = FieldForm { label: label.to_owned(), ..form("team", "text") };
        change_field(&app.ctx, &Caller::cli(), &Visitor::terminal(), &form, Some(seen.as_str())).await
    };
    let held = Held::by(&db, "select from profile_fields for update").await;
    let (one, other, ()) = tokio::join!(save("Team"), save("Crew"), held.release_to(2));
    let told = [one, other].into_iter().filter(|saved| matches!(saved, Err(AppError::Changed { .. }))).count();
    assert_eq!((told, count(&app, "select count(*) from events where kind = 'field.changed'").await), (1, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn z27_the_export_has_what_was_written(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    make(&app, form("team", "choice")).await;
    patch(&app, &vera, json!({ "fields": { "team": "Red" } })).await;
    vera.browser.post::<api::AskExport>("/settings/danger", &[]).await;
    app.run_jobs().await;
    let chunks: Vec<Vec<u8>> = sqlx::query_scalar("select bytes from account_export_chunks order by number").fetch_all(&app.ctx.db).await.unwrap();
    let file: Value = serde_json::from_slice(&chunks.concat()).unwrap();
    assert_eq!(file["profile_fields"], json!([{ "field": "team", "label": "TEAM", "value": "Red", "is_public": false }]));
}
