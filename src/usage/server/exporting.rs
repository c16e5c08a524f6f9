//! The filtered view of usage taken apart for a spreadsheet: at once where it is small, and page by page for a file that a job writes.
//!
//! A page goes on where the one before ended, at a place in time and among the keys, so that a file of any length is written in bounded
//! memory and a writer that was killed goes on. Each line tells what was counted when its page was read.

use super::{
    calendar::{Calendar, instant, timestamp},
    lines::UsageLine,
    report::{coarser, instants, scope, stretch, whole},
    span::{For, Span},
    store::{
        exporting::{self as store, ExportRow},
        reading::{Kept, Scope},
    },
    times::Times,
};
use crate::{
    accounts::Caller,
    error::AppError,
    plans::model::Price,
    platform::{Ctx, http::file::MOST_AT_ONCE},
    usage::model::{AddressUsage, BucketSize, PartKind, UsageQuery},
    values::{KeyId, permission_names as may},
};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// A page has at least so many lines, unless it is the last, and fewer than twice as many.
const PAGE: usize = 10_000;

/// Buckets of one question to the database.
const MOST_BUCKETS_AT_ONCE: usize = 256;

/// Where a page begins.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    bucket: usize,
    /// In that bucket (those of an earlier time follow those of the one that is shown) behind this key, route (or address, or permission) and code.
    after: Option<(Uuid, String, String)>,
}

/// A stretch of time in a file.
struct Stretch {
    /// The word of its lines.
    period: &'static str,
    span: Span,
    edges: Vec<OffsetDateTime>,
}

impl Stretch {
    /// Of which counts by route its lines are.
    fn kept(&self) -> Kept {
        if self.span.size.is_minutes() { Kept::Minutes } else { Kept::Quarters }
    }
}

/// A query, read.
struct Asked {
    calendar: Calendar,
    /// What is shown, and behind it what it is compared with.
    stretches: Vec<Stretch>,
    scope: Scope,
    /// By what in place of by route.
    by: Option<PartKind>,
}

