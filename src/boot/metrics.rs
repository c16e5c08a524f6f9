//! `GET /metrics` in the text format of Prometheus, on an address of its own (`server.metrics_addr`; none by default): what it tells is
//! for operators, so it is never on the listener that everybody reaches. It asks the database one thing, and answers without it, too.

use super::room::Room;
use crate::{
    keys::server::gate::Gate,
    platform::{
        Ctx,
        jobs::admin::{self, Counts},
    },
    usage::server::Backlog,
    values::Outcome,
};
use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use std::{
    fmt::{Display, Write},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};

/// A scrape waits no longer for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers on this listener until it is aborted.
pub fn serve(ctx: Ctx, listener: TcpListener) -> JoinHandle<()> {
    let router = Router::new().route("/metrics", get(metrics)).with_state(ctx);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("the listener of metrics ended badly: {error}");
        }
    })
}

async fn metrics(State(ctx): State<Ctx>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], text(&ctx).await)
}

/// All metrics of this process.
pub async fn text(ctx: &Ctx) -> String {
    let jobs = timeout(PATIENCE, admin::counts(ctx, false)).await.ok().and_then(Result::ok);
    let mut page = Page::default();
    page.metric("tollgate_info", "gauge", "The version that runs.", [(format!("{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1)]);
    if let Some(gate) = ctx.part::<Gate>() {
        of_gate(&mut page, &gate);
    }
    of_writing(&mut page, ctx);
    of_listening(&mut page, ctx);
    of_database(&mut page, ctx, jobs);
    page.0
}

fn of_gate(page: &mut Page, gate: &Gate) {
    let totals = Outcome::ALL.into_iter().zip(gate.meter().totals()).map(|(outcome, n)| (format!("{{code=\"{outcome}\"}}"), n));
    page.metric("tollgate_verifications_total", "counter", "Verifications answered by this process, by code.", totals);
    page.gauge("tollgate_keys", "Keys in memory.", gate.len());
    page.gauge("tollgate_key_table_loaded", "1 if the key table is loaded.", u8::from(gate.is_loaded()));
    let behind = gate.contact().behind();
    page.gauge("tollgate_key_table_behind_seconds", "Seconds since the key table was known to be current.", seconds(behind));
    page.gauge("tollgate_key_table_left_seconds", "Seconds that keys are still verified for without the database.", seconds(gate.contact().left()));
    let folded = [(String::new(), gate.meter().folded())];
    page.metric("tollgate_routes_folded_total", "counter", "Calls counted under the route other, as their key named too many in a minute.", folded);
    page.gauge("tollgate_usage_counters", "Counters in memory that wait for the next write.", gate.meter().counters());
    if let Some(bytes) = gate.meter().spool_bytes() {
        page.gauge("tollgate_spool_bytes", "Bytes of the spool on disk.", bytes);
    }
    page.gauge("tollgate_spool_failing", "1 while the disk does not take the spool.", u8::from(gate.meter().is_spool_failing()));
}

fn of_writing(page: &mut Page, ctx: &Ctx) {
    let Some(backlog) = ctx.part::<Backlog>() else { return };
    page.gauge("tollgate_usage_waiting", "Counters of the batch that is on its way to the database.", backlog.waiting());
    let lag = backlog.failing_since().map_or(0, |since| (ctx.clock.now() - since).whole_seconds().max(0));
    page.gauge("tollgate_usage_lag_seconds", "Seconds since no batch was written that should have been; 0 while they are.", lag);
    if let Some(at) = backlog.written_at() {
        page.gauge("tollgate_usage_written_timestamp_seconds", "When a batch was written last.", at.unix_timestamp());
    }
}

fn of_listening(page: &mut Page, ctx: &Ctx) {
    let Some(room) = ctx.part::<Room>() else { return };
    page.gauge("tollgate_connections", "Connections of clients that are open.", room.open().len());
    page.gauge("tollgate_connections_most", "So many may be open at once.", room.most());
    let turned_away = [(String::new(), room.turned_away())];
    page.metric("tollgate_connections_turned_away_total", "counter", "Connections that were closed at once, because so many were open.", turned_away);
}

fn of_database(page: &mut Page, ctx: &Ctx, jobs: Option<Counts>) {
    page.gauge("tollgate_database_up", "1 if the database answers.", u8::from(jobs.is_some()));
    let (open, idle) = (usize::try_from(ctx.db.size()).unwrap_or(0), ctx.db.num_idle());
    let connections = [("busy", open.saturating_sub(idle)), ("idle", idle)].map(|(state, n)| (format!("{{state=\"{state}\"}}"), n));
    page.metric("tollgate_database_connections", "gauge", "Connections of the pool.", connections);
    // Without the database they are not known, which is not none.
    let Some(jobs) = jobs else { return };
    let states = [("waiting", jobs.waiting), ("running", jobs.running), ("dead", jobs.failed)].map(|(state, n)| (format!("{{state=\"{state}\"}}"), n));
    page.metric("tollgate_jobs", "gauge", "Jobs by state; dead ones failed for good.", states);
    let overdue = jobs.overdue_since.map_or(0, |since| (ctx.clock.now() - since).whole_seconds().max(0));
    page.gauge("tollgate_jobs_overdue_seconds", "For how long the oldest job has been due.", overdue);
}

/// Milliseconds as seconds.
fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

/// The text so far.
#[derive(Default)]
struct Page(String);

impl Page {
    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.metric(name, "gauge", help, [(String::new(), value)]);
    }

    /// A metric with a value for each set of labels. Labels and texts are our own words: nothing in them has to be escaped.
    fn metric<V: Display>(&mut self, name: &str, kind: &str, help: &str, values: impl IntoIterator<Item = (String, V)>) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}
