//! `tollgate doctor`: checks what Tollgate needs to run, one line for each, and ends with 1 if something is missing.
//! It changes nothing: where no database was made yet, it does not make one.

use super::{Exit, Invocation};
use crate::{
    boot::{context::context_of_keys_here, demo, files},
    platform::{
        clock::Clock,
        config::{
            Config,
            loader::is_local,
            master_key::{self, MasterKeyError},
        },
        db::{self, Schema},
        key_ring,
        places::Places,
        postgres::{self, Database, Purpose},
    },
    ui::number::count,
};
use serde::Serialize;
use std::{path::Path, sync::Arc, time::Duration};
use time::OffsetDateTime;

/// How far the clocks of the database and of this machine may be apart: sessions and limits take the time from both.
const SKEW: time::Duration = time::Duration::seconds(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Failed,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    detail: String,
}

impl Check {
    fn new(name: &'static str, state: State, detail: impl ToString) -> Self {
        Self { name, state, detail: detail.to_string() }
    }

    fn of<T, E: ToString>(name: &'static str, result: Result<T, E>, words: impl FnOnce(&T) -> String) -> (Self, Option<T>) {
        match result {
            Ok(value) => (Self::new(name, State::Ok, words(&value)), Some(value)),
            Err(error) => (Self::new(name, State::Failed, error.to_string()), None),
        }
    }
}

pub(super) async fn run(invocation: &Invocation) -> Exit {
    let config = &invocation.config;
    let mut checks = vec![configuration(invocation)];
    checks.extend(database(config).await);
    checks.extend([secret(config), address(config), mails(config), site()]);
    checks.extend(leaked(config));
    checks.extend(places(config));
    let words: Vec<_> = checks.iter().map(|check| format!("{:7}  {:13}  {}", word(check.state), check.name, check.detail)).collect();
    invocation.answer(&checks, &words.join("\n"));
    if checks.iter().any(|check| check.state == State::Failed) { Exit::Failed } else { Exit::Done }
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Failed => "failed",
    }
}

fn configuration(invocation: &Invocation) -> Check {
    let file = invocation.loaded.file.as_ref().map_or("no file".to_owned(), |file| file.display().to_string());
    let env = if invocation.config.is_development() { "development" } else { "production" };
    Check::new("configuration", State::Ok, format!("{file}, {env}"))
}

async fn database(config: &Arc<Config>) -> Vec<Check> {
    let mut checks = Vec::new();
    if config.database.url.is_none() {
        let found = postgres::find_programs(None);
        let (check, programs) = Check::of("Postgres", found, |found| format!("version {} in {}", found.version, found.folder.display()));
        checks.push(check);
        if programs.is_none() {
            return checks;
        }
        if !config.server.data_dir.join("postgres/PG_VERSION").exists() && !config.server.data_dir.join("postgres").is_symlink() {
            checks.push(Check::new("database", State::Ok, "none yet: the first start makes it"));
            return checks;
        }
    }
    // A check should not wait as long as a start does.
    let mut quick = Config::clone(config);
    quick.database.wait = quick.database.wait.min(Duration::from_secs(5));
    let (check, database) = Check::of("database", postgres::open(&quick, Purpose::Command("doctor")).await, |database: &Database| database.description.clone());
    checks.push(check);
    if let Some(database) = database {
        let pool = database.pool(config);
        match db::schema(&pool).await {
            Ok(Schema::Current) => {
                checks.push(Check::new("schema", State::Ok, "up to date"));
                checks.extend(known_keys(config, &pool).await);
                checks.extend(demo_accounts(config, &pool).await);
            }
            Ok(other) => checks.push(Check::new("schema", State::Failed, other)),
            Err(error) => checks.push(Check::new("schema", State::Failed, error)),
        }
        checks.push(clocks(&pool).await);
        pool.close().await;
        database.close().await;
    }
    checks
}

async fn clocks(pool: &sqlx::PgPool) -> Check {
    let clock = Clock::system();
    let before = clock.now();
    let theirs = match sqlx::query_scalar::<_, OffsetDateTime>("select clock_timestamp()").fetch_one(pool).await {
        Ok(now) => now,
        Err(error) => return Check::new("clock", State::Failed, error),
    };
    let after = clock.now();
    let halfway: time::Duration = (after - before) / 2;
    let apart: time::Duration = theirs - before - halfway;
    let apart = apart.abs();
    if apart > SKEW {
        let words = format!("{:.0} s apart from the database's. Set both by NTP.", apart.as_seconds_f32());
        return Check::new("clock", State::Failed, words);
    }
    Check::new("clock", State::Ok, format!("{} ms apart from the database's", apart.whole_milliseconds()))
}