impl Asked {
    async fn read(ctx: &Ctx, caller: &Caller, query: &UsageQuery, now: OffsetDateTime, what: For) -> Result<Self, AppError> {
        caller.require(&may::USAGE_READ)?;
        let calendar = Calendar::asked(query.tz.as_deref(), &caller.time_zone)?;
        let Times { mut span, earlier, .. } = Times::read_for(ctx, query, &calendar, timestamp(now), what)?;
        let scope = scope(ctx, caller, query).await?;
        if query.parted_by().is_some() && span.size.is_minutes() {
            // Of an address or a permission no minutes are kept: hours of exactly the same time.
            span = Span { edges: coarser(&span, &calendar, BucketSize::Hour), size: BucketSize::Hour, ..span };
        }
        let stretch = |(period, span): (&'static str, Span)| Stretch { period, edges: instants(&span.edges), span };
        let stretches = [("shown", Some(span)), ("compared", earlier)].into_iter().filter_map(|(period, span)| Some((period, span?))).map(stretch).collect();
        Ok(Self { calendar, stretches, scope, by: query.parted_by() })
    }

    fn buckets(&self) -> usize {
        self.stretches.iter().map(|stretch| stretch.span.buckets()).sum()
    }

    /// The stretch that a bucket lies in, and which one it is there.
    fn find(&self, mut bucket: usize) -> Option<(&Stretch, usize)> {
        for stretch in &self.stretches {
            match bucket.checked_sub(stretch.span.buckets()) {
                None => return Some((stretch, bucket)),
                Some(rest) => bucket = rest,
            }
        }
        None
    }

    /// Those between some edges of a stretch.
    async fn rows(
        &self,
        ctx: &Ctx,
        stretch: &Stretch,
        edges: &[OffsetDateTime],
        after: Option<&(Uuid, String, String)>,
        most: usize,
    ) -> sqlx::Result<Vec<ExportRow>> {
        match self.by {
            Some(kind) => store::list_part_export(&ctx.db, &self.scope, kind, edges, after, most).await,
            None => store::list_export(&ctx.db, &self.scope, stretch.kept(), edges, after, most).await,
        }
    }

    /// `first` is the bucket that the row counts from.
    fn line(&self, row: ExportRow, stretch: &Stretch, first: usize) -> Option<UsageLine> {
        let bucket = first + usize::try_from(row.bucket).ok()?.checked_sub(1)?;
        let at = *stretch.span.edges.get(bucket)?;
        let units = row.units.map(whole);
        let price = row.price_micros.zip(row.currency).map(|(micros, currency)| Price { micros: whole(micros), currency });
        let priced = price.zip(units.filter(|units| *units > 0));
        Some(UsageLine {
            at: instant(at).format(&Rfc3339).unwrap_or_default(),
            local: self.calendar.local(at).strftime("%Y-%m-%d %H:%M").to_string(),
            key_id: KeyId::new(row.key_id).to_string(),
            key: row.key_name,
            api: row.api,
            route: row.route.unwrap_or_default(),
            address: row.part.clone().filter(|_| self.by == Some(PartKind::Address)).map(address).unwrap_or_default(),
            permission: row.part.filter(|_| self.by == Some(PartKind::Permission)).unwrap_or_default(),
            code: row.outcome,
            calls: whole(row.count),
            units,
            estimated_cost: priced.as_ref().map(|(price, units)| price.exact(*units)),
            currency: priced.map(|(price, _)| price.currency),
            period: stretch.period.to_owned(),
        })
    }
}

/// An address as a file tells it.
fn address(part: String) -> String {
    if part.is_empty() { AddressUsage::OTHERS.to_owned() } else { part }
}

/// Exactly what `/usage` shows for this query, line by line; the sum of `calls` is the total on the page (by permission, a call that needed two
/// is in two lines). None: more lines than are answered at once.
pub async fn export_usage(ctx: &Ctx, caller: &Caller, query: &UsageQuery) -> Result<Option<Vec<UsageLine>>, AppError> {
    let asked = Asked::read(ctx, caller, query, ctx.clock.now(), For::Page).await?;
    let mut lines = Vec::new();
    for stretch in &asked.stretches {
        let rows = asked.rows(ctx, stretch, &stretch.edges, None, MOST_AT_ONCE + 1).await?;
        lines.extend(rows.into_iter().filter_map(|row| asked.line(row, stretch, 0)));
        if lines.len() > MOST_AT_ONCE {
            return Ok(None);
        }
    }
    Ok(Some(lines))
}

/// The lines from a place on, as it was at `now`, and the place of the next page.
pub async fn page_of_usage(
    ctx: &Ctx,
    caller: &Caller,
    query: &UsageQuery,
    now: OffsetDateTime,
    from: Option<&str>,
) -> Result<(Vec<UsageLine>, Option<String>), AppError> {
    let asked = Asked::read(ctx, caller, query, now, For::File).await?;
    let mut place: Place = from.map(serde_json::from_str).transpose().map_err(AppError::internal)?.unwrap_or_default();
    let mut lines = Vec::new();
    let mut at_once = 1;
    while lines.len() < PAGE {
        let Some((stretch, at)) = asked.find(place.bucket) else { return Ok((lines, None)) };
        let until = (at + at_once).min(stretch.span.buckets());
        let Some(edges) = stretch.edges.get(at..=until) else { return Ok((lines, None)) };
        let rows = asked.rows(ctx, stretch, edges, place.after.as_ref(), PAGE).await?;
        let bucket = place.bucket;
        place = match rows.last() {
            Some(last) if rows.len() == PAGE => {
                let of = last.route.clone().or_else(|| last.part.clone()).unwrap_or_default();
                let ahead = usize::try_from(last.bucket).unwrap_or(1).saturating_sub(1);
                Place { bucket: bucket + ahead, after: Some((last.key_id, of, last.outcome.clone())) }
            }
            _ => Place { bucket: bucket + until - at, after: None },
        };
        // A place among the keys is one of a single bucket; of many that hold little, more are read at once.
        at_once = if place.after.is_none() && rows.len() < PAGE / 4 { (at_once * 2).min(MOST_BUCKETS_AT_ONCE) } else { 1 };
        lines.extend(rows.into_iter().filter_map(|row| asked.line(row, stretch, at)));
    }
    let next = serde_json::to_string(&place).map_err(AppError::internal)?;
    Ok((lines, (place.bucket < asked.buckets()).then_some(next)))
}

/// How many lines these are.
pub async fn count_usage_lines(ctx: &Ctx, caller: &Caller, query: &UsageQuery, now: OffsetDateTime) -> Result<u64, AppError> {
    let asked = Asked::read(ctx, caller, query, now, For::File).await?;
    let mut lines = 0;
    for stretch in &asked.stretches {
        lines += whole(match asked.by {
            Some(kind) => store::count_part_export(&ctx.db, &asked.scope, kind, &stretch.edges).await?,
            None => store::count_export(&ctx.db, &asked.scope, stretch.kept(), &stretch.edges).await?,
        });
    }
    Ok(lines)
}

/// What a query asks for, in words: "Usage by day, 22 Oct to 20 Nov, Stockholm time, key checkout".
pub async fn say_usage(ctx: &Ctx, caller: &Caller, query: &UsageQuery, now: OffsetDateTime) -> Result<String, AppError> {
    let asked = Asked::read(ctx, caller, query, now, For::File).await?;
    let times: Vec<String> = asked.stretches.iter().map(|one| stretch(&one.span, &asked.calendar, timestamp(now))).collect();
    let by = asked.by.map(|kind| format!(" and {}", kind.as_str())).unwrap_or_default();
    let size = asked.stretches.first().map_or("", |shown| shown.span.size.name());
    let mut words = format!("Usage by {size}{by}, {}, {}", times.join(" compared with "), asked.calendar.words());
    if let Some(key) = asked.scope.key {
        words.push_str(&format!(", key {}", store::find_key_name(&ctx.db, key).await?.unwrap_or_else(|| key.to_string())));
    }
    for (name, value) in
        [("API", &query.api), ("route", &query.route), ("outcome", &query.outcome), ("address", &query.address), ("permission", &query.permission)]
    {
        if let Some(value) = value {
            words.push_str(&format!(", {name} {value}"));
        }
    }
    Ok(words)
}
