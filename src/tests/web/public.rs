//! What strangers read says how this site is: its own address in the examples, and no way to sign up where there is none.

use crate::support::TestApp;
use sqlx::PgPool;
use tollgate::{platform::config::SignUpMode, site::pages::all_docs};

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn the_examples_of_the_docs_call_this_site(db: PgPool) {
    let app = TestApp::start_with(db, |config| config.server.public_url = "https://gate.example.com".parse().unwrap()).await;
    for path in ["/docs", "/docs/verify"] {
        let page = app.get(path).await.text().await.unwrap();
        assert!(page.contains("curl https://gate.example.com/api/v1/keys/verify"), "{path}: {page}");
    }
    for path in std::iter::once("/docs".to_owned()).chain(all_docs().map(|doc| doc.path())) {
        let page = app.get(&path).await.text().await.unwrap();
        for options in ["", "-i ", "-X POST ", "-X PUT ", "-X PATCH ", "-O -J "] {
            assert!(!page.contains(&format!("curl {options}http://127.0.0.1:3000")), "{path}: curl {options}");
        }
    }
    let together = app.get("/docs/limit-kinds").await.text().await.unwrap();
    assert!(together.contains("proxy_pass       http://127.0.0.1:3000/"), "a proxy on the same machine asks this server itself");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn only_where_everybody_may_sign_up_pages_invite_everybody_to(db: PgPool) {
    for mode in [SignUpMode::Open, SignUpMode::Invite, SignUpMode::Closed] {
        let app = TestApp::start_with(db.clone(), |config| config.auth.sign_up = mode).await;
        for path in ["/", "/docs", "/docs/limits", "/docs/api", "/status", "/verify-email", "/sign-in"] {
            let page = app.get(path).await.text().await.unwrap();
            assert_eq!(page.contains("href=\"/sign-up\""), mode == SignUpMode::Open, "{mode:?} {path}");
            assert!(path == "/sign-in" || path == "/verify-email" || page.contains("href=\"/sign-in\""), "{mode:?} {path}");
        }
        app.stop().await;
    }
}
