//! `tollgate config set`: one setting in the config file; comments and all else of it stay as they are. What would be written is loaded
//! first, together with all other sources: a file that keeps Tollgate from starting is not written.

use super::{
    Config, Env, Loaded, Origin, Sources,
    loader::{load, not_allowed},
    settings::{Kind, SETTINGS},
    source::{find_name, unknown_name},
};
use std::{io, path::PathBuf};
use toml_edit::{Array, DocumentMut, Item, Table, Value};

/// A change that Tollgate would start with.
#[derive(Debug)]
pub struct Change {
    /// As people know it.
    pub file: PathBuf,
    /// Where it is.
    path: PathBuf,
    /// The whole file as it would be.
    pub text: String,
    loaded: Loaded,
    setting: &'static str,
}

/// True for what must not stand on a command line, where others read it.
pub fn is_secret(name: &str) -> bool {
    find_name(name).is_some_and(|(index, is_path)| SETTINGS[index].is_secret() && !is_path)
}

/// The defaults with what the file alone says of this setting: what a change of a part of it begins with, whatever wins over the file.
pub fn in_file(sources: &Sources, name: &str) -> Result<Config, String> {
    let (index, _) = find_name(name).ok_or_else(|| unknown_name(name))?;
    let setting = &SETTINGS[index];
    let mut config = Config::defaults(Env::Production, PathBuf::from(".data"));
    match sources.in_file(index) {
        // Nobody else reads it while another source wins.
        Some(text) if (setting.set)(&mut config, &text).is_none() => Err(format!("{}: {}", sources.config_file().display(), not_allowed(setting, &text))),
        _ => Ok(config),
    }
}

/// What the file would be with this value, or without any, so that the default holds.
pub fn change(sources: &Sources, name: &str, value: Option<&str>) -> Result<Change, String> {
    let (index, is_path) = find_name(name).ok_or_else(|| unknown_name(name))?;
    let setting = &SETTINGS[index];
    let mut scratch = Config::defaults(Env::Production, PathBuf::from(".data"));
    if let Some(text) = value
        && !is_path
        && (setting.set)(&mut scratch, text).is_none()
    {
        return Err(not_allowed(setting, text));
    }
    let file = sources.config_file();
    let path = sources.dir.join(&file);
    let before = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(format!("{} can't be read: {error}.", file.display())),
    };
    let mut document: DocumentMut = before.parse().map_err(|error: toml_edit::TomlError| format!("{} is not TOML: {}", file.display(), error.message()))?;
    let kind = if is_path { Kind::Text } else { setting.kind };
    let key = name.rsplit_once('.').map_or(name, |(_, key)| key);
    edit(&mut document, setting.section(), key, value.map(|text| written(kind, text)))?;
    let text = document.to_string();
    let loaded = load(&Sources { file: Some(file.clone()), text: Some(text.clone()), ..sources.clone() })
        .map_err(|error| format!("nothing was written. With this change Tollgate would not start.\n{error}"))?;
    Ok(Change { file, path, text, loaded, setting: setting.name })
}

impl Change {
    /// In place: its owner and its rights stay, and a file that is mounted alone can be written, too.
    pub fn write(&self) -> io::Result<()> {
        std::fs::write(&self.path, &self.text)
    }

    /// What wins over the file, if something does.
    pub fn winner(&self) -> Option<&Origin> {
        let origin = self.loaded.origin(self.setting);
        matches!(origin, Origin::DotEnv { .. } | Origin::Env { .. } | Origin::Flag { .. }).then_some(origin)
    }
}

fn edit(document: &mut DocumentMut, section: &str, key: &str, value: Option<Value>) -> Result<(), String> {
    let root = document.as_table_mut();
    let Some(value) = value else {
        if section.is_empty() {
            root.remove(key);
        } else if let Some(table) = root.get_mut(section).and_then(Item::as_table_like_mut) {
            table.remove(key);
        }
        return Ok(());
    };
    if section.is_empty() {
        put(root.entry(key).or_insert(Item::None), value);
        return Ok(());
    }
    let table = root.entry(section).or_insert_with(|| Item::Table(Table::new()));
    let table = table.as_table_like_mut().ok_or_else(|| format!("{section} stands in the file, but is no section. Write [{section}]."))?;
    put(table.entry(key).or_insert(Item::None), value);
    Ok(())
}

/// The comment behind the old value stays.
fn put(item: &mut Item, mut value: Value) {
    if let Some(old) = item.as_value() {
        *value.decor_mut() = old.decor().clone();
    }
    *item = Item::Value(value);
}

/// As the file writes what a variable would hold.
fn written(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::Number => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
        Kind::Switch => Value::from(matches!(text, "true" | "1")),
        Kind::List => Value::from(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect::<Array>()),
        Kind::Text | Kind::Secret | Kind::Span => Value::from(text),
    }
}
