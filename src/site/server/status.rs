//! How the parts of this node do: the database, the keys in memory, what was counted and is not written yet. `/readyz` tells it to load
//! balancers, `/status` to people. It is no more than strangers may know, and needs no database to tell it.

use crate::{
    keys::server::gate::Gate,
    platform::{Ctx, db},
    site::model::{PartStatus, Status, Working},
    usage::server::Backlog,
};
use serde::Serialize;
use std::time::Duration;
use tokio::time::timeout;

/// The database is away if it does not answer within this.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the parts do.
#[derive(Debug, Serialize)]
pub struct Parts {
    pub database: Database,
    pub keys: Keys,
    pub usage: Usage,
}

#[derive(Debug, Serialize)]
pub struct Database {
    pub up: bool,
    /// For how many seconds it has not told this node anything; none while it does.
    pub away_for: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct Keys {
    pub loaded: bool,
    pub verified: bool,
    /// For how many seconds they are still verified from memory, while the database is away.
    pub verified_for: Option<u64>,
}

#[derive(Debug, Serialize)]
pub struct Usage {
    /// Counters in memory and in the data folder that the database does not have yet.
    pub waiting: u64,
    /// For how many seconds it has not taken them; none while it does.
    pub failing_for: Option<u64>,
    /// The data folder takes them, so that an end by force loses none.
    pub spooled: bool,
}

/// The parts, and why no key is verified, if none is.
pub async fn read_parts(ctx: &Ctx) -> (Parts, Option<String>) {
    let gate = ctx.part::<Gate>();
    let stopped = async {
        match gate.as_deref().filter(|gate| gate.is_loaded()) {
            Some(gate) => gate.contact().check().await.err().map(|stopped| stopped.to_string()),
            None => Some("The key table is not loaded yet.".to_owned()),
        }
    };
    let (pinged, stopped) = tokio::join!(timeout(PATIENCE, db::ping(&ctx.db)), stopped);
    let is_up = matches!(pinged, Ok(Ok(())));
    (parts(ctx, gate.as_deref(), is_up, stopped.is_none()), stopped)
}

fn parts(ctx: &Ctx, gate: Option<&Gate>, is_up: bool, verified: bool) -> Parts {
    let away = |millis: u64| (!is_up).then_some(millis / 1_000);
    let backlog = ctx.part::<Backlog>();
    let failing_for = backlog.as_ref().and_then(|backlog| backlog.failing_since()).map(|since| (ctx.clock.now() - since).whole_seconds());
    let waiting = backlog.map_or(0, |backlog| backlog.waiting()) + gate.map_or(0, |gate| gate.meter().counters() as u64);
    Parts {
        database: Database { up: is_up, away_for: gate.and_then(|gate| away(gate.contact().behind())) },
        keys: Keys { loaded: gate.is_some_and(Gate::is_loaded), verified, verified_for: gate.and_then(|gate| away(gate.contact().left())) },
        usage: Usage {
            waiting,
            failing_for: failing_for.map(|seconds| u64::try_from(seconds).unwrap_or(0)),
            spooled: gate.is_some_and(|gate| gate.meter().spool_bytes().is_some() && !gate.meter().is_spool_failing()),
        },
    }
}

/// The same for people: what works, without numbers.
pub async fn read_status(ctx: &Ctx) -> Status {
    in_words(&read_parts(ctx).await.0)
}

fn in_words(parts: &Parts) -> Status {
    let keys = match (parts.keys.verified, parts.database.up) {
        (true, true) => (Working::Yes, "Every call is answered with current data."),
        (true, false) => (Working::Partly, "Calls are answered from memory. Changes take effect once the database answers again."),
        (false, _) => (Working::No, "No key can be verified right now, so calls do not pass."),
    };
    let pages = match parts.database.up {
        true => (Working::Yes, "Sign-in, keys, usage and settings."),
        false => (Working::No, "The database does not answer. Nothing is lost, and pages come back by themselves."),
    };
    let usage = match (parts.database.up, parts.usage.failing_for) {
        (true, None) => (Working::Yes, "Calls are counted and appear within seconds."),
        _ => (Working::Partly, "Calls are counted and will appear later."),
    };
    let rows = [("Verification of keys", keys), ("Pages and accounts", pages), ("Usage", usage)];
    Status { parts: rows.into_iter().map(|(name, (working, detail))| PartStatus { name: name.to_owned(), working, detail: detail.to_owned() }).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(up: bool, verified: bool, failing_for: Option<u64>) -> Vec<Working> {
        let parts = Parts {
            database: Database { up, away_for: None },
            keys: Keys { loaded: true, verified, verified_for: None },
            usage: Usage { waiting: 7, failing_for, spooled: true },
        };
        in_words(&parts).parts.into_iter().map(|part| part.working).collect()
    }

    #[test]
    fn each_part_is_said_by_itself() {
        use Working::{No, Partly, Yes};
        assert_eq!(said(true, true, None), [Yes, Yes, Yes]);
        assert_eq!(said(true, true, Some(9)), [Yes, Yes, Partly]);
        assert_eq!(said(false, true, None), [Partly, No, Partly], "keys are verified from memory");
        assert_eq!(said(false, false, Some(1_000)), [No, No, Partly]);
        assert_eq!(said(true, false, None), [No, Yes, Yes], "the table is not loaded yet");
    }
}
