//! What a batch becomes in Postgres: rows as columns for `unnest`, summed and in the order in which every node writes them, so that nodes that write at
//! once don't deadlock.

use super::{
    calendar::instant,
    store::{
        latency::LatencyColumns,
        parts::PartColumns,
        passed::PassedColumns,
        secrets::SecretColumns,
        writing::{AttemptColumns, CountColumns, SampleColumns, UnitColumns, UseColumns},
    },
};
use crate::{
    keys::server::meter::{Batch, SecretUse, WithSecret, addresses::told},
    platform::{
        Ctx,
        aside::{in_pieces, make_way},
    },
    values::{Counts, Outcome},
};
use jiff::Timestamp;
use std::borrow::Cow;
use time::OffsetDateTime;
use uuid::Uuid;

/// Rows in one statement: so few that Postgres, where it shares the gate's cores, is through in a millisecond or two and calls go on before the next
/// one. Of more it would take the kernel's longest slice each time.
pub const CHUNK: usize = 250;
/// Rows that are sorted at once.
const PIECE: usize = 2_000;
/// Quarters of an hour.
const QUARTERS_OF_A_DAY: i64 = 96;
/// Routes and details are cut here: an index entry must fit a page, and callers name the routes.
const TEXT: usize = 200;

/// When each key was last used, to the minute, by key.
pub type Activity = Vec<(Uuid, OffsetDateTime)>;

/// Rows in chunks, made when their turn comes, and sorted with the first: no long computation before the first statement, and none but that between two.
pub type Chunks<'a, C> = Box<dyn Iterator<Item = C> + Send + 'a>;

/// All of a batch.
pub struct Rows<'a> {
    pub minutes: Chunks<'a, CountColumns>,
    pub quarters: Chunks<'a, CountColumns>,
    pub activity: Activity,
    pub attempts: Chunks<'a, AttemptColumns>,
    pub samples: Chunks<'a, SampleColumns>,
    pub passed: Chunks<'a, PassedColumns>,
    pub uses: Chunks<'a, UseColumns>,
    pub latency_quarters: Chunks<'a, LatencyColumns>,
    pub latency_days: Chunks<'a, LatencyColumns>,
    pub addresses: Chunks<'a, PartColumns>,
    pub permissions: Chunks<'a, PartColumns>,
    pub secrets: Chunks<'a, SecretColumns>,
    pub units: Chunks<'a, UnitColumns>,
}

impl<'a> Rows<'a> {
    pub fn of(ctx: &'a Ctx, batch: &'a Batch) -> Self {
        // What comes of the minutes is in order where a batch is of one minute: then it need not be sorted again.
        let minutes = minutes(batch);
        Self {
            quarters: count_columns(quarters(&minutes)),
            activity: activity(batch, &minutes),
            units: units(&minutes),
            minutes: count_columns(minutes),
            attempts: attempts(batch),
            samples: samples(ctx, batch),
            passed: passed_of(ctx, batch),
            uses: uses(batch),
            latency_quarters: latencies(batch, 1),
            latency_days: latencies(batch, QUARTERS_OF_A_DAY),
            addresses: addresses_of(batch),
            permissions: permissions_of(batch),
            secrets: secrets_of(batch),
        }
    }
}

/// In order, those with the same name as one.
fn summed<N: Ord, V: Copy>(rows: impl Iterator<Item = (N, V)>, add: impl Fn(&mut V, V)) -> Vec<(N, V)> {
    let most = rows.size_hint().1.unwrap_or(0);
    let mut sums = Vec::with_capacity(most);
    sums.extend(in_pieces(rows));
    // A piece at a time; the stable sort finds what is in order and only merges it.
    for piece in sums.chunks_mut(PIECE) {
        piece.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        make_way();
    }
    sums.sort_by(|a, b| a.0.cmp(&b.0));
    make_way();
    sums.dedup_by(|next, sum| {
        let is_same = next.0 == sum.0;
        if is_same {
            add(&mut sum.1, next.1);
        }
        is_same
    });
    sums
}

