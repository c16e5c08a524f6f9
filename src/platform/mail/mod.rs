//! Mails: a kind of mail is a `Letter`, with its words in every language; what it says to a `Reader` is a `Mail`, rendered as text and
//! HTML; a `Mailer` sends it by SMTP, or keeps it as a file or in memory.
//!
//! Mails are sent by jobs: a request never waits for a mail server (R56), and a mail server that is away loses nothing. A job runs at
//! least once, so a mail may come twice; each try carries the same Message-ID.

mod letter;
mod message;
mod outgoing;
mod reader;
mod render;
mod sample;
mod sent;
mod transport;

pub use letter::{Kind, Letter};
pub use message::{Block, Mail};
pub use reader::Reader;
pub use render::{Rendered, harmless, render};
pub use sample::{Nature, Sample};
pub use sent::{SentLink, SentMail};
pub use transport::{Mailer, MailerError, send};
