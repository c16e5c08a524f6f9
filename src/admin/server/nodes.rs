//! The nodes in words: who answers, who is silent, who must have stopped.

use super::words::{lasting, local, moment};
use crate::{
    accounts::Caller,
    admin::model::{Health, NodeRow},
    keys::server::nodes::{Member, Nodes, Pulse},
    platform::{Ctx, clock::steady_millis},
};
use std::time::Duration;

/// Shorter is what one beat after another takes.
const JUST_NOW: Duration = Duration::from_secs(3);

/// Every node that this one knows, in the order of their starts.
pub fn list_nodes(ctx: &Ctx, caller: &Caller) -> Vec<NodeRow> {
    let Some(nodes) = ctx.part::<Nodes>() else { return Vec::new() };
    let (members, now, local) = (nodes.members(), steady_millis(), local(ctx, caller));
    let row = |member: &Member| {
        let silence = members.silence(member, now);
        let (health, state) = state(members.pulse(member, now), silence, member.stops_after);
        NodeRow {
            name: member.name.to_string(),
            is_this: member.id == nodes.id(),
            health,
            state,
            since: moment(&local, member.started_at),
            contact: if silence < JUST_NOW { "just now".to_owned() } else { format!("{} ago", words(silence)) },
            keys: member.keys,
            version: member.version.to_string(),
        }
    };
    members.list.iter().map(row).collect()
}

fn state(pulse: Pulse, silence: Duration, stops_after: u64) -> (Health, String) {
    match pulse {
        Pulse::Live => (Health::Fine, "answers".to_owned()),
        Pulse::Silent => {
            let left = Duration::from_secs(stops_after).saturating_sub(silence);
            (Health::Wanting, format!("silent; if it still runs, it works from memory for at most {}", words(left)))
        }
        Pulse::Stopped => (Health::Broken, "no longer answers calls".to_owned()),
    }
}

fn words(time: Duration) -> String {
    lasting(time::Duration::try_from(time).unwrap_or(time::Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_node_says_how_long_it_may_go_on() {
        let seconds = Duration::from_secs;
        assert_eq!(state(Pulse::Live, seconds(1), 900), (Health::Fine, "answers".to_owned()));
        let silent = "silent; if it still runs, it works from memory for at most 14 minutes";
        assert_eq!(state(Pulse::Silent, seconds(40), 900), (Health::Wanting, silent.to_owned()));
        assert_eq!(state(Pulse::Stopped, seconds(905), 900).0, Health::Broken);
    }
}
