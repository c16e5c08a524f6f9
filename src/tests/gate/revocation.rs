//! Revoked means revoked: two real processes on one database, one of them paused, or cut off from it.

use super::{
    Given, Scene, key, owner,
    process::{self, Node, Way},
};
use crate::support::{folder::Folder, until};
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::time::{Duration, Instant};

/// Two servers, a key, another one that may change it, and somebody else with a key.
struct Pair {
    a: Node,
    b: Node,
    id: String,
    secret: String,
    manager: String,
    /// The account of somebody else, and the secret of its key.
    vera: (String, String),
    ends: Vec<End>,
    folders: [Folder; 2],
}

/// An act that takes something from a key, and a key for it alone. Of the first it is the key of the pair.
struct End {
    act: &'static str,
    /// Of the key, or of the account that is banned.
    id: String,
    secret: String,
    /// What is answered since.
    status: u16,
}

const ENDS: [(&str, u16); 4] = [("disable", 401), ("revoke", 401), ("rotate", 401), ("permissions", 403)];

impl Pair {
    /// The second server reaches the database by the way, if there is one.
    async fn new(db: &PgPool, way: Option<&Way>) -> Self {
        let scene = Scene::with(db.clone(), Given { limit: Some((1_000_000, 3_600)), ..Given::default() }).await;
        let may = ["keys:read", "keys:write", "keys:verify", "apis:manage", "admin:read", "accounts:manage"];
        let (_, manager) = key(db, &scene.app, &scene.owner, Given { api: "tollgate", permissions: &may, ..Given::default() }).await;
        let vera = owner(&scene.app, "vera@example.com", "developer").await;
        let (_, of_vera) = self::key(db, &scene.app, &vera, Given { limit: Some((1_000_000, 3_600)), ..Given::default() }).await;
        let mut ends = Vec::new();
        for (act, status) in ENDS {
            let (id, secret) = match act {
                "disable" => (scene.key, scene.secret.clone()),
                _ => self::key(db, &scene.app, &scene.owner, Given { limit: Some((1_000_000, 3_600)), ..Given::default() }).await,
            };
            ends.push(End { act, id: id.to_string(), secret, status });
        }
        ends.push(End { act: "ban", id: vera.account.to_string(), secret: of_vera.clone(), status: 403 });
        let Scene { app, key, secret, .. } = scene;
        app.stop().await;
        let folders = [Folder::new(), Folder::new()];
        let direct = process::url(db);
        let a = process::start(&direct, &folders[0], &[]).await;
        let b = process::start(way.map_or(&direct, |way| &way.url), &folders[1], &[("TOLLGATE_DATABASE_OUTAGE", "5s")]).await;
        assert_eq!((a.ask(&secret).await, b.ask(&secret).await), (200, 200));
        Self { a, b, id: key.to_string(), secret, manager, vera: (vera.account.to_string(), of_vera), ends, folders }
    }

    /// Does something to the key on the first server; what the answer says of the nodes.
    async fn act(&self, act: &str) -> Value {
        let answer = self.a.post(&format!("/api/v1/keys/{}/{act}", self.id), &self.manager, json!({})).await;
        assert_eq!(answer.status(), 200);
        let mut body: Value = answer.json().await.unwrap();
        body["spread"].take()
    }

    /// Does all of them on the first server at once; how far each got, in their order.
    async fn end_all(&self) -> Vec<Value> {
        join_all(self.ends.iter().map(|end| self.end(end))).await
    }

    async fn end(&self, end: &End) -> Value {
        let key = format!("/api/v1/keys/{}", end.id);
        let (path, body) = match end.act {
            "ban" => ("/api/v1/bans".to_owned(), json!({ "target": end.id, "reason": "sends spam" })),
            "rotate" => (format!("{key}/rotate"), json!({ "grace": 0 })),
            "permissions" => (key, json!({ "permissions": [] })),
            act => (format!("{key}/{act}"), json!({})),
        };
        let answer = match end.act {
            "permissions" => self.a.patch(&path, &self.manager, body).await,
            _ => self.a.post(&path, &self.manager, body).await,
        };
        let status = answer.status();
        let mut body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{}: {status} {body}", end.act);
        body["spread"].take()
    }

    fn names_b(&self, spread: &Value) -> bool {
        spread["missing"][0]["name"].as_str().is_some_and(|name| name.ends_with(self.b.port()))
    }
}

