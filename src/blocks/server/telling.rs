//! Mails to operators of what rules found: each finding is told once, and many at once in one mail.

use super::{jobs::MailFindings, store};
use crate::{
    accounts::server::in_full,
    error::AppError,
    platform::{
        Ctx,
        jobs::{JobError, enqueue},
        mail::{self, Mail},
    },
    ui::number::count,
    values::{AccountId, Email},
};
use time::{Duration, OffsetDateTime};

/// Between two mails at least; what is found meanwhile comes together.
const PAUSE: Duration = Duration::minutes(10);
/// Findings that a mail names.
const MOST: i64 = 10;

/// Takes what waits to be told and enqueues a mail of it for each operator, in one transaction. Answers how many findings.
pub async fn tell_operators(ctx: &Ctx) -> Result<u64, AppError> {
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let told = store::mark_told(&mut tx, now - PAUSE, now).await?;
    if told > 0 {
        for operator in store::list_operators(&mut *tx, None, now).await? {
            enqueue(ctx, &mut tx, &MailFindings { account: AccountId::new(operator.id), at: now }).await?;
        }
    }
    tx.commit().await?;
    Ok(told)
}

/// What was told at this instant, to one operator. Nothing to who is none any more.
pub async fn send_findings(ctx: &Ctx, account: AccountId, at: OffsetDateTime) -> Result<(), JobError> {
    let Some(reader) = store::list_operators(&ctx.db, Some(account), ctx.clock.now()).await?.pop() else { return Ok(()) };
    let (findings, all) = store::list_told(&ctx.db, at, MOST).await?;
    let Some(first) = findings.first() else { return Ok(()) };
    let subject = match all {
        1 => format!("{}: {}", first.target(), first.reason),
        n => format!("Abuse rules found {}", count(n, "target", "targets")),
    };
    let lead = match (all, first.action) {
        (1, None) => "A rule found this and only tells. Its calls go on as before.",
        (1, Some(_)) => "A rule found this and acted by itself.",
        _ => "Rules found these since the last mail. The newest come first.",
    };
    let facts = findings.iter().map(|finding| (finding.target(), finding.words(&reader.time_zone)));
    let email: Email = reader.email.parse().map_err(|e| JobError::Fail(format!("this address can't be written to: {e}")))?;
    let mut letter = Mail::new(email, subject).name(&reader.name).text(lead).facts(facts);
    let named = findings.len() as u64;
    if all > named {
        letter = letter.text(format!("And {} more.", all - named));
    }
    let letter = letter
        .link("See the blocks", ctx.config.link("/admin/blocks?state=all"))
        .text("There you undo a block with one click, and set what each rule does and whether it mails.")
        .because("you are an operator who may block");
    mail::send(ctx, &letter).await
}

impl store::Finding {
    /// As people read it; one address of IPv4 without its length of prefix.
    fn target(&self) -> String {
        match (&self.network, &self.key_name, &self.workspace_name) {
            (Some(network), ..) => network.strip_suffix("/32").filter(|v4| v4.contains('.')).unwrap_or(network).to_owned(),
            (_, Some(key), _) => format!("The key {key}"),
            (_, _, Some(workspace)) => format!("The workspace {workspace}"),
            _ => "Something that is gone".to_owned(),
        }
    }

    /// "More than 100 unknown keys in 1 minute; refused until 20 Nov 2026, 13:10 CET".
    fn words(&self, zone: &str) -> String {
        let ends = self.until.map_or_else(|| "it is lifted".to_owned(), |at| in_full(at, zone));
        match self.action {
            Some(action) => format!("{}; {} until {ends}", self.reason, action.words()),
            None => format!("{}; found {}", self.reason, in_full(self.since, zone)),
        }
    }
}
