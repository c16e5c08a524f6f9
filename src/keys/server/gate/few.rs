//! What a key nearly always has one of: its secrets, its limits. That one lies in one piece of memory with what holds it: a call of a key that was not
//! called lately waits for memory at each pointer that it follows.

use std::ops::Deref;

/// A few, in their order. A single one stands in the list itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Few<T> {
    One(T),
    /// None or several.
    Many(Box<[T]>),
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(mut all: Vec<T>) -> Self {
        match (all.pop(), all.is_empty()) {
            (Some(one), true) => Self::One(one),
            (last, _) => {
                all.extend(last);
                Self::Many(all.into())
            }
        }
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        all.into_iter().collect::<Vec<_>>().into()
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::Many(Box::default())
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::server::gate::limit::Limit;

    #[test]
    fn they_keep_their_order_and_one_stands_in_the_list_itself() {
        for count in 0..4 {
            let few: Few<i32> = (0..count).collect();
            assert_eq!(few.to_vec(), (0..count).collect::<Vec<_>>());
            assert_eq!(matches!(few, Few::One(_)), count == 1, "{count}");
        }
    }

    /// The table of `record` counts with these. A pointer that is never null says which of the two it is.
    #[test]
    fn limits_are_as_small_as_one_limit() {
        assert_eq!([size_of::<Limit>(), size_of::<Few<Limit>>()], [24, 24]);
    }
}
