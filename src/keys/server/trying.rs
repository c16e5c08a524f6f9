//! Would this call pass? The gate's own checks on a call that somebody describes, in words. Nothing is charged or counted.

use super::{
    detail::find_key,
    gate::{Check, Gate, Question, Trial, TrialLimit, Verdict},
    rules,
};
use crate::{
    accounts::Caller,
    error::{AppError, Fields},
    keys::model::{Api, ApiRoute, CallTrial, Key, KeyState, LimitUnit, OverAction, TrialStep, TryCall, TypedCall, Unmatched, bundle_words},
    platform::{Ctx, LocalTime},
    ui::number::{count, thousands},
    values::{KeyId, NotNow, Outcome, Permission},
};
use std::net::IpAddr;
use time::OffsetDateTime;

/// Tries a call with a key that the caller may read.
pub async fn try_call(ctx: &Ctx, caller: &Caller, id: KeyId, call: TryCall) -> Result<CallTrial, AppError> {
    let key = find_key(ctx, caller, id).await?;
    let api = super::apis::api_for_key(ctx, Some(key.api.as_str())).await?;
    let wanted = checked(ctx, &call)?;
    let gate = ctx.part::<Gate>().ok_or(AppError::not_now(NotNow::Starting, 1))?;
    let micros = i64::try_from(wanted.at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX);
    let standing = gate.standings(&ctx.db, &[id], micros).await?.remove(&id).unwrap_or_default();
    let question = Question {
        permission: wanted.permission.as_ref().map(Permission::as_str),
        route: &wanted.route,
        is_proxied: true,
        cost: call.cost,
        address: wanted.address,
        origin: wanted.origin.as_deref(),
        ..Question::default()
    };
    let trial = gate.explain(id, question, &standing, micros).ok_or(AppError::Unavailable { retry_after: 1 })?;
    let signs = gate.must_sign(id);
    let words = Words { key: &key, api: &api, trial: &trial, wanted: &wanted, signs, local: LocalTime::new(&caller.time_zone, ctx.clock.now()) };
    Ok(CallTrial { steps: words.steps(), call: wanted.route.clone(), outcome: trial.outcome, route: trial.route.map(|r| r.label), cost: trial.cost })
}

/// The same of a call as somebody typed it; whatever is wrong is named at once.
pub async fn try_typed(ctx: &Ctx, caller: &Caller, id: KeyId, typed: TypedCall) -> Result<CallTrial, AppError> {
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let mut fields = Fields::default();
    let cost = typed.cost.as_deref().and_then(|text| fields.check("cost", text.parse::<u32>().map_err(|_| "A cost is a whole number of units: 5.")));
    let at = typed.at.as_deref().and_then(|text| fields.check("at", local.instant_of(text).ok_or("A time looks like 2026-11-18T14:00.")));
    let (method, path, address, origin, permission) = (typed.method, typed.path, typed.ip, typed.origin, typed.permission);
    let call = TryCall { method, path, address, origin, permission, cost, at };
    fields.merge(checked(ctx, &call).map(drop));
    fields.done()?;
    try_call(ctx, caller, id, call).await
}

struct Wanted {
    /// `GET /orders/17`
    route: String,
    address: Option<IpAddr>,
    origin: Option<String>,
    permission: Option<Permission>,
    at: OffsetDateTime,
}

fn checked(ctx: &Ctx, call: &TryCall) -> Result<Wanted, AppError> {
    let mut fields = Fields::default();
    let method = call.method.trim().to_ascii_uppercase();
    if method.is_empty() || method.len() > 20 || !method.bytes().all(|b| b.is_ascii_uppercase()) {
        fields.add("method", format!("Name a method: {}.", ApiRoute::METHODS[1..].join(", ")));
    }
    let path = call.path.trim();
    if !path.starts_with('/') || path.len() > 2_000 || path.contains(char::is_whitespace) {
        fields.add("path", "A path begins with a slash and has no spaces: /orders/17.");
    }
    let filled = |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let address =
        filled(&call.address).and_then(|text| fields.check("ip", text.parse::<IpAddr>().map_err(|_| "An address looks like 203.0.113.7 or 2001:db8::7.")));
    let origin = filled(&call.origin);
    if origin.as_ref().is_some_and(|origin| origin.len() > 280 || origin.contains(|c: char| c.is_whitespace() || c.is_control())) {
        fields.add("origin", "An origin looks like https://app.example.com.");
    }
    let permission = filled(&call.permission).and_then(|text| fields.check("permission", text.parse::<Permission>()));
    let now = ctx.clock.now();
    let at = match call.at {
        Some(at) if at >= now => fields.check("at", rules::expiry(at, now - time::Duration::SECOND)).unwrap_or(now),
        Some(_) => {
            fields.add("at", "What limits left in the past is not known. Choose a time that lies ahead.");
            now
        }
        None => now,
    };
    fields.done()?;
    Ok(Wanted { route: format!("{method} {path}"), address, origin, permission, at })
}

