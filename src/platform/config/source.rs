//! Where values come from: `tollgate.toml`, `.env`, the environment, flags. Each value keeps its origin; what is not a setting
//! becomes a `Problem` that names its place and the nearest name that is one. Nothing is parsed into its type here.

use super::{
    providers::{self, Provider},
    settings::{Kind, SETTINGS, Setting},
};
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};
use toml::de::{DeTable, DeValue};

/// What the loader reads. Tests make their own; the binary uses `Sources::of_process`.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Where `tollgate.toml` and `.env` are looked for.
    pub dir: PathBuf,
    /// `--config`: must exist.
    pub file: Option<PathBuf>,
    /// What stands in the config file, in place of what is there (`writing`).
    pub text: Option<String>,
    pub env: Vec<(String, String)>,
    pub flags: Vec<Flag>,
    /// What a flag means where nothing else is said: weaker than all of these.
    pub implied: Vec<Flag>,
}

/// A setting given on the command line.
#[derive(Debug, Clone)]
pub struct Flag {
    /// As it was typed: `--addr`, `--set`.
    pub flag: String,
    /// `section.key`.
    pub name: String,
    pub value: String,
}

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    DotEnv { line: usize },
    Env { variable: String },
    Flag { flag: String },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(f, "default"),
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::DotEnv { line } => write!(f, ".env line {line}"),
            Self::Env { variable } => write!(f, "environment {variable}"),
            Self::Flag { flag } => write!(f, "flag {flag}"),
        }
    }
}

/// One thing that keeps Tollgate from starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub place: String,
    pub message: String,
}

impl Problem {
    pub(super) fn at(place: impl fmt::Display, message: impl Into<String>) -> Self {
        Self { place: place.to_string(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// A value as it was written, not parsed yet.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub text: String,
    pub origin: Origin,
    /// The text is the path of the file that holds the value (`…_FILE`).
    pub is_path: bool,
}

/// What was found: for each setting (by its place in the table) the value of the strongest source.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub values: BTreeMap<usize, Raw>,
    pub providers: Vec<Provider>,
    pub problems: Vec<Problem>,
    /// What keeps nothing from starting, but is likely a slip.
    pub warnings: Vec<Problem>,
    /// The config file that was read.
    pub file: Option<PathBuf>,
}

impl Sources {
    /// The working directory and the environment of this process.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Flag>) -> Self {
        let env = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))).collect();
        Self { dir: PathBuf::new(), file, text: None, env, flags, implied: Vec::new() }
    }

    pub(super) fn read(&self) -> Found {
        let mut found = Found::default();
        found.flags(&self.implied);
        let dot_env = self.read_dot_env(&mut found);
        self.read_file(&dot_env, &mut found);
        let mut seen = Vec::new();
        for (variable, value, line) in dot_env {
            found.variable(variable, value, Origin::DotEnv { line }, &mut seen);
        }
        let mut seen = Vec::new();
        for (variable, value) in &self.env {
            found.variable(variable.clone(), value.clone(), Origin::Env { variable: variable.clone() }, &mut seen);
        }
        found.flags(&self.flags);
        found
    }

    /// The config file, there or not.
    pub(super) fn config_file(&self) -> PathBuf {
        let dot_env = self.read_dot_env(&mut Found::default());
        self.given_file(&dot_env).unwrap_or_else(|| PathBuf::from(CONFIG_FILE))
    }

    /// What the config file says of the setting at this place of the table, as a variable would hold it, whatever wins over it.
    pub(super) fn in_file(&self, index: usize) -> Option<String> {
        let mut found = Found::default();
        let dot_env = self.read_dot_env(&mut Found::default());
        self.read_file(&dot_env, &mut found);
        found.values.remove(&index).map(|raw| raw.text)
    }

    fn given_file(&self, dot_env: &[(String, String, usize)]) -> Option<PathBuf> {
        self.file.clone().or_else(|| {
            let from_env = self.env.iter().find(|(name, _)| name == CONFIG_VARIABLE).map(|(_, value)| value);
            let value = from_env.or_else(|| dot_env.iter().find(|(name, ..)| name == CONFIG_VARIABLE).map(|(_, value, _)| value))?;
            (!value.is_empty()).then(|| PathBuf::from(value))
        })
    }

    fn read_file(&self, dot_env: &[(String, String, usize)], found: &mut Found) {
        let given = self.given_file(dot_env);
        let path = given.clone().unwrap_or_else(|| PathBuf::from(CONFIG_FILE));
        let read = self.text.clone().map_or_else(|| std::fs::read_to_string(self.dir.join(&path)), Ok);
        match read {
            Ok(text) => {
                found.toml(&text, &path, &self.dir);
                found.file = Some(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && given.is_none() => {}
            Err(error) => found.problems.push(Problem::at(path.display(), format!("the config file can't be read: {error}."))),
        }
    }

    /// `NAME=value` lines, `export` and quotes allowed. Names of other programs are left alone, unless they are nearly ours.
    fn read_dot_env(&self, found: &mut Found) -> Vec<(String, String, usize)> {
        let text = match std::fs::read_to_string(self.dir.join(".env")) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                found.problems.push(Problem::at(".env", format!("it can't be read: {error}.")));
                return Vec::new();
            }
        };
        let mut values = Vec::new();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let pair = line.strip_prefix("export ").unwrap_or(line).split_once('=');
            match pair.and_then(|(name, value)| Some((name.trim(), unquote(value.trim())?))) {
                Some((name, value)) => values.push((name.to_owned(), value, number)),
                None => found.problems.push(Problem::at(format!(".env line {number}"), "this is not NAME=value, or a quote is not closed.")),
            }
        }
        values
    }
}

