//! Calls in detail: samples of refusals beside exact counts of their codes, or (code VALID) of calls that passed. Of one's own workspace, or
//! (for operators) of everybody.

use super::{
    calendar::{Calendar, instant, timestamp},
    latency, limits, named,
    report::{ERRORS, local, whole},
    searching::recognised,
    span,
    store::{
        choices::{self, KeyChoices},
        passed::{self, PassedRow},
        reading::{self, Scope},
        refusals::{self, SampleRow, SampleScope},
    },
    told,
    whose::Whose,
};
use crate::{
    accounts::Caller,
    error::{AppError, Fields},
    keys::model::Ground,
    platform::{
        Ctx,
        http::{file::MOST_AT_ONCE, pages},
    },
    usage::model::{Gatepost, KeyChoice, Passage, RefusalDetail, RefusalList, RefusalQuery, RefusalSample},
    values::{KeyId, Outcome, Permission, Slug, WorkspaceId, permission_names as may},
};
use jiff::{Timestamp, ToSpan};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Rows of one page.
const PAGE: usize = 50;
/// Samples of a page of a file.
const FILE_PAGE: i64 = 10_000;
/// Routes to choose from.
const MOST_ROUTES: i64 = 50;

/// The samples of the caller's workspace, or of the key that an operator names, newest first: what the files of the page hold.
pub async fn list_refusals(ctx: &Ctx, caller: &Caller, query: RefusalQuery) -> Result<RefusalList, AppError> {
    caller.require(&may::USAGE_READ)?;
    if query.owner.is_some() {
        return Err(AppError::invalid("owner", "These are your own. Operators see those of others in Admin."));
    }
    let query = recognised(ctx, caller, Whose::Own, query).await?;
    let query = named(ctx, Some(caller.workspace), query).await?;
    let workspace = match Whose::Own.workspace(ctx, caller, &query).await {
        // A page tells of a key that is not there, or of somebody else, that it has no samples.
        Err(AppError::NotFound) => Some(caller.workspace),
        found => found?,
    };
    list(ctx, caller, query, workspace).await
}

/// The samples of every workspace and of no known key, newest first, or those of one person; the counts beside them are of the same.
pub async fn list_all_refusals(ctx: &Ctx, caller: &Caller, query: RefusalQuery) -> Result<RefusalList, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let query = recognised(ctx, caller, Whose::All, query).await?;
    let workspace = Whose::All.workspace(ctx, caller, &query).await?;
    list(ctx, caller, query, workspace).await
}

/// The newest samples of every workspace and of no known key, for operators.
pub async fn recent_refusals(ctx: &Ctx, caller: &Caller, most: u16) -> Result<Vec<RefusalSample>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let calendar = Calendar::of(&caller.time_zone);
    let asked = Asked::read(ctx, &RefusalQuery::default(), &calendar, timestamp(ctx.clock.now())).await?;
    let rows = refusals::list_samples(&ctx.db, None, &asked.samples, i64::from(most.min(200))).await?;
    Ok(rows.into_iter().filter_map(|row| sample(row, &calendar, timestamp(ctx.clock.now()))).collect())
}

/// What the filters leave of the caller's samples, for an export. None: more than are answered at once.
pub async fn export_refusals(ctx: &Ctx, caller: &Caller, query: &RefusalQuery) -> Result<Option<Vec<RefusalSample>>, AppError> {
    at_once(ctx, caller, Whose::Own, query).await
}

/// What the filters leave of everybody's samples, or of one person's, for an export. None: more than are answered at once.
pub async fn export_all_refusals(ctx: &Ctx, caller: &Caller, query: &RefusalQuery) -> Result<Option<Vec<RefusalSample>>, AppError> {
    at_once(ctx, caller, Whose::All, query).await
}

async fn at_once(ctx: &Ctx, caller: &Caller, whose: Whose, query: &RefusalQuery) -> Result<Option<Vec<RefusalSample>>, AppError> {
    let most = i64::try_from(MOST_AT_ONCE).unwrap_or(i64::MAX);
    let (samples, is_full) = samples_of(ctx, caller, whose, &query.filters(), ctx.clock.now(), most + 1).await?;
    Ok((!is_full).then_some(samples))
}

