//! HTML and SQL typed into every text field: each form of each page is filled in as a person would, one field hostile at a time, then all of
//! them. Nothing that was typed becomes markup, no answer is a fault, and the pages that show it are read back.
//!
//! What is every text field, the product says (`typed`): the pages are those of the router, and of those with a parameter, a state or a
//! question one is listed here for each form that only it has.

mod markup;
mod typed;

use super::plain_pages;
use crate::{
    accounts::factors::{half_way, passkeys::with_passkey, with_app},
    support::{
        TestApp,
        browser::{Browser, location},
        mailbox::link,
        routes,
    },
};
use markup::{Field, Form, Tag, forms, injected, tags};
use reqwest::{RequestBuilder, Url};
use sqlx::PgPool;
use std::collections::BTreeSet;
use tollgate::{
    accounts::{
        Caller, Via, api,
        model::FieldForm,
        server::{Visitor, caller_of_account, create_field, ensure_first_operator, set_admin_pin},
    },
    admin::api as admin,
    keys::{
        api::TurnOnSigning,
        model::{KeyEdit, KeyLimit, NewKey, Window},
        server::{create_key, disable_key, edit_key},
    },
    plans::{model::NewGroup, server::create_group},
    values::{AccountId, KeyId},
};
use typed::{Whose, missed};

/// At most 80 characters, so that a name may be so.
const HOSTILE: &str = "\"><script>hostile()</script><img src=x onerror=hostile()>');drop table keys;--";

/// Besides the pages without a parameter: in braces stands what the test has made.
const STRANGERS: [&str; 6] =
    ["/sign-up?with=passkey", "/docs/keys", "/forgot-password?sent=1", "/u/plain", "/sign-in/with/plain", "/sign-in/with/plain/callback"];

const DEVELOPERS: [&str; 20] = [
    "/usage?named=plain",
    "/requests?named=plain",
    "/device?user_code=plain",
    "/keys?dialog=new",
    "/keys/{key}",
    "/keys/{signed}/sign",
    "/keys/{key}?dialog=narrow",
    "/keys/{off}",
    "/keys/{off}?dialog=enable",
    "/keys/{key}?dialog=disable",
    "/keys/{rotated}?dialog=rotate",
    "/keys/{revoked}?dialog=revoke",
    "/settings/danger?act=deactivate",
    "/settings/danger?act=export",
    "/keys/many?act=tag&all=true",
    "/keys/many?act=tag&label=plain&all=true",
    "/keys/many?act=extend&all=true",
    "/keys/many?act=disable&all=true",
    "/keys/many?act=enable&all=true",
    "/keys/many?act=revoke&all=true",
];

const OPERATORS: [&str; 30] = [
    // As long as it can be called with, and has its name.
    "/keys/{key}?dialog=leaked",
    "/keys/{key}",
    "/admin/accounts/{vera}",
    "/admin/accounts/{anna}?ask=reset-factors",
    "/admin/apis/demo",
    "/admin/apis/demo?bundle=",
    "/admin/apis/demo?set=default",
    "/admin/fields?edit=team",
    "/admin/fields?delete=team",
    "/admin/groups?edit=partners",
    "/admin/groups?edit=partners&set=default",
    "/admin/keys?key={key}",
    "/admin/keys?key={off}&dialog=enable",
    "/admin/keys?key={key}&dialog=disable",
    "/admin/keys?key={key}&ask=revoke",
    "/admin/keys?key={off}",
    "/admin/plans?edit=pro",
    "/admin/plans?edit=pro&set=default",
    "/admin/refusals?named=plain",
    "/admin/sessions?edit=role:operator",
    "/admin/templates?kind=accounts.new_device&language=de&sample=markup",
    "/admin/keys/many?act=tag&all=true",
    "/admin/keys/many?act=tag&label=plain&all=true",
    "/admin/keys/many?act=plan&all=true",
    "/admin/keys/many?act=extend&all=true",
    "/admin/keys/many?act=revoke&all=true",
    "/admin/accounts/{vera}?ask=ban",
    "/admin/accounts/{vera}?ask=disable",
    "/admin/accounts/many?act=disable&all=true",
    "/admin/accounts/many?act=ban&all=true",
];

/// Pages for strangers, which have nothing else for who is signed in.
const SIGNED_OUT: [&str; 4] = ["/sign-", "/forgot-password", "/reset-password", "/verify-email"];

/// Shows the components, in forms that go nowhere.
const GALLERY: &str = "/dev/ui";

