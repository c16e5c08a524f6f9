//! The nouns of accounts, for both sides.

use crate::{error::AppError, values::{AccountId, KeyId, Permission, SessionId, WorkspaceId}};
use serde::{Deserialize, Serialize};

/// Who asks: an account with its permissions in its workspace, read anew for every request (R49).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub account: AccountId,
    pub name: String,
    pub email: String,
    pub workspace: WorkspaceId,
    pub workspace_name: String,
    /// IANA name of the person's time zone.
    pub time_zone: String,
    pub permissions: Vec<Permission>,
    pub via: Via,
}

/// How the caller proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "via", content = "id", rename_all = "snake_case")]
pub enum Via {
    /// A signed-in browser.
    Session(SessionId),
    /// A key for Tollgate's own API; `permissions` are then those of the key that the owner still has.
    Key(KeyId),
    /// The command line on the server.
    Cli,
}

impl Caller {
    pub fn may(&self, permission: &Permission) -> bool {
        self.permissions.contains(permission)
    }

    /// The one permission check of an operation.
    pub fn require(&self, permission: &Permission) -> Result<(), AppError> {
        if self.may(permission) { Ok(()) } else { Err(AppError::forbidden(permission)) }
    }
}
