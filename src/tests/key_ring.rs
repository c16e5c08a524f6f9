//! The files of the master keys and what the database knows of them: rotating, starting without one, giving one up (R86).

use crate::support::{T0, folder::Folder};
use serde_json::Value;
use sqlx::{ConnectOptions, PgPool};
use std::{
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};
use tollgate::platform::{
    config::{
        Config, Env,
        master_key::{self, MasterKeyError, Rotated},
    },
    crypto::{Rng, Vault},
    key_ring,
};

fn config(folder: &Folder) -> Config {
    Config::defaults(Env::Production, folder.path().join(".data"))
}

fn rotate(config: &Config, rng: &Rng) -> Result<Rotated, MasterKeyError> {
    master_key::prepare(config, rng)?.put(config)
}

async fn open(config: &Config, db: &PgPool) -> Result<Vault, MasterKeyError> {
    key_ring::open(config, &Rng::system(), db, T0).await
}

#[test]
fn r86_rotating_puts_the_old_key_aside_under_its_id_for_its_owner_alone() {
    let folder = Folder::new();
    let config = config(&folder);
    let (rng, file) = (Rng::system(), &config.server.secret_file);
    assert!(matches!(rotate(&config, &rng), Err(MasterKeyError::Missing(_))), "there is none yet");
    let first = master_key::open(&config, &rng).unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let Rotated { old, old_file, new } = rotate(&config, &rng).unwrap();
    assert_eq!((old, old_file.clone()), (first.key_id(), folder.path().join(format!(".data/secret.{old}"))));
    assert_eq!(std::fs::read_to_string(&old_file).unwrap(), text);
    for file in [file, &old_file] {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let ring = master_key::open(&config, &rng).unwrap();
    assert_eq!((ring.key_id(), ring.previous_ids()), (new, vec![old]));
    assert_eq!(std::fs::read_dir(&config.server.data_dir).unwrap().count(), 2, "no draft is left");

    rotate(&config, &rng).unwrap();
    assert_eq!(master_key::check(&config).unwrap().previous_ids().len(), 2, "once more before a start");
    std::fs::rename(&old_file, folder.path().join(".data/secret.00000000")).unwrap();
    assert!(matches!(master_key::check(&config), Err(MasterKeyError::Misnamed { .. })));
}

#[test]
fn r86_of_two_rotations_at_once_none_takes_the_key_of_the_other_away() {
    let folder = Folder::new();
    let config = config(&folder);
    let (rng, file) = (Rng::system(), &config.server.secret_file);
    master_key::open(&config, &rng).unwrap();
    let files = || std::fs::read_dir(&config.server.data_dir).unwrap().count();
    drop(master_key::prepare(&config, &rng).unwrap());
    assert_eq!(files(), 1, "what is not put goes");

    let late = master_key::prepare(&config, &rng).unwrap();
    let other = "Zk3f9-Qz8hT2mW7xLp4vB6nC1dR5sY0a";
    std::fs::write(file, other).unwrap();
    assert!(matches!(late.put(&config), Err(MasterKeyError::Replaced { .. })));
    assert_eq!((std::fs::read_to_string(file).unwrap().as_str(), files()), (other, 1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_a_start_without_a_key_that_the_database_knows_is_refused_in_words(db: PgPool) {
    let folder = Folder::new();
    let mut config = config(&folder);
    let first = open(&config, &db).await.unwrap().key_id();
    let Rotated { old_file, new, .. } = rotate(&config, &Rng::system()).unwrap();
    let ring = open(&config, &db).await.unwrap();
    assert_eq!((ring.key_id(), ring.previous_ids()), (new, vec![first]));

    let elsewhere = folder.path().join("older");
    std::fs::rename(&old_file, &elsewhere).unwrap();
    let error = open(&config, &db).await.err().unwrap().to_string();
    let says = [first.to_string(), new.to_string(), "server.previous_secret_files".to_owned(), format!("tollgate master-key drop {first}")];
    assert!(says.iter().all(|words| error.contains(words)), "{error}");
    let text = std::fs::read_to_string(&config.server.secret_file).unwrap();
    assert!(!error.contains(text.trim()), "no secret in it");

    config.server.previous_secret_files = vec![elsewhere];
    assert_eq!(open(&config, &db).await.unwrap().previous_ids(), [first]);
    let other = Folder::new();
    assert!(matches!(open(&self::config(&other), &db).await, Err(MasterKeyError::NotHere { .. })), "another machine with a key of its own");
    assert_eq!(key_ring::list(&db).await.unwrap().len(), 2, "it is not added");

    assert!(key_ring::drop_key(&mut db.acquire().await.unwrap(), first, T0).await.unwrap());
    assert!(!key_ring::drop_key(&mut db.acquire().await.unwrap(), first, T0).await.unwrap(), "once");
    assert!(!open(&config, &db).await.unwrap().has_previous(), "its file is still there, and it is not read");
    config.server.previous_secret_files.clear();
    assert!(open(&config, &db).await.is_ok());
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_the_next_key_is_read_on_every_server_before_one_of_them_uses_it(db: PgPool) {
    let (one, other) = (Folder::new(), Folder::new());
    let (mut here, mut next) = (config(&one), config(&other));
    let old = open(&here, &db).await.unwrap().key_id();
    let new = master_key::open(&next, &Rng::system()).unwrap().key_id();
    here.server.previous_secret_files = vec![next.server.secret_file.clone()];
    let ring = open(&here, &db).await.unwrap();
    assert_eq!((ring.key_id(), ring.previous_ids()), (old, vec![new]));
    here.server.previous_secret_files.clear();
    assert!(open(&here, &db).await.is_ok(), "a server that has not got it yet may start again");

    next.server.previous_secret_files = vec![here.server.secret_file.clone()];
    let ring = open(&next, &db).await.unwrap();
    assert_eq!((ring.key_id(), ring.previous_ids()), (new, vec![old]));
    assert!(matches!(open(&here, &db).await, Err(MasterKeyError::NotHere { .. })), "now there may be things under it");
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_servers_that_start_at_once_with_a_new_key_agree(db: PgPool) {
    let folder = Folder::new();
    let config = config(&folder);
    master_key::open(&config, &Rng::system()).unwrap();
    let started = at_once(&config, &db).await;
    assert!(started.windows(2).all(|two| two[0] == two[1]));
    assert_eq!(key_ring::list(&db).await.unwrap().len(), 1);
}

async fn at_once(config: &Config, db: &PgPool) -> Vec<String> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (config, db) = (config.clone(), db.clone());
        tasks.spawn(async move { open(&config, &db).await.unwrap().key_id().to_string() });
    }
    tasks.join_all().await
}

fn tollgate(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.arg("master-key").args(arguments).current_dir(folder.path()).env_clear();
    command.env("DATABASE_URL", db.connect_options().to_url_lossy().as_str()).output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r86_rotate_status_and_drop_from_the_command_line(db: PgPool) {
    let folder = Folder::new();
    let first = json(&tollgate(&folder, &db, &["status", "--json"]))[0]["id"].as_str().unwrap().to_owned();
    let would = json(&tollgate(&folder, &db, &["rotate", "--dry-run", "--json"]));
    assert_eq!(would["would_rotate"].as_str(), Some(first.as_str()));
    let done = json(&tollgate(&folder, &db, &["rotate", "--json"]));
    assert_eq!(done["old"].as_str(), Some(first.as_str()));
    let second = done["new"].as_str().unwrap();
    sqlx::raw_sql(
        "insert into accounts (id, email, email_key, name, created_at, updated_at) values (gen_random_uuid(), 'a@b.example', 'a@b.example', 'A', now(), now());
         insert into recovery_codes (account_id, hash, made_at) select id, '\\x01', now() from accounts",
    )
    .execute(&db)
    .await
    .unwrap();

    let status = json(&tollgate(&folder, &db, &["status", "--json"]));
    let states: Vec<_> = status.as_array().unwrap().iter().map(|key| (key["id"].as_str().unwrap(), key["state"].as_str().unwrap())).collect();
    assert_eq!(states, [(first.as_str(), "previous"), (second, "current")]);
    assert_eq!(status[0]["held"]["recovery codes"], 1, "what has no id is of the first key");

    assert_eq!(tollgate(&folder, &db, &["drop", second]).status.code(), Some(4), "the current one");
    assert_eq!(tollgate(&folder, &db, &["drop", "nonsense"]).status.code(), Some(2));
    assert_eq!(tollgate(&folder, &db, &["drop", "00000000"]).status.code(), Some(3));
    let refused = tollgate(&folder, &db, &["drop", &first]);
    assert!(refused.status.code() == Some(4) && String::from_utf8_lossy(&refused.stderr).contains("1 recovery codes"), "{refused:?}");
    std::fs::remove_file(folder.path().join(format!(".data/secret.{first}"))).unwrap();
    assert_eq!(tollgate(&folder, &db, &["status"]).status.code(), Some(1), "it is lost, and nobody said so");
    let refused = tollgate(&folder, &db, &["drop", &first, "--yes"]);
    assert!(refused.status.code() == Some(4) && String::from_utf8_lossy(&refused.stderr).contains("--force-unverified"), "{refused:?}");
    for _ in 0..2 {
        let done = json(&tollgate(&folder, &db, &["drop", &first, "--yes", "--force-unverified", "--json"]));
        assert_eq!(done["dropped"].as_str(), Some(first.as_str()));
    }
    assert_eq!(json(&tollgate(&folder, &db, &["status", "--json"]))[0]["state"], "dropped");
    let told: i64 = sqlx::query_scalar("select count(*) from events where kind = 'master_key.dropped'").fetch_one(&db).await.unwrap();
    assert_eq!(told, 1);
}
