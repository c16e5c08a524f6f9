//! The questions of the gate in its order, and where one of them decided.

use crate::keys::model::{Ground, TrialStep};
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

    /// As the panel calls it: what the tester of a key checks too, by the same noun.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Door => "Address block",
            Self::Form => "Format",
            Self::Key => "Key",
            Self::Secret => TrialStep::noun("secret"),
            Self::State => TrialStep::noun("state"),
            Self::Expiry => TrialStep::noun("expiry"),
            Self::Address => TrialStep::noun("address"),
            Self::Origin => TrialStep::noun("origin"),
            Self::Api => TrialStep::noun("api"),
            Self::Route => TrialStep::noun("route"),
            Self::Permission => TrialStep::noun("permission"),
            Self::KeyRoute => TrialStep::noun("key_route"),
            Self::Signature => TrialStep::noun("signature"),
            Self::Pace => TrialStep::noun("pace"),
            Self::Limits => TrialStep::noun("limit"),
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
    fn every_question_has_a_noun_of_its_own() {
        let nouns: std::collections::HashSet<&str> = Question::ALL.into_iter().map(Question::noun).collect();
        assert_eq!(nouns.len(), Question::ALL.len(), "{nouns:?}");
    }

    #[test]
    fn grounds_stand_in_the_order_of_their_questions() {
        assert!(Ground::ALL.windows(2).all(|two| Question::of(two[0]) <= Question::of(two[1])));
        assert!(Question::ALL.windows(2).all(|two| two[0] < two[1]));
    }
}
