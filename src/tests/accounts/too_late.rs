//! What is under way while the owner takes the account back: it comes before that, or not at all (R46, R78).

use super::count;
use crate::support::{
    TestApp,
    browser::{PASSWORD, Person, location},
    until,
};
use leptos::server_fn::ServerFn;
use reqwest::Response;
use sqlx::PgPool;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tollgate::accounts::api;

const NEW: &str = "gate keeper sings at noon";

/// Sends a request that has to wait for the account, does this meanwhile, as a new password does while it holds the account, and lets the
/// request go on.
async fn behind(app: &TestApp, person: &Person, meanwhile: &'static str, request: impl Future<Output = Response>) -> Response {
    let mut tx = app.ctx.db.begin().await.unwrap();
    sqlx::query("select from accounts where id = $1 for update").bind(person.account.uuid()).execute(&mut *tx).await.unwrap();
    let owner = async {
        let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        until("the request waits for the account", || async { count(app, waiting).await > 0 }).await;
        sqlx::query(meanwhile).bind(person.account.uuid()).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    tokio::join!(request, owner).0
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r46_a_session_that_ends_leaves_no_way_in_behind_that_was_under_way(db: PgPool) {
    let app = TestApp::start(db).await;
    let ended = "delete from sessions where account_id = $1";
    let vera = app.sign_in_as("developer").await;
    let asks = vera.browser.post::<api::AskEmailChange>("/settings/email", &[("email", "mallory@example.com")]);
    assert!(location(&behind(&app, &vera, ended, asks).await).starts_with("/sign-in"));
    assert_eq!(count(&app, "select count(*) from email_changes").await, 0);

    let kira = app.sign_in_as("developer").await;
    let changes = kira.browser.post::<api::ChangePassword>("/settings/security", &[("current_password", PASSWORD), ("new_password", NEW)]);
    assert!(location(&behind(&app, &kira, ended, changes).await).starts_with("/sign-in"));
    assert_eq!(app.browser().sign_in(&kira.email, NEW).await.status(), 422, "the password is as it was");

    let (mara, _) = super::factors::with_app(&app, "developer").await;
    let codes = "select count(*) from events where kind = 'factor.codes_made'";
    let before = count(&app, codes).await;
    let makes = mara.browser.post::<api::MakeRecoveryCodes>("/settings/security", &[]);
    assert!(location(&behind(&app, &mara, ended, makes).await).starts_with("/sign-in"));
    assert_eq!(count(&app, codes).await, before);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r46_of_two_new_passwords_at_once_the_one_that_knew_an_older_one_is_refused(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let changes = vera.browser.post::<api::ChangePassword>("/settings/security", &[("current_password", PASSWORD), ("new_password", NEW)]);
    let other = "update accounts set password_hash = password_hash || 'x' where id = $1";
    assert_eq!(behind(&app, &vera, other, changes).await.status(), 409);
    assert_eq!(count(&app, "select count(*) from events where kind = 'account.password_changed'").await, 0);
}

/// A file is read piece by piece: who sends it is asked again when it is drawn.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r46_a_picture_that_comes_after_the_session_has_ended_is_not_set(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let mut file = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(8, 8, image::Rgb([1, 2, 3])).write_to(&mut file, image::ImageFormat::Png).unwrap();
    let head = "--gate\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"me.png\"\r\nContent-Type: image/png\r\n\r\n";
    let body = [head.as_bytes(), file.get_ref(), b"\r\n--gate--\r\n"].concat();
    let request = vera.browser.http.post(format!("{}/settings/profile", app.base)).header("sec-fetch-site", "same-origin").header("accept", "text/html");
    let request = request.header("content-type", "multipart/form-data; boundary=gate").body(body);
    let sends = async { request.send().await.unwrap() };
    assert_eq!(behind(&app, &vera, "delete from sessions where account_id = $1", sends).await.status(), 401);
    assert_eq!(count(&app, "select count(*) from avatars").await, 0);
}

/// Whoever begins a request and keeps its end back is looked at when it has come.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r46_a_request_is_of_nobody_before_all_of_it_is_there(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.account("vera@example.com", "Vera", "developer").await;
    let cookie = {
        let answer = app.browser().sign_in("vera@example.com", PASSWORD).await;
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()?.split(';').next().map(str::to_owned));
        cookies.collect::<Vec<_>>().join("; ")
    };
    let send = async |name: &str, is_ended: bool| {
        let body = format!("_fn={}&time_zone=UTC&name={name}", api::UpdateProfile::PATH);
        let head = format!(
            "POST /settings/profile HTTP/1.1\r\nhost: gate\r\nconnection: close\r\naccept: text/html\r\nsec-fetch-site: same-origin\r\ncookie: {cookie}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
        let (first, rest) = body.split_at(body.len() - 1);
        stream.write_all(format!("{head}{first}").as_bytes()).await.unwrap();
        if is_ended {
            // Another request that comes later has been answered: this one has been begun.
            assert_eq!(app.get("/healthz").await.status(), 200);
            sqlx::query("delete from sessions where account_id = $1").bind(vera.uuid()).execute(&app.ctx.db).await.unwrap();
        }
        stream.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.lines().filter(|line| line.starts_with("HTTP/") || line.starts_with("location:")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(send("Verena", false).await, ["HTTP/1.1 303 See Other", "location: /settings/profile"]);
    let late = send("Mallory", true).await;
    assert!(late[1].starts_with("location: /sign-in"), "{late:?}");
    let names: Vec<String> = sqlx::query_scalar("select name from accounts").fetch_all(&app.ctx.db).await.unwrap();
    assert_eq!(names, ["Verena"]);
}