/// The caller's samples behind a cursor, and the cursor of the next page: for programs.
pub async fn read_refusals(ctx: &Ctx, caller: &Caller, query: &RefusalQuery, most: usize) -> Result<(Vec<RefusalSample>, Option<String>), AppError> {
    if query.before.as_deref().is_some_and(|cursor| read_cursor(cursor).is_none()) {
        return Err(pages::foreign());
    }
    let query = RefusalQuery { open: None, owner: None, ..query.clone() };
    let wanted = i64::try_from(most + 1).unwrap_or(i64::MAX);
    let (mut samples, has_more) = samples_of(ctx, caller, Whose::Own, &query, ctx.clock.now(), wanted).await?;
    samples.truncate(most);
    let next = samples.last().filter(|_| has_more).map(|last| last.cursor.clone());
    Ok((samples, next))
}

/// The samples behind a cursor, as it was at `now`, and where the next page begins: for a file that a job writes.
pub async fn page_of_refusals(
    ctx: &Ctx,
    caller: &Caller,
    whose: Whose,
    query: &RefusalQuery,
    now: OffsetDateTime,
    from: Option<&str>,
) -> Result<(Vec<RefusalSample>, Option<String>), AppError> {
    let query = RefusalQuery { before: from.map(ToOwned::to_owned), ..query.filters() };
    let (samples, is_full) = samples_of(ctx, caller, whose, &query, now, FILE_PAGE).await?;
    let next = samples.last().filter(|_| is_full).map(|last| last.cursor.clone());
    Ok((samples, next))
}

/// At most `most` samples, and whether there are as many.
async fn samples_of(
    ctx: &Ctx,
    caller: &Caller,
    whose: Whose,
    query: &RefusalQuery,
    now: OffsetDateTime,
    most: i64,
) -> Result<(Vec<RefusalSample>, bool), AppError> {
    let workspace = whose.workspace(ctx, caller, query).await?;
    let calendar = Calendar::of(&caller.time_zone);
    let asked = Asked::read(ctx, query, &calendar, timestamp(now)).await?;
    let (samples, rows) = find(ctx, workspace, &asked, most, &calendar, timestamp(now)).await?;
    Ok((samples, i64::try_from(rows).is_ok_and(|n| n >= most)))
}

/// At most `most` samples of this workspace or of all, and how many rows that are.
async fn find(
    ctx: &Ctx,
    workspace: Option<WorkspaceId>,
    asked: &Asked,
    most: i64,
    calendar: &Calendar,
    now: Timestamp,
) -> sqlx::Result<(Vec<RefusalSample>, usize)> {
    if asked.is_of_passed {
        let rows = passed::list_passed(&ctx.db, workspace, &asked.samples, most).await?;
        let found = rows.len();
        return Ok((rows.into_iter().map(|row| passed_sample(row, calendar, now)).collect(), found));
    }
    let rows = refusals::list_samples(&ctx.db, workspace, &asked.samples, most).await?;
    let found = rows.len();
    Ok((rows.into_iter().filter_map(|row| sample(row, calendar, now)).collect(), found))
}

/// How many samples the filters leave.
pub async fn count_refusals(ctx: &Ctx, caller: &Caller, whose: Whose, query: &RefusalQuery, now: OffsetDateTime) -> Result<u64, AppError> {
    let workspace = whose.workspace(ctx, caller, query).await?;
    let asked = Asked::read(ctx, &query.filters(), &Calendar::of(&caller.time_zone), timestamp(now)).await?;
    let n = match asked.is_of_passed {
        true => passed::count_passed(&ctx.db, workspace, &asked.samples).await?,
        false => refusals::count_samples(&ctx.db, workspace, &asked.samples).await?,
    };
    Ok(whole(n))
}

/// What a query asks for, in words: "Refusals since 19 Nov, 14:00, Stockholm time, code FORBIDDEN", "Everybody's refusals …".
pub async fn say_refusals(ctx: &Ctx, caller: &Caller, whose: Whose, query: &RefusalQuery, now: OffsetDateTime) -> Result<String, AppError> {
    let workspace = whose.workspace(ctx, caller, query).await?;
    let asked = Asked::read(ctx, &query.filters(), &Calendar::of(&caller.time_zone), timestamp(now)).await?;
    let what = match (workspace, asked.is_of_passed) {
        (Some(_), true) => "Samples of calls that passed",
        (Some(_), false) => "Refusals",
        (None, true) => "Everybody's samples of calls that passed",
        (None, false) => "Everybody's refusals",
    };
    let mut words = format!("{what}, {}", asked.period);
    let filters = [
        ("code", query.code.as_ref().filter(|_| !asked.is_of_passed)),
        ("key", query.key.as_ref()),
        ("API", query.api.as_ref()),
        ("route", query.route.as_ref()),
        ("address", query.address.as_ref()),
        ("permission", query.permission.as_ref()),
        ("request", query.request.as_ref()),
        ("limit", query.limit.as_ref()),
        ("rule", query.rule.as_ref()),
        ("owner", query.owner.as_ref()),
    ];
    for (name, value) in filters {
        if let Some(value) = value {
            words.push_str(&format!(", {name} {value}"));
        }
    }
    Ok(words)
}

