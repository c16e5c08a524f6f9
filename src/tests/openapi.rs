//! The description of the REST API is true: every route is in it, every answer here is one that it announces, and fits its schema.

use crate::{
    keys::{OPERATOR, Person, leaks::Scanner, person_with},
    support::{TestApp, browser::PASSWORD},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::BTreeSet;
use tollgate::accounts::{
    Caller,
    model::FieldForm,
    server::{Visitor, create_field},
};

const LEAKED: &str = "/api/v1/leaked-keys";

/// Asks and compares each answer with the document.
struct Reader {
    app: TestApp,
    mara: Person,
    document: Value,
    asked: BTreeSet<String>,
    /// What `{secret_id}` in a path is.
    secret: String,
    /// Signs what is sent to the endpoint of secret scanning.
    scanner: Scanner,
}

impl Reader {
    async fn new(db: PgPool) -> Self {
        let app = TestApp::start(db.clone()).await;
        let permissions: Vec<&str> =
            OPERATOR.iter().copied().chain(["apis:manage", "plans:manage", "blocks:manage", "admin:read", "accounts:manage"]).collect();
        let mara = person_with(&app, &db, "mara@example.com", "operator", &permissions).await;
        let document = app.get("/api/v1/openapi.json").await.json().await.unwrap();
        Self { app, mara, document, asked: BTreeSet::new(), secret: String::new(), scanner: Scanner::new("stranger") }
    }

    /// `template` is the path as the document has it; `{id}` in it becomes `id`.
    async fn ask(&mut self, method: Method, template: &str, id: &str, query: &str, body: Option<Value>, expected: u16) -> Value {
        let path = format!(
            "{}{query}",
            template
                .replace("{id}", id)
                .replace("{slug}", id)
                .replace("{handle}", id)
                .replace("{secret_id}", &self.secret)
                .replace("{name}", "desk")
                .replace("{kind}", "role")
        );
        let answer = if template == LEAKED {
            self.scanner.report(&self.app, &body.unwrap_or_default().to_string()).await
        } else {
            self.mara.call(&self.app, method.clone(), &path, body).await
        };
        let what = format!("{method} {path}");
        let (status, kind) = (answer.status().as_u16(), answer.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned()));
        let text = answer.text().await.unwrap();
        assert_eq!(status, expected, "{what}: {text}");
        self.asked.insert(format!("{method} {template}"));

        let described = &self.document["paths"][template][method.as_str().to_lowercase()]["responses"][status.to_string()];
        assert!(described.is_object(), "{what} answers {status}, which the document does not announce");
        let Some(content) = described["content"].as_object() else {
            assert!(text.is_empty(), "{what}: a body where none is announced: {text}");
            return Value::Null;
        };
        let kind = kind.unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        assert!(content.contains_key(kind), "{what} answers {kind}, announced are {:?}", content.keys());
        if !kind.ends_with("json") {
            return Value::String(text);
        }
        let body: Value = serde_json::from_str(&text).unwrap();
        self.fits(&content[kind]["schema"], &body, &what);
        if status >= 400 {
            assert_eq!(body["status"], status);
        }
        body
    }

    /// Nothing is missing and nothing is there that the schema does not know.
    fn fits(&self, schema: &Value, body: &Value, what: &str) {
        assert!(schema.is_object(), "{what}: no schema");
        let strict = json!({ "allOf": [schema], "unevaluatedProperties": false, "components": self.document["components"] });
        let validator = jsonschema::draft202012::new(&strict).unwrap();
        let errors: Vec<String> = validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {errors:#?}\n{body:#}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_route_answers_as_the_document_says(db: PgPool) {
    let mut r = Reader::new(db).await;
    let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);

    // Keys.
    let (keys, key) = ("/api/v1/keys", "/api/v1/keys/{id}");
    let made = r
        .ask(post.clone(), keys, "", "", Some(json!({ "name": "checkout", "addresses": ["203.0.113.0/24"], "expires_at": "2027-01-31T00:00:00Z" })), 201)
        .await;
    let id = made["id"].as_str().unwrap().to_owned();
    r.ask(post.clone(), keys, "", "", Some(json!({ "name": "", "colour": "red" })), 422).await;
    r.ask(get.clone(), keys, "", "?limit=1", None, 200).await;
    r.ask(get.clone(), keys, "", "?limit=0", None, 422).await;
    r.ask(get.clone(), keys, "", "?everywhere=true", None, 200).await;
    r.ask(get.clone(), key, &id, "", None, 200).await;
    r.ask(get.clone(), key, "key_nothing", "", None, 404).await;
    let limits = json!({ "limits": [{ "name": "default", "limit": 7, "window": 60 }], "name": "till" });
    r.ask(patch.clone(), key, &id, "", Some(limits), 200).await;
    r.ask(patch.clone(), key, &id, "", Some(json!({ "addresses": ["home"] })), 422).await;
    r.ask(patch.clone(), key, &id, "", Some(json!({ "preset": "admin" })), 200).await;
    r.ask(patch.clone(), key, &id, "", Some(json!({ "origins": ["https://app.example.com"] })), 200).await;
    r.ask(patch.clone(), key, &id, "", Some(json!({ "origins": ["null"] })), 422).await;
    r.ask(patch.clone(), key, &id, "", Some(json!({ "routes": ["GET /orders/{id}"] })), 200).await;
    r.ask(patch.clone(), key, &id, "", Some(json!({ "routes": ["orders"] })), 422).await;
    let signing = "/api/v1/keys/{id}/signing";
    let public_key = "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
    r.ask(Method::PUT, signing, &id, "", Some(json!({ "algorithm": "hmac-sha256" })), 200).await;
    r.ask(Method::PUT, signing, &id, "", Some(json!({ "algorithm": "ed25519", "public_key": public_key })), 200).await;
    r.ask(Method::PUT, signing, &id, "", Some(json!({ "algorithm": "ed25519", "public_key": "x" })), 422).await;
    r.ask(Method::PUT, signing, "key_nothing", "", Some(json!({ "algorithm": "hmac-sha256" })), 404).await;
    r.ask(get.clone(), key, &id, "", None, 200).await;
    r.ask(delete.clone(), signing, &id, "", None, 200).await;
    let credits = "/api/v1/keys/{id}/limits/{name}/credits";
    r.ask(patch.clone(), key, &id, "", Some(json!({ "limits": [{ "name": "desk", "limit": 7, "window": "credits:1/day" }] })), 200).await;
    r.ask(post.clone(), credits, &id, "", Some(json!({ "units": 5, "reason": "a test" })), 200).await;
    r.ask(post.clone(), credits, &id, "", Some(json!({ "units": 0 })), 422).await;
    r.ask(post.clone(), credits, "key_nothing", "", Some(json!({ "units": 5 })), 404).await;
    r.ask(post.clone(), "/api/v1/keys/{id}/rotate", &id, "", Some(json!({ "grace": 60 })), 200).await;
    r.ask(post.clone(), "/api/v1/keys/{id}/rotate", &id, "", Some(json!({ "grace": 60, "until": "first_use" })), 422).await;
    let secret = "/api/v1/keys/{id}/secrets/{secret_id}";
    let rotated = r.ask(get.clone(), key, &id, "", None, 200).await;
    r.secret = rotated["secrets"][1]["id"].as_str().unwrap().to_owned();
    let usage = "/api/v1/keys/{id}/secrets/{secret_id}/usage";
    r.ask(get.clone(), usage, &id, "", None, 200).await;
    r.ask(get.clone(), usage, "key_nothing", "", None, 404).await;
    r.ask(patch.clone(), secret, &id, "", Some(json!({ "until": "first_use" })), 200).await;
    r.ask(patch.clone(), secret, &id, "", Some(json!({})), 422).await;
    r.ask(delete.clone(), secret, &id, "", None, 200).await;
    r.ask(patch.clone(), secret, &id, "", Some(json!({ "grace": 60 })), 404).await;
    r.secret = rotated["secrets"][0]["id"].as_str().unwrap().to_owned();
    r.ask(delete.clone(), secret, &id, "", None, 409).await;
    r.ask(post.clone(), "/api/v1/keys/{id}/disable", &id, "", Some(json!({ "reason": "a test" })), 200).await;
    r.ask(post.clone(), "/api/v1/keys/{id}/enable", &id, "", Some(json!({})), 200).await;
    r.ask(get.clone(), "/api/v1/keys/{id}/history", &id, "?limit=2", None, 200).await;
    r.ask(get.clone(), "/api/v1/keys/{id}/history", &id, "?cursor=none", None, 422).await;
    let call = json!({ "method": "GET", "path": "/orders", "ip": "203.0.113.9", "origin": "https://app.example.com" });
    r.ask(post.clone(), "/api/v1/keys/{id}/test", &id, "", Some(call), 200).await;
    r.ask(post.clone(), "/api/v1/keys/{id}/test", &id, "", Some(json!({ "method": "GET", "path": "orders" })), 422).await;
    let leaked = "/api/v1/keys/{id}/leaked";
    r.ask(post.clone(), leaked, &id, "", Some(json!({ "url": "https://example.com/17", "reason": "a test" })), 200).await;
    r.ask(post.clone(), leaked, &id, "", Some(json!({ "url": "nowhere" })), 422).await;
    assert_eq!(r.ask(get.clone(), key, &id, "", None, 200).await["leaks"][0]["reported_by"], "Mara");
    r.ask(delete.clone(), leaked, &id, "", Some(json!({})), 200).await;
    r.ask(get.clone(), "/api/v1/me/leaked-keys", "", "", None, 200).await;
    r.ask(patch.clone(), "/api/v1/me/leaked-keys", "", "", Some(json!({ "disables": false })), 200).await;
    r.ask(post.clone(), "/api/v1/keys/{id}/revoke", &id, "", Some(json!({})), 200).await;
    r.ask(post.clone(), "/api/v1/keys/{id}/rotate", &id, "", Some(json!({})), 409).await;
    r.ask(delete.clone(), key, &id, "", None, 204).await;

    // Verification: a passing key, one that is none, and no question.
    let passing = r.ask(post.clone(), keys, "", "", Some(json!({ "name": "passing", "expires_at": "2027-01-31T00:00:00Z" })), 201).await;
    let verify = "/api/v1/keys/verify";
    let asked = json!({ "key": passing["secret"], "api": "demo", "permission": "orders:read", "route": "GET /orders", "cost": 1, "ip": "192.0.2.1", "origin": "https://app.example.com" });
    assert_eq!(r.ask(post.clone(), verify, "", "", Some(asked), 200).await["code"], "VALID");
    assert_eq!(r.ask(post.clone(), verify, "", "", Some(json!({ "key": "nonsense" })), 200).await["code"], "MALFORMED");
    r.ask(post.clone(), verify, "", "", Some(json!({ "secret": "x" })), 422).await;
    // A limit of calls at the same time, and its place given back.
    let together = json!({ "limits": [{ "name": "together", "limit": 1, "window": "concurrent:30" }] });
    r.ask(patch.clone(), key, passing["id"].as_str().unwrap(), "", Some(together), 200).await;
    let hold = r.ask(post.clone(), verify, "", "", Some(json!({ "key": passing["secret"], "api": "demo" })), 200).await["hold"]["id"].clone();
    let release = "/api/v1/keys/release";
    assert_eq!(r.ask(post.clone(), release, "", "", Some(json!({ "hold": hold })), 200).await["released"], true);
    r.ask(post.clone(), release, "", "", Some(json!({ "hold": "nonsense" })), 422).await;

    // Many keys, and the filters of the list.
    let bulk = "/api/v1/keys/bulk";
    r.ask(post.clone(), bulk, "", "", Some(json!({ "act": "tag", "ids": [id], "tag": "prod", "dry_run": true })), 200).await;
    r.ask(post.clone(), bulk, "", "", Some(json!({ "act": "tag", "filter": { "q": "passing", "api": "demo" }, "tag": "prod" })), 200).await;
    r.ask(post.clone(), bulk, "", "", Some(json!({ "act": "burn" })), 422).await;
    r.ask(get.clone(), keys, "", "?review=endless&tag=prod", None, 200).await;
    // Leaked keys, as secret scanning reports them.
    let report = json!([{ "token": passing["secret"], "type": "tollgate_key", "url": "https://example.com/18", "source": "content" }, { "token": "x" }]);
    r.ask(post.clone(), LEAKED, "", "", Some(report.clone()), 404).await;
    let stranger = std::mem::replace(&mut r.scanner, Scanner::listed(&r.app.ctx).await);
    assert_eq!(r.ask(post.clone(), LEAKED, "", "", Some(report.clone()), 200).await[0]["label"], "true_positive");
    r.ask(post.clone(), LEAKED, "", "", Some(json!({ "token": "x" })), 422).await;
    r.scanner = stranger;
    r.ask(post.clone(), LEAKED, "", "", Some(report), 401).await;
    // Many new keys.
    let batch = "/api/v1/keys/batch";
    r.ask(post.clone(), batch, "", "", Some(json!({ "api": "demo", "keys": [{ "name": "" }, { "name": "till" }], "dry_run": true })), 200).await;
    r.ask(post.clone(), batch, "", "", Some(json!({ "api": "demo", "keys": [{ "name": "till", "limits": [{ "limit": 5, "window": 60 }] }] })), 201).await;
    r.ask(post.clone(), batch, "", "", Some(json!({ "api": "demo", "keys": [{ "name": "" }] })), 422).await;
    // APIs and their routes.
    let (apis, api, routes) = ("/api/v1/apis", "/api/v1/apis/{slug}", "/api/v1/apis/{slug}/routes");
    let described = json!({ "slug": "shop", "name": "Shop", "permissions": [{ "name": "shop:read", "basic": true }], "unmatched": "refuse" });
    r.ask(post.clone(), apis, "", "", Some(described.clone()), 201).await;
    r.ask(post.clone(), apis, "", "", Some(described), 422).await;
    r.ask(get.clone(), apis, "", "?limit=1", None, 200).await;
    r.ask(get.clone(), apis, "", "?limit=none", None, 422).await;
    r.ask(get.clone(), api, "shop", "", None, 200).await;
    r.ask(get.clone(), api, "nothing", "", None, 404).await;
    r.ask(patch.clone(), api, "shop", "", Some(json!({ "name": "The shop", "answers_preflights": true, "sample_one_in": 100 })), 200).await;
    r.ask(patch.clone(), api, "shop", "", Some(json!({ "sample_one_in": 10_001 })), 422).await;
    let marked = json!({ "permissions": [{ "name": "shop:read", "basic": true }, { "name": "shop:write", "needs_grant": true }] });
    r.ask(patch.clone(), api, "shop", "", Some(marked), 200).await;
    let wanted = json!({ "routes": [{ "method": "GET", "path": "/goods/{id}", "permission": "shop:read", "cost": 2 }, { "path": "/*", "quota": "none" }] });
    r.ask(Method::PUT, routes, "shop", "", Some(wanted), 200).await;
    r.ask(Method::PUT, routes, "shop", "", Some(json!({ "routes": [{ "path": "goods" }] })), 422).await;
    r.ask(Method::PUT, routes, "tollgate", "", Some(json!({ "routes": [] })), 409).await;
    r.ask(get.clone(), routes, "shop", "", None, 200).await;
    let (bundles, bundle) = ("/api/v1/apis/{slug}/bundles", "/api/v1/apis/{slug}/bundles/{name}");
    r.ask(Method::PUT, bundle, "shop", "", Some(json!({ "description": "The desk", "permissions": ["shop:read"] })), 200).await;
    r.ask(Method::PUT, bundle, "shop", "", Some(json!({ "permissions": ["shop:burn"] })), 422).await;
    r.ask(Method::PUT, bundle, "nothing", "", Some(json!({})), 404).await;
    r.ask(get.clone(), bundles, "shop", "", None, 200).await;
    r.ask(get.clone(), bundles, "nothing", "", None, 404).await;
    r.ask(get.clone(), bundles, "shop", "?limit=0", None, 422).await;
    r.ask(post.clone(), "/api/v1/keys", "", "", Some(json!({ "name": "desk", "api": "shop", "bundles": ["desk"] })), 201).await;
    r.ask(Method::DELETE, bundle, "shop", "", None, 409).await;
    r.ask(Method::DELETE, bundle, "demo", "", None, 204).await;
    // Plans.
    let (plans, plan) = ("/api/v1/plans", "/api/v1/plans/{slug}");
    let limits = json!([{ "name": "day", "limit": 1000, "window": 86400 }, { "name": "month", "limit": 9000, "window": "month" }]);
    let pro = json!({ "slug": "pro", "name": "Pro", "price": { "per_1000": "0.50", "currency": "EUR" }, "limits": limits });
    r.ask(post.clone(), plans, "", "", Some(pro.clone()), 201).await;
    r.ask(post.clone(), plans, "", "", Some(pro), 422).await;
    r.ask(get.clone(), plans, "", "?limit=1", None, 200).await;
    r.ask(get.clone(), plans, "", "?limit=0", None, 422).await;
    r.ask(get.clone(), plan, "pro", "", None, 200).await;
    r.ask(get.clone(), plan, "gold", "", None, 404).await;
    r.ask(patch.clone(), plan, "pro", "", Some(json!({ "price": null, "entitlements": ["Support"] })), 200).await;
    r.ask(patch.clone(), plan, "pro", "", Some(json!({ "limits": [{ "limit": 1, "window": 0 }] })), 422).await;
    r.ask(get.clone(), "/api/v1/plans/{slug}/dry-run", "pro", "?by=key", None, 200).await;
    r.ask(get.clone(), "/api/v1/plans/{slug}/dry-run", "pro", "?by=moon", None, 422).await;
    let workspace = r.mara.owner.workspace.to_string();
    let unsaved = json!({ "limits": [{ "name": "day", "limit": 1, "window": "day" }] });
    r.ask(post.clone(), "/api/v1/plans/{slug}/dry-run", "pro", "", Some(json!({ "of": "holders", "by": "key" })), 200).await;
    r.ask(post.clone(), "/api/v1/plans/{slug}/dry-run", "pro", "", Some(json!({ "by": "moon" })), 422).await;
    r.ask(post.clone(), "/api/v1/workspaces/{id}/dry-run", &workspace, "", Some(unsaved.clone()), 200).await;
    r.ask(post.clone(), "/api/v1/apis/{slug}/dry-run", "demo", "", Some(unsaved.clone()), 200).await;
    r.ask(post.clone(), "/api/v1/apis/{slug}/dry-run", "nothing", "", Some(unsaved.clone()), 404).await;
    r.ask(get.clone(), "/api/v1/workspaces/{id}/plan", &workspace, "", None, 200).await;
    r.ask(Method::PUT, "/api/v1/workspaces/{id}/plan", &workspace, "", Some(json!({ "plan": "pro" })), 200).await;
    r.ask(Method::PUT, "/api/v1/workspaces/{id}/plan", "ws_nothing", "", Some(json!({ "plan": "pro" })), 404).await;
    r.ask(Method::PUT, "/api/v1/workspaces/{id}/limits", &workspace, "", Some(json!({ "limits": limits })), 200).await;
    let grants = "/api/v1/workspaces/{id}/grants";
    r.ask(Method::PUT, grants, &workspace, "", Some(json!({ "grants": ["demo/orders:write"] })), 200).await;
    r.ask(Method::PUT, grants, &workspace, "", Some(json!({ "grants": ["orders:write"] })), 422).await;
    r.ask(get.clone(), "/api/v1/apis/{slug}/limits", "demo", "", None, 200).await;
    r.ask(Method::PUT, "/api/v1/apis/{slug}/limits", "demo", "", Some(json!({ "limits": limits })), 200).await;
    r.ask(post.clone(), "/api/v1/plans/{slug}/accounts", "pro", "", Some(json!({ "account": r.mara.owner.account.to_string() })), 200).await;
    r.ask(post.clone(), "/api/v1/plans/{slug}/accounts", "pro", "", Some(json!({ "account": "nobody@example.com" })), 422).await;
    r.ask(delete.clone(), plan, "pro", "", None, 409).await;
    r.ask(Method::PUT, "/api/v1/workspaces/{id}/plan", &workspace, "", Some(json!({ "plan": null })), 200).await;
    r.ask(delete.clone(), plan, "pro", "", None, 204).await;

    // Groups.
    let (groups, group, members) = ("/api/v1/groups", "/api/v1/groups/{slug}", "/api/v1/groups/{slug}/members");
    let partners = json!({ "slug": "partners", "name": "Partners", "limits": limits });
    r.ask(post.clone(), groups, "", "", Some(partners.clone()), 201).await;
    r.ask(post.clone(), groups, "", "", Some(partners), 422).await;
    r.ask(get.clone(), groups, "", "?limit=1", None, 200).await;
    r.ask(get.clone(), groups, "", "?page=2", None, 422).await;
    r.ask(get.clone(), group, "partners", "", None, 200).await;
    r.ask(get.clone(), group, "nobody", "", None, 404).await;
    r.ask(patch.clone(), group, "partners", "", Some(json!({ "plan": null, "description": "Shops" })), 200).await;
    r.ask(patch.clone(), group, "partners", "", Some(json!({ "plan": "gold" })), 422).await;
    r.ask(get.clone(), "/api/v1/groups/{slug}/dry-run", "partners", "", None, 200).await;
    r.ask(post.clone(), "/api/v1/groups/{slug}/dry-run", "partners", "", Some(unsaved), 200).await;
    r.ask(post.clone(), members, "partners", "", Some(json!({ "workspace_id": workspace })), 200).await;
    r.ask(post.clone(), members, "partners", "", Some(json!({})), 422).await;
    r.ask(get.clone(), members, "partners", "?limit=1", None, 200).await;
    r.ask(delete.clone(), group, "partners", "", None, 409).await;
    let member = format!("/api/v1/groups/partners/members/{workspace}");
    let gone = r.app.http.delete(r.app.url(&member)).bearer_auth(&r.mara.secret).send().await.unwrap();
    assert_eq!(gone.status(), 200);
    r.ask(delete.clone(), "/api/v1/groups/{slug}/members/{id}", "partners", "", None, 404).await;
    r.ask(delete.clone(), group, "partners", "", None, 204).await;

    // Blocks.
    let (blocks, block) = ("/api/v1/blocks", "/api/v1/blocks/{id}");
    let wish = json!({ "target": "203.0.113.7", "reason": "tries keys", "seconds": 600 });
    let made = r.ask(post.clone(), blocks, "", "", Some(wish.clone()), 201).await;
    r.ask(post.clone(), blocks, "", "", Some(wish), 200).await;
    r.ask(post.clone(), blocks, "", "", Some(json!({ "target": "127.0.0.1", "reason": "x" })), 422).await;
    r.ask(get.clone(), blocks, "", "?state=all&of=address&by=operator&q=203.0.113.0/24", None, 200).await;
    r.ask(get.clone(), blocks, "", "?state=maybe", None, 422).await;
    let id = made["id"].as_str().unwrap();
    r.ask(get.clone(), block, id, "", None, 200).await;
    r.ask(get.clone(), block, "blk_nothing", "", None, 404).await;
    let lift = "/api/v1/blocks/{id}/lift";
    r.ask(post.clone(), lift, id, "?note=a%20test", None, 200).await;
    r.ask(post.clone(), lift, "blk_nothing", "", None, 404).await;
    r.ask(delete.clone(), block, id, "?note=a%20test", None, 200).await;
    r.ask(delete.clone(), block, "blk_nothing", "", None, 404).await;
    let slow = json!({ "target": "203.0.113.7", "reason": "scrapes", "action": "slow", "per_second": 5 });
    r.ask(post.clone(), blocks, "", "", Some(slow), 201).await;
    let rule = "/api/v1/block-rules/{slug}";
    r.ask(get.clone(), "/api/v1/block-rules", "", "?limit=2", None, 200).await;
    r.ask(get.clone(), "/api/v1/block-rules", "", "?limit=0", None, 422).await;
    r.ask(get.clone(), rule, "spread", "", None, 200).await;
    r.ask(get.clone(), rule, "moon", "", None, 404).await;
    r.ask(patch.clone(), rule, "spread", "", Some(json!({ "action": "slow", "per_second": 5 })), 200).await;
    r.ask(patch.clone(), rule, "spread", "", Some(json!({ "most": 0 })), 422).await;
    r.ask(get.clone(), "/api/v1/block-exemptions", "", "", None, 200).await;
    r.ask(Method::PUT, "/api/v1/block-exemptions", "", "", Some(json!({ "networks": ["192.0.2.0/24"] })), 200).await;

    // Bans.
    let (bans, ban) = ("/api/v1/bans", "/api/v1/bans/{id}");
    let wish = json!({ "target": "spam.example", "reason": "throwaways", "seconds": 600 });
    let made = r.ask(post.clone(), bans, "", "", Some(wish.clone()), 201).await;
    r.ask(post.clone(), bans, "", "", Some(wish), 409).await;
    r.ask(post.clone(), bans, "", "", Some(json!({ "target": "spam", "reason": "x" })), 422).await;
    r.ask(get.clone(), bans, "", "?limit=5&state=active", None, 200).await;
    r.ask(get.clone(), bans, "", "?state=maybe", None, 422).await;
    let id = made["id"].as_str().unwrap();
    r.ask(get.clone(), ban, id, "", None, 200).await;
    r.ask(get.clone(), ban, "ban_nothing", "", None, 404).await;
    let lift = "/api/v1/bans/{id}/lift";
    r.ask(post.clone(), lift, id, "", None, 200).await;
    r.ask(post.clone(), lift, "ban_nothing", "", None, 404).await;
    r.ask(delete.clone(), ban, id, "", None, 204).await;
    r.ask(delete.clone(), ban, "ban_nothing", "", None, 404).await;

    // Keys in and out.
    let accounts = "/api/v1/admin/accounts/import";
    r.ask(post.clone(), accounts, "", "", Some(json!({ "accounts": [{ "email": "old@example.com" }, { "email": "x" }] })), 200).await;
    r.ask(post.clone(), accounts, "", "", Some(json!({ "users": [] })), 422).await;
    let (import, hash) = ("/api/v1/keys/import", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    r.ask(post.clone(), import, "", "", Some(json!({ "api": "demo", "keys": [{ "hash": hash }, { "hash": "x" }] })), 200).await;
    r.ask(post.clone(), import, "", "", Some(json!({ "api": "demo" })), 422).await;
    r.ask(get.clone(), "/api/v1/keys/export", "", "?format=csv", None, 200).await;
    r.ask(get.clone(), "/api/v1/keys/export", "", "?format=json", None, 200).await;
    r.ask(get.clone(), "/api/v1/keys/export", "", "?format=xls", None, 422).await;

    // How long sessions and keys last.
    let policy = "/api/v1/session-policies/{kind}/{slug}";
    r.ask(Method::PUT, policy, "developer", "", Some(json!({ "session_count": 10 })), 200).await;
    r.ask(Method::PUT, policy, "developer", "", Some(json!({ "session_count": 0 })), 422).await;
    r.ask(Method::PUT, policy, "nobody", "", Some(json!({})), 404).await;
    r.ask(get.clone(), "/api/v1/session-policies", "", "?limit=1", None, 200).await;
    r.ask(get.clone(), "/api/v1/session-policies", "", "?limit=101", None, 422).await;

    // Usage.
    r.ask(get.clone(), "/api/v1/usage", "", "?bucket=hour", None, 200).await;
    r.ask(get.clone(), "/api/v1/usage", "", "?bucket=century", None, 422).await;
    r.ask(get.clone(), "/api/v1/usage/addresses", "", "?range=24h", None, 200).await;
    r.ask(get.clone(), "/api/v1/usage/addresses", "", "?route=x", None, 422).await;
    r.ask(get.clone(), "/api/v1/usage/permissions", "", "?range=24h", None, 200).await;
    r.ask(get.clone(), "/api/v1/usage/permissions", "", "?route=x", None, 422).await;
    r.ask(get.clone(), "/api/v1/usage/export", "", "?format=json", None, 200).await;
    r.ask(get.clone(), "/api/v1/usage/export", "", "?format=csv&outcome=errors", None, 200).await;
    r.ask(get.clone(), "/api/v1/usage/export", "", "?outcome=maybe", None, 422).await;
    for of in [
        "/api/v1/usage/latencies/export",
        "/api/v1/usage/limits/export",
        "/api/v1/usage/refusals/all/export",
        "/api/v1/usage/refusals/codes/export",
        "/api/v1/usage/refusals/all/codes/export",
        "/api/v1/usage/attempts/export",
    ] {
        r.ask(get.clone(), of, "", "?format=json", None, 200).await;
        r.ask(get.clone(), of, "", "?format=csv", None, 200).await;
        r.ask(get.clone(), of, "", "?format=xls", None, 422).await;
    }
    r.ask(get.clone(), "/api/v1/usage/refusals/export", "", "?format=json&range=24h", None, 200).await;
    r.ask(get.clone(), "/api/v1/usage/refusals/export", "", "?format=csv", None, 200).await;
    r.ask(get.clone(), "/api/v1/usage/refusals/export", "", "?range=forever", None, 422).await;
    r.ask(get.clone(), "/api/v1/usage/requests", "", "?code=VALID&range=24h", None, 200).await;
    r.ask(get.clone(), "/api/v1/usage/requests", "", "?code=VALID&rule=limit", None, 422).await;

    let latencies = json!({ "latencies": [{ "key_id": passing["id"], "route": "GET /orders", "milliseconds": 12.5 }] });
    r.ask(post.clone(), "/api/v1/usage/latencies", "", "", Some(latencies), 202).await;
    r.ask(post.clone(), "/api/v1/usage/latencies", "", "", Some(json!({ "latencies": [] })), 422).await;

    // Files.
    let (exports, export, file) = ("/api/v1/exports", "/api/v1/exports/{id}", "/api/v1/exports/{id}/file");
    let asked = r.ask(post.clone(), exports, "", "", Some(json!({ "of": "usage", "format": "json", "filters": { "range": "7d" } })), 202).await;
    let id = asked["id"].as_str().unwrap().to_owned();
    r.ask(get.clone(), file, &id, "", None, 409).await;
    r.app.run_jobs().await;
    r.ask(post.clone(), exports, "", "", Some(json!({ "of": "usage", "colour": "red" })), 422).await;
    r.ask(get.clone(), exports, "", "?limit=1", None, 200).await;
    r.ask(get.clone(), exports, "", "?cursor=none", None, 422).await;
    r.ask(get.clone(), export, &id, "", None, 200).await;
    r.ask(get.clone(), export, "exp_nothing", "", None, 404).await;
    r.ask(get.clone(), file, &id, "", None, 200).await;
    r.ask(delete.clone(), export, &id, "", None, 204).await;

    // Notices.
    let (notices, rules, rule) = ("/api/v1/me/notices", "/api/v1/alert-rules", "/api/v1/alert-rules/{id}");
    r.ask(get.clone(), notices, "", "", None, 200).await;
    r.ask(patch.clone(), notices, "", "", Some(json!({ "thresholds": [50, 90], "expiry": false })), 200).await;
    r.ask(patch.clone(), notices, "", "", Some(json!({ "thresholds": [150] })), 422).await;
    let wish = json!({ "api": "demo", "route": "GET /orders", "codes": ["FORBIDDEN"], "more_than": 10, "percent": 5 });
    let made = r.ask(post.clone(), rules, "", "", Some(wish.clone()), 201).await;
    r.ask(post.clone(), rules, "", "", Some(wish), 200).await;
    r.ask(post.clone(), rules, "", "", Some(json!({ "more_than": -1 })), 422).await;
    let id = made["id"].as_str().unwrap().to_owned();
    r.ask(get.clone(), rules, "", "?limit=1", None, 200).await;
    r.ask(get.clone(), rules, "", "?limit=101", None, 422).await;
    r.ask(get.clone(), rule, &id, "", None, 200).await;
    r.ask(get.clone(), rule, "alr_nothing", "", None, 404).await;
    r.ask(patch.clone(), rule, &id, "", Some(json!({ "api": null, "minutes": 30 })), 200).await;
    r.ask(patch.clone(), rule, &id, "", Some(json!({ "codes": ["VALID"] })), 422).await;
    r.ask(delete.clone(), rule, &id, "", None, 204).await;

    // The account.
    let team = FieldForm { slug: "team".to_owned(), label: "Team".to_owned(), kind: "text".to_owned(), may_be_public: true, ..FieldForm::default() };
    create_field(&r.app.ctx, &Caller::cli(), &Visitor::terminal(), &team).await.unwrap();
    r.ask(get.clone(), "/api/v1/me", "", "", None, 200).await;
    r.ask(get.clone(), "/api/v1/auth/me", "", "", None, 200).await;
    let all = json!({ "name": "Mara L", "time_zone": "Europe/Berlin", "language": "de", "handle": "mara-l", "published": ["name"], "fields": { "team": "Blue" }, "public_fields": ["team"] });
    r.ask(patch, "/api/v1/me", "", "", Some(all), 200).await;
    r.ask(get.clone(), "/api/v1/me/sessions", "", "", None, 200).await;
    r.ask(delete.clone(), "/api/v1/me/sessions", "", "", None, 200).await;
    r.ask(delete.clone(), "/api/v1/me/sessions/{id}", "ses_nothing", "", None, 404).await;
    r.ask(get.clone(), "/api/v1/me/sessions/{id}", "ses_nothing", "", None, 404).await;
    r.ask(get.clone(), "/api/v1/me/sessions", "", "?limit=0", None, 422).await;
    r.ask(post.clone(), "/api/v1/me/password", "", "", Some(json!({ "current_password": "x", "new_password": "gate keeper sings at noon" })), 422).await;
    r.ask(get.clone(), "/api/v1/users/{handle}", "mara-l", "", None, 200).await;
    r.ask(get.clone(), "/api/v1/users/{handle}", "nobody", "", None, 404).await;
    r.ask(post.clone(), "/api/v1/me/email", "", "", Some(json!({ "email": "new@example.com", "current_password": PASSWORD })), 422).await;
    r.ask(delete.clone(), "/api/v1/me/email", "", "", None, 204).await;
    r.ask(post.clone(), "/api/v1/me/email/confirm", "", "", Some(json!({ "token": "none" })), 422).await;
    r.ask(post.clone(), "/api/v1/me/email/confirm", "", "", Some(json!({ "code": "000000" })), 422).await;
    r.ask(post.clone(), "/api/v1/me/email/undo", "", "", Some(json!({ "token": "none" })), 422).await;
    r.ask(delete, "/api/v1/me", "", "", Some(json!({ "email": "mara@example.com", "current_password": PASSWORD })), 422).await;
    r.ask(post.clone(), "/api/v1/me/deletion/confirm", "", "", Some(json!({ "token": "none" })), 422).await;
    r.ask(post.clone(), "/api/v1/me/deactivate", "", "", Some(json!({ "current_password": PASSWORD })), 422).await;
    r.ask(post.clone(), "/api/v1/me/export", "", "", Some(json!({ "current_password": PASSWORD })), 422).await;
    r.ask(get.clone(), "/api/v1/me/export", "", "", None, 404).await;
    r.ask(post.clone(), "/api/v1/me/come-back", "", "", Some(json!({ "token": "none" })), 422).await;
    let register = json!({ "email": "new@example.com", "name": "Nia", "password": PASSWORD });
    r.ask(post.clone(), "/api/v1/auth/register", "", "", Some(register), 202).await;
    r.ask(post.clone(), "/api/v1/auth/register", "", "", Some(json!({ "email": "x" })), 422).await;
    r.ask(get.clone(), "/api/v1/auth/register/challenge", "", "", None, 200).await;
    r.ask(post.clone(), "/api/v1/auth/verify", "", "", Some(json!({ "token": "none" })), 422).await;
    r.ask(post.clone(), "/api/v1/auth/verify/resend", "", "", Some(json!({ "email": "new@example.com" })), 202).await;
    r.ask(post.clone(), "/api/v1/auth/password/forgot", "", "", Some(json!({ "email": "new@example.com" })), 202).await;
    r.ask(post.clone(), "/api/v1/auth/password/reset", "", "", Some(json!({ "token": "none", "new_password": PASSWORD })), 422).await;
    let device = r.ask(post.clone(), "/api/v1/auth/device", "", "", Some(json!({ "client_id": "nightly backup" })), 200).await;
    r.ask(post.clone(), "/api/v1/auth/device", "", "", Some(json!({ "client_id": "<b>" })), 422).await;
    let token = "/api/v1/auth/token";
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let pending = json!({ "grant_type": grant, "device_code": device["device_code"] });
    assert_eq!(r.ask(post.clone(), token, "", "", Some(pending), 400).await["error"], "authorization_pending");
    let vera = r.app.sign_in_as("developer").await;
    let issued = r.ask(post.clone(), token, "", "", Some(json!({ "grant_type": "password", "email": vera.email, "password": PASSWORD })), 200).await;
    r.ask(get.clone(), "/api/v1/me/sessions", "", "", None, 200).await;
    r.ask(post.clone(), token, "", "", Some(json!({ "grant_type": "password", "email": "mara@example.com", "password": "x" })), 422).await;
    r.ask(post.clone(), "/api/v1/auth/logout", "", "", Some(json!({ "refresh_token": issued["refresh_token"] })), 204).await;
    r.ask(post.clone(), "/api/v1/auth/logout", "", "", Some(json!({ "token": "x" })), 422).await;
    r.ask(post, "/api/v1/auth/logout", "", "", None, 204).await;

    // A key that may not, and one whose own limit is used up.
    let nora = person_with(&r.app, &r.app.ctx.db, "nora@example.com", "developer", &["keys:read"]).await;
    let limit = json!({ "limits": [{ "name": "daily", "limit": 2, "window": 86400 }] });
    r.ask(Method::PATCH, key, &nora.rest_key.to_string(), "", Some(limit), 200).await;
    let mara = std::mem::replace(&mut r.mara, nora);
    assert_eq!(r.ask(get.clone(), bans, "", "", None, 403).await["permission"], "admin:read");
    for _ in 0..2 {
        r.mara.get(&r.app, keys).await;
    }
    assert_eq!(r.ask(get.clone(), keys, "", "", None, 429).await["violated-policies"], json!(["daily"]));
    r.mara = mara;

    let described: BTreeSet<String> = r.document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase())))
        .collect();
    assert_eq!(r.asked, described, "asked here (left) is what the document describes (right)");
}

#[test]
fn every_rest_route_is_in_the_document() {
    let document = serde_json::to_value(&*tollgate::boot::openapi::DOCUMENT).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["components"]["securitySchemes"]["api_key"], json!({ "type": "apiKey", "in": "header", "name": "X-API-Key" }));
    for operation in document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values()) {
        let schemes: Vec<&String> = operation["security"].as_array().into_iter().flatten().flat_map(|one| one.as_object().unwrap().keys()).collect();
        assert!(schemes.is_empty() || schemes == ["key", "api_key"], "{}: {schemes:?}", operation["operationId"]);
    }
    let mut found = 0;
    for file in walkdir::WalkDir::new("src").into_iter().filter_map(Result::ok).filter(|f| f.path().extension().is_some_and(|e| e == "rs")) {
        let text = std::fs::read_to_string(file.path()).unwrap();
        for route in text.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).filter(|route| route.starts_with("/api/v1/")) {
            found += 1;
            assert!(route.ends_with("/openapi.json") || document["paths"][route].is_object(), "{route} of {} is not described", file.path().display());
        }
    }
    assert!(found > 15, "{found}");
}
