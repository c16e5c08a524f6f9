//! Whatever somebody without the key does to the tables, verifying names the first break.

use super::{assert_whole, five, happen, tamper, verified};
use crate::support::TestApp;
use sqlx::PgPool;
use tollgate::{
    activity::server::audit::{Fault, seal},
    platform::crypto::Vault,
};

const KEEP: &str = "create table kept_events as table events; create table kept_links as table audit_links; create table kept_waiting as table audit_waiting";
const RESTORE: &str = "truncate events, audit_links, audit_waiting; insert into events table kept_events; insert into audit_links table kept_links;
    insert into audit_waiting overriding system value table kept_waiting";

/// Makes room for one more link at 4, the way somebody would who wants no gap to be seen.
const SHIFT: &str = "update audit_links set number = number + 1000 where number >= 4; update audit_links set number = number - 999 where number > 1000";
const FORGED: &str = "insert into audit_links (number, kind, event_id, at, facts, person, key_id, previous, mac)
    select 4, 'event', event_id, at, facts, person, key_id, mac, sha256(mac) from audit_links where number = 3";
const OF_ENTRY_4: &str = "(select event_id from audit_links where number = 4)";

/// What is done, what it is called, which entry is named, and words of the sentence.
fn attacks() -> Vec<(String, Fault, Option<i64>, &'static str)> {
    let on_4 = |change: &str| format!("{change} where id = {OF_ENTRY_4}");
    vec![
        // An event.
        (on_4("update events set data = data || '{\"calls\": 4}'"), Fault::Edited, Some(4), "its time, kind, subject, reason or facts"),
        (on_4("update events set at = at - interval '1 hour'"), Fault::Edited, Some(4), "its time, kind"),
        (on_4("update events set kind = 'test.other', reason = ''"), Fault::Edited, Some(4), "its time, kind"),
        (on_4("update events set actor = 'Eve'"), Fault::Edited, Some(4), "its actor, workspace"),
        (on_4("update events set data = data || '{\"address\": \"192.0.2.1\"}'"), Fault::Edited, Some(4), "its actor, workspace"),
        (on_4("update events set salt = gen_random_uuid()"), Fault::Edited, Some(4), "its actor, workspace"),
        (on_4("delete from events"), Fault::Removed, Some(4), "which entry 4 speaks of, was removed"),
        (
            "update events e set actor = o.actor, reason = o.kind from events o where e.kind = 'test.2' and o.kind = 'test.3'".to_owned(),
            Fault::Edited,
            Some(3),
            "its time, kind",
        ),
        (
            "insert into events (id, at, kind, actor) values (gen_random_uuid(), now(), 'test.forged', 'Eve')".to_owned(),
            Fault::Inserted,
            None,
            "it has no entry",
        ),
        (
            "insert into events (id, at, kind, actor) values ('00000000-0000-0000-0000-000000000000', now(), 'test.forged', 'Eve')".to_owned(),
            Fault::Inserted,
            None,
            "it has no entry",
        ),
        // An entry.
        ("delete from audit_links where number = 4".to_owned(), Fault::Removed, Some(4), "Entry 4 was removed"),
        ("delete from audit_links where number = 1".to_owned(), Fault::Removed, Some(1), "Entry 1 was removed"),
        (format!("delete from events where id = {OF_ENTRY_4}; delete from audit_links where number = 4"), Fault::Removed, Some(4), "Entry 4 was removed"),
        (
            "delete from audit_links where number = 4; update audit_links set number = number + 1000 where number > 4;
             update audit_links set number = number - 1001 where number > 1000"
                .to_owned(),
            Fault::Removed,
            Some(4),
            "Entry 4 was removed",
        ),
        ("update audit_links set at = at + interval '1 second' where number = 4".to_owned(), Fault::Edited, Some(4), "Entry 4 was edited"),
        ("update audit_links set facts = sha256(facts) where number = 4".to_owned(), Fault::Edited, Some(4), "Entry 4 was edited"),
        ("update audit_links set key_id = '00000000' where number = 4".to_owned(), Fault::Edited, Some(4), "Entry 4 was edited"),
        ("update audit_links set mac = sha256(mac) where number = 6".to_owned(), Fault::Edited, Some(6), "Entry 6 was edited"),
        (
            "update audit_links set number = 1000 where number = 3; update audit_links set number = 3 where number = 4;
             update audit_links set number = 4 where number = 1000"
                .to_owned(),
            Fault::Reordered,
            Some(3),
            "entry 4 stands where 3 has to, and entry 3 stands at 4",
        ),
        ("update audit_links set number = 9 where number = 6".to_owned(), Fault::Reordered, Some(6), "entry 6 stands at 9"),
        (format!("{SHIFT}; {FORGED}"), Fault::Inserted, Some(4), "The rightful entry 4 stands at 5"),
        // What is not sealed yet.
        ("update events set reason = 'another' where kind = 'test.waits'".to_owned(), Fault::Edited, None, "which is not sealed yet, was edited"),
        ("delete from events where kind = 'test.waits'".to_owned(), Fault::Removed, None, "which is not sealed yet, was removed"),
        ("delete from audit_waiting".to_owned(), Fault::Inserted, None, "it has no entry"),
        ("update audit_waiting set facts = sha256(facts)".to_owned(), Fault::Inserted, None, "by somebody without the key"),
        ("update audit_waiting set kind = 'erased'".to_owned(), Fault::Inserted, None, "by somebody without the key"),
        // An erasure that nobody vouched for does not hide an edit.
        (
            format!(
                "update events set actor = 'Eve' where id = {OF_ENTRY_4};
                 insert into audit_waiting (kind, event_id, facts, person, key_id, voucher)
                 select 'erased', event_id, facts, sha256('x'), key_id, sha256('y') from audit_links where number = 4"
            ),
            Fault::Inserted,
            None,
            "by somebody without the key",
        ),
    ]
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s95_the_first_break_is_named_whatever_was_done(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    happen(&app.ctx, "test.waits", None).await;
    let whole = verified(&app.ctx).await;
    assert_whole(&whole);
    assert_eq!((whole.entries, whole.waiting), (6, 1));
    tamper(&db, KEEP).await;
    for (sql, fault, entry, words) in attacks() {
        tamper(&db, &sql).await;
        let verdict = verified(&app.ctx).await;
        let broken = verdict.broken.clone().unwrap_or_else(|| panic!("{sql}: not seen"));
        assert_eq!((broken.fault, broken.entry), (fault, entry), "{sql}: {}", broken.words);
        assert!(broken.words.contains(words), "{sql}: {}", broken.words);
        assert!(verdict.entries < entry.unwrap_or(7), "{sql}: it stops there");
        tamper(&db, RESTORE).await;
    }
    assert_whole(&verified(&app.ctx).await);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s95_another_key_is_told_from_an_edit(db: PgPool) {
    let app = TestApp::start(db).await;
    five(&app).await;
    let mut other = app.ctx.clone();
    other.vault = Vault::new([8; 32]);
    let broken = verified(&other).await.broken.unwrap();
    assert_eq!((broken.fault, broken.entry), (Fault::WrongKey, Some(1)));
    assert!(broken.words.contains("was made with the master key"), "{}", broken.words);
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn s95_what_nobody_vouched_for_is_never_linked(db: PgPool) {
    let app = TestApp::start(db.clone()).await;
    five(&app).await;
    let forged = "with made as (insert into events (id, at, kind, actor) values (gen_random_uuid(), now(), 'test.forged', 'Eve') returning id)
                  insert into audit_waiting (kind, event_id, facts, person, key_id, voucher)
                  select 'event', made.id, sha256('a'), sha256('b'), l.key_id, sha256('c') from made, audit_links l where l.number = 1";
    sqlx::raw_sql(forged).execute(&db).await.unwrap();
    happen(&app.ctx, "test.right", None).await;
    assert_eq!(seal(&app.ctx).await, Ok(1), "the right one; it does not hold up those behind it");
    for _ in 0..2 {
        let broken = verified(&app.ctx).await.broken.unwrap();
        assert_eq!(broken.fault, Fault::Inserted, "{}", broken.words);
        assert_eq!(seal(&app.ctx).await, Ok(0));
    }
}
