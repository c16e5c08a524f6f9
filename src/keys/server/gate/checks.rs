//! What a call must pass, limits aside, one check after the other in a fixed order. The gate stops at the first refusal; the tester
//! of a key's page (`explain`) reads them all. Nothing here allocates while a call passes.

use super::{
    Question,
    blocked::{KeyBlock, Until},
    facts::{KeyFacts, Standing},
    path::Fault,
    routing::Matched,
};
use crate::{
    keys::{
        model::Ground,
        server::{
            origins,
            signing::{Fault as SigningFault, Proof},
        },
    },
    values::{BlockPolicy, Outcome},
};

/// One thing that is looked at, in the order of `ALL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    Secret,
    State,
    Expiry,
    Address,
    Origin,
    Api,
    Route,
    Permission,
    /// Among those that the key may call.
    KeyRoute,
    /// Last: a call that is refused for something else uses up no signature.
    Signature,
}

/// A call with everything that is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub question: &'a Question<'a>,
    pub facts: &'a KeyFacts,
    /// Of the presented secret; none when a key is tried without one.
    pub hash: Option<&'a [u8; 32]>,
    pub route: Matched<'a>,
    /// Until when the address is blocked, if it is.
    pub address_blocked: Option<Until>,
    /// What blocks the key, or its workspace.
    pub key_blocked: Option<KeyBlock>,
    /// Microseconds since 1970.
    pub now: i64,
}

/// What a key that has no plan is answered as its plan.
pub const NO_PLAN: &str = "default";

/// A refusal: its code, and why exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused<'a> {
    pub outcome: Outcome,
    pub why: Why<'a>,
}

/// What the code alone does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why<'a> {
    Known,
    /// A rotation has let the secret go.
    Replaced,
    /// The permission that is needed and was not given.
    Lacks(&'a str),
    /// The key has the permission, which needs a grant, and nobody grants it; under this plan.
    Withheld {
        needed: &'a str,
        plan: &'a str,
    },
    /// No route of the API matches, and it refuses such calls.
    NoRoute,
    /// The key may call certain routes only, and this is none of them.
    NotListed,
    /// So it may, and the question did not say which one was called.
    RouteUntold,
    Path(Fault),
    /// The key may be used from certain addresses only, and the question did not say from where the call came.
    AddressUntold,
    /// Calls from the address are blocked.
    AddressBlocked(Until),
    /// Calls of the key, or of its workspace, are blocked.
    KeyBlocked(KeyBlock),
    /// It comes from a page of this origin, which is not on the key's list.
    Origin(&'a str),
    /// The key asks for a signature and there is none.
    Unsigned,
    Signature(SigningFault),
    /// This node has not read the API yet.
    Unread,
}

impl Check {
    pub const ALL: [Self; 10] =
        [Self::Secret, Self::State, Self::Expiry, Self::Address, Self::Origin, Self::Api, Self::Route, Self::Permission, Self::KeyRoute, Self::Signature];

    pub fn refuses<'a>(self, call: &Call<'a>) -> Option<Refused<'a>> {
        let facts = call.facts;
        let known = |refused: bool, outcome| refused.then_some(Refused { outcome, why: Why::Known });
        let forbidden = |why| Some(Refused { outcome: Outcome::Forbidden, why });
        match self {
            Self::Secret => {
                let hash = call.hash?;
                let is_over = facts.secrets.iter().any(|s| s.hash == *hash && (s.ends.is_over(call.now) || s.waits.is_over()));
                is_over.then_some(Refused { outcome: Outcome::Expired, why: Why::Replaced })
            }
            Self::State => match (facts.standing, call.key_blocked) {
                (Standing::Revoked, _) => known(true, Outcome::Revoked),
                _ if facts.home.banned_until.is_some_and(|until| until > call.now) => known(true, Outcome::Banned),
                (Standing::Disabled, _) => known(true, Outcome::Disabled),
                (Standing::Active, Some(block)) => Some(Refused { outcome: Outcome::Banned, why: Why::KeyBlocked(block) }),
                (Standing::Active, None) => None,
            },
            Self::Expiry => known(facts.expires.is_over(call.now), Outcome::Expired),
            Self::Address => {
                if let Some(until) = call.address_blocked {
                    return Some(Refused { outcome: Outcome::IpDenied, why: Why::AddressBlocked(until) });
                }
                if facts.rights.addresses.is_empty() {
                    return None;
                }
                let Some(address) = call.question.address else { return Some(Refused { outcome: Outcome::IpDenied, why: Why::AddressUntold }) };
                known(!facts.rights.addresses.iter().any(|network| network.contains(&address.to_canonical())), Outcome::IpDenied)
            }
            Self::Origin => {
                let origin = call.question.origin.filter(|origin| !origins::allows(&facts.rights.origins, origin))?;
                forbidden(Why::Origin(origin))
            }
            Self::KeyRoute => {
                let why = facts.rights.routes.as_ref()?.refuses(call.question)?;
                forbidden(why)
            }
            Self::Signature => {
                let signer = facts.signer()?;
                match call.question.proof {
                    Proof::Assumed => None,
                    Proof::Holds(by) if by == signer.fingerprint => None,
                    Proof::Broken(fault) => forbidden(Why::Signature(fault)),
                    // By a signer that was replaced a moment ago counts as none.
                    Proof::Absent | Proof::Holds(_) => forbidden(Why::Unsigned),
                }
            }
            Self::Api => known(call.question.api.is_some_and(|api| api != facts.home.api), Outcome::WrongApi),
            Self::Route => match call.route {
                Matched::Rule(..) | Matched::Nothing => None,
                Matched::Refused => forbidden(Why::NoRoute),
                Matched::Faulty(fault) => forbidden(Why::Path(fault)),
                Matched::Unread => forbidden(Why::Unread),
            },
            Self::Permission => {
                let why = |needed: &'a str| {
                    if !facts.rights.permissions.iter().any(|p| p.as_str() == needed) {
                        return Some(Why::Lacks(needed));
                    }
                    facts.allowance.withholds(needed).then(|| Why::Withheld { needed, plan: facts.plan() })
                };
                needed(call.question, call.route).into_iter().flatten().find_map(why).and_then(forbidden)
            }
        }
    }
}

