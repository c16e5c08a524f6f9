//! Signed requests at the gate: what passes, what does not, and that a signature counts once, on however many nodes.
//!
//! The signature bases here are written out by hand, not by the code that is tested.

use super::{Scene, key, known, owner};
use crate::support::{T0, TestApp, until};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{RequestBuilder, Response, StatusCode};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::PgPool;
use tollgate::{
    accounts::{Caller, server::caller_of_account},
    keys::server::{
        jobs::ForgetNonces,
        signing::{NewSigning, turn_off_signing, turn_on_signing},
    },
    platform::{crypto::sha256, jobs::Job},
    values::KeyId,
};

/// Signs calls of a key.
pub enum Hand {
    Secret(String),
    Pair(Ed25519KeyPair),
}

impl Hand {
    /// Turns signed requests of a key on, with a secret.
    async fn secret(app: &TestApp, key: KeyId) -> Self {
        let set = turn_on_signing(&app.ctx, &Caller::cli(), key, NewSigning::HmacSha256 { once: None }).await.unwrap();
        Self::Secret(set.secret.unwrap())
    }

    async fn pair(app: &TestApp, key: KeyId) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public = STANDARD.encode(pair.public_key().as_ref());
        turn_on_signing(&app.ctx, &Caller::cli(), key, NewSigning::Ed25519(public)).await.unwrap();
        Self::Pair(pair)
    }

    fn sign(&self, base: &str) -> String {
        let signature = match self {
            Self::Secret(secret) => Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(base).finalize().into_bytes().to_vec(),
            Self::Pair(pair) => pair.sign(base.as_bytes()).as_ref().to_vec(),
        };
        format!("sig1=:{}:", STANDARD.encode(signature))
    }
}

/// A call as its client signs and sends it.
#[derive(Clone)]
struct Signed {
    method: &'static str,
    target: &'static str,
    created: i64,
    nonce: String,
    body: Option<&'static str>,
}

impl Signed {
    fn get(nonce: &str) -> Self {
        Self { method: "GET", target: "/orders?page=2", created: T0.unix_timestamp(), nonce: format!("{nonce:0>16}"), body: None }
    }

    fn digest(&self) -> Option<String> {
        self.body.map(|body| format!("sha-256=:{}:", STANDARD.encode(sha256(body))))
    }

    /// `Signature-Input` and the base.
    fn input(&self, key: KeyId) -> (String, String) {
        let digest = if self.body.is_some() { " \"content-digest\"" } else { "" };
        let parameters = format!("(\"@method\" \"@path\" \"@query\"{digest});created={};keyid=\"{key}\";nonce=\"{}\"", self.created, self.nonce);
        let (path, query) = self.target.split_once('?').unwrap_or((self.target, ""));
        let digest = self.digest().map_or_else(String::new, |digest| format!("\"content-digest\": {digest}\n"));
        let base = format!("\"@method\": {}\n\"@path\": {path}\n\"@query\": ?{query}\n{digest}\"@signature-params\": {parameters}", self.method);
        (format!("sig1={parameters}"), base)
    }

    fn headers(&self, hand: &Hand, key: KeyId) -> Vec<(&'static str, String)> {
        let (input, base) = self.input(key);
        let digest = self.digest().map(|digest| ("content-digest", digest));
        [("signature-input", input), ("signature", hand.sign(&base))].into_iter().chain(digest).collect()
    }
}

