//! The command line: `tollgate <noun> <verb>`, one file per noun.
//!
//! To add a noun: a file with a clap `Subcommand` and its `run(self, &Invocation) -> Exit`, one line in `Command`, one in `run`.
//! A command that needs the database does its work inside `with_ctx`; it calls operations, never SQL. Answers go to standard
//! output (JSON with `--json`), everything else to standard error.

mod account;
mod admin;
mod api;
mod audit;
mod ban;
mod block;
mod bulk;
mod bundle;
mod config;
mod credentials;
mod database;
mod doctor;
mod exit;
mod field;
mod group;
mod invite;
mod key;
mod key_edit;
mod key_facts;
mod key_filter;
mod key_secrets;
mod key_trial;
mod leaks;
mod login;
mod master_key;
mod migrate;
mod missing;
mod plan;
mod route;
mod serve;
mod session_policy;
mod signals;
mod trying;
mod usage;
mod worker;
mod workspace;

pub use database::with_ctx;
pub use exit::Exit;

use crate::{
    error::AppError,
    keys::model::Spread,
    platform::{
        config::{self as settings, Config, Flag, Loaded, Origin, Sources},
        telemetry,
    },
    values::Slug,
};
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

/// The front office of your API: accounts, API keys, limits, usage, admin.
#[derive(Parser)]
#[command(name = "tollgate", version, after_help = "Exit codes: 0 done, 1 failed, 2 wrong use, 3 not found, 4 refused.")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Under which what every command takes stands in its help, apart from its own.
const EVERYWHERE: &str = "Options of every command";

#[derive(Args)]
struct Global {
    /// The config file [default: tollgate.toml, if there is one]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the server listens
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "ADDRESS")]
    addr: Option<String>,
    /// Holds the embedded database, the master key, counts on their way to Postgres and, without SMTP, mails
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FOLDER")]
    data_dir: Option<String>,
    /// Any setting; `tollgate config show` lists them
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "SECTION.KEY=VALUE", value_parser = name_and_value)]
    set: Vec<(String, String)>,
    /// Answer in JSON
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    /// Say what would be done, and do nothing; not for serve and worker
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    dry_run: bool,
    /// Do not ask
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    yes: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests (the default)
    Serve(serve::Flags),
    /// Run jobs, and nothing else
    Worker,
    /// Bring the database's schema up to date
    Migrate,
    /// Check what Tollgate needs to run
    Doctor,
    /// Sign in at a Tollgate by a browser, and keep the tokens for this user
    Login(login::Login),
    /// End that sign-in
    Logout,
    /// Say who is signed in
    Whoami,
    /// Show the configuration, write a file to begin with, set one setting in it, lock what operators may change
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Make operators, set the admin PIN, take the accounts of the demo out of use
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Verify the audit log, print its head
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// List accounts, shut them out and let them in, import those of another system
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Say what profiles ask of people besides name and address
    #[command(subcommand)]
    Field(field::FieldCommand),
    /// Say how long sessions and keys last, by role and plan
    #[command(subcommand)]
    SessionPolicy(session_policy::SessionPolicyCommand),
    /// Keep mail domains and networks out
    #[command(subcommand)]
    Ban(ban::BanCommand),
    /// Invite people to sign up
    #[command(subcommand)]
    Invite(invite::InviteCommand),
    /// Rotate the master key
    #[command(subcommand)]
    MasterKey(master_key::MasterKeyCommand),
    /// Create, list and change keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Say who may report leaked keys
    #[command(subcommand)]
    Leaks(leaks::LeaksCommand),
    /// Describe APIs
    #[command(subcommand)]
    Api(api::ApiCommand),
    /// Describe bundles: named sets of an API's permissions, which keys hold
    #[command(subcommand)]
    Bundle(bundle::BundleCommand),
    /// Describe plans, set their limits, assign them
    #[command(subcommand)]
    Plan(plan::PlanCommand),
    /// Describe groups, set their limits, say who is in them
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Set the limits and grants of a workspace itself
    #[command(subcommand)]
    Workspace(workspace::WorkspaceCommand),
    /// Block addresses, keys and workspaces for a time
    #[command(subcommand)]
    Block(block::BlockCommand),
    /// Sum calls by what became of them: of everybody, an account, an API or a key
    Usage(usage::Of),
}

/// What a command is called with, besides its own arguments.
pub struct Invocation {
    pub config: Arc<Config>,
    pub loaded: Loaded,
    pub json: bool,
    pub dry_run: bool,
    pub yes: bool,
}

impl Invocation {
    /// Prints the answer of a command: as JSON with `--json`, else in words.
    pub fn answer(&self, value: &impl Serialize, words: &str) {
        answer(self.json, value, words);
    }

    /// The same of a change that nodes take over: with those on which it holds.
    fn answer_spread(&self, value: &impl Serialize, words: &str, spread: &Spread) {
        self.answer(&Spreading { what: value, spread }, &format!("{words} {}", spread.words("In force")));
    }

    /// Asks before what is final, if somebody sits at a terminal; a script goes on as it always did. True: do it.
    fn is_agreed(&self, question: &str) -> bool {
        if self.yes || self.dry_run || !std::io::stdin().is_terminal() {
            return true;
        }
        let _ = write!(std::io::stderr(), "{question} [y/N] ");
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).is_ok() && says_yes(&line)
    }
}

