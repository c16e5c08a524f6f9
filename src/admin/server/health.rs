//! Is everything all right? Each part of this process with one measure and what to do where it is not.

use super::words::lasting;
use crate::{
    activity::server::audit,
    admin::model::{Health, Part},
    error::{AppError, wait_in_words},
    keys::server::{
        gate::Gate,
        nodes::{Member, Nodes, Pulse},
    },
    platform::{Ctx, clock::steady_millis, db, jobs::admin},
    usage::server::Backlog,
};
use secrecy::ExposeSecret;
use time::{Duration, OffsetDateTime};

/// A round trip to the database that is longer than this is felt on every page.
const SLOW: Duration = Duration::milliseconds(50);
/// A job that was due this long ago has nobody working on it.
const LATE: Duration = Duration::minutes(2);
/// Counts are written every two seconds; this long without is a database that does not take them.
const UNWRITTEN: Duration = Duration::seconds(30);

/// An event is sealed within seconds; this long without is a process that does not seal.
const UNSEALED: Duration = Duration::minutes(10);

/// Every part, in the order of how much hangs on it, with that of the database. One that fails takes none of the others with it.
pub async fn parts(ctx: &Ctx, database: Part) -> Vec<Part> {
    let now = ctx.clock.now();
    let (jobs, audit_log) = tokio::join!(jobs(ctx, now), audit_log(ctx, now));
    let jobs = jobs.unwrap_or_else(|error| unread("Jobs", &error));
    let audit_log = audit_log.unwrap_or_else(|error| unread("Audit log", &error));
    vec![key_table(ctx), nodes(ctx), usage(ctx, now), database, jobs, mail(ctx), audit_log]
}

/// A part that only the database knows.
fn unread(name: &str, error: &AppError) -> Part {
    tracing::warn!(part = name, "health can't be read: {error}");
    fine(name, "not known".to_owned(), "the database does not tell").but(Health::Wanting, "It could not be read just now. Check the database and the log.")
}

fn key_table(ctx: &Ctx) -> Part {
    let gate = ctx.part::<Gate>();
    let (loaded, keys) = gate.map_or((false, 0), |g| (g.is_loaded(), g.len()));
    let part = Part { href: Some("/admin/keys".to_owned()), ..fine("Key table", counted(count(keys), "key"), "in memory; a verification asks no database") };
    if loaded { part } else { part.but(Health::Broken, "The key table is not loaded, so no call is answered. It loads as soon as the database answers.") }
}

/// Every change of a key waits for all of them; one that is silent is named each time until it must have stopped, and here until it is forgotten.
fn nodes(ctx: &Ctx) -> Part {
    let Some(nodes) = ctx.part::<Nodes>() else { return fine("Nodes", "none".to_owned(), "this process answers no questions") };
    let (members, now) = (nodes.members(), steady_millis());
    let of = |pulse: Pulse| members.list.iter().filter(|member| members.pulse(member, now) == pulse).collect::<Vec<_>>();
    let ago = |member: &Member| wait_in_words(members.silence(member, now).as_secs());
    let (silent, stopped) = (of(Pulse::Silent), of(Pulse::Stopped));
    let (all, answering) = (counted(count(members.list.len()), "node"), members.list.len() - stopped.len());
    let shown = if stopped.is_empty() { all } else { format!("{answering} of {all}") };
    if silent.is_empty() && stopped.is_empty() {
        return fine("Nodes", shown, "each confirms every change of a key");
    }
    let gone = stopped.iter().map(|node| {
        format!(
            "{} was last heard of {} ago and answers calls no longer: it crashed, or is cut off from the database. It is forgotten an hour after it stopped.",
            node.name,
            ago(node),
        )
    });
    let missing = silent.iter().map(|node| {
        format!(
            "{} was last heard of {} ago. If it still runs, it is cut off from the database and works from memory; it stops by itself after {}.",
            node.name,
            ago(node),
            wait_in_words(node.stops_after),
        )
    });
    let advice = gone.chain(missing).collect::<Vec<_>>().join(" ");
    let health = if stopped.is_empty() { Health::Wanting } else { Health::Broken };
    fine("Nodes", shown, "those that are heard of confirm every change of a key").but(health, &advice)
}