/// The trial in words, for who may read the key.
struct Words<'a> {
    key: &'a Key,
    api: &'a Api,
    trial: &'a Trial,
    wanted: &'a Wanted,
    /// Its calls must be signed.
    signs: bool,
    local: LocalTime,
}

impl Words<'_> {
    fn steps(&self) -> Vec<TrialStep> {
        let checks = self.trial.checks.iter().map(|(check, refused)| match refused {
            None => step(*check, None, self.passing(*check)),
            Some((outcome, why)) => {
                // Without an address the page names those of the key, which an answer does not.
                let is_untold = *check == Check::Address && self.wanted.address.is_none();
                step(*check, Some(*outcome), why.clone().filter(|_| !is_untold).unwrap_or_else(|| self.refusing(*check, *outcome)))
            }
        });
        checks.chain(self.pace()).chain(self.limits()).collect()
    }

    fn passing(&self, check: Check) -> String {
        match check {
            Check::Secret | Check::State => "The key is active.".to_owned(),
            Check::Expiry => match self.key.expires_at {
                Some(at) => format!("It expires {}.", self.local.moment(at)),
                None => "It never expires.".to_owned(),
            },
            Check::Address => match (self.key.addresses.is_empty(), self.wanted.address) {
                (false, Some(address)) => format!("{address} is among its networks."),
                _ => "It may be used from everywhere.".to_owned(),
            },
            Check::Origin => match (self.key.origins.is_empty(), &self.wanted.origin) {
                (true, _) => "Pages of every site may use it.".to_owned(),
                (false, Some(origin)) => format!("{origin} is among its origins."),
                (false, None) => "The call comes from no web page.".to_owned(),
            },
            Check::KeyRoute => match self.key.routes.is_empty() {
                true => "It may call every route that its permissions allow.".to_owned(),
                false => "It is among the routes that the key may call.".to_owned(),
            },
            Check::Signature => match self.signs {
                true => "Its calls must be signed; this one is taken as signed.".to_owned(),
                false => "Its calls need no signature.".to_owned(),
            },
            Check::Api => format!("It is a key for {}.", self.key.api_name),
            Check::Route => match (&self.trial.route, self.api.unmatched) {
                (Some(route), _) => format!("{} matches.", route.label),
                (None, Unmatched::Allow) => "No route matches, and the API lets such calls pass.".to_owned(),
                (None, Unmatched::Refuse) => "No route matches.".to_owned(),
            },
            Check::Permission => {
                let by_route = self.trial.route.as_ref().and_then(|r| r.permission.as_ref());
                let needed: Vec<&Permission> = by_route.into_iter().chain(&self.wanted.permission).collect();
                match needed.as_slice() {
                    [] => "None is needed.".to_owned(),
                    _ => format!("The key has {}.", needed.iter().map(|permission| self.held(permission)).collect::<Vec<_>>().join(" and ")),
                }
            }
        }
    }

    /// "orders:read", and by which bundles where it was not given by itself.
    fn held(&self, permission: &Permission) -> String {
        let bundles = self.api.bundles_giving(self.key, permission);
        match self.key.permissions.contains(permission) || bundles.is_empty() {
            true => permission.to_string(),
            false => format!("{permission} by {}", bundle_words(&bundles)),
        }
    }

    fn refusing(&self, check: Check, outcome: Outcome) -> String {
        match (check, self.wanted.address) {
            (Check::State, _) if self.key.state == KeyState::Active => outcome.sentence().to_owned(),
            (Check::Expiry, _) => self.key.expires_at.map_or_else(String::new, |at| format!("It expires {}.", self.local.moment(at))),
            (Check::Address, Some(address)) => format!("{address} is not among its networks: {}.", self.key.addresses.join(", ")),
            (Check::Address, None) => format!("The call does not say from where it comes; the key may be used from {} only.", self.key.addresses.join(", ")),
            _ => outcome.sentence().to_owned(),
        }
    }

    /// Blocks that slow: the rest of this second counts, whatever the time that was asked for.
    fn pace(&self) -> impl Iterator<Item = TrialStep> {
        let step = |(is_full, words): &(bool, String)| TrialStep {
            check: "pace".to_owned(),
            title: TrialStep::noun("pace").to_owned(),
            refused: is_full.then_some(Outcome::RateLimited),
            detail: words.clone(),
        };
        self.trial.slowed.iter().map(step)
    }

    fn limits(&self) -> Vec<TrialStep> {
        let Some(cost) = self.trial.cost.map(u64::from) else {
            return vec![limit(None, "The route has no quota: nothing is charged.".to_owned())];
        };
        let costs = count(cost, "unit", "units");
        let words = |TrialLimit { state: l, verdict, is_too_small }: &TrialLimit| {
            let refused = self.trial.over.filter(|_| *verdict == Verdict::Refuses);
            if l.window.is_concurrent() {
                let going = format!("{}: {} of {} at the same time", l.name, thousands(l.used), thousands(l.limit));
                let place = match refused {
                    None if *verdict == Verdict::Passes => ", there is no place for this call. Beyond it calls pass and are marked.".to_owned(),
                    None => ", there is a place for this call.".to_owned(),
                    Some(_) if *is_too_small => ". It lets no call pass.".to_owned(),
                    Some(_) => {
                        format!(". The first of them ends {} at the latest.", self.local.ahead(self.wanted.at + std::time::Duration::from_secs(l.reset_after)))
                    }
                };
                return limit(refused, going + &place);
            }
            let takes = match l.unit {
                LimitUnit::Calls => "the call is one, whatever it costs".to_owned(),
                LimitUnit::Units => format!("the call costs {costs}"),
            };
            let of = l.unit.counted(l.window, l.limit);
            let left = format!("{}: {} of {} {of} left, {takes}.", l.name, thousands(l.remaining), thousands(l.limit));
            let beyond = match (verdict, l.over) {
                (Verdict::Fits, _) => String::new(),
                (Verdict::Passes, OverAction::Throttle { per_second }) => {
                    format!(" Beyond it {} a second pass, this one among them.", count(per_second.into(), "call", "calls"))
                }
                (Verdict::Passes, _) => " Beyond it calls pass and are marked.".to_owned(),
                (Verdict::Refuses, OverAction::Throttle { per_second }) => {
                    format!(" Beyond it {} a second pass, and these did.", count(per_second.into(), "call", "calls"))
                }
                (Verdict::Refuses, _) if *is_too_small => " It never fits: the limit is too small for it.".to_owned(),
                (Verdict::Refuses, _) if l.reset_after == 0 => " More pass once an operator adds credits.".to_owned(),
                (Verdict::Refuses, _) if l.window.is_credits() => {
                    format!(" It has {}, the next {}.", l.window.words(), self.local.ahead(self.wanted.at + std::time::Duration::from_secs(l.reset_after)))
                }
                (Verdict::Refuses, _) => format!(" It resets {}.", self.local.ahead(self.wanted.at + std::time::Duration::from_secs(l.reset_after))),
            };
            limit(refused, left + &beyond)
        };
        self.trial.limits.iter().map(words).collect()
    }
}

fn step(check: Check, refused: Option<Outcome>, detail: String) -> TrialStep {
    let word = match check {
        Check::Secret => "secret",
        Check::State => "state",
        Check::Expiry => "expiry",
        Check::Address => "address",
        Check::Origin => "origin",
        Check::Signature => "signature",
        Check::Api => "api",
        Check::Route => "route",
        Check::Permission => "permission",
        Check::KeyRoute => "key_route",
    };
    TrialStep { check: word.to_owned(), title: TrialStep::noun(word).to_owned(), refused, detail }
}

fn limit(refused: Option<Outcome>, detail: String) -> TrialStep {
    TrialStep { check: "limit".to_owned(), title: TrialStep::noun("limit").to_owned(), refused, detail }
}
