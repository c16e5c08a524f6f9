//! The SQL of the audit log. Links are inserted and never touched again.

use super::{
    canon::Row,
    checkpoint::Checkpoint,
    entry::{Entry, Kind, Link},
    head::Head,
};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// An entry that waits for its place.
pub(super) struct Waiting {
    pub number: i64,
    /// Without digests: an event from before the chain.
    pub entry: Option<Entry>,
    pub event: Uuid,
    pub kind: Kind,
    pub key: String,
    pub voucher: Vec<u8>,
}

/// A link with the event that it speaks of.
pub(super) struct Checked {
    pub link: Link,
    pub row: Option<Row>,
    /// A later entry says what the person's part is now.
    pub is_superseded: bool,
}

/// How the log stands, as it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub verified_at: Option<OffsetDateTime>,
    pub verified_to: i64,
    pub broken: Option<String>,
    pub anchored_at: Option<OffsetDateTime>,
    pub anchored_to: i64,
    /// Why the head could not be told.
    pub trouble: Option<String>,
    /// When the oldest event was that waits to be sealed.
    pub waiting_since: Option<OffsetDateTime>,
    /// Something waits that was not made with the key.
    pub has_refused: bool,
}

/// One appends at a time, whichever process and node: until the end of the transaction.
pub(super) async fn lock_chain(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(r#"select 1 as "locked!" from pg_advisory_xact_lock(hashtext('tollgate.audit'))"#).fetch_one(conn).await?;
    Ok(())
}

pub(super) async fn find_head(db: impl PgExecutor<'_>) -> sqlx::Result<Option<(Head, OffsetDateTime)>> {
    let row = sqlx::query!("select number, mac, at from audit_links order by number desc limit 1").fetch_optional(db).await?;
    Ok(row.map(|r| (Head { number: r.number, mac: r.mac }, r.at)))
}

pub(super) async fn has_start(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from audit_links where kind = 'start') as "has!""#).fetch_one(db).await
}

/// Which key the last link was made with.
pub(super) async fn find_last_key(db: impl PgExecutor<'_>) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select key_id from audit_links order by number desc limit 1").fetch_optional(db).await
}

/// Whether something waits that was vouched for with one of these keys, or needs no voucher.
pub(super) async fn is_waiting(db: impl PgExecutor<'_>, keys: &[String]) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists (select from audit_waiting where not refused and (key_id is null or key_id = any($1))) as "is!""#, keys,)
        .fetch_one(db)
        .await
}

/// The same rows, the oldest first; without keys all that waits after `after`, the refused included.
pub(super) async fn list_waiting(db: impl PgExecutor<'_>, after: i64, keys: Option<&[String]>, most: i64) -> sqlx::Result<Vec<Waiting>> {
    let rows = sqlx::query!(
        "select number, kind, event_id, facts, person, key_id, voucher from audit_waiting
         where number > $1 and ($2::text[] is null or (not refused and (key_id is null or key_id = any($2)))) order by number limit $3",
        after,
        keys,
        most,
    )
    .fetch_all(db)
    .await?;
    let waiting = rows.into_iter().map(|r| {
        let kind = Kind::of(&r.kind).unwrap_or(Kind::Event);
        let entry = r.facts.zip(r.person).map(|(facts, person)| Entry { kind, event: r.event_id, facts, person });
        Waiting { number: r.number, entry, event: r.event_id, kind, key: r.key_id.unwrap_or_default(), voucher: r.voucher.unwrap_or_default() }
    });
    Ok(waiting.collect())
}

/// Events by their ids; those that are gone are left out.
pub(super) async fn list_rows(db: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        "select id, at, kind, workspace_id as workspace, actor_id, actor, subject_id as subject, reason, data, salt from events where id = any($1)",
        ids,
    )
    .fetch_all(db)
    .await
}

