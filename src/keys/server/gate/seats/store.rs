//! The SQL of places. Time is that of the database, so that machines need not agree on it.

use super::{lending::Elsewhere, taken::Request};
use crate::{keys::server::gate::leases::Ask, platform::clock::steady_millis, values::NodeId};
use sqlx::PgPool;
use uuid::Uuid;

/// What was asked: whose limit, and what.
type Asked<'a> = (&'a Ask, Request);

/// So many limits at most in one transaction. Each has a lock of its own until it ends, in a table of locks that all connections share and
/// that Postgres sizes for 64 in each transaction (`max_locks_per_transaction`); beside them stand those of the tables.
pub const LOCKS: usize = 50;

/// Lends places of these limits, at most [`LOCKS`], each under a lock of its own, taken in one order. Answers by place in the list how many
/// more may be taken, and how many nobody has, less than nothing where the limit was lowered. A request that is older than what the row
/// knows is not answered.
pub async fn ask(db: &PgPool, me: NodeId, asked: &[Asked<'_>], share: u64) -> sqlx::Result<Vec<(usize, u32, i64)>> {
    let holders: Vec<Uuid> = asked.iter().map(|(ask, _)| ask.slot.holder).collect();
    let names: Vec<&str> = asked.iter().map(|(ask, _)| &*ask.slot.name).collect();
    let of = |value: fn(&Request) -> u32| asked.iter().map(|(_, request)| i64::from(value(request))).collect::<Vec<_>>();
    let turns: Vec<i64> = asked.iter().map(|(_, request)| i64::try_from(request.turn).unwrap_or(i64::MAX)).collect();
    let mut tx = db.begin().await?;
    sqlx::query!(
        r#"select count(pg_advisory_xact_lock(l.lock)) as "locked!"
           from (
             select distinct hashtextextended(a.holder::text || a.name, 40) as lock from unnest($1::uuid[], $2::text[]) as a (holder, name) order by 1
           ) l"#,
        &holders,
        &names as &[&str],
    )
    .fetch_one(&mut *tx)
    .await?;
    // A statement of its own: it sees what was committed before the locks were given.
    let answers = sqlx::query!(
        r#"with asked as (
             select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
               with ordinality as a (holder, name, most, keeps, need, ahead, ends_in, turn, place)
           ), room as (
             select a.*, a.most - a.keeps - (
               select coalesce(sum(o.places), 0)::bigint from place_leases o
               where o.holder = a.holder and o.name = a.name and o.node_id <> $9 and o.ends_at > clock_timestamp()
             ) as room
             from asked a
           ), lent as (
             insert into place_leases as l (holder, name, node_id, places, turn, ends_at)
             select r.holder, r.name, $9, r.keeps + least(greatest(r.room, 0), greatest(r.need, least(r.ahead, r.room / $10))), r.turn,
               clock_timestamp() + make_interval(secs => r.ends_in::double precision)
             from room r
             on conflict (holder, name, node_id) do update set places = excluded.places, turn = excluded.turn, ends_at = excluded.ends_at
               where l.turn < excluded.turn
             returning l.holder, l.name, l.places
           )
           select r.place as "place!", l.places - r.keeps as "given!", r.room - (l.places - r.keeps) as "left!"
           from room r join lent l using (holder, name)"#,
        &holders,
        &names as &[&str],
        &of(|request| request.terms.most),
        &of(|request| request.keeps),
        &of(|request| request.need),
        &of(|request| request.ahead),
        &of(|request| request.ends_in),
        &turns,
        me.uuid(),
        i64::try_from(share).unwrap_or(1),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let place = |ordinal: i64| usize::try_from(ordinal - 1).ok();
    Ok(answers.into_iter().filter_map(|a| Some((place(a.place)?, u32::try_from(a.given).unwrap_or(0), a.left))).collect())
}

/// What nodes had that have ended, as far as it still lasts.
pub async fn elsewhere(db: &PgPool, me: NodeId) -> sqlx::Result<Elsewhere> {
    let now = steady_millis();
    let rows = sqlx::query!(
        r#"select holder, name, places, ceil(extract(epoch from ends_at - clock_timestamp()) * 1000)::bigint as "millis!"
           from place_leases where node_id <> $1 and places > 0 and ends_at > clock_timestamp()"#,
        me.uuid(),
    )
    .fetch_all(db)
    .await?;
    let mut elsewhere = Elsewhere::default();
    for row in rows {
        let until = now.saturating_add(u64::try_from(row.millis).unwrap_or(0));
        elsewhere.add(row.holder, &row.name, u32::try_from(row.places).unwrap_or(u32::MAX), until);
    }
    Ok(elsewhere)
}

/// Forgets rows that count no more.
pub async fn forget_old(db: &PgPool) -> sqlx::Result<u64> {
    // A row that is just being asked for again is left to who has it: two that wait for each other's rows would end one of them.
    let done = sqlx::query!(
        "delete from place_leases where ctid = any(array(
           select ctid from place_leases where ends_at < clock_timestamp() - interval '1 minute' for update skip locked))",
    );
    Ok(done.execute(db).await?.rows_affected())
}
