//! What calls charged in the last minute, batch by batch. Usage knows minutes, so limits of less than one could not go on after `kill -9`
//! from what is in Postgres.
//!
//! A batch that is written leaves a small file in the folder of its process for a minute: keys that have such a limit, with what passed of
//! them. The next start takes these files over, and makes one of each batch that was not written yet. It knows of each batch only that it
//! was over by some time: what it charged counts whole in every window that began before. So a window may hold for calls of the two seconds
//! before it, and never lets more pass than it allows. An orderly end leaves none, once it has told the table of leases.

use super::{Batch, LeftOver, Spool};
use crate::{
    keys::model::Taken,
    platform::aside::in_pieces,
    values::{KeyId, Outcome},
};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// Begins the name of such a file; then the id of the batch, and by when it was over, in milliseconds since 1970.
const RECENT: &str = "recent-";
/// Ends the name where units and calls are told; a file of an earlier version tells units only.
const BOTH: &str = ".both";
/// One that is not whole yet: `new-…` is removed by the next start.
const NEW: &str = "new-recent";
/// No limit that is meant lasts longer.
const KEPT_MILLIS: i64 = 60_000;
const MINUTE: i64 = 60_000_000;
/// A key's id and its units.
const OF_UNITS: usize = 24;
/// And its calls.
const RECORD: usize = 32;

/// What a batch charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// By then it was over: milliseconds since 1970.
    pub ended_millis: i64,
    /// By keys.
    pub used: Vec<(KeyId, Taken)>,
}

impl Spent {
    fn of(batch: &Batch, now_micros: i64, is_meant: impl Fn(KeyId) -> bool) -> Self {
        let oldest = now_micros.div_euclid(MINUTE) - 1;
        let mut used = HashMap::<KeyId, Taken>::new();
        for tally in in_pieces(batch.counts.iter()).filter(|t| t.outcome == Outcome::Valid && t.cost > 0 && t.minute >= oldest && is_meant(t.key)) {
            // As `taken` (0076) has it.
            used.entry(tally.key).or_default().add(Taken { units: tally.cost, calls: tally.count.min(tally.cost) });
        }
        Self { ended_millis: now_micros.div_euclid(1_000), used: used.into_iter().collect() }
    }

    fn write(&self, folder: &Path, batch: Uuid) -> io::Result<()> {
        if self.used.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(self.used.len() * RECORD);
        for (key, used) in &self.used {
            bytes.extend(key.uuid().as_bytes());
            bytes.extend(used.units.to_le_bytes());
            bytes.extend(used.calls.to_le_bytes());
        }
        let new = folder.join(NEW);
        fs::write(&new, bytes)?;
        fs::rename(new, folder.join(format!("{RECENT}{}-{}{BOTH}", batch.simple(), self.ended_millis)))
    }

    fn read(ended_millis: i64, path: &Path) -> io::Result<Self> {
        let record = |record: &[u8]| {
            let (key, used) = record.split_at_checked(16)?;
            let (units, calls) = used.split_at_checked(8)?;
            let units = u64::from_le_bytes(units.try_into().ok()?);
            // Calls are no more than units.
            let calls = if calls.is_empty() { units } else { u64::from_le_bytes(calls.try_into().ok()?) };
            Some((KeyId::new(Uuid::from_slice(key).ok()?), Taken { units, calls }))
        };
        let tells_both = path.to_str().is_some_and(|path| path.ends_with(BOTH));
        let length = if tells_both { RECORD } else { OF_UNITS };
        Ok(Self { ended_millis, used: fs::read(path)?.chunks_exact(length).filter_map(record).collect() })
    }
}

/// The files of a folder: of which batch, by when it was over, where.
fn files(folder: &Path) -> io::Result<Vec<(Uuid, i64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(RECENT));
        let told = name
            .and_then(|name| name.split_once('-'))
            .and_then(|(batch, ended)| Some((Uuid::try_parse(batch).ok()?, ended.strip_suffix(BOTH).unwrap_or(ended).parse::<i64>().ok()?)));
        if let Some((batch, ended)) = told {
            found.push((batch, ended, path));
        }
    }
    Ok(found)
}

const fn is_over(ended_millis: i64, now_micros: i64) -> bool {
    ended_millis < now_micros.div_euclid(1_000) - KEPT_MILLIS
}

impl Spool {
    /// Keeps for a minute what a batch charged that is written, of the keys that are meant, and lets go of what is older.
    pub fn keep_recent(&self, batch: &Batch, now_micros: i64, is_meant: impl Fn(KeyId) -> bool) -> io::Result<()> {
        Spent::of(batch, now_micros, is_meant).write(self.folder(), batch.id)?;
        files(self.folder())?.into_iter().filter(|(_, ended, _)| is_over(*ended, now_micros)).try_for_each(|(_, _, path)| fs::remove_file(path))
    }

