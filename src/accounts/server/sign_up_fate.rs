//! Where a sign-up leads. It costs the same wherever that is (R15, R16): what is written for an address that is free is written for any other
//! one, too, under an address that nobody has, and is undone before the transaction ends.

use super::{
    Visitor,
    jobs::SendVerification,
    mail_asked::{Wish, ask},
    store::accounts::find_by_email,
};
use crate::{
    error::AppError,
    platform::{Ctx, jobs},
    values::{AccountId, Email, EventId},
};
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

/// What becomes of a sign-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// An account: the address was free, or nobody had proven it.
    Account,
    /// Nothing but a mail to the owner of the address.
    Mail(AccountId),
    /// Nothing at all.
    Nothing,
}

impl Fate {
    /// `comes_to_nothing`: whoever has the address.
    pub async fn of(conn: &mut PgConnection, email: &Email, comes_to_nothing: bool) -> sqlx::Result<Self> {
        let owner = find_by_email(conn, &email.key()).await?.filter(|account| account.is_verified);
        Ok(match owner {
            _ if comes_to_nothing => Self::Nothing,
            Some(owner) => Self::Mail(owner.id),
            None => Self::Account,
        })
    }

    /// The address that the account is written with: the one that was typed, or one that nobody has.
    pub fn address(self, ctx: &Ctx, email: &Email) -> Result<Email, AppError> {
        match self {
            Self::Account => Ok(email.clone()),
            Self::Mail(_) | Self::Nothing => format!("{}@nobody.invalid", ctx.new_id::<Uuid>().simple()).parse().map_err(AppError::internal),
        }
    }

    /// Keeps what was written since the savepoint, or undoes it.
    pub async fn keep(self, written: Transaction<'_, Postgres>) -> sqlx::Result<()> {
        match self {
            Self::Account => written.commit().await,
            Self::Mail(_) | Self::Nothing => written.rollback().await,
        }
    }

    /// The one job. `account` and `cause` are what was written for the sign-up, `wish` is what its owner is told.
    pub async fn tell(self, ctx: &Ctx, conn: &mut PgConnection, from: &Visitor, account: AccountId, cause: EventId, wish: Wish) -> sqlx::Result<()> {
        match self {
            Self::Account => {
                jobs::enqueue(ctx, conn, &SendVerification { account, cause }).await?;
            }
            Self::Mail(owner) => {
                ask(ctx, conn, from, wish, Some(owner)).await?;
            }
            Self::Nothing => {
                ask(ctx, conn, from, wish, None).await?;
            }
        }
        Ok(())
    }
}
