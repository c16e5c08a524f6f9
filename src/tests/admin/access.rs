//! Only operators. The pages and functions are those that the product itself knows; a function that is new and not listed here fails.

use crate::support::{
    TestApp,
    browser::{Browser, Person},
    routes,
};
use sqlx::PgPool;
use std::collections::BTreeSet;
use tollgate::accounts::{
    Caller,
    server::{Term, Visitor, add_ban, invite_address},
};

/// The pages for which nobody needs to sign in. Written down once more on purpose: one that is added to those of the router fails here.
const PUBLIC: &str = "/ /sign-up /sign-in /sign-in/code /sign-in/with/{slug} /sign-in/with/{slug}/callback /sign-out /forgot-password /reset-password \
    /verify-email /unlock /not-me /keep-factors /confirm-email /undo-email /delete-account /come-back /u/{handle} /docs /docs/api /docs/{slug} /status \
    /dev/ui /dev/mailbox";

/// The address of a server function, and a body that its arguments can be read from.
type Function = (&'static str, Vec<(&'static str, String)>);

/// Every server function of admin, of plans and of blocks. What they ask for is there: the account of a developer, its key, a ban and so on.
pub async fn functions(app: &TestApp, developer: &Person) -> Vec<Function> {
    let (key, _) = super::key_of(app, developer, "access").await;
    let (session, job) = (app.ctx.new_id::<tollgate::values::SessionId>(), app.ctx.new_id::<tollgate::values::JobId>());
    let term = Term { reason: "a test", until: None };
    let ban = add_ban(&app.ctx, &Caller::cli(), &Visitor::terminal(), "198.51.100.0/24", term).await.unwrap();
    let block = crate::blocks::block(&app.ctx, "198.51.100.8", None).await.unwrap().block.id;
    let invite = invite_address(&app.ctx, &Caller::cli(), "invited@example.com", time::Duration::days(7)).await.unwrap().id;
    let others = [ban.id.to_string(), block.to_string(), invite.to_string()];
    let others = others.each_ref().map(String::as_str);
    listed(&developer.account.to_string(), &session.to_string(), &key.to_string(), &job.to_string(), others)
}

