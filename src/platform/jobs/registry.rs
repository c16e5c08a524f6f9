//! Which kinds of job this process can run: a table of functions, one per kind, made from the types.

use super::{Job, JobError};
use crate::platform::Ctx;
use serde_json::Value;
use std::{collections::BTreeMap, pin::Pin};

type Running = Pin<Box<dyn Future<Output = Result<(), JobError>> + Send>>;
pub(super) type Run = fn(Value, Ctx) -> Running;

/// The kinds that a runner claims; a job of another kind waits for a process that knows it (a newer version, say).
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<&'static str, Run>);

impl Registry {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind. Two types under one name stop the start.
    #[must_use]
    pub fn register<J: Job>(mut self) -> Self {
        assert!(self.0.insert(J::KIND, run::<J>).is_none(), "two jobs are called {}", J::KIND);
        self
    }

    pub(super) fn kinds(&self) -> Vec<String> {
        self.0.keys().map(ToString::to_string).collect()
    }

    pub(super) fn get(&self, kind: &str) -> Option<Run> {
        self.0.get(kind).copied()
    }
}

fn run<J: Job>(payload: Value, ctx: Ctx) -> Running {
    Box::pin(async move {
        let job: J = serde_json::from_value(payload).map_err(|error| JobError::Fail(format!("the payload can't be read: {error}")))?;
        job.run(&ctx).await
    })
}