/// A page as it is read; empty where it leads elsewhere.
async fn read(browser: &Browser, path: &str, why: &str) -> Vec<Tag> {
    let answer = browser.get(path).await;
    let (status, html) = (answer.status().as_u16(), answer.text().await.unwrap());
    judge(status, &html, &format!("{path}, {why}"))
}

/// No fault, and no markup that was typed.
fn judge(status: u16, html: &str, what: &str) -> Vec<Tag> {
    assert!(status < 500, "{what}: {status} {html}");
    let tags = tags(html);
    let found = injected(&tags);
    assert!(found.is_empty(), "{what}: {found:?}");
    tags
}

/// The same form with its file left empty, as a browser sends it.
fn multipart(request: RequestBuilder, form: &Form, pairs: &[(String, String)]) -> RequestBuilder {
    let mut body = String::new();
    for ((name, value), field) in pairs.iter().zip(&form.fields) {
        let file = if field.is_file { "; filename=\"\"\r\nContent-Type: application/octet-stream" } else { "" };
        body += &format!("--gate\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n");
    }
    request.header("content-type", "multipart/form-data; boundary=gate").body(body + "--gate--\r\n")
}

/// Sends a form with the hostile text in these fields, and reads what comes of it.
async fn send(browser: &Browser, page: &str, form: &Form, hostile: &[usize]) {
    let value = |(n, field): (usize, &Field)| {
        let value = if hostile.contains(&n) { HOSTILE.to_owned() } else { field.value.clone().unwrap_or_default() };
        (field.name.clone(), value)
    };
    let pairs: Vec<(String, String)> = form.fields.iter().enumerate().map(value).collect();
    let path = form.action.as_deref().unwrap_or(page).split('#').next().unwrap_or_default();
    let request = if form.is_multipart {
        multipart(browser.http.post(format!("{}{path}", browser.base)), form, &pairs)
    } else if form.is_post {
        browser.http.post(format!("{}{path}", browser.base)).form(&pairs)
    } else {
        let path = path.split('?').next().unwrap_or_default();
        browser.http.get(Url::parse_with_params(&format!("{}{path}", browser.base), &pairs).unwrap())
    };
    let answer = request.header("accept", "text/html").header("sec-fetch-site", "same-origin").send().await.unwrap();
    let names: Vec<&str> = hostile.iter().map(|n| form.fields[*n].name.as_str()).collect();
    let what = format!("{} at {page}, hostile: {names:?}", form.function().unwrap_or_default());
    let status = answer.status().as_u16();
    let next = answer.headers().get("location").and_then(|to| to.to_str().ok()).filter(|to| to.starts_with('/')).map(str::to_owned);
    judge(status, &answer.text().await.unwrap(), &what);
    if let Some(next) = next {
        read(browser, &next, &what).await;
    }
}

/// What was filled in so far: each kind of form once, wherever it stands.
#[derive(Default)]
struct Walk {
    kinds: BTreeSet<String>,
    called: BTreeSet<String>,
    /// Each by its label and its name.
    fields: BTreeSet<(String, String)>,
}

impl Walk {
    /// Fills in every form with a text field that stands on these pages. Then every page is read again.
    async fn through(&mut self, browser: &Browser, pages: &[String]) {
        for page in pages {
            for form in forms(&read(browser, page, "before").await) {
                let texts = form.texts();
                if texts.is_empty() || !self.kinds.insert(form.kind()) {
                    continue;
                }
                for one in &texts {
                    send(browser, page, &form, &[*one]).await;
                }
                if texts.len() > 1 {
                    send(browser, page, &form, &texts).await;
                }
                self.called.extend(form.function().map(str::to_owned));
                self.fields.extend(texts.iter().map(|n| form.fields[*n].said()));
            }
        }
        for page in pages {
            read(browser, page, "after").await;
        }
    }

    async fn one(&mut self, browser: &Browser, page: &str) {
        self.through(browser, &[page.to_owned()]).await;
    }

    /// It came to everything that there is for these people to type into.
    fn was_whole(&self, whose: Whose) {
        let missed = missed(whose, &self.fields, &self.called);
        assert!(
            missed.is_empty(),
            "of {whose:?} nothing hostile was typed into these; add the page to its list, or say in typed.rs why not:\n  {}",
            missed.join("\n  ")
        );
    }
}

/// A site with a name, since an address alone takes no passkeys, with a field of profiles of every kind that is typed.
async fn start(db: PgPool) -> TestApp {
    let app = TestApp::start_with(db, |config| config.server.public_url.set_host(Some("localhost")).unwrap()).await;
    for kind in ["text", "number", "date", "url"] {
        field(&app, &format!("a_{kind}"), kind).await;
    }
    app
}

