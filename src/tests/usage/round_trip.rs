//! Filters stand in the URL, and nothing on a page forgets them: every form and every link to the same page keeps every other filter.

use super::{key, tally, write};
use crate::support::{T0, TestApp};
use reqwest::Url;
use sqlx::PgPool;
use tollgate::{
    accounts::{Via, server::caller_of_account},
    values::{Outcome, SessionId, link},
};

/// A form of a page: what it says of itself, and what it sends as it stands.
struct Sent {
    label: String,
    fields: Vec<(String, String)>,
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!(" {name}=\""))?.1.split('"').next()?;
    Some(value.replace("&amp;", "&").replace("&quot;", "\""))
}

/// The forms of a page that lead back to it by GET.
fn forms(page: &str, path: &str) -> Vec<Sent> {
    let form = |text: &str| {
        let (head, body) = text.split_once('>')?;
        let (body, _) = body.split_once("</form>")?;
        let leads_back = attribute(head, "action").as_deref() == Some(path) && attribute(head, "method").as_deref() == Some("get");
        let mut fields = Vec::new();
        for tag in body.split("<input").skip(1).filter_map(|rest| rest.split('>').next()) {
            fields.extend(attribute(tag, "name").zip(attribute(tag, "value")));
        }
        for select in body.split("<select").skip(1).filter_map(|rest| rest.split("</select>").next()) {
            let chosen = select.split("<option").skip(1).filter_map(|rest| rest.split('>').next()).find(|tag| tag.contains(" selected"));
            fields.extend(attribute(select, "name").zip(chosen.and_then(|tag| attribute(tag, "value"))));
        }
        leads_back.then(|| Sent { label: attribute(head, "aria-label").unwrap_or_default(), fields })
    };
    page.split("<form").skip(1).filter_map(form).collect()
}

/// The parameters of every link of a page that leads back to it.
fn links(page: &str, path: &str) -> Vec<Vec<(String, String)>> {
    let base: Url = "http://gate".parse().unwrap();
    let hrefs = page.split("<a ").skip(1).filter_map(|rest| attribute(&format!(" {}", rest.split('>').next()?), "href"));
    let back = hrefs.filter_map(|href| base.join(&href).ok()).filter(|url| url.path() == path && url.query().is_some());
    back.map(|url| url.query_pairs().into_owned().collect()).collect()
}

/// What a form replaces by its nature.
fn replaces(label: &str, name: &str) -> bool {
    match label {
        "Custom time" => ["range", "bucket", "from", "to"].contains(&name),
        "Compare with another time" => name == "compare",
        _ => false,
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_filter_of_every_page_is_kept_by_its_forms_and_links(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("operator").await;
    let owner = caller_of_account(&app.ctx, person.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let id = key(&app.ctx, &owner, "checkout").await;
    let m = T0.unix_timestamp() / 60;
    write(
        &app,
        vec![
            tally(&owner, id, "GET /orders", Outcome::Valid, m, 40),
            tally(&owner, id, "GET /orders", Outcome::Forbidden, m, 3),
            tally(&owner, id, "GET /", Outcome::RateLimited, m, 2),
        ],
    )
    .await;
    let id = id.to_string();
    let counted = vec![
        vec![("range", "7d")],
        vec![("bucket", "hour"), ("range", "7d")],
        vec![("from", "2026-11-18T14:00"), ("to", "2026-11-20T14:00")],
        vec![("key", id.as_str())],
        vec![("named", "nobody")],
        vec![("api", "demo")],
        vec![("route", "GET /orders")],
        vec![("outcome", "limited")],
        vec![("outcome", "FORBIDDEN")],
        vec![("address", "203.0.113.7")],
        vec![("permission", "orders:read")],
        vec![("compare", "before")],
        vec![("compare", "2026-08-08")],
    ];
    let sampled = vec![
        vec![("range", "24h")],
        vec![("from", "2026-11-18T14:00"), ("to", "2026-11-20T14:00")],
        vec![("key", id.as_str())],
        vec![("named", "nobody")],
        vec![("api", "demo")],
        vec![("route", "GET /orders")],
        vec![("code", "FORBIDDEN")],
        vec![("address", "203.0.113.7")],
        vec![("permission", "orders:read")],
        vec![("request", "abcdefgh12345")],
        vec![("limit", "default")],
        vec![("rule", "permission")],
    ];
    let everybodys = [sampled.clone(), vec![vec![("owner", person.email.as_str())]]].concat();
    for (path, filters) in [("/usage", &counted), ("/usage/errors", &counted), ("/requests", &sampled), ("/admin/refusals", &everybodys)] {
        for pairs in filters {
            let asked = link(path, pairs.iter().copied());
            let page = person.browser.page(&asked).await;
            let forms = forms(&page, path);
            assert!(!forms.is_empty(), "{asked}");
            for (name, value) in pairs {
                for form in forms.iter().filter(|form| !replaces(&form.label, name)) {
                    let sends = form.fields.iter().any(|(n, v)| n == name && v == value);
                    assert!(sends, "{asked}: “{}” forgets {name}, and sends {:?}", form.label, form.fields);
                }
                let links = links(&page, path);
                let keeps = links.is_empty() || links.iter().any(|link| link.iter().any(|(n, v)| n == name && v == value));
                assert!(keeps, "{asked}: no link keeps {name}: {links:?}");
            }
        }
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn errors_show_the_outcome_that_is_asked_for_and_lead_to_its_samples(db: PgPool) {
    let app = TestApp::start(db).await;
    let person = app.sign_in_as("developer").await;
    let owner = caller_of_account(&app.ctx, person.account, Via::Session(app.ctx.new_id::<SessionId>())).await.unwrap().unwrap();
    let id = key(&app.ctx, &owner, "checkout").await;
    let m = T0.unix_timestamp() / 60;
    write(&app, vec![tally(&owner, id, "GET /orders", Outcome::Forbidden, m, 3), tally(&owner, id, "GET /orders", Outcome::RateLimited, m, 2)]).await;
    let limited = person.browser.page("/usage/errors?outcome=limited").await;
    assert!(limited.contains("RATE_LIMITED") && !limited.contains("Samples of FORBIDDEN"), "{limited}");
    assert!(limited.contains("outcome=limited&amp;format=csv"), "the file is of what is shown");
    let one = person.browser.page("/usage/errors?outcome=FORBIDDEN").await;
    assert!(one.contains("/requests?code=FORBIDDEN&amp;key="), "{one}");
    let none = person.browser.page("/usage/errors?outcome=EXPIRED").await;
    assert!(none.contains("and none had this outcome"), "{none}");
    let all = person.browser.page("/usage/errors?outcome=passed").await;
    assert!(all.contains("Samples of FORBIDDEN") && all.contains("outcome=errors&amp;format=csv"), "nothing that passed is an error");
    let usage = person.browser.page("/usage?outcome=limited").await;
    assert!(usage.contains("href=\"/usage/errors?outcome=limited\""), "{usage}");
    assert_eq!(person.browser.get("/usage/errors?outcome=moon").await.status(), 422);
}
