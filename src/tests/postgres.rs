//! The embedded Postgres, with real processes: started, used, stopped, killed, left behind, asked for twice.

use super::support::folder::Folder;
use sqlx::{Connection, PgConnection, PgPool, postgres::PgConnectOptions};
use std::{
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tollgate::platform::{
    config::Config,
    db::{self, Schema},
    postgres::{self, DataLock, Embedded, Holder, PostgresError, Purpose, Taken},
};

fn lock(data_dir: &Path) -> DataLock {
    match DataLock::take(data_dir, &Holder::me("serve", "127.0.0.1:3000")).unwrap() {
        Taken::Mine(lock) => lock,
        Taken::Theirs(holder) => panic!("{holder} has it"),
    }
}

async fn start(data_dir: &Path) -> Embedded {
    postgres::start(lock(data_dir)).await.unwrap()
}

/// Polls until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !is_so().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn write_a_note(options: &PgConnectOptions, text: &str) {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::raw_sql("create table if not exists notes (text text)").execute(&mut connection).await.unwrap();
    sqlx::query("insert into notes values ($1)").bind(text).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn notes(options: &PgConnectOptions) -> Vec<String> {
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    sqlx::query_scalar("select text from notes").fetch_all(&mut connection).await.unwrap()
}

fn is_alive(pid: u32) -> bool {
    // A zombie has ended: only its parent has not heard of it.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

fn config(data_dir: &Path) -> Config {
    let mut config = Config::development(data_dir.to_owned());
    config.database.wait = Duration::from_secs(20);
    config
}

/// A program run as the owner of the cluster, as its Postgres is.
fn as_owner(cluster: &Path, program: &Path) -> Command {
    let owner = cluster.metadata().unwrap();
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    if owner.uid() != std::fs::metadata("/proc/self").unwrap().uid() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command
}

/// Ends a process of a test, whatever becomes of the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_stops_and_keeps_what_was_written() {
    let folder = Folder::new();
    let data_dir = folder.path().join("a/new/data");
    let embedded = start(&data_dir).await;
    let pid = embedded.pid().unwrap();
    write_a_note(&embedded.connect_options(), "kept").await;
    let cluster = data_dir.join("postgres");
    assert_eq!(cluster.metadata().unwrap().permissions().mode() & 0o777, 0o700, "only its owner reaches data and socket");
    embedded.stop().await;
    assert!(!is_alive(pid) && !cluster.join("postmaster.pid").exists());
    let log = std::fs::read_to_string(data_dir.join("postgres.log")).unwrap();
    assert!(log.contains("fast shutdown") && log.contains("database system is shut down"), "{log}");

    let embedded = start(&data_dir).await;
    assert_eq!(notes(&embedded.connect_options()).await, ["kept"]);
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stands_back_where_sessions_share_the_cores() {
    let group = |of: &str| std::fs::read_to_string(format!("/proc/{of}/autogroup")).unwrap_or_default();
    let ours = group("self");
    if ours.is_empty() {
        return; // a kernel that shares them out by process
    }
    let folder = Folder::new();
    let embedded = start(folder.path()).await;
    let mut connection = PgConnection::connect_with(&embedded.connect_options()).await.unwrap();
    let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await.unwrap();
    until("the backend stands back", async || group(&backend.to_string()).trim_end().ends_with(" nice 5")).await;
    assert_eq!(group("self"), ours, "and we don't");
    connection.close().await.unwrap();
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_running_server_commands_share_its_database_and_a_second_server_is_refused() {
    let folder = Folder::new();
    let config = config(folder.path());
    let server = postgres::open(&config, Purpose::Serve).await.unwrap();
    write_a_note(&server.connect_options(), "seen").await;

    let Err(error) = postgres::open(&config, Purpose::Serve).await else { panic!("a second server") };
    let message = error.to_string();
    assert!(matches!(error, PostgresError::InUse { .. }), "{message}");
    assert!(message.contains(&format!("`tollgate serve` (pid {}, 127.0.0.1:3000)", std::process::id())), "{message}");

    let command = postgres::open(&config, Purpose::Command("key create")).await.unwrap();
    assert_eq!(notes(&command.connect_options()).await, ["seen"]);
    command.close().await;
    assert_eq!(notes(&server.connect_options()).await, ["seen"], "the command does not stop the server's Postgres");
    server.close().await;

    // With the server down the command starts it for its own time; a second one waits for the first.
    let first = postgres::open(&config, Purpose::Command("key create")).await.unwrap();
    let second = tokio::spawn(async move {
        let second = postgres::open(&config, Purpose::Command("key list")).await.unwrap();
        let seen = notes(&second.connect_options()).await;
        second.close().await;
        seen
    });
    assert_eq!(notes(&first.connect_options()).await, ["seen"]);
    first.close().await;
    assert_eq!(second.await.unwrap(), ["seen"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postmaster_is_started_again_and_the_pool_survives() {
    let folder = Folder::new();
    let embedded = start(folder.path()).await;
    write_a_note(&embedded.connect_options(), "kept").await;
    let pool = db::pool(embedded.connect_options(), 3);
    let count = async |pool: &PgPool| sqlx::query_scalar::<_, i64>("select count(*) from notes").fetch_one(pool).await.ok();
    assert_eq!(count(&pool).await, Some(1));
    let killed = embedded.pid().unwrap();
    kill(killed, "-KILL");
    until("another postmaster runs", async || embedded.pid().is_some_and(|pid| pid != killed)).await;
    until("the pool works again", async || count(&pool).await == Some(1)).await;
    pool.close().await;
    embedded.stop().await;
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn a_connection_ends_what_takes_too_long_and_compiles_nothing(db: PgPool) {
    let pool = db::pool(db.connect_options().as_ref().clone(), 1);
    for (setting, value) in
        [("statement_timeout", "15s"), ("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "2s"), ("timezone", "UTC"), ("jit", "off")]
    {
        let set: String = sqlx::query_scalar("select current_setting($1)").bind(setting).fetch_one(&pool).await.unwrap();
        assert_eq!(set, value, "{setting}");
    }
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pid_file_that_names_nobody_of_ours_does_not_hinder() {
    let folder = Folder::new();
    let cluster = folder.path().join("postgres");
    start(folder.path()).await.stop().await;
    let pid_file = cluster.join("postmaster.pid");
    let owner = cluster.metadata().unwrap();
    let put = |text: &str| {
        std::fs::write(&pid_file, text).unwrap();
        std::os::unix::fs::chown(&pid_file, Some(owner.uid()), Some(owner.gid())).unwrap();
    };
    // Another program of the same user, which Postgres itself would take for a postmaster; a process that is gone; nothing.
    let other = Ended(as_owner(&cluster, Path::new("sleep")).arg("600").spawn().unwrap());
    let gone = as_owner(&cluster, Path::new("true")).spawn().map(|mut child| (child.id(), child.wait())).unwrap().0;
    let text = |pid: u32| format!("{pid}\n{}\n1790000000\n5432\n{0}\n\n  1 1\nready   \n", cluster.display());
    for left in [text(other.0.id()), text(gone), String::new()] {
        put(&left);
        let embedded = start(folder.path()).await;
        write_a_note(&embedded.connect_options(), "works").await;
        embedded.stop().await;
    }
    assert!(is_alive(other.0.id()), "the other program is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_an_earlier_run_left_running_is_stopped_first() {
    let folder = Folder::new();
    let embedded = start(folder.path()).await;
    write_a_note(&embedded.connect_options(), "kept").await;
    let options = embedded.connect_options();
    embedded.stop().await;

    let cluster = folder.path().join("postgres").canonicalize().unwrap();
    let program = postgres::find_programs(None).unwrap().folder.join("postgres");
    let mut orphan = as_owner(&cluster, &program);
    orphan.arg("-D").arg(&cluster).arg("-k").arg(&cluster).args(["-c", "listen_addresses="]);
    let mut orphan = Ended(orphan.spawn().unwrap());
    until("the orphan answers", async || PgConnection::connect_with(&options).await.is_ok()).await;

    // Nobody reaps it here until `start` has stopped it, as init would: so a thread waits for it.
    let pid = orphan.0.id();
    let reaper = std::thread::spawn(move || orphan.0.wait());
    let embedded = start(folder.path()).await;
    assert_ne!(embedded.pid(), Some(pid));
    assert!(reaper.join().unwrap().unwrap().success(), "it was stopped in order");
    assert_eq!(notes(&embedded.connect_options()).await, ["kept"]);
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_too_long_for_a_socket_gets_a_short_one() {
    let folder = Folder::new();
    let data_dir = folder.path().join("long".repeat(30));
    let embedded = start(&data_dir).await;
    let socket = embedded.connect_options().get_socket().unwrap().clone();
    assert!(socket.as_os_str().len() < 90 && !socket.starts_with(folder.path()), "{}", socket.display());
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    write_a_note(&embedded.connect_options(), "works").await;
    // A command beside it finds it too.
    let command = postgres::open(&config(&data_dir), Purpose::Command("key list")).await.unwrap();
    assert_eq!(notes(&command.connect_options()).await, ["works"]);
    embedded.stop().await;
    std::fs::remove_dir(socket).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn as_root_a_data_folder_that_others_cannot_reach_gets_its_database_elsewhere() {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return; // Only root runs Postgres as another user.
    }
    let folder = Folder::new();
    let closed = folder.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = closed.join("data");
    let embedded = start(&data_dir).await;
    write_a_note(&embedded.connect_options(), "works").await;
    embedded.stop().await;
    let place = std::fs::read_link(data_dir.join("postgres")).unwrap();
    assert!(place.starts_with("/var/lib") && place.join("PG_VERSION").is_file(), "{}", place.display());
    let embedded = start(&data_dir).await;
    assert_eq!(notes(&embedded.connect_options()).await, ["works"]);
    embedded.stop().await;

    // The database is gone but the link is there: an empty one would hide that.
    std::fs::remove_dir_all(&place).unwrap();
    let Err(error) = postgres::start(lock(&data_dir)).await else { panic!("an empty database") };
    assert!(error.to_string().contains(&place.display().to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_another_version_is_named() {
    let folder = Folder::new();
    start(folder.path()).await.stop().await;
    std::fs::write(folder.path().join("postgres/PG_VERSION"), "9\n").unwrap();
    let Err(error) = postgres::start(lock(folder.path())).await else { panic!("started version 9") };
    let message = error.to_string();
    assert!(message.contains("made by Postgres 9") && message.contains("Found: Postgres "), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_cannot_start_says_why() {
    let folder = Folder::new();
    start(folder.path()).await.stop().await;
    std::fs::write(folder.path().join("postgres/postgresql.auto.conf"), "work_mem = 'a lot'\n").unwrap();
    let Err(error) = postgres::start(lock(folder.path())).await else { panic!("started") };
    let message = error.to_string();
    assert!(message.contains("postgres.log") && message.contains("work_mem"), "{message}");
    assert!(matches!(DataLock::take(folder.path(), &Holder::me("serve", "")), Ok(Taken::Mine(_))), "the lock is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_compared_with_what_the_binary_knows() {
    let folder = Folder::new();
    let embedded = start(folder.path()).await;
    let pool = db::pool(embedded.connect_options(), 2);
    let Schema::Behind(pending) = db::schema(&pool).await.unwrap() else { panic!("an empty database is behind") };
    assert_eq!(pending[0], "0001 accounts");
    // Two nodes that start at once.
    let (one, two) = tokio::join!(db::migrate(&pool), db::migrate(&pool));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(db::schema(&pool).await.unwrap(), Schema::Current);
    sqlx::raw_sql("update _sqlx_migrations set checksum = '\\x00' where version = 2").execute(&pool).await.unwrap();
    assert_eq!(db::schema(&pool).await.unwrap(), Schema::Changed(2));
    sqlx::raw_sql("update _sqlx_migrations set version = 9999 where version = 2").execute(&pool).await.unwrap();
    assert_eq!(db::schema(&pool).await.unwrap(), Schema::Ahead(9999));
    pool.close().await;
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_by_url_is_waited_for_within_bounds() {
    let folder = Folder::new();
    let embedded = start(folder.path()).await;
    let socket = embedded.connect_options().get_socket().unwrap().display().to_string();
    let by_url = |name: &str, seconds| {
        let mut config = config(folder.path());
        config.database.url = Some(format!("postgres://tollgate@localhost/{name}?host={socket}").into());
        config.database.wait = Duration::from_secs(seconds);
        config
    };
    let database = postgres::open(&by_url("tollgate", 5), Purpose::Serve).await.unwrap();
    assert!(database.version >= postgres::MIN_VERSION);
    database.close().await;

    // What waiting does not mend is told at once.
    let Err(error) = postgres::open(&by_url("nowhere", 30), Purpose::Serve).await else { panic!("no such database") };
    assert!(error.to_string().contains("within 0 s") && error.to_string().contains("createdb"), "{error}");

    embedded.stop().await;
    let Err(error) = postgres::open(&by_url("tollgate", 1), Purpose::Serve).await else { panic!("it is stopped") };
    assert!(error.to_string().contains("within 1 s") && error.to_string().contains("TOLLGATE_DATABASE_WAIT"), "{error}");

    let config = by_url("tollgate", 30);
    let waiting = tokio::spawn(async move { postgres::open(&config, Purpose::Serve).await.map(|database| database.version) });
    let embedded = start(folder.path()).await;
    assert!(waiting.await.unwrap().is_ok(), "it was waited for");
    embedded.stop().await;
}
