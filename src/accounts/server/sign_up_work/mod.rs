//! Work before signing up, where a site asks for it: always, or while more people than usual sign up (S11). The browser looks for a
//! number whose SHA-256 begins with zeros, as Hashcash does (Back, 2002); it takes a browser about a second and a crowd of programs a
//! machine. No third party is asked. Whoever can't compute waits in its place: a challenge that is old enough is taken without a number,
//! and the more do that from a network, the longer its next ones wait.
//!
//! A challenge is `ID.MADE.WAIT.MAC`, signed for signing up and nothing else, good once and for half an hour. Nothing is stored of it
//! until it is used. Signing up by a provider asks for none: it is the provider that guards its own door. It is no defence against somebody who pays for it, only against what costs nothing.

pub mod http;

use super::{Visitor, store::sign_up_work as store};
use crate::{
    accounts::model::{WorkAsked, WorkDone},
    error::AppError,
    platform::{Ctx, config::SignUpWork, crypto::sha256},
};
use std::net::IpAddr;
use subtle::{Choice, ConstantTimeEq};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// 2^18 hashes on the average: about a second in a browser.
const BITS: u32 = 18;
const LIVES: Duration = Duration::minutes(30);
/// How long who does not compute waits, in seconds: the first ones, and at most.
const WAIT: u64 = 60;
const LONGEST_WAIT: u64 = 900;
/// The part of the rate that one network may have.
const NETWORK_PART: u32 = 10;

/// The challenge for who signs up from there; none where nothing is asked.
pub async fn work_asked(ctx: &Ctx, from: &Visitor) -> Result<Option<WorkAsked>, AppError> {
    if !is_asked(ctx, from).await? {
        return Ok(None);
    }
    let wait_seconds = wait(ctx, from).await?;
    let id: Uuid = ctx.new_id();
    Ok(Some(WorkAsked { challenge: signed(ctx, id, ctx.clock.now().unix_timestamp(), wait_seconds), bits: BITS, wait_seconds }))
}

/// How many seconds who does not compute waits, being from there.
async fn wait(ctx: &Ctx, from: &Visitor) -> Result<u64, AppError> {
    let n = store::list_counts(&ctx.db, &[waited(ctx, from.address)], since(ctx)).await?.first().map_or(0, |(_, n)| *n);
    Ok((WAIT << n.min(8)).min(LONGEST_WAIT))
}

/// Refuses a sign-up that did not do what is asked, and counts it.
pub(super) async fn must_have_worked(ctx: &Ctx, from: &Visitor, done: &WorkDone) -> Result<(), AppError> {
    if is_asked(ctx, from).await? {
        check(ctx, from, done).await?;
    }
    if ctx.config.auth.sign_up_work == SignUpWork::Attack {
        store::add_counts(&ctx.db, &[all(), network(ctx, from.address)], hour(ctx.clock.now())).await?;
    }
    Ok(())
}

async fn is_asked(ctx: &Ctx, from: &Visitor) -> Result<bool, AppError> {
    match ctx.config.auth.sign_up_work {
        SignUpWork::Off => return Ok(false),
        SignUpWork::Always => return Ok(true),
        SignUpWork::Attack => {}
    }
    let rate = ctx.config.auth.sign_up_rate;
    let counts = store::list_counts(&ctx.db, &[all(), network(ctx, from.address)], since(ctx)).await?;
    Ok(counts.iter().any(|(bucket, n)| *n >= if *bucket == all() { rate } else { (rate / NETWORK_PART).max(1) }))
}

