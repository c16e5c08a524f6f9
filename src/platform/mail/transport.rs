//! Where mails go: SMTP, files in the data folder (without SMTP), or memory (tests).

use super::{
    Mail, SentMail,
    outgoing::{Outgoing, outgoing},
    sent::Folder,
};
use crate::platform::{Ctx, config::Config, jobs::JobError};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor, message::Mailbox, transport::smtp};
use secrecy::ExposeSecret;
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a server may take to accept the connection, and to say anything in one conversation of ours.
const CONNECT: Duration = Duration::from_secs(10);
/// A whole conversation. Generous: a mail that a slow server accepts after we gave up is sent again.
const CONVERSATION: Duration = Duration::from_secs(40);

/// Sends mails. Cheap to clone; the default keeps them in memory.
#[derive(Clone, Default)]
pub struct Mailer(Arc<Transport>);

enum Transport {
    /// One connection per mail: lettre's pool takes back a connection whose conversation was cut off by our time limit, and the
    /// next mail would read the answers meant for the last.
    Smtp {
        client: AsyncSmtpTransport<Tokio1Executor>,
        limit: Duration,
    },
    Files(Folder),
    Memory(Mutex<Vec<SentMail>>),
}

impl Default for Transport {
    fn default() -> Self {
        Self::Memory(Mutex::default())
    }
}

/// Why mails can't be sent with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    #[error("TOLLGATE_SMTP_URL is no address of a mail server (smtp://host:port, smtps://user:password@host): {0}")]
    Server(smtp::Error),
    #[error("TOLLGATE_MAIL_FROM is no sender (Name <name@example.com>): {0}")]
    Sender(lettre::address::AddressError),
}

impl Mailer {
    /// By SMTP if a server is configured, else as files in the data folder.
    pub fn from_config(config: &Config) -> Result<Self, MailerError> {
        config.mail.from.parse::<Mailbox>().map_err(MailerError::Sender)?;
        match &config.mail.smtp_url {
            Some(url) => Self::smtp(url.expose_secret(), CONVERSATION),
            None => Ok(Self(Arc::new(Transport::Files(Folder(config.server.data_dir.join("mails")))))),
        }
    }

    /// By SMTP; no conversation takes longer than `limit`.
    pub fn smtp(url: &str, limit: Duration) -> Result<Self, MailerError> {
        let client = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(MailerError::Server)?.timeout(Some(CONNECT.min(limit))).build();
        Ok(Self(Arc::new(Transport::Smtp { client, limit })))
    }

    /// Keeps mails in memory.
    pub fn memory() -> Self {
        Self::default()
    }

    /// What memory keeps, the oldest first.
    pub fn sent(&self) -> Vec<SentMail> {
        match &*self.0 {
            Transport::Memory(mails) => mails.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            Transport::Smtp { .. } | Transport::Files(_) => Vec::new(),
        }
    }

    /// What was kept instead of sent, the newest first, `limit` at most; none where mails are really sent.
    pub fn kept(&self, limit: usize) -> io::Result<Vec<SentMail>> {
        match &*self.0 {
            Transport::Smtp { .. } => Ok(Vec::new()),
            Transport::Files(folder) => folder.list(limit),
            Transport::Memory(_) => Ok(self.sent().into_iter().rev().take(limit).collect()),
        }
    }

    /// True where mails leave the house.
    pub fn is_smtp(&self) -> bool {
        matches!(*self.0, Transport::Smtp { .. })
    }

    async fn deliver(&self, Outgoing { message, kept }: Outgoing) -> Result<(), JobError> {
        match &*self.0 {
            Transport::Smtp { client, limit } => match tokio::time::timeout(*limit, client.send(message)).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(refused(&error)),
                Err(_) => Err(JobError::Retry(format!("the mail server took longer than {} s", limit.as_secs()))),
            },
            Transport::Files(folder) => {
                let folder = folder.clone();
                let kept = tokio::task::spawn_blocking(move || folder.keep(&kept, &message.formatted())).await;
                kept.map_err(io::Error::other).flatten().map_err(|error| JobError::Retry(format!("the mail's file can't be written: {error}")))
            }
            Transport::Memory(mails) => {
                mails.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
                Ok(())
            }
        }
    }
}

/// Sends a mail now. Call it from a job: that tries again where it helps, and a mail enqueued in the transaction that causes it is
/// neither lost nor early.
pub async fn send(ctx: &Ctx, mail: &Mail) -> Result<(), JobError> {
    ctx.mail.deliver(outgoing(ctx, mail)?).await
}

/// 5xx is the server's last word on this mail (RFC 5321 §4.2.1), unless it is about us signing in there, which an operator can mend.
fn refused(error: &smtp::Error) -> JobError {
    let is_about_signing_in = error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    let words = format!("the mail server: {error}");
    if error.is_permanent() && !is_about_signing_in { JobError::Fail(words) } else { JobError::Retry(words) }
}