pub(super) async fn insert_links(conn: &mut PgConnection, links: &[Link], at: OffsetDateTime) -> sqlx::Result<()> {
    let numbers: Vec<i64> = links.iter().map(|link| link.number).collect();
    let kinds: Vec<String> = links.iter().map(|link| link.entry.kind.as_str().to_owned()).collect();
    let events: Vec<Uuid> = links.iter().map(|link| link.entry.event).collect();
    let facts: Vec<Vec<u8>> = links.iter().map(|link| link.entry.facts.clone()).collect();
    let persons: Vec<Vec<u8>> = links.iter().map(|link| link.entry.person.clone()).collect();
    let keys: Vec<String> = links.iter().map(|link| link.key.clone()).collect();
    let previous: Vec<Vec<u8>> = links.iter().map(|link| link.previous.clone()).collect();
    let macs: Vec<Vec<u8>> = links.iter().map(|link| link.mac.clone()).collect();
    sqlx::query!(
        "insert into audit_links (number, kind, event_id, at, facts, person, key_id, previous, mac)
         select n, k, e, $9, f, p, i, b, m
         from unnest($1::bigint[], $2::text[], $3::uuid[], $4::bytea[], $5::bytea[], $6::text[], $7::bytea[], $8::bytea[]) as t (n, k, e, f, p, i, b, m)",
        &numbers,
        &kinds,
        &events,
        &facts,
        &persons,
        &keys,
        &previous,
        &macs,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete_waiting(conn: &mut PgConnection, numbers: &[i64]) -> sqlx::Result<()> {
    sqlx::query!("delete from audit_waiting where number = any($1)", numbers).execute(conn).await?;
    Ok(())
}

pub(super) async fn refuse_waiting(conn: &mut PgConnection, numbers: &[i64]) -> sqlx::Result<()> {
    sqlx::query!("update audit_waiting set refused = true where number = any($1)", numbers).execute(conn).await?;
    Ok(())
}

/// A page of the chain with its events, after the link `after`.
pub(super) async fn list_links(db: impl PgExecutor<'_>, after: i64, most: i64) -> sqlx::Result<Vec<Checked>> {
    let rows = sqlx::query!(
        r#"select l.number, l.kind, l.event_id, l.at, l.facts, l.person, l.key_id, l.previous, l.mac,
             e.id as "found?", e.at as "event_at?", e.kind as "event_kind?", e.workspace_id as "workspace?", e.actor_id as "actor_id?",
             e.actor as "actor?", e.subject_id as "subject?", e.reason as "reason?", e.data as "data?", e.salt as "salt?",
             (exists (select from audit_links n where n.event_id = l.event_id and n.number > l.number)
               or exists (select from audit_waiting w where w.event_id = l.event_id)) as "is_superseded!"
           from audit_links l left join events e on e.id = l.event_id
           where l.number > $1 order by l.number limit $2"#,
        after,
        most,
    )
    .fetch_all(db)
    .await?;
    let checked = rows.into_iter().map(|r| {
        let kind = Kind::of(&r.kind).unwrap_or(Kind::Event);
        let entry = Entry { kind, event: r.event_id, facts: r.facts, person: r.person };
        let row = r.found.map(|id| Row {
            id,
            at: r.event_at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            kind: r.event_kind.unwrap_or_default(),
            workspace: r.workspace,
            actor_id: r.actor_id,
            actor: r.actor.unwrap_or_default(),
            subject: r.subject,
            reason: r.reason.unwrap_or_default(),
            data: r.data.unwrap_or_default(),
            salt: r.salt.unwrap_or_default(),
        });
        let link = Link { number: r.number, at: r.at, entry, key: r.key_id, previous: r.previous, mac: r.mac };
        Checked { link, row, is_superseded: r.is_superseded }
    });
    Ok(checked.collect())
}

/// Links that say they come after this MAC. Reads the whole table: asked once, where the chain is broken.
pub(super) async fn list_successors(db: impl PgExecutor<'_>, previous: &[u8], most: i64) -> sqlx::Result<Vec<Link>> {
    let rows = sqlx::query!(
        "select number, kind, event_id, at, facts, person, key_id, previous, mac from audit_links where previous = $1 order by number limit $2",
        previous,
        most,
    )
    .fetch_all(db)
    .await?;
    let links = rows.into_iter().map(|r| {
        let entry = Entry { kind: Kind::of(&r.kind).unwrap_or(Kind::Event), event: r.event_id, facts: r.facts, person: r.person };
        Link { number: r.number, at: r.at, entry, key: r.key_id, previous: r.previous, mac: r.mac }
    });
    Ok(links.collect())
}

/// All checkpoints, the first one first: one for each master key that was dropped.
pub(super) async fn list_checkpoints(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Checkpoint>> {
    sqlx::query_as!(
        Checkpoint,
        "select number, at, made_by, entry, head, digest, dropped, verified, adopted, key_id as key, previous, mac from audit_checkpoints order by number",
    )
    .fetch_all(db)
    .await
}

pub(super) async fn insert_checkpoint(conn: &mut PgConnection, new: &Checkpoint) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into audit_checkpoints (number, at, made_by, entry, head, digest, dropped, verified, adopted, key_id, previous, mac)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        new.number,
        new.at,
        new.made_by,
        new.entry,
        new.head,
        new.digest,
        new.dropped,
        new.verified,
        new.adopted,
        new.key,
        new.previous,
        new.mac,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether this key made an entry after that one, or vouched for one that waits.
pub(super) async fn is_used_after(db: impl PgExecutor<'_>, number: i64, key: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from audit_links where number > $1 and key_id = $2)
             or exists (select from audit_waiting where key_id = $2 and not refused) as "is!""#,
        number,
        key,
    )
    .fetch_one(db)
    .await
}

/// Another voucher for each of these entries that wait, under another key.
pub(super) async fn update_vouchers(conn: &mut PgConnection, numbers: &[i64], key: &str, vouchers: &[Vec<u8>]) -> sqlx::Result<()> {
    sqlx::query!(
        "update audit_waiting w set key_id = $2, voucher = n.voucher from unnest($1::bigint[], $3::bytea[]) as n (number, voucher) where w.number = n.number",
        numbers,
        key,
        vouchers,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many entries were made with each key, those that wait among them.
pub(super) async fn count_by_key(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(String, i64)>> {
    let rows = sqlx::query!(
        r#"select key_id as "key!", count(*) as "n!"
           from (select key_id from audit_links union all select key_id from audit_waiting where key_id is not null) as made group by key_id"#
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|r| (r.key, r.n)).collect())
}

/// The next page of events: the last of them, and the first that has no entry; none after the last page. The start is no entry of an
/// event, not even of one with its nil id, which nobody but an intruder writes.
pub(super) async fn find_stray(db: impl PgExecutor<'_>, after: Uuid, most: i64) -> sqlx::Result<Option<(Uuid, Option<Uuid>)>> {
    let row = sqlx::query!(
        r#"with page as materialized (
             select id from events where id >= $1 and (id > $1 or $1 = '00000000-0000-0000-0000-000000000000') order by id limit $2
           )
           select (select id from page order by id desc limit 1) as "last?",
             (select p.id from page p
              where not exists (select from audit_links l where l.event_id = p.id and l.kind <> 'start')
                and not exists (select from audit_waiting w where w.event_id = p.id)
              order by p.id limit 1) as "stray?""#,
        after,
        most,
    )
    .fetch_one(db)
    .await?;
    Ok(row.last.map(|last| (last, row.stray)))
}

pub(super) async fn find_state(db: impl PgExecutor<'_>) -> sqlx::Result<State> {
    // Its row can be gone only by somebody's hand; the rest is told all the same.
    sqlx::query_as!(
        State,
        r#"select s.verified_at as "verified_at?", coalesce(s.verified_to, 0) as "verified_to!", s.broken as "broken?", s.anchored_at as "anchored_at?",
             coalesce(s.anchored_to, 0) as "anchored_to!", s.trouble as "trouble?",
             (select e.at from audit_waiting w join events e on e.id = w.event_id
              where not w.refused and w.kind <> 'adopted' order by w.number limit 1) as "waiting_since?",
             exists (select from audit_waiting where refused) as "has_refused!"
           from (values (true)) as one (only_one) left join audit_state s on s.only_one = one.only_one"#
    )
    .fetch_one(db)
    .await
}

pub(super) async fn update_verified(db: impl PgExecutor<'_>, at: OffsetDateTime, to: i64, broken: Option<&str>) -> sqlx::Result<()> {
    sqlx::query!("update audit_state set verified_at = $1, verified_to = $2, broken = $3", at, to, broken).execute(db).await?;
    Ok(())
}

pub(super) async fn update_anchored(db: impl PgExecutor<'_>, at: OffsetDateTime, to: i64) -> sqlx::Result<()> {
    sqlx::query!("update audit_state set anchored_at = $1, anchored_to = $2, trouble = null", at, to).execute(db).await?;
    Ok(())
}

pub(super) async fn update_trouble(db: impl PgExecutor<'_>, trouble: &str) -> sqlx::Result<()> {
    sqlx::query!("update audit_state set trouble = $1", trouble).execute(db).await?;
    Ok(())
}
