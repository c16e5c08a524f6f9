//! How the key table is loaded and kept current, and how the other nodes are told.
//!
//! One task, one connection. A commit that changes a key notifies every node (triggers of 0004 and 0008), which then applies every
//! change that its last snapshot did not include; a second without word does the same, since NOTIFY is lost while a connection is
//! away. Comparing with a snapshot rather than with a number misses nothing and reads nothing twice: transactions commit in another
//! order than they begin. Limits above the key (a plan's, a workspace's, an API's) have a row of their own that says when they changed
//! (0014): they are read then, and hold for all keys below at once (`levels`). So have bundles of permissions (0031); the keys that hold them
//! are read. What is blocked is read whole when a block
//! changes (0017). What was applied is written to the node's row and told to the others (`nodes`).
//!
//! The follower also says when this node counts limits alone and when by lease (`leases`), since it is who knows the other nodes.

use super::{
    Gate,
    blocked::load_blocks,
    leases::{Counted, go_alone, lend},
    renewal::renew,
    resume::{Added, resume_windows, tell_short},
    seats::elsewhere,
    store::{Which, load_apis, load_keys, look, read_held, read_keys},
};
use crate::{
    keys::server::nodes::{
        Nodes, forget,
        store::{self as rows, CHANGED, CONFIRMED, Joining, RELEASED},
    },
    platform::{Ctx, clock::steady_millis},
    values::{KeyId, NodeId},
};
use sqlx::{Acquire, PgPool, postgres::PgListener};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often a node beats, and how stale it may be when a notification was lost.
const BEAT: Duration = Duration::from_secs(1);
/// A database that does not answer a short question within this time is away. With the beat it makes less than two seconds.
const ANSWER: Duration = Duration::from_millis(800);
/// A start is not in a hurry.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// A new node answers its first call when every live one has read of it, or after this time: by then they know that they don't know.
const WELCOME: Duration = Duration::from_secs(2);
/// So long a new node waits for one that was alone and is silent: when the database is back, that one has to tell what passed meanwhile.
const RETURN: Duration = Duration::from_secs(3);
/// Removed keys can be read for an hour; who was away for longer reads the whole table.
const REMOVED_KEPT: u64 = 3_600_000;
/// Beats between two looks for what can be forgotten.
const HOUSEKEEPING: u64 = 600;

/// The task that keeps a gate current, and the one that leases.
pub struct Sync {
    stop: CancellationToken,
    task: JoinHandle<()>,
    stop_lending: CancellationToken,
    lending: JoinHandle<()>,
}

impl Sync {
    /// Loads the whole table, becomes a node in place of those that `ended`, of which everything is told that stands in no table of leases,
    /// takes up what was used of the present windows, then keeps the table current until `stop`.
    pub async fn start(gate: Arc<Gate>, nodes: Arc<Nodes>, ctx: &Ctx, ended: &[NodeId]) -> sqlx::Result<Self> {
        let mut follower = Follower {
            gate: Arc::clone(&gate),
            nodes,
            db: ctx.db.clone(),
            link: None,
            seen: String::new(),
            is_member: false,
            patience: FIRST_ANSWER,
            counted: Counted::default(),
        };
        gate.leases.is_of(follower.nodes.id());
        follower.load().await?;
        // In this order: who waits for one that counted alone goes on when it is forgotten.
        tell_short(&gate, &ctx.db).await?;
        forget(ctx, ended).await?;
        if let Err(error) = follower.begin().await {
            // Nobody need wait for it.
            let _ = within(ANSWER, rows::delete(&ctx.db, &[follower.nodes.id()])).await;
            return Err(error);
        }
        follower.patience = ANSWER;
        let (stop, stop_lending) = (CancellationToken::new(), CancellationToken::new());
        let lending = tokio::spawn(lend(gate, ctx.db.clone(), stop_lending.clone()));
        let task = tokio::spawn(follower.follow(stop.clone()));
        Ok(Self { stop, task, stop_lending, lending })
    }

