//! The time that a query asks for and the one that it is compared with, in buckets of which counts are kept. Minutes are kept for some weeks
//! and of no address or permission: where they are gone, the bars are hours, and a word says so.

use super::{
    calendar::Calendar,
    span::{self, For, Span},
};
use crate::{
    error::AppError,
    platform::Ctx,
    usage::model::{BucketSize, UsageQuery},
};
use jiff::Timestamp;

/// What is shown, when.
#[derive(Debug, Clone)]
pub struct Times {
    pub span: Span,
    /// An earlier time, if it was asked for.
    pub earlier: Option<Span>,
    /// Why the bars are wider than suits the time.
    pub wider: Option<&'static str>,
}

impl Times {
    pub fn read(ctx: &Ctx, query: &UsageQuery, calendar: &Calendar, now: Timestamp) -> Result<Self, AppError> {
        Self::read_for(ctx, query, calendar, now, For::Page)
    }

    /// The same for a page, or for a file, which may be longer.
    pub fn read_for(ctx: &Ctx, query: &UsageQuery, calendar: &Calendar, now: Timestamp, what: For) -> Result<Self, AppError> {
        let span = span::read(query, calendar, now, what)?;
        let earlier = span::compared(query, &span, calendar, now)?;
        let Some(words) = too_fine(ctx, query, &span, earlier.as_ref(), now) else { return Ok(Self { span, earlier, wider: None }) };
        let query = UsageQuery { bucket: Some(BucketSize::Hour.word().to_owned()), ..query.clone() };
        let span = span::read(&query, calendar, now, what)?;
        let earlier = span::compared(&query, &span, calendar, now)?;
        Ok(Self { span, earlier, wider: Some(words) })
    }

    /// Whether a closer look at an hour shows minutes.
    pub fn has_minutes(&self, ctx: &Ctx, query: &UsageQuery, now: Timestamp) -> bool {
        query.address.is_none() && query.permission.is_none() && self.span.start() >= oldest(ctx, now)
    }
}

/// Why there are no minutes of this, where it asks for some.
fn too_fine(ctx: &Ctx, query: &UsageQuery, span: &Span, earlier: Option<&Span>, now: Timestamp) -> Option<&'static str> {
    if !span.size.is_minutes() {
        return None;
    }
    // Beside an earlier time a file by address has hours, too: quarters of an hour don't fit minutes that begin anywhere.
    if query.address.is_some() || query.permission.is_some() || (query.parted_by().is_some() && earlier.is_some()) {
        return Some("Of an address or a permission calls are kept by quarters of an hour, so these are hours.");
    }
    let begin = earlier.map_or(span.start(), |earlier| earlier.start().min(span.start()));
    (begin < oldest(ctx, now)).then_some("The minutes of this time are no longer kept, so these are hours.")
}

/// Since when minutes are kept.
fn oldest(ctx: &Ctx, now: Timestamp) -> Timestamp {
    let kept = i64::try_from(ctx.config.retention.minutes.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(now.as_second().saturating_sub(kept)).unwrap_or(Timestamp::MIN)
}
