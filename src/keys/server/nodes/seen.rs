//! How far a node has read the database: a snapshot, as Postgres writes it (`pg_snapshot`: `xmin:xmax:running,…`).
//!
//! A number alone would not do: transactions commit in another order than they begin, and one that runs for an hour would hold a
//! "everything below" back for as long. A snapshot says of every single transaction whether it is in.

use std::str::FromStr;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Every transaction below has ended.
    xmin: u64,
    /// No transaction from here on had begun.
    xmax: u64,
    /// Those between that were still running, sorted.
    running: Box<[u64]>,
}

impl Seen {
    /// Whether this committed transaction is in.
    pub fn includes(&self, transaction: u64) -> bool {
        transaction < self.xmin || (transaction < self.xmax && self.running.binary_search(&transaction).is_err())
    }
}

impl FromStr for Seen {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split(':');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (xmin, xmax) = (number().ok_or(())?, number().ok_or(())?);
        let running = parts.next().unwrap_or_default().split(',').filter(|n| !n.is_empty()).map(|n| n.parse().map_err(|_| ())).collect::<Result<_, _>>()?;
        Ok(Self { xmin, xmax, running })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_says_of_each_transaction_whether_it_is_in() {
        let seen: Seen = "10:20:10,14,15".parse().expect("as in the manual of Postgres, 9.27");
        for (transaction, is_in) in [(9, true), (10, false), (11, true), (13, true), (14, false), (15, false), (19, true), (20, false), (99, false)] {
            assert_eq!(seen.includes(transaction), is_in, "{transaction}");
        }
        assert!(!Seen::default().includes(0), "who has read nothing knows nothing");
        assert!("10:20:".parse::<Seen>().is_ok_and(|seen| seen.includes(19)));
        for wrong in ["", "10", "a:b:", "1:2:x"] {
            assert_eq!(wrong.parse::<Seen>(), Err(()), "{wrong}");
        }
    }
}