    /// Ends being a node. After the last answer only.
    pub async fn stop(self) {
        // What is leased last is given back too.
        for (stop, task, what) in [(self.stop_lending, self.lending, "what leases limits"), (self.stop, self.task, "the key table's follower")] {
            stop.cancel();
            if let Err(error) = task.await {
                tracing::error!("{what} ended badly: {error}");
            }
        }
    }
}

/// What woke the follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Keys,
    /// Of APIs too, or the connection was away: anything may have been missed.
    Anything,
    Nothing,
}

struct Follower {
    gate: Arc<Gate>,
    nodes: Arc<Nodes>,
    db: PgPool,
    /// Listens and asks. Dropped at the first sign of trouble.
    link: Option<PgListener>,
    /// The snapshot whose every transaction is in the table.
    seen: String,
    /// The other nodes count this one.
    is_member: bool,
    /// For so long it waits for an answer of the database.
    patience: Duration,
    /// To be written before another node may begin.
    counted: Counted,
}

impl Follower {
    /// Reads every key and API.
    async fn load(&mut self) -> sqlx::Result<()> {
        self.link().await?;
        let gate = &self.gate;
        self.seen = look(&self.db, None).await?.seen;
        load_apis(gate, &mut *self.db.acquire().await?).await?;
        load_blocks(gate, &mut *self.db.acquire().await?).await?;
        load_keys(gate, &self.db).await?;
        tracing::info!(keys = gate.len(), "key table loaded");
        Ok(())
    }

    /// Becomes a node, and takes up what was used of the present windows. In this order: what another one counted alone is in the table
    /// of leases then, or it has ended and wrote it. Who came meanwhile is seen before the first answer.
    async fn begin(&mut self) -> sqlx::Result<()> {
        self.catch_up(Heard::Nothing).await?;
        let gate = &self.gate;
        let (begins, was_alone) = (gate.renewal.begins(), gate.leases.is_alone());
        renew(gate).await;
        drop(std::mem::take(&mut *gate.begun()));
        resume_windows(gate, &self.db, &mut Added::default()).await?;
        gate.renewal.has_resumed(begins);
        self.catch_up(Heard::Nothing).await?;
        if was_alone && self.gate.leases.is_alone() {
            self.gate.leases.knows_all();
        }
        self.gate.is_loaded.store(true, Ordering::Release);
        Ok(())
    }

