//! What is left of it: both names in every event, a mail to the owner, a line on their Sessions; and nothing among their devices.

use super::{REASON, act, ask, stop, two};
use crate::accounts::{count, flat, mail_about};
use sqlx::PgPool;
use time::Duration;
use tollgate::accounts::api;
use uuid::Uuid;

type Recorded = (Option<Uuid>, String, Option<Uuid>, Option<String>, String);

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_every_event_names_the_operator_and_the_account(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    act(&operator, &vera).await;
    let renamed = operator.browser.post::<api::UpdateProfile>("/settings/profile", &[("name", "Vera Lund"), ("time_zone", "UTC")]).await;
    assert_eq!(renamed.status(), 303, "{}", renamed.text().await.unwrap());
    stop(&operator.browser).await;
    for kind in ["acting.started", "account.profile_changed", "acting.stopped"] {
        let (actor, name, subject, behalf, reason): Recorded =
            sqlx::query_as("select actor_id, actor, subject_id, data ->> 'on_behalf_of', reason from events where kind = $1")
                .bind(kind)
                .fetch_one(&app.ctx.db)
                .await
                .unwrap();
        assert_eq!((actor, name.as_str(), subject), (Some(operator.account.uuid()), operator.name.as_str(), Some(vera.account.uuid())), "{kind}");
        if kind == "acting.started" {
            assert_eq!(reason, REASON);
        } else {
            assert_eq!(behalf, Some(vera.account.uuid().to_string()), "{kind}");
        }
    }
    // The histories say so: of the account, and of what operators did.
    let history = operator.browser.page(&format!("/admin/accounts/{}", vera.account)).await;
    assert!(history.contains("Vera 0, acting as Vera Lund,") && history.contains("began to act as Vera Lund"), "{history}");
    assert!(history.contains("the export is &lt;empty&gt;") || history.contains("the export is &lt;empty>"), "{history}");
    assert!(operator.browser.page("/admin").await.contains("acting as Vera Lund"));

    // What the owner does meanwhile, and what the operator does as themself, is nobody else's.
    act(&operator, &vera).await;
    vera.browser.post::<api::UpdateProfile>("/settings/profile", &[("name", "Vera Berg"), ("time_zone", "UTC")]).await;
    stop(&operator.browser).await;
    operator.browser.post::<api::UpdateProfile>("/settings/profile", &[("name", "Ola"), ("time_zone", "UTC")]).await;
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.profile_changed' and data ? 'on_behalf_of'").await, 1);
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.profile_changed' and actor_id = subject_id").await, 2);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r67_the_owner_is_told_by_mail_and_on_sessions(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    let empty = vera.browser.page("/settings/sessions").await;
    assert!(empty.contains("No operator has been in your account."), "{empty}");
    act(&operator, &vera).await;
    let mail = mail_about(&app, &vera.email, "An operator is looking at your account").await;
    let said = flat(&mail);
    for words in [REASON, "20 Nov 2026, 12:00 UTC", "15 minutes", "/settings/sessions", "If you think this is wrong"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains(&operator.email) && !said.contains(&operator.name), "who it is is the operators' own business: {said}");

    let listed = vera.browser.page("/settings/sessions").await;
    assert!(listed.contains("the export is &lt;empty") && listed.contains("15 minutes") && listed.contains("In it now"), "{listed}");
    assert!(!listed.contains(&operator.name), "{listed}");
    assert!(!listed.contains("Sign out 1 other"), "it is no session of the account");
    stop(&operator.browser).await;
    let listed = vera.browser.page("/settings/sessions").await;
    assert!(listed.contains("the export is &lt;empty") && !listed.contains("In it now"), "{listed}");

    sqlx::raw_sql("update accounts set language = 'de', time_zone = 'Europe/Berlin'").execute(&app.ctx.db).await.unwrap();
    app.ctx.clock.advance(Duration::minutes(1));
    assert_eq!(ask(&operator, &vera.account.to_string(), "Sie fragten nach dem Export", "60").await.status(), 303);
    let said = flat(&mail_about(&app, &vera.email, "Ein Betreiber sieht sich Ihr Konto an").await);
    assert!(said.contains("20. November 2026, 13:01 MEZ") && said.contains("60 Minuten") && said.contains("Sie fragten nach dem Export"), "{said}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s91_r67_it_is_no_sign_in_and_no_device_of_the_account(db: PgPool) {
    let (app, operator, vera) = two(db).await;
    // Policies count sessions: of one there is no second.
    let before = facts(&app, vera.account.uuid()).await;
    app.ctx.clock.advance(Duration::minutes(1));
    act(&operator, &vera).await;
    assert_eq!(operator.browser.get("/home").await.status(), 200);
    assert_eq!(facts(&app, vera.account.uuid()).await, before, "sessions, devices and the last sign-in are what they were");
    let admin = app.sign_in_as("operator").await;
    let page = admin.browser.page(&format!("/admin/accounts/{}", vera.account)).await;
    assert!(page.contains("1 session, the one used last first"), "{page}");
    app.run_jobs().await;
    let subjects: Vec<String> = app.mails().into_iter().filter(|mail| mail.to == vera.email).map(|mail| mail.subject).collect();
    assert!(!subjects.iter().any(|subject| subject.contains("sign-in")), "{subjects:?}");
    stop(&operator.browser).await;
    assert_eq!(facts(&app, vera.account.uuid()).await, before);
}

/// Sessions, known devices, and the last sign-in of an account.
async fn facts(app: &crate::support::TestApp, account: Uuid) -> (i64, i64, Option<time::OffsetDateTime>) {
    sqlx::query_as(
        "select (select count(*) from sessions where account_id = $1), (select count(*) from known_devices where account_id = $1), last_sign_in_at
         from accounts where id = $1",
    )
    .bind(account)
    .fetch_one(&app.ctx.db)
    .await
    .unwrap()
}
