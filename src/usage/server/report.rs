//! What `/usage` shows: one query per panel, summed in Postgres between edges of the person's calendar, zero-filled here.

use super::{
    addresses,
    calendar::{Calendar, instant, timestamp},
    estimate::estimates,
    latency::{percentiles, percentiles_of},
    limit_lines, limits, named, parts,
    span::{self, Span},
    store::{
        choices::{self, KeyChoices},
        reading::{self, BucketRow, KeyRow, RouteRow, Scope},
        units,
    },
    times::Times,
    whose::workspace_of_key,
};
use crate::{
    accounts::Caller,
    error::{AppError, Fields},
    keys::server::example_call,
    platform::Ctx,
    usage::model::{
        AddressUsage, Before, Bucket, BucketSize, ErrorReport, KeyChoice, KeyUsage, PartKind, PermissionUsage, Range, RouteUsage, UsageQuery, UsageReport,
    },
    values::{Counts, KeyId, Outcome, OutcomeGroup, Permission, Slug, permission_names as may},
};
use jiff::Timestamp;
use sqlx::PgPool;
use std::{collections::HashMap, sync::LazyLock};
use time::OffsetDateTime;
use uuid::Uuid;

/// Rows of "By key" and "By route"; the rest is summed as one row.
const MOST_KEYS: i64 = 50;
const MOST_ROUTES: i64 = 50;
const MOST_ADDRESSES: i64 = 50;
const MOST_PERMISSIONS: i64 = 50;
/// Steps of a sparkline.
const MOST_STEPS: usize = 62;

/// The codes of all that did not pass.
pub static ERRORS: LazyLock<Vec<String>> =
    LazyLock::new(|| Outcome::ALL.into_iter().filter(|o| o.group() != OutcomeGroup::Passed).map(|o| o.to_string()).collect());

/// The usage of the caller's workspace; of another's key for operators.
pub async fn report_usage(ctx: &Ctx, caller: &Caller, query: UsageQuery) -> Result<UsageReport, AppError> {
    Ok(read(ctx, caller, query, true).await?.report)
}

/// The last 24 hours of the caller's workspace: the chart, the busiest keys and the limits; of the other panels nothing is read.
pub async fn report_day(ctx: &Ctx, caller: &Caller) -> Result<UsageReport, AppError> {
    let query = UsageQuery { range: Some("24h".to_owned()), ..UsageQuery::default() };
    Ok(read(ctx, caller, query, false).await?.report)
}

/// A report, and what it is of.
struct Read {
    report: UsageReport,
    scope: Scope,
    from: OffsetDateTime,
    to: OffsetDateTime,
    /// Of an earlier time, in whole quarters of an hour.
    earlier: Option<(OffsetDateTime, OffsetDateTime)>,
}

