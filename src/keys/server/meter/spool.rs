//! The meter's memory beyond the process: every counter also stands in a mapped file (`platform::mapped`) before the answer leaves, so
//! that `kill -9` loses no verification that was answered.
//!
//! One folder per process under `spool/` of the data folder, held by a file lock; in it, per batch, one file per stripe of the meter.
//! A counter is written there when it is first seen and then changed in place: the files grow with the number of distinct counters,
//! not with the number of calls; where these become many, the meter adds them up (`folding`) and the file is written anew with the sums,
//! beside the old one, whose name it takes when it is whole. A batch's id is part of its files' names. They go once the batch is in
//! Postgres; what is left by a process that ended is replayed by the next start under the same id, which Postgres takes once.

use super::{Attempt, Batch, Tally};
use crate::{
    platform::mapped::{self, MappedFile},
    values::{ApiId, KeyId, Outcome, WorkspaceId},
};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};
use uuid::Uuid;

const FOLDER: &str = "spool";
const LOCK: &str = "lock";
/// Nonces that the node accepted without the database (`signing`).
const NONCES: &str = "nonces";
/// Begins the name of a batch of credits that are owed (`gate::leases`).
pub const DEBTS: &str = "credits";
/// Begins the name of a file that is not whole yet.
const NEW: &str = "new-";

/// This process's folder.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    /// Held while the process lives; the system lets go of it however the process ends.
    _lock: File,
    is_failing: AtomicBool,
}

/// What a process left that ended without writing it.
#[derive(Debug)]
pub struct LeftOver {
    pub batches: Vec<Batch>,
    folder: PathBuf,
    _lock: File,
}

impl Spool {
    /// A folder of its own for this process.
    pub fn open(data: &Path, process: Uuid) -> io::Result<Self> {
        let folder = data.join(FOLDER).join(process.simple().to_string());
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let lock = File::create(folder.join(LOCK))?;
        lock.try_lock()?;
        Ok(Self { folder, _lock: lock, is_failing: AtomicBool::new(false) })
    }

    /// What its files take of the disk, in bytes.
    pub fn bytes(&self) -> u64 {
        let files = fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok);
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
    }

    /// True while counts stand in memory only, because the disk does not take them.
    pub fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where nonces are kept that are not in the database yet: a file of another hand, which the spool only keeps its folder for.
    pub fn nonces(&self) -> PathBuf {
        self.folder.join(NONCES)
    }

    fn path(&self, batch: Uuid, stripe: usize) -> PathBuf {
        self.folder.join(format!("{}-{stripe}", batch.simple()))
    }
}

