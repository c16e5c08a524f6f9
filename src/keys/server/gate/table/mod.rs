//! The key table: from the SHA-256 of a secret to its key's record, in memory, in shards. A changed key is one insert, whatever the
//! number of keys; readers of other shards are not disturbed. What changes above the key ends its allowance (`levels`): whoever finds the key then
//! puts the record that goes on with the other one, and nobody is shown one whose limits are over.

mod places;

use super::{
    facts::{Allowance, KeyFacts, Origin, Salted, Standing},
    limit::Counter,
    record::{Counted, Record},
    resume::Begun,
    shared::Groups,
};
use crate::{
    keys::{
        model::Window,
        server::{
            origins::pattern_of,
            salted::{MOST, START},
        },
    },
    platform::maps::Unforeseen,
    values::{ApiId, KeyId, SecretId, WorkspaceId},
};
use hashbrown::{HashTable, hash_table::Entry};
use places::Places;
use std::{
    collections::{HashMap, HashSet},
    hash::BuildHasher,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// So many that a million keys fill each to three quarters of 4,096 places. A shard doubles for itself: what waits for it then waits until
/// so few entries have moved, and nobody waits for a table of a million.
const SHARDS: u64 = 320;

/// By digest. Whoever imports hashes chooses them, so all of one is hashed once more, with keys of this process: nobody can aim at a
/// place. That hash stands beside the record, so that growing looks at no record, and a search at its own alone; digests are compared in
/// constant time.
type BySecret = Places<Arc<Record>>;

/// The key's id stands in the record, which is looked at when the shard grows: those who wait for that are keys that change, and first calls.
type ById = HashTable<Arc<Record>>;

pub struct Table {
    hasher: Unforeseen,
    by_secret: Box<[RwLock<BySecret>]>,
    by_id: Box<[RwLock<ById>]>,
    /// How many secrets were made elsewhere: while there is none, what is not ours is not looked up.
    foreign: [AtomicUsize; 2],
    /// Whether a key ever had a limit of less than a minute.
    short_windows: AtomicBool,
    /// How many active keys of an API name an origin: preflights carry no key.
    origins: RwLock<HashMap<(ApiId, Box<str>), usize>>,
    /// Keys whose secrets are salted, by how these begin.
    salted: RwLock<HashMap<Box<str>, Vec<KeyId>>>,
    /// How often that changed; even while there is none.
    salted_generation: AtomicU64,
    /// How many starts there are.
    salted_starts: AtomicUsize,
    /// What workspaces count together.
    pub groups: Groups,
    begun: Mutex<Begun>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            hasher: Unforeseen::new(),
            by_secret: (0..SHARDS).map(|_| RwLock::default()).collect(),
            by_id: (0..SHARDS).map(|_| RwLock::default()).collect(),
            foreign: Default::default(),
            short_windows: AtomicBool::new(false),
            origins: RwLock::default(),
            salted: RwLock::default(),
            salted_generation: AtomicU64::new(0),
            salted_starts: AtomicUsize::new(0),
            groups: Groups::default(),
            begun: Mutex::default(),
        }
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}
fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// By bits that the shard's own table does not look at: by secret it uses the lowest (up to 16 million entries), by id the highest too.
const fn shard(place: u64) -> usize {
    ((place >> 24) as u32 as u64 % SHARDS) as usize
}

/// Whether the record at a digest's place is that digest's. Another secret of the same key has a place of its own.
fn is_of(record: &Record, hash: &[u8; 32]) -> bool {
    record.facts.secrets.iter().any(|secret| secret.hash.ct_eq(hash).into())
}

impl Table {
    fn secrets(&self, place: u64) -> &RwLock<BySecret> {
        &self.by_secret[shard(place)]
    }

    fn ids(&self, place: u64) -> &RwLock<ById> {
        &self.by_id[shard(place)]
    }

    /// The record whose secret has this hash: one probe.
    pub fn by_secret(&self, hash: [u8; 32]) -> Option<Arc<Record>> {
        self.by_secret_at(self.place(&hash), hash)
    }

