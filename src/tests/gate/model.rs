//! Random lives of keys against a model of them that fits on a page: create, rotate, limit, list routes, verify, disable, revoke, wait, restart.
//! Every answer of the gate, what it says remains, and which limits it says were passed beyond, must be the model's.

use crate::{
    keys::{Person, json, person, text},
    support::{TestApp, model_runner, model_seed},
};
use proptest::{prelude::*, sample::Index, strategy::ValueTree};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::HashMap;
use time::OffsetDateTime;

const LIVES: usize = 16;
const STEPS: usize = 50;
/// The limits of every key: so many seconds, by name. Only how much they allow differs, and what they do beyond it.
const WINDOWS: [(&str, i64); 4] = [("burst", 60), ("hourly", 3_600), ("rolling", 3_600), ("credits", 1_200)];
const PLACES: [usize; 4] = [0, 1, 2, 3];
/// The place of the one that rolls: it is counted by sixtieths, of which that of now and the sixty before it count.
const ROLLING: usize = 2;
const PART: i64 = 60;
/// The place of the one that is of credits: they refuse, so many there are, and so many come back each time.
const CREDITS: usize = 3;
const MOST: u64 = 24;
const REFILL: u64 = 5;
/// What is called, and lists of routes with those of them that they let pass.
const CALLS: [&str; 3] = ["GET /a", "POST /a?x=1", "GET /a/7"];
const LISTS: [(&[&str], [bool; 3]); 4] =
    [(&[], [true; 3]), (&["GET /a"], [true, false, false]), (&["* /a"], [true, true, false]), (&["* /b", "GET /a/{id}"], [false, false, true])];

