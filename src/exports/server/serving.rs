//! Serving a file piece by piece, from whichever node is asked.

use super::{
    asking::{Export, check_right, find_export},
    store,
};
use crate::{
    accounts::Caller,
    error::AppError,
    platform::Ctx,
    values::{ExportId, JobState},
};
use futures_util::stream::{self, BoxStream};

/// A file on its way out.
pub struct Served {
    pub export: Export,
    /// Ends with an error if the file is deleted meanwhile.
    pub pieces: BoxStream<'static, sqlx::Result<Vec<u8>>>,
}

/// One of the caller's files, if it is whole.
pub async fn serve_export(ctx: &Ctx, caller: &Caller, id: ExportId) -> Result<Served, AppError> {
    let export = find_export(ctx, caller, id).await?;
    check_right(ctx, caller, &export).await?;
    match (export.state, &export.problem) {
        (JobState::Done, _) => {}
        (JobState::Failed, Some(problem)) => return Err(AppError::conflict(format!("The file could not be prepared. {problem}"))),
        _ => return Err(AppError::conflict("The file is still being prepared.")),
    }
    let (db, chunks) = (ctx.db.clone(), export.chunks);
    let pieces = stream::try_unfold(0, move |number| {
        let db = db.clone();
        async move {
            if number >= chunks {
                return Ok::<_, sqlx::Error>(None);
            }
            let piece = store::find_chunk(&db, id, number).await?.ok_or(sqlx::Error::RowNotFound)?;
            Ok(Some((piece, number + 1)))
        }
    });
    Ok(Served { export, pieces: Box::pin(pieces) })
}
