//! What may be written later than the counts: which permissions calls needed, and who used each secret last. With thousands of keys in use that is a
//! row for each of them in every batch, which each batch changes again. So then a batch takes with it those of one key in six, and each key's wait for
//! a minute at most.
//!
//! An end by force loses them anyway if they were not written (`meter::permissions`, `meter::uses`); never a count.

use super::rows::CHUNK;
use crate::{
    keys::server::meter::{Batch, ForPermission, SecretUse},
    platform::{
        aside::in_pieces,
        maps::{FastMap, roomy},
    },
    values::{ApiId, KeyId, Outcome, SecretId, WorkspaceId},
};
use uuid::Uuid;

/// In so many batches each key has its turn: with the longest time between two (`rhythm`) that is a minute.
const TURNS: usize = 6;
/// As many are written at once.
const LITTLE: usize = CHUNK * TURNS;

/// Key, permission, outcome, quarter of an hour.
type Slot = (KeyId, Box<str>, Outcome, i64);

/// What waits, by turns.
struct Turns<K, V>([FastMap<K, V>; TURNS]);

/// What waits.
#[derive(Default)]
pub struct Later {
    permissions: Turns<Slot, (WorkspaceId, ApiId, u64)>,
    uses: Turns<SecretId, SecretUse>,
    turn: usize,
}

impl Later {
    /// Keeps what this batch brings and gives it what is due; all if it is little, or `all` must be written now.
    pub fn exchange(&mut self, batch: &mut Batch, all: bool) {
        for one in in_pieces(batch.permissions.drain(..)) {
            let slot = (one.key, one.permission, one.outcome, one.minute.div_euclid(15));
            self.permissions.of(one.key.uuid()).entry(slot).or_insert((one.workspace, one.api, 0)).2 += one.count;
        }
        // The first use of a new secret ends the old ones: that does not wait.
        for one in in_pieces(batch.uses.extract_if(.., |one| one.ends.is_empty())) {
            self.uses.of(one.secret.uuid()).insert(one.secret, one);
        }
        // Each secret once: of one that waits this is the later use.
        for one in &batch.uses {
            self.uses.of(one.secret.uuid()).remove(&one.secret);
        }
        let permissions = self.permissions.due(self.turn, all).map(|((key, permission, outcome, quarter), (workspace, api, count))| ForPermission {
            key,
            workspace,
            api,
            permission,
            outcome,
            minute: quarter * 15,
            count,
        });
        batch.permissions.extend(in_pieces(permissions));
        batch.uses.extend(in_pieces(self.uses.due(self.turn, all).map(|(_, latest)| latest)));
        self.turn = (self.turn + 1) % TURNS;
    }
}

impl<K, V> Default for Turns<K, V> {
    fn default() -> Self {
        Self(Default::default())
    }
}

impl<K, V> Turns<K, V> {
    fn of(&mut self, id: Uuid) -> &mut FastMap<K, V> {
        &mut self.0[usize::from(id.as_bytes()[15]) % TURNS]
    }

