//! What a lease tells those who only look (`gate::shown`).

use super::{Leases, held::Lease};
use crate::keys::server::gate::rolling::KEPT;

impl Lease {
    /// What passed beyond the limit and is not in what the table says was given out.
    pub fn untold_beyond(&self) -> u64 {
        self.beyond.saturating_sub(self.told_beyond)
    }

    pub(super) fn forget_beyond(&mut self) {
        (self.beyond, self.told_beyond) = (0, 0);
    }

    /// Charged by this node of the window of this number, with what passed beyond the limit; of a rolling one, of its present part.
    pub fn charged(&self, number: u32) -> u64 {
        if self.window >= number { self.used + self.beyond } else { 0 }
    }

    /// What this node holds and has not used of the window of this number, also what it gave up and the table does not have yet; of a rolling
    /// window, of all parts that count then.
    pub fn unused(&self, number: u32) -> u64 {
        let rolling = self.rolling.as_deref();
        let counts = match rolling {
            Some(_) => number.saturating_sub(self.window) < KEPT,
            None => self.window == number,
        };
        let present = if counts { self.rest() + self.back } else { 0 };
        present + rolling.map_or(0, |rolling| rolling.late(number))
    }

    /// The same of credits, after whatever refill they were leased.
    pub fn unused_credits(&self) -> u64 {
        self.rest() + self.back
    }
}

impl Leases {
    /// What is left of this window under this limit, by what the table last said: where this node has been alone since, so that nobody else can
    /// have taken any.
    pub fn left_alone(&self, lease: &Lease, number: u32, max: u64) -> Option<u64> {
        let is_known = lease.window == number && lease.max == max && lease.told_at.is_some_and(|told| self.learnt_alone(told));
        is_known.then(|| lease.rest() + lease.left)
    }

    /// The same of credits.
    pub fn credits_left_alone(&self, lease: &Lease, number: u32, max: u64) -> Option<u64> {
        lease.known_credits_at(number, max).filter(|_| self.learnt_alone(lease.learnt()))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{held::Fit, rolling::Part},
        *,
    };

    #[test]
    fn what_is_left_is_known_of_its_window_and_its_limit_only() {
        let (leases, mut lease) = (Leases::alone(), Lease::default());
        lease.turn(7, 100);
        assert_eq!(leases.left_alone(&lease, 7, 100), None, "the table was not asked");
        let request = lease.request(5, true, 1);
        lease.take(&request, 20, 70, 1);
        assert_eq!(lease.charge(4), Fit::Fits);
        assert_eq!([(7, 100), (7, 50), (8, 100)].map(|(number, max)| leases.left_alone(&lease, number, max)), [Some(86), None, None]);
        assert_eq!(Leases::default().left_alone(&lease, 7, 100), None, "others may have taken some");
        assert_eq!(([lease.charged(7), lease.charged(8)], [lease.unused(7), lease.unused(8)]), ([4, 0], [16, 0]));
        lease.turn(7, 50);
        assert_eq!((leases.left_alone(&lease, 7, 50), lease.charged(7), lease.unused(7)), (None, 4, 16), "it is given up, and the table has not heard of it");
    }

    #[test]
    fn of_a_rolling_window_all_parts_count_that_this_node_holds_something_of() {
        let mut lease = Lease::default();
        lease.ring();
        lease.turn(100, 50);
        let request = lease.request(1, true, 1);
        lease.take_part(request, Part { number: 100, opens: Some(161) }, 6, 44, 1);
        assert_eq!(lease.charge(2), Fit::Fits);
        lease.turn(101, 50);
        assert_eq!([lease.unused(101), lease.unused(160), lease.unused(161)], [4, 4, 0], "what is left of the part before goes back");
    }
}