async fn field(app: &TestApp, slug: &str, kind: &str) {
    let choices = if kind == "choice" { "Blue\nRed" } else { "" };
    let (slug, label, kind, choices) = (slug.to_owned(), slug.to_uppercase(), kind.to_owned(), choices.to_owned());
    let form = FieldForm { slug, label, kind, choices, at_sign_up: true, may_be_public: true, ..FieldForm::default() };
    create_field(&app.ctx, &Caller::cli(), &Visitor::terminal(), &form).await.unwrap();
}

async fn named_so(app: &TestApp, table: &str) -> i64 {
    let statement = format!("select count(*) from {table} where name = $1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).bind(HOSTILE).fetch_one(&app.ctx.db).await.unwrap()
}

/// The pages with what was made in place of its word in braces.
fn filled(pages: &[&str], made: &[(&str, String)]) -> Vec<String> {
    let fill = |page: &&str| made.iter().fold((*page).to_owned(), |page, (word, id)| page.replace(&format!("{{{word}}}"), id));
    pages.iter().map(fill).collect()
}

async fn a_key(app: &TestApp, account: AccountId) -> KeyId {
    let caller = caller_of_account(&app.ctx, account, Via::Cli).await.unwrap().unwrap();
    let new = NewKey { name: "checkout".to_owned(), api: Some("demo".to_owned()), ..NewKey::default() };
    create_key(&app.ctx, &caller, new).await.unwrap().key.id
}

/// One that can be enabled.
async fn an_off_key(app: &TestApp, account: AccountId) -> KeyId {
    let key = a_key(app, account).await;
    disable_key(&app.ctx, &Caller::cli(), key, "").await.unwrap();
    key
}

#[test]
fn every_page_with_a_parameter_is_walked() {
    let routes = routes();
    let listed: Vec<&str> = STRANGERS.iter().chain(&DEVELOPERS).chain(&OPERATORS).filter_map(|page| page.split('?').next()).collect();
    for route in routes.iter().filter(|route| route.contains('{')) {
        // A page of its own (`/keys/find`) is not one of those with a parameter there.
        let is_of = |page: &&str| {
            let parts = || page.split('/').zip(route.split('/'));
            !routes.contains(*page) && page.split('/').count() == route.split('/').count() && parts().all(|(part, of)| of.starts_with('{') || part == of)
        };
        assert!(listed.iter().any(is_of), "{route}: add a page of it to a list above");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_stranger_types_stays_text(db: PgPool) {
    let app = start(db).await;
    let mut walk = Walk::default();
    // Before the tries of the others use up what one network may.
    app.account("forgetful@example.com", "Forgetful", "developer").await;
    let forgetful = app.browser();
    forgetful.post::<api::ForgotPassword>("/forgot-password", &[("email", "forgetful@example.com")]).await;
    let mail = app.mail_to("forgetful@example.com").await;
    forgetful.get(link(&mail, "/reset-password")).await;
    walk.one(&forgetful, "/reset-password").await;
    let (anna, _) = with_app(&app, "developer").await;
    let anna = half_way(&app, &anna.email).await;
    for way in ["/sign-in/code", "/sign-in/code?use=recovery"] {
        walk.one(&anna, way).await;
    }

    // Before somebody signed up here it asks for the address, afterwards for the code.
    let browser = app.browser();
    walk.one(&browser, "/verify-email").await;
    let plain: Vec<String> = plain_pages().into_iter().filter(|page| !page.starts_with("/admin") && page != GALLERY).collect();
    walk.through(&browser, &[plain, filled(&STRANGERS, &[])].concat()).await;

    // Behind the link of the first operator, who has no address yet.
    let first = ensure_first_operator(&app.ctx).await.unwrap().expect("there is no operator");
    let first: Url = first.parse().unwrap();
    let operator = app.browser();
    operator.get(&format!("{}?{}", first.path(), first.query().unwrap_or_default())).await;
    walk.one(&operator, "/reset-password").await;
    walk.was_whole(Whose::Stranger);

    // The account itself is written over by whoever signs up for its address next, since nobody proved it.
    let named: i64 =
        sqlx::query_scalar("select count(*) from events where kind = 'account.signed_up' and actor = $1").bind(HOSTILE).fetch_one(&app.ctx.db).await.unwrap();
    assert!(named > 0, "a name is what somebody says it is");
    app.run_jobs().await;
    assert!(app.mails().iter().all(|mail| injected(&tags(&mail.html)).is_empty()), "nor in a mail");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_developer_types_stays_text(db: PgPool) {
    let app = start(db).await;
    let mut walk = Walk::default();
    let (petra, _) = with_passkey(&app, "developer").await;
    let security = petra.browser.page("/settings/security").await;
    let renames = security.split("/settings/security?rename=").nth(1).and_then(|rest| rest.split('"').next()).expect("a passkey can be renamed");
    walk.one(&petra.browser, &format!("/settings/security?rename={renames}")).await;
    let (anna, _) = with_app(&app, "developer").await;
    for way in ["/step-up?use=app", "/step-up?use=recovery"] {
        walk.one(&anna.browser, way).await;
    }

    let vera = app.sign_in_as("developer").await;
    // What waits for its confirmation asks for more.
    vera.browser.post::<api::AskEmailChange>("/settings/email", &[("email", "elsewhere@example.com")]).await;
    vera.browser.post::<api::StartTotp>("/settings/security/authenticator", &[]).await;
    vera.browser.post::<api::StartPasskey>("/settings/security", &[]).await;
    for page in ["/settings/security/authenticator", "/settings/security/passkey"] {
        walk.one(&vera.browser, page).await;
    }
    let mut made = vec![("off", an_off_key(&app, vera.account).await.to_string())];
    for word in ["key", "rotated", "revoked", "signed"] {
        made.push((word, a_key(&app, vera.account).await.to_string()));
    }
    let signed = made[4].1.clone();
    let asked = [("id", signed.as_str()), ("algorithm", "hmac-sha256"), ("once", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")];
    assert_eq!(vera.browser.post::<TurnOnSigning>(&format!("/keys/{signed}"), &asked).await.status(), 303);
    let is_theirs = |page: &String| !page.starts_with("/admin") && page != GALLERY && !SIGNED_OUT.iter().any(|start| page.starts_with(*start));
    let plain: Vec<String> = plain_pages().into_iter().filter(is_theirs).collect();
    walk.through(&vera.browser, &[plain, filled(&DEVELOPERS, &made)].concat()).await;
    walk.was_whole(Whose::Developer);
    assert!(named_so(&app, "keys").await > 0 && named_so(&app, "accounts").await == 1, "what may be a name is one");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_an_operator_types_stays_text(db: PgPool) {
    let app = start(db).await;
    let mut walk = Walk::default();
    let (anna, _) = with_app(&app, "developer").await;
    let (vera, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    // Who acts as somebody is nobody else in that browser.
    let acting = app.sign_in_as("operator").await;
    walk.one(&acting.browser, &format!("/admin/accounts/{}?ask=act-as", anna.account)).await;

    let (key, off) = (a_key(&app, vera.account).await, an_off_key(&app, vera.account).await);
    a_key(&app, vera.account).await; // the first of the lists, which they disable
    let credits = vec![KeyLimit::new("calls", 5, "credits".parse().unwrap())];
    edit_key(&app.ctx, &Caller::cli(), key, KeyEdit { limits: Some(credits), ..KeyEdit::default() }).await.unwrap();
    let limits = || vec![KeyLimit::new("default", 7, Window::MINUTE)];
    crate::plans::plan(&app.ctx, "pro", limits()).await;
    let group = NewGroup { slug: "partners".to_owned(), name: "Partners".to_owned(), limits: limits(), ..NewGroup::default() };
    create_group(&app.ctx, &Caller::cli(), group).await.unwrap();
    crate::blocks::block(&app.ctx, "203.0.113.66", None).await.unwrap();
    field(&app, "team", "choice").await;
    let made = [("vera", vera.account.to_string()), ("anna", anna.account.to_string()), ("key", key.to_string()), ("off", off.to_string())];
    let plain: Vec<String> = plain_pages().into_iter().filter(|page| page.starts_with("/admin")).collect();
    walk.through(&operator.browser, &[plain, filled(&OPERATORS, &made)].concat()).await;

    // Where there is an admin PIN, an act that needs it leads to the page that asks for it.
    set_admin_pin(&app.ctx, &Caller::cli(), &"kranich 77".into()).await.unwrap();
    let late = app.account("late@example.com", "Late", "developer").await.to_string();
    let page = format!("/admin/accounts/{late}?ask=disable");
    let asked = operator.browser.post::<admin::DisableAccount>(&page, &[("id", &late), ("reason", "plain")]).await;
    walk.one(&operator.browser, location(&asked)).await;
    walk.was_whole(Whose::Operator);
    assert!(named_so(&app, "keys").await <= 1, "the table is there, and no key but the one on these pages was named so");
}