    fn due(&mut self, turn: usize, all: bool) -> impl Iterator<Item = (K, V)> {
        let is_little = self.0.iter().map(FastMap::len).sum::<usize>() <= LITTLE;
        let due = if all || is_little { &mut self.0[..] } else { &mut self.0[turn..=turn] };
        due.iter_mut().flat_map(|waiting| {
            let held = waiting.len();
            let due: Vec<_> = waiting.drain().collect();
            *waiting = roomy(std::mem::take(waiting), held);
            due
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    const MANY: u128 = LITTLE as u128 + 500;

    /// A call of each of so many keys that needed a permission in this minute.
    fn batch(keys: u128, minute: i64) -> Batch {
        let one = |n| ForPermission {
            key: KeyId::new(Uuid::from_u128(n)),
            workspace: WorkspaceId::new(Uuid::nil()),
            api: ApiId::new(Uuid::nil()),
            permission: "orders:read".into(),
            outcome: Outcome::Valid,
            minute,
            count: 1,
        };
        Batch { permissions: (0..keys).map(one).collect(), ..Batch::default() }
    }

    #[test]
    fn little_goes_at_once() {
        let (mut later, mut few) = (Later::default(), batch(100, 0));
        later.exchange(&mut few, false);
        assert_eq!(few.permissions.len(), 100);
        let mut none = Batch::default();
        later.exchange(&mut none, true);
        assert_eq!(none.permissions, []);
    }

    #[test]
    fn each_key_has_its_turn_once_in_six_batches_and_no_call_is_lost() {
        let (mut later, mut written, mut sums) = (Later::default(), vec![], BTreeMap::<Uuid, u64>::new());
        for n in 0..TURNS {
            let mut many = batch(MANY, 15 + n as i64);
            later.exchange(&mut many, false);
            written.push(many.permissions.len());
            for one in many.permissions {
                assert_eq!(one.minute, 15, "by the quarter of an hour");
                *sums.entry(one.key.uuid()).or_default() += one.count;
            }
        }
        assert_eq!(written.iter().sum::<usize>(), MANY as usize, "each once: {written:?}");
        assert!(written.iter().all(|rows| *rows < MANY as usize / 4), "{written:?}");
        let mut rest = Batch::default();
        later.exchange(&mut rest, true);
        rest.permissions.iter().for_each(|one| *sums.entry(one.key.uuid()).or_default() += one.count);
        assert!(sums.len() == MANY as usize && sums.values().all(|calls| *calls == TURNS as u64));
    }

    #[test]
    fn the_latest_use_of_a_secret_waits_and_an_end_of_old_ones_does_not() {
        let used = |n, at_micros| SecretUse {
            secret: SecretId::new(Uuid::from_u128(n)),
            key: KeyId::new(Uuid::from_u128(n)),
            at_micros,
            address: String::new(),
            route: "".into(),
            ends: if n == 0 { vec![SecretId::new(Uuid::max())] } else { vec![] },
        };
        let uses = |at_micros| Batch { uses: (0..MANY).map(|n| used(n, at_micros)).collect(), ..Batch::default() };
        let (mut later, mut times) = (Later::default(), BTreeMap::<SecretId, Vec<i64>>::new());
        for n in 0..TURNS as i64 {
            let mut many = uses(n);
            later.exchange(&mut many, false);
            assert!(many.uses.len() < MANY as usize / 4 && many.uses.contains(&used(0, n)), "{} in batch {n}", many.uses.len());
            many.uses.iter().for_each(|one| times.entry(one.secret).or_default().push(one.at_micros));
        }
        assert!(times.len() == MANY as usize && times.values().skip(1).all(|at| at.len() == 1), "each once");
        let mut rest = Batch::default();
        later.exchange(&mut rest, true);
        rest.uses.iter().for_each(|one| times.entry(one.secret).or_default().push(one.at_micros));
        assert!(times.values().all(|at| at.last() == Some(&(TURNS as i64 - 1))), "and at the end the last one of each");
    }

    /// Refused first, so it waits; then it passes, which does not wait: in one batch Postgres takes each secret once.
    #[test]
    fn a_secret_is_in_a_batch_once() {
        let used = |at_micros, ends: &[SecretId]| SecretUse {
            secret: SecretId::new(Uuid::nil()),
            key: KeyId::new(Uuid::nil()),
            at_micros,
            address: String::new(),
            route: "".into(),
            ends: ends.to_vec(),
        };
        let many = (0..MANY).map(|n| SecretUse { secret: SecretId::new(Uuid::from_u128(n)), ..used(1, &[]) }).collect();
        let mut later = Later { turn: 1, ..Later::default() };
        later.exchange(&mut Batch { uses: many, ..Batch::default() }, false);
        let passed = used(2, &[SecretId::new(Uuid::max())]);
        let mut last = Batch { uses: vec![passed.clone()], ..Batch::default() };
        later.exchange(&mut last, true);
        let of_it: Vec<_> = last.uses.iter().filter(|one| one.secret == passed.secret).collect();
        assert_eq!(of_it, [&passed]);
    }

    #[test]
    fn quarters_of_an_hour_stay_apart() {
        let (mut later, mut first, mut second) = (Later::default(), batch(MANY, 14), batch(MANY, 15));
        later.exchange(&mut first, false);
        later.exchange(&mut second, true);
        assert_eq!(first.permissions.len() + second.permissions.len(), 2 * MANY as usize);
    }
}
