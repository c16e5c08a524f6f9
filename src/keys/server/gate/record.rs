//! What the gate knows of one key: its facts, replaced whole when they change, and its counters, which live on.

use super::limit::{Limit, LimitState, Policy};
use crate::values::{AccountId, ApiId, KeyId, Permission, WorkspaceId};
use ipnet::IpNet;
use std::sync::{Arc, Mutex};

/// Whether a key may be used at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active,
    Disabled,
    Revoked,
    /// Its owner may not make calls.
    Banned,
}

/// One key as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    pub key: KeyId,
    pub owner: AccountId,
    pub workspace: WorkspaceId,
    pub api: ApiId,
    pub api_slug: Arc<str>,
    pub standing: Standing,
    /// Microseconds since 1970.
    pub expires_at: Option<i64>,
    /// Those of a key for Tollgate itself are cut down to what its owner has.
    pub permissions: Box<[Permission]>,
    /// From where it may be used; empty: from everywhere.
    pub addresses: Box<[IpNet]>,
    pub secrets: Box<[SecretFacts]>,
    pub limits: Box<[Policy]>,
}

/// One secret: its SHA-256, and when a rotation lets it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretFacts {
    pub hash: [u8; 32],
    pub expires_at: Option<i64>,
}

/// The facts with the counters beside them.
#[derive(Debug)]
pub struct Record {
    pub facts: KeyFacts,
    pub limits: Box<[Limit]>,
    /// Held while several limits are charged together.
    pub together: Arc<Mutex<()>>,
}

impl Record {
    /// A record of these facts. Counters of the record it replaces go on, limit by limit: same name, same window.
    pub fn new(facts: KeyFacts, default: &Policy, replaced: Option<&Self>) -> Self {
        let policies = if facts.limits.is_empty() { std::slice::from_ref(default) } else { &facts.limits };
        let limits = policies
            .iter()
            .map(|policy| {
                let before = replaced.and_then(|r| r.limits.iter().find(|l| l.policy.name == policy.name && l.policy.window == policy.window));
                Limit { policy: policy.clone(), counter: before.map(|l| Arc::clone(&l.counter)).unwrap_or_default() }
            })
            .collect();
        let together = replaced.map(|r| Arc::clone(&r.together)).unwrap_or_default();
        Self { facts, limits, together }
    }

    pub fn limit_states(&self, now_micros: i64) -> Vec<LimitState> {
        self.limits.iter().map(|limit| limit.state(now_micros)).collect()
    }
}
