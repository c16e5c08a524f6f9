//! Who may report leaked keys: public keys in the shape that GitHub publishes them. All that are listed count, so that a rotation on
//! their side needs no minute of ours; a list that is set takes the place of the one before, and what it left out counts no more.

use crate::{
    accounts::Caller,
    activity::server::{Change, record},
    error::{AppError, Fields},
    keys::server::store::leaks::{self as store, SignerRow},
    platform::{Ctx, signature::P256Key},
    values::permission_names as may,
};
use serde::Deserialize;
use serde_json::json;

/// The most keys of one list.
const MOST: usize = 50;

/// The shape of `https://api.github.com/meta/public_keys/secret_scanning`. Fields that we don't know are no harm: it is their document.
#[derive(Deserialize)]
struct Document {
    public_keys: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    key_identifier: String,
    key: String,
    #[serde(default)]
    is_current: bool,
}

/// Sets who may report, and answers how many keys that are; an empty text: nobody. Safe to send twice.
pub async fn set_signers(ctx: &Ctx, caller: &Caller, document: &str) -> Result<usize, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    let mut signers = if document.trim().is_empty() { Vec::new() } else { read(document)? };
    signers.sort_by(|a, b| a.identifier.cmp(&b.identifier));
    let mut tx = ctx.db.begin().await?;
    let mut before = store::list_signers(&mut *tx).await?;
    before.sort_by(|a, b| a.identifier.cmp(&b.identifier));
    if before == signers {
        return Ok(signers.len());
    }
    store::replace_signers(&mut tx, &signers, ctx.clock.now()).await?;
    let identifiers: Vec<&str> = signers.iter().map(|s| s.identifier.as_str()).collect();
    let change = Change {
        kind: "leaks.signers_changed",
        actor: caller.actor(),
        actor_name: &caller.name,
        data: json!({ "identifiers": identifiers }),
        ..Change::default()
    };
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    Ok(signers.len())
}

fn read(document: &str) -> Result<Vec<SignerRow>, AppError> {
    let Document { public_keys } = serde_json::from_str(document)
        .map_err(|error| AppError::invalid("", format!("This is no list of public keys as GitHub publishes it ({{\"public_keys\": […]}}): {error}.")))?;
    let mut fields = Fields::default();
    if !(1..=MOST).contains(&public_keys.len()) {
        fields.add("public_keys", "A list has 1 to 50 public keys.");
    }
    let mut signers: Vec<SignerRow> = Vec::with_capacity(public_keys.len());
    for (i, Listed { key_identifier: identifier, key, is_current }) in public_keys.into_iter().enumerate() {
        if !(1..=200).contains(&identifier.len()) || !identifier.bytes().all(|b| b.is_ascii_graphic()) || signers.iter().any(|s| s.identifier == identifier) {
            fields.add(&format!("public_keys.{i}.key_identifier"), "An identifier has 1 to 200 visible ASCII characters, and stands for one key.");
        }
        match P256Key::from_pem(&key) {
            Some(key) => signers.push(SignerRow { identifier, public_key: key.to_pem(), is_current }),
            None => fields.add(&format!("public_keys.{i}.key"), "This is no public key of the curve P-256 in PEM."),
        }
    }
    fields.done()?;
    Ok(signers)
}

/// Who may report: each identifier, and whether its key is the one that signs at present.
pub async fn list_signers(ctx: &Ctx, caller: &Caller) -> Result<Vec<(String, bool)>, AppError> {
    caller.require(&may::KEYS_MANAGE)?;
    Ok(store::list_signers(&ctx.db).await?.into_iter().map(|s| (s.identifier, s.is_current)).collect())
}

/// What a report's signature is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    Valid,
    /// Missing, by an unknown key, or of other bytes.
    Wrong,
    /// Nobody may report.
    NobodyAsked,
}

/// Whether one of the signers signed exactly these bytes.
pub async fn check_signature(ctx: &Ctx, identifier: Option<&str>, signature: Option<&str>, body: &[u8]) -> Result<Signature, AppError> {
    let signers = store::list_signers(&ctx.db).await?;
    if signers.is_empty() {
        return Ok(Signature::NobodyAsked);
    }
    let (Some(identifier), Some(signature)) = (identifier, signature) else { return Ok(Signature::Wrong) };
    let key = signers.iter().find(|s| s.identifier == identifier).and_then(|s| P256Key::from_pem(&s.public_key));
    Ok(if key.is_some_and(|key| key.has_signed(body, signature)) { Signature::Valid } else { Signature::Wrong })
}
