//! Everything that can be set, in one table: the name in the file, the variable, what is allowed, one sentence of documentation. The rows
//! about signing in are in `auth_settings`, those about operators in `admin_settings`.

pub use super::setting::{Kind, Setting};

use super::{
    Env, LogFormat,
    admin_settings::ADMIN,
    auth_settings::AUTH,
    parse::{DAY, database_url, filled, network, number, public_url, smtp_url, span, span_text},
};
use ipnet::IpNet;
use secrecy::ExposeSecret;
use std::{path::PathBuf, str::FromStr, sync::LazyLock, time::Duration};

/// All settings, in the order in which they are shown.
pub static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| [SERVING, AUTH, ADMIN, RUNNING, KEEPING].concat());

/// Where it serves, what it stands on, and how it sends mail.
const SERVING: &[Setting] = &[
    Setting {
        name: "env",
        env: "TOLLGATE_ENV",
        kind: Kind::Text,
        allowed: "development or production",
        doc: "Production refuses a plain-http public address off this machine and has no /dev pages.",
        set: |c, v| {
            c.env = match v {
                "development" => Env::Development,
                "production" => Env::Production,
                _ => return None,
            };
            Some(())
        },
        get: |c| {
            match c.env {
                Env::Development => "development",
                Env::Production => "production",
            }
            .to_owned()
        },
    },
    Setting {
        name: "server.addr",
        env: "TOLLGATE_ADDR",
        kind: Kind::Text,
        allowed: "an address and a port, such as 127.0.0.1:3000",
        doc: "Where the server listens.",
        set: |c, v| {
            c.server.addr = v.parse().ok()?;
            Some(())
        },
        get: |c| c.server.addr.to_string(),
    },
    Setting {
        name: "server.public_url",
        env: "TOLLGATE_PUBLIC_URL",
        kind: Kind::Text,
        allowed: "http:// or https:// and a host, without path or query, such as https://gate.example.com",
        doc: "The only source of links in mails and of the allowed Origin. Where none is set, the listening address.",
        set: |c, v| {
            c.server.public_url = public_url(v)?;
            Some(())
        },
        get: |c| c.origin(),
    },
    Setting {
        name: "server.data_dir",
        env: "TOLLGATE_DATA_DIR",
        kind: Kind::Text,
        allowed: "a folder",
        doc: "Holds the embedded database, the master key, counts on their way to Postgres and, without SMTP, the mails.",
        set: |c, v| {
            c.server.data_dir = PathBuf::from(filled(v)?);
            Some(())
        },
        get: |c| c.server.data_dir.display().to_string(),
    },
    Setting {
        name: "server.secret_file",
        env: "TOLLGATE_SECRET_FILE",
        kind: Kind::Text,
        allowed: "a file",
        doc: "The master key: 32 random bytes or more, readable by its owner alone. Made on the first start as `secret` in the data folder.",
        set: |c, v| {
            c.server.secret_file = PathBuf::from(filled(v)?);
            Some(())
        },
        get: |c| c.server.secret_file.display().to_string(),
    },
    Setting {
        name: "server.previous_secret_files",
        env: "TOLLGATE_PREVIOUS_SECRET_FILES",
        kind: Kind::List,
        allowed: "files",
        doc: "Master keys that are still read, besides those that `tollgate master-key rotate` put beside server.secret_file. None by default.",
        set: |c, v| {
            c.server.previous_secret_files = v.split(',').map(str::trim).filter(|v| !v.is_empty()).map(PathBuf::from).collect();
            Some(())
        },
        get: |c| c.server.previous_secret_files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(","),
    },
    Setting {
        name: "server.trusted_proxies",
        env: "TOLLGATE_TRUSTED_PROXIES",
        kind: Kind::List,
        allowed: "addresses or networks, such as 10.0.0.0/8",
        doc: "Whose X-Forwarded-* headers are believed. None by default.",
        set: |c, v| {
            c.server.trusted_proxies = v.split(',').map(str::trim).filter(|v| !v.is_empty()).map(network).collect::<Option<_>>()?;
            Some(())
        },
        get: |c| c.server.trusted_proxies.iter().map(IpNet::to_string).collect::<Vec<_>>().join(","),
    },
    Setting {
        name: "server.request_timeout",
        env: "TOLLGATE_REQUEST_TIMEOUT",
        kind: Kind::Span,
        allowed: "from 1 second to 5 minutes, such as 20 or \"20s\"",
        doc: "How long a request may take.",
        set: |c, v| {
            c.server.request_timeout = span(v, 1..=300)?;
            Some(())
        },
        get: |c| span_text(c.server.request_timeout),
    },
    Setting {
        name: "server.idle_timeout",
        env: "TOLLGATE_IDLE_TIMEOUT",
        kind: Kind::Span,
        allowed: "from 1 second to 1 hour, such as 75 or \"75s\"",
        doc: "After this long, or up to twice as long, a connection over which nothing is asked, or whose client takes nothing of its answer, is closed. Longer than the proxy before it keeps its own.",
        set: |c, v| {
            c.server.idle_timeout = span(v, 1..=3600)?;
            Some(())
        },
        get: |c| span_text(c.server.idle_timeout),
    },
    Setting {
        name: "server.max_connections",
        env: "TOLLGATE_MAX_CONNECTIONS",
        kind: Kind::Number,
        allowed: "a number from 16 to 1000000",
        doc: "How many connections are open at once; what comes beyond is closed at once. Fewer where the system allows fewer open files.",
        set: |c, v| {
            c.server.max_connections = number(v, 16..=1_000_000)?;
            Some(())
        },
        get: |c| c.server.max_connections.to_string(),
    },
    Setting {
        name: "server.metrics_addr",
        env: "TOLLGATE_METRICS_ADDR",
        kind: Kind::Text,
        allowed: "an address and a port, such as 127.0.0.1:9100, or nothing",
        doc: "Where GET /metrics answers Prometheus, and nothing else does: only your own network should reach it. Nowhere by default.",
        set: |c, v| {
            c.server.metrics_addr = match filled(v) {
                Some(v) => Some(v.parse().ok()?),
                None => None,
            };
            Some(())
        },
        get: |c| c.server.metrics_addr.map_or_else(String::new, |addr| addr.to_string()),
    },
    Setting {
        name: "database.url",
        env: "DATABASE_URL",
        kind: Kind::Secret,
        allowed: "postgres://user:password@host:port/name",
        doc: "Postgres 14 or newer. Where none is set, an embedded one under the data folder.",
        set: |c, v| {
            c.database.url = Some(database_url(v)?);
            Some(())
        },
        get: |c| c.database.url.as_ref().map_or_else(String::new, |url| url.expose_secret().to_owned()),
    },
    Setting {
        name: "database.pool",
        env: "TOLLGATE_DATABASE_POOL",
        kind: Kind::Number,
        allowed: "a number from 2 to 1000",
        doc: "How many connections to the database are kept at most.",
        set: |c, v| {
            c.database.pool = number(v, 2..=1000)?;
            Some(())
        },
        get: |c| c.database.pool.to_string(),
    },
    Setting {
        name: "database.wait",
        env: "TOLLGATE_DATABASE_WAIT",
        kind: Kind::Span,
        allowed: "up to an hour, such as 60 or \"1m\"",
        doc: "How long a start waits for the database before it gives up.",
        set: |c, v| {
            c.database.wait = span(v, 0..=3600)?;
            Some(())
        },
        get: |c| span_text(c.database.wait),
    },
    Setting {
        name: "database.outage",
        env: "TOLLGATE_DATABASE_OUTAGE",
        kind: Kind::Span,
        allowed: "from 2 seconds to 1 day, such as 900 or \"15m\"",
        doc: "How long keys are verified from memory while the database can't be reached. After it every question is answered 503.",
        set: |c, v| {
            c.database.outage = span(v, 2..=DAY)?;
            Some(())
        },
        get: |c| span_text(c.database.outage),
    },
    Setting {
        name: "mail.smtp_url",
        env: "TOLLGATE_SMTP_URL",
        kind: Kind::Secret,
        allowed: "smtp://host:port or smtps://user:password@host",
        doc: "Where mails are sent. Where none is set they are files in the data folder, shown at /dev/mailbox in development.",
        set: |c, v| {
            c.mail.smtp_url = Some(smtp_url(v)?);
            Some(())
        },
        get: |c| c.mail.smtp_url.as_ref().map_or_else(String::new, |url| url.expose_secret().to_owned()),
    },
    Setting {
        name: "mail.from",
        env: "TOLLGATE_MAIL_FROM",
        kind: Kind::Text,
        allowed: "an address, such as Tollgate <no-reply@example.com>",
        doc: "The sender of every mail.",
        set: |c, v| {
            lettre::message::Mailbox::from_str(v).ok()?;
            v.clone_into(&mut c.mail.from);
            Some(())
        },
        get: |c| c.mail.from.clone(),
    },
    Setting {
        name: "mail.contact",
        env: "TOLLGATE_CONTACT",
        kind: Kind::Text,
        allowed: "one line of at most 200 characters, such as support@example.com",
        doc: "Where people may object to a ban. Where none is set they are told to ask the operator of this site.",
        set: |c, v| {
            let is_line = v.chars().count() <= 200 && !v.chars().any(char::is_control);
            c.mail.contact = v.trim().to_owned();
            is_line.then_some(())
        },
        get: |c| c.mail.contact.clone(),
    },
    Setting {
        name: "mail.language",
        env: "TOLLGATE_MAIL_LANGUAGE",
        kind: Kind::Text,
        allowed: "en or de",
        doc: "The language of mails to accounts that were made without a browser, or by one that asks for none of ours.",
        set: |c, v| {
            c.mail.language = v.parse().ok()?;
            Some(())
        },
        get: |c| c.mail.language.as_str().to_owned(),
    },
];

