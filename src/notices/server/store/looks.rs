//! Which keys' limits are to be looked at now (migration 0112).

use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Keys to look at, in order, as columns.
#[derive(Debug, Default)]
pub struct Due {
    pub keys: Vec<Uuid>,
    /// What of each passed since `quarter`.
    pub calls: Vec<i64>,
    pub units: Vec<i64>,
    /// The present quarter of an hour, where it is to be noted that they were looked at: with so many in use, not all of them are.
    pub quarter: Option<OffsetDateTime>,
}

/// Of the keys with calls in the last half hour (a threshold is passed by a call) all, if they are few; else those of which as much was used since they
/// were looked at as they had room for, and those whose time has come.
pub async fn list_due(conn: &mut PgConnection, now: OffsetDateTime, few: i64) -> sqlx::Result<Due> {
    let rows = sqlx::query!(
        r#"with quarters as materialized (
             select date_bin('15 minutes', $1::timestamptz, timestamptz '2000-01-01 00:00:00+00') as present
           ), in_use as materialized (
             select key_id,  sum(count) filter (where outcome = 'VALID' and quarter >= q.present) as calls,
               sum(coalesce(cost, count)) filter (where outcome = 'VALID' and quarter >= q.present) as units,
               sum(count) filter (where outcome = 'VALID' and quarter >= q.present - interval '15 minutes') as recent_calls,
               sum(coalesce(cost, count)) filter (where outcome = 'VALID' and quarter >= q.present - interval '15 minutes') as recent_units
             from usage_quarters, quarters q where quarter > $1::timestamptz - interval '45 minutes' group by 1
           ), are_many as materialized (select count(*) > $2::bigint as yes from in_use)
           select u.key_id, coalesce(u.calls, 0)::bigint as "calls!", coalesce(u.units, 0)::bigint as "units!", q.present as "quarter!", m.yes as "are_many!"
           from in_use u cross join quarters q cross join are_many m left join next_looks l on m.yes and l.key_id = u.key_id
           where l.key_id is null or l.due <= $1
             or case l.quarter when q.present then greatest(u.calls - l.calls, u.units - l.units)
               when q.present - interval '15 minutes' then greatest(u.recent_calls - l.calls, u.recent_units - l.units) else l.room end >= l.room
           order by u.key_id"#,
        now,
        few,
    );
    let mut due = Due::default();
    for row in rows.fetch_all(conn).await? {
        due.quarter = row.are_many.then_some(row.quarter);
        due.keys.push(row.key_id);
        due.calls.push(row.calls);
        due.units.push(row.units);
    }
    Ok(due)
}

/// Forgets keys that nobody has called for a day.
pub async fn forget_looks(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!("delete from next_looks where due < $1::timestamptz - interval '1 day'", now).execute(db).await?;
    Ok(())
}