fn listed(account: &str, session: &str, key: &str, job: &str, [ban, block, invite]: [&str; 3]) -> Vec<Function> {
    let of = |name: &'static str, value: &str| vec![(name, value.to_owned())];
    let two = |first: (&'static str, &str), second: (&'static str, &str)| vec![(first.0, first.1.to_owned()), (second.0, second.1.to_owned())];
    let fields = |all: &[(&'static str, &str)]| all.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>();
    let none_of_all = [("act", "enable"), ("all", "true"), ("seen", "0")].map(|(name, value)| (name, value.to_owned())).to_vec();
    vec![
        ("/fn/tollgate/plans/api/groups/create_group", two(("group[name]", "Access"), ("group[slug]", "access"))),
        ("/fn/tollgate/plans/api/groups/save_group", two(("group[slug]", "access"), ("group[name]", "All access"))),
        ("/fn/tollgate/plans/api/limits/set_group_limit", fields(&[("slug", "access"), ("limit", "5"), ("window", "60")])),
        ("/fn/tollgate/plans/api/grants/set_group_grants", of("slug", "access")),
        ("/fn/tollgate/plans/api/groups/add_to_group", two(("slug", "access"), ("to", account))),
        ("/fn/tollgate/plans/api/groups/take_from_group", two(("slug", "access"), ("from", account))),
        ("/fn/tollgate/plans/api/groups/read_groups", vec![]),
        ("/fn/tollgate/plans/api/groups/delete_group", of("slug", "access")),
        ("/fn/tollgate/plans/api/create_plan", two(("plan[name]", "Access"), ("plan[slug]", "access"))),
        ("/fn/tollgate/plans/api/save_plan", two(("plan[slug]", "access"), ("plan[name]", "All access"))),
        ("/fn/tollgate/plans/api/limits/set_plan_limit", fields(&[("slug", "access"), ("limit", "5"), ("window", "60")])),
        ("/fn/tollgate/plans/api/grants/set_plan_grants", of("slug", "access")),
        ("/fn/tollgate/plans/api/assign_plan", two(("slug", "access"), ("to", key))),
        ("/fn/tollgate/plans/api/take_plan", of("from", key)),
        ("/fn/tollgate/plans/api/read_plans", vec![]),
        ("/fn/tollgate/plans/api/delete_plan", of("slug", "access")),
        ("/fn/tollgate/accounts/api/policies/read_policies", vec![]),
        ("/fn/tollgate/accounts/api/policies/save_policy", two(("policy[of]", "role:operator"), ("policy[max]", "8h"))),
        ("/fn/tollgate/admin/api/add_ban", vec![("target", "spam.example".to_owned()), ("reason", "a test".to_owned()), ("lasts", "1d".to_owned())]),
        ("/fn/tollgate/admin/api/ban_account", vec![("id", account.to_owned()), ("reason", "a test".to_owned()), ("lasts", "1d".to_owned())]),
        ("/fn/tollgate/admin/api/lift_ban", of("id", ban)),
        ("/fn/tollgate/admin/api/list_bans", of("over", "false")),
        ("/fn/tollgate/admin/api/unban_account", of("id", account)),
        ("/fn/tollgate/admin/api/unlock_account", of("id", account)),
        ("/fn/tollgate/admin/api/take_picture", of("id", account)),
        ("/fn/tollgate/blocks/api/read_blocks", vec![]),
        ("/fn/tollgate/blocks/api/add_block", fields(&[("target", "198.51.100.9"), ("reason", "a test"), ("lasts", "1h")])),
        ("/fn/tollgate/blocks/api/lift_block", of("id", block)),
        (
            "/fn/tollgate/blocks/api/set_rule",
            fields(&[("rule[rule]", "spread"), ("rule[most]", "20"), ("rule[minutes]", "10"), ("rule[then]", "tell"), ("rule[lasts]", "1h")]),
        ),
        ("/fn/tollgate/blocks/api/set_exemptions", of("networks", "192.0.2.0/24")),
        ("/fn/tollgate/admin/api/many/change_many_accounts", fields(&[("act", "lift-ban"), ("all", "true"), ("reason", "a test"), ("seen", "9")])),
        ("/fn/tollgate/admin/api/many/preview_many_accounts", vec![]),
        ("/fn/tollgate/admin/api/imports/check_account_import", of("list", "email\nnew@example.com")),
        ("/fn/tollgate/admin/api/imports/read_account_import", vec![]),
        ("/fn/tollgate/admin/api/imports/run_account_import", of("list", "imp_01K3V7QDE4S8T1N5W9Y2B6C0XZ")),
        ("/fn/tollgate/admin/api/fields/list_fields", vec![]),
        ("/fn/tollgate/admin/api/fields/create_field", fields(&[("field[slug]", "team"), ("field[label]", "Team"), ("field[kind]", "text")])),
        ("/fn/tollgate/admin/api/fields/change_field", fields(&[("field[slug]", "team"), ("field[label]", "Crew")])),
        ("/fn/tollgate/admin/api/fields/delete_field", fields(&[("slug", "team"), ("seen", "0")])),
        ("/fn/tollgate/admin/api/many/change_many_keys", none_of_all),
        ("/fn/tollgate/admin/api/create_api", two(("name", "Access"), ("slug", "access"))),
        ("/fn/tollgate/admin/api/disable_account", two(("id", account), ("reason", "a test"))),
        ("/fn/tollgate/admin/api/disable_key", of("id", key)),
        ("/fn/tollgate/admin/api/enable_account", of("id", account)),
        ("/fn/tollgate/admin/api/enable_key", of("id", key)),
        ("/fn/tollgate/admin/api/end_session", two(("id", account), ("session", session))),
        ("/fn/tollgate/admin/api/end_sessions", of("id", account)),
        ("/fn/tollgate/admin/api/list_accounts", vec![]),
        ("/fn/tollgate/admin/api/list_apis", vec![]),
        ("/fn/tollgate/admin/api/invites/list_invites", of("over", "false")),
        ("/fn/tollgate/admin/api/invites/create_invite", two(("uses", "1"), ("days", "7"))),
        ("/fn/tollgate/admin/api/invites/resend_invite", of("id", invite)),
        ("/fn/tollgate/admin/api/invites/cancel_invite", of("id", invite)),
        ("/fn/tollgate/admin/api/list_jobs", vec![]),
        ("/fn/tollgate/admin/api/list_keys", vec![]),
        ("/fn/tollgate/admin/api/list_refusals", vec![]),
        ("/fn/tollgate/admin/api/list_templates", vec![]),
        ("/fn/tollgate/admin/api/send_test_mail", of("kind", "accounts.confirm_email")),
        ("/fn/tollgate/admin/api/many/preview_many_keys", vec![]),
        ("/fn/tollgate/admin/api/read_account", of("id", account)),
        ("/fn/tollgate/admin/api/read_api", of("slug", "demo")),
        ("/fn/tollgate/admin/api/read_overview", vec![]),
        ("/fn/tollgate/admin/api/parts/save_bundle", two(("slug", "demo"), ("name", "access"))),
        ("/fn/tollgate/admin/api/parts/delete_bundle", two(("slug", "demo"), ("name", "access"))),
        ("/fn/tollgate/admin/api/parts/remove_route", vec![("slug", "demo".to_owned()), ("method", "GET".to_owned()), ("path", "/access".to_owned())]),
        ("/fn/tollgate/admin/api/reset_factors", two(("id", account), ("reason", "a test"))),
        ("/fn/tollgate/admin/api/retry_job", of("id", job)),
        ("/fn/tollgate/admin/api/revoke_key", two(("id", key), ("typed", "access"))),
        ("/fn/tollgate/admin/api/save_api", two(("slug", "demo"), ("name", "Demo"))),
        ("/fn/tollgate/admin/api/parts/save_route", two(("slug", "demo"), ("path", "/access"))),
        ("/fn/tollgate/admin/api/send_reset_link", of("id", account)),
        ("/fn/tollgate/admin/api/limits/set_account_grants", of("id", account)),
        ("/fn/tollgate/admin/api/limits/set_account_limit", fields(&[("id", account), ("limit", "5"), ("window", "60")])),
        ("/fn/tollgate/admin/api/limits/set_api_limit", fields(&[("slug", "demo"), ("limit", "5"), ("window", "60")])),
        ("/fn/tollgate/admin/api/limits/set_limit", fields(&[("id", key), ("limit", "5"), ("window", "60")])),
    ]
}

/// As a script calls it.
pub async fn call(browser: &Browser, (path, body): &Function) -> reqwest::Response {
    let request = browser.http.post(format!("{}{path}", browser.base)).header("sec-fetch-site", "same-origin").header("accept", "application/json");
    request.form(body).send().await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r62_every_page_but_the_public_ones_asks_for_sign_in(db: PgPool) {
    let app = TestApp::start(db).await;
    let browser = app.browser();
    let guarded: Vec<String> = routes().into_iter().filter(|path| !PUBLIC.split(' ').any(|public| public == path)).collect();
    assert!(guarded.len() > 20, "{guarded:?}");
    for path in guarded {
        let path = path.replace("{id}", "any").replace("{slug}", "any");
        let answer = browser.get(&path).await;
        assert_eq!(answer.status(), 303, "{path}");
        assert!(answer.headers()["location"].to_str().unwrap().starts_with("/sign-in?next="), "{path}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s88_only_operators_reach_an_admin_page(db: PgPool) {
    let app = TestApp::start(db).await;
    let (developer, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let admin: Vec<String> = routes().into_iter().filter(|path| path.starts_with("/admin")).collect();
    assert!(!admin.is_empty(), "no page of /admin is known");
    for path in admin {
        let path = path.replace("{id}", &developer.account.to_string()).replace("{slug}", "demo");
        assert_eq!(developer.browser.get(&path).await.status(), 403, "{path}");
        assert_eq!(operator.browser.get(&path).await.status(), 200, "{path}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s88_only_operators_reach_an_admin_function(db: PgPool) {
    let app = TestApp::start(db).await;
    let (developer, operator) = (app.sign_in_as("developer").await, app.sign_in_as("operator").await);
    let functions = functions(&app, &developer).await;
    let is_admin =
        |path: &&str| ["admin", "plans", "blocks", "accounts/api/policies"].iter().any(|feature| path.starts_with(&format!("/fn/tollgate/{feature}/")));
    let known: BTreeSet<&str> = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path).filter(is_admin).collect();
    assert_eq!(known, functions.iter().map(|(path, _)| *path).collect(), "a function of admin, plans or blocks is not listed in this test");

    // Of a developer even their own account and key are refused here.
    for function in &functions {
        let path = function.0;
        assert_eq!(call(&app.browser(), function).await.status(), 401, "{path} without a session");
        assert_eq!(call(&developer.browser, function).await.status(), 403, "{path} as a developer");
    }
    for kind in [
        "account.disabled",
        "key.disabled",
        "key.revoked",
        "key.planned",
        "api.created",
        "account.reset_sent",
        "api.routed",
        "api.bundled",
        "plan.created",
        "group.created",
        "account.banned",
        "ban.lifted",
        "block.lifted",
        "invite.cancelled",
    ] {
        assert_eq!(super::events(&app, kind).await, 0, "{kind}");
    }
    for function in &functions {
        let status = call(&operator.browser, function).await.status().as_u16();
        assert!(matches!(status, 200 | 204 | 302 | 409), "{} as an operator: {status}", function.0);
    }
}
