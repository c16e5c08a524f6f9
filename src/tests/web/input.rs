//! What is read: as much, as deep and as often as a route expects, and addresses that lead where they should.

use crate::support::{
    TestApp,
    browser::{PASSWORD, Person, location},
};
use leptos::server_fn::ServerFn;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tollgate::accounts::{
    Caller, api,
    model::FieldForm,
    server::{Visitor, create_field},
};

/// Sends these bytes as JSON, without a session.
async fn send(app: &TestApp, path: &str, body: String) -> Response {
    reqwest::Client::new().post(app.url(path)).header("content-type", "application/json").body(body).send().await.unwrap()
}

/// The status of a form as it stands on the wire.
async fn form(app: &TestApp, page: &str, body: String) -> u16 {
    let request = app.browser().http.post(app.url(page)).header("sec-fetch-site", "same-origin").header("accept", "text/html");
    request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap().status().as_u16()
}

/// What a request that says it brings so many bytes is answered before it brings one.
async fn announce(app: &TestApp, path: &str, bytes: usize) -> String {
    let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

/// Sends a body in pieces as they stand here, and waits for the status.
async fn in_pieces(app: &TestApp, path: &str, pieces: &str) -> String {
    let mut stream = TcpStream::connect(app.base.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(format!("{head}{pieces}").as_bytes()).await.unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

async fn accounts(app: &TestApp) -> i64 {
    sqlx::query_scalar("select count(*) from accounts").fetch_one(&app.ctx.db).await.unwrap()
}

const REGISTER: &str = "/api/v1/auth/register";

/// What is not accepted is 422 everywhere, one that is said twice as well: RFC 9110 has 400 for it, our clients read one status for input.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r77_what_is_too_much_too_deep_unknown_or_said_twice_is_refused(db: PgPool) {
    let app = TestApp::start(db).await;
    let sign_up = |more: &str| format!("_fn={}&email=mara%40example.com&name=Mara&password={}{more}", api::SignUp::PATH, PASSWORD.replace(' ', "+"));

    // Too much: 64 kB of a form, 256 kB of REST, 16 kB of a question to the gate.
    assert_eq!(form(&app, "/sign-up", sign_up(&format!("&filler={}", "x".repeat(64 * 1024)))).await, 422);
    let announced = announce(&app, REGISTER, 256 * 1024 + 1).await;
    assert!(announced.starts_with("HTTP/1.1 413 "), "{announced}");
    assert_eq!(send(&app, "/api/v1/keys/verify", json!({ "key": "x".repeat(16 * 1024) }).to_string()).await.status(), 413);

    // Too deep: within what is read, and within what is not known.
    for deep in [1_000, 50_000] {
        let nested = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
        for body in [format!("{{\"email\":{nested}}}"), format!("{{\"fields\":{nested}}}"), format!("{{\"unknown\":{nested}}}"), nested.clone()] {
            assert_eq!(send(&app, REGISTER, body).await.status(), 422, "{deep}");
        }
    }
    // Unknown.
    let unknown = send(&app, REGISTER, json!({ "email": "mara@example.com", "name": "Mara", "password": PASSWORD, "roles": ["operator"] }).to_string()).await;
    assert_eq!(unknown.status(), 422);
    assert_eq!(unknown.json::<Value>().await.unwrap()["errors"][0]["pointer"], "#/roles");

    // Said twice: in JSON, in a form, in a query.
    let twice = format!("{{\"email\":\"mara@example.com\",\"email\":\"evil@example.com\",\"name\":\"Mara\",\"password\":\"{PASSWORD}\"}}");
    assert_eq!(send(&app, REGISTER, twice).await.status(), 422);
    assert_eq!(form(&app, "/sign-up", sign_up("&email=evil%40example.com")).await, 422);
    assert_eq!(accounts(&app).await, 0);
    let vera = app.sign_in_as("developer").await;
    for (query, name) in [
        ("keys?limit=1&limit=1", "limit"),
        ("keys?cursor=a&cursor=b", "cursor"),
        ("usage?bucket=hour&bucket=day", "bucket"),
        ("usage/export?format=csv&format=json", "format"),
    ] {
        let refused = vera.browser.get(&format!("/api/v1/{query}")).await;
        assert_eq!(refused.status(), 422, "{query}");
        let told = refused.json::<Value>().await.unwrap();
        assert_eq!(
            (&told["detail"], &told["errors"][0]["pointer"]),
            (&json!(format!("{name} is said twice. Say it once.")), &json!(format!("#/{name}"))),
            "{query}"
        );
    }
    assert_eq!(vera.browser.get("/api/v1/keys?limit=1").await.status(), 200);
    assert_eq!(form(&app, "/sign-up", sign_up("")).await, 303, "the same form, once");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r77_what_comes_in_broken_pieces_is_broken_and_not_too_long(db: PgPool) {
    let app = TestApp::start(db).await;
    for (pieces, status) in [("zz\r\nabc\r\n0\r\n\r\n", "400 "), ("3\r\nabcdef\r\n0\r\n\r\n", "400 "), ("2\r\n{}\r\n0\r\n\r\n", "422 ")] {
        let answer = in_pieces(&app, REGISTER, pieces).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{pieces:?}: {answer}");
    }
    let long = format!("{:x}\r\n{}\r\n0\r\n\r\n", 256 * 1024 + 1, "x".repeat(256 * 1024 + 1));
    let answer = in_pieces(&app, REGISTER, &long).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_body_that_never_comes_is_408_and_a_slow_answer_504(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.request_timeout = std::time::Duration::from_secs(2)).await;
    let vera = app.sign_in_as("developer").await;
    let (none, part) = tokio::join!(announce(&app, REGISTER, 100), in_pieces(&app, REGISTER, "2\r\n{}\r\n"));
    assert!(none.starts_with("HTTP/1.1 408 ") && part.starts_with("HTTP/1.1 408 "), "{none}, {part}");
    // It came whole, and who answers waits.
    let mut tx = app.ctx.db.begin().await.unwrap();
    sqlx::query("lock table accounts in access exclusive mode").execute(&mut *tx).await.unwrap();
    let late = patch(&app, &vera, "https://example.com/").await;
    tx.rollback().await.unwrap();
    assert_eq!(late, 504);
}

async fn patch(app: &TestApp, person: &Person, url: &str) -> u16 {
    let request = person.browser.http.request(Method::PATCH, app.url("/api/v1/me")).header("sec-fetch-site", "same-origin");
    request.json(&json!({ "fields": { "page": url } })).send().await.unwrap().status().as_u16()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r76_next_is_a_path_of_this_site_and_an_address_is_of_the_web(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("mara@example.com", "Mara", "developer").await;
    for next in [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/%2Fevil.example",
        "/%2f%2fevil.example",
        "/%5Cevil.example",
        "/keys/..%2f..%2f/evil.example",
        "%2F%2Fevil.example",
        "/\u{9}/evil.example",
        "http:evil.example",
        "https:/evil.example",
        "data:text/html,x",
        "javascript:alert(1)",
        "/..//evil.example",
    ] {
        let answer = app.browser().post::<api::SignIn>("/sign-in", &[("email", "mara@example.com"), ("password", PASSWORD), ("next", next)]).await;
        assert_eq!(location(&answer), "/home", "{next:?}");
    }
    let kept = "/keys?q=a%2Fb&tag=x";
    let answer = app.browser().post::<api::SignIn>("/sign-in", &[("email", "mara@example.com"), ("password", PASSWORD), ("next", kept)]).await;
    assert_eq!(location(&answer), kept, "a query may say anything");
    // The same for who is signed in already: a link to sign in, kept in another tab.
    let mara = app.browser();
    mara.sign_in("mara@example.com", PASSWORD).await;
    for (asked, to) in [
        ("/sign-in?next=%2Fkeys%3Fq%3Da%252Fb%26tag%3Dx", kept),
        ("/sign-in?next=/settings/profile", "/settings/profile"),
        ("/sign-in?next=%2F%2Fevil.example", "/home"),
        ("/sign-in?next=https%3A%2F%2Fevil.example", "/home"),
        ("/sign-in?next=/sign-in%3Fnext%3D/keys", "/home"),
        ("/sign-in", "/home"),
    ] {
        assert_eq!(location(&mara.get(asked).await), to, "{asked}");
    }

    let field = FieldForm { slug: "page".to_owned(), label: "Page".to_owned(), kind: "url".to_owned(), ..FieldForm::default() };
    create_field(&app.ctx, &Caller::cli(), &Visitor::terminal(), &field).await.unwrap();
    let vera = app.sign_in_as("developer").await;
    for url in ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,<script>", "ftp://example.com/", "file:///etc/passwd", "//example.com", "/keys"] {
        assert_eq!(patch(&app, &vera, url).await, 422, "{url}");
    }
    for url in ["https://example.com/", "http://example.com/a?b=c"] {
        assert_eq!(patch(&app, &vera, url).await, 200, "{url}");
    }
}
