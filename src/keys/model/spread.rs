//! How far a change of a key has got: on which nodes it holds.

use crate::error::wait_in_words;
use serde::{Deserialize, Serialize};

/// What is known when the operation answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Nodes that may be answering calls. None: no server runs.
    pub nodes: u32,
    /// Those of them that have applied the change.
    pub confirmed: u32,
    /// From the commit to the last confirmation, or to the end of the waiting (two seconds).
    pub milliseconds: u64,
    pub missing: Vec<Missing>,
}

/// A node that has not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Host and port.
    pub name: String,
    /// Seconds since it was last heard of.
    pub silent_for: u64,
    /// Seconds without the database after which it answers no question any more.
    pub stops_after: u64,
}

impl Spread {
    /// True if the change holds wherever calls are answered.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }

    /// "Refused on 2 of 2 nodes after 8 ms.", with `what` as its first word.
    pub fn words(&self, what: &str) -> String {
        let Self { nodes, confirmed, milliseconds, missing } = self;
        if *nodes == 0 {
            return "No server is running; the next one starts with it.".to_owned();
        }
        if missing.is_empty() {
            return if *nodes == 1 {
                format!("{what} after {milliseconds} ms.")
            } else {
                format!("{what} on {confirmed} of {nodes} nodes after {milliseconds} ms.")
            };
        }
        let mut words = format!("{what} on {confirmed} of {nodes} {}.", if *nodes == 1 { "node" } else { "nodes" });
        for Missing { name, silent_for, stops_after } in missing {
            let (silent, stops) = (wait_in_words(*silent_for), wait_in_words(*stops_after));
            words.push_str(&format!(" {name} has not confirmed for {silent}; it stops by itself when it is cut off for {stops}."));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_in_plain_words() {
        let spread = |nodes, confirmed, missing: &[Missing]| Spread { nodes, confirmed, milliseconds: 8, missing: missing.to_vec() };
        let away = Missing { name: "web-2:3000".to_owned(), silent_for: 7, stops_after: 900 };
        assert_eq!(spread(2, 2, &[]).words("Refused"), "Refused on 2 of 2 nodes after 8 ms.");
        assert_eq!(spread(1, 1, &[]).words("In force"), "In force after 8 ms.");
        assert_eq!(
            spread(2, 1, &[away]).words("Refused"),
            "Refused on 1 of 2 nodes. web-2:3000 has not confirmed for 7 seconds; it stops by itself when it is cut off for 15 minutes."
        );
        assert_eq!(Spread::default().words("Refused"), "No server is running; the next one starts with it.");
    }
}
