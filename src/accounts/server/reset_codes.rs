//! The code beside the link of a mail that sets a password (R53): for who reads the mail on another device than the one that asked for it.
//!
//! It works only where the mail was asked for: that browser holds, sealed, which request was its (R35), a program gets it as `flow`. Tries
//! are counted as attempts, not beside the code: an unknown address has no code, and a wrong try of it must cost the same (R15). A right
//! code answers what the link holds, so all that follows is the link's way.

use super::{
    Visitor,
    attempts::{self, Attempt},
    tokens,
};
use crate::{error::AppError, platform::Ctx, values::Email};
use uuid::Uuid;

/// A mail that was asked for, whatever is behind the address.
#[derive(Debug, Clone)]
pub struct Asked {
    pub email: Email,
    /// The event of the request; of an unknown address an id that nothing has.
    pub flow: Uuid,
}

/// What is said for every wrong code, as of the code that proves an address.
const WRONG_CODE: &str = "This code is wrong or expired. It works for ten minutes and five tries. Check the newest email, or ask for a new one.";
const ASK_FIRST: &str = "Codes only work in the browser that asked for the email. Open the link in the email, or ask for a new one here.";

impl Asked {
    /// For the sealed cookie of the browser that asked.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{} {}", self.flow, self.email.as_str())
    }

    /// What a browser holds of it.
    pub fn from_text(text: &str) -> Result<Self, AppError> {
        let parts = text.split_once(' ').and_then(|(flow, email)| Some((flow.parse::<Uuid>().ok()?, email.parse::<Email>().ok()?)));
        let (flow, email) = parts.ok_or_else(|| AppError::invalid("code", ASK_FIRST))?;
        Ok(Self { email, flow })
    }

    /// What a program sends of it.
    pub fn of(flow: &str, email: &str) -> Result<Self, AppError> {
        let email: Email = email.parse().map_err(|e| AppError::invalid("email", e))?;
        let flow = flow.parse::<Uuid>().map_err(|_| AppError::invalid("flow", "Send the flow that the answer to the request for a mail had."))?;
        Ok(Self { email, flow })
    }
}

/// The token of the link whose code was typed. Changes nothing but the count of tries, which a right code does not raise.
pub async fn token_of_reset_code(ctx: &Ctx, from: &Visitor, asked: &Asked, code: &str) -> Result<String, AppError> {
    let network = Attempt::charge(ctx, &attempts::PROOF_FROM, &attempts::network(from.address)).await?;
    let wrong = || AppError::invalid("code", WRONG_CODE);
    let of_mail = Attempt::charge(ctx, &attempts::RESET_CODE, &asked.flow.to_string()).await;
    if matches!(of_mail, Err(AppError::RateLimited { .. })) {
        return Err(wrong());
    }
    let of_mail = of_mail?;
    let of_address = Attempt::charge(ctx, &attempts::RESET_CODES, &asked.email.key()).await?;
    let token = tokens::token_of_reset_code(ctx, asked.flow, &asked.email.key(), code).await?.ok_or_else(wrong)?;
    network.refund(ctx).await?;
    of_mail.refund(ctx).await?;
    of_address.forgive(ctx).await?;
    Ok(token)
}