/// Without `is_whole` the panels below the keys stay empty.
async fn read(ctx: &Ctx, caller: &Caller, query: UsageQuery, is_whole: bool) -> Result<Read, AppError> {
    caller.require(&may::USAGE_READ)?;
    let query = named(ctx, caller, query).await?;
    let calendar = Calendar::asked(query.tz.as_deref(), &caller.time_zone)?;
    let now = timestamp(ctx.clock.now());
    let times = Times::read(ctx, &query, &calendar, now)?;
    let has_minutes = times.has_minutes(ctx, &query, now);
    let Times { span, earlier, wider } = times;
    let scope = scope(ctx, caller, &query).await?;
    let steps = instants(&steps(&span, &calendar));
    let without_route = Scope { route: None, ..scope.clone() };
    let (from, to) = (instant(span.start()), instant(span.end()));
    let workspace = scope.workspace.unwrap_or(caller.workspace);
    let (rows, key_rows, route_rows, by_address, by_permission, offered, before, estimates, (latency, latencies)) = tokio::try_join!(
        list_buckets(&ctx.db, &scope, &span),
        reading::list_keys(&ctx.db, &scope, &steps, MOST_KEYS),
        reading::list_routes(&ctx.db, &without_route, from, to, MOST_ROUTES),
        only(is_whole, addresses::list(&ctx.db, &scope, from, to, MOST_ADDRESSES)),
        only(is_whole, parts::permissions(&ctx.db, &scope, from, to, MOST_PERMISSIONS)),
        choices::list_key_choices(&ctx.db, workspace, scope.key, query.named.as_deref().map(named::sought)),
        before(ctx, &scope, earlier.as_ref(), &calendar, now),
        only(is_whole, estimates(&ctx.db, &scope, from, to)),
        only(is_whole, percentiles_of(&ctx.db, &scope, &span)),
    )?;
    let (cells, codes) = sums(&rows, span.buckets());
    let totals: Counts = cells.iter().copied().sum();
    let before = before.map(|before| Before { against: cells.iter().take(before.buckets.len()).copied().sum(), ..before });
    let KeyChoices { keys: key_choices, has_more: has_more_keys } = offered;
    let units = units_of(&scope, &route_rows);
    let key_units = match units {
        Some(_) if is_whole => units::sum_by_key(&ctx.db, &scope, &key_ids(&key_rows), from, to).await?,
        _ => HashMap::new(),
    };
    let chosen = |route: &str| scope.route.as_deref().is_none_or(|wanted| wanted == route);
    let mut route_choices: Vec<String> = route_rows.iter().map(|r| r.route.clone()).collect();
    if let Some(route) = scope.route.as_ref().filter(|route| !route_choices.contains(route)) {
        route_choices.push(route.clone());
    }
    let mut address_choices: Vec<String> = by_address.iter().map(|a| a.address.clone()).collect();
    let mut addresses = by_address;
    if let Some(address) = &scope.address {
        if !address_choices.contains(address) {
            address_choices.push(address.clone());
        }
        addresses = vec![AddressUsage { address: address.clone(), counts: totals }];
    }
    let mut permission_choices: Vec<String> = by_permission.iter().map(|p| p.permission.clone()).collect();
    let mut permissions = by_permission;
    if let Some(permission) = &scope.permission {
        if !permission_choices.contains(permission) {
            permission_choices.push(permission.clone());
        }
        permissions = vec![PermissionUsage { permission: permission.clone(), counts: totals }];
    }
    let mut sizes = span::sizes(span.end().as_second() - span.start().as_second());
    sizes.retain(|size| has_minutes || !size.is_minutes());
    let busiest = key_rows.first().map(|row| KeyId::new(row.key_id));
    let (size, key) = (span.size, scope.key);
    let earlier = earlier.filter(|_| !size.is_minutes()).map(|earlier| (instant(earlier.start()), instant(earlier.end())));
    let shown = limit_lines::Shown {
        query: &query,
        size,
        sizes: &sizes,
        key,
        keys: &key_choices,
        has_more: has_more_keys,
        busiest,
        calendar: &calendar,
        has_units: units.is_some(),
    };
    let (limit, limit_hint) = limit_lines::line(ctx, shown, now);
    let has_history = totals.total() > 0 || reading::find_any(&ctx.db, workspace).await?;
    // Only a workspace without calls is shown it, and it alone: operators may read the usage of keys that they may not open.
    let is_shown = is_whole && !has_history && query == UsageQuery::default() && caller.may(&may::KEYS_READ);
    let example = match key_choices.first().filter(|_| is_shown) {
        Some(first) => example_call(ctx, caller, first.id).await?,
        None => String::new(),
    };
    let report = UsageReport {
        range: span.range,
        bucket: span.size,
        sizes,
        wider: wider.map(ToOwned::to_owned),
        has_minutes,
        period: period(&span, &calendar, now),
        zone: calendar.words(),
        buckets: buckets(&span, &calendar, &cells),
        end: span.end().to_string(),
        local: (local(&calendar, span.start()), local(&calendar, span.end())),
        totals,
        units,
        before,
        codes,
        key_count: key_rows.first().map_or(0, |r| whole(r.keys)),
        keys: keys(&key_rows, steps.len().saturating_sub(1), &key_units),
        routes: route_rows
            .iter()
            .filter(|r| chosen(&r.route))
            .map(|r| RouteUsage { route: r.route.clone(), calls: whole(r.count), units: whole(r.units) })
            .collect(),
        route_choices,
        addresses,
        address_choices,
        permissions,
        permission_choices,
        limit,
        limit_hint,
        estimates,
        latency,
        latencies,
        meters: limits::meters_with_pace(ctx, &meter_keys(&key_choices, scope.key), &calendar, now).await?,
        has_history,
        example,
        key_choices,
        has_more_keys,
        query,
    };
    Ok(Read { report, scope, from, to, earlier })
}

