//! Limits held against usage step by step, all of them together: what one holds back fills none of the others, and counts once.

use super::{
    dry_run::{QUARTER, Who},
    store::StepRow,
};
use crate::{
    keys::{
        model::{KeyLimit, Window},
        server::gate::window_number,
    },
    plans::model::WouldBeLimited,
    values::{KeyId, WorkspaceId},
};
use std::collections::{HashMap, VecDeque};

/// A limit, and whether it is held against minutes, not quarters of an hour.
pub(super) type Held<'a> = (&'a KeyLimit, bool);

/// All who ask, one after the other, each in order of time.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    limits: Vec<Held<'a>>,
    /// All limits count calls: so do the answers.
    in_calls: bool,
    names: HashMap<Who, String>,
    now: Option<(Who, One<'a>)>,
    limited: Vec<WouldBeLimited>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(limits: Vec<Held<'a>>, names: HashMap<Who, String>) -> Self {
        let in_calls = limits.iter().all(|(limit, _)| limit.unit.is_calls());
        Self { limits, in_calls, names, now: None, limited: Vec::new() }
    }

    pub(super) fn step(&mut self, row: &StepRow) {
        let who = (WorkspaceId::new(row.workspace), row.key.map(KeyId::new));
        if self.now.as_ref().is_none_or(|(before, _)| *before != who) {
            self.close();
        }
        let (_, one) = self.now.get_or_insert_with(|| (who, One::new(&self.limits)));
        let [units, calls] = [row.units, row.calls].map(|n| u64::try_from(n).unwrap_or(0));
        let asked = Step { at: row.at.unix_timestamp(), units: if self.in_calls { calls } else { units }, calls };
        if row.is_minute {
            // The minutes of a quarter stand behind it, in its place.
            one.quarter = None;
            one.ask(asked, true);
        } else {
            one.settle();
            one.units = one.units.saturating_add(asked.units);
            one.quarter = Some(asked);
        }
    }

    /// Of whom something would have been held back.
    pub(super) fn end(mut self) -> Vec<WouldBeLimited> {
        self.close();
        self.limited
    }

    fn close(&mut self) {
        let Some((who, mut one)) = self.now.take() else { return };
        one.settle();
        if one.beyond > 0 {
            let ((workspace, key), name) = (who, self.names.remove(&who).unwrap_or_default());
            let windows = one.runs.iter().map(|run| run.times).sum();
            self.limited.push(WouldBeLimited { workspace, name, key, windows, beyond: one.beyond, units: one.units });
        }
    }
}

/// What was asked within a minute or a quarter of an hour.
#[derive(Debug, Clone, Copy)]
struct Step {
    at: i64,
    units: u64,
    calls: u64,
}

/// One who asks.
#[derive(Debug)]
struct One<'a> {
    runs: Vec<Run<'a>>,
    /// The last quarter, until it is clear that no minutes stand in its place.
    quarter: Option<Step>,
    beyond: u64,
    /// Of all that was asked.
    units: u64,
}

impl<'a> One<'a> {
    fn new(limits: &[Held<'a>]) -> Self {
        Self { runs: limits.iter().map(|&(limit, by_minute)| Run::new(limit, by_minute)).collect(), quarter: None, beyond: 0, units: 0 }
    }

    fn settle(&mut self) {
        if let Some(asked) = self.quarter.take() {
            self.ask(asked, false);
        }
    }

    /// What passes is what all limits have room for. Calls pass with their share of the units, as nobody knows what each cost.
    fn ask(&mut self, asked: Step, is_minute: bool) {
        let Step { at, units, calls } = asked;
        let mut passes = units;
        for run in self.runs.iter_mut().filter(|run| is_minute || !run.by_minute) {
            let left = run.left(at);
            let (wanted, pass) = if run.limit.unit.is_calls() { (calls, part(units, left, calls)) } else { (units, left) };
            if left < wanted {
                run.refuse(at);
                passes = passes.min(pass);
            }
        }
        let calls_pass = part(calls, passes, units) + u64::from(part(units, part(calls, passes, units), calls) < passes);
        for run in self.runs.iter_mut().filter(|run| is_minute || !run.by_minute) {
            run.take(at, if run.limit.unit.is_calls() { calls_pass } else { passes });
        }
        self.beyond = self.beyond.saturating_add(units - passes);
    }
}

/// So much of it as `some` are of all.
fn part(of: u64, some: u64, all: u64) -> u64 {
    let part = u128::from(of) * u128::from(some) / u128::from(all.max(1));
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// One limit for one who asks.
#[derive(Debug)]
struct Run<'a> {
    limit: &'a KeyLimit,
    by_minute: bool,
    room: Room,
    /// Windows in which it would have held something back, or quarters or minutes.
    times: u64,
    refused_in: Option<i64>,
}

#[derive(Debug)]
enum Room {
    /// What passed in the window of this number.
    Fixed { number: u32, used: u64 },
    /// What passed within the window, and when.
    Rolling { passed: VecDeque<(i64, u64)>, within: u64 },
    /// What is left, and the number of the last refill; none: it is full.
    Credits { number: Option<u32>, left: u64 },
}

impl<'a> Run<'a> {
    fn new(limit: &'a KeyLimit, by_minute: bool) -> Self {
        let room = match limit.window {
            Window::Rolling(_) => Room::Rolling { passed: VecDeque::new(), within: 0 },
            Window::Credits(_) => Room::Credits { number: None, left: limit.limit },
            _ => Room::Fixed { number: 0, used: 0 },
        };
        Self { limit, by_minute, room, times: 0, refused_in: None }
    }

