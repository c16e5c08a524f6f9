//! The limits on the page of a key: a row each, and a form that adds or changes one.

use super::{
    pages::{id_of, make, words},
    passes,
};
use crate::support::{TestApp, browser::location};
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::{
        api::{AddCredits, SetLimit},
        model::NewRoute,
        server::{find_key, replace_routes},
    },
};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_set_and_add_credits_on_the_page(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let olga = app.sign_in_as("operator").await;
    let (path, secret) = make(&vera, "checkout").await;
    let id = id_of(&path);
    let set = async |refill: &str, over: &str| {
        let fields = [("id", id.as_str()), ("_form", "limit"), ("limit", "2"), ("window", "credits:3600"), ("refill", refill), ("over", over)];
        olga.browser.post::<SetLimit>(&path, &fields).await
    };
    for (refill, over, wrong) in [
        ("", "refuse", "Write how many credits come back"),
        ("0", "mark", "Write how many credits come back"),
        ("1", "throttle", "Write how many calls pass in a second"),
    ] {
        let answer = set(refill, over).await;
        assert_eq!(answer.status(), 422, "{refill} {over}");
        assert!(answer.text().await.unwrap().contains(wrong), "{wrong}");
    }
    assert_eq!(location(&set("1", "refuse").await), path);
    assert_eq!([passes(&app, &secret).await, passes(&app, &secret).await, passes(&app, &secret).await], [200, 200, 429]);
    let page = olga.browser.page(&path).await;
    assert!(page.contains("2 credits, +1 every hour") && words(&page).contains("+1 at 13:00"), "why this limit, and what comes back: {page}");
    assert!(page.contains("Add credits") && !vera.browser.page(&path).await.contains("Add credits"));

    let add = [("id", id.as_str()), ("limit", "default"), ("units", "1,000"), ("reason", "invoice 1"), ("once", "a-page")];
    assert_eq!(vera.browser.post::<AddCredits>(&path, &add).await.status(), 403);
    for _ in 0..2 {
        assert_eq!(location(&olga.browser.post::<AddCredits>(&path, &add).await), path);
    }
    assert_eq!(passes(&app, &secret).await, 200);
    let page = words(&olga.browser.page(&path).await);
    assert!(page.contains("added credits: 1,000 to default") && page.contains("999"), "once: {page}");
    let wrong = [("id", id.as_str()), ("limit", "default"), ("units", "many")];
    assert_eq!(olga.browser.post::<AddCredits>(&path, &wrong).await.status(), 422);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn credits_let_calls_pass_and_mark_them_where_the_form_says_so(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let olga = app.sign_in_as("operator").await;
    let (path, secret) = make(&vera, "checkout").await;
    let id = id_of(&path);
    let fields = [("id", id.as_str()), ("limit", "2"), ("window", "credits:3600"), ("refill", "1"), ("over", "mark"), ("over_until", "2027-01-31")];
    assert_eq!(location(&olga.browser.post::<SetLimit>(&path, &fields).await), path);
    for call in 0..4 {
        assert_eq!(passes(&app, &secret).await, 200, "call {call}");
    }
    let page = olga.browser.page(&path).await;
    assert!(page.contains("2 credits, +1 every hour, more are marked until 2027-01-31 00:00 UTC"), "why this limit: {page}");
    assert!(words(&page).contains("2 over"), "{page}");
    let page = olga.browser.page(&format!("{path}?set=default")).await;
    assert!(page.contains("Change the limit default") && page.contains("value=\"2027-01-31\""), "the form of that limit: {page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn how_many_credits_come_back_is_not_dropped_where_nothing_does(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let olga = app.sign_in_as("operator").await;
    let (path, _) = make(&vera, "checkout").await;
    let (id, before) = (id_of(&path), words(&olga.browser.page(&path).await));
    assert!(["100 units an hour", "How many", "Of what", "units a minute", "credits, prepaid"].iter().all(|said| before.contains(said)), "{before}");
    let (only, more) = ("Only credits come back like this.", "<details open class=\"more-fields\"");
    assert!(!olga.browser.page(&path).await.contains(more), "what few limits need waits");
    for (limit, window, wrong) in
        [("2", "3600", only), ("2", "credits", only), ("2", "concurrent:30", only), ("", "credits:3600", "Write a whole number of credits, for example 2,400.")]
    {
        let fields = [("id", id.as_str()), ("_form", "limit"), ("limit", limit), ("window", window), ("refill", "77"), ("over", "refuse")];
        let answer = olga.browser.post::<SetLimit>(&path, &fields).await;
        assert_eq!(answer.status(), 422, "{limit} {window}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(wrong) && page.contains("One field needs a change: ") && !page.contains(more), "{limit} {window}: {page}");
        let typed = ["name=\"refill\" value=\"77\"".to_owned(), format!("name=\"limit\" value=\"{limit}"), format!("<option value=\"{window}\" selected")];
        assert!(typed.iter().all(|kept| page.contains(kept)), "nothing that was typed is lost: {limit} {window}: {page}");
    }
    assert!(olga.browser.page(&path).await.contains("100 units an hour"), "nothing was set");
    let fields = [("id", id.as_str()), ("_form", "limit"), ("limit", "many"), ("window", "credits")];
    let page = olga.browser.post::<SetLimit>(&path, &fields).await.text().await.unwrap();
    assert!(page.contains("Write a whole number of credits, for example 2,400."), "{page}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn operators_set_limits_on_the_page_and_developers_do_not(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let olga = app.sign_in_as("operator").await;
    let (path, secret) = make(&vera, "checkout").await;
    let id = id_of(&path);
    assert!(!vera.browser.page(&path).await.contains("Add limit"));
    let fields = [("id", id.as_str()), ("limit", "2"), ("window", "3600")];
    assert_eq!(vera.browser.post::<SetLimit>(&path, &fields).await.status(), 403);

    assert!(olga.browser.page(&path).await.contains("Add limit"));
    assert_eq!(location(&olga.browser.post::<SetLimit>(&path, &fields).await), path);
    assert_eq!([passes(&app, &secret).await, passes(&app, &secret).await, passes(&app, &secret).await], [200, 200, 429]);
    let page = words(&vera.browser.page(&path).await);
    assert!(page.contains("Counted for this key alone.") && page.contains("at 13:00"), "what is left, and when it resets: {page}");
    for (limit, window) in [("many", "3600"), ("-1", "3600"), ("1", "0"), ("99999999999", "60"), ("1", "x")] {
        let answer = olga.browser.post::<SetLimit>(&path, &[("id", &id), ("was", "default"), ("limit", limit), ("window", window)]).await;
        assert_eq!(answer.status(), 422, "{limit} {window}");
    }
    let beyond = |over: &'static str, per_second: &'static str, until: &'static str| {
        [
            ("id", id.clone()),
            ("_form", "limit".into()),
            ("was", "default".into()),
            ("limit", "2".into()),
            ("window", "3600".into()),
            ("over", over.into()),
            ("over_per_second", per_second.into()),
            ("over_until", until.into()),
        ]
    };
    for (fields, words) in [
        (beyond("throttle", "", ""), "Write how many calls pass in a second"),
        (beyond("mark", "", "soon"), "Write a day as 2027-01-31"),
        (beyond("mark", "", "2026-11-20"), "This end has passed."),
        (beyond("allow", "", ""), "Choose what becomes of calls beyond the limit."),
    ] {
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = olga.browser.post::<SetLimit>(&path, &fields).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.text().await.unwrap().contains(words), "{words}");
    }
    let fields = beyond("mark", "", "2027-01-31");
    olga.browser.post::<SetLimit>(&path, &fields.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    assert_eq!([passes(&app, &secret).await, passes(&app, &secret).await], [200, 200], "two of two are used, and more pass");
    let page = olga.browser.page(&path).await;
    assert!(page.contains("2 units an hour, more are marked until 2027-01-31 00:00 UTC"), "why this limit");
    assert!(words(&page).contains("2 over"), "{page}");
    let page = olga.browser.page(&format!("{path}?set=default")).await;
    assert!(page.contains("Change the limit default") && page.contains("value=\"2027-01-31\""), "the form of that limit: {page}");

    let together = [("id", id.as_str()), ("was", "default"), ("limit", "2"), ("window", "concurrent:30")];
    assert_eq!(location(&olga.browser.post::<SetLimit>(&path, &together).await), path);
    assert_eq!([passes(&app, &secret).await, passes(&app, &secret).await, passes(&app, &secret).await], [200, 200, 429]);
    let page = olga.browser.page(&path).await;
    assert!(words(&page).contains("2 of 2 calls at the same time now") && page.contains("calls at the same time, each for 30 seconds at most"), "{page}");
    assert!(page.contains("<td class=\"col-2\">when a call ends, each after 30 seconds at the latest"), "so long a text wraps: {page}");
    for (limit, over, per_second, wrong) in
        [("10001", "refuse", "", "at most 10,000 calls at the same time"), ("2", "throttle", "5", "none waits for a place. Choose refuse, mark")]
    {
        let fields = [("id", id.as_str()), ("_form", "limit"), ("was", "default"), ("limit", limit), ("window", "concurrent:30")];
        let fields = [&fields[..], &[("over", over), ("over_per_second", per_second)][..]].concat();
        let answer = olga.browser.post::<SetLimit>(&path, &fields).await;
        assert_eq!(answer.status(), 422, "{limit} {over}");
        assert!(answer.text().await.unwrap().contains(wrong), "{wrong}");
    }

    olga.browser.post::<SetLimit>(&path, &[("id", &id), ("was", "default"), ("act", "remove")]).await;
    assert_eq!(passes(&app, &secret).await, 200, "the default again");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_chart_has_a_line_only_where_its_bars_are_what_the_limit_counts(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    let vera = app.sign_in_as("developer").await;
    let olga = app.sign_in_as("operator").await;
    let (path, _) = make(&vera, "checkout").await;
    let id = id_of(&path);
    let set = async |window: &str| {
        let fields = [("id", id.as_str()), ("_form", "limit"), ("was", "default"), ("limit", "1,234"), ("window", window)];
        assert_eq!(location(&olga.browser.post::<SetLimit>(&path, &fields).await), path, "{window}");
    };
    let has_line = async || vera.browser.page(&path).await.contains("class=\"limit-text\"");
    set("86400").await;
    assert!(has_line().await, "her days are those of UTC");
    assert!(!vera.browser.page(&path).await.contains(", above this chart"), "nothing was called");
    set("rolling:3600").await;
    assert!(!has_line().await, "a bar is longer");
    sqlx::query("update accounts set time_zone = 'Europe/Stockholm'").execute(&db).await.unwrap();
    set("86400").await;
    assert!(!has_line().await, "the day of UTC begins in the midst of her bars");
    for window in ["day@Europe/Stockholm", "rolling:86400"] {
        set(window).await;
        assert!(has_line().await, "{window}");
    }
    let route = NewRoute { method: "POST".into(), pattern: "/orders".into(), cost: Some(5), ..NewRoute::default() };
    replace_routes(&app.ctx, &Caller::cli(), "demo", vec![route]).await.unwrap();
    assert!(!has_line().await, "bars of calls say nothing of a limit of units");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn saving_one_limit_on_the_page_of_a_key_touches_no_other(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let olga = app.sign_in_as("operator").await;
    let (path, secret) = make(&vera, "checkout").await;
    let id = id_of(&path);
    let set = async |fields: &[(&str, &str)]| {
        let fields = [&[("id", id.as_str()), ("_form", "limit")], fields].concat();
        olga.browser.post::<SetLimit>(&path, &fields).await
    };
    let held = async || {
        let key = find_key(&app.ctx, &Caller::cli(), id.parse().unwrap()).await.unwrap();
        key.limits.iter().map(|limit| format!("{}: {}", limit.name, limit.words())).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        assert_eq!(location(&set(&[("name", "burst"), ("limit", "5"), ("window", "seconds"), ("seconds", "90")]).await), path, "safe to send twice");
    }
    set(&[("name", "month"), ("limit", "1,000"), ("window", "month@Europe/Stockholm")]).await;
    set(&[("name", "day"), ("limit", "3"), ("window", "86400")]).await;
    let three = ["burst: 5 units in 90 seconds", "day: 3 units a day", "month: 1,000 units a month (Europe/Stockholm)"];
    assert_eq!(held().await, three);
    let page = olga.browser.page(&path).await;
    assert!(["burst", "day", "month"].iter().all(|name| page.contains(&format!("{path}?set={name}#limit"))), "a row each: {page}");

    let page = olga.browser.page(&format!("{path}?set=day")).await;
    assert!(page.contains("<option value=\"86400\" selected") && page.contains("/docs/limits#units-or-calls"), "{page}");
    for (window, unit) in [("calls:86400", ""), ("86400", "calls")] {
        set(&[("was", "day"), ("name", "day"), ("limit", "3"), ("window", window), ("unit", unit)]).await;
        assert_eq!(held().await[1], "day: 3 calls a day", "{window} {unit}");
        let page = olga.browser.page(&format!("{path}?set=day")).await;
        assert!(page.contains("<option value=\"calls:86400\" selected") && page.contains("Edit the limit day"), "the form says so: {page}");
        set(&[("was", "day"), ("name", "day"), ("limit", "3"), ("window", "86400")]).await;
    }
    let credits = set(&[("was", "day"), ("name", "day"), ("limit", "3"), ("window", "credits"), ("unit", "calls")]).await;
    assert_eq!(credits.status(), 422);
    assert!(credits.text().await.unwrap().contains("credits are units, and calls at the same time are calls"), "beside its field");

    let clash = set(&[("name", "day"), ("limit", "7"), ("window", "60")]).await;
    assert_eq!(clash.status(), 422);
    let clash = clash.text().await.unwrap();
    assert!(clash.contains("Another limit here has this name.") && clash.contains("name=\"limit\" value=\"7\""), "beside its field, with what was typed");
    let clash = set(&[("was", "day"), ("name", "month"), ("limit", "7"), ("window", "60")]).await;
    assert_eq!((clash.status().as_u16(), held().await), (422, three.map(str::to_owned).to_vec()), "neither is lost");

    for _ in 0..2 {
        set(&[("was", "day"), ("name", "daily"), ("limit", "2"), ("window", "86400")]).await;
    }
    assert_eq!(held().await[1], "daily: 2 units a day", "renamed and changed");
    assert_eq!([passes(&app, &secret).await, passes(&app, &secret).await, passes(&app, &secret).await], [200, 200, 429]);
    for _ in 0..2 {
        set(&[("was", "daily"), ("act", "remove")]).await;
    }
    assert_eq!(held().await, [three[0], three[2]]);
    assert_eq!(passes(&app, &secret).await, 200);
}