    async fn follow(mut self, stop: CancellationToken) {
        let mut beats = tokio::time::interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut is_away, mut beaten) = (false, 0_u64);
        loop {
            let heard = tokio::select! {
                () = stop.cancelled() => break,
                heard = hear(&mut self.link, &self.nodes, &self.gate) => heard,
                () = self.gate.contact.wanted() => Heard::Nothing,
                _ = beats.tick() => Heard::Nothing,
            };
            let began = steady_millis();
            match self.catch_up(heard).await {
                Ok(()) if is_away => {
                    tracing::info!("the database is back; the key table is current");
                    is_away = false;
                }
                Ok(()) => {}
                Err(error) => {
                    self.link = None;
                    self.gate.contact.failed(began);
                    if !is_away {
                        tracing::warn!("the key table can't be brought up to date, going on with what is known: {error}");
                    }
                    is_away = true; // the next beat tries again
                }
            }
            beaten += 1;
            if beaten.is_multiple_of(HOUSEKEEPING)
                && let Err(error) = within(self.patience, rows::forget_old(&self.db)).await
            {
                tracing::warn!("what is old of the nodes could not be forgotten, the next round tries again: {error}");
            }
        }
        if let Err(error) = self.give_up_leases().await {
            tracing::warn!("what this node held of limits is lost until their windows end: {error}");
        }
        if self.gate.nonces.is_behind() {
            tracing::warn!("nonces of signed calls could not be told; until the next start on this data folder does, others wait for this node");
        } else if let Err(error) = within(self.patience, rows::delete(&self.db, &[self.nodes.id()])).await {
            tracing::warn!("this node could not say good-bye; the others count it until it must have stopped: {error}");
        }
    }

    /// Applies everything that was committed before it began, and tells the others.
    async fn catch_up(&mut self, heard: Heard) -> sqlx::Result<()> {
        if self.gate.contact.behind() > self.nodes.stops_after() * 1000 {
            self.is_member = false; // the others count it no more
        }
        let heard = if self.link.is_none() { Heard::Anything } else { heard };
        loop {
            if !self.is_member {
                self.join().await?;
            }
            if self.pass(heard).await? {
                return Ok(());
            }
            self.is_member = false;
        }
    }

    /// One pass. False if the node's row is gone: then the others may not have waited for it.
    async fn pass(&mut self, heard: Heard) -> sqlx::Result<bool> {
        let began = steady_millis();
        self.link().await?;
        let Some(link) = &mut self.link else { return Ok(false) };
        let (gate, nodes, patience) = (&self.gate, &self.nodes, self.patience);
        let news = {
            let _reading = gate.reading.lock().await;
            let news = within(patience, look(&mut *link, Some(&self.seen))).await?;
            if heard == Heard::Anything || news.apis_changed {
                within(patience, async { load_apis(gate, link.acquire().await?).await }).await?;
            }
            if news.blocks_changed {
                within(patience, async { load_blocks(gate, link.acquire().await?).await }).await?;
            }
            let is_long_ago = gate.contact.behind() > REMOVED_KEPT && gate.contact.was_current();
            let which = if is_long_ago { Which::All } else { Which::NotIn(&self.seen, patience) };
            let mut read = read_keys(gate, link.acquire().await?, which).await?;
            let gone = if is_long_ago { gate.table.ids_known() } else { news.removed.clone() };
            gone.into_iter().filter(|id| !read.contains(id)).for_each(|id| gate.table.remove(id));
            if !news.holders.is_empty() {
                // A bundle may be held by all keys of an API: as with a whole table, the first may take its time.
                read.extend(read_held(gate, link.acquire().await?, &news.holders, FIRST_ANSWER).await?);
            }
            self.seen.clone_from(&news.seen);
            let news = news.removed.len() + read.len() + news.holders.len() + usize::from(news.blocks_changed);
            // It goes on by itself.
            let is_free = gate.resuming.try_lock().is_ok();
            drop(match gate.renewal.is_due() || (is_free && !gate.renewal.is_resumed()) {
                true => renew_and_resume(gate, &self.db),
                // One that fails is tried again by the next pass, and no queue of them grows.
                false if is_free => resume_begun(gate, &self.db),
                false => None,
            });
            news
        };
        // Known before told: a new node goes by what this one says it has seen.
        nodes.learn(within(patience, rows::list(&mut *link)).await?);
        let (answering, before) = nodes.answering();
        gate.leases.set_nodes(answering, before);
        gate.nonces.close(nodes.members().may_sign_alone(nodes.id()));
        if gate.leases.is_alone() && !nodes.is_alone() {
            gate.nonces.end_alone();
            self.counted.add(gate.leases.begin_sharing(&gate.table, gate.clock.now_micros()));
        }
        if gate.leases.owes() {
            gate.leases.settle_debts(&self.db).await?;
        }
        if gate.nonces.is_behind() {
            gate.nonces.tell(&self.db).await?;
        }
        loop {
            let counts_alone = gate.leases.is_alone() || !self.counted.is_empty();
            if !within(patience, rows::beat(&mut *link, nodes.id(), gate.len(), &self.seen, counts_alone)).await? {
                return Ok(false);
            }
            gate.contact.succeeded(began);
            if self.counted.is_empty() {
                break;
            }
            self.counted.write(&gate.leases, &self.db, gate.clock.now_micros()).await?;
            gate.contact.is_busy();
        }
        if !gate.leases.is_alone() && nodes.is_alone() {
            let db = &self.db;
            let alone = async {
                let newest = go_alone(db, nodes.id()).await?;
                Ok::<_, sqlx::Error>((newest, elsewhere(db, nodes.id()).await?))
            };
            match within(patience, alone).await {
                Ok((Some(newest), elsewhere)) => {
                    gate.leases.begin_alone(newest, elsewhere);
                    gate.nonces.begin_alone(gate.clock.now_micros());
                }
                Ok((None, _)) => {}
                Err(error) => tracing::warn!("this node counts limits by lease although it is alone, the next beat tries again: {error}"),
            }
        }
        if (news > 0 || heard != Heard::Nothing) && !nodes.is_alone() {
            within(patience, rows::tell(&mut *link, nodes.id(), &self.seen)).await?;
        }
        Ok(true)
    }

    /// Makes this node known, and waits until no live one can overlook it or counts alone. One that counted alone, and was forgotten,
    /// hands over first.
    async fn join(&mut self) -> sqlx::Result<()> {
        self.link().await?;
        let (gate, now) = (&self.gate, self.gate.clock.now_micros());
        gate.nonces.end_alone();
        self.counted.add(gate.leases.begin_sharing(&gate.table, now));
        while !self.counted.is_empty() {
            self.counted.write(&gate.leases, &self.db, now).await?;
        }
        gate.leases.settle_debts(&self.db).await?;
        gate.nonces.tell(&self.db).await?;
        let Some(link) = &mut self.link else { return Ok(()) };
        let patience = self.patience;
        let me = self.nodes.id();
        let row = Joining { id: me, name: self.nodes.name(), stops_after: self.nodes.stops_after(), keys: self.gate.len(), seen: &self.seen };
        let joined = within(patience, rows::join(&mut *link, &row)).await?;
        let (deadline, return_by) = (Instant::now() + WELCOME, Instant::now() + RETURN);
        loop {
            let members = within(patience, rows::list(&mut *link)).await?;
            let has_seen = !members.are_awaited(joined, me) || Instant::now() >= deadline;
            let may_return = members.left_alone(me) && Instant::now() < return_by;
            if has_seen && !may_return && !members.count_alone(me) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.is_member = true;
        Ok(())
    }

    /// At the end: what is held and not used goes back; beside others also what was counted alone is told, if one came just now.
    async fn give_up_leases(&mut self) -> sqlx::Result<()> {
        let (gate, now) = (&self.gate, self.gate.clock.now_micros());
        self.nodes.learn(within(self.patience, rows::list(&self.db)).await?);
        if self.nodes.is_alone() {
            self.counted.add(gate.leases.rest(now));
            self.counted.add(gate.leases.end_short(&gate.table, now));
        } else {
            self.counted.add(gate.leases.begin_sharing(&gate.table, now));
        }
        while !self.counted.is_empty() {
            self.counted.write(&gate.leases, &self.db, now).await?;
        }
        gate.meter.forget_recent();
        gate.leases.settle_debts(&self.db).await?;
        gate.nonces.tell(&self.db).await
    }

    /// Connects and listens, if it does not.
    async fn link(&mut self) -> sqlx::Result<()> {
        if self.link.is_none() {
            let mut link = within(self.patience, PgListener::connect_with(&self.db)).await?;
            link.eager_reconnect(false);
            within(self.patience, link.listen_all([CHANGED, CONFIRMED, RELEASED])).await?;
            self.link = Some(link);
        }
        Ok(())
    }
}