fn add(sum: &mut i64, more: i64) {
    *sum = sum.saturating_add(more);
}

fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Rows as columns for `unnest`.
fn chunked<'a, R: Send + 'a, C: Default + 'a>(make: impl FnOnce() -> Vec<R> + Send + 'a, push: impl Fn(&mut C, R) + Send + 'a) -> Chunks<'a, C> {
    let (mut make, mut rows) = (Some(make), Vec::new().into_iter());
    Box::new(std::iter::from_fn(move || {
        if let Some(make) = make.take() {
            rows = make().into_iter();
        }
        let mut columns = C::default();
        let more = rows.len() > 0;
        rows.by_ref().take(CHUNK).for_each(|row| push(&mut columns, row));
        more.then_some(columns)
    }))
}

/// By key, minute, route and outcome: workspace, API, count, cost.
type Counted<'a> = ((Uuid, i64, Cow<'a, str>, &'static str), (Uuid, Uuid, i64, i64));

fn add_counted(sum: &mut (Uuid, Uuid, i64, i64), more: (Uuid, Uuid, i64, i64)) {
    add(&mut sum.2, more.2);
    add(&mut sum.3, more.3);
}

fn minutes(batch: &Batch) -> Vec<Counted<'_>> {
    let counted = batch.counts.iter().filter(|tally| tally.count > 0).map(|tally| {
        let name = (tally.key.uuid(), tally.minute, text(&tally.route), tally.outcome.as_str());
        (name, (tally.workspace.uuid(), tally.api.uuid(), whole(tally.count), whole(tally.cost)))
    });
    summed(counted, add_counted)
}

fn quarters<'a>(minutes: &[Counted<'a>]) -> Vec<Counted<'a>> {
    let of = |((key, minute, route, outcome), counts): &Counted<'a>| ((*key, minute.div_euclid(15) * 15, route.clone(), *outcome), *counts);
    summed(minutes.iter().map(of), add_counted)
}

fn count_columns(rows: Vec<Counted<'_>>) -> Chunks<'_, CountColumns> {
    chunked(
        || rows,
        |columns: &mut CountColumns, ((key, minute, route, outcome), (workspace, api, count, cost))| {
            columns.key.push(key);
            columns.at.push(minute_start(minute));
            columns.route.push(route.into_owned());
            columns.outcome.push(outcome.to_owned());
            columns.workspace.push(workspace);
            columns.api.push(api);
            columns.count.push(count);
            columns.cost.push(cost);
        },
    )
}

/// When each key was last used: any outcome is a use, and so is asking about other keys, which is not counted.
fn activity(batch: &Batch, minutes: &[Counted<'_>]) -> Activity {
    let counted = minutes.iter().map(|((key, minute, ..), _)| (*key, minute_start(*minute)));
    let uses = batch.uses.iter().map(|seen| (seen.key.uuid(), minute_start(seen.at_micros.div_euclid(60_000_000))));
    summed(counted.chain(uses), |last, used| *last = used.max(*last))
}

/// What passed, by workspace, hour and key.
fn units<'a>(minutes: &[Counted<'_>]) -> Chunks<'a, UnitColumns> {
    let passed = minutes.iter().filter(|((.., outcome), (.., cost))| *outcome == Outcome::Valid.as_str() && *cost > 0);
    let rows = passed.map(|((key, minute, ..), (workspace, _, _, cost))| ((*workspace, minute.div_euclid(60) * 60, *key), *cost));
    let sums = summed(rows, add);
    chunked(
        || sums,
        |columns: &mut UnitColumns, ((workspace, hour, key), units)| {
            columns.key.push(key);
            columns.workspace.push(workspace);
            columns.hour.push(minute_start(hour));
            columns.units.push(units);
        },
    )
}

