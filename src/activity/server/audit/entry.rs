//! An entry: what the chain says of an event, and the two HMACs over it. The voucher is made with the event, the link when its place in
//! the chain is known. Both are keyed under the master key, by its id, so neither can be made by who can only write tables.

use super::canon::{Canon, Row, micros};
use crate::platform::crypto::Vault;
use time::OffsetDateTime;
use uuid::Uuid;

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::activity::server) enum Kind {
    /// An event from before the chain, as it was found.
    Adopted,
    /// Vouched for from here on.
    Start,
    /// An event, from its own transaction on.
    Event,
    /// A person was taken out of an event; this is what stays.
    Erased,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adopted => "adopted",
            Self::Start => "start",
            Self::Event => "event",
            Self::Erased => "erased",
        }
    }

    pub fn of(text: &str) -> Option<Self> {
        [Self::Adopted, Self::Start, Self::Event, Self::Erased].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What the chain says of one event.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::activity::server) struct Entry {
    pub kind: Kind,
    pub event: Uuid,
    pub facts: Vec<u8>,
    pub person: Vec<u8>,
}

impl Entry {
    pub fn of(kind: Kind, row: &Row) -> Self {
        Self { kind, event: row.id, facts: row.facts().to_vec(), person: row.person().to_vec() }
    }

    /// The one of no event.
    pub(super) fn start() -> Self {
        Self { kind: Kind::Start, event: Uuid::nil(), facts: Vec::new(), person: Vec::new() }
    }

    /// The HMAC that lets it into the queue; none without the key of that id.
    pub fn voucher(&self, vault: &Vault, key: &str) -> Option<[u8; 32]> {
        let mut canon = Canon::new("tollgate audit voucher 1");
        self.write(&mut canon, key);
        keyed(vault, key, canon.bytes())
    }

    fn write(&self, canon: &mut Canon, key: &str) {
        canon.part(self.kind.as_str().as_bytes());
        canon.part(self.event.as_bytes());
        canon.part(&self.facts);
        canon.part(&self.person);
        canon.part(key.as_bytes());
    }
}

/// An entry in its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    pub number: i64,
    pub at: OffsetDateTime,
    pub entry: Entry,
    pub key: String,
    /// The MAC of the link before; nothing before the first.
    pub previous: Vec<u8>,
    pub mac: Vec<u8>,
}

impl Link {
    /// The HMAC that this link has to have at that place; none without its key.
    pub fn mac_at(&self, vault: &Vault, number: i64) -> Option<[u8; 32]> {
        let mut canon = Canon::new("tollgate audit link 1");
        canon.part(&number.to_be_bytes());
        canon.part(&self.previous);
        canon.part(&micros(self.at));
        self.entry.write(&mut canon, &self.key);
        keyed(vault, &self.key, canon.bytes())
    }

    /// Whether it was made for that place by who has the key.
    pub fn is_made_for(&self, vault: &Vault, number: i64) -> bool {
        self.mac_at(vault, number).is_some_and(|mac| mac[..] == self.mac[..])
    }
}

/// How the present master key is called.
pub(in crate::activity::server) fn key_id(vault: &Vault) -> String {
    vault.key_id().to_string()
}

/// The ids of all master keys that we have, the present one first.
pub(super) fn key_ids(vault: &Vault) -> Vec<String> {
    vault.key_ids()
}

/// The HMAC under the master key with this id, if we have it: the one place that chooses a key.
pub(super) fn keyed(vault: &Vault, key: &str, bytes: &[u8]) -> Option<[u8; 32]> {
    let at = key_ids(vault).iter().position(|id| id == key)?;
    vault.keyed_hashes("audit", bytes).into_iter().nth(at)
}
