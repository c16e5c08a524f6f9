//! Leaked keys: what secret scanning or an operator reports is marked and told once, and disabled where somebody wants that.
#![allow(clippy::disallowed_methods, reason = "somebody else signs here, with randomness of their own")]

use super::*;
use crate::support::log::Log;
use base64::{Engine, engine::general_purpose::STANDARD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::json;
use sha2::{Digest, Sha256, Sha512};
use time::Duration;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    keys::{
        api::{ClearLeaks, MarkLeaked, SaveLeakChoice},
        server::leaks::{save_leak_choice, set_signers},
    },
    platform::Ctx,
};

const PLACE: &str = "https://github.com/octocat/shop/blob/main/.env";

/// Somebody who signs reports as GitHub does.
pub struct Scanner {
    identifier: String,
    pair: EcdsaKeyPair,
}

impl Scanner {
    pub fn new(identifier: &str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap();
        Self { identifier: identifier.to_owned(), pair }
    }

    /// One whose reports are taken.
    pub async fn listed(ctx: &Ctx) -> Self {
        let scanner = Self::new("first");
        list(ctx, &[(&scanner, true)]).await;
        scanner
    }

    /// A list with this one's key.
    pub fn document(&self) -> String {
        document(&[(self, true)])
    }

    fn key(&self, is_current: bool) -> Value {
        let head: [u8; 26] = [0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 0x42, 0];
        let body = STANDARD.encode([&head[..], self.pair.public_key().as_ref()].concat());
        let key = format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &body[..64], &body[64..]);
        json!({ "key_identifier": self.identifier, "key": key, "is_current": is_current })
    }

    fn signature(&self, body: &str) -> String {
        STANDARD.encode(self.pair.sign(&SystemRandom::new(), body.as_bytes()).unwrap().as_ref())
    }

    /// Reports this document.
    pub async fn report(&self, app: &TestApp, body: &str) -> Response {
        send(app, Some(&self.identifier), Some(&self.signature(body)), body).await
    }

    /// Reports these tokens at these places, and answers their labels.
    async fn found(&self, app: &TestApp, tokens: &[(&str, &str)]) -> Vec<String> {
        let tokens: Vec<Value> = tokens.iter().map(|(token, url)| json!({ "token": token, "type": "tollgate_key", "url": url, "source": "content" })).collect();
        let (status, body) = json(self.report(app, &Value::Array(tokens).to_string()).await).await;
        assert_eq!(status, 200, "{body}");
        body.as_array().unwrap().iter().map(|label| text(label, "label")).collect()
    }
}

/// As GitHub publishes the keys of those who sign.
fn document(scanners: &[(&Scanner, bool)]) -> String {
    let keys: Vec<Value> = scanners.iter().map(|(scanner, is_current)| scanner.key(*is_current)).collect();
    json!({ "public_keys": keys }).to_string()
}

async fn list(ctx: &Ctx, scanners: &[(&Scanner, bool)]) {
    set_signers(ctx, &Caller::cli(), &document(scanners)).await.unwrap();
}

