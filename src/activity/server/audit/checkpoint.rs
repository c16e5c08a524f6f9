//! Checkpoints: what stays provable of entries whose master key is dropped.
//!
//! The MACs of these entries prove nothing any more: nobody has their key, or somebody has it who leaked it. So while it is still here all
//! is verified with it, and a checkpoint under the key in use says what stood there then: one digest over every column of every entry up to
//! it. Afterwards verifying makes the digest again. It proves that nothing up to there was changed, removed, moved or put in since; what of
//! it was changed it can't tell, where the entry does not show it by itself. Each checkpoint names the digest of the one before, so the last
//! one vouches for all of them, and only its key is needed.

use super::{
    canon::{Canon, micros},
    entry::{Link, key_id, key_ids, keyed},
    sealing::is_vouched_for,
    store,
    verifying::{Break, Fault, PAGE, Verdict},
};
use crate::{
    error::AppError,
    platform::{
        Ctx,
        crypto::{MasterKeyId, Vault, sha256},
    },
};
use serde::Serialize;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// A checkpoint as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub number: i64,
    pub at: OffsetDateTime,
    pub made_by: String,
    pub entry: i64,
    pub head: Vec<u8>,
    pub digest: Vec<u8>,
    pub dropped: String,
    pub verified: bool,
    pub adopted: i64,
    pub key: String,
    pub previous: Vec<u8>,
    pub mac: Vec<u8>,
}

/// What the last checkpoint says, for who verifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// It covers the entries up to this one.
    pub entry: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub by: String,
    /// The master key that was dropped with it.
    pub dropped: String,
    /// Whether all of it was verified then, and at every checkpoint before; else it proves only what happened since.
    pub verified: bool,
    /// Entries that waited under a lost key and were taken in as they were found.
    pub adopted: i64,
}

impl Checkpoint {
    fn canon(&self) -> Canon {
        let mut canon = Canon::new("tollgate audit checkpoint 1");
        canon.part(&self.number.to_be_bytes());
        canon.part(&micros(self.at));
        canon.part(self.made_by.as_bytes());
        canon.part(&self.entry.to_be_bytes());
        canon.part(&self.head);
        canon.part(&self.digest);
        canon.part(self.dropped.as_bytes());
        canon.part(&[u8::from(self.verified)]);
        canon.part(&self.adopted.to_be_bytes());
        canon.part(self.key.as_bytes());
        canon.part(&self.previous);
        canon
    }

    fn mac_by(&self, vault: &Vault) -> Option<[u8; 32]> {
        keyed(vault, &self.key, self.canon().bytes())
    }

    /// Of all its columns: what the next one names.
    fn own_digest(&self) -> [u8; 32] {
        let mut canon = self.canon();
        canon.part(&self.mac);
        sha256(canon.bytes())
    }

    pub(super) fn covered(&self) -> Covered {
        Covered { entry: self.entry, at: self.at, by: self.made_by.clone(), dropped: self.dropped.clone(), verified: self.verified, adopted: self.adopted }
    }
}

impl Link {
    /// The digest of the chain up to this link; `before` is the one up to the link before, zeros before the first.
    pub(super) fn digest_after(&self, before: &[u8; 32]) -> [u8; 32] {
        let mut canon = Canon::new("tollgate audit digest 1");
        canon.part(before);
        canon.part(&self.number.to_be_bytes());
        canon.part(&micros(self.at));
        canon.part(self.entry.kind.as_str().as_bytes());
        canon.part(self.entry.event.as_bytes());
        for part in [&self.entry.facts[..], &self.entry.person, self.key.as_bytes(), &self.previous, &self.mac] {
            canon.part(part);
        }
        sha256(canon.bytes())
    }
}

