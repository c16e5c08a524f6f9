//! `/admin/blocks`: what operators see and do there, without JavaScript, and that nobody else does.

use super::{block, code, listed, slow};
use crate::{
    gate::{Given, Owner, key, known},
    keys::events,
    support::TestApp,
};
use sqlx::PgPool;
use tollgate::{
    accounts::{Caller, Via, server::caller_of_account},
    blocks::{
        api,
        model::NewBlock,
        server::{add_block, lift_block, rule_settings},
    },
    keys::{
        model::KeyLimit,
        server::gate::{Gate, Question},
    },
    plans::server::set_workspace_limits,
};

const PATH: &str = "/admin/blocks";

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_blocks_and_undoes_it(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (person, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let browser = &operator.browser;
    let page = browser.page(PATH).await;
    assert!(page.contains("Nothing is blocked") && page.contains("The servers divide the number among themselves"));
    assert_eq!(person.browser.get(PATH).await.status(), 403);
    assert!(browser.page("/home").await.contains("/admin/blocks") && !person.browser.page("/home").await.contains("/admin/blocks"));

    for (target, words) in [("198.51", "neither an address nor a network"), ("127.0.0.1", "loopback"), ("nobody@example.com", "No account has this email.")] {
        let refused = browser.post::<api::AddBlock>(PATH, &[("target", target), ("reason", "tries <b>"), ("lasts", "10m")]).await;
        assert_eq!(refused.status(), 422, "{target}");
        let page = refused.text().await.unwrap();
        assert!(page.contains(words) && page.contains(&format!("value=\"{target}\"")) && page.contains("tries &lt;b&gt;"), "{target}: what was typed stays");
    }
    let right = [("target", "198.51.100.9"), ("reason", "tries <b>"), ("lasts", "10m")];
    // The toast of a new block has its undo; once more it only says so: to lift it would end what was there.
    for is_new in [true, false] {
        assert_eq!(browser.post::<api::AddBlock>(PATH, &right).await.status(), 303);
        let page = browser.page(PATH).await;
        let toast = page.split("class=\"toast\"").nth(1).and_then(|rest| rest.split("</div>").next()).unwrap_or_default();
        let id = listed(&app.ctx, "active").await[0].id.to_string();
        assert!(toast.contains("Calls of 198.51.100.9 are "), "{page}");
        assert_eq!((toast.contains(">Undo<"), toast.contains(&id), toast.contains("lift_block")), (is_new, is_new, is_new), "{toast}");
    }
    let page = browser.page(PATH).await;
    assert!(page.contains("198.51.100.9") && page.contains("tries &lt;b&gt;") && page.contains("1 block in force.") && page.contains("today, 12:10"), "{page}");
    assert!(page.contains("Lift the block of 198.51.100.9"), "{page}");
    assert_eq!(code(&app.ctx, "demo_live_nonsense", "198.51.100.9"), "IP_DENIED");
    assert_eq!((listed(&app.ctx, "all").await.len(), events(&db, "block.added").await), (1, 1), "sent twice");

    let id = listed(&app.ctx, "active").await[0].id.to_string();
    assert_eq!(person.browser.post::<api::LiftBlock>("/home", &[("id", &id)]).await.status(), 403);
    let long = "x".repeat(201);
    assert_eq!(browser.post::<api::LiftBlock>(PATH, &[("id", &id), ("note", &long)]).await.status(), 422);
    for note in ["a mistake", "again"] {
        assert_eq!(browser.post::<api::LiftBlock>(PATH, &[("id", &id), ("note", note)]).await.status(), 303);
    }
    assert_eq!(events(&db, "block.lifted").await, 1);
    assert!(browser.page(PATH).await.contains("Nothing is blocked now."));
    let past = browser.page("/admin/blocks?state=past").await;
    assert!(past.contains("Lifted by") && past.contains("a mistake") && !past.contains("Lift the block"));
    assert!(browser.page("/admin").await.contains("lifted the block of 198.51.100.9"), "operators' deeds");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_list_is_filtered_and_goes_on(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (operator, person) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let browser = &operator.browser;
    assert_eq!(browser.post::<api::AddBlock>(PATH, &[("target", &person.email), ("reason", "unpaid"), ("lasts", "never")]).await.status(), 303);
    for n in 0..52 {
        app.ctx.clock.advance(time::Duration::MILLISECOND); // ids of one instant are in no order
        block(&app.ctx, &format!("198.51.100.{n}"), None).await.unwrap();
    }
    let page = browser.page(PATH).await;
    assert!(page.contains("198.51.100.51") && !page.contains("unpaid") && page.contains("53 blocks in force."));
    let older = page.split("?older=").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(browser.page(&format!("{PATH}?older={older}")).await.contains("unpaid"));
    let of = browser.page("/admin/blocks?of=workspace").await;
    assert!(of.contains("unpaid") && of.contains("Until lifted") && !of.contains("198.51.100.51"));
    assert!(browser.page("/admin/blocks?q=198.51.100.7").await.contains("1 block<"), "one of them");
    assert!(browser.page("/admin/blocks?q=192.0.2.1").await.contains("No block matches"));
    assert!(browser.page("/admin/blocks?by=spread").await.contains("No block matches"));
    for wrong in ["state=maybe", "of=moon", "by=nobody", "q=moon", "older=blk_1"] {
        assert_eq!(browser.get(&format!("{PATH}?{wrong}")).await.status(), 422, "{wrong}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_sets_the_rules(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let operator = app.sign_in_as("operator").await;
    let browser = &operator.browser;
    let form = |most: &'static str, lasts: &'static str| {
        [
            ("_form", "spread"),
            ("rule[rule]", "spread"),
            ("rule[is_on]", "true"),
            ("rule[most]", most),
            ("rule[minutes]", "5"),
            ("rule[then]", "tell"),
            ("rule[lasts]", lasts),
        ]
    };
    for (most, lasts, words) in [
        ("many", "1h", "Enter a whole number."),
        ("101", "1h", "from 1 to 100"),
        ("9", "soon", "Write a number and a unit"),
        ("9", "5s", "a minute to 366 days"),
    ] {
        let refused = browser.post::<api::SetRule>(PATH, &form(most, lasts)).await;
        assert_eq!(refused.status(), 422, "{most} {lasts}");
        let page = refused.text().await.unwrap();
        assert!(page.contains(words) && page.contains(&format!("value=\"{most}\"")), "{most} {lasts}");
    }
    for _ in 0..2 {
        assert_eq!(browser.post::<api::SetRule>(PATH, &form("9", "2h")).await.status(), 303);
    }
    let (rules, _) = rule_settings(&app.ctx, &Caller::cli()).await.unwrap();
    let spread = rules[2];
    assert_eq!((spread.is_on, spread.most, spread.minutes, spread.then, spread.seconds, spread.mails), (true, 9, 5, None, 7_200, false));
    assert_eq!(events(&db, "block.rule_changed").await, 1, "sent twice");
    assert!(browser.page(PATH).await.contains("value=\"2h\""));

    for (rate, words) in [("", "Enter a whole number."), ("0", "from 1 to 10,000"), ("10001", "from 1 to 10,000")] {
        let slows = form("9", "2h").map(|(name, value)| (name, if name == "rule[then]" { "slow" } else { value }));
        let refused = browser.post::<api::SetRule>(PATH, &[&slows[..], &[("rule[per_second]", rate)]].concat()).await;
        assert_eq!(refused.status(), 422, "{rate}");
        assert!(refused.text().await.unwrap().contains(words), "{rate}");
    }

    let wrong = browser.post::<api::SetExemptions>(PATH, &[("networks", "192.0.2.0/24\nmoon")]).await;
    assert_eq!(wrong.status(), 422);
    assert!(wrong.text().await.unwrap().contains("“moon” is neither"));
    browser.post::<api::SetExemptions>(PATH, &[("networks", "192.0.2.7/24\n\n2001:db8::/32")]).await;
    assert_eq!(rule_settings(&app.ctx, &Caller::cli()).await.unwrap().1, ["192.0.2.0/24", "2001:db8::/32"]);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn an_operator_slows_and_the_owner_sees_it_but_not_why(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (operator, person) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let workspace = caller_of_account(&app.ctx, person.account, Via::Cli).await.unwrap().unwrap().workspace;
    let (key, _) = key(&db, &app, &Owner { account: person.account, workspace }, Given::default()).await;
    let browser = &operator.browser;
    let typed =
        |rate: &'static str| [("target", person.email.as_str()), ("reason", "scrapes <all>"), ("action", "slow"), ("per_second", rate), ("lasts", "10m")];
    for (rate, words) in [("", "Enter a whole number."), ("fast", "Enter a whole number."), ("0", "from 1 to 10,000")] {
        let refused = browser.post::<api::AddBlock>(PATH, &typed(rate)).await;
        assert_eq!(refused.status(), 422, "{rate}");
        let page = refused.text().await.unwrap();
        assert!(page.contains(words) && page.contains("scrapes &lt;all&gt;"), "{rate}: what was typed stays");
    }
    let odd = browser.post::<api::AddBlock>(PATH, &[("target", "198.51.100.9"), ("reason", "x"), ("action", "stop"), ("lasts", "1h")]).await;
    assert_eq!(odd.status(), 422);
    for _ in 0..2 {
        assert_eq!(browser.post::<api::AddBlock>(PATH, &typed("7")).await.status(), 303);
    }
    assert_eq!(events(&db, "block.added").await, 1, "sent twice");
    let list = browser.page(PATH).await;
    assert!(list.contains("7 a second") && list.contains("scrapes &lt;all&gt;"));
    assert!(browser.page("/admin").await.contains("to 7 a second"), "operators' deeds");
    let page = person.browser.page(&format!("/keys/{key}")).await;
    assert!(page.contains("Slowed. ") && page.contains("7 a second together") && !page.contains("scrapes"), "what, not why");
    let block = &listed(&app.ctx, "active").await[0];
    assert_eq!(browser.post::<api::LiftBlock>(PATH, &[("id", &block.id.to_string())]).await.status(), 303);
    assert!(!person.browser.page(&format!("/keys/{key}")).await.contains("Slowed. "));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_held_account_is_shown_to_its_owner_and_to_operators(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (operator, person) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    let workspace = caller_of_account(&app.ctx, person.account, Via::Cli).await.unwrap().unwrap().workspace;
    let (id, secret) = key(&db, &app, &Owner { account: person.account, workspace }, Given::default()).await;
    known(&app, id).await;
    let account = format!("/admin/accounts/{}", person.account);
    let (owner, admin) = (&person.browser, &operator.browser);
    assert!(!admin.page("/admin/accounts").await.contains(">Blocked<") && !owner.page("/home").await.contains("All calls of your keys"));

    slow(&app.ctx, &workspace.to_string(), 7, Some(600)).await.unwrap();
    for path in ["/home", "/keys"] {
        let page = owner.page(path).await;
        assert!(page.contains("Slowed. ") && page.contains("All calls of your keys") && page.contains("7 a second together"), "{path}: {page}");
    }
    assert!(admin.page("/admin/accounts").await.contains(">Slowed<"));

    block(&app.ctx, &workspace.to_string(), None).await.unwrap();
    for path in ["/home", "/keys"] {
        let page = owner.page(path).await;
        assert!(page.contains("Blocked. ") && page.contains("until an operator lifts the block"), "{path}: {page}");
        assert!(!page.contains("Everything else passes"), "{path}");
    }
    assert!(admin.page("/admin/accounts").await.contains(">Blocked<"));
    let page = admin.page(&account).await;
    assert!(page.contains(">Blocked<") && page.contains("All calls of its keys") && page.contains("See the block"), "{page}");
    assert!(admin.page(&format!("/admin/blocks?q={workspace}")).await.contains("a test"), "where the link leads");
    for block in listed(&app.ctx, "active").await {
        lift_block(&app.ctx, &Caller::cli(), block.id, "").await.unwrap();
    }
    assert!(!admin.page(&account).await.contains("All calls of its keys") && !owner.page("/keys").await.contains("All calls of your keys"));

    // What its keys share, used up.
    let limits = vec![KeyLimit::new("pool", 1, "day".parse().unwrap())];
    set_workspace_limits(&app.ctx, &Caller::cli(), workspace, limits).await.unwrap();
    let question = Question { secret: &secret, route: "GET /orders", ..Question::default() };
    let gate = app.ctx.part::<Gate>().unwrap();
    assert!(gate.ask(question).await.unwrap().passes() && !gate.ask(question).await.unwrap().passes());
    for (browser, path) in [(owner, "/home"), (owner, "/keys"), (admin, account.as_str())] {
        let page = browser.page(path).await;
        assert!(page.contains("The limit pool of all keys together is used up: 1 unit a day. More calls are answered QUOTA_EXCEEDED until"), "{path}: {page}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nobody_blocks_what_they_stand_on(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()]).await;
    let operator = app.sign_in_as("operator").await;
    let caller = caller_of_account(&app.ctx, operator.account, Via::Cli).await.unwrap().unwrap();
    let wish = |target: &str| NewBlock { target: target.to_owned(), reason: "a test".to_owned(), ..NewBlock::default() };
    let own = Some("203.0.113.7".parse().unwrap());
    for (target, words) in [
        ("203.0.113.7".to_owned(), "Your own address, 203.0.113.7"),
        ("203.0.0.0/16".to_owned(), "Your own address, 203.0.113.7"),
        ("10.1.2.3".to_owned(), "trusted proxy"),
        (caller.workspace.to_string(), "your own workspace"),
    ] {
        let refused = add_block(&app.ctx, &caller, own, wish(&target)).await.unwrap_err();
        assert!(refused.field("target").is_some_and(|said| said.contains(words)), "{target}: {refused}");
    }
    assert!(add_block(&app.ctx, &caller, own, wish("203.0.112.0/24")).await.is_ok());
}
