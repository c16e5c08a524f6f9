//! Plans and the levels of limits: what holds a key, counted for whom, and what operators do about it.

mod assigning;
pub mod cli;
mod entitlements;
mod estimate;
mod grants;
mod groups;
mod groups_doors;
mod levels;
mod pages;
mod rest;
mod trying;
mod unsaved;

use crate::{
    gate::{Given, Scene, key, known},
    support::until,
};
use serde_json::json;
use sqlx::PgPool;
use tollgate::{
    accounts::Caller,
    keys::{
        model::{KeyLimit, Window},
        server::gate::Gate,
    },
    plans::{
        model::{NewPlan, Plan},
        server::create_plan,
    },
    platform::Ctx,
    values::KeyId,
};

pub fn limit(name: &str, limit: u64, window: Window) -> KeyLimit {
    KeyLimit::new(name, limit, window)
}

/// A plan made by the operation, on the command line's word.
pub async fn plan(ctx: &Ctx, slug: &str, limits: Vec<KeyLimit>) -> Plan {
    let new = NewPlan { slug: slug.to_owned(), name: slug.to_uppercase(), limits, ..NewPlan::default() };
    create_plan(ctx, &Caller::cli(), new).await.unwrap()
}

/// What the gate holds a key to now: name and most.
pub fn held(ctx: &Ctx, key: KeyId) -> Vec<(String, u64)> {
    let states = ctx.part::<Gate>().unwrap().limit_state(key, ctx.clock.now_micros());
    states.into_iter().map(|l| (l.name.to_string(), l.limit)).collect()
}

/// A second key of the scene's workspace.
pub async fn sibling(scene: &Scene, db: &PgPool) -> (KeyId, String) {
    let (id, secret) = key(db, &scene.app, &scene.owner, Given::default()).await;
    known(&scene.app, id).await;
    (id, secret)
}

/// What the gate answers to so many calls one after the other, at a cost.
pub async fn answers(scene: &Scene, secret: &str, calls: usize, cost: u32) -> Vec<String> {
    let mut codes = Vec::new();
    for _ in 0..calls {
        let (_, body) = scene.ask(json!({ "key": secret, "cost": cost })).await;
        codes.push(body["code"].as_str().unwrap().to_owned());
    }
    codes
}

/// Waits until the gate of another node holds the key to this.
pub async fn holds(ctx: &Ctx, key: KeyId, name: &str, most: u64) {
    until(&format!("{name} {most}"), || async { held(ctx, key) == [(name.to_owned(), most)] }).await;
}
