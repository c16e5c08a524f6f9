//! What a password must be wherever one is set, and what it costs: length, lists, advice, the hash, and the queue before it.

use super::{count, seen, sign_up};
use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD, location},
    folder::Folder,
    log::Log,
    mailbox::link,
    until,
};
use serde_json::json;
use sha1::{Digest, Sha1};
use sqlx::PgPool;
use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tollgate::{
    accounts::{
        Caller, api,
        server::{NewAccount, Passwords, create_account, create_invite, create_operator, ensure_first_operator},
    },
    platform::{
        config::{self, Auth, Config, Env, Loaded, SecondFactor, SignUpMode, Sources},
        crypto::{Rng, Vault},
    },
};

const LEAKED: &str = "lighthouse under quiet snow";
const WRONG: &str = "not the right one at all";

/// A site that looks new passwords up in a list of these, and the folder where it lies.
async fn with_list(db: PgPool, leaked: &[&str], change: impl FnOnce(&mut Config)) -> (TestApp, Folder) {
    let folder = Folder::new();
    let mut lines: Vec<String> =
        leaked.iter().map(|password| Sha1::digest(password).iter().map(|byte| format!("{byte:02X}")).collect::<String>() + ":3\r\n").collect();
    lines.sort();
    fs::write(folder.path().join("leaked.txt"), lines.concat()).unwrap();
    let path = folder.path().join("leaked.txt");
    let app = TestApp::start_with(db, |config| {
        config.auth.breached_passwords = Some(path);
        change(config);
    })
    .await;
    (app, folder)
}

/// The configuration of this environment.
fn configured(env: &[(&str, &str)]) -> Result<Loaded, String> {
    let folder = Folder::new();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    config::load(&Sources { dir: folder.path().to_owned(), env, ..Sources::default() }).map_err(|error| error.to_string())
}

