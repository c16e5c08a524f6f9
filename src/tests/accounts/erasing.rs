//! An account that is erased leaves neither name nor address anywhere, and nobody is called as a history calls somebody else.

use crate::{
    gate::{Given, Owner, key, known},
    support::TestApp,
};
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::{
    accounts::{
        Caller,
        server::{NewAccount, Term, Visitor, ban_account, create_account, create_operator, invite_address, leaving, list_invites, unban_account},
    },
    blocks::{
        model::{BlockAction, NewBlock},
        server::{add_block, lift_block},
    },
    keys::{
        model::{KeyLimit, Window},
        server::{disable_key, leaks::mark_leaked},
    },
    plans::server::set_workspace_limits,
    values::{AccountId, WorkspaceId},
};

const NAME: &str = "Quirina Ostwald";
const EMAIL: &str = "Quirina.Ostwald@erased.example";

/// Every column of the database in which a row holds this text, in whatever case; of bytes as it stands.
async fn places(db: &PgPool, text: &str) -> Vec<String> {
    let columns: Vec<(String, String, bool)> = sqlx::query_as(
        "select c.table_name::text, c.column_name::text, c.data_type = 'bytea'
         from information_schema.columns c join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
         where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
           and c.data_type in ('text', 'character varying', 'json', 'jsonb', 'ARRAY', 'bytea')
         order by 1, 2",
    )
    .fetch_all(db)
    .await
    .unwrap();
    let mut places = Vec::new();
    for (table, column, is_bytes) in columns {
        let holds = match is_bytes {
            true => format!("position(convert_to($1, 'UTF8') in \"{column}\") > 0"),
            false => format!("strpos(lower(\"{column}\"::text), lower($1)) > 0"),
        };
        let query = format!("select exists (select from \"{table}\" where {holds})");
        if sqlx::query_scalar::<_, bool>(sqlx::AssertSqlSafe(query)).bind(text).fetch_one(db).await.unwrap() {
            places.push(format!("{table}.{column}"));
        }
    }
    places
}

async fn owner(app: &TestApp, account: AccountId) -> Owner {
    let workspace: uuid::Uuid =
        sqlx::query_scalar("select id from workspaces where personal_of = $1").bind(account.uuid()).fetch_one(&app.ctx.db).await.unwrap();
    Owner { account, workspace: WorkspaceId::new(workspace) }
}

/// As if 30 days ago.
async fn leave(app: &TestApp, account: AccountId) {
    let now = app.ctx.clock.now();
    sqlx::query("insert into account_departures (account_id, at, erase_at) values ($1, $2, $2)")
        .bind(account.uuid())
        .bind(now)
        .execute(&app.ctx.db)
        .await
        .unwrap();
}

