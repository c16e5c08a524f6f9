//! Who began a sign-up. Proving an address tells only who reads its mails; somebody else may have signed up with it before, with a password,
//! a passkey or a sign-in elsewhere of theirs. So the browser that signs up holds the id of that sign-up, sealed: whoever proves the address
//! with it, or with the password of the sign-up, keeps what was set up by it. Of anybody else's proof nothing of that stays (`verifying`).

use super::{
    links,
    passwords::{Passwords, Verdict},
    store::accounts::{self as store, Account},
};
use crate::{
    error::AppError,
    platform::{Ctx, http::reply},
    values::Email,
};
use secrecy::SecretString;
use uuid::Uuid;

/// What shows that whoever proves an address also signed up with it.
#[derive(Debug, Default)]
pub struct Beginner {
    /// What their browser holds of the sign-up.
    pub mark: Option<String>,
    /// The password that was chosen at sign-up.
    pub password: Option<SecretString>,
}

/// For so long a browser remembers that it signed up.
const SECONDS: i64 = 7 * 24 * 3600;

/// Inside a server function: this browser began this sign-up. Set for known addresses, too, by a sign-up that there is not (R15).
pub(super) fn remember(ctx: &Ctx, sign_up: Uuid) {
    reply::seal(ctx, links::SIGNED_UP, &sign_up.to_string(), SECONDS);
}

/// The same for who just proved the password, the passkey or the sign-in elsewhere of an account whose address is yet to be proven.
pub(super) async fn remember_who_came_in(ctx: &Ctx, email: &Email) -> Result<(), AppError> {
    let Some(account) = store::find_by_email(&ctx.db, &email.key()).await? else { return Ok(()) };
    if let Some(sign_up) = store::find_sign_up(&ctx.db, account.id).await? {
        remember(ctx, sign_up);
    }
    Ok(())
}

impl Beginner {
    /// What this browser holds, inside a server function.
    pub fn here(ctx: &Ctx) -> Self {
        Self { mark: reply::sealed(ctx, links::SIGNED_UP), password: None }
    }

    /// Refuses a wrong password. Nothing is used up by that.
    pub(super) async fn must_know(&self, ctx: &Ctx, account: &Account) -> Result<(), AppError> {
        let Some(typed) = &self.password else { return Ok(()) };
        match Passwords::of(ctx)?.verify(account.password_hash.as_deref(), typed).await? {
            Verdict::Right | Verdict::RightButOld => Ok(()),
            Verdict::Wrong => Err(AppError::invalid("password", "This is not the password you chose at sign-up. Leave it out, and choose a new one.")),
        }
    }

    /// True if they began the newest sign-up of this account. A password that they sent must have been right (`must_know`).
    pub(super) fn began(&self, sign_up: Option<Uuid>) -> bool {
        self.password.is_some() || (sign_up.is_some() && self.mark.as_deref().and_then(|mark| mark.parse().ok()) == sign_up)
    }
}
