//! How a command ends: the exit codes of the contract.

use super::complain;
use crate::error::AppError;
use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Failed = 1,
    WrongUse = 2,
    NotFound = 3,
    Refused = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// Says why an operation did not happen, field by field, and ends with the code for it.
    pub fn because(error: &AppError) -> Self {
        match error {
            AppError::Invalid { fields } => {
                for field in fields {
                    // Of an entry of a list the name of the list: the words repeat the entry.
                    let name = field.field.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('.');
                    let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
                    complain(format!("{name}{}", field.message));
                }
                Self::WrongUse
            }
            AppError::NotFound => {
                complain("something that this command names is not there. Check the names and ids; the verb `list` of each noun says what there is.");
                Self::NotFound
            }
            // It names what is missing (`missing`).
            AppError::Http { status: 404, message } => {
                complain(message);
                Self::NotFound
            }
            // Its own words are those of an open page.
            AppError::Changed { what } => {
                complain(format!("{what} was changed since this command read it, and nothing is saved. Look at it, then say it again."));
                Self::Refused
            }
            AppError::Forbidden { .. }
            | AppError::Locked { .. }
            | AppError::Refused { .. }
            | AppError::Blocked { .. }
            | AppError::Conflict { .. }
            | AppError::Unauthenticated
            | AppError::StepUpNeeded => {
                complain(error);
                Self::Refused
            }
            other => {
                complain(other);
                Self::Failed
            }
        }
    }
}