async fn post(app: &TestApp, path: &str, body: serde_json::Value) -> reqwest::Response {
    reqwest::Client::new().post(app.url(path)).json(&body).send().await.unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r1_fifteen_characters_guard_an_account_alone_and_eight_only_beside_a_second_factor(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    assert_eq!(app.ctx.config.auth.password_min, 15);
    let short = sign_up(&app.browser(), "mara@example.com", "Mara", "korallenriff w").await;
    assert_eq!(short.status(), 422);
    assert!(short.text().await.unwrap().contains("Use at least 15 characters: this has 14"));
    assert_eq!(sign_up(&app.browser(), "mara@example.com", "Mara", "korallenriff wi").await.status(), 303);
    app.stop().await;

    // Fewer are a setting only where nobody comes in without a second factor, and never fewer than eight.
    for env in [&[("TOLLGATE_PASSWORD_MIN", "8")][..], &[("TOLLGATE_PASSWORD_MIN", "14"), ("TOLLGATE_SECOND_FACTOR", "operators")]] {
        assert!(configured(env).unwrap_err().contains("only where auth.second_factor is \"all\""), "{env:?}");
    }
    assert!(configured(&[("TOLLGATE_PASSWORD_MIN", "7"), ("TOLLGATE_SECOND_FACTOR", "all")]).unwrap_err().contains("from 8 to 64"));
    let auth = configured(&[("TOLLGATE_PASSWORD_MIN", "8"), ("TOLLGATE_SECOND_FACTOR", "all")]).unwrap().config.auth;
    assert_eq!((auth.password_min, auth.second_factor), (8, SecondFactor::All));

    let app = TestApp::start_with(db, |config| config.auth = Auth { argon2_memory_kib: 64, argon2_passes: 1, ..auth }).await;
    let nora = app.browser();
    assert_eq!(sign_up(&nora, "nora@example.com", "Nora", "zebu 4!").await.status(), 422);
    assert_eq!(sign_up(&nora, "nora@example.com", "Nora", "zebu 4!x").await.status(), 303);
    nora.get(link(&app.mail_to("nora@example.com").await, "/verify-email")).await;
    assert_eq!(location(&nora.post::<api::VerifyEmail>("/verify-email", &[]).await), "/sign-in");
    assert_eq!(nora.sign_in("nora@example.com", "zebu 4!x").await.status(), 303);
    assert_eq!(location(&nora.get("/keys").await), "/settings/security/authenticator", "alone it opens nothing");
    assert_eq!(nora.get("/api/v1/me").await.status(), 401);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r5_a_leaked_password_is_refused_and_a_list_that_is_lost_keeps_nobody_out(db: PgPool) {
    let (log, _guard) = Log::keep("info");
    let (app, folder) = with_list(db, &[LEAKED, "another one of them", "and a third of them"], |_| {}).await;
    let refused = sign_up(&app.browser(), "mara@example.com", "Mara", LEAKED).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("This password was leaked"));
    assert_eq!(sign_up(&app.browser(), "mara@example.com", "Mara", "lighthouse under quiet rain").await.status(), 303, "a neighbour is not on it");
    assert!(log.lines_with(&["has leaked is not known"]).is_empty());

    for (n, broken) in [Some("<html>404 Not Found</html>"), None].into_iter().enumerate() {
        match broken {
            Some(text) => fs::write(folder.path().join("leaked.txt"), text).unwrap(),
            None => fs::remove_file(folder.path().join("leaked.txt")).unwrap(),
        }
        assert_eq!(sign_up(&app.browser(), &format!("nora{n}@example.com"), "Nora", LEAKED).await.status(), 303, "it passes");
        assert_eq!(log.lines_with(&["WARN", "has leaked is not known"]).len(), n + 1, "and that is logged: {}", log.text());
    }
    assert!(!log.text().contains(LEAKED));
}

/// Who is about to set a password, by every way in which one is set.
struct Doors {
    app: TestApp,
    guest: Browser,
    /// Signed in.
    vera: Browser,
    /// Holds a mailed link; and what is in it.
    kira: Browser,
    token: String,
    /// Holds the link that the first start prints.
    boss: Browser,
    _list: Folder,
}

impl Doors {
    async fn new(db: PgPool) -> Self {
        let (app, list) = with_list(db, &[LEAKED], |config| config.auth.sign_up = SignUpMode::Invite).await;
        let [guest, kira, boss] = [app.browser(), app.browser(), app.browser()];
        let invite = create_invite(&app.ctx, &Caller::cli(), 5, time::Duration::days(1)).await.unwrap();
        guest.get(invite.strip_prefix(&app.base).unwrap()).await;
        let first = ensure_first_operator(&app.ctx).await.unwrap().expect("there is no operator yet");
        boss.get(first.strip_prefix(&app.base).unwrap()).await;
        app.account("kira@example.com", "Kira", "developer").await;
        kira.post::<api::ForgotPassword>("/forgot-password", &[("email", "kira@example.com")]).await;
        let mail = app.mail_to("kira@example.com").await;
        let path = link(&mail, "/reset-password");
        kira.get(path).await;
        let token = path.split("token=").nth(1).unwrap().to_owned();
        let vera = app.sign_in_as("developer").await.browser;
        Self { app, guest, vera, kira, token, boss, _list: list }
    }

    /// What each door says to this password: status and text.
    async fn say(&self, password: &str) -> Vec<(&'static str, u16, String)> {
        let change = [("current_password", PASSWORD), ("new_password", password)];
        let register = json!({ "email": "rosa@example.com", "name": "Rosa", "password": password });
        let reset = json!({ "token": self.token, "new_password": password });
        let answers = [
            ("sign-up by invitation", sign_up(&self.guest, "nora@example.com", "Nora", password).await),
            ("sign-up by REST", post(&self.app, "/api/v1/auth/register", register).await),
            ("change", self.vera.post::<api::ChangePassword>("/settings/security", &change).await),
            ("mailed link", self.kira.post::<api::ResetPassword>("/reset-password", &[("new_password", password)]).await),
            ("mailed link by REST", post(&self.app, "/api/v1/auth/password/reset", reset).await),
            ("first operator", self.boss.post::<api::ResetPassword>("/reset-password", &[("new_password", password), ("email", "boss@example.com")]).await),
        ];
        let mut said = Vec::new();
        for (door, answer) in answers {
            said.push((door, answer.status().as_u16(), answer.text().await.unwrap()));
        }
        let made = create_operator(&self.app.ctx, "olga@example.com".parse().unwrap(), None, Some(password.into())).await;
        said.push(match made {
            Ok(_) => ("command line", 303, String::new()),
            Err(error) => ("command line", error.status(), error.field("password").unwrap_or_default().to_owned()),
        });
        said
    }
}

/// The server alone decides: no page has a meter whose word could differ, and these forms come without a script.
#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r9_r7_every_door_has_the_same_rules_and_gives_reason_and_advice(db: PgPool) {
    let doors = Doors::new(db).await;
    let long = "reef ".repeat(60);
    for (password, reason, advice) in [
        ("korallenriff w", "Use at least 15 characters: this has 14.", "A few words in a row are easy to remember."),
        ("passwordpassword", "This password is too common.", "Use a few words that nobody would put together."),
        ("an example of a harbour", "names and addresses are tried first", "Leave “example” out"),
        (LEAKED, "This password was leaked, and leaked passwords are tried first.", "Use one that you have used nowhere else."),
        (long.as_str(), "A password has at most 256 characters.", "Use a shorter one."),
    ] {
        let said = doors.say(password).await;
        assert_eq!(said.len(), 7);
        for (door, status, text) in said {
            assert_eq!(status, 422, "{door} takes {password}: {text}");
            assert!(text.contains(reason) && text.contains(advice), "{door}, {password}: {text}");
        }
    }
    assert_eq!(count(&doors.app, "select count(*) from events where kind in ('account.password_changed', 'account.password_reset')").await, 0);
    assert_eq!(count(&doors.app, "select count(*) from accounts where email_key in ('nora@example.com', 'rosa@example.com', 'olga@example.com')").await, 0);

    let good = "gate keeper sings at noon";
    assert_eq!(sign_up(&doors.guest, "nora@example.com", "Nora", good).await.status(), 303);
    let change = [("current_password", PASSWORD), ("new_password", good)];
    assert_eq!(doors.vera.post::<api::ChangePassword>("/settings/security", &change).await.status(), 303);
    assert_eq!(doors.kira.post::<api::ResetPassword>("/reset-password", &[("new_password", good)]).await.status(), 303);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r8_a_change_takes_the_present_password_and_nothing_stands_in_a_managers_way(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let new = "gate keeper sings at noon";
    for fields in [&[("new_password", new)][..], &[("current_password", ""), ("new_password", new)], &[("current_password", WRONG), ("new_password", new)]] {
        assert_eq!(vera.browser.post::<api::ChangePassword>("/settings/security", fields).await.status(), 422, "{fields:?}");
    }
    assert_eq!(app.browser().sign_in(&vera.email, new).await.status(), 422, "nothing was changed");

    let page = vera.browser.page("/settings/security").await;
    let fields: Vec<&str> = page.split("<input").filter_map(|rest| rest.split('>').next()).filter(|tag| tag.contains("type=\"password\"")).collect();
    assert_eq!(fields.len(), 2, "{fields:?}");
    for (field, token) in fields.iter().zip(["current-password", "new-password"]) {
        assert!(field.contains(&format!("autocomplete=\"{token}\"")) && !field.contains("readonly") && !field.contains("onpaste"), "{field}");
    }
    assert_eq!(page.matches("aria-label=\"Show password\"").count(), 2);
    for script in fs::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("public")).unwrap().map(|file| file.unwrap().path()) {
        let watches = script.extension().is_some_and(|x| x == "js") && fs::read_to_string(&script).unwrap().contains("\"paste\"");
        assert!(!watches, "{} looks at what is pasted", script.display());
    }
    let changed = vera.browser.post::<api::ChangePassword>("/settings/security", &[("current_password", PASSWORD), ("new_password", new)]).await;
    assert_eq!(changed.status(), 303);
    assert_eq!(location(&app.browser().sign_in(&vera.email, new).await), "/home");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s7_a_new_password_is_typed_once_so_two_of_them_never_differ(db: PgPool) {
    let app = TestApp::start(db).await;
    let vera = app.sign_in_as("developer").await;
    let kira = app.browser();
    app.account("kira@example.com", "Kira", "developer").await;
    kira.post::<api::ForgotPassword>("/forgot-password", &[("email", "kira@example.com")]).await;
    kira.get(link(&app.mail_to("kira@example.com").await, "/reset-password")).await;
    let pages = [app.browser().page("/sign-up").await, vera.browser.page("/settings/security").await, kira.page("/reset-password").await];
    for page in pages {
        assert_eq!(page.matches("autocomplete=\"new-password\"").count(), 1, "{page}");
        assert!(page.contains("data-reveal"), "it can be looked at instead");
    }
}

#[tokio::test]
async fn r10_hashes_are_argon2id_at_the_configured_cost_and_a_lower_one_refuses_the_start() {
    let auth = Config::defaults(Env::Production, PathBuf::new()).auth;
    let rng = Rng::system();
    let phc = Arc::new(Passwords::new(&auth, &Vault::new([7; 32]), &rng).unwrap()).hash(&rng, &PASSWORD.into()).await.unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=65536,t=3,p=1,keyid="), "{phc}");
    let lengths: Vec<usize> = phc.split('$').skip(4).map(str::len).collect();
    assert_eq!(lengths, [22, 43], "16 bytes of salt, 32 of hash");

    // ASVS 5.0, appendix C: 19 MiB go with two passes, and nothing below is a setting.
    let lowest = configured(&[("TOLLGATE_ARGON2_MEMORY", "19456"), ("TOLLGATE_ARGON2_PASSES", "2")]).unwrap().config.auth;
    assert_eq!((lowest.argon2_memory_kib, lowest.argon2_passes), (19_456, 2));
    for low in [("TOLLGATE_ARGON2_MEMORY", "19455"), ("TOLLGATE_ARGON2_PASSES", "1"), ("TOLLGATE_ARGON2_MEMORY", "0")] {
        assert!(configured(&[low]).unwrap_err().contains(low.0), "{low:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r12_a_full_queue_of_hashes_is_503_and_the_rest_of_the_server_goes_on(db: PgPool) {
    // Slow enough for a queue to stand while a few queries run.
    let app = TestApp::start_with(db, |config| (config.auth.argon2_parallel, config.auth.argon2_memory_kib, config.auth.argon2_passes) = (1, 32_768, 4)).await;
    app.account("vera@example.com", "Vera", "developer").await;
    let hasher = Passwords::of(&app.ctx).unwrap();
    let turned_away = Arc::new(AtomicUsize::new(0));
    let crowd: Vec<tokio::task::JoinHandle<()>> = (0..40)
        .map(|_| {
            let (hasher, turned_away) = (Arc::clone(&hasher), Arc::clone(&turned_away));
            tokio::spawn(async move {
                loop {
                    if hasher.verify(None, &"x".into()).await.is_err() {
                        turned_away.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(std::time::Duration::from_micros(100)).await;
                    }
                }
            })
        })
        .collect();
    // Asked of the crowd: a probe of our own could stand in the queue itself.
    until("the queue is full", async || turned_away.load(Ordering::Relaxed) > 0).await;
    // Whoever gets a place that has just become free signs in.
    let refused = loop {
        let answer = app.browser().sign_in("vera@example.com", PASSWORD).await;
        if answer.status() != 303 {
            break answer;
        }
    };
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "2"));
    assert_eq!(app.get("/healthz").await.status(), 200, "no hash runs where requests are answered");
    assert_eq!(app.browser().get("/sign-in").await.status(), 200);
    assert!(crowd.iter().all(|one| !one.is_finished()));
    crowd.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(count(&app, "select count(*) from attempt_counters where failures > 0").await, 0, "nothing counts that was not looked at");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s30_s31_an_empty_password_and_an_account_without_one_cost_one_hash_and_say_the_same(db: PgPool) {
    let app = TestApp::start(db).await;
    app.account("known@example.com", "Kira", "developer").await;
    let bare = NewAccount { email: "bare@example.com".parse().unwrap(), name: "Bea", password: None, roles: &["developer"], is_verified: true, by: "test" };
    create_account(&app.ctx, &bare).await.unwrap();
    let passwords = Passwords::of(&app.ctx).unwrap();
    let mut said = Vec::new();
    for email in ["known@example.com", "bare@example.com", "nobody@example.com"] {
        // The third failure waits, and that costs and says the same, too.
        for password in ["", WRONG, "", ""] {
            let before = passwords.runs();
            let answer = app.browser().sign_in(email, password).await;
            assert_eq!(passwords.runs() - before, 1, "{email}, {password:?}");
            said.push(seen(answer, email).await);
        }
    }
    assert!(said[0].contains("Email and password do not match.") && said[3].starts_with("429"), "{said:?}");
    assert!(said.chunks(4).all(|one| *one == said[..4]));
    assert_eq!(count(&app, "select count(*) from sessions").await, 0);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r7_the_hint_of_a_new_password_stands_beside_the_rule_and_no_other_field(db: PgPool) {
    let app = TestApp::start(db).await;
    let sign_up = app.browser().page("/sign-up").await;
    assert!(sign_up.contains("data-strength=\"15\"") && sign_up.contains("aria-live=\"polite\""), "{sign_up}");
    assert!(sign_up.contains("At least 15 characters."), "without JavaScript the rule is there as text");
    assert!(!app.browser().page("/sign-in").await.contains("data-strength"));
    let security = app.sign_in_as("developer").await.browser.page("/settings/security").await;
    assert_eq!(security.matches("data-strength").count(), 1, "not beside the present password");
}