/// What is read, if it is wanted.
async fn only<T: Default>(is_wanted: bool, read: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    if is_wanted { read.await } else { Ok(T::default()) }
}

/// The keys of the caller's workspace that were used or made last and a chosen one, oldest first, to choose from; and whether there are more.
pub async fn key_choices(ctx: &Ctx, caller: &Caller, chosen: Option<KeyId>) -> sqlx::Result<(Vec<KeyChoice>, bool)> {
    let KeyChoices { keys, has_more } = choices::list_key_choices(&ctx.db, caller.workspace, chosen, None).await?;
    Ok((keys, has_more))
}

/// Finds the key that is looked for: what was found is chosen, and no longer looked for.
async fn named(ctx: &Ctx, caller: &Caller, query: UsageQuery) -> Result<UsageQuery, AppError> {
    let Some(text) = query.named.clone() else { return Ok(query) };
    let found = named::find(ctx, Some(caller.workspace), &text, query.key.as_deref()).await?;
    Ok(match found {
        Some(key) => UsageQuery { key: Some(key.to_string()), named: None, ..query },
        None => UsageQuery { key: None, ..query },
    })
}

/// Cost units of what passed, where a call cost more or less than one. Of an address or a permission none are kept.
fn units_of(scope: &Scope, routes: &[RouteRow]) -> Option<u64> {
    match &scope.route {
        None => routes.first().filter(|row| row.differs).map(|row| whole(row.all_units)),
        Some(route) => routes.iter().find(|row| row.differs && row.route == *route).map(|row| whole(row.units)),
    }
}

