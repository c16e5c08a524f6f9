//! Random lives of keys against a model of them that fits on a page: create, rotate (for a time, until a date, until the first use), limit,
//! permit, list routes, let expire, verify, disable, revoke, wait, restart, be killed. Every answer of the gate, what it says remains, and
//! which limits it says were passed beyond, must be the model's, also after an end by force.

use crate::{
    keys::{Person, json, person, text},
    support::{TestApp, model_runner, model_seed, mortal::Mortal, until},
};
use proptest::{prelude::*, sample::Index, strategy::ValueTree};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::HashMap;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use tollgate::{keys::server::gate::Gate, usage::server::write_batch, values::KeyId};

const LIVES: usize = 16;
const STEPS: usize = 50;
/// The limits of every key: so many seconds, by name. Only how much they allow differs, and what they do beyond it.
const WINDOWS: [(&str, i64); N] = [("burst", 60), ("hourly", 3_600), ("rolling", 3_600), ("credits", 1_200), ("day", 86_400), ("tally", 3_600)];
const N: usize = 6;
const PLACES: [usize; N] = [0, 1, 2, 3, 4, 5];
/// The place of the one that rolls: it is counted by sixtieths, of which that of now and the sixty before it count.
const ROLLING: usize = 2;
const PART: i64 = 60;
/// The place of the one that is of credits: so many there are, and so many come back each time. What passes beyond them takes none.
const CREDITS: usize = 3;
const MOST: u64 = 24;
const REFILL: u64 = 5;
/// Credits go by lease, so that their bucket outlives every process. A process that is killed takes no more with it than what it held:
/// a block is a quarter of them, and the next is asked for before the first is used up.
const HELD: u64 = MOST / 2;
/// The place of the one that is of days in Stockholm, an hour ahead of UTC for as long as these lives last. Beyond it calls are refused,
/// and it is a quota.
const DAY: usize = 4;
const ZONE: &str = "Europe/Stockholm";
const AHEAD: i64 = 3_600;
/// The place of the one that counts calls, whatever they cost.
const TALLY: usize = 5;
const NEEDED: &str = "orders:read";
/// What is called, and lists of routes with those of them that they let pass.
const CALLS: [&str; 3] = ["GET /a", "POST /a?x=1", "GET /a/7"];
const LISTS: [(&[&str], [bool; 3]); 4] =
    [(&[], [true; 3]), (&["GET /a"], [true, false, false]), (&["* /a"], [true, true, false]), (&["* /b", "GET /a/{id}"], [false, false, true])];