/// Waits for word of a change and takes what came with it. What other nodes tell of themselves is noted on the way, and places that were
/// given back to them are freed.
async fn hear(link: &mut Option<PgListener>, nodes: &Nodes, gate: &Gate) -> Heard {
    let Some(current) = link else { return std::future::pending().await };
    let mut heard = Heard::Nothing;
    loop {
        let next = match current.next_buffered() {
            Some(next) => Ok(Some(next)),
            None if heard != Heard::Nothing => return heard,
            None => current.try_recv().await,
        };
        match next {
            Ok(Some(next)) if next.channel() == CONFIRMED => nodes.hear(next.payload()),
            Ok(Some(next)) if next.channel() == RELEASED => gate.release_told(next.payload()),
            Ok(Some(next)) if next.payload() == "apis" => heard = Heard::Anything,
            Ok(Some(_)) if heard == Heard::Nothing => heard = Heard::Keys,
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => {
                *link = None;
                return Heard::Anything;
            }
        }
    }
}

/// A question to the database, whose late answer is as good as none.
pub(super) async fn within<T>(patience: Duration, question: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    match tokio::time::timeout(patience, question).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

/// Reads these keys anew; those that are gone are forgotten.
pub async fn refresh(gate: &Arc<Gate>, db: &PgPool, keys: &[KeyId]) -> sqlx::Result<()> {
    // One reader at a time: an older look must not be put over a newer one.
    let reading = gate.reading.lock().await;
    let read = read_keys(gate, &mut *db.acquire().await?, Which::These(keys)).await?;
    for gone in keys.iter().filter(|id| !read.contains(id)) {
        gate.table.remove(*gone);
    }
    drop(reading);
    resumed(resume_begun(gate, db)).await
}

/// Lets the keys have what these plans, groups, workspaces or APIs give now, and reads those anew that hold these bundles. Where limits are new
/// for keys, the task that adds what these used before goes on.
pub async fn refresh_held(gate: &Arc<Gate>, db: &PgPool, holders: &[Uuid]) -> sqlx::Result<Option<JoinHandle<()>>> {
    let reading = gate.reading.lock().await;
    read_held(gate, &mut *db.acquire().await?, holders, FIRST_ANSWER).await?;
    drop(reading);
    let is_resumed = gate.renewal.is_resumed() && gate.begun().is_empty() && gate.resuming.try_lock().is_ok();
    let task = if gate.renewal.is_due() || !is_resumed { renew_and_resume(gate, db) } else { None };
    Ok(task.filter(|_| !is_resumed))
}

/// Limits that are new for a key go on from what it used of the present windows before. A task of its own: many keys take their time,
/// which the follower does not wait for, and whoever waits may give up without ending it. One at a time, so that who finds nothing to
/// resume, since another has taken it, still waits until it is done.
fn resume_begun(gate: &Arc<Gate>, db: &PgPool) -> Option<JoinHandle<()>> {
    if !gate.is_loaded() || (gate.begun().is_empty() && gate.resuming.try_lock().is_ok()) {
        return None; // a start takes up what all keys used
    }
    let (gate, db) = (Arc::clone(gate), db.clone());
    Some(tokio::spawn(async move { _ = resume(&gate, &db).await }))
}

/// The same once every key has the limits that hold.
fn renew_and_resume(gate: &Arc<Gate>, db: &PgPool) -> Option<JoinHandle<()>> {
    if !gate.is_loaded() {
        return None;
    }
    let (gate, db) = (Arc::clone(gate), db.clone());
    Some(tokio::spawn(async move {
        let begins = gate.renewal.begins();
        renew(&gate).await;
        if resume(&gate, &db).await {
            gate.renewal.has_resumed(begins);
        }
    }))
}

/// False if it could not all be done: what is left is done with the next pass.
async fn resume(gate: &Gate, db: &PgPool) -> bool {
    let _turn = gate.resuming.lock().await;
    let begun = std::mem::take(&mut *gate.begun());
    let mut added = Added::only(&begun);
    let Err(error) = resume_windows(gate, db, &mut added).await else { return true };
    gate.leases.knows_not_all();
    gate.begun().put_back(added.left());
    tracing::warn!("new limits count from zero until what was used before can be read, the next pass tries again: {error}");
    false
}

/// Waits for that.
pub async fn resumed(task: Option<JoinHandle<()>>) -> sqlx::Result<()> {
    match task {
        Some(task) => task.await.map_err(|error| sqlx::Error::Io(std::io::Error::other(error))),
        None => Ok(()),
    }
}

/// Reads the APIs and their routes anew.
pub async fn refresh_apis(gate: &Gate, db: &PgPool) -> sqlx::Result<()> {
    let _reading = gate.reading.lock().await;
    load_apis(gate, &mut *db.acquire().await?).await
}

/// Reads anew what is blocked.
pub async fn refresh_blocks(gate: &Gate, db: &PgPool) -> sqlx::Result<()> {
    let _reading = gate.reading.lock().await;
    load_blocks(gate, &mut *db.acquire().await?).await
}
