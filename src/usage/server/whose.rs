//! Whose calls are read: the caller's, one key's, or (for operators) everybody's or one person's.

use super::store::{reading, refusals};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::Ctx,
    usage::model::RefusalQuery,
    values::{Email, KeyId, WorkspaceId, permission_names as may},
};

/// Whose samples are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The caller's; of a key, those of its workspace.
    Own,
    /// Everybody's and of no known key, or those of the person that the query names: for operators.
    All,
}

impl Whose {
    /// The workspace, if it is one; whether the caller may see it.
    pub(super) async fn workspace(self, ctx: &Ctx, caller: &Caller, query: &RefusalQuery) -> Result<Option<WorkspaceId>, AppError> {
        match (self, &query.owner) {
            (Self::Own, _) => {
                caller.require(&may::USAGE_READ)?;
                // A text that is no id is said beside its field, with the others.
                match query.key.as_ref().and_then(|text| text.parse::<KeyId>().ok()) {
                    Some(key) => workspace_of_key(ctx, caller, key).await.map(Some),
                    None => Ok(Some(caller.workspace)),
                }
            }
            (Self::All, owner) => {
                caller.require(&may::ADMIN_READ)?;
                match owner {
                    Some(owner) => Ok(Some(workspace_of(ctx, owner).await?)),
                    None => Ok(None),
                }
            }
        }
    }
}

/// The workspace of a key; one of somebody else is not there, except for operators.
pub(super) async fn workspace_of_key(ctx: &Ctx, caller: &Caller, key: KeyId) -> Result<WorkspaceId, AppError> {
    let owner = reading::find_workspace_of_key(&ctx.db, key).await?.ok_or(AppError::NotFound)?;
    if owner != caller.workspace && !caller.may(&may::ADMIN_READ) {
        return Err(AppError::NotFound);
    }
    Ok(owner)
}

/// The workspace of a person, by the address that they sign in with.
async fn workspace_of(ctx: &Ctx, owner: &str) -> Result<WorkspaceId, AppError> {
    let email: Email = owner.parse().map_err(|words: &str| AppError::invalid("owner", words))?;
    refusals::find_workspace_of_owner(&ctx.db, &email.key()).await?.ok_or_else(|| AppError::invalid("owner", "Nobody has this address."))
}