impl Drop for Spool {
    /// An orderly end leaves an empty folder, which goes; what was not written stays for the next start.
    fn drop(&mut self) {
        if is_empty(&self.folder).is_ok_and(|is_empty| is_empty) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// What is left of processes that are no more, one after the other.
pub fn left_over(data: &Path) -> io::Result<Vec<LeftOver>> {
    let left = |(folder, lock): (PathBuf, File)| Ok(LeftOver { batches: batches(&folder)?, folder, _lock: lock });
    ended_folders(data)?.into_iter().map(left).collect()
}

/// The files of nonces that processes left which are no more, each with the lock of its folder.
pub fn left_nonces(data: &Path) -> io::Result<Vec<(PathBuf, File)>> {
    let file = |(folder, lock): (PathBuf, File)| (folder.join(NONCES), lock);
    Ok(ended_folders(data)?.into_iter().map(file).filter(|(path, _)| path.exists()).collect())
}

/// Whose folder it is.
fn process_of(folder: &Path) -> Option<Uuid> {
    Uuid::try_parse(folder.file_name()?.to_str()?).ok()
}

/// What a process owed that is no more.
#[derive(Debug)]
pub struct LeftDebts {
    pub process: Uuid,
    /// In the order of their numbers.
    pub batches: Vec<(u64, PathBuf)>,
    _lock: File,
}

/// What processes owed that are no more.
pub fn left_debts(data: &Path) -> io::Result<Vec<LeftDebts>> {
    let mut found = Vec::new();
    for (folder, lock) in ended_folders(data)? {
        let Some(process) = process_of(&folder) else { continue };
        let number = |path: &Path| path.file_name()?.to_str()?.strip_prefix(DEBTS)?.parse::<u64>().ok();
        let mut batches: Vec<(u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if let Some(number) = number(&path) {
                batches.push((number, path));
            }
        }
        batches.sort_unstable();
        found.push(LeftDebts { process, batches, _lock: lock });
    }
    Ok(found)
}

/// The folders whose lock nobody holds, with the lock.
fn ended_folders(data: &Path) -> io::Result<Vec<(PathBuf, File)>> {
    let folders = match fs::read_dir(data.join(FOLDER)) {
        Ok(folders) => folders,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for folder in folders {
        let folder = folder?.path();
        let Ok(lock) = File::options().read(true).write(true).open(folder.join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => found.push((folder, lock)),
            Err(TryLockError::WouldBlock) => {} // its process lives
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(found)
}

/// True if nothing in it is left for another start.
fn is_empty(folder: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(folder)?.all(|entry| entry.is_ok_and(|e| e.file_name() == LOCK)))
}

impl LeftOver {
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process whose it was, which is no node any more once its batches are written; none while nonces of it stand here, which nobody
    /// could read: what it accepted may still be tried.
    pub fn ended(&self) -> Option<Uuid> {
        process_of(&self.folder).filter(|_| !self.folder.join(NONCES).exists())
    }

    /// Every batch is in Postgres: the folder goes, unless a damaged file in it wants a look. Answers the batches of which no file is left.
    pub fn done(self) -> io::Result<Vec<Uuid>> {
        let gone = self.batches.iter().filter(|batch| batch.spooled.forget()).map(|batch| batch.id).collect();
        if is_empty(&self.folder)? {
            fs::remove_dir_all(&self.folder)?;
        }
        Ok(gone)
    }
}

fn batches(folder: &Path) -> io::Result<Vec<Batch>> {
    let mut batches = BTreeMap::<Uuid, Batch>::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name.starts_with(NEW) {
            fs::remove_file(&path)?; // its process ended over it; the old file says the same
            continue;
        }
        let Some(id) = name.split_once('-').and_then(|(id, _)| Uuid::try_parse(id).ok()) else { continue };
        let batch = batches.entry(id).or_insert_with(|| Batch { id, ..Batch::default() });
        match mapped::read(&path).and_then(|bytes| decode(&bytes, batch)) {
            Ok(()) => batch.spooled.0.push(path),
            Err(error) => tracing::error!("{} can't be read and is left as it is: {error}", path.display()),
        }
    }
    Ok(batches.into_values().collect())
}

/// The files of a batch on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spooled(Vec<PathBuf>);

impl Spooled {
    /// The batch is in Postgres; its files go. False if one can't be removed.
    pub fn forget(&self) -> bool {
        let mut are_gone = true;
        for path in &self.0 {
            if let Err(error) = fs::remove_file(path) {
                are_gone = false;
                tracing::error!("{} can't be removed; a later start will see that it was written: {error}", path.display());
            }
        }
        are_gone
    }

    pub(super) fn add(&mut self, path: Option<PathBuf>) {
        self.0.extend(path);
    }
}

/// The file of one stripe and one batch: none until there is something to keep.
#[derive(Debug, Default)]
pub(super) enum Segment {
    #[default]
    None,
    Open(MappedFile, PathBuf),
    /// The disk does not take it: this batch is kept in memory only.
    Failed,
}

impl Segment {
    /// Writes a new counter; where it stands is where to store what it becomes.
    pub fn keep(&mut self, spool: Option<&Spool>, batch: Uuid, stripe: usize, record: impl FnOnce() -> Vec<u8>) -> Option<usize> {
        let spool = spool?;
        if matches!(self, Self::None) {
            let path = spool.path(batch, stripe);
            *self = match MappedFile::create(&path) {
                Ok(file) => Self::Open(file, path),
                Err(error) => failed(spool, &error),
            };
        }
        let Self::Open(file, path) = self else { return None };
        match file.append(&record()) {
            Ok(at) => {
                spool.is_failing.store(false, Ordering::Relaxed);
                Some(at)
            }
            Err(error) => {
                // Half of a batch must not be replayed beside the whole that memory holds, should this process write it: same id.
                tracing::error!("{} can't grow", path.display());
                failed(spool, &error);
                None
            }
        }
    }

    /// Writes these records in place of all that stand there, and says where they stand now; none if nothing is on disk. If it can't, all is
    /// as it was.
    pub fn rewrite(&mut self, spool: Option<&Spool>, stripe: usize, records: impl Iterator<Item = Vec<u8>>) -> io::Result<Vec<usize>> {
        let (Self::Open(_, path), Some(spool)) = (&*self, spool) else { return Ok(Vec::new()) };
        let (path, new) = (path.clone(), spool.folder.join(format!("{NEW}{stripe}")));
        match rewritten(&new, &path, records) {
            Ok((file, places)) => {
                *self = Self::Open(file, path);
                Ok(places)
            }
            Err(error) => {
                let _ = fs::remove_file(new);
                Err(error)
            }
        }
    }

    /// What stands there will change soon.
    pub fn expect(&self, at: usize) {
        if let Self::Open(file, _) = self {
            file.expect::<{ COST + 8 }>(at);
        }
    }

    pub fn store_count(&mut self, at: Option<usize>, count: u64) {
        self.store(at, COUNT, count);
    }

    /// Of a tally; attempts have no cost.
    pub fn store_cost(&mut self, at: Option<usize>, cost: u64) {
        self.store(at, COST, cost);
    }

    fn store(&mut self, at: Option<usize>, place: usize, number: u64) {
        if let (Self::Open(file, _), Some(at)) = (self, at) {
            file.store(at + place, number);
        }
    }

    pub fn path(&self) -> Option<PathBuf> {
        if let Self::Open(_, path) = self { Some(path.clone()) } else { None }
    }
}

fn rewritten(new: &Path, old: &Path, records: impl Iterator<Item = Vec<u8>>) -> io::Result<(MappedFile, Vec<usize>)> {
    let mut file = MappedFile::create(new)?;
    let places = records.map(|record| file.append(&record)).collect::<io::Result<_>>()?;
    // At once the one or the other: never both, never half.
    fs::rename(new, old)?;
    Ok((file, places))
}

fn failed(spool: &Spool, error: &io::Error) -> Segment {
    if !spool.is_failing.swap(true, Ordering::Relaxed) {
        tracing::error!("counts are kept in memory only, because {} does not take them: {error}", spool.folder.display());
    }
    Segment::Failed
}

// A record: kind, length of the text, minute, count, three ids, in a tally the cost, the text (outcome, a space, route or address),
// zeros up to a multiple of 8. Numbers little-endian. A new kind is a new number: what an earlier version left is still read.
const OLD_TALLY: u16 = 1; // without its cost: every call cost one unit
const ATTEMPT: u16 = 2;
const TALLY: u16 = 3;
const COUNT: usize = 8;
const IDS: usize = 16;
const HEAD: usize = IDS + 3 * 16;
const COST: usize = HEAD;

pub(super) fn tally(t: &Tally) -> Vec<u8> {
    encode(TALLY, t.minute, t.count, [t.key.uuid(), t.workspace.uuid(), t.api.uuid()], Some(t.cost), t.outcome, &t.route)
}

pub(super) fn attempt(a: &Attempt) -> Vec<u8> {
    encode(ATTEMPT, a.minute, a.count, [Uuid::nil(); 3], None, a.reason, &a.address)
}

fn encode(kind: u16, minute: i64, count: u64, ids: [Uuid; 3], cost: Option<u64>, outcome: Outcome, rest: &str) -> Vec<u8> {
    let text = format!("{outcome} {rest}");
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut record = Vec::with_capacity(HEAD + 8 + text.len() + 8);
    record.extend(kind.to_le_bytes());
    record.extend(length.to_le_bytes());
    record.extend(u32::try_from(minute).unwrap_or(0).to_le_bytes());
    record.extend(count.to_le_bytes());
    ids.iter().for_each(|id| record.extend(id.as_bytes()));
    record.extend(cost.iter().flat_map(|cost| cost.to_le_bytes()));
    record.extend(&text.as_bytes()[..usize::from(length)]);
    record.resize(record.len().next_multiple_of(8), 0);
    record
}

fn decode(mut bytes: &[u8], into: &mut Batch) -> io::Result<()> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n: u64, b| n << 8 | u64::from(*b));
    while !bytes.is_empty() {
        let (head, mut rest) = bytes.split_at_checked(HEAD).ok_or_else(|| broken("a record that is cut short"))?;
        let id = |n: usize| Uuid::from_slice(&head[IDS + n * 16..IDS + (n + 1) * 16]).unwrap_or_default();
        let kind = u16::try_from(number(&head[..2])).unwrap_or(0);
        let length = usize::try_from(number(&head[2..4])).unwrap_or(0);
        let minute = i64::try_from(number(&head[4..8])).unwrap_or(0);
        let count = number(&head[COUNT..IDS]);
        let mut cost = count;
        if kind == TALLY {
            let (own, after) = rest.split_at_checked(8).ok_or_else(|| broken("a record without its cost"))?;
            (cost, rest) = (number(own), after);
        }
        let text = rest.get(..length).and_then(|t| std::str::from_utf8(t).ok()).ok_or_else(|| broken("a record without its text"))?;
        let (outcome, text) = text.split_once(' ').ok_or_else(|| broken("a record without an outcome"))?;
        let outcome: Outcome = outcome.parse().map_err(|_| broken("a record with an unknown outcome"))?;
        match kind {
            OLD_TALLY | TALLY => {
                let (key, workspace, api) = (KeyId::new(id(0)), WorkspaceId::new(id(1)), ApiId::new(id(2)));
                into.counts.push(Tally { key, workspace, api, route: text.into(), outcome, minute, count, cost });
            }
            ATTEMPT => into.unknown.push(Attempt { minute, reason: outcome, address: text.to_owned(), count }),
            _ => return Err(broken("a record of a later version")),
        }
        bytes = rest.get(length.next_multiple_of(8)..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_of_an_earlier_version_costs_one_unit_a_call() {
        let t = Tally {
            key: KeyId::new(Uuid::from_u128(1)),
            workspace: WorkspaceId::new(Uuid::from_u128(2)),
            api: ApiId::new(Uuid::from_u128(3)),
            route: "GET /örders".into(),
            outcome: Outcome::Valid,
            minute: 29_000_000,
            count: 7,
            cost: 21,
        };
        let old = encode(OLD_TALLY, t.minute, t.count, [t.key.uuid(), t.workspace.uuid(), t.api.uuid()], None, t.outcome, &t.route);
        let bytes = [old, tally(&t)].concat();
        let mut batch = Batch::default();
        decode(&bytes, &mut batch).expect("both are read");
        assert_eq!(batch.counts, [Tally { cost: 7, ..t.clone() }, t]);
        let mut later = tally(&batch.counts[1]);
        later[0] = 9;
        assert!(decode(&later, &mut batch).is_err(), "what a later version left is not guessed at");
    }
}
