//! What was used when, for the forecasts of windows and of credits.

use crate::{keys::model::LimitUnit, values::KeyId};
use sqlx::PgPool;
use std::ops::Range;
use time::OffsetDateTime;

/// Cost units, or calls, of what passed in one piece of time.
#[derive(Debug)]
pub struct PieceRow {
    /// Where the piece begins.
    pub at: OffsetDateTime,
    /// How long it is.
    pub seconds: i32,
    pub units: i64,
}

/// In what a key's counts are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    Minutes,
    Quarters,
    /// Of UTC.
    Days,
}

impl Grain {
    pub const fn seconds(self) -> i32 {
        match self {
            Self::Minutes => 60,
            Self::Quarters => 900,
            Self::Days => 86_400,
        }
    }
}

/// What a key used in each such piece of time since then, in order of time: of each route 361 minutes, 673 quarters of an hour or 32 days at most.
pub async fn list_pieces(db: &PgPool, key: KeyId, since: OffsetDateTime, grain: Grain, unit: LimitUnit) -> sqlx::Result<Vec<PieceRow>> {
    sqlx::query_as!(
        PieceRow,
        r#"with pieces as (
             select d.day as at, taken($4, d.count, d.cost) as units from usage_by_day($2, 'infinity') d where $3::integer = 86400 and d.key_id = $1 and d.day >= $2 and d.outcome = 'VALID'
             union all
             select q.quarter, taken($4, q.count, q.cost) from usage_quarters q where $3 = 900 and q.key_id = $1 and q.quarter >= $2 and q.outcome = 'VALID'
             union all
             select m.minute, taken($4, m.count, m.cost) from usage_minutes m where $3 = 60 and m.key_id = $1 and m.minute >= $2 and m.outcome = 'VALID'
           )
           select at as "at!", $3::integer as "seconds!", sum(units)::bigint as "units!" from pieces group by at order by at"#,
        key.uuid(),
        since,
        grain.seconds(),
        unit.as_str(),
    )
    .fetch_all(db)
    .await
}

/// What all keys that share the limits of this key's workspace used in each hour since then, in order of time: 745 rows at most, however many
/// keys there are. Hours are kept in units only: calls are summed from what is kept of the keys that share now, days of UTC in place of hours
/// from one midnight to another (`days`; there need be none).
pub async fn list_shared_pieces(db: &PgPool, key: KeyId, since: OffsetDateTime, days: Range<OffsetDateTime>, unit: LimitUnit) -> sqlx::Result<Vec<PieceRow>> {
    if unit.is_calls() {
        return list_shared_calls(db, key, since, days).await;
    }
    sqlx::query_as!(
        PieceRow,
        r#"select u.hour as at, 3600 as "seconds!", u.units from usage_shared_hours u
           where u.workspace_id = (select k.workspace_id from keys k where k.id = $1) and u.hour >= $2 order by u.hour"#,
        key.uuid(),
        since,
    )
    .fetch_all(db)
    .await
}