#[derive(Debug, Clone)]
enum Step {
    Create { max: [u64; 4], over: [Over; 4] },
    Rotate { key: Index, grace: i64 },
    Limit { key: Index, max: [u64; 4], over: [Over; 4] },
    List { key: Index, list: usize },
    Verify { key: Index, secret: Index, call: usize, cost: u64 },
    Put { key: Index, state: &'static str },
    Wait { seconds: i64 },
    Restart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Refuse,
    Throttle(u64),
    Mark,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = any::<Index>;
    let max = || (0u64..8, 0u64..16, 0u64..24).prop_map(|(burst, hourly, rolling)| [burst, hourly, rolling, MOST]);
    let one = || prop_oneof![3 => Just(Over::Refuse), 1 => (1u64..4).prop_map(Over::Throttle), 1 => Just(Over::Mark)];
    let over = || [one(), one(), one()].prop_map(|[burst, hourly, rolling]| [burst, hourly, rolling, Over::Refuse]);
    let step = prop_oneof![
        2 => (max(), over()).prop_map(|(max, over)| Step::Create { max, over }),
        3 => (key(), prop_oneof![Just(0i64), Just(30), Just(3_600)]).prop_map(|(key, grace)| Step::Rotate { key, grace }),
        2 => (key(), max(), over()).prop_map(|(key, max, over)| Step::Limit { key, max, over }),
        2 => (key(), prop_oneof![3 => Just(0usize), 2 => 1..LISTS.len()]).prop_map(|(key, list)| Step::List { key, list }),
        16 => (key(), key(), 0..CALLS.len(), 1u64..4).prop_map(|(key, secret, call, cost)| Step::Verify { key, secret, call, cost }),
        4 => (key(), prop_oneof![4 => Just("disable"), 6 => Just("enable"), 1 => Just("revoke")]).prop_map(|(key, state)| Step::Put { key, state }),
        4 => prop_oneof![1i64..40, 60i64..4_000].prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, STEPS)
}

#[derive(Debug)]
struct Secret {
    text: String,
    ends_at: Option<OffsetDateTime>,
    is_forgotten: bool,
}

/// What the gate should know of one key.
#[derive(Debug)]
struct Model {
    id: String,
    state: &'static str,
    /// Its list of routes, by place.
    list: usize,
    max: [u64; 4],
    over: [Over; 4],
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
    fn remaining(&self, now: OffsetDateTime) -> [u64; 4] {
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

    fn verify(&mut self, secret: usize, call: usize, cost: u64, now: OffsetDateTime) -> Answer {
        let secret = &self.secrets[secret];
        let refused = |code| (code, Vec::new());
        if secret.is_forgotten {
            return refused("UNKNOWN");
        }
        if secret.ends_at.is_some_and(|at| at <= now) {
            return refused("EXPIRED");
        }
        match self.state {
            "revoke" => return refused("REVOKED"),
            "disable" => return refused("DISABLED"),
            _ => {}
        }
        if !LISTS[self.list].1[call] {
            return refused("FORBIDDEN");
        }
        let (left, second) = (self.remaining(now), now.unix_timestamp());
        let beyond: Vec<usize> = PLACES.into_iter().filter(|place| left[*place] < cost).collect();
        let refuses = |place: &usize| match self.over[*place] {
            Over::Refuse => true,
            Over::Throttle(most) => self.slowed.get(&(*place, second)).copied().unwrap_or(0) >= most,
            Over::Mark => false,
        };
        if beyond.iter().any(refuses) {
            return refused("RATE_LIMITED");
        }
        self.spent = (self.spent(now) + cost, slot(CREDITS, now).1);
        for place in PLACES {
            *self.used.entry(slot(place, now)).or_default() += cost;
        }
        for place in beyond.iter().filter(|place| matches!(self.over[**place], Over::Throttle(_))) {
            *self.slowed.entry((*place, second)).or_default() += 1;
        }
        ("VALID", beyond)
    }

    fn limit(&mut self, max: [u64; 4], over: [Over; 4]) {
        (self.max, self.over) = (max, over);
        self.slowed.retain(|(place, _), _| matches!(over[*place], Over::Throttle(_)));
    }

    fn rotate(&mut self, text: String, grace: i64, now: OffsetDateTime) {
        let end = now + time::Duration::seconds(grace);
        for old in &mut self.secrets {
            old.is_forgotten |= grace == 0 || old.ends_at.is_some_and(|at| at <= now);
            old.ends_at = Some(old.ends_at.map_or(end, |at| at.min(end)));
        }
        self.secrets.push(Secret { text, ends_at: None, is_forgotten: false });
    }
}

fn slot(place: usize, now: OffsetDateTime) -> (usize, i64) {
    (place, now.unix_timestamp().div_euclid(if place == ROLLING { PART } else { WINDOWS[place].1 }))
}

fn limits(max: [u64; 4], over: [Over; 4]) -> Value {
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
            _ => json!(seconds),
        };
        json!({ "name": name, "limit": max[place], "window": window, "over": over })
    };
    json!({ "limits": PLACES.map(limit) })
}

#[sqlx::test]
async fn every_answer_is_the_models(db: PgPool) {
    let mut runner = model_runner();
    let mut app = TestApp::start(db.clone()).await;
    let mara = person(&app, &db, "mara@example.com", "operator").await;
    let mut told = HashMap::<&str, usize>::new();
    for _ in 0..LIVES {
        let life = steps().new_tree(&mut runner).unwrap().current();
        let mut keys = vec![create(&app, &mara, [5, 9, 12, MOST], [Over::Refuse; 4]).await];
        for (at, step) in life.iter().enumerate() {
            let context = || format!("step {at} of {life:#?}");
            if matches!(step, Step::Restart) {
                app = app.restart().await;
                keys.iter_mut().for_each(|key| key.slowed.clear());
                continue;
            }
            if let Some(code) = take(&app, &mara, &mut keys, step, &context).await {
                *told.entry(code).or_default() += 1;
            }
        }
    }
    if model_seed().is_some() {
        return; // any life may be short of one of them
    }
    for code in ["VALID", "BEYOND", "RATE_LIMITED", "UNKNOWN", "EXPIRED", "DISABLED", "REVOKED", "FORBIDDEN"] {
        assert!(told.get(code).is_some_and(|n| *n >= 5), "too few of {code} to say anything: {told:?}");
    }
}

