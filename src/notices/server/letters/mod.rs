//! What the mails of notices say, in every language: what will stop and when, in the reader's time zone, what to do, and where to switch
//! it off. When they are sent stands in `mail`.

mod alert;
mod beyond;
mod expiry;
mod german;
mod limits;

pub use alert::{Alert, AlertLine};
pub use expiry::KeysExpire;
pub use limits::LimitsNearlyUsed;

use super::store::{expiry::ExpiryNotice, limits::LimitNotice};
use crate::{
    keys::model::KeyLimit,
    platform::mail::{Kind, Sample},
};
use time::Duration;
use uuid::Uuid;

const SETTINGS: &str = "/settings/notifications";

pub const KINDS: &[Kind] = &[
    Kind {
        name: "notices.limit",
        about: "When a limit is nearly used up.",
        sample: |s| {
            let notices = vec![limit(s, 80, Some(1))];
            Box::new(LimitsNearlyUsed { notices, at: s.at, has_ended: false, usage: s.link("/usage?range=24h"), settings: s.link(SETTINGS) })
        },
    },
    Kind {
        name: "notices.limits",
        about: "When several limits are nearly or wholly used up.",
        sample: |s| {
            let notices = vec![limit(s, 100, None), limit(s, 80, Some(1))];
            Box::new(LimitsNearlyUsed { notices, at: s.at, has_ended: false, usage: s.link("/usage?range=24h"), settings: s.link(SETTINGS) })
        },
    },
    Kind {
        name: "notices.key_expires",
        about: "Some days before a key expires.",
        sample: |s| Box::new(KeysExpire { now: s.at, notices: vec![expiry(s, 7)], link: s.link("/keys/key_sample"), settings: s.link(SETTINGS) }),
    },
    Kind {
        name: "notices.keys_expire",
        about: "Some days before several keys expire.",
        sample: |s| {
            let notices = vec![expiry(s, 1), expiry(s, 30)];
            Box::new(KeysExpire { now: s.at, notices, link: s.link("/keys?status=expiring"), settings: s.link(SETTINGS) })
        },
    },
    Kind {
        name: "notices.alert",
        about: "When a rule on errors fired.",
        sample: |s| {
            let line = |code: &str, calls| AlertLine { key: s.typed("ERP bridge"), code: code.to_owned(), calls };
            Box::new(Alert {
                key: Some(s.typed("ERP bridge")),
                api: None,
                route: None,
                calls: 1_211,
                more_than: 1_000,
                percent: None,
                codes: vec!["FORBIDDEN".to_owned(), "IP_DENIED".to_owned()],
                minutes: 15,
                quiet_minutes: 2_880,
                at: s.at,
                lines: vec![line("FORBIDDEN", 1_210), line("IP_DENIED", 1)],
                errors: s.link("/usage/errors?range=24h"),
                settings: s.link(SETTINGS),
            })
        },
    },
];

fn limit(sample: &Sample, threshold: i16, key: Option<u128>) -> LimitNotice {
    let allowed = 12_000;
    LimitNotice {
        key_id: key.map(Uuid::from_u128),
        key_name: if key.is_some() { sample.typed("checkout service") } else { "All keys together".to_owned() },
        limit_name: KeyLimit::DEFAULT.to_owned(),
        threshold,
        used: allowed * i64::from(threshold) / 100,
        allowed,
        window_seconds: 86_400,
        zone: "UTC".to_owned(),
        kind: "fixed".to_owned(),
        refill: 0,
        unit: "units".to_owned(),
        over: "refuse".to_owned(),
        window_start: sample.at.replace_time(time::Time::MIDNIGHT),
    }
}

fn expiry(sample: &Sample, days: i64) -> ExpiryNotice {
    ExpiryNotice {
        key_id: Uuid::from_u128(1),
        key_name: sample.typed("nightly export"),
        expires_at: sample.at + Duration::days(days),
        last_used_at: (days > 7).then_some(sample.at),
    }
}
