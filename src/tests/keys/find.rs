//! Whose is this key: by its hash, on the page, over REST and without JavaScript.

use super::*;
use crate::support::{browser::location, log::Log};
use tollgate::{
    keys::api::{CreateKey, FindKey},
    platform::crypto::{sha256, sha512},
};

fn hex(secret: &str) -> String {
    sha256(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As the browser sends it: both hashes.
fn both(secret: &str) -> String {
    let sha512: String = sha512(secret).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}.{sha512}", hex(secret))
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_is_found_by_its_hash_by_its_owner_only(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let eve = person(&app, &db, "eve@example.com", "developer").await;
    let (id, secret) = mara.new_key(&app, "checkout").await;
    mara.new_key(&app, "warehouse").await;
    let found = async |who: &Person, query: String| {
        let (status, body) = json(who.get(&app, &format!("/api/v1/keys?{query}")).await).await;
        assert_eq!(status, 200, "{body}");
        body["data"].as_array().unwrap().iter().map(|k| text(k, "id")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(&mara, format!("hash={}", hex(&secret))).await, id);
    assert_eq!(found(&mara, format!("hash={}", hex(&secret).to_uppercase())).await, id);
    assert_eq!(found(&mara, format!("q={secret}")).await, id, "a whole key in the search is found exactly");
    assert!(found(&mara, format!("hash={}", hex("something else"))).await.is_empty());
    assert!(found(&eve, format!("hash={}", hex(&secret))).await.is_empty(), "not by strangers");
    assert_eq!(found(&mara, format!("hash={}", both(&secret))).await, id);
    for wrong in [
        format!("hash={}.", hex(&secret)),
        format!("hash={}.{}", both(&secret), hex("x")),
        "hash=x".to_owned(),
        format!("hash={}", "g".repeat(64)),
        format!("hash={}", "ü".repeat(32)),
    ] {
        assert_eq!(mara.get(&app, &format!("/api/v1/keys?{wrong}")).await.status(), 422, "{wrong}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_says_whose_it_is_with_revoking_at_hand(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (vera, olga) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let made = vera.browser.post::<CreateKey>("/keys", &[("name", "checkout")]).await;
    let path = location(&made).to_owned();
    let page = vera.browser.page(&path).await;
    let shown = page.split_once("data-testid=\"secret\"").expect("the secret on the page").1;
    let secret: String = shown[shown.find("demo_live_").expect("a secret")..].chars().take(46).collect();

    let form = vera.browser.page("/keys/find").await;
    assert!(form.contains("name=\"secret\"") && form.contains("data-hashed=\"/keys\""));
    let sent = vera.browser.post::<FindKey>("/keys/find", &[("secret", &format!(" {secret} ")), ("everywhere", "false")]).await;
    let to = location(&sent).to_owned();
    assert_eq!(to, format!("/keys?hash={}", both(&secret)));
    let found = vera.browser.page(&to).await;
    assert!(found.contains("This is ") && found.contains(&format!("href=\"{path}?dialog=revoke\"")), "{found}");

    let sent = olga.browser.post::<FindKey>("/keys/find?among=all", &[("secret", &secret), ("everywhere", "true")]).await;
    assert!(olga.browser.page(location(&sent)).await.contains(&vera.name), "an operator sees whose it is");
    sqlx::query("update key_secrets set ended = true, end_noted = true, expires_at = $1").bind(crate::support::T0).execute(&db).await.unwrap();
    let ended = vera.browser.page(&to).await;
    assert!(ended.contains("This is an old secret of ") && ended.contains("answered EXPIRED"), "{ended}");
    let unknown = vera.browser.page(&format!("/keys?hash={}", hex("x"))).await;
    assert!(unknown.contains("No key here has this secret"));
    let unknown = olga.browser.page(&format!("/admin/keys?hash={}", hex("x"))).await;
    assert!(unknown.contains("No key in any workspace has this secret") && !unknown.contains("another workspace"), "{unknown}");
    let long = "x".repeat(501);
    for wrong in ["", "  ", &long] {
        let refused = vera.browser.post::<FindKey>("/keys/find", &[("secret", wrong)]).await;
        assert_eq!(refused.status(), 422);
        assert!(wrong.len() < 3 || !refused.text().await.unwrap().contains(wrong), "what was pasted does not come back");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_its_owner_and_operators_are_told_that_a_secret_has_ended(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (vera, eve, olga) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    // Without a key there is no list.
    eve.browser.post::<CreateKey>("/keys", &[("name", "shop")]).await;
    let made = vera.browser.post::<CreateKey>("/keys", &[("name", "checkout")]).await;
    let page = vera.browser.page(location(&made)).await;
    let shown = page.split_once("data-testid=\"secret\"").expect("the secret on the page").1;
    let secret: String = shown[shown.find("demo_live_").expect("a secret")..].chars().take(46).collect();
    let (own, everywhere) = (format!("/keys?hash={}", both(&secret)), format!("/admin/keys?hash={}", both(&secret)));
    let is_unknown = async |who: &crate::support::browser::Person, address: &str| {
        let page = who.browser.page(address).await;
        assert_ne!(page.contains("has ended"), page.contains("No key here has this secret"), "{address}: {page}");
        page.contains("No key here has this secret")
    };

    sqlx::query("update key_secrets set ended = true, end_noted = true, expires_at = $1").bind(crate::support::T0).execute(&db).await.unwrap();
    assert!(is_unknown(&eve, &own).await, "while it is known whose it was");
    // As it is forgotten after 30 days.
    sqlx::query("delete from key_secrets where ended").execute(&db).await.unwrap();
    assert!(!is_unknown(&vera, &own).await, "its owner");
    assert!(!is_unknown(&olga, &everywhere).await, "an operator");
    assert!(is_unknown(&eve, &own).await, "nobody else");

    // Nor does a list to import tell.
    let check = async |who: &crate::support::browser::Person| {
        let list = format!("name,hash\nold,{}\n", hex(&secret));
        let sent = who.browser.post::<tollgate::keys::api::CheckImport>("/keys/import", &[("api", "demo"), ("list", &list)]).await;
        who.browser.page(location(&sent)).await
    };
    let (own, strange) = (check(&vera).await, check(&eve).await);
    assert!(own.contains("This secret was ended here"), "{own}");
    assert!(strange.contains("be imported here") && !strange.contains("was ended"), "{strange}");

    // Of one that was forgotten before it was kept whose it was, only operators are told.
    sqlx::query("update ended_secrets set workspace_id = null").execute(&db).await.unwrap();
    assert!(is_unknown(&vera, &format!("/keys?hash={}", hex(&secret))).await);
    assert!(!is_unknown(&olga, &everywhere).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_reads_who_has_a_key_with_the_way_to_the_account(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (vera, olga) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let made = vera.browser.post::<CreateKey>("/keys", &[("name", "checkout")]).await;
    let path = location(&made).to_owned();
    let page = vera.browser.page(&path).await;
    let shown = page.split_once("data-testid=\"secret\"").expect("the secret on the page").1;
    let secret: String = shown[shown.find("demo_live_").expect("a secret")..].chars().take(46).collect();
    sqlx::query("update workspaces set name = 'Nordlicht Shop' where personal_of = $1").bind(vera.account.uuid()).execute(&db).await.unwrap();
    let (account, who) = (format!("href=\"/admin/accounts/{}\"", vera.account), format!("({}, {})", vera.name, vera.email));
    let id = path.trim_start_matches("/keys/");
    for (address, has_email) in [
        (format!("/admin/keys?hash={}", both(&secret)), true),
        (format!("/admin/keys?key={id}"), true),
        (path.clone(), true),
        ("/admin/keys".to_owned(), false),
    ] {
        let page = olga.browser.page(&address).await;
        assert!(page.contains(&account) && page.contains("Nordlicht Shop"), "{address}: {page}");
        assert_eq!(page.contains(&who), has_email, "{address}: {page}");
    }
    let own = vera.browser.page(&format!("/keys?hash={}", both(&secret))).await;
    assert!(own.contains("This is ") && !own.contains(&account), "{own}");
    // By the name of the person, whatever the workspace is called.
    for (q, found) in [(vera.name.to_lowercase(), true), ("nobody of these".to_owned(), false)] {
        let list = olga.browser.page(&format!("/admin/keys?q={}", q.replace(' ', "+"))).await;
        assert_eq!(list.contains("checkout"), found, "{q}: {list}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r69_a_whole_key_leaves_the_address_of_a_page_at_once_and_no_log_has_it(db: PgPool) {
    let (log, _guard) = Log::keep("info,tollgate=trace");
    let app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "developer").await;
    let (_, secret) = mara.new_key(&app, "checkout").await;
    let (vera, olga) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    for (browser, asked, clean) in [
        (&vera.browser, format!("/keys?api=demo&q={secret}"), "/keys?api=demo"),
        (&vera.browser, format!("/keys?q=Bearer+{secret}"), "/keys"),
        (&vera.browser, format!("/requests?code=FORBIDDEN&address={}", secret.replace('_', "%5f")), "/requests?code=FORBIDDEN"),
        (&olga.browser, format!("/admin/keys?q={secret}&status=new"), "/admin/keys?status=new"),
        // Who is not signed in is not sent to sign in with it either.
        (&app.browser(), format!("/keys?q={secret}"), "/keys"),
    ] {
        let answer = browser.get(&asked).await;
        assert_eq!(location(&answer), clean, "{asked}");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        assert!(!answer.text().await.unwrap().contains(&secret));
    }
    assert!(vera.browser.page("/keys").await.contains("Use “Find by secret” on Keys."), "the next page says so");
    let hash = format!("/keys?hash={}", both(&secret));
    assert_eq!(vera.browser.get(&hash).await.status(), 200, "its hashes may stand there");
    assert!(!log.text().contains(&secret[10..]), "neither the address nor the secret alone");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn without_a_script_the_browser_refuses_a_whole_key_in_a_search(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (vera, olga) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    vera.browser.post::<CreateKey>("/keys", &[("name", "checkout")]).await;
    for (browser, path) in [(&vera.browser, "/keys"), (&olga.browser, "/admin/keys"), (&olga.browser, "/admin/accounts")] {
        let page = browser.page(path).await;
        let field = page.split_once("type=\"search\"").expect("a search field").1.split_once('>').unwrap().0;
        assert!(
            field.contains(&format!("pattern=\"(?!.*{}).*\"", tollgate::values::SECRET_SHAPE)) && field.contains("title=\"Do not paste a whole key"),
            "{field}"
        );
        assert!(page.contains("Find by secret"), "{path}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_key_that_was_imported_is_found_by_pasting_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (vera, eve) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let list = format!("name,hash\nlong,{}\nshort,{}\n", both("of old").split_once('.').unwrap().1, hex("of yore"));
    let sent = vera.browser.post::<tollgate::keys::api::CheckImport>("/keys/import", &[("api", "demo"), ("list", &list)]).await;
    let to = location(&sent).to_owned();
    vera.browser.post::<tollgate::keys::api::RunImport>(&to, &[("list", to.split_once('=').unwrap().1)]).await;
    for (secret, name) in [("of old", "long"), ("of yore", "short")] {
        let sent = vera.browser.post::<FindKey>("/keys/find", &[("secret", secret)]).await;
        let found = vera.browser.page(location(&sent)).await;
        assert!(found.contains("This is ") && found.contains(&format!(">{name}</a>")), "{secret}: {found}");
        let sent = eve.browser.post::<FindKey>("/keys/find", &[("secret", secret)]).await;
        assert!(!eve.browser.page(location(&sent)).await.contains(&format!(">{name}</a>")), "not by strangers");
    }
}