/// The permissions that a call needs: that of its route, and the one that the question names beside it.
pub fn needed<'a>(question: &Question<'a>, route: Matched<'a>) -> [Option<&'a str>; 2] {
    let by_route = if let Matched::Rule(rule, _) = route { rule.permission.as_ref().map(|p| p.as_str()) } else { None };
    [by_route, question.permission.filter(|asked| by_route != Some(*asked))]
}

/// Cost units to charge; none: the route has no quota. What the question says wins over the route.
pub fn cost(question: &Question<'_>, route: Matched<'_>) -> Option<u32> {
    match (question.cost, route) {
        (Some(cost), _) => Some(cost),
        (None, Matched::Rule(rule, _)) => rule.cost,
        (None, _) => Some(1),
    }
}

impl Refused<'_> {
    /// What exactly it was.
    pub const fn ground(self) -> Ground {
        match self.why {
            Why::Known | Why::AddressUntold => Ground::guessed(self.outcome),
            Why::Replaced => Ground::Secret,
            Why::Lacks(_) | Why::Withheld { .. } => Ground::Permission,
            Why::NoRoute => Ground::Route,
            Why::NotListed | Why::RouteUntold => Ground::KeyRoute,
            Why::Path(_) => Ground::Path,
            Why::AddressBlocked(_) => Ground::AddressBlocked,
            Why::KeyBlocked(_) => Ground::KeyBlocked,
            Why::Origin(_) => Ground::Origin,
            Why::Unsigned => Ground::Unsigned,
            Why::Signature(_) => Ground::Signature,
            Why::Unread => Ground::Unread,
        }
    }
}

impl Why<'_> {
    /// Seconds until it is worth trying again, where the refusal ends by itself.
    pub fn retry_after(self, now_micros: i64) -> Option<u64> {
        match self {
            Self::AddressBlocked(until) | Self::KeyBlocked(KeyBlock { until, .. }) => until.seconds_from(now_micros),
            _ => None,
        }
    }

    /// The policy of the block that refuses, if one does.
    pub const fn policy(self) -> Option<BlockPolicy> {
        match self {
            Self::AddressBlocked(_) => Some(BlockPolicy::BlockAddress),
            Self::KeyBlocked(block) => Some(block.policy()),
            _ => None,
        }
    }

    /// A sentence for the holder of the key; none where the code's own says it all.
    pub fn sentence(self) -> Option<String> {
        match self {
            Self::Known | Self::Replaced => None,
            Self::Lacks(needed) => Some(format!("This call needs {needed}, which this key was not given.")),
            Self::Withheld { needed, plan: NO_PLAN } => {
                Some(format!("This call needs {needed}, which takes a grant, and nothing grants it to the key's workspace."))
            }
            Self::Withheld { needed, plan } => {
                Some(format!("This call needs {needed}, which takes a grant. The plan {plan} does not grant it, nor do the key's workspace and its group."))
            }
            Self::NoRoute => Some("No route of the API matches this call, and the API refuses such calls.".to_owned()),
            Self::NotListed => Some("This key may call certain routes only, and this is none of them.".to_owned()),
            Self::RouteUntold => Some("This key may call certain routes only, and the question did not say which route was called.".to_owned()),
            Self::Path(fault) => Some(fault.sentence().to_owned()),
            Self::AddressUntold => Some("This key may be used from certain addresses only, and the question did not say from where the call came.".to_owned()),
            Self::AddressBlocked(until) => Some(format!("Calls from this address are blocked {}.", until.words())),
            Self::KeyBlocked(block) => Some(format!("{} are blocked {}.", block.whose(), block.until.words())),
            Self::Origin(origin) => {
                let shown: String = origin.chars().take(200).collect();
                Some(format!("It came from a page of {shown}, which is not among the key's origins."))
            }
            Self::Unsigned => Some("Calls of this key must be signed (RFC 9421), and this one is not.".to_owned()),
            Self::Signature(fault) => Some(fault.sentence().to_owned()),
            Self::Unread => Some("This server has not read the API's routes yet. Try again in a second.".to_owned()),
        }
    }
}