async fn check(ctx: &Ctx, from: &Visitor, done: &WorkDone) -> Result<(), AppError> {
    let another = |words: &str| AppError::invalid("work.challenge", format!("{words} Send the form again."));
    if done.challenge.is_empty() {
        return Err(another("Many people are signing up right now, so your browser has to do some work first."));
    }
    let challenge = opened(ctx, &done.challenge).ok_or_else(|| another("Your browser sent work that we didn't ask for."))?;
    let now = ctx.clock.now();
    let ends = challenge.made + LIVES;
    if ends <= now || challenge.made > now + Duration::minutes(1) {
        return Err(another("The work that your browser did has expired."));
    }
    let has_worked = is_solved(&done.challenge, &done.answer);
    // As long as one made now would have to: challenges cost nothing, so a stock of them must not wait all at once.
    let wait = if has_worked { 0 } else { wait(ctx, from).await?.max(challenge.wait) };
    let left = Duration::seconds(i64::try_from(wait).unwrap_or(i64::MAX)) - (now - challenge.made);
    if !has_worked && left.is_positive() {
        return Err(AppError::invalid(
            "work.answer",
            format!(
                "Many people are signing up right now. Your browser didn't do the work we asked for, so send the form again in {} seconds.",
                left.whole_seconds().max(1)
            ),
        ));
    }
    let mut tx = ctx.db.begin().await?;
    if !store::spend(&mut tx, challenge.id, ends).await? {
        return Err(another("The work that your browser did was already used."));
    }
    if !has_worked {
        store::add_counts(&mut *tx, &[waited(ctx, from.address)], hour(now)).await?;
    }
    Ok(tx.commit().await?)
}

struct Challenge {
    id: Uuid,
    made: OffsetDateTime,
    /// Seconds.
    wait: u64,
}

/// The challenge in a text that we signed.
fn opened(ctx: &Ctx, text: &str) -> Option<Challenge> {
    let (said, _) = text.rsplit_once('.')?;
    let [id, made, wait] = said.split('.').collect::<Vec<_>>()[..] else { return None };
    let (id, made, wait) = (id.parse::<Uuid>().ok()?, made.parse::<i64>().ok()?, wait.parse::<u32>().ok()?.into());
    let said = signed_words(id, made, wait);
    let macs = ctx.vault.keyed_hashes(PURPOSE, said.as_bytes());
    let is_ours: bool = macs.iter().fold(Choice::from(0), |is_one, mac| is_one | with_mac(&said, mac).as_bytes().ct_eq(text.as_bytes())).into();
    is_ours.then_some(())?;
    Some(Challenge { id, made: OffsetDateTime::from_unix_timestamp(made).ok()?, wait })
}

fn signed(ctx: &Ctx, id: Uuid, made: i64, wait: u64) -> String {
    let said = signed_words(id, made, wait);
    with_mac(&said, &ctx.vault.keyed_hash(PURPOSE, said.as_bytes()))
}

/// The purpose is the action: what is signed for another one is nothing here.
const PURPOSE: &str = "work before sign-up";

fn signed_words(id: Uuid, made: i64, wait: u64) -> String {
    format!("{}.{made}.{wait}", id.simple())
}

fn with_mac(said: &str, mac: &[u8; 32]) -> String {
    format!("{said}.{}", data_encoding::HEXLOWER.encode(&mac[..16]))
}

fn is_solved(challenge: &str, answer: &str) -> bool {
    let is_number = !answer.is_empty() && answer.len() <= 15 && answer.bytes().all(|b| b.is_ascii_digit());
    let hash = sha256(format!("{}:{answer}", challenge.split('.').next().unwrap_or_default()));
    is_number && u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]).leading_zeros() >= BITS
}

fn all() -> String {
    "all".to_owned()
}

fn network(ctx: &Ctx, address: IpAddr) -> String {
    format!("from:{}", hashed(ctx, address))
}

fn waited(ctx: &Ctx, address: IpAddr) -> String {
    format!("waited:{}", hashed(ctx, address))
}

/// The network of an address, IPv4 /24 or IPv6 /48, so that whoever reads the table learns none.
fn hashed(ctx: &Ctx, address: IpAddr) -> String {
    let network = match address.to_canonical() {
        IpAddr::V4(v4) => v4.octets()[..3].to_vec(),
        IpAddr::V6(v6) => v6.octets()[..6].to_vec(),
    };
    data_encoding::HEXLOWER.encode(&ctx.vault.keyed_hash("sign-up network", &network)[..16])
}

/// The hour of the clock, UTC.
fn hour(at: OffsetDateTime) -> OffsetDateTime {
    at - Duration::seconds(at.unix_timestamp().rem_euclid(3_600)) - Duration::nanoseconds(at.nanosecond().into())
}

/// This hour and the one before it count: an attack is not over because a new hour began.
fn since(ctx: &Ctx) -> OffsetDateTime {
    hour(ctx.clock.now()) - Duration::hours(1)
}