async fn list(ctx: &Ctx, caller: &Caller, query: RefusalQuery, workspace: Option<WorkspaceId>) -> Result<RefusalList, AppError> {
    let calendar = Calendar::of(&caller.time_zone);
    let now = timestamp(ctx.clock.now());
    let query = named(ctx, workspace, query).await?;
    let asked = Asked::read(ctx, &query, &calendar, now).await?;
    let counted = asked.counted(workspace);
    let any_route = Scope { route: None, ..counted.clone() };
    let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let (from, to) = asked.times();
    let sampled = async {
        let keys = match asked.is_of_passed {
            true => passed::list_sampled_keys(&ctx.db, from, to).await?,
            false => refusals::list_sampled_keys(&ctx.db, from, to).await?,
        };
        with_chosen(ctx, keys, asked.samples.key).await
    };
    let sought = query.named.as_deref().map(named::sought);
    let choices = async {
        match (workspace, sought) {
            (Some(workspace), sought) => choices::list_key_choices(&ctx.db, workspace, asked.samples.key, sought).await,
            (None, Some(sought)) => choices::list_choices_of_all(&ctx.db, sought).await,
            (None, None) => sampled.await,
        }
    };
    let has_counts = !query.is_beyond_counts();
    let counted = async { if has_counts { reading::list_codes(&ctx.db, &counted, from, to).await } else { Ok(Vec::new()) } };
    let ((mut samples, found), codes, routes, offered, sampling) = tokio::try_join!(
        find(ctx, workspace, &asked, most, &calendar, now),
        counted,
        reading::list_routes(&ctx.db, &any_route, from, to, MOST_ROUTES),
        choices,
        passed::list_sampling(&ctx.db, workspace),
    )?;
    let has_more = found > PAGE;
    samples.truncate(PAGE);
    let mut routes: Vec<String> = routes.into_iter().map(|row| row.route).collect();
    routes.extend(query.route.clone().filter(|route| !routes.contains(route)));
    Ok(RefusalList {
        older: samples.last().filter(|_| has_more).map(|s| s.cursor.clone()),
        samples,
        codes: has_counts.then(|| counts(codes)),
        sampling,
        routes,
        key_choices: offered.keys,
        has_more_keys: offered.has_more,
        period: asked.period,
        local: (local(&calendar, timestamp(from)), local(&calendar, timestamp(to).min(now))),
        zone: calendar.words(),
        opened: match query.open.as_deref().and_then(read_cursor) {
            Some(cursor) if asked.is_of_passed => opened_passed(ctx, cursor, workspace, &calendar, now).await?,
            Some(cursor) => opened(ctx, cursor, workspace, &calendar, now).await?,
            None => None,
        },
        query,
    })
}

/// Finds the key that is looked for, as Usage does.
async fn named(ctx: &Ctx, workspace: Option<WorkspaceId>, query: RefusalQuery) -> Result<RefusalQuery, AppError> {
    let Some(text) = query.named.clone() else { return Ok(query) };
    let found = named::find(ctx, workspace, &text, query.key.as_deref()).await?;
    Ok(match found {
        Some(key) => RefusalQuery { key: Some(key.to_string()), named: None, ..query },
        None => RefusalQuery { key: None, ..query },
    })
}

/// Keys with samples, and the chosen one, which may have none of late.
async fn with_chosen(ctx: &Ctx, mut keys: Vec<KeyChoice>, chosen: Option<KeyId>) -> sqlx::Result<KeyChoices> {
    if let Some(key) = chosen.filter(|key| keys.iter().all(|known| known.id != *key)) {
        keys.extend(choices::find_key_choice(&ctx.db, key).await?);
    }
    Ok(KeyChoices { keys, has_more: false })
}

/// What a query asks for, read.
pub(super) struct Asked {
    samples: SampleScope,
    /// Calls that passed, in place of refusals.
    is_of_passed: bool,
    to: OffsetDateTime,
    period: String,
}

impl Asked {
    /// What is counted beside the samples: by key, API and route, whatever code is asked for, or calls that passed.
    pub(super) fn counted(&self, workspace: Option<WorkspaceId>) -> Scope {
        Scope {
            workspace,
            key: self.samples.key,
            api: self.samples.api,
            route: self.samples.route.clone(),
            outcomes: Some(if self.is_of_passed { vec![Outcome::Valid.to_string()] } else { ERRORS.clone() }),
            ..Scope::default()
        }
    }