fn attempts(batch: &Batch) -> Chunks<'_, AttemptColumns> {
    let made = batch.unknown.iter().filter(|attempt| attempt.count > 0);
    let rows = made.map(|attempt| ((attempt.minute, attempt.reason.as_str(), text(&attempt.address)), whole(attempt.count)));
    chunked(
        || summed(rows, add),
        |columns: &mut AttemptColumns, ((minute, reason, address), count)| {
            columns.minute.push(minute_start(minute));
            columns.reason.push(reason.to_owned());
            columns.address.push(address.into_owned());
            columns.count.push(count);
        },
    )
}

fn samples<'a>(ctx: &'a Ctx, batch: &'a Batch) -> Chunks<'a, SampleColumns> {
    chunked(
        || batch.samples.iter().collect(),
        move |columns: &mut SampleColumns, refusal| {
            columns.id.push(ctx.new_id());
            columns.at.push(micros(refusal.at_micros));
            columns.key.push(refusal.key.map(Into::into));
            columns.workspace.push(refusal.workspace.map(Into::into));
            columns.api.push(refusal.api.map(Into::into));
            columns.code.push(refusal.code.as_str().to_owned());
            columns.ground.push(refusal.ground.as_str().to_owned());
            columns.limit_name.push(text(&refusal.limit).into_owned());
            columns.permission.push(text(&refusal.permission).into_owned());
            columns.route.push(text(&refusal.route).into_owned());
            columns.address.push(text(&refusal.address).into_owned());
            columns.request_id.push(text(&refusal.request_id).into_owned());
            columns.detail.push(text(&refusal.detail).into_owned());
        },
    )
}

fn passed_of<'a>(ctx: &'a Ctx, batch: &'a Batch) -> Chunks<'a, PassedColumns> {
    chunked(
        || batch.passed.iter().collect(),
        move |columns: &mut PassedColumns, call| {
            columns.id.push(ctx.new_id());
            columns.at.push(micros(call.at_micros));
            columns.key.push(call.key.uuid());
            columns.workspace.push(call.workspace.uuid());
            columns.api.push(call.api.uuid());
            columns.route.push(text(&call.route).into_owned());
            columns.address.push(text(&call.address).into_owned());
            columns.request_id.push(text(&call.request_id).into_owned());
            columns.cost.push(whole(call.cost));
            columns.one_in.push(i32::try_from(call.one_in.get()).unwrap_or(i32::MAX));
            // Names of limits come from the database: Postgres takes them again.
            columns.limits.push(serde_json::to_string(&call.limits).unwrap_or_else(|_| "[]".to_owned()));
        },
    )
}

/// Who used each secret last.
fn uses(batch: &Batch) -> Chunks<'_, UseColumns> {
    let sorted = || {
        let mut uses: Vec<&SecretUse> = batch.uses.iter().collect();
        uses.sort_unstable_by_key(|used| used.secret);
        uses
    };
    chunked(sorted, |columns: &mut UseColumns, used| {
        columns.secret.push(used.secret.uuid());
        columns.at.push(micros(used.at_micros));
        columns.address.push(text(&used.address).into_owned());
        columns.route.push(text(&used.route).into_owned());
    })
}

/// How long calls took, sorted and summed over so many quarters of an hour.
fn latencies(batch: &Batch, quarters: i64) -> Chunks<'_, LatencyColumns> {
    let told = batch.latencies.iter().filter(|one| one.count > 0).map(move |one| {
        let name = (one.key.uuid(), one.quarter.div_euclid(quarters) * quarters, text(&one.route), one.bucket);
        (name, (one.workspace.uuid(), one.api.uuid(), whole(one.count)))
    });
    let rows = || summed(told, |sum, more| add(&mut sum.2, more.2));
    chunked(rows, |columns: &mut LatencyColumns, ((key, quarter, route, bucket), (workspace, api, count))| {
        columns.key.push(key);
        columns.at.push(quarter_start(quarter));
        columns.route.push(route.into_owned());
        columns.bucket.push(bucket);
        columns.workspace.push(workspace);
        columns.api.push(api);
        columns.count.push(count);
    })
}

