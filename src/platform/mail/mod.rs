//! Mails: a `Mail` is written once and rendered as text and HTML; a `Mailer` sends it by SMTP, or keeps it as a file or in memory.

mod message;
mod transport;

pub use message::{Block, Mail};
pub use transport::{Mailer, SentMail, send};