fn key_ids(rows: &[KeyRow]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = rows.iter().map(|row| row.key_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// What did not pass (or of it one outcome), by the same filters, beside all calls of the time.
pub async fn report_errors(ctx: &Ctx, caller: &Caller, query: UsageQuery) -> Result<ErrorReport, AppError> {
    let query = query.among_errors();
    let outcome = query.outcome.clone().unwrap_or_else(|| UsageQuery::ERRORS.to_owned());
    let Read { report, scope, from, to, earlier } = read(ctx, caller, UsageQuery { outcome: Some(outcome), ..query }, true).await?;
    let all = Scope { outcomes: None, ..scope };
    let calls = count(&ctx.db, &all, from, to).await?;
    let calls_before = match earlier {
        Some((from, to)) => Some(count(&ctx.db, &all, from, to).await?),
        None => None,
    };
    Ok(ErrorReport { report, calls, calls_before })
}

/// All calls since `from` and before `to`.
async fn count(db: &PgPool, scope: &Scope, from: OffsetDateTime, to: OffsetDateTime) -> sqlx::Result<u64> {
    Ok(reading::list_codes(db, scope, from, to).await?.into_iter().map(|row| whole(row.count)).sum())
}

/// Sums by bucket and code, from what is kept of such buckets.
pub async fn list_buckets(db: &PgPool, scope: &Scope, span: &Span) -> sqlx::Result<Vec<BucketRow>> {
    let edges = instants(&span.edges);
    match span.size.is_minutes() {
        true => reading::list_minute_buckets(db, scope, &edges).await,
        false => reading::list_buckets(db, scope, &edges).await,
    }
}

/// The earlier time, if it is asked for.
async fn before(ctx: &Ctx, scope: &Scope, span: Option<&Span>, calendar: &Calendar, now: Timestamp) -> sqlx::Result<Option<Before>> {
    let Some(span) = span else { return Ok(None) };
    let begin = span.quarters().first().copied().unwrap_or_else(|| span.start());
    let (rows, latency) = tokio::try_join!(list_buckets(&ctx.db, scope, span), percentiles(&ctx.db, scope, instant(begin), instant(span.end())))?;
    let (cells, _) = sums(&rows, span.buckets());
    let buckets = cells.iter().map(|c| c.total()).collect();
    Ok(Some(Before { period: stretch(span, calendar, now), totals: cells.into_iter().sum(), against: Counts::default(), buckets, latency }))
}

/// Reads the filters; a key of somebody else is not there, except for operators, who then see its workspace.
pub async fn scope(ctx: &Ctx, caller: &Caller, query: &UsageQuery) -> Result<Scope, AppError> {
    let mut fields = Fields::default();
    let key = query.key.as_ref().and_then(|text| fields.check("key", text.parse::<KeyId>()));
    let slug = query.api.as_ref().and_then(|text| fields.check("api", text.parse::<Slug>()));
    let outcomes = query.outcome.as_ref().and_then(|text| fields.check("outcome", outcomes(text)));
    if query.route.as_ref().is_some_and(|route| route.len() > 800 || route.contains('\0')) {
        fields.add("route", "No route has such a name.");
    }
    let address = query.address.as_ref().and_then(|text| fields.check("address", addresses::read(text)));
    let permission = query.permission.as_ref().and_then(|text| fields.check("permission", text.parse::<Permission>()));
    let by = query.by.as_deref();
    if by.is_some_and(|by| PartKind::parse(by).is_none()) {
        fields.add("by", "Lines are by address or by permission, or by route if you leave it out.");
    }
    if query.parted_by().is_some() && query.route.is_some() {
        let name = query.parted_by().map_or("by", PartKind::as_str);
        fields.add(name, "Calls are counted by route, by address or by permission. Leave the route or this out.");
    }
    if query.address.is_some() && (query.permission.is_some() || by == Some(PartKind::Permission.as_str())) {
        fields.add("permission", "Calls are counted by address or by permission. Leave one of both out.");
    }
    if query.permission.is_some() && by == Some(PartKind::Address.as_str()) {
        fields.add("by", "Calls are counted by address or by permission. Leave one of both out.");
    }
    fields.done()?;
    let workspace = match key {
        Some(key) => workspace_of_key(ctx, caller, key).await?,
        None => caller.workspace,
    };
    let api = match slug {
        Some(slug) => Some(reading::find_api(&ctx.db, slug.as_str()).await?.ok_or_else(|| AppError::invalid("api", "There is no such API."))?),
        None => None,
    };
    let permission = permission.map(|permission| permission.as_str().to_owned());
    Ok(Scope { workspace: Some(workspace), key, api, route: query.route.clone(), outcomes, address, permission })
}

/// The codes that a word of `outcome` means.
fn outcomes(word: &str) -> Result<Vec<String>, &'static str> {
    let of = |group| Ok(Outcome::ALL.into_iter().filter(|o| o.group() == group).map(|o| o.to_string()).collect());
    match word {
        "passed" => of(OutcomeGroup::Passed),
        "limited" => of(OutcomeGroup::Limited),
        "refused" => of(OutcomeGroup::Refused),
        UsageQuery::ERRORS => Ok(ERRORS.clone()),
        code => code
            .parse::<Outcome>()
            .map(|code| vec![code.to_string()])
            .map_err(|_| "An outcome is passed, limited, refused, errors, or a code such as FORBIDDEN."),
    }
}

/// Sums by bucket, zero-filled, and by code.
pub fn sums(rows: &[BucketRow], buckets: usize) -> (Vec<Counts>, Vec<(Outcome, u64)>) {
    let mut cells = vec![Counts::default(); buckets];
    let mut codes = HashMap::<Outcome, u64>::new();
    for row in rows {
        let Some((cell, outcome)) = cell(&mut cells, row.bucket, &row.outcome) else { continue };
        cell.add(outcome, whole(row.count));
        *codes.entry(outcome).or_default() += whole(row.count);
    }
    let mut codes: Vec<_> = codes.into_iter().collect();
    codes.sort_by_key(|(outcome, calls)| (std::cmp::Reverse(*calls), *outcome));
    (cells, codes)
}

fn cell<'a>(cells: &'a mut [Counts], bucket: i32, outcome: &str) -> Option<(&'a mut Counts, Outcome)> {
    let at = usize::try_from(bucket).ok()?.checked_sub(1)?;
    Some((cells.get_mut(at)?, outcome.parse().ok()?))
}

