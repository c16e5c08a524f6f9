//! One typed configuration, in sections. Order: file < `.env` < environment < flags; an unknown key or a bad value refuses the
//! start and names the key and the line (`loader`). The values are parsed once and never change afterwards.
//!
//! `settings` is the one table of what can be set, of rows that `setting` describes: the loader, `config show`, `config init`, `config set`
//! and the docs all read it.

mod admin_settings;
mod auth_settings;
pub mod loader;
pub mod master_key;
mod parse;
pub mod providers;
mod setting;
pub mod settings;
pub mod show;
pub mod source;
pub mod writing;

pub use loader::{ConfigError, Loaded, load};
pub use parse::{span, span_text};
pub use providers::Provider;
pub use source::{Flag, Origin, Sources};

use crate::{
    platform::memory,
    values::{Area, Language},
};
use ipnet::IpNet;
use secrecy::SecretString;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// The shortest password, in characters, that may guard an account alone (NIST SP 800-63B-4 §3.1.1.2).
pub const SINGLE_FACTOR_MIN: usize = 15;

#[derive(Debug, Clone)]
pub struct Config {
    pub env: Env,
    pub server: Server,
    pub database: Database,
    pub mail: Mail,
    pub auth: Auth,
    pub sign_in: SignIn,
    pub admin: Admin,
    pub limits: Limits,
    pub log: Log,
    pub jobs: Jobs,
    pub audit: Audit,
    pub retention: Retention,
    pub usage: Usage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Env {
    Development,
    Production,
}

#[derive(Debug, Clone)]
pub struct Server {
    /// Where it listens. `TOLLGATE_ADDR`
    pub addr: SocketAddr,
    /// The only source of links in mails and of the allowed Origin; no trailing slash. `TOLLGATE_PUBLIC_URL`
    pub public_url: url::Url,
    /// Embedded database, secrets, mails in development. `TOLLGATE_DATA_DIR`
    pub data_dir: PathBuf,
    /// 32 bytes or more; made on first start with mode 0600. `TOLLGATE_SECRET_FILE`
    pub secret_file: PathBuf,
    /// Master keys that are still read, besides those that lie beside it. `TOLLGATE_PREVIOUS_SECRET_FILES`
    pub previous_secret_files: Vec<PathBuf>,
    /// Whose `X-Forwarded-*` are believed. `TOLLGATE_TRUSTED_PROXIES`
    pub trusted_proxies: Vec<IpNet>,
    /// How long a request may take. `TOLLGATE_REQUEST_TIMEOUT` (seconds, default 20)
    pub request_timeout: Duration,
    /// How long a connection may stay open over which nothing is asked, or whose client takes nothing of its answer.
    /// `TOLLGATE_IDLE_TIMEOUT` (seconds, default 75)
    pub idle_timeout: Duration,
    /// How many connections may be open at once (default 10000). `TOLLGATE_MAX_CONNECTIONS`
    pub max_connections: usize,
    /// Where metrics are told to Prometheus; none: nowhere. `TOLLGATE_METRICS_ADDR`
    pub metrics_addr: Option<SocketAddr>,
}

#[derive(Debug, Clone)]
pub struct Database {
    /// None: the embedded Postgres under the data folder. `DATABASE_URL`
    pub url: Option<SecretString>,
    /// Size of the pool (default 10). `TOLLGATE_DATABASE_POOL`
    pub pool: u32,
    /// How long a start waits for the database (default 60 s). `TOLLGATE_DATABASE_WAIT`
    pub wait: Duration,
    /// How long keys are verified from memory while the database can't be reached (default 15 min). `TOLLGATE_DATABASE_OUTAGE`
    pub outage: Duration,
}

#[derive(Debug, Clone)]
pub struct Mail {
    /// None: mails are files in the data folder. `TOLLGATE_SMTP_URL`
    pub smtp_url: Option<SecretString>,
    /// The sender, `Name <address>`. `TOLLGATE_MAIL_FROM`
    pub from: String,
    /// Where people may object to a ban: an address, or words. Empty: the operator of this site. `TOLLGATE_CONTACT`
    pub contact: String,
    /// Of mails to who has not chosen one, and whose browser names none of ours (default en). `TOLLGATE_MAIL_LANGUAGE`
    pub language: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUpMode {
    Open,
    Invite,
    Closed,
}

/// When signing up takes some work of the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUpWork {
    Off,
    /// While there are more sign-ups than usual.
    Attack,
    Always,
}

/// Of whom a second factor is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactor {
    Optional,
    Operators,
    All,
}

