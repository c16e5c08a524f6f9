//! From sources to a `Config`: defaults, then the strongest value of each setting, then the rules that join several of them.
//! Everything that is wrong is told at once, each with its place.

use super::{
    Config, Env, SINGLE_FACTOR_MIN, SecondFactor, hashes_at_once, local_url,
    settings::{SETTINGS, Setting},
    source::{Origin, Problem, Raw, Sources},
};
use std::{fmt, path::PathBuf, time::Duration};

/// A configuration that may be used, and where its values come from.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    /// One for each of `SETTINGS`, in the same order.
    pub origins: Vec<Origin>,
    /// The config file, if one was read.
    pub file: Option<PathBuf>,
    /// Variables of the environment that nothing reads, but whose names are nearly those of settings.
    pub warnings: Vec<Problem>,
}

impl Loaded {
    /// Where the setting `name` was set.
    pub fn origin(&self, name: &str) -> &Origin {
        SETTINGS.iter().position(|s| s.name == name).map_or(&Origin::Default, |i| &self.origins[i])
    }
}

/// Why the start is refused.
#[derive(Debug)]
pub struct ConfigError(pub Vec<Problem>);

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "The configuration has a mistake.\n  {one}"),
            all => {
                write!(f, "The configuration has {} mistakes.", all.len())?;
                all.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

/// Reads all sources.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut found = sources.read();
    let mut problems = std::mem::take(&mut found.problems);
    let mut texts: Vec<Option<String>> = SETTINGS.iter().map(|_| None).collect();
    let mut origins = vec![Origin::Default; SETTINGS.len()];
    for (index, raw) in found.values {
        match contents(&SETTINGS[index], &raw, sources) {
            Ok(text) => texts[index] = Some(text),
            Err(problem) => problems.push(problem),
        }
        origins[index] = raw.origin;
    }

    // The defaults of other settings hang on these two.
    let mut first = Config::defaults(Env::Production, PathBuf::from(".data"));
    for (setting, text) in SETTINGS.iter().zip(&texts).filter(|(s, _)| matches!(s.name, "env" | "server.data_dir")) {
        let _ = text.as_ref().and_then(|text| (setting.set)(&mut first, text));
    }
    let mut config = Config::defaults(first.env, first.server.data_dir);
    config.sign_in.providers = found.providers;
    for (index, setting) in SETTINGS.iter().enumerate() {
        match &texts[index] {
            Some(text) if (setting.set)(&mut config, text).is_none() => problems.push(Problem::at(&origins[index], not_allowed(setting, text))),
            Some(_) => {}
            None if setting.name == "server.public_url" => config.server.public_url = local_url(config.server.addr),
            None if setting.name == "auth.argon2_parallel" => config.auth.argon2_parallel = hashes_at_once(config.auth.argon2_memory_kib),
            None => {}
        }
    }
    let loaded = Loaded { config, origins, file: found.file, warnings: found.warnings };
    if problems.is_empty() {
        check_rules(&loaded, &mut problems);
    }
    if problems.is_empty() { Ok(loaded) } else { Err(ConfigError(problems)) }
}

pub(super) fn not_allowed(setting: &Setting, text: &str) -> String {
    if setting.is_secret() {
        format!("{} must be {}. The value is not shown, as it is a secret.", setting.name, setting.allowed)
    } else {
        format!("{} must be {}, not {text:?}.", setting.name, setting.allowed)
    }
}

/// The value itself, or what the file says that a `…_FILE` names.
fn contents(setting: &Setting, raw: &Raw, sources: &Sources) -> Result<String, Problem> {
    if !raw.is_path {
        return Ok(raw.text.clone());
    }
    match std::fs::read_to_string(sources.dir.join(&raw.text)) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(Problem::at(&raw.origin, format!("the file {} with {} can't be read: {error}.", raw.text, setting.name))),
    }
}

/// The rules that join several settings.
fn check_rules(loaded: &Loaded, problems: &mut Vec<Problem>) {
    let config = &loaded.config;
    let mut refuse = |name: &str, message: String| problems.push(Problem::at(loaded.origin(name), message));
    let url = &config.server.public_url;
    if config.env == Env::Production && url.scheme() == "http" && !is_local(url) {
        refuse(
            "server.public_url",
            format!(
                "server.public_url is {}, and production needs https:// off this machine: sessions would travel in clear. Set https://, or TOLLGATE_ENV=development for a try.",
                config.origin()
            ),
        );
    }
    if config.auth.password_min < SINGLE_FACTOR_MIN && config.auth.second_factor != SecondFactor::All {
        refuse(
            "auth.password_min",
            format!(
                "auth.password_min may be below {SINGLE_FACTOR_MIN} only where auth.second_factor is \"all\": so short a password must not guard an account alone."
            ),
        );
    }
    if config.auth.session_idle > config.auth.session_max {
        refuse("auth.session_idle", "auth.session_idle must not be longer than auth.session_max.".to_owned());
    }
    if config.auth.session_max > config.auth.session_cap {
        refuse("auth.session_max", "auth.session_max must not be longer than auth.session_cap.".to_owned());
    }
    if config.auth.token_idle > config.auth.token_max {
        refuse("auth.token_idle", "auth.token_idle must not be longer than auth.token_max.".to_owned());
    }
    if config.env == Env::Production && !config.usage.metering {
        refuse(
            "usage.metering",
            "usage.metering must be true in production: without it no call is counted, and limits begin anew with every start. Set TOLLGATE_ENV=development to measure."
                .to_owned(),
        );
    }
    if config.retention.usage < Duration::from_secs(config.limits.key_window.into()) {
        refuse(
            "retention.usage",
            "retention.usage must not be shorter than limits.key_window: after a restart the window is counted from what is kept.".to_owned(),
        );
    }
    if config.database.url.is_none() && config.database.pool > crate::platform::postgres::MAX_POOL {
        refuse("database.pool", format!("database.pool must be at most {} with the embedded database.", crate::platform::postgres::MAX_POOL));
    }
}

/// True for an address that only this machine reaches.
pub fn is_local(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
