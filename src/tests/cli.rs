//! The binary itself: exit codes, what it prints, and that no Postgres is left when it ends, however it ends.

use super::support::folder::Folder;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// The binary in a working directory of its own, with an environment of its own.
fn tollgate(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("PATH", std::env::var_os("PATH").unwrap()).stdin(Stdio::null());
    command
}

fn run(folder: &Folder, arguments: &[&str]) -> Output {
    tollgate(folder, arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A server of a test; killed with it.
struct Server {
    process: Child,
    addr: SocketAddr,
}

impl Server {
    fn start(folder: &Folder) -> Self {
        Self::start_with(folder, &[])
    }

    fn start_with(folder: &Folder, arguments: &[&str]) -> Self {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = tollgate(folder, arguments).args(["--addr", &addr.to_string()]).env("TOLLGATE_ENV", "development").stderr(Stdio::null()).spawn().unwrap();
        until("the server listens", || TcpStream::connect(addr).is_ok());
        Self { process, addr }
    }

    /// It answers, and not only its socket.
    fn is_ready(&self) -> bool {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        let mut answer = String::new();
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.addr).unwrap();
        stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn postmaster(data_dir: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(data_dir.join("postgres/postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

#[test]
fn wrong_use_ends_with_2_and_names_the_mistake() {
    let folder = Folder::new();
    assert_eq!(run(&folder, &["frobnicate"]).status.code(), Some(2));
    let output = tollgate(&folder, &["config", "show"]).env("TOLLGATE_ADR", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("TOLLGATE_ADR is not a setting. Did you mean TOLLGATE_ADDR?"), "{}", err(&output));
    let output = tollgate(&folder, &["config", "show"]).env("DATABASE_ULR", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "it may be another program's");
    assert!(err(&output).contains("Did you mean DATABASE_URL?"), "{}", err(&output));
    let output = run(&folder, &["config", "show", "--set", "server.adr=1"]);
    assert!(err(&output).contains("flag --set: server.adr is not a setting"), "{}", err(&output));
}

#[test]
fn config_show_masks_secrets_and_names_origins() {
    let folder = Folder::new();
    let output =
        tollgate(&folder, &["config", "show", "--json", "--data-dir", "elsewhere"]).env("DATABASE_URL", "postgres://me:hunter2@db/x").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let lines: Vec<serde_json::Value> = serde_json::from_str(&out(&output)).unwrap();
    let line = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    assert_eq!(line("database.url")["value"], "postgres://me:****@db/x");
    assert_eq!(line("server.data_dir")["origin"], "flag --data-dir");
    assert_eq!(line("server.secret_file")["value"], "elsewhere/secret");
}

#[test]
fn config_init_writes_a_file_once() {
    let folder = Folder::new();
    // It is the way out of a file that cannot be read, so it must not need one.
    assert_eq!(run(&folder, &["config", "init"]).status.code(), Some(0));
    assert_eq!(run(&folder, &["config", "show"]).status.code(), Some(0));
    std::fs::write(folder.path().join("tollgate.toml"), "nonsense").unwrap();
    assert_eq!(run(&folder, &["config", "init"]).status.code(), Some(4));
    assert_eq!(run(&folder, &["config", "show"]).status.code(), Some(2));
    assert_eq!(run(&folder, &["config", "init", "--yes"]).status.code(), Some(0));
    assert_eq!(run(&folder, &["config", "show"]).status.code(), Some(0));
}

#[test]
fn what_writes_the_config_file_answers_in_json_too() {
    let folder = Folder::new();
    let said = |arguments: &[&str]| {
        let output = run(&folder, &[&["config"], arguments, &["--json"]].concat());
        serde_json::from_str::<serde_json::Value>(&out(&output)).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
    };
    assert!(said(&["init", "--dry-run"])["text"].as_str().unwrap().contains("[limits]"));
    assert_eq!(said(&["init"])["file"], "tollgate.toml");
    assert!(said(&["set", "limits.key_calls", "7", "--dry-run"])["text"].as_str().unwrap().contains("key_calls = 7"));
    let set = said(&["set", "limits.key_calls", "7"]);
    assert_eq!((&set["name"], &set["set"], &set["overruled_by"]), (&"limits.key_calls".into(), &true.into(), &serde_json::Value::Null));
    assert_eq!(said(&["lock", "plans"])["name"], "admin.locked");
    assert_eq!(said(&["unlock", "plans"])["set"], false);
}

#[test]
fn what_goes_on_until_it_is_stopped_has_no_dry_run() {
    let folder = Folder::new();
    for arguments in [&["--dry-run"][..], &["serve", "--demo", "--dry-run"], &["worker", "--dry-run"]] {
        let output = run(&folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains("no dry run") && !folder.path().join(".data").exists(), "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn config_lock_adds_to_what_is_locked_and_unlock_takes_from_it() {
    let folder = Folder::new();
    let file = folder.path().join("tollgate.toml");
    let config = |arguments: &[&str]| run(&folder, &[&["config"], arguments].concat());
    assert_eq!(config(&["lock", "branding"]).status.code(), Some(2));
    assert!(!file.exists());
    assert!(out(&config(&["lock", "plans,fields", "--dry-run"])).contains("locked = [\"fields\", \"plans\"]"));
    assert!(!file.exists());
    assert_eq!(config(&["lock", "plans,fields"]).status.code(), Some(0));
    assert_eq!(config(&["lock", "apis", "plans"]).status.code(), Some(0), "what is locked stays so");
    let line = || {
        let lines: Vec<serde_json::Value> = serde_json::from_str(&out(&config(&["show", "--json"]))).unwrap();
        lines.into_iter().find(|line| line["name"] == "admin.locked").unwrap()["value"].clone()
    };
    assert_eq!(line(), "apis,fields,plans");
    assert_eq!(config(&["unlock", "apis,plans"]).status.code(), Some(0));
    assert_eq!(line(), "fields");
    assert_eq!(config(&["unlock", "fields"]).status.code(), Some(0));
    assert_eq!(line(), "");
    std::fs::write(&file, "[admin]\nlocked = [\"branding\"]\n").unwrap();
    let refused = config(&["show"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("admin.locked must be some of apis, fields, plans, rules and sessions"), "{}", err(&refused));
}

#[test]
fn config_lock_works_on_the_file_while_the_environment_overrules_it() {
    let folder = Folder::new();
    let file = folder.path().join("tollgate.toml");
    let text = || std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "[admin]\nlocked = [\"fields\"] # ours\n").unwrap();
    let overruled = |arguments: &[&str]| {
        let output = tollgate(&folder, &[&["config"], arguments].concat()).env("TOLLGATE_LOCKED", "sessions").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains("environment TOLLGATE_LOCKED wins over the file"), "{arguments:?}: {}", err(&output));
        out(&output)
    };
    assert!(overruled(&["lock", "plans", "--dry-run"]).contains("locked = [\"fields\", \"plans\"] # ours"));
    assert_eq!(text(), "[admin]\nlocked = [\"fields\"] # ours\n");
    overruled(&["lock", "plans"]);
    assert_eq!(text(), "[admin]\nlocked = [\"fields\", \"plans\"] # ours\n", "what stood in the file only is still there");
    overruled(&["unlock", "sessions,fields"]);
    assert_eq!(text(), "[admin]\nlocked = [\"plans\"] # ours\n");
    // The environment hides this from a start.
    let wrong = "[admin]\nlocked = [\"branding\"]\n";
    std::fs::write(&file, wrong).unwrap();
    let refused = tollgate(&folder, &["config", "lock", "plans"]).env("TOLLGATE_LOCKED", "sessions").output().unwrap();
    assert_eq!((refused.status.code(), text().as_str()), (Some(2), wrong));
    assert!(err(&refused).contains("tollgate.toml: admin.locked must be some of"), "{}", err(&refused));
}

#[test]
fn config_set_changes_one_line_and_leaves_the_others() {
    let folder = Folder::new();
    let file = folder.path().join("tollgate.toml");
    let text = || std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "# ours\n[limits]\n# calls\nkey_calls = 1 # few\nkey_window = 10\n").unwrap();
    assert_eq!(run(&folder, &["config", "set", "limits.key_calls", "250"]).status.code(), Some(0));
    assert_eq!(text(), "# ours\n[limits]\n# calls\nkey_calls = 250 # few\nkey_window = 10\n");
    for (name, value) in [("jobs.in_serve", "false"), ("auth.session_idle", "3d"), ("server.trusted_proxies", "10.0.0.0/8,127.0.0.1"), ("env", "development")] {
        let output = run(&folder, &["config", "set", name, value]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", err(&output));
    }
    for line in
        ["key_calls = 250 # few", "in_serve = false", "session_idle = \"3d\"", "trusted_proxies = [\"10.0.0.0/8\", \"127.0.0.1\"]", "env = \"development\""]
    {
        assert_eq!(text().matches(line).count(), 1, "{line} in\n{}", text());
    }
    assert_eq!(run(&folder, &["config", "set", "limits.key_window", "--unset"]).status.code(), Some(0));
    let shown = run(&folder, &["config", "show", "--json"]);
    assert_eq!(shown.status.code(), Some(0), "{}", err(&shown));
    assert!(!text().contains("key_window") && out(&shown).contains("\"3d\""), "{}", text());
}

#[test]
fn config_set_writes_nothing_that_tollgate_would_not_start_with() {
    let folder = Folder::new();
    let file = folder.path().join("tollgate.toml");
    let refused = |arguments: &[&str], why: &str| {
        let output = run(&folder, &[&["config", "set"][..], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains(why), "{arguments:?}: {}", err(&output));
        assert!(!file.exists(), "{arguments:?}");
    };
    refused(&["limits.key_cals", "1"], "Did you mean limits.key_calls?");
    refused(&["limits.key_calls", "many"], "limits.key_calls must be");
    refused(&["auth.session_idle", "400d"], "auth.session_idle");
    refused(&["database.url", "postgres://me:hunter2@db/x"], "is a secret");
    refused(&["limits.key_calls"], "required");

    let dry = run(&folder, &["config", "set", "limits.key_calls", "7", "--dry-run"]);
    assert!(dry.status.code() == Some(0) && out(&dry).contains("[limits]\nkey_calls = 7") && !file.exists(), "{}", out(&dry));
    // A file that keeps Tollgate from starting is mended by it.
    std::fs::write(&file, "[limits]\nkey_calls = 0\n").unwrap();
    assert_eq!(run(&folder, &["config", "show"]).status.code(), Some(2));
    assert_eq!(run(&folder, &["config", "set", "limits.key_calls", "7"]).status.code(), Some(0));
    assert_eq!(run(&folder, &["config", "show"]).status.code(), Some(0));

    let overruled = tollgate(&folder, &["config", "set", "limits.key_calls", "8"]).env("TOLLGATE_KEY_LIMIT", "9").output().unwrap();
    assert_eq!(overruled.status.code(), Some(0));
    assert!(err(&overruled).contains("environment TOLLGATE_KEY_LIMIT wins over the file"), "{}", err(&overruled));
}

#[test]
fn config_set_takes_a_secret_from_standard_input() {
    let folder = Folder::new();
    let mut process = tollgate(&folder, &["config", "set", "database.url", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(b"postgres://me:hunter2@db/x\n").unwrap();
    assert!(process.wait().unwrap().success());
    assert!(std::fs::read_to_string(folder.path().join("tollgate.toml")).unwrap().contains("url = \"postgres://me:hunter2@db/x\""));
}

#[test]
fn migrate_works_with_the_server_down_and_leaves_no_postgres() {
    let folder = Folder::new();
    let data_dir = folder.path().join(".data");
    let doctor = out(&run(&folder, &["doctor"]));
    assert!(doctor.contains("none yet: the first start makes it") && !data_dir.exists(), "doctor makes nothing: {doctor}");
    let dry = run(&folder, &["migrate", "--dry-run", "--json"]);
    assert_eq!(dry.status.code(), Some(0), "{}", err(&dry));
    assert!(out(&dry).starts_with("{\"pending\":[\"0001 accounts\""), "{}", out(&dry));
    assert!(out(&run(&folder, &["migrate"])).starts_with("Applied:\n  0001 accounts"));
    assert_eq!(out(&run(&folder, &["migrate"])), "The schema is up to date.\n");
    assert_eq!(postmaster(&data_dir), None);
    let doctor = out(&run(&folder, &["doctor"]));
    assert!(doctor.contains("ok       schema         up to date"), "{doctor}");
}

/// The block of commands in the README that follows these words.
fn commands_after<'a>(readme: &'a str, words: &str) -> &'a str {
    let (_, rest) = readme.split_once(words).unwrap();
    rest.split("```sh\n").nth(1).and_then(|block| block.split("```").next()).unwrap()
}

#[test]
fn the_commands_of_the_readme_run_as_typed() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let commands = commands_after(&readme, "- **Command line**");
    assert!(commands.lines().filter(|line| line.contains("tollgate ")).count() > 8, "{commands}");
    let folder = Folder::new();
    let server = Server::start_with(&folder, &["serve", "--demo"]);
    until("the demo data is there", || server.is_ready());
    // In place of the alias, which a script does not know.
    let script = format!("set -euo pipefail\ntollgate() {{ {} \"$@\"; }}\n{commands}", env!("CARGO_BIN_EXE_tollgate"));
    let output =
        Command::new("bash").args(["-c", &script]).current_dir(folder.path()).env_clear().env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap();
    assert!(output.status.success(), "{}{}", out(&output), err(&output));
}

/// Every command that a page of `/docs` names: in a text it ends with its backtick, in an example with its line.
fn commands_of_the_docs() -> Vec<String> {
    let pages = walkdir::WalkDir::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).into_iter().filter_map(Result::ok);
    let mut commands = Vec::new();
    for page in pages.filter(|entry| entry.path().extension().is_some_and(|x| x == "md")) {
        let text = std::fs::read_to_string(page.path()).unwrap();
        commands.extend(text.split("`tollgate ").skip(1).filter_map(|rest| rest.split('`').next()).map(ToOwned::to_owned));
        let example = |line: &str| line.strip_prefix("tollgate ").and_then(|rest| rest.split(" | ").next()).map(ToOwned::to_owned);
        commands.extend(text.lines().filter_map(example));
    }
    commands
}

#[test]
fn the_docs_name_commands_and_flags_that_there_are() {
    let folder = Folder::new();
    let commands = commands_of_the_docs();
    assert!(commands.len() > 30, "{commands:?}");
    for command in commands {
        // What comes last is unknown; so is nothing before it.
        let script = format!("tollgate() {{ {} \"$@\" --unheard-of; }}\ntollgate {command}", env!("CARGO_BIN_EXE_tollgate"));
        let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
        assert!(err(&output).contains("unexpected argument '--unheard-of'"), "tollgate {command}: {}", err(&output));
    }
}

#[test]
fn a_server_ends_in_order_and_a_killed_one_leaves_nothing_behind() {
    let folder = Folder::new();
    let data_dir = folder.path().join(".data");
    let mut server = Server::start(&folder);
    let first = postmaster(&data_dir).unwrap();

    let second = run(&folder, &["serve", "--addr", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    let named = format!("`tollgate serve` (pid {}, {})", server.process.id(), server.addr);
    assert!(err(&second).contains(&named), "{}", err(&second));
    assert_eq!(out(&run(&folder, &["migrate"])), "The schema is up to date.\n", "a command works beside it");

    server.signal("-KILL");
    server.process.wait().unwrap();
    let mut server = Server::start(&folder);
    assert_ne!(postmaster(&data_dir).unwrap(), first);

    server.signal("-TERM");
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
    assert_eq!(postmaster(&data_dir), None);
    let log = std::fs::read_to_string(data_dir.join("postgres.log")).unwrap();
    assert!(!log.contains("not properly shut down"), "even the kill ended Postgres in order: {log}");
}

#[test]
fn r13_outside_development_no_server_starts_with_the_passwords_of_the_demo() {
    let folder = Folder::new();
    let mut server = Server::start_with(&folder, &["serve", "--demo"]);
    until("the demo data is there", || server.is_ready());
    server.signal("-TERM");
    assert_eq!(server.process.wait().unwrap().code(), Some(0));

    let refused = run(&folder, &["serve", "--addr", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(4), "{}", err(&refused));
    let told = err(&refused);
    assert!(told.contains("operator@demo.localhost, developer@demo.localhost") && told.contains("tollgate admin close-demo"), "{told}");
    let doctor = out(&run(&folder, &["doctor"]));
    assert!(doctor.contains("failed   demo accounts  this data has demo accounts"), "{doctor}");

    let dry = out(&run(&folder, &["admin", "close-demo", "--dry-run"]));
    assert_eq!(dry, "Would close operator@demo.localhost, developer@demo.localhost.\n");
    let closed = out(&run(&folder, &["admin", "close-demo"]));
    assert!(closed.starts_with("Closed: operator@demo.localhost, developer@demo.localhost."), "{closed}");
    assert_eq!(out(&run(&folder, &["admin", "close-demo"])), "No account has a password of the demo.\n");
    let doctor = out(&run(&folder, &["doctor"]));
    assert!(!doctor.contains("demo accounts"), "{doctor}");
}

#[test]
fn the_demo_is_refused_where_something_says_production() {
    let folder = Folder::new();
    std::fs::write(folder.path().join(".env"), "# here\nTOLLGATE_ENV=production\n").unwrap();
    let refused = run(&folder, &["serve", "--demo", "--addr", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(4), "{}", err(&refused));
    assert!(err(&refused).contains(".env line 2 says production"), "{}", err(&refused));
    std::fs::remove_file(folder.path().join(".env")).unwrap();
    let public = tollgate(&folder, &["serve", "--demo", "--addr", "127.0.0.1:0"]).env("TOLLGATE_PUBLIC_URL", "https://gate.example.com").output().unwrap();
    assert_eq!(public.status.code(), Some(4), "a deployment that says nothing: {}", err(&public));
    assert!(err(&public).contains("others reach https://gate.example.com"), "{}", err(&public));
    assert!(!folder.path().join(".data").exists(), "nothing was made");
}
