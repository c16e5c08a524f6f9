//! Creating, reading and changing keys over REST; what is refused, and how it is said.

use super::*;
use crate::support::T0;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn create_key_shows_the_secret_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let answer = mara.post(&app, "/api/v1/keys", json!({ "name": "  checkout " })).await;
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let body: Value = answer.json().await.unwrap();
    let (id, secret) = (text(&body, "id"), text(&body, "secret"));
    assert_eq!(location, format!("/api/v1/keys/{id}"));
    assert!(tollgate::keys::server::secret::is_well_formed(&secret), "{secret}");
    assert!(secret.starts_with("demo_live_") && secret.starts_with(&text(&body, "start")));
    assert_eq!((text(&body, "name"), text(&body, "api"), text(&body, "state")), ("checkout".into(), "demo".into(), "active".into()));
    assert_eq!(body["permissions"], json!(["orders:read"]), "what only reads, unless somebody chooses");

    assert_eq!(passes(&app, &secret).await, 200, "the gate knows it when the answer is there");
    let again = mara.get(&app, &location).await.text().await.unwrap();
    assert!(!again.contains("\"secret\"") && !again.contains(&secret));
    let stored: i64 = sqlx::query_scalar("select count(*) from key_secrets where encode(hash, 'escape') like $1 or start = $2")
        .bind(format!("%{secret}%"))
        .bind(&secret)
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(stored, 0, "only a hash and the start are stored");
    assert_eq!(acts(&app, &mara, &id).await, [("created".to_owned(), String::new())]);
    assert_eq!(events(&db, "key.created").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_makes_a_key_for_somebody_that_is_limited_from_its_first_call(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    sqlx::query("insert into plans (id, slug, name, created_at, updated_at) values (gen_random_uuid(), 'gold', 'Gold', now(), now())")
        .execute(&db)
        .await
        .unwrap();
    let new = json!({ "name": "till", "account": "Mara@example.com", "plan": "gold", "limits": [{ "name": "burst", "limit": 1, "window": 3600 }] });
    let (status, body) = json(olga.post(&app, "/api/v1/keys", new.clone()).await).await;
    assert_eq!((status, body["plan"].as_str()), (201, Some("gold")), "{body}");
    assert_eq!(body["limits"], json!([{ "name": "burst", "limit": 1, "window": 3600 }]));
    let (id, secret) = (text(&body, "id"), text(&body, "secret"));
    assert_eq!((passes(&app, &secret).await, passes(&app, &secret).await), (200, 429), "no call passes by the limits of another level");
    assert_eq!(mara.get(&app, &format!("/api/v1/keys/{id}")).await.status(), 200, "it is hers");
    assert_eq!(acts(&app, &mara, &id).await, [("created".to_owned(), String::new())]);

    for field in ["account", "plan", "limits"] {
        let one = json!({ "name": "till", field: new[field] });
        let (status, problem) = json(mara.post(&app, "/api/v1/keys", one).await).await;
        assert_eq!((status, problem["permission"].as_str()), (403, Some("keys:manage")), "{field}");
    }
    for (wrong, pointer) in [
        (json!({ "name": "x", "account": "nobody@example.com" }), "#/account"),
        (json!({ "name": "x", "account": "nobody" }), "#/account"),
        (json!({ "name": "x", "plan": "nothing" }), "#/plan"),
        (json!({ "name": "x", "limits": [{ "limit": 1, "window": "day@Middle/Earth" }] }), "#/limits/0/window"),
    ] {
        let (status, problem) = json(olga.post(&app, "/api/v1/keys", wrong.clone()).await).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{wrong} → {problem}");
    }
    let (_, problem) = json(olga.post(&app, "/api/v1/keys", json!({ "name": "", "limits": [{ "name": "A b", "limit": 1, "window": 60 }] })).await).await;
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(2), "both are named: {problem}");
    assert_eq!(events(&db, "key.created").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn create_key_refuses_what_can_t_be_and_names_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let long = "x".repeat(81);
    for (body, pointer) in [
        (json!({}), "#/name"),
        (json!({ "name": "" }), "#/name"),
        (json!({ "name": "  " }), "#/name"),
        (json!({ "name": long }), "#/name"),
        (json!({ "name": "a\u{0}b" }), "#/name"),
        (json!({ "name": 7 }), "#/name"),
        (json!({ "name": "x", "nmae": "y" }), "#/nmae"),
        (json!({ "name": "x", "secret": "mine" }), "#/secret"),
        (json!({ "name": "x", "api": "nothing" }), "#/api"),
        (json!({ "name": "x", "permissions": ["orders:burn"] }), "#/permissions/0"),
        (json!({ "name": "x", "permissions": ["orders:read", "' or 1=1 --"] }), "#/permissions/1"),
        (json!({ "name": "x", "permissions": "orders:read" }), "#/permissions"),
        (json!({ "name": "x", "expires_at": "2020-01-01T00:00:00Z" }), "#/expires_at"),
        (json!({ "name": "x", "expires_at": "9999-01-01T00:00:00Z" }), "#/expires_at"),
        (json!({ "name": "x", "expires_at": "tomorrow" }), "#/expires_at"),
        (json!({ "name": "x", "environment": "prod" }), "#/environment"),
    ] {
        let answer = mara.post(&app, "/api/v1/keys", body.clone()).await;
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{body}");
        let (status, problem) = json(answer).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{body} → {problem}");
    }
    let form = app.http.post(app.url("/api/v1/keys")).bearer_auth(&mara.secret).form(&[("name", "x")]).send().await.unwrap();
    assert_eq!(form.status(), 422, "only JSON is read");
    let keys: i64 = sqlx::query_scalar("select count(*) from keys where workspace_id = $1").bind(mara.owner.workspace.uuid()).fetch_one(&db).await.unwrap();
    assert_eq!(keys, 1, "none was made");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn names_are_kept_as_they_are(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    for name in ["<script>alert(1)</script>", "'; drop table keys; --", "{{7*7}} ${7*7} %s", "ключ 🔑 \"quoted\"", &"ü".repeat(80)] {
        let (id, _) = mara.new_key(&app, name).await;
        let (_, body) = json(mara.get(&app, &format!("/api/v1/keys/{id}")).await).await;
        assert_eq!(text(&body, "name"), name);
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn edit_key_changes_what_is_given_all_or_nothing(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, _) = mara.new_key(&app, "checkout").await;
    let path = format!("/api/v1/keys/{id}");
    let patch = |body: Value| mara.call(&app, Method::PATCH, &path, Some(body));

    let (status, body) =
        json(patch(json!({ "name": "shop", "expires_at": "2027-01-01T00:00:00Z", "permissions": ["orders:write", "orders:read", "orders:read"] })).await).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!((text(&body, "name"), text(&body, "expires_at")), ("shop".into(), "2027-01-01T00:00:00Z".into()));
    assert_eq!(body["permissions"], json!(["orders:read", "orders:write"]));

    let (status, problem) = json(patch(json!({ "name": "kept out", "permissions": ["orders:burn"] })).await).await;
    assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some("#/permissions/0")));
    let (_, problem) = json(patch(json!({ "permissions": ["orders:read", "orders", "orders:burn"] })).await).await;
    let said: Vec<(&str, &str)> =
        problem["errors"].as_array().unwrap().iter().map(|e| (e["pointer"].as_str().unwrap(), e["detail"].as_str().unwrap())).collect();
    assert_eq!((said.len(), said[0].0, said[1]), (2, "#/permissions/1", ("#/permissions/2", "The API demo knows no permission orders:burn.")), "{problem}");
    assert!(said[0].1.starts_with("“orders” is no permission. "), "{problem}");
    let (_, body) = json(patch(json!({})).await).await;
    assert_eq!((text(&body, "name"), text(&body, "expires_at")), ("shop".into(), "2027-01-01T00:00:00Z".into()), "nothing changed, not even the name");

    let (_, body) = json(patch(json!({ "expires_at": null })).await).await;
    assert_eq!(body["expires_at"], Value::Null);
    let acts: Vec<String> = acts(&app, &mara, &id).await.into_iter().map(|(act, _)| act).collect();
    assert_eq!(acts, ["expiry", "permitted", "expiry", "renamed", "created"], "what was so already is not written again");
    assert_eq!((events(&db, "key.renamed").await, events(&db, "key.expiry").await, events(&db, "key.permitted").await), (1, 2, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_that_expires_stops_passing_by_itself(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (status, body) = json(mara.post(&app, "/api/v1/keys", json!({ "name": "x", "expires_at": "2026-11-20T13:00:00Z" })).await).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(passes(&app, &text(&body, "secret")).await, 200);
    app.ctx.clock.set(T0 + time::Duration::hours(1));
    assert_eq!(passes(&app, &text(&body, "secret")).await, 401);
    let (_, body) = json(mara.get(&app, &format!("/api/v1/keys/{}", text(&body, "id"))).await).await;
    assert_eq!(text(&body, "state"), "expired");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn limits_are_set_by_operators_only(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    let path = format!("/api/v1/keys/{id}");
    let limits = json!({ "limits": [{ "name": "burst", "limit": 1, "window": 60 }] });

    let (status, problem) = json(mara.call(&app, Method::PATCH, &path, Some(limits.clone())).await).await;
    assert_eq!((status, problem["permission"].as_str()), (403, Some("keys:manage")));
    let (status, body) = json(olga.call(&app, Method::PATCH, &path, Some(limits.clone())).await).await;
    assert_eq!((status, &body["limits"]), (200, &json!([{ "name": "burst", "limit": 1, "window": 60 }])), "an operator may, on anybody's key");
    assert_eq!((passes(&app, &secret).await, passes(&app, &secret).await), (200, 429), "the gate holds it at once");

    olga.call(&app, Method::PATCH, &path, Some(limits)).await;
    let (_, body) = json(olga.call(&app, Method::PATCH, &path, Some(json!({ "limits": [] }))).await).await;
    assert_eq!(body["limits"], json!([]));
    assert_eq!(passes(&app, &secret).await, 200, "the default again");
    let acts: Vec<String> = acts(&app, &mara, &id).await.into_iter().map(|(act, _)| act).collect();
    assert_eq!(acts, ["limited", "limited", "created"]);

    for (limit, pointer) in [
        (json!({ "name": "a", "limit": -1, "window": 60 }), "#/limits/0/limit"),
        (json!({ "name": "a", "limit": 1, "window": 0 }), "#/limits/0/window"),
        (json!({ "name": "a", "limit": 1, "window": 2_678_401 }), "#/limits/0/window"),
        (json!({ "name": "a", "limit": 1, "window": "day@Middle/Earth" }), "#/limits/0/window"),
        (json!({ "name": "a", "limit": 1, "window": "hour@Europe/Stockholm" }), "#/limits/0/window"),
        (json!({ "name": "a", "limit": 1 }), "#/limits/0/window"),
        (json!({ "name": "A b", "limit": 1, "window": 60 }), "#/limits/0/name"),
        (json!({ "name": "a", "limit": 1, "window": 60, "per": "s" }), "#/limits/0/per"),
        (json!({ "name": "a", "limit": 99_999_999_999u64, "window": 60 }), "#/limits/0/limit"),
    ] {
        let (status, problem) = json(olga.call(&app, Method::PATCH, &path, Some(json!({ "limits": [limit] }))).await).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{limit} → {problem}");
    }
    // Beyond a limit: refuse, slow down or mark, until a time.
    let with = |over: &Value| json!({ "limits": [{ "name": "a", "limit": 1, "window": 60, "over": over }] });
    for over in [
        json!({ "action": "mark" }),
        json!({ "action": "throttle", "per_second": 5 }),
        json!({ "action": "throttle", "per_second": 1_000_000, "until": "2027-01-31T00:00:00Z" }),
    ] {
        let (status, body) = json(olga.call(&app, Method::PATCH, &path, Some(with(&over))).await).await;
        assert_eq!((status, &body["limits"][0]["over"]), (200, &over));
    }
    let (_, body) = json(olga.call(&app, Method::PATCH, &path, Some(with(&json!({ "action": "refuse" })))).await).await;
    assert_eq!(body["limits"][0].get("over"), None, "left out where it refuses");
    for (over, pointer) in [
        (json!({ "action": "throttle" }), "#/limits/0/over/per_second"),
        (json!({ "action": "throttle", "per_second": 0 }), "#/limits/0/over/per_second"),
        (json!({ "action": "throttle", "per_second": 1_000_001 }), "#/limits/0/over/per_second"),
        (json!({ "action": "mark", "per_second": 5 }), "#/limits/0/over/per_second"),
        (json!({ "action": "mark", "for": 5 }), "#/limits/0/over/for"),
        (json!({ "action": "mark", "until": "soon" }), "#/limits/0/over/until"),
        (json!({ "action": "mark", "until": "2026-11-20T12:00:00Z" }), "#/limits/0/over/until"),
    ] {
        let (status, problem) = json(olga.call(&app, Method::PATCH, &path, Some(with(&over))).await).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{over} → {problem}");
    }
    for window in [json!(60), json!("credits")] {
        let limit = json!({ "name": "a", "limit": 1, "window": window, "over": { "action": "mark", "per_second": 5 } });
        let (_, problem) = json(olga.call(&app, Method::PATCH, &path, Some(json!({ "limits": [limit] }))).await).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("per_second goes with the action throttle alone") && detail.contains("Leave it out"), "{window}: {problem}");
    }
    assert_eq!(olga.call(&app, Method::PATCH, &path, Some(with(&json!({ "action": "allow" })))).await.status(), 422);

    let many: Vec<Value> = (0..33).map(|i| json!({ "name": format!("l{i}"), "limit": 1, "window": 60 })).collect();
    assert_eq!(olga.call(&app, Method::PATCH, &path, Some(json!({ "limits": many }))).await.status(), 422);
    let twice = json!({ "limits": [{ "name": "a", "limit": 1, "window": 60 }, { "name": "a", "limit": 2, "window": 60 }] });
    assert_eq!(olga.call(&app, Method::PATCH, &path, Some(twice)).await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn k03_a_key_for_tollgate_never_exceeds_its_owner(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let reader = person_with(&app, &db, "rita@example.com", "developer", &["keys:read", "keys:write"]).await;
    let make = |permissions: Value| json!({ "name": "x", "api": "tollgate", "permissions": permissions });

    let (status, problem) = json(mara.post(&app, "/api/v1/keys", make(json!(["keys:read", "keys:manage"]))).await).await;
    assert_eq!((status, problem["permission"].as_str()), (403, Some("keys:manage")), "{problem}");
    assert_eq!(mara.post(&app, "/api/v1/keys", make(json!(["keys:read", "usage:read"]))).await.status(), 201);
    assert_eq!(reader.post(&app, "/api/v1/keys", make(json!(["usage:read"]))).await.status(), 403, "nor the key that makes it");

    let (_, body) = json(mara.post(&app, "/api/v1/keys", json!({ "name": "y", "api": "tollgate" })).await).await;
    assert_eq!(body["permissions"], json!(["account:read", "keys:read", "usage:read"]));
    let path = format!("/api/v1/keys/{}", text(&body, "id"));
    let (status, _) = json(olga.call(&app, Method::PATCH, &path, Some(json!({ "permissions": ["keys:manage"] }))).await).await;
    assert_eq!(status, 403, "an operator can't lift a developer's key above the developer");
    let (status, _) = json(mara.call(&app, Method::PATCH, &path, Some(json!({ "permissions": ["keys:verify"] }))).await).await;
    assert_eq!(status, 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_may_only_what_it_was_given(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let reader = person_with(&app, &db, "rita@example.com", "developer", &["keys:read"]).await;
    assert_eq!(reader.get(&app, "/api/v1/keys").await.status(), 200);
    assert_eq!(reader.post(&app, "/api/v1/keys", json!({ "name": "x" })).await.status(), 403);
    let own = format!("/api/v1/keys/{}", reader.rest_key);
    assert_eq!(reader.call(&app, Method::DELETE, &own, None).await.status(), 403);
    let blind = person_with(&app, &db, "bo@example.com", "developer", &["usage:read"]).await;
    assert_eq!(blind.get(&app, "/api/v1/keys").await.status(), 403);
    assert_eq!(app.http.get(app.url("/api/v1/keys")).send().await.unwrap().status(), 401);
    assert_eq!(app.http.get(app.url("/api/v1/keys")).bearer_auth("tg_live_nonsense").send().await.unwrap().status(), 401);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_history_of_a_key_and_short_lists_come_in_pages(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let permissions: Vec<&str> = OPERATOR.iter().copied().chain(["plans:manage"]).collect();
    let mara = person_with(&app, &db, "mara@example.com", "operator", &permissions).await;
    let (id, _) = mara.new_key(&app, "till").await;
    for act in ["disable", "enable", "disable", "enable"] {
        assert_eq!(mara.post(&app, &format!("/api/v1/keys/{id}/{act}"), json!({ "reason": act })).await.status(), 200);
    }
    for slug in ["pro", "basic", "free"] {
        assert_eq!(mara.post(&app, "/api/v1/plans", json!({ "slug": slug, "name": slug })).await.status(), 201);
    }
    let history = format!("/api/v1/keys/{id}/history");
    for (path, rows, name) in [(history.as_str(), 5, "act"), ("/api/v1/plans", 3, "slug")] {
        let (_, all) = json(mara.get(&app, path).await).await;
        let named = |list: &Value| list["data"].as_array().unwrap().iter().map(|row| text(row, name)).collect::<Vec<_>>();
        assert_eq!((named(&all).len(), &all["has_more"]), (rows, &Value::Bool(false)), "{path}");
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let (status, page) = json(mara.get(&app, &format!("{path}?limit=2{cursor}")).await).await;
            assert_eq!(status, 200, "{page}");
            seen.extend(named(&page));
            let Some(next) = page["next_cursor"].as_str() else { break };
            assert_eq!((named(&page).len(), &page["has_more"]), (2, &Value::Bool(true)), "{page}");
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, named(&all), "{path}: each once, in the same order");
        for wrong in ["limit=0", "limit=x", "cursor=%C3%BC", "page=2"] {
            assert_eq!(mara.get(&app, &format!("{path}?{wrong}")).await.status(), 422, "{path}?{wrong}");
        }
    }
    let (_, page) = json(mara.get(&app, &format!("{history}?limit=2")).await).await;
    let cursor = text(&page, "next_cursor");
    let place = URL_SAFE_NO_PAD.decode(cursor.split('.').next().unwrap()).unwrap();
    assert!(!place.windows(8).any(|part| part.iter().all(u8::is_ascii_digit)), "how many changes all keys had is not to be read");
    let (other, _) = mara.new_key(&app, "gate").await;
    assert_eq!(mara.get(&app, &format!("/api/v1/keys/{other}/history?cursor={cursor}")).await.status(), 422, "a place of another key");
    assert_eq!(acts(&app, &mara, &id).await[0], ("enabled".to_owned(), "enable".to_owned()), "the newest first");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_program_learns_which_limits_hold_a_key_where_they_stand_and_why(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    for _ in 0..3 {
        assert_eq!(passes(&app, &secret).await, 200);
    }
    let (status, body) = json(mara.get(&app, &format!("/api/v1/keys/{id}")).await).await;
    assert_eq!(status, 200, "{body}");
    let limit = &body["limits_in_force"][0];
    assert_eq!((text(limit, "name"), &limit["limit"], &limit["used"], &limit["remaining"]), ("default".to_owned(), &json!(100), &json!(3), &json!(97)));
    let levels = body["levels"].as_array().unwrap();
    let told: Vec<_> = levels.iter().map(|l| (text(l, "level"), l["in_force"].as_bool().unwrap())).collect();
    assert_eq!(told.first(), Some(&("key".to_owned(), false)), "the nearest first");
    assert_eq!(told.last(), Some(&("default".to_owned(), true)), "nothing nearer gives any");
    assert!(body["permission_uses"].is_array() && body.get("spread").is_none(), "{body}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_refusal_says_in_its_challenge_what_is_wrong_with_the_key_that_was_sent(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let reader = person_with(&app, &db, "reader@example.com", "operator", &["keys:read"]).await;
    let said = async |secret: Option<&str>, path: &str, body: Value| {
        let asked = app.http.post(app.url(path)).json(&body);
        let answer = secret.into_iter().fold(asked, |asked, secret| asked.bearer_auth(secret)).send().await.unwrap();
        let challenge = answer.headers().get("www-authenticate").map(|v| v.to_str().unwrap().to_owned());
        (answer.status().as_u16(), challenge.unwrap_or_default())
    };
    for (path, body, lacking) in [("/api/v1/keys", json!({ "name": "x" }), "keys:write"), ("/api/v1/keys/verify", json!({ "key": "x" }), "keys:verify")] {
        assert_eq!(said(None, path, body.clone()).await, (401, "Bearer realm=\"tollgate\"".to_owned()), "{path}");
        let wrong = said(Some("nonsense"), path, body.clone()).await;
        assert_eq!(wrong, (401, "Bearer realm=\"tollgate\", error=\"invalid_token\"".to_owned()), "{path}");
        let narrow = said(Some(&reader.secret), path, body).await;
        assert_eq!(narrow, (403, format!("Bearer realm=\"tollgate\", error=\"insufficient_scope\", scope=\"{lacking}\"")), "{path}");
    }
}

/// Nobody is told to sign in who sent a key: as at `/forward-auth`, the refusal says what is wrong with it.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_that_lets_nobody_in_is_told_why(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let reader = person_with(&app, &db, "reader@example.com", "operator", &["keys:read", "keys:verify"]).await;
    let (_, of_demo) = olga.new_key(&app, "till").await;
    let refused = async |secret: &str, code: &str| {
        let sentence = code.parse::<tollgate::values::Outcome>().unwrap().sentence();
        for path in ["/api/v1/keys", "/api/v1/keys/verify"] {
            let answer = app.http.post(app.url(path)).bearer_auth(secret).json(&json!({ "key": "x" })).send().await.unwrap();
            let (status, problem) = json(answer).await;
            assert_eq!((status, text(&problem, "code").as_str(), text(&problem, "detail").as_str()), (401, code, sentence), "{path}");
        }
    };
    refused("nonsense", "MALFORMED").await;
    refused(&of_demo, "WRONG_API").await;
    for (act, code) in [("disable", "DISABLED"), ("revoke", "REVOKED")] {
        let changed = olga.post(&app, &format!("/api/v1/keys/{}/{act}", reader.rest_key), json!({})).await;
        assert_eq!(changed.status(), 200, "{act}");
        refused(&reader.secret, code).await;
    }
    let jon = person_with(&app, &db, "jon@example.com", "operator", &["keys:read", "keys:verify"]).await;
    let ended = "insert into account_disablements (account_id, at) values ($1, $2)";
    sqlx::query(ended).bind(jon.owner.account.uuid()).bind(T0).execute(&db).await.unwrap();
    crate::support::until("the gate knows it", async || json(jon.get(&app, "/api/v1/keys").await).await.1["code"] == "BANNED").await;
    refused(&jon.secret, "BANNED").await;

    let (status, problem) = json(app.http.post(app.url("/api/v1/keys/verify")).json(&json!({ "key": "x" })).send().await.unwrap()).await;
    assert!(status == 401 && text(&problem, "detail").contains("keys:verify"), "a service has no session: {problem}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_can_t_be_read_is_told_without_words_of_types(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    const TIME: &str = "A time looks like 2027-01-31T12:00:00Z.";
    for (body, pointer, detail) in [
        (json!({ "name": 5 }), "#/name", "Send text, not 5."),
        (json!({ "name": "x", "permissions": "orders:read" }), "#/permissions", "Send a list, not text."),
        (json!({ "name": "x", "meta": [] }), "#/meta", "Send an object, not a list."),
        (json!({ "name": "x", "environment": "prod" }), "#/environment", "Send `live` or `test`, not `prod`."),
        (json!({ "name": "x", "expires_at": "tomorrow" }), "#/expires_at", TIME),
        (json!({ "name": "x", "expires_at": "2027-01-01" }), "#/expires_at", TIME),
        (json!({ "name": "x", "expires_at": "2027-01-01T00:00:00" }), "#/expires_at", TIME),
        (json!({ "name": "x", "expires_at": "2027-02-30T00:00:00Z" }), "#/expires_at", "There is no such time. A time looks like 2027-01-31T12:00:00Z."),
    ] {
        let (status, problem) = json(mara.post(&app, "/api/v1/keys", body.clone()).await).await;
        assert_eq!((status, &problem["errors"]), (422, &json!([{ "pointer": pointer, "detail": detail }])), "{body}");
    }
    let body = json!({ "name": 5, "environment": "prod", "tags": "a", "nmae": "x" });
    let (_, problem) = json(mara.post(&app, "/api/v1/keys", body).await).await;
    let mut pointers: Vec<&str> = problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["#/environment", "#/name", "#/nmae", "#/tags"], "at once: {problem}");
}
