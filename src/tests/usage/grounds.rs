//! What exactly refused a call: kept with the sample, shown as the chain and the advice, and a filter; beside the filters of operators.

use super::{developer, operator};
use crate::{
    blocks::block,
    gate::{Given, Scene, key, known},
    support::until,
};
use serde_json::json;
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{ApiEdit, Ground, LimitKind, OverAction},
        server::{edit_api, gate::Gate},
    },
    usage::{
        model::{Gatepost, Question, RefusalQuery},
        server::{list_all_refusals, list_refusals},
    },
};

fn asked(pairs: &[(&str, &str)]) -> RefusalQuery {
    RefusalQuery::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
}

/// One call of each kind, written.
async fn refused(db: &PgPool) -> Scene {
    let scene = Scene::with(db.clone(), Given { limit: Some((1, 3_600)), ..Given::default() }).await;
    let ctx = &scene.app.ctx;
    block(ctx, "198.51.100.9", Some(90)).await.unwrap();
    for question in [
        json!({ "key": scene.secret }),
        json!({ "key": scene.secret }),
        json!({ "key": scene.secret, "permission": "orders:write" }),
        json!({ "key": scene.secret, "permission": "orders:write", "ip": "192.0.2.1" }),
        json!({ "key": scene.secret, "permission": "orders:write", "ip": "192.0.2.1" }),
        json!({ "key": scene.secret, "api": "tollgate" }),
        json!({ "key": scene.secret, "ip": "198.51.100.9" }),
        json!({ "key": "nonsense" }),
    ] {
        scene.ask(question).await;
    }
    block(ctx, &scene.key.to_string(), Some(60)).await.unwrap();
    scene.ask(json!({ "key": scene.secret })).await;
    until("the samples are written", || async { sqlx::query_scalar::<_, i64>("select count(*) from refusal_samples").fetch_one(db).await.unwrap() == 7 }).await;
    scene
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_rule_that_refused_is_kept_and_decides_the_chain(db: PgPool) {
    let scene = refused(&db).await;
    let ctx = &scene.app.ctx;
    let kept: Vec<(String, String, String, bool)> =
        sqlx::query_as("select ground, code, limit_name, key_id is not null from refusal_samples order by ground, address").fetch_all(&db).await.unwrap();
    let row = |ground: Ground, code: &str, limit: &str, has_key: bool| (ground.to_string(), code.to_owned(), limit.to_owned(), has_key);
    let expected = [
        row(Ground::AddressBlocked, "IP_DENIED", "", false),
        row(Ground::Api, "WRONG_API", "", true),
        row(Ground::Form, "MALFORMED", "", false),
        row(Ground::KeyBlocked, "BANNED", "", true),
        row(Ground::Limit, "RATE_LIMITED", "default", true),
        row(Ground::Permission, "FORBIDDEN", "", true),
        row(Ground::Permission, "FORBIDDEN", "", true),
    ];
    assert_eq!(kept, expected, "the second address has its own sample, its second call none");

    let operator = operator(ctx).await;
    for (rule, decided, unreached) in [
        ("address_blocked", Question::Door, Question::Key),
        ("key_blocked", Question::State, Question::Permission),
        ("permission", Question::Permission, Question::Limits),
        ("limit", Question::Limits, Question::Limits),
    ] {
        let list = list_all_refusals(ctx, &operator, asked(&[("rule", rule)])).await.unwrap();
        let cursor = list.samples[0].cursor.clone();
        let detail = list_all_refusals(ctx, &operator, asked(&[("open", cursor.as_str())])).await.unwrap().opened.unwrap();
        assert!(
            detail.posts.contains(&Gatepost::Decided(decided)) && (decided == unreached || detail.posts.contains(&Gatepost::NotReached(unreached))),
            "{rule}"
        );
        assert_eq!((detail.sample.ground.as_str(), detail.sample.is_guessed), (rule, false));
    }
    sqlx::query("update refusal_samples set ground = null").execute(&db).await.unwrap();
    let old = list_all_refusals(ctx, &operator, asked(&[("code", "BANNED")])).await.unwrap().samples.remove(0);
    assert_eq!((old.ground, old.is_guessed), (Ground::OwnerBanned, true), "kept by an earlier version");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn what_the_program_was_told_is_worked_out_while_the_limit_is_what_it_was(db: PgPool) {
    let scene = refused(&db).await;
    let ctx = &scene.app.ctx;
    let operator = operator(ctx).await;
    let opened = async |rule: &str| {
        let cursor = list_all_refusals(ctx, &operator, asked(&[("rule", rule)])).await.unwrap().samples[0].cursor.clone();
        list_all_refusals(ctx, &operator, asked(&[("open", cursor.as_str())])).await.unwrap().opened.unwrap()
    };
    let held = opened("limit").await;
    assert_eq!((held.sample.detail.as_str(), held.held_by), ("1 unit an hour was used up (limit “default”).", Some((LimitKind::Fixed, OverAction::Refuse))));
    let told = held.told.unwrap();
    let known = "429 Too Many Requests\nX-Auth-Code: RATE_LIMITED";
    assert_eq!(
        (told.lines(), told.is_derived),
        (format!("{known}\nRetry-After: 3600\nRateLimit-Policy: \"default\";q=1;w=3600"), true),
        "units that were left are not known"
    );
    let told = opened("permission").await.told.unwrap();
    assert_eq!((told.lines().as_str(), told.is_derived), ("403 Forbidden\nX-Auth-Code: FORBIDDEN", false));

    scene.execute("update key_limits set max_calls = 7 where key_id = $1").await;
    let gate = ctx.part::<Gate>().unwrap();
    until("the gate knows the other limit", || async { gate.limit_state(scene.key, 0).iter().all(|limit| limit.limit == 7) }).await;
    let told = opened("limit").await.told.unwrap();
    assert_eq!((told.lines().as_str(), told.is_derived), (known, false), "another limit says nothing of that call");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn refusals_are_found_by_api_request_limit_rule_and_owner(db: PgPool) {
    let scene = refused(&db).await;
    let ctx = &scene.app.ctx;
    let operator = operator(ctx).await;
    let list = async |pairs: &[(&str, &str)]| list_all_refusals(ctx, &operator, asked(pairs)).await.unwrap();
    let all = list(&[]).await;
    assert_eq!((all.samples.len(), all.key_choices.iter().map(|k| k.id).collect::<Vec<_>>()), (7, vec![scene.key]), "a key to pick");
    let request = all.samples[0].request_id.clone();
    for (pairs, found, counted) in [
        (vec![("api", "demo")], 5, true),
        (vec![("api", "tollgate")], 0, true),
        (vec![("request", request.as_str())], 1, false),
        (vec![("limit", "default")], 1, false),
        (vec![("rule", "permission")], 2, false),
        (vec![("owner", "Mara@Example.com")], 5, true),
        (vec![("from", "2026-11-20T11:00"), ("to", "2026-11-20T13:00")], 7, true),
        (vec![("from", "2026-11-20T13:00")], 0, true),
    ] {
        let left = list(&pairs).await;
        assert_eq!((left.samples.len(), left.codes.is_some()), (found, counted), "{pairs:?}");
    }
    assert_eq!(
        list(&[("owner", "mara@example.com")]).await.key_choices.iter().map(|k| k.id).filter(|id| *id == scene.key).count(),
        1,
        "and the key is picked from theirs"
    );
    for (pairs, field) in [
        (&[("owner", "nobody@example.com")][..], "owner"),
        (&[("owner", "Mara")][..], "owner"),
        (&[("api", "moon")][..], "api"),
        (&[("rule", "moon")][..], "rule"),
        (&[("limit", "a\0b")][..], "limit"),
    ] {
        assert!(list_all_refusals(ctx, &operator, asked(pairs)).await.unwrap_err().field(field).is_some(), "{pairs:?}");
    }
    let tom = developer(ctx, "tom", "UTC").await;
    assert!(list_refusals(ctx, &tom, asked(&[("owner", "mara@example.com")])).await.unwrap_err().field("owner").is_some(), "others are for operators");
    assert!(list_refusals(ctx, &tom, asked(&[("request", request.as_str())])).await.unwrap().samples.is_empty());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_missing_permission_is_found_also_where_its_grant_went(db: PgPool) {
    let scene = Scene::with(db.clone(), Given { permissions: &["orders:read", "orders:write"], ..Given::default() }).await;
    let ctx = &scene.app.ctx;
    let (id, without) = key(&db, &scene.app, &scene.owner, Given::default()).await;
    known(&scene.app, id).await;
    let marked = ApiEdit { needs_grant: vec![("orders:write".to_owned(), true)], ..ApiEdit::default() };
    assert!(edit_api(ctx, &Caller::cli(), "demo", marked).await.unwrap().spread.is_whole());
    for (secret, permission) in [(&scene.secret, "orders:write"), (&without, "orders:write"), (&without, "orders:refund")] {
        let (_, body) = scene.ask(json!({ "key": secret, "permission": permission, "ip": format!("192.0.2.{}", permission.len()) })).await;
        assert_eq!(body["code"], "FORBIDDEN", "{body}");
    }
    scene.app.flush().await;
    let operator = operator(ctx).await;
    let found = list_all_refusals(ctx, &operator, asked(&[("permission", "orders:write")])).await.unwrap().samples;
    let mut keys: Vec<_> = found.iter().filter_map(|sample| sample.key).collect();
    keys.sort();
    let mut both = vec![scene.key, id];
    both.sort();
    assert_eq!(keys, both, "not granted, and not given: {found:?}");
    assert_ne!(found[0].detail, found[1].detail, "each has its own sentence");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_has_every_filter_and_says_where_sampling_is_told(db: PgPool) {
    let scene = refused(&db).await;
    let operator = scene.app.sign_in_as("operator").await;
    let page = operator.browser.page("/admin/refusals?rule=key_blocked").await;
    for wanted in ["name=\"q\"", "name=\"limit\"", "name=\"api\"", "name=\"rule\"", "name=\"key\"", "name=\"from\"", "href=\"/docs/requests#refusals\""] {
        assert!(page.contains(wanted), "{wanted}");
    }
    let open = page.split("href=\"").find(|part| part.contains("open=")).and_then(|part| part.split(['"', '#']).next()).unwrap().replace("&amp;", "&");
    let opened = operator.browser.page(&open).await;
    assert!(
        opened.contains("the owner is not banned") && opened.contains("href=\"/admin/blocks\"") && !opened.contains("change that on the owner"),
        "{opened}"
    );
}