fn with(request: RequestBuilder, headers: Vec<(&'static str, String)>) -> RequestBuilder {
    headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// As a proxy before this server asks about the call.
async fn proxied(app: &TestApp, secret: &str, call: &Signed, headers: Vec<(&'static str, String)>) -> Response {
    let request = app.http.get(app.url("/forward-auth/demo")).bearer_auth(secret);
    let request = request.header("x-forwarded-method", call.method).header("x-forwarded-uri", call.target).header("x-forwarded-host", "api.example.com");
    with(request, headers).send().await.unwrap()
}

async fn refused(answer: Response) -> String {
    assert_eq!(answer.status(), 403);
    assert!(answer.headers()["accept-signature"].to_str().unwrap().starts_with("sig1=(\"@method\" \"@path\" \"@query\""));
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["code"], "FORBIDDEN", "{body}");
    body["detail"].as_str().unwrap().to_owned()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_that_asks_for_signatures_passes_signed_calls_only(db: PgPool) {
    let scene = Scene::new(db).await;
    let (app, key, secret) = (&scene.app, scene.key, &scene.secret);
    let unsigned = Signed::get("0");
    assert_eq!(proxied(app, secret, &unsigned, Vec::new()).await.status(), 200, "not yet");
    for name in ["secret", "pair"] {
        let hand = if name == "pair" { Hand::pair(app, key).await } else { Hand::secret(app, key).await };
        assert!(refused(proxied(app, secret, &unsigned, Vec::new()).await).await.contains("must be signed"));
        let call = Signed::get(name);
        assert_eq!(proxied(app, secret, &call, call.headers(&hand, key)).await.status(), 200, "{name}");

        let posted = Signed { method: "POST", body: Some("{\"n\": 1}"), ..Signed::get(&format!("post {name}")) };
        assert_eq!(proxied(app, secret, &posted, posted.headers(&hand, key)).await.status(), 200, "{name}");

        // What is sent is another call than what was signed.
        let call = Signed::get(&format!("altered {name}"));
        let headers = call.headers(&hand, key);
        for altered in [
            Signed { target: "/orders?page=3", ..call.clone() },
            Signed { target: "/order?page=2", ..call.clone() },
            Signed { method: "DELETE", ..call.clone() },
        ] {
            assert!(refused(proxied(app, secret, &altered, headers.clone()).await).await.contains("is wrong"));
        }
        let undigested = Signed { method: "POST", ..Signed::get(&format!("undigested {name}")) };
        assert!(refused(proxied(app, secret, &undigested, undigested.headers(&hand, key)).await).await.contains("content-digest"));
        // It was altered, not used: as it was signed it still counts.
        assert_eq!(proxied(app, secret, &call, headers).await.status(), 200, "{name}");
    }
    turn_off_signing(&app.ctx, &Caller::cli(), key).await.unwrap();
    assert_eq!(proxied(app, secret, &unsigned, Vec::new()).await.status(), 200, "off again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_signature_counts_for_five_minutes(db: PgPool) {
    let scene = Scene::new(db).await;
    let hand = Hand::secret(&scene.app, scene.key).await;
    for (ahead, said) in [(-300, None), (-301, Some("older than five minutes")), (60, None), (61, Some("ahead"))] {
        let call = Signed { created: T0.unix_timestamp() + ahead, ..Signed::get(&format!("at {ahead}")) };
        let answer = proxied(&scene.app, &scene.secret, &call, call.headers(&hand, scene.key)).await;
        match said {
            None => assert_eq!(answer.status(), 200, "{ahead}"),
            Some(words) => assert!(refused(answer).await.contains(words), "{ahead}"),
        }
    }
    // Another secret takes the place of the first at once.
    let newer = Hand::secret(&scene.app, scene.key).await;
    let call = Signed::get("older secret");
    assert!(refused(proxied(&scene.app, &scene.secret, &call, call.headers(&hand, scene.key)).await).await.contains("is wrong"));
    assert_eq!(proxied(&scene.app, &scene.secret, &call, call.headers(&newer, scene.key)).await.status(), 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_signature_counts_once_on_all_nodes(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let hand = Hand::secret(&scene.app, scene.key).await;
    let other = TestApp::start(db.clone()).await;
    known(&other, scene.key).await;
    let call = Signed::get("once");
    let headers = call.headers(&hand, scene.key);
    assert_eq!(proxied(&scene.app, &scene.secret, &call, headers.clone()).await.status(), 200);
    for node in [&scene.app, &other, &other] {
        assert!(refused(proxied(node, &scene.secret, &call, headers.clone()).await).await.contains("was used before"));
    }
    // Twenty at once, on two nodes.
    let call = Signed::get("twenty");
    let headers = call.headers(&hand, scene.key);
    let calls = (0..20).map(|n| proxied(if n % 2 == 0 { &scene.app } else { &other }, &scene.secret, &call, headers.clone()));
    let passed = join_all(calls).await.iter().filter(|answer| answer.status() == 200).count();
    assert_eq!(passed, 1);

    // The same nonce of another key is another one.
    let jon = owner(&scene.app, "jon@example.com", "developer").await;
    let (theirs, secret) = key(&db, &scene.app, &jon, super::Given::default()).await;
    known(&scene.app, theirs).await;
    let hand = Hand::secret(&scene.app, theirs).await;
    assert_eq!(proxied(&scene.app, &secret, &call, call.headers(&hand, theirs)).await.status(), 200);

    let kept = async || sqlx::query_scalar::<_, i64>("select count(*) from signing_nonces").fetch_one(&db).await.unwrap();
    assert_eq!(kept().await, 3);
    ForgetNonces::default().run(&scene.app.ctx).await.unwrap();
    assert_eq!(kept().await, 3, "they may still be tried");
    scene.app.ctx.clock.advance(time::Duration::seconds(601));
    ForgetNonces::default().run(&scene.app.ctx).await.unwrap();
    assert_eq!(kept().await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_the_database_nobody_knows_whether_it_was_used(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let hand = Hand::secret(&scene.app, scene.key).await;
    let call = Signed::get("away");
    let headers = call.headers(&hand, scene.key);
    sqlx::query("alter table signing_nonces rename to away").execute(&db).await.unwrap();
    let answer = proxied(&scene.app, &scene.secret, &call, headers.clone()).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], "SIGNATURE_UNKNOWN");
    let asked = scene.app.http.get(scene.app.url("/forward-auth/demo/nginx")).bearer_auth(&scene.secret);
    let asked = asked.header("x-original-method", "GET").header("x-original-uri", call.target);
    let answer = with(asked, headers.clone()).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["x-auth-status"].to_str().unwrap()), (403, "503"));
    sqlx::query("alter table away rename to signing_nonces").execute(&db).await.unwrap();
    assert_eq!(proxied(&scene.app, &scene.secret, &call, headers).await.status(), 200, "it was never used");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_node_that_is_alone_for_minutes_knows_without_the_database_whether_it_was_used(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let hand = Hand::secret(&scene.app, scene.key).await;
    scene.app.ctx.clock.advance(time::Duration::seconds(400));
    let at = |seconds: i64, nonce: &str| Signed { created: T0.unix_timestamp() + seconds, ..Signed::get(nonce) };
    let ask = async |node: &TestApp, call: &Signed| proxied(node, &scene.secret, call, call.headers(&hand, scene.key)).await;
    let before = at(400, "before");
    assert_eq!(ask(&scene.app, &before).await.status(), 200);

    sqlx::query("alter table signing_nonces rename to away").execute(&db).await.unwrap();
    assert!(refused(ask(&scene.app, &before).await).await.contains("was used before"));
    let during = at(400, "during");
    assert_eq!(ask(&scene.app, &during).await.status(), 200);
    assert!(refused(ask(&scene.app, &during).await).await.contains("was used before"));
    let older = at(360, "older");
    assert_eq!(ask(&scene.app, &older).await.status(), 503, "another node may have accepted it before this one was alone");
    sqlx::query("alter table away rename to signing_nonces").execute(&db).await.unwrap();

    let told = async || sqlx::query_scalar::<_, i64>("select count(*) from signing_nonces").fetch_one(&db).await.unwrap();
    until("what passed meanwhile is told", async || told().await == 2).await;
    let other = TestApp::start(db.clone()).await;
    other.ctx.clock.advance(time::Duration::seconds(400));
    known(&other, scene.key).await;
    assert!(refused(ask(&other, &during).await).await.contains("was used before"));
    assert_eq!(ask(&other, &older).await.status(), 200, "it was never used");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_a_killed_node_accepted_without_the_database_is_told_by_the_next_start_on_its_folder(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let hand = Hand::secret(&scene.app, scene.key).await;
    let call = Signed::get("left");
    // As it leaves a folder that nobody holds: the key, the SHA-256 of the nonce, and until when it is kept.
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("spool").join(uuid::Uuid::from_u128(7).simple().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("lock"), "").unwrap();
    let mut file = tollgate::platform::mapped::MappedFile::create(&folder.join("nonces")).unwrap();
    let until = T0.unix_timestamp() + 600;
    file.append(&[&scene.key.uuid().as_bytes()[..], &sha256(&call.nonce)[..], &until.to_le_bytes()[..]].concat()).unwrap();
    drop(file);

    let next = TestApp::start_with(db.clone(), |config| config.server.data_dir = data.path().to_owned()).await;
    known(&next, scene.key).await;
    assert!(refused(proxied(&next, &scene.secret, &call, call.headers(&hand, scene.key)).await).await.contains("was used before"));
    assert!(!folder.join("nonces").exists());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn damaged_files_of_a_killed_node_keep_no_server_from_starting_and_its_signatures_count_for_nobody(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let hand = Hand::secret(&scene.app, scene.key).await;
    let (data, process) = (tempfile::tempdir().unwrap(), uuid::Uuid::from_u128(7));
    let folder = data.path().join("spool").join(process.simple().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in [("lock", &b""[..]), ("nonces", b"half of something"), ("credits0", b"half of something")] {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    sqlx::query(
        "insert into nodes (id, name, version, started_at, beat_at, stops_after, keys, seen, counts_alone)
         values ($1, 'gone:1', '1', now(), now() - interval '1 minute', 900, 0, pg_current_snapshot(), true)",
    )
    .bind(process)
    .execute(&db)
    .await
    .unwrap();
    let next = TestApp::start_with(db.clone(), |config| config.server.data_dir = data.path().to_owned()).await;
    known(&next, scene.key).await;
    let call = Signed::get("left");
    assert_eq!(proxied(&next, &scene.secret, &call, call.headers(&hand, scene.key)).await.status(), 503, "nobody knows what was accepted");
    assert!(folder.join("nonces").exists() && folder.join("credits0").exists(), "they want a look");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn no_signed_call_is_answered_while_a_silent_node_may_have_accepted_it_alone(db: PgPool) {
    let scene = Scene::with(db.clone(), super::Given { limit: Some((1_000_000, 86_400)), ..super::Given::default() }).await;
    let hand = Hand::secret(&scene.app, scene.key).await;
    // One that was alone and crashed, or is cut off, a minute ago.
    sqlx::query(
        "insert into nodes (id, name, version, started_at, beat_at, stops_after, keys, seen, counts_alone)
         values (gen_random_uuid(), 'gone:1', '1', now(), now() - interval '1 minute', 900, 0, pg_current_snapshot(), true)",
    )
    .execute(&db)
    .await
    .unwrap();
    let n = std::cell::Cell::new(0);
    let status = async || {
        n.set(n.get() + 1);
        let call = Signed::get(&format!("call {}", n.get()));
        proxied(&scene.app, &scene.secret, &call, call.headers(&hand, scene.key)).await.status().as_u16()
    };
    until("it knows of the other", async || status().await == 503).await;
    sqlx::query("update nodes set beat_at = now() - interval '1506 seconds' where name = 'gone:1'").execute(&db).await.unwrap();
    until("nothing that the other accepted counts any more", async || status().await == 200).await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_service_asks_with_the_call_as_it_was_signed(db: PgPool) {
    let scene = Scene::new(db).await;
    let hand = Hand::pair(&scene.app, scene.key).await;
    let (status, answer) = scene.ask(json!({ "key": scene.secret, "api": "demo" })).await;
    assert_eq!((status, answer["code"].as_str()), (200, Some("FORBIDDEN")), "{answer}");

    let question = |nonce: &str, url: &str, body_sha256: Option<&str>| {
        let call = Signed { method: "POST", body: Some("hello"), ..Signed::get(nonce) };
        let headers: Value = call
            .headers(&hand, scene.key)
            .into_iter()
            .map(|(name, value)| (name.to_uppercase(), Value::String(value)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let mut signature = json!({ "method": "POST", "url": url, "headers": headers });
        if let Some(digest) = body_sha256 {
            signature["body_sha256"] = digest.into();
        }
        json!({ "key": scene.secret, "api": "demo", "signature": signature })
    };
    let url = "https://api.example.com/orders?page=2";
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(scene.ask(question("with the digest", url, Some(hello))).await.1["code"], "VALID");
    assert_eq!(scene.ask(question("without the digest", url, None)).await.1["code"], "VALID");
    let other = hello.replace('2', "3");
    for (nonce, url, digest, words) in [
        ("with the digest", url, Some(hello), "was used before"),
        ("another body", url, Some(other.as_str()), "Content-Digest"),
        ("another address", "https://api.example.com/orders?page=3", None, "is wrong"),
    ] {
        let (_, answer) = scene.ask(question(nonce, url, digest)).await;
        assert!(answer["code"] == "FORBIDDEN" && answer["detail"].as_str().unwrap().contains(words), "{answer}");
    }
    assert_eq!(scene.ask(question("no address", "/orders", None)).await.0, 422);
    assert_eq!(scene.ask(question("no digest", url, Some("2cf2"))).await.0, 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn tollgates_own_api_checks_the_body_too(db: PgPool) {
    let scene = Scene::new(db.clone()).await;
    let app = &scene.app;
    let (mine, secret) = key(&db, app, &scene.owner, super::Given { api: "tollgate", permissions: &["keys:read", "keys:write"], limit: None }).await;
    known(app, mine).await;
    let hand = Hand::secret(app, mine).await;
    let get = Signed { target: "/api/v1/keys?limit=1", ..Signed::get("own") };
    let asked = || app.http.get(app.url(get.target)).bearer_auth(&secret);
    let unsigned = asked().send().await.unwrap();
    assert_eq!(unsigned.status(), 403);
    let wanted = format!("sig1=(\"@method\" \"@path\" \"@query\");created;keyid=\"{mine}\";alg=\"hmac-sha256\"");
    assert_eq!(unsigned.headers()["accept-signature"].to_str().unwrap(), wanted);
    assert!(unsigned.text().await.unwrap().contains("must be signed"));
    assert_eq!(with(asked(), get.headers(&hand, mine)).send().await.unwrap().status(), 200);
    assert_eq!(with(asked(), get.headers(&hand, mine)).send().await.unwrap().status(), 403, "a second time");

    let post = |nonce: &str| Signed { method: "POST", target: "/api/v1/keys", body: Some("{\"name\": \"till\"}"), ..Signed::get(nonce) };
    let sent = async |call: Signed, body: &'static str| {
        let request = app.http.post(app.url("/api/v1/keys")).bearer_auth(&secret).header("content-type", "application/json").body(body);
        with(request, call.headers(&hand, mine)).send().await.unwrap().status().as_u16()
    };
    assert_eq!(sent(post("altered"), "{\"name\": \"mine\"}").await, 403);
    assert_eq!(sent(post("as signed"), "{\"name\": \"till\"}").await, 201);

    // The key of a service that asks.
    let asking = caller_of_account(&app.ctx, scene.owner.account, tollgate::accounts::Via::Cli).await.unwrap().unwrap();
    let service: uuid::Uuid =
        sqlx::query_scalar("select key_id from key_secrets where hash = $1").bind(&sha256(&scene.service)[..]).fetch_one(&db).await.unwrap();
    turn_on_signing(&app.ctx, &asking, KeyId::new(service), NewSigning::HmacSha256 { once: None }).await.unwrap();
    assert_eq!(scene.ask(json!({ "key": "x" })).await.0, 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn behind_envoy_the_query_is_part_of_what_is_signed(db: PgPool) {
    let scene = Scene::new(db).await;
    let (app, key) = (&scene.app, scene.key);
    let hand = Hand::secret(app, key).await;
    let ask = |call: Signed, target: &'static str| {
        let request = app.http.get(app.url(&format!("/forward-auth/demo/envoy{target}"))).bearer_auth(&scene.secret);
        let request = with(request, call.headers(&hand, key));
        async move { request.send().await.unwrap().status() }
    };
    assert_eq!(ask(Signed::get("1"), "/orders?page=2").await, StatusCode::OK);
    assert_eq!(ask(Signed::get("2"), "/orders?page=3").await, StatusCode::FORBIDDEN, "another query");
    assert_eq!(ask(Signed::get("3"), "/orders").await, StatusCode::FORBIDDEN, "none");
}
