//! HTML and SQL typed into every text field: each form of each page is filled in as a person would, one field hostile at a time, then all of
//! them. Nothing that was typed becomes markup, no answer is a fault, and the pages that show it are read back.

use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD},
};
use reqwest::Url;
use sqlx::PgPool;
use std::collections::BTreeSet;
use tollgate::{
    accounts::{Via, server::caller_of_account},
    keys::{model::NewKey, server::create_key},
    values::AccountId,
};

/// At most 80 characters, so that a name may be so.
const HOSTILE: &str = "\"><script>hostile()</script><img src=x onerror=hostile()>');drop table keys;--";

/// The beginning or the end of an element, as a browser reads it.
#[derive(Debug)]
struct Tag {
    /// `/form` where a form ends.
    name: String,
    attributes: Vec<(String, String)>,
    /// What stands between it and the next one; all of a script or a text area.
    text: String,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

fn tags(html: &str) -> Vec<Tag> {
    let (mut found, mut rest) = (Vec::new(), html);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '/')).unwrap_or(rest.len());
        let name = rest[..length].trim_end_matches('/').to_ascii_lowercase();
        if name.is_empty() {
            continue;
        }
        let (attributes, behind) = attributes(&rest[length..]);
        let is_raw = matches!(name.as_str(), "script" | "style" | "textarea" | "title");
        let end = if is_raw { behind.to_ascii_lowercase().find(&format!("</{name}")) } else { behind.find('<') };
        let (text, next) = behind.split_at(end.unwrap_or(behind.len()));
        rest = next;
        found.push(Tag { name, attributes, text: unescaped(text) });
    }
    found
}

/// The attributes that begin here, and what stands behind the tag.
fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/' || c == '=');
        let Some(first) = rest.chars().next() else { return (found, rest) };
        if first == '>' {
            return (found, &rest[1..]);
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/')).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = "";
        if let Some(behind) = rest.strip_prefix('=') {
            let behind = behind.trim_start();
            let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''));
            let inner = if quote.is_some() { &behind[1..] } else { behind };
            let end = match quote {
                Some(quote) => inner.find(quote),
                None => inner.find(|c: char| c.is_whitespace() || c == '>'),
            };
            let end = end.unwrap_or(inner.len());
            value = &inner[..end];
            rest = inner.get(end + usize::from(quote.is_some())..).unwrap_or_default();
        }
        found.push((name, unescaped(value)));
    }
}

