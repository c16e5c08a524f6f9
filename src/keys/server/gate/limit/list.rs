//! The limits of a key. A single one lies in one piece of memory with what holds it: a call of a key that was not called lately waits for
//! memory at each pointer that it follows.

use super::Limit;
use std::ops::Deref;

/// The limits of a key, in their order. Nearly every key has one: it stands in the list itself.
#[derive(Debug)]
pub enum LimitList {
    One(Limit),
    /// None or several.
    Many(Box<[Limit]>),
}

impl From<Vec<Limit>> for LimitList {
    fn from(mut limits: Vec<Limit>) -> Self {
        match (limits.pop(), limits.is_empty()) {
            (Some(one), true) => Self::One(one),
            (last, _) => {
                limits.extend(last);
                Self::Many(limits.into())
            }
        }
    }
}

impl Deref for LimitList {
    type Target = [Limit];

    fn deref(&self) -> &[Limit] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{
        model::{LimitUnit, Over, Window},
        server::gate::limit::Policy,
    };
    use std::sync::Arc;

    fn limit(max: u64) -> Limit {
        let policy = Policy { name: "t".into(), max, window: Window::HOUR, unit: LimitUnit::Units, over: Over::REFUSE };
        Limit { policy: policy.into(), counter: Arc::default(), throttle: None }
    }

    #[test]
    fn limits_keep_their_order_and_one_stands_in_the_list_itself() {
        for count in 0..4 {
            let list = LimitList::from((0..count).map(limit).collect::<Vec<_>>());
            assert_eq!(list.iter().map(|limit| limit.policy.max).collect::<Vec<_>>(), (0..count).collect::<Vec<_>>());
            assert_eq!(matches!(list, LimitList::One(_)), count == 1, "{count}");
        }
    }

    /// The table of `record` counts with these. A pointer that is never null says which of the two it is.
    #[test]
    fn the_list_is_as_small_as_one_limit() {
        assert_eq!([size_of::<Limit>(), size_of::<LimitList>()], [24, 24]);
    }
}
