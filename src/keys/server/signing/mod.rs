//! Signed requests: HTTP Message Signatures (RFC 9421) by ed25519 or HMAC-SHA-256, for keys that ask for them.
//!
//! A call that carries a signature is checked before the gate decides (`prove`): the signature itself in memory, then its nonce in the
//! database, since it counts once on all nodes together; a node that is alone goes on without it (`alone`). Only a right signature of a call that is not refused anyway, limits aside,
//! takes its nonce, and a call without a signature costs nothing here. What was proved is a fact of the question; whether the key asks
//! for it is the last of the gate's checks.

mod alone;
mod base;
mod building;
mod fault;
mod fields;
mod message;
mod nonces;
mod setting;
mod signer;
mod verify;

pub use alone::{LeftNoncesError, Used, write_left_nonces};
pub use base::Message;
pub use building::build_signed_call;
pub use fault::Fault;
pub use message::{field_of, hint, is_writing, may_have_body, own_message};
pub use nonces::{Nonces, forget_nonces};

pub use setting::{NewSigning, SEALED, SigningSet, find_signing, signer, turn_off_signing, turn_on_signing};
pub use signer::{Signer, public_key};

use super::gate::{Gate, Question};
use crate::{error::AppError, platform::Ctx};

/// What is known of the signature of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proof {
    #[default]
    Absent,
    /// It is right and new; by the signer with this fingerprint.
    Holds([u8; 32]),
    Broken(Fault),
    /// A trial takes it for granted.
    Assumed,
}

/// Checks the signature of a call, if it carries one and its key asks for it, and takes its nonce. 503 if nobody can say whether the nonce
/// is new.
pub async fn prove(ctx: &Ctx, gate: &Gate, question: &Question<'_>, message: &Message<'_>) -> Result<Proof, AppError> {
    if (message.field)("signature-input").is_none() {
        return Ok(Proof::Absent);
    }
    let Some((key, signer)) = gate.signer(question) else { return Ok(Proof::Absent) };
    match verify::verify(&signer, &key.to_string(), message, ctx.clock.now().unix_timestamp()) {
        Err(fault) => Ok(Proof::Broken(fault)),
        Ok((nonce, created)) => {
            let is_first = gate.nonces().take(ctx, key, nonce, created).await?;
            // That took its time: what is decided now is decided on what is known now.
            gate.contact().check().await?;
            Ok(if is_first { Proof::Holds(signer.fingerprint) } else { Proof::Broken(Fault::Replayed) })
        }
    }
}
