//! The master key: a file with at least 32 random characters, readable by its owner alone. The first start makes it.
//! A placeholder is refused, so that nobody runs with a key that stands in a manual.
//!
//! Older ones that are still read lie beside it, under its name and their id (`secret.1a2b3c4d`), where a rotation puts them (`Prepared::put`);
//! or `server.previous_secret_files` names them.

use super::Config;
use crate::platform::crypto::{MasterKeyId, Rng, Vault, sha256};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
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
    #[error("The master key {path} has the id {id}, which is not the one in its name. Name it after its id, or remove it.")]
    Misnamed { path: PathBuf, id: MasterKeyId },
    #[error(
        "This database has things in it that were made under the master key {ids}, which is not here; {path} has the id {current}. Put that key back, or name \
         its file in server.previous_secret_files. If it is lost: tollgate master-key drop {first}"
    )]
    NotHere { ids: String, first: String, current: MasterKeyId, path: PathBuf },
    #[error("The master key {path} (id {id}) was dropped. Make another one with: (umask 077; openssl rand -base64 32 > {path})")]
    Dropped { path: PathBuf, id: MasterKeyId },
    #[error("Another rotation was at work: {path} has the id {id} now. Rotate again if that is not the one that you want.")]
    Replaced { path: PathBuf, id: MasterKeyId },
    #[error("The master keys that the database knows can't be read: {0}")]
    Database(#[from] sqlx::Error),
}

/// A new key that is on the disk, beside its place. It goes away again unless it is put there.
#[derive(Debug)]
pub struct Prepared {
    path: PathBuf,
    draft: PathBuf,
    pub old: MasterKeyId,
    pub new: MasterKeyId,
}

/// A new key lies in the place of the old one.
#[derive(Debug)]
pub struct Rotated {
    pub old: MasterKeyId,
    /// Where the old one is read from now.
    pub old_file: PathBuf,
    pub new: MasterKeyId,
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

/// Opens the master key as it is, and those that are still read.
pub fn check(config: &Config) -> Result<Vault, MasterKeyError> {
    let current = read(config, &config.server.secret_file)?;
    let previous = previous_files(config)?.into_iter().map(|(path, named)| {
        let key = read(config, &path)?;
        let id = Vault::new(key).key_id();
        if named.is_some_and(|named| named != id) { Err(MasterKeyError::Misnamed { path, id }) } else { Ok(key) }
    });
    Ok(Vault::with_previous(current, previous.collect::<Result<Vec<_>, _>>()?))
}

/// Where a key lies that a rotation put aside.
pub fn beside(path: &Path, id: MasterKeyId) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{id}"));
    path.with_file_name(name)
}

/// Makes a key that can take the place of the one that is there.
pub fn prepare(config: &Config, rng: &Rng) -> Result<Prepared, MasterKeyError> {
    let path = config.server.secret_file.clone();
    let io = |error: std::io::Error| MasterKeyError::Io { path: config.server.secret_file.clone(), error };
    let old = check(config)?.key_id();
    let draft = draft(&path, rng).map_err(io)?;
    let mut prepared = Prepared { path, draft, old, new: old };
    leave_to_owner_of(&prepared.path, &prepared.draft).map_err(io)?;
    prepared.new = Vault::new(read(config, &prepared.draft)?).key_id();
    Ok(prepared)
}

impl Prepared {
    /// Puts the old key aside, under its id, and this one in its place: names of files change, and no more. What runs goes on with the old one
    /// until it starts again.
    pub fn put(self, config: &Config) -> Result<Rotated, MasterKeyError> {
        let (path, old) = (&self.path, self.old);
        let io = |error: std::io::Error| MasterKeyError::Io { path: path.clone(), error };
        let there = Vault::new(read(config, path)?).key_id();
        if there != old {
            return Err(MasterKeyError::Replaced { path: path.clone(), id: there });
        }
        let old_file = beside(path, old);
        match std::fs::hard_link(path, &old_file) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(io(error)),
            _ => {}
        }
        sync_folder(path).map_err(io)?;
        std::fs::rename(&self.draft, path).map_err(io)?;
        // It is there: from here on nothing is a failure.
        if let Err(error) = sync_folder(path) {
            tracing::warn!("{} is in its place, but its folder could not be synced: {error}", path.display());
        }
        Ok(Rotated { old, old_file, new: self.new })
    }
}

impl Drop for Prepared {
    /// Once it is put, nothing has the draft's name.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.draft);
    }
}

/// Who rotates as root leaves the new file to whom the server runs as.
fn leave_to_owner_of(path: &Path, draft: &Path) -> std::io::Result<()> {
    let (owner, made) = (std::fs::metadata(path)?, std::fs::metadata(draft)?);
    if (owner.uid(), owner.gid()) == (made.uid(), made.gid()) {
        return Ok(());
    }
    std::os::unix::fs::chown(draft, Some(owner.uid()), Some(owner.gid()))
}

/// The files of the keys that are still read, with the ids that their names say.
fn previous_files(config: &Config) -> Result<Vec<(PathBuf, Option<MasterKeyId>)>, MasterKeyError> {
    let path = &config.server.secret_file;
    let mut found: Vec<_> = config.server.previous_secret_files.iter().map(|path| (path.clone(), None)).collect();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let io = |error: std::io::Error| MasterKeyError::Io { path: folder.to_owned(), error };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // A folder may be open for whoever knows the name of a file, and no more.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(found),
        Err(error) => return Err(io(error)),
    };
    let start = format!("{}.", path.file_name().unwrap_or_default().to_string_lossy());
    for entry in entries {
        let name = entry.map_err(io)?.file_name();
        if let Some(id) = name.to_str().and_then(|name| name.strip_prefix(&start)).and_then(|id| id.parse::<MasterKeyId>().ok()) {
            found.push((folder.join(&name), Some(id)));
        }
    }
    found.sort();
    Ok(found)
}

fn read(config: &Config, path: &Path) -> Result<[u8; 32], MasterKeyError> {
    let path = &path.to_owned();
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
    Ok(sha256(text))
}

/// Writes beside the place and links into it: two nodes that start at once end with one whole key.
fn make(path: &Path, rng: &Rng) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let draft = draft(path, rng)?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(path),
    }
}

/// A new key in a file of its own beside the place.
fn draft(path: &Path, rng: &Rng) -> std::io::Result<PathBuf> {
    // In a container every process has the same id: what one left that was ended does not hinder the next.
    let draft = path.with_extension(format!("new-{}-{}", std::process::id(), rng.base62(8)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", STANDARD.encode(rng.bytes::<32>()))?;
    file.sync_all()?;
    Ok(draft)
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(Ok(()), |folder| File::open(folder)?.sync_all())
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