    /// The place of a secret's hash.
    pub fn place(&self, hash: &[u8; 32]) -> u64 {
        self.hasher.hash_one(hash)
    }

    /// What stands at this place will be looked at; nothing waits for who changes the shard.
    pub fn expect(&self, place: u64) {
        if let Ok(shard) = self.secrets(place).try_read() {
            shard.expect(place);
        }
    }

    /// Shows the record that stands at this place first, most likely the one that was meant: for what is no more than a guess, and waits for nobody.
    pub fn peek(&self, place: u64, look: impl FnOnce(&Record)) {
        if let Ok(shard) = self.secrets(place).try_read()
            && let Some(record) = shard.find(place, |_| true)
        {
            look(record);
        }
    }

    /// The same as `by_secret`, where its place is known.
    pub fn by_secret_at(&self, place: u64, hash: [u8; 32]) -> Option<Arc<Record>> {
        let found = read(self.secrets(place)).find(place, |record| is_of(record, &hash)).cloned()?;
        // Made anew it may be without the secret, which was taken away meanwhile: then no key has it.
        let has_it = |record: &Arc<Record>| record.facts.secrets.iter().any(|secret| secret.hash == hash);
        if found.facts.allowance.is_over() { self.renewed(found.facts.key).filter(has_it) } else { Some(found) }
    }

    pub fn by_id(&self, key: KeyId) -> Option<Arc<Record>> {
        let place = self.hasher.hash_one(key);
        let found = read(self.ids(place)).find(place, |record| record.facts.key == key).cloned();
        self.present(found?)
    }

    /// The record itself, unless its allowance is over.
    fn present(&self, record: Arc<Record>) -> Option<Arc<Record>> {
        if record.facts.allowance.is_over() { self.renewed(record.facts.key) } else { Some(record) }
    }

    /// Puts the record that goes on under the allowance that holds, if nobody did.
    #[cold]
    fn renewed(&self, key: KeyId) -> Option<Arc<Record>> {
        let place = self.hasher.hash_one(key);
        let mut ids = write(self.ids(place));
        let known = ids.find_mut(place, |record| record.facts.key == key)?;
        if let Some(allowance) = known.facts.allowance.latest() {
            *known = self.under(known, allowance);
        }
        Some(Arc::clone(known))
    }

    /// Puts a key under another allowance, if it is there.
    pub fn put_under(&self, key: KeyId, allowance: Arc<Allowance>) {
        let place = self.hasher.hash_one(key);
        if let Some(known) = write(self.ids(place)).find_mut(place, |record| record.facts.key == key) {
            *known = self.under(known, allowance);
        }
    }

    /// The record that goes on from this one, found by all its secrets. Its shard is held.
    fn under(&self, before: &Record, allowance: Arc<Allowance>) -> Arc<Record> {
        let begun = |key, counter: &Arc<Counter>| self.begun().add(key, counter);
        let record = Arc::new(Record::new(before.facts.under(allowance), &self.groups, Some(before), begun));
        self.note_windows(&record);
        for secret in record.facts.secrets.iter() {
            self.replace(&secret.hash, &record);
        }
        record
    }

    /// Limits that are new for keys: what these used before is to be added.
    pub fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn shards(&self) -> usize {
        self.by_id.len()
    }

    /// Keys of a shard whose allowance is over.
    pub fn outdated(&self, shard: usize) -> Vec<KeyId> {
        let is_over = |record: &&Arc<Record>| record.facts.allowance.is_over();
        self.by_id.get(shard).map(|shard| read(shard).iter().filter(is_over).map(|record| record.facts.key).collect()).unwrap_or_default()
    }

