//! `tollgate config show` and `tollgate config init`: the settings with their values and origins, and as a commented file.

use super::{
    Config, Env, Loaded, providers,
    settings::{Kind, SETTINGS, Setting},
};
use serde::Serialize;
use std::{fmt::Write, path::PathBuf};

/// One line of `config show`.
#[derive(Debug, Serialize)]
pub struct Line {
    pub name: &'static str,
    pub variable: &'static str,
    /// Empty if there is none. Secrets are masked.
    pub value: String,
    pub origin: String,
}

/// Every setting with its value and its origin; then the providers, without their secrets.
pub fn lines(loaded: &Loaded) -> Vec<Line> {
    let file = loaded.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
    let providers = loaded.config.sign_in.providers.iter().map(|provider| Line {
        name: "sign_in.providers",
        variable: "",
        value: format!("{} ({}, {})", provider.slug, provider.name, provider.issuer),
        origin: file.clone(),
    });
    SETTINGS
        .iter()
        .zip(&loaded.origins)
        .map(|(setting, origin)| Line { name: setting.name, variable: setting.env, value: shown(setting, &loaded.config), origin: origin.to_string() })
        .chain(providers)
        .collect()
}

/// The lines as a table.
pub fn table(lines: &[Line]) -> String {
    let width = |of: fn(&Line) -> usize| lines.iter().map(of).max().unwrap_or(0);
    let (names, values) = (width(|l| l.name.len()), width(|l| l.value.chars().count().clamp(6, 48)));
    let mut out = String::new();
    for line in lines {
        let value = if line.value.is_empty() { "(none)" } else { &line.value };
        let _ = writeln!(out, "{:names$}  {value:values$}  {}", line.name, line.origin);
    }
    out
}

/// A `tollgate.toml` in which every setting stands with its default, commented out.
pub fn template() -> String {
    let defaults = Config::defaults(Env::Production, PathBuf::from(".data"));
    let mut out = String::from(
        "# Tollgate's configuration. What is commented out is the default.\n\
         # A variable of `.env` or of the environment wins over this file, a flag over all of them.\n",
    );
    let mut section = "";
    for setting in SETTINGS.iter() {
        if setting.section() != section {
            section = setting.section();
            let _ = write!(out, "\n[{section}]");
        }
        let value = (setting.get)(&defaults);
        let _ = write!(out, "\n# {}\n# Must be {}. Variable: {}\n", setting.doc, setting.allowed, setting.env);
        let _ = writeln!(out, "# {} = {}", setting.key(), as_toml(setting.kind, &value));
        if setting.is_secret() {
            let _ = writeln!(out, "# {}_file = \"/run/secrets/{}\"", setting.key(), setting.key());
        }
    }
    out + providers::TEMPLATE
}

fn as_toml(kind: Kind, value: &str) -> String {
    match kind {
        Kind::Number | Kind::Switch => value.to_owned(),
        Kind::List => {
            let items: Vec<_> = value.split(',').filter(|item| !item.is_empty()).map(|item| format!("{item:?}")).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Text | Kind::Secret | Kind::Span => format!("{value:?}"),
    }
}

fn shown(setting: &Setting, config: &Config) -> String {
    let value = (setting.get)(config);
    if setting.is_secret() && !value.is_empty() { masked(&value) } else { value }
}

/// The address without its password and its query, which may hold one too.
pub fn masked(url: &str) -> String {
    let Ok(mut url) = url::Url::parse(url) else { return "****".to_owned() };
    if url.password().is_some() && url.set_password(Some("****")).is_err() {
        return "****".to_owned();
    }
    if url.query().is_some() {
        url.set_query(Some("****"));
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_masked_wherever_they_stand() {
        assert_eq!(masked("postgres://me:hunter2@db/x?password=hunter2"), "postgres://me:****@db/x?****");
        assert_eq!(masked("smtps://mail.example.com"), "smtps://mail.example.com");
        assert_eq!(masked("not an address hunter2"), "****");
    }
}