const CONFIG_VARIABLE: &str = "TOLLGATE_CONFIG";
const CONFIG_FILE: &str = "tollgate.toml";

impl Found {
    /// A later source wins. `seen` holds what this source has set so far: a value and its `_file` twin together are a mistake.
    fn put(&mut self, index: usize, raw: Raw, seen: &mut Vec<(usize, bool)>) {
        if seen.contains(&(index, !raw.is_path)) {
            let setting = &SETTINGS[index];
            return self.problems.push(Problem::at(&raw.origin, format!("{} is set both as a value and as a file. Keep one of them.", setting.name)));
        }
        seen.push((index, raw.is_path));
        self.values.insert(index, raw);
    }

    fn variable(&mut self, variable: String, value: String, origin: Origin, seen: &mut Vec<(usize, bool)>) {
        match find_variable(&variable) {
            // Compose files pass on unset variables as empty ones.
            Some(_) if value.is_empty() => {}
            Some((index, is_path)) => self.put(index, Raw { text: value, origin, is_path }, seen),
            None if variable.starts_with("TOLLGATE_") && variable != CONFIG_VARIABLE && !is_service_link(&variable, &value) => {
                let place = if matches!(origin, Origin::Env { .. }) { "environment".to_owned() } else { origin.to_string() };
                self.problems.push(Problem::at(place, unknown_variable(&variable)));
            }
            None if !value.is_empty() && !variable.starts_with("TOLLGATE_") => {
                let Some(near) = near_miss(&variable) else { return };
                if matches!(origin, Origin::Env { .. }) {
                    // It may be another program's, so the start is not refused.
                    let told = format!("{variable} is not a setting, and nothing reads it. Did you mean {near}?");
                    self.warnings.push(Problem::at("environment", told));
                } else {
                    self.problems.push(Problem::at(origin, format!("{variable} is not a setting. Did you mean {near}?")));
                }
            }
            None => {}
        }
    }

