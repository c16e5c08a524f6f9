//! The SQL of leases.

use super::{Newest, Slot, asking::Ask, request::Request, rolling::Part, store_credits, store_rolling};
use crate::{
    keys::{
        model::{LimitKind, Window},
        server::gate::{
            rolling::{KEPT, Ring},
            seats, window,
        },
    },
    values::NodeId,
};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

/// One line of a statement.
pub struct Row<'a> {
    pub ask: &'a Ask,
    pub request: Request,
    /// It asks for the whole window, to count it alone.
    pub takes_over: bool,
}

/// What a line was answered.
pub struct Answer {
    pub place: usize,
    /// So much more may be charged.
    pub given: u64,
    /// So much nobody has.
    pub left: u64,
    /// Of a rolling window, which part of it; of credits, after which refill.
    pub part: Option<Part>,
    /// All that was given out of it, if it is taken over.
    pub whole: Option<Whole>,
}

/// What was given out of a window, after what came back from here was written.
pub enum Whole {
    Window(u64),
    /// Of a rolling one, part by part.
    Ring(Box<Ring>),
}

/// A window of a counter that had so much used before it was leased.
pub type Used<'a> = (&'a Slot, u32, u64);

/// Takes and gives back, in one statement for each kind of limit.
pub async fn ask(db: &PgPool, rows: &[Row<'_>], share: u64) -> sqlx::Result<Vec<Answer>> {
    let of = |kind: LimitKind| rows.iter().enumerate().filter(move |(_, row)| row.ask.slot.window.kind() == kind).collect::<Vec<_>>();
    let mut answers = ask_fixed(db, &of(LimitKind::Fixed), share).await?;
    answers.extend(store_rolling::ask(db, &of(LimitKind::Rolling), share).await?);
    answers.extend(store_credits::ask(db, &of(LimitKind::Credits), share).await?);
    Ok(answers)
}

/// Each row under its lock. Rows that may be missing are made first; in a transaction of their own, so that
/// every statement locks rows in one order. Lines without an answer found no row.
async fn ask_fixed(db: &PgPool, rows: &[(usize, &Row<'_>)], share: u64) -> sqlx::Result<Vec<Answer>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let new: Vec<Used<'_>> = rows.iter().filter_map(|(_, row)| row.request.floor.map(|floor| (&row.ask.slot, row.request.window, floor))).collect();
    raise_fixed(db, &new).await?;
    let (holders, names, windows) = names(rows.iter().map(|(_, row)| &row.ask.slot));
    let numbers: Vec<i64> = rows.iter().map(|(_, row)| row.request.window.into()).collect();
    let of = |value: fn(&Request) -> u64| rows.iter().map(|(_, row)| i64::try_from(value(&row.request)).unwrap_or(i64::MAX)).collect::<Vec<_>>();
    let answers = sqlx::query!(
        r#"with asked as (
             select * from unnest($1::uuid[], $2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
               with ordinality as a (holder, name, window_seconds, number, most, back, need, ahead, place)
           ), locked as (
             select a.place, a.most, a.back, l.holder, l.name, l.window_seconds, l.number,
               least(
                 greatest(a.most - greatest(l.granted - a.back, 0), 0),
                 greatest(a.need, least(a.ahead, greatest(a.most - greatest(l.granted - a.back, 0), 0) / $9))
               ) as given
             from limit_leases l join asked a using (holder, name, window_seconds, number)
             order by l.holder, l.name, l.window_seconds, l.number
             for update of l
           )
           update limit_leases l set granted = greatest(l.granted - k.back, 0) + k.given
           from locked k
           where l.holder = k.holder and l.name = k.name and l.window_seconds = k.window_seconds and l.number = k.number
           returning k.place as "place!", k.given as "given!", greatest(k.most - l.granted, 0) as "left!", l.granted as "granted!""#,
        &holders,
        &names as &[&str],
        &windows,
        &numbers,
        &of(|request| request.max),
        &of(|request| request.back),
        &of(|request| request.need),
        &of(|request| request.ahead),
        i64::try_from(share).unwrap_or(1),
    )
    .fetch_all(db)
    .await?;
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    let asked = |ordinal: i64| usize::try_from(ordinal - 1).ok().and_then(|at| rows.get(at));
    Ok(answers
        .into_iter()
        .filter_map(|a| {
            let (place, row) = asked(a.place)?;
            let whole = row.takes_over.then(|| Whole::Window(number(a.granted)));
            Some(Answer { place: *place, given: number(a.given), left: number(a.left), part: None, whole })
        })
        .collect())
}

/// Sees to it that of each window, or part of a rolling one, no less counts as given out; how often it is sent makes no difference.
pub async fn raise(db: &PgPool, used: &[Used<'_>]) -> sqlx::Result<()> {
    let (rolling, fixed): (Vec<_>, Vec<_>) = used.iter().copied().partition(|(slot, ..)| slot.window.is_rolling());
    raise_fixed(db, &fixed).await?;
    store_rolling::raise(db, &rolling).await
}

async fn raise_fixed(db: &PgPool, used: &[Used<'_>]) -> sqlx::Result<()> {
    for chunk in used.chunks(5_000) {
        let (holders, names, windows) = names(chunk.iter().map(|(slot, ..)| *slot));
        let numbers: Vec<i64> = chunk.iter().map(|(_, number, _)| (*number).into()).collect();
        let granted: Vec<i64> = chunk.iter().map(|(.., used)| i64::try_from(*used).unwrap_or(i64::MAX)).collect();
        let ends: Vec<OffsetDateTime> = chunk.iter().map(|(slot, number, _)| end(slot.window, *number)).collect();
        sqlx::query!(
            "insert into limit_leases as l (holder, name, window_seconds, number, granted, ends_at)
             select * from unnest($1::uuid[], $2::text[], $3::integer[], $4::bigint[], $5::bigint[], $6::timestamptz[]) order by 1, 2, 3, 4
             on conflict (holder, name, window_seconds, number) do update set granted = excluded.granted where l.granted < excluded.granted",
            &holders,
            &names as &[&str],
            &windows,
            &numbers,
            &granted,
            &ends,
        )
        .execute(db)
        .await?;
    }
    Ok(())
}

fn names<'a>(slots: impl Iterator<Item = &'a Slot>) -> (Vec<Uuid>, Vec<&'a str>, Vec<i32>) {
    let (mut holders, mut names, mut windows) = (Vec::new(), Vec::new(), Vec::new());
    for slot in slots {
        holders.push(slot.holder);
        names.push(&*slot.name);
        windows.push(slot.window.stored_seconds());
    }
    (holders, names, windows)
}

fn end(window: Window, number: u32) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(window::end(window, number)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Lets this node count alone, unless another may be answering calls; then the newest window of each length that has a row. Whoever
/// joins takes the same lock: it is seen here, or sees what was decided here.
pub async fn go_alone(db: &PgPool, me: NodeId) -> sqlx::Result<Option<Newest>> {
    let mut tx = db.begin().await?;
    sqlx::query!(r#"select 1 as "locked!" from pg_advisory_xact_lock(hashtext('tollgate.nodes'))"#).fetch_one(&mut *tx).await?;
    let done = sqlx::query!(
        "update nodes set counts_alone = true where id = $1 and not exists (
           select from nodes o where o.id <> $1 and o.beat_at > clock_timestamp() - make_interval(secs => o.stops_after + 5))",
        me.uuid(),
    )
    .execute(&mut *tx)
    .await?;
    // One probe of the index for each length, however many rows there are: others wait for the lock meanwhile.
    let newest = sqlx::query!(
        r#"with recursive lengths (seconds) as (
             select min(window_seconds) from limit_leases
             union all
             select (select min(l.window_seconds) from limit_leases l where l.window_seconds > lengths.seconds) from lengths where lengths.seconds is not null
           )
           select seconds as "window_seconds!", (select max(l.number) from limit_leases l where l.window_seconds = seconds) as "number!"
           from lengths where seconds is not null"#,
    )
    .fetch_all(&mut *tx)
    .await?;
    let rolling = sqlx::query!(
        r#"with recursive lengths (seconds) as (
             select min(window_seconds) from rolling_leases
             union all
             select (select min(l.window_seconds) from rolling_leases l where l.window_seconds > lengths.seconds) from lengths where lengths.seconds is not null
           )
           select seconds as "window_seconds!", (select max(l.newest) from rolling_leases l where l.window_seconds = seconds) as "number!"
           from lengths where seconds is not null"#,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let newest = newest.into_iter().map(|row| (Window::fixed(row.window_seconds, "UTC"), number(row.number)));
    // Every part up to this one may share a window with what was leased.
    let rolling = rolling.into_iter().map(|row| (Window::Rolling(row.window_seconds.unsigned_abs()), number(row.number).saturating_add(KEPT - 1)));
    Ok((done.rows_affected() == 1).then(|| newest.chain(rolling).collect()))
}

/// Forgets windows that ended before: no clock of a node is so late that it would charge them again; and places that ended.
pub async fn forget_old(db: &PgPool, before: OffsetDateTime) -> sqlx::Result<u64> {
    let places = seats::forget_old(db).await?;
    let rolling = sqlx::query!("delete from rolling_leases where ends_at < $1", before).execute(db).await?.rows_affected();
    // Nothing is sent again after a month.
    sqlx::query!("delete from credit_debts where settled_at < clock_timestamp() - interval '30 days'").execute(db).await?;
    Ok(places + rolling + sqlx::query!("delete from limit_leases where ends_at < $1", before).execute(db).await?.rows_affected())
}
