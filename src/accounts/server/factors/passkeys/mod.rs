//! Passkeys (WebAuthn, W3C Level 3): a key pair in an authenticator, whose public half is kept here. A browser is asked a question
//! (`asking`), its authenticator makes a passkey (`adding`, `signing_up`) or proves that it has one (`asserting`), and that signs in
//! (`signing_in`), gives the second factor (`pending`) or proves again who sits there (`step_up`).
//!
//! User verification (a fingerprint, a face, a PIN) is always required, so a passkey alone is two factors: something one has, opened by
//! something one is or knows. Once an account has one, its password alone does not sign in any more.

mod adding;
mod asking;
mod asserting;
mod keeping;
mod makes;
mod signing_in;
mod signing_up;

pub use adding::{add_passkey, new_passkey, start_passkey};
pub use asking::{ask_passkey, browser_of};
pub use keeping::{list_passkeys, remove_passkey, rename_passkey};
pub use signing_in::sign_in_with_passkey;
pub use signing_up::ask_passkey_of_sign_up;

pub(super) use asserting::{Asserted, asserted, mark_used};
pub(in crate::accounts::server) use signing_up::{FirstPasskey, checked_passkey, insert_first};

use crate::{error::AppError, platform::Ctx};
use webauthn_rs::prelude::{Webauthn, WebauthnBuilder};

/// How authenticators name this site.
const SITE: &str = "Tollgate";
/// So many an account can have.
const MOST: i64 = 20;

/// What a question is asked for; its answer is good for nothing else (R36).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    SignIn,
    SecondFactor,
    StepUp,
    Add,
    SignUp,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SecondFactor => "second_factor",
            Self::StepUp => "step_up",
            Self::Add => "add",
            Self::SignUp => "sign_up",
        }
    }
}

/// Whether browsers use passkeys here at all: they do on https and on localhost, and only for a site that has a name.
pub fn are_passkeys_possible(ctx: &Ctx) -> bool {
    let name = ctx.config.server.public_url.domain();
    name.is_some_and(|name| ctx.config.secure_cookies() || name == "localhost")
}

/// This site as authenticators know it: passkeys are bound to its name and good on its one origin only (R37).
fn relying_party(ctx: &Ctx) -> Result<Webauthn, AppError> {
    let url = &ctx.config.server.public_url;
    let name = url.domain().ok_or_else(|| AppError::conflict("Passkeys need a site with a name. This one has an address only."))?;
    let built = WebauthnBuilder::new(name, url).and_then(|site| site.rp_name(SITE).timeout(asking::LASTS.unsigned_abs()).build());
    built.map_err(AppError::internal)
}