/// A day that is rolled up has one row where 96 quarters of an hour have as many. What a day took is the sum of its quarters, unless a route had questions that cost
/// nothing beside others (`taken` of migration 0076): then it may be as much more as there were of these, never less.
async fn list_shared_calls(db: &PgPool, key: KeyId, since: OffsetDateTime, days: Range<OffsetDateTime>) -> sqlx::Result<Vec<PieceRow>> {
    sqlx::query_as!(
        PieceRow,
        r#"with parts as (
             select q.key_id, date_trunc('hour', q.quarter, 'UTC') as at, 3600 as seconds, sum(taken('calls', q.count, q.cost)) as units
             from usage_quarters q
             where q.workspace_id = (select k.workspace_id from keys k where k.id = $1) and q.quarter >= $2 and q.quarter < $3 and q.outcome = 'VALID'
             group by 1, 2
             union all
             select d.key_id, d.day, 86400, sum(taken('calls', d.count, d.cost))
             from usage_by_day($3, $4) d
             where d.workspace_id = (select k.workspace_id from keys k where k.id = $1) and d.day >= $3 and d.day < $4 and d.outcome = 'VALID'
             group by 1, 2
             union all
             select q.key_id, date_trunc('hour', q.quarter, 'UTC'), 3600, sum(taken('calls', q.count, q.cost))
             from usage_quarters q
             where q.workspace_id = (select k.workspace_id from keys k where k.id = $1) and q.quarter >= $4 and q.outcome = 'VALID'
             group by 1, 2
           )
           select p.at as "at!", p.seconds as "seconds!", sum(p.units)::bigint as "units!" from parts p
           where exists (select from keys k join apis i on i.id = k.api_id and i.slug <> 'tollgate' where k.id = p.key_id
             and not exists (select from key_limits l where l.key_id = k.id) and not exists (select from plan_limits l where l.plan_id = k.plan_id))
           group by p.at, p.seconds order by p.at"#,
        key.uuid(),
        since,
        days.start,
        days.end,
    )
    .fetch_all(db)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use time::{Date, Duration, macros::datetime};
    use uuid::Uuid;

    /// A key that shares the limits of its workspace.
    const KEY: Uuid = Uuid::from_u128(0xa);
    const NOW: OffsetDateTime = datetime!(2026-11-20 13:37:11 UTC);
    const TODAY: OffsetDateTime = datetime!(2026-11-20 00:00 UTC);
    /// A rolling month and an hour ago, in the midst of a day, and the first midnight since.
    const SINCE: OffsetDateTime = datetime!(2026-10-21 12:37:11 UTC);
    const MIDNIGHT: OffsetDateTime = datetime!(2026-10-22 00:00 UTC);

    /// Two keys that share, one with a limit of its own (c), one for Tollgate's own API (d), and one of another workspace (e).
    async fn keys(db: &PgPool) {
        let insert = "insert into workspaces (id, name, created_at) values ('00000000-0000-0000-0000-000000000001', 'ours', now()),
               ('00000000-0000-0000-0000-000000000002', 'theirs', now());
             insert into keys (id, workspace_id, api_id, name, created_at, updated_at)
             select ('00000000-0000-0000-0000-00000000000' || k)::uuid, ('00000000-0000-0000-0000-00000000000' || w)::uuid, a.id, k, now(), now()
             from (values ('a', 1, 'demo'), ('b', 1, 'demo'), ('c', 1, 'demo'), ('d', 1, 'tollgate'), ('e', 2, 'demo')) v(k, w, slug) join apis a using (slug);
             insert into key_limits (key_id, name, max_calls, window_seconds) values ('00000000-0000-0000-0000-00000000000c', 'own', 9, 60)";
        sqlx::raw_sql(insert).execute(db).await.expect("keys");
    }

    /// Counts of every key in these quarters of an hour, which have the number n; the last says route, outcome, count and cost.
    macro_rules! counts {
        ($quarters:literal, $what:literal) => {
            concat!(
                "insert into usage_quarters (key_id, quarter, route, outcome, workspace_id, api_id, count, cost)
                 select k.id, q.t, v.route, v.outcome, k.workspace_id, k.api_id, v.count, v.cost
                 from keys k cross join (select t, extract(epoch from t)::bigint / 900 as n from ",
                $quarters,
                " t) q cross join lateral (values ",
                $what,
                ") v(route, outcome, count, cost)"
            )
        };
    }

    async fn count(db: &PgPool, insert: &'static str) {
        sqlx::raw_sql(insert).execute(db).await.expect("counts");
    }

    async fn calls(db: &PgPool, days: Range<OffsetDateTime>) -> Vec<PieceRow> {
        list_shared_pieces(db, KeyId::new(KEY), SINCE, days, LimitUnit::Calls).await.expect("pieces")
    }

    fn sum(rows: &[PieceRow]) -> i64 {
        rows.iter().map(|row| row.units).sum()
    }

    fn by_day(rows: &[PieceRow]) -> BTreeMap<Date, i64> {
        let mut sums = BTreeMap::new();
        for row in rows {
            *sums.entry(row.at.date()).or_default() += row.units;
        }
        sums
    }

    #[sqlx::test(migrator = "crate::platform::db::MIGRATIONS")]
    async fn days_and_hours_at_both_ends_sum_up_what_quarters_of_an_hour_do(db: PgPool) {
        keys(&db).await;
        // Dear calls, cheap ones, free ones and rows without a cost, from before the window up to now, at all hours and at midnight.
        let insert = counts!(
            "generate_series('2026-10-18 00:00Z'::timestamptz, '2026-11-20 13:30Z', '15 minutes')",
            "('GET /dear', 'VALID', 1 + n % 7, 5 * (1 + n % 7)), ('GET /cheap', 'VALID', 1 + n % 11, 1 + n % 11), ('GET /free', 'VALID', 3, 0),
             ('GET /old', 'VALID', 2, null), ('GET /dear', 'RATE_LIMITED', 4, 20)"
        );
        count(&db, insert).await;
        // Today's are not rolled up.
        super::super::writing::roll_up(&db, TODAY).await.unwrap();
        let (hours, mixed) = (calls(&db, SINCE..SINCE).await, calls(&db, MIDNIGHT..TODAY).await);
        assert_eq!(by_day(&mixed), by_day(&hours));
        let kept: i64 = sqlx::query_scalar(
            "select sum(count)::bigint from usage_quarters
             where right(key_id::text, 1) in ('a', 'b') and quarter >= $1 and outcome = 'VALID' and route <> 'GET /free'",
        )
        .bind(SINCE)
        .fetch_one(&db)
        .await
        .expect("their sum");
        assert_eq!((sum(&hours), sum(&mixed)), (kept, kept), "of two keys, and nothing of what is free");

        let sizes = |rows: &[PieceRow]| [3_600, 86_400].map(|seconds| rows.iter().filter(|row| row.seconds == seconds).count());
        assert_eq!((sizes(&hours), sizes(&mixed)), ([722, 0], [26, 29]), "12 hours of the first day, 14 of today");
        assert!(mixed.is_sorted_by(|a, b| a.at + Duration::seconds(a.seconds.into()) <= b.at), "none twice");
        assert!(mixed.iter().all(|row| row.at <= NOW));
    }

    #[sqlx::test(migrator = "crate::platform::db::MIGRATIONS")]
    async fn free_calls_among_dear_ones_of_a_route_count_too_much_by_no_more_than_they_are(db: PgPool) {
        keys(&db).await;
        let insert =
            counts!("unnest(array['2026-11-01 09:00Z', '2026-11-01 10:00Z']::timestamptz[])", "('GET /', 'VALID', 10, case when n % 8 < 4 then 0 else 50 end)");
        count(&db, insert).await;
        // Of quarters that are not yet rolled up each is told apart.
        super::super::writing::roll_up(&db, TODAY).await.unwrap();
        let (hours, mixed) = (calls(&db, SINCE..SINCE).await, calls(&db, MIDNIGHT..TODAY).await);
        assert_eq!((sum(&hours), sum(&mixed)), (20, 40), "ten of each key are free");
    }
}
