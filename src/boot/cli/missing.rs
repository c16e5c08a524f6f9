//! What a command named and there is not, with the next step. Operations say only that there is nothing (`AppError::NotFound`): people of the web
//! are told no more. Whoever may run a command sees everything, and often names several things at once.

use crate::error::AppError;
use std::fmt::Display;

/// What commands name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thing {
    Account,
    Api,
    Ban,
    Block,
    Bundle,
    Field,
    Group,
    Invitation,
    Key,
    MasterKey,
    Plan,
    Policy,
    Route,
    Secret,
    Workspace,
}

impl Thing {
    const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Api => "API",
            Self::Ban => "ban",
            Self::Block => "block",
            Self::Bundle => "bundle",
            Self::Field => "field",
            Self::Group => "group",
            Self::Invitation => "invitation",
            Self::Key => "key",
            Self::MasterKey => "master key",
            Self::Plan => "plan",
            Self::Policy => "role or plan",
            Self::Route => "route",
            Self::Secret => "secret",
            Self::Workspace => "workspace",
        }
    }

    /// Where those stand that there are.
    const fn next_step(self) -> &'static str {
        match self {
            Self::Account => "`tollgate account list` lists the accounts.",
            Self::Api => "`tollgate api list` lists the APIs.",
            Self::Ban => "`tollgate ban list` lists the bans.",
            Self::Block => "`tollgate block list --all` lists the blocks.",
            Self::Bundle => "`tollgate bundle list` lists the bundles of an API.",
            Self::Field => "`tollgate field list` lists the fields.",
            Self::Group => "`tollgate group list` lists the groups.",
            Self::Invitation => "`tollgate invite list` lists the invitations.",
            Self::Key => "`tollgate key list` lists the keys.",
            Self::MasterKey => "`tollgate master-key status` lists the master keys.",
            Self::Plan => "`tollgate plan list` lists the plans.",
            Self::Policy => "`tollgate session-policy list` lists the roles and plans.",
            Self::Route => "`tollgate api route list` lists the routes of an API.",
            Self::Secret => "`tollgate key secrets` lists the secrets of a key.",
            Self::Workspace => "Name its owner with --account; `tollgate account list` lists the accounts.",
        }
    }
}

/// "there is no plan gold. `tollgate plan list` lists the plans."
pub(super) fn missing(thing: Thing, named: impl Display) -> AppError {
    AppError::http(404, format!("there is no {} {named}. {}", thing.word(), thing.next_step()))
}

/// Names what an operation did not find.
pub(super) trait OrNo: Sized {
    fn or_no(self, thing: Thing, named: impl Display) -> Self;
}

impl<T> OrNo for Result<T, AppError> {
    fn or_no(self, thing: Thing, named: impl Display) -> Self {
        self.map_err(|error| if error == AppError::NotFound { missing(thing, named) } else { error })
    }
}
