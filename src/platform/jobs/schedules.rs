//! Work by the clock: each schedule has slots of time, and each slot becomes one job, whichever node enqueues it first.
//!
//! The job's id is made from the schedule's name and the slot, so the primary key lets only one of several nodes in. A slot that
//! passed while nothing ran is made up once, at start.

use super::Job;
use crate::platform::{Ctx, crypto::sha256};
use serde_json::Value;
use sqlx::Postgres;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// At which second of the day (UTC) nightly work begins.
const NIGHT: i64 = 3 * 3600;
const DAY: Duration = Duration::from_secs(86_400);

/// All schedules of this process.
#[derive(Default)]
pub struct Schedules(Vec<Schedule>);

struct Schedule {
    name: &'static str,
    kind: &'static str,
    max_attempts: i32,
    payload: Value,
    every: i64,
    offset: i64,
    /// The slot that was enqueued last, by whomever.
    last: Option<i64>,
}

impl Schedules {
    pub fn new() -> Self {
        Self::default()
    }

    /// `job` once in every `every` (whole seconds, a week at most), counted from midnight UTC. The name must not change.
    #[must_use]
    pub fn every<J: Job>(self, name: &'static str, every: Duration, job: &J) -> Self {
        self.add(name, every, 0, job)
    }

    /// `job` once a day at 03:00 UTC.
    #[must_use]
    pub fn nightly<J: Job>(self, name: &'static str, job: &J) -> Self {
        self.add(name, DAY, NIGHT, job)
    }

    fn add<J: Job>(mut self, name: &'static str, every: Duration, offset: i64, job: &J) -> Self {
        assert!(self.0.iter().all(|s| s.name != name), "two schedules are called {name}");
        self.0.push(Schedule {
            name,
            kind: J::KIND,
            max_attempts: i32::try_from(J::MAX_ATTEMPTS).unwrap_or(i32::MAX),
            payload: serde_json::to_value(job).unwrap_or_else(|error| unreachable!("the payload of {name}: {error}")),
            every: i64::try_from(every.as_secs()).unwrap_or(i64::MAX).max(1),
            offset,
            last: None,
        });
        self
    }

    /// Enqueues the present slot of each schedule, unless somebody has.
    pub async fn enqueue_due(&mut self, ctx: &Ctx) -> sqlx::Result<()> {
        let now = ctx.clock.now();
        let due: Vec<(&Schedule, i64)> = self.0.iter().map(|s| (s, s.slot(now))).filter(|(s, slot)| s.last != Some(*slot)).collect();
        if due.is_empty() {
            return Ok(());
        }
        let mut insert = sqlx::QueryBuilder::<Postgres>::new("insert into jobs (id, kind, payload, max_attempts, run_at, created_at, master_key) ");
        let key = ctx.vault.link_key_id().to_string();
        insert.push_values(&due, |mut row, (schedule, slot)| {
            row.push_bind(schedule.id(*slot))
                .push_bind(schedule.kind)
                .push_bind(&schedule.payload)
                .push_bind(schedule.max_attempts)
                .push_bind(now)
                .push_bind(now)
                .push_bind(key.clone());
        });
        insert.push(" on conflict (id) do nothing").build().execute(&ctx.db).await?;
        for schedule in &mut self.0 {
            schedule.last = Some(schedule.slot(now));
        }
        Ok(())
    }
}

impl Schedule {
    /// When the present slot began, in seconds since 1970.
    fn slot(&self, now: OffsetDateTime) -> i64 {
        (now.unix_timestamp() - self.offset).div_euclid(self.every) * self.every + self.offset
    }

    /// A UUIDv7 of the slot whose random part is the schedule's name.
    fn id(&self, slot: i64) -> Uuid {
        let name = sha256(self.name);
        let mut rest = [0; 10];
        rest.copy_from_slice(&name[..10]);
        uuid::Builder::from_unix_timestamp_millis(u64::try_from(slot * 1000).unwrap_or(0), &rest).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn nightly() -> Schedule {
        Schedule { name: "x", kind: "x", max_attempts: 1, payload: Value::Null, every: 86_400, offset: NIGHT, last: None }
    }

    #[test]
    fn a_night_lasts_from_three_to_three() {
        let slot = |at: OffsetDateTime| nightly().slot(at);
        assert_eq!(slot(datetime!(2026-11-20 02:59:59 UTC)), datetime!(2026-11-19 03:00 UTC).unix_timestamp());
        assert_eq!(slot(datetime!(2026-11-20 03:00 UTC)), datetime!(2026-11-20 03:00 UTC).unix_timestamp());
    }

    #[test]
    fn a_slot_has_one_id_everywhere() {
        assert_eq!(nightly().id(86_400), nightly().id(86_400));
        assert_ne!(nightly().id(86_400), nightly().id(172_800));
        assert_ne!(nightly().id(86_400), Schedule { name: "y", ..nightly() }.id(86_400));
    }
}
