//! What is owed to buckets of credits (`trust`), until the table is known to have it: in memory, and in the spool's folder before the call is
//! answered, so that an end by force loses none of it. A batch has a number under which the table takes it once, also from the next start.

use super::{Slot, store_credits};
use crate::{
    keys::server::meter::{DEBTS, left_debts},
    platform::{
        Ctx,
        mapped::{self, MappedFile},
    },
    values::NodeId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// So many refills of a bucket are told apart: an older debt is told with the next newer one, by which less comes back.
pub const REFILLS: usize = 64;
/// So many buckets in one statement, and in one file: with all of their refills they take about two seconds, and a statement ends at 15
/// (`platform::db`), after which a server would ask for nothing else for ever.
const PIECE: usize = 250;

/// All that is not on its way.
#[derive(Debug, Default)]
pub struct Owed {
    batches: Vec<Batch>,
    /// In which of them a bucket is.
    of: HashMap<Slot, usize>,
    next: u64,
    /// Where they are kept, too.
    folder: Option<PathBuf>,
}

impl Owed {
    pub fn keep_in(&mut self, folder: PathBuf) {
        self.folder = Some(folder);
    }

    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub fn has(&self, slot: &Slot) -> bool {
        self.of.contains_key(slot)
    }

    /// Adds units by the number of the refill before; less than nothing: leased and not used.
    pub fn add(&mut self, slot: &Slot, units: impl IntoIterator<Item = (u32, i64)>) {
        let place = self.of.get(slot).copied().unwrap_or_else(|| self.room());
        self.of.insert(slot.clone(), place);
        if let Some(batch) = self.batches.get_mut(place) {
            batch.add(slot, units);
        }
    }

    /// The batch that takes another bucket.
    fn room(&mut self) -> usize {
        if self.batches.last().is_none_or(|batch| batch.debts.len() >= PIECE) {
            self.batches.push(Batch::new(self.next, self.folder.as_deref()));
            self.next += 1;
        }
        self.batches.len() - 1
    }

    pub fn take(&mut self) -> Vec<Batch> {
        self.of.clear();
        std::mem::take(&mut self.batches)
    }
}

/// What is told at once.
#[derive(Debug, Default)]
pub struct Batch {
    pub number: u64,
    debts: HashMap<Slot, BTreeMap<u32, Entry>>,
    file: Option<MappedFile>,
    path: Option<PathBuf>,
}

/// What is owed of one refill, and where that stands in the file.
#[derive(Debug)]
struct Entry {
    units: i64,
    at: Option<usize>,
}

impl Batch {
    fn new(number: u64, folder: Option<&Path>) -> Self {
        let path = folder.map(|folder| mapped_name(folder, number));
        let made = path.as_deref().map(MappedFile::create).transpose();
        let file = made.unwrap_or_else(|error| {
            tracing::error!("credits that are owed are kept in memory only, because the data folder does not take them: {error}");
            None
        });
        Self { number, path: path.filter(|_| file.is_some()), file, ..Self::default() }
    }

    fn add(&mut self, slot: &Slot, units: impl IntoIterator<Item = (u32, i64)>) {
        let (debt, file) = (self.debts.entry(slot.clone()).or_default(), &mut self.file);
        for (number, more) in units {
            let is_full = debt.len() >= REFILLS && !debt.contains_key(&number);
            let free = if is_full { put_together(debt, file.as_mut(), slot) } else { None };
            if let (Some(at), Some(file)) = (free, file.as_mut()) {
                file.store(at + NUMBER, number.into());
            }
            let entry = debt.entry(number).or_insert(Entry { units: 0, at: free });
            entry.units += more;
            entry.keep(file.as_mut(), slot, number);
        }
    }

    /// As `settle_credits` takes it.
    pub fn told(&self) -> Value {
        let debts = self.debts.iter().map(|(slot, used)| {
            let used: Map<String, Value> = used.iter().map(|(number, entry)| (number.to_string(), entry.units.into())).collect();
            json!({
                "holder": slot.holder.to_string(), "name": &*slot.name, "seconds": slot.window.stored_seconds(),
                "refill": slot.window.stored_refill(), "used": used,
            })
        });
        debts.collect()
    }

    /// The table has it.
    pub fn forget(self) {
        drop(self.file);
        if let Some(Err(error)) = self.path.as_deref().map(fs::remove_file) {
            tracing::error!("credits that were told can't be removed from the data folder; a later start will see that they were: {error}");
        }
    }
}

impl Entry {
    /// Writes what it says now.
    fn keep(&mut self, file: Option<&mut MappedFile>, slot: &Slot, number: u32) {
        let Some(file) = file else { return };
        match self.at {
            Some(at) => file.store(at, u64::from_le_bytes(self.units.to_le_bytes())),
            None => match file.append(&record(slot, number, self.units)) {
                Ok(at) => self.at = Some(at),
                Err(error) => tracing::error!("credits that are owed stand in memory only: {error}"),
            },
        }
    }
}

/// Adds what is owed of the oldest refill to the next; where that stood is free then. What was given back too late is not.
fn put_together(debt: &mut BTreeMap<u32, Entry>, mut file: Option<&mut MappedFile>, slot: &Slot) -> Option<usize> {
    let (_, oldest) = debt.pop_first()?;
    if let Some(mut next) = debt.first_entry() {
        let number = *next.key();
        let entry = next.get_mut();
        entry.units += oldest.units.max(0);
        entry.keep(file.as_deref_mut(), slot, number);
    }
    let at = oldest.at?;
    file?.store(at, 0);
    Some(at)
}

fn mapped_name(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{DEBTS}{number}"))
}

// A record: units, the number of the refill, the length of the text, the text, zeros up to a multiple of 8. Numbers little-endian.
const NUMBER: usize = 8;
const HEAD: usize = 24;

/// The text of a record.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    holder: Uuid,
    name: String,
    seconds: i32,
    refill: i64,
}