    /// From when on, and until when.
    pub(super) const fn times(&self) -> (OffsetDateTime, OffsetDateTime) {
        (self.samples.from, self.to)
    }

    pub(super) async fn read(ctx: &Ctx, query: &RefusalQuery, calendar: &Calendar, now: Timestamp) -> Result<Self, AppError> {
        let mut fields = Fields::default();
        let key = query.key.as_ref().and_then(|text| fields.check("key", text.parse::<KeyId>()));
        let code = query.code.as_ref().and_then(|text| fields.check("code", text.parse::<Outcome>()));
        let permission = query.permission.as_ref().and_then(|text| fields.check("permission", text.parse::<Permission>()));
        let slug = query.api.as_ref().and_then(|text| fields.check("api", text.parse::<Slug>()));
        let ground = query.rule.as_ref().and_then(|text| fields.check("rule", text.parse::<Ground>()));
        let from = query.from.as_ref().and_then(|text| fields.check("from", span::moment(text, calendar, false)));
        let to = query.to.as_ref().and_then(|text| fields.check("to", span::moment(text, calendar, true)));
        let range = query.range.as_deref().unwrap_or("30d");
        let since = fields.check("range", span::since(range, calendar, now).ok_or("A range is 1h, 24h, 7d or 30d."));
        let cursor = |text: &String| read_cursor(text).ok_or("This list can't be continued here. Start at its beginning.");
        let before = query.before.as_ref().and_then(|text| fields.check("before", cursor(text)));
        for (name, text) in [("route", &query.route), ("address", &query.address), ("request", &query.request), ("limit", &query.limit)] {
            if text.as_ref().is_some_and(|text| text.len() > 800 || text.contains('\0')) {
                fields.add(name, "Nothing has such a name.");
            }
        }
        if query.is_of_passed() {
            for (name, is_set) in [("permission", query.permission.is_some()), ("limit", query.limit.is_some()), ("rule", query.rule.is_some())] {
                if is_set {
                    fields.add(name, "Calls that passed have none: it is kept of refusals only. Take this filter away, or the code VALID.");
                }
            }
        }
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            fields.add("to", "The end lies before the beginning.");
        }
        fields.done()?;
        let api = match slug {
            Some(slug) => Some(reading::find_api(&ctx.db, slug.as_str()).await?.ok_or_else(|| AppError::invalid("api", "There is no such API."))?),
            None => None,
        };
        // Counts are kept by quarters of an hour: the beginning is rounded down to one, so that samples and counts speak of the same time.
        let begin = from.or(since).unwrap_or(now);
        let begin = Timestamp::from_second(begin.as_second().div_euclid(900) * 900).unwrap_or(begin);
        // The future is where the list ends; a clock that went back hides nothing.
        let end = to.unwrap_or_else(|| now.checked_add(24.hours()).unwrap_or(now));
        let words = match to {
            Some(to) => calendar.hours(begin, to),
            None => format!("Since {}", calendar.moment(begin, now)),
        };
        Ok(Self {
            is_of_passed: code == Some(Outcome::Valid),
            samples: SampleScope {
                key,
                code: code.map(|c| c.as_str().to_owned()),
                route: query.route.clone(),
                address: query.address.clone(),
                permission: permission.map(|permission| permission.as_str().to_owned()),
                api,
                request: query.request.clone(),
                limit: query.limit.clone(),
                ground: ground.map(|ground| ground.as_str().to_owned()),
                from: instant(begin),
                before: before.unwrap_or((instant(end), Uuid::nil())),
            },
            to: instant(end),
            period: format!("{words}, {}", calendar.words()),
        })
    }
}