fn usage(ctx: &Ctx, now: OffsetDateTime) -> Part {
    let Some(backlog) = ctx.part::<Backlog>() else {
        return fine("Usage", "off".to_owned(), "this process counts nothing");
    };
    let waiting = backlog.waiting();
    let written = backlog.written_at().map_or_else(|| "nothing to write since the start".to_owned(), |at| format!("written {} ago", lasting(now - at)));
    let part = fine("Usage", format!("{} waiting", counted(waiting, "count")), &written);
    let keeps = ctx.part::<Gate>().is_none_or(|gate| !gate.meter().is_spool_failing());
    match backlog.failing_since() {
        _ if !keeps => part.but(
            Health::Wanting,
            "Counts can't be written to the data folder, so a crash would lose the last seconds. Free some space there and check the log.",
        ),
        Some(since) if now - since > UNWRITTEN => {
            part.but(Health::Wanting, "Counts can't be written to the database. They are kept in memory and in the data folder until they can.")
        }
        _ => part,
    }
}

/// How fast it answers, and how many connections to it are at work; to be asked before other reads of the same page.
pub async fn database(ctx: &Ctx) -> Part {
    let start = ctx.clock.now();
    let open = usize::try_from(ctx.db.size()).unwrap_or(0);
    let busy = open.saturating_sub(ctx.db.num_idle());
    if let Err(error) = db::ping(&ctx.db).await {
        tracing::warn!("the database does not answer: {error}");
        return away(ctx);
    }
    answering(ctx.clock.now() - start, count(busy), count(open), ctx.db.options().get_max_connections().into())
}

/// A round trip took so long while so many of the open connections were at work.
fn answering(took: Duration, busy: u64, open: u64, most: u64) -> Part {
    let connections = match busy {
        0 => format!("{} open, none in use", counted(open, "connection")),
        busy => format!("{busy} of at most {} in use", counted(most, "connection")),
    };
    let part = fine("Database", millis(took), &format!("a round trip; {connections}"));
    match (took > SLOW, busy >= most) {
        // One that is free a moment later is no trouble: what counts is that somebody waited.
        (true, true) => part.but(
            Health::Wanting,
            &format!(
                "All {} to the database are in use, and pages wait for one. Look for slow queries, or set TOLLGATE_DATABASE_POOL higher.",
                counted(most, "connection")
            ),
        ),
        (true, false) => part.but(Health::Wanting, "Every page waits for the database. Check its load and its distance from this process."),
        (false, _) => part,
    }
}

/// Since when it tells nothing, and how long keys go on without it.
fn away(ctx: &Ctx) -> Part {
    let known = ctx.part::<Gate>().filter(|gate| gate.is_loaded()).map(|gate| (gate.contact().behind() / 1_000, gate.contact().left() / 1_000));
    match known {
        Some((since, left)) if left > 0 => {
            let advice = format!("Keys are verified from memory for {} more, and calls are counted. Check that Postgres runs.", wait_in_words(left));
            fine("Database", format!("away for {}", wait_in_words(since)), "no page that reads it can be shown").but(Health::Broken, &advice)
        }
        Some((since, _)) => fine("Database", format!("away for {}", wait_in_words(since)), "longer than TOLLGATE_DATABASE_OUTAGE")
            .but(Health::Broken, "Keys are no longer verified, because they may have changed. Check that Postgres runs."),
        None => fine("Database", "away".to_owned(), "no page that reads it can be shown").but(Health::Broken, "Check that Postgres runs."),
    }
}

async fn jobs(ctx: &Ctx, now: OffsetDateTime) -> Result<Part, AppError> {
    let counts = admin::counts(ctx, false).await?;
    let (waiting, running, failed) = (number(counts.waiting), number(counts.running), number(counts.failed));
    let part = Part { href: Some("/admin/jobs".to_owned()), ..fine("Jobs", format!("{waiting} waiting"), &format!("{running} running, {failed} failed")) };
    Ok(match counts.overdue_since {
        Some(since) if now - since > LATE => part.but(
            Health::Broken,
            &format!("The oldest job has been due for {}. Is tollgate worker running, or TOLLGATE_JOBS_IN_SERVE on?", lasting(now - since)),
        ),
        _ if failed > 0 => part.but(Health::Wanting, &format!("{} failed for good. Look at the errors, fix the cause, then retry.", counted(failed, "job"))),
        _ => part,
    })
}