/// Why these checkpoints, in their order, are not all that Tollgate wrote.
pub(super) fn first_wrong(vault: &Vault, points: &[Checkpoint]) -> Option<Break> {
    let wrong = |fault, words| Some(Break { fault, entry: None, event: None, words });
    let mut previous = Vec::new();
    for (n, point) in (1..).zip(points) {
        if point.number != n {
            return wrong(Fault::Removed, format!("Checkpoint {n} was removed."));
        }
        if point.previous != previous {
            return wrong(Fault::Edited, format!("Checkpoint {n} does not come after the one before it: one of the two was edited."));
        }
        previous = point.own_digest().to_vec();
    }
    let last = points.last()?;
    match last.mac_by(vault) {
        Some(mac) if mac[..] == last.mac[..] => None,
        Some(_) => wrong(Fault::Edited, format!("Checkpoint {} was edited: it is not what was made with the key.", last.number)),
        None => {
            let (here, number) = (key_ids(vault).join(", "), last.number);
            wrong(Fault::WrongKey, format!("Checkpoint {number} was made with the master key {}, and {here} is here.", last.key))
        }
    }
}

/// Writes a checkpoint, in the transaction that drops the key. `verdict` is what verifying found just before, with the key: if nothing was
/// wrong it covers what was verified, else all as it stands. None: there is nothing to cover.
pub async fn write_checkpoint(ctx: &Ctx, conn: &mut PgConnection, verdict: &Verdict, dropped: MasterKeyId, by: &str) -> Result<Option<Covered>, AppError> {
    store::lock_chain(conn).await?;
    let points = store::list_checkpoints(&mut *conn).await?;
    let (lost, key) = (dropped.to_string(), key_id(&ctx.vault));
    let (mut entry, mut head, mut digest, mut adopted) =
        (verdict.entries, verdict.head.as_ref().map(|head| head.mac.clone()).unwrap_or_default(), verdict.digest, 0);
    if verdict.broken.is_none() {
        if store::is_used_after(&mut *conn, entry, &lost).await? {
            return Err(AppError::conflict(format!(
                "Something still writes the audit log with the master key {lost}. Start every server and worker again, so that they use {key}; then drop it."
            )));
        }
    } else {
        adopted = vouch_anew(ctx, conn, &lost, &key).await?;
        (entry, head, digest) = as_it_stands(conn).await?;
    }
    if entry == 0 && adopted == 0 {
        return Ok(None);
    }
    let mut point = Checkpoint {
        number: points.last().map_or(1, |last| last.number + 1),
        at: ctx.clock.now(),
        made_by: by.to_owned(),
        entry,
        head,
        digest: digest.to_vec(),
        dropped: lost,
        verified: verdict.broken.is_none() && points.last().is_none_or(|last| last.verified),
        adopted,
        key,
        previous: points.last().map(|last| last.own_digest().to_vec()).unwrap_or_default(),
        mac: Vec::new(),
    };
    point.mac = point.mac_by(&ctx.vault).map(Vec::from).unwrap_or_default();
    store::insert_checkpoint(conn, &point).await?;
    Ok(Some(point.covered()))
}

/// What waits under a lost key can never be linked, and would be called broken for ever: it is taken in as it is found, and the checkpoint
/// says how many entries that were. Where the key is here, only what it vouched for.
async fn vouch_anew(ctx: &Ctx, conn: &mut PgConnection, lost: &str, key: &str) -> sqlx::Result<i64> {
    let is_here = key_ids(&ctx.vault).iter().any(|id| id == lost);
    let (mut numbers, mut vouchers) = (Vec::new(), Vec::new());
    let waiting = store::list_waiting(&mut *conn, 0, Some(&[lost.to_owned()]), i64::MAX).await?;
    for waits in &waiting {
        let Some(entry) = &waits.entry else { continue };
        if is_here && !is_vouched_for(ctx, waits, entry) {
            continue;
        }
        numbers.push(waits.number);
        vouchers.push(entry.voucher(&ctx.vault, key).unwrap_or_default().to_vec());
    }
    store::update_vouchers(conn, &numbers, key, &vouchers).await?;
    Ok(i64::try_from(numbers.len()).unwrap_or(i64::MAX))
}

/// The last entry, its MAC and the digest up to it, whatever stands there.
async fn as_it_stands(conn: &mut PgConnection) -> sqlx::Result<(i64, Vec<u8>, [u8; 32])> {
    let (mut entry, mut head, mut digest) = (0, Vec::new(), [0; 32]);
    loop {
        let page = store::list_links(&mut *conn, entry, PAGE).await?;
        if page.is_empty() {
            return Ok((entry, head, digest));
        }
        for checked in page {
            digest = checked.link.digest_after(&digest);
            entry = checked.link.number;
            head = checked.link.mac;
        }
    }
}
