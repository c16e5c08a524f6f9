//! The settings of signing up and in: sessions, passwords, second factors. A part of the table in `settings`.

use super::{
    SecondFactor, SignUpMode, SignUpWork,
    parse::{DAY, filled, number, span, span_text},
    setting::{Kind, Setting},
};
use std::path::PathBuf;

pub(super) const AUTH: &[Setting] = &[
    Setting {
        name: "auth.sign_up",
        env: "TOLLGATE_SIGN_UP",
        kind: Kind::Text,
        allowed: "open, invite or closed",
        doc: "Who may make an account.",
        set: |c, v| {
            c.auth.sign_up = match v {
                "open" => SignUpMode::Open,
                "invite" => SignUpMode::Invite,
                "closed" => SignUpMode::Closed,
                _ => return None,
            };
            Some(())
        },
        get: |c| {
            match c.auth.sign_up {
                SignUpMode::Open => "open",
                SignUpMode::Invite => "invite",
                SignUpMode::Closed => "closed",
            }
            .to_owned()
        },
    },
    Setting {
        name: "auth.second_factor",
        env: "TOLLGATE_SECOND_FACTOR",
        kind: Kind::Text,
        allowed: "optional, operators or all",
        doc: "Who must set up a second factor, right after signing in and before anything else.",
        set: |c, v| {
            c.auth.second_factor = match v {
                "optional" => SecondFactor::Optional,
                "operators" => SecondFactor::Operators,
                "all" => SecondFactor::All,
                _ => return None,
            };
            Some(())
        },
        get: |c| {
            match c.auth.second_factor {
                SecondFactor::Optional => "optional",
                SecondFactor::Operators => "operators",
                SecondFactor::All => "all",
            }
            .to_owned()
        },
    },
    Setting {
        name: "auth.sign_up_work",
        env: "TOLLGATE_SIGN_UP_WORK",
        kind: Kind::Text,
        allowed: "off, attack or always",
        doc: "When the browser has to compute for a second, or its person to wait, before signing up. Attack: while there are too many sign-ups.",
        set: |c, v| {
            c.auth.sign_up_work = match v {
                "off" => SignUpWork::Off,
                "attack" => SignUpWork::Attack,
                "always" => SignUpWork::Always,
                _ => return None,
            };
            Some(())
        },
        get: |c| format!("{:?}", c.auth.sign_up_work).to_lowercase(),
    },
    Setting {
        name: "auth.sign_up_rate",
        env: "TOLLGATE_SIGN_UP_RATE",
        kind: Kind::Number,
        allowed: "a number from 1 to 1000000",
        doc: "From so many sign-ups in an hour on it counts as an attack; from one network (IPv4 /24, IPv6 /48) from a tenth of them.",
        set: |c, v| {
            c.auth.sign_up_rate = number(v, 1..=1_000_000)?;
            Some(())
        },
        get: |c| c.auth.sign_up_rate.to_string(),
    },
    Setting {
        name: "auth.password_min",
        env: "TOLLGATE_PASSWORD_MIN",
        kind: Kind::Number,
        allowed: "a number from 8 to 64",
        doc: "The shortest password, in characters. Fewer than 15 only where auth.second_factor is all.",
        set: |c, v| {
            c.auth.password_min = number(v, 8..=64)?;
            Some(())
        },
        get: |c| c.auth.password_min.to_string(),
    },
    Setting {
        name: "auth.breached_passwords",
        env: "TOLLGATE_BREACHED_PASSWORDS",
        kind: Kind::Text,
        allowed: "a file, or nothing",
        doc: "Refuses new passwords whose SHA-1 stands in this file: sorted lines as the downloader of Have I Been Pwned writes them. Where none is set, or it can't be read, they pass.",
        set: |c, v| {
            c.auth.breached_passwords = filled(v).map(PathBuf::from);
            Some(())
        },
        get: |c| c.auth.breached_passwords.as_ref().map_or_else(String::new, |path| path.display().to_string()),
    },
    Setting {
        name: "auth.places_file",
        env: "TOLLGATE_PLACES_FILE",
        kind: Kind::Text,
        allowed: "a file, or nothing",
        doc: "A database of addresses in MaxMind's DB format (GeoLite2-City, DB-IP City Lite), read at the start: sessions and mails about sign-ins then name city and country. Where none is set, they name the address alone.",
        set: |c, v| {
            c.auth.places_file = filled(v).map(PathBuf::from);
            Some(())
        },
        get: |c| c.auth.places_file.as_ref().map_or_else(String::new, |path| path.display().to_string()),
    },
    Setting {
        name: "auth.session_idle",
        env: "TOLLGATE_SESSION_IDLE",
        kind: Kind::Span,
        allowed: "from 1 minute to 400 days, such as \"14d\"",
        doc: "A session ends when it was not used for this long.",
        set: |c, v| {
            c.auth.session_idle = span(v, 60..=400 * DAY)?;
            Some(())
        },
        get: |c| span_text(c.auth.session_idle),
    },
    Setting {
        name: "auth.session_max",
        env: "TOLLGATE_SESSION_MAX",
        kind: Kind::Span,
        allowed: "from 1 minute to 400 days, such as \"30d\"",
        doc: "A session ends this long after sign-in, used or not.",
        set: |c, v| {
            c.auth.session_max = span(v, 60..=400 * DAY)?;
            Some(())
        },
        get: |c| span_text(c.auth.session_max),
    },
    Setting {
        name: "auth.session_cap",
        env: "TOLLGATE_SESSION_CAP",
        kind: Kind::Span,
        allowed: "from 1 minute to 400 days, such as \"400d\"",
        doc: "No session lasts longer, whatever the policy of a role or a plan says. Browsers forget cookies after 400 days.",
        set: |c, v| {
            c.auth.session_cap = span(v, 60..=400 * DAY)?;
            Some(())
        },
        get: |c| span_text(c.auth.session_cap),
    },
    Setting {
        name: "auth.session_count",
        env: "TOLLGATE_SESSION_COUNT",
        kind: Kind::Number,
        allowed: "a number from 1 to 200",
        doc: "On how many devices an account may be signed in at once. A new sign-in ends the oldest session beyond it.",
        set: |c, v| {
            c.auth.session_count = number(v, 1..=200)?;
            Some(())
        },
        get: |c| c.auth.session_count.to_string(),
    },
    Setting {
        name: "auth.token_idle",
        env: "TOLLGATE_TOKEN_IDLE",
        kind: Kind::Span,
        allowed: "from 1 hour to 400 days, such as \"30d\"",
        doc: "A program's sign-in ends when its tokens were not refreshed for this long.",
        set: |c, v| {
            c.auth.token_idle = span(v, 3600..=400 * DAY)?;
            Some(())
        },
        get: |c| span_text(c.auth.token_idle),
    },
    Setting {
        name: "auth.token_max",
        env: "TOLLGATE_TOKEN_MAX",
        kind: Kind::Span,
        allowed: "from 1 hour to 400 days, such as \"90d\"",
        doc: "A program's sign-in ends after this long, used or not.",
        set: |c, v| {
            c.auth.token_max = span(v, 3600..=400 * DAY)?;
            Some(())
        },
        get: |c| span_text(c.auth.token_max),
    },
    Setting {
        name: "auth.argon2_memory_kib",
        env: "TOLLGATE_ARGON2_MEMORY",
        kind: Kind::Number,
        allowed: "a number from 19456 to 1048576 (KiB)",
        doc: "Memory for the hash of a password, in KiB.",
        set: |c, v| {
            c.auth.argon2_memory_kib = number(v, 19_456..=1_048_576)?;
            Some(())
        },
        get: |c| c.auth.argon2_memory_kib.to_string(),
    },
    Setting {
        name: "auth.argon2_passes",
        env: "TOLLGATE_ARGON2_PASSES",
        kind: Kind::Number,
        allowed: "a number from 2 to 20",
        doc: "Passes over that memory.",
        set: |c, v| {
            c.auth.argon2_passes = number(v, 2..=20)?;
            Some(())
        },
        get: |c| c.auth.argon2_passes.to_string(),
    },
    Setting {
        name: "auth.argon2_parallel",
        env: "TOLLGATE_ARGON2_PARALLEL",
        kind: Kind::Number,
        allowed: "a number from 1 to 64",
        doc: "How many passwords are hashed at once. By default as many as there are cores, as far as half of the memory holds them.",
        set: |c, v| {
            c.auth.argon2_parallel = number(v, 1..=64)?;
            Some(())
        },
        get: |c| c.auth.argon2_parallel.to_string(),
    },
];
