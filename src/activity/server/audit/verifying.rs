//! Verifying: the whole chain from its first link, page by page, each link against the one before and against its event; then what has
//! no link. It reads only, and names the first break. A link whose master key was dropped is held against the checkpoint of that day.

use super::{
    canon::Row,
    checkpoint::{Checkpoint, Covered, first_wrong},
    diagnosis::diagnose,
    entry::{Entry, Kind, key_ids},
    head::Head,
    sealing::is_vouched_for,
    store::{self, Checked},
};
use crate::{
    error::AppError,
    platform::{Ctx, key_ring::Held},
    values::EventId,
};
use serde::Serialize;
use std::collections::HashMap;
use uuid::Uuid;

/// Links that are read at once.
pub(super) const PAGE: i64 = 1_000;
/// Events that are looked through for those without a link.
const EVENTS: i64 = 10_000;

/// What was done to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    Edited,
    Removed,
    Reordered,
    Inserted,
    WrongKey,
}

/// The first place where the log is not what Tollgate wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Break {
    pub fault: Fault,
    /// The number of the entry, if it has or had one.
    pub entry: Option<i64>,
    pub event: Option<EventId>,
    /// A sentence that says it all.
    pub words: String,
}

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Entries that were looked at, up to the break if there is one.
    pub entries: i64,
    /// Written, and not in the chain yet.
    pub waiting: i64,
    /// The last link that is right.
    pub head: Option<Head>,
    /// The last checkpoint, if a master key was dropped.
    pub checkpoint: Option<Covered>,
    /// Entries whose key is not here, which that checkpoint covers.
    pub by_checkpoint: i64,
    pub broken: Option<Break>,
    /// Of the chain up to its last link: what a checkpoint says of it.
    #[serde(skip)]
    pub(super) digest: [u8; 32],
}

/// What links are held against.
struct Known<'a> {
    /// Heads that were told before, by their numbers.
    told: HashMap<i64, Vec<&'a Head>>,
    /// The ids of the master keys that are here.
    keys: Vec<String>,
    /// Up to this entry a checkpoint stands for keys that are not.
    covered: i64,
}