    /// What is asked in a quarter counts as if at its beginning, also where its minutes are known.
    fn begin(&self, at: i64) -> i64 {
        if self.by_minute { at } else { at - at.rem_euclid(i64::from(QUARTER)) }
    }

    /// What it has room for.
    fn left(&mut self, at: i64) -> u64 {
        let (at, limit, window) = (self.begin(at), self.limit.limit, self.limit.window);
        let now = || window_number(window, at.saturating_mul(1_000_000));
        match &mut self.room {
            Room::Fixed { number, used } => {
                let now = now();
                if now != *number {
                    (*number, *used) = (now, 0);
                }
                limit.saturating_sub(*used)
            }
            Room::Rolling { passed, within } => {
                let seconds = i64::from(window.stored_seconds());
                while let Some((_, units)) = passed.front().copied().filter(|(then, _)| then + seconds <= at) {
                    passed.pop_front();
                    *within -= units;
                }
                limit.saturating_sub(*within)
            }
            Room::Credits { number, left } => {
                let now = now();
                let refills = now.saturating_sub(number.replace(now).unwrap_or(now));
                let back = u64::from(refills).saturating_mul(window.refill().map_or(0, |refill| refill.units.into()));
                *left = left.saturating_add(back).min(limit);
                *left
            }
        }
    }

    fn refuse(&mut self, at: i64) {
        let place = match &self.room {
            Room::Fixed { number, .. } => i64::from(*number),
            Room::Rolling { .. } | Room::Credits { .. } => self.begin(at),
        };
        if self.refused_in.replace(place) != Some(place) {
            self.times += 1;
        }
    }

    fn take(&mut self, at: i64, units: u64) {
        let at = self.begin(at);
        match &mut self.room {
            Room::Fixed { used, .. } => *used = used.saturating_add(units),
            Room::Rolling { passed, within } => {
                passed.push_back((at, units));
                *within += units;
            }
            Room::Credits { left, .. } => *left = left.saturating_sub(units),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::LimitUnit;

    /// What is held back of each, one unit a call, and how often each limit did so.
    fn held(limits: &[KeyLimit], asked: &[(i64, u64)]) -> (Vec<u64>, Vec<u64>) {
        let mut one = One::new(&limits.iter().map(|limit| (limit, false)).collect::<Vec<_>>());
        let mut held = Vec::new();
        for &(at, units) in asked {
            let before = one.beyond;
            one.ask(Step { at, units, calls: units }, false);
            held.push(one.beyond - before);
        }
        (held, one.runs.iter().map(|run| run.times).collect())
    }

    fn limit(limit: u64, window: &str) -> KeyLimit {
        KeyLimit::new("a", limit, window.parse().expect("a window"))
    }

    #[test]
    fn what_was_held_back_fills_no_rolling_window() {
        let asked = [(0, 6), (3_600, 6), (5_400, 3), (7_200, 7), (10_800, 9), (100_000, 25)];
        let expected = (vec![0, 2, 3, 1, 5, 15], vec![5]);
        assert_eq!(held(&[limit(10, "rolling:7200")], &asked), expected, "4, none and 6 of what was asked first passed, then what came back");
    }

    #[test]
    fn a_unit_that_two_limits_have_no_room_for_counts_once() {
        let both = [limit(100, "hour"), limit(50, "rolling:hour")];
        // 50 pass; half an hour later none; then the 50 are an hour old.
        assert_eq!(held(&both, &[(0, 150), (1_800, 70), (3_600, 40)]), (vec![100, 70, 0], vec![1, 2]));
        let calls = KeyLimit { unit: LimitUnit::Calls, ..limit(10, "hour") };
        assert_eq!(held(&[limit(20, "hour"), calls], &[(0, 8), (900, 8), (1_800, 8)]), (vec![0, 6, 8], vec![0, 1]));
    }

    #[test]
    fn credits_come_back_with_the_clock_and_prepaid_ones_never() {
        let asked = [(1_800, 12), (3_600, 4), (7_200, 9), (36_000, 11)];
        assert_eq!(held(&[limit(10, "credits:3/hour")], &asked).0, [2, 1, 6, 1], "10, 3, 3 and 10 at most");
        assert_eq!(held(&[limit(10, "credits")], &asked).0, [2, 4, 9, 11]);
    }

    #[test]
    fn units_pass_with_the_share_of_their_calls() {
        let calls = KeyLimit { unit: LimitUnit::Calls, ..limit(5, "hour") };
        let limits = [calls, limit(40, "hour")];
        let mut one = One::new(&limits.iter().map(|limit| (limit, false)).collect::<Vec<_>>());
        one.ask(Step { at: 0, units: 70, calls: 10 }, false);
        assert_eq!(one.beyond, 35, "5 of 10 calls");
        one.ask(Step { at: 900, units: 7, calls: 1 }, false);
        assert_eq!(one.beyond, 42, "no call is left");
    }
}