#[derive(Debug, Clone)]
pub struct Auth {
    /// Who may sign up. `TOLLGATE_SIGN_UP` (open, invite, closed)
    pub sign_up: SignUpMode,
    /// When signing up takes some work of the browser. `TOLLGATE_SIGN_UP_WORK` (off, attack, always)
    pub sign_up_work: SignUpWork,
    /// From so many sign-ups in an hour on it is an attack, or a tenth of them from one network (default 200). `TOLLGATE_SIGN_UP_RATE`
    pub sign_up_rate: u32,
    /// Shortest password in characters, 8 to 64 (default 15; fewer only where all need a second factor). `TOLLGATE_PASSWORD_MIN`
    pub password_min: usize,
    /// A file with the SHA-1 of passwords that leaked, sorted; none: they are not looked up. `TOLLGATE_BREACHED_PASSWORDS`
    pub breached_passwords: Option<PathBuf>,
    /// A database of the places of addresses; none: places are not shown. `TOLLGATE_PLACES_FILE`
    pub places_file: Option<PathBuf>,
    /// Who needs a second factor. `TOLLGATE_SECOND_FACTOR` (optional, operators, all)
    pub second_factor: SecondFactor,
    /// A session ends when unused for this long (default 14 days). `TOLLGATE_SESSION_IDLE`
    pub session_idle: Duration,
    /// A session ends this long after sign-in, used or not (default 30 days, at most 400). `TOLLGATE_SESSION_MAX`
    pub session_max: Duration,
    /// No session lasts longer, whatever a policy says (default 400 days, which is the most). `TOLLGATE_SESSION_CAP`
    pub session_cap: Duration,
    /// On how many devices an account may be signed in at once (default 20). `TOLLGATE_SESSION_COUNT`
    pub session_count: u32,
    /// A program's sign-in ends when its tokens were not refreshed for this long (default 30 days). `TOLLGATE_TOKEN_IDLE`
    pub token_idle: Duration,
    /// A program's sign-in ends after this long, used or not (default 90 days, at most 400). `TOLLGATE_TOKEN_MAX`
    pub token_max: Duration,
    /// Argon2id: memory in KiB, passes (default 65536 and 3; never below 19456 and 2). `TOLLGATE_ARGON2_MEMORY`, `TOLLGATE_ARGON2_PASSES`
    pub argon2_memory_kib: u32,
    pub argon2_passes: u32,
    /// How many passwords are hashed at once (default: the number of cores, as far as half of the memory holds them). `TOLLGATE_ARGON2_PARALLEL`
    pub argon2_parallel: usize,
}

/// What operators may change.
#[derive(Debug, Clone, Default)]
pub struct Admin {
    /// What they can't on pages and over REST, in order. `TOLLGATE_LOCKED`
    pub locked: Vec<Area>,
}

/// Sign-in with others; in the config file alone (`providers`).
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// In the order in which they are offered. `[[sign_in.providers]]`
    pub providers: Vec<Provider>,
}

#[derive(Debug, Clone)]
pub struct Limits {
    /// Cost units that a key may use in a window, unless it has a limit of its own (default 100). `TOLLGATE_KEY_LIMIT`
    pub key_calls: u64,
    /// The window in seconds (default 3600). `TOLLGATE_KEY_WINDOW`
    pub key_window: u32,
    /// Requests that an account may make in a minute, keys aside; 0: any number (default 600). `TOLLGATE_ACCOUNT_RATE`
    pub account_rate: u32,
    /// Requests in a minute from one address where nobody is signed in; 0: any number (default 1200). `TOLLGATE_ADDRESS_RATE`
    pub address_rate: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Pretty,
    Json,
}

#[derive(Debug, Clone)]
pub struct Log {
    /// `TOLLGATE_LOG_FORMAT` (pretty, json)
    pub format: LogFormat,
    /// A tracing filter, such as `info,tollgate=debug`. `TOLLGATE_LOG`
    pub filter: String,
}

#[derive(Debug, Clone)]
pub struct Jobs {
    /// Run jobs inside `serve` (default) or only in `tollgate worker`. `TOLLGATE_JOBS_IN_SERVE`
    pub in_serve: bool,
    /// How many jobs run at once (default 4). `TOLLGATE_JOBS_PARALLEL`
    pub parallel: usize,
}

#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// A file that gets a line with the head of the audit log each minute in which something happened; none: only the log has it.
    /// `TOLLGATE_AUDIT_ANCHOR_FILE`
    pub anchor_file: Option<PathBuf>,
}

