//! Sign-in with others (OpenID Connect Core 1.0, the code flow), at the providers of the config file.
//!
//! `flow` binds a sign-in to the browser that began it, `talk` speaks with the provider, `finishing` ends what comes back. Who somebody is
//! there is the pair of issuer and subject (`linking`); an address links nothing by itself, unless the operator trusts the provider to
//! have proven it (`signing`). Whoever comes in this way passes the same door as everybody (`entry`, R28).

mod arriving;
mod finishing;
mod flow;
mod linking;
mod signing;
mod talk;
mod told;

pub use arriving::{arrive, leave};
pub use finishing::{Answer, Back, Finished, finish};
pub use flow::{begin, begin_link, begin_proof, onward};
pub use linking::{Offer, confirm_link, is_linked, linked, linked_of, pending_link, unlink};
pub use talk::Providers;
pub use told::{SendSignInTold, Told};

use super::store::linked as store;
use crate::{
    accounts::model::ProviderButton,
    error::AppError,
    platform::{Ctx, config::Provider},
    values::{AccountId, Slug},
};

/// The path to which a provider sends the browser back.
pub fn callback(slug: &Slug) -> String {
    format!("/sign-in/with/{slug}/callback")
}

/// All providers, in the operator's order; those that let new people in alone, if `for_sign_up`.
pub fn offered(ctx: &Ctx, for_sign_up: bool) -> Vec<ProviderButton> {
    ctx.config.sign_in.providers.iter().filter(|one| one.allow_sign_up || !for_sign_up).map(button).collect()
}

/// Those at which an account has a sign-in.
pub async fn linked_providers(ctx: &Ctx, account: AccountId) -> Result<Vec<ProviderButton>, AppError> {
    let links = store::list_links(&ctx.db, account).await?;
    Ok(ctx.config.sign_in.providers.iter().filter(|one| links.iter().any(|link| link.issuer == one.issuer)).map(button).collect())
}

fn button(provider: &Provider) -> ProviderButton {
    ProviderButton { slug: provider.slug.clone(), name: provider.name.clone() }
}

fn named<'a>(ctx: &'a Ctx, slug: &str) -> Result<&'a Provider, AppError> {
    ctx.config.sign_in.providers.iter().find(|one| one.slug.as_str() == slug).ok_or(AppError::NotFound)
}
