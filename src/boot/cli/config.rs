//! `tollgate config show`, `init`, `set`, `lock` and `unlock`.

use super::{Exit, Invocation, answer, complain};
use crate::{
    platform::config::{Sources, show, writing},
    values::Area,
};
use clap::Subcommand;
use serde_json::json;
use std::{
    collections::BTreeSet,
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::PathBuf,
};

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Print every setting, its value and where it was set; secrets are masked
    Show,
    /// Write a config file in which every setting stands with its default
    Init {
        /// Where to [default: tollgate.toml]
        file: Option<PathBuf>,
    },
    /// Write one setting into the config file; its comments and all other lines stay
    Set {
        /// As `config show` names it
        #[arg(value_name = "SECTION.KEY")]
        name: String,
        /// Its value; lists with commas. `-` reads a line of standard input, where secrets belong
        #[arg(required_unless_present = "unset")]
        value: Option<String>,
        /// Take it out of the file, so that its default holds
        #[arg(long, conflicts_with = "value")]
        unset: bool,
    },
    /// Operators change nothing of these any more on pages and over REST; this command line still changes them (admin.locked in the config
    /// file)
    Lock {
        /// apis, fields, plans (and groups), rules (of blocks), sessions; more than one with commas
        #[arg(required = true, value_delimiter = ',', value_parser = area)]
        areas: Vec<Area>,
    },
    /// Operators may change these again
    Unlock {
        /// apis, fields, plans, rules, sessions; more than one with commas
        #[arg(required = true, value_delimiter = ',', value_parser = area)]
        areas: Vec<Area>,
    },
}

const LOCKED: &str = "admin.locked";

fn area(text: &str) -> Result<Area, String> {
    Area::parse(text).ok_or_else(|| format!("what can be locked is {}", Area::ALL.map(Area::as_str).join(", ")))
}

impl ConfigCommand {
    pub(super) fn run(self, invocation: &Invocation) -> Exit {
        match self {
            Self::Show => {
                let lines = show::lines(&invocation.loaded);
                invocation.answer(&lines, show::table(&lines).trim_end());
                Exit::Done
            }
            Self::Init { file } => init(file, invocation.dry_run, invocation.yes, invocation.json),
            Self::Lock { areas } => lock(invocation, |locked| locked.extend(&areas)),
            Self::Unlock { areas } => lock(invocation, |locked| locked.retain(|area| !areas.contains(area))),
            Self::Set { name, value, .. } => set(invocation.loaded.file.clone(), &name, value.as_deref(), invocation.dry_run, invocation.json),
        }
    }
}

/// Writes the file; one that is there stays, unless `yes`.
pub(super) fn init(file: Option<PathBuf>, dry_run: bool, yes: bool, json: bool) -> Exit {
    let path = file.unwrap_or_else(|| PathBuf::from("tollgate.toml"));
    let template = show::template();
    if dry_run {
        answer(json, &json!({ "file": path, "text": template }), template.trim_end());
        return Exit::Done;
    }
    let mut options = OpenOptions::new();
    if yes {
        options.write(true).create(true).truncate(true)
    } else {
        options.write(true).create_new(true)
    };
    match options.open(&path).and_then(|mut file| file.write_all(template.as_bytes())) {
        Ok(()) => {
            answer(json, &json!({ "file": path }), &format!("Wrote {}. Take the # from the lines that you change.", path.display()));
            Exit::Done
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            complain(format!("{} is already there. Write over it with --yes, or name another file.", path.display()));
            Exit::Refused
        }
        Err(error) => {
            complain(format!("{} can't be written: {error}.", path.display()));
            Exit::Failed
        }
    }
}

/// What the file locks becomes this, whatever the environment says; an empty list is none.
fn lock(invocation: &Invocation, change: impl FnOnce(&mut BTreeSet<Area>)) -> Exit {
    let file = invocation.loaded.file.clone();
    let mut locked: BTreeSet<Area> = match writing::in_file(&Sources::of_process(file.clone(), Vec::new()), LOCKED) {
        Ok(config) => config.admin.locked.into_iter().collect(),
        Err(why) => {
            complain(why);
            return Exit::WrongUse;
        }
    };
    change(&mut locked);
    let value = locked.into_iter().map(Area::as_str).collect::<Vec<_>>().join(",");
    let value = (!value.is_empty()).then_some(value.as_str());
    set(file, LOCKED, value, invocation.dry_run, invocation.json)
}

/// Writes one setting, or takes it out if there is no value. Refused if Tollgate would not start with it.
pub(super) fn set(file: Option<PathBuf>, name: &str, value: Option<&str>, dry_run: bool, json: bool) -> Exit {
    let mut line = String::new();
    let value = match value {
        Some("-") => match std::io::stdin().read_line(&mut line) {
            Ok(_) => Some(line.trim_end_matches(['\r', '\n'])),
            Err(error) => {
                complain(format!("standard input can't be read: {error}."));
                return Exit::Failed;
            }
        },
        Some(_) if writing::is_secret(name) => {
            complain(format!("{name} is a secret, and others see a command line. Give - as its value and type it, or set {name}_file."));
            return Exit::WrongUse;
        }
        value => value,
    };
    let change = match writing::change(&Sources::of_process(file, Vec::new()), name, value) {
        Ok(change) => change,
        Err(why) => {
            complain(why);
            return Exit::WrongUse;
        }
    };
    if dry_run {
        answer(json, &json!({ "file": change.file, "text": change.text }), change.text.trim_end());
    } else if let Err(error) = change.write() {
        complain(format!("{} can't be written: {error}.", change.file.display()));
        return Exit::Failed;
    } else {
        let done = if value.is_some() { "is set in" } else { "is out of" };
        let words = format!("{name} {done} {}. Servers and workers read it when they start.", change.file.display());
        // Not the value: it may be a secret.
        let overruled_by = change.winner().map(ToString::to_string);
        answer(json, &json!({ "file": change.file, "name": name, "set": value.is_some(), "overruled_by": overruled_by }), &words);
    }
    if let Some(winner) = change.winner() {
        complain(format!("{winner} wins over the file: there {name} stays what it is."));
    }
    Exit::Done
}
