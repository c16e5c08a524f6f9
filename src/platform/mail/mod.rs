//! Mails: a `Mail` is written once and rendered as text and HTML; a `Mailer` sends it by SMTP, or keeps it as a file or in memory.
//!
//! Mails are sent by jobs: a request never waits for a mail server (R56), and a mail server that is away loses nothing.

mod message;
mod outgoing;
mod render;
mod sent;
mod transport;

pub use message::{Block, Mail};
pub use sent::{SentLink, SentMail};
pub use transport::{Mailer, MailerError, send};
