//! The kinds of mail: looked at with made-up facts, usual and hostile, in every language; sent to oneself as a test.

use super::health;
use crate::{
    accounts::{
        self, Caller,
        server::{Visitor, charge_own_mail, own_reader},
    },
    activity::server::{Change, record},
    admin::model::{TemplateList, TemplateQuery, TemplateRow, TemplateTheme, TemplateView},
    blocks,
    error::AppError,
    keys, notices,
    platform::{
        Ctx,
        jobs::{self, Job, JobError, Registry},
        mail::{self, Block, Kind, Nature, Reader, Rendered, Sample, render},
    },
    values::{Email, Language, permission_names as may},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Every kind of mail that this version sends.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    [accounts::server::MAIL_KINDS, keys::server::leaks::MAIL_KINDS, notices::server::MAIL_KINDS, blocks::server::MAIL_KINDS].into_iter().flatten()
}

/// Mails an operator a kind with made-up facts.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendTest {
    pub account: crate::values::AccountId,
    pub kind: String,
    pub language: Language,
    /// The value of a `Nature`.
    pub sample: String,
}

impl Job for SendTest {
    const KIND: &'static str = "admin.send_test";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        mail_test(ctx, &self).await
    }
}

#[must_use]
pub fn register(registry: Registry) -> Registry {
    registry.register::<SendTest>()
}

/// What `/admin/templates` shows.
pub async fn list_templates(ctx: &Ctx, caller: &Caller, query: &TemplateQuery) -> Result<TemplateList, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let usual = sample(ctx, Nature::Usual);
    let channel = match health::smtp_host(ctx) {
        Some(host) => format!("By SMTP over {host}"),
        None => "As files in the data folder; none leaves this machine".to_owned(),
    };
    let row = |kind: &Kind| {
        let subject = written(ctx, kind, &usual, Language::En, caller).map(|mail| mail.subject)?;
        Ok(TemplateRow { name: kind.name.to_owned(), theme: TemplateTheme::of(kind.name), about: kind.about.to_owned(), subject })
    };
    Ok(TemplateList {
        channel,
        from: ctx.config.mail.from.clone(),
        language: ctx.config.mail.language,
        email: caller.email.clone(),
        may_send: caller.may(&may::JOBS_MANAGE),
        rows: kinds().map(row).collect::<Result<_, AppError>>()?,
        open: query.kind.is_some().then(|| open(ctx, caller, query)).transpose()?,
    })
}

/// The HTML of a kind, for a frame in which nothing runs.
pub async fn preview(ctx: &Ctx, caller: &Caller, query: &TemplateQuery) -> Result<String, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let (kind, language, nature) = chosen(query)?;
    Ok(written(ctx, kind, &sample(ctx, nature), language, caller)?.html)
}

/// Sends a kind to the operator's own confirmed address, by the queue, marked as a test. Answers the address.
pub async fn send_test(ctx: &Ctx, caller: &Caller, from: &Visitor, query: &TemplateQuery) -> Result<String, AppError> {
    caller.require(&may::JOBS_MANAGE)?;
    let (kind, language, nature) = chosen(query)?;
    let email = charge_own_mail(ctx, caller).await?;
    let mut tx = ctx.db.begin().await?;
    let mut data = from.facts();
    data["kind"] = json!(kind.name);
    let change =
        Change { kind: "mail.tested", actor: Some(caller.account), actor_name: &caller.name, subject: Some(caller.account.uuid()), data, ..Change::default() };
    record(ctx, &mut tx, change).await?;
    jobs::enqueue(ctx, &mut tx, &SendTest { account: caller.account, kind: kind.name.to_owned(), language, sample: nature.as_str().to_owned() }).await?;
    tx.commit().await?;
    Ok(email)
}

async fn mail_test(ctx: &Ctx, test: &SendTest) -> Result<(), JobError> {
    let hopeless = |what: &str| JobError::Fail(format!("no such {what}"));
    let kind = kinds().find(|kind| kind.name == test.kind).ok_or_else(|| hopeless("kind of mail"))?;
    let sample = sample(ctx, test.sample.parse().map_err(|_| hopeless("sample"))?);
    let Some(own) = own_reader(ctx, test.account).await? else { return Ok(()) };
    let mut letter = sample.reader(own.email, test.language, &own.time_zone).write(&*(kind.sample)(&sample));
    let (mark, words) = match test.language {
        Language::En => ("Test", "This is a test of a mail, with made-up facts. Nothing has happened, and its links open nothing."),
        Language::De => ("Test", "Dies ist der Test einer Mail, mit erfundenen Angaben. Nichts ist geschehen, und ihre Links öffnen nichts."),
    };
    letter.subject = format!("[{mark}] {}", letter.subject);
    letter.blocks.insert(0, Block::Text(words.to_owned()));
    mail::send(ctx, &letter).await
}

fn open(ctx: &Ctx, caller: &Caller, query: &TemplateQuery) -> Result<TemplateView, AppError> {
    let (kind, language, nature) = chosen(query)?;
    let Rendered { subject, text, .. } = written(ctx, kind, &sample(ctx, nature), language, caller)?;
    Ok(TemplateView {
        name: kind.name.to_owned(),
        about: kind.about.to_owned(),
        language,
        sample: nature.as_str().to_owned(),
        samples: Nature::ALL.map(|one| (one.as_str().to_owned(), one.label().to_owned())).to_vec(),
        subject,
        text,
    })
}

/// The kind, language and sample that a query names; what it does not know is a page that does not exist.
fn chosen(query: &TemplateQuery) -> Result<(&'static Kind, Language, Nature), AppError> {
    let kind = kinds().find(|kind| Some(kind.name) == query.kind.as_deref()).ok_or(AppError::NotFound)?;
    let language = query.language.as_deref().map_or(Ok(Language::En), str::parse).map_err(|_| AppError::NotFound)?;
    let nature = query.sample.as_deref().map_or(Ok(Nature::Usual), str::parse).map_err(|_| AppError::NotFound)?;
    Ok((kind, language, nature))
}

fn sample(ctx: &Ctx, nature: Nature) -> Sample {
    Sample { nature, origin: ctx.config.origin(), at: ctx.clock.now() }
}

/// As the caller would get it.
fn written(ctx: &Ctx, kind: &Kind, sample: &Sample, language: Language, caller: &Caller) -> Result<Rendered, AppError> {
    let email: Email = caller.email.parse().map_err(AppError::internal)?;
    let reader: Reader = sample.reader(email, language, &caller.time_zone);
    Ok(render(&reader.write(&*(kind.sample)(sample)), &ctx.config.origin()))
}
