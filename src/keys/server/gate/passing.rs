//! Samples of calls that passed. Whether a call is one is decided before anything is looked up or copied for it: of an API that keeps none
//! by a look into an empty table, of one that keeps some by one number.

use super::{Answer, Gate, Question, apis::Apis, checks::cost, routing::Matched};
use crate::keys::{model::LimitLeft, server::meter::PassedCall};

impl Gate {
    /// Keeps this call, if it passed and is chosen.
    pub(super) fn sample_passed(&self, question: &Question<'_>, answer: &Answer, called: Matched<'_>, apis: &Apis, now: i64) {
        let Some(record) = answer.record.as_ref().filter(|_| answer.passes()) else { return };
        let facts = &record.facts;
        let Some(one_in) = apis.samples(facts.home.api).filter(|one_in| self.meter.draws(*one_in)) else { return };
        self.meter.keep_passed(facts.key, now, || PassedCall {
            at_micros: now,
            key: facts.key,
            workspace: facts.home.workspace,
            api: facts.home.api,
            route: self.label(question, called),
            address: question.address.map(|a| a.to_canonical().to_string()).unwrap_or_default(),
            request_id: question.request_id.to_owned(),
            cost: u64::from(cost(question, called).unwrap_or(0)),
            one_in,
            limits: answer.limits.iter().map(|at| LimitLeft { name: at.name.to_string(), limit: at.limit, remaining: at.remaining }).collect(),
        });
    }
}