/// For measuring what counting costs.
#[derive(Debug, Clone)]
pub struct Usage {
    /// Count calls (default). False counts nothing and keeps no spool; production refuses it. `TOLLGATE_METERING`
    pub metering: bool,
}

/// How long what was counted is kept.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Calls by the minute (default 45 days). `TOLLGATE_KEEP_MINUTES`
    pub minutes: Duration,
    /// Calls by the quarter of an hour, the hour and the day, and how long they took (default 732 days). `TOLLGATE_KEEP_USAGE`
    pub usage: Duration,
    /// Samples of calls, refused or passed, and attempts without a known key (default 30 days). `TOLLGATE_KEEP_REFUSALS`
    pub refusals: Duration,
    /// From where calls came, and which permissions they needed (default 30 days). `TOLLGATE_KEEP_ADDRESSES`
    pub addresses: Duration,
}

impl Config {
    pub fn is_development(&self) -> bool {
        self.env == Env::Development
    }

    /// True where cookies can be `Secure` and carry the `__Host-` prefix: the public address is https.
    pub fn secure_cookies(&self) -> bool {
        self.server.public_url.scheme() == "https"
    }

    /// An absolute link under the public address; `path` starts with a slash.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// The origin of the public address, as browsers send it.
    pub fn origin(&self) -> String {
        self.server.public_url.origin().ascii_serialization()
    }

    /// The defaults of development, in the given data folder. Tests start from here.
    pub fn development(data_dir: PathBuf) -> Self {
        Self::defaults(Env::Development, data_dir)
    }

    /// What holds where nothing is set.
    pub fn defaults(env: Env, data_dir: PathBuf) -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], 3000));
        Self {
            env,
            server: Server {
                addr,
                public_url: local_url(addr),
                secret_file: data_dir.join("secret"),
                previous_secret_files: Vec::new(),
                data_dir,
                trusted_proxies: Vec::new(),
                request_timeout: Duration::from_secs(20),
                idle_timeout: Duration::from_secs(75),
                max_connections: 10_000,
                metrics_addr: None,
            },
            database: Database { url: None, pool: 10, wait: Duration::from_secs(60), outage: Duration::from_secs(15 * 60) },
            mail: Mail { smtp_url: None, from: "Tollgate <no-reply@localhost>".to_owned(), contact: String::new(), language: Language::En },
            auth: Auth {
                sign_up: SignUpMode::Open,
                sign_up_work: SignUpWork::Off,
                sign_up_rate: 200,
                password_min: SINGLE_FACTOR_MIN,
                breached_passwords: None,
                places_file: None,
                second_factor: SecondFactor::Optional,
                session_idle: Duration::from_secs(14 * 86_400),
                session_max: Duration::from_secs(30 * 86_400),
                session_cap: Duration::from_secs(400 * 86_400),
                session_count: 20,
                token_idle: Duration::from_secs(30 * 86_400),
                token_max: Duration::from_secs(90 * 86_400),
                argon2_memory_kib: 65_536,
                argon2_passes: 3,
                argon2_parallel: hashes_at_once(65_536),
            },
            sign_in: SignIn::default(),
            admin: Admin::default(),
            limits: Limits { key_calls: 100, key_window: 3600, account_rate: 600, address_rate: 1200 },
            log: Log { format: if env == Env::Development { LogFormat::Pretty } else { LogFormat::Json }, filter: "info".to_owned() },
            jobs: Jobs { in_serve: true, parallel: 4 },
            audit: Audit::default(),
            retention: Retention { minutes: days(45), usage: days(732), refusals: days(30), addresses: days(30) },
            usage: Usage { metering: true },
        }
    }
}

const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}

/// How many passwords are hashed at once where nothing is set (R12).
fn hashes_at_once(memory_kib: u32) -> usize {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    memory::places(cores, memory::limit(), memory_kib)
}

/// The public address where none is set: the listening one, as a browser on this machine would type it.
fn local_url(addr: SocketAddr) -> url::Url {
    let host = match addr {
        SocketAddr::V6(v6) if !v6.ip().is_unspecified() => format!("[{}]", v6.ip()),
        SocketAddr::V4(v4) if !v4.ip().is_unspecified() => v4.ip().to_string(),
        _ => "127.0.0.1".to_owned(),
    };
    let url = format!("http://{host}:{}", addr.port());
    url::Url::parse(&url).unwrap_or_else(|_| unreachable!("an address is a host"))
}