/// What keys may by default, what is logged, who runs jobs.
const RUNNING: &[Setting] = &[
    Setting {
        name: "limits.key_calls",
        env: "TOLLGATE_KEY_LIMIT",
        kind: Kind::Number,
        allowed: "a number from 1 to 1000000000",
        doc: "Cost units (one for a call, unless its route costs more) that a key may use in a window, unless it has a limit of its own.",
        set: |c, v| {
            c.limits.key_calls = number(v, 1..=1_000_000_000)?;
            Some(())
        },
        get: |c| c.limits.key_calls.to_string(),
    },
    Setting {
        name: "limits.key_window",
        env: "TOLLGATE_KEY_WINDOW",
        kind: Kind::Span,
        allowed: "from 1 second to 366 days, such as 3600 or \"1h\"",
        doc: "The window of that limit.",
        set: |c, v| {
            c.limits.key_window = u32::try_from(span(v, 1..=366 * DAY)?.as_secs()).ok()?;
            Some(())
        },
        get: |c| span_text(Duration::from_secs(c.limits.key_window.into())),
    },
    Setting {
        name: "limits.account_rate",
        env: "TOLLGATE_ACCOUNT_RATE",
        kind: Kind::Number,
        allowed: "a number from 0 to 1000000; 0 for no limit",
        doc: "Requests an account may make in a minute in the browser and with programs that signed in, on each server. Keys have limits of their own.",
        set: |c, v| {
            c.limits.account_rate = number(v, 0..=1_000_000)?;
            Some(())
        },
        get: |c| c.limits.account_rate.to_string(),
    },
    Setting {
        name: "limits.address_rate",
        env: "TOLLGATE_ADDRESS_RATE",
        kind: Kind::Number,
        allowed: "a number from 0 to 1000000; 0 for no limit",
        doc: "Requests in a minute from one address where nobody is signed in, on each server. Behind a proxy set server.trusted_proxies, or all share one.",
        set: |c, v| {
            c.limits.address_rate = number(v, 0..=1_000_000)?;
            Some(())
        },
        get: |c| c.limits.address_rate.to_string(),
    },
    Setting {
        name: "log.format",
        env: "TOLLGATE_LOG_FORMAT",
        kind: Kind::Text,
        allowed: "pretty or json",
        doc: "How a line of the log looks. By default pretty in development, json in production.",
        set: |c, v| {
            c.log.format = match v {
                "pretty" => LogFormat::Pretty,
                "json" => LogFormat::Json,
                _ => return None,
            };
            Some(())
        },
        get: |c| {
            match c.log.format {
                LogFormat::Pretty => "pretty",
                LogFormat::Json => "json",
            }
            .to_owned()
        },
    },
    Setting {
        name: "log.filter",
        env: "TOLLGATE_LOG",
        kind: Kind::Text,
        allowed: "a filter, such as info or info,tollgate=debug",
        doc: "Which lines are logged.",
        set: |c, v| {
            tracing_subscriber::EnvFilter::builder().parse(filled(v)?).ok()?;
            v.clone_into(&mut c.log.filter);
            Some(())
        },
        get: |c| c.log.filter.clone(),
    },
    Setting {
        name: "jobs.in_serve",
        env: "TOLLGATE_JOBS_IN_SERVE",
        kind: Kind::Switch,
        allowed: "true or false",
        doc: "Whether `serve` runs jobs too. False where `tollgate worker` does.",
        set: |c, v| {
            c.jobs.in_serve = match v {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return None,
            };
            Some(())
        },
        get: |c| c.jobs.in_serve.to_string(),
    },
    Setting {
        name: "jobs.parallel",
        env: "TOLLGATE_JOBS_PARALLEL",
        kind: Kind::Number,
        allowed: "a number from 1 to 64",
        doc: "How many jobs run at once.",
        set: |c, v| {
            c.jobs.parallel = number(v, 1..=64)?;
            Some(())
        },
        get: |c| c.jobs.parallel.to_string(),
    },
    Setting {
        name: "audit.anchor_file",
        env: "TOLLGATE_AUDIT_ANCHOR_FILE",
        kind: Kind::Text,
        allowed: "a file, or nothing",
        doc: "Gets a line with the head of the audit log each minute in which something happened. Keep it where whoever changes the database can't change it. Where none is set, only the log has it.",
        set: |c, v| {
            c.audit.anchor_file = filled(v).map(PathBuf::from);
            Some(())
        },
        get: |c| c.audit.anchor_file.as_ref().map_or_else(String::new, |path| path.display().to_string()),
    },
];