/// By key, quarter of an hour, part and outcome: workspace, API, count.
type Parted<'a> = ((Uuid, i64, Cow<'a, str>, &'static str), (Uuid, Uuid, i64));

/// From where calls came.
fn addresses_of(batch: &Batch) -> Chunks<'_, PartColumns> {
    let counted = batch.addresses.iter().filter(|one| one.count > 0).map(|one| {
        let name = (one.key.uuid(), one.quarter, Cow::Owned(told(one.address)), one.outcome.as_str());
        (name, (one.workspace.uuid(), one.api.uuid(), whole(one.count)))
    });
    part_columns(counted)
}

/// Which permissions calls needed.
fn permissions_of(batch: &Batch) -> Chunks<'_, PartColumns> {
    let counted = batch.permissions.iter().filter(|one| one.count > 0).map(|one| {
        let name = (one.key.uuid(), one.minute.div_euclid(15), text(&one.permission), one.outcome.as_str());
        (name, (one.workspace.uuid(), one.api.uuid(), whole(one.count)))
    });
    part_columns(counted)
}

fn part_columns<'a>(rows: impl Iterator<Item = Parted<'a>> + Send + 'a) -> Chunks<'a, PartColumns> {
    let rows = || summed(rows, |sum, more| add(&mut sum.2, more.2));
    chunked(rows, |columns: &mut PartColumns, ((key, quarter, part, outcome), (workspace, api, count))| {
        columns.key.push(key);
        columns.at.push(quarter_start(quarter));
        columns.part.push(part.into_owned());
        columns.outcome.push(outcome.to_owned());
        columns.workspace.push(workspace);
        columns.api.push(api);
        columns.count.push(count);
    })
}

/// With which secrets calls came, sorted and summed by quarter of an hour, address and route; both are empty of those that had no room.
fn secrets_of(batch: &Batch) -> Chunks<'_, SecretColumns> {
    // A route that nobody told has a name too.
    let named = |route: String| if route.is_empty() { "-".to_owned() } else { route };
    let who = move |one: &WithSecret| match &one.who {
        Some(who) => (who.address.map(told).unwrap_or_default(), named(text(&who.route).into_owned())),
        None => (String::new(), String::new()),
    };
    let counted = batch.secrets.iter().filter(|one| one.calls.total() > 0).map(move |one| {
        let (address, route) = who(one);
        ((one.secret.uuid(), one.quarter, address, route), (one.calls, one.last_micros))
    });
    let add = |sum: &mut (Counts, i64), more: (Counts, i64)| {
        sum.0 += more.0;
        sum.1 = sum.1.max(more.1);
    };
    let rows = move || summed(counted, add);
    chunked(rows, |columns: &mut SecretColumns, ((secret, quarter, address, route), (calls, last))| {
        columns.secret.push(secret);
        columns.at.push(quarter_start(quarter));
        columns.address.push(address);
        columns.route.push(route);
        columns.passed.push(whole(calls.passed));
        columns.limited.push(whole(calls.limited));
        columns.refused.push(whole(calls.refused));
        columns.last.push(micros(last));
    })
}

fn minute_start(minute: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(minute.saturating_mul(60)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn quarter_start(quarter: i64) -> OffsetDateTime {
    minute_start(quarter.saturating_mul(15))
}

fn micros(at: i64) -> OffsetDateTime {
    instant(Timestamp::from_microsecond(at).unwrap_or_default())
}

/// What Postgres takes as text: no NUL, and short. A batch must never fail for what a caller sent, or it would be tried for ever.
fn text(from: &str) -> Cow<'_, str> {
    let is_fine = from.len() <= TEXT && !from.contains('\0');
    if is_fine { Cow::Borrowed(from) } else { Cow::Owned(from.chars().filter(|c| *c != '\0').take(TEXT).collect()) }
}