async fn create(app: &TestApp, mara: &Person, max: [u64; 4], over: [Over; 4]) -> Model {
    let (id, text) = mara.new_key(app, "a life").await;
    let answer = mara.call(app, Method::PATCH, &format!("/api/v1/keys/{id}"), Some(limits(max, over))).await;
    assert_eq!(answer.status(), 200);
    let secrets = vec![Secret { text, ends_at: None, is_forgotten: false }];
    Model { id, state: "enable", list: 0, max, over, secrets, used: HashMap::new(), spent: (0, 0), slowed: HashMap::new() }
}

/// Does one step to the product and to the model; the code, if it was a verification (`BEYOND` if it passed beyond a limit).
async fn take(app: &TestApp, mara: &Person, keys: &mut Vec<Model>, step: &Step, context: &impl Fn() -> String) -> Option<&'static str> {
    let now = app.ctx.clock.now();
    match *step {
        Step::Create { max, over } => keys.push(create(app, mara, max, over).await),
        Step::Rotate { key, grace } => {
            let key = key.get_mut(keys);
            let (status, body) = json(mara.post(app, &format!("/api/v1/keys/{}/rotate", key.id), json!({ "grace": grace })).await).await;
            assert_eq!(status, if key.state == "revoke" { 409 } else { 200 }, "{body}, {}", context());
            if status == 200 {
                key.rotate(text(&body, "secret"), grace, now);
            }
        }
        Step::Limit { key, max, over } => {
            let key = key.get_mut(keys);
            let (status, body) = json(mara.call(app, Method::PATCH, &format!("/api/v1/keys/{}", key.id), Some(limits(max, over))).await).await;
            assert_eq!(status, if key.state == "revoke" { 409 } else { 200 }, "{body}, {}", context());
            if status == 200 {
                key.limit(max, over);
            }
        }
        Step::List { key, list } => {
            let key = key.get_mut(keys);
            let answer = mara.call(app, Method::PATCH, &format!("/api/v1/keys/{}", key.id), Some(json!({ "routes": LISTS[list].0 }))).await;
            assert_eq!(answer.status(), if key.state == "revoke" { 409 } else { 200 }, "{}", context());
            if key.state != "revoke" {
                key.list = list;
            }
        }
        Step::Verify { key, secret, call, cost } => {
            let key = key.get_mut(keys);
            let secret = secret.index(key.secrets.len());
            let question = json!({ "key": key.secrets[secret].text, "api": "demo", "route": CALLS[call], "cost": cost });
            let (status, body) = json(mara.post(app, "/api/v1/keys/verify", question).await).await;
            let (code, beyond) = key.verify(secret, call, cost, now);
            assert_eq!((status, body["code"].as_str()), (200, Some(code)), "{body}, {}", context());
            let over: Vec<&str> = beyond.iter().map(|place| WINDOWS[*place].0).collect();
            assert_eq!(body.get("over"), (!over.is_empty()).then(|| json!(over)).as_ref(), "{body}, {}", context());
            if matches!(code, "VALID" | "RATE_LIMITED") {
                let left = key.remaining(now);
                for (place, (name, _)) in WINDOWS.iter().enumerate() {
                    let limit = body["limits"].as_array().unwrap().iter().find(|l| l["name"] == *name).unwrap();
                    assert_eq!(limit["remaining"].as_u64(), Some(left[place]), "{name} of {body}, {}", context());
                }
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
        Step::Wait { seconds } => app.ctx.clock.advance(time::Duration::seconds(seconds)),
        Step::Restart => unreachable!("done by the caller, who has the server"),
    }
    None
}