    fn flags(&mut self, flags: &[Flag]) {
        let mut seen = Vec::new();
        for Flag { flag, name, value } in flags {
            let origin = Origin::Flag { flag: flag.clone() };
            match find_name(name) {
                Some((index, is_path)) => self.put(index, Raw { text: value.clone(), origin, is_path }, &mut seen),
                None => self.problems.push(Problem::at(origin, unknown_name(name))),
            }
        }
    }

    fn toml(&mut self, text: &str, path: &Path, dir: &Path) {
        let at = |span: std::ops::Range<usize>| Origin::File { path: path.to_owned(), line: text[..span.start.min(text.len())].matches('\n').count() + 1 };
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                let message = format!("this is not TOML: {}.", error.message().trim_end_matches('.'));
                return self.problems.push(Problem::at(at(error.span().unwrap_or_default()), message));
            }
        };
        let mut seen = Vec::new();
        let mut entries = Vec::new();
        for (key, value) in table.get_ref() {
            match value.get_ref() {
                DeValue::Table(section) if key.get_ref() == providers::SECTION => {
                    let (read, problems) = providers::read(section, dir, &at);
                    self.providers = read;
                    self.problems.extend(problems);
                }
                DeValue::Table(section) if SETTINGS.iter().any(|s| s.section() == key.get_ref().as_ref()) => {
                    entries.extend(section.iter().map(|(inner, value)| (format!("{}.{}", key.get_ref(), inner.get_ref()), inner.span(), value)));
                }
                DeValue::Table(_) => self.problems.push(Problem::at(at(key.span()), unknown_section(key.get_ref()))),
                _ => entries.push((key.get_ref().to_string(), key.span(), value)),
            }
        }
        entries.sort_by_key(|(_, span, _)| span.start);
        for (name, span, value) in entries {
            let origin = at(span);
            let Some((index, is_path)) = find_name(&name) else {
                self.problems.push(Problem::at(origin, unknown_name(&name)));
                continue;
            };
            let kind = if is_path { Kind::Text } else { SETTINGS[index].kind };
            match as_text(value.get_ref(), kind) {
                Some(text) => self.put(index, Raw { text, origin, is_path }, &mut seen),
                None => self.problems.push(Problem::at(origin, wrong_type(&name, &SETTINGS[index], kind, value.get_ref()))),
            }
        }
    }
}

