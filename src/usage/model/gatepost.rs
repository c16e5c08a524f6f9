//! The questions of the gate in its order, and where one of them decided.

use crate::keys::model::Ground;
use serde::{Deserialize, Serialize};

/// One question of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gatepost {
    Passed(Question),
    Decided(Question),
    NotReached(Question),
}

/// What the gate asks of every call, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    Door,
    Form,
    Key,
    Secret,
    State,
    Expiry,
    Address,
    Origin,
    Api,
    Route,
    Permission,
    KeyRoute,
    Signature,
    Pace,
    Limits,
}

impl Question {
    const ALL: [Self; 15] = [
        Self::Door,
        Self::Form,
        Self::Key,
        Self::Secret,
        Self::State,
        Self::Expiry,
        Self::Address,
        Self::Origin,
        Self::Api,
        Self::Route,
        Self::Permission,
        Self::KeyRoute,
        Self::Signature,
        Self::Pace,
        Self::Limits,
    ];

    /// As the panel asks it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Door => "From an address that is not blocked",
            Self::Form => "Is it a key",
            Self::Key => "Whose is it",
            Self::Secret => "Is the secret in force",
            Self::State => "May it be used",
            Self::Expiry => "Before it expires",
            Self::Address => "From its addresses",
            Self::Origin => "From its web pages",
            Self::Api => "For this API",
            Self::Route => "To a route of the API",
            Self::Permission => "With the permission",
            Self::KeyRoute => "To a route of the key",
            Self::Signature => "Signed, if it must be",
            Self::Pace => "Not slowed by a block",
            Self::Limits => "Within its limits",
        }
    }

    /// The question that this answers.
    pub const fn of(ground: Ground) -> Self {
        match ground {
            Ground::AddressBlocked | Ground::AddressSlowed => Self::Door,
            Ground::Form => Self::Form,
            Ground::Unknown => Self::Key,
            Ground::Secret => Self::Secret,
            Ground::Revoked | Ground::OwnerBanned | Ground::Disabled | Ground::KeyBlocked => Self::State,
            Ground::Expiry => Self::Expiry,
            Ground::Address => Self::Address,
            Ground::Origin => Self::Origin,
            Ground::Api => Self::Api,
            Ground::Route | Ground::Path | Ground::Unread => Self::Route,
            Ground::Permission => Self::Permission,
            Ground::KeyRoute => Self::KeyRoute,
            Ground::Unsigned | Ground::Signature => Self::Signature,
            Ground::KeySlowed => Self::Pace,
            Ground::Limit => Self::Limits,
        }
    }
}

impl Gatepost {
    /// The chain of a call that passed.
    pub fn all_passed() -> Vec<Self> {
        Question::ALL.into_iter().map(Self::Passed).collect()
    }

    /// The questions in their order, up to the one that decided and beyond.
    pub fn chain(ground: Ground) -> Vec<Self> {
        let decided = Question::of(ground);
        let post = |question: Question| match question.cmp(&decided) {
            std::cmp::Ordering::Less => Self::Passed(question),
            std::cmp::Ordering::Equal => Self::Decided(question),
            std::cmp::Ordering::Greater => Self::NotReached(question),
        };
        Question::ALL.into_iter().map(post).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_ends_where_it_was_decided() {
        let chain = Gatepost::chain(Ground::Address);
        assert_eq!(chain[4], Gatepost::Passed(Question::State));
        assert_eq!(chain[6], Gatepost::Decided(Question::Address));
        assert_eq!(chain[8], Gatepost::NotReached(Question::Api));
        assert_eq!(Gatepost::chain(Ground::Limit).last(), Some(&Gatepost::Decided(Question::Limits)));
        let blocked = Gatepost::chain(Ground::AddressBlocked);
        assert_eq!(blocked[..3], [Gatepost::Decided(Question::Door), Gatepost::NotReached(Question::Form), Gatepost::NotReached(Question::Key)]);
    }

    #[test]
    fn grounds_stand_in_the_order_of_their_questions() {
        assert!(Ground::ALL.windows(2).all(|two| Question::of(two[0]) <= Question::of(two[1])));
        assert!(Question::ALL.windows(2).all(|two| two[0] < two[1]));
    }
}
