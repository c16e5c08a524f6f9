//! What is said to a provider and what is believed of its answers. Tokens and key sets are read and verified by `openidconnect`, over our
//! own HTTP client (`platform::fetch`); what it leaves to its caller is checked here: the clock, the algorithms, `azp`, the issuer in the
//! answer (RFC 9207), and where its documents may send anybody.
//!
//! A provider is asked for what it is when somebody first comes by it, never at start, and again after an hour, or when a token is signed by
//! a key that it did not have then.

use super::{callback, flow::Flow};
use crate::{
    error::AppError,
    platform::{
        Ctx,
        config::Provider,
        fetch::{fetch, is_allowed},
    },
    values::{Email, Slug},
};
use chrono::{DateTime, Utc};
use openidconnect::{
    AdditionalProviderMetadata, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadata, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, TokenResponse as _,
    core::{
        CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreIdTokenClaims,
        CoreIdTokenVerifier, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode,
        CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse, CoreUserInfoClaims,
    },
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};
use time::{Duration, OffsetDateTime};
use url::Url;

/// How long what a provider says of itself is believed.
const FRESH: Duration = Duration::hours(1);
/// Unknown keys make us ask again, but not more often than this.
const RENEWED_EVERY: Duration = Duration::seconds(30);
/// How far a provider's clock may be ahead of ours.
const AHEAD: Duration = Duration::minutes(5);
/// OpenID Connect Core 1.0 §2.
const SUBJECT_BYTES: usize = 255;

/// Signatures by a private key only: whoever could read our client secret could make those by a shared one, and `none` is none.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What RFC 9207 adds to a provider's metadata.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Extra {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What a provider said of itself, its keys included.
struct Known {
    metadata: Metadata,
    at: OffsetDateTime,
}

/// What the providers said of themselves; start-up hangs it on the context with `Ctx::with`.
#[derive(Default)]
pub struct Providers(Mutex<HashMap<Slug, Arc<Known>>>);

/// Who somebody is at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
    pub email: Option<Email>,
    /// The provider says that it proved the address.
    pub is_verified: bool,
    pub name: Option<String>,
    /// When they last typed something there, in seconds since 1970, if it was asked for and told.
    pub auth_time: Option<i64>,
}

/// The address that begins a flow at the provider (OpenID Connect Core 1.0 §3.1.2.1, RFC 7636 §4.3).
pub async fn authorization(ctx: &Ctx, provider: &Provider, flow: &Flow) -> Result<Url, AppError> {
    let known = known(ctx, provider).await?;
    let client = client(ctx, provider, &known)?;
    let (state, nonce) = (flow.state.clone(), flow.nonce.clone());
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(flow.verifier.clone()));
    let request = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || CsrfToken::new(state), move || Nonce::new(nonce))
        .add_scopes(provider.scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(challenge);
    // A proof is no proof if the provider remembers somebody who left.
    let request = if flow.is_proof() { request.set_max_age(std::time::Duration::ZERO) } else { request };
    Ok(request.url().0)
}

/// Refuses an answer that names another provider, or none where this one always names itself (RFC 9207 §2.4).
pub async fn check_issuer(ctx: &Ctx, provider: &Provider, named: Option<&str>) -> Result<(), AppError> {
    let always = known(ctx, provider).await?.metadata.additional_metadata().authorization_response_iss_parameter_supported;
    match named {
        Some(issuer) if issuer == provider.issuer => Ok(()),
        None if !always => Ok(()),
        other => Err(distrusted(provider, &format!("the answer names the issuer {other:?}"))),
    }
}

/// Who came back with this code: the tokens that it is exchanged for say so (OpenID Connect Core 1.0 §3.1.3).
pub async fn identify(ctx: &Ctx, provider: &Provider, flow: &Flow, code: String) -> Result<Identity, AppError> {
    let known = known(ctx, provider).await?;
    let client = client(ctx, provider, &known)?;
    let http = |request: HttpRequest| fetch(request, provider.reach());
    let request = client.exchange_code(AuthorizationCode::new(code)).map_err(|error| distrusted(provider, &told(&error)))?;
    let answer = request.set_pkce_verifier(PkceCodeVerifier::new(flow.verifier.clone())).request_async(&http).await;
    let answer: CoreTokenResponse = answer.map_err(|error| match error {
        RequestTokenError::Request(_) => away(provider, &told(&error)),
        _ => distrusted(provider, &told(&error)),
    })?;
    let claims = verified(ctx, provider, flow, &answer, known).await?;
    let mut identity = identity(provider, &claims)?;
    if identity.email.is_none() && client.user_info_url().is_some() {
        let asked = client.user_info(answer.access_token().clone(), Some(claims.subject().clone())).map_err(|error| distrusted(provider, &told(&error)))?;
        let more: CoreUserInfoClaims = asked.request_async(&http).await.map_err(|error| distrusted(provider, &told(&error)))?;
        identity.email = more.email().and_then(|email| Email::anew(email.as_str()).ok());
        identity.is_verified = more.email_verified().unwrap_or(false);
        identity.name = identity.name.or_else(|| more.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned()));
    }
    Ok(identity)
}

/// The claims of the ID token, if every check holds (OpenID Connect Core 1.0 §3.1.3.7).
async fn verified(ctx: &Ctx, provider: &Provider, flow: &Flow, answer: &CoreTokenResponse, known: Arc<Known>) -> Result<CoreIdTokenClaims, AppError> {
    let token = answer.id_token().ok_or_else(|| distrusted(provider, "there is no ID token"))?;
    let nonce = Nonce::new(flow.nonce.clone());
    let first = token.claims(&verifier(ctx, provider, &known), &nonce).cloned();
    let claims = match first {
        Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
            let known = renewed(ctx, provider, &known).await?;
            token.claims(&verifier(ctx, provider, &known), &nonce).cloned()
        }
        first => first,
    };
    let claims = claims.map_err(|error| distrusted(provider, &told(&error)))?;
    if claims.authorized_party().is_some_and(|party| party.as_str() != provider.client_id) {
        return Err(distrusted(provider, "the ID token was given to another client (azp)"));
    }
    Ok(claims)
}