    /// Takes over what a process left that is no more: of what it wrote, and of what it could not write.
    pub fn adopt(&self, left: &LeftOver, now_micros: i64) -> io::Result<()> {
        let known = files(left.folder())?;
        for batch in left.batches.iter().filter(|batch| known.iter().all(|(id, ..)| *id != batch.id)) {
            Spent::of(batch, now_micros, |_| true).write(self.folder(), batch.id)?;
        }
        for (_, ended, path) in known {
            match path.file_name().filter(|_| !is_over(ended, now_micros)) {
                Some(name) => fs::rename(&path, self.folder().join(name))?,
                None => fs::remove_file(&path)?,
            }
        }
        Ok(())
    }

    /// The table of leases knows it now.
    pub fn forget_recent(&self) -> io::Result<()> {
        files(self.folder())?.into_iter().try_for_each(|(_, _, path)| fs::remove_file(path))
    }

    /// What calls charged in the last minute, as far as it is kept.
    pub fn recent(&self, now_micros: i64) -> io::Result<Vec<Spent>> {
        let mut known = files(self.folder())?;
        // A start that failed leaves batches that it had taken over: each counts once, as of its first end.
        known.sort_unstable_by_key(|(batch, ended, _)| (*batch, *ended));
        known.dedup_by_key(|(batch, ..)| *batch);
        known.into_iter().filter(|(_, ended, _)| !is_over(*ended, now_micros)).map(|(_, ended, path)| Spent::read(ended, &path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::server::meter::{Tally, left_over},
        values::{ApiId, WorkspaceId},
    };

    const NOW: i64 = 29_000_000 * MINUTE + 30_000_000;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn batch(n: u128, tallies: &[(u128, Outcome, i64, u64)]) -> Batch {
        let tally = |(key, outcome, minute, cost): &(u128, Outcome, i64, u64)| Tally {
            key: KeyId::new(id(*key)),
            workspace: WorkspaceId::new(id(0)),
            api: ApiId::new(id(0)),
            route: "GET /".into(),
            outcome: *outcome,
            minute: *minute,
            count: 1,
            cost: *cost,
        };
        Batch { id: id(n), counts: tallies.iter().map(tally).collect(), ..Batch::default() }
    }

    fn units(spool: &Spool, now: i64) -> Vec<(u128, u64)> {
        let spent = spool.recent(now).expect("it is read");
        let mut units: Vec<_> = spent.into_iter().flat_map(|s| s.used).map(|(key, used)| (key.uuid().as_u128(), used.units)).collect();
        units.sort_unstable();
        units
    }

    #[test]
    fn what_passed_in_the_last_minute_outlives_its_process_and_no_longer() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Spool::open(folder.path(), id(1)).expect("a spool");
        let minute = NOW.div_euclid(MINUTE);
        let written =
            batch(10, &[(1, Outcome::Valid, minute, 2), (1, Outcome::Valid, minute, 3), (2, Outcome::Valid, minute, 7), (3, Outcome::RateLimited, minute, 9)]);
        first.keep_recent(&written, NOW, |key| key != KeyId::new(id(2))).expect("it is kept");
        assert_eq!(units(&first, NOW + 1), [(1, 5)], "neither what was refused nor keys that are not meant");
        let path = first.folder().to_owned();
        // It ends while it writes another one: the lock goes, the files stay.
        fs::write(path.join(NEW), b"half of it").expect("it is written");
        drop(first);

        let second = Spool::open(folder.path(), id(2)).expect("a spool");
        let mut left = left_over(folder.path()).expect("it is read");
        let mut left = left.remove(0);
        left.batches = vec![written, batch(11, &[(1, Outcome::Valid, minute, 4), (2, Outcome::Valid, minute - 2, 8)])];
        second.adopt(&left, NOW + 1_000_000).expect("it is taken over");
        assert_eq!(units(&second, NOW + 2_000_000), [(1, 4), (1, 5)], "each batch once, and nothing of minutes ago");
        left.done().expect("the folder goes");
        assert!(!path.exists());
        assert_eq!(units(&second, NOW + 60_500_000), [(1, 4)]);
        second.keep_recent(&batch(12, &[]), NOW + 62_000_000, |_| true).expect("it is kept");
        assert!(files(second.folder()).expect("they are read").is_empty(), "what is older goes");
        let path = second.folder().to_owned();
        second.keep_recent(&batch(13, &[(1, Outcome::Valid, minute + 1, 1)]), NOW + 62_000_000, |_| true).expect("it is kept");
        second.forget_recent().expect("they are removed");
        drop(second);
        assert!(!path.exists(), "an orderly end leaves nothing");
    }
}