/// When it was sealed and verified last, and whether it is whole.
async fn audit_log(ctx: &Ctx, now: OffsetDateTime) -> Result<Part, AppError> {
    let (head, state) = audit::state(ctx).await?;
    let entries = head.as_ref().map_or(0, |(head, _)| number(head.number));
    let sealed = head.map_or_else(|| "nothing sealed yet".to_owned(), |(_, at)| format!("sealed {} ago", lasting(now - at)));
    let verified = state.verified_at.map_or_else(|| "not verified yet".to_owned(), |at| format!("verified {} ago", lasting(now - at)));
    let part = fine("Audit log", crate::ui::number::count(entries, "entry", "entries"), &format!("{sealed}, {verified}"));
    Ok(match (state.broken, state.trouble, state.waiting_since) {
        (Some(broken), ..) => {
            part.but(Health::Broken, &format!("It is not as Tollgate wrote it. {broken} Keep a copy of the database, then run tollgate audit verify."))
        }
        _ if state.has_refused => {
            part.but(Health::Broken, "Somebody without the master key changed events that wait to be sealed. Run tollgate audit verify: it names the event.")
        }
        (_, Some(trouble), _) => part.but(Health::Wanting, &format!("Its head is in the log alone. {trouble}")),
        (.., Some(since)) if now - since > UNSEALED => part.but(
            Health::Wanting,
            &format!("An event has waited for {} to be sealed. Is tollgate worker running, or TOLLGATE_JOBS_IN_SERVE on?", lasting(now - since)),
        ),
        _ => part,
    })
}

/// The mail server; none where mails are files.
pub fn smtp_host(ctx: &Ctx) -> Option<String> {
    let url = url::Url::parse(ctx.config.mail.smtp_url.as_ref()?.expose_secret()).ok()?;
    url.host_str().map(ToOwned::to_owned)
}

fn mail(ctx: &Ctx) -> Part {
    match smtp_host(ctx) {
        Some(host) => fine("Mail", "SMTP".to_owned(), &format!("by {host}, as {}", ctx.config.mail.from)),
        None if ctx.config.is_development() => {
            Part { href: Some("/dev/mailbox".to_owned()), ..fine("Mail", "files".to_owned(), "shown in the mailbox; none leaves this machine") }
        }
        None => fine("Mail", "files".to_owned(), "none leaves this machine")
            .but(Health::Wanting, "Nobody gets an email: they are files in the data folder. Set TOLLGATE_SMTP_URL."),
    }
}

fn fine(name: &str, now: String, detail: &str) -> Part {
    Part { name: name.to_owned(), health: Health::Fine, now, detail: detail.to_owned(), advice: None, href: None }
}

impl Part {
    fn but(self, health: Health, advice: &str) -> Self {
        Self { health, advice: Some(advice.to_owned()), ..self }
    }
}

fn millis(took: Duration) -> String {
    match took.whole_microseconds() {
        micros @ ..10_000 => format!("{}.{} ms", micros.max(0) / 1000, micros.max(0) % 1000 / 100),
        micros => format!("{} ms", micros / 1000),
    }
}

fn counted(n: u64, one: &str) -> String {
    crate::ui::number::count(n, one, &format!("{one}s"))
}

fn number(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_is_said_to_a_tenth_where_it_is_short() {
        assert_eq!(millis(Duration::microseconds(-1)), "0.0 ms");
        assert_eq!(millis(Duration::microseconds(440)), "0.4 ms");
        assert_eq!(millis(Duration::microseconds(9_999)), "9.9 ms");
        assert_eq!(millis(Duration::microseconds(71_400)), "71 ms");
    }

    #[test]
    fn connections_that_are_open_and_idle_are_not_in_use() {
        let at_once = answering(Duration::milliseconds(1), 0, 10, 10);
        assert_eq!((at_once.health, at_once.detail.as_str()), (Health::Fine, "a round trip; 10 connections open, none in use"));
        let at_work = answering(Duration::milliseconds(1), 3, 10, 10);
        assert_eq!((at_work.health, at_work.detail.as_str()), (Health::Fine, "a round trip; 3 of at most 10 connections in use"));
    }

    #[test]
    fn the_pool_is_exhausted_where_all_are_in_use_and_somebody_waits() {
        let of = |took, busy| answering(Duration::milliseconds(took), busy, 10, 10);
        assert_eq!([of(1, 10).health, of(51, 10).health, of(51, 9).health], [Health::Fine, Health::Wanting, Health::Wanting]);
        assert!(of(51, 10).advice.is_some_and(|advice| advice.starts_with("All 10 connections to the database are in use")));
        assert!(of(51, 9).advice.is_some_and(|advice| advice.starts_with("Every page waits for the database")));
    }
}
