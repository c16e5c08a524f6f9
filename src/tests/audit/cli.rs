//! `tollgate audit …`: exit codes, the head as an anchor, and that a dry run writes nothing.

use super::{count, tamper};
use crate::support::folder::Folder;
use serde_json::Value;
use sqlx::{ConnectOptions, PgPool};
use std::process::{Command, Output};

async fn run(folder: &Folder, db: &PgPool, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("DATABASE_URL", db.connect_options().to_url_lossy().as_str());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_the_command_verifies_and_names_the_first_break(db: PgPool) {
    let folder = Folder::new();
    assert_eq!(said(&run(&folder, &db, &["audit", "head"]).await), "There is no entry yet.");
    for slug in ["orders", "bills"] {
        let made = run(&folder, &db, &["api", "create", "--slug", slug, "--name", slug]).await;
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let head = said(&run(&folder, &db, &["audit", "head"]).await);
    let whole = run(&folder, &db, &["audit", "verify", "--anchor", &head, "--json"]).await;
    assert_eq!(whole.status.code(), Some(0), "{}", String::from_utf8_lossy(&whole.stderr));
    let verdict: Value = serde_json::from_slice(&whole.stdout).unwrap();
    assert_eq!((&verdict["head"], &verdict["broken"]), (&Value::from(head.clone()), &Value::Null));
    let file = folder.path().join("heads");
    std::fs::write(&file, format!("2026-11-20T12:00:00Z {head}\n")).unwrap();
    assert!(said(&run(&folder, &db, &["audit", "verify", "--anchor", file.to_str().unwrap()]).await).starts_with("Whole: "));
    assert!(said(&run(&folder, &db, &["audit", "verify"]).await).contains("can't be told without --anchor"));

    tamper(&db, "update events set reason = 'another' where id = (select event_id from audit_links where number = 2); update audit_state set broken = null")
        .await;
    let dry = run(&folder, &db, &["audit", "verify", "--dry-run"]).await;
    assert_eq!((dry.status.code(), count(&db, "select count(*) from audit_state where broken is not null").await), (Some(1), 0));
    let broken = run(&folder, &db, &["audit", "verify", "--json"]).await;
    assert_eq!((broken.status.code(), count(&db, "select count(*) from audit_state where broken is not null").await), (Some(1), 1));
    let verdict: Value = serde_json::from_slice(&broken.stdout).unwrap();
    assert_eq!((&verdict["broken"]["fault"], &verdict["broken"]["entry"]), (&"edited".into(), &2.into()));
    assert!(said(&run(&folder, &db, &["audit", "verify"]).await).starts_with("BROKEN: Event evt_"));

    // Another folder has another master key.
    let elsewhere = Folder::new();
    let other = run(&elsewhere, &db, &["audit", "verify", "--json"]).await;
    let error = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(other.status.code() == Some(1) && error.contains("which is not here"), "the key ring refuses before anything is read: {error}");
    for (arguments, exit) in [(vec!["audit", "verify", "--anchor", "moon"], 2), (vec!["audit", "verify", "--anchor", "0:ab"], 2), (vec!["audit"], 2)] {
        assert_eq!(run(&folder, &db, &arguments).await.status.code(), Some(exit), "{arguments:?}");
    }
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_r86_a_rotation_and_the_drop_of_the_old_key_are_told_and_leave_the_log_provable(db: PgPool) {
    let folder = Folder::new();
    let json = |output: &Output| -> Value {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert!(run(&folder, &db, &["api", "create", "--slug", "orders", "--name", "orders"]).await.status.success());
    let head = said(&run(&folder, &db, &["audit", "head"]).await);
    let rotated = json(&run(&folder, &db, &["master-key", "rotate", "--json"]).await);
    let (old, new) = (rotated["old"].as_str().unwrap(), rotated["new"].as_str().unwrap());
    let told: Value = sqlx::query_scalar("select data from events where kind = 'master_key.rotated' and actor = 'cli'").fetch_one(&db).await.unwrap();
    assert_eq!((told["old"].as_str(), told["new"].as_str()), (Some(old), Some(new)));

    // Entries are nothing that is lost: a checkpoint covers them, and nobody has to say --yes.
    let status = said(&run(&folder, &db, &["master-key", "status"]).await);
    assert!(status.contains("entries of the audit log; give it up with: tollgate master-key drop"), "{status}");
    tamper(&db, "create table kept_events as table events; update events set reason = 'another' where kind = 'api.created'").await;
    let refused = run(&folder, &db, &["master-key", "drop", old]).await;
    assert_eq!(refused.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force-unverified"), "{refused:?}");
    tamper(&db, "truncate events; insert into events table kept_events").await;
    let dropped = json(&run(&folder, &db, &["master-key", "drop", old, "--json"]).await);
    assert_eq!((&dropped["checkpoint"]["verified"], &dropped["checkpoint"]["dropped"]), (&true.into(), &old.into()));
    let told: Value = sqlx::query_scalar("select data from events where kind = 'master_key.dropped' and actor = 'cli'").fetch_one(&db).await.unwrap();
    assert_eq!((&told["id"], &told["checkpoint"]["entry"]), (&old.into(), &dropped["checkpoint"]["entry"]));

    std::fs::remove_file(folder.path().join(format!(".data/secret.{old}"))).unwrap();
    let verified = run(&folder, &db, &["audit", "verify", "--anchor", &head]).await;
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));
    let words = said(&verified);
    assert!(words.contains("are as they were then") && words.contains("All of it was verified then"), "{words}");

    // A server that was not started again writes with the old key: that is seen, and another checkpoint ends it, once and said so.
    assert!(run(&folder, &db, &["api", "create", "--slug", "bills", "--name", "bills"]).await.status.success());
    tamper(&db, &format!("update audit_waiting set key_id = '{old}'")).await;
    assert_eq!(run(&folder, &db, &["audit", "verify"]).await.status.code(), Some(1));
    assert_eq!(json(&run(&folder, &db, &["master-key", "drop", old, "--json"]).await)["checkpoint"], Value::Null, "only who says so");
    let covered = json(&run(&folder, &db, &["master-key", "drop", old, "--force-unverified", "--json"]).await);
    assert_eq!(covered["checkpoint"]["verified"], Value::Bool(false));
    assert!(covered["checkpoint"]["adopted"].as_i64().unwrap() > 0, "{covered}");
    let verified = run(&folder, &db, &["audit", "verify"]).await;
    assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
    assert_eq!(json(&run(&folder, &db, &["master-key", "drop", old, "--force-unverified", "--json"]).await)["checkpoint"], Value::Null, "nothing is wrong");
    tamper(&db, "update events set reason = 'another' where kind = 'api.created'").await;
    assert_eq!(run(&folder, &db, &["audit", "verify"]).await.status.code(), Some(1));
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn r83_r86_a_rotation_is_told_once_if_the_new_key_lies_there_and_not_otherwise(db: PgPool) {
    let folder = Folder::new();
    let secret = folder.path().join(".data/secret");
    let keys = || {
        let names = std::fs::read_dir(folder.path().join(".data")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("secret")).count()
    };
    assert!(run(&folder, &db, &["master-key", "status"]).await.status.success());
    let first = std::fs::read_to_string(&secret).unwrap();

    sqlx::raw_sql(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no event'; end $$;
         create trigger refuse before insert on events for each row when (new.kind = 'master_key.rotated') execute function refuse()",
    )
    .execute(&db)
    .await
    .unwrap();
    assert!(!run(&folder, &db, &["master-key", "rotate"]).await.status.success());
    assert_eq!((std::fs::read_to_string(&secret).unwrap(), keys()), (first.clone(), 1));

    // The first commit fails, as where Postgres ended the transaction while the disk was slow.
    sqlx::raw_sql(
        "drop trigger refuse on events; create sequence commits;
         create function fail_once() returns trigger language plpgsql as $$ begin
           if nextval('commits') = 1 then raise exception 'ended'; end if;
           return null;
         end $$;
         create constraint trigger fail_once after insert on events deferrable initially deferred
           for each row when (new.kind = 'master_key.rotated') execute function fail_once()",
    )
    .execute(&db)
    .await
    .unwrap();
    let rotated = run(&folder, &db, &["master-key", "rotate", "--json"]).await;
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    assert_eq!(count(&db, "select last_value from commits").await, 2);
    assert_eq!(count(&db, "select count(*) from events where kind = 'master_key.rotated'").await, 1);
    assert!(std::fs::read_to_string(&secret).unwrap() != first && keys() == 2);
}
