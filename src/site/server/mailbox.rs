//! The mailbox of development. It belongs to `platform::mail`; here it is only shown.

use crate::{
    error::AppError,
    platform::{Ctx, mail::SentMail},
    site::model::{KeptMail, Mailbox, OpenedMail},
};

/// As many mails as the mailbox shows.
const NEWEST: usize = 100;

/// The newest mails that were kept instead of sent, one of them opened. There are links in them that sign people in, so this
/// exists in development only.
pub async fn open_mailbox(ctx: &Ctx, opened: Option<&str>) -> Result<Mailbox, AppError> {
    if !ctx.config.is_development() {
        return Err(AppError::NotFound);
    }
    let mailer = ctx.mail.clone();
    let kept = tokio::task::spawn_blocking(move || mailer.kept(NEWEST)).await.map_err(AppError::internal)?.map_err(AppError::internal)?;
    let opened = match opened {
        None => None,
        Some(id) => Some(kept.iter().find(|mail| mail.id == id).map(opened_mail).ok_or(AppError::NotFound)?),
    };
    Ok(Mailbox { is_smtp: ctx.mail.is_smtp(), mails: kept.iter().map(kept_mail).collect(), opened })
}

fn kept_mail(mail: &SentMail) -> KeptMail {
    KeptMail { id: mail.id.clone(), to: mail.to.clone(), subject: mail.subject.clone(), at: mail.at }
}

fn opened_mail(mail: &SentMail) -> OpenedMail {
    let links = mail.links.iter().map(|link| (link.label.clone(), link.url.clone())).collect();
    OpenedMail { mail: kept_mail(mail), text: mail.text.clone(), html: mail.html.clone(), links }
}
