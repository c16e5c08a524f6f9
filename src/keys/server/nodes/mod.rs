//! The nodes: every process that answers for the gate on this database, known to each other, so that a change can say when it holds
//! everywhere.
//!
//! A node has a row from before its first answer until after its last. About every second, and after every change it heard of, it
//! writes there how far it has read the database (`Seen`), which proves at once that it lives and what it knows; and it reads of the
//! others. What this process knows of them stands in [`Nodes`], a part of the context; the gate's follower (`gate::sync`) is who
//! keeps it, `spread` is who waits for it.
//!
//! Nobody becomes a node unnoticed: a new one answers only after every live one has read of it, or could not rely any more on not
//! having read of it (`RELIABLE`). So a node that knows of no other since less than that is alone, and asks nobody.

mod members;
mod seen;
mod spread;
pub(super) mod store;

pub use crate::values::NodeId;
pub use members::{Member, Members, Pulse};
pub use seen::Seen;
pub use spread::{spread, spread_of_account, spread_of_accounts, spread_of_api, spread_of_blocks, spread_of_holders, spread_of_holders_again, spread_of_marks};

use crate::platform::{Ctx, clock::steady_millis};
use std::sync::Arc;
use tokio::sync::watch;

/// For so many milliseconds what was read of the others holds. Less than a change waits (2 s), and less than a new node waits for
/// those who do not confirm it.
pub const RELIABLE: u64 = 1_900;

/// The nodes as this one knows them. A part of the context: `ctx.part::<Nodes>()`; processes that are no node have none.
pub struct Nodes {
    me: NodeId,
    name: String,
    stops_after: u64,
    members: watch::Sender<Members>,
    /// The ids of those that may be answering, sorted.
    ids: watch::Sender<Vec<NodeId>>,
}

impl Nodes {
    /// This process before it is a node: it knows nobody. `id` is new with every start.
    pub fn new(ctx: &Ctx, id: NodeId, port: u16) -> Arc<Self> {
        let stops_after = ctx.config.database.outage.as_secs();
        Arc::new(Self { me: id, name: format!("{}:{port}", host()), stops_after, members: watch::Sender::default(), ids: watch::Sender::default() })
    }

    /// The id of this node.
    pub fn id(&self) -> NodeId {
        self.me
    }

    /// Host and port of this node.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds without the database after which this node answers no more.
    pub fn stops_after(&self) -> u64 {
        self.stops_after
    }

    /// Every node as last read, this one among them.
    pub fn members(&self) -> Members {
        self.members.borrow().clone()
    }

    /// The ids of the nodes that may be answering calls, sorted; wakes whoever waits when one comes, ends, or must have stopped. A
    /// node that is only silent still counts.
    pub fn membership(&self) -> watch::Receiver<Vec<NodeId>> {
        self.ids.subscribe()
    }

    /// True if no other node can be answering calls. False also where that is not known.
    pub fn is_alone(&self) -> bool {
        let (now, members) = (steady_millis(), self.members.borrow());
        now.saturating_sub(members.read_at) <= RELIABLE && !members.list.is_empty() && members.answering(now).all(|(member, _)| member.id == self.me)
    }

    /// How many nodes may be answering calls, this one included, and how many of them have a smaller id.
    pub(super) fn answering(&self) -> (u32, u32) {
        let members = self.members.borrow();
        members.answering(steady_millis()).fold((0, 0), |(all, before), (member, _)| (all + 1, before + u32::from(member.id < self.me)))
    }

    /// Takes what was read of the table.
    pub(super) fn learn(&self, members: Members) {
        let now = steady_millis();
        let mut ids: Vec<NodeId> = members.answering(now).map(|(member, _)| member.id).collect();
        ids.sort_unstable();
        self.members.send_replace(members);
        self.ids.send_if_modified(|known| std::mem::replace(known, ids) != *known);
    }

    /// Takes what a node told by notification: its id and how far it is.
    pub(super) fn hear(&self, payload: &str) {
        let Some((node, seen)) = payload.split_once(' ') else { return };
        let (Ok(node), Ok(seen)) = (node.parse(), seen.parse()) else { return };
        self.members.send_if_modified(|members| members.told(node, seen));
    }
}

/// Forgets processes that are known to have ended without saying so: nobody need wait until they must have stopped.
pub async fn forget(ctx: &Ctx, ended: &[NodeId]) -> sqlx::Result<()> {
    if ended.is_empty() { Ok(()) } else { store::delete(&ctx.db, ended).await }
}

/// The name of this machine, as far as the system tells it.
fn host() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    told.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{members::tests::members, *};
    use members::tests::id;

    fn first() -> Nodes {
        Nodes { me: id(1), name: String::new(), stops_after: 900, members: watch::Sender::default(), ids: watch::Sender::default() }
    }

    #[test]
    fn alone_is_who_has_just_read_that_nobody_else_is_there() {
        let nodes = first();
        assert!(!nodes.is_alone(), "who has read nothing does not know");
        let read = |given: &[(u64, &str)], ago| nodes.learn(Members { read_at: steady_millis().saturating_sub(ago), ..members(given) });
        read(&[(0, "7:7:")], 0);
        assert!(nodes.is_alone());
        read(&[(0, "7:7:")], RELIABLE + 1);
        assert!(!nodes.is_alone(), "too long ago");
        read(&[(0, "7:7:"), (60_000, "7:7:")], 0);
        assert!(!nodes.is_alone(), "a silent node may be answering");
        read(&[(0, "7:7:"), (906_000, "7:7:")], 0);
        assert!(nodes.is_alone(), "one that must have stopped is not");
    }

    #[test]
    fn membership_tells_only_of_those_who_come_and_go() {
        let nodes = first();
        let mut told = nodes.membership();
        let read = |given: &[(u64, &str)]| nodes.learn(Members { read_at: steady_millis(), ..members(given) });
        read(&[(0, "7:7:"), (0, "7:7:")]);
        assert!(told.has_changed().is_ok_and(|changed| changed));
        assert_eq!(*told.borrow_and_update(), [id(1), id(2)]);
        read(&[(100, "8:8:"), (8_000, "7:7:")]);
        assert!(told.has_changed().is_ok_and(|changed| !changed), "a silent node still counts");
        read(&[(100, "8:8:")]);
        assert!(told.has_changed().is_ok_and(|changed| changed));
    }
}
