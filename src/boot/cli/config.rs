//! `tollgate config show` and `tollgate config init`.

use super::{Exit, Invocation, complain, print};
use crate::platform::config::show;
use clap::Subcommand;
use std::{
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
}

impl ConfigCommand {
    pub(super) fn run(self, invocation: &Invocation) -> Exit {
        match self {
            Self::Show => {
                let lines = show::lines(&invocation.loaded);
                invocation.answer(&lines, show::table(&lines).trim_end());
                Exit::Done
            }
            Self::Init { file } => init(file, invocation.dry_run, invocation.yes),
        }
    }
}

/// Writes the file; one that is there stays, unless `yes`.
pub(super) fn init(file: Option<PathBuf>, dry_run: bool, yes: bool) -> Exit {
    let path = file.unwrap_or_else(|| PathBuf::from("tollgate.toml"));
    let template = show::template();
    if dry_run {
        print(template.trim_end());
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
            print(&format!("Wrote {}. Take the # from the lines that you change.", path.display()));
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
