//! Guessing is slow: attempts are counted by what was submitted and by address, for unknown accounts as for known ones (R17), in
//! the database, so that a restart forgets nothing (R21).
//!
//! An attempt is charged before it is looked at and given back if it turns out well; the first ones cost nothing, then each
//! failure doubles the wait.

use super::store::attempts as store;
use crate::{
    error::{AppError, wait_in_words},
    platform::Ctx,
};
use std::net::IpAddr;
use time::{Duration, OffsetDateTime};

/// How one kind of bucket counts. Waits in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    name: &'static str,
    /// From this failure on there is a wait.
    free: i32,
    first: i32,
    longest: i32,
    /// Left alone for this long, the bucket starts anew.
    forget_after: Duration,
    /// From this failure in a row on nothing is looked at any more, until a new password takes the bucket away.
    stops_at: i32,
}

/// So many failures in a row are looked at, and no more (R19; NIST SP 800-63B-4 §3.2.2). Passwords and the codes after them count together,
/// outside the owner's browsers; each of these for itself.
pub const MOST: i32 = 100;
/// How long failures count that nothing good came after. One or two are forgotten after eight days (`store::expired`): whoever
/// tries no more than that has fewer than a hundred tries in a year.
const REMEMBERED: Duration = Duration::days(400);
/// No other wait is as long as this one.
const STOPPED_FROM: Duration = Duration::days(3_650);
/// What is said then; the same of an address that nobody has.
const STOPPED: &str = "After 100 wrong tries in a row the password is tried no more here. Set a new one with “Forgot password”. A passkey still \
                       signs you in, and so does the password in a browser where you signed in before.";

/// True if what is blocked until then is so for good.
pub fn is_stopped(until: OffsetDateTime, now: OffsetDateTime) -> bool {
    until > now + STOPPED_FROM
}

/// Wrong passwords for one submitted address: 1, 2, 4 … seconds from the third on, at most 15 minutes (R19).
pub const SIGN_IN: Rule = Rule { name: "sign_in:id", free: 3, first: 1, longest: 900, forget_after: REMEMBERED, stops_at: MOST };
/// Wrong passwords in a browser that the account knows: counted there alone, whatever strangers do elsewhere (R20).
pub const SIGN_IN_DEVICE: Rule = Rule { name: "sign_in:dev", free: 3, first: 1, longest: 900, forget_after: REMEMBERED, stops_at: MOST };
/// Wrong passwords from one network address; generous, for many people may share one.
pub const SIGN_IN_FROM: Rule = Rule { name: "sign_in:ip", free: 30, first: 1, longest: 900, forget_after: Duration::hours(1), stops_at: i32::MAX };
/// Mails that strangers can make us send to one address.
pub const MAIL: Rule = Rule { name: "mail:id", free: 5, first: 60, longest: 3600, forget_after: Duration::hours(24), stops_at: i32::MAX };
/// Mails asked for from one network address.
pub const MAIL_FROM: Rule = Rule { name: "mail:ip", free: 100, first: 10, longest: 900, forget_after: Duration::hours(1), stops_at: i32::MAX };
/// Mails that somebody sends to themself, to look at them.
pub const OWN_MAIL: Rule = Rule { name: "mail:own", free: 20, first: 30, longest: 3600, forget_after: Duration::hours(1), stops_at: i32::MAX };
/// Typed codes and links from one network address.
pub const PROOF_FROM: Rule = Rule { name: "proof:ip", free: 30, first: 1, longest: 900, forget_after: Duration::hours(1), stops_at: i32::MAX };
/// Codes typed for one mail that proves an address, or for the last time that one was asked for: five are looked at, as of those below.
pub const VERIFY_CODE: Rule = Rule { name: "verify_code:mail", free: 5, first: 3600, longest: 3600, forget_after: Duration::hours(24), stops_at: i32::MAX };
/// Codes typed for one mail that sets a password: five are looked at, and no more while the code lives (R35).
pub const RESET_CODE: Rule = Rule { name: "reset_code:mail", free: 5, first: 3600, longest: 3600, forget_after: Duration::hours(24), stops_at: i32::MAX };
/// Wrong ones for one address, however many mails were asked for: a million codes are few for who may guess for years. The link still works.
pub const RESET_CODES: Rule = Rule { name: "reset_code:id", free: 10, first: 60, longest: 86_400, forget_after: Duration::days(7), stops_at: i32::MAX };
/// Programs from one network address that ask to be let in by a browser.
pub const PROGRAM_FROM: Rule = Rule { name: "program:ip", free: 20, first: 5, longest: 900, forget_after: Duration::hours(1), stops_at: i32::MAX };
/// Pictures that one account sends: each is drawn anew.
pub const PICTURE: Rule = Rule { name: "picture:id", free: 20, first: 30, longest: 3600, forget_after: Duration::hours(1), stops_at: i32::MAX };
/// Wrong codes of programs that one signed-in account typed.
pub const PROGRAM_CODE: Rule = Rule { name: "program:code", free: 5, first: 10, longest: 900, forget_after: Duration::hours(24), stops_at: i32::MAX };
/// Questions for passkeys from one network address: the page for signing in asks one each time it is opened.
pub const PASSKEY_FROM: Rule = Rule { name: "passkey:ip", free: 300, first: 1, longest: 60, forget_after: Duration::hours(1), stops_at: i32::MAX };
/// Wrong current passwords of one signed-in account.
pub const CURRENT_PASSWORD: Rule = Rule { name: "password:id", free: 5, first: 30, longest: 900, forget_after: REMEMBERED, stops_at: MOST };