fn record(slot: &Slot, number: u32, units: i64) -> Vec<u8> {
    let kept = Kept { holder: slot.holder, name: slot.name.to_string(), seconds: slot.window.stored_seconds(), refill: slot.window.stored_refill() };
    let text = serde_json::to_vec(&kept).unwrap_or_default();
    let mut record = Vec::with_capacity(HEAD + text.len() + 8);
    record.extend(units.to_le_bytes());
    record.extend(u64::from(number).to_le_bytes());
    record.extend((text.len() as u64).to_le_bytes());
    record.extend(text);
    record.resize(record.len().next_multiple_of(8), 0);
    record
}

/// What a file tells, as `settle_credits` takes it; none if it is damaged.
fn read(mut bytes: &[u8]) -> Option<Value> {
    let mut debts = BTreeMap::<(Uuid, String, i32, i64), BTreeMap<u32, i64>>::new();
    while !bytes.is_empty() {
        let field = |at: usize| -> Option<[u8; 8]> { bytes.get(at..at + 8)?.try_into().ok() };
        let units = i64::from_le_bytes(field(0)?);
        let number = u32::try_from(u64::from_le_bytes(field(NUMBER)?)).ok()?;
        let length = usize::try_from(u64::from_le_bytes(field(16)?)).ok()?;
        let kept: Kept = serde_json::from_slice(bytes.get(HEAD..length.checked_add(HEAD)?)?).ok()?;
        *debts.entry((kept.holder, kept.name, kept.seconds, kept.refill)).or_default().entry(number).or_default() += units;
        bytes = bytes.get(HEAD + length.next_multiple_of(8)..)?;
    }
    let debts = debts.into_iter().map(|((holder, name, seconds, refill), used)| {
        let used: Map<String, Value> = used.into_iter().map(|(number, units)| (number.to_string(), units.into())).collect();
        json!({ "holder": holder.to_string(), "name": name, "seconds": seconds, "refill": refill, "used": used })
    });
    Some(debts.collect())
}

/// Why what an earlier process owed is not in the database.
#[derive(Debug, thiserror::Error)]
pub enum LeftDebtsError {
    #[error("credits in the data folder can't be read: {0}")]
    Spool(#[from] io::Error),
    #[error("credits that an earlier process owed can't be written: {0}")]
    Database(#[from] sqlx::Error),
}

/// Tells what earlier processes of this data folder owed. To be called before these are forgotten as nodes, and before anything is leased.
pub async fn write_left_debts(ctx: &Ctx) -> Result<(), LeftDebtsError> {
    for left in left_debts(&ctx.config.server.data_dir)? {
        for (number, path) in &left.batches {
            // What a power cut damaged keeps no server from starting.
            let Some(debts) = mapped::read(path).ok().and_then(|bytes| read(&bytes)) else {
                tracing::error!("{} can't be read and is left as it is: its credits stay unused", path.display());
                continue;
            };
            store_credits::settle(&ctx.db, NodeId::new(left.process), *number, debts).await?;
            fs::remove_file(path)?;
            tracing::info!(number, "credits that an earlier process owed");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::{Refill, Window};

    fn slot(name: &str) -> Slot {
        Slot { holder: Uuid::from_u128(7), name: name.into(), window: Window::Credits(Refill { units: 1, seconds: 1 }) }
    }

    /// What is told of the only bucket.
    fn used(told: &Value) -> BTreeMap<u32, i64> {
        let used = told[0]["used"].as_object().expect("debts");
        used.iter().map(|(number, units)| (number.parse().expect("a number"), units.as_i64().expect("units"))).collect()
    }

    #[test]
    fn a_long_outage_takes_bounded_room_and_forgets_no_debt() {
        let mut owed = Owed::default();
        (0..1_000).for_each(|second| owed.add(&slot("c"), [(second, 3)]));
        assert!(owed.has(&slot("c")) && !owed.has(&slot("d")));
        let batches = owed.take();
        assert!(owed.is_empty() && batches.len() == 1);
        let used = used(&batches[0].told());
        assert_eq!((used.len(), used.values().sum::<i64>()), (REFILLS, 3_000));
    }

    #[test]
    fn no_statement_is_told_more_than_it_does_in_time() {
        let mut owed = Owed::default();
        (0..2 * PIECE + 1).for_each(|n| owed.add(&slot(&n.to_string()), [(1, 3)]));
        owed.add(&slot("0"), [(2, 3)]);
        let sizes: Vec<usize> = owed.take().iter().map(|batch| batch.told().as_array().map_or(0, Vec::len)).collect();
        assert_eq!(sizes, [PIECE, PIECE, 1]);
    }

    #[test]
    fn what_is_kept_is_what_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut owed = Owed::default();
        owed.keep_in(folder.path().to_owned());
        (0..2_000).for_each(|n| owed.add(&slot("c"), [(n / 2, 3)]));
        owed.add(&slot("c"), [(999, -5)]);
        let batch = owed.take().pop().expect("one");
        let path = mapped_name(folder.path(), 0);
        let kept = mapped::read(&path).expect("a file of ours");
        assert_eq!(used(&read(&kept).expect("debts")), used(&batch.told()));
        assert!(kept.len() <= REFILLS * 256, "its room is bounded, too");
        batch.forget();
        assert!(!path.exists());
        owed.add(&slot("d"), [(1, 1)]);
        assert!(mapped_name(folder.path(), 1).exists(), "another number");
    }
}
