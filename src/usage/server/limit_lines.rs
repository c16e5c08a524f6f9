//! The limit as a line across the chart: one whose window is as long as a bar is wide. Where the bars are others, which view shows one.

use super::{calendar::Calendar, limits::states};
use crate::{
    keys::{
        model::{Level, Unit, Window},
        server::gate::{Gate, LimitState},
    },
    platform::Ctx,
    usage::model::{BucketSize, KeyChoice, LimitHint, LimitLine, UsageQuery},
    values::KeyId,
};
use jiff::Timestamp;

/// What is on the page.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub query: &'a UsageQuery,
    pub size: BucketSize,
    /// The sizes that suit the time.
    pub sizes: &'a [BucketSize],
    /// The key that is chosen.
    pub key: Option<KeyId>,
    /// Those to choose from; not all, if `has_more`.
    pub keys: &'a [KeyChoice],
    pub has_more: bool,
    /// The key with the most calls.
    pub busiest: Option<KeyId>,
    pub calendar: &'a Calendar,
    /// Calls cost other than one unit: then bars of calls say nothing of a limit of units.
    pub has_units: bool,
}

impl Shown<'_> {
    /// The bars are some of the calls only, or their units are others: a line across them would not be where calls are refused.
    fn is_no_measure(&self) -> bool {
        let UsageQuery { route, outcome, address, permission, .. } = self.query;
        self.has_units || [route, outcome, address, permission].into_iter().any(Option::is_some)
    }
}

/// The line, or where there is one. Several keys have none, unless they all share their limits: each has its own.
pub fn line(ctx: &Ctx, shown: Shown<'_>, now: Timestamp) -> (Option<LimitLine>, Option<LimitHint>) {
    if shown.is_no_measure() {
        return (None, None);
    }
    let Some(key) = shown.key.or_else(|| one_for_all(ctx, shown)) else {
        return (None, of_a_key(ctx, shown, now));
    };
    let limits = windows(ctx, key, now);
    match limits.iter().filter(|state| bars(state.window, shown.calendar, now) == Some(shown.size)).min_by_key(|state| state.limit) {
        Some(state) => (Some(LimitLine { calls: state.limit, window: state.window.words(), is_shared: is_shared(ctx, key) }), None),
        None => (None, hint(&limits, shown, now)),
    }
}

/// How wide the bars are in which a window is one bar. What holds in any stretch of time holds in a bar, too; other windows only where they
/// begin with the bars: twice its limit may pass across the end of one. Weeks counted from 1970 begin on Thursdays, so none is a bar.
fn bars(window: Window, calendar: &Calendar, now: Timestamp) -> Option<BucketSize> {
    let zone = match &window {
        Window::Local(_, zone) => zone.as_str(),
        _ => "UTC",
    };
    match window {
        Window::Seconds(60) | Window::Rolling(60) => Some(BucketSize::Minute),
        Window::Seconds(300) | Window::Rolling(300) => Some(BucketSize::FiveMinutes),
        Window::Rolling(3_600) => Some(BucketSize::Hour),
        Window::Rolling(86_400) => Some(BucketSize::Day),
        Window::Rolling(604_800) => Some(BucketSize::Week),
        Window::Seconds(3_600) if calendar.is_even(now, 3_600) => Some(BucketSize::Hour),
        Window::Seconds(86_400) | Window::Local(Unit::Day, _) if calendar.is_of(zone) => Some(BucketSize::Day),
        Window::Month | Window::Local(Unit::Month, _) if calendar.is_of(zone) => Some(BucketSize::Month),
        _ => None,
    }
}

/// The limits of a key that hold for a stretch of time.
fn windows(ctx: &Ctx, key: KeyId, now: Timestamp) -> Vec<LimitState> {
    states(ctx, key, now).into_iter().filter(|state| !state.window.is_concurrent() && !state.window.is_credits()).collect()
}

fn is_shared(ctx: &Ctx, key: KeyId) -> bool {
    ctx.part::<Gate>().and_then(|gate| gate.level(key)).is_some_and(Level::is_shared)
}

/// A key whose limits are those of all that is shown: the only one, or any where all share.
fn one_for_all(ctx: &Ctx, shown: Shown<'_>) -> Option<KeyId> {
    match shown.keys {
        _ if shown.has_more || shown.query.named.is_some() => None,
        [only] => Some(only.id),
        // Of one API only some of the calls that they share it for are shown.
        keys => keys.first().map(|first| first.id).filter(|_| shown.query.api.is_none() && keys.iter().all(|key| is_shared(ctx, key.id))),
    }
}

/// The view that has a line for the shortest window, or that there is none.
fn hint(limits: &[LimitState], shown: Shown<'_>, now: Timestamp) -> Option<LimitHint> {
    let view = |state: &LimitState| bars(state.window, shown.calendar, now).and_then(|size| Some((size, view(shown, size)?)));
    let (limit, view) = match limits.iter().filter_map(|state| Some((state, view(state)?))).min_by_key(|(state, _)| state.length) {
        Some((state, view)) => (state, Some(view)),
        None => (limits.iter().min_by_key(|state| state.length)?, None),
    };
    Some(LimitHint { limit: limit.words(), key: None, view })
}

/// The same of the busiest key, where none is chosen.
fn of_a_key(ctx: &Ctx, shown: Shown<'_>, now: Timestamp) -> Option<LimitHint> {
    let key = shown.keys.iter().find(|key| Some(key.id) == shown.busiest)?;
    let query = UsageQuery { key: Some(key.id.to_string()), ..shown.query.clone() };
    let limits = windows(ctx, key.id, now);
    let hint = match limits.iter().find(|state| bars(state.window, shown.calendar, now) == Some(shown.size)) {
        Some(state) => LimitHint { limit: state.words(), key: None, view: Some((shown.size, query)) },
        None => hint(&limits, Shown { query: &query, ..shown }, now)?,
    };
    hint.view.is_some().then(|| LimitHint { key: Some(key.name.clone()), ..hint })
}

/// The same in such bars: over the time that is shown, if it suits, else over one that does. None of those that are offered suits minutes.
fn view(shown: Shown<'_>, size: BucketSize) -> Option<UsageQuery> {
    match size {
        size if shown.sizes.contains(&size) => Some(shown.query.by(size)),
        BucketSize::Minute | BucketSize::FiveMinutes => None,
        BucketSize::Hour => Some(shown.query.over("24h")),
        BucketSize::Day => Some(shown.query.over("30d")),
        BucketSize::Week => Some(shown.query.over("year")),
        BucketSize::Month => Some(shown.query.over("year").by(size)),
    }
}