async fn send(app: &TestApp, identifier: Option<&str>, signature: Option<&str>, body: &str) -> Response {
    let mut request = app.http.post(app.url("/api/v1/leaked-keys")).header("content-type", "application/json");
    for (name, value) in [("github-public-key-identifier", identifier), ("github-public-key-signature", signature)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request.body(body.to_owned()).send().await.unwrap()
}

/// The workspace of this person wants leaked keys disabled.
async fn disables(app: &TestApp, person: &Person) {
    let caller = caller_of_account(&app.ctx, person.owner.account, Via::Cli).await.unwrap().unwrap();
    save_leak_choice(&app.ctx, &caller, true).await.unwrap();
}

async fn leaks(app: &TestApp, person: &Person, id: &str) -> Vec<String> {
    let (status, body) = json(person.get(app, &format!("/api/v1/keys/{id}")).await).await;
    assert_eq!(status, 200, "{body}");
    body["leaks"].as_array().unwrap().iter().map(|leak| text(leak, "url")).collect()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_what_a_listed_key_signed_is_taken(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (_, secret) = mara.new_key(&app, "checkout").await;
    let (old, new, stranger) = (Scanner::new("old"), Scanner::new("new"), Scanner::new("stranger"));
    let body = json!([{ "token": secret, "type": "k", "url": PLACE, "source": "content" }]).to_string();
    assert_eq!(new.report(&app, &body).await.status(), 404, "nobody may report yet");

    list(&app.ctx, &[(&old, false), (&new, true)]).await;
    let spaced = format!("{body} ");
    for (what, identifier, signature, sent) in [
        ("nothing", None, None, &body),
        ("no identifier", None, Some(new.signature(&body)), &body),
        ("no signature", Some("new"), None, &body),
        ("an unknown key", Some("stranger"), Some(stranger.signature(&body)), &body),
        ("another's signature", Some("new"), Some(stranger.signature(&body)), &body),
        ("another listed one's", Some("new"), Some(old.signature(&body)), &body),
        ("of other bytes", Some("new"), Some(new.signature(&body)), &spaced),
        ("no base64", Some("new"), Some("%%%".to_owned()), &body),
        ("no DER", Some("new"), Some(STANDARD.encode([0; 64])), &body),
    ] {
        let answer = send(&app, identifier, signature.as_deref(), sent).await;
        assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (401, "application/problem+json"), "{what}");
        let problem = answer.text().await.unwrap();
        assert!(problem.contains("signature") && !problem.contains(&secret), "{problem}");
    }
    assert_eq!(events(&db, "key.leaked").await, 0);
    assert_eq!(old.report(&app, &body).await.status(), 200, "a rotation of theirs: both are listed");
    assert_eq!(new.report(&app, &body).await.status(), 200);
    list(&app.ctx, &[(&new, true)]).await;
    assert_eq!(old.report(&app, &body).await.status(), 401, "it is listed no more");
    set_signers(&app.ctx, &Caller::cli(), "").await.unwrap();
    assert_eq!(new.report(&app, &body).await.status(), 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_leaked_key_is_marked_and_its_owner_told_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let eve = person(&app, &db, "eve@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    mara.new_key(&app, "warehouse").await;
    let scanner = Scanner::listed(&app.ctx).await;
    let unknown = tollgate::keys::server::secret::mint(&app.ctx.rng, &"demo".parse().unwrap(), "live");
    let tokens = [(secret.as_str(), PLACE), (unknown.as_str(), PLACE), ("", PLACE), (secret.as_str(), PLACE)];
    for _ in 0..2 {
        assert_eq!(scanner.found(&app, &tokens).await, ["true_positive", "false_positive", "false_positive", "true_positive"]);
    }
    assert_eq!(events(&db, "key.leaked").await, 1, "sent twice, in one report and in two");
    let mail = app.mail_to("mara@example.com").await;
    assert_eq!((app.mails().len(), mail.subject.as_str()), (1, "checkout has leaked: rotate it"));
    for words in [PLACE, &format!("/keys/{id}?dialog=rotate"), "It still passes", "Secret scanning", "/settings/notifications"] {
        assert!(mail.text.contains(words), "{words}: {}", mail.text);
    }
    assert!(!mail.text.contains(&secret) && !mail.html.contains(&secret));

    // Another place is another event, and no second mail.
    scanner.found(&app, &[(&secret, "https://pastebin.example/17")]).await;
    app.run_jobs().await;
    assert_eq!((events(&db, "key.leaked").await, app.mails().len()), (2, 1));
    assert_eq!(leaks(&app, &mara, &id).await.len(), 2);
    assert_eq!(acts(&app, &mara, &id).await.iter().filter(|(act, _)| act == "leaked").count(), 2);
    assert_eq!(passes(&app, &secret).await, 200, "told only, as nobody chose otherwise");
    let listed = async |who: &Person| json(who.get(&app, "/api/v1/keys?review=leaked").await).await.1["data"].as_array().unwrap().len();
    assert_eq!((listed(&mara).await, listed(&eve).await), (1, 0));
    assert_eq!(eve.get(&app, &format!("/api/v1/keys/{id}")).await.status(), 404);

    // The mark goes with the secret.
    mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 3600 })).await;
    assert_eq!(listed(&mara).await, 1, "the old secret is still accepted");
    app.ctx.clock.advance(Duration::hours(2));
    assert_eq!((listed(&mara).await, leaks(&app, &mara, &id).await.len()), (0, 0));
    assert_eq!(scanner.found(&app, &[(&secret, "https://example.com/later")]).await, ["true_positive"], "it was one");
    assert_eq!(events(&db, "key.leaked").await, 2, "and says nothing any more");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn where_it_is_wanted_the_key_is_disabled_on_every_node(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let other = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let jon = person(&app, &db, "jon@example.com", "developer").await;
    let ((id, secret), (_, jons)) = (mara.new_key(&app, "checkout").await, jon.new_key(&app, "till").await);
    crate::support::until("the other node knows it", || async { passes(&other, &secret).await == 200 }).await;
    disables(&app, &mara).await;
    let scanner = Scanner::listed(&app.ctx).await;
    scanner.found(&app, &[(&secret, PLACE), (&secret, "https://example.com/2"), (&jons, PLACE)]).await;
    assert_eq!((passes(&app, &secret).await, passes(&other, &secret).await, passes(&app, &jons).await), (401, 401, 200));
    let acts: Vec<String> = acts(&app, &mara, &id).await.into_iter().map(|(act, _)| act).collect();
    assert_eq!(acts, ["leaked", "disabled", "leaked", "created"]);
    assert!(app.mail_to("mara@example.com").await.text.contains("It is disabled"));

    // Enabled again it stays so: this place is known.
    mara.post(&app, &format!("/api/v1/keys/{id}/enable"), json!({})).await;
    scanner.found(&app, &[(&secret, PLACE)]).await;
    assert_eq!((passes(&app, &secret).await, events(&db, "key.disabled").await), (200, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn each_leaked_secret_is_told_and_each_time_that_the_key_is_disabled(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, old) = mara.new_key(&app, "checkout").await;
    let scanner = Scanner::listed(&app.ctx).await;
    let told = async |token: &str, url: &str| {
        scanner.found(&app, &[(token, url)]).await;
        app.run_jobs().await;
        app.mails().iter().filter(|mail| mail.subject == "checkout has leaked: rotate it").count()
    };
    assert_eq!((told(&old, PLACE).await, told(&old, "https://example.com/2").await), (1, 1));
    let (_, rotated) = json(mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 3600 })).await).await;
    let new = text(&rotated, "secret");
    assert_eq!((told(&new, PLACE).await, told(&new, "https://example.com/2").await), (2, 2), "the new secret has leaked, too");

    disables(&app, &mara).await;
    assert_eq!(told(&new, "https://example.com/3").await, 3, "the third place, and it is disabled by it");
    assert!(app.mail_to("mara@example.com").await.text.contains("It is disabled"));
    assert_eq!(told(&new, "https://example.com/4").await, 3, "it is off already");
    mara.post(&app, &format!("/api/v1/keys/{id}/enable"), json!({})).await;
    assert_eq!((told(&new, "https://example.com/5").await, events(&db, "key.disabled").await), (4, 2));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_place_that_was_not_named_is_said_to_be_none(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (_, secret) = mara.new_key(&app, "checkout").await;
    Scanner::listed(&app.ctx).await.found(&app, &[(&secret, "")]).await;
    let detail: String = sqlx::query_scalar("select detail from key_state_changes where act = 'leaked'").fetch_one(&db).await.unwrap();
    assert!(detail.ends_with("… at a place that was not named"), "{detail}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn twenty_reports_at_once_are_one(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (_, secret) = mara.new_key(&app, "checkout").await;
    disables(&app, &mara).await;
    let scanner = Scanner::listed(&app.ctx).await;
    let tokens = [(secret.as_str(), PLACE)];
    futures_util::future::join_all((0..20).map(|_| scanner.found(&app, &tokens))).await;
    app.run_jobs().await;
    assert_eq!((events(&db, "key.leaked").await, events(&db, "key.disabled").await, app.mails().len()), (1, 1, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn ended_revoked_and_imported_secrets_are_known(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let ((id, rotated), (gone, revoked)) = (mara.new_key(&app, "rotated").await, mara.new_key(&app, "revoked").await);
    mara.post(&app, &format!("/api/v1/keys/{id}/rotate"), json!({ "grace": 0 })).await;
    mara.post(&app, &format!("/api/v1/keys/{gone}/revoke"), json!({})).await;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let keys = json!([{ "name": "long", "hash": hex(&Sha512::digest("of old")) }, { "name": "short", "hash": hex(&Sha256::digest("of yore")) }]);
    assert_eq!(mara.post(&app, "/api/v1/keys/import", json!({ "api": "demo", "keys": keys })).await.status(), 200);
    let scanner = Scanner::listed(&app.ctx).await;
    let tokens = [(rotated.as_str(), PLACE), (revoked.as_str(), PLACE), ("of old", PLACE), ("of yore", PLACE), ("of nobody", PLACE)];
    assert_eq!(scanner.found(&app, &tokens).await, ["true_positive", "true_positive", "true_positive", "true_positive", "false_positive"]);
    assert_eq!(events(&db, "key.leaked").await, 2, "those that still pass");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_reported_token_is_neither_stored_nor_logged(db: PgPool) {
    let (log, _guard) = Log::keep("info,tollgate=trace,sqlx=trace");
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (_, secret) = mara.new_key(&app, "checkout").await;
    let scanner = Scanner::listed(&app.ctx).await;
    let (_, other) = mara.new_key(&app, "warehouse").await;
    let url = format!("https://example.com/?key={secret}");
    // Each place repeats the other's token, once with an escape.
    let beside = json!({ "token": other, "type": "k", "url": format!("{url}&b=%{:02x}{}", secret.as_bytes()[0], &secret[1..]), "source": secret });
    let report = json!([{ "token": secret, "type": secret, "url": url, "source": format!("\u{0}{secret}"), "new_field": true }, beside]).to_string();
    let (status, body) = json(scanner.report(&app, &report).await).await;
    assert_eq!((status, text(&body[0], "label")), (200, "true_positive".to_owned()), "a field of theirs that we don't know is no harm");
    assert_eq!(text(&body[0], "token_hash"), Sha256::digest(&secret).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    for wrong in [format!("[\"{secret}\"]"), format!("[{{\"token\": 5, \"url\": \"{secret}\"}}]"), format!("{{\"token\": \"{secret}\"}}"), "[1".to_owned()] {
        let refused = scanner.report(&app, &wrong).await;
        assert_eq!(refused.status(), 422, "{wrong}");
        assert!(!refused.text().await.unwrap().contains(&secret));
    }
    let many: Vec<Value> = (0..1_001).map(|n| json!({ "token": n.to_string() })).collect();
    assert_eq!(scanner.report(&app, &Value::Array(many).to_string()).await.status(), 422);
    app.run_jobs().await;
    for table in ["events", "jobs", "key_leaks", "key_state_changes", "keys", "key_secrets"] {
        let sql = format!("select count(*) from {table} t where strpos(t::text, $1) > 0");
        let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(&secret[1..]).fetch_one(&db).await.unwrap();
        assert_eq!(found, 0, "{table}");
    }
    let said = log.text();
    assert!(said.contains("secret scanning reported tokens"), "the log was read");
    assert!(!said.contains(&secret) && !app.mails().iter().any(|mail| mail.text.contains(&secret)));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_reports_and_clears_a_leak(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    let path = format!("/api/v1/keys/{id}/leaked");
    let at = json!({ "url": PLACE, "reason": "a customer wrote" });
    assert_eq!(mara.post(&app, &path, at.clone()).await.status(), 403);
    let held = format!("https://e.x/?api_key_{secret}&a=b");
    for wrong in ["", "github.com/x", "javascript:alert(1)", &format!("https://e.x/{}", "a".repeat(2_001)), &format!("https://e.x/#{secret}"), &held] {
        let (status, problem) = json(olga.post(&app, &path, json!({ "url": wrong })).await).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some("#/url")), "{wrong}: {problem}");
        assert!(!problem.to_string().contains(&secret));
    }
    for _ in 0..2 {
        assert_eq!(olga.post(&app, &path, at.clone()).await.status(), 200);
    }
    app.run_jobs().await;
    assert_eq!((events(&db, "key.leaked").await, app.mails().len()), (1, 1));
    assert_eq!(leaks(&app, &mara, &id).await, [PLACE]);
    assert_eq!(acts(&app, &mara, &id).await[0], ("leaked".to_owned(), "a customer wrote".to_owned()));

    let clear = async |who: &Person| who.call(&app, Method::DELETE, &path, Some(json!({ "reason": "a test key" }))).await.status().as_u16();
    assert_eq!((clear(&mara).await, clear(&olga).await, clear(&olga).await), (403, 200, 200));
    assert_eq!((events(&db, "key.cleared").await, leaks(&app, &mara, &id).await.len()), (1, 0));
    // The scanner repeats itself, a person means it.
    let scanner = Scanner::listed(&app.ctx).await;
    scanner.found(&app, &[(&secret, PLACE)]).await;
    assert_eq!(leaks(&app, &mara, &id).await.len(), 0);
    olga.post(&app, &path, at).await;
    assert_eq!((leaks(&app, &mara, &id).await.len(), events(&db, "key.leaked").await), (1, 2));
    olga.post(&app, &format!("/api/v1/keys/{id}/revoke"), json!({})).await;
    assert_eq!(olga.post(&app, &path, json!({ "url": "https://example.com/3" })).await.status(), 409);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_pages_say_it_and_let_choose(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (vera, olga, eve) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let made = vera.browser.post::<tollgate::keys::api::CreateKey>("/keys", &[("name", "checkout")]).await;
    let path = crate::support::browser::location(&made).to_owned();
    let id = path.rsplit('/').next().unwrap().to_owned();
    assert!(!vera.browser.page(&path).await.contains("Report leaked"), "operators only");
    let dialog = format!("{path}?dialog=leaked");
    assert!(olga.browser.page(&dialog).await.contains("Report checkout as leaked"));
    assert_eq!(vera.browser.post::<MarkLeaked>(&dialog, &[("id", &id), ("url", PLACE)]).await.status(), 403);
    let refused = olga.browser.post::<MarkLeaked>(&dialog, &[("id", &id), ("url", "nowhere"), ("reason", "typed")]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("value=\"typed\""), "nothing typed is lost");

    let page = vera.browser.page("/settings/notifications").await;
    assert!(page.contains("Leaked keys") && page.contains("name=\"disables\""));
    for _ in 0..2 {
        assert_eq!(vera.browser.post::<SaveLeakChoice>("/settings/notifications", &[("disables", "true")]).await.status(), 303);
    }
    assert_eq!(events(&db, "workspace.leak_choice_changed").await, 1);
    let place = "https://example.com/<script>alert(1)</script>";
    assert_eq!(olga.browser.post::<MarkLeaked>(&dialog, &[("id", &id), ("url", place)]).await.status(), 303);
    let shown = vera.browser.page(&path).await;
    assert!(shown.contains("Leaked. ") && shown.contains("The key is off") && shown.contains("Disabled by"), "{shown}");
    assert!(!shown.contains("<script>alert") && !shown.contains("Clear the leak"), "{shown}");
    let told = vera.browser.page("/settings/notifications").await;
    assert!(told.contains("checkout has leaked"), "it was sent: {told}");
    assert!(!eve.browser.page("/settings/notifications").await.contains("has leaked"));
    let list = vera.browser.page("/keys").await;
    assert!(list.contains(">Leaked</span>"), "the row says so: {list}");
    assert!(olga.browser.page(&format!("/admin/keys?key={id}")).await.contains("where, and what to do"));
    assert_eq!(eve.browser.get(&path).await.status(), 404);
    assert!(!eve.browser.page("/keys").await.contains(">Leaked</span>"));

    assert_eq!(olga.browser.post::<ClearLeaks>(&path, &[("id", &id), ("reason", "a test")]).await.status(), 303);
    assert!(!vera.browser.page(&path).await.contains("Leaked. "));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_choice_is_made_over_rest(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let eve = person(&app, &db, "eve@example.com", "developer").await;
    let (choice, yes) = ("/api/v1/me/leaked-keys", json!({ "disables": true }));
    assert_eq!(json(mara.get(&app, choice).await).await, (200, json!({ "disables": false })));
    for _ in 0..2 {
        assert_eq!(json(mara.call(&app, Method::PATCH, choice, Some(yes.clone())).await).await, (200, yes.clone()));
    }
    assert_eq!(events(&db, "workspace.leak_choice_changed").await, 1, "what changes nothing is no event");
    assert_eq!((json(mara.get(&app, choice).await).await.1, json(eve.get(&app, choice).await).await.1), (yes.clone(), json!({ "disables": false })));
    let reader = person_with(&app, &db, "rita@example.com", "developer", &["keys:read"]).await;
    assert_eq!(reader.call(&app, Method::PATCH, choice, Some(yes)).await.status(), 403);
    for wrong in [json!({}), json!({ "disables": "yes" }), json!({ "disables": true, "keeps": true })] {
        assert_eq!(mara.call(&app, Method::PATCH, choice, Some(wrong)).await.status(), 422);
    }

    let (_, secret) = mara.new_key(&app, "checkout").await;
    Scanner::listed(&app.ctx).await.found(&app, &[(&secret, PLACE)]).await;
    assert_eq!(passes(&app, &secret).await, 401, "it is disabled");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_lists_of_public_keys_are_set(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let scanner = Scanner::new("one");
    let key = scanner.key(true);
    for wrong in [
        json!([]),
        json!({ "public_keys": [] }),
        json!({ "public_keys": [key, key] }),
        json!({ "public_keys": [{ "key_identifier": "a b", "key": key["key"] }] }),
        json!({ "public_keys": [{ "key_identifier": "x", "key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----" }] }),
    ] {
        assert!(set_signers(&app.ctx, &Caller::cli(), &wrong.to_string()).await.is_err(), "{wrong}");
    }
    for _ in 0..2 {
        list(&app.ctx, &[(&scanner, true)]).await;
    }
    assert_eq!(events(&db, "leaks.signers_changed").await, 1);
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let caller = caller_of_account(&app.ctx, mara.owner.account, Via::Cli).await.unwrap().unwrap();
    assert!(set_signers(&app.ctx, &caller, "").await.is_err(), "operators only");
}