/// Looks at everything; `anchors` are heads that were told before. `progress` hears the number of each page's last link.
pub async fn verify(ctx: &Ctx, anchors: &[Head], mut progress: impl FnMut(i64) + Send) -> Result<Verdict, AppError> {
    // Before the chain is read: it only grows.
    let (anchored_to, points) = (store::find_state(&ctx.db).await?.anchored_to, store::list_checkpoints(&ctx.db).await?);
    let checkpoint = points.last().map(Checkpoint::covered);
    let mut verdict = Verdict { entries: 0, waiting: 0, head: None, checkpoint, by_checkpoint: 0, broken: first_wrong(&ctx.vault, &points), digest: [0; 32] };
    if verdict.broken.is_some() {
        return Ok(verdict);
    }
    let covered = points.last().map_or(0, |point| point.entry);
    let mut known = Known { told: HashMap::new(), keys: key_ids(&ctx.vault), covered };
    for anchor in anchors {
        known.told.entry(anchor.number).or_default().push(anchor);
    }
    loop {
        let after = verdict.entries;
        let page = store::list_links(&ctx.db, after, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for checked in &page {
            verdict.broken = look_at(ctx, verdict.head.as_ref(), checked, &known).await?;
            verdict.digest = checked.link.digest_after(&verdict.digest);
            if verdict.broken.is_none() {
                verdict.broken = unlike_then(&points, checked.link.number, &verdict.digest);
            }
            if verdict.broken.is_some() {
                return Ok(verdict);
            }
            verdict.by_checkpoint += i64::from(!known.keys.contains(&checked.link.key));
            verdict.entries = checked.link.number;
            verdict.head = Some(Head { number: checked.link.number, mac: checked.link.mac.clone() });
        }
        progress(verdict.entries);
    }
    verdict.broken = cut_off(&verdict, anchors, anchored_to, covered);
    if verdict.broken.is_none() {
        verdict.broken = waiting(ctx, &mut verdict.waiting).await?;
    }
    if verdict.broken.is_none() {
        verdict.broken = stray(ctx).await?;
    }
    Ok(verdict)
}

/// The same, kept for Admin and told in the log.
pub async fn verify_and_note(ctx: &Ctx, anchors: &[Head], progress: impl FnMut(i64) + Send) -> Result<Verdict, AppError> {
    let verdict = verify(ctx, anchors, progress).await?;
    let words = verdict.broken.as_ref().map(|broken| broken.words.as_str());
    store::update_verified(&ctx.db, ctx.clock.now(), verdict.entries, words).await?;
    match words {
        Some(words) => tracing::error!("the audit log is broken: {words}"),
        None => tracing::info!(entries = verdict.entries, "verified the audit log"),
    }
    Ok(verdict)
}

/// How many entries were made with each master key: without it nobody can verify them.
pub async fn held_by_master_keys(ctx: &Ctx) -> Result<Vec<Held>, AppError> {
    let counts = store::count_by_key(&ctx.db).await?;
    Ok(counts.into_iter().map(|(key, rows)| Held { what: ENTRIES, key: Some(key), rows }).collect())
}

pub const ENTRIES: &str = "entries of the audit log";

async fn look_at(ctx: &Ctx, before: Option<&Head>, checked: &Checked, known: &Known<'_>) -> Result<Option<Break>, AppError> {
    let link = &checked.link;
    let number = before.map_or(1, |head| head.number + 1);
    let previous = before.map_or(&[][..], |head| &head.mac[..]);
    if number <= known.covered && !known.keys.contains(&link.key) {
        // Its MAC can't be made again: the digest of the checkpoint says whether it is what stood there.
        if link.number != number {
            return Ok(Some(at(Fault::Removed, number, None, format!("Entry {number} was removed."))));
        }
        if link.previous != previous {
            let words = format!("Entry {number} does not come after the one before it: one of the two was edited, or put in the place of another one.");
            return Ok(Some(at(Fault::Edited, number, None, words)));
        }
    } else if link.number != number || link.previous != previous || !link.is_made_for(&ctx.vault, number) {
        return Ok(Some(diagnose(ctx, number, previous, link).await?));
    }
    if known.told.get(&number).is_some_and(|anchors| anchors.iter().any(|anchor| anchor.mac != link.mac)) {
        let words = format!("Entry {number} is not the one that the anchor knows: up to there the chain was replaced by another one.");
        return Ok(Some(at(Fault::Edited, number, None, words)));
    }
    if link.entry.kind == Kind::Start {
        return Ok(None);
    }
    let id = EventId::new(link.entry.event);
    let Some(row) = &checked.row else {
        return Ok(Some(at(Fault::Removed, number, Some(id), format!("Event {id}, which entry {number} speaks of, was removed."))));
    };
    let (facts, person) = (row.facts()[..] == link.entry.facts[..], row.person()[..] == link.entry.person[..]);
    let part = match (facts, person || checked.is_superseded) {
        (true, true) => return Ok(None),
        (false, _) => "its time, kind, subject, reason or facts are not those of its entry",
        (true, false) => "its actor, workspace, name, address or device are not those of its entry",
    };
    Ok(Some(at(Fault::Edited, number, Some(id), format!("Event {id}, entry {number}, was edited: {part}."))))
}

/// Whether a checkpoint at this entry says that something else stood there.
fn unlike_then(points: &[Checkpoint], number: i64, digest: &[u8; 32]) -> Option<Break> {
    let point = points.iter().find(|point| point.entry == number && point.digest[..] != digest[..])?;
    let (no, day) = (point.number, point.at.date());
    let words = format!(
        "Something in the entries up to {number} was changed since checkpoint {no} of {day}, when the master key {} was dropped. Which entry it is that key \
         alone could tell.",
        point.dropped
    );
    Some(at(Fault::Edited, number, None, words))
}

/// What was told of entries that are gone from the end. That one was told stands in the database, too, for who forgets to change it there.
fn cut_off(verdict: &Verdict, anchors: &[Head], anchored_to: i64, covered: i64) -> Option<Break> {
    let last = verdict.entries;
    let words = match anchors.iter().map(|anchor| anchor.number).max() {
        Some(known) if known > last => format!("The end of the chain was removed: the anchor knows entry {known}, and the last one here is {last}."),
        _ if covered > last => format!("The end of the chain was removed: a checkpoint knows entry {covered}, and the last one here is {last}."),
        _ if anchored_to > last => format!("The end of the chain was removed: entry {anchored_to} was told, and the last one here is {last}."),
        _ => return None,
    };
    Some(at(Fault::Removed, last + 1, None, words))
}

/// What is not in the chain yet has to be vouched for and to say what its event says.
async fn waiting(ctx: &Ctx, count: &mut i64) -> Result<Option<Break>, AppError> {
    // Sealing adopts what was there before the chain began, and refuses all that comes later so.
    let (keys, is_begun) = (key_ids(&ctx.vault), store::has_start(&ctx.db).await?);
    let mut after = 0;
    loop {
        let page = store::list_waiting(&ctx.db, after, None, PAGE).await?;
        let Some(last) = page.last() else { return Ok(None) };
        after = last.number;
        let events: Vec<Uuid> = page.iter().map(|waits| waits.event).collect();
        let rows: HashMap<Uuid, Row> = store::list_rows(&ctx.db, &events).await?.into_iter().map(|row| (row.id, row)).collect();
        for waits in &page {
            let id = EventId::new(waits.event);
            *count += 1;
            match &waits.entry {
                None if waits.kind == Kind::Adopted && !is_begun => {}
                Some(entry) if is_vouched_for(ctx, waits, entry) => {
                    if let Some(broken) = unlike(entry, rows.get(&entry.event)) {
                        return Ok(Some(broken));
                    }
                }
                _ if !waits.key.is_empty() && !keys.contains(&waits.key) => {
                    let words = format!("The entry of event {id} was made with the key {}, which is not here.", waits.key);
                    return Ok(Some(Break { fault: Fault::WrongKey, entry: None, event: Some(id), words }));
                }
                _ => {
                    let words = format!("The entry of event {id} was inserted by somebody without the key.");
                    return Ok(Some(Break { fault: Fault::Inserted, entry: None, event: Some(id), words }));
                }
            }
        }
    }
}

/// Whether the event of a waiting entry is another one by now; none: it is not there.
fn unlike(entry: &Entry, event: Option<&Row>) -> Option<Break> {
    let id = EventId::new(entry.event);
    let (fault, words) = match event {
        None => (Fault::Removed, format!("Event {id}, which is not sealed yet, was removed.")),
        Some(row) if row.facts()[..] != entry.facts[..] => (Fault::Edited, format!("Event {id}, which is not sealed yet, was edited.")),
        // What erasing changes is compared when it is sealed: it may have been erased since this entry.
        Some(_) => return None,
    };
    Some(Break { fault, entry: None, event: Some(id), words })
}

/// The first event without an entry.
async fn stray(ctx: &Ctx) -> Result<Option<Break>, AppError> {
    let mut after = Uuid::nil();
    while let Some((last, stray)) = store::find_stray(&ctx.db, after, EVENTS).await? {
        if let Some(stray) = stray {
            let id = EventId::new(stray);
            let words = format!("Event {id} was inserted: it has no entry, so Tollgate did not write it.");
            return Ok(Some(Break { fault: Fault::Inserted, entry: None, event: Some(id), words }));
        }
        after = last;
    }
    Ok(None)
}

pub(super) fn at(fault: Fault, number: i64, event: Option<EventId>, words: String) -> Break {
    Break { fault, entry: Some(number), event, words }
}
