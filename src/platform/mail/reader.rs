//! Who reads a mail: how they are called, in which language, and by which clock.

use super::{Letter, Mail};
use crate::{
    platform::{jobs::JobError, local_time::in_full},
    values::{Email, Language},
};
use time::OffsetDateTime;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    pub email: Email,
    pub name: String,
    pub language: Language,
    /// IANA name.
    pub time_zone: String,
}

impl Reader {
    /// From columns of an account. An address that can't be written to is hopeless; a language that is not ours is the first of ours.
    pub fn new(email: &str, name: &str, language: &str, time_zone: &str) -> Result<Self, JobError> {
        let email: Email = email.parse().map_err(|error| JobError::Fail(format!("this address can't be written to: {error}")))?;
        Ok(Self { email, name: name.to_owned(), language: language.parse().unwrap_or_default(), time_zone: time_zone.to_owned() })
    }

    /// The same person at another address of theirs.
    #[must_use]
    pub fn at(self, email: Email) -> Self {
        Self { email, ..self }
    }

    /// What this letter says in the reader's language.
    pub fn write(&self, letter: &dyn Letter) -> Mail {
        match self.language {
            Language::En => letter.en(self),
            Language::De => letter.de(self),
        }
    }

    /// A mail that begins with their name, for the words of one language.
    pub fn mail(&self, subject: impl Into<String>) -> Mail {
        Mail::new(self.email.clone(), subject).name(&self.name).language(self.language)
    }

    /// "20 Nov 2026, 13:00 CET", "20. November 2026, 13:00 MEZ".
    pub fn moment(&self, at: OffsetDateTime) -> String {
        in_full(at, &self.time_zone, self.language)
    }

    /// "1 call", "1.200 Aufrufe".
    pub fn count(&self, n: u64, one: &str, many: &str) -> String {
        format!("{} {}", self.language.thousands(n), if n == 1 { one } else { many })
    }
}
