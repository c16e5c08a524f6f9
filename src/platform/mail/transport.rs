//! Where mails go: SMTP, files in the data folder (development), or memory (tests).

/// Sends mails. Cheap to clone.
#[derive(Clone, Default)]
pub struct Mailer {}

/// A mail that was kept instead of sent.
#[derive(Debug, Clone)]
pub struct SentMail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}
