//! Finds Postgres' programs: PATH, `pg_config --bindir`, then the folders that packages use, the newest version first.

use super::PostgresError;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The oldest Postgres that Tollgate runs on.
pub const MIN_VERSION: u32 = 14;

/// A folder with `postgres` and `initdb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    pub folder: PathBuf,
    /// The major version.
    pub version: u32,
}

impl Programs {
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }
}

/// The programs of exactly the version `wanted`, or the first new enough.
pub fn find(wanted: Option<u32>) -> Result<Programs, PostgresError> {
    among(&candidates(), wanted).map_err(|others| {
        let found = if others.is_empty() {
            String::new()
        } else {
            let list: Vec<_> = others.iter().map(|p| format!("Postgres {} in {}", p.version, p.folder.display())).collect();
            format!(" Found: {}.", list.join(", "))
        };
        match wanted {
            Some(version) => PostgresError::WrongVersion { folder: PathBuf::new(), version, found },
            None => PostgresError::NotFound(found),
        }
    })
}

/// The first that fits, or all that do not.
fn among(folders: &[PathBuf], wanted: Option<u32>) -> Result<Programs, Vec<Programs>> {
    let mut others: Vec<Programs> = Vec::new();
    for folder in folders {
        let Some(version) = version_in(folder) else { continue };
        let programs = Programs { folder: folder.clone(), version };
        if wanted.map_or(version >= MIN_VERSION, |wanted| version == wanted) {
            return Ok(programs);
        }
        if !others.contains(&programs) {
            others.push(programs);
        }
    }
    Err(others)
}

fn version_in(folder: &Path) -> Option<u32> {
    if !folder.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)" → 15; "18beta1" → 18.
fn parse_version(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL)")?.1.trim_start();
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    // Debian · Fedora · Alpine · SUSE · Homebrew on both kinds of Mac · Postgres.app
    for (parent, prefix, end) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/usr/libexec", "postgresql", ""),
        ("/usr/lib", "postgresql", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ] {
        folders.extend(versions_under(Path::new(parent), prefix).into_iter().map(|folder| folder.join(end)));
    }
    folders.extend(["/usr/local/pgsql/bin", "/usr/local/bin", "/opt/homebrew/bin", "/usr/bin"].map(PathBuf::from));
    folders
}

/// The folders `<prefix><number>` under `parent`, the highest number first.
fn versions_under(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?, entry.path())))
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A folder with programs that only tell a version.
    fn pretend(parent: &Path, version: &str) -> PathBuf {
        let folder = parent.join(version);
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["postgres", "initdb"] {
            let path = folder.join(name);
            std::fs::write(&path, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Test)'\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn the_first_that_is_new_enough_or_exactly_the_wanted_one() {
        let temp = std::env::temp_dir().join(format!("tollgate-programs-{}", std::process::id()));
        let folders = [temp.join("nothing here"), pretend(&temp, "13.9"), pretend(&temp, "16.4"), pretend(&temp, "17rc1")];
        assert_eq!(among(&folders, None).unwrap().version, 16);
        assert_eq!(among(&folders, Some(17)).unwrap().folder, folders[3]);
        assert_eq!(among(&folders, Some(15)).unwrap_err().iter().map(|p| p.version).collect::<Vec<_>>(), [13, 16, 17]);
        assert_eq!(among(&folders[..2], None).unwrap_err().len(), 1);
        std::fs::remove_dir_all(temp).unwrap();
    }

    #[test]
    fn newer_folders_come_first() {
        let temp = std::env::temp_dir().join(format!("tollgate-versions-{}", std::process::id()));
        for name in ["pg-9", "pg-17", "pg-14", "other"] {
            std::fs::create_dir_all(temp.join(name)).unwrap();
        }
        assert_eq!(versions_under(&temp, "pg-"), [temp.join("pg-17"), temp.join("pg-14"), temp.join("pg-9")]);
        std::fs::remove_dir_all(temp).unwrap();
    }
}
