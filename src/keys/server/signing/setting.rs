//! Turning signed requests of a key on and off. A new public key or secret takes the place of the old one at once; both ways the
//! answer comes when every live node asks for it.

use super::signer::{Signer, public_key};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Act, Algorithm, Signing},
        server::{
            apis,
            change::{self, Changed, Done},
            detail::find_key,
            proof, secret,
            store::signings::{self, NewRow},
        },
    },
    platform::{
        Ctx,
        crypto::{Rng, Vault},
    },
    values::KeyId,
};

/// What signatures will be checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewSigning {
    /// A public key: 32 bytes in base64, PEM or JWK.
    Ed25519(String),
    /// A new secret. The same page token brings the same secret again, so that a form may be sent twice.
    HmacSha256 { once: Option<String> },
}

/// How calls must be signed from now on. Not serialisable on purpose.
#[derive(Debug, Clone)]
pub struct SigningSet {
    pub changed: Changed,
    pub signing: Signing,
    /// The only time that it is told.
    pub secret: Option<String>,
}

/// What signing secrets are sealed for.
pub const SEALED: &str = "signing secret";

/// The secret as the table holds it: bound to its key, so that no other key can be given it.
fn sealed(vault: &Vault, rng: &Rng, key: KeyId, secret: &str) -> Result<Vec<u8>, AppError> {
    vault.seal(rng, SEALED, key.uuid().as_bytes(), secret.as_bytes()).map_err(AppError::internal)
}

/// What the table holds, ready to check signatures. A secret that does not open checks none.
pub fn signer(vault: &Vault, key: KeyId, public_key: Option<&[u8]>, sealed: Option<&[u8]>, fingerprint: &[u8]) -> Signer {
    let secret = || String::from_utf8(vault.open(SEALED, key.uuid().as_bytes(), sealed?)?).ok();
    match public_key.and_then(|bytes| bytes.try_into().ok()) {
        Some(public_key) => Signer::ed25519(public_key),
        None => secret().map_or_else(|| Signer::sealed(fingerprint.try_into().unwrap_or_default()), Signer::hmac_sha256),
    }
}

/// How calls of a key must be signed; none: they need not.
pub async fn find_signing(ctx: &Ctx, caller: &Caller, id: KeyId) -> Result<Option<Signing>, AppError> {
    find_key(ctx, caller, id).await?;
    Ok(signings::find_signing(&ctx.db, id).await?.map(|row| row.signing()))
}

/// From now on every call must be signed.
pub async fn turn_on_signing(ctx: &Ctx, caller: &Caller, id: KeyId, new: NewSigning) -> Result<SigningSet, AppError> {
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    change::must_live(&key)?;
    let api = apis::api_for_key(ctx, Some(key.api.as_str())).await?;
    // What the same page brought under an older master key.
    let mut earlier = Vec::new();
    let (signer, public_key, secret) = match new {
        NewSigning::Ed25519(text) => {
            let public_key = public_key(&text).map_err(|words| AppError::invalid("public_key", words))?;
            (Signer::ed25519(public_key), Some(public_key), None)
        }
        NewSigning::HmacSha256 { once } => {
            let secret = match once {
                Some(token) => {
                    let words: [&str; 3] = ["signing", &id.to_string(), &token];
                    earlier = secret::derive_each(&ctx.vault, &words, &api.key_prefix, "sig");
                    secret::derive(&ctx.vault, &words, &api.key_prefix, "sig")
                }
                None => secret::mint(&ctx.rng, &api.key_prefix, "sig"),
            };
            (Signer::hmac_sha256(secret.clone()), None, Some(secret))
        }
    };
    let before = signings::find_signing(&mut *tx, id).await?;
    if let Some(before) = before.as_ref().filter(|row| row.fingerprint == signer.fingerprint) {
        return Ok(SigningSet { signing: before.signing(), changed: change::unchanged(ctx, tx, key).await?, secret });
    }
    let sent_before = |row: &signings::SigningRow| earlier.into_iter().find(|secret| row.fingerprint == Signer::hmac_sha256(secret.clone()).fingerprint);
    if let Some(row) = &before
        && let Some(secret) = sent_before(row)
    {
        return Ok(SigningSet { signing: row.signing(), changed: change::unchanged(ctx, tx, key).await?, secret: Some(secret) });
    }
    proof::to_take_from(ctx, caller, &key).await?;
    if before.is_some() {
        // Whoever had the secret of the key alone could call by it from now on.
        proof::to_widen(ctx, caller, &key, &key.effective).await?;
    }
    let sealed_secret = secret.as_deref().map(|secret| sealed(&ctx.vault, &ctx.rng, id, secret)).transpose()?;
    let row = NewRow {
        algorithm: signer.algorithm(),
        public_key: public_key.as_ref().map(|key| &key[..]),
        sealed_secret: sealed_secret.as_deref(),
        fingerprint: &signer.fingerprint,
    };
    let now = ctx.clock.now();
    signings::put_signing(&mut tx, id, &row, now).await?;
    let signing = Signing { algorithm: signer.algorithm(), fingerprint: hex(&signer.fingerprint), since: now };
    let data = serde_json::json!({ "algorithm": signing.algorithm, "fingerprint": signing.fingerprint });
    let detail = format!("{}, {}", signing.algorithm.as_str(), &signing.fingerprint[..16]);
    change::note(ctx, &mut tx, caller, &key, Done { data, ..Done::new(Act::Signed, detail) }).await?;
    Ok(SigningSet { changed: change::close(ctx, tx, id).await?, signing, secret })
}

/// Calls need no signature any more.
pub async fn turn_off_signing(ctx: &Ctx, caller: &Caller, id: KeyId) -> Result<Changed, AppError> {
    let (mut tx, key) = change::open(ctx, caller, id).await?;
    change::must_live(&key)?;
    if signings::find_signing(&mut *tx, id).await?.is_some() {
        proof::to_take_from(ctx, caller, &key).await?;
        proof::to_widen(ctx, caller, &key, &key.effective).await?;
    }
    if !signings::delete_signing(&mut tx, id).await? {
        return change::unchanged(ctx, tx, key).await;
    }
    let data = serde_json::json!({ "algorithm": null });
    change::note(ctx, &mut tx, caller, &key, Done { data, ..Done::new(Act::Signed, "off") }).await?;
    change::close(ctx, tx, id).await
}

impl signings::SigningRow {
    fn signing(&self) -> Signing {
        Signing { algorithm: Algorithm::parse(&self.algorithm).unwrap_or(Algorithm::HmacSha256), fingerprint: hex(&self.fingerprint), since: self.created_at }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
