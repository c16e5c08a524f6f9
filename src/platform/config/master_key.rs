//! The master key: a file with at least 32 random characters, readable by its owner alone. The first start makes it.
//! A placeholder is refused, so that nobody runs with a key that stands in a manual.

use super::Config;
use crate::platform::crypto::{Rng, Vault, sha256};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("The master key {path} can't be read or made: {error}.")]
    Io { path: PathBuf, error: std::io::Error },
    #[error("The master key {0} does not exist. Make one with: (umask 077; openssl rand -base64 32 > {0})")]
    Missing(PathBuf),
    #[error("The master key {0} is too short: it needs 32 characters or more. Make one with: (umask 077; openssl rand -base64 32 > {0})")]
    Short(PathBuf),
    #[error("The master key {0} is a placeholder, not random. Make one with: (umask 077; openssl rand -base64 32 > {0})")]
    Placeholder(PathBuf),
    #[error("The master key {0} can be read by others on this machine. Close it with: chmod 600 {0}")]
    Open(PathBuf),
}

/// Opens the master key. Makes it first if it is the one in the data folder and does not exist.
pub fn open(config: &Config, rng: &Rng) -> Result<Vault, MasterKeyError> {
    let path = &config.server.secret_file;
    if !path.exists() {
        if *path != config.server.data_dir.join("secret") {
            // Making a key at a mistyped place would lock people out of what the right one has sealed.
            return Err(MasterKeyError::Missing(path.clone()));
        }
        make(path, rng).map_err(|error| MasterKeyError::Io { path: path.clone(), error })?;
        tracing::info!("made the master key {}: keep a copy of it apart from the backups of the database", path.display());
    }
    check(config)
}

/// Opens the master key as it is.
pub fn check(config: &Config) -> Result<Vault, MasterKeyError> {
    let path = &config.server.secret_file;
    let io = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => MasterKeyError::Missing(path.clone()),
        _ => MasterKeyError::Io { path: path.clone(), error },
    };
    let text = std::fs::read_to_string(path).map_err(io)?;
    let mode = path.metadata().map_err(io)?.permissions().mode();
    if mode & 0o077 != 0 {
        if !config.is_development() {
            return Err(MasterKeyError::Open(path.clone()));
        }
        tracing::warn!("{}", MasterKeyError::Open(path.clone()));
    }
    let text = text.trim();
    if text.chars().count() < 32 {
        return Err(MasterKeyError::Short(path.clone()));
    }
    if is_placeholder(text) {
        return Err(MasterKeyError::Placeholder(path.clone()));
    }
    Ok(Vault::new(sha256(text)))
}

/// Writes beside the place and links into it: two nodes that start at once end with one whole key.
fn make(path: &Path, rng: &Rng) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", STANDARD.encode(rng.bytes::<32>()))?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all()),
    }
}

/// Words of manuals, few different characters, or a short piece repeated.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words =
        ["changeme", "change-me", "change_me", "change this", "placeholder", "example", "your-secret", "your_secret", "password", "123456789", "abcdefgh"];
    if words.iter().any(|word| lower.contains(word)) {
        return true;
    }
    let bytes = text.as_bytes();
    let kinds = bytes.iter().collect::<std::collections::BTreeSet<_>>().len();
    kinds < 8 || (1..=bytes.len() / 2).any(|n| bytes.iter().zip(&bytes[n..]).all(|(a, b)| a == b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_known_by_their_look() {
        for bad in ["changeme-changeme-changeme-changeme", &"a".repeat(44), &"Xk3f9-Qz".repeat(5), &"ab".repeat(20), "0123456789abcdef0123456789abcdeg"] {
            assert!(is_placeholder(bad), "{bad}");
        }
        let rng = Rng::seeded(1);
        for _ in 0..200 {
            assert!(!is_placeholder(&STANDARD.encode(rng.bytes::<32>())));
            assert!(!is_placeholder(&rng.base62(32)));
        }
    }
}