fn block(target: &str) -> NewBlock {
    NewBlock { target: target.to_owned(), action: BlockAction::Refuse, reason: "a test".to_owned(), seconds: None }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r60_an_erased_name_and_address_are_nowhere_and_one_pseudonym_is_left(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let (ctx, cli, visitor) = (&app.ctx, Caller::cli(), Visitor::terminal());
    app.account("op@example.com", "Somebody who stays", "operator").await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    invite_address(ctx, &cli, EMAIL, Duration::days(7)).await.unwrap();
    let quirina = app.account(EMAIL, NAME, "operator").await;

    // What they did to others.
    let caller = app.caller_in_a_browser(quirina).await;
    let (of_vera, _) = key(&db, &app, &owner(&app, vera).await, Given::default()).await;
    known(&app, of_vera).await;
    disable_key(ctx, &caller, of_vera, "").await.unwrap();
    mark_leaked(ctx, &caller, of_vera, "https://example.com/page", "").await.unwrap();
    add_block(ctx, &caller, None, block("203.0.113.7")).await.unwrap();
    let lifted = add_block(ctx, &cli, None, block("203.0.113.8")).await.unwrap();
    lift_block(ctx, &caller, lifted.block.id, "").await.unwrap();
    ban_account(ctx, &caller, &visitor, vera, Term { reason: "spam", until: None }).await.unwrap();
    unban_account(ctx, &caller, &visitor, vera).await.unwrap();
    invite_address(ctx, &caller, "mara@example.com", Duration::days(7)).await.unwrap();
    // What was done to them, and what a mail server said.
    let own = owner(&app, quirina).await;
    key(&db, &app, &own, Given::default()).await;
    add_block(ctx, &cli, None, block(EMAIL)).await.unwrap();
    set_workspace_limits(ctx, &cli, own.workspace, vec![KeyLimit::new("day", 5, Window::DAY)]).await.unwrap();
    sqlx::query(
        "insert into jobs (id, kind, payload, state, run_at, last_error, created_at, finished_at)
         values (gen_random_uuid(), 'accounts.send_reset', '{}', 'failed', now(), '550 5.1.1 <' || split_part($1, '@', 1) || '@ERASED.example>: no such user (' || lower($1) || ')', now(), now())",
    )
    .bind(EMAIL)
    .execute(&db)
    .await
    .unwrap();
    app.run_jobs().await;

    let named = places(&db, NAME).await;
    let kept = [
        "bans.by_name",
        "bans.lifter",
        "blocks.by_name",
        "blocks.lifted_name",
        "events.actor",
        "events.data",
        "key_leaks.reported_by",
        "key_state_changes.actor",
    ];
    for place in kept.into_iter().chain(["accounts.name", "workspaces.name"]) {
        assert!(named.iter().any(|found| found == place), "{place} is not among {named:?}, or this test shows nothing");
    }
    let addressed = places(&db, EMAIL).await;
    for place in ["accounts.email", "invites.email", "jobs.last_error"] {
        assert!(addressed.iter().any(|found| found == place), "{place}: {addressed:?}");
    }

    leave(&app, quirina).await;
    assert_eq!(leaving::erase_departed(ctx).await, Ok(1));
    for text in [NAME, EMAIL] {
        assert_eq!(places(&db, text).await, Vec::<String>::new(), "{text}");
    }
    let names: Vec<String> = sqlx::query_scalar(
        "select distinct name from (
           select by_name from bans union all select lifter from bans union all select by_name from blocks union all select lifted_name from blocks
           union all select actor from events union all select reported_by from key_leaks union all select actor from key_state_changes
         ) n (name) where name like 'former-%'",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let [pseudonym] = &names[..] else { panic!("one for all of it: {names:?}") };
    for place in kept.into_iter().filter(|place| *place != "events.data") {
        assert!(places(&db, pseudonym).await.iter().any(|found| found == place), "{place}");
    }
    let invites = list_invites(ctx, &cli, false).await.unwrap();
    let made: Vec<_> = invites.iter().map(|invite| (invite.email.as_deref(), invite.by.as_ref())).collect();
    assert_eq!(made, [(Some("mara@example.com"), Some(pseudonym))], "it does not read as the command line; theirs is gone");
    let events: i64 =
        sqlx::query_scalar("select count(*) from events where kind in ('key.disabled', 'key.leaked', 'account.banned')").fetch_one(&db).await.unwrap();
    assert_eq!(events, 3, "what happened stays");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s93_a_fault_while_a_name_is_replaced_leaves_it_everywhere(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    app.account("op@example.com", "Somebody who stays", "operator").await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    let quirina = app.account(EMAIL, NAME, "operator").await;
    let (of_vera, _) = key(&db, &app, &owner(&app, vera).await, Given::default()).await;
    known(&app, of_vera).await;
    disable_key(&app.ctx, &app.caller_in_a_browser(quirina).await, of_vera, "").await.unwrap();
    leave(&app, quirina).await;
    let before = places(&db, NAME).await;
    let fault = "create function fail() returns trigger language plpgsql as $$ begin raise exception 'a fault'; end $$;
         create trigger fail before delete on accounts for each row execute function fail()";
    sqlx::raw_sql(fault).execute(&db).await.unwrap();
    assert!(leaving::erase_departed(&app.ctx).await.is_err());
    assert_eq!((places(&db, NAME).await, places(&db, "former-").await), (before, Vec::new()), "no half erasure");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn nobody_is_called_as_a_history_calls_somebody_else(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    for name in ["cli", " System ", "Secret  scanning", "Tollgate", "former-0123456789ab"] {
        let new = NewAccount { email: "mara@example.com".parse().unwrap(), name, password: None, roles: &["developer"], is_verified: true, by: "test" };
        let refused = create_account(&app.ctx, &new).await.unwrap_err();
        assert!(refused.field("name").is_some_and(|words| words.contains("look like somebody else's")), "{name}: {refused:?}");
        let request = vera.browser.http.patch(app.url("/api/v1/me")).header("sec-fetch-site", "same-origin").json(&json!({ "name": name }));
        assert_eq!(request.send().await.unwrap().status(), 422, "{name}");
    }
    // Whose address begins so is called by all of it, unless they say otherwise.
    let made = create_operator(&app.ctx, "system@example.com".parse().unwrap(), None, None).await.unwrap();
    let name: String = sqlx::query_scalar("select name from accounts where id = $1").bind(made.account.uuid()).fetch_one(&app.ctx.db).await.unwrap();
    assert_eq!(name, "system@example.com");
}