fn identity(provider: &Provider, claims: &CoreIdTokenClaims) -> Result<Identity, AppError> {
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > SUBJECT_BYTES {
        return Err(distrusted(provider, "the subject is empty or too long"));
    }
    Ok(Identity {
        issuer: provider.issuer.clone(),
        subject: subject.to_owned(),
        email: claims.email().and_then(|email| Email::anew(email.as_str()).ok()),
        is_verified: claims.email_verified().unwrap_or(false),
        name: claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned()),
        auth_time: claims.auth_time().map(|at| at.timestamp()),
    })
}

/// Issuer, audience (ours and no other), signature, expiry by our clock, and that it was not issued in the future.
fn verifier(ctx: &Ctx, provider: &Provider, known: &Known) -> CoreIdTokenVerifier<'static> {
    let (clock, latest) = (ctx.clock.clone(), instant(ctx.clock.now() + AHEAD));
    CoreIdTokenVerifier::new_public_client(ClientId::new(provider.client_id.clone()), known.metadata.issuer().clone(), known.metadata.jwks().clone())
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || instant(clock.now()))
        .set_issue_time_verifier_fn(move |at| if at <= latest { Ok(()) } else { Err(format!("it was issued in the future: {at}")) })
}

/// What cannot be said is far in the future: everything has expired by then.
fn instant(at: OffsetDateTime) -> DateTime<Utc> {
    DateTime::from_timestamp(at.unix_timestamp(), at.nanosecond()).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn client(ctx: &Ctx, provider: &Provider, known: &Known) -> Result<Client, AppError> {
    let metadata = known.metadata.clone();
    let secret = provider.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
    // Without a word of it: basic (OpenID Connect Discovery 1.0 §3).
    let takes_basic = metadata.token_endpoint_auth_methods_supported().is_none_or(|ways| ways.contains(&CoreClientAuthMethod::ClientSecretBasic));
    let back = RedirectUrl::new(ctx.config.link(&callback(&provider.slug))).map_err(AppError::internal)?;
    Ok(CoreClient::from_provider_metadata(metadata, ClientId::new(provider.client_id.clone()), secret)
        .set_auth_type(if takes_basic { AuthType::BasicAuth } else { AuthType::RequestBody })
        .set_redirect_uri(back))
}

async fn known(ctx: &Ctx, provider: &Provider) -> Result<Arc<Known>, AppError> {
    match Providers::of(ctx)?.kept(&provider.slug).filter(|known| ctx.clock.now() - known.at < FRESH) {
        Some(known) => Ok(known),
        None => discover(ctx, provider).await,
    }
}

/// Asks again, unless somebody did so just now.
async fn renewed(ctx: &Ctx, provider: &Provider, old: &Known) -> Result<Arc<Known>, AppError> {
    let kept = Providers::of(ctx)?.kept(&provider.slug).filter(|kept| kept.at > old.at);
    match kept {
        Some(newer) => Ok(newer),
        None if ctx.clock.now() - old.at < RENEWED_EVERY => Err(distrusted(provider, "the ID token is signed by a key that is not published")),
        None => discover(ctx, provider).await,
    }
}

/// Reads what the provider says of itself (OpenID Connect Discovery 1.0 §4), and its keys.
async fn discover(ctx: &Ctx, provider: &Provider) -> Result<Arc<Known>, AppError> {
    let http = |request: HttpRequest| fetch(request, provider.reach());
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(AppError::internal)?;
    let metadata = Metadata::discover_async(issuer, &http).await.map_err(|error| away(provider, &told(&error)))?;
    let token = metadata.token_endpoint().map(|token| token.url()).ok_or_else(|| distrusted(provider, "it has no token endpoint"))?;
    for address in [metadata.authorization_endpoint().url(), token] {
        if !is_allowed(address, provider.reach()) {
            return Err(distrusted(provider, &format!("it would send us to {address}")));
        }
    }
    let known = Arc::new(Known { metadata, at: ctx.clock.now() });
    Providers::of(ctx)?.keep(&provider.slug, &known);
    Ok(known)
}

impl Providers {
    fn of(ctx: &Ctx) -> Result<Arc<Self>, AppError> {
        ctx.part::<Self>().ok_or_else(|| AppError::internal("start-up did not add Providers to the context"))
    }

    fn kept(&self, slug: &Slug) -> Option<Arc<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(slug).cloned()
    }

    fn keep(&self, slug: &Slug, known: &Arc<Known>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(slug.clone(), Arc::clone(known));
    }
}

/// The provider can't be asked.
fn away(provider: &Provider, why: &str) -> AppError {
    tracing::warn!(provider = %provider.slug, "the provider can't be asked: {why}");
    AppError::conflict(format!("{} can't be reached right now. Try again in a moment, or sign in in another way.", provider.name))
}

/// The provider, or somebody in its name, said something that is not believed.
pub(super) fn distrusted(provider: &Provider, why: &str) -> AppError {
    tracing::warn!(provider = %provider.slug, "the provider's answer is not believed: {why}");
    AppError::refused(format!("What came back from {} can't be trusted, so nothing was done. Begin again.", provider.name))
}

/// An error with its causes; no token stands in them.
fn told(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        words.push_str(&format!(": {next}"));
        cause = next.source();
    }
    words
}
