//! What one setting is: its names, how it is written, how it is read into the configuration and out of it again.
//!
//! A value has one parser, whichever source it comes from: texts and numbers of the file are turned into the same text that
//! an environment variable would hold. `set` answers None for a value that is not allowed.

use super::Config;

/// One setting.
#[derive(Clone, Copy)]
pub struct Setting {
    /// `section.key` in the file and in `--set`; `env` stands above the sections.
    pub name: &'static str,
    /// The environment variable.
    pub env: &'static str,
    pub kind: Kind,
    /// What is allowed, as the end of "must be …".
    pub allowed: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Parses and stores a value; None if it is not allowed.
    pub(super) set: fn(&mut Config, &str) -> Option<()>,
    /// The value as text; empty if there is none. Secrets come out in clear: mask them.
    pub(super) get: fn(&Config) -> String,
}

/// How a value is written in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A text that is never printed. It can also come from a file: `NAME_FILE`, `section.key_file`.
    Secret,
    Number,
    /// Seconds as a number, or a text such as "14d".
    Span,
    Switch,
    /// A list of texts; in a variable they are parted by commas.
    List,
}

impl Setting {
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// The section it stands in; empty for `env`.
    pub fn section(&self) -> &'static str {
        self.name.rsplit_once('.').map_or("", |(section, _)| section)
    }

    pub fn key(&self) -> &'static str {
        self.name.rsplit_once('.').map_or(self.name, |(_, key)| key)
    }
}
