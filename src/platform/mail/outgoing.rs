//! A mail on its way: rendered, addressed and dated.
//!
//! Its id comes from the job that sends it, so each try of a job makes the same Message-ID: a try that was repeated because a
//! runner died at the wrong moment is recognised as the same mail (S96).

use super::{Mail, SentMail, render::render, sent::SentLink};
use crate::platform::{Ctx, crypto::sha256, jobs, jobs::JobError};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use std::fmt::Write;
use uuid::Uuid;

pub struct Outgoing {
    pub message: Message,
    pub kept: SentMail,
}

/// Anything wrong with the addresses is hopeless: `Fail`.
pub fn outgoing(ctx: &Ctx, mail: &Mail) -> Result<Outgoing, JobError> {
    let (id, at) = (id(ctx, mail), ctx.clock.now());
    let home = ctx.config.origin();
    let host = ctx.config.server.public_url.host_str().unwrap_or("localhost");
    let rendered = render(mail, &home);
    let from: Mailbox = ctx.config.mail.from.parse().map_err(|error| JobError::Fail(format!("the sender {}: {error}", ctx.config.mail.from)))?;
    let message = Message::builder()
        .from(from)
        .to(Mailbox::new(None, address(mail)?))
        .subject(rendered.subject.as_str())
        .date(at.into())
        .message_id(Some(format!("<{id}@{host}>")))
        // RFC 3834 §5: no out-of-office answers to this.
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .multipart(MultiPart::alternative_plain_html(rendered.text.clone(), rendered.html.clone()))
        .map_err(|error| JobError::Fail(format!("this mail can't be written: {error}")))?;
    let kept = SentMail { id, at, to: mail.to.to_string(), subject: rendered.subject, text: rendered.text, html: rendered.html, links: SentLink::all(mail) };
    Ok(Outgoing { message, kept })
}

/// 32 hexadecimal digits that sort by age (the job's id, or a new one) and 8 that tell apart the mails of one job.
fn id(ctx: &Ctx, mail: &Mail) -> String {
    let origin: Uuid = jobs::current().map_or_else(|| ctx.new_id(), Into::into);
    let content = sha256(format!("{}\n{}", mail.to, mail.subject));
    content[..4].iter().fold(format!("{}-", origin.simple()), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The domain in ASCII (IDNA), because not every server takes another; the local part as it is.
fn address(mail: &Mail) -> Result<Address, JobError> {
    let hopeless = |error: String| JobError::Fail(format!("the address can't be written to: {error}"));
    let (local, domain) = mail.to.as_str().rsplit_once('@').ok_or_else(|| hopeless("no @".to_owned()))?;
    let domain = url::Host::parse(domain).map_err(|error| hopeless(error.to_string()))?;
    Address::new(local, domain.to_string()).map_err(|error| hopeless(error.to_string()))
}