fn keys(rows: &[KeyRow], steps: usize, units: &HashMap<Uuid, i64>) -> Vec<KeyUsage> {
    let mut keys = HashMap::<Uuid, KeyUsage>::new();
    for row in rows {
        let usage = keys.entry(row.key_id).or_insert_with(|| KeyUsage {
            key: KeyId::new(row.key_id),
            name: row.name.clone(),
            is_there: row.is_there,
            counts: Counts::default(),
            units: units.get(&row.key_id).copied().map(whole).unwrap_or_default(),
            spark: vec![Counts::default(); steps],
        });
        let Some((cell, outcome)) = cell(&mut usage.spark, row.bucket, &row.outcome) else { continue };
        cell.add(outcome, whole(row.count));
        usage.counts.add(outcome, whole(row.count));
    }
    let mut keys: Vec<_> = keys.into_values().collect();
    keys.sort_by(|a, b| b.counts.total().cmp(&a.counts.total()).then(a.key.cmp(&b.key)));
    keys
}

/// The edges of sparklines: those of the chart, or of the next larger size that is few enough; of minutes quarters of an hour.
fn steps(span: &Span, calendar: &Calendar) -> Vec<Timestamp> {
    if span.size.is_minutes() {
        return span.quarters();
    }
    let mut size = span.size;
    let mut edges = span.edges.clone();
    while edges.len() > MOST_STEPS + 1 && size != BucketSize::Month {
        size = span::wider(size);
        edges = coarser(span, calendar, size);
    }
    edges
}

/// Edges of a larger size over exactly the same time: the first and the last bucket may be cut.
pub fn coarser(span: &Span, calendar: &Calendar, size: BucketSize) -> Vec<Timestamp> {
    let inner = calendar.edges(span.start(), span.end(), size, span.buckets()).unwrap_or_default();
    let mut edges = vec![span.start()];
    edges.extend(inner.into_iter().filter(|edge| span.start() < *edge && *edge < span.end()));
    edges.push(span.end());
    edges
}

fn buckets(span: &Span, calendar: &Calendar, cells: &[Counts]) -> Vec<Bucket> {
    let is_long = span.end().as_second() - span.start().as_second() > 36 * 3_600;
    let one = |(edge, counts): (&Timestamp, &Counts)| Bucket {
        at: edge.to_string(),
        label: calendar.label(*edge, span.size, is_long),
        full: calendar.full(*edge, span.size),
        counts: *counts,
    };
    span.edges.iter().zip(cells).map(one).collect()
}

/// `2026-11-18T14:00`.
pub fn local(calendar: &Calendar, at: Timestamp) -> String {
    calendar.local(at).strftime("%Y-%m-%dT%H:%M").to_string()
}

/// "22 Oct to 20 Nov", "Thu 19 Nov, 14:00 to 18:00".
pub fn stretch(span: &Span, calendar: &Calendar, now: Timestamp) -> String {
    let (from, to) = (span.start(), span.end());
    let last = Timestamp::from_second(to.as_second() - 1).unwrap_or(to);
    match span.size {
        BucketSize::Minute | BucketSize::FiveMinutes | BucketSize::Hour => calendar.hours(from, to),
        _ => calendar.days(from, if from <= now { last.min(now) } else { last }, now),
    }
}

/// "22 Oct to 20 Nov, Stockholm time; today is not over".
fn period(span: &Span, calendar: &Calendar, now: Timestamp) -> String {
    let (from, to) = (span.start(), span.end());
    let stretch = match span.size {
        BucketSize::Minute | BucketSize::FiveMinutes | BucketSize::Hour if span.range == Range::Day => format!("Since {}", calendar.moment(from, now)),
        _ => stretch(span, calendar, now),
    };
    let open = match span.size {
        _ if now >= to || now < from => "",
        BucketSize::Minute => "; this minute is not over",
        BucketSize::FiveMinutes => "; the last five minutes are not over",
        BucketSize::Hour => "; this hour is not over",
        BucketSize::Day => "; today is not over",
        BucketSize::Week => "; this week is not over",
        BucketSize::Month => "; this month is not over",
    };
    format!("{stretch}, {}{open}", calendar.words())
}

fn meter_keys(choices: &[KeyChoice], chosen: Option<KeyId>) -> Vec<(KeyId, String)> {
    choices.iter().filter(|k| chosen.is_none_or(|key| key == k.id)).map(|k| (k.id, k.name.clone())).collect()
}

pub fn instants(edges: &[Timestamp]) -> Vec<OffsetDateTime> {
    edges.iter().copied().map(instant).collect()
}

/// A sum as Postgres answers it; counts are never below zero.
pub fn whole(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
