//! `tollgate audit …`: verify the audit log, print its head.

use super::{Exit, Invocation, complain, with_ctx};
use crate::{
    activity::server::audit::{self, Covered, Head, Verdict, heads},
    error::AppError,
    ui::number::{count, thousands},
};
use clap::Subcommand;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Look at every entry, and name the first that is not as Tollgate wrote it; ends with 1 if there is one
    ///
    /// Without an anchor nobody can tell whether the newest entries were removed.
    Verify {
        /// What was told of the log before: a head as `tollgate audit head` prints it, or a file with one in each line
        #[arg(long, value_name = "HEAD|FILE")]
        anchor: Vec<String>,
    },
    /// Print the number and the MAC of the last entry, to keep outside the database
    Head,
}

impl AuditCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "audit", async |ctx| match self {
            Self::Verify { anchor } => {
                let anchors = anchors(&anchor)?;
                let tell = |entry: i64| {
                    if entry % 100_000 == 0 {
                        complain(format!("{} entries so far", thousands(entry.unsigned_abs())));
                    }
                };
                // A dry run reads only.
                let verdict = if invocation.dry_run { audit::verify(ctx, &anchors, tell).await? } else { audit::verify_and_note(ctx, &anchors, tell).await? };
                invocation.answer(&verdict, &words(&verdict, anchors.is_empty()));
                Ok(if verdict.broken.is_none() { Exit::Done } else { Exit::Failed })
            }
            Self::Head => {
                let Some((head, at)) = audit::head(ctx).await? else {
                    invocation.answer(&json!({ "head": null }), "There is no entry yet.");
                    return Ok(Exit::Done);
                };
                let at = at.format(&Rfc3339).unwrap_or_default();
                invocation.answer(&json!({ "head": head, "number": head.number, "at": at }), &head.to_string());
                Ok(Exit::Done)
            }
        })
        .await
    }
}

fn anchors(given: &[String]) -> Result<Vec<Head>, AppError> {
    let mut all = Vec::new();
    for text in given {
        if let Ok(head) = text.parse::<Head>() {
            all.push(head);
            continue;
        }
        let file = std::fs::read_to_string(text).map_err(|error| AppError::invalid("anchor", format!("{text} is no head, and as a file: {error}.")))?;
        all.extend(heads(&file).map_err(|wrong| AppError::invalid("anchor", format!("{text}: {wrong}")))?);
    }
    Ok(all)
}

fn words(verdict: &Verdict, without_anchor: bool) -> String {
    let entries = count(verdict.entries.unsigned_abs(), "entry", "entries");
    if let Some(broken) = &verdict.broken {
        return format!("BROKEN: {}\n{entries} before that {} as written.", broken.words, if verdict.entries == 1 { "is" } else { "are" });
    }
    let mut lines = vec![format!("Whole: {entries} as written, {} waiting to be sealed.", thousands(verdict.waiting.unsigned_abs()))];
    lines.extend(verdict.checkpoint.as_ref().filter(|point| point.entry > 0 || point.adopted > 0).map(|point| covered(verdict, point)));
    lines.extend(verdict.head.as_ref().map(|head| format!("Head: {head}")));
    if without_anchor {
        lines.push("Whether entries are missing at the end can't be told without --anchor.".to_owned());
    }
    lines.join("\n")
}

/// What is proven of entries from before a master key was dropped, and by what.
fn covered(verdict: &Verdict, point: &Covered) -> String {
    let day = point.at.format(&Rfc3339).unwrap_or_default();
    let (upto, by_point) = (thousands(point.entry.unsigned_abs()), thousands(verdict.by_checkpoint.unsigned_abs()));
    let before = if point.verified {
        "All of it was verified then, with that key."
    } else {
        "It was NOT all verified then: of what stood there before nothing is proven but that it was not changed since."
    };
    let mut words = format!(
        "Checkpoint of {day} ({}), when the master key {} was dropped: entries 1 to {upto} are as they were then, {by_point} of them by this checkpoint alone. \
         {before} Entries after it are verified each by its MAC.",
        point.by, point.dropped
    );
    if point.adopted > 0 {
        words += &format!(" {} that waited under that key were taken in as they were found.", count(point.adopted.unsigned_abs(), "entry", "entries"));
    }
    words
}