fn says_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// What was changed, and where that holds.
#[derive(Serialize)]
struct Spreading<'a, T: Serialize> {
    #[serde(flatten)]
    what: &'a T,
    spread: &'a Spread,
}

/// The same for what needs no configuration.
fn answer(json: bool, value: &impl Serialize, words: &str) {
    if json {
        print(&serde_json::to_string(value).unwrap_or_default());
    } else {
        print(words);
    }
}

/// Whether a new thing can have this slug: a dry run says it, too. `found` is what has it.
fn must_be_free(slug: &str, found: Result<(), AppError>, whose: &str) -> Result<(), AppError> {
    slug.trim().parse::<Slug>().map_err(|words| AppError::invalid("slug", words))?;
    match found {
        Ok(()) => Err(AppError::invalid("slug", format!("{whose} has this slug."))),
        Err(AppError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A line on standard output. Whoever reads it may have gone (`| head`).
pub fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line on standard error.
pub fn complain(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "tollgate: {line}");
}

/// The whole program. Wrong use ends in clap with code 2.
pub fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let command = command.unwrap_or_else(|| Command::Serve(serve::Flags::default()));
    if let Command::Config(config::ConfigCommand::Init { file }) = &command {
        // The way out of a configuration that cannot be loaded.
        return config::init(file.clone().or(global.config), global.dry_run, global.yes, global.json).into();
    }
    if let Command::Config(config::ConfigCommand::Set { name, value, .. }) = &command {
        // So is this, one setting after the other.
        return config::set(global.config, name, value.as_deref(), global.dry_run, global.json).into();
    }
    if global.dry_run && matches!(command, Command::Serve(_) | Command::Worker) {
        complain("serve and worker go on until they are stopped, so they have no dry run. `tollgate doctor` says what they lack.");
        return Exit::WrongUse.into();
    }
    let invocation = match global.invocation(&command) {
        Ok(invocation) => invocation,
        Err(error) => {
            complain(error);
            return Exit::WrongUse.into();
        }
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(command.run(&invocation)).into(),
        Err(error) => {
            complain(format!("no threads could be started: {error}."));
            Exit::Failed.into()
        }
    }
}

impl Command {
    async fn run(self, invocation: &Invocation) -> Exit {
        match self {
            Self::Serve(flags) => serve::serve(invocation, &flags).await,
            Self::Worker => worker::run(&invocation.config).await,
            Self::Migrate => migrate::run(invocation).await,
            Self::Doctor => doctor::run(invocation).await,
            Self::Login(flags) => login::login(invocation, flags).await,
            Self::Logout => login::logout(invocation).await,
            Self::Whoami => login::whoami(invocation).await,
            Self::Config(command) => command.run(invocation),
            Self::Admin(command) => command.run(invocation).await,
            Self::Audit(command) => command.run(invocation).await,
            Self::Account(command) => command.run(invocation).await,
            Self::Field(command) => command.run(invocation).await,
            Self::SessionPolicy(command) => command.run(invocation).await,
            Self::Ban(command) => command.run(invocation).await,
            Self::Invite(command) => command.run(invocation).await,
            Self::MasterKey(command) => command.run(invocation).await,
            Self::Key(command) => command.run(invocation).await,
            Self::Leaks(command) => command.run(invocation).await,
            Self::Api(command) => command.run(invocation).await,
            Self::Bundle(command) => command.run(invocation).await,
            Self::Plan(command) => command.run(invocation).await,
            Self::Group(command) => command.run(invocation).await,
            Self::Workspace(command) => command.run(invocation).await,
            Self::Block(command) => command.run(invocation).await,
            Self::Usage(of) => of.run(invocation).await,
        }
    }
}

impl Global {
    /// Loads the configuration and starts the log. A short command logs warnings only, unless somebody set a filter.
    fn invocation(self, command: &Command) -> Result<Invocation, settings::ConfigError> {
        let stays = matches!(command, Command::Serve(_) | Command::Worker);
        let flag = |flag: &str, name: &str, value: String| Flag { flag: flag.to_owned(), name: name.to_owned(), value };
        let mut flags: Vec<_> = self.set.into_iter().map(|(name, value)| flag("--set", &name, value)).collect();
        flags.extend(self.addr.map(|value| flag("--addr", "server.addr", value)));
        flags.extend(self.data_dir.map(|value| flag("--data-dir", "server.data_dir", value)));
        // Nobody need say development to look at the demo; whoever says production is heard.
        let implied = match command {
            Command::Serve(serve::Flags { demo: true }) => vec![flag("--demo", "env", "development".to_owned())],
            _ => Vec::new(),
        };
        let loaded = settings::load(&Sources { implied, ..Sources::of_process(self.config, flags) })?;
        let mut log = loaded.config.log.clone();
        if !stays {
            if *loaded.origin("log.filter") == Origin::Default {
                "warn".clone_into(&mut log.filter);
            }
            if *loaded.origin("log.format") == Origin::Default {
                log.format = settings::LogFormat::Pretty;
            }
        }
        telemetry::init(&log);
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let config = Arc::new(loaded.config.clone());
        Ok(Invocation { config, loaded, json: self.json, dry_run: self.dry_run, yes: self.yes })
    }
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as section.key=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_yes_is_one() {
        assert!(["y", "Y\n", " yes\r\n"].into_iter().all(says_yes));
        assert!(!["", "\n", "n", "yep", "no yes"].into_iter().any(says_yes));
    }
}
