//! Which keys a caller may touch: those of the own workspace; an operator those of everybody.

use crate::{
    accounts::{Caller, Via},
    error::AppError,
    keys::model::KeyQuery,
    values::{AccountId, WorkspaceId, permission_names as may},
};
use uuid::Uuid;

/// Handed to every query of a key. There is no way to ask for a key without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Own(WorkspaceId),
    Everywhere,
}

impl Reach {
    /// What the caller may touch one by one.
    pub fn of(caller: &Caller) -> Self {
        if caller.may(&may::KEYS_MANAGE) { Self::Everywhere } else { Self::Own(caller.workspace) }
    }

    /// What a list shows: the own workspace, unless an operator asks for another, for every one, or for those of an owner.
    pub fn of_list(caller: &Caller, query: &KeyQuery) -> Result<Self, AppError> {
        let wanted = match query.workspace {
            _ if query.everywhere => Self::Everywhere,
            Some(workspace) => Self::Own(workspace),
            None if query.owner.is_some() => Self::Everywhere,
            None => Self::Own(caller.workspace),
        };
        if wanted != Self::Own(caller.workspace) {
            caller.require(&may::KEYS_MANAGE)?;
        }
        Ok(wanted)
    }

    /// Whether what belongs to this workspace is within it; none: nobody knows any more whose it was.
    pub fn has(self, workspace: Option<Uuid>) -> bool {
        match self {
            Self::Own(own) => workspace == Some(own.uuid()),
            Self::Everywhere => true,
        }
    }

    /// The predicate of a query; none means no predicate.
    pub fn workspace(self) -> Option<WorkspaceId> {
        match self {
            Self::Own(workspace) => Some(workspace),
            Self::Everywhere => None,
        }
    }
}

/// Who did it, for history and events: the account, or the command line, which is nobody's account.
pub fn actor(caller: &Caller) -> (Option<AccountId>, &str) {
    (caller.actor(), if caller.via == Via::Cli { "cli" } else { &caller.name })
}