/// One sample in detail; one that is not there (any more) opens nothing.
async fn opened(
    ctx: &Ctx,
    (_, id): (OffsetDateTime, Uuid),
    workspace: Option<WorkspaceId>,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<Option<RefusalDetail>, AppError> {
    let Some(row) = refusals::find_sample(&ctx.db, workspace, id).await? else { return Ok(None) };
    let (at, api, key_id) = (row.at, row.api_name.clone(), row.key_id);
    let Some(sample) = sample(row, calendar, now) else { return Ok(None) };
    let minute = at.replace_nanosecond(0).and_then(|at| at.replace_second(0)).unwrap_or(at);
    let alike = match key_id {
        Some(key) => whole(reading::count_minute(&ctx.db, key, minute, &sample.route, sample.code.as_str()).await?),
        None => 0,
    };
    let limited = sample.key.filter(|_| sample.ground == Ground::Limit);
    let name = sample.key_name.clone().unwrap_or_default();
    let present = limited.map(|key| limits::states(ctx, key, now)).unwrap_or_default();
    let meters = match limited {
        Some(key) => limits::meters(ctx, &[(key, name)], calendar, now).await?,
        None => Vec::new(),
    };
    Ok(Some(RefusalDetail {
        moment: calendar.exact(timestamp(at)),
        api,
        posts: Gatepost::chain(sample.ground),
        alike: (alike > 0).then_some(alike),
        meters,
        held_by: told::held_by(&sample, &present).map(|limit| (limit.window.kind(), limit.over)),
        told: Some(told::told(&sample, timestamp(at).as_microsecond(), &present)),
        took: None,
        sample,
    }))
}

/// One call that passed, in detail.
async fn opened_passed(
    ctx: &Ctx,
    (at, id): (OffsetDateTime, Uuid),
    workspace: Option<WorkspaceId>,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<Option<RefusalDetail>, AppError> {
    let Some(row) = passed::find_passed(&ctx.db, workspace, at, id).await? else { return Ok(None) };
    let (at, key, api) = (row.at, row.key_id, row.api_name.clone());
    let sample = passed_sample(row, calendar, now);
    let minute = at.replace_nanosecond(0).and_then(|at| at.replace_second(0)).unwrap_or(at);
    let quarter = minute - Duration::minutes(i64::from(minute.minute() % 15));
    let of_route = Scope { key: sample.key, route: Some(sample.route.clone()), ..Scope::default() };
    let (alike, took) = tokio::try_join!(
        reading::count_minute(&ctx.db, key, minute, &sample.route, Outcome::Valid.as_str()),
        latency::percentiles(&ctx.db, &of_route, quarter, quarter + Duration::minutes(15)),
    )?;
    let alike = whole(alike);
    Ok(Some(RefusalDetail {
        moment: calendar.exact(timestamp(at)),
        api,
        posts: Gatepost::all_passed(),
        alike: (alike > 0).then_some(alike),
        meters: Vec::new(),
        held_by: None,
        told: None,
        took,
        sample,
    }))
}

/// The counts by code.
pub(super) fn counts(codes: Vec<reading::CodeRow>) -> Vec<(Outcome, u64)> {
    codes.into_iter().filter_map(|row| Some((row.outcome.parse::<Outcome>().ok()?, whole(row.count)))).collect()
}

fn passed_sample(row: PassedRow, calendar: &Calendar, now: Timestamp) -> RefusalSample {
    let at = timestamp(row.at);
    RefusalSample {
        cursor: write_cursor(row.at, row.id),
        time: calendar.second(at, now),
        at: at.to_string(),
        key: Some(KeyId::new(row.key_id)),
        key_name: row.key_name,
        code: Outcome::Valid,
        ground: Ground::guessed(Outcome::Valid),
        is_guessed: false,
        limit: String::new(),
        route: row.route,
        address: row.address,
        request_id: row.request_id,
        detail: String::new(),
        passed: Some(Passage { cost: whole(row.cost), one_in: u32::try_from(row.one_in).unwrap_or(0), limits: row.limits.0 }),
    }
}

fn sample(row: SampleRow, calendar: &Calendar, now: Timestamp) -> Option<RefusalSample> {
    let at = timestamp(row.at);
    let code: Outcome = row.code.parse().ok()?;
    let ground = row.ground.and_then(|word| word.parse::<Ground>().ok());
    Some(RefusalSample {
        cursor: write_cursor(row.at, row.id),
        time: calendar.second(at, now),
        at: at.to_string(),
        key: row.key_id.map(KeyId::new),
        key_name: row.key_name,
        code,
        ground: ground.unwrap_or(Ground::guessed(code)),
        is_guessed: ground.is_none(),
        limit: row.limit_name,
        route: row.route,
        address: row.address,
        request_id: row.request_id,
        detail: row.detail,
        passed: None,
    })
}

fn write_cursor(at: OffsetDateTime, id: Uuid) -> String {
    format!("{}-{}", timestamp(at).as_microsecond(), id.simple())
}

fn read_cursor(text: &str) -> Option<(OffsetDateTime, Uuid)> {
    let (micros, id) = text.split_once('-')?;
    Some((instant(Timestamp::from_microsecond(micros.parse().ok()?).ok()?), id.parse().ok()?))
}