#[derive(Debug, Clone)]
enum Step {
    Create {
        max: [u64; N],
        over: [Over; N],
    },
    Rotate {
        key: Index,
        grace: Grace,
    },
    Limit {
        key: Index,
        max: [u64; N],
        over: [Over; N],
    },
    List {
        key: Index,
        list: usize,
    },
    Permit {
        key: Index,
        may: bool,
    },
    /// After so many seconds, or never.
    Expire {
        key: Index,
        after: Option<i64>,
    },
    Verify {
        key: Index,
        secret: Index,
        call: usize,
        needs: bool,
        cost: u64,
    },
    Put {
        key: Index,
        state: &'static str,
    },
    Wait {
        seconds: i64,
    },
    Restart {
        by_force: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grace {
    For(i64),
    /// A date, so many seconds from now.
    Until(i64),
    FirstUse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Refuse,
    Throttle(u64),
    Mark,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = any::<Index>;
    let max = || (0u64..8, 0u64..16, 0u64..24, 4u64..48, 2u64..12).prop_map(|(burst, hourly, rolling, day, tally)| [burst, hourly, rolling, MOST, day, tally]);
    let one = || prop_oneof![3 => Just(Over::Refuse), 1 => (1u64..4).prop_map(Over::Throttle), 1 => Just(Over::Mark)];
    let over =
        || [one(), one(), one(), one(), one()].prop_map(|[burst, hourly, rolling, credits, tally]| [burst, hourly, rolling, credits, Over::Refuse, tally]);
    let grace = prop_oneof![
        1 => Just(Grace::For(0)),
        1 => Just(Grace::For(30)),
        1 => Just(Grace::For(3_600)),
        1 => (1i64..4_000).prop_map(Grace::Until),
        3 => Just(Grace::FirstUse),
    ];
    let step = prop_oneof![
        2 => (max(), over()).prop_map(|(max, over)| Step::Create { max, over }),
        3 => (key(), grace).prop_map(|(key, grace)| Step::Rotate { key, grace }),
        2 => (key(), max(), over()).prop_map(|(key, max, over)| Step::Limit { key, max, over }),
        2 => (key(), prop_oneof![3 => Just(0usize), 2 => 1..LISTS.len()]).prop_map(|(key, list)| Step::List { key, list }),
        2 => (key(), prop_oneof![1 => Just(false), 2 => Just(true)]).prop_map(|(key, may)| Step::Permit { key, may }),
        2 => (key(), prop_oneof![2 => (1i64..3_000).prop_map(Some), 3 => Just(None)]).prop_map(|(key, after)| Step::Expire { key, after }),
        20 => (key(), key(), 0..CALLS.len(), any::<bool>(), 1u64..4)
            .prop_map(|(key, secret, call, needs, cost)| Step::Verify { key, secret, call, needs, cost }),
        4 => (key(), prop_oneof![4 => Just("disable"), 6 => Just("enable"), 1 => Just("revoke")]).prop_map(|(key, state)| Step::Put { key, state }),
        4 => prop_oneof![1i64..40, 60i64..4_000].prop_map(|seconds| Step::Wait { seconds }),
        1 => any::<bool>().prop_map(|by_force| Step::Restart { by_force }),
    ];
    proptest::collection::vec(step, STEPS)
}

#[derive(Debug)]
struct Secret {
    text: String,
    ends_at: Option<OffsetDateTime>,
    /// It ends also when the newest is first used.
    until_first_use: bool,
    has_ended: bool,
}

impl Secret {
    fn new(text: String) -> Self {
        Self { text, ends_at: None, until_first_use: false, has_ended: false }
    }
}

/// What the gate should know of one key.
#[derive(Debug)]
struct Model {
    id: String,
    state: &'static str,
    /// Its list of routes, by place.
    list: usize,
    may: bool,
    expires_at: Option<OffsetDateTime>,
    max: [u64; N],
    over: [Over; N],
    secrets: Vec<Secret>,
    /// By place of the limit and number of its window, or of the part of it.
    used: HashMap<(usize, i64), u64>,
    /// Of credits, and the number of the refill up to which it is.
    spent: (u64, i64),
    /// Calls that a throttle let pass, by place and second. A process keeps them, and only while the throttle is one.
    slowed: HashMap<(usize, i64), u64>,
}

/// The code, and the places of the limits that were passed beyond.
type Answer = (&'static str, Vec<usize>);

impl Model {
    fn remaining(&self, now: OffsetDateTime) -> [u64; N] {
        PLACES.map(|place| {
            if place == CREDITS {
                return MOST - self.spent(now);
            }
            let (_, newest) = slot(place, now);
            let oldest = if place == ROLLING { newest - 60 } else { newest };
            let used: u64 = (oldest..=newest).filter_map(|number| self.used.get(&(place, number))).sum();
            self.max[place].saturating_sub(used)
        })
    }

    fn spent(&self, now: OffsetDateTime) -> u64 {
        let (spent, refilled) = self.spent;
        spent.saturating_sub(REFILL * (slot(CREDITS, now).1 - refilled).unsigned_abs())
    }

    fn verify(&mut self, secret: usize, call: usize, needs: bool, cost: u64, now: OffsetDateTime) -> Answer {
        let secret = &self.secrets[secret];
        let refused = |code| (code, Vec::new());
        if secret.has_ended || secret.ends_at.is_some_and(|at| at <= now) {
            return refused("EXPIRED");
        }
        match self.state {
            "revoke" => return refused("REVOKED"),
            "disable" => return refused("DISABLED"),
            _ => {}
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            return refused("EXPIRED");
        }
        if needs && !self.may || !LISTS[self.list].1[call] {
            return refused("FORBIDDEN");
        }
        let (left, second) = (self.remaining(now), now.unix_timestamp());
        let beyond: Vec<usize> = PLACES.into_iter().filter(|place| left[*place] < takes(*place, cost)).collect();
        let refuses = |place: &usize| match self.over[*place] {
            Over::Refuse => true,
            Over::Throttle(most) => self.slowed.get(&(*place, second)).copied().unwrap_or(0) >= most,
            Over::Mark => false,
        };
        if beyond.iter().any(refuses) {
            return refused(if beyond.contains(&DAY) { "QUOTA_EXCEEDED" } else { "RATE_LIMITED" });
        }
        if !beyond.contains(&CREDITS) {
            self.spent = (self.spent(now) + cost, slot(CREDITS, now).1);
        }
        for place in PLACES {
            *self.used.entry(slot(place, now)).or_default() += takes(place, cost);
        }
        for place in beyond.iter().filter(|place| matches!(self.over[**place], Over::Throttle(_))) {
            *self.slowed.entry((*place, second)).or_default() += 1;
        }
        ("VALID", beyond)
    }

    fn limit(&mut self, max: [u64; N], over: [Over; N]) {
        (self.max, self.over) = (max, over);
        self.slowed.retain(|(place, _), _| matches!(over[*place], Over::Throttle(_)));
    }

    fn rotate(&mut self, text: String, grace: Grace, now: OffsetDateTime) {
        let end = now
            + match grace {
                Grace::For(seconds) | Grace::Until(seconds) => Duration::seconds(seconds),
                Grace::FirstUse => Duration::days(365),
            };
        for old in &mut self.secrets {
            // Now ends them all; else those that have an end keep it.
            old.has_ended |= end <= now;
            if old.ends_at.is_none() {
                (old.ends_at, old.until_first_use) = (Some(end), grace == Grace::FirstUse);
            }
        }
        self.secrets.push(Secret::new(text));
    }

    /// Whether a call that passed with this secret was the first use that others waited for.
    fn ends_others(&self, secret: usize) -> bool {
        self.secrets[secret].ends_at.is_none() && self.secrets.iter().any(|old| old.until_first_use && !old.has_ended)
    }

    /// The first use is known in the database.
    fn first_used(&mut self) {
        self.secrets.iter_mut().filter(|old| old.until_first_use).for_each(|old| old.has_ended = true);
    }

    /// What a process that was killed held of the credits is gone, and nothing else is.
    fn was_killed(&mut self, app: &TestApp, context: &impl Fn() -> String) {
        let now = app.ctx.clock.now();
        let states = app.ctx.part::<Gate>().unwrap().limit_state(self.id.parse::<KeyId>().unwrap(), app.ctx.clock.now_micros());
        let left = self.remaining(now);
        for (place, (name, _)) in WINDOWS.iter().enumerate() {
            let told = states.iter().find(|state| &*state.name == *name).unwrap().remaining;
            let lost = left[place].checked_sub(told).unwrap_or_else(|| panic!("{told} of {name} instead of {}, {}", left[place], context()));
            assert!(lost <= if place == CREDITS { HELD } else { 0 }, "{told} of {name} instead of {}, {}", left[place], context());
            if place == CREDITS {
                self.spent = (MOST - told, slot(CREDITS, now).1);
            }
        }
    }
}

/// What a call of this cost takes of a limit.
fn takes(place: usize, cost: u64) -> u64 {
    if place == TALLY { cost.min(1) } else { cost }
}

fn slot(place: usize, now: OffsetDateTime) -> (usize, i64) {
    let (at, length) = match place {
        ROLLING => (now.unix_timestamp(), PART),
        DAY => (now.unix_timestamp() + AHEAD, WINDOWS[DAY].1),
        _ => (now.unix_timestamp(), WINDOWS[place].1),
    };
    (place, at.div_euclid(length))
}

fn limits(max: [u64; N], over: [Over; N]) -> Value {
    let limit = |place: usize| {
        let over = match over[place] {
            Over::Refuse => json!({ "action": "refuse" }),
            Over::Throttle(per_second) => json!({ "action": "throttle", "per_second": per_second }),
            Over::Mark => json!({ "action": "mark" }),
        };
        let (name, seconds) = WINDOWS[place];
        let window = match place {
            ROLLING => json!(format!("rolling:{seconds}")),
            CREDITS => json!(format!("credits:{REFILL}/{seconds}")),
            DAY => json!(format!("day@{ZONE}")),
            _ => json!(seconds),
        };
        let unit = if place == TALLY { "calls" } else { "units" };
        json!({ "name": name, "limit": max[place], "window": window, "unit": unit, "over": over })
    };
    json!({ "limits": PLACES.map(limit) })
}

#[sqlx::test(migrator = "tollgate::platform::db::MIGRATIONS")]
async fn every_answer_is_the_models(db: PgPool) {
    let mut runner = model_runner();
    let mut server = Mortal::start(&db).await;
    let mara = person(&server.app, &db, "mara@example.com", "operator").await;
    let mut told = HashMap::<&str, usize>::new();
    for _ in 0..LIVES {
        let life = steps().new_tree(&mut runner).unwrap().current();
        let mut keys = vec![create(&server.app, &mara, [5, 9, 12, MOST, 16, 6], [Over::Refuse; N]).await];
        for (at, step) in life.iter().enumerate() {
            let context = || format!("step {at} of {life:#?}");
            if let Step::Restart { by_force } = step {
                server = if *by_force { server.kill(&db).await } else { server.restart(&db).await };
                keys.iter_mut().for_each(|key| key.slowed.clear());
                if *by_force {
                    keys.iter_mut().filter(|key| key.state != "revoke").for_each(|key| key.was_killed(&server.app, &context));
                    *told.entry("KILLED").or_default() += 1;
                }
                continue;
            }
            if let Some(code) = take(&server.app, &mara, &mut keys, step, &context).await {
                *told.entry(code).or_default() += 1;
            }
        }
    }
    server.stop().await;
    if model_seed().is_some() {
        return; // any life may be short of one of them
    }
    for code in ["VALID", "BEYOND", "RATE_LIMITED", "EXPIRED", "DISABLED", "REVOKED", "FORBIDDEN"] {
        assert!(told.get(code).is_some_and(|n| *n >= 5), "too few of {code} to say anything: {told:?}");
    }
    for rare in ["QUOTA_EXCEEDED", "FIRST_USE", "KILLED"] {
        assert!(told.contains_key(rare), "none of {rare}: {told:?}");
    }
}

async fn create(app: &TestApp, mara: &Person, max: [u64; N], over: [Over; N]) -> Model {
    let (id, text) = mara.new_key(app, "a life").await;
    let mut change = limits(max, over);
    change["permissions"] = json!([NEEDED]);
    let answer = mara.call(app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(change)).await;
    assert_eq!(answer.status(), 200);
    let (secrets, slowed) = (vec![Secret::new(text)], HashMap::new());
    Model { id, state: "enable", list: 0, may: true, expires_at: None, max, over, secrets, used: HashMap::new(), spent: (0, 0), slowed }
}

/// Waits until the first use of the newest secret is known in the database, and the old ones are gone.
async fn tell_first_use(app: &TestApp, key: &Model) {
    let id: KeyId = key.id.parse().unwrap();
    until("the old secrets are gone", async || {
        let batch = app.ctx.part::<Gate>().unwrap().meter().take(app.ctx.new_id());
        write_batch(&app.ctx, app.ctx.new_id(), &batch).await.unwrap();
        batch.spooled.forget(); // or the next process would write it again, under the id of its own
        app.run_jobs().await;
        let waiting = sqlx::query_scalar::<_, i64>("select count(*) from key_secrets where key_id = $1 and until_first_use and expires_at is not null");
        waiting.bind(id.uuid()).fetch_one(&app.ctx.db).await.unwrap() == 0
    })
    .await;
}

/// Changes a key: 409 if it was revoked, else 200, which is answered.
async fn patch(app: &TestApp, mara: &Person, key: &Model, change: Value, context: &impl Fn() -> String) -> bool {
    let (status, body) = json(mara.call(app, Method::PATCH, &format!("/api/v1/keys/{}", key.id), Some(change)).await).await;
    assert_eq!(status, if key.state == "revoke" { 409 } else { 200 }, "{body}, {}", context());
    status == 200
}

/// Does one step to the product and to the model; the code, if it was a verification (`BEYOND` if it passed beyond a limit, `FIRST_USE` if
/// old secrets ended with it).
async fn take(app: &TestApp, mara: &Person, keys: &mut Vec<Model>, step: &Step, context: &impl Fn() -> String) -> Option<&'static str> {
    let now = app.ctx.clock.now();
    match *step {
        Step::Create { max, over } => keys.push(create(app, mara, max, over).await),
        Step::Rotate { key, grace } => {
            let key = key.get_mut(keys);
            let how = match grace {
                Grace::For(seconds) => json!({ "grace": seconds }),
                Grace::Until(seconds) => json!({ "expires_at": (now + Duration::seconds(seconds)).format(&Rfc3339).unwrap() }),
                Grace::FirstUse => json!({ "until": "first_use" }),
            };
            let (status, body) = json(mara.post(app, &format!("/api/v1/keys/{}/rotate", key.id), how).await).await;
            assert_eq!(status, if key.state == "revoke" { 409 } else { 200 }, "{body}, {}", context());
            if status == 200 {
                key.rotate(text(&body, "secret"), grace, now);
            }
        }
        Step::Limit { key, max, over } => {
            let key = key.get_mut(keys);
            if patch(app, mara, key, limits(max, over), context).await {
                key.limit(max, over);
            }
        }
        Step::List { key, list } => {
            let key = key.get_mut(keys);
            if patch(app, mara, key, json!({ "routes": LISTS[list].0 }), context).await {
                key.list = list;
            }
        }
        Step::Permit { key, may } => {
            let key = key.get_mut(keys);
            let permissions = if may { json!([NEEDED]) } else { json!([]) };
            if patch(app, mara, key, json!({ "permissions": permissions }), context).await {
                key.may = may;
            }
        }
        Step::Expire { key, after } => {
            let key = key.get_mut(keys);
            let at = after.map(|seconds| now + Duration::seconds(seconds));
            let change = json!({ "expires_at": at.map(|at| at.format(&Rfc3339).unwrap()) });
            if patch(app, mara, key, change, context).await {
                key.expires_at = at;
            }
        }
        Step::Verify { key, secret, call, needs, cost } => {
            let key = key.get_mut(keys);
            let secret = secret.index(key.secrets.len());
            let mut question = json!({ "key": key.secrets[secret].text, "api": "demo", "route": CALLS[call], "cost": cost });
            if needs {
                question["permission"] = json!(NEEDED);
            }
            let (status, body) = json(mara.post(app, "/api/v1/keys/verify", question).await).await;
            let (code, beyond) = key.verify(secret, call, needs, cost, now);
            assert_eq!((status, body["code"].as_str()), (200, Some(code)), "{body}, {}", context());
            let over: Vec<&str> = beyond.iter().map(|place| WINDOWS[*place].0).collect();
            assert_eq!(body.get("over"), (!over.is_empty()).then(|| json!(over)).as_ref(), "{body}, {}", context());
            if matches!(code, "VALID" | "RATE_LIMITED" | "QUOTA_EXCEEDED") {
                let left = key.remaining(now);
                for (place, (name, _)) in WINDOWS.iter().enumerate() {
                    let limit = body["limits"].as_array().unwrap().iter().find(|l| l["name"] == *name).unwrap();
                    assert_eq!(limit["remaining"].as_u64(), Some(left[place]), "{name} of {body}, {}", context());
                }
            }
            if code == "VALID" && key.ends_others(secret) {
                tell_first_use(app, key).await;
                key.first_used();
                return Some("FIRST_USE");
            }
            return Some(if beyond.is_empty() { code } else { "BEYOND" });
        }
        Step::Put { key, state } => {
            let key = key.get_mut(keys);
            let answer = mara.post(app, &format!("/api/v1/keys/{}/{state}", key.id), json!({})).await;
            let is_final = key.state == "revoke" && state != "revoke";
            assert_eq!(answer.status(), if is_final { 409 } else { 200 }, "{}", context());
            if !is_final {
                key.state = state;
            }
        }
        Step::Wait { seconds } => app.ctx.clock.advance(Duration::seconds(seconds)),
        Step::Restart { .. } => unreachable!("done by the caller, who has the server"),
    }
    None
}