    /// Keys of a shard that belong to these workspaces, each with its allowance.
    pub fn of_workspaces(&self, shard: usize, is_meant: impl Fn(WorkspaceId) -> bool) -> Vec<(KeyId, WorkspaceId, Arc<Allowance>)> {
        let told = |record: &Arc<Record>| (record.facts.key, record.facts.home.workspace, Arc::clone(&record.facts.allowance));
        let is_of = |record: &&Arc<Record>| is_meant(record.facts.home.workspace);
        self.by_id.get(shard).map(|shard| read(shard).iter().filter(is_of).map(told).collect()).unwrap_or_default()
    }

    /// The counters of a record, made now: of two calls that come first at once, and of one that holds a record which was replaced, both
    /// count by the same. No record of the key is replaced while its shard is read.
    pub fn begin<'a>(&self, record: &'a Record) -> &'a Counted {
        let (key, place) = (record.facts.key, self.hasher.hash_one(record.facts.key));
        let ids = read(self.ids(place));
        let current = ids.find(place, |known| known.facts.key == key).map(|current| &**current);
        record.begin(current.filter(|current| !std::ptr::eq(*current, record)))
    }

    /// These secrets of a record are over, now: a call passed with the newest. Whichever record of the key calls find, it knows: none is
    /// replaced while its shard is read, and one that is put later goes on with what is noted here.
    #[cold]
    pub fn end_waiting(&self, record: &Record, ended: &[SecretId]) {
        record.facts.end_waiting(ended);
        let (key, place) = (record.facts.key, self.hasher.hash_one(record.facts.key));
        if let Some(current) = read(self.ids(place)).find(place, |known| known.facts.key == key) {
            current.facts.end_waiting(ended);
        }
    }

    pub fn len(&self) -> usize {
        self.by_id.iter().map(|shard| read(shard).len()).sum()
    }

    /// Puts the record made from the one that it replaces. Secrets that are gone are forgotten after the new ones are known.
    pub fn put(&self, key: KeyId, make: impl FnOnce(Option<&Record>) -> Record) {
        let place = self.hasher.hash_one(key);
        let mut ids = write(self.ids(place));
        let before = ids.find(place, |record| record.facts.key == key).cloned();
        let record = Arc::new(make(before.as_deref()));
        self.index(&record, before.as_deref());
        if let Some(before) = before {
            self.count_foreign(&before, AtomicUsize::fetch_sub);
            self.count_origins(&before, |n| n.saturating_sub(1));
            for gone in before.facts.secrets.iter().filter(|s| !record.facts.secrets.iter().any(|kept| kept.hash == s.hash)) {
                self.forget(key, gone.hash);
            }
        }
        match ids.entry(place, |record| record.facts.key == key, |record| self.hasher.hash_one(record.facts.key)) {
            Entry::Occupied(mut known) => *known.get_mut() = record,
            Entry::Vacant(vacant) => _ = vacant.insert(record),
        }
    }

    /// Puts a record of which nothing is known yet. While the table is loaded only: it is found by its id alone until `publish`.
    pub fn add(&self, record: Record) {
        let place = self.hasher.hash_one(record.facts.key);
        write(self.ids(place)).insert_unique(place, Arc::new(record), |known| self.hasher.hash_one(known.facts.key));
    }

    /// Completes what was added of a key.
    pub fn amend(&self, key: KeyId, change: impl FnOnce(&mut KeyFacts)) {
        let place = self.hasher.hash_one(key);
        if let Some(record) = write(self.ids(place)).find_mut(place, |record| record.facts.key == key).and_then(Arc::get_mut) {
            change(&mut record.facts);
        }
    }

    /// From now on what was added is found by its secrets too. Shows each record before.
    pub fn publish(&self, mut show: impl FnMut(&Record)) {
        for shard in &self.by_id {
            for record in read(shard).iter() {
                show(record);
                self.index(record, None);
            }
        }
    }

    fn index(&self, record: &Arc<Record>, before: Option<&Record>) {
        self.note_windows(record);
        self.count_foreign(record, AtomicUsize::fetch_add);
        self.count_origins(record, |n| n + 1);
        for secret in record.facts.secrets.iter() {
            self.remember(&secret.hash, record);
        }
        // After its SHA-256 is known: one of the two finds it at every moment.
        self.index_salted(record.facts.key, before.map_or(&[][..], |before| before.facts.salted()), record.facts.salted());
    }

    fn remember(&self, hash: &[u8; 32], record: &Arc<Record>) {
        let place = self.hasher.hash_one(hash);
        write(self.secrets(place)).put(place, Arc::clone(record), |known| is_of(known, hash));
    }

    /// Of a secret that finds this key already. One that has become another key's stays that one's.
    fn replace(&self, hash: &[u8; 32], record: &Arc<Record>) {
        let place = self.hasher.hash_one(hash);
        if let Some(known) = write(self.secrets(place)).find_mut(place, |known| is_of(known, hash))
            && known.facts.key == record.facts.key
        {
            *known = Arc::clone(record);
        }
    }

    /// Forgets a key that no longer exists.
    pub fn remove(&self, key: KeyId) {
        let place = self.hasher.hash_one(key);
        let mut ids = write(self.ids(place));
        if let Ok(known) = ids.find_entry(place, |record| record.facts.key == key) {
            let (record, _) = known.remove();
            self.count_foreign(&record, AtomicUsize::fetch_sub);
            self.count_origins(&record, |n| n.saturating_sub(1));
            self.index_salted(key, record.facts.salted(), &[]);
            for secret in record.facts.secrets.iter() {
                self.forget(key, secret.hash);
            }
        }
    }

    /// Unless it has become another key's meanwhile.
    fn forget(&self, key: KeyId, hash: [u8; 32]) {
        let place = self.hasher.hash_one(hash);
        write(self.secrets(place)).remove(place, |known| known.facts.key == key && is_of(known, &hash));
    }

    /// Whether a limit of less than a minute was ever known; before any call of its key is counted.
    pub fn knows_short_windows(&self) -> bool {
        self.short_windows.load(Ordering::Relaxed)
    }

    fn note_windows(&self, record: &Record) {
        if !self.knows_short_windows() && record.has_short_window() {
            self.short_windows.store(true, Ordering::Relaxed);
        }
    }

    /// Whether any secret was made elsewhere and is known by its SHA-256, and by its SHA-512.
    pub fn has_foreign(&self) -> [bool; 2] {
        [self.foreign[0].load(Ordering::Relaxed) > 0, self.foreign[1].load(Ordering::Relaxed) > 0]
    }

    fn count_foreign(&self, record: &Record, count: fn(&AtomicUsize, usize, Ordering) -> usize) {
        for secret in record.facts.secrets.iter() {
            match secret.origin {
                Origin::Own => {}
                Origin::Sha256 => _ = count(&self.foreign[0], 1, Ordering::Relaxed),
                Origin::Sha512 => _ = count(&self.foreign[1], 1, Ordering::Relaxed),
            }
        }
    }

    /// Under one lock, so that a key that is put again is found at every moment.
    fn index_salted(&self, key: KeyId, before: &[Salted], now: &[Salted]) {
        if before == now {
            return;
        }
        let mut starts = write(&self.salted);
        for gone in before {
            if let Some(keys) = starts.get_mut(&gone.start) {
                keys.retain(|known| *known != key);
                if keys.is_empty() {
                    starts.remove(&gone.start);
                }
            }
        }
        for secret in now {
            let keys = starts.entry(secret.start.clone()).or_default();
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        self.salted_starts.store(starts.len(), Ordering::Release);
        self.salted_generation.fetch_add(1, Ordering::Release);
    }

    /// Changes whenever salted secrets come or go.
    pub fn salted_generation(&self) -> u64 {
        self.salted_generation.load(Ordering::Acquire)
    }

    /// True if some salted secret begins as this one. One atomic load where there is none.
    pub fn knows_start(&self, secret: &str) -> bool {
        self.salted_starts.load(Ordering::Acquire) > 0 && {
            let starts = read(&self.salted);
            START.filter_map(|n| secret.get(..n)).any(|start| starts.contains_key(start))
        }
    }

    /// Salted secrets that this one may be, those that begin longest the same first; a few at most.
    pub fn salted(&self, secret: &str, now_micros: i64) -> Vec<(KeyId, Salted)> {
        if !self.knows_start(secret) {
            return Vec::new();
        }
        let keys: Vec<KeyId> = {
            let starts = read(&self.salted);
            START.rev().filter_map(|n| starts.get(secret.get(..n)?)).flatten().copied().take(MOST).collect()
        };
        let may_be = |salted: &&Salted| secret.starts_with(&*salted.start) && salted.expires_at.is_none_or(|at| at > now_micros) && !salted.waits.is_over();
        let of = |key: KeyId| {
            let record = self.by_id(key)?;
            let salted: Vec<_> = record.facts.salted().iter().filter(may_be).map(|salted| (key, salted.clone())).collect();
            Some(salted)
        };
        keys.into_iter().filter_map(of).flatten().take(MOST).collect()
    }

    /// Shows every record that counts, shard by shard; none is locked meanwhile.
    pub fn each_counted(&self, mut show: impl FnMut(&Record, &Counted)) {
        for shard in &self.by_id {
            let records: Vec<_> = read(shard).iter().filter(|record| record.counted().is_some()).cloned().collect();
            records.iter().for_each(|record| {
                if let Some(counted) = record.counted() {
                    show(record, counted);
                }
            });
        }
    }

    /// The windows of all limits that keys have.
    pub fn windows(&self) -> HashSet<Window> {
        let mut windows = HashSet::new();
        let mut last: Option<Arc<Allowance>> = None;
        for shard in &self.by_id {
            for record in read(shard).iter() {
                // Many keys have the same limits: these are looked at once.
                let allowance = &record.facts.allowance;
                if last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, allowance)) {
                    windows.extend(allowance.limits.iter().map(|policy| policy.window));
                    last = Some(Arc::clone(allowance));
                }
            }
        }
        windows
    }

    /// The keys by the windows of their limits, those windows alone that are asked for. One look at every record, however many windows.
    pub fn keys_by(&self, is_asked: impl Fn(Window) -> bool) -> HashMap<Window, Vec<Uuid>> {
        let mut keys = HashMap::<Window, Vec<Uuid>>::new();
        for shard in &self.by_id {
            for record in read(shard).iter() {
                let key = record.facts.key.uuid();
                for window in record.policies().iter().map(|policy| policy.window).filter(|window| is_asked(*window)) {
                    let known = keys.entry(window).or_default();
                    if known.last() != Some(&key) {
                        known.push(key); // once, also where two of its limits have this window
                    }
                }
            }
        }
        keys
    }

    /// Whether an active key of this API names the origin, itself or by a pattern.
    pub fn names_origin(&self, api: ApiId, origin: &str) -> bool {
        let origins = read(&self.origins);
        let is_named = |origin: String| origins.contains_key(&(api, origin.into_boxed_str()));
        !origin.contains('*') && (is_named(origin.to_owned()) || pattern_of(origin).is_some_and(is_named))
    }

    fn count_origins(&self, record: &Record, count: fn(usize) -> usize) {
        if record.facts.rights.origins.is_empty() || record.facts.standing != Standing::Active {
            return;
        }
        let mut origins = write(&self.origins);
        for origin in &record.facts.rights.origins {
            let place = (record.facts.home.api, origin.clone());
            match count(origins.get(&place).copied().unwrap_or(0)) {
                0 => _ = origins.remove(&place),
                n => _ = origins.insert(place, n),
            }
        }
    }

    /// Every key it knows: for a reload that must find what is gone.
    pub fn ids_known(&self) -> Vec<KeyId> {
        self.by_id.iter().flat_map(|shard| read(shard).iter().map(|record| record.facts.key).collect::<Vec<_>>()).collect()
    }
}

#[cfg(test)]
mod tests;
