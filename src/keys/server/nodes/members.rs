//! The nodes as one process last read of them, and what follows from that for a change: who has it, who is waited for, who is named.

use super::seen::Seen;
use crate::{
    keys::model::{Missing, Spread},
    values::NodeId,
};
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;

/// A node that beat within this time is waited for; one that did not is named at once.
const LIVE: u64 = 3_000;
/// Clocks of machines run at slightly different speeds: so much later than by its own count a node is held for stopped.
const MARGIN: u64 = 5_000;
/// For so long after its end what a node accepted may be tried elsewhere: as long as nonces are kept.
const SIGNED: u64 = 600_000;

/// How a node does, as the others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulse {
    /// It beat within three seconds.
    Live,
    /// It did not, and may be answering calls from what it knew.
    Silent,
    /// For so long that it answers no call any more.
    Stopped,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: NodeId,
    /// Host and port.
    pub name: Arc<str>,
    pub version: Arc<str>,
    pub started_at: OffsetDateTime,
    /// How many keys it knew when it last beat.
    pub keys: u64,
    /// Seconds without the database after which it stops by itself.
    pub stops_after: u64,
    /// It counts limits without leases, as it was alone.
    pub counts_alone: bool,
    /// Milliseconds since its last beat, by the clock of the database, when this was read.
    pub silent: u64,
    pub(super) seen: Seen,
}

/// Every node, in the order of their starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    pub list: Vec<Member>,
    /// When the reading began, on this process's steady clock.
    pub read_at: u64,
}

impl Members {
    /// How long a node has been silent at `now`.
    pub fn silence(&self, member: &Member, now: u64) -> Duration {
        Duration::from_millis(member.silent + now.saturating_sub(self.read_at))
    }

    pub fn pulse(&self, member: &Member, now: u64) -> Pulse {
        match u64::try_from(self.silence(member, now).as_millis()).unwrap_or(u64::MAX) {
            silent if silent <= LIVE => Pulse::Live,
            silent if silent <= member.stops_after * 1000 + MARGIN => Pulse::Silent,
            _ => Pulse::Stopped,
        }
    }

    /// Those that may be answering calls.
    pub fn answering(&self, now: u64) -> impl Iterator<Item = (&Member, Pulse)> {
        self.list.iter().map(move |m| (m, self.pulse(m, now))).filter(|(_, pulse)| *pulse != Pulse::Stopped)
    }

    /// What a node has told of itself since.
    pub(super) fn told(&mut self, node: NodeId, seen: Seen) -> bool {
        let known = self.list.iter_mut().find(|m| m.id == node);
        known.is_some_and(|member| std::mem::replace(&mut member.seen, seen) != member.seen)
    }

    /// True while a live node other than `me` has not seen this transaction.
    pub fn are_awaited(&self, transaction: u64, me: NodeId) -> bool {
        self.round(transaction, Some(me), self.read_at).awaits()
    }

    /// True while a live node other than `me` has not handed over what it counted alone.
    pub fn count_alone(&self, me: NodeId) -> bool {
        self.answering(self.read_at).any(|(member, pulse)| member.id != me && member.counts_alone && pulse == Pulse::Live)
    }

    /// True while another node that counted alone is silent: it may have crashed, or be cut off and have more to tell.
    pub fn left_alone(&self, me: NodeId) -> bool {
        self.answering(self.read_at).any(|(member, pulse)| member.id != me && member.counts_alone && pulse == Pulse::Silent)
    }

    /// True while another node that counted alone may accept signatures that nobody else knows of, or one that it accepted may still count.
    pub fn may_sign_alone(&self, me: NodeId) -> bool {
        let is_meant = |member: &&Member| member.id != me && member.counts_alone && self.pulse(member, self.read_at) != Pulse::Live;
        self.list.iter().filter(is_meant).any(|member| member.silent <= member.stops_after * 1000 + MARGIN + SIGNED)
    }

    /// Who has this transaction now. `applied` is the node that needs no confirmation, having applied it itself.
    pub(super) fn round(&self, transaction: u64, applied: Option<NodeId>, now: u64) -> Round {
        let mut round = Round::default();
        for (member, pulse) in self.answering(now) {
            round.nodes += 1;
            if applied == Some(member.id) || member.seen.includes(transaction) {
                continue;
            }
            round.awaits |= pulse == Pulse::Live;
            round.missing.push(Missing { name: member.name.to_string(), silent_for: self.silence(member, now).as_secs(), stops_after: member.stops_after });
        }
        round
    }
}

