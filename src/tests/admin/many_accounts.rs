//! One act on many accounts: looked at first, then done whole or not at all, with a line for each.

use super::{answer, caller, events, key_of};
use crate::support::{
    TestApp,
    browser::{Person, location},
};
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller,
        model::{AccountAct, AccountFilter, AccountState},
        server::{Chosen, ManyAccounts, Term, Visitor, ban_account, change_many_accounts, disable_account, plan_many_accounts},
    },
    admin::api::ChangeManyAccounts,
    error::AppError,
    values::{AccountId, Outcome},
};

const MANY: &str = "/admin/accounts/many";

fn wish(act: AccountAct, chosen: Chosen) -> ManyAccounts {
    ManyAccounts { act, chosen, reason: "a wave of spam".to_owned(), until: None }
}

/// What the operator's form does to these accounts; answers where it leads.
async fn send(operator: &Person, act: &str, accounts: &[AccountId], more: &[(&str, &str)]) -> reqwest::Response {
    let ids: Vec<String> = accounts.iter().map(ToString::to_string).collect();
    let mut fields = vec![("act", act)];
    fields.extend(ids.iter().map(|id| ("accounts[]", id.as_str())));
    fields.extend_from_slice(more);
    // A form is sent to the page that it stands on, selection and all.
    let chosen: String = ids.iter().map(|id| format!("&account={id}")).collect();
    operator.browser.post::<ChangeManyAccounts>(&format!("{MANY}?act={act}{chosen}"), &fields).await
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_look_changes_nothing_and_the_act_does_what_it_said(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let (vera, ilse, off) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let (_, secret) = key_of(&app, &vera, "shop").await;
    disable_account(&app.ctx, &Caller::cli(), &Visitor::terminal(), off.account, "before").await.unwrap();

    assert!(operator.browser.page(MANY).await.contains("No account is chosen"));
    let list = operator.browser.page("/admin/accounts").await;
    assert!(list.contains(&format!("aria-label=\"Select {}\"", vera.name)) && list.contains("all 4 accounts that match"), "{list}");
    let query = [&vera, &ilse, &off, &operator].map(|person| format!("&account={}", person.account)).concat();
    let look = operator.browser.page(&format!("{MANY}?act=disable{query}")).await;
    for words in ["Disable 2 accounts", "2 sessions end and 1 key is answered BANNED", "is disabled already", "is your own", &off.email] {
        assert!(look.contains(words), "{words}: {look}");
    }
    assert!(vera.browser.is_signed_in().await && answer(&app, &secret) == Outcome::Valid);

    let all = [vera.account, ilse.account, off.account, operator.account];
    let refused = send(&operator, "disable", &all, &[("reason", " "), ("seen", "2")]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("Say why."));
    for _ in 0..2 {
        let done = send(&operator, "disable", &all, &[("reason", "a wave of <spam>"), ("seen", "2")]).await;
        assert_eq!(location(&done), "/admin/accounts", "sent twice, done once");
    }
    assert_eq!(events(&app, "account.disabled").await, 3, "one line for each");
    assert!(!vera.browser.is_signed_in().await && !ilse.browser.is_signed_in().await && operator.browser.is_signed_in().await);
    assert_eq!(answer(&app, &secret), Outcome::Banned, "the answer waited for the gate");
    assert!(operator.browser.page(&format!("/admin/accounts/{}", ilse.account)).await.contains("a wave of &lt;spam&gt;"));

    let back = send(&operator, "enable", &all, &[("reason", "it was a mistake"), ("seen", "3")]).await;
    assert_eq!(location(&back), "/admin/accounts");
    assert_eq!((events(&app, "account.enabled").await, answer(&app, &secret)), (3, Outcome::Valid));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn each_act_goes_by_filter_and_mails_each_person(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = app.sign_in_as("operator").await;
    let (vera, ilse) = (app.sign_in_as("developer").await, app.sign_in_as("developer").await);
    let developers = [("all", "true"), ("q", "developer"), ("reason", "a wave of spam"), ("seen", "2")];
    let act = async |act: &str, more: &[(&str, &str)]| {
        let fields: Vec<(&str, &str)> = developers.iter().chain(more).copied().collect();
        send(&operator, act, &[], &fields).await
    };
    assert_eq!(location(&act("send-reset", &[]).await), "/admin/accounts");
    app.run_jobs().await;
    for person in [&vera, &ilse] {
        assert!(app.mails().iter().any(|mail| mail.to == person.email && mail.text.contains("/reset-password")), "{}", person.email);
    }
    assert_eq!(location(&act("end-sessions", &[]).await), "/admin/accounts");
    assert!(!vera.browser.is_signed_in().await && operator.browser.is_signed_in().await, "the filter spares the operator");
    assert_eq!(act("ban", &[("lasts", "date"), ("until", "2026-11-18")]).await.status(), 422);
    assert_eq!(act("ban", &[("lasts", "soon")]).await.status(), 422);
    assert_eq!(location(&act("ban", &[("lasts", "7d")]).await), "/admin/accounts");
    assert_eq!(events(&app, "account.banned").await, 2);
    app.run_jobs().await;
    assert_eq!(
        app.mails().iter().filter(|mail| mail.text.split_whitespace().collect::<Vec<_>>().join(" ").contains("a wave of spam")).count(),
        2,
        "each is told why"
    );
    assert_eq!(location(&act("lift-ban", &[]).await), "/admin/accounts");
    assert_eq!(events(&app, "account.unbanned").await, 2);
    let reasons: Vec<String> =
        sqlx::query_scalar("select distinct reason from events where kind in ('account.unbanned', 'session.all_ended', 'account.reset_sent')")
            .fetch_all(&app.ctx.db)
            .await
            .unwrap();
    assert_eq!(reasons, ["a wave of spam"]);
    assert_eq!(act("vanish", &[]).await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn more_than_one_saw_and_more_than_a_thousand_are_refused(db: PgPool) {
    let app = TestApp::start(db).await;
    let operator = caller(&app, app.account("op@example.com", "Op", "operator").await).await;
    let (one, two) = (app.account("a@example.com", "A", "developer").await, app.account("b@example.com", "B", "developer").await);
    let here = Visitor::terminal();
    let change = async |many: ManyAccounts, saw: u64| change_many_accounts(&app.ctx, &operator, &here, &many, Some(saw)).await.map(|plan| plan.changed.len());
    let filter = AccountFilter { state: Some(AccountState::Active), ..AccountFilter::default() };
    assert!(matches!(change(wish(AccountAct::Disable, Chosen::Matching(filter.clone())), 1).await, Err(AppError::Conflict { .. })));
    assert_eq!(events(&app, "account.disabled").await, 0);
    let many: Vec<AccountId> = (0..1_001).map(|_| app.ctx.new_id()).collect();
    for ids in [vec![], many] {
        assert!(matches!(change(wish(AccountAct::Disable, Chosen::These(ids)), 9).await, Err(AppError::Invalid { .. })));
    }
    let gone = app.ctx.new_id();
    let plan = plan_many_accounts(&app.ctx, &operator, AccountAct::Ban, &Chosen::These(vec![one, gone, gone])).await.unwrap();
    assert_eq!((plan.changed.len(), plan.missing, plan.has_more), (1, 1, false));

    let term = Term { reason: "x", until: None };
    ban_account(&app.ctx, &Caller::cli(), &here, two, term).await.unwrap();
    assert_eq!(change(wish(AccountAct::Ban, Chosen::These(vec![one, two])), 2).await, Ok(1), "who is banned already is left alone");
    // The command line is nobody's account, so here the last operator is among the chosen.
    let all = change_many_accounts(&app.ctx, &Caller::cli(), &here, &wish(AccountAct::Disable, Chosen::Matching(AccountFilter::default())), None).await;
    assert!(matches!(all, Err(AppError::Conflict { .. })));
    assert_eq!(events(&app, "account.disabled").await, 0, "whole or not at all");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn it_takes_a_recent_proof_and_the_permission(db: PgPool) {
    let app = TestApp::start(db).await;
    let (operator, vera) = (app.sign_in_as("operator").await, app.sign_in_as("developer").await);
    app.ctx.clock.advance(Duration::minutes(11));
    let fields = [("reason", "a wave of spam"), ("seen", "1")];
    assert!(location(&send(&operator, "disable", &[vera.account], &fields).await).starts_with("/step-up?form="));
    let developer = caller(&app, vera.account).await;
    let chosen = Chosen::These(vec![operator.account]);
    let plan = plan_many_accounts(&app.ctx, &developer, AccountAct::Disable, &chosen).await;
    assert!(matches!(plan, Err(AppError::Forbidden { .. })));
    let done = change_many_accounts(&app.ctx, &developer, &Visitor::terminal(), &wish(AccountAct::Disable, chosen), None).await;
    assert!(matches!(done, Err(AppError::Forbidden { .. })));
    assert_eq!(events(&app, "account.disabled").await, 0);
}
