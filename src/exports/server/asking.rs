//! Asking for a file, looking at what was asked for, and letting it go. A file is of the account that asked for it, in its workspace.

use super::{
    jobs::PrepareExport,
    source::{Filters, Source, permission},
    store,
    writing::fail_dead,
};
use crate::{
    accounts::Caller,
    activity::server::{Change, record},
    error::AppError,
    exports::model::{ExportPage, ExportQuery, ExportView, Offer, Subject},
    platform::{Ctx, LocalTime, http::file::Format, jobs::enqueue, once},
    values::{ExportId, JobState},
};
use time::Duration;

pub use super::store::Export;

/// Files of one account at a time.
const MOST: usize = 10;
/// A file is there for so long.
pub(super) const KEPT: Duration = Duration::days(1);
/// Asked for again so soon, the same is meant.
const AGAIN: Duration = Duration::minutes(1);

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub subject: Subject,
    pub format: Format,
    pub filters: Filters,
}

impl Wanted {
    /// Reads a form; `filters` is a query.
    pub fn of_form(of: &str, format: &str, filters: &str) -> Result<Self, AppError> {
        let filters = url::form_urlencoded::parse(filters.trim_start_matches('?').as_bytes()).into_owned().collect();
        Ok(Self { subject: subject(of)?, format: Format::read(Some(format))?, filters })
    }
}

fn subject(word: &str) -> Result<Subject, AppError> {
    Subject::parse(word).ok_or_else(|| AppError::invalid("of", "A file is of usage, refusals or keys."))
}

/// Has a file prepared. Asked for twice, it is one: the same that is still written, or was asked for a minute ago, is answered.
pub async fn create_export(ctx: &Ctx, caller: &Caller, wanted: Wanted) -> Result<Export, AppError> {
    caller.require(&permission(wanted.subject))?;
    let now = ctx.clock.now();
    let words = Source::read(wanted.subject, &wanted.filters)?.say(ctx, caller, now).await?;
    fail_dead(ctx, Some(caller.account)).await?;
    let mut tx = ctx.db.begin().await?;
    store::lock_account(&mut tx, caller.account).await?;
    let present = store::list_exports(&mut *tx, caller, now).await?;
    let is_same = |e: &&Export| e.subject == wanted.subject && e.format == wanted.format && e.filters == wanted.filters && e.state != JobState::Failed;
    if let Some(same) = present.iter().filter(is_same).find(|e| e.state.is_open() || e.created_at > now - AGAIN) {
        return Ok(same.clone());
    }
    if present.len() >= MOST {
        return Err(AppError::conflict("You have ten files. Delete one that you do not need any more, then ask again."));
    }
    let export = Export {
        id: ctx.new_id(),
        account: caller.account,
        workspace: caller.workspace,
        subject: wanted.subject,
        format: wanted.format,
        filters: wanted.filters,
        time_zone: caller.time_zone.clone(),
        words,
        state: JobState::Waiting,
        problem: None,
        rows_expected: None,
        rows_written: 0,
        chunks: 0,
        bytes: 0,
        resume: None,
        created_at: now,
        finished_at: None,
        expires_at: now + KEPT,
    };
    store::insert_export(&mut tx, &export).await?;
    record(ctx, &mut tx, change("export.created", caller, &export)).await?;
    enqueue(ctx, &mut tx, &PrepareExport { export: export.id }).await?;
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    Ok(export)
}

/// Lets a file go, whole or half written: its writer finds it gone and stops.
pub async fn delete_export(ctx: &Ctx, caller: &Caller, id: ExportId) -> Result<(), AppError> {
    let export = find_export(ctx, caller, id).await?;
    let mut tx = ctx.db.begin().await?;
    if store::delete_export(&mut tx, id).await? {
        record(ctx, &mut tx, change("export.deleted", caller, &export)).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn change<'a>(kind: &'a str, caller: &'a Caller, export: &'a Export) -> Change<'a> {
    Change {
        kind,
        workspace: Some(caller.workspace),
        actor: caller.actor(),
        actor_name: &caller.name,
        subject: Some(export.id.uuid()),
        data: serde_json::json!({ "of": export.subject.as_str(), "format": export.format.as_str(), "filters": export.filters }),
        ..Change::default()
    }
}

/// One of the caller's files; those of others and those that are over are not there.
pub async fn find_export(ctx: &Ctx, caller: &Caller, id: ExportId) -> Result<Export, AppError> {
    fail_dead(ctx, Some(caller.account)).await?;
    let found = store::find_export(&ctx.db, id).await?;
    let is_own = |e: &Export| e.account == caller.account && e.workspace == caller.workspace && e.expires_at > ctx.clock.now();
    let export = found.filter(is_own).ok_or(AppError::NotFound)?;
    caller.require(&permission(export.subject))?;
    without_words(ctx, caller, export).await
}

/// Whether the caller may see now what was asked for then: who lost a role does not keep what it gave.
pub(super) async fn check_right(ctx: &Ctx, caller: &Caller, export: &Export) -> Result<(), AppError> {
    // Its days are those of the time zone in which it was asked for.
    let caller = Caller { time_zone: export.time_zone.clone(), ..caller.clone() };
    Source::read(export.subject, &export.filters)?.say(ctx, &caller, export.created_at).await?;
    Ok(())
}

/// What a file is called tells names: not to who may not see its lines any more.
async fn without_words(ctx: &Ctx, caller: &Caller, export: Export) -> Result<Export, AppError> {
    match check_right(ctx, caller, &export).await {
        Ok(()) => Ok(export),
        Err(error) if error.status() < 500 => Ok(Export { words: "Lines that you may not see any more".to_owned(), ..export }),
        Err(error) => Err(error),
    }
}

/// The caller's files, the newest first: those whose lines the caller may see.
pub async fn list_exports(ctx: &Ctx, caller: &Caller) -> Result<Vec<Export>, AppError> {
    fail_dead(ctx, Some(caller.account)).await?;
    let mut exports = Vec::new();
    for export in store::list_exports(&ctx.db, caller, ctx.clock.now()).await? {
        if caller.may(&permission(export.subject)) {
            exports.push(without_words(ctx, caller, export).await?);
        }
    }
    Ok(exports)
}

/// What `/exports` shows.
pub async fn export_page(ctx: &Ctx, caller: &Caller, query: ExportQuery) -> Result<ExportPage, AppError> {
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let exports = list_exports(ctx, caller).await?.into_iter().map(|export| view(export, &local)).collect();
    let offer = match query.of.as_deref() {
        None => None,
        Some(word) => {
            let subject = subject(word)?;
            Format::read(query.format.as_deref())?;
            let words = Source::read(subject, &query.filters.iter().cloned().collect())?.say(ctx, caller, ctx.clock.now()).await?;
            Some(Offer { subject, words, query })
        }
    };
    Ok(ExportPage { offer, exports })
}

fn view(export: Export, local: &LocalTime) -> ExportView {
    ExportView {
        id: export.id,
        subject: export.subject,
        format: export.format.as_str().to_owned(),
        words: export.words,
        state: export.state,
        problem: export.problem,
        rows_written: export.rows_written,
        rows_expected: export.rows_expected,
        size: export.bytes,
        asked: local.moment(export.created_at),
        until: local.moment(export.expires_at),
    }
}