/// How far a change has got at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Round {
    nodes: u32,
    missing: Vec<Missing>,
    /// One of the missing is live: it is worth waiting.
    awaits: bool,
}

impl Round {
    pub fn awaits(&self) -> bool {
        self.awaits
    }

    /// What is told of it after waiting for so long.
    pub fn spread(mut self, waited: Duration) -> Spread {
        for missing in &mut self.missing {
            missing.silent_for = missing.silent_for.max(waited.as_secs());
        }
        let missing = u32::try_from(self.missing.len()).unwrap_or(u32::MAX);
        Spread {
            nodes: self.nodes,
            confirmed: self.nodes.saturating_sub(missing),
            milliseconds: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            missing: self.missing,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use uuid::Uuid;

    pub fn id(n: u128) -> NodeId {
        NodeId::new(Uuid::from_u128(n))
    }

    /// Nodes 1, 2, …; each with how long it has been silent (ms) and what it has seen.
    pub fn members(given: &[(u64, &str)]) -> Members {
        let member = |(n, (silent, seen)): (usize, &(u64, &str))| Member {
            id: id(n as u128 + 1),
            name: format!("node-{}", n + 1).into(),
            version: "1".into(),
            started_at: OffsetDateTime::UNIX_EPOCH,
            keys: 0,
            stops_after: 900,
            counts_alone: false,
            silent: *silent,
            seen: seen.parse().expect("a snapshot"),
        };
        Members { list: given.iter().enumerate().map(member).collect(), read_at: 1_000 }
    }

    #[test]
    fn who_beats_is_waited_for_and_who_does_not_is_named() {
        let all = members(&[(0, "7:7:"), (200, "7:7:"), (7_000, "7:7:"), (905_500, "7:7:")]);
        let round = all.round(7, Some(id(1)), 1_000);
        assert!(round.awaits());
        let spread = round.spread(Duration::from_millis(2_000));
        assert_eq!((spread.nodes, spread.confirmed), (3, 1), "the fourth must have stopped");
        assert_eq!(spread.missing.iter().map(|m| (m.name.as_str(), m.silent_for)).collect::<Vec<_>>(), [("node-2", 2), ("node-3", 7)]);

        assert!(!members(&[(0, "7:7:"), (7_000, "7:7:")]).round(7, Some(id(1)), 1_000).awaits(), "nobody who could confirm");
        assert!(!all.round(6, None, 1_000).awaits(), "everybody has it");
    }

    #[test]
    fn a_live_node_that_counts_alone_is_waited_for() {
        let mut all = members(&[(0, "7:7:"), (0, "7:7:")]);
        assert!(!all.count_alone(id(2)));
        all.list[0].counts_alone = true;
        assert!(all.count_alone(id(2)) && !all.count_alone(id(1)));
        all.list[0].silent = 3_001;
        assert!(!all.count_alone(id(2)) && all.left_alone(id(2)), "it may have crashed");
        all.list[0].silent = 906_000;
        assert!(!all.left_alone(id(2)) && all.may_sign_alone(id(2)), "it must have stopped; what it accepted may still be tried");
        all.list[0].silent = 1_506_000;
        assert!(!all.may_sign_alone(id(2)));
    }

    #[test]
    fn time_goes_on_after_the_reading() {
        let all = members(&[(0, "7:7:")]);
        let at = |now| all.pulse(&all.list[0], now);
        assert_eq!([at(1_000), at(4_000), at(4_001), at(906_000), at(906_001)], [Pulse::Live, Pulse::Live, Pulse::Silent, Pulse::Silent, Pulse::Stopped]);
    }

    #[test]
    fn a_node_tells_how_far_it_is() {
        let mut all = members(&[(0, "7:7:"), (0, "7:7:")]);
        assert!(all.told(id(2), "8:8:".parse().expect("a snapshot")));
        assert!(!all.told(id(2), "8:8:".parse().expect("a snapshot")), "nothing new");
        assert!(!all.told(id(9), "8:8:".parse().expect("a snapshot")), "nobody we know");
        assert!(!all.round(7, Some(id(1)), 1_000).awaits());
    }
}
