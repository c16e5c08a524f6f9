//! Where `tollgate login` keeps its tokens: one file in the user's configuration folder, readable by that user only.

use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};

/// A sign-in of this user at a Tollgate.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    pub url: String,
    pub access_token: String,
    pub refresh_token: String,
}

/// The file, or why there is no place for it.
pub fn path() -> io::Result<PathBuf> {
    path_in(std::env::var_os("XDG_CONFIG_HOME"), std::env::var_os("HOME"))
}

/// What is kept; none if nobody is signed in.
pub fn load() -> io::Result<Option<Credentials>> {
    match fs::read(path()?) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps it, in place of what was there: a new file, mode 0600 from its first byte, moved over the old one.
pub fn save(credentials: &Credentials) -> io::Result<PathBuf> {
    let path = path()?;
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let written = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).and_then(|mut file| {
        file.write_all(serde_json::to_string_pretty(credentials)?.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&new, &path)).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })?;
    Ok(path)
}

/// Forgets it.
pub fn forget() -> io::Result<()> {
    match fs::remove_file(path()?) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// As the XDG Base Directory Specification has it: a relative folder counts as none.
fn path_in(config: Option<OsString>, home: Option<OsString>) -> io::Result<PathBuf> {
    let config = config.map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = config.or_else(|| home.map(|home| PathBuf::from(home).join(".config")).filter(|folder| folder.is_absolute()));
    let folder = folder.ok_or_else(|| io::Error::other("neither HOME nor XDG_CONFIG_HOME says where settings are kept"))?;
    Ok(folder.join("tollgate").join("login.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_lies_in_the_users_configuration_folder() {
        let at = |config: &str, home: &str| path_in(Some(config.into()), Some(home.into())).unwrap();
        assert_eq!(at("/c", "/h"), PathBuf::from("/c/tollgate/login.json"));
        assert_eq!(at("", "/h"), PathBuf::from("/h/.config/tollgate/login.json"));
        assert_eq!(at("c", "/h"), PathBuf::from("/h/.config/tollgate/login.json"));
        assert!(path_in(None, None).is_err());
    }
}