/// The value as a variable would hold it; None if its type is not the setting's.
pub(super) fn as_text(value: &DeValue<'_>, kind: Kind) -> Option<String> {
    match (kind, value) {
        (Kind::Text | Kind::Secret | Kind::Span, DeValue::String(text)) => Some(text.to_string()),
        (Kind::Number | Kind::Span, DeValue::Integer(n)) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(|n| n.to_string()),
        (Kind::Switch, DeValue::Boolean(on)) => Some(on.to_string()),
        (Kind::List, DeValue::Array(items)) => {
            let texts: Option<Vec<_>> = items.iter().map(|item| item.get_ref().as_str()).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

fn wrong_type(name: &str, setting: &Setting, kind: Kind, value: &DeValue<'_>) -> String {
    let wanted = match kind {
        Kind::Text | Kind::Secret => "a text in quotes",
        Kind::Number => "a whole number without quotes",
        Kind::Span => "a number of seconds, or a text such as \"14d\"",
        Kind::Switch => "true or false without quotes",
        Kind::List => "a list of texts, such as [\"10.0.0.0/8\"]",
    };
    format!("{name} must be {wanted}, not of the type {}. Allowed: {}.", value.type_str(), setting.allowed)
}

/// The setting of a `section.key`, and whether it is the `_file` twin of a secret.
pub(super) fn find_name(name: &str) -> Option<(usize, bool)> {
    let of = |name: &str| SETTINGS.iter().position(|s| s.name == name);
    of(name).map(|i| (i, false)).or_else(|| of(name.strip_suffix("_file")?).filter(|&i| SETTINGS[i].is_secret()).map(|i| (i, true)))
}

fn find_variable(variable: &str) -> Option<(usize, bool)> {
    let of = |variable: &str| SETTINGS.iter().position(|s| s.env == variable);
    of(variable).map(|i| (i, false)).or_else(|| of(variable.strip_suffix("_FILE")?).filter(|&i| SETTINGS[i].is_secret()).map(|i| (i, true)))
}

/// Kubernetes and Docker links set variables like these for a service of the name tollgate. They are not meant for us.
fn is_service_link(variable: &str, value: &str) -> bool {
    variable.ends_with("_SERVICE_HOST")
        || variable.contains("_SERVICE_PORT")
        || value.starts_with("tcp://")
        || value.starts_with("udp://")
        || (variable.contains("_PORT_") && (variable.contains("_TCP_") || variable.contains("_UDP_")))
}

pub(super) fn unknown_name(name: &str) -> String {
    // The right key in the wrong section is likelier than a wrong letter.
    let key = name.rsplit_once('.').map_or(name, |(_, key)| key);
    let near = SETTINGS.iter().find(|s| s.key() == key).map(|s| s.name).or_else(|| nearest(name, SETTINGS.iter().map(|s| s.name)));
    match near {
        Some(near) => format!("{name} is not a setting. Did you mean {near}?"),
        None => format!("{name} is not a setting. `tollgate config show` lists all of them."),
    }
}

fn unknown_variable(variable: &str) -> String {
    let bare = |v: &str| v.trim_start_matches("TOLLGATE_").to_owned();
    let near = nearest(&bare(variable), SETTINGS.iter().map(|s| s.env.trim_start_matches("TOLLGATE_")));
    match near.and_then(|near| SETTINGS.iter().find(|s| bare(s.env) == near)) {
        Some(near) => format!("{variable} is not a setting. Did you mean {}?", near.env),
        None => format!("{variable} is not a setting. `tollgate config show` lists all of them."),
    }
}

/// The variable of a setting, if this name is at most two letters away from it: `DATABASE_ULR` would else start an empty database.
fn near_miss(variable: &str) -> Option<String> {
    let of_secret = |s: &Setting| s.is_secret().then(|| format!("{}_FILE", s.env));
    let known = SETTINGS.iter().flat_map(|s| [Some(s.env.to_owned()), of_secret(s)]).flatten().chain([CONFIG_VARIABLE.to_owned()]);
    let distance = |known: &str| strsim::damerau_levenshtein(&variable.to_uppercase(), known);
    known.map(|known| (distance(&known), known)).filter(|(distance, _)| *distance <= 2).min().map(|(_, known)| known)
}

fn unknown_section(section: &str) -> String {
    let mut sections: Vec<_> = SETTINGS.iter().map(Setting::section).filter(|s| !s.is_empty()).collect();
    sections.dedup();
    sections.push(providers::SECTION);
    let near = nearest(section, sections.iter().copied()).map(|near| format!(" Did you mean [{near}]?")).unwrap_or_default();
    format!("[{section}] is not a section.{near} Sections: {}.", sections.join(", "))
}

/// The candidate that differs in the fewest letters, if these are few, or that only goes on where the word ends.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &str| match candidate.strip_prefix(word) {
        Some(rest) if rest.starts_with('_') => 1,
        _ => strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()),
    };
    candidates
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A value of `.env`: bare up to ` #`, in single quotes as it stands, in double quotes with `\n`, `\"` and `\\`.
fn unquote(value: &str) -> Option<String> {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.split_once('\'').filter(|(_, after)| is_comment(after)).map(|(inner, _)| inner.to_owned());
    }
    let Some(rest) = value.strip_prefix('"') else {
        return Some(value.split(" #").next().unwrap_or_default().trim_end().to_owned());
    };
    let mut out = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return is_comment(chars.as_str()).then_some(out),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
}

fn is_comment(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with('#')
}
