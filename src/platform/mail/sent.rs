//! Mails that are kept instead of sent: what is known of one, and the folder where development keeps them.

use super::{Block, Mail};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use time::OffsetDateTime;

/// A mail that was kept instead of sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMail {
    /// The left part of its Message-ID; sorts by age.
    pub id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub links: Vec<SentLink>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentLink {
    pub label: String,
    pub url: String,
}

impl SentLink {
    pub(super) fn all(mail: &Mail) -> Vec<Self> {
        let link = |block: &Block| match block {
            Block::Link { label, url } => Some(Self { label: label.clone(), url: url.clone() }),
            _ => None,
        };
        mail.blocks.iter().filter_map(link).collect()
    }
}

/// Two files a mail: `<id>.eml` as it would be sent, `<id>.json` as the mailbox page reads it. Only we can read them: there are
/// links in them that sign people in.
#[derive(Debug, Clone)]
pub(super) struct Folder(pub PathBuf);

impl Folder {
    pub fn keep(&self, mail: &SentMail, message: &[u8]) -> io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        self.write(&format!("{}.eml", mail.id), message)?;
        self.write(&format!("{}.json", mail.id), &serde_json::to_vec(mail)?)
    }

    /// The newest first, `limit` at most.
    pub fn list(&self, limit: usize) -> io::Result<Vec<SentMail>> {
        let mut names: Vec<PathBuf> = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries.filter_map(|entry| entry.ok().map(|e| e.path())).filter(|path| path.extension().is_some_and(|e| e == "json")).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        names.sort_unstable_by(|a, b| b.cmp(a));
        names.truncate(limit);
        // One that is being written or was edited by hand is left out.
        Ok(names.iter().filter_map(|path| read(path).ok()).collect())
    }

    /// Whole or not at all: a reader never sees half a file.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let half = self.0.join(format!("{name}.part"));
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
        file.write_all(bytes)?;
        drop(file);
        std::fs::rename(half, self.0.join(name))
    }
}

fn read(path: &Path) -> io::Result<SentMail> {
    Ok(serde_json::from_slice(&std::fs::read(path)?)?)
}