fn unescaped(text: &str) -> String {
    let all = [("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&#x2F;", "/"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    all.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// What of the hostile text has become markup.
fn injected(tags: &[Tag]) -> Vec<&Tag> {
    let is_ours = |tag: &&Tag| tag.name == "script" && tag.text.trim_start().starts_with("hostile()");
    tags.iter().filter(|tag| is_ours(tag) || tag.has("onerror") || (tag.name == "img" && tag.get("src") == Some("x"))).collect()
}

#[derive(Debug)]
struct Field {
    name: String,
    /// None: of a choice without options so far.
    value: Option<String>,
    is_text: bool,
    is_choice: bool,
}

#[derive(Debug)]
struct Form {
    is_post: bool,
    action: Option<String>,
    fields: Vec<Field>,
}

impl Form {
    /// The server function that it calls: `create_key`.
    fn function(&self) -> Option<String> {
        let path = self.fields.iter().find(|field| field.name == "_fn")?.value.as_deref()?;
        path.rsplit('/').next().map(str::to_owned)
    }

    fn texts(&self) -> Vec<usize> {
        (0..self.fields.len()).filter(|n| self.fields[*n].is_text).collect()
    }
}

/// The forms of a page, without those that send files.
fn forms(tags: &[Tag]) -> Vec<Form> {
    let (mut found, mut open) = (Vec::new(), None::<Form>);
    for tag in tags {
        if tag.name == "form" && !tag.has("enctype") {
            let is_post = tag.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
            open = Some(Form { is_post, action: tag.get("action").map(str::to_owned), fields: Vec::new() });
            continue;
        }
        if tag.name == "/form" {
            found.extend(open.take());
            continue;
        }
        let Some(form) = open.as_mut() else { continue };
        match tag.name.as_str() {
            "input" => form.fields.extend(input(tag)),
            "textarea" => form.fields.extend(named(tag, Some(tag.text.clone()), true, false)),
            "select" => form.fields.extend(named(tag, None, false, true)),
            "option" => {
                let value = tag.get("value").map_or_else(|| tag.text.trim().to_owned(), str::to_owned);
                if let Some(choice) = form.fields.last_mut().filter(|field| field.is_choice && (field.value.is_none() || tag.has("selected"))) {
                    choice.value = Some(value);
                }
            }
            _ => {}
        }
    }
    found
}

fn named(tag: &Tag, value: Option<String>, is_text: bool, is_choice: bool) -> Option<Field> {
    let name = tag.get("name").filter(|name| !name.is_empty() && !tag.has("disabled"))?;
    Some(Field { name: name.to_owned(), value, is_text: is_text && !tag.has("readonly"), is_choice })
}

fn input(tag: &Tag) -> Option<Field> {
    let kind = tag.get("type").unwrap_or("text");
    let value = tag.get("value").unwrap_or_default();
    match kind {
        "checkbox" | "radio" => tag.has("checked").then(|| named(tag, Some(if value.is_empty() { "on" } else { value }.to_owned()), false, false)).flatten(),
        "file" | "submit" | "button" => None,
        "text" | "search" | "email" | "url" | "tel" | "password" => {
            let is_needed = value.is_empty() && tag.has("required");
            let value = if is_needed { plausible(tag, kind) } else { value };
            named(tag, Some(value.to_owned()), true, false)
        }
        _ => named(tag, Some(value.to_owned()), false, false),
    }
}

/// What somebody would type who means well.
fn plausible(tag: &Tag, kind: &str) -> &'static str {
    let name = tag.get("name").unwrap_or_default();
    match kind {
        "email" => "plain@example.com",
        "password" => PASSWORD,
        _ if name.contains("email") => "plain@example.com",
        _ if name.contains("target") => "203.0.113.9",
        _ if tag.get("inputmode") == Some("numeric") => "5",
        _ => "plain",
    }
}

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

/// Sends a form with the hostile text in these fields, and reads what comes of it.
async fn send(browser: &Browser, page: &str, form: &Form, hostile: &[usize]) {
    let value = |(n, field): (usize, &Field)| {
        let value = if hostile.contains(&n) { HOSTILE.to_owned() } else { field.value.clone().unwrap_or_default() };
        (field.name.clone(), value)
    };
    let pairs: Vec<(String, String)> = form.fields.iter().enumerate().map(value).collect();
    let path = form.action.as_deref().unwrap_or(page).split('#').next().unwrap_or_default();
    let request = if form.is_post {
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

/// Fills in every form with a text field; answers which functions were called. Then every page is read again.
async fn walk(browser: &Browser, pages: &[String]) -> BTreeSet<String> {
    let mut called = BTreeSet::new();
    for page in pages {
        for form in forms(&read(browser, page, "before").await) {
            let texts = form.texts();
            for one in &texts {
                send(browser, page, &form, &[*one]).await;
            }
            if texts.len() > 1 {
                send(browser, page, &form, &texts).await;
            }
            called.extend(form.function().filter(|_| !texts.is_empty()));
        }
    }
    for page in pages {
        read(browser, page, "after").await;
    }
    called
}

fn all_called(called: &BTreeSet<String>, wanted: &[&str]) {
    let lacking: Vec<_> = wanted.iter().filter(|name| !called.contains(**name)).collect();
    assert!(lacking.is_empty(), "no form with a text field called {lacking:?}; called were {called:?}");
}

async fn named_so(app: &TestApp, table: &str) -> i64 {
    let statement = format!("select count(*) from {table} where name = $1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).bind(HOSTILE).fetch_one(&app.ctx.db).await.unwrap()
}

fn paths(pages: &[&str]) -> Vec<String> {
    pages.iter().map(|page| (*page).to_owned()).collect()
}

async fn a_key(app: &TestApp, account: AccountId) -> String {
    let caller = caller_of_account(&app.ctx, account, Via::Cli).await.unwrap().unwrap();
    let new = NewKey { name: "checkout".to_owned(), api: Some("demo".to_owned()), ..NewKey::default() };
    create_key(&app.ctx, &caller, new).await.unwrap().key.id.to_string()
}

#[test]
fn the_reader_sees_markup_where_a_browser_would() {
    let page = format!("<!DOCTYPE html><p title=\"{}\">{}</p><!-- <img onerror=x> -->", HOSTILE.replace('"', "&quot;"), HOSTILE.replace('<', "&lt;"));
    assert!(injected(&tags(&page)).is_empty(), "an attribute and a text are none");
    assert_eq!(injected(&tags(&format!("<p title=\"{HOSTILE}\"></p>"))).len(), 2, "a script and a picture, out of an attribute");
    assert_eq!(injected(&tags(&format!("<textarea>{HOSTILE}</textarea>"))).len(), 0, "a browser reads no tags in there");
    let form = "<form method=\"post\"><input type=\"hidden\" name=\"_fn\" value=\"/fn/x/save\"/><input name=\"name\" required><select name=\"a\"><option value=\"1\">b<option value=\"2\" selected>c</select><textarea name=\"t\">d</textarea></form>";
    let found = forms(&tags(form));
    let values: Vec<_> = found[0].fields.iter().map(|field| (field.name.as_str(), field.value.as_deref().unwrap_or_default())).collect();
    assert_eq!(values, [("_fn", "/fn/x/save"), ("name", "plain"), ("a", "2"), ("t", "d")]);
    assert_eq!((found[0].texts(), found[0].function().as_deref()), (vec![1, 3], Some("save")));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_stranger_types_stays_text(db: PgPool) {
    let app = TestApp::start(db).await;
    let called = walk(&app.browser(), &paths(&["/sign-up", "/sign-in", "/forgot-password", "/reset-password", "/verify-email", "/unlock", "/docs"])).await;
    all_called(&called, &["sign_up", "sign_in", "forgot_password"]);
    // The account itself is written over by whoever signs up for its address next, since nobody proved it.
    let named: i64 =
        sqlx::query_scalar("select count(*) from events where kind = 'account.signed_up' and actor = $1").bind(HOSTILE).fetch_one(&app.ctx.db).await.unwrap();
    assert!(named > 0, "a name is what somebody says it is");
    app.run_jobs().await;
    assert!(app.mails().iter().all(|mail| injected(&tags(&mail.html)).is_empty()), "nor in a mail");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_developer_types_stays_text(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let key = a_key(&app, vera.account).await;
    let of_key = ["", "?dialog=rotate", "?dialog=narrow", "?dialog=revoke", "/sign"].map(|more| format!("/keys/{key}{more}"));
    let plain = paths(&[
        "/home",
        "/keys",
        "/keys?dialog=new",
        "/keys/find",
        "/keys/import",
        "/keys/create-many",
        "/usage",
        "/usage/errors",
        "/requests",
        "/exports",
        "/settings/profile",
        "/settings/public",
        "/settings/email",
        "/settings/danger",
        "/settings/notifications",
        "/settings/sessions",
        "/settings/security",
        "/step-up",
        "/device",
    ]);
    let called = walk(&vera.browser, &[plain, of_key.to_vec()].concat()).await;
    all_called(&called, &["create_key", "save_key", "update_profile"]);
    assert!(named_so(&app, "keys").await > 0 && named_so(&app, "accounts").await == 1, "what may be a name is one");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_an_operator_types_stays_text(db: PgPool) {
    let app = TestApp::start(db).await;
    let (vera, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let key = a_key(&app, vera.account).await;
    let account = ["", "?ask=ban", "?ask=disable"].map(|ask| format!("/admin/accounts/{}{ask}", vera.account));
    let plain = paths(&[
        "/admin",
        "/admin/accounts",
        "/admin/fields",
        "/admin/sessions",
        "/admin/sessions?edit=role:operator",
        "/admin/bans",
        "/admin/invites",
        "/admin/apis",
        "/admin/apis/demo",
        "/admin/apis/demo?bundle=",
        "/admin/plans",
        "/admin/groups",
        "/admin/keys",
        "/admin/refusals",
        "/admin/blocks",
        "/admin/templates",
        "/admin/jobs",
    ]);
    let of_key = vec![format!("/admin/keys?key={key}")];
    let called = walk(&operator.browser, &[plain, of_key, account.to_vec()].concat()).await;
    all_called(&called, &["create_api", "create_plan", "create_group", "create_field", "add_ban", "add_block"]);
    assert_eq!(named_so(&app, "keys").await, 0, "the table is there, and no key was named so");
}
