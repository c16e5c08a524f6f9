//! A folder of its own for a test, removed with it. Others may pass through it: as root, Postgres runs as another user.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path};
use tempfile::TempDir;

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("tollgate-").permissions(Permissions::from_mode(0o755)).tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
