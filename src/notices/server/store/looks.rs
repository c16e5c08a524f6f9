//! Which keys' limits are to be looked at now, where many keys are in use (migration 0112).

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Keys to look at, in order, as columns.
#[derive(Debug, Default)]
pub struct Due {
    keys: Vec<Uuid>,
    calls: Vec<i64>,
    units: Vec<i64>,
    since: Option<OffsetDateTime>,
}

/// Some of them.
#[derive(Debug, Clone, Copy)]
pub struct DueKeys<'a> {
    pub keys: &'a [Uuid],
    /// What of each passed since `since`.
    pub calls: &'a [i64],
    pub units: &'a [i64],
    /// When the quarter of an hour before this one began. None: few keys are in use, all are looked at each time, and nothing is noted.
    pub since: Option<OffsetDateTime>,
}

impl Due {
    pub fn chunks(&self, most: usize) -> impl Iterator<Item = DueKeys<'_>> {
        let columns = self.keys.chunks(most).zip(self.calls.chunks(most)).zip(self.units.chunks(most));
        columns.map(|((keys, calls), units)| DueKeys { keys, calls, units, since: self.since })
    }
}

/// Of the keys with calls in the last three quarters of an hour (a mark is passed by a call) all, if they are few; else those of which as much passed since
/// they were looked at as they had room for, and those that are due: so each is looked at once more half an hour after its last call. `quarter` is when the
/// present one began.
pub async fn list_due(conn: &mut PgConnection, now: OffsetDateTime, quarter: OffsetDateTime, few: i64) -> sqlx::Result<Due> {
    let rows = sqlx::query!(
        r#"with quarters as (
             select $2::timestamptz - interval '15 minutes' as last, $2::timestamptz - interval '30 minutes' as before
           ), in_use as materialized (
             select key_id, sum(count) filter (where outcome = 'VALID' and quarter between last and $1) as calls,
               sum(coalesce(cost, count)) filter (where outcome = 'VALID' and quarter between last and $1) as units,
               sum(count) filter (where outcome = 'VALID' and quarter between before and $1) as calls_before,
               sum(coalesce(cost, count)) filter (where outcome = 'VALID' and quarter between before and $1) as units_before
             from usage_quarters, quarters where quarter > $1::timestamptz - interval '60 minutes' group by 1
           ), are_many as materialized (
             select count(*) > $3::bigint as yes from in_use
           )
           select u.key_id, coalesce(u.calls, 0)::bigint as "calls!", coalesce(u.units, 0)::bigint as "units!", q.last as "last!", m.yes as "are_many!"
           from in_use u cross join quarters q cross join are_many m left join key_looks l on m.yes and l.key_id = u.key_id
           where l.key_id is null or l.due <= $1
             or case l.quarter when q.last then greatest(u.calls - l.calls, u.units - l.units)
               when q.before then greatest(u.calls_before - l.calls, u.units_before - l.units) else l.room end >= l.room
           order by u.key_id"#,
        now,
        quarter,
        few,
    );
    let mut due = Due::default();
    for row in rows.fetch_all(conn).await? {
        due.since = row.are_many.then_some(row.last);
        due.keys.push(row.key_id);
        due.calls.push(row.calls);
        due.units.push(row.units);
    }
    Ok(due)
}

/// Forgets keys that nobody has called for a day, at most `most` of them; true if there may be more. One that is looked at just now stays.
pub async fn forget_looks(db: &PgPool, now: OffsetDateTime, most: i64) -> sqlx::Result<bool> {
    let forgotten = sqlx::query!(
        "delete from key_looks where key_id in (
           select key_id from key_looks where due < $1::timestamptz - interval '1 day' order by key_id limit $2 for update skip locked)",
        now,
        most,
    );
    Ok(forgotten.execute(db).await?.rows_affected() >= most.unsigned_abs())
}