/// Wrong admin PINs of one operator.
pub const ADMIN_PIN: Rule = Rule { name: "admin_pin:id", free: 5, first: 30, longest: 900, forget_after: Duration::hours(24), stops_at: i32::MAX };

const PURPOSE: &str = "attempts";

/// A counted attempt: forgiven or given back once, so it is not copied.
#[derive(Debug)]
pub struct Attempt {
    bucket: String,
    /// Seconds until the next one is looked at, if this one fails.
    pub wait: u64,
}

impl Attempt {
    /// Counts an attempt by whoever or whatever `who` is; refused while the bucket is blocked.
    pub async fn charge(ctx: &Ctx, rule: &Rule, who: &str) -> Result<Self, AppError> {
        let bucket = rule.bucket(ctx, who);
        let now = ctx.clock.now();
        for before in rule.buckets_before(ctx, who) {
            store::move_bucket(&ctx.db, &before, &bucket).await?;
        }
        let charge = store::Charge {
            bucket: &bucket,
            free: rule.free,
            first: rule.first,
            longest: rule.longest,
            stops_at: rule.stops_at,
            forget_before: now - rule.forget_after,
            now,
        };
        let seconds = |until: OffsetDateTime| u64::try_from((until - now).whole_seconds()).unwrap_or(0);
        match store::charge(&ctx.db, charge).await? {
            Some(until) => Ok(Self { wait: seconds(until), bucket }),
            None => {
                let until = store::find_blocked_until(&ctx.db, &bucket).await?.unwrap_or(now);
                if is_stopped(until, now) {
                    return Err(AppError::invalid("", STOPPED));
                }
                Err(AppError::RateLimited { retry_after: seconds(until).max(1) })
            }
        }
    }

    /// What a failure is told of the next try, after a sentence; `or` is what helps besides waiting.
    pub fn pause(&self, or: &str) -> String {
        match self.wait {
            0 => String::new(),
            seconds if seconds > STOPPED_FROM.whole_seconds().unsigned_abs() => format!(" {STOPPED}"),
            seconds => format!(" Wait {} before the next try{or}.", wait_in_words(seconds)),
        }
    }

    /// It turned out so well that all before it is forgotten.
    pub async fn forgive(self, ctx: &Ctx) -> Result<(), AppError> {
        Ok(store::delete_buckets(&ctx.db, &[self.bucket]).await?)
    }

    /// It turned out well: it does not count.
    pub async fn refund(self, ctx: &Ctx) -> Result<(), AppError> {
        Ok(store::refund(&ctx.db, &self.bucket, ctx.clock.now()).await?)
    }
}

/// Names the last attempt that was counted of `who`: another one has another name. Counts nothing.
pub async fn last_of(ctx: &Ctx, rule: &Rule, who: &str) -> Result<String, AppError> {
    let counted = store::find_counter(&ctx.db, &rule.bucket(ctx, who)).await?;
    Ok(counted.map(|(failures, until)| format!("{failures}:{}", until.unix_timestamp_nanos())).unwrap_or_default())
}

impl Rule {
    /// The row of a bucket. Whoever reads the table learns no address.
    pub fn bucket(&self, ctx: &Ctx, who: &str) -> String {
        self.named(&ctx.vault.keyed_hash(PURPOSE, who.as_bytes()))
    }

    /// The rows that it may have: the one that counts, and what an older master key called it and nobody touched since.
    pub fn buckets(&self, ctx: &Ctx, who: &str) -> Vec<String> {
        ctx.vault.keyed_hashes(PURPOSE, who.as_bytes()).iter().map(|hash| self.named(hash)).collect()
    }

    fn buckets_before(&self, ctx: &Ctx, who: &str) -> Vec<String> {
        if ctx.vault.has_previous() { self.buckets(ctx, who).split_off(1) } else { Vec::new() }
    }

    fn named(&self, hash: &[u8; 32]) -> String {
        let hex: String = hash[..16].iter().map(|b| format!("{b:02x}")).collect();
        format!("{}:{hex}", self.name)
    }
}

/// The part of an address that one person can't leave at will: all of IPv4, the first half of IPv6.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let s = v6.segments();
            format!("{:x}:{:x}:{:x}:{:x}::/64", s[0], s[1], s[2], s[3])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s40_ipv6_counts_by_its_first_half_and_mapped_ipv4_as_ipv4() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:aaaa::1"), of("2001:db8:1:2:bbbb::2"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:203.0.113.9"), "203.0.113.9");
    }
}