fn secret(config: &Config) -> Check {
    let path = &config.server.secret_file;
    match master_key::check(config) {
        Ok(vault) => {
            let older = vault.previous_ids().len();
            let words = if older > 0 { format!(", and {older} older read besides it") } else { String::new() };
            Check::new("master key", State::Ok, format!("{} (id {}){words}", path.display(), vault.key_id()))
        }
        Err(MasterKeyError::Missing(_)) if *path == config.server.data_dir.join("secret") => {
            Check::new("master key", State::Ok, "none yet: the first start makes it")
        }
        Err(error) => Check::new("master key", State::Failed, error),
    }
}

/// Whether the master keys are those that the database was used with. Where there is none yet, the file itself is checked elsewhere.
async fn known_keys(config: &Config, pool: &sqlx::PgPool) -> Option<Check> {
    let vault = master_key::check(config).ok()?;
    let result = match key_ring::list(pool).await {
        Ok(known) => key_ring::must_have_all(config, &vault, &known).map(|()| known.len()),
        Err(error) => Err(error.into()),
    };
    Some(Check::of("known keys", result, |known| format!("the database knows {}, and none is missing", count(*known as u64, "master key", "master keys"))).0)
}

/// The passwords of the demo are known to everybody (R13). Without master keys none could be compared, which is told elsewhere.
async fn demo_accounts(config: &Arc<Config>, pool: &sqlx::PgPool) -> Option<Check> {
    let ctx = context_of_keys_here(Arc::clone(config), pool.clone()).ok()?;
    let open = match demo::with_known_passwords(&ctx).await {
        Ok(open) => open,
        Err(error) => return Some(Check::new("demo accounts", State::Failed, error)),
    };
    let is_reached = !config.server.addr.ip().is_loopback() || !is_local(&config.server.public_url);
    Some(match open.as_slice() {
        [] => return None,
        open if !config.is_development() => Check::new("demo accounts", State::Failed, demo::refusal(open)),
        _ if is_reached => Check::new("demo accounts", State::Warning, "other machines reach this server, and everybody can read the passwords of the demo"),
        _ => Check::new("demo accounts", State::Ok, "for this machine alone; outside development the start is refused"),
    })
}

/// The public address is what people click on in mails.
fn address(config: &Config) -> Check {
    let (addr, url) = (config.server.addr, &config.server.public_url);
    let origin = config.origin();
    if !is_local(url) {
        return Check::new("address", State::Ok, format!("{origin}, listening on {addr}"));
    }
    if !addr.ip().is_loopback() {
        return Check::new(
            "address",
            State::Warning,
            format!("listening on {addr}, but links say {origin}, which other machines can't open. Set server.public_url."),
        );
    }
    if url.port_or_known_default() != Some(addr.port()) {
        return Check::new(
            "address",
            State::Warning,
            format!("links say {origin}, but the server listens on {addr}. Right only behind a proxy on this machine."),
        );
    }
    Check::new("address", State::Ok, origin)
}

fn mails(config: &Config) -> Check {
    match (&config.mail.smtp_url, config.is_development()) {
        (Some(_), _) => Check::new("mails", State::Ok, format!("sent by SMTP from {}", config.mail.from)),
        (None, true) => Check::new("mails", State::Ok, "files in the data folder, shown at /dev/mailbox"),
        (None, false) => Check::new("mails", State::Warning, "written to files in the data folder, so nobody gets them. Set mail.smtp_url."),
    }
}

/// The list of leaked passwords, where one is set. A server starts without it and lets passwords pass.
fn leaked(config: &Config) -> Option<Check> {
    let path = config.auth.breached_passwords.as_ref()?;
    Some(Check::of("leaked words", std::fs::File::open(path), |_| path.display().to_string()).0)
}

/// The database of the places of addresses, where one is set. No server starts with one that can't be read.
fn places(config: &Config) -> Option<Check> {
    let path = config.auth.places_file.as_ref()?;
    Some(Check::of("places", Places::open(path), |_| path.display().to_string()).0)
}

fn site() -> Check {
    let root = files::leptos_options().site_root.to_string();
    if Path::new(&root).join("pkg").is_dir() {
        Check::new("site", State::Ok, root)
    } else {
        Check::new(
            "site",
            State::Failed,
            format!("there are no scripts and styles in {root}. Build them with `make build`, and keep `site/` beside the binary."),
        )
    }
}