impl End {
    const ASKED: &str = "/forward-auth/demo?permission=orders:read";

    async fn ask(&self, node: &Node) -> u16 {
        node.get(Self::ASKED, &self.secret).await.status().as_u16()
    }
}

fn confirmed(spread: &Value) -> (u64, u64) {
    (spread["confirmed"].as_u64().unwrap(), spread["nodes"].as_u64().unwrap())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_one_node_changes_the_other_obeys_when_the_answer_is_there(db: PgPool) {
    let pair = Pair::new(&db, None).await;
    for round in 0..20 {
        let spread = pair.act("disable").await;
        assert_eq!(confirmed(&spread), (2, 2), "{round}: {spread}");
        assert_eq!((pair.b.ask(&pair.secret).await, pair.a.ask(&pair.secret).await), (401, 401), "{round}");
        let spread = pair.act("enable").await;
        assert_eq!(confirmed(&spread), (2, 2), "{round}: {spread}");
        assert_eq!((pair.b.ask(&pair.secret).await, pair.a.ask(&pair.secret).await), (200, 200), "{round}");
    }

    // The command line is no node, and waits for both.
    let command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["key", "revoke", &pair.id, "--json"])
        .current_dir(pair.folders[0].path())
        .env_clear()
        .env("DATABASE_URL", process::url(&db))
        .env("TOLLGATE_ENV", "development")
        .output()
        .await
        .unwrap();
    let said: Value = serde_json::from_slice(&command.stdout).unwrap_or_else(|_| panic!("{command:?}"));
    assert_eq!((confirmed(&said["spread"]), said["state"].as_str()), ((2, 2), Some("revoked")), "{said}");
    assert_eq!((pair.b.ask(&pair.secret).await, pair.a.ask(&pair.secret).await), (401, 401));

    let spread = pair.act("revoke").await;
    assert_eq!(confirmed(&spread), (2, 2), "sent twice: {spread}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_bundle_gives_no_more_no_node_lets_pass_when_the_answer_is_there(db: PgPool) {
    let pair = Pair::new(&db, None).await;
    let put = async |permissions: Value| {
        let answer = pair.a.put("/api/v1/apis/demo/bundles/desk", &pair.manager, json!({ "permissions": permissions })).await;
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()["spread"].take()
    };
    let code = async |node: &Node| {
        let asked = json!({ "key": pair.secret, "permission": "orders:write" });
        code_in(&node.post("/api/v1/keys/verify", &pair.manager, asked).await.json().await.unwrap())
    };
    put(json!([])).await;
    let id: tollgate::values::KeyId = pair.id.parse().unwrap();
    sqlx::query("insert into key_bundles (key_id, bundle_id) select $1, id from api_bundles").bind(id.uuid()).execute(&db).await.unwrap();
    for round in 0..8 {
        let spread = put(json!(["orders:write"])).await;
        assert_eq!(confirmed(&spread), (2, 2), "{round}: {spread}");
        assert_eq!((code(&pair.b).await, code(&pair.a).await), ("VALID".to_owned(), "VALID".to_owned()), "{round}");
        let spread = put(json!([])).await;
        assert_eq!(confirmed(&spread), (2, 2), "{round}: {spread}");
        assert_eq!((code(&pair.b).await, code(&pair.a).await), ("FORBIDDEN".to_owned(), "FORBIDDEN".to_owned()), "{round}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn who_is_banned_calls_on_no_node_when_the_answer_is_there(db: PgPool) {
    let pair = Pair::new(&db, None).await;
    let (account, secret) = &pair.vera;
    for round in 0..8 {
        let made = pair.a.post("/api/v1/bans", &pair.manager, json!({ "target": account, "reason": "sends spam" })).await;
        assert_eq!(made.status(), 201, "{round}");
        let ban: Value = made.json().await.unwrap();
        assert_eq!(confirmed(&ban["spread"]), (2, 2), "{round}: {ban}");
        assert_eq!((pair.b.ask(secret).await, pair.a.ask(secret).await), (403, 403), "{round}");
        let path = format!("/api/v1/bans/{}/lift", ban["id"].as_str().unwrap());
        let lifted = pair.a.post(&path, &pair.manager, json!({})).await;
        assert_eq!(lifted.status(), 200, "{round}");
        let lifted: Value = lifted.json().await.unwrap();
        assert_eq!(confirmed(&lifted["spread"]), (2, 2), "{round}: {lifted}");
        assert_eq!((pair.b.ask(secret).await, pair.a.ask(secret).await), (200, 200), "{round}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_secret_that_is_rotated_away_now_passes_on_no_node_when_the_answer_is_there(db: PgPool) {
    let pair = Pair::new(&db, None).await;
    let mut old = pair.secret.clone();
    for round in 0..8 {
        let answer = pair.a.post(&format!("/api/v1/keys/{}/rotate", pair.id), &pair.manager, json!({ "grace": 0 })).await;
        assert_eq!(answer.status(), 200, "{round}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(confirmed(&body["spread"]), (2, 2), "{round}: {}", body["spread"]);
        let new = body["secret"].as_str().unwrap().to_owned();
        assert_eq!((pair.b.ask(&old).await, pair.a.ask(&old).await), (401, 401), "{round}");
        assert_eq!((pair.b.ask(&new).await, pair.a.ask(&new).await), (200, 200), "{round}");
        old = new;
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_route_needs_every_node_asks_for_when_the_answer_is_there(db: PgPool) {
    let pair = Pair::new(&db, None).await;
    let put = async |permission: &str| {
        let routes = json!({ "routes": [{ "method": "GET", "path": "/orders", "permission": permission }] });
        let answer = pair.a.put("/api/v1/apis/demo/routes", &pair.manager, routes).await;
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()["spread"].take()
    };
    let code = async |node: &Node| {
        let asked = json!({ "key": pair.secret, "route": "GET /orders" });
        code_in(&node.post("/api/v1/keys/verify", &pair.manager, asked).await.json().await.unwrap())
    };
    for round in 0..8 {
        let spread = put("orders:write").await;
        assert_eq!(confirmed(&spread), (2, 2), "{round}: {spread}");
        assert_eq!((code(&pair.b).await, code(&pair.a).await), ("FORBIDDEN".to_owned(), "FORBIDDEN".to_owned()), "{round}");
        let spread = put("orders:read").await;
        assert_eq!(confirmed(&spread), (2, 2), "{round}: {spread}");
        assert_eq!((code(&pair.b).await, code(&pair.a).await), ("VALID".to_owned(), "VALID".to_owned()), "{round}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k07_what_a_key_may_no_longer_call_no_node_lets_pass_when_the_answer_is_there(db: PgPool) {
    let pair = Pair::new(&db, None).await;
    let list = async |routes: Value| {
        let answer = pair.a.patch(&format!("/api/v1/keys/{}", pair.id), &pair.manager, json!({ "routes": routes })).await;
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()["spread"].take()
    };
    let code = async |node: &Node| {
        let asked = json!({ "key": pair.secret, "route": "GET /orders" });
        code_in(&node.post("/api/v1/keys/verify", &pair.manager, asked).await.json().await.unwrap())
    };
    for round in 0..8 {
        let spread = list(json!(["GET /reports"])).await;
        assert_eq!(confirmed(&spread), (2, 2), "{round}: {spread}");
        assert_eq!((code(&pair.b).await, code(&pair.a).await), ("FORBIDDEN".to_owned(), "FORBIDDEN".to_owned()), "{round}");
        let spread = list(json!(["GET /reports", "GET /orders"])).await;
        assert_eq!(confirmed(&spread), (2, 2), "{round}: {spread}");
        assert_eq!((code(&pair.b).await, code(&pair.a).await), ("VALID".to_owned(), "VALID".to_owned()), "{round}");
    }
}

/// The code of a verification.
fn code_in(body: &Value) -> String {
    body["code"].as_str().unwrap_or_else(|| panic!("no code in {body}")).to_owned()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_paused_node_is_named_and_refuses_as_soon_as_it_runs_again(db: PgPool) {
    let pair = Pair::new(&db, None).await;
    for end in &pair.ends {
        assert_eq!((end.ask(&pair.a).await, end.ask(&pair.b).await), (200, 200), "{}", end.act);
    }
    pair.b.signal(libc::SIGSTOP);
    let start = Instant::now();
    let spreads = pair.end_all().await;
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(1_900) && took < Duration::from_secs(6), "{took:?}");
    for (end, spread) in pair.ends.iter().zip(&spreads) {
        assert_eq!(confirmed(spread), (1, 2), "{}: {spread}", end.act);
        assert!(pair.names_b(spread), "{}: {spread}", end.act);
        assert_eq!(end.ask(&pair.a).await, end.status, "{}", end.act);
    }

    // Calls that wait at its door while it sleeps are the first that it sees.
    let at_the_door = pair.ends.iter().map(|end| {
        let (path, secret) = (format!("{}{}", pair.b.base, End::ASKED), end.secret.clone());
        tokio::spawn(async move { reqwest::Client::new().get(path).bearer_auth(secret).send().await.unwrap().status().as_u16() })
    });
    let waiting: Vec<_> = at_the_door.collect();
    until("it is named without waiting", async || {
        let start = Instant::now();
        let spread = pair.act("disable").await;
        pair.names_b(&spread) && start.elapsed() < Duration::from_millis(1_500)
    })
    .await;
    assert!(waiting.iter().all(|call| !call.is_finished()));
    pair.b.signal(libc::SIGCONT);
    for (end, call) in pair.ends.iter().zip(waiting) {
        assert_eq!(call.await.unwrap(), end.status, "{}", end.act);
    }
    until("it confirms again", async || confirmed(&pair.act("enable").await) == (2, 2)).await;
    assert_eq!(pair.b.ask(&pair.secret).await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_node_that_is_cut_off_goes_on_for_its_time_then_stops_until_it_is_back(db: PgPool) {
    let way = Way::to(&db).await;
    let pair = Pair::new(&db, Some(&way)).await;
    for end in &pair.ends {
        assert_eq!((end.ask(&pair.a).await, end.ask(&pair.b).await), (200, 200), "{}", end.act);
    }
    way.cut();
    let spreads = pair.end_all().await;
    for (end, spread) in pair.ends.iter().zip(&spreads) {
        assert_eq!(confirmed(spread), (1, 2), "{}: {spread}", end.act);
        assert!(pair.names_b(spread) && spread["missing"][0]["stops_after"] == 5, "{}: {spread}", end.act);
        assert_eq!(end.ask(&pair.b).await, 200, "{}: it goes on from what it knew", end.act);
    }
    for end in &pair.ends {
        assert_eq!(end.ask(&pair.a).await, end.status, "{}", end.act);
    }

    // What it leased of the limit goes on before that: then it says 503 too, but that the next second may know better.
    let stopped = async || {
        let answer = pair.b.get("/forward-auth/demo", &pair.secret).await;
        answer.status() == 503 && answer.headers()["retry-after"] == "5"
    };
    until("it stops", stopped).await;
    let answer = pair.b.get("/forward-auth/demo", &pair.secret).await;
    assert_eq!(answer.headers()["retry-after"], "5");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let answer = pair.b.get("/forward-auth/demo/nginx", &pair.secret).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["x-auth-status"].to_str().unwrap()), (403, "503"));
    assert_eq!(answer.headers()["x-auth-code"], "CUT_OFF");
    let answer = pair.b.post("/api/v1/keys/verify", &pair.manager, json!({ "key": pair.secret })).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.json::<Value>().await.unwrap()["type"], "/docs#error-cut-off");
    let answer = pair.b.get("/readyz", "").await;
    assert_eq!(answer.status(), 503);
    let told = answer.text().await.unwrap();
    assert!(told.contains("cut off from its database for longer than 5 seconds") && told.contains("\"CUT_OFF\""), "{told}");

    way.mend();
    for end in &pair.ends {
        // Not from the moment it is back: it answers 503 until it has read what it missed.
        until(end.act, async || match end.ask(&pair.b).await {
            503 => false,
            status => {
                assert_eq!(status, end.status, "{}: it is back, and knows", end.act);
                true
            }
        })
        .await;
    }
    until("it confirms again", async || confirmed(&pair.act("enable").await) == (2, 2)).await;
    assert_eq!(pair.b.ask(&pair.secret).await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_node_that_was_killed_is_forgotten_by_its_next_start(db: PgPool) {
    let mut pair = Pair::new(&db, None).await;
    pair.b.process.kill().await.unwrap();
    assert!(pair.names_b(&pair.act("disable").await));
    pair.b = process::start(&process::url(&db), &pair.folders[1], &[]).await;
    let spread = pair.act("enable").await;
    assert_eq!(confirmed(&spread), (2, 2), "{spread}");
}
