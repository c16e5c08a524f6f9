//! One act on many keys: looked at first, then done, key by key as the single acts do it.

use super::*;
use crate::support::{browser::location, until};
use serde_json::json;
use sha2::{Digest, Sha256};
use time::Duration;
use tollgate::keys::{
    api::{ChangeMany, CreateKey},
    server::nodes::Nodes,
};

const BULK: &str = "/api/v1/keys/bulk";

/// What was answered: the names that changed, sorted, and those that were skipped with why.
async fn bulk(app: &TestApp, person: &Person, body: Value) -> (Vec<String>, Vec<(String, String)>) {
    let (status, answer) = json(person.post(app, BULK, body).await).await;
    assert_eq!(status, 200, "{answer}");
    let mut changed: Vec<String> = answer["changed"].as_array().unwrap().iter().map(|k| text(k, "name")).collect();
    changed.sort();
    (changed, answer["skipped"].as_array().unwrap().iter().map(|k| (text(k, "name"), text(k, "reason"))).collect())
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_dry_run_changes_nothing_and_the_act_does_what_it_said(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let mut keys = Vec::new();
    for name in ["a", "b", "off", "gone"] {
        keys.push(mara.new_key(&app, name).await);
    }
    mara.post(&app, &format!("/api/v1/keys/{}/disable", keys[2].0), json!({})).await;
    mara.post(&app, &format!("/api/v1/keys/{}/revoke", keys[3].0), json!({})).await;
    let ids: Vec<&str> = keys.iter().map(|(id, _)| id.as_str()).collect();
    let skipped = vec![("off".to_owned(), "is disabled already".to_owned()), ("gone".to_owned(), "is revoked, and that is final".to_owned())];
    let sorted = |mut list: Vec<(String, String)>| {
        list.sort();
        list
    };

    let body = |dry_run: bool| json!({ "act": "disable", "ids": ids, "reason": "the season is over", "dry_run": dry_run });
    let (changed, left) = bulk(&app, &mara, body(true)).await;
    assert_eq!((changed, sorted(left)), (vec!["a".to_owned(), "b".to_owned()], sorted(skipped.clone())));
    assert_eq!((passes(&app, &keys[0].1).await, events(&db, "key.disabled").await), (200, 1), "nothing happened");

    let (changed, left) = bulk(&app, &mara, body(false)).await;
    assert_eq!((changed, sorted(left)), (vec!["a".to_owned(), "b".to_owned()], sorted(skipped)));
    assert_eq!((passes(&app, &keys[0].1).await, passes(&app, &keys[1].1).await), (401, 401), "the gate knows when the answer is there");
    for (id, _) in &keys[..2] {
        assert_eq!(acts(&app, &mara, id).await[0], ("disabled".to_owned(), "the season is over".to_owned()));
    }
    assert_eq!(events(&db, "key.disabled").await, 3, "one event for each key");
    assert!(bulk(&app, &mara, body(false)).await.0.is_empty(), "sent twice, done once");
    assert_eq!(events(&db, "key.disabled").await, 3);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_act_goes_by_filter_too(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    for (name, expires) in [("shop 1", Some("2026-12-01T00:00:00Z")), ("shop 2", Some("2027-12-01T00:00:00Z")), ("shop 3", None), ("till", None)] {
        assert_eq!(mara.post(&app, "/api/v1/keys", json!({ "name": name, "expires_at": expires })).await.status(), 201);
    }
    let shops = json!({ "q": "shop", "api": "demo" });
    let (changed, _) = bulk(&app, &mara, json!({ "act": "tag", "filter": shops, "tag": "Season" })).await;
    assert_eq!(changed, ["shop 1", "shop 2", "shop 3"]);
    let season = json!({ "tag": "season" });
    let (changed, left) = bulk(&app, &mara, json!({ "act": "extend", "filter": season, "expires_at": "2027-06-01T00:00:00Z" })).await;
    assert_eq!((changed, left.len()), (vec!["shop 1".to_owned()], 2), "none ends sooner: {left:?}");
    assert_eq!(bulk(&app, &mara, json!({ "act": "disable", "filter": season })).await.0.len(), 3);
    assert_eq!(bulk(&app, &mara, json!({ "act": "enable", "filter": { "status": "disabled" } })).await.0.len(), 3);
    assert_eq!(bulk(&app, &mara, json!({ "act": "untag", "filter": season, "tag": "season" })).await.0.len(), 3);
    assert!(bulk(&app, &mara, json!({ "act": "revoke", "filter": season })).await.0.is_empty(), "none has the tag any more");
    assert_eq!(bulk(&app, &mara, json!({ "act": "revoke", "filter": { "q": "till" } })).await.0, ["till"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_can_t_be_is_refused_and_named(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (id, _) = mara.new_key(&app, "a").await;
    let too_many: Vec<String> = (0..1_001).map(|_| id.clone()).collect();
    for (body, pointer) in [
        (json!({ "act": "disable" }), "#/ids"),
        (json!({ "act": "disable", "ids": [] }), "#/ids"),
        (json!({ "act": "disable", "ids": [id], "filter": {} }), "#/ids"),
        (json!({ "act": "disable", "ids": [id, "key_x"] }), "#/ids/1"),
        (json!({ "act": "disable", "ids": too_many }), "#/ids"),
        (json!({ "act": "burn", "ids": [id] }), "#/act"),
        (json!({ "act": "extend", "ids": [id] }), "#/expires_at"),
        (json!({ "act": "extend", "ids": [id], "expires_at": "2020-01-01T00:00:00Z" }), "#/expires_at"),
        (json!({ "act": "tag", "ids": [id] }), "#/tag"),
        (json!({ "act": "tag", "ids": [id], "tag": "no good" }), "#/tag"),
        (json!({ "act": "disable", "filter": { "status": "odd" } }), "#/filter/status"),
        (json!({ "act": "disable", "filter": { "hash": "odd" } }), "#/filter/hash"),
        (json!({ "act": "disable", "filter": {} }), "#/filter"),
        (json!({ "act": "revoke", "filter": { "tag": null, "q": " " } }), "#/filter"),
        (json!({ "act": "revoke", "filter": { "everywhere": true } }), "#/filter"),
        (json!({ "act": "disable", "ids": [id], "reason": "x".repeat(201) }), "#/reason"),
    ] {
        let (status, problem) = json(mara.post(&app, BULK, body.clone()).await).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some(pointer)), "{body} → {problem}");
    }
    let reader = person_with(&app, &db, "nia@example.com", "developer", &["keys:read"]).await;
    assert_eq!(reader.post(&app, BULK, json!({ "act": "disable", "filter": {}, "all": true })).await.status(), 403);
    assert_eq!(bulk(&app, &mara, json!({ "act": "tag", "tag": "all", "filter": {}, "dry_run": true })).await.0.len(), 2, "looking needs no more");
    assert_eq!(bulk(&app, &mara, json!({ "act": "tag", "tag": "all", "filter": {}, "all": true })).await.0.len(), 2, "also the key that asks");
    let eve = person(&app, &db, "eve@example.com", "developer").await;
    let (changed, left) = bulk(&app, &eve, json!({ "act": "revoke", "ids": [id] })).await;
    assert_eq!((changed.len(), left), (0, vec![(String::new(), "is not there".to_owned())]), "of strangers nothing is told");
    assert_eq!(events(&db, "key.revoked").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn two_at_once_do_each_key_once(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    for n in 0..20 {
        mara.new_key(&app, &format!("k{n}")).await;
    }
    let body = json!({ "act": "disable", "filter": { "api": "demo" } });
    let done = futures_util::future::join_all((0..4).map(|_| bulk(&app, &mara, body.clone()))).await;
    assert_eq!(done.iter().map(|(changed, _)| changed.len()).sum::<usize>(), 20);
    assert_eq!(events(&db, "key.disabled").await, 20);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_says_what_will_happen_before_it_does(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let mut ids = Vec::new();
    for name in ["checkout", "<b>till</b>", "warehouse"] {
        app.ctx.clock.advance(Duration::seconds(1)); // the list has the newest first
        let made = vera.browser.post::<CreateKey>("/keys", &[("name", name)]).await;
        ids.push(location(&made).trim_start_matches("/keys/").to_owned());
    }
    let list = vera.browser.page("/keys").await;
    assert!(list.contains("form=\"many\"") && list.contains("all 3 keys that match"), "{list}");

    let workspace = sqlx::query_scalar("select workspace_id from keys limit 1").fetch_one(&db).await.unwrap();
    let mine = Person {
        owner: crate::gate::Owner { account: vera.account, workspace: tollgate::values::WorkspaceId::new(workspace) },
        rest_key: KeyId::new(uuid::Uuid::nil()),
        secret: String::new(),
    };
    super::lists::counted(&app, &mine, &ids[0], "VALID", Duration::hours(1), 1_234).await;
    super::lists::counted(&app, &mine, &ids[1], "VALID", Duration::hours(1), 6).await;

    let page = format!("/keys/many?act=disable&key={}&key={}", ids[0], ids[1]);
    let shown = vera.browser.page(&page).await;
    assert!(shown.contains("1,240 calls came with them in the last 24 hours.") && shown.contains("Passing"), "{shown}");
    assert!(shown.contains("Disable 2 keys") && shown.contains("&lt;b&gt;till") && !shown.contains("warehouse"), "{shown}");
    let fields = [("act", "disable"), ("keys[]", ids[0].as_str()), ("keys[]", ids[1].as_str()), ("seen", "2"), ("reason", "moved")];
    assert_eq!(location(&vera.browser.post::<ChangeMany>(&page, &fields).await), "/keys");
    assert!(vera.browser.page("/keys").await.contains("2 keys are disabled."));
    assert_eq!(location(&vera.browser.post::<ChangeMany>(&page, &fields).await), "/keys", "sent twice");
    assert_eq!(events(&db, "key.disabled").await, 2);
    let again = vera.browser.page(&page).await;
    assert!(again.contains("Nothing would change") && again.contains("2 keys are disabled already: &lt;b&gt;till&lt;/b&gt;, checkout"), "{again}");

    assert!(vera.browser.page("/keys/many").await.contains("No key is chosen"));

    // By filter; more match than the person saw.
    let page = "/keys/many?act=enable&all=true&status=disabled";
    let shown = vera.browser.page(page).await;
    assert!(shown.contains("Enable 2 keys") && !shown.contains("has leaked"), "{shown}");
    sqlx::query(
        "insert into key_leaks (id, key_id, secret_id, place, url, source, reported_by, at)
         select gen_random_uuid(), key_id, id, ''::bytea, 'https://example.com', 'content', 'secret scanning', $2 from key_secrets where key_id = $1",
    )
    .bind(ids[0].parse::<KeyId>().unwrap().uuid())
    .bind(app.ctx.clock.now())
    .execute(&db)
    .await
    .unwrap();
    let shown = vera.browser.page(page).await;
    assert!(shown.contains("1 key has leaked: others can call with it from then on.") && shown.contains(">Leaked<"), "{shown}");
    let one = [("act", "enable"), ("all", "true"), ("status", "disabled"), ("seen", "1")];
    assert_eq!(vera.browser.post::<ChangeMany>(page, &one).await.status(), 409);
    let both = [("act", "enable"), ("all", "true"), ("status", "disabled"), ("seen", "2")];
    assert_eq!(vera.browser.post::<ChangeMany>(page, &both).await.status(), 303);

    // An act that wants a word, and one that can't be taken back.
    assert!(vera.browser.page(&format!("/keys/many?act=tag&key={}", ids[0])).await.contains("name=\"label\""));
    assert!(vera.browser.page(&format!("/keys/many?act=tag&label=prod&key={}", ids[0])).await.contains("Tag 1 key with prod"));
    assert!(vera.browser.page(&format!("/keys/many?act=extend&key={}", ids[0])).await.contains("type=\"date\""));
    let page = format!("/keys/many?act=revoke&key={}", ids[2]);
    let revoke = |typed: &'static str| [("act", "revoke"), ("keys[]", ids[2].as_str()), ("seen", "1"), ("typed", typed)];
    assert_eq!(vera.browser.post::<ChangeMany>(&page, &revoke("")).await.status(), 422);
    assert_eq!(vera.browser.post::<ChangeMany>(&page, &revoke("1")).await.status(), 303);
    for wrong in ["/keys/many?act=burn&all=true", "/keys/many?act=disable", "/keys/many?act=disable&key=x", "/keys/many?act=tag&label=%3Cb%3E&all=true"] {
        assert_eq!(vera.browser.get(wrong).await.status(), 422, "{wrong}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_do_it_for_the_keys_of_everybody_and_nobody_else(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (vera, olga) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    vera.browser.post::<CreateKey>("/keys", &[("name", "checkout")]).await;
    olga.browser.post::<CreateKey>("/keys", &[("name", "gateway")]).await;
    assert!(olga.browser.page("/admin/keys").await.contains("form=\"many\""));
    assert!(olga.browser.page("/keys/many?act=disable&all=true").await.contains("Disable 1 key"), "on the own page only the own keys");
    let page = "/admin/keys/many?act=disable&all=true";
    let shown = olga.browser.page(page).await;
    assert!(shown.contains("Disable 2 keys") && shown.contains(">Owner<"), "{shown}");
    assert_eq!(vera.browser.get(page).await.status(), 403);
    let fields = [("act", "disable"), ("all", "true"), ("seen", "2")];
    assert_eq!(vera.browser.post::<tollgate::admin::api::ChangeManyKeys>("/keys", &fields).await.status(), 403);
    assert_eq!(location(&olga.browser.post::<tollgate::admin::api::ChangeManyKeys>(page, &fields).await), "/admin/keys");
    assert_eq!(events(&db, "key.disabled").await, 2);
    let found = olga.browser.page("/admin/keys?q=developer").await.replace("<!>", "");
    assert!(found.contains("checkout") && !found.contains("gateway"), "by the owner's email");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_give_many_keys_a_plan_and_take_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    sqlx::query("insert into plans (id, slug, name, created_at, updated_at) values (gen_random_uuid(), 'gold', 'Gold', now(), now())")
        .execute(&db)
        .await
        .unwrap();
    let (id, _) = mara.new_key(&app, "a").await;
    mara.new_key(&app, "b").await;
    let filter = json!({ "owner": "mara@example", "api": "demo" });
    let give = json!({ "act": "plan", "filter": filter, "plan": "gold", "reason": "they pay" });
    assert_eq!(bulk(&app, &olga, give.clone()).await.0, ["a", "b"]);
    assert_eq!(acts(&app, &mara, &id).await[0], ("planned".to_owned(), "they pay".to_owned()));
    let (changed, left) = bulk(&app, &olga, give).await;
    assert!(changed.is_empty() && left.iter().all(|(_, why)| why == "has this plan already"), "sent twice: {left:?}");
    assert_eq!(events(&db, "key.planned").await, 2);
    assert_eq!(bulk(&app, &olga, json!({ "act": "plan", "ids": [id], "plan": null })).await.0, ["a"]);
    assert_eq!(bulk(&app, &olga, json!({ "act": "plan", "ids": [id], "plan": null })).await.1[0].1, "has no plan of its own");
    for body in [json!({ "act": "plan", "ids": [id] }), json!({ "act": "plan", "ids": [id], "plan": "silver" })] {
        let (status, problem) = json(olga.post(&app, BULK, body).await).await;
        assert_eq!((status, problem["errors"][0]["pointer"].as_str()), (422, Some("#/plan")), "{problem}");
    }
    assert_eq!(mara.post(&app, BULK, json!({ "act": "plan", "ids": [id], "plan": "gold" })).await.status(), 403);
    assert_eq!(mara.post(&app, BULK, json!({ "act": "disable", "filter": filter })).await.status(), 403, "by owner looks beyond the workspace");

    let (vera, ops) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    vera.browser.post::<CreateKey>("/keys", &[("name", "checkout")]).await;
    assert!(!vera.browser.page("/keys").await.contains("Give a plan"));
    assert_eq!(vera.browser.get("/keys/many?act=plan&all=true").await.status(), 403);
    assert!(ops.browser.page("/admin/keys").await.contains("Give a plan"));
    let asked = ops.browser.page("/admin/keys/many?act=plan&all=true&q=checkout").await;
    assert!(asked.contains("name=\"label\"") && asked.contains("Gold"), "{asked}");
    let page = "/admin/keys/many?act=plan&all=true&q=checkout&label=gold";
    assert!(ops.browser.page(page).await.contains("Give 1 key the plan gold"));
    let fields = [("act", "plan"), ("all", "true"), ("q", "checkout"), ("label", "gold"), ("seen", "1")];
    assert_eq!(location(&ops.browser.post::<tollgate::admin::api::ChangeManyKeys>(page, &fields).await), "/admin/keys");
    assert!(ops.browser.page("/admin/keys").await.contains("1 key has the plan."));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn keys_are_found_by_their_owner_for_operators_and_by_how_tags_begin(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@else.example", "operator").await;
    mara.post(&app, "/api/v1/keys", json!({ "name": "shop", "tags": ["production"] })).await;
    olga.post(&app, "/api/v1/keys", json!({ "name": "gateway", "api": "demo" })).await;
    let names = async |person: &Person, query: &str| {
        let (status, body) = json(person.get(&app, &format!("/api/v1/keys?api=demo&{query}")).await).await;
        (status, body["data"].as_array().map(|keys| keys.iter().map(|key| text(key, "name")).collect::<Vec<_>>()).unwrap_or_default())
    };
    assert_eq!(names(&olga, "owner=MARA@example").await, (200, vec!["shop".to_owned()]));
    sqlx::query("update accounts set name = 'Mara Lindqvist' where id = $1").bind(mara.owner.account.uuid()).execute(&db).await.unwrap();
    assert_eq!(names(&olga, "owner=lindqvist").await, (200, vec!["shop".to_owned()]), "by the person's name");
    assert_eq!(names(&olga, "everywhere=true&q=lindqvist").await, (200, vec!["shop".to_owned()]));
    assert_eq!(names(&olga, "q=mara").await, (200, vec![]), "without it the own workspace only");
    assert_eq!(names(&mara, "owner=olga").await.0, 403);
    assert_eq!(names(&mara, "q=PROD").await, (200, vec!["shop".to_owned()]));
    assert_eq!(names(&mara, "q=duction").await, (200, vec![]), "how a tag begins, not a part of it");
    let file = olga.get(&app, "/api/v1/keys/export?owner=mara@example&api=demo").await.text().await.unwrap();
    assert!(file.lines().count() == 2 && file.contains("shop"), "{file}");
    assert_eq!(mara.get(&app, "/api/v1/keys/export?owner=olga").await.status(), 403);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_list_and_export_the_keys_of_every_workspace(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@else.example", "operator").await;
    let shop = mara.new_key(&app, "shop").await.0;
    let gateway = olga.new_key(&app, "gateway").await.0;
    let everybody = "api=demo&everywhere=true";
    let (_, list) = json(olga.get(&app, &format!("/api/v1/keys?{everybody}")).await).await;
    let mut ids: Vec<String> = list["data"].as_array().unwrap().iter().map(|key| text(key, "id")).collect();
    ids.sort();
    let mut both = vec![shop, gateway];
    both.sort();
    assert_eq!(ids, both);
    let next = olga.get(&app, &format!("/api/v1/keys?{everybody}&limit=1")).await.headers()["link"].to_str().unwrap().to_owned();
    assert!(next.contains("everywhere=true"), "the next page is of everybody, too: {next}");

    let file = olga.get(&app, &format!("/api/v1/keys/export?{everybody}")).await.text().await.unwrap();
    assert!(file.lines().count() == 3 && [&mara, &olga].iter().all(|one| file.contains(&one.owner.workspace.to_string())), "whose each is: {file}");
    let asked = json!({ "of": "keys", "filters": { "api": "demo", "everywhere": "true" } });
    let (status, job) = json(olga.post(&app, "/api/v1/exports", asked.clone()).await).await;
    assert_eq!((status, text(&job, "description")), (202, "Keys of every workspace, api demo".to_owned()));
    for path in [format!("/api/v1/keys?{everybody}"), format!("/api/v1/keys/export?{everybody}")] {
        assert_eq!(mara.get(&app, &path).await.status(), 403, "{path}");
    }
    assert_eq!(mara.post(&app, "/api/v1/exports", asked).await.status(), 403);
    let unclear = json!({ "of": "keys", "filters": { "everywhere": "yes" } });
    let (status, problem) = json(olga.post(&app, "/api/v1/exports", unclear).await).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("#/filters/everywhere")), "{problem}");

    let page = app.sign_in_as("operator").await.browser.page("/admin/keys?api=demo").await.replace("&amp;", "&");
    for wanted in ["/api/v1/keys/export?api=demo&everywhere=true&format=csv", "/exports?of=keys&api=demo&everywhere=true"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_change_the_keys_of_every_workspace_by_filter_over_rest(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let olga = person(&app, &db, "olga@example.com", "operator").await;
    let (_, secret) = mara.new_key(&app, "shop").await;
    olga.new_key(&app, "gateway").await;
    let tag = |filter: Value| json!({ "act": "tag", "tag": "season", "filter": filter });
    let everybody = json!({ "api": "demo", "everywhere": true });
    let (status, refused) = json(mara.post(&app, BULK, tag(everybody.clone())).await).await;
    assert_eq!((status, events(&db, "key.tagged").await), (403, 0), "{refused}");
    let dry = json!({ "act": "tag", "tag": "season", "filter": everybody, "dry_run": true });
    assert_eq!(mara.post(&app, BULK, dry.clone()).await.status(), 403, "nor may they look");
    assert_eq!(bulk(&app, &mara, tag(json!({ "api": "demo", "everywhere": false }))).await.0, ["shop"], "of their own workspace, as without it");
    assert_eq!(bulk(&app, &olga, tag(json!({ "api": "demo" }))).await.0, ["gateway"]);
    let all = |act: &str| json!({ "act": act, "filter": everybody });
    assert_eq!(bulk(&app, &olga, dry).await.0, Vec::<String>::new(), "each has the tag");
    assert_eq!(bulk(&app, &olga, all("disable")).await.0, ["gateway", "shop"]);
    assert_eq!(passes(&app, &secret).await, 401);
    assert_eq!(bulk(&app, &olga, all("enable")).await.0, ["gateway", "shop"]);

    // One key, by what is known of its secret.
    let hash: String = Sha256::digest(&secret).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(bulk(&app, &olga, json!({ "act": "revoke", "filter": { "hash": hash, "everywhere": true } })).await.0, ["shop"]);
    let unclear = json!({ "act": "disable", "filter": { "everywhere": "true" } });
    assert_eq!(olga.post(&app, BULK, unclear).await.status(), 422);
}

/// Two transactions, of which the second fails, and another server that never confirms.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_changed_before_a_failure_is_waited_for(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (_, secret) = mara.new_key(&app, "first").await;
    sqlx::query(
        "insert into keys (id, workspace_id, api_id, name, state, created_at, updated_at)
         select ('ffffffff-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, k.workspace_id, k.api_id, 'key ' || n,
           case n when 1000 then 'active' else 'disabled' end, k.created_at, k.updated_at
         from keys k, generate_series(1, 1000) n where k.name = 'first'",
    )
    .execute(&db)
    .await
    .unwrap();
    for sql in [
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not this one'; end $$",
        "create trigger refuse before update on keys for each row when (old.name = 'key 1000') execute function refuse()",
        "insert into nodes (id, name, version, started_at, beat_at, stops_after, keys, seen)
         values (gen_random_uuid(), 'deaf:1', '1', now(), now() + interval '1 hour', 900, 0, pg_current_snapshot())",
    ] {
        sqlx::query(sql).execute(&db).await.unwrap();
    }
    let nodes = app.ctx.part::<Nodes>().unwrap();
    until("it knows of the other server", async || nodes.members().list.len() == 2).await;

    let began = std::time::Instant::now();
    let answer = mara.post(&app, BULK, json!({ "act": "disable", "filter": { "api": "demo" } })).await;
    assert!(answer.status().is_server_error(), "{}", answer.status());
    let states: Vec<(String, String)> =
        sqlx::query_as("select name, state from keys where name in ('first', 'key 1000') order by name").fetch_all(&db).await.unwrap();
    let state = |name: &str, state: &str| (name.to_owned(), state.to_owned());
    assert_eq!(states, [state("first", "disabled"), state("key 1000", "active")], "the first transaction is committed");
    assert!(began.elapsed() >= std::time::Duration::from_secs(2), "and waited for, as if all had gone well");
    assert_eq!(passes(&app, &secret).await, 401);
}
