//! Refresh tokens: each works once, one that comes back ends everything, twenty at once get one answer.

use super::{TOKEN, Tokens, post, refusal, signed_in};
use crate::{
    accounts::{count, mail_about},
    support::TestApp,
};
use futures_util::future::join_all;
use serde_json::json;
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::server::{jobs::ForgetExpired, programs::GRACE};
use tollgate::platform::jobs::Job;

async fn with_tokens(db: PgPool) -> (TestApp, Tokens) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    let tokens = signed_in(&app, "mara@example.com").await;
    (app, tokens)
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r71_a_refresh_token_that_comes_back_kills_the_family(db: PgPool) {
    let (app, first) = with_tokens(db).await;
    let (status, body) = first.refresh(&app).await;
    assert_eq!((status, body["expires_in"].as_i64()), (200, Some(900)), "{body}");
    let second = Tokens::of(&body);
    assert!(second.access != first.access && second.refresh != first.refresh);
    assert_eq!((first.status(&app).await, second.status(&app).await), (200, 200), "calls under way go on with the old one");

    app.ctx.clock.advance(GRACE + Duration::seconds(1));
    assert_eq!(refusal(&first.refresh(&app).await), (400, "invalid_grant"));
    assert_eq!((first.status(&app).await, second.status(&app).await), (401, 401));
    assert_eq!(refusal(&second.refresh(&app).await), (400, "invalid_grant"), "the newest is dead, too");
    assert_eq!(count(&app, "select count(*) from token_families").await + count(&app, "select count(*) from program_tokens").await, 0);

    let mail = mail_about(&app, "mara@example.com", "A program was signed out of your account").await;
    assert!(mail.text.contains("nightly backup") && mail.text.contains("/not-me?token="), "{}", mail.text);
    let before = app.mails().len();
    assert_eq!(first.refresh(&app).await.0, 400);
    app.run_jobs().await;
    assert_eq!((app.mails().len(), count(&app, "select count(*) from events where kind = 'program.token_reused'").await), (before, 1), "told once");
    // Other programs of the account go on.
    assert_eq!(signed_in(&app, "mara@example.com").await.status(&app).await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r71_twenty_at_once_get_one_answer_and_one_branch(db: PgPool) {
    let (app, first) = with_tokens(db).await;
    let answers = join_all((0..20).map(|_| first.refresh(&app))).await;
    let pairs: Vec<Tokens> = answers
        .iter()
        .map(|(status, body)| {
            assert_eq!(*status, 200, "{body}");
            Tokens::of(body)
        })
        .collect();
    assert!(pairs.iter().all(|pair| *pair == pairs[0]), "{pairs:?}");
    assert_eq!(count(&app, "select generation::bigint from token_families").await, 2);
    assert_eq!(count(&app, "select count(*) from program_tokens").await, 4, "two pairs, not twenty");

    // Half a minute later the answer that was lost on the way is still given, a moment after that it is not.
    app.ctx.clock.advance(GRACE);
    let (status, body) = first.refresh(&app).await;
    assert_eq!((status, body["expires_in"].as_i64()), (200, Some(870)));
    assert_eq!(Tokens::of(&body), pairs[0]);
    assert_eq!(pairs[0].status(&app).await, 200);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r71_of_many_late_uses_one_is_told(db: PgPool) {
    let (app, first) = with_tokens(db).await;
    first.refresh(&app).await;
    app.ctx.clock.advance(Duration::minutes(1));
    let answers = join_all((0..8).map(|_| first.refresh(&app))).await;
    assert!(answers.iter().all(|answer| refusal(answer) == (400, "invalid_grant")), "{answers:?}");
    assert_eq!(count(&app, "select count(*) from events where kind = 'program.token_reused'").await, 1);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r71_the_grace_is_for_the_token_before_the_newest_only(db: PgPool) {
    let (app, first) = with_tokens(db).await;
    let second = Tokens::of(&first.refresh(&app).await.1);
    let third = Tokens::of(&second.refresh(&app).await.1);
    assert_eq!(refusal(&first.refresh(&app).await), (400, "invalid_grant"), "two steps back within the same second");
    assert_eq!(third.status(&app).await, 401);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r42_both_ends_of_a_sign_in_hold_and_the_nightly_job_clears_up(db: PgPool) {
    let (app, idle) = with_tokens(db).await;
    let mut used = signed_in(&app, "mara@example.com").await;
    // Thirty days without use by default, ninety in all.
    for _ in 0..3 {
        app.ctx.clock.advance(Duration::days(29));
        used = Tokens::of(&used.refresh(&app).await.1);
    }
    assert_eq!(refusal(&idle.refresh(&app).await), (400, "invalid_grant"));
    app.ctx.clock.advance(Duration::days(3) - Duration::minutes(5));
    let (status, body) = used.refresh(&app).await;
    assert_eq!((status, body["expires_in"].as_i64()), (200, Some(300)), "no token lives longer than its sign-in");
    let last = Tokens::of(&body);
    assert_eq!(last.status(&app).await, 200);
    app.ctx.clock.advance(Duration::minutes(5));
    assert_eq!((last.status(&app).await, last.refresh(&app).await.0), (401, 400));

    ForgetExpired::default().run(&app.ctx).await.unwrap();
    assert_eq!(count(&app, "select count(*) from token_families").await + count(&app, "select count(*) from program_tokens").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_token_is_its_programs_and_what_is_none_is_refused(db: PgPool) {
    let (app, tokens) = with_tokens(db).await;
    let grant = async |token: &str, client: Option<&str>| {
        let mut body = json!({ "grant_type": "refresh_token", "refresh_token": token });
        if let Some(client) = client {
            body["client_id"] = client.into();
        }
        post(&app, TOKEN, body).await
    };
    assert_eq!(refusal(&grant(&tokens.refresh, Some("another program")).await), (400, "invalid_grant"));
    for none in ["", "tgr_", "x", &tokens.access, "ä\u{0}"] {
        assert_eq!(refusal(&grant(none, None).await), (400, "invalid_grant"), "{none:?}");
    }
    assert_eq!(grant(&tokens.refresh, Some("nightly backup")).await.0, 200, "none of that ended it");
}