/// Whether calls are counted, and how long that is kept.
const KEEPING: &[Setting] = &[
    Setting {
        name: "retention.minutes",
        env: "TOLLGATE_KEEP_MINUTES",
        kind: Kind::Span,
        allowed: "from 7 to 366 days, such as \"45d\"",
        doc: "How long calls are kept by the minute.",
        set: |c, v| {
            c.retention.minutes = span(v, 7 * DAY..=366 * DAY)?;
            Some(())
        },
        get: |c| span_text(c.retention.minutes),
    },
    Setting {
        name: "retention.usage",
        env: "TOLLGATE_KEEP_USAGE",
        kind: Kind::Span,
        allowed: "from 62 to 3660 days, such as \"732d\"",
        doc: "How long calls are kept by the quarter of an hour, the hour and the day, and how long they took. Never shorter than limits.key_window.",
        set: |c, v| {
            c.retention.usage = span(v, 62 * DAY..=3660 * DAY)?;
            Some(())
        },
        get: |c| span_text(c.retention.usage),
    },
    Setting {
        name: "retention.refusals",
        env: "TOLLGATE_KEEP_REFUSALS",
        kind: Kind::Span,
        allowed: "from 1 to 90 days, such as \"30d\"",
        doc: "How long samples of calls, refused or passed, and attempts without a known key, are kept with their addresses.",
        set: |c, v| {
            c.retention.refusals = span(v, DAY..=90 * DAY)?;
            Some(())
        },
        get: |c| span_text(c.retention.refusals),
    },
    Setting {
        name: "retention.addresses",
        env: "TOLLGATE_KEEP_ADDRESSES",
        kind: Kind::Span,
        allowed: "from 1 to 90 days, such as \"30d\"",
        doc: "How long is kept from which addresses calls came, and which permissions they needed.",
        set: |c, v| {
            c.retention.addresses = span(v, DAY..=90 * DAY)?;
            Some(())
        },
        get: |c| span_text(c.retention.addresses),
    },
    Setting {
        name: "usage.metering",
        env: "TOLLGATE_METERING",
        kind: Kind::Switch,
        allowed: "true or false",
        doc: "Only for measuring what counting costs: false counts no call and keeps no spool. Production refuses it.",
        set: |c, v| {
            c.usage.metering = match v {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return None,
            };
            Some(())
        },
        get: |c| c.usage.metering.to_string(),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::config::Config;

    #[test]
    fn every_default_is_allowed_by_its_own_parser() {
        for env in [Env::Development, Env::Production] {
            let defaults = Config::defaults(env, PathBuf::from(".data"));
            for setting in SETTINGS.iter() {
                let value = (setting.get)(&defaults);
                if value.is_empty() {
                    continue; // none is set
                }
                let mut config = defaults.clone();
                assert!((setting.set)(&mut config, &value).is_some(), "{} refuses its default {value}", setting.name);
                assert_eq!((setting.get)(&config), value, "{} does not come back as it went in", setting.name);
            }
        }
    }

    #[test]
    fn names_and_variables_stand_for_one_setting_each() {
        for (i, a) in SETTINGS.iter().enumerate() {
            assert!(a.env == "DATABASE_URL" || a.env.starts_with("TOLLGATE_"));
            assert!(a.doc.ends_with('.') && !a.allowed.ends_with('.'));
            for b in &SETTINGS[i + 1..] {
                assert!(a.name != b.name && a.env != b.env, "{} twice", a.name);
            }
        }
    }
}
