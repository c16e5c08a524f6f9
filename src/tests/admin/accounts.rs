//! Accounts, for operators: found, kept out, let in again.

use super::{answer, caller, events, key_of};
use crate::support::{
    TestApp,
    browser::{PASSWORD, location},
    mailbox, until,
};
use sqlx::PgPool;
use tollgate::{
    accounts::server::{self as accounts, NewAccount, Visitor, create_account},
    admin::{api, model::AccountQuery, server},
    error::AppError,
    keys::{model::NewKey, server::create_key},
    values::{AccountId, Outcome},
};

fn visitor() -> Visitor {
    Visitor { address: "192.0.2.1".parse().unwrap(), device: "test".to_owned() }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn accounts_are_found_by_name_address_id_and_status(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let ilse = app.account("ilse@brandt.example", "Ilse <b>Brandt</b>", "developer").await;
    let unproven =
        NewAccount { email: "late@example.com".parse().unwrap(), name: "Late", password: None, roles: &["developer"], is_verified: false, by: "test" };
    create_account(&app.ctx, &unproven).await.unwrap();

    let by_id = format!("/admin/accounts?q={ilse}");
    for (path, found) in [
        ("/admin/accounts", vec!["ilse@", "late@", "operator0@"]),
        ("/admin/accounts?q=BRANDT", vec!["ilse@"]),
        ("/admin/accounts?q=late%40", vec!["late@"]),
        (by_id.as_str(), vec!["ilse@"]),
        ("/admin/accounts?status=unproven", vec!["late@"]),
        ("/admin/accounts?status=operator", vec!["operator0@"]),
        ("/admin/accounts?status=active&q=example", vec!["ilse@", "operator0@"]),
        ("/admin/accounts?q=%25", vec![]),
    ] {
        let page = operator.browser.page(path).await;
        let rows: Vec<&str> = ["ilse@", "late@", "operator0@"].into_iter().filter(|who| page.contains(&format!("<span>{who}"))).collect();
        assert_eq!(rows, found, "{path}");
    }
    let page = operator.browser.page("/admin/accounts").await;
    assert!(page.contains("Ilse &lt;b&gt;Brandt&lt;/b&gt;") && !page.contains("<b>Brandt"), "names are text");
    assert!(operator.browser.page("/admin/accounts?q=nobody").await.contains("No account matches"));
    for wrong in ["/admin/accounts?status=x", "/admin/accounts?older=x"] {
        assert_eq!(operator.browser.get(wrong).await.status(), 422, "{wrong}");
    }
    assert_eq!(operator.browser.get("/admin/accounts/acc_nobody").await.status(), 404);
    assert_eq!(operator.browser.get(&format!("/admin/accounts/{}", app.ctx.new_id::<AccountId>())).await.status(), 404);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_page_of_an_account_has_its_name_and_says_who_acted_as_a_person_does(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (key, _) = key_of(&app, &person, "shop").await;
    let page = operator.browser.page(&format!("/admin/accounts/{}", person.account)).await;
    for words in [format!("<title>{} · Tollgate", person.name), format!("aria-current=\"page\" class=\"truncate\">{}<", person.name)] {
        assert!(page.contains(&words), "{words}: {page}");
    }
    let said = "An operator on the command line created the key";
    assert!(page.contains(&format!("{said} shop")), "{page}");
    assert!(person.browser.page(&format!("/keys/{key}")).await.contains(said));
    // Somebody may be called so, from a time when one could.
    let cli = app.account("cli@example.com", "Mara", "developer").await;
    sqlx::query("update accounts set name = 'cli' where id = $1").bind(cli.uuid()).execute(&app.ctx.db).await.unwrap();
    let new = NewKey { name: "mine".to_owned(), api: Some("demo".to_owned()), ..NewKey::default() };
    create_key(&app.ctx, &app.caller_in_a_browser(cli).await, new).await.unwrap();
    let page = operator.browser.page(&format!("/admin/accounts/{cli}")).await;
    assert!(page.contains("cli created the key mine") && !page.contains(said), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s97_pages_of_accounts_show_each_account_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.account("op@example.com", "Op", "operator").await;
    // Several of one instant: the id settles their order.
    sqlx::query(
        "insert into accounts (id, email, email_key, name, verified_at, created_at, updated_at)
         select gen_random_uuid(), 'p' || n || '@example.com', 'p' || n || '@example.com', 'P', now(), to_timestamp(n / 7), now() from generate_series(1, 119) n",
    )
    .execute(&app.ctx.db)
    .await
    .unwrap();
    let operator = caller(&app, operator).await;
    let list = |query: AccountQuery| server::list_accounts(&app.ctx, &operator, query);

    let mut seen = Vec::new();
    let mut pages = vec![list(AccountQuery::default()).await.unwrap()];
    while let Some(older) = pages.last().unwrap().older {
        pages.push(list(AccountQuery { older: Some(older.to_string()), ..AccountQuery::default() }).await.unwrap());
    }
    for page in &pages {
        assert_eq!((page.found, page.all), (120, 120));
        seen.extend(page.rows.iter().map(|row| row.id));
    }
    assert_eq!((pages.len(), seen.len()), (3, 120));
    assert_eq!(seen.iter().collect::<std::collections::HashSet<_>>().len(), 120);
    assert!(pages[0].newer.is_none());

    let newer = pages[2].newer.map(|id| id.to_string());
    let back = list(AccountQuery { newer, ..AccountQuery::default() }).await.unwrap();
    assert_eq!(back.rows, pages[1].rows, "the way back is the same page");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r45_disabling_ends_sessions_and_bans_keys(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let (_, secret) = key_of(&app, &person, "shop").await;
    accounts::forgot_password(&app.ctx, &visitor(), &person.email).await.unwrap();
    let link = mailbox::link(&app.mail_to(&person.email).await, "/reset-password").to_owned();
    assert_eq!(answer(&app, &secret), Outcome::Valid);

    let page = format!("/admin/accounts/{}", person.account);
    let question = operator.browser.page(&format!("{page}?ask=disable")).await;
    assert!(question.contains("1 session ends and 1 key is answered"), "the question says numbers");

    // Without a reason it is refused, beside the field.
    let id = person.account.to_string();
    let refused = operator.browser.post::<api::DisableAccount>(&format!("{page}?ask=disable"), &[("id", &id), ("reason", "  ")]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("Say why."));
    assert!(person.browser.is_signed_in().await);

    let done = operator.browser.post::<api::DisableAccount>(&format!("{page}?ask=disable"), &[("id", &id), ("reason", "shared <the> key")]).await;
    assert_eq!(location(&done), page);
    assert!(!person.browser.is_signed_in().await);
    until("the key is banned", || async { answer(&app, &secret) == Outcome::Banned }).await;
    let again = person.browser.sign_in(&person.email, PASSWORD).await;
    assert_eq!(again.status(), 409);
    assert!(again.text().await.unwrap().contains("shared &lt;the&gt; key"), "the person reads why");
    let dead = app.browser();
    dead.get(&link).await;
    let dead = dead.post::<tollgate::accounts::api::ResetPassword>("/reset-password", &[("new_password", "seepferdchen im nebel")]).await;
    assert_eq!(dead.status(), 422, "a link that was out is dead");

    // Sent twice it is done once.
    operator.browser.post::<api::DisableAccount>(&page, &[("id", &id), ("reason", "again")]).await;
    assert_eq!(events(&app, "account.disabled").await, 1);
    let shown = operator.browser.page(&page).await;
    assert!(shown.contains("Reason: “shared &lt;the&gt; key”") && shown.contains(&format!("disabled {}", person.name)));

    let enabled = operator.browser.post::<api::EnableAccount>(&page, &[("id", &id)]).await;
    assert_eq!(location(&enabled), page);
    operator.browser.post::<api::EnableAccount>(&page, &[("id", &id)]).await;
    assert_eq!(events(&app, "account.enabled").await, 1);
    until("the key passes again", || async { answer(&app, &secret) == Outcome::Valid }).await;
    assert_eq!(person.browser.sign_in(&person.email, PASSWORD).await.status(), 303);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s89_nobody_disables_themself_nor_the_last_operator(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let page = format!("/admin/accounts/{}", operator.account);
    let refused = operator.browser.post::<api::DisableAccount>(&page, &[("id", &operator.account.to_string()), ("reason", "tired")]).await;
    assert_eq!(refused.status(), 409);
    assert!(!operator.browser.page(&page).await.contains("value=\"disable\""), "it is not offered");

    let cli = caller(&app, operator.account).await;
    let last = server::disable_account(&app.ctx, &cli, &visitor(), operator.account, "by the command line").await;
    assert!(matches!(last, Err(AppError::Conflict { ref message }) if message.contains("last operator")), "{last:?}");
    assert!(operator.browser.is_signed_in().await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s89_two_operators_who_disable_each_other_leave_one(db: PgPool) {
    let app = TestApp::start(db).await;
    let (one, two) = (app.account("one@example.com", "One", "operator").await, app.account("two@example.com", "Two", "operator").await);
    let (first, second) = (app.caller_in_a_browser(one).await, app.caller_in_a_browser(two).await);
    let from = visitor();
    let (a, b) =
        tokio::join!(server::disable_account(&app.ctx, &first, &from, two, "you or me"), server::disable_account(&app.ctx, &second, &from, one, "you or me"),);
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1, "{a:?} {b:?}");
    assert_eq!(events(&app, "account.disabled").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn sessions_end_one_by_one_and_all_at_once(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let second = app.browser_called("curl/8.5.0");
    second.sign_in(&person.email, PASSWORD).await;
    let caller = caller(&app, operator.account).await;
    let read = || server::read_account(&app.ctx, &caller, person.account);
    let curl = read().await.unwrap().sessions.into_iter().find(|s| s.device == "curl").unwrap();

    let (page, id) = (format!("/admin/accounts/{}", person.account), person.account.to_string());
    let fields = [("id", id.as_str()), ("session", &curl.id.to_string())];
    assert_eq!(operator.browser.post::<api::EndSession>(&page, &fields).await.status(), 303);
    assert!(!second.is_signed_in().await && person.browser.is_signed_in().await);
    operator.browser.post::<api::EndSession>(&page, &fields).await;
    assert_eq!(events(&app, "session.ended").await, 1, "the second press does nothing");

    operator.browser.post::<api::EndSessions>(&page, &[("id", &id)]).await;
    assert!(!person.browser.is_signed_in().await && operator.browser.is_signed_in().await);
    operator.browser.post::<api::EndSessions>(&page, &[("id", &id)]).await;
    assert_eq!(events(&app, "session.all_ended").await, 1);
    assert_eq!(read().await.unwrap().sessions, []);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r14_an_operator_sends_a_link_and_chooses_no_password(db: PgPool) {
    let app = TestApp::start(db).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let page = format!("/admin/accounts/{}", person.account);
    let sent = operator.browser.post::<api::SendResetLink>(&page, &[("id", &person.account.to_string())]).await;
    assert_eq!(location(&sent), page);
    let mail = app.mail_to(&person.email).await;
    assert!(!operator.browser.page(&page).await.contains("token="), "the operator never sees the link");
    assert!(person.browser.is_signed_in().await, "nothing changed before it is used");

    let fresh = app.browser();
    fresh.get(mailbox::link(&mail, "/reset-password")).await;
    let set = fresh.post::<tollgate::accounts::api::ResetPassword>("/reset-password", &[("new_password", "seepferdchen im nebel")]).await;
    assert_eq!(location(&set), "/sign-in");
    assert_eq!(fresh.sign_in(&person.email, "seepferdchen im nebel").await.status(), 303);

    let unproven =
        NewAccount { email: "late@example.com".parse().unwrap(), name: "Late", password: None, roles: &["developer"], is_verified: false, by: "test" };
    let late = create_account(&app.ctx, &unproven).await.unwrap();
    let refused = operator.browser.post::<api::SendResetLink>(&format!("/admin/accounts/{late}"), &[("id", &late.to_string())]).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("not confirmed yet"));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn t14_the_page_of_an_account_says_what_it_may_and_by_which_role(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let operator = app.sign_in_as("operator").await;
    let mara = app.account("mara@example.com", "Mara", "developer").await;
    let path = format!("/admin/accounts/{mara}");
    let page = operator.browser.page(&path).await;
    assert!(page.contains(">Permissions</h2>") && page.contains("List and read keys") && !page.contains("blocks:manage"));
    sqlx::query("insert into account_roles (account_id, role, granted_at) values ($1, 'operator', now())").bind(mara.uuid()).execute(&db).await.unwrap();
    let page = operator.browser.page(&path).await;
    assert!(page.contains("blocks:manage") && page.contains("Developer, Operator"), "by both, where both give it");
    sqlx::query("delete from account_roles where account_id = $1").bind(mara.uuid()).execute(&db).await.unwrap();
    assert!(operator.browser.page(&path).await.contains("Nothing. It has no role."));
}
