//! The audit log: events as a chain that nobody can write, edit, reorder or thin out unseen without the master key (R83).
//!
//! `record` writes an event and, vouched for, its entry-to-be; `sealing` links entries one after the other, each with the MAC of the one
//! before; `verifying` looks at all of it, and `diagnosis` names what happened where it is not whole; `anchoring` tells the head outside
//! the database, because a chain alone can't show that its end was cut off. When a master key is dropped a `checkpoint` takes the place of
//! the MACs that were made with it.
//!
//! An entry holds two digests of its event: of the facts, which never change, and, salted, of what tells who it was. Erasing a person
//! changes the second part and queues an entry that says so. Afterwards the chain still proves that the event happened, when, of which
//! kind, about what, and that Tollgate took a person out of it, but of who it was nothing is left that could be tried out.

mod anchoring;
mod canon;
mod checkpoint;
mod diagnosis;
mod entry;
mod head;
mod jobs;
mod sealing;
mod store;
mod verifying;

pub use anchoring::{anchor, head, state, told};
pub use checkpoint::{Covered, write_checkpoint};
pub use head::{Head, heads};
pub use jobs::{AnchorAudit, VerifyAudit};
pub use sealing::{Sealer, seal};
pub use store::State;
pub use verifying::{Break, ENTRIES, Fault, Verdict, held_by_master_keys, verify, verify_and_note};

pub(super) use canon::Row;
pub(super) use entry::{Entry, Kind, key_id};
